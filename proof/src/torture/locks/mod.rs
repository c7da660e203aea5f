//! Torture of locks: processes that take locks of all kinds in one block, in many ways, are killed and stopped at any instruction
//! and replaced.
//!
//! Checked by those who go on, at every step: nobody else is in, what is not whole was told of, no more permits are had than
//! there are, no wait is longer than it may be. And at the end of a round, against what each wrote down: no addition is lost but
//! those in dead hands, what the dead were in is told of by somebody, nothing else is, permits come back, the semaphore has what
//! was given and not taken, and each round of the barrier had two parties and one leader.

mod book;
mod round;

use std::sync::atomic::Ordering::SeqCst;
use std::time::{Duration, Instant};

use ringway::ErrorKind;
use ringway::block::Block;
use ringway::sync::{
    Barrier, BarrierError, Condvar, LockError, LockTimeoutError, Mutex, MutexGuard, Permits,
    RwLock, Semaphore,
};

use self::book::{Book, Deed, Value, Word, add, is_whole};
use super::Problem;
use super::child::{Part, pause};
use super::message::Random;

pub use round::run;

/// What is where the path of a board would be.
pub const BOARD: &str = "locks";
/// Permits in all.
const PERMITS: u32 = 2;
/// What the semaphore begins with.
const INITIAL: u32 = 8;
/// How long a wait may take for which somebody is there.
const LONG: Duration = Duration::from_secs(10);
/// How much longer than it was to be a wait may take, on a machine with much to do.
const LATE: Duration = Duration::from_secs(5);

fn options() -> ringway::block::Options<Block> {
    Block::options().namespace("torture-locks").max_members(16)
}

/// One of each kind, as one process has them.
struct Locks {
    mutex: Mutex<Value>,
    lock: RwLock<Value>,
    condvar: Condvar,
    semaphore: Semaphore,
    permits: Permits,
    block: Block,
}

impl Locks {
    fn of(block: Block) -> Result<Self, Problem> {
        Ok(Self {
            mutex: Mutex::at(&block, 0)?,
            lock: RwLock::at(&block, 256)?,
            condvar: Condvar::at(&block, 1024)?,
            semaphore: Semaphore::at(&block, 1152, INITIAL, Semaphore::MOST)?,
            permits: Permits::at(&block, 1280, PERMITS)?,
            block,
        })
    }

    /// `None` if all parties are there.
    fn barrier(&self) -> Result<Option<Barrier>, Problem> {
        match Barrier::at(&self.block, 1408, 2) {
            Ok(barrier) => Ok(Some(barrier)),
            Err(why) if matches!(why.kind(), ErrorKind::TooManyParties { .. }) => Ok(None),
            Err(why) => Err(why.into()),
        }
    }
}

/// One process: it attaches, takes locks, detaches, and attaches again.
pub fn play(part: &Part) -> Result<(), Problem> {
    let mut random = Random::new(part.senders as u64);
    loop {
        let recheck = Duration::from_millis(random.of(&[1, 5, 20]));
        let locks = match options().recheck(recheck).open(&part.queue) {
            Ok(block) => Locks::of(block)?,
            // Others come too, in the places of dead ones.
            Err(why) if matches!(why.kind(), ErrorKind::Contended) => {
                pause();
                continue;
            }
            Err(why) => return Err(why.into()),
        };
        let operations = 1 << random.below(14);
        let ticket = (part.receivers as u64) << 32;
        let mut player = Player { locks: &locks, seat: part.seat, ticket, random: &mut random };
        for _ in 0..operations {
            if player.book().is_leaving() {
                return Ok(());
            }
            player.act()?;
        }
    }
}

struct Player<'l> {
    locks: &'l Locks,
    seat: usize,
    /// Its own, other than all others'.
    ticket: u64,
    random: &'l mut Random,
}

impl<'l> Player<'l> {
    fn book(&self) -> Book<'l> {
        Book(&self.locks.block)
    }

    fn set(&self, word: Word, value: u64) {
        self.book().word(self.seat, word).store(value, SeqCst);
    }

    fn count(&self, word: Word) {
        self.book().word(self.seat, word).fetch_add(1, SeqCst);
    }

    /// What is counted as `deed`, which is done if `act` says so, and which is to take no longer than `patience`.
    fn counted(
        &mut self,
        deed: Deed,
        patience: Duration,
        act: impl FnOnce(&mut Self) -> Result<bool, Problem>,
    ) -> Result<(), Problem> {
        let began = Instant::now();
        self.book().begin(self.seat, deed);
        let is_done = act(self)?;
        self.book().end(self.seat, deed, is_done);
        if began.elapsed() > patience + LATE {
            return Err(Problem(format!("{deed:?} took {:?}", began.elapsed())));
        }
        Ok(())
    }

    fn act(&mut self) -> Result<(), Problem> {
        let patience = match self.random.below(3) {
            0 => Duration::from_micros(self.random.below(3000)),
            _ => LONG,
        };
        match self.random.below(16) {
            0..=3 => self.counted(Deed::Add, patience, |player| player.add(patience)),
            4 => self.counted(Deed::Take, LONG, Self::wait_for_call),
            5..=7 => self.counted(Deed::Write, patience, |player| player.write(patience)),
            8..=10 => self.read(patience),
            11 => self.counted(Deed::Acquire, patience, |player| {
                // There may be none for a while, so not for long.
                Ok(player.locks.semaphore.acquire_timeout(patience.min(LATE / 500))?)
            }),
            12 => self.counted(Deed::Release, LONG, |player| {
                player.locks.semaphore.release(1)?;
                Ok(true)
            }),
            13 | 14 => self.permit(patience),
            _ => self.meet(),
        }
    }

    /// Work, not a wait for anything.
    fn work(&mut self) {
        if self.random.one_in(16) {
            std::thread::sleep(Duration::from_micros(self.random.below(200)));
        }
    }

    /// The mutex, and whether its owner died. `None` if it was not to be had in a short time.
    fn lock(
        &mut self,
        patience: Duration,
    ) -> Result<Option<(MutexGuard<'l, Value>, bool)>, Problem> {
        let taken = if patience == LONG && self.random.one_in(2) {
            self.locks.mutex.lock().map_err(|why| match why {
                LockError::OwnerDied(guard) => LockTimeoutError::OwnerDied(guard),
                LockError::Failed(fault) => LockTimeoutError::Failed(fault),
                _ => LockTimeoutError::WouldDeadlock,
            })
        } else {
            self.locks.mutex.lock_timeout(patience)
        };
        match taken {
            Ok(guard) => Ok(Some((guard, false))),
            Err(LockTimeoutError::OwnerDied(guard)) => Ok(Some((guard, true))),
            Err(LockTimeoutError::Timeout) if patience < LONG => Ok(None),
            Err(why) => Err(Problem(format!("no mutex: {why}"))),
        }
    }

    /// In this order: who dies inside is told of once more.
    fn enter(&self, died: bool, [inside, told]: [Word; 2]) {
        if died {
            self.count(told);
        }
        self.set(inside, 1);
    }

    fn add(&mut self, patience: Duration) -> Result<bool, Problem> {
        let Some((mut guard, died)) = self.lock(patience)? else { return Ok(false) };
        self.enter(died, [Word::InMutex, Word::ToldMutex]);
        let ticket = self.ticket;
        add(&mut guard, died, ticket, || self.work())?;
        guard.mark_consistent();
        if self.random.one_in(4) {
            self.locks.condvar.notify_all()?;
        }
        self.set(Word::InMutex, 0);
        drop(guard);
        Ok(true)
    }

    /// Until somebody has added something, or not so long.
    fn wait_for_call(&mut self) -> Result<bool, Problem> {
        let Some((guard, died)) = self.lock(LONG)? else { return Ok(false) };
        let guard = self.take_over(guard, died)?;
        let patience = Duration::from_micros(self.random.below(3000));
        self.set(Word::InMutex, 0);
        let (guard, died) = match self.locks.condvar.wait_timeout(guard, patience) {
            Ok((back, _)) => (back, false),
            Err(LockError::OwnerDied(back)) => (back, true),
            Err(why) => return Err(Problem(format!("waiting to be called: {why}"))),
        };
        let back = self.take_over(guard, died)?;
        self.set(Word::InMutex, 0);
        drop(back);
        Ok(true)
    }

    /// Without adding anything: what a dead one had in the middle counts.
    fn take_over(
        &self,
        mut guard: MutexGuard<'l, Value>,
        died: bool,
    ) -> Result<MutexGuard<'l, Value>, Problem> {
        self.enter(died, [Word::InMutex, Word::ToldMutex]);
        is_whole(&guard, died)?;
        if died {
            *guard = [0, guard[1], guard[1]];
            guard.mark_consistent();
        }
        Ok(guard)
    }

    fn write(&mut self, patience: Duration) -> Result<bool, Problem> {
        let (mut guard, died) = match self.locks.lock.write_timeout(patience) {
            Ok(guard) => (guard, false),
            Err(LockTimeoutError::OwnerDied(guard)) => (guard, true),
            Err(LockTimeoutError::Timeout) if patience < LONG => return Ok(false),
            Err(why) => return Err(Problem(format!("no writer: {why}"))),
        };
        self.enter(died, [Word::InLock, Word::ToldLock]);
        let ticket = self.ticket;
        add(&mut guard, died, ticket, || self.work())?;
        guard.mark_consistent();
        self.set(Word::InLock, 0);
        drop(guard);
        Ok(true)
    }

    /// Nobody writes meanwhile.
    fn read(&mut self, patience: Duration) -> Result<(), Problem> {
        let began = Instant::now();
        // Writers that keep coming can starve it.
        let (guard, died) = match self.locks.lock.read_timeout(patience) {
            Ok(guard) => (guard, false),
            Err(LockTimeoutError::OwnerDied(guard)) => (guard, true),
            Err(LockTimeoutError::Timeout) if patience < LONG => return Ok(()),
            Err(why) => return Err(Problem(format!("no reader: {why}"))),
        };
        let before = *std::hint::black_box(&*guard);
        is_whole(&before, died)?;
        self.work();
        let after = *std::hint::black_box(&*guard);
        if before != after || began.elapsed() > patience + LATE {
            return Err(Problem(format!("a reader saw {before:?}, then {after:?}")));
        }
        Ok(())
    }

    fn permit(&mut self, patience: Duration) -> Result<(), Problem> {
        let began = Instant::now();
        let Some(permit) = self.locks.permits.acquire_timeout(patience)? else {
            let in_vain = patience == LONG || began.elapsed() > patience + LATE;
            return if in_vain { Err("no permit".into()) } else { Ok(()) };
        };
        self.ticket += 1;
        self.set(Word::Permit, self.ticket);
        self.work();
        let permitted = self.book().permitted();
        if permitted > PERMITS as usize {
            return Err(Problem(format!("{permitted} have a permit")));
        }
        self.set(Word::Permit, 0);
        drop(permit);
        Ok(())
    }

    fn meet(&mut self) -> Result<(), Problem> {
        let Some(mut barrier) = self.locks.barrier()? else { return Ok(()) };
        let patience = Duration::from_micros(self.random.below(3000));
        self.counted(Deed::Meet, patience, |player| match barrier.wait_timeout(patience) {
            Ok(met) => {
                player.count(if met.is_leader() { Word::Led } else { Word::Met });
                Ok(true)
            }
            Err(BarrierError::Broken | BarrierError::Timeout) => {
                barrier.reset()?;
                Ok(false)
            }
            Err(why) => Err(Problem(format!("no barrier: {why}"))),
        })
    }
}

/// Nobody is there to be told any more, but this one: what the dead have left.
fn told_at_last(locks: &Locks) -> Result<[(Value, bool); 2], Problem> {
    let mutex = match locks.mutex.lock_timeout(LONG) {
        Ok(guard) => (*guard, false),
        Err(LockTimeoutError::OwnerDied(guard)) => (*guard, true),
        Err(why) => return Err(Problem(format!("no mutex at the end: {why}"))),
    };
    let lock = match locks.lock.write_timeout(LONG) {
        Ok(guard) => (*guard, false),
        Err(LockTimeoutError::OwnerDied(guard)) => (*guard, true),
        Err(why) => return Err(Problem(format!("no writer at the end: {why}"))),
    };
    [mutex, lock].iter().try_for_each(|(value, died)| is_whole(value, *died))?;
    Ok([mutex, lock])
}
