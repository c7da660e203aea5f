//! A lock that lies in shared memory at a place of its user's choice.
#![allow(unsafe_code, reason = "references to a mapping that outlive their expression")]

use std::any::TypeId;
use std::marker::PhantomData;

use bytemuck::Pod;

use super::{Memory, Unit};
use crate::error::{AccessError, ErrorKind, Failure};
use crate::layout::{LockHead, LockTag};
use crate::lock::data::Guarded;
use crate::primitive::Ordering::{AcqRel, Acquire, Relaxed};
use crate::primitive::{Cells, LockWord};
use crate::sys::fork;

/// The words of a lock and the value that it guards. References are made once and kept; the methods give them out for no longer
/// than `self` lives.
pub struct LockPlace<T: Pod = ()> {
    head: &'static LockHead,
    words: &'static [LockWord],
    value: Guarded<'static, T>,
    generation: u64,
    /// Keeps the memory mapped; the references above end with it.
    _memory: Memory,
}

/// What a lock with a value of type `T` claims of the memory: nothing else may lie there.
struct Whole<T>(PhantomData<T>);

impl<T: Pod> LockPlace<T> {
    /// The lock of `tag` at `offset`: a new one where there is none.
    #[allow(clippy::cast_ptr_alignment, reason = "`check` sees to it")]
    pub fn new(
        memory: &Memory,
        offset: usize,
        tag: LockTag,
        members: u32,
    ) -> Result<Self, Failure> {
        let (len, unit) = (tag.len(members), Unit::Structure(TypeId::of::<Whole<T>>()));
        Self::check(memory, offset, tag, len)?;
        // Held until it is known what lies there, so that what is noted in between is of nobody else.
        let mut noted = memory.words();
        let is_new = !noted.has(offset, offset + len, unit);
        noted.claim(offset, offset + len, unit)?;
        let start = memory.inner.bytes.start().as_ptr().wrapping_add(offset);
        // SAFETY: the range was checked, aligned and noted for this lock; the result keeps the memory, gives the references out
        // shortened, and any bytes are such words.
        let head = unsafe { &*start.cast::<LockHead>() };
        let behind = start.wrapping_add(size_of::<LockHead>()).cast::<LockWord>();
        // SAFETY: as above; the words lie between the head and the value.
        let words = unsafe { std::slice::from_raw_parts(behind, tag.words(members)) };
        let value = start.wrapping_add(tag.value_offset(members)).cast::<T>();
        // SAFETY: as above; this library touches the value through the cell alone.
        let cell = unsafe { Cells::new(value, 1) };
        // ORDERING(tag): nothing depends on it but what it says.
        match head.tag.compare_exchange(0, tag.bits(), AcqRel, Acquire) {
            Err(found) if found != tag.bits() => {
                // Another came first, after `check`: who has been refused may ask for the right one.
                if is_new {
                    noted.forget(offset);
                }
                return Err(other(found, tag));
            }
            _ => memory.inner.has_locks.store(true, Relaxed),
        }
        drop(noted);
        let (value, generation) = (Guarded::new(cell), memory.inner.generation);
        Ok(Self { head, words, value, generation, _memory: memory.clone() })
    }

    fn check(memory: &Memory, offset: usize, tag: LockTag, len: usize) -> Result<(), Failure> {
        let align = tag.align();
        memory.check(offset, len)?;
        let address = memory.inner.bytes.start().addr().get() + offset;
        if !address.is_multiple_of(align) {
            return Err(AccessError::Misaligned { offset, align }.into());
        }
        // Before it is noted: who has been refused may ask for the right one.
        let found = memory.inner.bytes.load::<u64>(offset);
        if found != 0 && found != tag.bits() {
            return Err(other(found, tag));
        }
        Ok(())
    }

    /// What every lock has.
    #[inline(always)]
    pub fn word(&self) -> &LockWord {
        &self.head.word
    }

    /// What it has besides.
    #[inline(always)]
    pub fn words(&self) -> &[LockWord] {
        self.words
    }

    /// What it guards.
    #[inline(always)]
    pub fn value(&self) -> &Guarded<'_, T> {
        &self.value
    }

    /// Whether this process was forked since it attached: then nothing of the lock is there.
    #[inline(always)]
    pub fn is_inherited(&self) -> bool {
        self.generation != fork::generation()
    }
}

/// The tag of the lock at `offset`, if there is one.
pub fn tag_at(memory: &Memory, offset: usize) -> Result<Option<LockTag>, Failure> {
    memory.check(offset, size_of::<u64>())?;
    match memory.inner.bytes.load::<u64>(offset) {
        0 => Ok(None),
        bits => LockTag::of(bits)
            .map(Some)
            .ok_or_else(|| ErrorKind::WrongType("no lock is there".to_owned()).into()),
    }
}

/// Another lock is there.
fn other(found: u64, wanted: LockTag) -> Failure {
    let Some(found) = LockTag::of(found) else {
        return ErrorKind::WrongType("no lock is there".to_owned()).into();
    };
    let described =
        |tag: LockTag| format!("{} ({}, {})", tag.kind().noun(), tag.first(), tag.second());
    ErrorKind::WrongType(format!("{} there, {} here", described(found), described(wanted))).into()
}
