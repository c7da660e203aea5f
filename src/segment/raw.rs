//! Files as other programs make and open them: bytes from the first to the last, no header, no members, no locks.
//!
//! Nothing in them is believed, since nothing in them is looked at. What another program can do is cut the file: who
//! touches what was cut off is killed (`SIGBUS`). That cannot be kept from happening while the file is mapped; the length
//! is taken anew at each attach.
#![allow(unsafe_code, reason = "hands the mapping out as bytes that are kept")]

use std::fs::File;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::sync::Arc;

use super::Memory;
use crate::error::{ErrorKind, Failure};
use crate::inspect::{Trust, cannot_create, open_file};
use crate::sys::fork::{self, Attached};
use crate::sys::mapping::Mapping;
use crate::sys::shm::{self, Identity};

/// A mapped file of no format. Dropping it unmaps.
#[derive(Debug)]
pub struct Raw {
    /// `None` only while dropping.
    mapping: Option<Mapping>,
    identity: Identity,
    generation: u64,
}

impl Raw {
    /// Makes a file of `len` bytes without a name in `directory`. [`publish`](Self::publish) names it.
    pub fn create(directory: &Path, len: usize, mode: u32) -> Result<(Self, File), Failure> {
        let guard = fork::guard();
        let bytes = len as u64;
        if let Some(limit) = shm::file_size_limit()?
            && bytes > limit
        {
            return Err(ErrorKind::FileSizeLimit { needed: bytes, limit }.into());
        }
        let file = shm::create_unnamed(directory).map_err(cannot_create)?;
        shm::allocate(&file, 0, bytes)?;
        file.set_permissions(PermissionsExt::from_mode(mode))?;
        Ok((Self::map(&file, len, &guard)?, file))
    }

    /// Gives the file of [`create`](Self::create) its name. False if something has it.
    pub fn publish(file: &File, path: &Path) -> Result<bool, Failure> {
        match shm::link(file, path) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Opens the file at `path`, which must have `wanted` bytes if that is said, and has memory for all of them made.
    pub fn open(
        path: &Path,
        wanted: Option<usize>,
        trust: &Trust,
        any_writer: bool,
    ) -> Result<Self, Failure> {
        let guard = fork::guard();
        let file = open_file(path, trust)?;
        let metadata = file.metadata()?;
        if metadata.mode() & 0o002 != 0 && !any_writer {
            return Err(ErrorKind::WritableByOthers.into());
        }
        let found = metadata.len();
        if found == 0 {
            return Err(ErrorKind::Empty.into());
        }
        if let Some(wanted) = wanted.map(|wanted| wanted as u64).filter(|wanted| *wanted != found) {
            return Err(ErrorKind::OtherLength { wanted, found }.into());
        }
        let len = usize::try_from(found).map_err(|_| ErrorKind::Os)?;
        // Asking for what is there takes its time. How much memory the file has says too little: some may lie behind its end.
        if shm::has_holes(&file, found) {
            shm::back(&file, found)?;
        }
        Self::map(&file, len, &guard)
    }

    fn map(file: &File, len: usize, guard: &fork::Guard) -> Result<Self, Failure> {
        let mapping = Mapping::aligned(file, len)?;
        let identity = Identity::of(&file.metadata()?);
        // It has no descriptor: the mapping keeps the file.
        let start = mapping.start().as_ptr().addr();
        guard.register(Attached { start, len, descriptor: -1, identity });
        Ok(Self { mapping: Some(mapping), identity, generation: fork::generation() })
    }

    /// Whether `file` is the same.
    pub fn is_of(&self, file: &File) -> bool {
        file.metadata().is_ok_and(|found| Identity::of(&found) == self.identity)
    }

    fn mapping(&self) -> &Mapping {
        self.mapping.as_ref().expect("present until dropped")
    }

    /// Enters all pages into the page table now.
    pub fn prefault(&self) -> Result<(), Failure> {
        Ok(self.mapping().prefault(self.mapping().len())?)
    }

    /// Has it put on huge pages, as far as whole ones fit; else says why not.
    pub fn collapse(&self) -> Result<(), &'static str> {
        self.mapping().collapse()
    }

    /// All of it.
    pub fn memory(self: &Arc<Self>) -> Memory {
        let (start, len) = (self.mapping().start(), self.mapping().len());
        // SAFETY: the mapping stays where it is while it is kept, and was registered when it was made.
        unsafe { Memory::new(start, len, Arc::clone(self) as super::Keeper) }
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        let guard = fork::guard();
        if self.generation != fork::generation() {
            // The mapping never came to this process.
            std::mem::forget(self.mapping.take());
            return;
        }
        guard.unregister(self.mapping().start().as_ptr().addr());
        drop(self.mapping.take());
    }
}
