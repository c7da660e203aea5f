//! A handle's place in a queue that grows: in which of its segments it works.
//!
//! Everybody waits at the events of the first segment, the anchor, wherever it works.

use std::sync::{Arc, MutexGuard, PoisonError};

use super::super::super::lane::Unsent;
use crate::error::{ErrorKind, Failure, Fault, MemberId};
use crate::member::{Annexes, Attachment};
use crate::primitive::Ordering::Relaxed;
use crate::primitive::{AtomicU64, ContestedU64, Message, Mutex};
use crate::ring::Corruption;
use crate::ring::chain::{ChainWord, Links, TURNS};
use crate::ring::mpmc::{ConsumerSide, Dry, Glimpse, ProducerSide, Refusal, Ring};
use crate::segment::{AnchoredQueue, Segment};

/// The segments of a queue that grows, as one handle has them mapped.
pub struct Growth<M: Message + ?Sized> {
    attachment: Arc<Attachment>,
    anchor: AnchoredQueue<M>,
    parts: Mutex<Vec<Arc<Part<M>>>>,
    /// As which chain the limit did not let another segment in; a chain that cannot be at first.
    full_at: AtomicU64,
    /// As which chain somebody else was changing it for longer than this handle waits: it waits no more until it gets its turn.
    refused_at: AtomicU64,
}

/// One segment.
pub struct Part<M: Message + ?Sized> {
    /// Of the anchor, the one under which it was found: it may have come home under a later one since.
    generation: u64,
    is_anchor: bool,
    anchored: AnchoredQueue<M>,
}

impl<M: Message + ?Sized> Part<M> {
    /// As what it is in the chain as `seen`, if it is.
    fn generation_in(&self, seen: ChainWord) -> Option<u64> {
        if self.is_anchor { seen.anchor() } else { Some(self.generation) }
    }
}

/// In which segment a claim is: of a queue that does not grow, in the only one.
pub struct At<M: Message + ?Sized>(Option<Arc<Part<M>>>);

impl<M: Message + ?Sized> At<M> {
    /// In the only one.
    pub const ONLY: Self = Self(None);

    /// Its ring, in a queue that grows.
    pub fn part(&self) -> Option<&AnchoredQueue<M>> {
        self.0.as_ref().map(|part| &part.anchored)
    }
}

impl From<Corruption> for Fault {
    fn from(what: Corruption) -> Self {
        Fault::Corrupt(what.text())
    }
}

/// What it means to a handle that a segment cannot be made or opened.
fn fault(failure: &Failure) -> Fault {
    match failure.kind {
        ErrorKind::NoSpace => Fault::CannotGrow("there is no memory for another segment"),
        ErrorKind::FileSizeLimit { .. } => {
            Fault::CannotGrow("RLIMIT_FSIZE forbids another segment")
        }
        ErrorKind::PermissionDenied => Fault::CannotGrow("the queue is another user's"),
        ErrorKind::NotFound => Fault::CannotGrow("the queue has no name any more"),
        ErrorKind::Os => Fault::CannotGrow("a segment cannot be made or opened"),
        _ => Fault::Corrupt("a segment of the chain is damaged"),
    }
}

impl<M: Message + ?Sized> Links<M> for Growth<M> {
    type Link = Arc<Part<M>>;
    type Trouble = Fault;

    fn word(&self) -> &ContestedU64 {
        &self.segment().control().next
    }

    fn leaving(&self) -> &AtomicU64 {
        &self.segment().control().leaving
    }

    fn link(&self, seen: ChainWord, generation: u64) -> Result<Option<Self::Link>, Fault> {
        let mut parts = self.parts();
        if parts.iter().any(|part| part.generation < seen.first()) {
            let gone: Vec<_> = parts.extract_if(.., |p| p.generation < seen.first()).collect();
            drop(parts);
            drop(gone);
            self.attachment.annexes().forget(|known| known < seen.first());
            parts = self.parts();
        }
        if let Some(known) = parts.iter().find(|part| part.generation == generation) {
            return Ok(Some(Arc::clone(known)));
        }
        drop(parts);
        let is_anchor = seen.is_anchor(generation);
        let anchored = if is_anchor {
            self.anchor.clone()
        } else {
            let opened = self.attachment.annexes().open(self.segment(), seen, generation);
            match opened.map_err(|failure| fault(&failure))? {
                Some(segment) => AnchoredQueue::new(&segment, 0, self.attachment.id()),
                None => return Ok(None),
            }
        };
        let part = Arc::new(Part { generation, is_anchor, anchored });
        self.parts().push(Arc::clone(&part));
        Ok(Some(part))
    }

    fn ring<'l>(&'l self, link: &'l Self::Link) -> Ring<'l, M> {
        *link.anchored.ring()
    }

    fn discard(&self, generation: u64) {
        let gone: Vec<_> = self.parts().extract_if(.., |p| p.generation == generation).collect();
        drop(gone);
        let is_home =
            self.look().is_ok_and(|seen| seen.is_anchor(seen.first()) && seen.ahead() == 0);
        self.attachment.annexes().discard(self.segment(), generation, is_home);
    }

    fn alone<R>(&self, act: impl FnOnce() -> R) -> Option<R> {
        let seen = self.word().load(Relaxed);
        let waits = self.refused_at.load(Relaxed) != seen;
        let Some(done) = Annexes::alone(self.segment(), waits, act) else {
            self.refused_at.store(seen, Relaxed);
            return None;
        };
        self.refused_at.store(u64::MAX, Relaxed);
        if self.anchor.ring().producers_wait() {
            self.anchor.not_full().notify_all();
        }
        // Who closed it, and woke everybody, may have left it to this one to shut the last segment.
        if self.is_closed() && self.anchor.ring().consumers_wait() {
            self.anchor.not_empty().notify_all();
        }
        Some(done)
    }
}

impl<M: Message + ?Sized> Growth<M> {
    /// The segments of the queue whose anchor is at `anchor`, if it grows.
    pub fn of(attachment: &Arc<Attachment>, anchor: &AnchoredQueue<M>) -> Option<Self> {
        attachment.segment().shape().growth.is_some().then(|| Self {
            attachment: Arc::clone(attachment),
            anchor: anchor.clone(),
            parts: Mutex::default(),
            full_at: AtomicU64::new(u64::MAX),
            refused_at: AtomicU64::new(u64::MAX),
        })
    }

    fn parts(&self) -> MutexGuard<'_, Vec<Arc<Part<M>>>> {
        self.parts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn segment(&self) -> &Segment {
        self.attachment.segment()
    }

    /// Runs one operation of a sender, in another segment if there is no room in the last.
    pub fn send<R>(
        &self,
        mut operation: impl FnMut(&Ring<'_, M>, &ProducerSide) -> Result<R, Refusal>,
    ) -> Result<(R, At<M>), Unsent> {
        for _ in 0..TURNS {
            let side = ProducerSide::new(self.attachment.id());
            let filled = self.fill(|ring| operation(ring, &side)).map_err(Unsent::Failed)?;
            let (refusal, seen) = match filled {
                Ok((done, part)) => return Ok((done, At(Some(part)))),
                Err((refusal, seen)) => (refusal, seen),
            };
            if refusal == Refusal::Closed || !self.grow(seen).map_err(Unsent::Failed)? {
                return Err(refusal.into());
            }
        }
        Err(Unsent::Failed(Corruption::Restless.into()))
    }

    /// Makes room where there was none in the chain as `seen`. False if that cannot be.
    #[cold]
    fn grow(&self, seen: ChainWord) -> Result<bool, Fault> {
        let may_pass = || -> Result<bool, Fault> {
            let first = self.find(seen, seen.first())?;
            Ok(first.is_none_or(|part| seen.ahead() > 0 && self.ring(&part).is_idle()))
        };
        if self.full_at.load(Relaxed) == seen.0 && !may_pass()? {
            return Ok(false);
        }
        let make = |generation| {
            let made = self.attachment.annexes().make(self.segment(), seen, generation);
            made.map_err(|failure| fault(&failure))
        };
        let act = || Ok(self.pass_alone()? || self.append(seen, make)?);
        let Some(grown) = self.alone(act) else { return Ok(false) };
        if grown == Ok(false) {
            self.full_at.store(seen.0, Relaxed);
        }
        grown
    }

    /// Runs one operation of a receiver, in the first segment that has something for it.
    pub fn receive<R>(
        &self,
        mut operation: impl FnMut(&Ring<'_, M>, &ConsumerSide) -> Result<R, Dry>,
    ) -> Result<Result<(R, At<M>), Dry>, Fault> {
        let taken = self.take(|part, ring| {
            operation(ring, &ConsumerSide::new(self.attachment.id(), part.anchored.sweeper()))
        })?;
        Ok(taken.map(|(done, part)| (done, At(Some(part)))))
    }

    /// A message that was `at` was done with. Says whether that may be room for a sender.
    #[cold]
    pub fn done_with(&self, at: &At<M>) -> bool {
        let Some(part) = &at.0 else { return true };
        // What is wrong shows at the next operation.
        let now = self.look().ok();
        if let Some(generation) = now.and_then(|seen| part.generation_in(seen)) {
            let _ = self.tidy(part, generation);
        }
        self.look().is_ok_and(|seen| part.generation_in(seen) == Some(seen.last()))
    }

    /// Closes the queue.
    pub fn close_all(&self) {
        // What is wrong shows at the next operation.
        let _ = self.close();
    }

    /// Whether the queue is closed.
    pub fn is_closed(&self) -> bool {
        self.look().is_ok_and(ChainWord::is_closed)
    }

    /// The segments that are in the chain, as far as they can be had.
    fn all(&self) -> Vec<Arc<Part<M>>> {
        for _ in 0..8 {
            let Ok(seen) = self.look() else { break };
            let found = (seen.first()..=seen.last()).map(|number| self.find(seen, number));
            match found.collect::<Result<Option<Vec<_>>, _>>() {
                Ok(None) => {}
                Ok(Some(parts)) => return parts,
                Err(_) => break,
            }
        }
        Vec::new()
    }

    /// The sum of what `count` says of each segment.
    pub fn sum(&self, count: impl Fn(&AnchoredQueue<M>) -> u64) -> u64 {
        self.all().iter().fold(0, |sum, part| sum.saturating_add(count(&part.anchored)))
    }

    /// Who is in the middle of what a sender, or a receiver, waits for.
    pub fn at_work(&self, sends: bool) -> Option<MemberId> {
        let parts = self.all();
        if sends {
            return parts.last()?.anchored.ring().consumer_at_work();
        }
        parts.iter().find_map(|part| part.anchored.ring().producer_at_work())
    }

    /// What a receiver would find.
    pub fn glimpse(&self) -> Glimpse {
        let parts = self.all();
        let mut looks = parts.iter().map(|part| part.anchored.ring().glimpse());
        match looks.find(|look| *look != Glimpse::Nothing) {
            Some(look) => look,
            // A broken chain is something to find, too.
            None if parts.is_empty() || self.is_closed() => Glimpse::Something,
            None => Glimpse::Nothing,
        }
    }

    /// Whether a receiver that leaves should wake another.
    pub fn has_more(&self) -> bool {
        self.all().iter().any(|part| part.anchored.ring().has_more())
    }

    /// Whether a sender that leaves should wake another.
    pub fn has_room(&self) -> bool {
        self.all().last().is_some_and(|part| part.anchored.ring().has_room())
    }

    /// As [`Ring::turn`], and different in each segment.
    pub fn turn(&self, to_fill: bool) -> u64 {
        let parts = self.all();
        let part = if to_fill { parts.last() } else { parts.first() };
        part.map_or(0, |part| part.anchored.ring().turn(to_fill) ^ part.generation << 40)
    }
}

#[cfg(test)]
mod tests;
