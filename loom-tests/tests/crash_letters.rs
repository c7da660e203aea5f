//! Hazard: a message that goes to the dead letters is lost or torn because who moves it is killed.
//!
//! Checked, for a receiver that dies before each of its accesses to shared memory as it moves a message, beside one who receives
//! dead letters: the message is in the queue or among the dead letters, once, and in both only if the dead had not come
//! to acknowledge it; it is whole; and every slot of either ring serves again. `proof` has all that can come of it.
#![cfg(loom)]

use std::sync::Arc;

use loom_tests::crash::at_each_access;
use loom_tests::queue::{Queue, named, receiver, sender};

/// Two queues: one with a message that was put back, and one for dead letters that has already one.
fn rings() -> [Arc<Queue>; 2] {
    let [queue, letters] = [1, 8].map(|value| Queue::holding(0, 2, &[value]));
    let side = receiver(3);
    let claim = queue.take(&side).unwrap();
    queue.ring().put_back(side.sweeper(), claim, true);
    [queue, letters]
}

/// Moves the message as member 1: whether there was room.
fn move_on(queue: &Queue, letters: &Queue) -> bool {
    let claim = queue.ring().take(&receiver(1)).unwrap();
    assert_eq!(claim.tries(), 1);
    let moved = queue.ring().copy_to(&claim, &letters.ring(), named(1)).is_ok();
    queue.ring().acknowledge(claim);
    moved
}

#[test]
fn who_moves_a_message_beside_one_who_receives_it() {
    at_each_access(2, |death| {
        let ([queue, letters], fate) = (rings(), death.clone());
        let theirs = Arc::clone(&letters);
        let victim = queue.beside(move |queue| fate.within(|| move_on(queue, &theirs)));
        let peer = letters.beside(|letters| letters.pop_some(&receiver(2), 2));
        let moved = victim.join().unwrap();
        // Both rings, one after the other.
        for ring in [&queue, &letters] {
            ring.reap(1);
        }
        let left = queue.rest();
        let mut dead = peer.join().unwrap();
        dead.extend(letters.rest());
        assert_eq!(dead[0], 8);
        if let Some(moved) = moved {
            assert!(moved && left.is_empty() && dead == [8, 1]);
        } else {
            assert!(left.is_empty() || left == [1]);
            assert!(dead == [8, 1] || dead == [8] && left == [1], "{dead:?} {left:?}");
        }
        queue.assert_whole();
        letters.assert_whole();
    });
}

#[test]
fn who_moves_a_message_beside_one_who_moves_another() {
    at_each_access(2, |death| {
        let ([queue, letters], fate) = (rings(), death.clone());
        assert_eq!(letters.rest(), [8]);
        let theirs = Arc::clone(&letters);
        let victim = queue.beside(move |queue| fate.within(|| move_on(queue, &theirs)));
        letters.push(&sender(2), 9).unwrap();
        victim.join().unwrap();
        for ring in [&queue, &letters] {
            ring.reap(1);
        }
        let (left, mut dead) = (queue.rest(), letters.rest());
        dead.sort_unstable();
        assert!(dead == [1, 9] || dead == [9] && left == [1], "{dead:?} {left:?}");
        queue.assert_whole();
        letters.assert_whole();
    });
}
