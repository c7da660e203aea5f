//! Who starts and kills the processes of a pipe, and accounts for its records.

use std::process::{Child, Command, Stdio};
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::time::{Duration, Instant};

use ringway::pipe::Connection;

use super::super::board::{Board, Carries, Seat};
use super::super::child::Part;
use super::super::conductor::faults;
use super::super::fault::Fault;
use super::super::ledger::{ABORTED, IN_DEAD_HAND, LEFT, MEANT, REFUSED, SENT};
use super::super::long;
use super::super::message::{Random, mixed};
use super::super::{Options, Problem, os};
use super::{Got, Side, options};

/// Bytes of the pipes of the rounds, in turn: most records are longer than the first.
const CAPACITIES: [usize; 3] = [1024, 65_536, 8192];
const HANG: Duration = Duration::from_secs(20);
const ROUND: Duration = Duration::from_secs(6);

/// The two processes of a round.
struct Round {
    children: [Option<Child>; 2],
    board: Board,
    part: Part,
    random: Random,
    /// Senders, receivers, and others killed.
    kills: [u64; 3],
    /// Records that may be gone with a receiver.
    may_be_gone: u64,
}

impl Drop for Round {
    fn drop(&mut self) {
        for child in self.children.iter_mut().flatten() {
            let _ = child.kill();
            let _ = child.wait();
        }
        let _ = options().unlink(&self.part.queue);
    }
}

impl Round {
    fn start(&mut self, seat: usize) -> Result<(), Problem> {
        let place = self.board.seat(seat);
        place.seed.store(self.random.any(), Release);
        let mut command = Command::new(std::env::current_exe()?);
        let part = Part { seat, ..self.part.clone() };
        command.args(["torture", "--play"]).args(part.words()).stdin(Stdio::null());
        self.children[seat] = Some(command.spawn()?);
        Ok(())
    }

    fn kill(&mut self, seat: usize) -> Result<(), Problem> {
        let Some(mut child) = self.children[seat].take() else { return Ok(()) };
        child.kill()?;
        child.wait()?;
        let lane = &self.board.seat(seat).lanes[0];
        let is_receiver = lane.blind.load(Relaxed) != 0;
        match (lane.armed.load(Acquire), is_receiver) {
            (0, _) => self.kills[2] += 1,
            (_, true) => self.kills[1] += 1,
            (_, false) => {
                self.kills[0] += 1;
                self.board.ledger().note(lane.first.load(Relaxed), LEFT);
            }
        }
        // Between two records it may have had part of one too.
        self.may_be_gone += u64::from(is_receiver);
        lane.clear();
        Ok(())
    }

    fn run(&mut self, length: Duration) -> Result<(), Problem> {
        let (began, mut heard) = (Instant::now(), os::now());
        (0..2).try_for_each(|seat| self.start(seat))?;
        while began.elapsed() < length {
            std::thread::sleep(Duration::from_micros(self.random.below(24_000)));
            let victim = usize::from(self.random.one_in(2));
            match self.random.below(8) {
                0 => (0..2).try_for_each(|seat| self.kill(seat))?,
                _ => self.kill(victim)?,
            }
            for seat in 0..2 {
                if self.children[seat].is_none() {
                    self.start(seat)?;
                }
            }
            heard = heard.max(self.board.last_receipt());
            if os::was_interrupted() || self.board.faults().1 > 0 {
                return Err("a promise was broken, or this was interrupted".into());
            }
            if os::now().saturating_sub(heard) > 20_000_000_000 {
                return Err("no record is received any more".into());
            }
        }
        Ok(())
    }

    /// Everybody goes, asked or killed.
    fn end(&mut self) -> Result<(), Problem> {
        if self.random.one_in(2) {
            self.board.ask_to_leave();
            let began = Instant::now();
            while began.elapsed() < HANG {
                let mut left = 0;
                for child in self.children.iter_mut().flatten() {
                    match child.try_wait()? {
                        None => left += 1,
                        Some(status) if status.success() => {}
                        Some(status) => return Err(Problem(format!("one ended: {status}"))),
                    }
                }
                if left == 0 {
                    self.children = [None, None];
                    return Ok(());
                }
                std::thread::sleep(Duration::from_millis(1));
            }
            return Err("somebody cannot leave".into());
        }
        (0..2).try_for_each(|seat| self.kill(seat))
    }

    /// What is left is received, and a long record goes through as through a new pipe.
    fn settle(&mut self) -> Result<(), Problem> {
        let ends = [options().open(&self.part.queue)?, options().open(&self.part.queue)?];
        let [one, other] = ends.map(Connection::split);
        let (sender, receiver) = (one.0.or(other.0), one.1.or(other.1));
        let (Some(sender), Some(mut receiver)) = (sender, receiver) else {
            return Err("not both ends were free".into());
        };
        drop(sender);
        let mut random = Random::new(1);
        let lane = &self.board.seat(2).lanes[0];
        let mut side = Side { board: self.board, seat: 2, lane, random: &mut random };
        while !matches!(side.receive(&mut receiver)?, Got::Gone) {}
        let mut sender = options().open(&self.part.queue)?;
        let record: Vec<u8> =
            (0..long::LONGEST).map(|n| mixed(n as u64).to_le_bytes()[0]).collect();
        let (sent, got) = std::thread::scope(|scope| {
            let sending = scope.spawn(|| sender.send(&record));
            let got = receiver.recv_timeout(HANG);
            // Where it got nothing, the sender must not wait for it for ever.
            drop(receiver);
            (sending.join(), got)
        });
        if !matches!(sent, Ok(Ok(()))) || got.as_deref() != Ok(&record[..]) {
            return Err(Problem(format!("a last record: sent {sent:?}")));
        }
        Ok(())
    }
}

/// What became of the records of one round, or of all.
#[derive(Clone, Copy, Default)]
struct Sums([u64; 15]);

const ROWS: [&str; 15] = [
    "rounds",
    "killed sending",
    "killed receiving",
    "killed between",
    "sent",
    "aborted",
    "refused",
    "in doubt: received",
    "in doubt: not",
    "received",
    "lost with the receiver",
    "of at most",
    "cut short",
    "lost in part",
    "given up",
];

/// Accounts for every record of a round that is over.
fn account(round: &Round) -> Result<Sums, Problem> {
    let board = round.board;
    let mut n = [0; 15];
    (n[0], n[1], n[2], n[3]) = (1, round.kills[0], round.kills[1], round.kills[2]);
    for id in 0..board.numbers() {
        let entry = board.ledger().entry(id);
        let was_received = entry.receipts() > 0;
        let fate = match () {
            () if !entry.is(MEANT) => continue,
            () if entry.is(ABORTED) => 5,
            () if entry.is(REFUSED) => 6,
            () if entry.is(SENT) => 4,
            () if entry.is(LEFT) && was_received => 7,
            () if entry.is(LEFT) => 8,
            () => {
                board.complain(Fault::Unsettled, 2, id, entry.0);
                continue;
            }
        };
        n[fate] += 1;
        n[9] += u64::from(was_received);
        n[10] += u64::from(fate == 4 && !was_received && !entry.is(IN_DEAD_HAND));
        n[14] += u64::from(entry.is(IN_DEAD_HAND));
        if matches!(fate, 5 | 6) && was_received {
            board.complain(Fault::Withdrawn, 2, id, entry.0);
        }
    }
    let sum = |word: fn(&Seat) -> u64| board.seats().iter().map(word).sum::<u64>();
    n[11] = round.may_be_gone + sum(|seat| seat.put_back.load(Relaxed));
    n[12] = sum(|seat| seat.disconnects.load(Relaxed));
    n[13] = sum(|seat| seat.letters_again.load(Relaxed));
    let causes = n[1] + n[5] + n[6] + n[11] + n[14];
    match () {
        () if board.faults().1 > 0 => Err("not all is accounted for".into()),
        () if n[10] > n[11] => Err(Problem(format!("{} lost, of at most {}", n[10], n[11]))),
        () if n[12] > causes => Err(Problem(format!("{} cut short by {causes}", n[12]))),
        () if n[13] > n[11] => Err(Problem(format!("{} in part by {}", n[13], n[11]))),
        () if n[9] == 0 => Err("nothing was received".into()),
        () => Ok(Sums(n)),
    }
}

/// Tortures for as long as `given` says, and reports.
pub fn run(given: &Options) -> Result<(), Problem> {
    os::catch_interrupts();
    let seed = given.seed.unwrap_or_else(|| mixed(os::now() ^ u64::from(std::process::id())));
    println!("torture: pipes, seed {seed}");
    let (board, file) = Board::create()?;
    let mut random = Random::new(seed);
    let mut sums = Sums::default();
    let end = Instant::now() + given.length();
    for number in 0.. {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            break;
        }
        board.clear(&file, random.any() | 1, false, false, Carries::Pipe)?;
        let capacity = CAPACITIES[number % CAPACITIES.len()];
        let queue = format!("{}-{number}", std::process::id());
        drop(options().capacity(capacity).create(&queue)?);
        let parent = std::process::id();
        let board_path = Board::path(&file);
        let part = Part { board: board_path, parent, seat: 0, senders: 1, receivers: 1, queue };
        let random = Random::new(random.any());
        let (kills, may_be_gone) = ([0; 3], 0);
        let mut round = Round { children: [None, None], board, part, random, kills, may_be_gone };
        let length = left.min(ROUND).min(given.length() / 3);
        let done = round.run(length).and_then(|()| round.end()).and_then(|()| round.settle());
        let done = done.and_then(|()| account(&round)).map_err(|Problem(why)| {
            let faults = faults(board);
            Problem(format!("round {number}, {capacity} bytes: {why}{faults}"))
        })?;
        sums.0.iter_mut().zip(done.0).for_each(|(sum, n)| *sum += n);
    }
    ROWS.iter().zip(sums.0).for_each(|(row, sum)| println!("{row:<24}{sum:>10}"));
    println!("{:<24}{:>10}", "unaccounted", 0);
    Ok(())
}
