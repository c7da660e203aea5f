//! Hazard: what a sender that was killed in the middle of anything had claimed is seen, or lost for ever, or tears what
//! others do.
//!
//! Checked, for a sender that dies before each of its accesses to shared memory, beside another sender and beside a receiver, who
//! go on while it dies and while it is reaped: what it had committed is delivered, whole and in order, what it had not is
//! never seen, what others sent is there, and every slot serves again.
#![cfg(loom)]

use loom_tests::crash::{Death, at_each_access};
use loom_tests::queue::{Queue, WRAPPING, receiver, sender};
use ringway::parts::mpmc::{Dry, Refusal};

/// What somebody does. Gives what it sent and what it received.
type Act = fn(&Queue) -> [Vec<u64>; 2];

/// What the victim, member 1, sends if it is not killed, in this order.
const ITS: [u64; 2] = [10, 11];
/// What its peer, member 2, sends if it is a sender.
const THEIRS: u64 = 20;

/// The victim does `act` beside a peer that does `peer`, in a queue that holds the message 1.
fn victim_beside(death: &Death, capacity: usize, act: Act, peer: Act) {
    let queue = Queue::holding(WRAPPING, capacity, &[1]);
    let fate = death.clone();
    let victim = queue.beside(move |queue| fate.within(|| act(queue)));
    let peer = queue.beside(peer);
    let outcome = victim.join().unwrap();
    queue.reap(1);
    let [sent, mut all] = peer.join().unwrap();
    all.extend(queue.rest());
    let mut take_out = |its: &[u64]| -> Vec<u64> {
        let (found, rest) = all.iter().partition(|value| its.contains(value));
        all = rest;
        found
    };
    assert_eq!(take_out(&[1]), [1]);
    assert_eq!(take_out(&[THEIRS]), sent);
    // Those of a batch are committed one after the other.
    let committed = take_out(&ITS);
    assert_eq!(committed, ITS[..committed.len()]);
    if let Some([sent, _]) = outcome {
        assert_eq!(committed, sent);
    }
    assert_eq!(all, []);
    queue.assert_whole();
}

fn sends(queue: &Queue) -> [Vec<u64>; 2] {
    [queue.push_each(&sender(2), &[THEIRS]), Vec::new()]
}

fn receives(queue: &Queue) -> [Vec<u64>; 2] {
    [Vec::new(), queue.pop_some(&receiver(2), 2)]
}

fn send(queue: &Queue) -> [Vec<u64>; 2] {
    [queue.push_each(&sender(1), &ITS[..1]), Vec::new()]
}

fn reserve_and_commit(queue: &Queue) -> [Vec<u64>; 2] {
    let ring = queue.ring();
    let Ok(mut claim) = ring.reserve(&sender(1), 0) else { return Default::default() };
    *ring.claimed_mut(&mut claim) = ITS[0];
    ring.commit(claim);
    [vec![ITS[0]], Vec::new()]
}

fn reserve_and_abort(queue: &Queue) -> [Vec<u64>; 2] {
    if let Ok(claim) = queue.ring().reserve(&sender(1), 0) {
        queue.ring().abort(claim);
    }
    Default::default()
}

fn send_two(queue: &Queue) -> [Vec<u64>; 2] {
    let sent = queue.ring().push_slice(&sender(1), &ITS).unwrap_or(0);
    [ITS[..sent].to_vec(), Vec::new()]
}

#[test]
fn send_beside_a_sender() {
    at_each_access(2, |death| victim_beside(death, 4, send, sends));
}

#[test]
fn send_beside_a_receiver() {
    at_each_access(2, |death| victim_beside(death, 2, send, receives));
}

#[test]
fn commit_beside_a_sender() {
    at_each_access(2, |death| victim_beside(death, 4, reserve_and_commit, sends));
}

#[test]
fn commit_beside_a_receiver() {
    at_each_access(2, |death| victim_beside(death, 2, reserve_and_commit, receives));
}

#[test]
fn abort_beside_a_sender() {
    at_each_access(2, |death| victim_beside(death, 4, reserve_and_abort, sends));
}

#[test]
fn abort_beside_a_receiver() {
    at_each_access(2, |death| victim_beside(death, 2, reserve_and_abort, receives));
}

#[test]
fn batch_beside_a_sender() {
    at_each_access(2, |death| victim_beside(death, 4, send_two, sends));
}

#[test]
fn batch_beside_a_receiver() {
    at_each_access(2, |death| victim_beside(death, 4, send_two, receives));
}

/// A closer that dies beside a peer. If senders are refused, receivers learn that it is the end; else somebody else closes.
fn closer_beside(death: &Death, peer: Act) {
    let queue = Queue::holding(0, 2, &[1]);
    let fate = death.clone();
    let victim = queue.beside(move |queue| fate.within(|| queue.ring().close()));
    let peer = queue.beside(peer);
    let closed = victim.join().unwrap().is_some();
    queue.reap(1);
    let late = queue.push(&sender(3), THEIRS + 1);
    assert!(!closed || late == Err(Refusal::Closed), "who closed and lived has closed");
    let [mut sent, mut received] = peer.join().unwrap();
    if late != Err(Refusal::Closed) {
        queue.ring().close();
    }
    let (rest, why) = queue.pop_until(&receiver(3));
    received.extend(rest);
    sent.extend([1].into_iter().chain(late.is_ok().then_some(THEIRS + 1)));
    sent.sort_unstable();
    received.sort_unstable();
    assert_eq!((received, why), (sent, Dry::Drained));
}

#[test]
fn close_beside_a_sender() {
    at_each_access(1, |death| closer_beside(death, sends));
}

#[test]
fn close_beside_a_receiver() {
    at_each_access(2, |death| closer_beside(death, receives));
}
