//! The sending half of an end.

use std::time::Duration;

use super::writer::Limit;
use super::{RecordWriter, WriteGrant};
use crate::channel::lane::{SendLane, Unsent};
use crate::error::{Fault, SendError, SendTimeoutError, TrySendError};
use crate::event::Deadline;
use crate::ring::bytes;
use crate::ring::pieces::Outgoing;

/// The sending half of an end.
#[derive(Debug)]
pub struct Sender {
    pub(super) lane: SendLane<u64>,
    /// Records may go in pieces.
    streams: bool,
    /// The record in pieces that is not over.
    pub(super) outgoing: Outgoing,
    /// Records shorter than this go whole and at once; none while another is not over.
    plain: usize,
}

impl Sender {
    pub(super) fn new(lane: SendLane<u64>, streams: bool) -> Self {
        let mut sender = Self { lane, streams, outgoing: Outgoing::default(), plain: 0 };
        if streams {
            let (ring, side, _) = sender.lane.parts();
            sender.outgoing = Outgoing::resume(ring, side);
        }
        sender.cut_short();
        sender
    }

    fn longest_whole(&self) -> usize {
        bytes::max_record(self.lane.capacity() as u64)
    }

    /// The longest record that can be sent, in bytes. The receiver may set a limit, at any time.
    pub fn max_len(&self) -> usize {
        let accepted = usize::try_from(self.lane.max_record()).unwrap_or(usize::MAX);
        if self.streams { accepted } else { accepted.min(self.longest_whole()) }
    }

    /// The longest record that goes whole, in bytes: half the capacity, less a word. Only such are sent by calls that do not
    /// wait, filled in place, and looked at in place.
    pub fn max_whole_len(&self) -> usize {
        self.longest_whole().min(self.max_len())
    }

    /// Whether a record of `len` bytes takes more than finding room.
    #[inline(always)]
    fn is_rare(&self, len: usize) -> bool {
        len >= self.plain || len as u64 > self.lane.max_record()
    }

    #[cold]
    pub(super) fn too_long(&self, len: u64) -> Unsent {
        let len = usize::try_from(len).unwrap_or(usize::MAX);
        Unsent::Failed(Fault::TooLong { len, max: self.max_len() })
    }

    /// After a record in pieces has begun or ended.
    pub(super) fn mark(&mut self) {
        self.plain = if self.outgoing.is_open() { 0 } else { self.longest_whole() + 1 };
    }

    /// Cuts a record short that is not over. It does not wait: there is room for that.
    pub(super) fn cut_short(&mut self) {
        if self.outgoing.is_open() && !self.lane.is_inherited() {
            let (ring, side, event) = self.lane.parts();
            if self.outgoing.cut(ring, side) == Ok(true) {
                event.notify(1);
            }
        }
        self.mark();
    }

    /// Cuts a record short that is not over, or says why nothing can be sent.
    fn settle(&mut self) -> Result<(), Unsent> {
        let outgoing = &mut self.outgoing;
        let awaited = self.lane.attempt(|ring, side| outgoing.cut(ring, side))?;
        self.lane.notify_if(awaited);
        self.mark();
        Ok(())
    }

    /// Why a record of `len` bytes cannot go whole, if so.
    #[cold]
    fn prepare(&mut self, len: usize) -> Result<(), Unsent> {
        match () {
            () if len > self.max_len() => Err(self.too_long(len as u64)),
            () if len > self.longest_whole() && self.streams => {
                Err(Unsent::Failed(Fault::InPieces))
            }
            () => self.settle(),
        }
    }

    /// Sends `record` if there is room now.
    ///
    /// It is accepted once this returns `Ok`: the receiver, or its successor, will find it.
    ///
    /// # Errors
    ///
    /// Why it was not sent; [`Fault::InPieces`] if it is longer than [`max_whole_len`](Self::max_whole_len).
    pub fn try_send(&mut self, record: &[u8]) -> Result<(), TrySendError<()>> {
        if self.is_rare(record.len()) {
            self.prepare(record.len()).map_err(|why| why.give_back(()))?;
        }
        let pushed = self.lane.attempt(|ring, side| bytes::push(ring, side, record));
        let awaited = pushed.map_err(|why| why.give_back(()))?;
        self.lane.notify_if(awaited);
        Ok(())
    }

    /// Sends `record`, waiting for room; a long one goes in pieces, while the receiver reads.
    ///
    /// # Errors
    ///
    /// Why it cannot be sent; [`Fault::CutShort`] if the receiver gave it up in the middle.
    pub fn send(&mut self, record: &[u8]) -> Result<(), SendError<()>> {
        self.send_until(record, Deadline::NEVER).map_err(|why| why.give_back_final(()))
    }

    /// Sends `record`, waiting for room at most `timeout`. Zero tries once.
    ///
    /// Of a record in pieces all must have found room by then; else the receiver gets [`Fault::CutShort`] in place of it.
    ///
    /// # Errors
    ///
    /// Why it was not sent.
    pub fn send_timeout(
        &mut self,
        record: &[u8],
        timeout: Duration,
    ) -> Result<(), SendTimeoutError<()>> {
        self.send_until(record, Deadline::after(timeout)).map_err(|why| why.give_back_late(()))
    }

    fn send_until(&mut self, record: &[u8], deadline: Deadline) -> Result<(), Unsent> {
        if self.is_rare(record.len()) {
            match self.prepare(record.len()) {
                Err(Unsent::Failed(Fault::InPieces)) => {
                    return self.send_in_pieces(record, deadline);
                }
                prepared => prepared?,
            }
        }
        let awaited = self.lane.wait(deadline, |ring, side| bytes::push(ring, side, record))?;
        self.lane.notify_if(awaited);
        Ok(())
    }

    #[cold]
    fn send_in_pieces(&mut self, record: &[u8], deadline: Deadline) -> Result<(), Unsent> {
        self.settle()?;
        let total = Some(record.len() as u64);
        let mut writer = RecordWriter::new(self, total, Limit::Until(deadline));
        writer.put_all(record)?;
        writer.end()
    }

    /// Begins a record that is written bit by bit, of any length up to [`max_len`](Self::max_len).
    ///
    /// # Errors
    ///
    /// [`Fault::InPieces`] if the pipe is one of [whole records](crate::Options::whole_records), and why nothing can be sent at all.
    pub fn begin(&mut self) -> Result<RecordWriter<'_>, SendError<()>> {
        if !self.streams {
            return Err(SendError::Failed((), Fault::InPieces));
        }
        self.settle().map_err(|why| why.give_back_final(()))?;
        Ok(RecordWriter::new(self, None, Limit::Until(Deadline::NEVER)))
    }

    /// Room for a record of `len` bytes, to fill in place and commit, if there is room now.
    ///
    /// # Errors
    ///
    /// Why there is none; [`Fault::InPieces`] if it is longer than [`max_whole_len`](Self::max_whole_len).
    pub fn try_reserve(&mut self, len: usize) -> Result<WriteGrant<'_>, TrySendError<()>> {
        if self.is_rare(len) {
            self.prepare(len).map_err(|why| why.give_back(()))?;
        }
        let reserved = self.lane.attempt(|ring, side| bytes::reserve(ring, side, len));
        let place = reserved.map_err(|why| why.give_back(()))?;
        Ok(WriteGrant::new(self.lane.parts(), place))
    }

    /// Room for a record of `len` bytes, waiting for it.
    ///
    /// # Errors
    ///
    /// Why there can be none, as for [`try_reserve`](Self::try_reserve).
    pub fn reserve(&mut self, len: usize) -> Result<WriteGrant<'_>, SendError<()>> {
        self.reserve_until(len, Deadline::NEVER).map_err(|why| why.give_back_final(()))
    }

    /// Room for a record of `len` bytes, waiting for it at most `timeout`. Zero tries once.
    ///
    /// # Errors
    ///
    /// Why there was none, as for [`try_reserve`](Self::try_reserve).
    pub fn reserve_timeout(
        &mut self,
        len: usize,
        timeout: Duration,
    ) -> Result<WriteGrant<'_>, SendTimeoutError<()>> {
        self.reserve_until(len, Deadline::after(timeout)).map_err(|why| why.give_back_late(()))
    }

    fn reserve_until(&mut self, len: usize, deadline: Deadline) -> Result<WriteGrant<'_>, Unsent> {
        if self.is_rare(len) {
            self.prepare(len)?;
        }
        let place = self.lane.wait(deadline, |ring, side| bytes::reserve(ring, side, len))?;
        Ok(WriteGrant::new(self.lane.parts(), place))
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
}

impl Drop for Sender {
    fn drop(&mut self) {
        self.cut_short();
    }
}
