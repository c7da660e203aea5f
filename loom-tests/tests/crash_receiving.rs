//! Hazard: a message in the hands of a receiver that was killed is lost, comes again without saying so, comes to two, or
//! its slot never serves again.
//!
//! Checked, for a receiver that dies before each of its accesses to shared memory, beside another receiver and beside a
//! sender, who go on while it dies and while it is reaped, by both policies: what it had acknowledged is gone, and all
//! else comes to one, or is dropped where the policy says so; what comes again is flagged if the dead had stamped it, so
//! that it may have been seen, and not flagged if it had not; and every slot serves again.
#![cfg(loom)]

use std::sync::Arc;

use loom_tests::crash::{Death, at_each_access};
use loom_tests::queue::{Queue, WRAPPING, receiver, sender};
use ringway::parts::mpmc::ConsumerSide;
use ringway::parts::word::{SlotWord, State, after};

/// Member 1 beside member 2, in a queue that holds messages.
#[derive(Clone, Copy)]
struct Scene {
    /// Member 3 may have done something in it.
    begins: fn() -> Arc<Queue>,
    /// Where the messages begin.
    first: u64,
    messages: &'static [u64],
    /// What the victim does.
    act: fn(&Queue, &ConsumerSide),
    peer_receives: bool,
    drops: bool,
}

/// What the peer sends if it is a sender.
const NEW: u64 = 20;

impl Scene {
    fn two(act: fn(&Queue, &ConsumerSide)) -> Self {
        let begins = || Queue::holding(WRAPPING, 2, &[1, 2]);
        Self { begins, first: WRAPPING, messages: &[1, 2], act, peer_receives: false, drops: false }
    }

    fn beside_a_receiver(self) -> Self {
        Self { peer_receives: true, ..self }
    }

    fn dropping(self) -> Self {
        Self { drops: true, ..self }
    }

    /// Plays it with a victim that dies before each of its accesses.
    fn play(self, fewer: usize) {
        at_each_access(fewer, move |death| self.once(death));
    }

    fn once(self, death: &Death) {
        let (queue, fate) = ((self.begins)(), death.clone());
        let victim = queue.beside(move |queue| fate.within(|| (self.act)(queue, &receiver(1))));
        let peer = queue.beside(move |queue| match self.peer_receives {
            false => (queue.push(&sender(2), NEW).is_ok(), Vec::new()),
            true => (false, queue.pop_counted(&receiver(2), 1)),
        });
        victim.join().unwrap();
        let words: Vec<_> = self.positions().map(|position| queue.peek(position)).collect();
        let reaped = if self.drops { queue.drop_of(1) } else { queue.reap(1) };
        let (sent, mut found) = peer.join().unwrap();
        let theirs: Vec<u64> = found.iter().map(|(value, _)| *value).collect();
        found.extend(queue.pop_counted(&receiver(0), usize::MAX));
        let acknowledged = self.acknowledged(&queue, &words, &theirs);
        self.check_flags(&words, &found, reaped.dropped);
        self.check_values(&found, acknowledged, sent, reaped.dropped);
        queue.assert_whole();
    }

    fn positions(self) -> impl Iterator<Item = u64> {
        (0..self.messages.len() as u64).map(move |step| after(self.first, step))
    }

    /// The messages that the victim acknowledged before it ended, when slots held `words`; the peer received `theirs`.
    fn acknowledged(self, queue: &Queue, words: &[SlotWord], theirs: &[u64]) -> Vec<u64> {
        let slots = self.positions().zip(words).zip(self.messages);
        let done = slots.filter(|((position, word), _)| queue.is_done(*position, **word));
        done.map(|(_, value)| *value).filter(|value| !theirs.contains(value)).collect()
    }

    /// Whatever the dead had stamped comes again flagged, or is dropped; nothing else is, but for what was put back.
    fn check_flags(self, words: &[SlotWord], found: &[(u64, u32)], dropped: u64) {
        let is = |word: &SlotWord, state| word.state() == Some(state);
        let stamped = |word: &&SlotWord| is(word, State::Reading) && word.member() == 1;
        let again = |word: &&SlotWord| is(word, State::Redeliver) && word.tries() > 0;
        let (stamped, again) =
            (words.iter().filter(stamped).count(), words.iter().filter(again).count());
        let flagged = found.iter().filter(|(_, tries)| *tries > 0).count();
        let (drops, comes) = if self.drops { (stamped, again) } else { (0, stamped + again) };
        let dropped = usize::try_from(dropped).unwrap();
        if self.peer_receives {
            // Another receiver may stamp in the name of the dead, who then counts as one who has read. It may also have
            // taken what was put back before the victim ended.
            assert!(dropped >= drops && flagged >= comes.min(stamped), "{words:x?} {found:?}");
            assert!(self.drops || dropped == 0);
        } else {
            assert_eq!((dropped, flagged), (drops, comes), "{words:x?} {found:?}");
        }
    }

    fn check_values(self, found: &[(u64, u32)], acknowledged: Vec<u64>, sent: bool, dropped: u64) {
        let mut all: Vec<u64> = found.iter().map(|(value, _)| *value).chain(acknowledged).collect();
        let expected: Vec<u64> = self.messages.iter().copied().chain(sent.then_some(NEW)).collect();
        assert_eq!(all.len() as u64 + dropped, expected.len() as u64, "{all:?} of {expected:?}");
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len() as u64 + dropped, expected.len() as u64, "none comes twice");
        assert!(all.iter().all(|value| expected.contains(value)), "{all:?} of {expected:?}");
    }
}

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

/// A queue in which an aborted slot lies before a message.
fn one_was_aborted() -> Arc<Queue> {
    let queue = Queue::starting_at(WRAPPING, 2);
    queue.ring().abort(queue.ring().reserve(&sender(3), 0).unwrap());
    queue.push(&sender(3), 2).unwrap();
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

const WAS_ABORTED: Scene =
    Scene { begins: one_was_aborted, first: WRAPPING + 1, messages: &[2], ..COMES_AGAIN };

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

#[test]
fn pass_over_beside_a_sender() {
    WAS_ABORTED.play(1);
}

#[test]
fn pass_over_beside_a_receiver() {
    WAS_ABORTED.beside_a_receiver().play(2);
}
