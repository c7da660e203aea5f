//! Bytes that other processes read and write at the same time, without asking anybody.
//!
//! No reference to them is ever made, and no load or store of the language touches them: it would be a data race, which
//! is undefined. On x86-64 they are moved by instructions that the compiler does not look into. What those do is what
//! another process might do at that moment, and the language has to bear that in any case. Elsewhere they are moved by
//! relaxed atomics. In either case each byte that is read is one that somebody wrote there; words of 1, 2, 4 and 8 bytes
//! at a multiple of their size are moved whole by [`SharedBytes::load`] and [`SharedBytes::store`].
#![allow(unsafe_code, reason = "the one place that copies memory which others write meanwhile")]

use std::fmt;
use std::marker::PhantomData;
use std::ptr::NonNull;

use bytemuck::Pod;

#[cfg(not(all(target_arch = "x86_64", not(miri))))]
use by_atomics as moves;
#[cfg(all(target_arch = "x86_64", not(miri)))]
use by_instructions as moves;

/// A run of shared bytes, borrowed for `'a`: an address and a length.
#[derive(Clone, Copy)]
pub struct SharedBytes<'a> {
    start: NonNull<u8>,
    len: usize,
    mapping: PhantomData<&'a [std::cell::UnsafeCell<u8>]>,
}

// SAFETY: it is an address; whatever is done there may be done by any thread, as by any process.
unsafe impl Send for SharedBytes<'_> {}
// SAFETY: as above.
unsafe impl Sync for SharedBytes<'_> {}

impl fmt::Debug for SharedBytes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SharedBytes({})", self.len)
    }
}

impl SharedBytes<'_> {
    /// The run of `len` bytes from `start`.
    ///
    /// # Safety
    ///
    /// - They stay mapped, readable and writable for `'a`.
    /// - During `'a` this process touches them only through `SharedBytes`, atomics, and raw pointers whose users
    ///   vouch for what they do.
    pub unsafe fn new(start: NonNull<u8>, len: usize) -> Self {
        Self { start, len, mapping: PhantomData }
    }

    /// How many bytes.
    #[inline(always)]
    pub fn len(self) -> usize {
        self.len
    }

    /// Where they begin.
    #[inline(always)]
    pub fn start(self) -> NonNull<u8> {
        self.start
    }

    /// Whether `len` bytes from `offset` lie in the run.
    #[inline(always)]
    pub fn has(self, offset: usize, len: usize) -> bool {
        offset.checked_add(len).is_some_and(|end| end <= self.len)
    }

    /// The address of the byte at `offset`, of `len` that lie in the run.
    #[inline(always)]
    fn at(self, offset: usize, len: usize) -> *mut u8 {
        assert!(self.has(offset, len), "checked before");
        self.start.as_ptr().wrapping_add(offset)
    }

    /// Copies bytes from `offset` out. Panics beyond the run.
    pub fn copy_out(self, offset: usize, into: &mut [u8]) {
        let from = self.at(offset, into.len());
        // SAFETY: the bytes lie in the run, and `into` is the caller's alone.
        unsafe { moves::get(from, into.as_mut_ptr(), into.len()) }
    }

    /// Copies bytes to `offset`. Panics beyond the run.
    pub fn copy_in(self, offset: usize, from: &[u8]) {
        let into = self.at(offset, from.len());
        // SAFETY: the bytes lie in the run, and nobody writes to `from` while it is borrowed.
        unsafe { moves::put(from.as_ptr(), into, from.len()) }
    }

    /// Reads the value at `offset`. Panics beyond the run.
    #[inline]
    pub fn load<T: Pod>(self, offset: usize) -> T {
        let from = self.at(offset, size_of::<T>());
        let mut value = T::zeroed();
        let bytes = bytemuck::bytes_of_mut(&mut value);
        if is_whole::<T>(from) {
            match bytes.len() {
                // SAFETY: the bytes lie in the run, aligned, and `bytes` has as many.
                1 => unsafe { moves::get1(from, bytes.as_mut_ptr()) },
                // SAFETY: the bytes lie in the run, aligned, and `bytes` has as many.
                2 => unsafe { moves::get2(from, bytes.as_mut_ptr()) },
                // SAFETY: the bytes lie in the run, aligned, and `bytes` has as many.
                4 => unsafe { moves::get4(from, bytes.as_mut_ptr()) },
                // SAFETY: the bytes lie in the run, aligned, and `bytes` has as many.
                8 => unsafe { moves::get8(from, bytes.as_mut_ptr()) },
                _ => self.copy_out(offset, bytes),
            }
        } else {
            self.copy_out(offset, bytes);
        }
        value
    }

    /// Writes `value` at `offset`. Panics beyond the run.
    #[inline]
    pub fn store<T: Pod>(self, offset: usize, value: T) {
        let into = self.at(offset, size_of::<T>());
        let bytes = bytemuck::bytes_of(&value);
        if is_whole::<T>(into) {
            match bytes.len() {
                // SAFETY: the bytes lie in the run, aligned, and `bytes` has as many.
                1 => unsafe { moves::put1(bytes.as_ptr(), into) },
                // SAFETY: the bytes lie in the run, aligned, and `bytes` has as many.
                2 => unsafe { moves::put2(bytes.as_ptr(), into) },
                // SAFETY: the bytes lie in the run, aligned, and `bytes` has as many.
                4 => unsafe { moves::put4(bytes.as_ptr(), into) },
                // SAFETY: the bytes lie in the run, aligned, and `bytes` has as many.
                8 => unsafe { moves::put8(bytes.as_ptr(), into) },
                _ => self.copy_in(offset, bytes),
            }
        } else {
            self.copy_in(offset, bytes);
        }
    }
}

/// Whether `address` is a multiple of the size of `T`.
#[inline(always)]
fn is_whole<T>(address: *const u8) -> bool {
    size_of::<T>() > 0 && address.addr().is_multiple_of(size_of::<T>())
}

/// Moves of x86-64. All of them are what the base of the architecture has.
#[cfg(all(target_arch = "x86_64", not(miri)))]
mod by_instructions {
    use std::arch::asm;

    /// Declares how a shared word is read into private bytes, and written from some.
    macro_rules! words {
        ($($get:ident, $put:ident, $number:ty, $kind:ident, $format:literal;)*) => { $(
            /// Reads a word whole.
            ///
            /// # Safety
            ///
            /// `from` is mapped and aligned for the word; `into` has room for its bytes and is the caller's.
            #[inline(always)]
            pub unsafe fn $get(from: *const u8, into: *mut u8) {
                let word: $number;
                // SAFETY: it reads what is mapped there. What is in memory for the language it leaves alone.
                unsafe {
                    asm!(concat!("mov {word", $format, "}, [{from}]"), from = in(reg) from,
                        word = lateout($kind) word, options(nostack, preserves_flags, readonly));
                }
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
                // SAFETY: it writes to what is mapped there, and the compiler takes it for any write.
                unsafe {
                    asm!(concat!("mov [{into}], {word", $format, "}"), into = in(reg) into,
                        word = in($kind) word, options(nostack, preserves_flags));
                }
            }
        )* };
    }

    words! {
        get1, put1, u8, reg_byte, "";
        get2, put2, u16, reg, ":x";
        get4, put4, u32, reg, ":e";
        get8, put8, u64, reg, "";
    }

    pub use self::{copy as get, copy as put};

    /// Copies `len` bytes upwards: 64 at a time, then what is left in halves of that. Which of the two places is the shared one is all one
    /// to it.
    ///
    /// # Safety
    ///
    /// So many bytes are mapped at both places, which do not overlap; what is written is shared or the caller's.
    pub unsafe fn copy(from: *const u8, into: *mut u8, len: usize) {
        // SAFETY: it reads `len` bytes from the one place and writes them to the other, and changes flags and the
        // registers that are named.
        unsafe {
            asm!(
                "sub {n}, 64",
                "jb 3f",
                ".p2align 4",
                "2:",
                "movups {a}, [{s}]",
                "movups {b}, [{s} + 16]",
                "movups {c}, [{s} + 32]",
                "movups {d}, [{s} + 48]",
                "movups [{t}], {a}",
                "movups [{t} + 16], {b}",
                "movups [{t} + 32], {c}",
                "movups [{t} + 48], {d}",
                "add {s}, 64",
                "add {t}, 64",
                "sub {n}, 64",
                "jae 2b",
                "3:",
                "test {n:l}, 32",
                "jz 4f",
                "movups {a}, [{s}]",
                "movups {b}, [{s} + 16]",
                "movups [{t}], {a}",
                "movups [{t} + 16], {b}",
                "add {s}, 32",
                "add {t}, 32",
                "4:",
                "test {n:l}, 16",
                "jz 5f",
                "movups {a}, [{s}]",
                "movups [{t}], {a}",
                "add {s}, 16",
                "add {t}, 16",
                "5:",
                "test {n:l}, 8",
                "jz 6f",
                "mov {w}, [{s}]",
                "mov [{t}], {w}",
                "add {s}, 8",
                "add {t}, 8",
                "6:",
                "test {n:l}, 4",
                "jz 7f",
                "mov {w:e}, [{s}]",
                "mov [{t}], {w:e}",
                "add {s}, 4",
                "add {t}, 4",
                "7:",
                "test {n:l}, 2",
                "jz 8f",
                "mov {w:x}, [{s}]",
                "mov [{t}], {w:x}",
                "add {s}, 2",
                "add {t}, 2",
                "8:",
                "test {n:l}, 1",
                "jz 9f",
                "mov {w:l}, [{s}]",
                "mov [{t}], {w:l}",
                "9:",
                s = inout(reg) from => _,
                t = inout(reg) into => _,
                n = inout(reg) len => _,
                w = out(reg) _,
                a = out(xmm_reg) _,
                b = out(xmm_reg) _,
                c = out(xmm_reg) _,
                d = out(xmm_reg) _,
                options(nostack),
            );
        }
    }
}

/// The same for other processors: relaxed atomics, of eight bytes where the shared side is aligned for it.
#[cfg(any(test, not(all(target_arch = "x86_64", not(miri)))))]
mod by_atomics;

#[cfg(test)]
mod tests {
    use super::*;

    /// Memory with a border, to see that nothing beside what is meant is written.
    fn filled() -> Vec<u8> {
        (0..=255).cycle().take(400).collect()
    }

    fn shared(memory: &mut [u8]) -> SharedBytes<'_> {
        let (start, len) = (NonNull::from(&mut *memory).cast(), memory.len());
        // SAFETY: it is borrowed for as long, and nobody else touches it.
        unsafe { SharedBytes::new(start, len) }
    }

    #[test]
    fn every_length_at_every_alignment_is_copied_and_nothing_beside_it() {
        for offset in 0..17 {
            for len in 0..300 {
                let (mut memory, given) = (filled(), vec![0xa5; len]);
                let mut expected = memory.clone();
                expected[offset..offset + len].fill(0xa5);
                shared(&mut memory).copy_in(offset, &given);
                assert_eq!(memory, expected, "{len} bytes at {offset}");
                let (mut memory, mut taken) = (filled(), vec![0; len]);
                shared(&mut memory).copy_out(offset, &mut taken);
                assert_eq!(taken, filled()[offset..offset + len], "{len} bytes at {offset}");
                assert_eq!(memory, filled());
            }
        }
    }

    #[test]
    fn the_copies_by_atomics_are_the_same() {
        for offset in 0..9 {
            for len in 0..70 {
                let (mut theirs, mut ours, from) = (filled(), filled(), vec![0x5a; len]);
                let into = theirs[offset..].as_mut_ptr();
                // SAFETY: so many bytes are there, of vectors that nobody else touches.
                unsafe { by_atomics::put(from.as_ptr(), into, len) };
                shared(&mut ours).copy_in(offset, &from);
                assert_eq!(theirs, ours, "{len} bytes at {offset}");
                let (mut memory, mut taken) = (filled(), vec![0; len]);
                let shared = memory[offset..].as_mut_ptr();
                // SAFETY: as above.
                unsafe { by_atomics::get(shared, taken.as_mut_ptr(), len) };
                assert_eq!(taken, filled()[offset..offset + len], "{len} bytes at {offset}");
            }
        }
    }

    #[test]
    fn values_of_all_sizes_are_read_as_they_were_written() {
        let mut memory = filled();
        let shared = shared(&mut memory);
        for offset in 0..17 {
            shared.store(offset, 0x12_u8);
            assert_eq!(shared.load::<u8>(offset), 0x12);
            shared.store(offset, 0x1234_u16);
            assert_eq!(shared.load::<u16>(offset), 0x1234);
            shared.store(offset, 0x1234_5678_u32);
            assert_eq!(shared.load::<u32>(offset), 0x1234_5678);
            shared.store(offset, 0x1234_5678_9abc_def0_u64);
            assert_eq!(shared.load::<u64>(offset), 0x1234_5678_9abc_def0);
            shared.store(offset, [7_u64; 5]);
            assert_eq!(shared.load::<[u64; 5]>(offset), [7; 5]);
        }
    }

    #[test]
    #[should_panic(expected = "checked before")]
    fn beyond_the_run_there_is_nothing() {
        let mut memory = filled();
        shared(&mut memory).copy_in(399, &[1, 2]);
    }
}
