//! Locks in use while somebody writes to their words: between the calls, or from another thread all the while.
//!
//! No call waits longer than [`BRIEF`], whatever the words say, with one exception: who waits at a condvar takes the mutex again
//! however long that takes, and a word may say that a member which lives has it. So nobody writes during that call.
//! Any answer is right; what is not is a panic, a hang, and a step out of the block.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use arbitrary::Arbitrary;
use ringway::block::Block;
use ringway::sync::{
    Barrier, Condvar, Flag, Mutex, Permit, Permits, ReentrantMutex, RwLock, Semaphore, TryLockError,
};

use crate::memory::{Fences, Memory};
use crate::place::{NAMESPACE, Name};
use crate::subject::BRIEF;

/// Locks, what is done with them, and what is done to them.
#[derive(Arbitrary, Debug)]
pub struct Input {
    /// From another thread all the while, instead of between the steps.
    meanwhile: bool,
    steps: Vec<Step>,
    writes: Vec<Write>,
}

/// As many steps and as many writes count.
const MOST: usize = 48;
/// Where the locks lie, and how long the block is.
const MUTEX: usize = 0;
const AGAIN: usize = 64;
const RWLOCK: usize = 128;
const SEMAPHORE: usize = 256;
const FLAG: usize = 320;
const CONDVAR: usize = 384;
const BARRIER: usize = 448;
const PERMITS: usize = 512;
const LEN: usize = 568;
/// Members that there may be.
const MEMBERS: u32 = 3;

/// How a lock is asked for, and what becomes of it.
#[derive(Arbitrary, Clone, Copy, Debug)]
struct Way {
    /// Waiting a little, instead of not at all.
    waits: bool,
    /// It is kept for good.
    forgets: bool,
}

/// One call, or few, by one of two attachments.
#[derive(Arbitrary, Clone, Copy, Debug)]
enum Call {
    Lock(Way),
    /// Twice.
    Again(Way),
    Read(Way),
    Write(Way),
    Acquire(Way),
    Release(u8),
    Set(bool),
    WaitForFlag,
    Notify(bool),
    AwaitNotice,
    Permit(Way),
    GiveBack,
    Meet,
    Reset,
    /// A party comes, or goes.
    Come(bool),
    /// All are asked for anew.
    Attach,
    Look,
    Repair,
}

/// By which attachment.
#[derive(Arbitrary, Clone, Copy, Debug)]
struct Step {
    other: bool,
    call: Call,
}

/// A word that is overwritten.
#[derive(Arbitrary, Clone, Copy, Debug)]
struct Write {
    place: Place,
    value: Value,
}

/// Which word.
#[derive(Arbitrary, Clone, Copy, Debug)]
enum Place {
    /// Of the locks.
    Lock(u8),
    /// Of the whole file.
    Anywhere(u16),
}

/// What a word is made to say.
#[derive(Arbitrary, Clone, Copy, Debug)]
enum Value {
    /// Anything.
    Raw(u64),
    /// A small number.
    Small(u8),
    /// What it says and a little more or less.
    Near(i8),
    /// What it says with one bit turned.
    Flip(u8),
    /// A holder, or one beside a count, and the marks.
    Holder { incarnation: u8, marks: u8, thread: u8, member: u8 },
    /// A count of readers or rounds, and what is beside it.
    Count { upper: u8, marks: u8, count: u32 },
    /// What another word of the locks says.
    Copy(u8),
}

impl Write {
    fn to(self, memory: &Memory) {
        let word = |number: u8| memory.words() - LEN / 8 + usize::from(number) % (LEN / 8);
        let index = match self.place {
            Place::Lock(number) => word(number),
            Place::Anywhere(number) => number.into(),
        };
        let marked = |upper: u8, marks: u8| u64::from(upper) << 32 | u64::from(marks % 4) << 30;
        memory.put(
            index,
            match self.value {
                Value::Raw(value) => value,
                Value::Small(value) => value.into(),
                Value::Near(step) => memory.get(index).wrapping_add_signed(step.into()),
                Value::Flip(bit) => memory.get(index) ^ (1 << (bit % 64)),
                Value::Holder { incarnation, marks, thread, member } => {
                    marked(incarnation, marks) | u64::from(thread) << 11 | u64::from(member % 8)
                }
                Value::Count { upper, marks, count } => {
                    marked(upper, marks) | u64::from(count) & ((1 << 30) - 1)
                }
                Value::Copy(other) => memory.get(word(other)),
            },
        );
    }
}

/// The locks as one attachment has them.
struct Side {
    block: Block,
    mutex: Mutex<u64>,
    again: ReentrantMutex<u64>,
    lock: RwLock<u64>,
    semaphore: Semaphore,
    flag: Flag,
    condvar: Condvar,
    permits: Permits,
    permit: Option<Permit>,
    /// Permits that are kept to the end.
    kept: Vec<Permit>,
    party: Option<Barrier>,
}

impl Side {
    /// Nothing where the words say that other locks are there, or none.
    fn new(block: Block) -> Option<Self> {
        Some(Self {
            mutex: Mutex::at(&block, MUTEX).ok()?,
            again: ReentrantMutex::at(&block, AGAIN).ok()?,
            lock: RwLock::at(&block, RWLOCK).ok()?,
            semaphore: Semaphore::at(&block, SEMAPHORE, 1, 5).ok()?,
            flag: Flag::at(&block, FLAG).ok()?,
            condvar: Condvar::at(&block, CONDVAR).ok()?,
            permits: Permits::at(&block, PERMITS, 2).ok()?,
            permit: None,
            kept: Vec::new(),
            party: Barrier::at(&block, BARRIER, 2).ok(),
            block,
        })
    }

    /// Makes one call. Its answer is not looked at: there may be any.
    fn call(&mut self, call: Call, alone: bool) {
        match call {
            Call::Lock(way) => self.lock(way),
            Call::Again(way) => self.lock_again(way),
            Call::Read(way) => self.read(way),
            Call::Write(way) => self.write(way),
            Call::Acquire(Way { waits, .. }) => {
                let _ = self.semaphore.acquire_timeout(patience(waits));
                let _ = self.semaphore.try_acquire();
            }
            Call::Release(count) => drop(self.semaphore.release(count.into())),
            Call::Set(true) => drop(self.flag.set()),
            Call::Set(false) => drop(self.flag.clear()),
            Call::WaitForFlag => drop(self.flag.wait_timeout(BRIEF)),
            Call::Notify(true) => drop(self.condvar.notify_all()),
            Call::Notify(false) => drop(self.condvar.notify_one()),
            Call::AwaitNotice if alone => {
                if let Ok(guard) = self.mutex.try_lock() {
                    drop(self.condvar.wait_timeout(guard, BRIEF));
                }
            }
            Call::AwaitNotice => {}
            Call::Permit(Way { waits, forgets }) => {
                let permit = self.permits.acquire_timeout(patience(waits)).ok().flatten();
                if forgets { self.kept.extend(permit) } else { self.permit = permit }
            }
            Call::GiveBack => self.permit = None,
            Call::Meet => drop(self.party.as_mut().map(|party| party.wait_timeout(BRIEF))),
            Call::Reset => drop(self.party.as_ref().map(Barrier::reset)),
            Call::Come(true) => {
                self.party = None;
                self.party = Barrier::find(&self.block, BARRIER).ok();
            }
            Call::Come(false) => self.party = None,
            Call::Attach => self.attach(),
            Call::Look => self.look(),
            Call::Repair => self.repair(),
        }
    }

    fn lock(&self, way: Way) {
        let guard =
            self.mutex.lock_timeout(patience(way.waits)).or_else(|why| why.into_guard().ok_or(()));
        if let Ok(mut guard) = guard {
            *guard = guard.wrapping_add(1);
            if way.forgets {
                std::mem::forget(guard);
            }
        }
    }

    fn lock_again(&self, way: Way) {
        let outer = self.again.lock_timeout(patience(way.waits));
        let inner = self.again.try_lock().or_else(|why| why.into_guard().ok_or(()));
        if let Ok(guard) = inner {
            guard.set(guard.get().wrapping_add(1));
            if way.forgets {
                std::mem::forget(guard);
            }
        }
        drop(outer);
    }

    fn read(&self, way: Way) {
        let guard =
            self.lock.read_timeout(patience(way.waits)).or_else(|why| why.into_guard().ok_or(()));
        if let Ok(guard) = guard {
            let _ = std::hint::black_box(*guard);
            if way.forgets {
                std::mem::forget(guard);
            }
        }
    }

    fn write(&self, way: Way) {
        let guard =
            self.lock.write_timeout(patience(way.waits)).or_else(|why| why.into_guard().ok_or(()));
        if let Ok(mut guard) = guard {
            *guard = guard.wrapping_add(1);
            if way.forgets {
                std::mem::forget(guard);
            }
        }
    }

    /// Marks what the dead left consistent.
    fn repair(&self) {
        if let Some(mut guard) = self.mutex.try_lock().err().and_then(TryLockError::into_guard) {
            guard.mark_consistent();
        }
        if let Some(mut guard) = self.lock.try_write().err().and_then(TryLockError::into_guard) {
            guard.mark_consistent();
        }
        if let Some(guard) = self.again.try_lock().err().and_then(TryLockError::into_guard) {
            guard.mark_consistent();
        }
    }

    fn attach(&mut self) {
        let options = Block::options().namespace(NAMESPACE).recheck(RECHECK);
        let side = options.open(self.block.name()).ok().and_then(Self::new);
        if let Some(mut side) = side {
            side.look();
            std::mem::swap(self, &mut side);
        }
    }

    fn look(&mut self) {
        let texts = [
            format!("{:?}{:?}{:?}", self.mutex, self.again, self.lock),
            format!("{:?}{:?}{:?}", self.semaphore, self.flag, self.condvar),
            format!("{:?}{:?}{:?}", self.permits, self.permit, self.party),
        ];
        assert!(texts.iter().all(|text| !text.is_empty()));
        let _ = (self.mutex.is_inconsistent(), self.lock.is_inconsistent(), self.flag.is_set());
        assert!(self.permits.available() <= self.permits.count());
        assert!(self.semaphore.available() <= self.semaphore.bound());
        let _ = self.party.as_ref().map(|party| (party.waiting(), party.is_broken()));
        let _ = (self.block.members(), self.block.recover());
    }
}

const RECHECK: Duration = Duration::from_millis(1);

fn patience(waits: bool) -> Duration {
    if waits { BRIEF } else { Duration::ZERO }
}

/// Plays one input.
pub fn run(input: &Input) {
    let name = Name::fresh();
    let options = Block::options().namespace(NAMESPACE).recheck(RECHECK);
    let made = options.clone().len(LEN).max_members(MEMBERS).create(name.as_str());
    let found = options.open(name.as_str()).expect("it was made a moment ago");
    let mut sides = [made.expect("nobody has the name"), found]
        .map(|block| Side::new(block).expect("all of it is zero"));
    let (memory, _fences) = (Memory::of(name.path()), Fences::around(name.path()));
    let steps = input.steps.iter().take(MOST);
    let writes = &input.writes[..input.writes.len().min(MOST)];
    let mut take = |step: &Step, alone| sides[usize::from(step.other)].call(step.call, alone);
    if input.meanwhile {
        let over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !over.load(Relaxed) {
                    for write in writes {
                        write.to(&memory);
                    }
                }
            });
            // Also when a step panics, or nobody would hear of it.
            let _end = OnDrop(&over);
            steps.for_each(|step| take(step, false));
        });
    } else {
        let mut writes = writes.iter();
        for step in steps {
            writes.next().inspect(|write| write.to(&memory));
            take(step, true);
        }
        writes.for_each(|write| write.to(&memory));
    }
}

/// Raises a flag at the end of a scope.
struct OnDrop<'a>(&'a AtomicBool);

impl Drop for OnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Relaxed);
    }
}
