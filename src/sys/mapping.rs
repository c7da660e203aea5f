//! Mappings of whole files, on small pages or on huge ones.
//!
//! They are addresses only: no reference into one is made here. None is inherited by a forked child.
#![allow(unsafe_code, reason = "mmap at an address of choice, madvise")]

use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, RawFd};
use std::ptr::NonNull;

use memmap2::{Advice, MmapOptions, MmapRaw};

use super::check;

/// A shared mapping of a whole file.
#[derive(Debug)]
pub struct Mapping {
    start: NonNull<u8>,
    len: usize,
    /// `None` for one that is unmapped by hand.
    map: Option<MmapRaw>,
}

// SAFETY: it is an address range that it alone unmaps; whoever makes something of the addresses vouches for that.
unsafe impl Send for Mapping {}
// SAFETY: as above.
unsafe impl Sync for Mapping {}

/// Huge pages of the processors that this runs on, where the kernel's pages have 4096 bytes.
const HUGE: usize = 2 << 20;

/// So often the kernel is asked for huge pages while it cannot get hold of the small ones.
const TRIES: u32 = 8;

impl Mapping {
    /// Maps the first `len` bytes of `file`, wherever there is room.
    pub fn new(file: &File, len: usize) -> io::Result<Self> {
        let map = MmapOptions::new().len(len).map_raw(file)?;
        map.advise(Advice::DontFork)?;
        let start = NonNull::new(map.as_mut_ptr()).expect("a mapping is never at address zero");
        Ok(Self { start, len: map.len(), map: Some(map) })
    }

    /// The same at an address that huge pages can be mapped at, if it has room for one.
    pub fn aligned(file: &File, len: usize) -> io::Result<Self> {
        if len < HUGE {
            return Self::new(file, len);
        }
        let room = len.checked_add(HUGE).ok_or(io::ErrorKind::OutOfMemory)?;
        // Its pages are never touched. It keeps others away until the file lies in the middle of it.
        let first = map_at(std::ptr::null_mut(), room, libc::PROT_NONE, RESERVED, -1)?;
        let place = first.wrapping_add(first.addr().wrapping_neg() & (HUGE - 1));
        let access = libc::PROT_READ | libc::PROT_WRITE;
        // It replaces what was reserved for it, and nothing else.
        let how = libc::MAP_SHARED | libc::MAP_FIXED;
        if let Err(error) = map_at(place, len, access, how, file.as_raw_fd()) {
            unmap(first, room);
            return Err(error);
        }
        let end = place.wrapping_add(len.next_multiple_of(page()));
        let behind = first.wrapping_add(room.next_multiple_of(page())).addr() - end.addr();
        unmap(first, place.addr() - first.addr());
        unmap(end, behind);
        let start = NonNull::new(place).expect("a mapping is never at address zero");
        let mapping = Self { start, len, map: None };
        mapping.advise(len, libc::MADV_DONTFORK)?;
        Ok(mapping)
    }

    /// Where it begins: page-aligned.
    pub fn start(&self) -> NonNull<u8> {
        self.start
    }

    /// Bytes mapped.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Enters the pages of the first `len` bytes into this process's page table now, so that first touches cost no fault
    /// later.
    pub fn prefault(&self, len: usize) -> io::Result<()> {
        self.advise(len, libc::MADV_POPULATE_WRITE)
    }

    /// Has the kernel put as much of the file on huge pages as has room for whole ones, and map them here, now. Says why
    /// not, where not.
    pub fn collapse(&self) -> Result<(), &'static str> {
        let size = std::fs::read_to_string("/sys/kernel/mm/transparent_hugepage/hpage_pmd_size");
        let size = size.ok().and_then(|text| text.trim().parse::<usize>().ok());
        match size {
            None => return Err("the kernel has none"),
            Some(size) if size > HUGE => return Err("they are larger than 2 MiB here"),
            Some(_) if self.len < HUGE => return Err("it is shorter than one of 2 MiB"),
            Some(_) => {}
        }
        // Later faults on what is left out now may take some, too. Refusing that is no harm.
        let _ = self.advise(self.len, libc::MADV_HUGEPAGE);
        let whole = self.len / HUGE * HUGE;
        let busy =
            |error: &io::Error| matches!(error.raw_os_error(), Some(libc::EAGAIN | libc::EBUSY));
        let mut tries = 1..TRIES;
        let mut collapsed = self.advise(whole, libc::MADV_COLLAPSE);
        while collapsed.as_ref().is_err_and(busy) && tries.next().is_some() {
            collapsed = self.advise(whole, libc::MADV_COLLAPSE);
        }
        collapsed.map_err(|error| match error.raw_os_error() {
            Some(libc::ENOMEM) => "there is no memory that hangs together",
            Some(libc::EAGAIN | libc::EBUSY) => "the kernel could not get hold of the pages",
            _ => "the kernel does not make them of shared memory",
        })
    }

    fn advise(&self, len: usize, advice: i32) -> io::Result<()> {
        assert!(len <= self.len, "what is mapped");
        // SAFETY: the range is mapped, and none of these kinds of advice changes what is in it.
        check(unsafe { libc::madvise(self.start.as_ptr().cast(), len, advice) }).map(drop)
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        if self.map.is_none() {
            unmap(self.start.as_ptr(), self.len);
        }
    }
}

/// Addresses that nothing is at.
const RESERVED: i32 = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;

/// `mmap`: at `place` where `how` says so, which then is the caller's own.
fn map_at(place: *mut u8, len: usize, access: i32, how: i32, file: RawFd) -> io::Result<*mut u8> {
    // SAFETY: what it may replace is the caller's.
    let start = unsafe { libc::mmap(place.cast(), len, access, how, file, 0) };
    if start == libc::MAP_FAILED { Err(io::Error::last_os_error()) } else { Ok(start.cast()) }
}

/// Unmaps `len` bytes, which the caller has mapped or reserved and nobody uses any more.
fn unmap(start: *mut u8, len: usize) {
    if len > 0 {
        // SAFETY: the callers' own: what lies around a file in its reservation, or a mapping that is being dropped.
        unsafe { libc::munmap(start.cast(), len) };
    }
}

/// Bytes of a page.
fn page() -> usize {
    // SAFETY: it takes a number and answers one.
    let bytes = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    usize::try_from(bytes).unwrap_or(4096)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn file(len: usize) -> File {
        let file = super::super::shm::create_unnamed(Path::new("/dev/shm")).unwrap();
        file.set_len(len as u64).unwrap();
        file
    }

    #[test]
    fn aligned_mappings_are_and_leave_nothing_behind() {
        let maps = || std::fs::read_to_string("/proc/self/maps").unwrap();
        for len in [1, 4097, HUGE - 1, HUGE, HUGE + 1, 3 * HUGE + 4096] {
            let file = file(len);
            let mapping = Mapping::aligned(&file, len).unwrap();
            let address = mapping.start().as_ptr().addr();
            assert!(len < HUGE || address.is_multiple_of(HUGE), "{len}: {address:x}");
            assert_eq!(mapping.len(), len);
            mapping.prefault(len).unwrap();
            let line = format!("{address:x}-{:x} rw-s", address + len.next_multiple_of(page()));
            assert!(maps().contains(&line), "{line}");
            drop(mapping);
            assert!(!maps().contains(&line));
        }
    }
}
