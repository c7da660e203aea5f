//! A client's handle of one object.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::de::{DeserializeOwned, Error as _};
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::client::Session;
use super::error::CallError;
use super::item::{self, ObjectNumber};
use super::wire;
use crate::error::Fault;
use crate::fingerprint::{Description, Fingerprint};

/// A handle of an object of any type: calls are made by name. The typed ones, such as [`Value`](super::Value), are made of it.
///
/// Clones are handles of the same object. The object lives while anybody has a handle of it, or it is within a value that the
/// server keeps. A proxy can be put into values that its client sends, and comes out of values that a client gets; it has no other
/// serialised form.
#[derive(Clone)]
pub struct Proxy {
    handle: Arc<Handle>,
}

/// One reference of a session to an object.
pub(super) struct Handle {
    session: Arc<Session>,
    number: ObjectNumber,
}

impl Handle {
    /// Takes over a reference that was granted to the session.
    pub(super) fn new(session: &Arc<Session>, number: ObjectNumber) -> Self {
        Self { session: Arc::clone(session), number }
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.session.release(self.number);
    }
}

/// Arguments of a call that are being written.
#[derive(Debug)]
pub struct Encoder<'a> {
    bytes: &'a mut Vec<u8>,
    session: &'a Session,
}

impl<'a> Encoder<'a> {
    pub(super) fn new(bytes: &'a mut Vec<u8>, session: &'a Session) -> Self {
        Self { bytes, session }
    }

    /// Appends an argument that the object [reads](super::Arguments::read).
    ///
    /// # Errors
    ///
    /// [`CallError::Unserializable`].
    pub fn put<T: Serialize + ?Sized>(&mut self, argument: &T) -> Result<(), CallError> {
        wire::append(argument, self.bytes).map_err(unserializable)
    }

    /// Appends an argument that the object [keeps](super::Arguments::value). It may have proxies in it.
    ///
    /// # Errors
    ///
    /// [`CallError::Unserializable`], also for what nobody could read because it is beyond the bounds of an [`Item`](super::Item).
    pub fn value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), CallError> {
        let write = |bytes: &mut Vec<u8>| {
            let append = || wire::append_kept(value, bytes);
            let (written, references) = item::writing(self.session, append);
            written.map(|()| references).map_err(unserializable)
        };
        wire::append_value(self.bytes, write)
    }
}

fn unserializable(fault: Fault) -> CallError {
    match fault {
        Fault::Unserializable(why) => CallError::Unserializable(why),
        other => CallError::Failed(other),
    }
}

impl Proxy {
    pub(super) fn new(handle: Handle) -> Self {
        Self { handle: Arc::new(handle) }
    }

    pub(super) fn session(&self) -> &Arc<Session> {
        &self.handle.session
    }

    /// Which object of the server it is.
    pub fn number(&self) -> ObjectNumber {
        self.handle.number
    }

    /// Whether both are handles of the same object of the same server.
    pub fn is_same(&self, other: &Self) -> bool {
        self.handle.number == other.handle.number
            && self.handle.session.incarnation() == other.handle.session.incarnation()
    }

    /// Calls `method` with `argument`, which the object [reads](super::Arguments::read), and waits for the answer.
    ///
    /// # Errors
    ///
    /// Why there is none.
    pub fn call<R: DeserializeOwned>(
        &self,
        method: &str,
        argument: &(impl Serialize + ?Sized),
    ) -> Result<R, CallError> {
        self.call_with(method, |to| to.put(argument))
    }

    /// Calls `method` with the arguments that `encode` writes, and waits for the answer.
    ///
    /// # Errors
    ///
    /// Why there is none.
    pub fn call_with<R: DeserializeOwned>(
        &self,
        method: &str,
        encode: impl FnOnce(&mut Encoder<'_>) -> Result<(), CallError>,
    ) -> Result<R, CallError> {
        self.handle.session.call(self.handle.number, method, None, encode)
    }

    /// As [`call_with`](Self::call_with), for a call that may wait at the server: at most `timeout`, then it is cancelled there.
    /// Zero asks for what is there now.
    ///
    /// # Errors
    ///
    /// Why there is no answer; [`CallError::TimedOut`].
    pub fn call_timeout<R: DeserializeOwned>(
        &self,
        method: &str,
        timeout: Duration,
        encode: impl FnOnce(&mut Encoder<'_>) -> Result<(), CallError>,
    ) -> Result<R, CallError> {
        self.handle.session.call(self.handle.number, method, Some(timeout), encode)
    }

    /// Calls `method` and does not wait for what becomes of it: for what is given back by dropping it.
    pub(super) fn post(
        &self,
        method: &str,
        encode: impl Fn(&mut Encoder<'_>) -> Result<(), CallError>,
    ) {
        // Where that fails the session's end gives it back, or has.
        let _ = self.handle.session.post(self.handle.number, method, encode);
    }

    /// Which session it is of: no other ever has the same.
    pub(super) fn session_identity(&self) -> (u64, u64) {
        self.handle.session.identity()
    }

    /// Whether it is of a parent of this process.
    pub(super) fn is_inherited(&self) -> bool {
        self.handle.session.is_inherited()
    }
}

impl PartialEq for Proxy {
    fn eq(&self, other: &Self) -> bool {
        self.is_same(other)
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Proxy({:?})", self.handle.number)
    }
}

impl Serialize for Proxy {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        item::note(&self.handle.session, self.handle.number).map_err(S::Error::custom)?;
        self.handle.number.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Proxy {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = ObjectNumber::deserialize(deserializer)?;
        item::take(number).map(Self::new).map_err(D::Error::custom)
    }
}

impl Fingerprint for Proxy {
    fn describe(to: &mut Description) {
        to.word("ringway::manager::Proxy");
    }
}

/// Declares a typed proxy: `proxy! { /// What it is. Name<T, U> is TypeOfObject; }` makes `Name<T: Item, U: Item>` with
/// a `proxy` inside, its traits, and the private `Name::of(proxy)`.
macro_rules! proxy {
    ($(#[$about:meta])* $name:ident $(<$($item:ident),+>)? $(,)?) => {
        $(#[$about])*
        pub struct $name $(<$($item),+>)? {
            proxy: $crate::manager::Proxy,
            #[allow(unused_parens, clippy::type_complexity, reason = "one form for any number")]
            of: std::marker::PhantomData<fn() -> ($($($item),+)?)>,
        }

        impl $(<$($item),+>)? $name $(<$($item),+>)? {
            pub(in crate::manager) fn of(proxy: $crate::manager::Proxy) -> Self {
                Self { proxy, of: std::marker::PhantomData }
            }

            /// The same without its type.
            pub fn proxy(&self) -> &$crate::manager::Proxy {
                &self.proxy
            }
        }

        impl $(<$($item),+>)? Clone for $name $(<$($item),+>)? {
            fn clone(&self) -> Self {
                Self::of(self.proxy.clone())
            }
        }

        /// Whether they are the same object.
        impl $(<$($item),+>)? PartialEq for $name $(<$($item),+>)? {
            fn eq(&self, other: &Self) -> bool {
                self.proxy == other.proxy
            }
        }

        impl $(<$($item),+>)? std::fmt::Debug for $name $(<$($item),+>)? {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_tuple(stringify!($name)).field(&self.proxy).finish()
            }
        }

        impl $(<$($item),+>)? serde::Serialize for $name $(<$($item),+>)? {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                self.proxy.serialize(serializer)
            }
        }

        impl<'de $($(, $item)+)?> serde::Deserialize<'de> for $name $(<$($item),+>)? {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                $crate::manager::Proxy::deserialize(from).map(Self::of)
            }
        }

        impl $(<$($item: $crate::manager::Item),+>)? $crate::Fingerprint for $name $(<$($item),+>)? {
            fn describe(to: &mut $crate::Description) {
                const NAME: &str = concat!("ringway::manager::", stringify!($name));
                to.made_of(NAME, &[$($($crate::Description::part::<$item>),+)?]);
            }
        }
    };
}
