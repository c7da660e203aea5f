//! What an object is to the server: a type that answers calls.

use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::error::Refusal;
use super::item::{ObjectNumber, Stored};
use super::ledger::Ledger;
use super::server::{Exchange, Lease};
use super::wire;
use crate::primitive::append;

/// An object that a server owns. Types of your own join by [`Server::register`](super::Server::register).
///
/// All of it runs in the server, one call at a time, with every other call of every client behind it: be short, never block.
/// A call of the same server from within would wait for itself. One that has to wait answers [`Answer::later`]. A panic is [`Refusal::Panicked`] to who called and nobody else; the object stays
/// as the panic left it.
///
/// ```
/// use ringway::manager::{Answer, Arguments, Caller, Client, Object, Refusal, Server};
///
/// struct Counter(u64);
///
/// impl Object for Counter {
///     const TYPE: &'static str = "counter";
///
///     fn create(mut arguments: Arguments<'_>) -> Result<Self, Refusal> {
///         let start = arguments.read()?;
///         arguments.finish()?;
///         Ok(Self(start))
///     }
///
///     fn call(
///         &mut self,
///         method: &str,
///         mut arguments: Arguments<'_>,
///         _: &mut Caller<'_>,
///     ) -> Result<Answer, Refusal> {
///         match method {
///             "add" => {
///                 let more: u64 = arguments.read()?;
///                 arguments.finish()?;
///                 self.0 += more;
///                 Answer::value(&self.0)
///             }
///             _ => Err(Refusal::UnknownMethod(method.to_owned())),
///         }
///     }
/// }
///
/// let name = format!("counting-{}", std::process::id());
/// let mut server = Server::bind(&name)?;
/// server.register::<Counter>();
/// let server = server.spawn();
/// let client = Client::connect(&name)?;
/// let counter = client.create_object::<Counter>(Some("visits"), &40u64)?;
/// assert_eq!(counter.call::<u64>("add", &2u64)?, 42);
/// # drop((counter, client));
/// # server.shutdown()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait Object: Send + 'static {
    /// The name it is registered and created by.
    const TYPE: &'static str;

    /// Makes one.
    ///
    /// # Errors
    ///
    /// Why there is none.
    fn create(arguments: Arguments<'_>) -> Result<Self, Refusal>
    where
        Self: Sized;

    /// Carries out `method`.
    ///
    /// # Errors
    ///
    /// What the caller gets instead of an answer.
    fn call(
        &mut self,
        method: &str,
        arguments: Arguments<'_>,
        caller: &mut Caller<'_>,
    ) -> Result<Answer, Refusal>;

    /// The wait of [`caller.ticket()`](Caller::ticket) is over: who waited gave it up or has gone. What is answered to it from now on is
    /// dropped; who gave up gets [`Refusal::Cancelled`] unless this answers otherwise.
    fn cancel(&mut self, _caller: &mut Caller<'_>) {}

    /// The answer to [`caller.ticket()`](Caller::ticket), which needed an acknowledgement, was taken.
    fn acknowledged(&mut self, _caller: &mut Caller<'_>) {}

    /// The answer to [`caller.ticket()`](Caller::ticket), which needed an acknowledgement, was not taken: undo it.
    fn undo(&mut self, _caller: &mut Caller<'_>) {}

    /// The session [`caller.session()`](Caller::session) has ended, and all its waits before; `died` if it did not say so itself. Each
    /// object is told of the ends of those sessions that have called it, or that it lent something to.
    fn session_ended(&mut self, _died: bool, _caller: &mut Caller<'_>) {}

    /// Tells `found` each reference that the object keeps, as often as it keeps it: by this the server finds objects that only
    /// refer to each other. Who keeps no [`Stored`] keeps none.
    fn references(&self, _found: &mut dyn FnMut(ObjectNumber)) {}
}

/// One client's handle, with all that it called and has. No other ever has the same number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SessionId(pub(super) u64);

/// Which call, among all of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ticket {
    pub(super) connection: u64,
    pub(super) request: u64,
}

/// Arguments of a call, read one after the other.
#[derive(Debug)]
pub struct Arguments<'a> {
    rest: &'a [u8],
    ledger: &'a Arc<Ledger>,
}

impl<'a> Arguments<'a> {
    pub(super) fn new(bytes: &'a [u8], ledger: &'a Arc<Ledger>) -> Self {
        Self { rest: bytes, ledger }
    }

    /// The next one, which was [`put`](super::Encoder::put).
    ///
    /// # Errors
    ///
    /// [`Refusal::Undecodable`] if it is no `T`.
    pub fn read<T: DeserializeOwned>(&mut self) -> Result<T, Refusal> {
        Ok(wire::read_first(&mut self.rest)?)
    }

    /// The next one, which was given as a [`value`](super::Encoder::value), to keep.
    ///
    /// # Errors
    ///
    /// [`Refusal::Undecodable`] if there is none; [`Refusal::UnknownObject`] if it refers to an object that is not there.
    pub fn value(&mut self) -> Result<Stored, Refusal> {
        let (bytes, references) = wire::read_value(&mut self.rest)?;
        Stored::new(bytes, references, self.ledger).map_err(|_| Refusal::UnknownObject)
    }

    /// The form of the next one, which was given as a [`value`](super::Encoder::value), to look for and not to keep.
    ///
    /// # Errors
    ///
    /// [`Refusal::Undecodable`] if there is none.
    pub fn value_bytes(&mut self) -> Result<&'a [u8], Refusal> {
        Ok(wire::read_value(&mut self.rest)?.0)
    }

    /// That there are no more.
    ///
    /// # Errors
    ///
    /// [`Refusal::Undecodable`] if there are.
    pub fn finish(&self) -> Result<(), Refusal> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(Refusal::Undecodable("there are more arguments than it takes".to_owned()))
        }
    }
}

/// What a call answers: postcard's form of what the client reads.
///
/// [`Stored`] values are put in as they are. An `Option<T>` is [`none`](Self::none) or [`some`](Self::some), a `Vec<T>` is [`list`](Self::list); a tuple or structure is its
/// parts, one [`put`](Self::put) or [`put_stored`](Self::put_stored) after the other.
#[derive(Debug, Default)]
#[must_use = "an answer is returned, or given to the caller"]
pub struct Answer {
    pub(super) bytes: Vec<u8>,
    pub(super) references: Vec<ObjectNumber>,
    pub(super) needs_ack: bool,
    pub(super) later: bool,
}

impl Answer {
    /// `()`, and the beginning of what is put together.
    pub fn nothing() -> Self {
        Self::default()
    }

    /// That.
    ///
    /// # Errors
    ///
    /// [`Refusal::Undecodable`] if it has no form.
    pub fn value<T: Serialize + ?Sized>(value: &T) -> Result<Self, Refusal> {
        Self::nothing().put(value)
    }

    /// A value as it was stored.
    pub fn stored(value: &Stored) -> Self {
        Self::nothing().put_stored(value)
    }

    /// `Some` of it.
    pub fn some(value: &Stored) -> Self {
        Self { bytes: vec![1], ..Self::default() }.put_stored(value)
    }

    /// `None`.
    pub fn none() -> Self {
        Self { bytes: vec![0], ..Self::default() }
    }

    /// A `Vec` of them.
    pub fn list<'a>(values: impl ExactSizeIterator<Item = &'a Stored>) -> Self {
        let mut bytes = Vec::new();
        wire::append_count(values.len(), &mut bytes);
        values.fold(Self { bytes, ..Self::default() }, Self::put_stored)
    }

    /// Not yet: the object keeps [`caller.ticket()`](Caller::ticket) and gives it an [`answer`](Caller::answer) in a later call.
    pub fn later() -> Self {
        Self { later: true, ..Self::default() }
    }

    /// This, and `value` behind it.
    ///
    /// # Errors
    ///
    /// [`Refusal::Undecodable`] if it has no form.
    pub fn put<T: Serialize + ?Sized>(mut self, value: &T) -> Result<Self, Refusal> {
        wire::append(value, &mut self.bytes)?;
        Ok(self)
    }

    /// This, and `value` behind it.
    pub fn put_stored(mut self, value: &Stored) -> Self {
        append(&mut self.bytes, value.bytes());
        self.references.extend_from_slice(value.references());
        self
    }

    /// This, and a reference to that object behind it: a proxy for who gets it.
    ///
    /// # Errors
    ///
    /// None that is known.
    pub fn put_object(mut self, number: ObjectNumber) -> Result<Self, Refusal> {
        self.references.push(number);
        self.put(&number)
    }

    /// The caller's end has to say that it took the answer: then the object is told [`acknowledged`](Object::acknowledged); if it never comes
    /// to that, [`undo`](Object::undo).
    pub fn needs_ack(mut self) -> Self {
        self.needs_ack = true;
        self
    }
}

/// Who calls, and the way to whoever waits.
#[derive(Debug)]
pub struct Caller<'a> {
    pub(super) exchange: &'a mut Exchange,
    pub(super) object: ObjectNumber,
    pub(super) session: SessionId,
    pub(super) ticket: Ticket,
}

impl Caller<'_> {
    /// Whose call it is.
    pub fn session(&self) -> SessionId {
        self.session
    }

    /// Which call it is.
    pub fn ticket(&self) -> Ticket {
        self.ticket
    }

    /// Which object is called.
    pub fn object(&self) -> ObjectNumber {
        self.object
    }

    /// Answers a call of this object that was told to wait. False if nobody waits for it any more: then nothing was answered.
    pub fn answer(&mut self, ticket: Ticket, answer: Result<Answer, Refusal>) -> bool {
        self.exchange.answer_later(self.object, ticket, answer)
    }

    /// Lends something of this object to a session, as its counters and the object's show for as long as the [`Lease`] lives.
    pub fn lend(&mut self, to: SessionId) -> Lease {
        self.exchange.lend(self.ticket.connection, self.object, to)
    }
}
