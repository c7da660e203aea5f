//! A receiver that is killed beside a peer, and what must be true of the queue afterwards.

use std::sync::Arc;

use ringway::parts::mpmc::ConsumerSide;
use ringway::parts::word::{SlotWord, State, after};

use super::crash::{Death, at_each_access};
use super::queue::{Queue, WRAPPING, receiver, sender};

/// Member 1 beside member 2, in a queue that holds messages.
#[derive(Clone, Copy, Debug)]
pub struct Scene {
    /// Member 3 may have done something in it.
    pub begins: fn() -> Arc<Queue>,
    /// Where the messages begin.
    pub first: u64,
    /// Which.
    pub messages: &'static [u64],
    /// What the victim does.
    pub act: fn(&Queue, &ConsumerSide),
    /// The peer receives; else it sends.
    pub peer_receives: bool,
    /// By the policy that drops what may have been seen.
    pub drops: bool,
}

/// What the peer sends if it is a sender.
const NEW: u64 = 20;

impl Scene {
    /// A full queue of two messages beside a sender.
    pub fn two(act: fn(&Queue, &ConsumerSide)) -> Self {
        let begins = || Queue::holding(WRAPPING, 2, &[1, 2]);
        Self { begins, first: WRAPPING, messages: &[1, 2], act, peer_receives: false, drops: false }
    }

    /// The same beside a receiver.
    #[must_use]
    pub fn beside_a_receiver(self) -> Self {
        Self { peer_receives: true, ..self }
    }

    /// The same by the policy that drops what may have been seen.
    #[must_use]
    pub fn dropping(self) -> Self {
        Self { drops: true, ..self }
    }

    /// Plays it with a victim that dies before each of its accesses, with so many preemptions fewer.
    ///
    /// # Panics
    ///
    /// When a message is lost, comes twice, or is flagged wrongly, or a slot does not serve again.
    pub fn play(self, fewer: usize) {
        at_each_access(fewer, move |death| self.once(death));
    }

    fn once(self, death: &Death) {
        let (queue, fate) = ((self.begins)(), death.clone());
        let victim = queue.beside(move |queue| fate.within(|| (self.act)(queue, &receiver(1))));
        let peer = queue.beside(move |queue| {
            if self.peer_receives {
                return (false, queue.pop_counted(&receiver(2), 1));
            }
            (queue.push(&sender(2), NEW).is_ok(), Vec::new())
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
