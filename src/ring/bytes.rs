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
use crate::layout::{RECORD_FIRST_PIECE, RECORD_PADDING, RECORD_PIECE, RECORD_WHOLE};
use crate::primitive::copy;

pub(super) const WORD: usize = 8;

/// The longest record that a ring of `words` words carries, in bytes.
pub fn max_record(words: u64) -> usize {
    usize::try_from(words * WORD as u64 / 2)
        .map_or(usize::MAX, |half| half.saturating_sub(WORD))
        .min(u32::MAX as usize)
}

/// Words that a record of `len` bytes takes, its header included.
pub(super) fn words_for(len: usize) -> usize {
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
    pub(super) fn span(&self) -> u64 {
        (self.skip + words_for(self.len)) as u64
    }

    /// The place of `len` bytes behind `skip` words of padding at `cursor`.
    #[inline(always)]
    pub(super) fn after(ring: &Ring<'_, u64>, cursor: u64, skip: u64, len: usize) -> Self {
        let header = ring.capacity().index(cursor + skip);
        Self { cursor, header, skip: usize::try_from(skip).unwrap_or(usize::MAX), len }
    }

    /// The same place for at most `len` bytes.
    #[inline(always)]
    pub(super) fn shortened(self, len: usize) -> Self {
        Self { len: len.min(self.len), ..self }
    }

    /// Index of the header.
    pub(super) fn header(&self) -> usize {
        self.header
    }

    /// Bytes behind the header.
    #[inline(always)]
    #[allow(clippy::len_without_is_empty, reason = "a place of no bytes is one")]
    pub fn len(&self) -> usize {
        self.len
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
    let place = Place::after(ring, side.tail(), skip, len);
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
    commit_as(ring, side, place.shortened(len), RECORD_WHOLE)
}

/// Makes what lies at a reserved place visible, as a record of that kind.
#[inline(always)]
pub(super) fn commit_as(
    ring: &Ring<'_, u64>,
    side: &mut ProducerSide,
    place: Place,
    kind: u32,
) -> Result<bool, Refusal> {
    if place.skip > 0 {
        let padding = header_word(RECORD_PADDING, (place.skip - 1) * WORD);
        // SAFETY: `reserve` found the words at the tail vacant, and there is one producer.
        unsafe { ring.cells().write(ring.capacity().index(side.tail()), &padding) };
    }
    // SAFETY: as above, for the record's header.
    unsafe { ring.cells().write(place.header, &header_word(kind, place.len)) };
    side.publish(ring, place.span())
}

/// Appends a record with the bytes of `record`, which must not be longer than [`max_record`]. Says whether
/// the consumer may be waiting.
pub fn push(ring: &Ring<'_, u64>, side: &mut ProducerSide, record: &[u8]) -> Result<bool, Refusal> {
    let place = reserve(ring, side, record.len())?;
    // SAFETY: the place was reserved above, and the slice is gone before the commit.
    copy(unsafe { payload_mut(ring, side, place) }, record);
    commit(ring, side, place, place.len)
}

/// Finds the next record without taking it.
pub fn peek(ring: &Ring<'_, u64>, side: &mut ConsumerSide) -> Result<Place, Dry> {
    let header = next_header(ring, side)?;
    if header.kind() == RECORD_WHOLE { header.place(ring) } else { Err(strange(&header)) }
}

/// As [`peek`], if the next record has at most `max` bytes; else [`Dry::InPieces`].
#[inline(always)]
pub fn peek_up_to(ring: &Ring<'_, u64>, side: &mut ConsumerSide, max: usize) -> Result<Place, Dry> {
    let place = peek(ring, side)?;
    if place.len > max { Err(Dry::InPieces) } else { Ok(place) }
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

/// Takes the next record, handing its bytes to `consume`, if it has at most `max`; else it stays: [`Dry::InPieces`]. Also
/// says whether the producer may be waiting.
#[inline(always)]
pub fn pop<R>(
    ring: &Ring<'_, u64>,
    side: &mut ConsumerSide,
    max: usize,
    consume: impl FnOnce(&[u8]) -> R,
) -> Result<(R, bool), Dry> {
    let place = peek_up_to(ring, side, max)?;
    // SAFETY: the place was found above; the slice cannot leave `consume`, so it is gone before the release.
    let result = consume(unsafe { payload(ring, side, place) });
    Ok((result, release(ring, side, place)))
}

/// Gives the record that `peek` found back to the producer. Says whether it may be waiting.
pub fn release(ring: &Ring<'_, u64>, side: &mut ConsumerSide, place: Place) -> bool {
    side.release(ring, place.span())
}

/// The word before `len` bytes of a record of that kind.
fn header_word(kind: u32, len: usize) -> u64 {
    u64::from(kind) << 32 | len as u64
}

/// A header word, and where it was read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Header {
    word: u64,
    position: u64,
    /// Words of padding before it.
    skip: u64,
    /// Words from it to the end of what is there, or of the memory.
    limit: u64,
}

/// The header of what comes next, behind padding if there is any.
#[inline(always)]
pub(super) fn next_header(ring: &Ring<'_, u64>, side: &mut ConsumerSide) -> Result<Header, Dry> {
    let available = side.available_again(ring)?;
    let (head, run) = (side.head(), ring.capacity().run(side.head()));
    let (word, limit) = (word_at(ring, head), available.min(run));
    let first = Header { word, position: head, skip: 0, limit };
    if first.kind() != RECORD_PADDING {
        return Ok(first);
    }
    let words = (first.len() / WORD) as u64 + 1;
    if words != run || words >= available {
        return Err(Dry::Corrupt(Corruption::Padding));
    }
    let position = head + words;
    Ok(Header { word: word_at(ring, position), position, skip: words, limit: available - words })
}

/// Reads the word at `position`, a filled slot.
#[inline(always)]
pub(super) fn word_at(ring: &Ring<'_, u64>, position: u64) -> u64 {
    // SAFETY: the caller saw that the slot at `position` is filled, so its producer keeps away.
    unsafe { ring.cells().read_once(ring.capacity().index(position)) }
}

/// What comes next is no whole record: why.
#[cold]
pub(super) fn strange(header: &Header) -> Dry {
    match header.kind() {
        RECORD_PADDING => Dry::Corrupt(Corruption::Padding),
        RECORD_PIECE..=RECORD_FIRST_PIECE => Dry::InPieces,
        _ => Dry::Corrupt(Corruption::UnknownKind),
    }
}

impl Header {
    /// What kind of record it begins.
    #[inline(always)]
    #[allow(clippy::cast_possible_truncation, reason = "shifted to 32 bits")]
    pub(super) fn kind(&self) -> u32 {
        (self.word >> 32) as u32
    }

    /// Bytes that follow.
    #[inline(always)]
    pub(super) fn len(&self) -> usize {
        usize::try_from(self.word & u64::from(u32::MAX)).unwrap_or(usize::MAX)
    }

    /// Where it was read.
    pub(super) fn position(&self) -> u64 {
        self.position
    }

    /// The place of what it begins, if that ends within the limit.
    #[inline(always)]
    pub(super) fn place(&self, ring: &Ring<'_, u64>) -> Result<Place, Dry> {
        if words_for(self.len()) as u64 > self.limit {
            return Err(Dry::Corrupt(Corruption::LongRecord));
        }
        Ok(Place::after(ring, self.position - self.skip, self.skip, self.len()))
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
        pop(ring, side, usize::MAX, <[u8]>::to_vec).map(|(record, _)| record)
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
                for second in lengths
                    .map(|len| header_word(RECORD_WHOLE, 0) | len)
                    .into_iter()
                    .chain([0, header_word(RECORD_PADDING, 8)])
                {
                    for (start, filled) in [(0, 8), (5, 3), (5, 8), (7, 1), (7, 2), (3, 4)] {
                        with_ring(8, start, |ring| {
                            let mut producer = ProducerSide::resume(ring).unwrap();
                            let mut consumer = ConsumerSide::resume(ring).unwrap();
                            let at = |offset| ring.capacity().index(start + offset);
                            // SAFETY: this test is the only one who knows the ring.
                            unsafe { ring.cells().write(at(0), &(kind << 32 | len)) };
                            let after = ring.capacity().run(start) % 8;
                            // SAFETY: as above.
                            unsafe { ring.cells().write(at(after.max(1)), &second) };
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
