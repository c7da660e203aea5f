//! Records of any length up to half the ring, on a ring of 8-byte words.
//!
//! A record is one header word `[kind:32 | length:32]` and its bytes, padded to whole words. A record never
//! crosses the end of the memory: where it does not fit, a padding record fills the rest and the record
//! begins again at the start, so a reader gets one slice and checks one bound. The longest record is half
//! the ring less a header, because then padding and record together always fit an empty ring.
//!
//! Nothing is visible until the tail moves: a reservation that is dropped never happened. Nothing is given
//! back until the head moves: a record that was looked at and not released is still the next one.
//!
//! A header is read once, checked against private geometry, and only then used.
#![allow(unsafe_code, reason = "payload access: the protocol says who owns a word")]

use super::Corruption;
use super::spsc::{ConsumerSide, Dry, ProducerSide, Refusal, Ring};
use crate::layout::{RECORD_PADDING, RECORD_WHOLE};

const RECORD: u64 = (RECORD_WHOLE as u64) << 32;
const PADDING: u64 = (RECORD_PADDING as u64) << 32;
const WORD: usize = 8;

/// The longest record that a ring of `words` words carries, in bytes.
pub fn max_record(words: u64) -> usize {
    usize::try_from(words * WORD as u64 / 2)
        .map_or(usize::MAX, |half| half.saturating_sub(WORD))
        .min(u32::MAX as usize)
}

/// Words that a record of `len` bytes takes, its header included.
fn words_for(len: usize) -> usize {
    1 + len.div_ceil(WORD)
}

/// A record's place: `skip` words of padding at the cursor, then the header, then `len` bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The cursor that it was found from.
    cursor: u64,
    header: usize,
    skip: usize,
    len: usize,
}

impl Place {
    /// Whether it is at `cursor` still, within `known` slots from there.
    fn stands(&self, cursor: u64, known: u64) -> bool {
        self.cursor == cursor && self.span() <= known
    }

    /// Words from the cursor to the end of the record.
    fn span(&self) -> u64 {
        (self.skip + words_for(self.len)) as u64
    }
}

/// Finds room for a record of `len` bytes, which must not exceed [`max_record`].
pub fn reserve(
    ring: &Ring<'_, u64>,
    side: &mut ProducerSide,
    len: usize,
) -> Result<Place, Refusal> {
    debug_assert!(len <= max_record(ring.capacity().slots()));
    let capacity = ring.capacity();
    let run = capacity.run(side.tail());
    let skip = if words_for(len) as u64 > run { run } else { 0 };
    let place = Place {
        cursor: side.tail(),
        header: capacity.index(side.tail() + skip),
        skip: usize::try_from(skip).unwrap_or(usize::MAX),
        len,
    };
    if side.room(ring, place.span())? < place.span() {
        return Err(Refusal::Full);
    }
    Ok(place)
}

/// The bytes of a reserved record, for its producer to fill.
///
/// # Panics
///
/// When the place is not vacant and next any more.
///
/// # Safety
///
/// - `reserve` gave `place` for this ring, of which `side` is the producer.
/// - Until the slice is gone the producer neither publishes nor asks for these bytes again.
pub unsafe fn payload_mut<'a>(
    ring: &Ring<'a, u64>,
    side: &ProducerSide,
    place: Place,
) -> &'a mut [u8] {
    assert!(place.stands(side.tail(), side.known_room()), "a place is used before anything else");
    // SAFETY: `reserve` found these words vacant, and the caller keeps them so.
    let words = unsafe { ring.cells().slice_mut(place.header + 1, words_for(place.len) - 1) };
    &mut bytemuck::cast_slice_mut(words)[..place.len]
}

/// Makes a reserved record visible, shortened to `len` bytes. Says whether the consumer may be waiting.
pub fn commit(
    ring: &Ring<'_, u64>,
    side: &mut ProducerSide,
    place: Place,
    len: usize,
) -> Result<bool, Refusal> {
    let place = Place { len: len.min(place.len), ..place };
    if place.skip > 0 {
        let padding = PADDING | ((place.skip - 1) * WORD) as u64;
        // SAFETY: `reserve` found the words at the tail vacant, and there is one producer.
        unsafe { ring.cells().write(ring.capacity().index(side.tail()), padding) };
    }
    // SAFETY: as above, for the record's header.
    unsafe { ring.cells().write(place.header, RECORD | place.len as u64) };
    side.publish(ring, place.span())
}

/// Appends a record with the bytes of `record`, which must not be longer than [`max_record`]. Says whether
/// the consumer may be waiting.
pub fn push(ring: &Ring<'_, u64>, side: &mut ProducerSide, record: &[u8]) -> Result<bool, Refusal> {
    let place = reserve(ring, side, record.len())?;
    // SAFETY: the place was reserved above, and the slice is gone before the commit.
    unsafe { payload_mut(ring, side, place) }.copy_from_slice(record);
    commit(ring, side, place, place.len)
}

/// Finds the next record without taking it.
pub fn peek(ring: &Ring<'_, u64>, side: &mut ConsumerSide) -> Result<Place, Dry> {
    let available = side.available_again(ring)?;
    let (first, run) = (read_header(ring, side.head())?, ring.capacity().run(side.head()));
    let Header::Padding { words } = first else {
        return first.place(ring, side.head(), 0, available.min(run));
    };
    if words != run || words >= available {
        return Err(Dry::Corrupt(Corruption::Padding));
    }
    let next = side.head() + words;
    read_header(ring, next)?.place(ring, next, words, available - words)
}

/// The bytes of the record that `peek` found.
///
/// # Panics
///
/// When the record is not the next one any more.
///
/// # Safety
///
/// - `peek` gave `place` for this ring, of which `side` is the consumer.
/// - Until the slice is gone the consumer does not release the record.
pub unsafe fn payload<'a>(ring: &Ring<'a, u64>, side: &ConsumerSide, place: Place) -> &'a [u8] {
    assert!(place.stands(side.head(), side.known()), "a place is used before anything else");
    // SAFETY: `peek` found these words filled, and the caller keeps the producer away.
    let words = unsafe { ring.cells().slice(place.header + 1, words_for(place.len) - 1) };
    &bytemuck::cast_slice(words)[..place.len]
}

/// Takes the next record, handing its bytes to `consume`. Also says whether the producer may be waiting.
pub fn pop<R>(
    ring: &Ring<'_, u64>,
    side: &mut ConsumerSide,
    consume: impl FnOnce(&[u8]) -> R,
) -> Result<(R, bool), Dry> {
    let place = peek(ring, side)?;
    // SAFETY: the place was found above; the slice cannot leave `consume`, so it is gone before the release.
    let result = consume(unsafe { payload(ring, side, place) });
    Ok((result, release(ring, side, place)))
}

/// Gives the record that `peek` found back to the producer. Says whether it may be waiting.
pub fn release(ring: &Ring<'_, u64>, side: &mut ConsumerSide, place: Place) -> bool {
    side.release(ring, place.span())
}

/// A header word, understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Header {
    Record { len: usize },
    Padding { words: u64 },
}

/// Reads the header at `position`, a filled slot.
fn read_header(ring: &Ring<'_, u64>, position: u64) -> Result<Header, Dry> {
    // SAFETY: the caller saw that the slot at `position` is filled, so its producer keeps away.
    let word = unsafe { ring.cells().read_once(ring.capacity().index(position)) };
    let len = word & u64::from(u32::MAX);
    match word & !u64::from(u32::MAX) {
        RECORD => Ok(Header::Record { len: usize::try_from(len).unwrap_or(usize::MAX) }),
        PADDING => Ok(Header::Padding { words: len / WORD as u64 + 1 }),
        _ => Err(Dry::Corrupt(Corruption::UnknownKind)),
    }
}

impl Header {
    /// The record that this header begins, if it ends within `limit` words from its header.
    fn place(
        self,
        ring: &Ring<'_, u64>,
        position: u64,
        skip: u64,
        limit: u64,
    ) -> Result<Place, Dry> {
        match self {
            Header::Record { len } if words_for(len) as u64 <= limit => Ok(Place {
                cursor: position - skip,
                header: ring.capacity().index(position),
                skip: usize::try_from(skip).unwrap_or(usize::MAX),
                len,
            }),
            Header::Record { .. } => Err(Dry::Corrupt(Corruption::LongRecord)),
            Header::Padding { .. } => Err(Dry::Corrupt(Corruption::Padding)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::RingHeader;
    use crate::primitive::{Barrier, HeapCells, Ordering::Relaxed};

    fn with_ring(words: usize, start: u64, test: impl FnOnce(&Ring<'_, u64>)) {
        let (header, heap) = (RingHeader::default(), HeapCells::zeroed(words));
        header.producer.tail.store(start, Relaxed);
        header.consumer.head.store(start, Relaxed);
        test(&Ring::new(&header, heap.cells(), Barrier::Fence));
    }

    fn pop_vec(ring: &Ring<'_, u64>, side: &mut ConsumerSide) -> Result<Vec<u8>, Dry> {
        pop(ring, side, <[u8]>::to_vec).map(|(record, _)| record)
    }

    #[test]
    fn every_length_from_every_start_comes_out_as_it_went_in() {
        for words in [2usize, 4, 8, 16] {
            let longest = max_record(words as u64);
            for start in (0..2 * words as u64).chain([(1 << 62) - 3]) {
                for len in 0..=longest {
                    with_ring(words, start, |ring| {
                        let mut producer = ProducerSide::resume(ring).unwrap();
                        let mut consumer = ConsumerSide::resume(ring).unwrap();
                        let record: Vec<u8> = (1..=len).map(|i| u8::try_from(i).unwrap()).collect();
                        push(ring, &mut producer, &record).expect("it fits an empty ring");
                        assert_eq!(pop_vec(ring, &mut consumer).unwrap(), record);
                        assert_eq!(pop_vec(ring, &mut consumer), Err(Dry::Empty));
                    });
                }
            }
        }
    }

    #[test]
    fn a_full_ring_refuses_and_takes_again_after_a_release() {
        with_ring(8, 0, |ring| {
            let mut producer = ProducerSide::resume(ring).unwrap();
            let mut consumer = ConsumerSide::resume(ring).unwrap();
            for lap in 0..20u8 {
                let mut sent = 0u8;
                while push(ring, &mut producer, &[lap, sent, 7]).is_ok() {
                    sent += 1;
                }
                assert!(sent >= 3, "eight words hold at least three records of two");
                for i in 0..sent {
                    assert_eq!(pop_vec(ring, &mut consumer).unwrap(), [lap, i, 7]);
                }
            }
        });
    }

    #[test]
    fn arbitrary_words_are_records_or_corruption_but_never_out_of_bounds() {
        let lengths = [0u64, 1, 7, 8, 9, 23, 24, 25, 31, 32, 33, u32::MAX.into()];
        for kind in 0..7u64 {
            for len in lengths {
                for second in lengths.map(|len| RECORD | len).into_iter().chain([0, PADDING | 8]) {
                    for (start, filled) in [(0, 8), (5, 3), (5, 8), (7, 1), (7, 2), (3, 4)] {
                        with_ring(8, start, |ring| {
                            let mut producer = ProducerSide::resume(ring).unwrap();
                            let mut consumer = ConsumerSide::resume(ring).unwrap();
                            let at = |offset| ring.capacity().index(start + offset);
                            // SAFETY: this test is the only one who knows the ring.
                            unsafe { ring.cells().write(at(0), kind << 32 | len) };
                            let after = ring.capacity().run(start) % 8;
                            // SAFETY: as above.
                            unsafe { ring.cells().write(at(after.max(1)), second) };
                            producer.publish(ring, filled).unwrap();
                            if let Ok(place) = peek(ring, &mut consumer) {
                                assert!(place.span() <= filled);
                                assert!(place.len <= max_record(16));
                                // SAFETY: nobody releases the record while the slice is used.
                                let bytes = unsafe { payload(ring, &consumer, place) };
                                assert_eq!(bytes.len(), place.len);
                            }
                        });
                    }
                }
            }
        }
    }
}
