//! A piece of memory that this process and those that it starts share, and the clock that they share.
#![allow(
    unsafe_code,
    reason = "memfd_create, inherited descriptors, clock_gettime, typed references"
)]

use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};

use memmap2::{MmapOptions, MmapRaw};

/// What any bytes are a value of, and what may be shared: structures of atomics.
///
/// # Safety
///
/// It consists of atomics and arrays of such, so that all zeros is a value, and is not aligned beyond a page.
pub unsafe trait Shared: Sync {}

/// Zeroed memory that child processes inherit.
#[derive(Debug)]
pub struct Region {
    mapping: MmapRaw,
    file: File,
}

impl Region {
    pub fn new(len: usize) -> io::Result<Self> {
        // Without CLOEXEC: children find it under the same number.
        // SAFETY: the name is a literal that ends with zero.
        let descriptor = unsafe { libc::memfd_create(c"rivals".as_ptr(), 0) };
        if descriptor < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: it was opened above and belongs to nobody else.
        let file = File::from(unsafe { OwnedFd::from_raw_fd(descriptor) });
        file.set_len(len as u64)?;
        Ok(Self { mapping: MmapOptions::new().len(len).map_raw(&file)?, file })
    }

    /// The region that the parent process called `token`.
    pub fn inherited(token: &str) -> io::Result<Self> {
        let descriptor: RawFd = token.parse().map_err(io::Error::other)?;
        // SAFETY: the parent left the descriptor open for this process, which opens each token once.
        let file = File::from(unsafe { OwnedFd::from_raw_fd(descriptor) });
        let len = usize::try_from(file.metadata()?.len()).map_err(io::Error::other)?;
        Ok(Self { mapping: MmapOptions::new().len(len).map_raw(&file)?, file })
    }

    /// The same memory once more.
    pub fn again(&self) -> io::Result<Self> {
        let (mapping, file) = (MmapOptions::new().map_raw(&self.file)?, self.file.try_clone()?);
        Ok(Self { mapping, file })
    }

    /// How a child process asks for it.
    pub fn token(&self) -> String {
        self.file.as_raw_fd().to_string()
    }

    /// The `T` at `offset`.
    pub fn at<T: Shared>(&self, offset: usize) -> &T {
        let fits = offset.checked_add(size_of::<T>()).is_some_and(|end| end <= self.mapping.len());
        assert!(fits && offset.is_multiple_of(align_of::<T>()), "no such place in the region");
        // SAFETY: inside of the mapping, as was checked.
        let place = unsafe { self.mapping.as_mut_ptr().add(offset) };
        // SAFETY: aligned, mapped for as long as `self`, and any bytes are a `T`.
        unsafe { &*place.cast::<T>() }
    }

    /// Where the bytes from `offset` on lie. Whoever touches them sees to it that nobody else does meanwhile.
    pub fn bytes(&self, offset: usize, len: usize) -> *mut u8 {
        let fits = offset.checked_add(len).is_some_and(|end| end <= self.mapping.len());
        assert!(fits, "no such place in the region");
        // SAFETY: inside of the mapping, as was checked.
        unsafe { self.mapping.as_mut_ptr().add(offset) }
    }
}

/// Nanoseconds on the monotonic clock, which all processes share.
#[inline(always)]
pub fn now() -> u64 {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `now` is a valid timespec to write to; this clock always exists.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut now) };
    now.tv_sec.cast_unsigned() * 1_000_000_000 + now.tv_nsec.cast_unsigned()
}
