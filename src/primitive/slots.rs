//! Slots of a ring between many: an atomic word, and behind it what the word says who may touch.
#![allow(unsafe_code, reason = "turns slot numbers into addresses of words and payload")]

use std::fmt;
use std::marker::PhantomData;

#[cfg(loom)]
use super::Cells;
use super::ContestedU64;

#[cfg(any(test, loom))]
mod heap;
mod message;

#[cfg(any(test, loom))]
pub use heap::HeapSlots;
pub use message::{Message, SLOT_ALIGN, stride};

/// The slots of a ring, borrowed for `'a`.
///
/// They are an address: words are atomics for anybody to use, each access to payload is unsafe and states who owns
/// the slot. Elements are `Pod`, so whatever bytes another process left there are a value.
pub struct Slots<'a, M: Message + ?Sized> {
    len: usize,
    #[cfg(not(loom))]
    start: std::ptr::NonNull<u8>,
    #[cfg(not(loom))]
    stride: usize,
    #[cfg(loom)]
    words: &'a [ContestedU64],
    #[cfg(loom)]
    payload: Cells<'a, M::Element>,
    memory: PhantomData<&'a ContestedU64>,
    message: PhantomData<fn() -> Box<M>>,
}

/// The longest slot all of whose lines are fetched ahead, in bytes: a message of a kilobyte and its words.
#[cfg(not(loom))]
const LONG: usize = 1024 + 128;

impl<M: Message + ?Sized> Clone for Slots<'_, M> {
    #[inline(always)]
    fn clone(&self) -> Self {
        *self
    }
}

impl<M: Message + ?Sized> Copy for Slots<'_, M> {}

impl<M: Message + ?Sized> fmt::Debug for Slots<'_, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Slots({})", self.len)
    }
}

// SAFETY: slots are an address; words are atomics, and every access to payload goes through an unsafe method
// whose caller vouches for it.
unsafe impl<M: Message + ?Sized> Send for Slots<'_, M> where M::Element: Send {}
// SAFETY: as above.
unsafe impl<M: Message + ?Sized> Sync for Slots<'_, M> where M::Element: Send {}

impl<'a, M: Message + ?Sized> Slots<'a, M> {
    /// The run of `len` slots from `start`, `stride` bytes apart where `M` leaves that open.
    ///
    /// # Safety
    ///
    /// - `start` is aligned for slots of `M`, and `len` of them from there stay mapped, readable and writable
    ///   for `'a`; `stride` is a multiple of 16 with room for a word and one element.
    /// - During `'a` this process reads and writes that memory only through `Slots` and atomics.
    #[cfg(not(loom))]
    pub unsafe fn new(start: std::ptr::NonNull<u8>, len: usize, stride: usize) -> Self {
        Self { len, start, stride, memory: PhantomData, message: PhantomData }
    }

    /// How many slots.
    #[inline(always)]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Bytes from one slot to the next.
    #[cfg(not(loom))]
    #[inline(always)]
    fn stride(&self) -> usize {
        M::stride(self.stride)
    }

    /// Slots that begin on one line: a power of two, at least one.
    #[inline(always)]
    pub fn per_line(&self) -> u64 {
        #[cfg(not(loom))]
        return match self.stride() {
            ..=16 => 4,
            17..=32 => 2,
            _ => 1,
        };
        #[cfg(loom)]
        {
            let _ = self;
            1
        }
    }

    /// How many slots ahead lines are worth fetching: one to two kilobytes.
    #[inline(always)]
    pub fn ahead(&self) -> u64 {
        match self.per_line() {
            1 if self.is_long() => 2,
            1 => 12,
            several => 16 * several,
        }
    }

    /// Whether more than two lines of a slot are fetched.
    #[inline(always)]
    fn is_long(&self) -> bool {
        #[cfg(not(loom))]
        return (2 * super::CACHE_LINE + 1..=LONG).contains(&self.stride());
        #[cfg(loom)]
        {
            let _ = self;
            false
        }
    }

    /// Starts fetching the lines of slot `index`, to write them; of one that is longer than a kilobyte the first two, since
    /// the processor by itself fetches the lines that follow one another in so long a copy.
    #[inline(always)]
    pub fn prefetch(&self, index: usize) {
        #[cfg(not(loom))]
        {
            let slot = self.at(index).as_ptr().cast_const();
            super::prefetch::<true>(slot);
            let last = if self.stride() > LONG { 2 * super::CACHE_LINE } else { self.stride() } - 1;
            for line in (super::CACHE_LINE..last).step_by(super::CACHE_LINE) {
                super::prefetch::<true>(slot.wrapping_add(line));
            }
            if last >= super::CACHE_LINE {
                super::prefetch::<true>(slot.wrapping_add(last));
            }
        }
        let _ = (self, index);
    }

    /// How many elements of payload a slot has.
    #[inline(always)]
    pub fn elements(&self) -> usize {
        #[cfg(not(loom))]
        return match size_of::<M::Element>() {
            0 => 1,
            size => (self.stride() - M::PAYLOAD) / size,
        };
        #[cfg(loom)]
        return self.payload.len() / self.len;
    }

    /// Where slot `index` begins.
    #[cfg(not(loom))]
    #[inline(always)]
    fn at(&self, index: usize) -> std::ptr::NonNull<u8> {
        debug_assert!(index < self.len);
        // SAFETY: callers mask the index with the capacity, so the slot lies in the run that `new` was promised.
        unsafe { self.start.byte_add(index * self.stride()) }
    }

    /// The word of slot `index`, which is masked with the capacity.
    #[inline(always)]
    pub fn word(&self, index: usize) -> &'a ContestedU64 {
        #[cfg(not(loom))]
        // SAFETY: a slot begins with its word, in memory that stays mapped for `'a` and is only used as an
        // atomic.
        return unsafe { self.at(index).cast::<ContestedU64>().as_ref() };
        #[cfg(loom)]
        return &self.words[index];
    }

    /// The element `from` of slot `index`.
    #[cfg(not(loom))]
    #[inline(always)]
    fn element(&self, index: usize, from: usize) -> *mut M::Element {
        debug_assert!(from <= self.elements());
        let start = self.at(index).as_ptr().wrapping_byte_add(M::PAYLOAD);
        start.cast::<M::Element>().wrapping_add(from)
    }

    /// Stores `value` as the payload of slot `index`.
    ///
    /// # Safety
    ///
    /// The protocol gives the slot to the caller: nobody else reads or writes its payload now.
    #[inline(always)]
    pub unsafe fn write(&self, index: usize, value: &M::Element) {
        #[cfg(not(loom))]
        // SAFETY: the slot has room for one element at least; the caller owns it.
        return unsafe { self.element(index, 0).copy_from_nonoverlapping(value, 1) };
        #[cfg(loom)]
        // SAFETY: as above.
        return unsafe { self.payload.write(index * self.elements(), value) };
    }

    /// Copies the first element of slot `index` out.
    ///
    /// # Safety
    ///
    /// The protocol keeps writers away from the slot's payload now.
    #[inline(always)]
    pub unsafe fn read(&self, index: usize) -> M::Element {
        #[cfg(not(loom))]
        // SAFETY: the slot has one element at least; the caller keeps writers away.
        return unsafe { self.element(index, 0).read() };
        #[cfg(loom)]
        // SAFETY: as above.
        return unsafe { self.payload.read(index * self.elements()) };
    }

    /// Copies the first element of slot `index`, a word, out by exactly one load, so that what was checked is what is
    /// used.
    ///
    /// # Safety
    ///
    /// As for [`Slots::read`].
    #[inline(always)]
    pub unsafe fn read_once(&self, index: usize) -> M::Element {
        #[cfg(not(loom))]
        // SAFETY: as for `read`.
        return unsafe { self.element(index, 0).read_volatile() };
        #[cfg(loom)]
        // SAFETY: as for `read`.
        return unsafe { self.payload.read_once(index * self.elements()) };
    }

    /// Copies element `from` of slot `index` out as [`read_once`](Self::read_once) does the first.
    ///
    /// # Safety
    ///
    /// As for [`Slots::read`].
    pub unsafe fn read_once_at(&self, index: usize, from: usize) -> M::Element {
        assert!(from < self.elements(), "a slot has room for so many");
        #[cfg(not(loom))]
        // SAFETY: as for `read`; the bounds were checked.
        return unsafe { self.element(index, from).read_volatile() };
        #[cfg(loom)]
        // SAFETY: as above.
        return unsafe { self.payload.read_once(index * self.elements() + from) };
    }

    /// Keeps the lines of the payload of slot `index` for this processor, before the slot is given back: those of its first
    /// element and `more` bytes. A line that holds the word of a slot, this one or the next, is kept by writing that. See
    /// [`keep_lines`](super::keep_lines).
    ///
    /// # Safety
    ///
    /// The bytes lie in the slot, which the protocol gives to the caller: nobody else reads or writes its payload now.
    #[inline(always)]
    pub unsafe fn keep_lines(&self, index: usize, more: usize) {
        #[cfg(not(loom))]
        {
            let slot = self.at(index).as_ptr();
            let used = M::PAYLOAD + size_of::<M::Element>() + more;
            let lines = (slot.addr() + used).next_multiple_of(super::CACHE_LINE) - slot.addr();
            let (first, end) =
                (super::CACHE_LINE - slot.addr() % super::CACHE_LINE, lines.min(self.stride()));
            if first < end {
                // SAFETY: the caller vouches for the slot, whose word lies on the line before `first`.
                unsafe { super::keep_lines(slot.wrapping_add(first), end - first) }
            }
        }
        #[cfg(loom)]
        // SAFETY: as above.
        unsafe {
            self.payload.keep_lines(index * self.elements(), 1 + more / size_of::<M::Element>());
        }
    }

    /// The elements `from..from + count` of slot `index` as a slice.
    ///
    /// # Safety
    ///
    /// The protocol keeps writers away from the slot's payload for as long as the slice lives.
    #[inline(always)]
    pub unsafe fn slice(&self, index: usize, from: usize, count: usize) -> &'a [M::Element] {
        assert!(from + count <= self.elements(), "lengths are checked against the slot");
        #[cfg(not(loom))]
        // SAFETY: the bounds were checked; the caller keeps writers away.
        return unsafe { std::slice::from_raw_parts(self.element(index, from), count) };
        #[cfg(loom)]
        // SAFETY: as above.
        return unsafe { self.payload.slice(index * self.elements() + from, count) };
    }

    /// The elements `from..from + count` of slot `index` as an exclusive slice.
    ///
    /// # Safety
    ///
    /// The protocol gives the slot to the caller for as long as the slice lives, and the caller makes one
    /// such slice of it at a time.
    #[inline(always)]
    #[allow(
        clippy::mut_from_ref,
        reason = "slots are interior-mutable; exclusiveness is the contract"
    )]
    pub unsafe fn slice_mut(
        &self,
        index: usize,
        from: usize,
        count: usize,
    ) -> &'a mut [M::Element] {
        assert!(from + count <= self.elements(), "lengths are checked against the slot");
        #[cfg(not(loom))]
        // SAFETY: the bounds were checked; the caller owns the slot.
        return unsafe { std::slice::from_raw_parts_mut(self.element(index, from), count) };
        #[cfg(loom)]
        // SAFETY: as above.
        return unsafe { self.payload.slice_mut(index * self.elements() + from, count) };
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn slots_have_room_for_their_word_and_a_whole_message() {
        assert_eq!((stride(0, 1), stride(8, 8), stride(9, 1)), (16, 16, 32));
        assert_eq!((stride(24, 8), stride(56, 8), stride(64, 8)), (32, 64, 80));
        assert_eq!((stride(16, 16), stride(64, 64), stride(128, 128)), (32, 128, 256));
        let small = HeapSlots::<u64>::vacant(4, 8);
        assert_eq!((small.slots().elements(), small.slots().len()), (1, 4));
        let bytes = HeapSlots::<[u8]>::vacant(4, 24);
        assert_eq!(bytes.slots().elements(), 3);
    }

    #[test]
    fn words_and_payload_of_neighbours_keep_apart() {
        let memory = HeapSlots::<[u8; 9]>::vacant(8, 9);
        let slots = memory.slots();
        for index in 0..8u8 {
            slots.word(index.into()).store(u64::MAX, crate::primitive::Ordering::Relaxed);
            // SAFETY: one thread.
            unsafe { slots.write(index.into(), &[index; 9]) };
        }
        for index in 0..8u8 {
            assert_eq!(
                slots.word(index.into()).load(crate::primitive::Ordering::Relaxed),
                u64::MAX
            );
            // SAFETY: one thread.
            assert_eq!(unsafe { slots.read(index.into()) }, [index; 9]);
        }
    }
}
