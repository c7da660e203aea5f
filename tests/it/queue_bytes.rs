//! Messages of bytes through a queue: lengths, room, grants, copies.

use std::time::Duration;

use ringway::queue::{Queue, Receiver, Sender};
use ringway::{
    ErrorKind, Fault, RecvError, RecvTimeoutError, SendError, SendTimeoutError, TryRecvError,
    TrySendError,
};

use crate::util::{LONG, Name, Random};

/// A queue with both handles.
type Both = (Queue<[u8]>, Sender<[u8]>, Receiver<[u8]>);

fn both(capacity: usize, message_len: usize) -> Both {
    let options = Queue::<[u8]>::options().capacity(capacity).message_len(message_len);
    let queue = options.unnamed().unwrap();
    let (sender, receiver) = (queue.sender(), queue.receiver());
    (queue, sender, receiver)
}

/// `len` bytes that depend on `seed`.
fn bytes(seed: u64, len: usize) -> Vec<u8> {
    let mut random = Random(seed);
    (0..len).map(|_| random.next().to_le_bytes()[0]).collect()
}

#[test]
fn messages_of_each_length_come_out_as_they_went_in() {
    let (queue, sender, receiver) = both(4, 96);
    assert_eq!((queue.max_len(), sender.max_len(), receiver.max_len()), (96, 96, 96));
    let mut buffer = [0; 96];
    for len in 0..=96 {
        let message = bytes(1, len);
        sender.try_send(&message).unwrap();
        sender.send(&message).unwrap();
        sender.send_timeout(&message, LONG).unwrap();
        assert_eq!(receiver.try_recv().unwrap(), message);
        assert_eq!(receiver.recv_timeout(LONG).unwrap(), message);
        assert_eq!(receiver.recv_into(&mut buffer), Ok(len));
        assert_eq!(buffer[..len], message);
    }
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
    assert_eq!(receiver.try_recv_into(&mut buffer), Err(TryRecvError::Empty));
}

#[test]
fn a_message_longer_than_a_slot_is_refused_and_nothing_is_sent() {
    let (queue, sender, receiver) = both(4, 16);
    for len in [17, 18, 1 << 20] {
        let (message, fault) = (vec![0; len], Fault::TooLong { len, max: 16 });
        assert_eq!(sender.try_send(&message), Err(TrySendError::Failed((), fault)));
        assert_eq!(sender.send(&message), Err(SendError::Failed((), fault)));
        let late = sender.send_timeout(&message, LONG);
        assert_eq!(late, Err(SendTimeoutError::Failed((), fault)));
        assert_eq!(sender.try_reserve(len).unwrap_err().fault(), Some(fault));
        assert_eq!(sender.reserve(len).unwrap_err().fault(), Some(fault));
    }
    assert_eq!(
        sender.try_reserve(usize::MAX).unwrap_err().fault().unwrap().to_string(),
        format!("message of {} bytes, at most 16 fit", usize::MAX)
    );
    assert!(queue.is_empty() && receiver.try_recv() == Err(TryRecvError::Empty));
}

#[test]
fn a_message_length_is_rounded_up_to_a_multiple_of_16_and_told() {
    for (asked, got) in [(1, 16), (16, 16), (17, 32), (100, 112), (240, 240), (4000, 4000)] {
        let (queue, sender, receiver) = both(1, asked);
        assert_eq!(queue.max_len(), got, "asked for {asked}");
        let message = bytes(2, got);
        sender.send(&message).unwrap();
        assert_eq!(receiver.recv().unwrap(), message);
    }
    assert_eq!(Queue::<[u8]>::options().unnamed().unwrap().max_len(), 240, "by default");
}

#[test]
fn lengths_that_cannot_be_are_invalid_options() {
    for len in [0, usize::MAX, usize::MAX - 15, 1 << 40, u32::MAX as usize + 1] {
        let error = Queue::<[u8]>::options().message_len(len).unnamed().unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::InvalidOption(_)), "{len}: {error}");
    }
    let error = Queue::<[u8]>::options().message_len(0).unnamed().unwrap_err();
    assert_eq!(error.to_string(), "create queue: invalid option: a message_len is at least 1");
}

#[test]
fn openers_take_the_message_length_from_the_queue() {
    let name = Name::new("bytes");
    let maker = Queue::<[u8]>::options().message_len(48).capacity(2).create(&name).unwrap();
    let opener = Queue::<[u8]>::options().message_len(1024).capacity(99).open(&name).unwrap();
    assert_eq!((opener.max_len(), opener.capacity()), (48, 2));
    opener.sender().send(&[7; 48]).unwrap();
    assert_eq!(maker.receiver().recv().unwrap(), [7; 48]);
}

#[test]
fn a_message_longer_than_the_buffer_stays_first_in_line_and_unflagged() {
    let (queue, sender, receiver) = both(4, 64);
    sender.send(&[1; 40]).unwrap();
    sender.send(&[2; 4]).unwrap();
    let fault = Fault::BufferTooShort { needed: 40, len: 39 };
    for _ in 0..20 {
        let mut buffer = [9; 39];
        assert_eq!(receiver.try_recv_into(&mut buffer), Err(TryRecvError::Failed(fault)));
        assert_eq!(receiver.recv_into(&mut buffer), Err(RecvError::Failed(fault)));
        assert_eq!(buffer, [9; 39], "nothing was copied");
    }
    let other = queue.receiver();
    let guard = other.recv_guard().unwrap();
    assert_eq!((&*guard, guard.redelivered(), guard.deliveries()), (&[1; 40][..], false, 1));
    guard.ack();
    assert_eq!(receiver.try_recv_into(&mut [0; 4]), Ok(4));
    assert_eq!(receiver.try_recv_into(&mut [0; 4]), Err(TryRecvError::Empty));
}

#[test]
fn a_buffer_too_short_for_what_was_delivered_before_does_not_count_as_a_delivery() {
    let (_queue, sender, receiver) = both(4, 64);
    sender.send(&[1; 40]).unwrap();
    drop(receiver.recv_guard().unwrap());
    for _ in 0..3 {
        assert!(receiver.try_recv_into(&mut []).is_err());
    }
    assert_eq!(receiver.recv_guard().unwrap().deliveries(), 2);
}

#[test]
fn no_bytes_are_a_message_too() {
    let (queue, sender, receiver) = both(2, 16);
    sender.send(&[]).unwrap();
    sender.try_reserve(0).unwrap().commit().unwrap();
    assert_eq!(queue.len(), 2);
    assert_eq!(receiver.try_recv_into(&mut []), Ok(0));
    assert_eq!(receiver.recv().unwrap(), []);
}

#[test]
fn a_grant_is_filled_in_place_shortened_and_committed_or_aborted() {
    let (_queue, sender, receiver) = both(4, 64);
    for len in 0..=64 {
        let message = bytes(3, len);
        let mut grant = sender.try_reserve(64).unwrap();
        assert_eq!(grant.len(), 64);
        grant[..len].copy_from_slice(&message);
        grant.truncate(len);
        grant.truncate(64);
        assert_eq!(*grant, message[..], "it never grows");
        grant.commit().unwrap();
        drop(sender.try_reserve(len).unwrap());
        assert_eq!(receiver.recv().unwrap(), message);
    }
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
}

#[test]
fn a_delivery_shows_the_bytes_in_place_until_it_is_acknowledged() {
    let (_queue, sender, receiver) = both(1, 64);
    sender.send(b"once").unwrap();
    let guard = receiver.try_recv_guard().unwrap();
    assert_eq!(*guard, *b"once");
    assert_eq!(sender.try_send(b"more"), Err(TrySendError::Full(())));
    drop(guard);
    let guard = receiver.recv_guard_timeout(LONG).unwrap();
    assert_eq!((&*guard, guard.deliveries()), (&b"once"[..], 2));
    guard.ack();
    sender.try_send(b"more").unwrap();
    assert_eq!(receiver.iter().next().unwrap(), b"more");
    let late = receiver.recv_guard_timeout(Duration::from_millis(5)).unwrap_err();
    assert_eq!(late, RecvTimeoutError::Timeout);
}

#[test]
fn bytes_stream_through_slots_of_different_fill_between_threads() {
    let (_queue, sender, receiver) = both(8, 112);
    std::thread::scope(|scope| {
        scope.spawn(move || {
            for n in 0..20_000 {
                let message = bytes(n, Random(n).below(113));
                if n % 3 == 0 {
                    let mut grant = sender.reserve(112).unwrap();
                    grant[..message.len()].copy_from_slice(&message);
                    grant.truncate(message.len());
                    grant.commit().unwrap();
                } else {
                    sender.send(&message).unwrap();
                }
            }
        });
        let mut buffer = [0; 112];
        for n in 0..20_000 {
            let expected = bytes(n, Random(n).below(113));
            if n % 2 == 0 {
                let len = receiver.recv_into(&mut buffer).unwrap();
                assert_eq!(buffer[..len], expected, "{n}");
            } else {
                let guard = receiver.recv_guard().unwrap();
                assert_eq!(*guard, expected[..], "{n}");
                guard.ack();
            }
        }
        assert_eq!(receiver.recv(), Err(RecvError::Disconnected));
    });
}
