//! A record written bit by bit, which the other side may read meanwhile.
//!
//! What is written lies in a piece that was reserved in the ring. The piece becomes visible when more is written than it
//! holds, when it is flushed, or as the last one with the commit. A record that fits one piece goes whole.

use std::fmt;
use std::io::{self, Write};
use std::time::Duration;

use super::{Sender, WriteGrant};
use crate::channel::lane::Unsent;
use crate::error::{Fault, SendError, SendTimeoutError};
use crate::event::Deadline;
use crate::primitive::copy;
use crate::ring::bytes::{self, Place};

/// How long each wait may last.
#[derive(Clone, Copy, Debug)]
pub(super) enum Limit {
    /// All of them together end here.
    Until(Deadline),
    /// Each this long.
    Each(Duration),
}

impl Limit {
    pub(super) fn deadline(self) -> Deadline {
        match self {
            Limit::Until(deadline) => deadline,
            Limit::Each(timeout) => Deadline::after(timeout),
        }
    }
}

/// A record to write piece by piece, then [`commit`](Self::commit): of any length, which need not be known.
///
/// The receiver may read what was written while more is written, and a [`write`](Write::write) waits for it where the pipe
/// is full. Dropped without a commit, or if this process dies before, the record is *cut short*: nothing of it was sent if nothing
/// was visible yet, else the receiver gets [`Fault::CutShort`] in place of it. The next record is unharmed either way.
///
/// ```
/// use std::io::Write;
/// let (mut here, mut there) = ringway::pipe::pair(4096)?;
/// let mut record = here.begin()?;
/// write!(record, "{} bottles", 99)?;
/// record.commit()?;
/// assert_eq!(there.recv()?, b"99 bottles");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "dropping a record that is not committed cuts it short"]
pub struct RecordWriter<'a> {
    sender: &'a mut Sender,
    /// The piece in hand, and how many of its bytes are written.
    piece: Option<(Place, usize)>,
    total: Option<u64>,
    written: u64,
    limit: Limit,
    committed: bool,
}

impl<'a> RecordWriter<'a> {
    pub(super) fn new(sender: &'a mut Sender, total: Option<u64>, limit: Limit) -> Self {
        Self { sender, piece: None, total, written: 0, limit, committed: false }
    }

    /// Has each later wait for room last at most `timeout`: then writing fails with [`io::ErrorKind::TimedOut`]. It may be tried
    /// again.
    pub fn set_timeout(&mut self, timeout: Duration) {
        self.limit = Limit::Each(timeout);
    }

    /// How many bytes were written.
    pub fn written(&self) -> u64 {
        self.written
    }

    /// Sends the record.
    ///
    /// # Errors
    ///
    /// [`SendError::Closed`] and [`SendError::Disconnected`] if the receiver cannot get all of it any more,
    /// [`Fault::CutShort`] if it gave the record up in the middle; then it was not sent.
    pub fn commit(self) -> Result<(), SendError<()>> {
        self.end().map_err(|why| why.give_back_final(()))
    }

    pub(super) fn put_all(&mut self, mut bytes: &[u8]) -> Result<(), Unsent> {
        while !bytes.is_empty() {
            bytes = &bytes[self.put(bytes)?..];
        }
        Ok(())
    }

    fn put(&mut self, bytes: &[u8]) -> Result<usize, Unsent> {
        let len = self.written.saturating_add(bytes.len() as u64);
        if len > self.sender.lane.max_record() {
            return Err(self.sender.too_long(len));
        }
        let (place, filled) = self.room(bytes.len())?;
        let mut grant = WriteGrant::new(self.sender.lane.parts(), place);
        let count = bytes.len().min(grant.len() - filled);
        copy(&mut grant[filled..filled + count], &bytes[..count]);
        self.piece = Some((place, filled + count));
        self.written += count as u64;
        Ok(count)
    }

    /// A piece with room for one of `len` more bytes at least.
    fn room(&mut self, len: usize) -> Result<(Place, usize), Unsent> {
        match self.piece {
            Some((place, filled)) if filled < place.len() => return Ok((place, filled)),
            Some(_) => self.publish()?,
            None => {}
        }
        let rest = self.total.map_or(u64::MAX, |total| total - self.written);
        let wanted = usize::try_from(rest).unwrap_or(usize::MAX).max(len);
        let outgoing = self.sender.outgoing;
        let reserved = self.sender.lane.wait(self.limit.deadline(), |ring, side| {
            if outgoing.is_unwanted(ring) {
                return Ok(None);
            }
            outgoing.reserve(ring, side, wanted).map(Some)
        })?;
        let place = reserved.ok_or(Unsent::Failed(Fault::CutShort))?;
        Ok((place, outgoing.front()))
    }

    /// Makes the piece in hand visible.
    fn publish(&mut self) -> Result<(), Unsent> {
        let (Some(piece), total) = (self.piece, self.total) else { return Ok(()) };
        let Sender { lane, outgoing, .. } = &mut *self.sender;
        let awaited = lane.attempt(|ring, side| outgoing.publish(ring, side, piece, total));
        self.piece = None;
        self.sender.mark();
        self.sender.lane.notify_if(awaited?);
        Ok(())
    }

    pub(super) fn end(mut self) -> Result<(), Unsent> {
        let (deadline, piece) = (self.limit.deadline(), self.piece);
        let Sender { lane, outgoing, .. } = &mut *self.sender;
        let awaited = if piece.is_none() && !outgoing.is_open() {
            lane.wait(deadline, |ring, side| bytes::push(ring, side, b""))?
        } else {
            lane.attempt(|ring, side| {
                if outgoing.is_unwanted(ring) {
                    return Ok(None);
                }
                match piece {
                    Some(piece) => outgoing.finish(ring, side, piece).map(Some),
                    None => outgoing.finish_empty(ring, side).map(Some),
                }
            })?
            .ok_or(Unsent::Failed(Fault::CutShort))?
        };
        self.committed = true;
        self.sender.lane.notify_if(awaited);
        Ok(())
    }
}

impl Drop for RecordWriter<'_> {
    fn drop(&mut self) {
        if self.committed {
            self.sender.mark();
        } else {
            self.sender.cut_short();
        }
    }
}

/// `Full` here means that time ran out.
fn failed(why: Unsent) -> io::Error {
    let error = why.give_back_late(());
    let kind = match error {
        SendTimeoutError::Timeout(()) => io::ErrorKind::TimedOut,
        SendTimeoutError::Closed(()) | SendTimeoutError::Disconnected(()) => {
            io::ErrorKind::BrokenPipe
        }
        SendTimeoutError::Failed((), Fault::TooLong { .. }) => io::ErrorKind::FileTooLarge,
        SendTimeoutError::Failed((), _) => io::ErrorKind::Other,
    };
    io::Error::new(kind, error)
}

/// Errors have a [`SendTimeoutError`] inside.
impl Write for RecordWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if bytes.is_empty() {
            return Ok(0);
        }
        self.put(bytes).map_err(failed)
    }

    /// Makes what was written visible to the receiver now. It costs a header of eight bytes each time.
    fn flush(&mut self) -> io::Result<()> {
        self.publish().map_err(failed)
    }
}

impl fmt::Debug for RecordWriter<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RecordWriter({} written)", self.written)
    }
}
