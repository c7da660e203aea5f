//! Threads that are killed, under loom: as a process is, between two accesses to shared memory.
//!
//! A thread says after how many accesses it is to die. The next one does not happen: the thread unwinds out of whatever
//! it is doing, and what it drops on the way touches shared memory no more. Whoever joined the thread may then do what
//! in reality needs proof of a death: that the thread has ended orders its accesses before those of who joined it, as the
//! kernel does by letting its lock go last.
//!
//! Accesses are those to words, to payload and to the futex, and fences: a store may be all that a thread did before
//! the fence behind it. Locks are private memory and none.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use loom::thread::{self, ThreadId};

/// What unwinds out of a thread that was killed.
struct Killed;

/// A thread that is to die.
struct Victim {
    thread: ThreadId,
    /// After so many accesses; nothing once it is dead.
    left: Option<usize>,
}

thread_local! {
    /// Of the model that runs: all its threads are one thread of the system.
    static VICTIMS: RefCell<Vec<Victim>> = const { RefCell::new(Vec::new()) };
}

/// Runs `act`, which is killed before it makes one more access than `accesses`. Nothing if it was.
pub fn killed_after<R>(accesses: usize, act: impl FnOnce() -> R) -> Option<R> {
    let me = thread::current().id();
    VICTIMS.with_borrow_mut(|all| all.push(Victim { thread: me, left: Some(accesses) }));
    let outcome = catch_unwind(AssertUnwindSafe(act));
    VICTIMS.with_borrow_mut(|all| all.retain(|victim| victim.thread != me));
    match outcome {
        Ok(result) => Some(result),
        Err(payload) if payload.is::<Killed>() => None,
        Err(payload) => resume_unwind(payload),
    }
}

/// How a thread is.
enum Health {
    Lives,
    Dies,
    IsDead,
}

/// The thread is about to access shared memory: whether it may.
///
/// A thread that is to die now does not return. One that is dead already, and is dropping what it had, may not.
pub(super) fn access() -> bool {
    let health = VICTIMS.with_borrow_mut(|all| {
        if all.is_empty() {
            return Health::Lives;
        }
        let me = thread::current().id();
        match all.iter_mut().find(|victim| victim.thread == me) {
            None => Health::Lives,
            Some(Victim { left: None, .. }) => Health::IsDead,
            Some(Victim { left, .. }) => {
                *left = left.and_then(|left| left.checked_sub(1));
                if left.is_some() { Health::Lives } else { Health::Dies }
            }
        }
    });
    match health {
        Health::Lives => true,
        Health::IsDead => false,
        // Not a panic: no hook is run, nothing is printed.
        Health::Dies => resume_unwind(Box::new(Killed)),
    }
}

/// Whether the thread was killed and is dropping what it had.
pub(super) fn is_dead() -> bool {
    VICTIMS.with_borrow(|all| {
        let dead =
            |victim: &Victim| victim.left.is_none() && victim.thread == thread::current().id();
        all.iter().any(dead)
    })
}
