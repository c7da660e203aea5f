//! A deserialiser that no message leads astray: postcard's, but for what is made of other things.
//!
//! A type that contains itself is read by a function that calls itself, as deep as the message says, and elements that take
//! no bytes cost a message nothing, however many it says there are. Both have a limit here. Whatever contains itself does so by an
//! option, an enum, a sequence or a map: these are counted.

use std::cell::Cell;

use ::postcard::{Deserializer as Plain, Error, Result};
use serde::Deserialize;
use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, IntoDeserializer, MapAccess, SeqAccess,
    VariantAccess, Visitor,
};

use super::InPlace;

/// As many options, enums, sequences and maps at most are in one another.
pub const DEEPEST: u32 = 128;
/// As many elements at most, of all sequences and maps together, take no bytes.
pub const MOST_EMPTY: u64 = 1 << 16;

/// It is nested deeper than that. Postcard itself fails so nowhere.
pub const TOO_DEEP: Error = Error::NotYetImplemented;
/// There are more elements than bytes and [`MOST_EMPTY`]. As above.
pub const TOO_MANY: Error = Error::DeserializeBadEncoding;

/// A value that is being read, some way inside another.
pub struct Bounded<'a, 'de> {
    plain: &'a mut Plain<'de, InPlace<'de>>,
    /// How many elements may still come.
    left: &'a Cell<u64>,
    depth: u32,
}

impl<'a, 'de> Bounded<'a, 'de> {
    /// The outermost, of a message of `len` bytes.
    pub fn new(plain: &'a mut Plain<'de, InPlace<'de>>, len: usize, left: &'a Cell<u64>) -> Self {
        // Elements that take bytes begin with one each that no other begins with.
        left.set(MOST_EMPTY.saturating_add(len as u64));
        Self { plain, left, depth: 0 }
    }

    fn again(&mut self) -> Bounded<'_, 'de> {
        Bounded { plain: self.plain, left: self.left, depth: self.depth }
    }

    fn deeper(mut self) -> Result<Self> {
        self.depth += 1;
        if self.depth > DEEPEST { Err(TOO_DEEP) } else { Ok(self) }
    }

    /// Elements of a number that the message says.
    fn counted(self) -> Result<Elements<'a, 'de>> {
        let count = usize::deserialize(&mut *self.plain)?;
        Ok(Elements { value: self.deeper()?, count, told: true })
    }

    /// Elements of a number that the type says.
    fn fixed(self, count: usize) -> Elements<'a, 'de> {
        Elements { value: self, count, told: false }
    }
}

/// What is not made of other things is read as it is.
macro_rules! plainly {
    ($($name:ident)+) => {$(
        #[inline]
        fn $name<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
            self.plain.$name(visitor)
        }
    )+};
}

impl<'de> Deserializer<'de> for Bounded<'_, 'de> {
    type Error = Error;

    plainly! {
        deserialize_any deserialize_bool deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_i128
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128 deserialize_char
        deserialize_str deserialize_string deserialize_bytes deserialize_byte_buf deserialize_unit
        deserialize_identifier deserialize_ignored_any
    }

    // Byte by byte, as other numbers: postcard takes these as a slice, which would be copied first.
    #[inline]
    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        visitor.visit_f32(f32::from_le_bytes(Deserialize::deserialize(&mut *self.plain)?))
    }

    #[inline]
    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        visitor.visit_f64(f64::from_le_bytes(Deserialize::deserialize(&mut *self.plain)?))
    }

    fn is_human_readable(&self) -> bool {
        false
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match u8::deserialize(&mut *self.plain)? {
            0 => visitor.visit_none(),
            1 => visitor.visit_some(self.deeper()?),
            _ => Err(Error::DeserializeBadOption),
        }
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value> {
        visitor.visit_unit()
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        visitor.visit_seq(self.counted()?)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value> {
        visitor.visit_seq(self.fixed(len))
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        len: usize,
        visitor: V,
    ) -> Result<V::Value> {
        visitor.visit_seq(self.fixed(len))
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        visitor.visit_map(self.counted()?)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        visitor.visit_seq(self.fixed(fields.len()))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        visitor.visit_enum(self.deeper()?)
    }
}

/// The elements of a sequence, the pairs of a map, the fields of a structure.
struct Elements<'a, 'de> {
    value: Bounded<'a, 'de>,
    count: usize,
    /// The message says how many there are.
    told: bool,
}

impl Elements<'_, '_> {
    /// Whether there is another one.
    fn step(&mut self) -> Result<bool> {
        let Some(count) = self.count.checked_sub(1) else { return Ok(false) };
        self.count = count;
        if self.told {
            let left = &self.value.left;
            left.set(left.get().checked_sub(1).ok_or(TOO_MANY)?);
        }
        Ok(true)
    }

    /// How many come, as far as there may be so many.
    fn likely(&self) -> usize {
        usize::try_from(self.value.left.get()).map_or(self.count, |left| left.min(self.count))
    }
}

impl<'de> SeqAccess<'de> for Elements<'_, 'de> {
    type Error = Error;

    #[inline]
    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>> {
        if self.step()? { seed.deserialize(self.value.again()).map(Some) } else { Ok(None) }
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.likely())
    }
}

impl<'de> MapAccess<'de> for Elements<'_, 'de> {
    type Error = Error;

    #[inline]
    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>> {
        self.next_element_seed(seed)
    }

    #[inline]
    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value> {
        seed.deserialize(self.value.again())
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.likely())
    }
}

impl<'de> EnumAccess<'de> for Bounded<'_, 'de> {
    type Error = Error;
    type Variant = Self;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Self)> {
        let number = u32::deserialize(&mut *self.plain)?;
        Ok((seed.deserialize(number.into_deserializer())?, self))
    }
}

impl<'de> VariantAccess<'de> for Bounded<'_, 'de> {
    type Error = Error;

    fn unit_variant(self) -> Result<()> {
        Ok(())
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value> {
        seed.deserialize(self)
    }

    fn tuple_variant<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value> {
        visitor.visit_seq(self.fixed(len))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        visitor.visit_seq(self.fixed(fields.len()))
    }
}
