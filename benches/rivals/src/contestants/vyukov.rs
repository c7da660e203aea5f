//! The yardstick for queues of many: Vyukov's bounded queue (2010) with a backoff, and nothing else.
//!
//! No owner of a claim, no recovery, no closing, no waiting: what the promise of ringway costs shows beside it.
#![allow(unsafe_code, reason = "slots are written by whoever claimed them")]

use std::cell::UnsafeCell;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};

use std::sync::Arc;

use bytemuck::Zeroable;
use crossbeam_utils::{Backoff, CachePadded};

use super::prelude::*;

pub struct Vyukov<T> {
    tail: CachePadded<AtomicU64>,
    head: CachePadded<AtomicU64>,
    slots: Box<[Slot<T>]>,
}

#[repr(C, align(16))]
struct Slot<T> {
    /// The position that may use the slot next: itself to fill, one more to take.
    turn: AtomicU64,
    value: UnsafeCell<T>,
}

// SAFETY: a slot's value is touched only by who claimed its turn.
unsafe impl<T: Send> Sync for Vyukov<T> {}

impl<T: Copy + Zeroable> Vyukov<T> {
    pub fn new(capacity: usize) -> Self {
        assert!(capacity.is_power_of_two());
        let slot = |n| Slot { turn: AtomicU64::new(n), value: UnsafeCell::new(T::zeroed()) };
        let slots = (0..capacity as u64).map(slot).collect();
        Self { tail: CachePadded::default(), head: CachePadded::default(), slots }
    }

    #[inline(always)]
    fn slot(&self, position: u64) -> &Slot<T> {
        #[allow(clippy::cast_possible_truncation, reason = "masked")]
        let index = position as usize & (self.slots.len() - 1);
        // SAFETY: the index is masked with the length, a power of two.
        unsafe { self.slots.get_unchecked(index) }
    }

    /// Claims the next position of `cursor` whose slot's turn has come.
    #[inline(always)]
    fn claim(&self, cursor: &AtomicU64, offset: u64) -> Option<(u64, &Slot<T>)> {
        let backoff = Backoff::new();
        let mut position = cursor.load(Relaxed);
        loop {
            let slot = self.slot(position);
            let turn = slot.turn.load(Acquire);
            match (turn.wrapping_sub(position + offset)).cast_signed() {
                0 => match cursor.compare_exchange_weak(position, position + 1, Relaxed, Relaxed) {
                    Ok(_) => return Some((position, slot)),
                    Err(now) => {
                        backoff.spin();
                        position = now;
                    }
                },
                ..0 => return None,
                _ => position = cursor.load(Relaxed),
            }
        }
    }

    #[inline(always)]
    pub fn push(&self, value: T) -> bool {
        let Some((position, slot)) = self.claim(&self.tail, 0) else { return false };
        // SAFETY: the slot's turn is this claim's.
        unsafe { slot.value.get().write(value) };
        slot.turn.store(position + 1, Release);
        true
    }

    #[inline(always)]
    pub fn pop(&self) -> Option<T> {
        let (position, slot) = self.claim(&self.head, 1)?;
        // SAFETY: as above.
        let value = unsafe { slot.value.get().read() };
        slot.turn.store(position + self.slots.len() as u64, Release);
        Some(value)
    }
}

pub struct PlainVyukov;

impl Contestant for PlainVyukov {
    const NAME: &'static str = "plain-Vyukov";
    const KIND: Kind = Kind::Limit;
    const BETWEEN: Between = Between::Threads;
    const BLOCKS: bool = false;
    const PARTIES: (usize, usize) = (8, 8);
    type Hub<const W: usize> = Arc<Vyukov<[u64; W]>>;

    fn create<const W: usize>(
        workload: &Workload,
        _: &str,
        _: Way,
    ) -> Result<Self::Hub<W>, Unable> {
        Ok(Arc::new(Vyukov::new(workload.capacity)))
    }
}

impl<const W: usize> Hub<W> for Arc<Vyukov<[u64; W]>> {
    type Out = Self;
    type In = Self;

    fn sender(&mut self) -> Self {
        self.clone()
    }

    fn receiver(&mut self) -> Self {
        self.clone()
    }
}

impl<const W: usize> Out<W> for Arc<Vyukov<[u64; W]>> {
    #[inline(always)]
    fn try_send(&mut self, message: &[u64; W]) -> bool {
        self.push(*message)
    }
}

impl<const W: usize> In<W> for Arc<Vyukov<[u64; W]>> {
    #[inline(always)]
    fn try_recv(&mut self, mut look: impl FnMut(&[u64; W])) -> bool {
        self.pop().is_some_and(|message| {
            look(&message);
            true
        })
    }
}
