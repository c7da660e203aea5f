//! Names for the channels of inputs: unique, and free again once done with.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use ringway::{Channel, Options};

/// The namespace of all of them: who cleans up behind a fuzzer that died looks for it and the process id.
pub const NAMESPACE: &str = "fuzz";

/// A channel's name, which is free once this is dropped.
#[derive(Debug)]
pub struct Name {
    name: String,
    path: PathBuf,
}

impl Name {
    /// One that nobody has used.
    pub fn fresh() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let name = format!("{}-{}", std::process::id(), NEXT.fetch_add(1, Relaxed));
        let path = PathBuf::from(format!("/dev/shm/ringway.{NAMESPACE}.{name}"));
        Self { name, path }
    }

    /// As options take it.
    pub fn as_str(&self) -> &str {
        &self.name
    }

    /// The file that has it.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Name {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

/// `options` in the namespace of inputs, with few members and a short recheck: so that an input meets all there is.
pub fn small<C: Channel>(options: Options<C>) -> Options<C> {
    options.namespace(NAMESPACE).recheck(std::time::Duration::from_millis(1))
}
