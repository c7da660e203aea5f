//! Blocks as other programs make and open them.

use std::fmt;
use std::ops::Deref;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::HugePages;
use crate::error::{Error, ErrorKind, Failure, Operation};
use crate::inspect::{Trust, open_file};
use crate::name::{self, Address};
use crate::segment::{Memory, Raw};

/// How messages call it.
const NOUN: &str = "raw block";

/// Shared memory of any program: a file of `/dev/shm` as `shm_open` makes and opens it, bytes from the first to the last.
///
/// It derefs to [`Memory`], which has the access. There are no members, so nobody can tell who uses it or goes with its last
/// user, and no lock can tell that its owner died. What its bytes mean is agreed elsewhere.
///
/// Opening has memory made for all of it, since a maker that only set a length may have left holes: where there is no room
/// that is an error now and no signal later. **A program that cuts the file kills those who touch what was cut off**
/// (`SIGBUS`): open files of programs only that do not.
///
/// Python's `multiprocessing.shared_memory` opens it under the same name. Before Python 3.13, or without `track=False`, a
/// program that has opened it so *removes the name when it ends*, whoever uses it.
///
/// ```
/// use ringway::block::RawBlock;
///
/// let name = format!("frames-{}", std::process::id());
/// let block = RawBlock::create(&name, 640 * 480)?;
/// block.write_at(0, b"pixels")?;
/// let other = RawBlock::open(&format!("/{name}"))?; // as shm_open writes it
/// assert_eq!(other.view::<[u8; 6]>(0)?.get()?, *b"pixels");
/// block.unlink()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct RawBlock {
    raw: Arc<Raw>,
    memory: Memory,
    name: Arc<str>,
    path: Arc<Path>,
    huge: HugePages,
}

impl RawBlock {
    /// Options for making or opening a raw block.
    pub fn options() -> RawOptions {
        RawOptions::default()
    }

    /// Makes a raw block of `len` bytes, zero at first.
    ///
    /// # Errors
    ///
    /// As [`RawOptions::create`].
    pub fn create(name: &str, len: usize) -> Result<Self, Error> {
        Self::options().len(len).create(name)
    }

    /// Opens a raw block of any length.
    ///
    /// # Errors
    ///
    /// As [`RawOptions::open`].
    pub fn open(name: &str) -> Result<Self, Error> {
        Self::options().open(name)
    }

    /// The name that it was made or opened under, without a slash.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The file that it was made or opened as.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether it lies on huge pages, and why not, if [`RawOptions::huge_pages`] asked for them.
    pub fn huge_pages(&self) -> HugePages {
        self.huge
    }

    /// Its bytes: what it derefs to.
    pub fn memory(&self) -> &Memory {
        &self.memory
    }

    /// Removes its name. Who has it open goes on undisturbed; nobody else finds it any more.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`] if it has no name any more, also if something else has it now; and what the system answers.
    pub fn unlink(&self) -> Result<(), Error> {
        let remove = || {
            // Whoever owns what is there: it is removed only if it is this file.
            let owner = self.path.symlink_metadata().ok().map(|found| found.uid());
            let file = open_file(&self.path, &Trust { owner, ..Trust::default() })?;
            if !self.raw.is_of(&file) {
                return Err(ErrorKind::NotFound.into());
            }
            name::unlink(&file, &self.path)
        };
        remove().map_err(|why| Error::new(Operation::Unlink, NOUN, &self.name, why))
    }
}

impl Deref for RawBlock {
    type Target = Memory;
    fn deref(&self) -> &Memory {
        &self.memory
    }
}

impl fmt::Debug for RawBlock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RawBlock")
            .field("name", &self.name)
            .field("len", &self.memory.len())
            .finish_non_exhaustive()
    }
}

/// Builds, opens and removes raw blocks.
#[derive(Clone, Debug)]
#[must_use = "options do nothing until one of create, open, open_or_create or unlink"]
pub struct RawOptions {
    directory: PathBuf,
    len: usize,
    mode: u32,
    trust: Trust,
    any_writer: bool,
    prefault: bool,
    huge_pages: bool,
}

impl Default for RawOptions {
    fn default() -> Self {
        let (directory, mode) = (PathBuf::from("/dev/shm"), 0o600);
        let trust = Trust::default();
        let (any_writer, prefault, huge_pages) = (false, false, false);
        Self { directory, len: 0, mode, trust, any_writer, prefault, huge_pages }
    }
}

impl RawOptions {
    /// How many bytes a new block has: exactly so many. Who opens one and says so gets [`ErrorKind::OtherLength`] where it
    /// has another number.
    pub fn len(mut self, bytes: usize) -> Self {
        self.len = bytes;
        self
    }

    /// The file mode of a new block, by default `0o600`: a subset of `0o660` with `0o600` in it.
    pub fn mode(mut self, mode: u32) -> Self {
        self.mode = mode;
        self
    }

    /// The directory that names live in, by default `/dev/shm`.
    pub fn directory(mut self, directory: impl Into<PathBuf>) -> Self {
        self.directory = directory.into();
        self
    }

    /// Accepts files of this user beside those of this process's own.
    pub fn trust_owner(mut self, uid: u32) -> Self {
        self.trust.owner = Some(uid);
        self
    }

    /// Accepts files that any user may write to.
    pub fn any_writer(mut self) -> Self {
        self.any_writer = true;
        self
    }

    /// Enters all pages into this process's page table at once, so that first touches cost no page fault.
    pub fn prefault(mut self) -> Self {
        self.prefault = true;
        self
    }

    /// Asks the kernel to put the block on huge pages, in this process, now: as much of it as has room for whole ones.
    /// [`RawBlock::huge_pages`] tells what came of it; not getting them is no error. Takes Linux 6.1.
    pub fn huge_pages(mut self) -> Self {
        self.huge_pages = true;
        self
    }

    /// Makes a new raw block. Others see the name only once it has its length and its memory.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Taken`], [`ErrorKind::InvalidName`], [`ErrorKind::InvalidOption`], [`ErrorKind::NoSpace`],
    /// [`ErrorKind::FileSizeLimit`] and what the system answers.
    pub fn create(&self, name: &str) -> Result<RawBlock, Error> {
        self.run(Operation::Create, name, |address| {
            self.make(address)?.ok_or_else(|| ErrorKind::Taken.into())
        })
    }

    /// Opens a raw block that exists.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`]; [`ErrorKind::Empty`] for a file without a byte, as one is that its maker is about to give a
    /// length; [`ErrorKind::OtherLength`], [`ErrorKind::NotAFile`], [`ErrorKind::ForeignOwner`],
    /// [`ErrorKind::WritableByOthers`], [`ErrorKind::NoSpace`], [`ErrorKind::PermissionDenied`] and what the system answers.
    pub fn open(&self, name: &str) -> Result<RawBlock, Error> {
        self.run(Operation::Open, name, |address| self.join(address))
    }

    /// Opens the raw block, or makes it where there is none.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open) and [`create`](Self::create), and [`ErrorKind::Contended`].
    pub fn open_or_create(&self, name: &str) -> Result<RawBlock, Error> {
        self.run(Operation::OpenOrCreate, name, |address| {
            let patience = name::Patience::new(name::CONTENTION);
            loop {
                match self.join(address) {
                    Err(Failure { kind: ErrorKind::NotFound, .. }) => {}
                    joined => return joined,
                }
                if let Some(made) = self.make(address)? {
                    return Ok(made);
                }
                if !patience.lasts() {
                    return Err(ErrorKind::Contended.into());
                }
            }
        })
    }

    /// Removes the name, whatever regular file has it.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`], [`ErrorKind::NotAFile`], [`ErrorKind::ForeignOwner`], [`ErrorKind::PermissionDenied`],
    /// [`ErrorKind::Contended`].
    pub fn unlink(&self, name: &str) -> Result<(), Error> {
        self.run(Operation::Unlink, name, |address| {
            name::unlink(&open_file(address.path(), &self.trust)?, address.path())
        })
    }

    fn run<R>(
        &self,
        operation: Operation,
        name: &str,
        act: impl FnOnce(&Address) -> Result<R, Failure>,
    ) -> Result<R, Error> {
        Address::raw(&self.directory, name)
            .and_then(|address| act(&address))
            .map_err(|failure| Error::new(operation, NOUN, name, failure))
    }

    /// A new one, or nothing if the name is taken.
    fn make(&self, address: &Address) -> Result<Option<RawBlock>, Failure> {
        if self.len == 0 {
            return Err(ErrorKind::InvalidOption("a length is at least 1").into());
        }
        if self.len > isize::MAX as usize {
            return Err(ErrorKind::InvalidOption("no file is so long").into());
        }
        if self.mode & !0o660 != 0 || self.mode & 0o600 != 0o600 {
            return Err(ErrorKind::InvalidOption("a mode is 0o600, 0o620, 0o640 or 0o660").into());
        }
        let (raw, file) = Raw::create(&self.directory, self.len, self.mode)?;
        let made = self.handle(raw, address)?;
        Ok(Raw::publish(&file, address.path())?.then_some(made))
    }

    fn join(&self, address: &Address) -> Result<RawBlock, Failure> {
        let wanted = (self.len > 0).then_some(self.len);
        let raw = Raw::open(address.path(), wanted, &self.trust, self.any_writer)?;
        self.handle(raw, address)
    }

    fn handle(&self, raw: Raw, address: &Address) -> Result<RawBlock, Failure> {
        if self.prefault {
            raw.prefault()?;
        }
        let huge = HugePages::asked(self.huge_pages, || raw.collapse());
        let raw = Arc::new(raw);
        let name = address.path().file_name().map_or("".into(), |name| name.to_string_lossy());
        let (memory, path) = (raw.memory(), address.path().into());
        Ok(RawBlock { raw, memory, name: name.into(), path, huge })
    }
}
