//! Maps in the server.

use super::super::super::error::Refusal;
use super::super::super::item::{ObjectNumber, Stored};
use super::super::super::object::{Answer, Arguments, Caller, Object};
use super::super::ordered::{ABSENT, Ordered};
use super::super::row::optional;

/// Values by key. Each value has the *stamp* of its own: the number of the change that put it there.
#[derive(Default)]
pub(in crate::manager) struct Entries {
    table: Ordered<(u64, Stored)>,
    version: u64,
}

impl Object for Entries {
    const TYPE: &'static str = "map";

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
            "get" => self.get(arguments),
            "insert" => self.insert(arguments),
            "remove" => self.remove(arguments),
            "contains" => {
                let key = arguments.value_bytes()?;
                arguments.finish()?;
                Answer::value(&self.table.contains(key))
            }
            "get_or_insert" => self.get_or_insert(arguments),
            "pop" => self.pop(arguments),
            "extend" => self.extend(arguments),
            "keep" => self.keep(arguments),
            "compare_exchange" => self.compare_exchange(arguments),
            "look" => self.look(arguments),
            "exchange" => self.exchange(arguments),
            other => {
                arguments.finish()?;
                self.whole(other)
            }
        }
    }

    fn references(&self, found: &mut dyn FnMut(ObjectNumber)) {
        self.table.references(found, |(_, value)| value.references());
    }
}

impl Entries {
    fn values(&self) -> impl ExactSizeIterator<Item = &Stored> {
        self.table.iter().map(|(_, (_, value))| value)
    }

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
            "keys" => Ok(Answer::list(self.table.iter().map(|(key, _)| key))),
            "values" => Ok(Answer::list(self.values())),
            "snapshot" => self.snapshot(),
            _ => Err(Refusal::UnknownMethod(method.to_owned())),
        }
    }

    fn snapshot(&self) -> Result<Answer, Refusal> {
        let answer = Answer::value(&(self.version, self.table.len()))?;
        let both = |answer: Answer, (key, (_, value)): (&Stored, &(u64, Stored))| {
            answer.put_stored(key).put_stored(value)
        };
        Ok(self.table.iter().fold(answer, both))
    }

    fn find(&self, key: &[u8]) -> Option<&Stored> {
        self.table.get(key).map(|(_, value)| value)
    }

    fn put(&mut self, key: Stored, value: Stored) -> Option<Stored> {
        self.version += 1;
        self.table.insert(key, (self.version, value)).map(|(_, old)| old)
    }

    fn take(&mut self, key: &[u8]) -> Option<Stored> {
        self.version += 1;
        self.table.remove(key).map(|(_, old)| old)
    }

    /// Puts a value there, or nothing.
    fn put_or_take(&mut self, key: Stored, value: Option<Stored>) {
        match value {
            Some(value) => drop(self.put(key, value)),
            None => drop(self.take(key.bytes())),
        }
    }

    fn get(&self, arguments: &mut Arguments<'_>) -> Result<Answer, Refusal> {
        let key = arguments.value_bytes()?;
        arguments.finish()?;
        Ok(optional(self.find(key)))
    }

    fn insert(&mut self, arguments: &mut Arguments<'_>) -> Result<Answer, Refusal> {
        let (key, value) = (arguments.value()?, arguments.value()?);
        arguments.finish()?;
        Ok(optional(self.put(key, value).as_ref()))
    }

    fn remove(&mut self, arguments: &mut Arguments<'_>) -> Result<Answer, Refusal> {
        let key = arguments.value_bytes()?;
        arguments.finish()?;
        Ok(optional(self.take(key).as_ref()))
    }

    fn get_or_insert(&mut self, arguments: &mut Arguments<'_>) -> Result<Answer, Refusal> {
        let (key, value) = (arguments.value()?, arguments.value()?);
        arguments.finish()?;
        if let Some(there) = self.find(key.bytes()) {
            return Ok(Answer::stored(there));
        }
        let answer = Answer::stored(&value);
        self.put(key, value);
        Ok(answer)
    }

    fn pop(&mut self, arguments: &mut Arguments<'_>) -> Result<Answer, Refusal> {
        arguments.finish()?;
        self.version += 1;
        let Some((key, (_, value))) = self.table.pop() else { return Ok(Answer::none()) };
        Ok(Answer::some(&key).put_stored(&value))
    }

    fn extend(&mut self, arguments: &mut Arguments<'_>) -> Result<Answer, Refusal> {
        let count: u64 = arguments.read()?;
        let mut entry = || Ok((arguments.value()?, arguments.value()?));
        let entries = (0..count).map(|_| entry()).collect::<Result<Vec<_>, Refusal>>()?;
        arguments.finish()?;
        for (key, value) in entries {
            self.put(key, value);
        }
        Ok(Answer::nothing())
    }

    fn keep(&mut self, arguments: &mut Arguments<'_>) -> Result<Answer, Refusal> {
        let (version, indices): (u64, Vec<u64>) = arguments.read()?;
        arguments.finish()?;
        if version != self.version {
            return Answer::value(&false);
        }
        self.table.keep(&indices)?;
        self.version += 1;
        Answer::value(&true)
    }

    /// Nothing if it was exchanged, else what is there.
    fn compare_exchange(&mut self, arguments: &mut Arguments<'_>) -> Result<Answer, Refusal> {
        let key = arguments.value()?;
        let current = if arguments.read()? { Some(arguments.value_bytes()?) } else { None };
        let value = optional_value(arguments)?;
        arguments.finish()?;
        let there = self.find(key.bytes());
        if there.map(Stored::bytes) != current {
            let answer = Answer::value(&(true, there.is_some()))?;
            return Ok(there.into_iter().fold(answer, Answer::put_stored));
        }
        self.put_or_take(key, value);
        Ok(Answer::none())
    }

    /// A value with its stamp, if there is one.
    fn look(&self, arguments: &mut Arguments<'_>) -> Result<Answer, Refusal> {
        let key = arguments.value_bytes()?;
        arguments.finish()?;
        stamped(Answer::nothing(), self.table.get(key))
    }

    /// Nothing if what has that stamp was exchanged, else what is there, with its stamp.
    fn exchange(&mut self, arguments: &mut Arguments<'_>) -> Result<Answer, Refusal> {
        let (key, stamp): (_, u64) = (arguments.value()?, arguments.read()?);
        let value = optional_value(arguments)?;
        arguments.finish()?;
        let there = self.table.get(key.bytes());
        if there.map_or(ABSENT, |(stamp, _)| *stamp) != stamp {
            return stamped(Answer::value(&true)?, there);
        }
        self.put_or_take(key, value);
        Ok(Answer::none())
    }
}

fn optional_value(arguments: &mut Arguments<'_>) -> Result<Option<Stored>, Refusal> {
    if arguments.read()? { arguments.value().map(Some) } else { Ok(None) }
}

/// `answer`, then perhaps a stamp and its value.
fn stamped(answer: Answer, there: Option<&(u64, Stored)>) -> Result<Answer, Refusal> {
    match there {
        Some((stamp, value)) => Ok(answer.put(&(true, stamp))?.put_stored(value)),
        None => answer.put(&false),
    }
}
