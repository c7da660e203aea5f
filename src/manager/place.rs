//! Where a server is, and how whoever is there waits: what both sides must agree on, and what each chooses for itself.

use std::hash::{BuildHasher, RandomState};
use std::path::PathBuf;
use std::time::Duration;

use crate::channel::options::Options;
use crate::channel::pipe::Connection;
use crate::channel::queue::Queue;
use crate::error::{Error, ErrorKind};
use crate::event::Wait;
use crate::sync::Permits;

/// A number that is not zero and that nobody else draws.
pub(super) fn random() -> u64 {
    let drawn = || RandomState::new().hash_one(std::process::id());
    std::iter::repeat_with(drawn).find(|number| *number != 0).expect("it has no end")
}

/// As builders of channels know it.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub name: String,
    pub mode: u32,
    pub namespace: Option<String>,
    pub directory: Option<PathBuf>,
    pub trusted: Option<u32>,
    pub wait: Wait,
    pub recheck: Duration,
}

/// The setters that a server's and a client's options share.
macro_rules! place_setters {
    () => {
        /// The file mode of what is made in shared memory, by default `0o600`: a subset of `0o660` with `0o600` in it. Both
        /// sides must be able to use what the other makes.
        pub fn mode(mut self, mode: u32) -> Self {
            self.place.mode = mode;
            self
        }

        /// A family of names that does not meet others.
        pub fn namespace(mut self, namespace: impl Into<String>) -> Self {
            self.place.namespace = Some(namespace.into());
            self
        }

        /// The directory that names live in, by default `/dev/shm`.
        pub fn directory(mut self, directory: impl Into<std::path::PathBuf>) -> Self {
            self.place.directory = Some(directory.into());
            self
        }

        /// Accepts what this user made beside what this process's own user did.
        pub fn trust_owner(mut self, uid: u32) -> Self {
            self.place.trusted = Some(uid);
            self
        }

        /// How this side waits for the other.
        pub fn wait(mut self, wait: crate::Wait) -> Self {
            self.place.wait = wait;
            self
        }

        /// The longest that this side sleeps before it looks whether the other lives: 1 ms to 1 min, by default 100 ms.
        pub fn recheck(mut self, interval: std::time::Duration) -> Self {
            self.place.recheck = interval;
            self
        }
    };
}
pub(super) use place_setters;

/// What is said to each builder.
macro_rules! at {
    ($place:expr, $options:expr) => {
        at!(lasting $place, $options.remove_when_unused())
    };
    (lasting $place:expr, $options:expr) => {{
        let place = $place;
        let mut options = $options.mode(place.mode).wait(place.wait).recheck(place.recheck);
        if let Some(namespace) = &place.namespace {
            options = options.namespace(namespace.clone());
        }
        if let Some(directory) = &place.directory {
            options = options.directory(directory.clone());
        }
        if let Some(uid) = place.trusted {
            options = options.trust_owner(uid);
        }
        options
    }};
}
pub(super) use at;

impl Place {
    pub(super) fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            mode: 0o600,
            namespace: None,
            directory: None,
            trusted: None,
            wait: Wait::default(),
            recheck: Duration::from_millis(100),
        }
    }

    /// The door: where clients say that they are there.
    pub(super) fn door(&self) -> Options<Queue<[u8]>> {
        at!(self, Queue::<[u8]>::options()).capacity(256).max_members(512)
    }

    /// The permit of the one server.
    pub(super) fn permit(&self) -> crate::sync::Options<Permits> {
        at!(self, Permits::options()).count(1)
    }

    /// A pipe between a client and the server.
    pub(super) fn pipe(&self, capacity: usize) -> Options<Connection> {
        at!(self, Connection::options()).whole_records().capacity(capacity).max_members(4)
    }

    /// A new name for a pipe.
    pub(super) fn new_pipe(&self) -> String {
        format!("{}{:016x}", self.pipes(), random())
    }

    /// A name of one of the server's things.
    pub(super) fn named(&self, what: &str) -> String {
        format!("{}.{what}", self.name)
    }

    /// Whether the names of all of its things can be: those of pipes are the longest.
    pub(super) fn check(&self) -> Result<(), Error> {
        match self.pipe(0).open(&self.new_pipe()) {
            Err(error) if matches!(error.kind(), ErrorKind::InvalidName(_)) => Err(error),
            _ => Ok(()),
        }
    }

    /// What the names of its pipes begin with.
    pub(super) fn pipes(&self) -> String {
        self.named("c")
    }
}
