//! The objects of a server, of whatever types.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::super::error::Refusal;
use super::super::item::ObjectNumber;
use super::super::object::{Answer, Arguments, Caller, Object, SessionId};
use super::super::slots::Slots;

/// [`Object`] without its type.
pub(super) trait AnyObject: Send {
    fn call(
        &mut self,
        method: &str,
        arguments: Arguments<'_>,
        caller: &mut Caller<'_>,
    ) -> Result<Answer, Refusal>;
    fn cancel(&mut self, caller: &mut Caller<'_>);
    fn acknowledged(&mut self, caller: &mut Caller<'_>);
    fn undo(&mut self, caller: &mut Caller<'_>);
    fn session_ended(&mut self, died: bool, caller: &mut Caller<'_>);
    fn references(&self, found: &mut dyn FnMut(ObjectNumber));
}

impl<T: Object> AnyObject for T {
    fn call(
        &mut self,
        method: &str,
        arguments: Arguments<'_>,
        caller: &mut Caller<'_>,
    ) -> Result<Answer, Refusal> {
        Object::call(self, method, arguments, caller)
    }

    fn cancel(&mut self, caller: &mut Caller<'_>) {
        Object::cancel(self, caller);
    }

    fn acknowledged(&mut self, caller: &mut Caller<'_>) {
        Object::acknowledged(self, caller);
    }

    fn undo(&mut self, caller: &mut Caller<'_>) {
        Object::undo(self, caller);
    }

    fn session_ended(&mut self, died: bool, caller: &mut Caller<'_>) {
        Object::session_ended(self, died, caller);
    }

    fn references(&self, found: &mut dyn FnMut(ObjectNumber)) {
        Object::references(self, found);
    }
}

/// Makes an object of a type.
pub(super) type Make = fn(Arguments<'_>) -> Result<Box<dyn AnyObject>, Refusal>;

/// How `T` is made.
pub(super) fn make<T: Object>(arguments: Arguments<'_>) -> Result<Box<dyn AnyObject>, Refusal> {
    Ok(Box::new(T::create(arguments)?))
}

/// An object, and what the server knows about it.
pub(super) struct Entry {
    pub object: Box<dyn AnyObject>,
    pub ty: &'static str,
    pub fingerprint: [u8; 16],
    pub name: Option<Box<str>>,
    /// It has a reference of its own, until its name is removed.
    pub kept: bool,
    /// A call of it has waited: another may.
    pub has_waited: bool,
    /// Whose call was the last, which is noted: the session knows that it has called this object.
    pub last_caller: Option<SessionId>,
}

impl Entry {
    pub(super) fn new(
        object: Box<dyn AnyObject>,
        ty: &'static str,
        fingerprint: [u8; 16],
        name: Option<&str>,
    ) -> Self {
        let name = name.map(Box::from);
        let (kept, has_waited, last_caller) = (false, false, None);
        Self { object, ty, fingerprint, name, kept, has_waited, last_caller }
    }
}

/// By number.
#[derive(Default)]
pub(super) struct Objects(Slots<Entry>);

impl Objects {
    pub(super) fn put(&mut self, number: ObjectNumber, entry: Entry) {
        self.0.put(number.key(), entry);
    }

    pub(super) fn get(&self, number: ObjectNumber) -> Option<&Entry> {
        self.0.get(number.key())
    }

    pub(super) fn get_mut(&mut self, number: ObjectNumber) -> Option<&mut Entry> {
        self.0.get_mut(number.key())
    }

    pub(super) fn take(&mut self, number: ObjectNumber) -> Option<Entry> {
        self.0.take(number.key())
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (ObjectNumber, &Entry)> {
        self.0.iter().map(|(key, entry)| (ObjectNumber::of(key), entry))
    }

    /// How many.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}

/// Runs code of an object's type. A panic becomes a refusal.
pub(super) fn guarded<R>(run: impl FnOnce() -> Result<R, Refusal>) -> Result<R, Refusal> {
    catch_unwind(AssertUnwindSafe(run))
        .unwrap_or_else(|panic| Err(Refusal::Panicked(said(&*panic))))
}

/// The same for what has no answer: who would be told of a panic is gone.
pub(super) fn guarded_quietly(run: impl FnOnce()) {
    let _ = catch_unwind(AssertUnwindSafe(run));
}

fn said(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("something that is no text")
        .to_owned()
}
