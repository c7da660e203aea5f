//! In a client: what the threads of this process have of locks at servers.
//!
//! A thread knows itself what it has. So one that would wait for itself is told without a call, and one that takes again what it
//! has just counts.

use std::cell::RefCell;
use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::time::Duration;

use super::error::LockError;
use super::leased::{Granted, LeaseKey};
use crate::manager::{CallError, ObjectNumber, Proxy};

/// How long a call may wait.
#[derive(Clone, Copy, Debug)]
pub enum Wait {
    No,
    AtMost(Duration),
    Ever,
}

/// Takes `units` of a lock; none if others have them, or that takes too long.
pub fn take(proxy: &Proxy, units: u32, wait: Wait) -> Result<Option<Granted>, CallError> {
    let waits = !matches!(wait, Wait::No);
    let Wait::AtMost(limit) = wait else {
        return proxy.call("take", &(units, waits));
    };
    match proxy.call_timeout("take", limit, |to| to.put(&(units, waits))) {
        Err(CallError::TimedOut) => Ok(None),
        outcome => outcome,
    }
}

/// Gives a lease back, and waits until the server has it. Where there is no answer it may never have been asked: then it is told once
/// more, without waiting; a lease that is back is nobody's.
pub fn return_lease(proxy: &Proxy, lease: LeaseKey, inconsistent: bool) -> Result<(), CallError> {
    let answer = proxy.call::<bool>("give_back", &(lease, inconsistent));
    if answer.is_err() {
        give_back(proxy, lease, inconsistent);
    }
    answer.map(drop)
}

/// Gives a lease back, without waiting for the server.
pub fn give_back(proxy: &Proxy, lease: LeaseKey, inconsistent: bool) {
    proxy.post("give_back", |to| to.put(&(lease, inconsistent)));
}

/// A lock that a thread has.
struct Hold {
    lock: Lock,
    units: u32,
    lease: LeaseKey,
    /// How many guards there are of it.
    depth: u32,
    inconsistent: bool,
}

/// Which lock: of which session, which object.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Lock((u64, u64), ObjectNumber);

impl Lock {
    fn of(proxy: &Proxy) -> Self {
        Self(proxy.session_identity(), proxy.number())
    }
}

thread_local!(static HELD: RefCell<Vec<Hold>> = const { RefCell::new(Vec::new()) });

/// Whether this thread has the lock, and if so whether it may have it once more, which is counted.
fn take_again(lock: Lock, may: impl FnOnce(u32) -> bool) -> Option<bool> {
    HELD.with_borrow_mut(|held| {
        let hold = held.iter_mut().find(|hold| hold.lock == lock)?;
        let may = may(hold.units);
        hold.depth += u32::from(may);
        Some(may)
    })
}

/// One guard's part in a lock that its thread has. Dropping the last gives the lock back.
pub struct Grip<'a> {
    proxy: &'a Proxy,
    /// Whether the thread was panicking when it took it: then that it still is says nothing.
    panicking: bool,
    /// It stays with its thread.
    alone: PhantomData<*const ()>,
}

impl<'a> Grip<'a> {
    /// Takes `units` of the lock for this thread; if it has some of it already, only if it `may` with so many. `Err` with it if
    /// somebody ended in the middle of a change.
    pub fn take(
        proxy: &'a Proxy,
        units: u32,
        may: impl FnOnce(u32) -> bool,
        wait: Wait,
    ) -> Result<Self, LockError<Self>> {
        // Before it counts what the thread of the parent had.
        if proxy.is_inherited() {
            return Err(LockError::Failed(CallError::Forked));
        }
        let lock = Lock::of(proxy);
        match take_again(lock, may) {
            Some(true) => return Ok(Self::new(proxy)),
            Some(false) => return Err(LockError::WouldDeadlock),
            None => {}
        }
        let Some(granted) = take(proxy, units, wait).map_err(LockError::Failed)? else {
            let late = matches!(wait, Wait::AtMost(_));
            return Err(if late { LockError::Timeout } else { LockError::Held });
        };
        let Granted { lease, inconsistent } = granted;
        let hold = Hold { lock, units, lease, depth: 1, inconsistent };
        HELD.with_borrow_mut(|held| held.push(hold));
        let grip = Self::new(proxy);
        if inconsistent { Err(LockError::OwnerDied(grip)) } else { Ok(grip) }
    }

    fn new(proxy: &'a Proxy) -> Self {
        Self { proxy, panicking: std::thread::panicking(), alone: PhantomData }
    }

    pub fn proxy(&self) -> &'a Proxy {
        self.proxy
    }

    pub fn is_inconsistent(&self) -> bool {
        self.hold(|hold| hold.inconsistent).unwrap_or(false)
    }

    pub fn mark_consistent(&self) {
        let _ = self.hold(|hold| hold.inconsistent = false);
    }

    /// Gives it back, and waits until the server has it.
    pub fn unlock(self) -> Result<(), CallError> {
        let grip = ManuallyDrop::new(self);
        let Some((lease, inconsistent)) = grip.loosen() else { return Ok(()) };
        return_lease(grip.proxy, lease, inconsistent)
    }

    fn hold<R>(&self, act: impl FnOnce(&mut Hold) -> R) -> Option<R> {
        let lock = Lock::of(self.proxy);
        let act = |held: &RefCell<Vec<Hold>>| {
            let mut held = held.borrow_mut();
            held.iter_mut().find(|hold| hold.lock == lock).map(act)
        };
        // While the thread ends the list may be gone: then so are its calls.
        HELD.try_with(act).ok().flatten()
    }

    /// One guard less. What is to be given back if it was the last.
    fn loosen(&self) -> Option<(LeaseKey, bool)> {
        let panicked = !self.panicking && std::thread::panicking();
        let depth = self.hold(|hold| {
            hold.inconsistent |= panicked;
            hold.depth -= 1;
            hold.depth
        });
        if depth != Some(0) {
            return None;
        }
        let lock = Lock::of(self.proxy);
        HELD.with_borrow_mut(|held| {
            let place = held.iter().position(|hold| hold.lock == lock)?;
            let hold = held.swap_remove(place);
            Some((hold.lease, hold.inconsistent))
        })
    }
}

impl Drop for Grip<'_> {
    fn drop(&mut self) {
        if let Some((lease, inconsistent)) = self.loosen() {
            give_back(self.proxy, lease, inconsistent);
        }
    }
}
