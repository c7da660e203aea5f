//! A thread that learns of deaths as soon as the kernel has released the dead.
//!
//! It sleeps until somebody lets go of the segment's file, which every process does that ends, and then looks who is
//! dead. So it costs nothing while nothing happens, whatever the number of members. It has no part in what is
//! promised: whoever waits looks for itself at every recheck.

use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::Membership;
use crate::error::{ErrorKind, Failure};
use crate::sys::watch::{Report, Watch, refuse_signals};

/// The thread of one attachment. Dropping it ends the thread.
#[derive(Debug)]
pub struct Watcher {
    watch: Arc<Watch>,
    /// `None` only while dropping.
    thread: Option<JoinHandle<()>>,
}

/// When to look again after a report, since locks are released just after it; five times that in the end.
const AGAIN: Duration = Duration::from_micros(50);
const MOST: Duration = Duration::from_millis(20);

impl Watcher {
    /// Watches for `member`.
    pub fn new(member: &Arc<Membership>) -> Result<Self, Failure> {
        let watch = Watch::new(member.segment.probe())
            .map_err(|source| Failure { kind: ErrorKind::Os, source: Some(source) })?;
        let watch = Arc::new(watch);
        let (theirs, member) = (Arc::clone(&watch), Arc::clone(member));
        let thread = thread::Builder::new()
            .name("ringway-watcher".to_owned())
            .stack_size(STACK)
            .spawn(move || attend(&theirs, &member))?;
        Ok(Self { watch, thread: Some(thread) })
    }

    /// Forgets it without touching anything: in a forked child the thread is not there, and its descriptors are the
    /// parent's too.
    pub fn disown(self) {
        std::mem::forget(self);
    }
}

/// Enough for a reap, which keeps little on the stack.
const STACK: usize = 128 * 1024;

impl Drop for Watcher {
    fn drop(&mut self) {
        self.watch.stop();
        // Waited for, because it keeps the member's mapping.
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// What the thread does.
fn attend(watch: &Watch, member: &Membership) {
    refuse_signals();
    let mut again = None;
    loop {
        let report = watch.wait(again);
        if report == Report::Stopped {
            return;
        }
        member.bury_dead();
        again = match (report, again) {
            (Report::LetGo, _) => Some(AGAIN),
            (_, Some(pause)) if pause < MOST => Some(pause * 4),
            _ => None,
        };
    }
}
