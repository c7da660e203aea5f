//! The receiving half of an end.

use std::time::Duration;

use super::gather::Partial;
use super::writer::Limit;
use super::{ReadGrant, RecordReader, Words};
use crate::channel::lane::{RecvLane, Unreceived};
use crate::error::{RecvError, RecvTimeoutError, TryRecvError};
use crate::event::Deadline;
use crate::ring::bytes;
use crate::ring::pieces::Incoming;
use crate::ring::spsc::ConsumerSide;

/// The receiving half of an end.
#[derive(Debug)]
pub struct Receiver {
    pub(super) lane: RecvLane<u64>,
    /// Records may come in pieces.
    pub(super) streams: bool,
    /// Where it is in what comes.
    pub(super) incoming: Incoming,
    /// What has come of a record that nobody received yet.
    pub(super) partial: Partial,
    /// The longest record that it accepts.
    pub(super) max_len: usize,
}

impl Receiver {
    pub(super) fn new(lane: RecvLane<u64>, streams: bool) -> Self {
        let (incoming, partial) = (Incoming::default(), Partial::default());
        let max_len = usize::try_from(lane.max_record()).unwrap_or(usize::MAX);
        Self { lane, streams, incoming, partial, max_len }
    }

    /// The lane that it receives by.
    pub(crate) fn receiving(&self) -> &RecvLane<u64> {
        &self.lane
    }

    /// Whether all of a record has come that nobody received yet: receiving would answer, whatever the ring says.
    pub(crate) fn has_record(&self) -> bool {
        self.partial.is_complete()
    }

    /// The longest record that this end accepts, in bytes.
    pub fn max_len(&self) -> usize {
        self.max_len
    }

    /// Accepts only records of up to `max` bytes from now on, whoever receives here; `usize::MAX`: any.
    ///
    /// The sender's calls fail with [`Fault::TooLong`](crate::Fault::TooLong) before anything of a longer one is visible. One that was on its way is
    /// refused here, with the same error, and gone.
    pub fn set_max_len(&mut self, max: usize) {
        if !self.lane.is_inherited() {
            self.max_len = max;
            let (ring, ..) = self.lane.parts();
            ring.accept_at_most(if max == usize::MAX { u64::MAX } else { max as u64 });
        }
    }

    /// Whether something other than the beginning of a record may be next.
    #[inline(always)]
    fn is_busy(&self) -> bool {
        !self.incoming.is_at_boundary() || self.partial.is_begun()
    }

    /// Takes the next record if all of it is there now.
    ///
    /// What has come of one in pieces is kept for the next call that receives, and makes room for more of it.
    ///
    /// # Errors
    ///
    /// Why there is none: [`Fault::CutShort`](crate::Fault::CutShort), [`Fault::LostInPart`](crate::Fault::LostInPart) and [`Fault::TooLong`](crate::Fault::TooLong) are about one record, and the next call is
    /// for the next.
    pub fn try_recv(&mut self) -> Result<Vec<u8>, TryRecvError> {
        let max = self.max_len;
        let popped = if self.is_busy() {
            Err(Unreceived::InPieces)
        } else {
            self.lane.attempt(|ring, side| bytes::pop(ring, side, max, <[u8]>::to_vec))
        };
        Ok(self.popped(popped, None)?)
    }

    /// Takes the next record, waiting for it.
    ///
    /// # Errors
    ///
    /// Why none can come any more, and as for [`try_recv`](Self::try_recv).
    pub fn recv(&mut self) -> Result<Vec<u8>, RecvError> {
        Ok(self.recv_until(Deadline::NEVER)?)
    }

    /// Takes the next record, waiting for all of it at most `timeout`. Zero tries once.
    ///
    /// Of one in pieces, what has come by then is kept for the next call that receives.
    ///
    /// # Errors
    ///
    /// Why there was none, as for [`try_recv`](Self::try_recv).
    pub fn recv_timeout(&mut self, timeout: Duration) -> Result<Vec<u8>, RecvTimeoutError> {
        Ok(self.recv_until(Deadline::after(timeout))?)
    }

    fn recv_until(&mut self, deadline: Deadline) -> Result<Vec<u8>, Unreceived> {
        let max = self.max_len;
        let popped = if self.is_busy() {
            Err(Unreceived::InPieces)
        } else {
            let pop = |ring: &Words<'_>, side: &mut ConsumerSide| {
                bytes::pop(ring, side, max, <[u8]>::to_vec)
            };
            self.lane.wait(deadline, pop)
        };
        self.popped(popped, Some(deadline))
    }

    #[inline(always)]
    fn popped(
        &mut self,
        popped: Result<(Vec<u8>, bool), Unreceived>,
        when: Option<Deadline>,
    ) -> Result<Vec<u8>, Unreceived> {
        match popped {
            Ok((record, awaited)) => {
                self.lane.notify_if(awaited);
                Ok(record)
            }
            Err(Unreceived::InPieces) => self.recv_gathered(when),
            Err(why) => Err(why),
        }
    }

    /// Copies the next record into `buffer` and takes it, if all of it is there now. Says how long it is.
    ///
    /// # Errors
    ///
    /// Why there is none, as for [`try_recv`](Self::try_recv). [`Fault::BufferTooShort`](crate::Fault::BufferTooShort) leaves the record where it is and says
    /// how long it is; nothing of it is lost.
    pub fn try_recv_into(&mut self, buffer: &mut [u8]) -> Result<usize, TryRecvError> {
        let found = self.look(None);
        Ok(self.copy(found, buffer, None)?)
    }

    /// Copies the next record into `buffer` and takes it, waiting for it. Says how long it is.
    ///
    /// # Errors
    ///
    /// As [`try_recv_into`](Self::try_recv_into), and why none can come any more.
    pub fn recv_into(&mut self, buffer: &mut [u8]) -> Result<usize, RecvError> {
        let found = self.look(Some(Deadline::NEVER));
        Ok(self.copy(found, buffer, Some(Deadline::NEVER))?)
    }

    /// Copies the next record into `buffer` and takes it, waiting for all of it at most `timeout`. Says how long it is.
    ///
    /// Of one in pieces, what has come by then is kept for the next call that receives.
    ///
    /// # Errors
    ///
    /// As [`try_recv_into`](Self::try_recv_into).
    pub fn recv_into_timeout(
        &mut self,
        buffer: &mut [u8],
        timeout: Duration,
    ) -> Result<usize, RecvTimeoutError> {
        let when = Some(Deadline::after(timeout));
        let found = self.look(when);
        Ok(self.copy(found, buffer, when)?)
    }

    /// The place of the next record, if it is whole and short enough.
    #[inline(always)]
    fn look(&mut self, when: Option<Deadline>) -> Result<bytes::Place, Unreceived> {
        let max = self.max_len;
        let peek = |ring: &Words<'_>, side: &mut ConsumerSide| bytes::peek_up_to(ring, side, max);
        match when {
            _ if self.is_busy() => Err(Unreceived::InPieces),
            None => self.lane.attempt(peek),
            Some(deadline) => self.lane.wait(deadline, peek),
        }
    }

    #[inline(always)]
    fn copy(
        &mut self,
        found: Result<bytes::Place, Unreceived>,
        buffer: &mut [u8],
        when: Option<Deadline>,
    ) -> Result<usize, Unreceived> {
        match found {
            Ok(place) => self.show(place).copy_into(buffer).map_err(Unreceived::Failed),
            Err(Unreceived::InPieces) => self.recv_gathered_into(buffer, when),
            Err(why) => Err(why),
        }
    }

    /// The next record in place, if there is one now.
    ///
    /// # Errors
    ///
    /// Why there is none, as for [`try_recv`](Self::try_recv); [`Fault::InPieces`](crate::Fault::InPieces) if it comes in pieces, and stays for other
    /// calls.
    pub fn try_peek(&mut self) -> Result<ReadGrant<'_>, TryRecvError> {
        let found = self.look(None);
        Ok(self.shown(found, None)?)
    }

    /// The next record in place, waiting for it.
    ///
    /// # Errors
    ///
    /// Why none can come any more, and as for [`try_peek`](Self::try_peek).
    pub fn peek(&mut self) -> Result<ReadGrant<'_>, RecvError> {
        let found = self.look(Some(Deadline::NEVER));
        Ok(self.shown(found, Some(Deadline::NEVER))?)
    }

    /// The next record in place, waiting for it at most `timeout`. Zero tries once.
    ///
    /// # Errors
    ///
    /// Why there was none, as for [`try_peek`](Self::try_peek).
    pub fn peek_timeout(&mut self, timeout: Duration) -> Result<ReadGrant<'_>, RecvTimeoutError> {
        let when = Some(Deadline::after(timeout));
        let found = self.look(when);
        Ok(self.shown(found, when)?)
    }

    #[inline(always)]
    fn shown(
        &mut self,
        found: Result<bytes::Place, Unreceived>,
        when: Option<Deadline>,
    ) -> Result<ReadGrant<'_>, Unreceived> {
        let place = match found {
            Err(Unreceived::InPieces) => self.peek_gathered(when),
            found => found,
        };
        Ok(self.show(place?))
    }

    fn show(&mut self, place: bytes::Place) -> ReadGrant<'_> {
        let redelivered = self.is_redelivered();
        self.lane.show(1);
        ReadGrant::new(self.lane.parts(), place).flagged(redelivered)
    }

    /// The next record, to read while it is sent, waiting for it to begin.
    ///
    /// # Errors
    ///
    /// Why none can come any more, and as for [`try_recv`](Self::try_recv).
    pub fn reader(&mut self) -> Result<RecordReader<'_>, RecvError> {
        Ok(RecordReader::begin(self, Limit::Until(Deadline::NEVER))?)
    }

    /// The next record, to read while it is sent, waiting for it to begin at most `timeout`, and as long for each part.
    ///
    /// # Errors
    ///
    /// Why none began, as for [`try_recv`](Self::try_recv).
    pub fn reader_timeout(
        &mut self,
        timeout: Duration,
    ) -> Result<RecordReader<'_>, RecvTimeoutError> {
        Ok(RecordReader::begin(self, Limit::Each(timeout))?)
    }

    /// Whether the record that comes next may have been seen by a receiver before this one, which died or left before it took
    /// it: the first after the end of a dead member was taken over, or one that was looked at in place and left.
    pub fn is_redelivered(&self) -> bool {
        self.lane.is_redelivered()
    }

    /// Waits at most `timeout` for something to receive: a record, the end of the stream or a fault.
    ///
    /// True if receiving would answer at once, or take more of a record that comes in pieces. Nothing is taken.
    pub fn poll(&mut self, timeout: Duration) -> bool {
        let deadline = Deadline::after(timeout);
        match self.look(Some(deadline)) {
            Err(Unreceived::InPieces) => self.poll_gathered(deadline),
            found => found != Err(Unreceived::Empty),
        }
    }

    /// Ends this direction for both sides: accepted records are still received, no more are accepted.
    pub fn close(&mut self) {
        self.lane.close();
    }

    /// Whether either side has closed this direction.
    pub fn is_closed(&self) -> bool {
        self.lane.is_closed()
    }

    /// Bytes of room, taken or not; each record takes eight more than its own, rounded up to eight.
    pub fn capacity(&self) -> usize {
        self.lane.capacity() * size_of::<u64>()
    }

    /// Whether nothing was waiting when it looked. The sender may add records meanwhile: a hint.
    pub fn is_empty(&self) -> bool {
        self.lane.len() == 0 && !self.has_record()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.give_up();
    }
}
