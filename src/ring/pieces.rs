//! Records in pieces: what is longer than the ring, or of a length that nobody knows yet, on the ring of `bytes`.
//!
//! A record goes as a *first piece* (a word with its length, or that nobody knows it; then bytes), any number of
//! *pieces*, and a *last piece*; or it is *cut short*, because its sender gave it up or died. Pieces follow one another
//! with nothing but padding between. Each says what it is: who takes a consumer's end over in the middle of a record
//! sees that its beginning is lost.
//!
//! Before its first piece is visible a producer says in the ring's `outgoing` word where the record begins, and before
//! its last one is, where it ends. So who takes that end over knows whether a record is unfinished, wherever the
//! producer died, and cuts it short. For that mark a word of room is kept behind every piece.
//!
//! A consumer that gives a record up says so in `unwanted`: its producer need not send the rest.
//!
//! Left to others: waiting, and what becomes of the bytes (`channel`).
#![allow(unsafe_code, reason = "payload access: the protocol says who owns a word")]

use super::Corruption;
use super::bytes::{self, Header, Place, WORD};
use super::cursor::OutgoingWord;
use super::spsc::{ConsumerSide, Dry, ProducerSide, Refusal, Ring};
use crate::layout::{
    RECORD_CUT_SHORT, RECORD_FIRST_PIECE, RECORD_LAST_PIECE, RECORD_LENGTH_UNKNOWN, RECORD_PIECE,
    RECORD_WHOLE,
};
use crate::primitive::Ordering::Relaxed;

/// The longest piece in words, its header included: long enough that a header costs nothing, and several to a ring, so that
/// one is written while another is read.
fn longest_piece(words: u64) -> u64 {
    (words / 8).clamp(SHORTEST, LONGEST)
}

/// A first piece with eight bytes, and room to spare in the smallest ring.
const SHORTEST: u64 = 4;
const LONGEST: u64 = 32 * 1024 / WORD as u64;

impl Ring<'_, u64> {
    /// The longest record that the consumer accepts. It may change its mind at any time.
    #[inline(always)]
    pub fn max_record(&self) -> u64 {
        // Relaxed: a wish of the other side, which checks for itself.
        self.header().seal.max_record.load(Relaxed).wrapping_sub(1)
    }

    /// The consumer accepts records of up to `max` bytes.
    pub fn accept_at_most(&self, max: u64) {
        self.header().seal.max_record.store(max.wrapping_add(1), Relaxed);
    }
}

/// The record that a producer has begun to send in pieces, if any.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outgoing {
    /// Where its first piece was published.
    first: Option<u64>,
}

impl Outgoing {
    /// What the last producer left unfinished.
    pub fn resume(ring: &Ring<'_, u64>, side: &ProducerSide) -> Self {
        // Relaxed: who died, or gave the end up, has done all that it ever will.
        let word = OutgoingWord::from_bits(ring.header().producer.outgoing.load(Relaxed));
        if word.is_unfinished(side.tail()) {
            return Self { first: Some(side.tail()) };
        }
        if word.is_begun() {
            // It was never visible. Later positions are not its.
            ring.header().producer.outgoing.store(0, Relaxed);
        }
        Self::default()
    }

    /// Whether a piece is visible and the last is not.
    pub fn is_open(&self) -> bool {
        self.first.is_some()
    }

    /// Whether the consumer has given this record up.
    pub fn is_unwanted(&self, ring: &Ring<'_, u64>) -> bool {
        // Relaxed: a hint; what the producer does then synchronises by itself.
        self.first.is_some_and(|first| ring.header().consumer.unwanted.load(Relaxed) > first)
    }

    /// Bytes of a piece that are not the record's.
    pub fn front(&self) -> usize {
        if self.is_open() { 0 } else { WORD }
    }

    /// Finds room for the next piece, with `len` bytes of the record or as many as a piece has.
    pub fn reserve(
        &self,
        ring: &Ring<'_, u64>,
        side: &mut ProducerSide,
        len: usize,
    ) -> Result<Place, Refusal> {
        let (capacity, front) = (ring.capacity(), self.front());
        let run = capacity.run(side.tail());
        let skip = if run < bytes::words_for(front + len.min(WORD)) as u64 { run } else { 0 };
        let before_end = if skip > 0 { capacity.slots() } else { run };
        let words = before_end.min(longest_piece(capacity.slots()));
        let most = usize::try_from(words - 1).map_or(usize::MAX, |words| words * WORD);
        let place = Place::after(ring, side.tail(), skip, len.saturating_add(front).min(most));
        // One more, for the mark that cuts the record short.
        let wanted = place.span() + 1;
        if side.room(ring, wanted)? < wanted { Err(Refusal::Full) } else { Ok(place) }
    }

    /// Makes the first piece of a record of `total` bytes, or the next, visible, shortened to `len` bytes. Says whether
    /// the consumer may be waiting.
    pub fn publish(
        &mut self,
        ring: &Ring<'_, u64>,
        side: &mut ProducerSide,
        (place, len): (Place, usize),
        total: Option<u64>,
    ) -> Result<bool, Refusal> {
        if self.is_open() {
            return bytes::commit_as(ring, side, place.shortened(len), RECORD_PIECE);
        }
        let announced = total.unwrap_or(RECORD_LENGTH_UNKNOWN);
        // SAFETY: `reserve` found the place vacant, its front included, and there is one producer.
        unsafe { ring.cells().write(place.header() + 1, &announced) };
        self.first = Some(side.tail());
        let begun = OutgoingWord::begun_at(side.tail());
        // Relaxed: the publication comes after it, and carries it.
        ring.header().producer.outgoing.store(begun.bits(), Relaxed);
        bytes::commit_as(ring, side, place.shortened(len), RECORD_FIRST_PIECE)
    }

    /// Makes the last piece visible, shortened to `len` bytes; a record that has no other goes whole.
    pub fn finish(
        &mut self,
        ring: &Ring<'_, u64>,
        side: &mut ProducerSide,
        (place, len): (Place, usize),
    ) -> Result<bool, Refusal> {
        if !self.is_open() {
            // SAFETY: `reserve` gave the place, and the slice is gone before the commit.
            let bytes = unsafe { bytes::payload_mut(ring, side, place) };
            bytes.copy_within(WORD..len, 0);
            return bytes::commit(ring, side, place, len - WORD);
        }
        self.end(ring, side, place.shortened(len), RECORD_LAST_PIECE)
    }

    /// Makes visible that the record is over: with a last piece of no bytes, for which there is room.
    pub fn finish_empty(
        &mut self,
        ring: &Ring<'_, u64>,
        side: &mut ProducerSide,
    ) -> Result<bool, Refusal> {
        side.room(ring, 1)?;
        let place = Place::after(ring, side.tail(), 0, 0);
        self.end(ring, side, place, RECORD_LAST_PIECE)
    }

    /// Makes visible that the record will not be completed; for that there is room. Does nothing where there is none.
    pub fn cut(&mut self, ring: &Ring<'_, u64>, side: &mut ProducerSide) -> Result<bool, Refusal> {
        if !self.is_open() {
            return Ok(false);
        }
        side.room(ring, 1)?;
        let place = Place::after(ring, side.tail(), 0, 0);
        self.end(ring, side, place, RECORD_CUT_SHORT)
    }

    fn end(
        &mut self,
        ring: &Ring<'_, u64>,
        side: &mut ProducerSide,
        place: Place,
        kind: u32,
    ) -> Result<bool, Refusal> {
        let ended = OutgoingWord::ended_at(side.tail() + place.span());
        // Relaxed: the publication comes after it, and carries it.
        ring.header().producer.outgoing.store(ended.bits(), Relaxed);
        self.first = None;
        bytes::commit_as(ring, side, place, kind)
    }
}

/// Where a consumer is in what comes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum At {
    /// A record begins next.
    #[default]
    Boundary,
    /// The consumer took the first piece of a record, and wants the rest.
    Within,
    /// What comes of this record is not wanted.
    Beyond,
}

/// The record that a consumer receives in pieces, if any.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Incoming {
    at: At,
}

/// What comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// A whole record.
    Whole(Place),
    /// The first piece of a record of so many bytes, if that is known. It is behind the first word of the place.
    First(Place, Option<u64>),
    /// A piece of the record that was begun.
    Piece(Place),
    /// Its last piece.
    Last(Place),
    /// Something that is not wanted was given back: look again. The producer may be waiting.
    Skipped(bool),
    /// The record that was begun will not be completed. The producer may be waiting.
    CutShort(bool),
    /// A record comes whose beginning a consumer before this one took; the rest is skipped. The producer may be waiting.
    LostInPart(bool),
}

impl Incoming {
    /// Whether the consumer took the first piece of a record and wants the rest.
    pub fn is_within(self) -> bool {
        self.at == At::Within
    }

    /// Whether nothing is known of what comes next.
    pub fn is_at_boundary(self) -> bool {
        self.at == At::Boundary
    }

    /// What comes next, skipping what is not wanted.
    pub fn next(&mut self, ring: &Ring<'_, u64>, side: &mut ConsumerSide) -> Result<Next, Dry> {
        let header = bytes::next_header(ring, side)?;
        let place = header.place(ring)?;
        match (self.at, header.kind()) {
            (At::Within, RECORD_WHOLE | RECORD_FIRST_PIECE) => {
                self.at = At::Boundary;
                Err(Dry::Corrupt(Corruption::Piece))
            }
            (At::Boundary | At::Beyond, RECORD_WHOLE) => {
                self.at = At::Boundary;
                Ok(Next::Whole(place))
            }
            (At::Boundary | At::Beyond, RECORD_FIRST_PIECE) => {
                self.at = At::Boundary;
                announced(ring, &header).map(|total| Next::First(place, total))
            }
            (At::Within, RECORD_PIECE) => Ok(Next::Piece(place)),
            (At::Within, RECORD_LAST_PIECE) => Ok(Next::Last(place)),
            (At::Within, RECORD_CUT_SHORT) => {
                self.at = At::Boundary;
                Ok(Next::CutShort(bytes::release(ring, side, place)))
            }
            (At::Boundary, RECORD_PIECE | RECORD_LAST_PIECE) => {
                Ok(Next::LostInPart(self.give_up(ring, side)))
            }
            (At::Beyond, RECORD_PIECE) => Ok(Next::Skipped(bytes::release(ring, side, place))),
            (_, RECORD_LAST_PIECE | RECORD_CUT_SHORT) => {
                self.at = At::Boundary;
                Ok(Next::Skipped(bytes::release(ring, side, place)))
            }
            _ => Err(bytes::strange(&header)),
        }
    }

    /// Gives back a piece that `next` found, or a whole record. Says whether the producer may be waiting.
    pub fn release(&mut self, ring: &Ring<'_, u64>, side: &mut ConsumerSide, next: Next) -> bool {
        let (at, place) = match next {
            Next::First(place, _) | Next::Piece(place) => (At::Within, place),
            Next::Whole(place) | Next::Last(place) => (At::Boundary, place),
            Next::Skipped(awaited) | Next::CutShort(awaited) | Next::LostInPart(awaited) => {
                return awaited;
            }
        };
        self.at = at;
        bytes::release(ring, side, place)
    }

    /// What comes of the record in hand is not wanted. Says whether its producer may be waiting.
    pub fn give_up(&mut self, ring: &Ring<'_, u64>, side: &ConsumerSide) -> bool {
        self.at = At::Beyond;
        // Relaxed: a hint, see `Outgoing::is_unwanted`.
        ring.header().consumer.unwanted.store(side.head(), Relaxed);
        ring.is_room_awaited()
    }

    /// Gives back one piece that is not wanted, if such comes next. Says whether one did, and whether the producer may be
    /// waiting.
    pub fn skip(
        &mut self,
        ring: &Ring<'_, u64>,
        side: &mut ConsumerSide,
    ) -> Result<Option<bool>, Dry> {
        let kind = bytes::next_header(ring, side)?.kind();
        let unwanted = match self.at {
            At::Beyond => [RECORD_PIECE, RECORD_LAST_PIECE, RECORD_CUT_SHORT].contains(&kind),
            At::Boundary => kind == RECORD_CUT_SHORT,
            At::Within => false,
        };
        match unwanted.then(|| self.next(ring, side)).transpose()? {
            Some(Next::Skipped(awaited)) => Ok(Some(awaited)),
            _ => Ok(None),
        }
    }
}

/// How long the record is that begins with this piece, as far as its producer knew.
fn announced(ring: &Ring<'_, u64>, header: &Header) -> Result<Option<u64>, Dry> {
    if header.len() < WORD {
        return Err(Dry::Corrupt(Corruption::Piece));
    }
    let total = bytes::word_at(ring, header.position() + 1);
    Ok((total != RECORD_LENGTH_UNKNOWN).then_some(total))
}
