//! One value.

use super::super::client::Client;
use super::super::error::{CallError, Refusal};
use super::super::item::{Item, ObjectNumber, Stored, fingerprint_of};
use super::super::object::{Answer, Arguments, Caller, Object};
use super::snapshot::exchange;

/// In the server: a value as a client encoded it, and how often it was changed: its *stamp*.
pub(in crate::manager) struct Cell {
    value: Stored,
    stamp: u64,
}

impl Cell {
    fn put(&mut self, value: Stored) -> Stored {
        self.stamp += 1;
        std::mem::replace(&mut self.value, value)
    }
}

impl Object for Cell {
    const TYPE: &'static str = "value";

    fn create(mut arguments: Arguments<'_>) -> Result<Self, Refusal> {
        let value = arguments.value()?;
        arguments.finish()?;
        Ok(Self { value, stamp: 0 })
    }

    fn call(
        &mut self,
        method: &str,
        mut arguments: Arguments<'_>,
        _: &mut Caller<'_>,
    ) -> Result<Answer, Refusal> {
        match method {
            "get" => {
                arguments.finish()?;
                Ok(Answer::stored(&self.value))
            }
            "set" => {
                let value = arguments.value()?;
                arguments.finish()?;
                self.put(value);
                Ok(Answer::nothing())
            }
            "swap" => {
                let value = arguments.value()?;
                arguments.finish()?;
                Ok(Answer::stored(&self.put(value)))
            }
            // Nothing if it was exchanged, else what is there.
            "compare_exchange" => {
                let current = arguments.value_bytes()?;
                let value = arguments.value()?;
                arguments.finish()?;
                if self.value.bytes() != current {
                    return Ok(Answer::some(&self.value));
                }
                self.put(value);
                Ok(Answer::none())
            }
            // The value with its stamp.
            "look" => {
                arguments.finish()?;
                Ok(Answer::value(&self.stamp)?.put_stored(&self.value))
            }
            // Nothing if what has that stamp was exchanged, else what is there, with its stamp.
            "exchange" => {
                let (stamp, value): (u64, _) = (arguments.read()?, arguments.value()?);
                arguments.finish()?;
                if self.stamp != stamp {
                    return Ok(Answer::value(&(true, self.stamp))?.put_stored(&self.value));
                }
                self.put(value);
                Ok(Answer::none())
            }
            _ => Err(Refusal::UnknownMethod(method.to_owned())),
        }
    }

    fn references(&self, found: &mut dyn FnMut(ObjectNumber)) {
        self.value.references().iter().copied().for_each(found);
    }
}

proxy! {
    /// A value that a server keeps: each call is whole, whatever others do meanwhile.
    ///
    /// Values are compared as the bytes that they are serialised to.
    ///
    /// ```
    /// use ringway::manager::{Client, Server};
    ///
    /// let name = format!("value-{}", std::process::id());
    /// let server = Server::bind(&name)?.spawn();
    /// let client = Client::connect(&name)?;
    ///
    /// let motto = client.value("motto", &"slow".to_owned())?;
    /// assert_eq!(motto.swap(&"steady".to_owned())?, "slow");
    /// assert_eq!(motto.update(|old| format!("slow and {old}"))?, "slow and steady");
    /// # drop((motto, client));
    /// # server.shutdown()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    Value<T>
}

impl<T: Item> Value<T> {
    /// What it is now.
    ///
    /// # Errors
    ///
    /// Why there is no answer.
    pub fn get(&self) -> Result<T, CallError> {
        self.proxy.call_with("get", |_| Ok(()))
    }

    /// Makes it `value`.
    ///
    /// # Errors
    ///
    /// Why there is no answer.
    pub fn set(&self, value: &T) -> Result<(), CallError> {
        self.proxy.call_with("set", |to| to.value(value))
    }

    /// Makes it `value`, and gives what it was.
    ///
    /// # Errors
    ///
    /// Why there is no answer.
    pub fn swap(&self, value: &T) -> Result<T, CallError> {
        self.proxy.call_with("swap", |to| to.value(value))
    }

    /// Makes it `value` if it is `current`. Else `Err` with what it is.
    ///
    /// # Errors
    ///
    /// Why there is no answer.
    pub fn compare_exchange(&self, current: &T, value: &T) -> Result<Result<(), T>, CallError> {
        let other: Option<T> = self.proxy.call_with("compare_exchange", |to| {
            to.value(current)?;
            to.value(value)
        })?;
        Ok(other.map_or(Ok(()), Err))
    }

    /// Makes it what `change` makes of it, and gives that. Where others were faster `change` is called again.
    ///
    /// # Errors
    ///
    /// [`CallError::Contended`]; why there is no answer.
    pub fn update(&self, mut change: impl FnMut(&T) -> T) -> Result<T, CallError> {
        let seen: (u64, T) = self.proxy.call_with("look", |_| Ok(()))?;
        exchange(seen, |(stamp, old)| {
            let new = change(old);
            let other: Option<(u64, T)> = self.proxy.call_with("exchange", |to| {
                to.put(stamp)?;
                to.value(&new)
            })?;
            Ok(other.map_or(Ok(new), Err))
        })
    }
}

impl Client {
    /// The value of that name, which is made with `initial` if there is none.
    ///
    /// # Errors
    ///
    /// [`Refusal::WrongType`] if it is something else, or of another type; why there is no answer.
    pub fn value<T: Item>(&self, name: &str, initial: &T) -> Result<Value<T>, CallError> {
        let encode = |to: &mut super::super::Encoder<'_>| to.value(initial);
        self.make::<Cell>(Some(name), fingerprint_of::<T>(), encode).map(Value::of)
    }

    /// A new value without a name.
    ///
    /// # Errors
    ///
    /// Why there is no answer.
    pub fn new_value<T: Item>(&self, initial: &T) -> Result<Value<T>, CallError> {
        let encode = |to: &mut super::super::Encoder<'_>| to.value(initial);
        self.make::<Cell>(None, fingerprint_of::<T>(), encode).map(Value::of)
    }
}
