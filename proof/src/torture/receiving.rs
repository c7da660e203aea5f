//! A thread that receives in every way that there is, and notes each message before it acknowledges it, where it can.
#![allow(unsafe_code, reason = "a batch is received into memory that outlives the process")]

use std::collections::HashMap;
use std::sync::atomic::Ordering::{Relaxed, Release};
use std::time::Duration;

use ringway::queue::{Delivery, Queue, Receiver};
use ringway::{RecvError, RecvTimeoutError, TryRecvError};

use super::Problem;
use super::board::{Board, Lane, MOST, SEATS, Seat, somebody_stayed};
use super::child::{Part, Style, pause};
use super::fault::Fault;
use super::ledger::{DEAD_LETTER, Receipt};
use super::load::Load;
use super::long;
use super::message::{Message, Random, Words};

/// Guards that a thread holds at once.
const HELD: u64 = 4;

/// What came of an operation that got nothing.
#[derive(Debug)]
pub enum Dry {
    /// Nothing was there in time.
    Nothing,
    /// The senders have gone.
    Gone,
    /// The buffer was too short.
    TooShort,
    /// It may not be.
    Wrong(String),
}

/// The notes of one thread that receives.
pub struct Notes {
    board: Board,
    seat: usize,
    lane: &'static Lane,
    key: u64,
    at_most_once: bool,
    /// The number of the last message of each stream.
    last: HashMap<u64, u64>,
}

impl Notes {
    /// A thread at `seat` and `lane`.
    pub fn new(board: Board, seat: usize, lane: usize) -> Self {
        let (key, at_most_once) = (board.key(), board.at_most_once());
        let lane = &board.seat(seat).lanes[lane];
        Self { board, seat, lane, key, at_most_once, last: HashMap::new() }
    }

    fn place(&self) -> &'static Seat {
        self.board.seat(self.seat)
    }

    /// Notes that something was received: what was read in it, or the number that it says it has.
    pub fn receive(&mut self, read: Result<Message, u64>, how: Receipt) -> Option<Message> {
        let torn = |id| self.board.complain(Fault::Torn, self.seat, id, 0);
        let message = read.map_err(torn).ok()?;
        let (before, fault) = self.board.ledger().receive(message.id, how, self.at_most_once);
        if let Some(fault) = fault {
            self.board.complain(fault, self.seat, message.id, before.0);
        }
        let last = self.last.entry(message.stream).or_insert(message.number);
        let late = message.number < *last;
        *last = message.number.max(*last);
        // Nobody has noted it: if it is not simply the next, then somebody died with it before he could note it.
        let untold = before.receipts() == 0;
        if untold && (how == Receipt::Flagged || late) {
            self.place().surprises.fetch_add(1, Relaxed);
        }
        Some(message)
    }

    /// Notes `delivery`, which came among the dead letters, and acknowledges it.
    pub fn bury<L: Load + ?Sized>(&self, delivery: Delivery<L>) {
        let torn = |id| self.board.complain(Fault::Torn, self.seat, id, 0);
        let Ok(Message { id, .. }) = L::read(&delivery, self.key).map_err(torn) else { return };
        let (before, fault) = self.board.ledger().bury(id);
        if let Some(fault) = fault {
            self.board.complain(fault, self.seat, id, before.0);
        }
        if before.is(DEAD_LETTER) && !delivery.redelivered() {
            self.place().letters_again.fetch_add(1, Relaxed);
        }
        delivery.ack();
    }

    /// Acknowledges `delivery`, which was noted as message `id`.
    pub fn acknowledge<L: Load + ?Sized>(&self, delivery: Delivery<L>, id: u64) {
        self.lane.acknowledging.store(id + 1, Release);
        delivery.ack();
        self.board.ledger().acknowledge(id);
        self.lane.acknowledging.store(0, Release);
    }

    /// Notes `delivery`.
    pub fn deliver<L: Load + ?Sized>(&mut self, delivery: &Delivery<L>) -> Option<Message> {
        let how = if delivery.redelivered() { Receipt::Flagged } else { Receipt::Plain };
        self.receive(L::read(delivery, self.key), how)
    }
}

/// A receiving thread.
pub struct Receiving<'p> {
    part: &'p Part,
    notes: Notes,
    random: Random,
    style: Style,
}

impl<'p> Receiving<'p> {
    /// A thread of `part` at `lane`.
    pub fn new(part: &'p Part, board: Board, lane: usize, mut random: Random) -> Self {
        let style = random.of(&[Style::Eager, Style::Eager, Style::Paced, Style::Slow]);
        Self { part, notes: Notes::new(board, part.seat, lane), random, style }
    }

    /// Receives until it has done enough, or nobody is left to send.
    pub fn run<L: Load + ?Sized>(
        mut self,
        queue: &Queue<L>,
        operations: u64,
    ) -> Result<(), Problem> {
        let (receiver, letters) = (queue.receiver(), queue.dead_letters());
        // While everybody leaves it receives what is left, however much it has done before.
        let mut done = 0;
        while done < operations || self.notes.board.is_leaving() {
            done += 1;
            if self.random.one_in(4096) {
                queue.recover()?;
            }
            let senders = self.notes.board.stays(self.part.others());
            if let Some(letters) = letters.as_ref().filter(|_| self.random.one_in(32)) {
                self.receive_letter(letters)?;
            }
            let dry = match self.random.below(8) {
                kind @ 0..=3 => L::receive(&mut self, &receiver, kind == 3),
                _ => self.receive_guarded(&receiver),
            };
            self.notes.lane.disarm();
            match dry {
                Ok(()) => self.style.work(&mut self.random, false),
                Err(Dry::Nothing | Dry::TooShort) => {}
                Err(Dry::Gone) => {
                    self.was_told_gone(&senders);
                    if self.notes.board.is_leaving() {
                        return Ok(());
                    }
                }
                Err(Dry::Wrong(why)) => {
                    self.notes.board.complain(Fault::Answer, self.part.seat, 0, 0);
                    return Err(Problem(format!("receiving: {why}")));
                }
            }
        }
        Ok(())
    }

    fn was_told_gone(&self, senders: &[u64; SEATS]) {
        let board = self.notes.board;
        if somebody_stayed(senders, &board.stays(self.part.others())) {
            board.complain(Fault::FalseDisconnect, self.part.seat, 0, 0);
        }
        self.notes.place().disconnects.fetch_add(1, Relaxed);
        pause();
    }

    fn patience(&mut self) -> Duration {
        Duration::from_micros(self.random.below(5000))
    }

    /// By calls that acknowledge before they return.
    pub fn receive_blindly(&mut self, receiver: &Receiver<Words>) -> Result<(), Dry> {
        self.notes.lane.arm(1, true);
        let words = match self.random.below(4) {
            0 => receiver.try_recv()?,
            1 => receiver.recv_timeout(self.patience())?,
            _ => receiver.recv()?,
        };
        if let Some(message) = self.notes.receive(read(&words, self.notes.key), Receipt::Blind) {
            self.notes.board.receipt(message.sent_at);
        }
        Ok(())
    }

    /// The same for messages of all lengths; now and then with a buffer that is too short for most.
    pub fn receive_long(&mut self, receiver: &Receiver<[u8]>) -> Result<(), Dry> {
        self.notes.lane.arm(1, true);
        let mut buffer = Vec::new();
        let len = match self.random.below(16) {
            0 => self.receive_into(receiver, &mut buffer, long::SLOT)?,
            1..=5 => self.receive_into(receiver, &mut buffer, long::LONGEST)?,
            6 | 7 => read_whole(&mut buffer, receiver.try_recv()?),
            8 | 9 => read_whole(&mut buffer, receiver.recv_timeout(self.patience())?),
            _ => read_whole(&mut buffer, receiver.recv()?),
        };
        let read = long::read(&buffer[..len], self.notes.key);
        if let Some(message) = self.notes.receive(read, Receipt::Blind) {
            self.notes.board.receipt(message.sent_at);
        }
        Ok(())
    }

    /// Into `room` bytes of `buffer`. What does not fit stays first in line, where another may be faster next time.
    fn receive_into(
        &mut self,
        receiver: &Receiver<[u8]>,
        buffer: &mut Vec<u8>,
        room: usize,
    ) -> Result<usize, Dry> {
        buffer.resize(room, 0);
        let result = match self.random.below(3) {
            0 => receiver.try_recv_into(buffer).map_err(Dry::from),
            1 => receiver.recv_into_timeout(buffer, self.patience()).map_err(Dry::from),
            _ => receiver.recv_into(buffer).map_err(Dry::from),
        };
        if let Err(Dry::TooShort) = result {
            self.notes.place().put_back.fetch_add(1, Relaxed);
        }
        result
    }

    /// Several by one call, straight into memory that outlives this process.
    pub fn receive_batch(&mut self, receiver: &Receiver<Words>) -> Result<(), Dry> {
        let count = usize::try_from(1 + self.random.below(MOST as u64)).unwrap_or(MOST);
        self.notes.lane.arm(count, true);
        // SAFETY: this is the lane's thread, and the place is used up before it asks again.
        let hand = unsafe { self.notes.lane.empty_hand(count) };
        let got = match self.random.below(2) {
            0 => receiver.try_recv_batch(hand)?,
            _ => receiver.recv_batch(hand)?,
        };
        let key = self.notes.key;
        for (number, words) in hand[..got].iter().enumerate() {
            if let (Some(message), 0) =
                (self.notes.receive(read(words, key), Receipt::Blind), number)
            {
                self.notes.board.receipt(message.sent_at);
            }
        }
        Ok(())
    }

    /// In place, one or several at once, acknowledged one by one, or dropped, in any order.
    fn receive_guarded<L: Load + ?Sized>(&mut self, receiver: &Receiver<L>) -> Result<(), Dry> {
        self.notes.lane.arm(1, false);
        let first = match self.random.below(4) {
            0 => L::try_guard(receiver)?,
            1 => L::guard(receiver, Some(self.patience()))?,
            _ => L::guard(receiver, None)?,
        };
        let mut held = Vec::new();
        held.extend(self.note(first));
        let more = if self.random.one_in(4) { self.random.below(HELD) } else { 0 };
        for _ in 0..more {
            self.notes.lane.arm(1, false);
            match L::try_guard(receiver) {
                Ok(delivery) => held.extend(self.note(delivery)),
                Err(TryRecvError::Failed(why)) => return Err(Dry::Wrong(why.to_string())),
                Err(_) => break,
            }
        }
        self.notes.lane.disarm();
        while !held.is_empty() {
            self.style.work(&mut self.random, true);
            let any = usize::try_from(self.random.below(held.len() as u64)).unwrap_or(0);
            let (delivery, id) = held.swap_remove(any);
            match self.random.below(16) {
                0 => drop(delivery),
                _ => self.notes.acknowledge(delivery, id),
            }
        }
        Ok(())
    }

    /// A dead letter, if there is one. This process is a receiver of the queue, so there may always be another.
    fn receive_letter<L: Load + ?Sized>(&mut self, letters: &Receiver<L>) -> Result<(), Problem> {
        match L::try_guard(letters) {
            Ok(delivery) => self.notes.bury(delivery),
            Err(TryRecvError::Empty | TryRecvError::Busy(_)) => {}
            Err(why) => return Err(Problem(format!("receiving a dead letter: {why}"))),
        }
        Ok(())
    }

    /// Notes a delivery that was just taken.
    fn note<L: Load + ?Sized>(&mut self, delivery: Delivery<L>) -> Option<(Delivery<L>, u64)> {
        let message = self.notes.deliver(&delivery)?;
        self.notes.lane.disarm();
        self.notes.board.receipt(message.sent_at);
        Some((delivery, message.id))
    }
}

fn read(words: &Words, key: u64) -> Result<Message, u64> {
    Message::read(words, key).ok_or(words[1])
}

fn read_whole(buffer: &mut Vec<u8>, message: Vec<u8>) -> usize {
    *buffer = message;
    buffer.len()
}

impl From<TryRecvError> for Dry {
    fn from(error: TryRecvError) -> Self {
        match error {
            TryRecvError::Empty | TryRecvError::Busy(_) => Dry::Nothing,
            TryRecvError::Disconnected => Dry::Gone,
            TryRecvError::Failed(ringway::Fault::BufferTooShort { .. }) => Dry::TooShort,
            why => Dry::Wrong(why.to_string()),
        }
    }
}

impl From<RecvTimeoutError> for Dry {
    fn from(error: RecvTimeoutError) -> Self {
        match error {
            RecvTimeoutError::Timeout => Dry::Nothing,
            RecvTimeoutError::Disconnected => Dry::Gone,
            RecvTimeoutError::Failed(ringway::Fault::BufferTooShort { .. }) => Dry::TooShort,
            why => Dry::Wrong(why.to_string()),
        }
    }
}

impl From<RecvError> for Dry {
    fn from(error: RecvError) -> Self {
        match error {
            RecvError::Disconnected => Dry::Gone,
            RecvError::Failed(ringway::Fault::BufferTooShort { .. }) => Dry::TooShort,
            why => Dry::Wrong(why.to_string()),
        }
    }
}
