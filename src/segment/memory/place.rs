//! Atomics, and structures of them, that lie in shared memory at a place of their user's choice.
#![allow(unsafe_code, reason = "says which types may be referred to in memory that others write")]

use std::any::TypeId;
use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;

use bytemuck::Pod;

use super::{Memory, Unit};

/// What may lie in shared memory and be used there through a shared reference.
///
/// # Safety
///
/// It consists of atomics and padding, any bytes are a valid one, and it has no destructor.
pub unsafe trait Shareable: Send + Sync + 'static {
    /// What a run of them is.
    fn unit() -> Unit {
        Unit::Structure(TypeId::of::<Self>())
    }
}

/// An atomic of the standard library that can lie in shared memory.
pub trait Atomic: sealed::Atomic {}

/// A number that has an atomic of the same size and alignment.
pub trait HasAtomic: Pod + sealed::Number {
    /// That atomic.
    type Atomic: Atomic;
}

pub(crate) mod sealed {
    pub trait Atomic: super::Shareable {}
    pub trait Number {}
}

/// Declares which types have which atomics.
macro_rules! atomics {
    ($($number:ty, $atomic:ident;)*) => { $(
        // SAFETY: it is an atomic, of which any bytes are one.
        unsafe impl Shareable for std::sync::atomic::$atomic {
            fn unit() -> Unit {
                Unit::Word(size_of::<Self>())
            }
        }
        impl sealed::Atomic for std::sync::atomic::$atomic {}
        impl Atomic for std::sync::atomic::$atomic {}
        const _: () = assert!(align_of::<$number>() == size_of::<std::sync::atomic::$atomic>());
        impl sealed::Number for $number {}
        impl HasAtomic for $number {
            type Atomic = std::sync::atomic::$atomic;
        }
    )* };
}

atomics! {
    u8, AtomicU8;
    u16, AtomicU16;
    u32, AtomicU32;
    u64, AtomicU64;
    usize, AtomicUsize;
    i8, AtomicI8;
    i16, AtomicI16;
    i32, AtomicI32;
    i64, AtomicI64;
    isize, AtomicIsize;
}

/// An atomic in shared memory, which stays mapped while this is there.
///
/// In a forked child it is another one, that nobody shares.
pub struct Place<S> {
    memory: Memory,
    offset: usize,
    what: PhantomData<fn() -> S>,
}

impl<S: Shareable> Place<S> {
    /// What lies at `offset` of `memory`, for which [`Memory::claim`] was asked.
    pub(super) fn new(memory: Memory, offset: usize) -> Self {
        Self { memory, offset, what: PhantomData }
    }

    /// Whether this process was forked since it attached.
    #[allow(dead_code, reason = "locks ask")]
    pub(crate) fn is_inherited(&self) -> bool {
        self.memory.is_inherited()
    }
}

impl<S: Shareable> Deref for Place<S> {
    type Target = S;
    #[inline(always)]
    fn deref(&self) -> &S {
        // SAFETY: `claim` was asked before it was made.
        unsafe { self.memory.shared(self.offset) }
    }
}

/// By hand, because what lies there need not be `Clone`.
impl<S> Clone for Place<S> {
    fn clone(&self) -> Self {
        Self { memory: self.memory.clone(), ..*self }
    }
}

impl<S> fmt::Debug for Place<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Place").field("offset", &self.offset).finish_non_exhaustive()
    }
}

/// Atomics in a row in shared memory, which stay mapped while this is there. It derefs to a slice of them.
///
/// In a forked child they are others, that nobody shares.
pub struct AtomicSlice<A> {
    memory: Memory,
    offset: usize,
    len: usize,
    what: PhantomData<fn() -> A>,
}

impl<A: Atomic> AtomicSlice<A> {
    /// `len` at `offset` of `memory`, for which [`Memory::claim`] was asked.
    pub(super) fn new(memory: Memory, offset: usize, len: usize) -> Self {
        Self { memory, offset, len, what: PhantomData }
    }
}

impl<A: Atomic> Deref for AtomicSlice<A> {
    type Target = [A];
    #[inline(always)]
    fn deref(&self) -> &[A] {
        // SAFETY: `claim` was asked before it was made.
        unsafe { self.memory.shared_row(self.offset, self.len) }
    }
}

impl<A> Clone for AtomicSlice<A> {
    fn clone(&self) -> Self {
        Self { memory: self.memory.clone(), ..*self }
    }
}

impl<A> fmt::Debug for AtomicSlice<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AtomicSlice")
            .field("offset", &self.offset)
            .field("len", &self.len)
            .finish_non_exhaustive()
    }
}
