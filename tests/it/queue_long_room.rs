//! Messages longer than a slot: room for them, and options that give none.

use std::time::Duration;

use ringway::{ErrorKind, Fault, Options, SendError, SendTimeoutError, TrySendError};

use crate::queue_long::{Bytes, assert_all_free, options};
use crate::util::{NO_RECHECK, os};

#[test]
fn where_the_queue_is_full_a_long_message_is_refused_for_the_reason_that_a_short_one_is() {
    let queue = options().capacity(2).blocks(128, 4).unnamed().unwrap();
    let (sender, receiver) = (queue.sender(), queue.receiver());
    (0..2).for_each(|_| sender.send(&[1; 10]).unwrap());
    let both = || [10, 100].map(|len| sender.try_send(&vec![1; len]));
    assert_eq!(both(), [Err(TrySendError::Full(())); 2]);
    drop(receiver);
    assert_eq!(both(), [Err(TrySendError::Disconnected(())); 2]);
    queue.close();
    assert_eq!(both(), [Err(TrySendError::Closed(())); 2]);
}

#[test]
fn while_no_block_of_its_length_is_free_the_queue_is_full_for_a_message() {
    let queue = options().blocks(128, 1).blocks(256, 1).recheck(NO_RECHECK).unnamed().unwrap();
    let (sender, receiver) = (queue.sender(), queue.receiver());
    let held = sender.reserve(100).unwrap();
    assert_eq!(sender.try_send(&[1; 100]), Err(TrySendError::Full(())));
    assert!(matches!(sender.try_reserve(128), Err(TrySendError::Full(()))));
    let late = sender.send_timeout(&[1; 100], Duration::from_millis(20));
    assert_eq!(late, Err(SendTimeoutError::Timeout(())));
    sender.try_send(&[2; 200]).unwrap();
    sender.try_send(&[3; 10]).unwrap();
    std::thread::scope(|scope| {
        let waiter = scope.spawn(|| sender.send(&[4; 100]));
        drop(held);
        waiter.join().unwrap().unwrap();
    });
    // Acknowledging wakes who waits for a block.
    std::thread::scope(|scope| {
        let waiter = scope.spawn(|| sender.send(&[5; 100]));
        let came: Vec<_> = (0..4).map(|_| receiver.recv().unwrap()).collect();
        waiter.join().unwrap().unwrap();
        assert_eq!(came, [vec![2; 200], vec![3; 10], vec![4; 100], vec![5; 100]]);
    });
    assert_all_free(&queue);
}

#[test]
fn who_waits_for_a_block_is_told_of_the_end() {
    let queue = options().blocks(128, 1).recheck(NO_RECHECK).unnamed().unwrap();
    let sender = queue.sender();
    let _held = sender.reserve(100).unwrap();
    std::thread::scope(|scope| {
        let waiter = scope.spawn(|| sender.send(&[1; 100]));
        queue.close();
        assert_eq!(waiter.join().unwrap(), Err(SendError::Closed(())));
    });
    assert_eq!(sender.try_send(&[1; 100]), Err(TrySendError::Closed(())));
}

#[test]
fn a_full_ring_gives_the_block_back() {
    let queue = options().capacity(2).blocks(128, 4).unnamed().unwrap();
    let (sender, receiver) = (queue.sender(), queue.receiver());
    sender.send(&[1; 100]).unwrap();
    sender.send(&[2]).unwrap();
    assert_eq!(sender.try_send(&[3; 100]), Err(TrySendError::Full(())));
    assert!(matches!(sender.try_reserve(100), Err(TrySendError::Full(()))));
    let late = sender.reserve_timeout(100, Duration::from_millis(5));
    assert!(matches!(late, Err(SendTimeoutError::Timeout(()))));
    assert_eq!((queue.blocks()[0].free, queue.blocks()[0].bound), (3, 1));
    assert_eq!(receiver.try_iter().count(), 2);
    assert_all_free(&queue);
}

#[test]
fn lengths_and_counts_that_cannot_be_are_refused() {
    let refused = |options: Options<Bytes>| match options.unnamed().unwrap_err().kind() {
        ErrorKind::InvalidOption(why) => *why,
        other => panic!("{other:?}"),
    };
    let mut last = String::new();
    for options in [
        options().blocks(0, 1),
        options().blocks(64, 0),
        options().blocks(1 << 33, 1),
        options().blocks(128, 1).blocks(128, 1),
        options().blocks(128, 1).blocks(256, 1).blocks(512, 1).blocks(1024, 1).blocks(2048, 1),
        options().blocks(128, 1).blocks(256, 1).blocks(512, 1).blocks(1024, 1).max_message(1 << 20),
        options().blocks(128, 1).attachments(2),
        options().blocks(128, 1).max_message(1 << 20).attachments(0),
        options().attachments(2),
        options().blocks(64, 1),
        options().max_message(64),
        options().max_message(usize::MAX),
        options().blocks(1 << 31, 1 << 20),
    ] {
        last = refused(options).to_owned();
        assert!(!last.is_empty());
    }
    assert_eq!(last, "the capacity makes the segment too large");
    let too_long = options().blocks(1000, 1).unnamed().unwrap();
    assert_eq!(too_long.max_len(), 1000);
    let fault = too_long.sender().try_send(&[0; 1001]).unwrap_err().fault();
    assert_eq!(fault, Some(Fault::TooLong { len: 1001, max: 1000 }));
}

/// What attachments cost is their pages: who has them already pays nothing.
#[test]
fn an_attachment_that_was_given_up_is_filled_again_without_a_page_fault() {
    const LEN: usize = 16 << 20;
    let queue = options().max_message(LEN).attachments(1).unnamed().unwrap();
    let (sender, receiver) = (queue.sender(), queue.receiver());
    let fill = || {
        let before = os::faults();
        let mut grant = sender.reserve(LEN).unwrap();
        grant.fill(7);
        (os::faults() - before, grant)
    };
    // At least one for each huge page.
    let least = i64::try_from(LEN >> 21).unwrap();
    let (faults, grant) = fill();
    assert!(faults >= least, "{faults} to fill it first");
    drop(grant);
    let (faults, grant) = fill();
    assert!(faults < least, "{faults} to fill it again");
    grant.commit().unwrap();
    receiver.recv_guard().unwrap().ack();
    // What was received gave its memory back.
    let (faults, grant) = fill();
    assert!(faults >= least, "{faults} to fill it after a message");
    drop(grant);
    assert_all_free(&queue);
}
