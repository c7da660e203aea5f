//! Clients: sessions at a server.

mod door;
mod link;
mod session;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::Serialize;

use super::error::CallError;
use super::item::ObjectNumber;
use super::object::Object;
use super::place::{Place, place_setters};
use super::proxy::{Encoder, Proxy};
use super::wire::Request;
use crate::sys::fork;

use door::Door;
pub(super) use session::Session;

/// One client of a server: a session, with all that its proxies hold. Clones are the same client, for other threads.
///
/// Each call has a connection of its own while it lasts, so a call that waits holds up nobody else. If the server dies, calls
/// say so, and the next call of the client itself connects to whoever has the name then; proxies of before are
/// [`Stale`](CallError::Stale).
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
}

struct Inner {
    door: Arc<Door>,
    current: Mutex<Arc<Session>>,
    generation: u64,
}

/// How to connect.
#[derive(Clone, Debug)]
#[must_use = "options do nothing until connect"]
pub struct Connect {
    place: Place,
    capacity: usize,
    patience: Duration,
}

impl Connect {
    place_setters!();

    pub(super) fn at(place: Place) -> Self {
        Self { place, capacity: 256 << 10, patience: Duration::from_secs(5) }
    }

    /// Bytes of room, in each direction, of the pipe that a call goes through; by default 256 KiB. Calls and answers of up to half
    /// of that go in one piece. At most 8 MiB.
    pub fn capacity(mut self, bytes: usize) -> Self {
        self.capacity = bytes;
        self
    }

    /// How long to wait for a server that is there to answer a connection; by default 5 s.
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Connects to the server of that name.
    ///
    /// # Errors
    ///
    /// [`CallError::NoServer`]; [`CallError::Version`]; why no connection can be made.
    pub fn connect(mut self, name: &str) -> Result<Client, CallError> {
        name.clone_into(&mut self.place.name);
        self.connect_there()
    }

    pub(super) fn connect_there(self) -> Result<Client, CallError> {
        let Self { place, capacity, patience } = self;
        let door = Arc::new(Door { place, capacity, patience });
        let current = Mutex::new(Session::begin(&door)?);
        let inner = Inner { door, current, generation: fork::generation() };
        Ok(Client { inner: Arc::new(inner) })
    }
}

impl Client {
    /// Connects to the server of that name.
    ///
    /// # Errors
    ///
    /// As [`Connect::connect`].
    pub fn connect(name: &str) -> Result<Self, CallError> {
        Self::options().connect(name)
    }

    /// How to connect.
    pub fn options() -> Connect {
        Connect::at(Place::new(""))
    }

    /// The session, or a new one if the server of the last is gone.
    fn session(&self) -> Result<Arc<Session>, CallError> {
        if self.inner.generation != fork::generation() {
            return Err(CallError::Forked);
        }
        let mut current = self.inner.current.lock().unwrap_or_else(PoisonError::into_inner);
        if current.is_gone() {
            *current = Session::begin(&self.inner.door)?;
        }
        Ok(Arc::clone(&current))
    }

    /// The object of that name, made with `argument` if there is none, or a new one without a name. The server must know `T`; only
    /// its name is needed here.
    ///
    /// # Errors
    ///
    /// Why there is none: [`Refusal`](super::Refusal) has what `T` itself and the server say.
    pub fn create_object<T: Object>(
        &self,
        name: Option<&str>,
        argument: &(impl Serialize + ?Sized),
    ) -> Result<Proxy, CallError> {
        self.make::<T>(name, [0; 16], |to| to.put(argument))
    }

    /// The same for typed proxies.
    pub(super) fn make<T: Object>(
        &self,
        name: Option<&str>,
        fingerprint: [u8; 16],
        encode: impl FnOnce(&mut Encoder<'_>) -> Result<(), CallError>,
    ) -> Result<Proxy, CallError> {
        let session = self.session()?;
        let head = |request| Request::Create { request, ty: T::TYPE, name, fingerprint };
        session.ask(head, None, encode)
    }

    /// Has the object stay that `proxy` is a handle of, though nobody has a handle of it any more, until its name is
    /// [removed](Self::remove) or the server ends.
    ///
    /// # Errors
    ///
    /// [`Refusal::Nameless`](super::Refusal::Nameless) if it has no name; why there is no answer.
    pub fn keep(&self, proxy: &Proxy) -> Result<(), CallError> {
        let number = proxy.number();
        proxy.session().call(ObjectNumber::SERVER, "keep", None, |to| to.put(&number))
    }

    /// Takes its name from an object: the next who asks for the name makes another. Who has a handle keeps it. Whether there was one.
    ///
    /// # Errors
    ///
    /// Why there is no answer.
    pub fn remove(&self, name: &str) -> Result<bool, CallError> {
        self.session()?.call(ObjectNumber::SERVER, "remove", None, |to| to.put(name))
    }

    /// The object of that name, whatever it is.
    ///
    /// # Errors
    ///
    /// [`Refusal::UnknownObject`](super::Refusal::UnknownObject) if there is none.
    pub fn find(&self, name: &str) -> Result<Proxy, CallError> {
        self.session()?.call(ObjectNumber::SERVER, "find", None, |to| to.put(name))
    }
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Client({:?})", self.inner.door.place.name)
    }
}
