//! Shared bytes moved by relaxed atomics: eight at a time where they are aligned for it, else one by one.
#![allow(unsafe_code, reason = "reads and writes at addresses that the caller vouches for")]
#![allow(dead_code, reason = "on x86-64 unit tests use the copy alone")]

use std::sync::atomic::{AtomicU8, AtomicU16, AtomicU32, AtomicU64, Ordering::Relaxed};

/// Declares how a shared word is read into private bytes, and written from some.
macro_rules! words {
    ($($get:ident, $put:ident, $number:ty, $atomic:ty;)*) => { $(
        /// Reads a word whole.
        ///
        /// # Safety
        ///
        /// `from` is mapped and aligned for the word; `into` has room for its bytes and is the caller's.
        #[inline(always)]
        pub unsafe fn $get(from: *const u8, into: *mut u8) {
            // SAFETY: the caller vouches for place and alignment.
            let word = unsafe { <$atomic>::from_ptr(from.cast_mut().cast()) }.load(Relaxed);
            // SAFETY: the caller gives room for it.
            unsafe { into.cast::<$number>().write_unaligned(word) };
        }

        /// Writes a word whole.
        ///
        /// # Safety
        ///
        /// `into` is mapped and aligned for the word; `from` has its bytes.
        #[inline(always)]
        pub unsafe fn $put(from: *const u8, into: *mut u8) {
            // SAFETY: the caller has that many bytes there.
            let word = unsafe { from.cast::<$number>().read_unaligned() };
            // SAFETY: the caller vouches for place and alignment.
            unsafe { <$atomic>::from_ptr(into.cast()) }.store(word, Relaxed);
        }
    )* };
}

words! {
    get1, put1, u8, AtomicU8;
    get2, put2, u16, AtomicU16;
    get4, put4, u32, AtomicU32;
    get8, put8, u64, AtomicU64;
}

/// Copies `len` shared bytes out, upwards.
///
/// # Safety
///
/// `from` has so many shared bytes, mapped; `into` has room for them and is the caller's.
pub unsafe fn get(from: *const u8, into: *mut u8, len: usize) {
    let mut done = 0;
    while done < len {
        let (source, target) = (from.wrapping_add(done), into.wrapping_add(done));
        if is_word(source, len - done) {
            // SAFETY: it is aligned, and as many bytes are left.
            unsafe { get8(source, target) };
            done += WORD;
        } else {
            // SAFETY: there is one byte more.
            unsafe { get1(source, target) };
            done += 1;
        }
    }
}

/// Copies `len` bytes to shared ones, upwards. What is copied is only read, and by no atomics: it may be borrowed.
///
/// # Safety
///
/// `into` has so many shared bytes, mapped; `from` has as many, which nobody writes meanwhile.
pub unsafe fn put(from: *const u8, into: *mut u8, len: usize) {
    let mut done = 0;
    while done < len {
        let (source, target) = (from.wrapping_add(done), into.wrapping_add(done));
        if is_word(target, len - done) {
            // SAFETY: it is aligned, and as many bytes are left.
            unsafe { put8(source, target) };
            done += WORD;
        } else {
            // SAFETY: there is one byte more.
            unsafe { put1(source, target) };
            done += 1;
        }
    }
}

const WORD: usize = size_of::<u64>();

/// Whether a word can be moved whole to or from `shared`, where so many bytes are left.
fn is_word(shared: *const u8, left: usize) -> bool {
    shared.addr().is_multiple_of(WORD) && left >= WORD
}
