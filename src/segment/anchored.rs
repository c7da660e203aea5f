//! Rings paired with the segment that they lie in.
//!
//! References are made once and kept; the methods give them out for no longer than `self` lives.
#![allow(unsafe_code, reason = "the one place where a borrow of a segment outlives its expression")]

use std::sync::Arc;

use bytemuck::Pod;

use super::Segment;
use crate::error::MemberId;
use crate::event::Event;
use crate::layout::Ends;
use crate::primitive::Ordering::Acquire;
use crate::primitive::{AtomicU64, Message};
use crate::ring::cursor::EndWord;
use crate::ring::mpmc::{self, Sweeper};
use crate::ring::slab::Slab;
use crate::ring::spsc::Ring;
use crate::sys::fork;

/// The segment behind `segment`, for as long as a clone of that is kept.
///
/// # Safety
///
/// The caller keeps a clone of `segment` at least as long as the reference and all that is made from it, and gives
/// those out only shortened to a borrow of itself. (A Segment never moves its mapping.)
unsafe fn lasting(segment: &Arc<Segment>) -> &'static Segment {
    let address: *const Segment = Arc::as_ptr(segment);
    // SAFETY: the caller holds a reference count for as long as the borrow lives.
    unsafe { &*address }
}

/// A ring between two with its events, and the segment that keeps their memory mapped.
#[derive(Debug)]
pub struct Anchored<T: 'static> {
    ring: Ring<'static, T>,
    not_empty: Event<'static>,
    not_full: Event<'static>,
    peer: &'static AtomicU64,
    generation: u64,
    /// Keeps the memory mapped; the references above end with it.
    _segment: Arc<Segment>,
}

impl<T: Pod> Anchored<T> {
    /// Ring `number` of `segment`, as `member` sees it whose peer owns end `peer`.
    pub fn new(segment: &Arc<Segment>, number: u32, member: MemberId, peer: usize) -> Self {
        // SAFETY: the result keeps a clone, and its methods shorten the borrows made below.
        let lasting = unsafe { lasting(segment) };
        let (header, barrier) = (lasting.ring_header(number), lasting.barrier());
        let [not_empty, not_full] = &lasting.waiters[number as usize];
        Self {
            ring: Ring::new(header, lasting.cells(number), barrier),
            not_empty: Event::new(&header.not_empty, not_empty, member, barrier),
            not_full: Event::new(&header.not_full, not_full, member, barrier),
            peer: &lasting.ends().words[peer],
            generation: lasting.generation,
            _segment: Arc::clone(segment),
        }
    }

    /// The ring.
    #[inline(always)]
    pub fn ring(&self) -> &Ring<'_, T> {
        &self.ring
    }

    /// Where its consumer waits.
    #[inline(always)]
    pub fn not_empty(&self) -> &Event<'_> {
        &self.not_empty
    }

    /// Where its producer waits.
    #[inline(always)]
    pub fn not_full(&self) -> &Event<'_> {
        &self.not_full
    }

    /// Who is at the other end.
    #[inline(always)]
    pub fn peer(&self) -> EndWord {
        // ORDERING(ends): Acquire pairs with the Release in `Segment::vacate`: what the owner did before
        // it left is visible.
        EndWord::from_bits(self.peer.load(Acquire))
    }

    /// Whether this process was forked since it attached: then nothing of the ring is there.
    #[inline(always)]
    pub fn is_inherited(&self) -> bool {
        self.generation != fork::generation()
    }
}

/// A ring between many with its events, and the segment that keeps their memory mapped.
#[derive(Debug)]
pub struct AnchoredQueue<M: Message + ?Sized> {
    ring: mpmc::Ring<'static, M>,
    not_empty: Event<'static>,
    not_full: Event<'static>,
    ends: &'static Ends,
    generation: u64,
    /// What this process knows of messages to deliver again.
    sweeper: Arc<Sweeper>,
    /// Keeps the blocks that the ring refers to.
    slab: Option<Arc<Slab<'static>>>,
    /// Keeps the memory mapped; the references above end with it.
    segment: Arc<Segment>,
}

/// By hand, because messages need not be `Clone` for it to be.
impl<M: Message + ?Sized> Clone for AnchoredQueue<M> {
    fn clone(&self) -> Self {
        let (sweeper, segment) = (Arc::clone(&self.sweeper), Arc::clone(&self.segment));
        Self { sweeper, segment, slab: self.slab.clone(), ..*self }
    }
}

impl<M: Message + ?Sized> AnchoredQueue<M> {
    /// Ring `number` of `segment` as `member` sees it.
    pub fn new(segment: &Arc<Segment>, number: u32, member: MemberId) -> Self {
        // SAFETY: the result keeps a clone, and its methods shorten the borrows made below.
        let lasting = unsafe { lasting(segment) };
        let header = lasting.queue_header(number);
        let [not_empty, not_full] = &lasting.waiters[number as usize];
        let slab = lasting.slab().map(Arc::new);
        // SAFETY: the result keeps a clone, and its methods shorten the borrow; an `Arc` never moves what it holds.
        let blocks = slab.as_ref().map(|slab| unsafe { &*Arc::as_ptr(slab) });
        let ring = mpmc::Ring::new(header, lasting.slots(number), lasting.shape.max_members);
        Self {
            ring: ring.with_slab(blocks, number == 1),
            slab,
            not_empty: Event::of_many(&header.not_empty, not_empty, member),
            not_full: Event::of_many(&header.not_full, not_full, member),
            ends: lasting.ends(),
            generation: lasting.generation,
            sweeper: Arc::default(),
            segment: Arc::clone(segment),
        }
    }

    /// The same, with a ring in place of its own in which there is never a message and never room: so whoever tries
    /// there first learns that there is more to be done.
    pub fn barred(&self) -> Self {
        // SAFETY: the result keeps a clone, and its methods shorten the borrow.
        let bar = unsafe { lasting(&self.segment) }.bar();
        let ring =
            mpmc::Ring::new(&bar.header, bar.slots(&self.segment), self.segment.shape.max_members);
        let (sweeper, segment) = (Arc::clone(&self.sweeper), Arc::clone(&self.segment));
        Self { ring, sweeper, segment, slab: None, ..*self }
    }

    /// The ring.
    #[inline(always)]
    pub fn ring(&self) -> &mpmc::Ring<'_, M> {
        &self.ring
    }

    /// Where consumers wait.
    #[inline(always)]
    pub fn not_empty(&self) -> &Event<'_> {
        &self.not_empty
    }

    /// Where producers wait.
    #[inline(always)]
    pub fn not_full(&self) -> &Event<'_> {
        &self.not_full
    }

    /// What this process knows of messages to deliver again.
    pub fn sweeper(&self) -> &Arc<Sweeper> {
        &self.sweeper
    }

    /// How often somebody took the side `side` (0 sends, 1 receives), and what that count was when it was last
    /// found that nobody has it. Where they are equal nobody does, unless this process was forked: then both
    /// are zero.
    #[inline(always)]
    pub fn sides(&self, side: usize) -> (u64, u64) {
        // ORDERING(sides): pairs with the Release of who found the side deserted: what those who left did is
        // visible.
        (self.ends.words[side].load(Acquire), self.ends.deserted[side].load(Acquire))
    }

    /// Whether this process was forked since it attached: then nothing of the ring is there.
    #[inline(always)]
    pub fn is_inherited(&self) -> bool {
        self.generation != fork::generation()
    }
}
