//! A thread that sends in every way that there is, and notes what it means to send before and what came of it after.

use std::ops::Range;
use std::sync::atomic::Ordering::{Relaxed, Release};
use std::time::Duration;

use ringway::queue::{Queue, Sender};
use ringway::{SendError, SendTimeoutError, TrySendError};

use super::board::{Board, LANES, Lane, MOST, SEATS, somebody_stayed};
use super::child::{Part, Style, pause};
use super::fault::Fault;
use super::ledger::{ABORTED, MEANT, REFUSED, SENT};
use super::load::Load;
use super::long;
use super::message::{Message, Random, Words};
use super::{Problem, os};

/// What came of an operation, for the messages from `sent` on.
pub enum Outcome {
    /// All were sent.
    Sent,
    /// Only so many were.
    Only(usize),
    /// None was, since the receivers have gone.
    Gone(usize),
    /// It may not be.
    Wrong(String),
}

/// A sending thread.
pub struct Sending<'p> {
    part: &'p Part,
    board: Board,
    lane: &'static Lane,
    key: u64,
    stream: u64,
    number: u64,
    numbers: Range<u64>,
    random: Random,
    style: Style,
}

impl<'p> Sending<'p> {
    /// A thread of `part` at `lane`, in the part's stay number `stay`.
    pub fn new(part: &'p Part, board: Board, lane: usize, stay: u64, mut random: Random) -> Self {
        let style = random.of(&[Style::Eager, Style::Eager, Style::Paced, Style::Slow]);
        let stream = (stay * SEATS as u64 + part.seat as u64) * LANES as u64 + lane as u64;
        let lane = &board.seat(part.seat).lanes[lane];
        let key = board.key();
        Self { part, board, lane, key, stream, number: 0, numbers: 0..0, random, style }
    }

    /// Sends until it has done enough, or everybody is to leave.
    pub fn run<L: Load + ?Sized>(
        mut self,
        queue: &Queue<L>,
        operations: u64,
    ) -> Result<(), Problem> {
        let sender = queue.sender();
        for _ in 0..operations {
            if self.board.is_leaving() {
                break;
            }
            let count = match self.random.below(4) {
                0 => 1 + self.random.below(L::MOST),
                _ => 1,
            };
            let Some(ids) = self.take(count) else { break };
            if self.random.one_in(4096) {
                queue.recover()?;
            }
            let receivers = self.board.stays(self.part.others());
            match L::send(&mut self, &sender, &ids) {
                Outcome::Sent => self.settle(&ids, SENT),
                Outcome::Only(sent) => self.settle_some(&ids, sent as u64),
                Outcome::Gone(sent) => {
                    self.settle_some(&ids, sent as u64);
                    self.was_told_gone(&receivers, ids.start);
                }
                Outcome::Wrong(why) => {
                    self.board.complain(Fault::Answer, self.part.seat, ids.start, 0);
                    return Err(Problem(format!("sending: {why}")));
                }
            }
            self.style.work(&mut self.random, false);
        }
        Ok(())
    }

    /// Numbers of messages, noted as meant to be sent; `None` once the ledger is full.
    fn take(&mut self, count: u64) -> Option<Range<u64>> {
        if self.numbers.end - self.numbers.start < count {
            self.numbers = self.board.more_numbers()?;
        }
        let ids = self.numbers.start..self.numbers.start + count;
        self.numbers.start = ids.end;
        self.lane.first.store(ids.start, Relaxed);
        self.lane.armed.store(count, Release);
        for id in ids.clone() {
            self.board.ledger().note(id, MEANT);
        }
        Some(ids)
    }

    fn settle(&self, ids: &Range<u64>, bits: u32) {
        for id in ids.clone() {
            self.board.ledger().note(id, bits);
        }
        self.lane.disarm();
    }

    fn settle_some(&self, ids: &Range<u64>, sent: u64) {
        let first_unsent = ids.start + sent;
        for id in ids.clone() {
            self.board.ledger().note(id, if id < first_unsent { SENT } else { REFUSED });
        }
        self.lane.disarm();
    }

    /// The receivers have gone, it was told: true only if none was there all the time.
    fn was_told_gone(&mut self, receivers: &[u64; SEATS], id: u64) {
        if somebody_stayed(receivers, &self.board.stays(self.part.others())) {
            self.board.complain(Fault::FalseDisconnect, self.part.seat, id, 0);
        }
        self.board.seat(self.part.seat).disconnects.fetch_add(1, Relaxed);
        pause();
    }

    fn next(&mut self, id: u64) -> Words {
        let (stream, number) = (self.stream, self.number);
        self.number += 1;
        Message { id, stream, number, sent_at: os::now() }.words(self.key)
    }

    /// Sends messages `ids` in one of the ways that there are.
    pub fn send(&mut self, sender: &Sender<Words>, ids: &Range<u64>) -> Outcome {
        let mut messages = [[0; 8]; MOST];
        let mut count = 0;
        for (place, id) in messages.iter_mut().zip(ids.clone()) {
            *place = self.next(id);
            count += 1;
        }
        let messages = &messages[..count];
        if count > 1 {
            return match self.random.below(2) {
                0 => outcome_of_all(sender.send_batch(messages)),
                _ => outcome_of_some(sender.try_send_batch(messages)),
            };
        }
        match self.random.below(8) {
            0 => match sender.try_send(messages[0]) {
                Err(TrySendError::Full(message)) => outcome(sender.send(message)),
                Err(TrySendError::Disconnected(_)) => Outcome::Gone(0),
                Err(why) => Outcome::Wrong(why.to_string()),
                Ok(()) => Outcome::Sent,
            },
            1 => {
                let patience = Duration::from_micros(self.random.below(2000));
                outcome_in_time(sender.send_timeout(messages[0], patience))
            }
            2 | 3 => self.reserve(sender, ids.start, &messages[0]),
            _ => outcome(sender.send(messages[0])),
        }
    }

    /// Fills a place in the queue, word by word, and commits it or does not.
    fn reserve(&mut self, sender: &Sender<Words>, id: u64, message: &Words) -> Outcome {
        let mut grant = match sender.reserve() {
            Ok(grant) => grant,
            Err(SendError::Disconnected(())) => return Outcome::Gone(0),
            Err(why) => return Outcome::Wrong(why.to_string()),
        };
        let (first, rest) = message.split_at(4);
        grant[..4].copy_from_slice(first);
        self.style.work(&mut self.random, true);
        grant[4..].copy_from_slice(rest);
        if self.random.one_in(4) {
            self.board.ledger().note(id, ABORTED);
            drop(grant);
            return Outcome::Only(0);
        }
        match grant.commit() {
            Ok(()) => Outcome::Sent,
            Err(why) => Outcome::Wrong(why.to_string()),
        }
    }
}

/// Messages of all lengths.
impl Sending<'_> {
    /// Sends message `id` in one of the ways that there are.
    pub fn send_long(&mut self, sender: &Sender<[u8]>, id: u64) -> Outcome {
        let (words, len) = (self.next(id), long::len(id, self.key));
        let way = self.random.below(8);
        if way >= 4 {
            return self.reserve_long(sender, id, &words, len);
        }
        let mut message = vec![0; len];
        long::write(&words, &mut message, || {});
        match way {
            0 => match sender.try_send(&message) {
                Err(TrySendError::Full(())) => outcome(sender.send(&message)),
                Err(TrySendError::Disconnected(())) => Outcome::Gone(0),
                Err(why) => Outcome::Wrong(why.to_string()),
                Ok(()) => Outcome::Sent,
            },
            1 => {
                let patience = Duration::from_micros(self.random.below(2000));
                outcome_in_time(sender.send_timeout(&message, patience))
            }
            _ => outcome(sender.send(&message)),
        }
    }

    /// Fills a place in the queue, in two steps, and commits it or does not. It may be longer than the message.
    fn reserve_long(
        &mut self,
        sender: &Sender<[u8]>,
        id: u64,
        words: &Words,
        len: usize,
    ) -> Outcome {
        let spare = usize::try_from(self.random.below(2048)).unwrap_or(0);
        let room = if self.random.one_in(4) { (len + spare).min(long::LONGEST) } else { len };
        let mut grant = match sender.reserve(room) {
            Ok(grant) => grant,
            Err(SendError::Disconnected(())) => return Outcome::Gone(0),
            Err(why) => return Outcome::Wrong(why.to_string()),
        };
        let (style, random) = (self.style, &mut self.random);
        long::write(words, &mut grant[..len], || style.work(random, true));
        if self.random.one_in(4) {
            self.board.ledger().note(id, ABORTED);
            drop(grant);
            return Outcome::Only(0);
        }
        grant.truncate(len);
        match grant.commit() {
            Ok(()) => Outcome::Sent,
            Err(why) => Outcome::Wrong(why.to_string()),
        }
    }
}

fn outcome<T>(result: Result<(), SendError<T>>) -> Outcome {
    match result {
        Ok(()) => Outcome::Sent,
        Err(SendError::Disconnected(_)) => Outcome::Gone(0),
        Err(why) => Outcome::Wrong(why.to_string()),
    }
}

fn outcome_in_time<T>(result: Result<(), SendTimeoutError<T>>) -> Outcome {
    match result {
        Ok(()) => Outcome::Sent,
        Err(SendTimeoutError::Timeout(_)) => Outcome::Only(0),
        Err(SendTimeoutError::Disconnected(_)) => Outcome::Gone(0),
        Err(why) => Outcome::Wrong(why.to_string()),
    }
}

fn outcome_of_all(result: Result<(), SendError<usize>>) -> Outcome {
    match result {
        Ok(()) => Outcome::Sent,
        Err(SendError::Disconnected(sent)) => Outcome::Gone(sent),
        Err(why) => Outcome::Wrong(why.to_string()),
    }
}

fn outcome_of_some(result: Result<usize, TrySendError<()>>) -> Outcome {
    match result {
        Ok(sent) => Outcome::Only(sent),
        Err(TrySendError::Full(())) => Outcome::Only(0),
        Err(TrySendError::Disconnected(())) => Outcome::Gone(0),
        Err(why) => Outcome::Wrong(why.to_string()),
    }
}
