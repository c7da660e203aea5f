//! Where a channel of the sweep is: its name, and its file as the format's description has it.

use std::cell::Cell;
use std::fs::File;
use std::io::{PipeReader, PipeWriter, Read, Write, pipe};
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use nix::unistd::Pid;
use ringway::{Channel, Error, Member, Options, Recovered};

/// The family of names that the sweep uses.
const NAMESPACE: &str = "kill-sweep";

/// How long anything may take that is to happen.
pub const LONG: Duration = Duration::from_secs(10);

/// A name for one channel, never used before by anybody, and a way for its victim to say what it did.
#[derive(Clone, Debug)]
pub struct Place(Rc<Named>);

#[derive(Debug)]
struct Named {
    name: String,
    said: (PipeReader, PipeWriter),
}

impl Place {
    /// The family of names, for builders of their own.
    pub const NAMESPACE: &str = NAMESPACE;

    pub fn new() -> Result<Self> {
        thread_local!(static USED: Cell<u64> = const { Cell::new(0) });
        let number = USED.replace(USED.get() + 1);
        let name = format!("{}-{number:06}", std::process::id());
        Ok(Self(Rc::new(Named { name, said: pipe()? })))
    }

    /// In a victim that has done its operation: which messages it has sent or received.
    pub fn say(&self, numbers: &[u64]) {
        let words = std::iter::once(numbers.len() as u64).chain(numbers.iter().copied());
        let bytes: Vec<u8> = words.flat_map(u64::to_le_bytes).collect();
        (&self.0.said.1).write_all(&bytes).expect("a pipe has room for a few words");
    }

    /// What a victim that has ended has said.
    pub fn hear(&self) -> Result<Vec<u64>> {
        let word = || {
            let mut bytes = [0; 8];
            (&self.0.said.0).read_exact(&mut bytes).map(|()| u64::from_le_bytes(bytes))
        };
        (0..word()?).map(|_| Ok(word()?)).collect()
    }

    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// The sweep's own family of names.
    pub const FAMILY: &str = NAMESPACE;

    /// `options` in the sweep's own family of names.
    pub fn options<C: Channel>(options: Options<C>) -> Options<C> {
        options.namespace(NAMESPACE)
    }

    pub fn exists(&self) -> bool {
        self.0.path().symlink_metadata().is_ok()
    }

    /// The channel's file.
    pub fn view(&self) -> Result<View> {
        Ok(View(File::open(self.0.path()).with_context(|| format!("open {}", self.name()))?))
    }
}

impl Named {
    fn path(&self) -> PathBuf {
        PathBuf::from(format!("/dev/shm/ringway.{NAMESPACE}.{}", self.name))
    }
}

/// What a scene leaves that was given up half-way. One that ended well has made sure that there is nothing.
impl Drop for Named {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(self.path());
    }
}

/// Removes what sweeps have left behind that were killed themselves.
pub fn tidy() -> Result<()> {
    let prefix = format!("ringway.{NAMESPACE}.");
    for entry in std::fs::read_dir("/dev/shm")? {
        let path = entry?.path();
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
        let name = name.unwrap_or_default();
        let Some((pid, _)) = name.strip_prefix(&prefix).and_then(|rest| rest.split_once('-'))
        else {
            continue;
        };
        if !PathBuf::from(format!("/proc/{pid}")).exists() {
            let _ = std::fs::remove_file(path);
        }
    }
    Ok(())
}

/// Names that the process `pid` has left behind.
pub fn leftovers(pid: u32) -> Result<Vec<PathBuf>> {
    names(&format!("{pid}-"))
}

/// Names of the sweep that begin so.
pub fn names(prefix: &str) -> Result<Vec<PathBuf>> {
    let prefix = format!("ringway.{NAMESPACE}.{prefix}");
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/dev/shm")? {
        let path = entry?.path();
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
        if name.is_some_and(|name| name.starts_with(&prefix)) {
            found.push(path);
        }
    }
    Ok(found)
}

/// A channel's file, read as its format is described.
#[derive(Debug)]
pub struct View(File);

/// Offsets of one ring's words from its header.
const HEAD: u64 = 128;
const SEAL: u64 = 256;
const NOT_EMPTY: u64 = 384;
const NOT_FULL: u64 = 512;
const RING_HEADER: u64 = 640;
const RINGS: u64 = 156;

impl View {
    /// All bytes.
    pub fn bytes(&self) -> Result<Vec<u8>> {
        let mut bytes = vec![0; usize::try_from(self.0.metadata()?.len())?];
        self.0.read_exact_at(&mut bytes, 0)?;
        Ok(bytes)
    }

    pub fn u64(&self, offset: u64) -> Result<u64> {
        let mut bytes = [0; 8];
        self.0.read_exact_at(&mut bytes, offset)?;
        Ok(u64::from_le_bytes(bytes))
    }

    fn u32(&self, offset: u64) -> Result<u32> {
        let mut bytes = [0; 4];
        self.0.read_exact_at(&mut bytes, offset)?;
        Ok(u32::from_le_bytes(bytes))
    }

    fn ring(&self, number: u64) -> Result<u64> {
        Ok(self.u64(120)? + number * RING_HEADER)
    }

    /// The word of the tail.
    pub fn tail(&self, ring: u64) -> Result<u64> {
        self.u64(self.ring(ring)?)
    }

    /// The word of the head.
    pub fn head(&self, ring: u64) -> Result<u64> {
        self.u64(self.ring(ring)? + HEAD)
    }

    /// Of a queue the flag of those who begin to close, else the seal.
    pub fn closed(&self, ring: u64) -> Result<u64> {
        self.u64(self.ring(ring)? + SEAL)
    }

    /// The words of the slots of a queue, or of its dead letters, of which there are as many.
    pub fn slots(&self, ring: u64) -> Result<Vec<u64>> {
        let (capacity, stride) = (self.u64(88)?, self.u64(96)?);
        let slots = self.u64(128)? + ring * (capacity * stride).next_multiple_of(128);
        (0..capacity).map(|index| self.u64(slots + index * stride)).collect()
    }

    /// The first words of all waiters.
    pub fn waiters(&self) -> Result<Vec<u64>> {
        let rings = u64::from(self.u32(RINGS)?);
        let mut words = Vec::new();
        for ring in 0..rings {
            for event in [NOT_EMPTY, NOT_FULL] {
                words.push(self.u64(self.ring(ring)? + event + 8)?);
            }
        }
        Ok(words)
    }
}

/// The one-letter state of a process: `S` sleeps.
pub fn state_of(pid: Pid) -> Option<char> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(')')?.1.trim_start().chars().next()
}

/// Waits until `holds`, giving the processor away between looks.
pub fn eventually(what: &str, mut holds: impl FnMut() -> Result<bool>) -> Result<()> {
    let deadline = Instant::now() + LONG;
    while !holds()? {
        ensure!(Instant::now() < deadline, "in vain for {LONG:?}: {what}");
        std::thread::yield_now();
    }
    Ok(())
}

/// Cleans up until only `living` are left, and says what that came to.
pub fn bury(
    living: usize,
    members: impl Fn() -> Result<Vec<Member>, Error>,
    recover: impl Fn() -> Result<Recovered, Error>,
) -> Result<Recovered> {
    let mut all = Recovered::default();
    eventually("the dead are cleaned up after", || {
        let now = recover()?;
        all.members += now.members;
        all.aborted += now.aborted;
        all.redelivered += now.redelivered;
        all.dropped += now.dropped;
        Ok(members()?.len() == living)
    })?;
    for member in members()? {
        ensure!(member.is_alive() && !member.is_busy(), "who survives is idle: {member:?}");
    }
    Ok(all)
}
