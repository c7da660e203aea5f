//! The further segments of a queue that grows: files beside the one that has the queue's name.
//!
//! An *annex* is named `NAME@ID.GENERATION` where `ID` is the chain's number, which its header has too. It has a ring and nothing
//! else of its own: who is attached, who lives and who waits is said by the *anchor*, the segment with the name. While there
//! is an annex the anchor has a second name, `NAME@ID`, its *foothold*, made before the first annex and removed after the last: so
//! whatever becomes of the name, who finds annexes can tell whether anybody uses them.
//!
//! What may be changed when is `ring::chain`'s to say.

mod names;

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use crate::error::{ErrorKind, Failure, MemberId};
use crate::inspect::Trust;
use crate::layout::{CHAIN_BYTE, GrowthShape, Shape};
use crate::name::{Address, Patience};
use crate::primitive::Mutex;
use crate::primitive::Ordering::SeqCst;
use crate::ring::chain::ChainWord;
use crate::ring::reap::{DeliveryPolicy, Reaped, reap_all};
use crate::segment::Segment;
use crate::sys::shm;
use crate::sys::{self, fork, lock};
use names::{annex_path, foothold_path};
pub use names::{remove_all, remove_orphans};

/// The annexes that this process has mapped, and where they are.
#[derive(Debug, Default)]
pub struct Annexes {
    home: OnceLock<Address>,
    mapped: Mutex<Vec<(u64, Arc<Segment>)>>,
}

/// How long to wait for somebody who changes the chain.
const TURN: Duration = Duration::from_millis(1);
/// So many changes of the chain who looks for its segments bears.
const TURNS: usize = 1000;
/// Segments double up to this many bytes of slots, or an eighth of the chain if that is more.
const STEP: u64 = 4 << 20;

impl Annexes {
    /// Those of the queue at `home`.
    pub fn at(home: &Address) -> Self {
        Self { home: home.clone().into(), mapped: Mutex::default() }
    }

    /// The queue has got its name.
    pub fn settle_at(&self, home: &Address) {
        self.home.get_or_init(|| home.clone());
    }

    fn path(&self, anchor: &Segment, generation: u64) -> Result<PathBuf, Failure> {
        let home = self.home.get().ok_or(ErrorKind::NotFound)?;
        Ok(annex_path(home, anchor.shape().growth.chain_id, generation))
    }

    fn known(&self, generation: u64) -> Option<Arc<Segment>> {
        let mapped = self.mapped.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        mapped.iter().find(|known| known.0 == generation).map(|known| Arc::clone(&known.1))
    }

    /// Keeps `segment`, and none that are not in the chain.
    fn keep(&self, seen: ChainWord, generation: u64, segment: Segment) -> Arc<Segment> {
        self.forget(|known| known < seen.first() || known == generation);
        let segment = Arc::new(segment);
        let mut mapped = self.mapped.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        mapped.push((generation, Arc::clone(&segment)));
        segment
    }

    /// The annex that `seen` has as `generation`; nothing if it is not there.
    pub fn open(
        &self,
        anchor: &Segment,
        seen: ChainWord,
        generation: u64,
    ) -> Result<Option<Arc<Segment>>, Failure> {
        if let Some(known) = self.known(generation) {
            return Ok(Some(known));
        }
        let path = self.path(anchor, generation)?;
        let trust = Trust { owner: Some(anchor.owner()?), any_file_system: true };
        let wanted = |found: &Shape| *found == annex_shape(anchor, generation, found.capacity);
        let guard = fork::guard();
        match Segment::open_if(&path, &trust, wanted) {
            Ok(mut segment) => {
                segment.register(&guard);
                drop(guard);
                Ok(Some(self.keep(seen, generation, segment)))
            }
            Err(Failure { kind: ErrorKind::NotFound, .. }) => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    /// All that `seen` has, but for the anchor. An error too if one of them is not there.
    fn all(&self, anchor: &Segment, seen: ChainWord) -> Result<Vec<Arc<Segment>>, Failure> {
        let annexes = (seen.first()..=seen.last()).filter(|number| !seen.is_anchor(*number));
        let open = |number| self.open(anchor, seen, number)?.ok_or(ErrorKind::NotFound.into());
        annexes.map(open).collect()
    }

    /// Makes the annex `generation`, as large as the limits and the memory allow. False if they allow none. The caller is
    /// alone.
    pub fn make(
        &self,
        anchor: &Segment,
        seen: ChainWord,
        generation: u64,
    ) -> Result<bool, Failure> {
        let Some(capacity) = self.next_capacity(anchor, seen)? else { return Ok(false) };
        if anchor.owner()? != sys::effective_user() {
            return Err(ErrorKind::PermissionDenied.into());
        }
        let path = self.path(anchor, generation)?;
        self.take_hold(anchor)?;
        match Self::make_at(&path, anchor, generation, capacity) {
            Ok(segment) => {
                self.keep(seen, generation, segment);
                Ok(true)
            }
            Err(failure) => {
                self.discard(anchor, generation, seen.is_anchor(seen.first()) && seen.ahead() == 0);
                Err(failure)
            }
        }
    }

    fn make_at(
        path: &Path,
        anchor: &Segment,
        generation: u64,
        mut capacity: u64,
    ) -> Result<Segment, Failure> {
        let directory = path.parent().ok_or(ErrorKind::NotFound)?;
        let trust = Trust { owner: None, any_file_system: true };
        let guard = fork::guard();
        let mut segment = loop {
            let shape = annex_shape(anchor, generation, capacity);
            match Segment::create(directory, &shape, 0o600, &trust) {
                Err(Failure { kind: ErrorKind::NoSpace, .. })
                    if capacity > anchor.shape().capacity =>
                {
                    capacity /= 2;
                }
                made => break made?.0,
            }
        };
        if let Err(taken) = shm::link(segment.probe(), path) {
            if taken.kind() != std::io::ErrorKind::AlreadyExists {
                return Err(taken.into());
            }
            // Of somebody who died before the chain had it.
            std::fs::remove_file(path)?;
            shm::link(segment.probe(), path)?;
        }
        segment.register(&guard);
        Ok(segment)
    }

    /// How many messages the next annex is to hold.
    fn next_capacity(&self, anchor: &Segment, seen: ChainWord) -> Result<Option<u64>, Failure> {
        let (shape, own) = (anchor.shape(), seen.anchor().is_some());
        let annexes = self.all(anchor, seen)?;
        let last = if seen.is_anchor(seen.last()) { None } else { annexes.last() };
        let messages = annexes.iter().fold(if own { shape.capacity } else { 0 }, |sum, annex| {
            sum.saturating_add(annex.shape().capacity)
        });
        let bytes = annexes.iter().fold(anchor.len(), |sum, annex| sum.saturating_add(annex.len()));
        let step =
            (STEP / shape.stride().unwrap_or(1).max(1)).max(shape.capacity).max(messages / 8);
        let last = last.map_or(shape.capacity, |last| last.shape().capacity);
        let mut capacity = last.saturating_mul(2).min(step);
        if shape.growth.messages > 0 {
            capacity = capacity.min(shape.growth.messages.saturating_sub(messages));
        }
        let mut wanted = capacity.checked_ilog2().map(|log| 1 << log);
        while let Some(some) = wanted
            && shape.growth.bytes > 0
            && annex_shape(anchor, 1, some)
                .total_len()
                .is_none_or(|len| len > shape.growth.bytes.saturating_sub(bytes))
        {
            wanted = (some > 1).then_some(some / 2);
        }
        Ok(wanted)
    }

    /// Gives the anchor its second name.
    fn take_hold(&self, anchor: &Segment) -> Result<(), Failure> {
        let home = self.home.get().ok_or(ErrorKind::NotFound)?;
        let foothold = foothold_path(home, anchor.shape().growth.chain_id);
        if anchor.identity().is_at(&foothold) {
            return Ok(());
        }
        Ok(shm::link(anchor.probe(), &foothold)?)
    }

    /// Removes the annex `generation`, which need not be there, and with the last one the foothold, which `is_last` says.
    pub fn discard(&self, anchor: &Segment, generation: u64, is_last: bool) {
        self.forget(|known| known == generation);
        if let (Some(home), id) = (self.home.get(), anchor.shape().growth.chain_id) {
            let path = annex_path(home, id, generation);
            // Others may have it mapped for long, so its memory goes first: but for its cursors, which say that it is shut.
            if let (Ok(file), Some(start)) = (shm::open(&path), annex_slots(anchor)) {
                let _ = shm::give_back(&file, start);
            }
            let _ = std::fs::remove_file(path);
            if is_last {
                let _ = std::fs::remove_file(foothold_path(home, id));
            }
        }
    }

    /// Unmaps annexes whose generation `is_gone`.
    pub fn forget(&self, is_gone: impl Fn(u64) -> bool) {
        let mut mapped = self.mapped.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let gone: Vec<_> = mapped.extract_if(.., |known| is_gone(known.0)).collect();
        drop(mapped);
        // Only now: to unmap keeps forks out, and whoever does may be waiting for the list.
        drop(gone);
    }

    /// Runs `act` while nobody else changes the chain: the lock goes with this process. Nothing if somebody is at it, and for
    /// long if it `waits`.
    pub fn alone<R>(anchor: &Segment, waits: bool, act: impl FnOnce() -> R) -> Option<R> {
        let patience = Patience::new(TURN);
        loop {
            let guard = fork::guard();
            let holder = shm::reopen(anchor.probe()).ok()?;
            if lock::try_exclusive(&holder, CHAIN_BYTE).ok()? {
                let done = act();
                drop((holder, guard));
                return Some(done);
            }
            drop((holder, guard));
            if !(waits && patience.lasts()) {
                return None;
            }
        }
    }

    /// Takes back what `dead` had claimed in annexes.
    pub fn reap(&self, anchor: &Segment, dead: MemberId) -> Result<Reaped, Failure> {
        let mut reaped = Reaped::default();
        let Some(policy) = DeliveryPolicy::of(anchor.shape().delivery) else { return Ok(reaped) };
        self.each(anchor, |annex| reaped.add(reap_annex(anchor, annex, dead, policy)))?;
        Ok(reaped)
    }

    /// Removes what somebody who died while he changed the chain has left beside it.
    pub fn clean_up(&self, anchor: &Segment) {
        let control = anchor.control();
        if !anchor.shape().growth.is_some() || control.leaving.load(SeqCst) == 0 {
            return;
        }
        Self::alone(anchor, true, || {
            let (left, seen) = (control.leaving.load(SeqCst), ChainWord(control.next.load(SeqCst)));
            if left != 0 && seen.is_possible() {
                if !(seen.first()..=seen.last()).contains(&left) {
                    self.discard(anchor, left, seen.is_anchor(seen.first()) && seen.ahead() == 0);
                }
                control.leaving.store(0, SeqCst);
            }
        });
    }

    /// Shows each annex to `look`. Others change the chain meanwhile.
    pub fn each(&self, anchor: &Segment, look: impl FnMut(&Segment)) -> Result<(), Failure> {
        if !anchor.shape().growth.is_some() {
            return Ok(());
        }
        let word = || ChainWord(anchor.control().next.load(SeqCst));
        let annexes = of_one_moment(word, |seen| self.all(anchor, seen))?;
        annexes.iter().map(Arc::as_ref).for_each(look);
        Ok(())
    }
}

/// What `find` finds of the chain as `word` says that it is: again for as long as it fails and the chain is another by then.
fn of_one_moment<R>(
    word: impl Fn() -> ChainWord,
    mut find: impl FnMut(ChainWord) -> Result<R, Failure>,
) -> Result<R, Failure> {
    let mut seen = word();
    for _ in 0..TURNS {
        if !seen.is_possible() {
            return Err(ErrorKind::NotASegment("its chain of segments is broken").into());
        }
        let found = find(seen);
        let now = word();
        if found.is_ok() || now == seen {
            return found;
        }
        seen = now;
    }
    Err(ErrorKind::NotASegment("its chain of segments changes without end").into())
}

/// Takes back what `dead` had claimed in an annex, if that is in the chain.
fn reap_annex(anchor: &Segment, annex: &Segment, dead: MemberId, policy: DeliveryPolicy) -> Reaped {
    let is_there = || {
        let seen = ChainWord(anchor.control().next.load(SeqCst));
        let generation = annex.shape().growth.chain;
        seen.is_possible() && (seen.first()..=seen.last()).contains(&generation)
    };
    // Of one that was passed the slots are blank, which looks like claims; what the dead had there was taken back.
    if !is_there() {
        return Reaped::default();
    }
    let found = reap_all(&annex.rings(None).collect::<Vec<_>>(), dead, policy);
    if is_there() { found } else { Reaped::default() }
}

/// What an annex of `anchor` is like.
fn annex_shape(anchor: &Segment, generation: u64, capacity: u64) -> Shape {
    let of = anchor.shape();
    let growth = GrowthShape { chain: generation, ..of.growth };
    Shape { capacity, flags: 0, delivery_limit: 0, dead_letters: 0, growth, ..*of }
}

/// Where the slots of its annexes begin.
fn annex_slots(anchor: &Segment) -> Option<u64> {
    annex_shape(anchor, 1, 1).header([0; 16]).map(|header| header.slots_offset)
}

#[cfg(test)]
mod tests;
