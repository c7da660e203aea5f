//! What contestants leave behind in the file system under names of this process's own: removed when the
//! queue's maker lets go of it, and when the process ends by itself in whatever way, after a failed sample
//! too.
//!
//! A process that was killed removes nothing: its parent knows the names, which begin with `rivals-PID`.
#![allow(unsafe_code, reason = "atexit")]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, Once, PoisonError};

/// A path, or, if it ends with `_`, all that begin with it. (`rivals-12` begins a name of process 123, too.)
#[derive(Debug)]
pub struct Litter(PathBuf);

static ALL: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

impl Litter {
    /// There will be something of that name.
    pub fn expected(start: impl Into<PathBuf>) -> Self {
        static AT_EXIT: Once = Once::new();
        // SAFETY: the function unwinds into nobody: it panics nowhere.
        AT_EXIT.call_once(|| _ = unsafe { libc::atexit(remove_all) });
        let start = start.into();
        ALL.lock().unwrap_or_else(PoisonError::into_inner).push(start.clone());
        Self(start)
    }
}

impl Drop for Litter {
    fn drop(&mut self) {
        remove(&self.0);
    }
}

extern "C" fn remove_all() {
    ALL.lock().unwrap_or_else(PoisonError::into_inner).iter().for_each(|start| remove(start));
}

fn remove(start: &Path) {
    let (Some(directory), Some(name)) = (start.parent(), start.file_name()) else { return };
    let Ok(entries) = fs::read_dir(directory) else { return };
    let name = name.as_encoded_bytes();
    let is_beginning = name.ends_with(b"_");
    for entry in entries.flatten() {
        let found = entry.file_name();
        let found = found.as_encoded_bytes();
        if found == name || is_beginning && found.starts_with(name) {
            // One of them fits; what is gone already is no harm.
            let _ = (fs::remove_file(entry.path()), fs::remove_dir_all(entry.path()));
        }
    }
}
