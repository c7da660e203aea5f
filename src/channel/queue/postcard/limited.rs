//! A serialiser that writes nothing which no reader takes: postcard's, but for what is made of other things.
//!
//! What [`Bounded`](super::bounded::Bounded) counts when it reads is counted here in the same way.

use std::fmt::Display;

use ::postcard::{Error, Result, Serializer as Plain, ser_flavors::Flavor};
use serde::Serialize;
use serde::ser::{
    SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
    SerializeTupleStruct, SerializeTupleVariant, Serializer,
};

use super::bounded::{DEEPEST, MOST_EMPTY, TOO_DEEP, TOO_MANY};

/// So much may be around a value in what is read in the end.
const AROUND: u32 = 2;

/// A value that is being written, some way inside another.
pub struct Limited<'a, F: Flavor> {
    plain: &'a mut Plain<F>,
    elements: &'a mut u64,
    depth: u32,
}

/// Writes `value` to `output`; `len` says how many bytes of it are there then.
pub fn write<T: Serialize + ?Sized, F: Flavor>(
    value: &T,
    output: F,
    len: impl FnOnce(&F) -> usize,
) -> Result<()> {
    let (mut plain, mut elements) = (Plain { output }, 0);
    value.serialize(Limited { plain: &mut plain, elements: &mut elements, depth: AROUND })?;
    let most = MOST_EMPTY.saturating_add(len(&plain.output) as u64);
    if elements > most { Err(TOO_MANY) } else { Ok(()) }
}

impl<F: Flavor> Limited<'_, F> {
    fn again(&mut self) -> Limited<'_, F> {
        Limited { plain: self.plain, elements: self.elements, depth: self.depth }
    }

    fn deeper(mut self) -> Result<Self> {
        self.depth += 1;
        if self.depth > DEEPEST { Err(TOO_DEEP) } else { Ok(self) }
    }

    /// A sequence or map whose length was written.
    fn counted(self, len: Option<usize>) -> Result<Self> {
        *self.elements = self.elements.saturating_add(len.unwrap_or(0) as u64);
        self.deeper()
    }

    /// A variant, whose number this writes.
    fn variant(self, name: &'static str, index: u32, variant: &'static str) -> Result<Self> {
        self.plain.serialize_unit_variant(name, index, variant)?;
        self.deeper()
    }
}

/// What is not made of other things is written as it is.
macro_rules! plainly {
    ($($name:ident($of:ty))+) => {$(
        #[inline]
        fn $name(self, value: $of) -> Result<()> {
            self.plain.$name(value)
        }
    )+};
}

impl<F: Flavor> Serializer for Limited<'_, F> {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = Self;
    type SerializeTuple = Self;
    type SerializeTupleStruct = Self;
    type SerializeTupleVariant = Self;
    type SerializeMap = Self;
    type SerializeStruct = Self;
    type SerializeStructVariant = Self;

    plainly! {
        serialize_bool(bool) serialize_i8(i8) serialize_i16(i16) serialize_i32(i32) serialize_i64(i64) serialize_i128(i128)
        serialize_u8(u8) serialize_u16(u16) serialize_u32(u32) serialize_u64(u64) serialize_u128(u128)
        serialize_f32(f32) serialize_f64(f64) serialize_char(char) serialize_str(&str) serialize_bytes(&[u8])
    }

    fn is_human_readable(&self) -> bool {
        false
    }

    fn collect_str<T: Display + ?Sized>(self, value: &T) -> Result<()> {
        self.plain.collect_str(value)
    }

    fn serialize_none(self) -> Result<()> {
        self.plain.serialize_none()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<()> {
        self.plain.serialize_u8(1)?;
        value.serialize(self.deeper()?)
    }

    fn serialize_unit(self) -> Result<()> {
        Ok(())
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<()> {
        Ok(())
    }

    fn serialize_unit_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
    ) -> Result<()> {
        self.variant(name, index, variant).map(drop)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<()> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<()> {
        value.serialize(self.variant(name, index, variant)?)
    }

    fn serialize_seq(self, len: Option<usize>) -> Result<Self> {
        self.plain.serialize_seq(len)?;
        self.counted(len)
    }

    fn serialize_tuple(self, _: usize) -> Result<Self> {
        Ok(self)
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Self> {
        Ok(self)
    }

    fn serialize_tuple_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Self> {
        self.variant(name, index, variant)
    }

    fn serialize_map(self, len: Option<usize>) -> Result<Self> {
        self.plain.serialize_map(len)?;
        self.counted(len)
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self> {
        Ok(self)
    }

    fn serialize_struct_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Self> {
        self.variant(name, index, variant)
    }
}

/// Parts of something, one after the other.
macro_rules! in_turn {
    ($($of:ident: $($part:ident$(($key:ty))?),+;)+) => {$(
        impl<F: Flavor> $of for Limited<'_, F> {
            type Ok = ();
            type Error = Error;

            $(
                #[inline]
                fn $part<T: Serialize + ?Sized>(&mut self, $(_: $key,)? value: &T) -> Result<()> {
                    value.serialize(self.again())
                }
            )+

            fn end(self) -> Result<()> {
                Ok(())
            }
        }
    )+};
}

in_turn! {
    SerializeSeq: serialize_element;
    SerializeTuple: serialize_element;
    SerializeTupleStruct: serialize_field;
    SerializeTupleVariant: serialize_field;
    SerializeMap: serialize_key, serialize_value;
    SerializeStruct: serialize_field(&'static str);
    SerializeStructVariant: serialize_field(&'static str);
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;
    use serde::de::DeserializeOwned;

    use super::super::{append, append_limited, read_first};
    use super::{AROUND, DEEPEST, MOST_EMPTY, Serialize, SerializeSeq, Serializer};
    use crate::error::Fault;

    #[derive(Serialize, Deserialize, Default)]
    struct Chain(Option<Box<Chain>>);

    #[derive(Serialize, Deserialize, Default)]
    struct Tree(Vec<Tree>);

    #[derive(Serialize, Deserialize, Default)]
    struct Keyed(BTreeMap<u8, Keyed>);

    #[derive(Serialize, Deserialize, Default)]
    enum Word {
        #[default]
        End,
        Next {
            next: Box<Word>,
        },
        Then((), Box<Word>),
        Last(Box<Word>),
    }

    const DEEP: Fault = Fault::Unserializable("it is nested too deeply");
    const MANY: Fault = Fault::Unserializable("it has too many elements");

    fn form<T: Serialize>(value: &T) -> Result<Vec<u8>, Fault> {
        let mut bytes = Vec::new();
        append_limited(value, &mut bytes).map(|()| bytes)
    }

    /// What has the form of as many levels as it may have is read within a list that is an option, and no more levels have any.
    fn is_written_so_deep<T: Serialize + DeserializeOwned + Default>(
        most: u32,
        around: impl Fn(T) -> T,
    ) {
        let nested = |levels| (0..levels).fold(T::default(), |inner, _| around(inner));
        let form_of_most = form(&nested(most)).unwrap();
        let within = [vec![1, 1], form_of_most].concat();
        assert!(read_first::<Option<Vec<T>>>(&within).unwrap().0.is_some());
        assert_eq!(form(&nested(most + 1)), Err(DEEP));
        let mut all = Vec::new();
        append(&Some([&nested(most + 1)].as_slice()), &mut all).unwrap();
        assert!(read_first::<Option<Vec<T>>>(&all).is_err(), "and none would be read");
    }

    #[test]
    fn what_is_nested_too_deeply_to_be_read_has_no_form() {
        let most = DEEPEST - AROUND;
        is_written_so_deep::<Chain>(most, |inner| Chain(Some(Box::new(inner))));
        is_written_so_deep::<Tree>(most - 1, |inner| Tree(vec![inner]));
        is_written_so_deep::<Keyed>(most - 1, |inner| Keyed(BTreeMap::from([(7, inner)])));
        is_written_so_deep::<Word>(most - 1, |inner| Word::Next { next: Box::new(inner) });
        is_written_so_deep::<Word>(most - 1, |inner| Word::Then((), Box::new(inner)));
        is_written_so_deep::<Word>(most - 1, |inner| Word::Last(Box::new(inner)));
    }

    #[test]
    #[allow(clippy::zero_sized_map_values, reason = "they are what it is about")]
    fn what_has_too_many_elements_to_be_read_has_no_form() {
        let most = usize::try_from(MOST_EMPTY).unwrap() + 3;
        let bytes = form(&vec![(); most]).unwrap();
        assert_eq!(read_first::<Vec<()>>(&bytes).unwrap().0.len(), most);
        assert_eq!(form(&vec![(); most + 1]), Err(MANY));
        assert_eq!(form(&[vec![(); most / 2], vec![(); most]]), Err(MANY));
        form(&vec![0u8; 2 * most]).unwrap();
    }

    #[test]
    fn what_has_a_form_has_the_same() {
        let numbers = (true, -1i8, 2u8, (-3i16, 4u16, -5i32, 6u32), (-7i64, 8u64, -9i128, 10u128));
        let others = (1.5f32, -2.5f64, 'x', "text", (), None::<u8>, Some([1u8, 2]));
        let nested = BTreeMap::from([(1u8, vec![Ok::<u8, String>(1), Err("no".to_owned())])]);
        let value = (numbers, others, nested, Word::Then((), Box::default()), Chain::default());
        let mut plain = Vec::new();
        append(&value, &mut plain).unwrap();
        assert_eq!(form(&value), Ok(plain));
        let why = Fault::Unserializable("a sequence of unknown length");
        assert_eq!(form(&Unknown), Err(why));
    }

    /// A sequence that does not say how long it is.
    struct Unknown;

    impl Serialize for Unknown {
        fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
            to.serialize_seq(None)?.end()
        }
    }
}
