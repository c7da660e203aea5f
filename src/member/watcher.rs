//! Threads that learn of deaths as soon as the kernel is done with the dead.
//!
//! One waits for the processes of the other members to end, by the process numbers in their records. Those are hints: where
//! one is of another namespace, it is of no process or of the wrong one, and that death is learned of at the
//! recheck, as without a watcher. Whether somebody is dead is never told by them: the kernel's lock is asked. The other
//! waits for members to come, since one thread cannot sleep on both, and rings the first one's bell.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::{Membership, liveness_byte};
use crate::error::{Failure, MemberId};
use crate::event::{Attempt, Deadline, Patience, Recheck, Wait};
use crate::layout::MEMBER_ACTIVE;
use crate::primitive::Ordering::{Acquire, Relaxed, Release, SeqCst};
use crate::sys::lock;
use crate::sys::watch::{Bell, Process, without_signals};

/// The threads of one attachment. Dropping it ends them.
#[derive(Debug)]
pub struct Watcher {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

/// What the two threads and their owner share.
#[derive(Debug)]
struct Shared {
    member: Arc<Membership>,
    patience: Patience,
    bell: Bell,
    stopped: AtomicBool,
}

/// Whose process is waited for: the member, and which of those that had its number.
type Watched = (MemberId, u64);

/// A process may end before what it shared with others does: when to look again, four times longer each time.
const AGAIN: Duration = Duration::from_micros(100);
/// Enough for a reap, which keeps little on the stack.
const STACK: usize = 128 * 1024;

impl Watcher {
    /// Watches for `member`.
    pub fn new(member: &Arc<Membership>, patience: Patience) -> Result<Self, Failure> {
        Process::open(std::process::id())?;
        let (bell, stopped) = (Bell::new()?, AtomicBool::new(false));
        let patience = Patience { wait: Wait::Park, ..patience };
        let shared = Arc::new(Shared { member: Arc::clone(member), patience, bell, stopped });
        let mut watcher = Self { shared, threads: Vec::new() };
        watcher.start(Shared::see_them_go)?;
        watcher.start(Shared::see_them_come)?;
        Ok(watcher)
    }

    fn start(&mut self, work: fn(&Shared)) -> Result<(), Failure> {
        let shared = Arc::clone(&self.shared);
        let builder = thread::Builder::new().name("ringway-watcher".to_owned()).stack_size(STACK);
        self.threads.push(without_signals(|| builder.spawn(move || work(&shared)))?);
        Ok(())
    }

    /// Forgets it without touching anything: in a forked child the threads are not there, and its descriptors are the
    /// parent's too.
    pub fn disown(self) {
        std::mem::forget(self);
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        let Shared { member, bell, stopped, .. } = &*self.shared;
        stopped.store(true, Release);
        bell.ring();
        member.segment.arrivals(member.id).notify_all();
        // Waited for, because they keep the member's mapping.
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn is_stopped(&self) -> bool {
        self.stopped.load(Acquire)
    }

    /// What the first thread does.
    fn see_them_go(&self) {
        let recheck = Duration::from_nanos(self.patience.recheck_ns);
        let (mut watched, mut pause) = (Vec::new(), recheck);
        while !self.is_stopped() {
            self.watch_newcomers(&mut watched);
            self.member.bury_dead();
            // Fails when somebody has closed the descriptors: then the rechecks must do.
            let Ok(ended) = self.bell.wait(&mut watched, pause) else { return };
            pause = if ended { AGAIN } else { pause * 4 }.min(recheck);
        }
    }

    /// Brings `watched` up to date: who came is in it, who left is not.
    ///
    /// Of one whose process has ended there is no process, and none is looked for: if its lock is still held then, by
    /// whatever shares its memory, later looks find out.
    fn watch_newcomers(&self, watched: &mut Vec<(Watched, Option<Process>)>) {
        let segment = &self.member.segment;
        let now = |id: MemberId| {
            let record = segment.record(id);
            // ORDERING(member): the rest of the record is in order.
            let active = record.state.load(Acquire) == MEMBER_ACTIVE;
            active.then(|| (id, record.incarnation.load(Relaxed)))
        };
        watched.retain(|(who, _)| now(who.0) == Some(*who));
        for who in segment.member_ids().filter_map(now) {
            let pid = segment.record(who.0).pid.load(Relaxed);
            if pid == std::process::id() || watched.iter().any(|(known, _)| *known == who) {
                continue;
            }
            // Its lock is asked for after the process was found: if it lives then, the number was its own.
            if let Ok(process) = Process::open(pid)
                && matches!(
                    lock::is_held_elsewhere(segment.probe(), liveness_byte(who.0)),
                    Ok(true)
                )
            {
                watched.push((who, Some(process)));
            }
        }
    }

    /// What the second thread does.
    fn see_them_come(&self) {
        let Membership { segment, id, .. } = &*self.member;
        let attaches = &segment.control().attaches;
        let (event, mut recheck) = (segment.arrivals(*id), Recheck::default());
        let mut seen = attaches.load(SeqCst);
        while !self.is_stopped() {
            self.bell.ring();
            let attempt = |_| match attaches.load(SeqCst) {
                // ORDERING(attaches): one who comes counts itself, then looks whether anybody waits here.
                now if now != seen || self.is_stopped() => Attempt::Ready(now),
                _ => Attempt::Idle,
            };
            let patience = self.patience;
            let came = event.wait_until(patience, &mut recheck, Deadline::NEVER, attempt, || false);
            seen = came.unwrap_or(seen);
        }
    }
}
