//! What a member's record says of it.

use std::sync::{Mutex, PoisonError};

use crate::layout::{MEMBER_ACTIVE, MemberRecord};
use crate::primitive::Ordering::{Relaxed, Release};
use crate::sys::fork;

impl MemberRecord {
    /// The record of a member that has its number for itself and can be told from the dead.
    pub fn begin(&self) {
        let (pid, start_time) = about_this_process();
        self.pid.store(pid, Relaxed);
        self.start_time.store(start_time, Relaxed);
        self.senders.store(0, Relaxed);
        self.receivers.store(0, Relaxed);
        self.incarnation.fetch_add(1, Relaxed);
        // ORDERING(member): whoever sees it active sees the rest of the record.
        self.state.store(MEMBER_ACTIVE, Release);
    }
}

/// Process id and start time, for people who look at a member.
fn about_this_process() -> (u32, u64) {
    static KNOWN: Mutex<Option<(u64, (u32, u64))>> = Mutex::new(None);
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    match *known {
        Some((generation, facts)) if generation == fork::generation() => facts,
        _ => {
            let facts = (std::process::id(), start_time().unwrap_or(0));
            *known = Some((fork::generation(), facts));
            facts
        }
    }
}

/// Field 22 of `/proc/self/stat`; the second field may hold anything, so fields are counted after it.
fn start_time() -> Option<u64> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    stat.rsplit_once(')')?.1.split_whitespace().nth(19)?.parse().ok()
}
