//! Making, finding and removing queues, what they refuse to be taken for, and in which order their parts may go.

use ringway::pipe::Connection;
use ringway::queue::{DeliveryPolicy, Queue};
use ringway::spsc::{Consumer, Producer};
use ringway::{ErrorKind, Operation, TryRecvError};

use crate::util::{Name, Random};

#[test]
fn messages_in_a_named_queue_outlive_all_who_used_it() {
    let name = Name::new("kept");
    let queue = Queue::<u64>::options().capacity(8).create(&name).unwrap();
    queue.sender().send_batch(&[1, 2, 3]).unwrap();
    drop(queue);
    assert!(name.exists());
    let queue = Queue::<u64>::options().capacity(2).open(&name).unwrap();
    assert_eq!((queue.len(), queue.capacity()), (3, 8), "its maker chose");
    assert_eq!(queue.receiver().recv(), Ok(1));
    drop(queue);
    let queue = Queue::<u64>::options().open_or_create(&name).unwrap();
    let receiver = queue.receiver();
    queue.sender().send(4).unwrap();
    assert_eq!(receiver.try_iter().collect::<Vec<_>>(), [2, 3, 4]);
}

#[test]
fn a_name_is_made_once_opened_often_replaced_and_removed() {
    let name = Name::new("verbs");
    let options = Queue::<u64>::options().capacity(4);
    assert_eq!(options.open(&name).unwrap_err().kind(), &ErrorKind::NotFound);
    assert_eq!(options.unlink(&name).unwrap_err().kind(), &ErrorKind::NotFound);
    let first = options.open_or_create(&name).unwrap();
    let also_first = options.open_or_create(&name).unwrap();
    let error = options.create(&name).unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::AlreadyExists { alive: 2, dead: 0 });
    assert_eq!(error.operation(), Operation::Create);
    assert!(error.to_string().starts_with(&format!("create queue \"{}\": ", &*name)), "{error}");
    first.sender().send(1).unwrap();
    let second = options.replace(&name).unwrap();
    assert!(second.is_empty(), "a fresh one");
    assert_eq!(also_first.receiver().try_recv(), Ok(1), "the old one goes on without a name");
    options.unlink(&name).unwrap();
    assert!(!name.exists());
    second.sender().send(2).unwrap();
    assert_eq!(second.receiver().try_recv(), Ok(2));
    let third = options.replace(&name).unwrap();
    assert_eq!(third.receiver().try_recv(), Err(TryRecvError::Empty));
}

#[test]
fn a_queue_that_goes_with_its_last_member_waits_for_deliveries_and_grants_too() {
    let name = Name::new("unused");
    let queue = Queue::<u64>::options().remove_when_unused().create(&name).unwrap();
    let (sender, receiver) = (queue.sender(), queue.receiver());
    sender.send(1).unwrap();
    let (grant, delivery) = (sender.reserve().unwrap(), receiver.recv_guard().unwrap());
    drop((queue, sender, receiver));
    drop(grant);
    assert!(name.exists());
    delivery.ack();
    assert!(!name.exists());
}

#[test]
fn a_queue_without_a_name_is_found_by_nobody() {
    let options = Queue::<u64>::options().capacity(2);
    let (one, other) = (options.unnamed().unwrap(), options.unnamed().unwrap());
    one.sender().send(1).unwrap();
    assert_eq!(other.receiver().try_recv(), Err(TryRecvError::Empty));
    assert_eq!(one.receiver().try_recv(), Ok(1));
    let error = Queue::<u64>::options().capacity(0).unnamed().unwrap_err();
    assert_eq!(error.to_string(), "create queue: invalid option: a capacity is at least 1");
}

#[test]
fn openers_take_the_delivery_policy_from_the_queue() {
    use DeliveryPolicy::{AtLeastOnce, AtMostOnce};
    assert_eq!(DeliveryPolicy::default(), AtLeastOnce);
    for (policy, other) in [(AtLeastOnce, AtMostOnce), (AtMostOnce, AtLeastOnce)] {
        let name = Name::new("policy");
        let maker = Queue::<u64>::options().delivery(policy).create(&name).unwrap();
        let opener = Queue::<u64>::options().delivery(other).open(&name).unwrap();
        let adopter = Queue::<u64>::options().delivery(other).open_or_create(&name).unwrap();
        for queue in [&maker, &opener, &adopter] {
            assert_eq!(queue.delivery(), policy);
            let (sender, receiver) = (queue.sender(), queue.receiver());
            sender.send(1).unwrap();
            drop(receiver.recv_guard().unwrap());
            let again = receiver.try_recv();
            assert_eq!(again.is_ok(), policy == AtLeastOnce, "{policy:?}: {again:?}");
        }
    }
    let name = Name::new("policy");
    let _maker = Queue::<[u8]>::options().delivery(AtMostOnce).create(&name).unwrap();
    assert_eq!(Queue::<[u8]>::options().open(&name).unwrap().delivery(), AtMostOnce);
}

/// The kind of the error of opening `$name` as each of the handles.
macro_rules! refusals {
    ($name:expr, $($handle:ty),+) => {
        [$(<$handle>::options().open($name).unwrap_err().kind().clone()),+]
    };
}

#[test]
fn a_queue_is_not_taken_for_another_channel_nor_one_of_those_for_a_queue() {
    let name = Name::new("kind");
    let values = Queue::<u64>::options().create(&name).unwrap();
    let wrong = ErrorKind::WrongKind("a queue of values");
    let refused = refusals!(&name, Queue<[u8]>, Producer<u64>, Consumer<u64>, Connection);
    assert_eq!(refused, [&wrong; 4].map(Clone::clone));
    let name = Name::new("kind");
    let bytes = Queue::<[u8]>::options().message_len(8).create(&name).unwrap();
    let wrong = ErrorKind::WrongKind("a queue of bytes");
    let refused = refusals!(&name, Queue<u64>, Queue<[u8; 16]>, Producer<u64>, Connection);
    assert_eq!(refused, [&wrong; 4].map(Clone::clone));
    let name = Name::new("kind");
    let _producer = Producer::<u64>::options().create(&name).unwrap();
    let wrong = ErrorKind::WrongKind("an spsc channel");
    assert_eq!(refusals!(&name, Queue<u64>, Queue<[u8]>), [wrong.clone(), wrong]);
    let name = Name::new("kind");
    let _pipe = Connection::options().create(&name).unwrap();
    let wrong = ErrorKind::WrongKind("a pipe");
    assert_eq!(refusals!(&name, Queue<u64>, Queue<[u8]>), [wrong.clone(), wrong]);
    values.sender().send(1).unwrap();
    bytes.sender().send(&[1]).unwrap();
    assert_eq!(values.members().unwrap().len(), 1, "nobody refused has become a member");
    assert_eq!(bytes.members().unwrap().len(), 1);
}

#[test]
fn a_queue_of_other_values_is_refused_by_size_alignment_and_name() {
    let name = Name::new("type");
    let _queue = Queue::<u64>::options().create(&name).unwrap();
    let refused = refusals!(&name, Queue<u32>, Queue<[u64; 2]>, Queue<[u8; 8]>, Queue<[u32; 2]>);
    for kind in refused {
        assert!(matches!(kind, ErrorKind::WrongType(_)), "{kind:?}");
    }
    let error = Queue::<u32>::options().open_or_create(&name).unwrap_err();
    let text = "8 bytes aligned to 8 there, 4 bytes aligned to 4 here";
    assert!(error.to_string().contains(text), "{error}");
    Queue::<i64>::options().open(&name).expect("size and alignment are all that is known");
    let name = Name::new("type");
    let _queue = Queue::<u64>::options().type_id("order.v2").create(&name).unwrap();
    for options in [Queue::<u64>::options(), Queue::<u64>::options().type_id("order.v1")] {
        let error = options.open(&name).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::WrongType(_)), "{error}");
    }
    Queue::<u64>::options().type_id("order.v2").open(&name).unwrap();
}

#[test]
fn options_that_cannot_be_are_refused_before_anything_is_made() {
    let name = Name::new("options");
    let options = Queue::<u64>::options;
    let wrong = [
        options().capacity(0),
        options().capacity(usize::MAX),
        options().capacity(1 << 40),
        options().max_members(0),
        options().max_members(1),
        options().max_members(513),
        options().mode(0o666),
        options().recheck(std::time::Duration::ZERO),
    ];
    for options in wrong {
        let made = [options.create(&name), options.unnamed(), options.open_or_create(&name)];
        for error in made.map(Result::unwrap_err) {
            assert!(matches!(error.kind(), ErrorKind::InvalidOption(_)), "{error}");
        }
    }
    assert!(!name.exists());
    for members in [2, 512] {
        options().max_members(members).unnamed().unwrap();
    }
}

/// A part of a queue that keeps it mapped.
type Part = Box<dyn std::any::Any + Send>;

#[test]
fn queue_handles_grants_and_deliveries_may_be_dropped_in_any_order_in_any_thread() {
    let mut random = Random(7);
    for round in 0..100 {
        let queue = Queue::<u64>::options().capacity(8).unnamed().unwrap();
        let (sender, receiver) = (queue.sender(), queue.receiver());
        sender.send_batch(&[1, 2, 3]).unwrap();
        let mut parts: Vec<Part> = Vec::new();
        for _ in 0..3 {
            parts.push(Box::new(sender.reserve().unwrap()));
            parts.push(Box::new(receiver.recv_guard().unwrap()));
        }
        parts.extend([Box::new(queue) as Part, Box::new(sender), Box::new(receiver)]);
        while !parts.is_empty() {
            let part = parts.swap_remove(random.below(parts.len()));
            if round % 2 == 0 {
                std::thread::spawn(move || drop(part)).join().unwrap();
            }
        }
    }
}

#[test]
fn what_is_kept_alone_still_works() {
    let queue = Queue::<u64>::options().capacity(4).unnamed().unwrap();
    let (sender, receiver) = (queue.sender(), queue.receiver());
    drop(queue);
    sender.send_batch(&[1, 2]).unwrap();
    let delivery = receiver.recv_guard().unwrap();
    let mut grant = sender.reserve().unwrap();
    *grant = 3;
    drop(sender);
    grant.commit().unwrap();
    assert_eq!((receiver.recv(), receiver.recv()), (Ok(2), Ok(3)));
    drop(receiver);
    assert_eq!((*delivery, delivery.deliveries()), (1, 1));
    delivery.ack();
}
