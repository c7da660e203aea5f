//! The server: whoever owns the objects of a name.
//!
//! One server has a name at a time: it holds the one permit `NAME.server` while it lives. Clients say through its door, the
//! queue `NAME`, which pipe they have made, and all that follows goes through that. Loops of threads look after the pipes
//! ([`round`]); what they receive is done by the one [`hub`], under a lock; answers go out by the [`exchange`].

mod counters;
mod door;
mod exchange;
mod guest;
mod hub;
mod leases;
mod line;
mod names;
mod objects;
mod round;
mod sitting;
mod turns;

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use super::client::{Client, Connect};
use super::error::CallError;
use super::object::Object;
use super::place::{Place, place_setters};
use crate::channel::queue::{Queue, Receiver};
use crate::error::{Error, Fault};
use crate::sync::Permit;
use crate::sys::fork;

pub(super) use exchange::Exchange;
use guest::Guest;
use hub::Hub;
pub use leases::Lease;
use round::{Bell, Round};

/// Owns objects, and answers those who call them.
///
/// It serves once [`serve`](Self::serve) or [`spawn`](Self::spawn) is called.
pub struct Server {
    shared: Arc<Shared>,
    door: Queue<[u8]>,
    /// Clients see by it that somebody is there.
    knocks: Receiver<[u8]>,
    office: Office,
}

/// The right to serve. Whoever had it and serves no more, or never did, has shut down.
struct Office {
    shared: Arc<Shared>,
    _permit: Permit,
}

/// How to be a server.
#[derive(Clone, Debug)]
#[must_use = "options do nothing until bind"]
pub struct Bind {
    place: Place,
    limits: Limits,
}

/// What a server takes at most.
#[derive(Clone, Copy, Debug)]
struct Limits {
    request: usize,
    objects: usize,
    connections: usize,
}

/// What all threads of a server share.
struct Shared {
    place: Place,
    limits: Limits,
    hub: Mutex<Hub>,
    stopping: AtomicBool,
    loops: Mutex<Vec<Loop>>,
}

/// A loop as others see it.
struct Loop {
    bell: Arc<Bell>,
    /// Those that it is to look after from now on.
    inbox: Vec<Guest>,
    /// How many it looks after, those in the inbox too.
    guests: usize,
}

/// Why there is no server.
#[derive(Debug)]
#[non_exhaustive]
pub enum BindError {
    /// Another one has the name, and lives.
    AlreadyServed,
    /// What it needs in shared memory cannot be made.
    Setup(Error),
    /// The permit to serve cannot be had.
    Permit(Fault),
    /// The system gives no thread.
    Thread(std::io::Error),
}

impl Bind {
    place_setters!();

    /// The longest request, in bytes, by default 64 MiB, at most 4 GiB: a longer one is [`Refusal::TooLong`](super::Refusal::TooLong). So
    /// much memory may each connection take.
    pub fn max_request(mut self, bytes: usize) -> Self {
        self.limits.request = bytes.min(u32::MAX as usize);
        self
    }

    /// The most objects, by default a million.
    pub fn max_objects(mut self, objects: usize) -> Self {
        self.limits.objects = objects;
        self
    }

    /// The most connections, by default a thousand. A client has one, and one for each call that it makes at a time.
    pub fn max_connections(mut self, connections: usize) -> Self {
        self.limits.connections = connections;
        self
    }

    /// Becomes the server of that name.
    ///
    /// # Errors
    ///
    /// Why not.
    pub fn bind(mut self, name: &str) -> Result<Server, BindError> {
        name.clone_into(&mut self.place.name);
        let place = &self.place;
        place.check()?;
        let permits = place.permit().open_or_create(&place.named("server"))?;
        let permit = permits.try_acquire().map_err(BindError::Permit)?;
        let permit = permit.ok_or(BindError::AlreadyServed)?;
        place.pipe(0).sweep(&place.pipes());
        let hub = Hub::new(place, self.limits)?;
        let door = place.door().replace(name)?;
        let knocks = door.receiver();
        let shared = Shared {
            place: self.place,
            limits: self.limits,
            hub: Mutex::new(hub),
            stopping: AtomicBool::new(false),
            loops: Mutex::default(),
        };
        let shared = Arc::new(shared);
        let office = Office { shared: Arc::clone(&shared), _permit: permit };
        let mut server = Server { shared, door, knocks, office };
        super::objects::register(&mut server);
        Ok(server)
    }
}

impl Server {
    /// Becomes the server of that name.
    ///
    /// # Errors
    ///
    /// [`BindError::AlreadyServed`] if a living one has it; what cannot be made.
    pub fn bind(name: &str) -> Result<Self, BindError> {
        Self::options().bind(name)
    }

    /// How to be a server.
    pub fn options() -> Bind {
        let limits = Limits { request: 64 << 20, objects: 1 << 20, connections: 1000 };
        Bind { place: Place::new(""), limits }
    }

    /// Lets clients make objects of that type.
    ///
    /// # Panics
    ///
    /// Where a type of that name was registered before; `list` and the like have been.
    pub fn register<T: Object>(&mut self) {
        self.shared.hub().register::<T>();
    }

    /// What shuts it down, from any thread.
    pub fn shutdown_handle(&self) -> Shutdown {
        Shutdown { shared: Arc::clone(&self.shared), generation: fork::generation() }
    }

    /// Serves, in this thread and in more where there are many clients, until it is shut down.
    ///
    /// # Errors
    ///
    /// [`BindError`] where it cannot begin.
    pub fn serve(self) -> Result<(), BindError> {
        let Self { shared, door, knocks, office: _office } = self;
        let mut round = Round::first(&shared, door, knocks)?;
        round.run();
        let others = round.leave();
        for thread in others {
            // A loop that panicked has left its connections, and nothing else.
            let _ = thread.join();
        }
        Ok(())
    }

    /// Serves in a thread of its own.
    ///
    /// One that cannot begin, for want of a thread or a descriptor, does not serve: clients find [`NoServer`](CallError::NoServer), and
    /// [`Running::shutdown`] says why.
    pub fn spawn(self) -> Running {
        let shutdown = self.shutdown_handle();
        let thread = std::thread::Builder::new().name("ringway-manager".to_owned());
        let thread = thread.spawn(|| self.serve()).map_err(BindError::Thread);
        Running { shutdown, thread: Some(thread) }
    }
}

/// A server that serves in a thread of its own. Dropping it shuts it down.
#[derive(Debug)]
pub struct Running {
    shutdown: Shutdown,
    thread: Option<Result<JoinHandle<Result<(), BindError>>, BindError>>,
}

impl Running {
    /// What shuts it down, from any thread.
    pub fn shutdown_handle(&self) -> Shutdown {
        self.shutdown.clone()
    }

    /// A client of it, for this process.
    ///
    /// # Errors
    ///
    /// As [`Connect::connect`].
    pub fn client(&self) -> Result<Client, CallError> {
        Connect::at(self.shutdown.shared.place.clone()).connect_there()
    }

    /// Shuts it down and waits until that is done. Calls that wait are refused; clients are told
    /// [`ShutDown`](CallError::ShutDown) from then on.
    ///
    /// # Errors
    ///
    /// Why it did not serve.
    pub fn shutdown(mut self) -> Result<(), BindError> {
        self.end().unwrap_or(Ok(()))
    }

    fn end(&mut self) -> Option<Result<(), BindError>> {
        self.shutdown.shutdown();
        let thread = match self.thread.take()? {
            Ok(thread) => thread,
            Err(why) => return Some(Err(why)),
        };
        if self.shutdown.is_inherited() {
            // There is no such thread in a forked child.
            std::mem::forget(thread);
            return None;
        }
        thread.join().ok()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.end();
    }
}

/// Shuts a server down.
#[derive(Clone)]
pub struct Shutdown {
    shared: Arc<Shared>,
    generation: u64,
}

impl Shutdown {
    /// Has the server shut down, as soon as it is done with what it is doing. Nothing in a forked child, where no server is.
    pub fn shutdown(&self) {
        if self.is_inherited() {
            return;
        }
        self.shared.stopping.store(true, Relaxed);
        for each in self.shared.loops().iter() {
            each.bell.ring();
        }
    }

    fn is_inherited(&self) -> bool {
        self.generation != fork::generation()
    }
}

impl Drop for Office {
    fn drop(&mut self) {
        self.shared.hub().close();
    }
}

impl Shared {
    fn hub(&self) -> MutexGuard<'_, Hub> {
        self.hub.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn loops(&self) -> MutexGuard<'_, Vec<Loop>> {
        self.loops.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_stopping(&self) -> bool {
        self.stopping.load(Relaxed)
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Server({:?})", self.shared.place.name)
    }
}

impl fmt::Debug for Shutdown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Shutdown({:?})", self.shared.place.name)
    }
}

impl fmt::Display for BindError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AlreadyServed => write!(f, "another server has the name"),
            Self::Setup(error) => error.fmt(f),
            Self::Permit(fault) => write!(f, "the permit to serve cannot be had: {fault}"),
            Self::Thread(error) => write!(f, "the system gives no thread: {error}"),
        }
    }
}

impl std::error::Error for BindError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::AlreadyServed => None,
            Self::Setup(error) => Some(error),
            Self::Permit(fault) => Some(fault),
            Self::Thread(error) => Some(error),
        }
    }
}

impl From<Error> for BindError {
    fn from(error: Error) -> Self {
        Self::Setup(error)
    }
}
