//! Queues that grow: who sleeps, leaves or dies in one, and what they leave.

use std::sync::Barrier;
use std::thread;

use ringway::queue::Growth;
use ringway::{ErrorKind, RecvError, SendError};

use crate::growth::{assert_home, options};
use crate::util::child::Child;
use crate::util::{Directory, LONG, Random, within};

#[test]
fn who_has_gone_is_known_whatever_segment_was_last() {
    let place = Directory::in_memory("growth-gone");
    let queue = options(&place, 2, Growth::UntilRefused).create("q").unwrap();
    let (sender, receiver) = (queue.sender(), queue.receiver());
    (0..9).for_each(|n| sender.send(n).unwrap());
    drop(sender);
    assert_eq!(receiver.iter().collect::<Vec<_>>(), (0..9).collect::<Vec<_>>());
    assert_eq!(receiver.recv(), Err(RecvError::Disconnected));
    let sender = queue.sender();
    (0..9).for_each(|n| sender.send(n).unwrap());
    drop(receiver);
    assert!(matches!(sender.send(9), Err(SendError::Disconnected(9))));
}

#[test]
fn who_sleeps_is_woken_from_any_segment() {
    let place = Directory::in_memory("growth-sleep");
    let queue = options(&place, 2, Growth::Messages(14)).create("q").unwrap();
    let sender = queue.sender();
    let receiver = queue.receiver();
    let start = Barrier::new(2);
    // A wake-up that is lost costs a recheck, which is longer.
    within(LONG, || {
        thread::scope(|scope| {
            scope.spawn(|| {
                start.wait();
                (0..20_000).for_each(|n| sender.send(n).unwrap());
            });
            start.wait();
            (0..20_000).for_each(|n| assert_eq!(receiver.recv(), Ok(n)));
        });
    });
    assert_home(&place);
}

#[test]
fn what_the_dead_had_in_any_segment_comes_again() {
    let place = Directory::in_memory("growth-dead");
    let queue = options(&place, 2, Growth::UntilRefused).create("q").unwrap();
    let (sender, receiver) = (queue.sender(), queue.receiver());
    (0..30).for_each(|n| sender.send(n).unwrap());
    let path = place.path().to_str().unwrap();
    (0..8).for_each(|n| assert_eq!(receiver.try_recv(), Ok(n)));
    let dead = ["growth::hold", "growth::reserve"].map(|role| Child::spawn(role, &[path]));
    for child in &dead {
        child.expect("holding");
    }
    dead.into_iter().for_each(Child::kill);
    let recovered = queue.recover().unwrap();
    assert_eq!((recovered.redelivered, recovered.aborted), (3, 1));
    sender.send(30).unwrap();
    assert_eq!(receiver.try_iter().collect::<Vec<_>>(), (8..31).collect::<Vec<_>>());
    assert_home(&place);
}

#[test]
fn whoever_is_killed_while_it_grows_or_shrinks_leaves_a_whole_queue() {
    let place = Directory::in_memory("growth-killed");
    let queue = options(&place, 2, Growth::UntilRefused).create("q").unwrap();
    let (sender, receiver) = (queue.sender(), queue.receiver());
    let path = place.path().to_str().unwrap();
    let mut random = Random(5);
    for round in 0..60 {
        let child = Child::spawn("growth::churn", &[path]);
        child.expect("open");
        for _ in 0..random.below(3000) {
            std::hint::spin_loop();
        }
        child.kill();
        queue.recover().unwrap();
        // Without growing, what it left is gone all the same.
        let count = if round % 2 == 0 { 1 } else { 100 };
        (0..count).for_each(|n| sender.send(u64::MAX - n).unwrap());
        let rest: Vec<u64> = receiver.try_iter().collect();
        let (ours, theirs): (Vec<u64>, Vec<u64>) = rest.iter().partition(|v| **v >> 63 != 0);
        assert_eq!(ours, (0..count).map(|n| u64::MAX - n).collect::<Vec<_>>(), "round {round}");
        assert!(theirs.is_sorted(), "round {round}: {theirs:x?}");
        assert_home(&place);
    }
}

#[test]
fn what_a_queue_had_goes_with_its_last_member() {
    let place = Directory::in_memory("growth-last");
    for unlink in [false, true] {
        let options = options(&place, 2, Growth::UntilRefused);
        let options = if unlink { options } else { options.remove_when_unused() };
        let queue = options.create("q").unwrap();
        let (sender, receiver) = (queue.sender(), queue.receiver());
        (0..20).for_each(|n| sender.send(n).unwrap());
        if unlink {
            options.unlink("q").unwrap();
            assert!(!place.listing().is_empty(), "its segments are in use");
        }
        (20..40).for_each(|n| sender.send(n).unwrap());
        assert_eq!(receiver.try_iter().take(30).collect::<Vec<_>>(), (0..30).collect::<Vec<_>>());
        drop((queue, sender, receiver));
        assert_eq!(place.listing(), [""; 0]);
    }
}

#[test]
fn what_the_killed_left_goes_with_the_name_or_with_its_next_user() {
    let place = Directory::in_memory("growth-left");
    let path = place.path().to_str().unwrap();
    for again in [false, true] {
        let options = options(&place, 2, Growth::UntilRefused);
        let queue = options.create("q").unwrap();
        (0..20).for_each(|n| queue.sender().send(n).unwrap());
        let child = Child::spawn("growth::reserve", &[path]);
        child.expect("holding");
        // Its name goes while it is in use, and then its last user is killed.
        options.unlink("q").unwrap();
        drop(queue);
        assert!(place.listing().len() > 1);
        child.kill();
        if again {
            let queue = options.create("q").unwrap();
            assert_home(&place);
            drop(queue);
            options.unlink("q").unwrap();
        } else {
            let error = options.unlink("q").unwrap_err();
            assert_eq!(*error.kind(), ErrorKind::NotFound);
        }
        assert_eq!(place.listing(), [""; 0]);
    }
}
