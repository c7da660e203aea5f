//! The least that the works can cost on this machine: no recovery, no checks, no closing.
//!
//! *Slots*: memory with a word for each slot that says whose turn it is; the message is copied in and copied out.
//! *Futex*: a word to sleep on. Neither is something that one would use.
#![allow(unsafe_code, reason = "copies into shared slots, futex")]

use std::ptr;
use std::sync::atomic::{
    AtomicU32, AtomicU64,
    Ordering::{Acquire, Relaxed, Release},
};

use super::prelude::*;
use crate::region::{Region, Shared};
use crate::workload::Shape;

pub struct Slots;

/// One end, and its next position.
pub struct Slotted<const W: usize> {
    region: Region,
    capacity: usize,
    next: u64,
    /// Where messages are copied to.
    copy: Box<[u64; W]>,
}

#[repr(transparent)]
struct Turn(AtomicU64);

// SAFETY: it is one atomic.
unsafe impl Shared for Turn {}

impl<const W: usize> Slotted<W> {
    const STRIDE: usize = (size_of::<u64>() + size_of::<[u64; W]>()).next_multiple_of(64);

    fn new(region: Region, capacity: usize) -> Self {
        Self { region, capacity, next: 0, copy: bytemuck::allocation::zeroed_box() }
    }

    /// The turn's word of the next slot, its message, and twice the number of its laps.
    #[inline(always)]
    fn slot(&self) -> (&Turn, *mut u8, u64) {
        #[allow(clippy::cast_possible_truncation, reason = "masked")]
        let offset = (self.next as usize & (self.capacity - 1)) * Self::STRIDE;
        let message = self.region.bytes(offset + size_of::<u64>(), size_of::<[u64; W]>());
        (self.region.at(offset), message, self.next / self.capacity as u64 * 2)
    }
}

/// So few long slots stay in the caches: what is copied through them is limited by nothing else.
fn slots(workload: &Workload) -> usize {
    if workload.bytes < 1 << 10 { workload.capacity } else { workload.capacity.min(8) }
}

impl Contestant for Slots {
    const NAME: &'static str = "bare-slots";
    const KIND: Kind = Kind::Limit;
    const BETWEEN: Between = Between::Processes;
    const BLOCKS: bool = false;
    const LONGEST: usize = 1 << 20;
    const PARTIES: (usize, usize) = (1, 1);
    type Hub<const W: usize> = Slotted<W>;

    fn refuses(workload: &Workload) -> Option<String> {
        let is_a_limit = matches!(workload.shape, Shape::Stream | Shape::SpinningTrip);
        (!is_a_limit).then(|| "no limit of this work".to_owned())
    }

    fn create<const W: usize>(workload: &Workload, _: &str, _: Way) -> Result<Slotted<W>, Unable> {
        let capacity = slots(workload);
        let region = Region::new(capacity * Slotted::<W>::STRIDE);
        Ok(Slotted::new(region.map_err(Unable::because("share memory"))?, capacity))
    }

    fn join<const W: usize>(
        workload: &Workload,
        token: &str,
        _: Way,
    ) -> Result<Slotted<W>, Unable> {
        let region = Region::inherited(token).map_err(Unable::because("map the slots"))?;
        Ok(Slotted::new(region, slots(workload)))
    }
}

impl<const W: usize> Slotted<W> {
    /// Another that maps the same.
    fn again(&self) -> Self {
        let region = self.region.again().expect("map the slots again");
        Self::new(region, self.capacity)
    }
}

impl<const W: usize> Hub<W> for Slotted<W> {
    type Out = Self;
    type In = Self;

    fn token(&self) -> String {
        self.region.token()
    }

    fn sender(&mut self) -> Self {
        self.again()
    }

    fn receiver(&mut self) -> Self {
        self.again()
    }
}

impl<const W: usize> Out<W> for Slotted<W> {
    #[inline(always)]
    fn try_send(&mut self, message: &[u64; W]) -> bool {
        let (turn, place, laps) = self.slot();
        if turn.0.load(Acquire) != laps {
            return false;
        }
        // SAFETY: it is this sender's turn, and the place is as long as a message.
        unsafe { ptr::copy_nonoverlapping(message.as_ptr(), place.cast(), W) };
        turn.0.store(laps + 1, Release);
        self.next += 1;
        true
    }
}

impl<const W: usize> In<W> for Slotted<W> {
    #[inline(always)]
    fn try_recv(&mut self, mut look: impl FnMut(&[u64; W])) -> bool {
        let (turn, place, laps) = self.slot();
        if turn.0.load(Acquire) != laps + 1 {
            return false;
        }
        let copy = ptr::from_ref::<[u64; W]>(&self.copy).cast_mut();
        // SAFETY: it is this receiver's turn, the place is as long as a message, and the copy is its own.
        unsafe { ptr::copy_nonoverlapping(place.cast(), copy.cast::<u64>(), W) };
        turn.0.store(laps + 2, Release);
        self.next += 1;
        look(&self.copy);
        true
    }
}

pub struct Futex;

/// What both processes map. All zeros is a fresh one.
#[repr(C)]
struct Mailbox {
    /// Number of the last message; what the receiver sleeps on. On a line with what the message says.
    number: AtomicU32,
    message: AtomicU64,
}

// SAFETY: it consists of atomics.
unsafe impl Shared for Mailbox {}

/// One end, and how many messages it has seen.
pub struct Mailed(Region, u32);

impl Contestant for Futex {
    const NAME: &'static str = "bare-futex";
    const KIND: Kind = Kind::Limit;
    const BETWEEN: Between = Between::Processes;
    const POLLS: bool = false;
    const BLOCKS: bool = true;
    const LONGEST: usize = 8;
    const PARTIES: (usize, usize) = (1, 1);
    type Hub<const W: usize> = Mailed;

    fn refuses(workload: &Workload) -> Option<String> {
        let is_a_limit = matches!(workload.shape, Shape::Wake | Shape::ParkedTrip);
        (!is_a_limit).then(|| "no limit of this work".to_owned())
    }

    fn create<const W: usize>(_: &Workload, _: &str, _: Way) -> Result<Mailed, Unable> {
        let region = Region::new(4096).map_err(Unable::because("share memory"))?;
        Ok(Mailed(region, 0))
    }

    fn join<const W: usize>(_: &Workload, token: &str, _: Way) -> Result<Mailed, Unable> {
        Ok(Mailed(Region::inherited(token).map_err(Unable::because("map the mailbox"))?, 0))
    }
}

impl<const W: usize> Hub<W> for Mailed {
    type Out = Self;
    type In = Self;

    fn token(&self) -> String {
        self.0.token()
    }

    fn sender(&mut self) -> Self {
        Self(self.0.again().expect("map the mailbox again"), 0)
    }

    fn receiver(&mut self) -> Self {
        Self(self.0.again().expect("map the mailbox again"), 0)
    }
}

impl<const W: usize> Out<W> for Mailed {
    fn try_send(&mut self, _: &[u64; W]) -> bool {
        unreachable!("it does not poll")
    }

    fn send(&mut self, message: &[u64; W]) {
        let mailbox: &Mailbox = self.0.at(0);
        self.1 += 1;
        mailbox.message.store(message[0], Relaxed);
        mailbox.number.store(self.1, Release);
        // SAFETY: waking reads nothing but the address.
        unsafe { libc::syscall(libc::SYS_futex, mailbox.number.as_ptr(), libc::FUTEX_WAKE, 1) };
    }
}

impl<const W: usize> In<W> for Mailed {
    fn try_recv(&mut self, _: impl FnMut(&[u64; W])) -> bool {
        unreachable!("it does not poll")
    }

    fn recv(&mut self, mut look: impl FnMut(&[u64; W])) {
        let mailbox: &Mailbox = self.0.at(0);
        while mailbox.number.load(Acquire) == self.1 {
            wait(&mailbox.number, self.1);
        }
        self.1 += 1;
        look(&[mailbox.message.load(Relaxed); W]);
    }
}

/// Sleeps while `word` is `expected`.
fn wait(word: &AtomicU32, expected: u32) {
    let forever = ptr::null::<libc::timespec>();
    // SAFETY: the word outlives the call, and there is no time limit to read.
    unsafe {
        libc::syscall(libc::SYS_futex, word.as_ptr(), libc::FUTEX_WAIT, expected, forever);
    };
}
