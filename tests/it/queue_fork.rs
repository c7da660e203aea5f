//! A process that forks while it uses a queue: the child has nothing of it and spoils nothing.
//!
//! The roles are processes whose only other thread, the harness's, just waits: so their forked children may
//! do anything.

use ringway::queue::{DeliveryPolicy, Queue};
use ringway::{
    ErrorKind, Fault, RecvError, RecvTimeoutError, SendError, SendTimeoutError, TryRecvError,
    TrySendError, Wait,
};

use crate::util::child::Child;
use crate::util::os::in_fork;
use crate::util::{LONG, Name, within};

const FORKED: Fault = Fault::Forked;

pub fn play(role: &str, arguments: &[&str]) {
    let name = arguments[0];
    match role {
        "values" => use_values_in_child(name),
        "bytes" => use_bytes_in_child(name),
        "drop" => drop_in_child(name),
        "claims" => use_claims_in_child(name),
        "blocked" => wait_in_child(name),
        "again" => attach_in_child(name),
        _ => panic!("no role {role}"),
    }
}

/// Plays `role` with a fresh name in a process of its own.
fn act(role: &str) {
    let name = Name::new("fork");
    Child::spawn(&format!("queue_fork::{role}"), &[&name]).finish();
}

#[test]
fn every_operation_on_an_inherited_queue_of_values_answers_forked() {
    act("values");
}

fn use_values_in_child(name: &str) {
    let queue = Queue::<u64>::options().capacity(4).create(name).unwrap();
    let (sender, receiver) = (queue.sender(), queue.receiver());
    sender.send(1).unwrap();
    let code = in_fork(|| {
        // A handle made in the child is one of the parent's member too.
        for sender in [sender.clone(), queue.sender()] {
            assert_eq!(sender.try_send(2), Err(TrySendError::Failed(2, FORKED)));
            assert_eq!(sender.send(2), Err(SendError::Failed(2, FORKED)));
            assert_eq!(sender.send_timeout(2, LONG), Err(SendTimeoutError::Failed(2, FORKED)));
            assert_eq!(sender.try_send_batch(&[2]), Err(TrySendError::Failed((), FORKED)));
            assert_eq!(sender.send_batch(&[2]), Err(SendError::Failed(0, FORKED)));
            assert_eq!(sender.try_reserve().unwrap_err().fault(), Some(FORKED));
            assert_eq!(sender.reserve().unwrap_err().fault(), Some(FORKED));
            assert_eq!(sender.reserve_timeout(LONG).unwrap_err().fault(), Some(FORKED));
            sender.close();
            assert!(!sender.is_closed() && sender.is_empty() && !sender.is_full());
        }
        for receiver in [receiver.clone(), queue.receiver()] {
            assert_eq!(receiver.try_recv(), Err(TryRecvError::Failed(FORKED)));
            assert_eq!(receiver.recv(), Err(RecvError::Failed(FORKED)));
            assert_eq!(receiver.recv_timeout(LONG), Err(RecvTimeoutError::Failed(FORKED)));
            assert_eq!(receiver.try_recv_batch(&mut [0]), Err(TryRecvError::Failed(FORKED)));
            assert_eq!(receiver.recv_batch(&mut [0]), Err(RecvError::Failed(FORKED)));
            assert_eq!(receiver.try_recv_guard().unwrap_err().fault(), Some(FORKED));
            assert_eq!(receiver.recv_guard().unwrap_err().fault(), Some(FORKED));
            assert_eq!(receiver.recv_guard_timeout(LONG).unwrap_err().fault(), Some(FORKED));
            assert_eq!((receiver.iter().next(), receiver.try_iter().next()), (None, None));
            receiver.close();
        }
        queue.close();
        assert!(!queue.is_closed());
        assert_eq!((queue.len(), queue.capacity()), (0, 4));
        assert_eq!(queue.members().unwrap_err().kind(), &ErrorKind::Os);
        assert_eq!(queue.delivery(), DeliveryPolicy::AtLeastOnce);
        assert!(!format!("{queue:?}{sender:?}{receiver:?}").is_empty());
        0
    });
    assert_eq!(code, 0);
    assert!(!queue.is_closed());
    sender.send(2).unwrap();
    assert_eq!((receiver.recv(), receiver.recv()), (Ok(1), Ok(2)));
}

#[test]
fn every_operation_on_an_inherited_queue_of_bytes_answers_forked() {
    act("bytes");
}

fn use_bytes_in_child(name: &str) {
    let queue = Queue::<[u8]>::options().capacity(4).message_len(32).create(name).unwrap();
    let (sender, receiver) = (queue.sender(), queue.receiver());
    sender.send(b"kept").unwrap();
    let code = in_fork(|| {
        for message in [&b"x"[..], &[0; 33]] {
            assert_eq!(sender.try_send(message), Err(TrySendError::Failed((), FORKED)));
            assert_eq!(sender.send(message), Err(SendError::Failed((), FORKED)));
            let late = sender.send_timeout(message, LONG);
            assert_eq!(late, Err(SendTimeoutError::Failed((), FORKED)));
            assert_eq!(sender.try_reserve(message.len()).unwrap_err().fault(), Some(FORKED));
            assert_eq!(sender.reserve(message.len()).unwrap_err().fault(), Some(FORKED));
        }
        assert_eq!(receiver.try_recv(), Err(TryRecvError::Failed(FORKED)));
        assert_eq!(receiver.recv(), Err(RecvError::Failed(FORKED)));
        assert_eq!(receiver.recv_timeout(LONG), Err(RecvTimeoutError::Failed(FORKED)));
        assert_eq!(receiver.try_recv_into(&mut [0]), Err(TryRecvError::Failed(FORKED)));
        assert_eq!(receiver.recv_into(&mut [0]), Err(RecvError::Failed(FORKED)));
        assert_eq!(receiver.try_recv_guard().unwrap_err().fault(), Some(FORKED));
        assert_eq!((queue.max_len(), sender.max_len(), receiver.max_len()), (32, 32, 32));
        0
    });
    assert_eq!(code, 0);
    assert_eq!(receiver.recv().unwrap(), b"kept");
}

#[test]
fn a_child_that_drops_all_it_inherited_takes_nothing_from_the_parent() {
    act("drop");
}

fn drop_in_child(name: &str) {
    let queue = Queue::<u64>::options().remove_when_unused().capacity(4).create(name).unwrap();
    let (sender, receiver) = (queue.sender(), queue.receiver());
    let mut all = Some((queue, sender, receiver));
    for _ in 0..5 {
        let code = in_fork(|| {
            drop(all.take());
            0
        });
        assert_eq!(code, 0);
    }
    let (queue, sender, receiver) = all.take().unwrap();
    let members = queue.members().unwrap();
    assert_eq!(members.len(), 1);
    assert!(members[0].is_alive());
    assert_eq!((members[0].senders(), members[0].receivers()), (1, 1));
    sender.send(1).unwrap();
    assert_eq!(receiver.recv(), Ok(1));
    Queue::<u64>::options().open(name).expect("the name is still there");
}

#[test]
fn grants_and_deliveries_held_over_a_fork_are_the_parents_alone() {
    act("claims");
}

fn use_claims_in_child(name: &str) {
    for policy in [DeliveryPolicy::AtLeastOnce, DeliveryPolicy::AtMostOnce] {
        let options = Queue::<u64>::options().capacity(4).delivery(policy);
        let queue = options.replace(name).unwrap();
        let (sender, receiver) = (queue.sender(), queue.receiver());
        sender.send_batch(&[1, 2]).unwrap();
        let deliveries = (receiver.recv_guard().unwrap(), receiver.recv_guard().unwrap());
        let grants = (sender.reserve().unwrap(), sender.reserve().unwrap());
        let (mut deliveries, mut grants) = (Some(deliveries), Some(grants));
        let code = in_fork(|| {
            let (one, other) = deliveries.take().unwrap();
            assert_eq!((*one, one.deliveries(), one.redelivered()), (0, 1, false), "blank pages");
            one.ack();
            drop(other);
            let (mut one, other) = grants.take().unwrap();
            *one = 99;
            assert_eq!(one.commit(), Err(SendError::Failed((), FORKED)));
            drop(other);
            0
        });
        assert_eq!(code, 0);
        let (one, other) = deliveries.take().unwrap();
        assert_eq!((*one, *other), (1, 2), "both are held as before");
        assert!(matches!(receiver.try_recv(), Err(TryRecvError::Busy(_))));
        one.ack();
        other.ack();
        let (mut one, other) = grants.take().unwrap();
        *one = 3;
        one.commit().unwrap();
        drop(other);
        assert_eq!(receiver.try_iter().collect::<Vec<_>>(), [3]);
    }
}

#[test]
fn a_child_does_not_wait_for_what_it_cannot_see() {
    act("blocked");
}

fn wait_in_child(name: &str) {
    for wait in [Wait::Spin, Wait::SpinThenPark, Wait::Park] {
        let queue = Queue::<u64>::options().capacity(1).wait(wait).replace(name).unwrap();
        let (sender, receiver) = (queue.sender(), queue.receiver());
        sender.send(1).unwrap();
        let code = in_fork(|| {
            let answer = within(LONG, || receiver.recv_timeout(3 * LONG));
            assert_eq!(answer, Err(RecvTimeoutError::Failed(FORKED)));
            let sent = within(LONG, || sender.send_timeout(2, 3 * LONG));
            assert_eq!(sent, Err(SendTimeoutError::Failed(2, FORKED)));
            0
        });
        assert_eq!(code, 0, "{wait:?}");
        assert_eq!(receiver.recv(), Ok(1));
    }
}

#[test]
fn a_child_may_attach_anew_as_another_member() {
    act("again");
}

fn attach_in_child(name: &str) {
    let queue = Queue::<u64>::options().capacity(4).create(name).unwrap();
    let (sender, receiver) = (queue.sender(), queue.receiver());
    sender.send_batch(&[1, 2]).unwrap();
    let code = in_fork(|| {
        let own = Queue::<u64>::options().open(name).unwrap();
        let members = own.members().unwrap();
        assert_eq!(members.iter().filter(|member| member.is_alive()).count(), 2);
        assert_eq!(members[1].pid(), std::process::id());
        let (sender, receiver) = (own.sender(), own.receiver());
        assert_eq!(receiver.recv(), Ok(1));
        sender.send(3).unwrap();
        // And its own child has nothing of that either.
        let code = in_fork(|| i32::from(receiver.try_recv() != Err(TryRecvError::Failed(FORKED))));
        assert_eq!(code, 0);
        receiver.recv_guard().unwrap().ack();
        0
    });
    assert_eq!(code, 0);
    assert_eq!(receiver.try_iter().collect::<Vec<_>>(), [3]);
    let members = queue.members().unwrap();
    assert_eq!(members.len(), 1, "it left without a destructor being run, or with");
}
