//! Hazard: a receiver that was killed as it put a message back or took one again leaves that message where nobody finds it.
//!
//! Checked as in `crash_receiving`, for these.
#![cfg(loom)]

use std::sync::Arc;

use loom_tests::queue::{Queue, WRAPPING, receiver};
use loom_tests::scene::Scene;
use ringway::parts::mpmc::ConsumerSide;

fn recv(queue: &Queue, side: &ConsumerSide) {
    queue.pop_some(side, 1);
}

fn put_back(queue: &Queue, side: &ConsumerSide) {
    if let Ok(claim) = queue.take(side) {
        assert!((1..=2).contains(queue.ring().value(&claim)));
        queue.ring().put_back(side.sweeper(), claim, true);
    }
}

fn put_back_unseen(queue: &Queue, side: &ConsumerSide) {
    if let Ok(claim) = queue.take(side) {
        queue.ring().put_back(side.sweeper(), claim, false);
    }
}

/// A queue whose first message member 3 put back.
fn one_comes_again() -> Arc<Queue> {
    let queue = Queue::holding(WRAPPING, 2, &[1, 2]);
    let side = receiver(3);
    let claim = queue.take(&side).unwrap();
    queue.ring().put_back(side.sweeper(), claim, true);
    queue
}

const COMES_AGAIN: Scene = Scene {
    begins: one_comes_again,
    first: WRAPPING,
    messages: &[1, 2],
    act: recv,
    peer_receives: false,
    drops: false,
};

#[test]
fn put_back_beside_a_sender() {
    Scene::two(put_back).play(1);
}

#[test]
fn put_back_beside_a_receiver() {
    Scene::two(put_back).beside_a_receiver().play(2);
}

#[test]
fn put_back_unseen_beside_a_sender() {
    Scene::two(put_back_unseen).play(1);
}

#[test]
fn take_again_beside_a_sender() {
    COMES_AGAIN.play(1);
}

#[test]
fn take_again_beside_a_receiver() {
    COMES_AGAIN.beside_a_receiver().play(2);
}

#[test]
fn put_back_again_beside_a_receiver() {
    Scene { act: put_back, ..COMES_AGAIN }.beside_a_receiver().play(2);
}
