//! A session: its first connection, the idle ones, and calls.

mod links;
#[cfg(test)]
mod tests;
mod words;

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering::Relaxed};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde::de::DeserializeOwned;

use super::super::error::{CallError, Refusal};
use super::super::item::{self, ObjectNumber};
use super::super::proxy::Encoder;
use super::super::wire::{self, Hello, Request};
use super::door::Door;
use super::link::{Link, Outcome};
use crate::error::Fault;
use crate::sys::fork;
use words::Words;

/// A client's time at one server. It ends with the last of its proxies and clones of the client, or with the server.
///
/// The first connection is there as long as the session is: through it go the words that have no answer. Each call takes one of
/// the others, and gives it back when it is done; one that is given up in the middle is not given back.
pub(in crate::manager) struct Session {
    door: Arc<Door>,
    incarnation: u64,
    number: u64,
    max_request: u64,
    /// What goes without an answer. To be locked before `idle`.
    words: Mutex<Words>,
    /// A connection of those has come back.
    returned: Condvar,
    /// In boxes, since they are long and each call takes one.
    #[allow(clippy::vec_box, reason = "they are moved in and out")]
    idle: Mutex<Vec<Box<Link>>>,
    /// There may be posted calls without an answer: no other call begins before those are done.
    has_posted: AtomicBool,
    /// There was no room for all references that were to be given back.
    has_released: AtomicBool,
    /// 0, or why it ended.
    gone: AtomicU8,
    generation: u64,
}

/// Connections that are kept for the next calls: what more there were, while many called at a time, others may need.
const MOST_IDLE: usize = 8;
/// Room for words that have no answer.
const FIRST_CAPACITY: usize = 4096;
/// How long a server that was told to give up a wait may take to say how that ended.
const GRACE: Duration = Duration::from_secs(1);

const GONE: u8 = 1;
const SHUT_DOWN: u8 = 2;

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What is left of the time; nothing said, where it is without end.
fn left(until: Option<Instant>) -> Option<Duration> {
    until.map(|until| until.saturating_duration_since(Instant::now()))
}

impl Session {
    /// Begins one at whoever serves the name.
    pub(super) fn begin(door: &Arc<Door>) -> Result<Arc<Self>, CallError> {
        let hello = Hello { incarnation: 0, session: 0 };
        let (link, welcome) = door.connect(hello, FIRST_CAPACITY, door.patience)?;
        Ok(Arc::new(Self {
            door: Arc::clone(door),
            incarnation: welcome.incarnation,
            number: welcome.session,
            max_request: welcome.max_request,
            words: Mutex::new(Words::new(link)),
            returned: Condvar::new(),
            idle: Mutex::default(),
            has_posted: AtomicBool::new(false),
            has_released: AtomicBool::new(false),
            gone: AtomicU8::new(0),
            generation: fork::generation(),
        }))
    }

    pub(in crate::manager) fn incarnation(&self) -> u64 {
        self.incarnation
    }

    /// Of the server, and of the session there.
    pub(in crate::manager) fn identity(&self) -> (u64, u64) {
        (self.incarnation, self.number)
    }

    pub(in crate::manager) fn is_inherited(&self) -> bool {
        self.generation != fork::generation()
    }

    /// Whether a call found its server gone.
    pub(super) fn is_gone(&self) -> bool {
        self.gone.load(Relaxed) != 0
    }

    /// Calls a method of an object.
    pub(in crate::manager) fn call<R: DeserializeOwned>(
        self: &Arc<Self>,
        object: ObjectNumber,
        method: &str,
        timeout: Option<Duration>,
        encode: impl FnOnce(&mut Encoder<'_>) -> Result<(), CallError>,
    ) -> Result<R, CallError> {
        self.ask(|request| Request::Call { request, object, method }, timeout, encode)
    }

    /// Sends a request and waits for what comes of it.
    pub(super) fn ask<'a, R: DeserializeOwned>(
        self: &Arc<Self>,
        head: impl FnOnce(u64) -> Request<'a>,
        timeout: Option<Duration>,
        encode: impl FnOnce(&mut Encoder<'_>) -> Result<(), CallError>,
    ) -> Result<R, CallError> {
        // What it takes before the call itself may take a moment, however soon the call is to be done.
        let mut link = self.take_link(timeout.map(|timeout| timeout.max(GRACE)))?;
        link.begin(head);
        if let Err(why) = encode(&mut Encoder::new(&mut link.frame, self)) {
            self.give_back(link);
            return Err(why);
        }
        let len = link.frame.len() as u64;
        if len > self.max_request {
            self.give_back(link);
            return Err(Refusal::TooLong { len, max: self.max_request }.into());
        }
        // From here on a link that is not given back is one that the server cancels and undoes what was not taken of.
        match Self::exchange(&mut link, timeout) {
            Ok(Outcome::Answer { needs_ack, references, body }) => {
                if !references.is_empty() {
                    // They are this side's from now on, and given back one by one, whatever becomes of the value.
                    link.say(&Request::Took { request: link.request() })
                        .map_err(|why| self.failed(why))?;
                }
                let value = self.decode(link.body(body), references);
                if needs_ack {
                    link.say(&Request::Ack { request: link.request() })
                        .map_err(|why| self.failed(why))?;
                }
                self.give_back(link);
                value
            }
            Ok(Outcome::Refused(why)) => {
                self.give_back(link);
                Err(match why {
                    Refusal::Cancelled => CallError::TimedOut,
                    Refusal::ShuttingDown => self.failed(CallError::ShutDown),
                    why => why.into(),
                })
            }
            Err(why) => Err(self.failed(why)),
        }
    }

    fn exchange(link: &mut Link, timeout: Option<Duration>) -> Result<Outcome, CallError> {
        link.send(timeout)?;
        match (link.receive(timeout), timeout) {
            (Err(CallError::TimedOut), Some(_)) => {
                link.say(&Request::Cancel { request: link.request() })?;
                // It may have been granted meanwhile.
                link.receive(Some(GRACE))
            }
            (outcome, _) => outcome,
        }
    }

    fn decode<R: DeserializeOwned>(
        self: &Arc<Self>,
        bytes: &[u8],
        granted: Vec<ObjectNumber>,
    ) -> Result<R, CallError> {
        let read = || {
            let mut rest = bytes;
            match wire::read_first(&mut rest) {
                Ok(value) if rest.is_empty() => Ok(value),
                Ok(_) => Err(CallError::Undecodable("bytes are left over")),
                Err(Fault::Undecodable(why)) => Err(CallError::Undecodable(why)),
                Err(fault) => Err(CallError::Failed(fault)),
            }
        };
        if granted.is_empty() { read() } else { item::reading(self, granted, read) }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if !self.is_inherited() {
            let words = self.words.get_mut().unwrap_or_else(PoisonError::into_inner);
            let idle = self.idle.get_mut().unwrap_or_else(PoisonError::into_inner);
            words.drop_posted();
            words.say_goodbye(idle);
        }
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Session of {:?}", self.door.place.name)
    }
}
