//! Blocks on the heap: which one a message gets, and what is said of numbers that cannot be.

use std::cell::Cell;

use super::super::reap::{DeliveryPolicy, Reaped, reap_all, reap_blocks};
use super::super::word::SlotWord;
use super::*;
use crate::layout::{ClassWord, QueueHeader};
use crate::primitive::{HeapCells, HeapSlots};
use crate::ring::mpmc::ProducerSide;

const ME: MemberId = MemberId(1);

/// Notes what memory is asked for, and has none beyond a limit.
#[derive(Debug)]
struct Limited(u64);

impl Pager for Limited {
    fn back(&self, _: u64, len: u64) -> bool {
        len <= self.0
    }

    fn punch(&self, _: u64, _: u64) {}
}

thread_local! {
    /// So many lines a reaper has looked at.
    static LOOKS: Cell<usize> = const { Cell::new(0) };
}

/// A reaper looks at a line.
pub(super) fn count_a_look() {
    LOOKS.set(LOOKS.get() + 1);
}

/// Two blocks of 64 bytes, one of 128, and two holes of 4096.
fn with(act: impl FnOnce(&Slab<'_>, &[BlockLine])) {
    let word = |len, count, sparse| ClassWord::new(len, count, sparse).unwrap();
    with_classes(
        [word(64, 2, false), word(128, 1, false), word(4096, 2, true), word(0, 0, false)],
        act,
    );
}

fn with_classes(words: [ClassWord; CLASSES], act: impl FnOnce(&Slab<'_>, &[BlockLine])) {
    let plan = SlabPlan::of(words).unwrap();
    let lines: Vec<_> = (0..plan.blocks).map(|_| BlockLine::default()).collect();
    let memory = HeapCells::zeroed(usize::try_from(plan.len - plan.payload).unwrap() / 8);
    act(&Slab::new((plan, 4000), &lines, memory.cells(), &Limited(3000)), &lines);
}

#[test]
fn a_message_gets_a_block_of_the_shortest_length_that_holds_it_or_none() {
    with(|slab, _| {
        let (header, slots) = (QueueHeader::default(), HeapSlots::<[u8]>::vacant(2, 24));
        let ring = Ring::new(&header, slots.slots(), 4);
        let found = Found::default();
        let take = |len| slab.allocate(ME, len, &found).map(|block| block.number);
        assert_eq!([take(64), take(1), take(64)], [Some(0), Some(1), None]);
        assert_eq!([take(65), take(100)], [Some(2), None]);
        assert_eq!([take(129), take(4000), take(129)], [Some(3), Some(4), None]);
        let usages: Vec<_> = slab.classes().map(|class| slab.usage(&class)).collect();
        assert!(usages.iter().all(|usage| usage.free == 0 && usage.bound == 0));
        slab.free(Block { number: 1 }, ME);
        assert_eq!(take(10), Some(1));
        assert_eq!(slab.a_holder(&ring, ME, 10), None);
        assert_eq!(slab.a_holder(&ring, MemberId(2), 10), Some(ME));
    });
}

#[test]
fn holes_have_memory_while_they_are_used_and_what_is_refused_changes_nothing() {
    with(|slab, lines| {
        let found = Found::default();
        let block = slab.allocate(ME, 4000, &found).unwrap();
        assert!(!slab.back(&block, 3001) && slab.back(&block, 3000) && slab.back(&block, 2000));
        assert_eq!(lines[3].backed.load(Relaxed), 3000);
        slab.free(block, ME);
        assert_eq!((slab.trim(ME), slab.trim(ME)), (3000, 0));
        let dense = slab.allocate(ME, 64, &found).unwrap();
        assert!(slab.back(&dense, 64) && lines[0].backed.load(Relaxed) == 0);
    });
}

#[test]
fn what_hostile_lines_say_of_memory_adds_up_to_no_more_than_there_are_numbers() {
    with(|slab, lines| {
        lines[3..].iter().for_each(|line| line.backed.store(u64::MAX, Relaxed));
        assert_eq!((slab.trim(ME), slab.trim(ME)), (u64::MAX, 0));
    });
}

#[test]
fn blocks_that_cannot_be_a_messages_are_named() {
    with(|slab, lines| {
        let place = Place::new(false, 9);
        let found = |number, len| slab.find(place, number, len).map(|block| block.number);
        let corrupt = |what| Err(Astray::Corrupt(what));
        assert_eq!(found(0, 10), Err(Astray::Moved));
        for number in [5, 6, u64::from(u32::MAX), 1 << 32, u64::MAX] {
            assert_eq!(found(number, 10), corrupt(Corruption::Block));
        }
        lines[0].word.store(BlockWord::bound(place, 7).0, Relaxed);
        lines[3].word.store(BlockWord::bound(place, 7).0, Relaxed);
        assert_eq!([found(0, 64), found(0, 0), found(3, 4000)], [Ok(0), Ok(0), Ok(3)]);
        assert_eq!([found(0, 65), found(3, 4001)], [corrupt(Corruption::Length); 2]);
        assert_eq!(
            slab.find(Place::new(true, 9), 0, 64).map(|block| block.number),
            Err(Astray::Moved)
        );
    });
}

#[test]
fn a_reap_frees_what_is_nobodys_and_nothing_else() {
    with(|slab, lines| {
        let (header, slots) = (QueueHeader::default(), HeapSlots::<[u8]>::vacant(2, 24));
        header.initialise();
        let ring = Ring::new(&header, slots.slots(), 4).with_slab(Some(slab), false);
        let block = slab.allocate(ME, 10, &Found::default()).unwrap();
        let claim = ring.reserve(&ProducerSide::new(ME), 0).unwrap().with_block(block, 10);
        ring.commit(claim);
        let owned = |member| BlockWord::owned(member);
        let words = [
            (1, owned(2), true),
            (2, owned(3), false),
            // Of a position that its slot has not come to, and of a ring that there is not.
            (3, BlockWord::bound(Place::new(false, 5), 3), true),
            (4, BlockWord::bound(Place::new(true, 0), 3), true),
        ];
        for (number, word, _) in words {
            lines[number].word.store(word.0, Relaxed);
        }
        slab.reap(&[ring], MemberId(2), ME);
        for (number, word, freed) in words {
            let now = BlockWord(lines[number].word.load(Relaxed));
            assert_eq!(now, if freed { BlockWord::FREE } else { word }, "block {number}");
        }
        let slot = SlotWord(slots.slots().word(0).load(Relaxed));
        assert_eq!(slot.state(), Some(State::Filled));
        assert_eq!(BlockWord(lines[0].word.load(Relaxed)).place(), Some(Place::new(false, 0)));
    });
}

/// So many slots and blocks the dead had.
const GRANTS: usize = 1 << 10;

#[test]
fn a_reap_looks_at_each_line_twice_however_many_grants_the_dead_had() {
    let class = ClassWord::new(64, 2 * GRANTS as u64, false).unwrap();
    with_classes(
        [class, ClassWord::default(), ClassWord::default(), ClassWord::default()],
        |slab, lines| {
            let (header, slots) = (QueueHeader::default(), HeapSlots::<[u8]>::vacant(GRANTS, 24));
            header.initialise();
            let rings = [Ring::new(&header, slots.slots(), 4).with_slab(Some(slab), false)];
            let (side, found) = (ProducerSide::new(ME), Found::default());
            // Of three claims one is bound and not committed yet, one has a block that is not bound, one has none.
            for number in 0..GRANTS {
                rings[0].reserve(&side, 0).unwrap();
                let place = Place::new(false, number as u64);
                match number % 3 {
                    0 => slab.bind(&slab.allocate(ME, 10, &found).unwrap(), place, ME),
                    1 => drop(slab.allocate(ME, 10, &found).unwrap()),
                    _ => {}
                }
            }
            LOOKS.set(0);
            let reaped = reap_all(&rings, ME, DeliveryPolicy::AtLeastOnce);
            reap_blocks(&rings, ME, MemberId(2));
            assert_eq!(LOOKS.get(), 2 * lines.len());
            let sent = GRANTS.div_ceil(3);
            let aborted = (GRANTS - sent) as u64;
            assert_eq!(reaped, Reaped { aborted, ..Reaped::default() });
            let states =
                (0..GRANTS as u64).map(|at| SlotWord(rings[0].word(at).load(Relaxed)).state());
            let expected = |at| if at % 3 == 0 { State::Filled } else { State::Aborted };
            assert!(states.enumerate().all(|(at, state)| state == Some(expected(at))));
            let usage = slab.usage(&slab.classes().next().unwrap());
            assert_eq!((usage.bound, usage.owned), (sent as u64, 0));
            // Once more: nothing is left to do.
            assert_eq!(reap_all(&rings, ME, DeliveryPolicy::AtLeastOnce), Reaped::default());
        },
    );
}

#[test]
fn what_the_living_have_bound_and_not_committed_is_left_alone() {
    with(|slab, _| {
        let (header, slots) = (QueueHeader::default(), HeapSlots::<[u8]>::vacant(2, 24));
        header.initialise();
        let rings = [Ring::new(&header, slots.slots(), 4).with_slab(Some(slab), false)];
        rings[0].reserve(&ProducerSide::new(ME), 0).unwrap();
        let block = slab.allocate(ME, 10, &Found::default()).unwrap();
        // As a hostile line might say: bound by the dead, to a slot of one who lives.
        slab.bind(&block, Place::new(false, 0), ME);
        slab.lines[0].word.store(BlockWord::bound(Place::new(false, 0), 2).0, Relaxed);
        assert_eq!(reap_all(&rings, MemberId(2), DeliveryPolicy::AtLeastOnce), Reaped::default());
        let slot = SlotWord(rings[0].word(0).load(Relaxed));
        assert_eq!((slot.state(), slot.member()), (Some(State::Writing), ME.0));
    });
}
