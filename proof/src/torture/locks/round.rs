//! Who starts, stops and kills the processes that take locks, and accounts for what they did.

use std::process::{Child, Command, Stdio};
use std::sync::atomic::Ordering::SeqCst;
use std::time::{Duration, Instant};

use super::super::child::Part;
use super::super::message::{Random, mixed};
use super::super::{Options, Problem, os};
use super::book::{Book, DEEDS, Deed, LEN, SEATS, Word};
use super::{BOARD, INITIAL, LONG, Locks, PERMITS, options, told_at_last};

const HANG: Duration = Duration::from_secs(20);
const ROUND: Duration = Duration::from_secs(6);

/// One block of locks, and the processes that take them.
struct Round {
    children: [Option<Child>; SEATS],
    locks: Locks,
    name: String,
    random: Random,
    started: usize,
    tally: Tally,
}

/// What was done to them, and what the dead had in hand.
#[derive(Clone, Copy, Default)]
struct Tally {
    kills: u64,
    stops: u64,
    /// What dead ones had begun and not done.
    in_hand: [u64; DEEDS],
    /// Of those that were inside the mutex, and inside the lock as writers.
    inside: [u64; 2],
}

impl Drop for Round {
    fn drop(&mut self) {
        for child in self.children.iter_mut().flatten() {
            let _ = child.kill();
            let _ = child.wait();
        }
        let _ = options().unlink(&self.name);
    }
}

impl Round {
    fn new(name: String, random: Random) -> Result<Self, Problem> {
        let block = options().recheck(Duration::from_millis(1)).len(LEN).create(&name)?;
        let (children, tally) = ([const { None }; SEATS], Tally::default());
        Ok(Self { children, locks: Locks::of(block)?, name, random, started: 0, tally })
    }

    fn book(&self) -> Book<'_> {
        Book(&self.locks.block)
    }

    fn start(&mut self, seat: usize) -> Result<(), Problem> {
        self.started += 1;
        let seed = usize::try_from(self.random.any() >> 1)?;
        let part = Part {
            board: BOARD.into(),
            parent: std::process::id(),
            seat,
            senders: seed,
            receivers: self.started,
            queue: self.name.clone(),
        };
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["torture", "--play"]).args(part.words()).stdin(Stdio::null());
        self.children[seat] = Some(command.spawn()?);
        Ok(())
    }

    fn kill(&mut self, seat: usize) -> Result<(), Problem> {
        let Some(mut child) = self.children[seat].take() else { return Ok(()) };
        self.book().word(seat, Word::Doomed).store(1, SeqCst);
        child.kill()?;
        child.wait()?;
        let (book, mut tally) = (Book(&self.locks.block), self.tally);
        tally.kills += 1;
        tally.in_hand.iter_mut().zip(book.deeds(seat)).for_each(|(sum, (_, more))| *sum += more);
        let inside = [Word::InMutex, Word::InLock].map(|word| book.word(seat, word).load(SeqCst));
        tally.inside.iter_mut().zip(inside).for_each(|(sum, more)| *sum += more);
        book.vacate(seat);
        self.tally = tally;
        Ok(())
    }

    /// For a while, which whoever waits for it must bear.
    fn stop(&mut self, seat: usize) -> Result<(), Problem> {
        let Some(pid) = self.children[seat].as_ref().map(Child::id) else { return Ok(()) };
        os::signal(pid, libc::SIGSTOP)?;
        std::thread::sleep(Duration::from_micros(self.random.below(20_000)));
        self.tally.stops += 1;
        if self.random.one_in(2) { self.kill(seat) } else { os::signal(pid, libc::SIGCONT) }
    }

    fn run(&mut self, length: Duration) -> Result<(), Problem> {
        let began = Instant::now();
        while began.elapsed() < length {
            for seat in 0..SEATS {
                if self.children[seat].is_none() {
                    self.start(seat)?;
                }
            }
            std::thread::sleep(Duration::from_micros(self.random.below(8000)));
            let seat = usize::try_from(self.random.below(SEATS as u64))?;
            match self.random.below(8) {
                0 => (0..SEATS).try_for_each(|seat| self.kill(seat))?,
                1 | 2 => self.stop(seat)?,
                _ => self.kill(seat)?,
            }
            if os::was_interrupted() || self.has_left()? > 0 {
                return Err("a process has ended, or this was interrupted".into());
            }
        }
        Ok(())
    }

    /// How many have ended by themselves, which must be well.
    fn has_left(&mut self) -> Result<usize, Problem> {
        let mut left = 0;
        for child in self.children.iter_mut().flatten() {
            match child.try_wait()? {
                None => {}
                Some(status) if status.success() => left += 1,
                Some(status) => return Err(Problem(format!("a process ended: {status}"))),
            }
        }
        Ok(left)
    }

    /// Everybody goes, asked or killed.
    fn end(&mut self) -> Result<(), Problem> {
        if self.random.one_in(4) {
            return (0..SEATS).try_for_each(|seat| self.kill(seat));
        }
        self.book().ask_to_leave();
        let began = Instant::now();
        let all = self.children.iter().flatten().count();
        while self.has_left()? < all {
            if began.elapsed() > HANG {
                return Err("somebody cannot leave".into());
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        self.children = [const { None }; SEATS];
        Ok(())
    }

    /// What all have written down, against what the locks say.
    fn account(&self) -> Result<[u64; ROWS.len()], Problem> {
        let (book, tally) = (self.book(), self.tally);
        let sum = |word| -> u64 { (0..SEATS).map(|n| book.word(n, word).load(SeqCst)).sum() };
        let done = |deed: Deed| -> u64 { (0..SEATS).map(|n| book.deeds(n)[deed as usize].0).sum() };
        let in_hand = |deed: Deed| tally.in_hand[deed as usize];
        let [(mutex, mutex_died), (lock, lock_died)] = told_at_last(&self.locks)?;
        let told = [
            sum(Word::ToldMutex) + u64::from(mutex_died),
            sum(Word::ToldLock) + u64::from(lock_died),
        ];
        let may_be_told = [in_hand(Deed::Add) + in_hand(Deed::Take), in_hand(Deed::Write)];
        within("additions", mutex[1], done(Deed::Add), in_hand(Deed::Add))?;
        within("writes", lock[1], done(Deed::Write), in_hand(Deed::Write))?;
        for ((told, inside), most) in told.into_iter().zip(tally.inside).zip(may_be_told) {
            within("deaths told of", told, inside, most.saturating_sub(inside))?;
        }
        let given = u64::from(INITIAL) + done(Deed::Release) - done(Deed::Acquire);
        let least = given.saturating_sub(in_hand(Deed::Acquire));
        let most = given + in_hand(Deed::Release);
        within("the semaphore", self.locks.semaphore.available().into(), least, most - least)?;
        let (led, met, lost) = (sum(Word::Led), sum(Word::Met), in_hand(Deed::Meet));
        within("rounds of the barrier that were led", led + lost, met, 2 * lost)?;
        self.permits_come_back()?;
        let adds = done(Deed::Add) + done(Deed::Write);
        let flows = done(Deed::Release) + done(Deed::Acquire);
        let dead = tally.in_hand.iter().sum();
        Ok([1, tally.kills, tally.stops, dead, adds, told[0] + told[1], flows, led])
    }

    fn permits_come_back(&self) -> Result<(), Problem> {
        let permits = &self.locks.permits;
        let all: Vec<_> =
            (0..PERMITS).map(|_| permits.acquire_timeout(LONG)).collect::<Result<_, _>>()?;
        if all.iter().any(Option::is_none) || permits.try_acquire()?.is_some() {
            return Err("not all permits come back, or more than there were".into());
        }
        drop(all);
        self.locks.block.recover()?;
        let members = self.locks.block.members()?.len();
        if members == 1 { Ok(()) } else { Err(Problem(format!("{members} members are left"))) }
    }
}

/// Whether `found` is `least`, or up to `slack` more.
fn within(what: &str, found: u64, least: u64, slack: u64) -> Result<(), Problem> {
    if (least..=least + slack).contains(&found) {
        return Ok(());
    }
    Err(Problem(format!("{what}: {found}, not {least} to {}", least + slack)))
}

const ROWS: [&str; 8] = [
    "rounds",
    "killed",
    "stopped",
    "in dead hands",
    "added",
    "told of a death",
    "given and taken",
    "met",
];

/// Tortures for as long as `given` says, and reports.
pub fn run(given: &Options) -> Result<(), Problem> {
    os::catch_interrupts();
    let seed = given.seed.unwrap_or_else(|| mixed(os::now() ^ u64::from(std::process::id())));
    println!("torture: locks, seed {seed}");
    let mut random = Random::new(seed);
    let mut sums = [0; ROWS.len()];
    let end = Instant::now() + given.length();
    for number in 0.. {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            break;
        }
        let name = format!("{}-{number}", std::process::id());
        let mut round = Round::new(name, Random::new(random.any()))?;
        let done = round.run(left.min(ROUND).min(given.length() / 3)).and_then(|()| round.end());
        let done = done.and_then(|()| round.account());
        let done = done.map_err(|Problem(why)| Problem(format!("round {number}: {why}")))?;
        sums.iter_mut().zip(done).for_each(|(sum, n)| *sum += n);
    }
    ROWS.iter().zip(sums).for_each(|(row, sum)| println!("{row:<24}{sum:>10}"));
    println!("{:<24}{:>10}", "unaccounted", 0);
    Ok(())
}
