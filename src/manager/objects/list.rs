//! Lists.

use std::cmp::Ordering;
use std::ops::RangeBounds;

use super::super::client::Client;
use super::super::error::{CallError, Refusal};
use super::super::item::{Item, ObjectNumber, fingerprint_of};
use super::super::object::{Answer, Arguments, Caller, Object};
use super::row::{Row, optional, several};
use super::snapshot::{Snapshot, bounds, exchange, kept, sorted, until_unchanged};

/// In the server: a row that grows and shrinks.
#[derive(Default)]
pub(in crate::manager) struct Items(Row);

impl Object for Items {
    const TYPE: &'static str = "list";

    fn create(arguments: Arguments<'_>) -> Result<Self, Refusal> {
        arguments.finish()?;
        Ok(Self::default())
    }

    fn call(
        &mut self,
        method: &str,
        mut arguments: Arguments<'_>,
        _: &mut Caller<'_>,
    ) -> Result<Answer, Refusal> {
        self.answer(method, &mut arguments)
    }

    fn references(&self, found: &mut dyn FnMut(ObjectNumber)) {
        self.0.references(found);
    }
}

impl Items {
    fn answer(&mut self, method: &str, arguments: &mut Arguments<'_>) -> Result<Answer, Refusal> {
        match method {
            "push" => {
                let value = arguments.value()?;
                arguments.finish()?;
                self.0.push(value);
                Ok(Answer::nothing())
            }
            "insert" => self.insert(arguments),
            "extend" => {
                let values = several(arguments)?;
                arguments.finish()?;
                self.0.extend(values);
                Ok(Answer::nothing())
            }
            "remove" => {
                let index = arguments.read()?;
                arguments.finish()?;
                let place = self.0.place(index)?;
                Ok(self.take(place, place + 1))
            }
            "pop" => {
                arguments.finish()?;
                let last = self.0.len().saturating_sub(1);
                Ok(self.take_if_any(last))
            }
            "pop_first" => {
                arguments.finish()?;
                Ok(self.take_if_any(0))
            }
            "truncate" => {
                let len: u64 = arguments.read()?;
                arguments.finish()?;
                let len = usize::try_from(len).unwrap_or(usize::MAX).min(self.0.len());
                self.0.drain(len, self.0.len());
                Ok(Answer::nothing())
            }
            "drain" => {
                let (start, end) = arguments.read()?;
                arguments.finish()?;
                let (start, end) = self.0.range(start, end)?;
                Ok(Answer::list(self.0.drain(start, end).iter()))
            }
            "pick" => {
                let (version, indices): (u64, Vec<u64>) = arguments.read()?;
                arguments.finish()?;
                Answer::value(&self.0.pick(version, &indices)?)
            }
            "put_back" => {
                let version = arguments.read()?;
                let values = several(arguments)?;
                arguments.finish()?;
                Answer::value(&self.0.put_back(version, values))
            }
            other => self.0.call(other, arguments),
        }
    }

    fn insert(&mut self, arguments: &mut Arguments<'_>) -> Result<Answer, Refusal> {
        let (index, value) = (arguments.read()?, arguments.value()?);
        arguments.finish()?;
        let gap = self.0.gap(index)?;
        self.0.insert(gap, value);
        Ok(Answer::nothing())
    }

    fn take_if_any(&mut self, place: usize) -> Answer {
        let taken = if self.0.len() == 0 { Vec::new() } else { self.0.drain(place, place + 1) };
        optional(taken.first())
    }

    /// Takes out the one that is there.
    fn take(&mut self, start: usize, end: usize) -> Answer {
        self.0.drain(start, end).iter().fold(Answer::nothing(), Answer::put_stored)
    }
}

proxy! {
    /// A list that a server keeps. Each call is one step to all others, whatever they do meanwhile.
    ///
    /// Values are compared as the bytes that they are serialised to. Indices are those of the moment: where others change the list too, the one
    /// that was looked up a moment ago may have become another's; [`update`](Self::update), [`compare_exchange`](Self::compare_exchange) and
    /// what goes by a [`Snapshot`]'s version are safe from that.
    ///
    /// A list within another object, `Map<String, List<u64>>`, is a proxy: what is changed through it is changed there.
    ///
    /// ```
    /// use ringway::manager::{CallError, Client, Refusal, Server};
    ///
    /// let name = format!("list-{}", std::process::id());
    /// let server = Server::bind(&name)?.spawn();
    /// let client = Client::connect(&name)?;
    ///
    /// let primes = client.list::<u32>("primes")?;
    /// primes.extend(&[7, 2, 5])?;
    /// primes.insert(0, &3)?;
    /// primes.sort()?;
    /// assert_eq!(primes.to_vec()?, [2, 3, 5, 7]);
    /// assert_eq!(primes.slice(1..3)?, [3, 5]);
    /// let refused = primes.remove(9);
    /// assert!(matches!(refused, Err(CallError::Refused(Refusal::OutOfRange { index: 9, len: 4 }))));
    /// # drop((primes, client));
    /// # server.shutdown()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    List<T>
}

row_methods!(List);

impl<T: Item> List<T> {
    /// Appends `value`.
    ///
    /// # Errors
    ///
    /// Why there is no answer.
    pub fn push(&self, value: &T) -> Result<(), CallError> {
        self.proxy.call_with("push", |to| to.value(value))
    }

    /// Puts `value` before the one at `index`, or behind all if `index` is how many there are.
    ///
    /// # Errors
    ///
    /// [`Refusal::OutOfRange`]; why there is no answer.
    pub fn insert(&self, index: usize, value: &T) -> Result<(), CallError> {
        self.proxy.call_with("insert", |to| {
            to.put(&index)?;
            to.value(value)
        })
    }

    /// Appends `values`, in one step.
    ///
    /// # Errors
    ///
    /// Why there is no answer.
    pub fn extend<'a>(&self, values: impl IntoIterator<Item = &'a T>) -> Result<(), CallError> {
        let values: Vec<&T> = values.into_iter().collect();
        self.proxy.call_with("extend", |to| {
            to.put(&values.len())?;
            values.into_iter().try_for_each(|value| to.value(value))
        })
    }

    /// Takes out the value at `index`.
    ///
    /// # Errors
    ///
    /// [`Refusal::OutOfRange`]; why there is no answer.
    pub fn remove(&self, index: usize) -> Result<T, CallError> {
        self.proxy.call_with("remove", |to| to.put(&index))
    }

    /// Takes out the last value, if there is one.
    ///
    /// # Errors
    ///
    /// Why there is no answer.
    pub fn pop(&self) -> Result<Option<T>, CallError> {
        self.proxy.call_with("pop", |_| Ok(()))
    }

    /// Takes out the first value, if there is one.
    ///
    /// # Errors
    ///
    /// Why there is no answer.
    pub fn pop_first(&self) -> Result<Option<T>, CallError> {
        self.proxy.call_with("pop_first", |_| Ok(()))
    }

    /// Takes out the values at `range`, in one step.
    ///
    /// # Errors
    ///
    /// [`Refusal::OutOfRange`] if it ends behind the last or before it begins; why there is no answer.
    pub fn drain(&self, range: impl RangeBounds<usize>) -> Result<Vec<T>, CallError> {
        self.proxy.call_with("drain", |to| to.put(&bounds(range)))
    }

    /// Drops all from the `len`th on, if there are so many.
    ///
    /// # Errors
    ///
    /// Why there is no answer.
    pub fn truncate(&self, len: usize) -> Result<(), CallError> {
        self.proxy.call_with("truncate", |to| to.put(&len))
    }

    /// Drops all.
    ///
    /// # Errors
    ///
    /// Why there is no answer.
    pub fn clear(&self) -> Result<(), CallError> {
        self.truncate(0)
    }

    /// Drops all that `keep` does not keep, in one step for others. `keep` is asked here; where others changed something meanwhile it
    /// is asked anew.
    ///
    /// # Errors
    ///
    /// [`CallError::Contended`]; why there is no answer.
    pub fn retain(&self, mut keep: impl FnMut(&T) -> bool) -> Result<(), CallError> {
        until_unchanged(|| {
            let seen = self.snapshot()?;
            kept(&seen, &mut keep).map_or(Ok(Some(())), |kept| self.pick(&seen, &kept))
        })
    }

    /// Makes it what `change` makes of all of it, in one step for others, and gives that. Where others changed something meanwhile
    /// `change` is called again.
    ///
    /// # Errors
    ///
    /// [`CallError::Contended`]; why there is no answer.
    pub fn update_all(
        &self,
        mut change: impl FnMut(Vec<T>) -> Vec<T>,
    ) -> Result<Vec<T>, CallError> {
        until_unchanged(|| {
            let seen = self.snapshot()?;
            let version = seen.version();
            let new = change(seen.into_vec());
            Ok(self.put_back(version, &new)?.then_some(new))
        })
    }
}

impl Client {
    /// The list of that name, which is made empty if there is none.
    ///
    /// # Errors
    ///
    /// [`Refusal::WrongType`] if it is something else, or of another type; why there is no answer.
    pub fn list<T: Item>(&self, name: &str) -> Result<List<T>, CallError> {
        self.make::<Items>(Some(name), fingerprint_of::<T>(), |_| Ok(())).map(List::of)
    }

    /// A new empty list without a name.
    ///
    /// # Errors
    ///
    /// Why there is no answer.
    pub fn new_list<T: Item>(&self) -> Result<List<T>, CallError> {
        self.make::<Items>(None, fingerprint_of::<T>(), |_| Ok(())).map(List::of)
    }
}
