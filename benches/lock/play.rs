//! The two processes: where their locks lie, and what each does.

use std::process::{Child, Command, Stdio};
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicU32, AtomicU64};
use std::time::Instant;

use ringway::Wait;
use ringway::block::{Block, Place};
use ringway::sync::{Mutex, Permits, ReentrantMutex, RwLock, Semaphore};

use super::bare::is_asleep;
use super::others::{PosixSemaphore, Robust, now_ns};

const ROLE: &str = "RINGWAY_BENCH_LOCK";
/// Operations of each of two that fight in a round.
const FIGHTS: u32 = 100_000;
/// Hand-overs in a round.
const HANDOVERS: u64 = 100;

/// What two processes do to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fight {
    Robust,
    Mutex,
    BareHandover,
    MutexHandover,
    RobustHandover,
}

impl Fight {
    const ALL: [Self; 5] =
        [Self::Robust, Self::Mutex, Self::BareHandover, Self::MutexHandover, Self::RobustHandover];

    pub fn name(self) -> &'static str {
        match self {
            Self::Robust | Self::RobustHandover => "pthread robust, between processes",
            Self::Mutex | Self::MutexHandover => "ringway Mutex",
            Self::BareHandover => "bare futex",
        }
    }
}

/// Where locks lie.
pub struct Arena {
    block: Block,
    round: Place<AtomicU64>,
    done: Place<AtomicU64>,
    sent_at: Place<AtomicU64>,
    took: Place<AtomicU64>,
    bare: Place<AtomicU32>,
}

const ROBUST: usize = 2048;
const POSIX: usize = 2304;

impl Arena {
    pub fn new() -> Self {
        let arena = Self::of(Self::options().len(1 << 16).anonymous().expect("a block"));
        arena.robust().make();
        arena.posix_semaphore().make();
        arena
    }

    fn options() -> ringway::block::Options<Block> {
        Block::options().remove_when_unused()
    }

    fn of(block: Block) -> Self {
        let word = |offset| block.atomic(offset).expect("it lies in the block");
        let bare = block.atomic(3584).expect("it lies in the block");
        let [round, done, sent_at, took] = [3072, 3200, 3328, 3456].map(word);
        Self { block, round, done, sent_at, took, bare }
    }

    pub fn mutex(&self) -> Mutex<u64> {
        Mutex::at(&self.block, 0).expect("it lies in the block")
    }

    pub fn reentrant(&self) -> ReentrantMutex<u64> {
        ReentrantMutex::at(&self.block, 128).expect("it lies in the block")
    }

    pub fn rwlock(&self) -> RwLock<u64> {
        RwLock::at(&self.block, 256).expect("it lies in the block")
    }

    pub fn semaphore(&self) -> Semaphore {
        Semaphore::at(&self.block, 1024, 1, 10).expect("it lies in the block")
    }

    pub fn permits(&self) -> Permits {
        Permits::at(&self.block, 1152, 2).expect("they lie in the block")
    }

    pub fn robust(&self) -> &Robust {
        self.raw(ROBUST)
    }

    pub fn posix_semaphore(&self) -> &PosixSemaphore {
        self.raw(POSIX)
    }

    fn raw<T>(&self, offset: usize) -> &T {
        // SAFETY: the block is kept while the reference lives.
        let start = unsafe { self.block.as_ptr() };
        let place = start.as_ptr().wrapping_add(offset).cast::<T>();
        // SAFETY: it lies in the block, aligned; any zeros are one, and it is shared as the system allows.
        unsafe { &*place }
    }
}

/// This process's part and another's.
pub struct Pair {
    arena: Arena,
    mutex: Mutex<u64>,
    fight: Fight,
    child: Child,
}

impl Pair {
    pub fn start(fight: Fight) -> Self {
        let arena = Arena::new();
        let number = Fight::ALL.iter().position(|other| *other == fight).expect("one of them");
        let child = Command::new(std::env::current_exe().expect("this program"))
            .env(ROLE, format!("{number} {}", arena.block.name()))
            .stdin(Stdio::null())
            .spawn()
            .expect("a child process");
        Self { mutex: arena.mutex(), arena, fight, child }
    }

    /// Nanoseconds for one of all operations of a round of both.
    pub fn round(&mut self) -> f64 {
        let round = self.arena.round.load(Relaxed) + 1;
        let start = Instant::now();
        self.arena.round.store(round, Release);
        fight(&self.arena, &self.mutex, self.fight);
        self.wait_for(round);
        let nanos = start.elapsed().as_secs_f64() * 1e9;
        let count = match self.fight {
            Fight::Robust => self.arena.robust().count(),
            _ => *self.mutex.lock().expect("nobody died"),
        };
        assert_eq!(count, u64::from(2 * FIGHTS) * round, "an addition is lost");
        nanos / f64::from(2 * FIGHTS)
    }

    fn wait_for(&mut self, round: u64) {
        while self.arena.done.load(Acquire) != round {
            let ended = self.child.try_wait().expect("a child of ours");
            assert!(ended.is_none(), "the other process has ended");
            std::thread::yield_now();
        }
    }

    /// Nanoseconds from the unlock to the other process, which sleeps for it: the median of some.
    pub fn handovers(&mut self) -> f64 {
        let mut all: Vec<f64> = (0..HANDOVERS).map(|_| self.handover()).collect();
        all.sort_by(f64::total_cmp);
        all[all.len() / 2]
    }

    fn handover(&mut self) -> f64 {
        let arena = &self.arena;
        let round = arena.round.load(Relaxed) + 1;
        let (robust, guard) = match self.fight {
            Fight::BareHandover => (None, None),
            Fight::RobustHandover => {
                arena.robust().lock();
                (Some(arena.robust()), None)
            }
            _ => (None, Some(self.mutex.lock().expect("nobody died"))),
        };
        arena.bare.store(0, Relaxed);
        arena.round.store(round, Release);
        while !is_asleep(self.child.id()) {
            std::thread::yield_now();
        }
        arena.sent_at.store(now_ns(), Release);
        drop(guard);
        if let Some(robust) = robust {
            robust.unlock();
        } else if self.fight == Fight::BareHandover {
            arena.bare.store(1, Release);
            futex(&arena.bare, libc::FUTEX_WAKE, 1);
        }
        self.wait_for(round);
        std::time::Duration::from_nanos(self.arena.took.load(Relaxed)).as_secs_f64() * 1e9
    }
}

impl Drop for Pair {
    fn drop(&mut self) {
        self.arena.round.store(u64::MAX, Release);
        let status = self.child.wait().expect("a child of ours");
        assert!(status.success() || std::thread::panicking(), "the other process failed");
    }
}

/// Adds as often as one of two does in a round.
fn fight(arena: &Arena, mutex: &Mutex<u64>, fight: Fight) {
    let robust = arena.robust();
    for _ in 0..FIGHTS {
        match fight {
            Fight::Robust => robust.add(),
            _ => *mutex.lock().expect("nobody died") += 1,
        }
    }
}

/// Plays the other process if this one was started for that.
pub fn play_if_asked() -> bool {
    let Ok(role) = std::env::var(ROLE) else { return false };
    let (number, name) = role.split_once(' ').expect("a number and a name");
    let fight_of = Fight::ALL[number.parse::<usize>().expect("a number")];
    let block = Arena::options().wait(Wait::SpinThenPark).open(name).expect("the parent keeps it");
    let arena = Arena::of(block);
    let mutex = arena.mutex();
    for round in 1.. {
        loop {
            match arena.round.load(Acquire) {
                now if now == round => break,
                u64::MAX => return true,
                _ => std::thread::yield_now(),
            }
        }
        match fight_of {
            Fight::Robust | Fight::Mutex => fight(&arena, &mutex, fight_of),
            _ => sleep(&arena, &mutex, fight_of),
        }
        arena.done.store(round, Release);
    }
    true
}

/// Sleeps until it is handed over, and tells how long that took.
fn sleep(arena: &Arena, mutex: &Mutex<u64>, fight: Fight) {
    let took = || now_ns().saturating_sub(arena.sent_at.load(Acquire));
    let nanos = match fight {
        Fight::BareHandover => {
            while arena.bare.load(Acquire) == 0 {
                futex(&arena.bare, libc::FUTEX_WAIT, 0);
            }
            took()
        }
        Fight::RobustHandover => {
            arena.robust().lock();
            let took = took();
            arena.robust().unlock();
            took
        }
        _ => {
            let _guard = mutex.lock().expect("nobody died");
            took()
        }
    };
    arena.took.store(nanos, Relaxed);
}

fn futex(word: &AtomicU32, call: i32, value: u32) {
    let limit = libc::timespec { tv_sec: 1, tv_nsec: 0 };
    // SAFETY: the word and the timespec outlive the call; waking reads no more than the address.
    unsafe { libc::syscall(libc::SYS_futex, word.as_ptr(), call, value, &raw const limit) };
}
