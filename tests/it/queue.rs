//! Values through a queue: what each call gives, in one process.

use std::time::{Duration, Instant};

use ringway::queue::{Delivery, Queue, Receiver, Sender, WriteGrant};
use ringway::{
    MemberId, RecvTimeoutError, SendError, SendTimeoutError, TryRecvError, TrySendError, Wait,
};

use crate::util::LONG;

const SOON: Duration = Duration::from_millis(30);

/// An unnamed queue with both handles.
pub fn both(capacity: usize) -> (Queue<u64>, Sender<u64>, Receiver<u64>) {
    let queue = Queue::<u64>::options().capacity(capacity).unnamed().unwrap();
    let (sender, receiver) = (queue.sender(), queue.receiver());
    (queue, sender, receiver)
}

#[test]
fn values_come_out_in_the_order_they_went_in_over_many_laps() {
    for capacity in [1, 2, 4, 8] {
        let (_queue, sender, receiver) = both(capacity);
        let mut next = 0;
        for _ in 0..100 {
            for n in 0..capacity as u64 {
                sender.try_send(next + n).unwrap();
            }
            for _ in 0..capacity {
                assert_eq!(receiver.try_recv(), Ok(next));
                next += 1;
            }
            assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
        }
    }
}

#[test]
fn a_full_queue_gives_the_value_back_and_a_read_makes_room() {
    let (queue, sender, receiver) = both(2);
    sender.try_send(1).unwrap();
    sender.try_send(2).unwrap();
    assert!(queue.is_full() && sender.is_full() && receiver.is_full());
    assert_eq!(sender.try_send(3), Err(TrySendError::Full(3)));
    assert_eq!(sender.try_send(3).unwrap_err().into_inner(), 3);
    assert_eq!(receiver.try_recv(), Ok(1));
    sender.try_send(3).unwrap();
    assert_eq!((receiver.recv(), receiver.recv()), (Ok(2), Ok(3)));
}

#[test]
fn lengths_and_fullness_are_those_of_the_moment() {
    let (queue, sender, receiver) = both(3);
    assert_eq!((queue.capacity(), sender.capacity(), receiver.capacity()), (4, 4, 4));
    assert!(queue.is_empty() && sender.is_empty() && receiver.is_empty() && !queue.is_full());
    for n in 1..=4 {
        sender.try_send(9).unwrap();
        assert_eq!((queue.len(), sender.len(), receiver.len()), (n, n, n));
    }
    assert!(queue.is_full() && !queue.is_empty());
    let held = receiver.try_recv_guard().unwrap();
    assert_eq!((queue.len(), queue.is_full()), (3, false), "what is held is not counted");
    assert_eq!(sender.try_send(9), Err(TrySendError::Full(9)), "but has its slot");
    held.ack();
    let grant = sender.try_reserve().unwrap();
    assert_eq!(queue.len(), 4, "what is being written is counted");
    drop(grant);
}

#[test]
fn any_handle_of_any_attachment_sends_and_receives_the_same_messages() {
    let (queue, sender, receiver) = both(8);
    let handles = [sender.clone(), queue.sender(), sender];
    for n in 0..300 {
        handles[n % 3].send(n as u64).unwrap();
        let receiver = if n % 2 == 0 { receiver.clone() } else { queue.receiver() };
        assert_eq!(receiver.recv(), Ok(n as u64));
    }
}

#[test]
fn batches_are_cut_to_the_room_and_keep_their_order_across_the_end_of_memory() {
    let (_queue, sender, receiver) = both(8);
    let mut buffer = [0; 16];
    let (mut sent, mut taken) = (0u64, 0u64);
    for step in 0..200u64 {
        let batch: Vec<u64> = (sent..sent + 1 + step % 11).collect();
        match sender.try_send_batch(&batch) {
            Ok(n) => {
                assert_eq!(n as u64, (batch.len() as u64).min(8 - (sent - taken)));
                sent += n as u64;
            }
            Err(error) => assert_eq!((error, sent - taken), (TrySendError::Full(()), 8)),
        }
        let wanted = usize::try_from(1 + step % 5).unwrap();
        let there = usize::try_from(sent - taken).unwrap();
        let got = receiver.try_recv_batch(&mut buffer[..wanted]).unwrap();
        assert_eq!(got, wanted.min(there));
        for value in &buffer[..got] {
            assert_eq!(*value, taken);
            taken += 1;
        }
    }
}

#[test]
fn an_empty_batch_is_sent_and_received_at_once_and_changes_nothing() {
    let (queue, sender, receiver) = both(2);
    assert_eq!(sender.try_send_batch(&[]), Ok(0));
    assert_eq!(sender.send_batch(&[]), Ok(()));
    assert_eq!(receiver.try_recv_batch(&mut []), Ok(0));
    assert_eq!(receiver.recv_batch(&mut []), Ok(0));
    assert_eq!(receiver.try_recv_batch(&mut [0; 2]), Err(TryRecvError::Empty));
    assert!(queue.is_empty());
    sender.send_batch(&[1, 2]).unwrap();
    assert_eq!(sender.try_send_batch(&[]), Ok(0), "also when it is full");
    assert_eq!(sender.try_send_batch(&[3]), Err(TrySendError::Full(())));
}

#[test]
fn a_batch_longer_than_the_queue_fills_it_or_goes_through_while_somebody_receives() {
    let (_queue, sender, receiver) = both(8);
    let values: Vec<u64> = (0..10_000).collect();
    assert_eq!(sender.try_send_batch(&values), Ok(8));
    let mut buffer = vec![0; 9_000];
    assert_eq!(receiver.try_recv_batch(&mut buffer), Ok(8));
    assert_eq!(buffer[..8], values[..8]);
    std::thread::scope(|scope| {
        let values = &values;
        scope.spawn(move || sender.send_batch(values).unwrap());
        let (mut buffer, mut values_out) = ([0; 7], Vec::new());
        while values_out.len() < values.len() {
            let got = receiver.recv_batch(&mut buffer).unwrap();
            values_out.extend_from_slice(&buffer[..got]);
        }
        assert_eq!(values_out, *values);
    });
}

#[test]
fn a_grant_is_sent_by_commit_and_forgotten_by_drop() {
    let (queue, sender, receiver) = both(2);
    let mut grant = sender.try_reserve().unwrap();
    *grant = 7;
    drop(grant);
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
    assert!(queue.is_empty(), "the slot was given back");
    let (mut first, mut second) =
        (sender.reserve().unwrap(), sender.reserve_timeout(LONG).unwrap());
    (*first, *second) = (8, 9);
    assert_eq!((*first, *second), (8, 9));
    assert_eq!(sender.try_reserve().unwrap_err(), TrySendError::Full(()));
    assert_eq!(sender.reserve_timeout(SOON).unwrap_err(), SendTimeoutError::Timeout(()));
    second.commit().unwrap();
    first.commit().unwrap();
    assert_eq!((receiver.recv(), receiver.recv()), (Ok(8), Ok(9)), "in the order of claims");
}

#[test]
fn a_message_behind_one_that_is_being_written_waits_and_the_answer_names_the_writer() {
    let (_queue, sender, receiver) = both(4);
    let grant = sender.reserve().unwrap();
    sender.send(2).unwrap();
    let Err(TryRecvError::Busy(member)) = receiver.try_recv() else { panic!("not busy") };
    assert_eq!(member.index(), 0);
    assert!(matches!(receiver.try_recv_batch(&mut [0; 4]), Err(TryRecvError::Busy(_))));
    assert!(matches!(receiver.try_recv_guard(), Err(TryRecvError::Busy(_))));
    assert_eq!(receiver.recv_timeout(SOON), Err(RecvTimeoutError::Timeout));
    drop(grant);
    assert_eq!(receiver.recv(), Ok(2));
}

#[test]
fn iterators_end_with_the_queue_or_with_what_is_there() {
    let (queue, sender, receiver) = both(8);
    sender.send_batch(&[1, 2, 3]).unwrap();
    assert_eq!(receiver.try_iter().collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!(receiver.try_iter().next(), None);
    sender.send_batch(&[4, 5]).unwrap();
    assert_eq!(receiver.iter().take(1).collect::<Vec<_>>(), [4]);
    queue.close();
    assert_eq!(receiver.iter().collect::<Vec<_>>(), [5]);
    let (_queue, sender, receiver) = both(8);
    sender.send(6).unwrap();
    drop(sender);
    assert_eq!(receiver.iter().collect::<Vec<_>>(), [6], "nobody is left to send");
}

#[test]
fn a_zero_time_limit_tries_once() {
    let (_queue, sender, receiver) = both(1);
    assert_eq!(receiver.recv_timeout(Duration::ZERO), Err(RecvTimeoutError::Timeout));
    assert!(receiver.recv_guard_timeout(Duration::ZERO).is_err());
    assert_eq!(sender.send_timeout(1, Duration::ZERO), Ok(()));
    assert_eq!(sender.send_timeout(2, Duration::ZERO), Err(SendTimeoutError::Timeout(2)));
    assert_eq!(receiver.recv_timeout(Duration::ZERO), Ok(1));
}

#[test]
fn a_time_limit_is_kept_by_each_way_of_waiting() {
    for wait in [Wait::Spin, Wait::SpinThenPark, Wait::Park] {
        let queue = Queue::<u64>::options().capacity(1).wait(wait).unnamed().unwrap();
        let (sender, receiver) = (queue.sender(), queue.receiver());
        let start = Instant::now();
        assert_eq!(receiver.recv_timeout(SOON), Err(RecvTimeoutError::Timeout));
        sender.send(1).unwrap();
        assert_eq!(sender.send_timeout(2, SOON), Err(SendTimeoutError::Timeout(2)));
        let held = receiver.recv_guard_timeout(SOON).unwrap();
        assert_eq!(sender.send_timeout(2, SOON), Err(SendTimeoutError::Timeout(2)), "held");
        held.ack();
        let grant = sender.reserve().unwrap();
        assert_eq!(receiver.recv_timeout(SOON), Err(RecvTimeoutError::Timeout), "busy");
        drop(grant);
        let took = start.elapsed();
        assert!(took >= 4 * SOON && took < 60 * SOON, "{wait:?}: {took:?}");
    }
}

#[test]
fn a_time_limit_too_long_to_express_is_no_limit() {
    let (_queue, sender, receiver) = both(1);
    std::thread::scope(|scope| {
        let receiver = scope.spawn(move || receiver.recv_timeout(Duration::MAX));
        sender.send_timeout(5, Duration::MAX).unwrap();
        assert_eq!(receiver.join().unwrap(), Ok(5));
    });
}

#[test]
fn values_of_no_bytes_are_counted_like_others() {
    let queue = Queue::<[u8; 0]>::options().capacity(2).unnamed().unwrap();
    let (sender, receiver) = (queue.sender(), queue.receiver());
    sender.try_send([]).unwrap();
    assert_eq!(sender.try_send_batch(&[[], []]), Ok(1));
    assert_eq!(sender.try_send([]), Err(TrySendError::Full([])));
    assert_eq!(*receiver.try_recv_guard().unwrap(), []);
    assert_eq!(receiver.try_recv_batch(&mut [[]; 4]), Ok(1), "what comes again comes alone");
    assert_eq!(receiver.try_recv(), Ok([]));
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
}

#[repr(C, align(128))]
#[derive(Clone, Copy, Debug, PartialEq)]
struct Aligned([u64; 16]);

// SAFETY: 128 bytes of numbers, no padding, any bits are a value.
#[allow(unsafe_code, reason = "the derive macros are not for tests that need one type")]
unsafe impl bytemuck::Zeroable for Aligned {}
// SAFETY: as above.
#[allow(unsafe_code, reason = "as above")]
unsafe impl bytemuck::Pod for Aligned {}

#[test]
fn values_are_aligned_as_their_type_asks() {
    let queue = Queue::<Aligned>::options().capacity(4).unnamed().unwrap();
    let (sender, receiver) = (queue.sender(), queue.receiver());
    for n in 0..20 {
        let mut grant = sender.try_reserve().unwrap();
        assert_eq!(std::ptr::from_ref(&*grant).addr() % 128, 0);
        *grant = Aligned([n; 16]);
        grant.commit().unwrap();
        assert_eq!(receiver.recv(), Ok(Aligned([n; 16])));
    }
}

#[test]
fn debug_text_shows_no_payload() {
    let secret = 0x1234_5678_9abc_def0_u64;
    let (queue, sender, receiver) = both(2);
    let mut grant = sender.try_reserve().unwrap();
    *grant = secret;
    let mut texts = vec![format!("{grant:?}")];
    grant.commit().unwrap();
    sender.send(secret).unwrap();
    texts.push(format!("{:?}", receiver.try_recv_guard().unwrap()));
    texts.extend([format!("{queue:?}"), format!("{sender:?}"), format!("{receiver:?}")]);
    assert!(texts[2].contains("capacity: 2, len: 1, closed: false"), "{}", texts[2]);
    texts.push(format!("{:?}", SendError::Closed(secret)));
    for text in texts {
        let shows = [format!("{secret}"), format!("{secret:x}")].iter().any(|s| text.contains(s));
        assert!(!text.is_empty() && !shows, "{text}");
    }
}

/// What may go to another thread, and what may be used by several: checked by the compiler.
#[test]
fn handles_are_shared_by_threads_and_grants_and_deliveries_go_from_one_to_another() {
    fn is_shared<T: Send + Sync + 'static>() {}
    fn is_sent<T: Send + 'static>() {}
    fn is_cloned<T: Clone>() {}
    is_shared::<(Queue<u64>, Queue<[u8]>)>();
    is_shared::<(Sender<u64>, Sender<[u8]>)>();
    is_shared::<(Receiver<u64>, Receiver<[u8]>)>();
    is_shared::<(ringway::Options<Queue<u64>>, ringway::Member, MemberId)>();
    is_sent::<(WriteGrant<u64>, WriteGrant<[u8]>)>();
    is_sent::<(Delivery<u64>, Delivery<[u8]>)>();
    is_cloned::<(Sender<u64>, Sender<[u8]>, Receiver<u64>, Receiver<[u8]>)>();
    is_cloned::<ringway::Options<Queue<[u8]>>>();
}
