//! Values as they travel: bytes, and which objects they refer to.
//!
//! A client encodes a value into postcard's form; the server keeps these bytes and never reads them. A proxy within a value
//! is the number of its object. While a value is encoded, its proxies tell the thread's *writing*, and while one is decoded
//! they take what they refer to from the thread's *reading*; elsewhere a proxy has no serialised form.

use std::cell::RefCell;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::client::Session;
use super::ledger::Ledger;
use super::proxy::Handle;
use crate::fingerprint::{Description, Fingerprint};
use crate::layout::type_fingerprint;
use crate::primitive::append;

/// What can be kept in a server's objects: any type that serde knows and that says what it is. Proxies are items too.
///
/// What postcard can carry, within bounds, so that no value takes a reader's stack or time: at most 126 options, enums, sequences and maps in
/// one another, so that an answer may add two (`Map::get` gives an `Option`, `to_vec` a sequence), and at most 65,536 elements of sequences
/// and maps that take no bytes, as `()` does. What goes beyond is not sent: [`CallError::Unserializable`](super::CallError::Unserializable). The bound
/// of elements is one of answers too: values that are within it one by one may be beyond it in one answer, as that of `to_vec`, which is
/// [`CallError::Undecodable`](super::CallError::Undecodable) then.
pub trait Item: Serialize + DeserializeOwned + Fingerprint {}

impl<T: Serialize + DeserializeOwned + Fingerprint> Item for T {}

/// The fingerprint of what an object keeps.
pub(super) fn fingerprint_of<T: Fingerprint>() -> [u8; 16] {
    type_fingerprint(Description::of_serialized::<T>().as_str().as_bytes())
}

/// Which object of a server. No other object of that server ever has the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ObjectNumber(u64);

impl ObjectNumber {
    /// The server itself: no object has it.
    pub(super) const SERVER: Self = Self(0);

    /// As the key of a table.
    pub(super) fn key(self) -> u64 {
        self.0
    }

    pub(super) fn of(key: u64) -> Self {
        Self(key)
    }

    pub(super) fn new(slot: u32, generation: u32) -> Self {
        Self(u64::from(generation) << 32 | u64::from(slot))
    }

    #[allow(clippy::cast_possible_truncation, reason = "the low half")]
    pub(super) fn slot(self) -> u32 {
        self.0 as u32
    }

    pub(super) fn generation(self) -> u32 {
        (self.0 >> 32) as u32
    }
}

/// A value as a client encoded it, in the server. Two are equal if their bytes are.
///
/// It keeps the objects alive that it refers to, until it is dropped.
#[derive(Debug, Clone)]
pub struct Stored {
    bytes: Box<[u8]>,
    held: Option<Box<Held>>,
}

/// References of a value, counted in the ledger.
#[derive(Debug)]
struct Held {
    numbers: Vec<ObjectNumber>,
    ledger: Arc<Ledger>,
}

impl Stored {
    /// Counts the references. `Err` with the first that there is no object for.
    pub(super) fn new(
        bytes: &[u8],
        numbers: Vec<ObjectNumber>,
        ledger: &Arc<Ledger>,
    ) -> Result<Self, ObjectNumber> {
        let held = if numbers.is_empty() { None } else { Some(Held::new(numbers, ledger)?) };
        let mut copy = Vec::with_capacity(bytes.len());
        append(&mut copy, bytes);
        Ok(Self { bytes: copy.into(), held: held.map(Box::new) })
    }

    /// Its form.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// How many bytes of memory it takes beside itself.
    pub(super) fn footprint(&self) -> usize {
        let held = self.held.as_ref();
        self.bytes.len() + held.map_or(0, |held| size_of::<Held>() + size_of_val(&held.numbers[..]))
    }

    /// Which objects it refers to.
    pub fn references(&self) -> &[ObjectNumber] {
        self.held.as_ref().map_or(&[], |held| &held.numbers)
    }
}

impl Held {
    fn new(numbers: Vec<ObjectNumber>, ledger: &Arc<Ledger>) -> Result<Self, ObjectNumber> {
        let mut held = Self { numbers: Vec::with_capacity(numbers.len()), ledger: ledger.clone() };
        for number in numbers {
            if !ledger.hold(number) {
                return Err(number);
            }
            held.numbers.push(number);
        }
        Ok(held)
    }
}

impl Clone for Held {
    fn clone(&self) -> Self {
        Self::new(self.numbers.clone(), &self.ledger).expect("this one holds them")
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        for number in &self.numbers {
            self.ledger.let_go(*number);
        }
    }
}

impl PartialEq for Stored {
    fn eq(&self, other: &Self) -> bool {
        self.bytes == other.bytes
    }
}

impl Eq for Stored {}

impl Hash for Stored {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.bytes.hash(state);
    }
}

impl std::borrow::Borrow<[u8]> for Stored {
    fn borrow(&self) -> &[u8] {
        &self.bytes
    }
}

/// A value that is being encoded for a session.
struct Writing {
    session: *const Session,
    references: Vec<ObjectNumber>,
}

/// A value that is being decoded, and what was granted to the session with it.
struct Reading {
    session: Arc<Session>,
    granted: Vec<ObjectNumber>,
}

thread_local! {
    static WRITING: RefCell<Option<Writing>> = const { RefCell::new(None) };
    static READING: RefCell<Option<Reading>> = const { RefCell::new(None) };
}

/// Puts back what was there before, also if the thread unwinds.
struct Restore<T: 'static>(&'static std::thread::LocalKey<RefCell<Option<T>>>, Option<T>);

impl<T> Drop for Restore<T> {
    fn drop(&mut self) {
        let before = self.1.take();
        self.0.set(before);
    }
}

/// Does `write`, and says which objects the proxies that were written refer to.
pub(super) fn writing<R>(session: &Session, write: impl FnOnce() -> R) -> (R, Vec<ObjectNumber>) {
    let before = WRITING.replace(Some(Writing { session, references: Vec::new() }));
    let restore = Restore(&WRITING, before);
    let written = write();
    let references = WRITING.take().map_or_else(Vec::new, |writing| writing.references);
    drop(restore);
    (written, references)
}

/// Does `read`, whose proxies take what was granted. What no proxy took goes back.
pub(super) fn reading<R>(
    session: &Arc<Session>,
    granted: Vec<ObjectNumber>,
    read: impl FnOnce() -> R,
) -> R {
    let before = READING.replace(Some(Reading { session: Arc::clone(session), granted }));
    let restore = Restore(&READING, before);
    let value = read();
    drop(READING.take());
    drop(restore);
    value
}

impl Drop for Reading {
    fn drop(&mut self) {
        for number in self.granted.drain(..) {
            self.session.release(number);
        }
    }
}

/// Notes that a proxy was written. An error says why it cannot be.
pub(super) fn note(session: &Arc<Session>, number: ObjectNumber) -> Result<(), &'static str> {
    WRITING.with_borrow_mut(|writing| match writing {
        None => Err("a proxy goes into values that its client sends, and nowhere else"),
        Some(writing) if writing.session != Arc::as_ptr(session) => {
            Err("the proxy is another client's, or of a server that is gone")
        }
        Some(writing) => {
            writing.references.push(number);
            Ok(())
        }
    })
}

/// Takes what a proxy that is being read refers to.
pub(super) fn take(number: ObjectNumber) -> Result<Handle, &'static str> {
    READING.with_borrow_mut(|reading| {
        let reading = reading.as_mut().ok_or("a proxy comes out of values that its client gets")?;
        let at = reading.granted.iter().position(|granted| *granted == number);
        reading.granted.swap_remove(at.ok_or("the value does not refer to that object")?);
        Ok(Handle::new(&reading.session, number))
    })
}
