//! Files in shared memory: made without a name, allocated, then linked to one. (Mapped they are in `mapping`.)
#![allow(unsafe_code, reason = "linkat, fallocate, fstatfs, getrlimit")]

use std::ffi::CString;
use std::fs::{File, Metadata, OpenOptions};
use std::io;
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use super::{check, retry};

/// Which file, whatever it is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    device: u64,
    inode: u64,
}

impl Identity {
    /// The identity of what `metadata` describes.
    pub fn of(metadata: &Metadata) -> Self {
        Self { device: metadata.dev(), inode: metadata.ino() }
    }

    /// Whether `path` names this very file now.
    pub fn is_at(self, path: &Path) -> bool {
        path.symlink_metadata().is_ok_and(|found| Self::of(&found) == self)
    }
}

/// The identity of the file that `descriptor` is of, if it is open. Neither allocates nor locks.
pub fn identity_of(descriptor: RawFd) -> Option<Identity> {
    let mut answer = std::mem::MaybeUninit::<libc::stat>::zeroed();
    // SAFETY: `answer` has room for the struct; a descriptor that is not open is an error.
    check(unsafe { libc::fstat(descriptor, answer.as_mut_ptr()) }).ok()?;
    // SAFETY: the call succeeded, and zeros were a valid value before it.
    let found = unsafe { answer.assume_init() };
    Some(Identity { device: found.st_dev, inode: found.st_ino })
}

/// Makes a file in `directory` that has no name and goes with its last user.
pub fn create_unnamed(directory: &Path) -> io::Result<File> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .mode(0o600)
        .custom_flags(libc::O_TMPFILE)
        .open(directory)
}

/// Opens the file at `path`, without following a link there and without waiting for a FIFO's other end.
pub fn open(path: &Path) -> io::Result<File> {
    let flags = libc::O_NOFOLLOW | libc::O_NONBLOCK | libc::O_NOCTTY;
    OpenOptions::new().read(true).write(true).custom_flags(flags).open(path)
}

/// A new description of the file that `file` has open, whatever has become of its name.
pub fn reopen(file: &File) -> io::Result<File> {
    let path = format!("/proc/self/fd/{}", file.as_raw_fd());
    let flags = libc::O_NONBLOCK | libc::O_NOCTTY;
    OpenOptions::new().read(true).write(true).custom_flags(flags).open(path)
}

/// The largest file that this process may make, if it is limited.
///
/// To go beyond is not an error but a signal that kills, so it is asked for beforehand.
pub fn file_size_limit() -> io::Result<Option<u64>> {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: `limit` is a valid place to write to.
    check(unsafe { libc::getrlimit(libc::RLIMIT_FSIZE, &raw mut limit) })?;
    Ok((limit.rlim_cur != libc::RLIM_INFINITY).then_some(limit.rlim_cur))
}

/// Backs `len` bytes of the file from `from` with memory now, zeros where there was none: lack of it is an error here, where
/// growing the file only would end in SIGBUS at a later access.
pub fn allocate(file: &File, from: u64, len: u64) -> io::Result<()> {
    let (from, len) = (from.cast_signed(), len.cast_signed());
    // SAFETY: the descriptor is open; fallocate takes no pointers.
    retry(|| unsafe { libc::fallocate(file.as_raw_fd(), 0, from, len) }).map(drop)
}

/// Backs the first `len` bytes of the file with memory, without making it longer. Nothing where its file system has no such
/// call.
pub fn back(file: &File, len: u64) -> io::Result<()> {
    let len = len.cast_signed();
    // SAFETY: as above.
    let backed =
        retry(|| unsafe { libc::fallocate(file.as_raw_fd(), libc::FALLOC_FL_KEEP_SIZE, 0, len) });
    match backed {
        Err(error) if error.raw_os_error() == Some(libc::EOPNOTSUPP) => Ok(()),
        backed => backed.map(drop),
    }
}

/// Whether there is no memory for some of the first `len` bytes of the file; also whenever that cannot be told, and of what was
/// never written.
pub fn has_holes(file: &File, len: u64) -> bool {
    // SAFETY: it moves the position of a descriptor, by which nobody reads.
    let hole = unsafe { libc::lseek(file.as_raw_fd(), 0, libc::SEEK_HOLE) };
    hole < len.cast_signed()
}

/// Gives the memory of `len` bytes of the file from `from` back: whole pages, which read as zeros from now on.
pub fn punch(file: &File, from: u64, len: u64) -> io::Result<()> {
    let (from, len) = (from.cast_signed(), len.cast_signed());
    let mode = libc::FALLOC_FL_PUNCH_HOLE | libc::FALLOC_FL_KEEP_SIZE;
    // SAFETY: as above.
    retry(|| unsafe { libc::fallocate(file.as_raw_fd(), mode, from, len) }).map(drop)
}

/// Gives the memory of `file` from `start` on back, whoever has it mapped: it reads as zeros then.
pub fn give_back(file: &File, start: u64) -> io::Result<()> {
    let len = file.metadata()?.len().saturating_sub(start);
    let how = libc::FALLOC_FL_PUNCH_HOLE | libc::FALLOC_FL_KEEP_SIZE;
    let (start, len) = (start.cast_signed(), len.cast_signed());
    // SAFETY: the descriptor is open; fallocate takes no pointers.
    retry(|| unsafe { libc::fallocate(file.as_raw_fd(), how, start, len) }).map(drop)
}

/// Gives an unnamed file its name, which must be free: `AlreadyExists` otherwise.
pub fn link(file: &File, path: &Path) -> io::Result<()> {
    let from = CString::new(format!("/proc/self/fd/{}", file.as_raw_fd()))?;
    let to = CString::new(path.as_os_str().as_bytes())?;
    let (here, follow) = (libc::AT_FDCWD, libc::AT_SYMLINK_FOLLOW);
    // SAFETY: both strings end in a zero byte and outlive the call.
    check(unsafe { libc::linkat(here, from.as_ptr(), here, to.as_ptr(), follow) }).map(drop)
}

/// The kind of file system that holds a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileSystem {
    /// tmpfs: memory of this kernel.
    Memory,
    /// A file system that maps another file than the one that was opened, which has the locks.
    Overlay,
    /// Any other.
    Other,
}

/// What kind of file system holds `file`.
pub fn file_system(file: &File) -> io::Result<FileSystem> {
    let mut answer = std::mem::MaybeUninit::<libc::statfs>::zeroed();
    // SAFETY: the descriptor is open and `answer` has room for the struct.
    retry(|| unsafe { libc::fstatfs(file.as_raw_fd(), answer.as_mut_ptr()) })?;
    // SAFETY: the call succeeded, and zeros were a valid value before it.
    let kind = unsafe { answer.assume_init() }.f_type;
    Ok(match kind {
        libc::TMPFS_MAGIC => FileSystem::Memory,
        libc::OVERLAYFS_SUPER_MAGIC => FileSystem::Overlay,
        _ => FileSystem::Other,
    })
}
