//! Arrays.

use std::cmp::Ordering;
use std::ops::RangeBounds;

use super::super::client::Client;
use super::super::error::{CallError, Refusal};
use super::super::item::{Item, ObjectNumber, fingerprint_of};
use super::super::object::{Answer, Arguments, Caller, Object};
use super::super::proxy::Encoder;
use super::row::{Row, several};
use super::snapshot::{Snapshot, bounds, exchange, sorted, until_unchanged};

/// In the server: a row of one length.
pub(in crate::manager) struct Fixed(Row);

impl Object for Fixed {
    const TYPE: &'static str = "array";

    fn create(mut arguments: Arguments<'_>) -> Result<Self, Refusal> {
        let (len, value) = (arguments.read()?, arguments.value()?);
        arguments.finish()?;
        Row::filled(len, &value).map(Self)
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

impl Fixed {
    fn answer(&mut self, method: &str, arguments: &mut Arguments<'_>) -> Result<Answer, Refusal> {
        match method {
            "fill" => {
                let value = arguments.value()?;
                arguments.finish()?;
                self.0.fill(&value)?;
                Ok(Answer::nothing())
            }
            "pick" => {
                let (version, indices): (u64, Vec<u64>) = arguments.read()?;
                arguments.finish()?;
                self.check_len(indices.len())?;
                Answer::value(&self.0.pick(version, &indices)?)
            }
            "put_back" => {
                let version = arguments.read()?;
                let values = several(arguments)?;
                arguments.finish()?;
                self.check_len(values.len())?;
                Answer::value(&self.0.put_back(version, values))
            }
            other => self.0.call(other, arguments),
        }
    }

    fn check_len(&self, len: usize) -> Result<(), Refusal> {
        let has = self.0.len();
        if len == has { Ok(()) } else { Err(other_len(has, len)) }
    }
}

fn other_len(is: usize, wanted: usize) -> Refusal {
    Refusal::WrongType { is: format!("an array of {is}"), wanted: format!("an array of {wanted}") }
}

proxy! {
    /// An array that a server keeps: as many values as it was made with. Each call is one step to all others, whatever they do meanwhile.
    ///
    /// Values are compared as the bytes that they are serialised to. An array of plain numbers that needs no server is a
    /// [`SharedArray`](crate::block::SharedArray).
    ///
    /// ```
    /// use ringway::manager::{Client, Server};
    ///
    /// let name = format!("array-{}", std::process::id());
    /// let server = Server::bind(&name)?.spawn();
    /// let client = Client::connect(&name)?;
    ///
    /// let seats = client.array::<Option<String>>("seats", 3, &None)?;
    /// assert_eq!(seats.compare_exchange(1, &None, &Some("Ann".to_owned()))?, Ok(()));
    /// let late = seats.compare_exchange(1, &None, &Some("Bob".to_owned()))?;
    /// assert_eq!(late, Err(Some("Ann".to_owned())));
    /// assert_eq!(seats.to_vec()?, [None, Some("Ann".to_owned()), None]);
    /// # drop((seats, client));
    /// # server.shutdown()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    Array<T>
}

row_methods!(Array);

impl<T: Item> Array<T> {
    /// Makes each one `value`, in one step.
    ///
    /// # Errors
    ///
    /// [`Refusal::TooLong`] if so many of it take more than 64 MiB; why there is no answer.
    pub fn fill(&self, value: &T) -> Result<(), CallError> {
        self.proxy.call_with("fill", |to| to.value(value))
    }
}

impl Client {
    /// The array of that name, which is made of `len` times `value` if there is none.
    ///
    /// # Errors
    ///
    /// [`Refusal::WrongType`] if it is something else, of another type or another length; [`Refusal::TooLong`] if it takes more than
    /// 64 MiB; why there is no answer.
    pub fn array<T: Item>(&self, name: &str, len: usize, value: &T) -> Result<Array<T>, CallError> {
        let array = self.make_array(Some(name), len, value)?;
        let has = array.len()?;
        if has == len { Ok(array) } else { Err(other_len(has, len).into()) }
    }

    /// A new array without a name, of `len` times `value`.
    ///
    /// # Errors
    ///
    /// [`Refusal::TooLong`] if it takes more than 64 MiB; why there is no answer.
    pub fn new_array<T: Item>(&self, len: usize, value: &T) -> Result<Array<T>, CallError> {
        self.make_array(None, len, value)
    }

    fn make_array<T: Item>(
        &self,
        name: Option<&str>,
        len: usize,
        value: &T,
    ) -> Result<Array<T>, CallError> {
        let encode = |to: &mut Encoder<'_>| {
            to.put(&len)?;
            to.value(value)
        };
        self.make::<Fixed>(name, fingerprint_of::<T>(), encode).map(Array::of)
    }
}
