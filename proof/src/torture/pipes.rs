//! Torture of a pipe one way: who sends and who receives are killed in the middle of records, whole ones and ones in pieces, and replaced.
//!
//! Whoever comes takes the end that is free, so both processes are alike. A pipe forgets what it gave to a receiver that dies, so of each
//! dead one a record may be lost, and of each that was in the middle of one; all others come whole, once, in order.

mod round;

use std::io::{self, Read, Write};
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use ringway::pipe::{Connection, Direction, Receiver, Sender};
use ringway::{
    ErrorKind, Fault as Failure, RecvError, RecvTimeoutError, SendError, SendTimeoutError,
};

use super::board::{Board, Lane};
use super::child::{Part, pause};
use super::fault::Fault;
use super::ledger::{ABORTED, IN_DEAD_HAND, MEANT, REFUSED, Receipt, SENT};
use super::long;
use super::message::{Message, Random};
use super::{Problem, os};

pub use round::run;

const NAMESPACE: &str = "torture-pipes";

fn options() -> ringway::Options<Connection> {
    Connection::options().namespace(NAMESPACE).direction(Direction::Send)
}

/// One process: it takes the end that is free and does what it is for.
pub fn play(part: &Part, board: Board) -> Result<(), Problem> {
    let seat = board.seat(part.seat);
    let mut random = Random::new(seat.seed.load(Relaxed));
    while !board.is_leaving() {
        let recheck = Duration::from_millis(random.of(&[1, 5, 20]));
        let (sender, receiver) = match options().recheck(recheck).open(&part.queue) {
            Ok(end) => end.split(),
            // The one before has just died, or is about to leave.
            Err(why) if matches!(why.kind(), ErrorKind::EndTaken(_) | ErrorKind::Contended) => {
                pause();
                continue;
            }
            Err(why) => return Err(why.into()),
        };
        let operations = 1 << random.below(12);
        let mut side = Side { board, seat: part.seat, lane: &seat.lanes[0], random: &mut random };
        match (sender, receiver) {
            (Some(sender), _) => side.send_all(sender, operations)?,
            (None, Some(receiver)) => side.receive_all(receiver, operations)?,
            (None, None) => return Err("an end of nothing".into()),
        }
    }
    Ok(())
}

struct Side<'r> {
    board: Board,
    seat: usize,
    lane: &'static Lane,
    random: &'r mut Random,
}

impl Side<'_> {
    fn send_all(&mut self, mut sender: Sender, operations: u64) -> Result<(), Problem> {
        let mut numbers = 0..0;
        for number in 0..operations {
            if numbers.is_empty() {
                let Some(more) = self.board.more_numbers() else { break };
                numbers = more;
            }
            let Some(id) = numbers.next().filter(|_| !self.board.is_leaving()) else { break };
            self.lane.first.store(id, Relaxed);
            self.lane.arm(1, false);
            self.board.ledger().note(id, MEANT);
            let stream = self.seat as u64;
            let message = Message { id, stream, number, sent_at: os::now() };
            let key = self.board.key();
            let mut record = vec![0; long::len(id, key)];
            long::write(&message.words(key), &mut record, || {});
            let bits = self.send(&mut sender, &record, id)?;
            self.board.ledger().note(id, bits);
            self.lane.disarm();
            if bits == REFUSED {
                pause();
            }
        }
        Ok(())
    }

    /// What became of it.
    fn send(&mut self, sender: &mut Sender, record: &[u8], id: u64) -> Result<u32, Problem> {
        let sent = match self.random.below(6) {
            0 => {
                let patience = Duration::from_micros(self.random.below(3000));
                sender.send_timeout(record, patience).map_err(|why| match why {
                    SendTimeoutError::Timeout(())
                    | SendTimeoutError::Disconnected(())
                    | SendTimeoutError::Failed((), Failure::CutShort) => None,
                    why => Some(why.to_string()),
                })
            }
            1 | 2 => match self.write(sender, record, id) {
                Ok(true) => Ok(()),
                Ok(false) => return Ok(ABORTED),
                Err(why) => Err(why),
            },
            _ => sender.send(record).map_err(refused),
        };
        match sent {
            Ok(()) => Ok(SENT),
            Err(None) => Ok(REFUSED),
            Err(Some(why)) => Err(Problem(format!("sending a record: {why}"))),
        }
    }

    /// Bit by bit; true if it was committed.
    fn write(
        &mut self,
        sender: &mut Sender,
        record: &[u8],
        id: u64,
    ) -> Result<bool, Option<String>> {
        let mut writer = sender.begin().map_err(refused)?;
        let step = 1 + usize::try_from(self.random.below(5000)).unwrap_or(0);
        let gives_up = self.random.one_in(4);
        let most = if gives_up { self.random.below(record.len() as u64) } else { u64::MAX };
        for bytes in record.chunks(step) {
            if writer.written() > most {
                break;
            }
            let done = writer.write_all(bytes);
            let flushed = if self.random.one_in(4) { writer.flush() } else { Ok(()) };
            done.and(flushed).map_err(|why| cut(&why))?;
        }
        if gives_up {
            self.board.ledger().note(id, ABORTED);
            drop(writer);
            return Ok(false);
        }
        writer.commit().map_err(refused).map(|()| true)
    }

    fn receive_all(&mut self, mut receiver: Receiver, operations: u64) -> Result<(), Problem> {
        let mut done = 0;
        while done < operations || self.board.is_leaving() {
            done += 1;
            match self.receive(&mut receiver)? {
                Got::Gone if self.board.is_leaving() => break,
                Got::Gone => pause(),
                Got::Record | Got::Nothing => {}
            }
        }
        // What it has of a record goes with it.
        self.board.seat(self.seat).put_back.fetch_add(1, Relaxed);
        Ok(())
    }

    /// A record, in one of the ways that there are.
    fn receive(&mut self, receiver: &mut Receiver) -> Result<Got, Problem> {
        self.lane.arm(1, true);
        let is_flagged = receiver.is_redelivered();
        let patience = Duration::from_micros(self.random.below(5000));
        let record = match self.random.below(6) {
            0 => receiver.recv_timeout(patience),
            1 => {
                let mut buffer = vec![0; self.random.of(&[long::SLOT, 4096, long::LONGEST])];
                let len = receiver.recv_into_timeout(&mut buffer, patience);
                len.map(|len| buffer[..len].to_vec())
            }
            2 | 3 => self.read(receiver),
            _ => receiver.recv().map_err(|why| match why {
                RecvError::Disconnected => RecvTimeoutError::Disconnected,
                RecvError::Failed(fault) => RecvTimeoutError::Failed(fault),
                _ => RecvTimeoutError::Closed,
            }),
        };
        let got = match record {
            Ok(record) => {
                self.note(&record, is_flagged);
                Got::Record
            }
            Err(RecvTimeoutError::Disconnected) => Got::Gone,
            Err(
                RecvTimeoutError::Timeout
                | RecvTimeoutError::Failed(Failure::BufferTooShort { .. }),
            ) => Got::Nothing,
            Err(RecvTimeoutError::Failed(Failure::CutShort)) => {
                self.board.seat(self.seat).disconnects.fetch_add(1, Relaxed);
                Got::Nothing
            }
            Err(RecvTimeoutError::Failed(Failure::LostInPart)) => {
                self.board.seat(self.seat).letters_again.fetch_add(1, Relaxed);
                Got::Nothing
            }
            Err(why) => return Err(Problem(format!("receiving a record: {why}"))),
        };
        self.lane.disarm();
        Ok(got)
    }

    /// While it is sent; now and then it is given up in the middle.
    fn read(&mut self, receiver: &mut Receiver) -> Result<Vec<u8>, RecvTimeoutError> {
        let mut reader = receiver.reader().map_err(|why| match why {
            RecvError::Disconnected => RecvTimeoutError::Disconnected,
            RecvError::Failed(fault) => RecvTimeoutError::Failed(fault),
            _ => RecvTimeoutError::Closed,
        })?;
        let gives_up = self.random.one_in(8);
        let mut record = Vec::new();
        let mut buffer = [0; 3000];
        loop {
            match reader.read(&mut buffer) {
                Ok(0) => return Ok(record),
                Ok(count) => record.extend(&buffer[..count]),
                Err(why) => {
                    let why = why.get_ref().and_then(|why| why.downcast_ref());
                    return Err(why.copied().unwrap_or(RecvTimeoutError::Closed));
                }
            }
            if gives_up && !record.is_empty() {
                self.give_up(&record);
                return Err(RecvTimeoutError::Timeout);
            }
        }
    }

    /// Nobody gets this record, unless it comes to nothing anyway.
    fn give_up(&self, beginning: &[u8]) {
        if let Some(id) = long::number(beginning) {
            self.board.ledger().note(id, IN_DEAD_HAND);
        } else {
            self.board.seat(self.seat).put_back.fetch_add(1, Relaxed);
        }
    }

    /// Whole, meant, not withdrawn, once, in order.
    fn note(&self, record: &[u8], is_flagged: bool) {
        let complain = |fault, id, entry| self.board.complain(fault, self.seat, id, entry);
        let message = match long::read(record, self.board.key()) {
            Ok(message) => message,
            Err(id) => return complain(Fault::Torn, id, 0),
        };
        let how = if is_flagged { Receipt::Flagged } else { Receipt::Plain };
        let (before, fault) = self.board.ledger().receive(message.id, how, false);
        if let Some(fault) = fault {
            complain(fault, message.id, before.0);
        }
        if before.receipts() > 0 || !self.board.is_next(message.id) {
            complain(Fault::OutOfOrder, message.id, before.0);
        }
        self.board.receipt(message.sent_at);
    }
}

enum Got {
    Record,
    Nothing,
    Gone,
}

/// Nothing if it could not be for lack of a receiver, or since that gave it up.
fn refused(why: SendError<()>) -> Option<String> {
    match why {
        SendError::Disconnected(()) | SendError::Failed((), Failure::CutShort) => None,
        why => Some(why.to_string()),
    }
}

fn cut(why: &io::Error) -> Option<String> {
    match why.get_ref().and_then(|why| why.downcast_ref::<SendTimeoutError<()>>()) {
        Some(
            SendTimeoutError::Disconnected(()) | SendTimeoutError::Failed((), Failure::CutShort),
        ) => None,
        _ => Some(why.to_string()),
    }
}
