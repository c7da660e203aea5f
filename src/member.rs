//! Members: who is attached to a segment, who lives, who died.
//!
//! A member is one attachment. Its life is a kernel lock on its *liveness byte*, held by the description that
//! its mapping holds, and by nothing else: while the lock is there its address space may still store to the
//! segment, and once it is gone no store can come. No process id is compared, so process ids may be used
//! again, belong to other namespaces or to zombies.
//!
//! That rests on the mapping really holding the description that has the lock, which not every file system
//! does. So every attachment checks it, after closing its descriptor: its own byte, seen through a second
//! description, must be held.
//!
//! Who takes what a dead member left behind holds its byte *shared* (any number may, and each step is one
//! that may be done twice); who takes its number holds the byte alone. So a stopped or killed helper holds
//! up nobody but the reuse of one number.
//!
//! Left to others: what was left behind in a ring (`ring`), and whose turn it is to look (`channel`).

mod annexes;
mod ends;
mod record;
mod recovery;
mod remains;
mod roles;
pub mod threads;
mod watcher;

use std::fs::File;
use std::ops::Deref;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use crate::error::{ErrorKind, Failure, MemberId};
use crate::event;
use crate::inspect::{Expected, Trust};
use crate::layout::{
    BELL_BYTE, Counters, FLAG_ASYMMETRIC, FLAG_REMOVE_WHEN_UNUSED, LIVENESS_BYTE, MEMBER_ACTIVE,
    MEMBER_UNUSED, REMOVED, Shape,
};
use crate::name::{Address, Patience, try_unlink, unlink};
use crate::primitive::Ordering::{Acquire, Relaxed, SeqCst};
use crate::segment::Segment;
use crate::sys::shm::{self, Identity};
use crate::sys::{barrier, fork, lock};

pub use annexes::{Annexes, remove_orphans};
pub use record::Member;
pub use recovery::{Recovered, Statistics};
pub use remains::survey;
pub use roles::Role;
use watcher::Watcher;

/// One member's hold on a segment. Dropping it detaches.
#[derive(Debug)]
pub struct Attachment {
    member: Arc<Membership>,
    /// Where its name is, once it has one.
    home: OnceLock<Address>,
    /// Who looks out for deaths, if that was asked for.
    watcher: OnceLock<Watcher>,
}

/// What a member is, and what it sees of the others.
#[derive(Debug)]
pub struct Membership {
    segment: Arc<Segment>,
    id: MemberId,
    /// The further segments, of a queue that grows.
    annexes: Annexes,
    /// Set once a verdict could not prove itself: nobody is declared dead through it any more.
    blind: AtomicBool,
}

impl Deref for Attachment {
    type Target = Membership;
    #[inline(always)]
    fn deref(&self) -> &Membership {
        &self.member
    }
}

/// What could be found out about a member.
#[derive(Debug)]
pub enum Verdict {
    /// It may still act; also whenever anything about the answer is in doubt.
    Alive,
    /// It can never store to the segment again.
    Dead(DeadMember),
    /// This process cannot tell: there is no such member, or its view of the locks is not to be had or trusted.
    Unknown,
}

/// Proof that a member is dead. While it exists nobody takes the member's number.
#[derive(Debug)]
pub struct DeadMember {
    id: MemberId,
    /// The description that shares the dead member's byte.
    view: File,
    /// The right to keep it from forked children.
    _guard: fork::Guard,
}

/// Why an attempt to attach came to nothing and may be made again.
#[derive(Debug)]
pub enum Miss {
    /// The name went to another segment, or its segment is being removed.
    Moved,
    /// It failed.
    Failed(Failure),
}

impl<E: Into<Failure>> From<E> for Miss {
    fn from(error: E) -> Self {
        Miss::Failed(error.into())
    }
}

/// This process's view of the locks.
enum View {
    /// A description that proved itself.
    Ours(File),
    /// What was the segment's descriptor is not any more, or does not show what is known to be so.
    Lost,
    /// None can be had at the moment, for want of descriptors for one.
    Unavailable,
}

/// What a new segment is to be.
#[derive(Clone, Debug)]
pub struct Plan<'a> {
    /// The directory that it is made in.
    pub directory: &'a Path,
    /// Its shape.
    pub shape: Shape,
    /// Its file mode.
    pub mode: u32,
    /// Who may be trusted.
    pub trust: &'a Trust,
    /// Enter all pages at once.
    pub prefault: bool,
}

impl Attachment {
    /// Makes a segment and joins it; it has no name yet.
    pub fn create(plan: &Plan<'_>) -> Result<Self, Failure> {
        let guard = fork::guard();
        let (segment, file) = Segment::create(plan.directory, &plan.shape, plan.mode, plan.trust)?;
        let attachment = Self::join(segment, file, Annexes::default(), &guard)?;
        if plan.prefault {
            attachment.segment.prefault()?;
        }
        Ok(attachment)
    }

    /// Gives the segment its name: from now on others find it, complete. `AlreadyExists` if it is taken.
    pub fn publish(&self, address: &Address) -> std::io::Result<()> {
        shm::link(self.segment.probe(), address.path())?;
        self.home.get_or_init(|| address.clone());
        self.annexes.settle_at(address);
        Ok(())
    }

    /// Joins the segment at `address`.
    pub fn open(address: &Address, expected: &Expected, trust: &Trust) -> Result<Self, Miss> {
        let guard = fork::guard();
        let (segment, file) = Segment::open(address.path(), expected, trust)?;
        if segment.is_abandoned(segment.probe())? {
            segment.remove_name(address)?;
            return Err(Miss::Moved);
        }
        let attachment = Self::join(segment, file, Annexes::at(address), &guard)?;
        // ORDERING(attaches): after the lock and the record; pairs with the look in `is_abandoned`.
        let attached = attachment.segment.control().attaches.fetch_add(1, SeqCst);
        if attached & REMOVED != 0 {
            attachment.segment.remove_name(address)?;
            return Err(Miss::Moved);
        }
        if !attachment.segment.identity().is_at(address.path()) {
            return Err(Miss::Moved);
        }
        attachment.home.get_or_init(|| address.clone());
        attachment.segment.arrivals(attachment.id).notify(u32::MAX);
        Ok(attachment)
    }

    /// Where its name was when it was made or opened.
    pub fn home(&self) -> Option<&Address> {
        self.home.get()
    }

    /// Takes its name away; `NotFound` if that names nothing or something else by now.
    pub fn unlink(&self) -> Result<(), Failure> {
        let home = self.home.get().ok_or(ErrorKind::NotFound)?;
        if self.segment.is_inherited() {
            return Err(ErrorKind::Os.into());
        }
        if !self.segment.identity().is_at(home.path()) {
            return Err(ErrorKind::NotFound.into());
        }
        unlink(self.segment.probe(), home.path())
    }

    /// Joins the same segment once more, as another member.
    pub fn again(&self) -> Result<Self, Failure> {
        let guard = fork::guard();
        let (segment, file) = self.segment.reopen()?;
        Self::join(segment, file, Annexes::default(), &guard)
    }

    /// Takes a member number and shows that its lock holds; only then is the member there for others.
    fn join(
        mut segment: Segment,
        file: File,
        annexes: Annexes,
        guard: &fork::Guard,
    ) -> Result<Self, Failure> {
        if segment.shape().flags & FLAG_ASYMMETRIC != 0 && !barrier::register() {
            return Err(ErrorKind::BarrierUnsupported.into());
        }
        let id = take_number(&segment, &file)?;
        segment.mark_taken(id);
        segment.register(guard);
        drop(file);
        if !lock::is_held_elsewhere(segment.probe(), liveness_byte(id))? {
            let why = "its file system drops a lock that only a mapping holds";
            return Err(ErrorKind::LivenessUnsupported(why).into());
        }
        let record = segment.record(id);
        // ORDERING(member): pairs with the Release of whoever put the record in order before.
        if record.state.load(Acquire) != MEMBER_UNUSED {
            let mut reaped = annexes.reap(&segment, id)?;
            reaped.add(segment.take_back(id, id));
            annexes.clean_up(&segment);
            segment.note(id, Recovered::of(1, reaped));
        }
        record.begin();
        let (segment, blind) = (Arc::new(segment), AtomicBool::new(false));
        let member = Arc::new(Membership { segment, id, annexes, blind });
        Ok(Self { member, home: OnceLock::new(), watcher: OnceLock::new() })
    }

    /// Has threads look out for deaths from now on, for as long as the attachment is there.
    pub fn watch(&self, patience: event::Patience) -> Result<(), Failure> {
        let watcher = Watcher::new(&self.member, patience)?;
        self.watcher.get_or_init(|| watcher);
        Ok(())
    }
}

impl Membership {
    /// The segment.
    #[inline(always)]
    pub fn segment(&self) -> &Arc<Segment> {
        &self.segment
    }

    /// The further segments.
    pub fn annexes(&self) -> &Annexes {
        &self.annexes
    }

    /// What this member counts.
    pub fn counters(&self) -> &Counters {
        self.segment.counters(self.id)
    }

    /// This member's number.
    #[inline(always)]
    pub fn id(&self) -> MemberId {
        self.id
    }

    /// Whether `member` is dead, with the proof.
    ///
    /// Each verdict is taken through a description of its own and proves itself: that description must be of
    /// this segment's file, and must see *this* member's lock. A descriptor that was closed and used again
    /// for something else behind the library's back fails that, and then nobody is declared dead.
    pub fn verdict(&self, member: MemberId) -> Verdict {
        if member.index() >= self.segment.shape().max_members as usize {
            return Verdict::Unknown;
        }
        if self.blind.load(Relaxed) {
            return Verdict::Unknown;
        }
        let guard = fork::guard();
        let fresh = match self.view() {
            View::Ours(fresh) => fresh,
            View::Unavailable => return Verdict::Unknown,
            View::Lost => {
                self.blind.store(true, Relaxed);
                return Verdict::Unknown;
            }
        };
        match lock::try_shared(&fresh, liveness_byte(member)) {
            Ok(true) if member != self.id => {
                Verdict::Dead(DeadMember { id: member, view: fresh, _guard: guard })
            }
            _ => Verdict::Alive,
        }
    }

    /// Whether no verdict can be had any more: then a wait for somebody who dies would have no end.
    pub fn is_blind(&self) -> bool {
        self.blind.load(Relaxed)
    }

    /// A new description that is shown to be of this segment, and to see a living member as living.
    fn view(&self) -> View {
        if !self.is_ours(self.segment.probe()) {
            return View::Lost;
        }
        let Ok(fresh) = shm::reopen(self.segment.probe()) else { return View::Unavailable };
        match self.shows_us(&fresh) {
            Ok(true) => View::Ours(fresh),
            Ok(false) => View::Lost,
            Err(_) => View::Unavailable,
        }
    }

    fn is_ours(&self, file: &File) -> bool {
        file.metadata().is_ok_and(|found| Identity::of(&found) == self.segment.identity())
    }

    /// Whether `view` is of the segment and shows this member, which lives, as living.
    fn shows_us(&self, view: &File) -> std::io::Result<bool> {
        let lives = lock::is_held_elsewhere(view, liveness_byte(self.id))?;
        Ok(lives && self.is_ours(view))
    }
}

impl Drop for Attachment {
    fn drop(&mut self) {
        let watcher = self.watcher.take();
        if self.segment.is_inherited() {
            return watcher.map_or((), Watcher::disown);
        }
        drop(watcher);
        // ORDERING(attaches): of two who leave at once, at least one sees that both have.
        self.segment.record(self.id).state.store(MEMBER_UNUSED, SeqCst);
        // What cannot be removed now is removed by the next who creates or opens the name.
        let removable = self.segment.shape().flags & FLAG_REMOVE_WHEN_UNUSED != 0;
        let grows = self.segment.shape().growth.is_some();
        if let (true, Some(home)) = (removable || grows, self.home.get()) {
            let _guard = fork::guard();
            let View::Ours(view) = self.view() else { return };
            if matches!(self.segment.is_abandoned(&view), Ok(true)) {
                annexes::remove_all(&self.segment, home);
                let _ = try_unlink(&view, home.path());
            } else if grows && self.segment.is_forgotten(&view, home) {
                annexes::remove_all(&self.segment, home);
            }
        }
    }
}

/// Takes a free member number by its lock; a clean one if there is any.
///
/// While somebody is being cleaned up after, or has not quite left, its number is about to be free.
fn take_number(segment: &Segment, file: &File) -> Result<MemberId, Failure> {
    // ORDERING(member): pairs with the Release in `begin`, `mark_taken` and `reap`.
    let state = |id| segment.record(id).state.load(Acquire);
    let patience = Patience::new(SETTLING);
    loop {
        for clean_only in [true, false] {
            for id in segment.member_ids() {
                if clean_only && state(id) != MEMBER_UNUSED {
                    continue;
                }
                if lock::try_exclusive(file, liveness_byte(id))? {
                    lock::try_exclusive(file, BELL_BYTE + id.index() as u64)?;
                    return Ok(id);
                }
            }
        }
        let full = segment.member_ids().all(|id| state(id) == MEMBER_ACTIVE);
        if full || !patience.lasts() {
            return Err(ErrorKind::TooManyMembers { limit: segment.shape().max_members }.into());
        }
    }
}

/// How long to wait for somebody who is in the middle of arriving, leaving or cleaning up.
const SETTLING: Duration = Duration::from_millis(100);

fn liveness_byte(id: MemberId) -> u64 {
    LIVENESS_BYTE + id.index() as u64
}
