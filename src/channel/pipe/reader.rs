//! A record read bit by bit, while it is sent.

use std::fmt;
use std::io::{self, Read};
use std::time::Duration;

use super::writer::Limit;
use super::{ReadGrant, Receiver};
use crate::channel::lane::Unreceived;
use crate::error::{Fault, RecvTimeoutError};
use crate::primitive::copy;
use crate::ring::pieces::Next;

/// The next record, read while it is sent; [`read`](Read::read) says 0 at its end and waits for more before.
///
/// Dropped before anything was read, the record is still the next one. Dropped later, the rest is skipped, and the sender
/// told so if it is not done yet.
///
/// ```
/// use std::io::Read;
/// let (mut here, mut there) = ringway::pipe::pair(4096)?;
/// let sender = std::thread::spawn(move || here.send(&[7; 100_000]));
/// let mut sum = 0;
/// let mut record = there.reader()?;
/// assert_eq!(record.total(), Some(100_000));
/// let mut buffer = [0; 1000];
/// while let 1.. = record.read(&mut buffer)? {
///     sum += u32::from(buffer[0]);
/// }
/// assert!(sum >= 700);
/// # sender.join().unwrap()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct RecordReader<'a> {
    receiver: &'a mut Receiver,
    /// What is read from, and how many of its bytes were.
    piece: Option<(Next, usize)>,
    total: Option<u64>,
    /// Bytes read of what had come before.
    from_partial: usize,
    taken: u64,
    limit: Limit,
    over: bool,
    failure: Option<Unreceived>,
}

impl<'a> RecordReader<'a> {
    /// Waits for the record to begin.
    pub(super) fn begin(receiver: &'a mut Receiver, limit: Limit) -> Result<Self, Unreceived> {
        receiver.forget_forgotten();
        let mut piece = None;
        let mut total = receiver.partial.total();
        if !receiver.partial.is_begun() {
            let next = receiver.next(Some(limit.deadline()))?;
            total = match next {
                Next::Whole(place) => Some(place.len() as u64),
                Next::First(_, total) => total,
                _ => None,
            };
            receiver.check_total(next, total)?;
            piece = Some((next, front(next)));
        }
        let (from_partial, taken) = (0, 0);
        Ok(Self { receiver, piece, total, from_partial, taken, limit, over: false, failure: None })
    }

    /// How long the record is, if its sender knew when it began.
    pub fn total(&self) -> Option<u64> {
        self.total
    }

    /// Has each later wait for more last at most `timeout`: then reading fails with [`io::ErrorKind::TimedOut`]. It may be
    /// tried again.
    pub fn set_timeout(&mut self, timeout: Duration) {
        self.limit = Limit::Each(timeout);
    }

    fn take(&mut self, buffer: &mut [u8]) -> Result<usize, Unreceived> {
        let stored = &self.receiver.partial.bytes()[self.from_partial..];
        if !stored.is_empty() {
            let count = stored.len().min(buffer.len());
            copy(&mut buffer[..count], &stored[..count]);
            self.from_partial += count;
            return Ok(count);
        }
        self.over |= self.receiver.partial.is_complete();
        while !self.over {
            let (next, read) = if let Some(piece) = self.piece {
                piece
            } else {
                let next = self.receiver.next(Some(self.limit.deadline()))?;
                (next, front(next))
            };
            let count = self.copy(next, read, buffer)?;
            if count > 0 {
                return Ok(count);
            }
        }
        Ok(0)
    }

    /// Copies what is left of a piece, and gives it back once nothing is.
    fn copy(&mut self, next: Next, read: usize, buffer: &mut [u8]) -> Result<usize, Unreceived> {
        let (Next::Whole(place) | Next::First(place, _) | Next::Piece(place) | Next::Last(place)) =
            next
        else {
            return Ok(0);
        };
        let grant = ReadGrant::new(self.receiver.lane.parts(), place);
        let count = buffer.len().min(grant.len() - read);
        copy(&mut buffer[..count], &grant[read..read + count]);
        self.taken += count as u64;
        if read + count < place.len() {
            self.piece = Some((next, read + count));
        } else {
            self.receiver.release(next);
            self.piece = None;
            self.over = matches!(next, Next::Whole(_) | Next::Last(_));
        }
        let (len, max) = (self.from_partial as u64 + self.taken, self.receiver.max_len());
        if len > max as u64 {
            self.receiver.give_up();
            let len = usize::try_from(len).unwrap_or(usize::MAX);
            return Err(Unreceived::Failed(Fault::TooLong { len, max }));
        }
        Ok(count)
    }
}

/// Bytes of a piece that are not the record's.
fn front(next: Next) -> usize {
    if matches!(next, Next::First(..)) { size_of::<u64>() } else { 0 }
}

impl Drop for RecordReader<'_> {
    fn drop(&mut self) {
        if self.taken == 0 && self.from_partial == 0 && !self.over {
            return;
        }
        match self.piece {
            Some((next, _)) if !self.receiver.lane.is_inherited() => self.receiver.release(next),
            _ => {}
        }
        self.receiver.give_up();
    }
}

/// `Empty` here means that time ran out.
fn failed(why: Unreceived) -> io::Error {
    let error = RecvTimeoutError::from(why);
    let kind = match error {
        RecvTimeoutError::Timeout => io::ErrorKind::TimedOut,
        RecvTimeoutError::Closed | RecvTimeoutError::Disconnected => io::ErrorKind::BrokenPipe,
        RecvTimeoutError::Failed(Fault::CutShort) => io::ErrorKind::UnexpectedEof,
        RecvTimeoutError::Failed(Fault::TooLong { .. }) => io::ErrorKind::FileTooLarge,
        RecvTimeoutError::Failed(_) => io::ErrorKind::Other,
    };
    io::Error::new(kind, error)
}

/// Errors have a [`RecvTimeoutError`] inside. One that waiting does not mend comes again.
impl Read for RecordReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        if let Some(why) = self.failure {
            return Err(failed(why));
        }
        self.take(buffer).map_err(|why| {
            if why != Unreceived::Empty {
                (self.failure, self.piece) = (Some(why), None);
            }
            failed(why)
        })
    }
}

impl fmt::Debug for RecordReader<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RecordReader({} of {:?})", self.taken, self.total)
    }
}
