//! Hazard: a receiver that was killed as it passed over an aborted slot leaves it where it never serves again, or hides the
//! message behind it.
//!
//! Checked as in `crash_receiving`.
#![cfg(loom)]

use std::sync::Arc;

use loom_tests::queue::{Queue, WRAPPING, sender};
use loom_tests::scene::Scene;

/// A queue in which there is nothing but an aborted slot.
fn one_alone() -> Arc<Queue> {
    let queue = Queue::starting_at(WRAPPING, 2);
    queue.ring().abort(queue.ring().reserve(&sender(3), 0).unwrap());
    queue
}

/// A queue in which an aborted slot lies before a message.
fn one_was_aborted() -> Arc<Queue> {
    let queue = one_alone();
    queue.push(&sender(3), 2).unwrap();
    queue
}

const WAS_ABORTED: Scene = Scene {
    begins: one_was_aborted,
    first: WRAPPING + 1,
    messages: &[2],
    act: |queue, side| drop(queue.pop_some(side, 1)),
    peer_receives: false,
    drops: false,
};

#[test]
fn pass_over_beside_a_sender() {
    WAS_ABORTED.play(2);
}

#[test]
fn pass_over_beside_a_receiver() {
    // Nothing lies behind it: two who pass over and go on try very many orders.
    Scene { begins: one_alone, messages: &[], ..WAS_ABORTED }.beside_a_receiver().play(2);
}
