//! What tests share: names that clean up, deadlines, children, the system's calls, the file's words.

pub mod child;
pub mod os;
pub mod reader;
pub mod view;

use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// Longer than anything that is not broken takes, on a machine that is busy with other tests.
pub const LONG: Duration = Duration::from_secs(45);
/// Far below a recheck of [`NO_RECHECK`], so that what happens within it was not healed by a recheck.
pub const PROMPT: Duration = Duration::from_secs(10);
/// The longest recheck: a test that ends before it saw a wake-up.
pub const NO_RECHECK: Duration = Duration::from_mins(1);

/// A string that no other test of any process uses.
pub fn unique(label: &str) -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    format!("it-{label}-{}-{}", std::process::id(), NEXT.fetch_add(1, Relaxed))
}

/// A channel name of the default namespace in `/dev/shm`, which is free again once this is dropped.
#[derive(Debug)]
pub struct Name {
    name: String,
    path: PathBuf,
}

impl Name {
    pub fn new(label: &str) -> Self {
        Self::within(Path::new("/dev/shm"), label)
    }

    pub fn within(directory: &Path, label: &str) -> Self {
        let name = unique(label);
        let path = directory.join(format!("ringway.default.{name}"));
        Self { name, path }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn exists(&self) -> bool {
        self.path.symlink_metadata().is_ok()
    }
}

impl Deref for Name {
    type Target = str;
    fn deref(&self) -> &str {
        &self.name
    }
}

impl Drop for Name {
    fn drop(&mut self) {
        if std::fs::remove_file(&self.path).is_err() {
            let _ = std::fs::remove_dir(&self.path);
        }
    }
}

/// A directory of its own, removed with all that is in it.
#[derive(Debug)]
pub struct Directory(PathBuf);

impl Directory {
    /// One on tmpfs.
    pub fn in_memory(label: &str) -> Self {
        Self::within(Path::new("/dev/shm"), label)
    }

    pub fn within(parent: &Path, label: &str) -> Self {
        let path = parent.join(unique(label));
        std::fs::create_dir(&path).expect("a fresh directory");
        Self(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Names in it, sorted.
    pub fn listing(&self) -> Vec<String> {
        listing(&self.0)
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Names in `directory`, sorted.
pub fn listing(directory: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(directory).expect("a readable directory");
    let name = |entry: std::io::Result<std::fs::DirEntry>| {
        entry.expect("a readable entry").file_name().to_string_lossy().into_owned()
    };
    let mut names: Vec<String> = entries.map(name).collect();
    names.sort();
    names
}

/// Whether `condition` came to hold within `limit`. Yields between looks.
pub fn eventually(limit: Duration, mut condition: impl FnMut() -> bool) -> bool {
    let end = Instant::now() + limit;
    loop {
        if condition() {
            return true;
        }
        if Instant::now() >= end {
            return false;
        }
        std::thread::yield_now();
    }
}

/// The result of `work`, which must take less than `limit`.
#[track_caller]
pub fn within<R>(limit: Duration, work: impl FnOnce() -> R) -> R {
    let start = Instant::now();
    let result = work();
    let took = start.elapsed();
    assert!(took < limit, "it took {took:?}, at most {limit:?} was to be");
    result
}

/// Says why a test did not run.
pub fn not_run(why: &str) {
    println!("not run: {why}");
}

/// Numbers that look random and are the same each time.
#[derive(Clone, Debug)]
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % limit as u64).expect("below a usize")
    }
}
