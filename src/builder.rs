//! What the builders of all kinds of segments share: where a segment is, who may use it, how its handle waits, and making,
//! finding and removing by name.
//!
//! Left to others: what a kind of segment has beyond that, and its handles (`channel`).

use std::path::PathBuf;
use std::time::Duration;

use crate::error::{Error, ErrorKind, Failure, Operation};
use crate::event::{Patience, Wait};
use crate::inspect::{self, Expected, Trust};
use crate::layout::{FLAG_REMOVE_WHEN_UNUSED, Kind, Shape, type_fingerprint};
use crate::member::{self, Attachment, Miss, Plan};
use crate::name::{Address, CONTENTION, Patience as Limit, unlink};
use crate::primitive::processors;

/// Nothing is said of the type.
const NO_TYPE: [u8; 16] = [0; 16];

/// What every builder knows.
#[derive(Clone, Debug)]
pub struct Basics {
    pub kind: Kind,
    pub directory: PathBuf,
    pub namespace: String,
    pub max_members: u32,
    pub mode: u32,
    pub remove_when_unused: bool,
    pub prefault: bool,
    pub trust: Trust,
    /// Of the agreed name; zero for none.
    pub type_id: [u8; 16],
    /// Of what the type tells of itself; zero for nothing.
    pub fingerprint: [u8; 16],
    pub wait: Wait,
    pub recheck: Duration,
    pub watch: bool,
}

/// The setters that every builder has, in an `impl` of one with `basics`; `$what` is what it builds.
macro_rules! basic_setters {
    ($what:literal) => {
        #[doc = concat!("The file mode of a new ", $what, ", by default `0o600`: a subset of `0o660` with `0o600` in it.")]
        pub fn mode(mut self, mode: u32) -> Self {
            self.basics.mode = mode;
            self
        }

        #[doc = concat!("The name of a new ", $what, " goes with its last member. If that one is killed, the next")]
        /// [`create`](Self::create) or [`open`](Self::open) of the name removes it.
        pub fn remove_when_unused(mut self) -> Self {
            self.basics.remove_when_unused = true;
            self
        }

        #[doc = concat!("Enters all pages of a new ", $what, " into this process's page table at once, so that first touches")]
        /// cost no page fault. Memory is allocated at creation in any case.
        pub fn prefault(mut self) -> Self {
            self.basics.prefault = true;
            self
        }

        #[doc = concat!("An agreed name for the element type, such as `\"order.v2\"`. Who opens a ", $what, " must give the same")]
        /// name, or none where its maker gave none. Size and alignment are compared in any case.
        pub fn type_id(mut self, name: &str) -> Self {
            self.basics.type_id = crate::layout::type_fingerprint(name.as_bytes());
            self
        }

        /// Has two threads of this handle look out for deaths. Then blocked calls learn of one as soon as the kernel is done with
        /// the dead process, everywhere, instead of within a recheck.
        ///
        /// The threads sleep while nobody comes, leaves or dies, take no signals, and end with the handle. They have a descriptor
        /// for each other process. Of a process in another PID namespace they learn at the recheck, as others do. Where the system
        #[doc = concat!("has no `pidfd_open` (before Linux 5.3), making or opening the ", $what, " fails with [`ErrorKind::Os`](crate::ErrorKind::Os).")]
        pub fn watch(mut self) -> Self {
            self.basics.watch = true;
            self
        }

        /// How blocked calls of this handle wait.
        pub fn wait(mut self, wait: crate::Wait) -> Self {
            self.basics.wait = wait;
            self
        }

        /// The longest that a blocked call of this handle sleeps before it looks whether others live:
        /// 1 ms to 1 min, by default 100 ms.
        pub fn recheck(mut self, interval: std::time::Duration) -> Self {
            self.basics.recheck = interval;
            self
        }

        /// A family of names that does not meet others: 1 to 32 letters, digits, `_` and `-`.
        pub fn namespace(mut self, namespace: impl Into<String>) -> Self {
            self.basics.namespace = namespace.into();
            self
        }

        /// The directory that names live in, by default `/dev/shm`. It must be on tmpfs.
        pub fn directory(mut self, directory: impl Into<std::path::PathBuf>) -> Self {
            self.basics.directory = directory.into();
            self
        }

        /// Accepts segments of this user beside those of this process's own.
        pub fn trust_owner(mut self, uid: u32) -> Self {
            self.basics.trust.owner = Some(uid);
            self
        }

        /// Accepts a directory on a file system that is not memory. Whether it keeps the locks that tell the
        /// dead from the living is checked in any case; overlayfs does not.
        pub fn any_file_system(mut self) -> Self {
            self.basics.trust.any_file_system = true;
            self
        }
    };
}
pub(crate) use basic_setters;

/// A handle with an attachment.
pub trait Attached {
    /// The attachment that the handle holds.
    fn attachment(&self) -> &Attachment;
}

/// What is chosen where nobody says.
impl Basics {
    /// For segments of `kind`.
    pub fn new(kind: Kind) -> Self {
        Self {
            kind,
            directory: PathBuf::from("/dev/shm"),
            namespace: "default".to_owned(),
            max_members: kind.default_members(),
            mode: 0o600,
            remove_when_unused: false,
            prefault: false,
            trust: Trust::default(),
            type_id: NO_TYPE,
            fingerprint: NO_TYPE,
            wait: Wait::default(),
            recheck: Duration::from_millis(100),
            watch: false,
        }
    }
}

/// The rules.
impl Basics {
    /// What a new segment of `shape` is to be, once members and mode are checked.
    pub fn plan(&self, shape: Shape) -> Plan<'_> {
        let (directory, mode, prefault) = (&*self.directory, self.mode, self.prefault);
        Plan { directory, shape, mode, trust: &self.trust, prefault }
    }

    /// Whether so many members and such a mode are possible.
    pub fn check(&self) -> Result<(), Failure> {
        if !(2..=self.kind.max_members()).contains(&self.max_members) {
            let most = self.kind.max_members();
            let range =
                if most == 512 { "max_members is 2 to 512" } else { "max_members is 2 to 63" };
            return Err(ErrorKind::InvalidOption(range).into());
        }
        if self.mode & !0o660 != 0 || self.mode & 0o600 != 0o600 {
            return Err(ErrorKind::InvalidOption("a mode is 0o600, 0o620, 0o640 or 0o660").into());
        }
        Ok(())
    }

    /// `FLAG_` bits that any kind may have.
    pub fn flags(&self) -> u32 {
        if self.remove_when_unused { FLAG_REMOVE_WHEN_UNUSED } else { 0 }
    }

    /// All that is said of the type.
    pub fn whole_type(&self) -> [u8; 16] {
        match (self.type_id, self.fingerprint) {
            (NO_TYPE, told) => told,
            (named, NO_TYPE) => named,
            both => type_fingerprint([both.0, both.1].as_flattened()),
        }
    }

    /// Whether anything is said of the type.
    pub fn has_type(&self) -> bool {
        self.whole_type() != NO_TYPE
    }

    /// How a handle waits.
    pub fn patience(&self) -> Result<Patience, Failure> {
        if !(Duration::from_millis(1)..=Duration::from_mins(1)).contains(&self.recheck) {
            return Err(ErrorKind::InvalidOption("recheck is 1 ms to 1 min").into());
        }
        let recheck_ns = u64::try_from(self.recheck.as_nanos()).unwrap_or(u64::MAX);
        Ok(Patience { wait: self.wait, recheck_ns, alone: processors() == 1 })
    }

    /// `handle`, with a watcher if one was asked for.
    pub fn watched<H: Attached>(&self, handle: H) -> Result<H, Failure> {
        if self.watch {
            handle.attachment().watch(self.patience()?)?;
        }
        Ok(handle)
    }
}

/// By name. `build` makes a segment that has none yet, and its handle; `join` opens what has the name.
impl Basics {
    /// Does `act` at the place of `name`, and says what failed.
    pub fn run<R>(
        &self,
        operation: Operation,
        name: &str,
        act: impl FnOnce(&Address) -> Result<R, Failure>,
    ) -> Result<R, Error> {
        Address::new(&self.directory, &self.namespace, name)
            .and_then(|address| act(&address))
            .map_err(|failure| Error::new(operation, self.kind.noun(), name, failure))
    }

    /// A new segment that gets the name, or who has it.
    pub fn create<H: Attached>(
        &self,
        address: &Address,
        build: impl FnOnce() -> Result<H, Failure>,
    ) -> Result<H, Failure> {
        let mut spare = Some(build()?);
        persist(|| {
            let unnamed = spare.take().expect("given back when it could not be published");
            match publish(unnamed, address)? {
                Ok(handle) => return Ok(Some(handle)),
                Err(unnamed) => spare = Some(unnamed),
            }
            match self.survey(address)? {
                Some((alive, dead)) => Err(ErrorKind::AlreadyExists { alive, dead }.into()),
                None => Ok(None),
            }
        })
    }

    /// What has the name, or a new segment.
    pub fn open_or_create<H: Attached>(
        address: &Address,
        join: impl Fn(&Address) -> Result<H, Failure>,
        build: impl Fn() -> Result<H, Failure>,
    ) -> Result<H, Failure> {
        let mut spare = None;
        persist(|| match join(address) {
            Err(Failure { kind: ErrorKind::NotFound, .. }) => {
                let unnamed = spare.take().map_or_else(&build, Ok)?;
                Ok(publish(unnamed, address)?.map_err(|unnamed| spare = Some(unnamed)).ok())
            }
            joined => joined.map(Some),
        })
    }

    /// A new segment that gets the name, whoever has it.
    pub fn replace<H: Attached>(
        &self,
        address: &Address,
        build: impl FnOnce() -> Result<H, Failure>,
    ) -> Result<H, Failure> {
        let mut spare = Some(build()?);
        persist(|| {
            match self.remove(address) {
                Ok(()) | Err(Failure { kind: ErrorKind::NotFound, .. }) => {}
                Err(failure) => return Err(failure),
            }
            let unnamed = spare.take().expect("given back when it could not be published");
            Ok(publish(unnamed, address)?.map_err(|unnamed| spare = Some(unnamed)).ok())
        })
    }

    /// An attachment to what has the name, if it is what is expected.
    pub fn attach(&self, address: &Address, expected: &Expected) -> Result<Attachment, Failure> {
        persist(|| match Attachment::open(address, expected, &self.trust) {
            Ok(attachment) => Ok(Some(attachment)),
            Err(Miss::Moved) => Ok(None),
            Err(Miss::Failed(failure)) => Err(failure),
        })
    }

    /// Takes the name away.
    pub fn remove(&self, address: &Address) -> Result<(), Failure> {
        let removed = inspect::open_file(address.path(), &self.trust)
            .and_then(|file| unlink(&file, address.path()));
        if self.kind.is_queue() {
            member::remove_orphans(address, &self.trust);
        }
        removed
    }

    /// Removes the names that begin with `prefix` of segments which were to go with their users, who are all dead.
    #[cfg(feature = "manager")]
    pub fn sweep(&self, prefix: &str) {
        let Ok(entries) = std::fs::read_dir(&self.directory) else { return };
        let family = format!("ringway.{}.", self.namespace);
        for entry in entries.flatten() {
            let file = entry.file_name();
            let name = file.to_str().and_then(|file| file.strip_prefix(&family));
            let Some(name) = name.filter(|name| name.starts_with(prefix)) else { continue };
            if let Ok(address) = Address::new(&self.directory, &self.namespace, name) {
                // What cannot be looked at stays: it is not this one's, or somebody else is at it.
                let _ = self.survey(&address);
            }
        }
    }

    /// How many members the segment at `address` has that live and that died; `None` if it has just gone.
    fn survey(&self, address: &Address) -> Result<Option<(u32, u32)>, Failure> {
        match member::survey(address, &self.trust) {
            Err(Failure { kind: ErrorKind::NotFound, .. }) => Ok(None),
            survey => survey,
        }
    }
}

/// Gives what `handle` is attached to its name, or gives the handle back if the name is taken.
fn publish<H: Attached>(handle: H, address: &Address) -> Result<Result<H, H>, Failure> {
    match handle.attachment().publish(address) {
        Ok(()) => Ok(Ok(handle)),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(Err(handle)),
        Err(error) => Err(error.into()),
    }
}

/// Repeats `act` while it answers `None`, because somebody else changed the name meanwhile.
fn persist<R>(mut act: impl FnMut() -> Result<Option<R>, Failure>) -> Result<R, Failure> {
    let patience = Limit::new(CONTENTION);
    loop {
        if let Some(done) = act()? {
            return Ok(done);
        }
        if !patience.lasts() {
            return Err(ErrorKind::Contended.into());
        }
    }
}
