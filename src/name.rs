//! Names: where they live, what they may be, and how they are taken away.
//!
//! A name is removed only by identity. Whoever removes one holds the *removal byte* of the file that it names, from
//! comparing the two to removing; a successor can come only after that, so it is never taken away by mistake.
//! Whoever is killed in between has removed nothing, and the kernel frees the byte.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::error::{ErrorKind, Failure};
use crate::layout::REMOVAL_BYTE;
use crate::sys::shm::{self, Identity};
use crate::sys::{fork, lock};

/// Where a name lives: directory, namespace, name.
#[derive(Clone, Debug)]
pub struct Address {
    path: PathBuf,
}

impl Address {
    /// The file for `name` in `namespace`, after checking both.
    pub fn new(directory: &Path, namespace: &str, name: &str) -> Result<Self, Failure> {
        check_name(namespace, name).map_err(ErrorKind::InvalidName)?;
        let file_name = format!("ringway.{namespace}.{name}");
        Ok(Self { path: std::path::absolute(directory.join(file_name))? })
    }

    /// The file that `shm_open` makes and opens as `name`, which may begin with a slash.
    pub fn raw(directory: &Path, name: &str) -> Result<Self, Failure> {
        let plain = name.strip_prefix('/').unwrap_or(name);
        check_raw(plain).map_err(ErrorKind::InvalidName)?;
        Ok(Self { path: std::path::absolute(directory.join(plain))? })
    }

    /// The name, without its namespace.
    pub fn name(&self) -> &str {
        let file_name = self.path.file_name().and_then(std::ffi::OsStr::to_str).unwrap_or("");
        file_name.splitn(3, '.').nth(2).unwrap_or("")
    }

    /// The path of the file.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

const LONGEST_NAME: usize = 200;
const LONGEST_NAMESPACE: usize = 32;
const LONGEST_FILE_NAME: usize = 255;

fn check_raw(name: &str) -> Result<(), &'static str> {
    match name {
        "" => Err("it is empty"),
        "." | ".." => Err("it is a directory's"),
        _ if name.len() > LONGEST_FILE_NAME => Err("it has more than 255 bytes"),
        _ if name.contains(['/', '\0']) => Err("it has a slash or a zero in it"),
        _ => Ok(()),
    }
}

fn check_name(namespace: &str, name: &str) -> Result<(), &'static str> {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if namespace.is_empty() || namespace.len() > LONGEST_NAMESPACE {
        return Err("a namespace has 1 to 32 bytes");
    }
    if !namespace.chars().all(plain) {
        return Err("a namespace has letters, digits, '_' and '-' only");
    }
    if name.is_empty() {
        return Err("it is empty");
    }
    if namespace.len() + name.len() > LONGEST_NAME {
        return Err("name and namespace together have more than 200 bytes");
    }
    if name.starts_with('.') {
        return Err("it begins with '.'");
    }
    if !name.chars().all(|c| plain(c) || c == '.') {
        return Err("a name has letters, digits, '_', '-' and '.' only");
    }
    Ok(())
}

/// How long to try while others change the same name.
pub const CONTENTION: Duration = Duration::from_secs(2);

/// Takes the name `path` away if it names the file that `file` has open.
///
/// Whoever removes a name of a file holds the file's removal byte from the comparison to the removal, so a
/// name that meanwhile went to another file is never taken away. `Contended` if somebody holds it too long.
pub fn unlink(file: &File, path: &Path) -> Result<(), Failure> {
    let patience = Patience::new(CONTENTION);
    while !try_unlink(file, path)? {
        if !patience.lasts() {
            return Err(ErrorKind::Contended.into());
        }
    }
    Ok(())
}

/// One try of [`unlink`]; false if somebody else is at it. Forks are kept out of the one try only.
pub fn try_unlink(file: &File, path: &Path) -> Result<bool, Failure> {
    let _guard = fork::guard();
    let holder = shm::reopen(file)?;
    let identity = Identity::of(&holder.metadata()?);
    if !lock::try_exclusive(&holder, REMOVAL_BYTE)? {
        return Ok(false);
    }
    if identity.is_at(path) {
        std::fs::remove_file(path)?;
    }
    Ok(true)
}

/// A bounded wait for others, giving the processor away between looks.
#[derive(Clone, Copy, Debug)]
pub struct Patience(Instant);

impl Patience {
    /// Patience that lasts `duration`.
    pub fn new(duration: Duration) -> Self {
        Self(Instant::now() + duration)
    }

    /// Lets others run; false once it has run out.
    pub fn lasts(self) -> bool {
        std::thread::yield_now();
        Instant::now() < self.0
    }
}
