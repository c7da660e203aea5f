//! Sets.

use std::collections::HashSet;
use std::hash::Hash;

use super::super::client::Client;
use super::super::error::{CallError, Refusal};
use super::super::item::{Item, ObjectNumber, fingerprint_of};
use super::super::object::{Answer, Arguments, Caller, Object};
use super::ordered::Ordered;
use super::row::{list_behind, several};
use super::snapshot::{Snapshot, kept, until_unchanged};

/// In the server: values, each once.
#[derive(Default)]
pub(in crate::manager) struct Elements {
    table: Ordered<()>,
    version: u64,
}

impl Object for Elements {
    const TYPE: &'static str = "set";

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
        let arguments = &mut arguments;
        match method {
            "insert" => {
                let value = arguments.value()?;
                arguments.finish()?;
                self.version += 1;
                Answer::value(&self.table.insert(value, ()).is_none())
            }
            "remove" => {
                let value = arguments.value_bytes()?;
                arguments.finish()?;
                self.version += 1;
                Answer::value(&self.table.remove(value).is_some())
            }
            "contains" => {
                let value = arguments.value_bytes()?;
                arguments.finish()?;
                Answer::value(&self.table.contains(value))
            }
            "extend" => {
                let values = several(arguments)?;
                arguments.finish()?;
                self.version += 1;
                let come = values
                    .into_iter()
                    .filter_map(|value| self.table.insert(value, ()).is_none().then_some(()));
                Answer::value(&come.count())
            }
            "keep" => {
                let (version, indices): (u64, Vec<u64>) = arguments.read()?;
                arguments.finish()?;
                self.keep(version, &indices)
            }
            other => {
                arguments.finish()?;
                self.whole(other)
            }
        }
    }

    fn references(&self, found: &mut dyn FnMut(ObjectNumber)) {
        self.table.references(found, |()| &[]);
    }
}

impl Elements {
    /// Methods without arguments.
    fn whole(&mut self, method: &str) -> Result<Answer, Refusal> {
        match method {
            "len" => Answer::value(&self.table.len()),
            "version" => Answer::value(&self.version),
            "clear" => {
                self.version += 1;
                self.table.clear();
                Ok(Answer::nothing())
            }
            "pop" => {
                self.version += 1;
                let last = self.table.pop();
                Ok(last.map_or_else(Answer::none, |(value, ())| Answer::some(&value)))
            }
            "snapshot" => {
                let values = self.table.iter().map(|(value, ())| value);
                list_behind(Answer::value(&self.version)?, values)
            }
            _ => Err(Refusal::UnknownMethod(method.to_owned())),
        }
    }

    fn keep(&mut self, version: u64, indices: &[u64]) -> Result<Answer, Refusal> {
        if version != self.version {
            return Answer::value(&false);
        }
        self.table.keep(indices)?;
        self.version += 1;
        Answer::value(&true)
    }
}

proxy! {
    /// A set that a server keeps. Each call is one step to all others, whatever they do meanwhile.
    ///
    /// Values are compared as the bytes that they are serialised to: `0.0` and `-0.0` are two, and a `HashMap` is no good element,
    /// since equal ones have several forms. The order is that in which they came.
    ///
    /// ```
    /// use ringway::manager::{Client, Server};
    ///
    /// let name = format!("set-{}", std::process::id());
    /// let server = Server::bind(&name)?.spawn();
    /// let client = Client::connect(&name)?;
    ///
    /// let (here, there) = (client.set::<u32>("here")?, client.set::<u32>("there")?);
    /// assert_eq!(here.extend(&[3, 1, 3, 2])?, 3);
    /// there.extend(&[2, 3, 4])?;
    /// assert!(!here.insert(&1)?);
    /// assert_eq!(here.intersection(&there)?, [3, 2]);
    /// assert_eq!(here.union(&there)?, [3, 1, 2, 4]);
    /// # drop((here, there, client));
    /// # server.shutdown()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    Set<T>
}

impl<T: Item> Set<T> {
    /// How many values there are.
    ///
    /// # Errors
    ///
    /// Why there is no answer.
    pub fn len(&self) -> Result<usize, CallError> {
        self.proxy.call_with("len", |_| Ok(()))
    }

    /// Whether there are none.
    ///
    /// # Errors
    ///
    /// Why there is no answer.
    pub fn is_empty(&self) -> Result<bool, CallError> {
        Ok(self.len()? == 0)
    }

    /// The number of the last change: the same as that of a [`Snapshot`] while that is what there is.
    ///
    /// # Errors
    ///
    /// Why there is no answer.
    pub fn version(&self) -> Result<u64, CallError> {
        self.proxy.call_with("version", |_| Ok(()))
    }

    /// Puts `value` in: whether it was not in yet.
    ///
    /// # Errors
    ///
    /// Why there is no answer.
    pub fn insert(&self, value: &T) -> Result<bool, CallError> {
        self.proxy.call_with("insert", |to| to.value(value))
    }

    /// Takes `value` out: whether it was in.
    ///
    /// # Errors
    ///
    /// Why there is no answer.
    pub fn remove(&self, value: &T) -> Result<bool, CallError> {
        self.proxy.call_with("remove", |to| to.value(value))
    }

    /// Whether `value` is in.
    ///
    /// # Errors
    ///
    /// Why there is no answer.
    pub fn contains(&self, value: &T) -> Result<bool, CallError> {
        self.proxy.call_with("contains", |to| to.value(value))
    }

    /// Puts all of `values` in, in one step: how many were not in yet.
    ///
    /// # Errors
    ///
    /// Why there is no answer.
    pub fn extend<'a>(&self, values: impl IntoIterator<Item = &'a T>) -> Result<usize, CallError> {
        let values: Vec<&T> = values.into_iter().collect();
        self.proxy.call_with("extend", |to| {
            to.put(&values.len())?;
            values.into_iter().try_for_each(|value| to.value(value))
        })
    }

    /// Takes out the value that came last, if there is one.
    ///
    /// # Errors
    ///
    /// Why there is no answer.
    pub fn pop(&self) -> Result<Option<T>, CallError> {
        self.proxy.call_with("pop", |_| Ok(()))
    }

    /// Takes out all.
    ///
    /// # Errors
    ///
    /// Why there is no answer.
    pub fn clear(&self) -> Result<(), CallError> {
        self.proxy.call_with("clear", |_| Ok(()))
    }

    /// All values at one moment.
    ///
    /// # Errors
    ///
    /// Why there is no answer.
    pub fn snapshot(&self) -> Result<Snapshot<T>, CallError> {
        self.proxy.call_with("snapshot", |_| Ok(()))
    }

    /// All values at one moment.
    ///
    /// # Errors
    ///
    /// Why there is no answer.
    pub fn items(&self) -> Result<Vec<T>, CallError> {
        self.snapshot().map(Snapshot::into_vec)
    }

    /// Takes out all that `keep` does not keep, in one step for others. `keep` is asked here; where others changed something meanwhile it
    /// is asked anew.
    ///
    /// # Errors
    ///
    /// [`CallError::Contended`]; why there is no answer.
    pub fn retain(&self, mut keep: impl FnMut(&T) -> bool) -> Result<(), CallError> {
        until_unchanged(|| {
            let seen = self.snapshot()?;
            let Some(kept) = kept(&seen, &mut keep) else { return Ok(Some(())) };
            let done: bool = self.proxy.call_with("keep", |to| to.put(&(seen.version(), kept)))?;
            Ok(done.then_some(()))
        })
    }
}

/// With another set: each of the two as it was at a moment of its own.
impl<T: Item + Hash + Eq> Set<T> {
    /// What is in this set or in `other`: this one's in their order, then what only the other has.
    ///
    /// # Errors
    ///
    /// Why there is no answer.
    pub fn union(&self, other: &Self) -> Result<Vec<T>, CallError> {
        let (mut all, others) = (self.items()?, other.items()?);
        let only = without(others, &all);
        all.extend(only);
        Ok(all)
    }

    /// What is in both.
    ///
    /// # Errors
    ///
    /// Why there is no answer.
    pub fn intersection(&self, other: &Self) -> Result<Vec<T>, CallError> {
        let (mut mine, others) = (self.items()?, other.items()?);
        let others: HashSet<&T> = others.iter().collect();
        mine.retain(|value| others.contains(value));
        Ok(mine)
    }

    /// What is in this set and not in `other`.
    ///
    /// # Errors
    ///
    /// Why there is no answer.
    pub fn difference(&self, other: &Self) -> Result<Vec<T>, CallError> {
        Ok(without(self.items()?, &other.items()?))
    }

    /// What is in one of the two alone: this one's, then the other's.
    ///
    /// # Errors
    ///
    /// Why there is no answer.
    pub fn symmetric_difference(&self, other: &Self) -> Result<Vec<T>, CallError> {
        let (mine, others) = (self.items()?, other.items()?);
        let theirs: HashSet<&T> = others.iter().collect();
        let (both, only): (Vec<T>, Vec<T>) =
            mine.into_iter().partition(|value| theirs.contains(value));
        Ok([only, without(others, &both)].into_iter().flatten().collect())
    }

    /// Whether all of this set is in `other`.
    ///
    /// # Errors
    ///
    /// Why there is no answer.
    pub fn is_subset(&self, other: &Self) -> Result<bool, CallError> {
        Ok(self.difference(other)?.is_empty())
    }

    /// Whether nothing is in both.
    ///
    /// # Errors
    ///
    /// Why there is no answer.
    pub fn is_disjoint(&self, other: &Self) -> Result<bool, CallError> {
        Ok(self.intersection(other)?.is_empty())
    }
}

/// Those of `values` that are not among `others`.
fn without<T: Hash + Eq>(mut values: Vec<T>, others: &[T]) -> Vec<T> {
    let others: HashSet<&T> = others.iter().collect();
    values.retain(|value| !others.contains(value));
    values
}

impl Client {
    /// The set of that name, which is made empty if there is none.
    ///
    /// # Errors
    ///
    /// [`Refusal::WrongType`] if it is something else, or of another type; why there is no answer.
    pub fn set<T: Item>(&self, name: &str) -> Result<Set<T>, CallError> {
        self.make::<Elements>(Some(name), fingerprint_of::<T>(), |_| Ok(())).map(Set::of)
    }

    /// A new empty set without a name.
    ///
    /// # Errors
    ///
    /// Why there is no answer.
    pub fn new_set<T: Item>(&self) -> Result<Set<T>, CallError> {
        self.make::<Elements>(None, fingerprint_of::<T>(), |_| Ok(())).map(Set::of)
    }
}
