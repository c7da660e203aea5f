//! What a member's record says of it.

use std::sync::{Mutex, PoisonError};

use super::{Membership, View, liveness_byte};
use crate::error::{ErrorKind, Failure, MemberId};
use crate::layout::{MEMBER_ACTIVE, MEMBER_UNUSED, MemberRecord};
use crate::primitive::Ordering::{Acquire, Relaxed, Release};
use crate::sys::{fork, lock};

impl MemberRecord {
    /// The record of a member that has its number for itself and can be told from the dead.
    pub fn begin(&self) {
        let (pid, start_time) = about_this_process();
        self.pid.store(pid, Relaxed);
        self.start_time.store(start_time, Relaxed);
        self.roles.iter().for_each(|count| count.store(0, Relaxed));
        self.incarnation.fetch_add(1, Relaxed);
        // ORDERING(member): whoever sees it active sees the rest of the record.
        self.state.store(MEMBER_ACTIVE, Release);
    }
}

/// A member as it was when somebody looked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member {
    id: MemberId,
    pid: u32,
    alive: bool,
    roles: [u32; 2],
    claims: u32,
}

impl Member {
    fn new(id: MemberId, record: &MemberRecord, alive: bool) -> Self {
        let [senders, receivers] = &record.roles;
        let roles = [senders.load(Relaxed), receivers.load(Relaxed)];
        Self { id, pid: record.pid.load(Relaxed), alive, roles, claims: 0 }
    }

    /// Its number.
    pub fn id(&self) -> MemberId {
        self.id
    }

    /// Its process id in its own namespace, for people: it says nothing about whether the member lives.
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// Whether it may still act. If not, it died and nobody has cleaned up after it yet.
    pub fn is_alive(&self) -> bool {
        self.alive
    }

    /// Whether it is in the middle of something that others may wait for: of sending a message of a queue, or of
    /// one that it received and has not acknowledged.
    pub fn is_busy(&self) -> bool {
        self.claims > 0
    }

    /// How many slots of a queue are in its hands: claimed and not committed, or received and not acknowledged.
    pub fn claims(&self) -> u32 {
        self.claims
    }

    /// How many sending handles it has.
    pub fn senders(&self) -> u32 {
        self.roles[0]
    }

    /// How many receiving handles it has.
    pub fn receivers(&self) -> u32 {
        self.roles[1]
    }
}

impl Membership {
    /// Who is attached, and who died and was not cleaned up after yet.
    pub fn members(&self) -> Result<Vec<Member>, Failure> {
        if self.segment.is_inherited() {
            return Err(ErrorKind::Os.into());
        }
        let _guard = fork::guard();
        let View::Ours(view) = self.view() else { return Err(ErrorKind::Os.into()) };
        let mut members = Vec::new();
        for id in self.segment.member_ids() {
            let record = self.segment.record(id);
            // ORDERING(member): the rest of the record is in order.
            if record.state.load(Acquire) != MEMBER_UNUSED {
                let alive = lock::is_held_elsewhere(&view, liveness_byte(id))?;
                members.push(Member::new(id, record, alive));
            }
        }
        let mut note = |owner| {
            if let Some(member) = members.iter_mut().find(|member| member.id == owner) {
                member.claims += 1;
            }
        };
        self.segment.each_claim(&mut note);
        self.annexes.each(&self.segment, |annex| annex.each_claim(&mut note))?;
        Ok(members)
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
