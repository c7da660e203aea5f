//! Hazard: who is killed while a queue gets another segment, or gives one back, leaves a chain in which messages are lost or
//! nobody can go on.
//!
//! Checked, for a victim that dies before each of its accesses, alone and beside others who go on: what was accepted is
//! received once and in order, messages can be sent again, and the queue comes back to its first segment.
//!
//! Who dies beside others and who is reaped beside others are two models, so that the gate has time for one preemption or two. Of two
//! who append beside each other, and of two who pass, it has none: there only deaths are searched here, and all the rest by
//! `cargo xtask model chain`.
#![cfg(loom)]

use loom_tests::chain::Chain;
use loom_tests::crash::{Death, at_each_access};
use ringway::parts::mpmc::{Dry, Refusal};

/// What the victim, member 1, sends.
const ITS: u64 = 10;
/// What member 2 sends beside it.
const THEIRS: u64 = 20;

/// A chain in which `held` are, of which member 0 received `received` already.
fn chain_of(held: &[u64], received: usize) -> std::sync::Arc<Chain> {
    let chain = Chain::holding(held);
    (0..received).for_each(|at| assert_eq!(chain.recv(0), Ok(held[at])));
    chain
}

/// Those of `values` that are of nobody else.
fn without(values: &[u64], mine: &[u64]) -> Vec<u64> {
    values.iter().copied().filter(|value| !mine.contains(value)).collect()
}

/// Whom the victim's peer meets: the victim, or who reaps it.
#[derive(Clone, Copy, PartialEq)]
enum Meets {
    Victim,
    Reaper,
}

/// What the peer, member 2, does: it sends, or receives.
#[derive(Clone, Copy, PartialEq)]
enum Peer {
    Sends,
    Receives,
}

/// What came of it: whether its message was accepted, and what it received.
type Got = (bool, Option<u64>);

fn act(chain: &Chain, peer: Peer) -> Got {
    match peer {
        Peer::Sends => (chain.send(2, THEIRS).is_ok(), None),
        Peer::Receives => (false, chain.recv(2).ok()),
    }
}

/// Has the victim act and die, and its peer beside it or beside its reaper.
fn play<R: 'static>(
    chain: &std::sync::Arc<Chain>,
    death: &Death,
    (peer, meets): (Peer, Meets),
    victim: impl FnOnce(&Chain) -> R + 'static,
) -> (Option<R>, Got) {
    let fate = death.clone();
    let victim = chain.beside(move |chain| fate.within(|| victim(chain)));
    if meets == Meets::Victim {
        let got = act(chain, peer);
        let outcome = victim.join().unwrap();
        chain.reap(1);
        return (outcome, got);
    }
    let outcome = victim.join().unwrap();
    let peer = chain.beside(move |chain| act(chain, peer));
    chain.reap(1);
    (outcome, peer.join().unwrap())
}

fn sender_dies(death: &Death, held: &[u64], received: usize, how: (Peer, Meets)) {
    let chain = chain_of(held, received);
    let (outcome, (sent, taken)) = play(&chain, death, how, |chain| chain.send(1, ITS));
    // Whatever the victim left, the next can send and receive.
    assert_eq!(chain.send(3, 30), Ok(()));
    let (rest, why) = chain.rest(0);
    let all: Vec<u64> = taken.into_iter().chain(rest).collect();
    assert_eq!(why, Dry::Empty);
    let expected = [&held[received..], if sent { &[THEIRS] } else { &[] }, &[30]].concat();
    assert_eq!(without(&all, &[ITS]), expected);
    assert!(all.iter().filter(|value| **value == ITS).count() <= 1);
    if let Some(sent) = outcome {
        assert_eq!(sent.is_ok(), all.contains(&ITS));
    }
    chain.assert_home();
}

fn receiver_dies(death: &Death, held: &[u64], received: usize, how: (Peer, Meets)) {
    let chain = chain_of(held, received);
    let (outcome, (sent, taken)) = play(&chain, death, how, |chain| chain.recv(1));
    assert_eq!(chain.send(3, 30), Ok(()));
    let (rest, why) = chain.rest(0);
    assert_eq!(why, Dry::Empty);
    let mut all: Vec<u64> =
        taken.into_iter().chain(rest).chain(outcome.and_then(Result::ok)).collect();
    all.sort_unstable();
    let expected = [&held[received..], if sent { &[THEIRS] } else { &[] }, &[30]].concat();
    // What it had acknowledged is gone with it: at most one.
    let missing = without(&expected, &all);
    assert!(missing.len() <= usize::from(outcome.is_none()), "{all:?} of {expected:?}");
    assert_eq!(all, without(&expected, &missing));
    chain.assert_home();
}

#[test]
fn who_appends_beside_a_sender() {
    at_each_access(3, |death| sender_dies(death, &[1], 0, (Peer::Sends, Meets::Victim)));
}

#[test]
fn who_appends_beside_a_receiver() {
    at_each_access(2, |death| sender_dies(death, &[1], 0, (Peer::Receives, Meets::Victim)));
}

#[test]
fn who_appended_and_is_reaped_beside_a_sender() {
    at_each_access(1, |death| sender_dies(death, &[1], 0, (Peer::Sends, Meets::Reaper)));
}

#[test]
fn who_appended_and_is_reaped_beside_a_receiver() {
    at_each_access(1, |death| sender_dies(death, &[1], 0, (Peer::Receives, Meets::Reaper)));
}

#[test]
fn who_passes_a_segment_beside_a_sender() {
    at_each_access(2, |death| receiver_dies(death, &[1, 2], 0, (Peer::Sends, Meets::Victim)));
}

#[test]
fn who_passes_a_segment_beside_a_receiver() {
    at_each_access(3, |death| receiver_dies(death, &[1, 2], 0, (Peer::Receives, Meets::Victim)));
}

#[test]
fn who_passed_a_segment_and_is_reaped_beside_a_sender() {
    at_each_access(1, |death| receiver_dies(death, &[1, 2], 0, (Peer::Sends, Meets::Reaper)));
}

#[test]
fn who_passed_a_segment_and_is_reaped_beside_a_receiver() {
    at_each_access(2, |death| receiver_dies(death, &[1, 2], 0, (Peer::Receives, Meets::Reaper)));
}

#[test]
fn who_brings_the_anchor_home_beside_a_sender() {
    at_each_access(1, |death| receiver_dies(death, &[1, 2], 1, (Peer::Sends, Meets::Victim)));
}

#[test]
fn who_brought_the_anchor_home_and_is_reaped_beside_a_sender() {
    at_each_access(1, |death| receiver_dies(death, &[1, 2], 1, (Peer::Sends, Meets::Reaper)));
}

#[test]
fn who_closes() {
    at_each_access(1, |death| {
        let (chain, fate) = (chain_of(&[1, 2], 1), death.clone());
        let victim = chain.beside(move |chain| fate.within(|| chain.close_queue()));
        let mut received = vec![chain.recv(0).unwrap()];
        let sent = chain.send(0, 3).is_ok();
        let closed = victim.join().unwrap().is_some();
        let late = chain.send(0, 4);
        assert!(!closed || late == Err(Refusal::Closed));
        let (rest, why) = chain.rest(0);
        received.extend(rest);
        let expected = [(2, true), (3, sent), (4, late.is_ok())].into_iter();
        assert_eq!(received, expected.filter(|sent| sent.1).map(|sent| sent.0).collect::<Vec<_>>());
        assert_eq!(why, if chain.is_closed() { Dry::Drained } else { Dry::Empty });
    });
}
