//! Queues that have carried nearly as many messages as positions and laps can count: nothing changes there.

use ringway::queue::{DeliveryPolicy, Queue};
use ringway::{RecvTimeoutError, TryRecvError, TrySendError, Wait};

use crate::queue_streams::{Ledger, Value, send};
use crate::util::child::{Child, say};
use crate::util::view::{POSITIONS, View, cursor};
use crate::util::{LONG, Name};

/// Shortly before positions begin again, and, where that is another time, before the laps of slots do.
const STARTS: [(usize, u64); 7] = [
    (1, POSITIONS - 3),
    (2, POSITIONS - 3),
    (4, POSITIONS - 3),
    (8, POSITIONS - 3),
    (1024, POSITIONS - 3),
    (1, (1 << 46) - 3),
    (2, (1 << 47) - 3),
];

pub fn play(role: &str, arguments: &[&str]) {
    assert_eq!(role, "send");
    let sender = Queue::<Value>::options().open(arguments[0]).unwrap().sender();
    say("open");
    send(&sender, arguments[1].parse().unwrap(), arguments[2].parse().unwrap(), true);
}

/// A queue that has carried `start` messages, and its words.
fn old(name: &Name, capacity: usize, start: u64, policy: DeliveryPolicy) -> (Queue<u64>, View) {
    let options = Queue::<u64>::options().capacity(capacity).delivery(policy).wait(Wait::Park);
    let queue = options.create(name).unwrap();
    let view = View::open(name.path());
    view.start_at(start);
    (queue, view)
}

/// Runs `test` with a queue of each capacity that begins shortly before its words wrap.
fn at_each_wrap(policy: DeliveryPolicy, test: impl Fn(&Queue<u64>, u64, &View)) {
    for (capacity, start) in STARTS {
        let name = Name::new("wrap");
        let (queue, view) = old(&name, capacity, start, policy);
        assert_eq!((queue.len(), queue.is_closed()), (0, false));
        test(&queue, start, &view);
    }
}

#[test]
fn values_pass_the_wrap_one_by_one() {
    at_each_wrap(DeliveryPolicy::AtLeastOnce, |queue, start, view| {
        let (senders, receivers) =
            ([queue.sender(), queue.sender()], [queue.receiver(), queue.receiver()]);
        assert_eq!(receivers[0].try_recv(), Err(TryRecvError::Empty));
        for n in 0..20 {
            senders[n % 2].try_send(n as u64).unwrap();
            assert_eq!(receivers[n / 2 % 2].try_recv(), Ok(n as u64));
        }
        let end = cursor((start + 20) % POSITIONS, 0);
        assert_eq!((view.u64(view.tail(0)), view.u64(view.head(0))), (end, end));
    });
}

#[test]
fn a_queue_is_full_and_empty_at_its_capacity_before_on_and_behind_the_wrap() {
    at_each_wrap(DeliveryPolicy::AtLeastOnce, |queue, _, _| {
        let (sender, receiver) = (queue.sender(), queue.receiver());
        for lap in 0..8 {
            let values: Vec<u64> = (lap..lap + queue.capacity() as u64).collect();
            for n in &values {
                sender.try_send(*n).unwrap();
            }
            assert_eq!(sender.try_send(0), Err(TrySendError::Full(0)));
            assert!(queue.is_full());
            assert_eq!(receiver.try_iter().collect::<Vec<_>>(), values);
            assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
            assert!(queue.is_empty());
        }
    });
}

#[test]
fn batches_pass_the_wrap_whole() {
    at_each_wrap(DeliveryPolicy::AtLeastOnce, |queue, _, _| {
        let (sender, receiver) = (queue.sender(), queue.receiver());
        let (mut sent, mut taken) = (0, 0);
        let mut buffer = vec![0; 2 * queue.capacity()];
        for step in 1..30 {
            let batch: Vec<u64> = (sent..=sent + step % 6).collect();
            let room = (queue.capacity() as u64 - (sent - taken)).min(batch.len() as u64);
            match sender.try_send_batch(&batch) {
                Ok(count) => assert_eq!(count as u64, room),
                Err(error) => assert_eq!((error, room), (TrySendError::Full(()), 0)),
            }
            sent += room;
            let limit = buffer.len().min(1 + usize::try_from(step % 5).unwrap());
            for value in
                receiver.try_recv_batch(&mut buffer[..limit]).map_or(&[][..], |n| &buffer[..n])
            {
                assert_eq!(*value, taken);
                taken += 1;
            }
        }
    });
}

#[test]
fn aborted_places_are_passed_over_on_the_wrap() {
    at_each_wrap(DeliveryPolicy::AtLeastOnce, |queue, _, view| {
        let (sender, receiver) = (queue.sender(), queue.receiver());
        for n in 0..10 {
            drop(sender.try_reserve().unwrap());
            assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
            let mut grant = sender.try_reserve().unwrap();
            assert!(matches!(receiver.try_recv(), Err(TryRecvError::Busy(_))));
            *grant = n;
            grant.commit().unwrap();
            assert_eq!(receiver.try_recv(), Ok(n));
        }
        assert_eq!(view.u64(view.redeliver()), 0);
    });
}

#[test]
fn what_is_put_back_comes_again_across_the_wrap_or_is_dropped() {
    at_each_wrap(DeliveryPolicy::AtLeastOnce, |queue, _, _| {
        let (sender, receiver) = (queue.sender(), queue.receiver());
        let batch = queue.capacity().min(6) as u64;
        for round in 0..4 {
            let values: Vec<u64> = (0..batch).map(|n| 10 * round + n).collect();
            assert_eq!(sender.try_send_batch(&values), Ok(values.len()));
            let mut held: Vec<_> =
                values.iter().map(|_| receiver.try_recv_guard().unwrap()).collect();
            held.reverse();
            drop(held);
            for value in values {
                let delivery = receiver.try_recv_guard().unwrap();
                assert_eq!((*delivery, delivery.deliveries()), (value, 2));
                delivery.ack();
            }
            assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
        }
    });
    at_each_wrap(DeliveryPolicy::AtMostOnce, |queue, _, _| {
        let (sender, receiver) = (queue.sender(), queue.receiver());
        for n in 0..10 {
            sender.try_send(n).unwrap();
            drop(receiver.try_recv_guard().unwrap());
        }
        assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
    });
}

#[test]
fn a_close_on_the_wrap_ends_the_queue_there() {
    for sent in 0..6 {
        at_each_wrap(DeliveryPolicy::AtLeastOnce, |queue, _, _| {
            let (sender, receiver) = (queue.sender(), queue.receiver());
            for n in 0..sent {
                sender.try_send(n).unwrap();
                assert_eq!(receiver.try_recv(), Ok(n));
            }
            sender.try_send(9).unwrap();
            queue.close();
            assert_eq!(sender.try_send(1), Err(TrySendError::Closed(1)));
            assert_eq!(receiver.iter().collect::<Vec<_>>(), [9]);
            assert_eq!(receiver.try_recv(), Err(TryRecvError::Closed));
        });
    }
}

#[test]
fn processes_stream_through_the_wrap() {
    for (capacity, start) in STARTS {
        let start = start - 1_000;
        let name = Name::new("wrap");
        let queue = Queue::<Value>::options().capacity(capacity).create(&name).unwrap();
        View::open(name.path()).start_at(start);
        let receivers = [queue.receiver(), queue.receiver()];
        let children =
            ["0", "1"].map(|number| Child::spawn("queue_wrap::send", &[&name, number, "1500"]));
        for child in &children {
            child.expect("open");
        }
        let counts: [u64; 2] = std::thread::scope(|scope| {
            let receive = |receiver| scope.spawn(move || count_until_left(receiver));
            receivers.each_ref().map(receive).map(|thread| thread.join().unwrap())
        });
        assert_eq!(counts[0] + counts[1], 3_000, "capacity {capacity} from {start:#x}");
        for one in children {
            Child::finish(one);
        }
    }
}

fn count_until_left(receiver: &ringway::queue::Receiver<Value>) -> u64 {
    let mut ledger = Ledger::default();
    loop {
        match receiver.recv_timeout(LONG) {
            Ok(value) => ledger.enter(value),
            Err(end) => {
                assert_eq!(end, RecvTimeoutError::Disconnected);
                return ledger.told().0;
            }
        }
    }
}
