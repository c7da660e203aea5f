//! Messages of any type that serde knows, in the form of postcard.
//!
//! A value is written twice: once into nothing, which tells how long it is, and then into its place in the queue. It is read
//! where it lies. Whoever sent may still write there, so what must stay what it was when it was checked (text, borrowed bytes)
//! is copied first: [`InPlace`].

mod bounded;
#[cfg(feature = "manager")]
mod limited;
mod recv;
mod send;

use std::cell::{Cell, OnceCell};
use std::fmt;
use std::marker::PhantomData;

use ::postcard::{Deserializer, Error, de_flavors, ser_flavors};
use serde::Serialize;
use serde::de::DeserializeOwned;

use self::bounded::{Bounded, TOO_DEEP, TOO_MANY};
use super::{Message, Queue};
use crate::channel::options::Options;
use crate::error::Fault;
use crate::fingerprint::Fingerprint;
#[cfg(feature = "manager")]
use crate::primitive::append as append_bytes;
use crate::primitive::copy;

/// What a queue of values of `T` is of, where `T` is any type that serde knows. There are no values of it.
///
/// ```
/// use ringway::Fingerprint;
/// use ringway::queue::{Postcard, Queue};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Serialize, Deserialize, Fingerprint, PartialEq, Debug)]
/// struct Job {
///     id: u64,
///     steps: Vec<String>,
/// }
///
/// let name = format!("jobs-of-any-size-{}", std::process::id());
/// let queue = Queue::<Postcard<Job>>::options().remove_when_unused().create(&name)?;
/// let (sender, receiver) = (queue.sender(), queue.receiver());
/// let job = Job { id: 7, steps: vec!["cut".to_owned(), "glue".to_owned()] };
/// sender.send_value(&job)?;
/// assert_eq!(receiver.recv_value()?, job);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// The queue is one of bytes: [`message_len`](Options::message_len) bounds how long a value may become. Whoever opens it must mean
/// the same type ([`Fingerprint`]), or the same agreed name where [`options_named`](Queue::options_named) is used.
///
/// So that no message uses up a receiver's stack or time, a value is received only if at most 128 options, enums, sequences and maps are
/// in one another, and at most 65,536 elements of its sequences and maps take no bytes, as `()` does. Sending does not check that:
/// another value arrives as [`Fault::Undecodable`]. How much stack each level takes is the type's affair.
pub struct Postcard<T>(PhantomData<fn() -> T>);

impl<T> fmt::Debug for Postcard<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Postcard")
    }
}

impl<T: Fingerprint> Queue<Postcard<T>>
where
    Postcard<T>: Message<Item = T>,
{
    /// Options for making or opening a queue of values of any type, which is compared on opening.
    pub fn options() -> Options<Self> {
        Options::default().checked()
    }
}

impl<T> Queue<Postcard<T>>
where
    Postcard<T>: Message,
{
    /// The same for a type that does not tell what it is: an agreed name is compared instead. Change it when the type changes.
    pub fn options_named(type_id: &str) -> Options<Self> {
        Options::default().type_id(type_id)
    }
}

/// How many bytes `value` takes.
fn measure<T: Serialize + ?Sized>(value: &T) -> Result<usize, Fault> {
    ::postcard::serialize_with_flavor(value, ser_flavors::Size::default())
        .map_err(|why| unserializable(&why))
}

/// Writes `value` to the beginning of `place`. Says how many bytes it took.
fn write<T: Serialize + ?Sized>(value: &T, place: &mut [u8]) -> Result<usize, Fault> {
    let written = ::postcard::serialize_with_flavor(value, Place { place, len: 0 });
    written.map_err(|why| unserializable(&why))
}

/// Appends the form of `value`. Where it has none, what was appended of it stays.
#[cfg(feature = "manager")]
pub(crate) fn append<T: Serialize + ?Sized>(value: &T, to: &mut Vec<u8>) -> Result<(), Fault> {
    ::postcard::serialize_with_flavor(value, Appended(to)).map_err(|why| unserializable(&why))
}

/// The same for a value that others are to read, perhaps within something: what [`read_first`] would refuse has no form.
#[cfg(feature = "manager")]
pub(crate) fn append_limited<T: Serialize + ?Sized>(
    value: &T,
    to: &mut Vec<u8>,
) -> Result<(), Fault> {
    let before = to.len();
    let written = limited::write(value, Appended(to), |output| output.0.len() - before);
    written.map_err(|why| unserializable(&why))
}

/// Memory that grows as it is written.
#[cfg(feature = "manager")]
struct Appended<'a>(&'a mut Vec<u8>);

#[cfg(feature = "manager")]
impl ser_flavors::Flavor for Appended<'_> {
    type Output = ();

    #[inline]
    fn try_push(&mut self, byte: u8) -> ::postcard::Result<()> {
        self.0.push(byte);
        Ok(())
    }

    #[inline]
    fn try_extend(&mut self, bytes: &[u8]) -> ::postcard::Result<()> {
        append_bytes(self.0, bytes);
        Ok(())
    }

    fn finalize(self) -> ::postcard::Result<()> {
        Ok(())
    }
}

/// A place that is being written, and how far it is.
struct Place<'a> {
    place: &'a mut [u8],
    len: usize,
}

/// As many bytes are written one by one: a number of up to 64 bits. It was just made in so many single stores, and a copy in wide loads
/// would wait for them.
const NUMBER: usize = 10;

impl ser_flavors::Flavor for Place<'_> {
    type Output = usize;

    #[inline]
    fn try_push(&mut self, byte: u8) -> ::postcard::Result<()> {
        let place = self.place.get_mut(self.len).ok_or(Error::SerializeBufferFull)?;
        *place = byte;
        self.len += 1;
        Ok(())
    }

    #[inline]
    fn try_extend(&mut self, bytes: &[u8]) -> ::postcard::Result<()> {
        if bytes.len() <= NUMBER {
            return bytes.iter().try_for_each(|byte| self.try_push(*byte));
        }
        let rest = &mut self.place[self.len..];
        let place = rest.get_mut(..bytes.len()).ok_or(Error::SerializeBufferFull)?;
        copy(place, bytes);
        self.len += bytes.len();
        Ok(())
    }

    fn finalize(self) -> ::postcard::Result<usize> {
        Ok(self.len)
    }
}

/// The value whose form is all of `bytes`, which others may write to meanwhile.
fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Fault> {
    let copy = OnceCell::new();
    let mut reader = Deserializer::from_flavor(InPlace { rest: bytes, copy: &copy, copied: false });
    let left = Cell::default();
    let bounded = Bounded::new(&mut reader, bytes.len(), &left);
    let value = T::deserialize(bounded).map_err(|why| undecodable(&why))?;
    match reader.finalize().map_err(|why| undecodable(&why))? {
        [] => Ok(value),
        _ => Err(Fault::Undecodable("bytes are left over")),
    }
}

/// The value that `bytes`, which nobody else writes to, begin with, and how many of them are its form.
#[cfg(feature = "manager")]
pub(crate) fn read_first<T: DeserializeOwned>(bytes: &[u8]) -> Result<(T, usize), Fault> {
    let copy = OnceCell::new();
    let mut reader = Deserializer::from_flavor(InPlace { rest: bytes, copy: &copy, copied: true });
    let left = Cell::default();
    let bounded = Bounded::new(&mut reader, bytes.len(), &left);
    let value = T::deserialize(bounded).map_err(|why| undecodable(&why))?;
    let rest = reader.finalize().map_err(|why| undecodable(&why))?;
    Ok((value, bytes.len() - rest.len()))
}

/// Bytes where they lie, until something is taken that must not change any more: from there on a copy.
struct InPlace<'de> {
    rest: &'de [u8],
    copy: &'de OnceCell<Box<[u8]>>,
    copied: bool,
}

impl InPlace<'_> {
    /// Goes on in a copy of what is left.
    fn settle(&mut self) {
        if !self.copied {
            self.rest = self.copy.get_or_init(|| self.rest.into());
            self.copied = true;
        }
    }
}

impl<'de> de_flavors::Flavor<'de> for InPlace<'de> {
    type Remainder = &'de [u8];
    type Source = &'de [u8];

    #[inline]
    fn pop(&mut self) -> ::postcard::Result<u8> {
        let (&first, rest) = self.rest.split_first().ok_or(Error::DeserializeUnexpectedEnd)?;
        self.rest = rest;
        Ok(first)
    }

    #[inline]
    fn size_hint(&self) -> Option<usize> {
        Some(self.rest.len())
    }

    fn try_take_n(&mut self, count: usize) -> ::postcard::Result<&'de [u8]> {
        if self.rest.len() < count {
            return Err(Error::DeserializeUnexpectedEnd);
        }
        self.settle();
        let (taken, rest) = self.rest.split_at(count);
        self.rest = rest;
        Ok(taken)
    }

    fn finalize(self) -> ::postcard::Result<Self::Remainder> {
        Ok(self.rest)
    }
}

fn unserializable(why: &Error) -> Fault {
    Fault::Unserializable(match why {
        &TOO_DEEP => "it is nested too deeply",
        &TOO_MANY => "it has too many elements",
        Error::SerializeBufferFull => "it became longer while it was written",
        Error::SerializeSeqLengthUnknown => "a sequence of unknown length",
        Error::SerdeSerCustom | Error::CollectStrError => "its Serialize refused",
        _ => "postcard has no form for it",
    })
}

fn undecodable(why: &Error) -> Fault {
    Fault::Undecodable(match why {
        &TOO_DEEP => "it is nested too deeply",
        &TOO_MANY => "it has too many elements",
        Error::DeserializeUnexpectedEnd => "it ends too early",
        Error::DeserializeBadVarint => "a number that does not end",
        Error::DeserializeBadBool => "a bool that is neither",
        Error::DeserializeBadChar => "no character",
        Error::DeserializeBadUtf8 => "text that is not UTF-8",
        Error::DeserializeBadOption => "an option that is neither",
        Error::DeserializeBadEnum => "no such variant",
        Error::SerdeDeCustom => "its Deserialize refused",
        _ => "bytes that postcard does not write",
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;

    use super::*;

    fn form<T: Serialize>(value: &T) -> Vec<u8> {
        let mut place = vec![0; measure(value).unwrap()];
        assert_eq!(write(value, &mut place), Ok(place.len()));
        place
    }

    #[test]
    fn values_come_back_whether_they_are_copied_or_not() {
        let plain = (7u64, -3i16, Some(2.5f64), [true, false]);
        assert_eq!(read(&form(&plain)), Ok(plain));
        let text = (1u8, "words".to_owned(), 300u32, "more".to_owned(), 'x');
        assert_eq!(read(&form(&text)), Ok(text));
    }

    #[test]
    fn every_beginning_of_a_form_is_refused_and_so_is_what_comes_after_it() {
        let value = (9u64, "text".to_owned(), vec![1u16, 500], Some(1.0f32));
        let mut whole = form(&value);
        for len in 0..whole.len() {
            let cut: Result<(u64, String, Vec<u16>, Option<f32>), Fault> = read(&whole[..len]);
            assert!(matches!(cut, Err(Fault::Undecodable(_))), "{len}: {cut:?}");
        }
        whole.push(0);
        let longer: Result<(u64, String, Vec<u16>, Option<f32>), Fault> = read(&whole);
        assert_eq!(longer, Err(Fault::Undecodable("bytes are left over")));
    }

    #[derive(Deserialize, PartialEq, Debug)]
    struct Chain(Option<Box<Chain>>);

    #[derive(Deserialize, PartialEq, Debug)]
    struct Tree(Vec<Tree>);

    #[derive(Deserialize, PartialEq, Debug)]
    struct Keyed(BTreeMap<u8, Keyed>);

    #[derive(Deserialize, PartialEq, Debug)]
    enum Word {
        End,
        Next { next: Box<Word> },
        Then((), Box<Word>),
    }

    /// `levels` of `T`, each begun by `level`, have a form that is read, and one more level, or ten million, have none.
    fn is_read_so_deep<T: DeserializeOwned + std::fmt::Debug>(levels: usize, level: &[u8]) {
        let form = |levels: usize| [level.repeat(levels), vec![0]].concat();
        read::<T>(&form(levels)).unwrap();
        for more in [levels + 1, 10_000_000] {
            let why = Fault::Undecodable("it is nested too deeply");
            assert_eq!(read::<T>(&form(more)).unwrap_err(), why, "{more}");
        }
    }

    #[test]
    fn what_contains_itself_is_read_down_to_a_limit() {
        let deepest = bounded::DEEPEST as usize;
        is_read_so_deep::<Chain>(deepest, &[1]);
        is_read_so_deep::<Tree>(deepest - 1, &[1]);
        is_read_so_deep::<Keyed>(deepest - 1, &[1, 7]);
        is_read_so_deep::<Word>(deepest - 1, &[1]);
        is_read_so_deep::<Word>(deepest - 1, &[2]);
        is_read_so_deep::<(u8, Chain)>(deepest + 1, &[1]);
        assert_eq!(read(&[1, 1, 0]), Ok(Chain(Some(Box::new(Chain(Some(Box::new(Chain(None)))))))));
        assert_eq!(read(&[2, 1, 0, 0]), Ok(Tree(vec![Tree(vec![Tree(vec![])]), Tree(vec![])])));
        let next = Box::new(Word::Then((), Box::new(Word::End)));
        assert_eq!(read(&[1, 2, 0]), Ok(Word::Next { next }));
    }

    #[test]
    #[allow(clippy::zero_sized_map_values, reason = "they are what it is about")]
    fn elements_that_take_no_bytes_are_so_many_at_most() {
        let most = usize::try_from(bounded::MOST_EMPTY).unwrap();
        assert_eq!(read(&form(&vec![(); most])), Ok(vec![(); most]));
        let halves = [vec![(); most / 2], vec![(); most / 2]];
        assert_eq!(read(&form(&halves)), Ok(halves));
        let why = Err(Fault::Undecodable("it has too many elements"));
        assert_eq!(read::<Vec<()>>(&form(&vec![(); most + 10])), why);
        let endless = form(&u64::MAX);
        assert_eq!(read::<Vec<()>>(&endless), why);
        assert_eq!(read::<[Vec<[(); 3]>; 1]>(&endless).map(drop), why.clone().map(drop));
        assert_eq!(read::<BTreeMap<(), ()>>(&endless).map(drop), why.map(drop));
        // Those that take bytes are as many as the message has, and fields are not counted.
        let values = vec![(1u8, (), (), ()); 2 * most];
        assert_eq!(read(&form(&values)), Ok(values));
    }

    #[test]
    fn text_is_read_from_a_copy_that_nobody_else_writes_to() {
        let bytes = form(&"text".to_owned());
        let copy = OnceCell::new();
        let mut flavor = InPlace { rest: &bytes, copy: &copy, copied: false };
        assert_eq!(de_flavors::Flavor::pop(&mut flavor), Ok(4));
        let text = de_flavors::Flavor::try_take_n(&mut flavor, 4).unwrap();
        assert!(!bytes.as_ptr_range().contains(&text.as_ptr()));
        assert_eq!(text, b"text");
    }
}
