//! Hazard: a message in the hands of a receiver that was killed is lost, comes again without saying so, comes to two, or
//! its slot never serves again.
//!
//! Checked, for a receiver that dies before each of its accesses to shared memory, beside another receiver and beside a
//! sender, who go on while it dies and while it is reaped, by both policies: what it had acknowledged is gone, and all
//! else comes to one, or is dropped where the policy says so; what comes again is flagged if the dead had stamped it, so
//! that it may have been seen, and not flagged if it had not; and every slot serves again.
#![cfg(loom)]

use loom_tests::queue::Queue;
use loom_tests::scene::Scene;
use ringway::parts::mpmc::ConsumerSide;

fn recv(queue: &Queue, side: &ConsumerSide) {
    queue.pop_some(side, 1);
}

fn recv_batch(queue: &Queue, side: &ConsumerSide) {
    let _ = queue.ring().pop_slice(side, &mut [0; 2]);
}

/// As `recv` does when it waits: not by the straight way.
fn take_and_acknowledge(queue: &Queue, side: &ConsumerSide) {
    if let Ok(claim) = queue.ring().take(side) {
        assert!((1..=2).contains(queue.ring().value(&claim)));
        queue.ring().acknowledge(claim);
    }
}

#[test]
fn recv_beside_a_sender() {
    Scene::two(recv).play(1);
}

#[test]
fn recv_beside_a_receiver() {
    Scene::two(recv).beside_a_receiver().play(2);
}

#[test]
fn recv_at_most_once_beside_a_sender() {
    Scene::two(recv).dropping().play(1);
}

#[test]
fn recv_at_most_once_beside_a_receiver() {
    Scene::two(recv).dropping().beside_a_receiver().play(2);
}

#[test]
fn take_and_acknowledge_beside_a_sender() {
    Scene::two(take_and_acknowledge).play(1);
}

#[test]
fn take_and_acknowledge_beside_a_receiver() {
    Scene::two(take_and_acknowledge).beside_a_receiver().play(2);
}

#[test]
fn batch_beside_a_sender() {
    Scene::two(recv_batch).play(1);
}

#[test]
fn batch_beside_a_receiver() {
    Scene::two(recv_batch).beside_a_receiver().play(2);
}

#[test]
fn batch_at_most_once_beside_a_receiver() {
    Scene::two(recv_batch).dropping().beside_a_receiver().play(2);
}
