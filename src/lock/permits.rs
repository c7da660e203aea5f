//! Permits: so many words, each zero or the name of who has the permit; and a gate in front for those who wait. A permit of the
//! dead is taken over, from the word that names it, by who waits for one.

use super::gate::{Gate, Settled};
use super::holder::Holder;
use super::met::is_of_the_dead;
use super::{AcqRel, Acquire, Relaxed, SeqCst};
use super::{Denial, Fate};
use crate::event::{Look, Turn};
use crate::primitive::LockWord;

/// Permits.
#[derive(Clone, Copy, Debug)]
pub struct Permits<'a> {
    gate: Gate<'a>,
    words: &'a [LockWord],
}

impl<'a> Permits<'a> {
    /// The permits that `words` are, with the gate `word`.
    pub fn new(word: &'a LockWord, words: &'a [LockWord]) -> Self {
        Self { gate: Gate::new(word), words }
    }

    /// The word to sleep on.
    pub fn word(self) -> &'a LockWord {
        self.gate.word()
    }

    /// One attempt of `me` to get one, from number `first` on. Says which.
    pub fn attempt(
        self,
        me: Holder,
        first: usize,
        look: Look,
        fate: impl Fn(Holder) -> Fate,
    ) -> Turn<Result<usize, Denial>> {
        if let Some(number) = self.take_free(me, first) {
            return Turn::Ready(Ok(number));
        }
        if look.overdue {
            match self.take_over(me, fate) {
                Ok(None) => {}
                Ok(Some(number)) => return Turn::Ready(Ok(number)),
                Err(denial) => return Turn::Ready(Err(denial)),
            }
        }
        if !look.last {
            return Turn::Asleep { word: 0, holder: None };
        }
        let word = self.gate.about_to_sleep();
        match self.take_free(me, first) {
            Some(number) => Turn::Ready(Ok(number)),
            None => Turn::Asleep { word, holder: None },
        }
    }

    fn take_free(self, me: Holder, first: usize) -> Option<usize> {
        let count = self.words.len();
        (0..count).map(|step| (first + step) % count).find(|number| {
            let word = &self.words[*number];
            // ORDERING(permit): what its last holder did is visible. ORDERING(holder): as for a mutex.
            // ORDERING(gate): SeqCst, as the sleep was counted before.
            word.load(SeqCst) == 0 && word.compare_exchange(0, me.bits(), AcqRel, Relaxed).is_ok()
        })
    }

    /// Takes the first whose holder is dead.
    fn take_over(self, me: Holder, fate: impl Fn(Holder) -> Fate) -> Result<Option<usize>, Denial> {
        for (number, word) in self.words.iter().enumerate() {
            // ORDERING(holder): as for a mutex.
            let found = word.load(Acquire);
            if is_of_the_dead(found, &fate)?
                && word.compare_exchange(found, me.bits(), AcqRel, Relaxed).is_ok()
            {
                return Ok(Some(number));
            }
        }
        Ok(None)
    }

    /// Gives number `number` back, and wakes one who waits.
    pub fn give_back(self, number: usize, settled: &Settled) {
        if let Some(word) = self.words.get(number) {
            // ORDERING(permit): what was done with it is visible to the next; pairs with `take_free`. And before the look for
            // sleepers.
            word.fetch_and(0, SeqCst);
            self.gate.call_sleepers(1, settled);
        }
    }

    /// How many nobody has, when it looked.
    pub fn available(self) -> usize {
        self.words.iter().filter(|word| word.load(Relaxed) == 0).count()
    }
}
