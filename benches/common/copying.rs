//! Bytes copied into shared memory by one side and out of it by the other: the most that two processors reach.
#![allow(unsafe_code, reason = "memfd_create, a shared mapping")]

use std::fs::{File, OpenOptions};
use std::hint::spin_loop;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::ptr;
use std::sync::atomic::{
    AtomicU64,
    Ordering::{Acquire, Release},
};

use memmap2::{MmapOptions, MmapRaw};

/// Pieces that there is room for.
const PIECES: u64 = 8;
/// Where they begin: not where a page does, since then `rep movsb` would be slow into a buffer of an allocator, on some processors.
const START: usize = 4096 + 64;

/// Room for pieces in shared memory, and two counts: the least that copying in and out takes.
pub struct Copying {
    memory: MmapRaw,
    piece: usize,
    /// Whether the receiver keeps the lines that it read, by writing a byte of each as it is.
    keeps: bool,
    file: File,
}

/// What the memory begins with: how many pieces were filled, and how many emptied.
#[repr(C)]
struct Counts {
    filled: Apart,
    emptied: Apart,
}

/// On lines of its own.
#[repr(align(128))]
struct Apart(AtomicU64);

impl Copying {
    /// A new one, of pieces of `piece` bytes, that others can open by [`path`](Self::path).
    pub fn create(piece: usize, keeps: bool) -> io::Result<Self> {
        // SAFETY: the name is a literal that ends with zero.
        let descriptor = unsafe { libc::memfd_create(c"copying".as_ptr(), libc::MFD_CLOEXEC) };
        if descriptor < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: it was opened above and belongs to nobody else.
        let file = File::from(unsafe { OwnedFd::from_raw_fd(descriptor) });
        file.set_len((START + usize::try_from(PIECES).expect("few") * piece) as u64)?;
        Self::map(file, piece, keeps)
    }

    /// The one that another process, which still has it, calls `path`.
    pub fn open(path: &str, piece: usize) -> io::Result<Self> {
        Self::map(OpenOptions::new().read(true).write(true).open(path)?, piece, false)
    }

    fn map(file: File, piece: usize, keeps: bool) -> io::Result<Self> {
        let len = usize::try_from(file.metadata()?.len()).expect("it fits memory");
        let memory = MmapOptions::new().len(len).map_raw(&file)?;
        Ok(Self { memory, piece, keeps, file })
    }

    /// How another process of this user opens it.
    pub fn path(&self) -> String {
        format!("/proc/{}/fd/{}", std::process::id(), self.file.as_raw_fd())
    }

    #[allow(clippy::cast_ptr_alignment, reason = "a mapping begins on a page")]
    fn counts(&self) -> &Counts {
        // SAFETY: the mapping is aligned and larger than `Counts`, lives as long as `self`, and every bit pattern is a value
        // of its atomics.
        unsafe { &*self.memory.as_ptr().cast::<Counts>() }
    }

    fn at(&self, number: u64) -> *mut u8 {
        let piece = usize::try_from(number % PIECES).expect("below the number of pieces");
        self.memory.as_mut_ptr().wrapping_add(START + piece * self.piece)
    }

    /// Copies `message` in, as the `next` pieces. There is one sender.
    pub fn send(&self, message: &[u8], next: &mut u64) {
        for part in message.chunks(self.piece) {
            while *next - self.counts().emptied.0.load(Acquire) == PIECES {
                spin_loop();
            }
            // SAFETY: a piece lies in the memory, this one was emptied, and there is one sender.
            unsafe { ptr::copy_nonoverlapping(part.as_ptr(), self.at(*next), part.len()) };
            *next += 1;
            self.counts().filled.0.store(*next, Release);
        }
    }

    /// Copies the `next` pieces out into `buffer`. There is one receiver.
    pub fn receive(&self, buffer: &mut [u8], next: &mut u64) {
        for part in buffer.chunks_mut(self.piece) {
            while self.counts().filled.0.load(Acquire) == *next {
                spin_loop();
            }
            // SAFETY: a piece lies in the memory, this one was filled, and there is one receiver.
            unsafe { ptr::copy_nonoverlapping(self.at(*next), part.as_mut_ptr(), part.len()) };
            if self.keeps {
                keep(self.at(*next), part.len());
            }
            *next += 1;
            self.counts().emptied.0.store(*next, Release);
        }
    }
}

/// Writes a byte of each line of a piece that is the caller's, as it is.
fn keep(start: *mut u8, len: usize) {
    for line in (0..len).step_by(64) {
        let byte = start.wrapping_add(line);
        // SAFETY: it lies in the piece.
        let found = unsafe { byte.read_volatile() };
        // SAFETY: as above.
        unsafe { byte.write_volatile(found) };
    }
}
