//! Namespaces: values of different types, each with a name.

use std::any::type_name;
use std::collections::BTreeMap;

use serde::Deserialize;

use super::super::client::Client;
use super::super::error::{CallError, Refusal};
use super::super::item::{Item, ObjectNumber, Stored, fingerprint_of};
use super::super::object::{Answer, Arguments, Caller, Object};
use super::super::proxy::Encoder;
use super::super::wire::LONGEST_NAME;
use super::ordered::ABSENT;
use super::snapshot::exchange;

/// In the server: attributes in the order of their names.
#[derive(Default)]
pub(in crate::manager) struct Attributes {
    table: BTreeMap<String, Attribute>,
    version: u64,
}

struct Attribute {
    ty: Type,
    /// The number of the change that put it there.
    stamp: u64,
    value: Stored,
}

/// A type by its fingerprint, and what people call it.
#[derive(Deserialize)]
struct Type {
    fingerprint: [u8; 16],
    name: String,
}

impl Object for Attributes {
    const TYPE: &'static str = "namespace";

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
            "set" => self.set(arguments),
            "get_or_set" => self.get_or_set(arguments),
            "look" => self.look(arguments),
            "exchange" => self.exchange(arguments),
            "remove" => {
                let name: String = arguments.read()?;
                arguments.finish()?;
                Answer::value(&self.table.remove(&name).is_some())
            }
            "type" => {
                let name: String = arguments.read()?;
                arguments.finish()?;
                Answer::value(&self.table.get(&name).map(|there| &there.ty.name))
            }
            "len" => {
                arguments.finish()?;
                Answer::value(&self.table.len())
            }
            "names" => {
                arguments.finish()?;
                let count = Answer::value(&self.table.len())?;
                self.table.keys().try_fold(count, Answer::put)
            }
            "clear" => {
                arguments.finish()?;
                self.table.clear();
                Ok(Answer::nothing())
            }
            _ => Err(Refusal::UnknownMethod(method.to_owned())),
        }
    }

    fn references(&self, found: &mut dyn FnMut(ObjectNumber)) {
        let values = self.table.values().flat_map(|there| there.value.references());
        values.copied().for_each(found);
    }
}

impl Attributes {
    /// What has that name, if anything has, which must be of that type.
    fn find(&self, name: &str, wanted: &Type) -> Result<Option<&Attribute>, Refusal> {
        let Some(there) = self.table.get(name) else { return Ok(None) };
        if there.ty.fingerprint == wanted.fingerprint {
            return Ok(Some(there));
        }
        Err(Refusal::WrongType { is: there.ty.name.clone(), wanted: wanted.name.clone() })
    }

    fn put(&mut self, name: String, ty: Type, value: Stored) -> Result<(), Refusal> {
        if name.len() > LONGEST_NAME {
            return Err(Refusal::TooLong { len: name.len() as u64, max: LONGEST_NAME as u64 });
        }
        self.version += 1;
        self.table.insert(name, Attribute { ty, stamp: self.version, value });
        Ok(())
    }

    fn get(&self, arguments: &mut Arguments<'_>) -> Result<Answer, Refusal> {
        let (name, ty): (String, Type) = arguments.read()?;
        arguments.finish()?;
        let there = self.find(&name, &ty)?;
        Ok(there.map_or_else(Answer::none, |there| Answer::some(&there.value)))
    }

    fn set(&mut self, arguments: &mut Arguments<'_>) -> Result<Answer, Refusal> {
        let (name, ty) = arguments.read()?;
        let value = arguments.value()?;
        arguments.finish()?;
        self.put(name, ty, value)?;
        Ok(Answer::nothing())
    }

    fn get_or_set(&mut self, arguments: &mut Arguments<'_>) -> Result<Answer, Refusal> {
        let (name, ty): (String, Type) = arguments.read()?;
        let value = arguments.value()?;
        arguments.finish()?;
        if let Some(there) = self.find(&name, &ty)? {
            return Ok(Answer::stored(&there.value));
        }
        let answer = Answer::stored(&value);
        self.put(name, ty, value)?;
        Ok(answer)
    }

    /// A value with its stamp, if there is one.
    fn look(&self, arguments: &mut Arguments<'_>) -> Result<Answer, Refusal> {
        let (name, ty): (String, Type) = arguments.read()?;
        arguments.finish()?;
        stamped(Answer::nothing(), self.find(&name, &ty)?)
    }

    /// Nothing if what has that stamp was exchanged, else what is there, with its stamp.
    fn exchange(&mut self, arguments: &mut Arguments<'_>) -> Result<Answer, Refusal> {
        let (name, ty, stamp): (String, Type, u64) = arguments.read()?;
        let value = arguments.value()?;
        arguments.finish()?;
        let there = self.find(&name, &ty)?;
        if there.map_or(ABSENT, |there| there.stamp) != stamp {
            return stamped(Answer::value(&true)?, there);
        }
        self.put(name, ty, value)?;
        Ok(Answer::none())
    }
}

/// `answer`, then perhaps a stamp and its value.
fn stamped(answer: Answer, there: Option<&Attribute>) -> Result<Answer, Refusal> {
    match there {
        Some(there) => Ok(answer.put(&(true, there.stamp))?.put_stored(&there.value)),
        None => answer.put(&false),
    }
}

proxy! {
    /// Values of different types that a server keeps, each with a name. Each call is one step to all others, whatever they do meanwhile.
    ///
    /// Who asks for a value as another type than it is gets [`Refusal::WrongType`], with the names of both.
    ///
    /// ```
    /// use ringway::manager::{CallError, Client, Refusal, Server};
    ///
    /// let name = format!("namespace-{}", std::process::id());
    /// let server = Server::bind(&name)?.spawn();
    /// let client = Client::connect(&name)?;
    ///
    /// let settings = client.namespace("settings")?;
    /// settings.set("depth", &3u32)?;
    /// settings.set("title", &"sea".to_owned())?;
    /// assert_eq!(settings.get::<u32>("depth")?, Some(3));
    /// assert_eq!(settings.names()?, ["depth", "title"]);
    /// let refused = settings.get::<u32>("title");
    /// assert!(matches!(refused, Err(CallError::Refused(Refusal::WrongType { .. }))));
    /// # drop((settings, client));
    /// # server.shutdown()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    Namespace
}

impl Namespace {
    /// The value of that name, if there is one.
    ///
    /// # Errors
    ///
    /// [`Refusal::WrongType`]; why there is no answer.
    pub fn get<T: Item>(&self, name: &str) -> Result<Option<T>, CallError> {
        self.proxy.call_with("get", |to| to.put(&(name, typed::<T>())))
    }

    /// Makes `value` that of the name, whatever it was before and of whatever type.
    ///
    /// # Errors
    ///
    /// [`Refusal::TooLong`] if the name has more than 200 bytes; why there is no answer.
    pub fn set<T: Item>(&self, name: &str, value: &T) -> Result<(), CallError> {
        self.call_with("set", name, value)
    }

    /// The value of that name, which is `value` if there is none.
    ///
    /// # Errors
    ///
    /// As [`get`](Self::get) and [`set`](Self::set).
    pub fn get_or_set<T: Item>(&self, name: &str, value: &T) -> Result<T, CallError> {
        self.call_with("get_or_set", name, value)
    }

    /// Makes the value of that name what `change` makes of it, and gives that; `None` is no value. Where others were faster `change`
    /// is called again.
    ///
    /// # Errors
    ///
    /// As [`get`](Self::get) and [`set`](Self::set); [`CallError::Contended`].
    pub fn update<T: Item>(
        &self,
        name: &str,
        mut change: impl FnMut(Option<&T>) -> T,
    ) -> Result<T, CallError> {
        let ty = typed::<T>();
        let seen: Option<(u64, T)> = self.proxy.call_with("look", |to| to.put(&(name, ty)))?;
        exchange(seen, |old| {
            let stamp = old.as_ref().map_or(ABSENT, |(stamp, _)| *stamp);
            let new = change(old.as_ref().map(|(_, value)| value));
            let other: Option<Option<(u64, T)>> = self.proxy.call_with("exchange", |to| {
                to.put(&(name, ty, stamp))?;
                to.value(&new)
            })?;
            Ok(other.map_or(Ok(new), Err))
        })
    }

    /// Takes out the value of that name: whether there was one.
    ///
    /// # Errors
    ///
    /// Why there is no answer.
    pub fn remove(&self, name: &str) -> Result<bool, CallError> {
        self.proxy.call_with("remove", |to| to.put(name))
    }

    /// What the type of that name's value is called by who set it, if there is one. For people.
    ///
    /// # Errors
    ///
    /// Why there is no answer.
    pub fn type_of(&self, name: &str) -> Result<Option<String>, CallError> {
        self.proxy.call_with("type", |to| to.put(name))
    }

    /// Whether there is a value of that name, of whatever type.
    ///
    /// # Errors
    ///
    /// Why there is no answer.
    pub fn contains(&self, name: &str) -> Result<bool, CallError> {
        Ok(self.type_of(name)?.is_some())
    }

    /// All names, sorted.
    ///
    /// # Errors
    ///
    /// Why there is no answer.
    pub fn names(&self) -> Result<Vec<String>, CallError> {
        self.proxy.call_with("names", |_| Ok(()))
    }

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

    /// Takes out all.
    ///
    /// # Errors
    ///
    /// Why there is no answer.
    pub fn clear(&self) -> Result<(), CallError> {
        self.proxy.call_with("clear", |_| Ok(()))
    }

    fn call_with<T: Item, R: Item>(
        &self,
        method: &str,
        name: &str,
        value: &T,
    ) -> Result<R, CallError> {
        self.proxy.call_with(method, |to: &mut Encoder<'_>| {
            to.put(&(name, typed::<T>()))?;
            to.value(value)
        })
    }
}

/// What [`Type`] is read from.
fn typed<T: Item>() -> ([u8; 16], &'static str) {
    (fingerprint_of::<T>(), type_name::<T>())
}

impl Client {
    /// The namespace of that name, which is made empty if there is none.
    ///
    /// # Errors
    ///
    /// [`Refusal::WrongType`] if it is something else; why there is no answer.
    pub fn namespace(&self, name: &str) -> Result<Namespace, CallError> {
        self.make::<Attributes>(Some(name), [0; 16], |_| Ok(())).map(Namespace::of)
    }

    /// A new empty namespace without a name.
    ///
    /// # Errors
    ///
    /// Why there is no answer.
    pub fn new_namespace(&self) -> Result<Namespace, CallError> {
        self.make::<Attributes>(None, [0; 16], |_| Ok(())).map(Namespace::of)
    }
}
