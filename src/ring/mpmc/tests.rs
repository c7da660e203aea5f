//! The ring alone, in one thread: every order of operations that needs no interleaving.

mod recovery;

use std::sync::Arc;

use super::super::word::{CursorWord, POSITION_MASK, after, before};
use super::*;
use crate::primitive::HeapSlots;
use crate::primitive::Ordering::Relaxed;

const US: MemberId = MemberId(3);
const THEM: MemberId = MemberId(5);
const MEMBERS: u32 = 8;

/// Positions to begin at: fresh, where laps wrap, where positions wrap.
const STARTS: [u64; 4] = [0, 5, (1 << 46) - 3, POSITION_MASK - 2];

struct Fixture<M: Message + ?Sized> {
    header: QueueHeader,
    slots: HeapSlots<M>,
}

impl<M: Message + ?Sized> Fixture<M> {
    /// An empty ring through which `start` messages have passed.
    fn starting_at(start: u64, capacity: usize, size: usize) -> Self {
        let fixture =
            Self { header: QueueHeader::default(), slots: HeapSlots::vacant(capacity, size) };
        fixture.header.initialise();
        fixture.header.tail.tail.store(CursorWord::new(start, 0).0, Relaxed);
        fixture.header.head.head.store(CursorWord::new(start, 0).0, Relaxed);
        let ring = fixture.ring();
        for position in (0..capacity as u64).map(|n| after(start, n)) {
            ring.word(position).store(ring.geometry.vacant(position).0, Relaxed);
        }
        fixture
    }

    fn ring(&self) -> Ring<'_, M> {
        Ring::new(&self.header, self.slots.slots(), MEMBERS)
    }
}

fn values(start: u64, capacity: usize) -> Fixture<u64> {
    Fixture::starting_at(start, capacity, 8)
}

/// Everything is vacant, whoever comes finds `capacity` slots, and the order is kept.
fn assert_whole(fixture: &Fixture<u64>) {
    let ring = fixture.ring();
    let (producer, consumer) = (ProducerSide::new(US), ConsumerSide::new(US, &Arc::default()));
    assert_eq!(drain(&ring, &consumer), []);
    for n in 0..ring.capacity() {
        assert_eq!(ring.push(&producer, n), Ok(()));
    }
    assert_eq!(ring.push(&producer, 99), Err(Refusal::Full));
    assert_eq!(drain(&ring, &consumer), (0..ring.capacity()).collect::<Vec<_>>());
}

fn drain(ring: &Ring<'_, u64>, side: &ConsumerSide) -> Vec<u64> {
    let mut received = Vec::new();
    loop {
        match ring.pop(side) {
            Ok(value) => received.push(value),
            Err(Dry::Skipped) => {}
            Err(Dry::Empty) => return received,
            Err(why) => panic!("{why:?}"),
        }
    }
}

#[test]
fn values_come_out_in_order_for_every_capacity_and_start() {
    for start in STARTS {
        for capacity in [1, 2, 4, 8, 1024] {
            let fixture = values(start, capacity);
            for _ in 0..5 {
                assert_whole(&fixture);
            }
        }
    }
}

#[test]
fn a_ring_holds_exactly_its_capacity_at_every_fill() {
    for start in STARTS {
        let fixture = values(start, 4);
        let ring = fixture.ring();
        let (producer, consumer) =
            (ProducerSide::new(US), ConsumerSide::new(THEM, &Arc::default()));
        let (mut sent, mut received) = (0, 0);
        for step in 0..200u64 {
            let pushes = step * 7 % 5;
            for _ in 0..pushes {
                let full = sent - received == 4;
                assert_eq!(ring.push(&producer, sent).is_err(), full);
                sent += u64::from(!full);
                assert_eq!(ring.len(), sent - received);
            }
            for _ in 0..step * 3 % 4 {
                let expected = if received == sent { Err(Dry::Empty) } else { Ok(received) };
                assert_eq!(ring.pop(&consumer), expected);
                received += u64::from(expected.is_ok());
            }
        }
    }
}

#[test]
fn batches_take_what_there_is_and_wrap() {
    for start in STARTS {
        for capacity in [1usize, 2, 4, 8] {
            let fixture = values(start, capacity);
            let ring = fixture.ring();
            let (producer, consumer) =
                (ProducerSide::new(US), ConsumerSide::new(THEM, &Arc::default()));
            let (mut sent, mut received) = (0u64, 0u64);
            for step in 0..100 {
                let batch: Vec<u64> = (sent..sent + 1 + step % 11).collect();
                match ring.push_slice(&producer, &batch) {
                    Ok(count) => sent += count as u64,
                    Err(why) => {
                        assert_eq!((why, sent - received), (Refusal::Full, capacity as u64));
                    }
                }
                let mut buffer = vec![0; 1 + usize::try_from(step % 7).unwrap()];
                match ring.pop_slice(&consumer, &mut buffer) {
                    Ok(count) => {
                        let expected: Vec<u64> = (received..received + count as u64).collect();
                        assert_eq!(buffer[..count], expected);
                        received += count as u64;
                    }
                    Err(why) => assert_eq!((why, sent), (Dry::Empty, received)),
                }
            }
        }
    }
}

#[test]
fn a_claim_that_is_not_committed_is_busy_and_once_aborted_is_passed_over() {
    for start in STARTS {
        for capacity in [1, 2, 4] {
            let fixture = values(start, capacity);
            let ring = fixture.ring();
            let (producer, consumer) =
                (ProducerSide::new(US), ConsumerSide::new(THEM, &Arc::default()));
            let mut claim = ring.reserve(&producer, 0).unwrap();
            *ring.claimed_mut(&mut claim) = 7;
            assert_eq!(ring.pop(&consumer), Err(Dry::Busy(US)));
            assert_eq!((ring.producer_at_work(), ring.len()), (Some(US), 1));
            ring.abort(claim);
            assert_eq!(ring.pop(&consumer), Err(Dry::Skipped));
            assert_eq!(ring.pop(&consumer), Err(Dry::Empty));
            assert_eq!(ring.producer_at_work(), None);
            assert_whole(&fixture);
        }
    }
}

#[test]
fn a_held_message_keeps_its_slot_until_it_is_acknowledged() {
    let fixture = values(0, 2);
    let ring = fixture.ring();
    let (producer, consumer) = (ProducerSide::new(US), ConsumerSide::new(THEM, &Arc::default()));
    assert_eq!(ring.push_slice(&producer, &[1, 2]), Ok(2));
    let held = ring.take(&consumer).unwrap();
    assert_eq!(ring.pop(&consumer), Ok(2));
    assert_eq!(ring.push(&producer, 3), Err(Refusal::Held(THEM)), "the slot of the first is next");
    assert_eq!((ring.consumer_at_work(), ring.pop(&consumer)), (Some(THEM), Err(Dry::Empty)));
    assert_eq!(ring.value(&held), &1);
    ring.acknowledge(held);
    assert_eq!(ring.push_slice(&producer, &[3, 4]), Ok(2));
    assert_eq!(ring.consumer_at_work(), None);
    assert_eq!(drain(&ring, &consumer), [3, 4]);
}

#[test]
fn a_message_put_back_comes_first_and_counts_its_deliveries() {
    for start in STARTS {
        let fixture = values(start, 4);
        let ring = fixture.ring();
        let (producer, consumer) = (ProducerSide::new(US), ConsumerSide::new(US, &Arc::default()));
        assert_eq!(ring.push_slice(&producer, &[1, 2, 3]), Ok(3));
        for tries in 0..3 {
            let taken = ring.take(&consumer).unwrap();
            assert_eq!((ring.value(&taken), taken.tries()), (&1, tries));
            ring.put_back(consumer.sweeper(), taken, true);
        }
        let taken = ring.take(&consumer).unwrap();
        ring.put_back(consumer.sweeper(), taken, false);
        let taken = ring.take(&consumer).unwrap();
        assert_eq!((ring.value(&taken), taken.tries()), (&1, 3), "nobody saw it the last time");
        ring.acknowledge(taken);
        assert_eq!(drain(&ring, &consumer), [2, 3]);
        assert_whole(&fixture);
    }
}

#[test]
fn messages_put_back_by_several_come_again_in_order_and_all_of_them() {
    for start in STARTS {
        for order in [[0, 1, 2, 3], [3, 2, 1, 0], [2, 0, 3, 1], [1, 3, 0, 2]] {
            let fixture = values(start, 8);
            let ring = fixture.ring();
            let producer = ProducerSide::new(US);
            let sides =
                [ConsumerSide::new(US, &Arc::default()), ConsumerSide::new(THEM, &Arc::default())];
            assert_eq!(ring.push_slice(&producer, &[0, 1, 2, 3, 4, 5]), Ok(6));
            let mut taken: Vec<_> = (0..4).map(|n| ring.take(&sides[n % 2]).ok()).collect();
            for which in order {
                ring.put_back(sides[which / 2].sweeper(), taken[which].take().unwrap(), true);
            }
            let (first, second) = (ring.pop(&sides[0]).unwrap(), ring.pop(&sides[1]).unwrap());
            assert_eq!((first, second), (0, 1), "{order:?}");
            assert_eq!(drain(&ring, &sides[0]), [2, 3, 4, 5]);
            assert_whole(&fixture);
        }
    }
}

#[test]
fn a_closed_ring_is_drained_and_then_says_so() {
    for start in STARTS {
        let fixture = values(start, 2);
        let ring = fixture.ring();
        let (producer, consumer) =
            (ProducerSide::new(US), ConsumerSide::new(THEM, &Arc::default()));
        assert_eq!(ring.push(&producer, 1), Ok(()));
        let claim = ring.reserve(&producer, 0).unwrap();
        ring.close();
        ring.close();
        assert!(ring.is_closed());
        assert_eq!(ring.push(&producer, 2), Err(Refusal::Closed));
        assert_eq!(ring.push_slice(&producer, &[2]), Err(Refusal::Closed));
        assert_eq!(ring.pop(&consumer), Ok(1));
        assert_eq!(ring.pop(&consumer), Err(Dry::Busy(US)), "claimed before the close");
        ring.commit(claim);
        let taken = ring.take(&consumer).unwrap();
        assert_eq!(
            ring.pop(&consumer),
            Err(Dry::Drained),
            "who holds the last is no reason to wait"
        );
        ring.put_back(consumer.sweeper(), taken, true);
        assert!(ring.pop(&consumer).is_ok());
        assert_eq!(ring.pop(&consumer), Err(Dry::Drained));
    }
}

#[test]
fn a_closer_that_died_half_way_is_helped() {
    let fixture = values(0, 2);
    let ring = fixture.ring();
    fixture.header.gate.closed.store(1, Relaxed);
    assert_eq!(ring.pop(&ConsumerSide::new(US, &Arc::default())), Err(Dry::Drained));
    assert_eq!(ring.push(&ProducerSide::new(US), 1), Err(Refusal::Closed));
}

#[test]
fn words_that_cannot_be_are_corrupt_and_nothing_hangs() {
    let fixture = values(before(0, 1), 4);
    let ring = fixture.ring();
    let (producer, consumer) = (ProducerSide::new(US), ConsumerSide::new(US, &Arc::default()));
    let next = CursorWord(ring.header.tail.tail.load(Relaxed)).position();
    let geometry = ring.geometry;
    let slot = Err(Refusal::Corrupt(Corruption::Slot));
    for word in [6, 7, u64::MAX, geometry.vacant(after(next, 4)).0, geometry.filled(next).0 ^ 8] {
        ring.word(next).store(word, Relaxed);
        assert_eq!(ring.push(&producer, 1), slot, "{word:#x}");
        assert_eq!(ring.push_slice(&producer, &[1]).map(drop), slot, "{word:#x}");
        assert_eq!(ring.pop(&consumer), Err(Dry::Corrupt(Corruption::Slot)), "{word:#x}");
        assert_eq!(ring.pop_slice(&consumer, &mut [0]), Err(Dry::Corrupt(Corruption::Slot)));
    }
    ring.word(next).store(geometry.writing(next, 8).0, Relaxed);
    assert_eq!(ring.pop(&consumer), Err(Dry::Corrupt(Corruption::Member)));
    ring.word(next).store(geometry.vacant(next).0, Relaxed);
    // The tail names a member that cannot be, and its claim has no stamp.
    ring.word(before(next, 1)).store(geometry.vacant(before(next, 1)).0, Relaxed);
    ring.header.tail.tail.store(CursorWord::new(next, 9).0, Relaxed);
    assert_eq!(ring.push(&producer, 1), Err(Refusal::Corrupt(Corruption::Member)));
}

#[test]
fn bytes_keep_their_length_and_a_length_that_cannot_be_is_corrupt() {
    let fixture = Fixture::<[u8]>::starting_at(0, 4, 8 + 24);
    let ring = fixture.ring();
    let (producer, consumer) = (ProducerSide::new(US), ConsumerSide::new(US, &Arc::default()));
    assert!(ring.max_len() >= 24);
    for len in 0..=24u8 {
        let message: Vec<u8> = (0..len).collect();
        ring.fill_with(ring.reserve(&producer, message.len()).unwrap(), &message);
        let mut taken = ring.take(&consumer).unwrap();
        assert_eq!(ring.measure(&mut taken), Ok(len.into()));
        assert_eq!(ring.bytes(&taken), message);
        ring.acknowledge(taken);
    }
    let mut claim = ring.reserve(&producer, 9).unwrap();
    ring.claimed_mut(&mut claim).copy_from_slice(b"123456789");
    claim.truncate(4);
    ring.commit(claim);
    let mut taken = ring.take(&consumer).unwrap();
    ring.measure(&mut taken).unwrap();
    assert_eq!(
        (ring.bytes(&taken), ring.claimed(&ring.reserve(&producer, 0).unwrap())),
        (&b"1234"[..], &b""[..])
    );
}

#[test]
fn a_claim_serves_its_own_ring_only() {
    let (one, other) = (values(0, 2), values(0, 2));
    let claim = one.ring().reserve(&ProducerSide::new(US), 0).unwrap();
    let misuse = std::panic::AssertUnwindSafe(|| other.ring().commit(claim));
    assert!(std::panic::catch_unwind(misuse).is_err());
}
