//! Chains whose word a hostile member changes between any two looks: each operation ends, with an error.

use std::cell::Cell;

use super::*;
use crate::primitive::HeapSlots;

/// How many segments there seem to be before the last.
const AHEAD: u64 = 1;

/// Two rings of one slot, whatever generation is looked for.
struct Restless {
    word: ContestedU64,
    leaving: AtomicU64,
    rings: [(QueueHeader, HeapSlots<u64>); 2],
    /// What the word becomes with each look for a segment, or at a ring.
    meddle: Meddle,
    looks: Cell<usize>,
}

#[derive(Clone, Copy, PartialEq)]
enum Meddle {
    No,
    /// A later last segment, with each look for one.
    Grows,
    /// The same, unsettled.
    Unsettled,
    /// A later last segment, with each look at a ring.
    AtRings,
}

impl Restless {
    fn new(word: u64, meddle: Meddle) -> Self {
        let ring = |_| {
            let header = QueueHeader::default();
            header.initialise();
            (header, HeapSlots::vacant(1, size_of::<u64>()))
        };
        let (word, leaving) = (ContestedU64::new(word), AtomicU64::new(0));
        Self { word, leaving, rings: [0, 1].map(ring), meddle, looks: Cell::new(0) }
    }

    /// A chain of two annexes, of which `last` is the last.
    fn of(last: u64, unsettled: bool) -> u64 {
        2047 << 51 | AHEAD << 40 | u64::from(unsettled) << 62 | last
    }

    fn change(&self, unsettled: bool) {
        self.looks.set(self.looks.get() + 1);
        let last = ChainWord(self.word.load(Relaxed)).last() + 1;
        self.word.store(Self::of(last, unsettled), Relaxed);
    }
}

impl Links<u64> for Restless {
    type Link = usize;
    type Trouble = Corruption;

    fn word(&self) -> &ContestedU64 {
        &self.word
    }

    fn leaving(&self) -> &AtomicU64 {
        &self.leaving
    }

    fn link(&self, seen: ChainWord, generation: u64) -> Result<Option<usize>, Corruption> {
        match self.meddle {
            Meddle::Grows => self.change(false),
            Meddle::Unsettled => self.change(true),
            Meddle::No | Meddle::AtRings => {}
        }
        Ok(Some(usize::from(generation == seen.last())))
    }

    fn ring<'l>(&'l self, link: &'l usize) -> Ring<'l, u64> {
        if self.meddle == Meddle::AtRings {
            self.change(false);
        }
        let (header, slots) = &self.rings[*link];
        Ring::new(header, slots.slots(), 4)
    }

    fn discard(&self, _: u64) {}

    fn alone<R>(&self, act: impl FnOnce() -> R) -> Option<R> {
        Some(act())
    }
}

const RESTLESS: Corruption = Corruption::Restless;

#[test]
fn a_sender_bears_so_many_changes_and_no_more() {
    let chain = Restless::new(Restless::of(5, false), Meddle::Grows);
    let mut tries = 0;
    let filled = chain.fill(|_| {
        tries += 1;
        Err::<(), _>(Refusal::Full)
    });
    assert_eq!((filled.unwrap_err(), tries, chain.looks.get()), (RESTLESS, TURNS, TURNS));
}

#[test]
fn a_receiver_bears_so_many_changes_and_no_more() {
    let chain = Restless::new(Restless::of(5, false), Meddle::Grows);
    let mut tries = 0;
    let taken = chain.take(|_, _| {
        tries += 1;
        Err::<(), _>(Dry::Empty)
    });
    assert_eq!(taken.unwrap_err(), RESTLESS);
    assert!(tries <= TURNS && chain.looks.get() <= 4 * TURNS, "{tries}");
}

#[test]
fn who_settles_bears_so_many_changes_and_no_more() {
    let chain = Restless::new(Restless::of(5, true), Meddle::Unsettled);
    assert_eq!(chain.settle(), Err(RESTLESS));
    assert!(chain.looks.get() <= 4 * TURNS);
}

#[test]
fn a_pass_that_another_change_gets_in_the_way_of_twice_is_a_broken_chain() {
    let chain = Restless::new(Restless::of(5, false), Meddle::AtRings);
    chain.rings[0].0.shut();
    assert_eq!((chain.pass_alone(), chain.looks.get()), (Err(Corruption::Chain), 1));
    // Undisturbed it passes the very same.
    let chain = Restless::new(Restless::of(5, false), Meddle::No);
    chain.rings[0].0.shut();
    assert_eq!(chain.pass_alone(), Ok(true));
}

#[test]
fn a_ring_that_is_full_although_it_is_new_ends_with_what_may_be_made() {
    let chain = Restless::new(Restless::of(5, false), Meddle::No);
    assert_eq!(chain.rings.each_ref().map(|ring| ring.0.tail.tail.load(Relaxed)), [0; 2]);
    let mut count = 0;
    loop {
        let Err((refusal, seen)) = chain.fill(|_| Err::<(), _>(Refusal::Full)).unwrap() else {
            panic!("it is full")
        };
        assert_eq!(refusal, Refusal::Full);
        let make = |_| {
            count += 1;
            Ok(true)
        };
        if !chain.append(seen, make).unwrap() {
            break;
        }
    }
    // As many as the word can count.
    assert_eq!(count, 1023 - AHEAD);
}
