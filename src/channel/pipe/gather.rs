//! Receiving what comes in pieces, or must be skipped: the rare half of a receiver.
//!
//! A call that does not wait, or runs out of time, keeps what has come of a record for the next call: nothing is lost.

use super::{ReadGrant, Receiver, Words};
use crate::channel::lane::Unreceived;
use crate::error::Fault;
use crate::event::Deadline;
use crate::primitive::{append, copy};
use crate::ring::Corruption;
use crate::ring::bytes::{self, Place};
use crate::ring::pieces::Next;
use crate::ring::spsc::ConsumerSide;

/// Without waiting where it is `None`.
pub(super) type When = Option<Deadline>;

/// What has come of a record that nobody received yet.
#[derive(Debug, Default)]
pub(super) struct Partial {
    bytes: Vec<u8>,
    total: Option<u64>,
    begun: bool,
    complete: bool,
}

/// As much memory at most is taken because a record says how long it will be.
const TRUSTED: u64 = 64 << 20;

impl Partial {
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(super) fn total(&self) -> Option<u64> {
        if self.complete { Some(self.bytes.len() as u64) } else { self.total }
    }

    pub(super) fn is_begun(&self) -> bool {
        self.begun
    }

    pub(super) fn is_complete(&self) -> bool {
        self.complete
    }

    fn begin(&mut self, total: Option<u64>) {
        (self.begun, self.total) = (true, total);
        let wanted = total.map_or(0, |total| total.min(TRUSTED));
        // Without it the vector grows as bytes come.
        let _ = self.bytes.try_reserve_exact(usize::try_from(wanted).unwrap_or(0));
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    fn take(&mut self) -> Vec<u8> {
        std::mem::take(self).bytes
    }
}

impl Receiver {
    /// What comes next of this record or the next, skipping what is not wanted.
    pub(super) fn next(&mut self, when: When) -> Result<Next, Unreceived> {
        loop {
            let (streams, incoming) = (self.streams, &mut self.incoming);
            let within = incoming.is_within();
            let look = |ring: &Words<'_>, side: &mut ConsumerSide| {
                if streams {
                    incoming.next(ring, side)
                } else {
                    bytes::peek(ring, side).map(Next::Whole)
                }
            };
            let next = match when {
                None => self.lane.attempt(look),
                Some(deadline) => self.lane.wait(deadline, look),
            };
            match next {
                Ok(Next::Skipped(awaited)) => self.lane.notify_if(awaited),
                Ok(Next::CutShort(awaited)) => {
                    self.lane.notify_if(awaited);
                    self.partial.clear();
                    return Err(Unreceived::Failed(Fault::CutShort));
                }
                Ok(Next::LostInPart(awaited)) => {
                    self.lane.notify_if(awaited);
                    return Err(Unreceived::Failed(Fault::LostInPart));
                }
                Err(Unreceived::Closed | Unreceived::Disconnected) if within => {
                    self.give_up();
                    return Err(Unreceived::Failed(Fault::CutShort));
                }
                Err(Unreceived::InPieces) => return Err(corrupt(Corruption::UnknownKind)),
                Err(why) => {
                    if within && !self.incoming.is_within() {
                        self.partial.clear();
                    }
                    return Err(why);
                }
                next => return next,
            }
        }
    }

    /// Gives a piece or a whole record back.
    pub(super) fn release(&mut self, next: Next) {
        let (ring, side, _) = self.lane.parts();
        let awaited = self.incoming.release(ring, side, next);
        self.lane.notify_if(awaited);
    }

    /// Wants nothing more of the record that has begun to come.
    pub(super) fn give_up(&mut self) {
        self.partial.clear();
        if self.incoming.is_within() && !self.lane.is_inherited() {
            let (ring, side, _) = self.lane.parts();
            let awaited = self.incoming.give_up(ring, side);
            // Its producer may wait for room: it is to see that it need not.
            self.lane.notify_if(awaited);
        }
    }

    /// Refuses a record of `total` bytes that begins with `next` if it is longer than this side accepts.
    pub(super) fn check_total(&mut self, next: Next, total: Option<u64>) -> Result<(), Unreceived> {
        match total {
            Some(total) if total > self.max_len as u64 => {
                self.release(next);
                Err(self.refuse(total))
            }
            _ => Ok(()),
        }
    }

    fn refuse(&mut self, len: u64) -> Unreceived {
        self.give_up();
        let len = usize::try_from(len).unwrap_or(usize::MAX);
        Unreceived::Failed(Fault::TooLong { len, max: self.max_len })
    }

    fn damaged(&mut self) -> Unreceived {
        self.give_up();
        corrupt(Corruption::Piece)
    }

    /// Appends the bytes of a place from `front` on to what has come.
    fn keep(&mut self, place: Place, front: usize) {
        let grant = ReadGrant::new(self.lane.parts(), place);
        append(&mut self.partial.bytes, &grant[front..]);
    }

    /// Gives up a record of which nobody has the beginning any more: a reader of it was forgotten.
    pub(super) fn forget_forgotten(&mut self) {
        if self.incoming.is_within() && !self.partial.begun {
            self.give_up();
        }
    }

    /// Takes all of the next record, for a buffer of `room` bytes.
    fn gather(&mut self, when: When, room: usize) -> Result<(), Unreceived> {
        self.forget_forgotten();
        while !self.partial.complete {
            too_short(self.partial.total, room)?;
            let next = self.next(when)?;
            match next {
                Next::Whole(place) => {
                    self.check_total(next, Some(place.len() as u64))?;
                    too_short(Some(place.len() as u64), room)?;
                    self.partial.begin(None);
                    self.keep(place, 0);
                }
                Next::First(place, total) => {
                    self.check_total(next, total)?;
                    too_short(total, room)?;
                    self.partial.begin(total);
                    self.keep(place, size_of::<u64>());
                }
                Next::Piece(place) | Next::Last(place) => self.keep(place, 0),
                Next::Skipped(_) | Next::CutShort(_) | Next::LostInPart(_) => continue,
            }
            self.release(next);
            self.partial.complete = matches!(next, Next::Whole(_) | Next::Last(_));
            let (len, total) = (self.partial.bytes.len() as u64, self.partial.total);
            if len > self.max_len as u64 {
                return Err(self.refuse(len));
            }
            let wrong = |total| if self.partial.complete { len != total } else { len > total };
            if total.is_some_and(wrong) {
                return Err(self.damaged());
            }
        }
        Ok(())
    }

    /// The next record, in pieces or not.
    #[cold]
    pub(super) fn recv_gathered(&mut self, when: When) -> Result<Vec<u8>, Unreceived> {
        self.gather(when, usize::MAX)?;
        Ok(self.partial.take())
    }

    /// The next record, in pieces or not, into `buffer`.
    #[cold]
    pub(super) fn recv_gathered_into(
        &mut self,
        buffer: &mut [u8],
        when: When,
    ) -> Result<usize, Unreceived> {
        self.forget_forgotten();
        if when.is_some() && !self.partial.begun {
            let next = self.next(when)?;
            if let Next::First(_, Some(total)) = next
                && total <= (self.max_len as u64).min(buffer.len() as u64)
            {
                return self.stream_into(buffer, next, total, when);
            }
        }
        self.gather(when, buffer.len())?;
        let needed = self.partial.bytes.len();
        too_short(Some(needed as u64), buffer.len())?;
        copy(&mut buffer[..needed], &self.partial.bytes);
        self.partial.clear();
        Ok(needed)
    }

    /// Copies a record of `total` bytes, which begins with `next`, from the ring to where it is wanted.
    fn stream_into(
        &mut self,
        buffer: &mut [u8],
        mut next: Next,
        total: u64,
        when: When,
    ) -> Result<usize, Unreceived> {
        let mut filled = 0;
        loop {
            let (place, front) = match next {
                Next::First(place, _) => (place, size_of::<u64>()),
                Next::Piece(place) | Next::Last(place) => (place, 0),
                _ => return Err(self.damaged()),
            };
            let end = filled + place.len() - front;
            if end as u64 > total {
                return Err(self.damaged());
            }
            let grant = ReadGrant::new(self.lane.parts(), place);
            copy(&mut buffer[filled..end], &grant[front..]);
            filled = end;
            self.release(next);
            if matches!(next, Next::Last(_)) {
                return if filled as u64 == total { Ok(filled) } else { Err(self.damaged()) };
            }
            next = match self.next(when) {
                Err(Unreceived::Empty) => {
                    self.partial.begin(Some(total));
                    append(&mut self.partial.bytes, &buffer[..filled]);
                    return Err(Unreceived::Empty);
                }
                next => next?,
            };
        }
    }

    /// The place of the next record, which must be whole.
    #[cold]
    pub(super) fn peek_gathered(&mut self, when: When) -> Result<Place, Unreceived> {
        self.forget_forgotten();
        if self.partial.begun {
            return Err(Unreceived::InPieces);
        }
        let next = self.next(when)?;
        let Next::Whole(place) = next else { return Err(Unreceived::InPieces) };
        self.check_total(next, Some(place.len() as u64))?;
        Ok(place)
    }

    /// Waits for something to receive, skipping what is not wanted.
    #[cold]
    pub(super) fn poll_gathered(&mut self, deadline: Deadline) -> bool {
        self.forget_forgotten();
        while !self.partial.complete && self.streams {
            let incoming = &mut self.incoming;
            match self.lane.wait(deadline, |ring, side| incoming.skip(ring, side)) {
                Ok(Some(awaited)) => self.lane.notify_if(awaited),
                Err(Unreceived::Empty) => return false,
                Ok(None) | Err(_) => return true,
            }
        }
        true
    }
}

fn too_short(needed: Option<u64>, len: usize) -> Result<(), Unreceived> {
    match needed.map(|needed| usize::try_from(needed).unwrap_or(usize::MAX)) {
        Some(needed) if needed > len => {
            Err(Unreceived::Failed(Fault::BufferTooShort { needed, len }))
        }
        _ => Ok(()),
    }
}

fn corrupt(what: Corruption) -> Unreceived {
    Unreceived::Failed(Fault::Corrupt(what.text()))
}
