//! Clients: sessions at a server, and calls.

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::error::CallError;
use super::item::ObjectNumber;
use super::object::Object;
use super::proxy::{Encoder, Handle, Proxy};

/// One client at one server.
#[derive(Clone, Debug)]
pub struct Client {
    session: Arc<Session>,
}

/// How to connect.
#[derive(Debug)]
pub struct Connect {}

#[derive(Debug)]
pub(super) struct Session {}

impl Client {
    /// Connects to the server of that name.
    ///
    /// # Errors
    ///
    /// Why there is none.
    pub fn connect(_name: &str) -> Result<Self, CallError> {
        Err(CallError::NoServer)
    }

    /// The object of that name, made if there is none, or a new one without a name.
    ///
    /// # Errors
    ///
    /// Why there is none.
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
        let _ = (name, fingerprint, encode, T::TYPE);
        let number: ObjectNumber =
            self.session.call(ObjectNumber::new(0, 0), "", None, |_| Ok(()))?;
        Ok(Proxy::new(Handle::new(&self.session, number)))
    }
}

impl Session {
    pub(super) fn incarnation(&self) -> u64 {
        0
    }

    pub(super) fn release(&self, _number: ObjectNumber) {}

    pub(super) fn call<R: DeserializeOwned>(
        &self,
        _object: ObjectNumber,
        _method: &str,
        _timeout: Option<Duration>,
        _encode: impl FnOnce(&mut Encoder<'_>) -> Result<(), CallError>,
    ) -> Result<R, CallError> {
        Err(CallError::NoServer)
    }
}
