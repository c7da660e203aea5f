//! Slots on the heap, for models and unit tests.
#![allow(unsafe_code, reason = "hands out its memory as slots")]

use std::fmt;
use std::marker::PhantomData;

#[cfg(not(loom))]
use super::stride;
use super::{Message, Slots};
#[cfg(loom)]
use crate::primitive::ContestedU64;

/// Slots on the heap, for models and unit tests: all vacant, at position zero.
pub struct HeapSlots<M: Message + ?Sized> {
    len: usize,
    #[cfg(not(loom))]
    stride: usize,
    #[cfg(not(loom))]
    memory: Vec<std::cell::UnsafeCell<Unit>>,
    #[cfg(loom)]
    words: Vec<ContestedU64>,
    #[cfg(loom)]
    payload: crate::primitive::HeapCells<M::Element>,
    kind: PhantomData<fn() -> Box<M>>,
}

/// A piece of memory that is aligned as a segment is.
#[cfg(not(loom))]
#[repr(align(128))]
#[derive(Clone, Copy)]
#[allow(dead_code, reason = "it is room")]
struct Unit([u8; 128]);

#[allow(missing_docs, reason = "used by models and unit tests only")]
impl<M: Message + ?Sized> HeapSlots<M> {
    /// `len` slots whose payload has `size` bytes where `M` leaves that open.
    pub fn vacant(len: usize, size: usize) -> Self {
        #[cfg(not(loom))]
        {
            let stride = M::stride(stride(size, size_of::<u64>()));
            let units = (len * stride).div_ceil(size_of::<Unit>());
            let memory = (0..units).map(|_| std::cell::UnsafeCell::new(Unit([0; 128])));
            Self { len, stride, memory: memory.collect(), kind: PhantomData }
        }
        #[cfg(loom)]
        {
            let each = size.div_ceil(size_of::<M::Element>().max(1)).max(1);
            let words = (0..len).map(|_| ContestedU64::new(0)).collect();
            let payload = crate::primitive::HeapCells::zeroed(len * each);
            Self { len, words, payload, kind: PhantomData }
        }
    }

    pub fn slots(&self) -> Slots<'_, M> {
        #[cfg(not(loom))]
        {
            let start = std::ptr::NonNull::from(self.memory.as_slice()).cast::<u8>();
            // SAFETY: the memory was made for so many slots, is aligned as a segment and only used through
            // this.
            unsafe { Slots::new(start, self.len, self.stride) }
        }
        #[cfg(loom)]
        Slots {
            len: self.len,
            words: &self.words,
            payload: self.payload.cells(),
            memory: PhantomData,
            message: PhantomData,
        }
    }
}

impl<M: Message + ?Sized> fmt::Debug for HeapSlots<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HeapSlots({})", self.len)
    }
}

// SAFETY: as for `Slots`.
unsafe impl<M: Message + ?Sized> Sync for HeapSlots<M> where M::Element: Send {}
// SAFETY: as for `Slots`.
unsafe impl<M: Message + ?Sized> Send for HeapSlots<M> where M::Element: Send {}
