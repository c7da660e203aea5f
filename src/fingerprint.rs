//! What a type is, said so that two builds can compare it: a text, and the fingerprint of that.
//!
//! The text of a type names its fields or variants, each with its type, told the same way. Of values, which lie in memory as
//! they are, it says size, alignment and offsets too. A structure that was told before is referred to by its number, so it may
//! contain itself. Nothing in it depends on the build: what the compiler may choose is told only where others see it.

mod known;

use std::any::TypeId;
use std::fmt::{self, Write};

/// A type that can say what it is, so that who opens a channel learns at once that its maker meant something else.
///
/// Derived by `#[derive(Fingerprint)]` (features `derive`, `serde`) where all fields have it. Two types agree if name, fields or
/// variants, their order, names and types agree, and `#[serde(...)]` attributes where there are any; of values also offsets, size and
/// alignment.
///
/// A field whose type does not have it is told by a text: `#[fingerprint(opaque = "uuid 1")]`; change the text when what it
/// stands for changes. `#[fingerprint(name = "Order")]` keeps the name of a type that was renamed.
pub trait Fingerprint: 'static {
    /// Tells what the type is.
    fn describe(to: &mut Description);
}

/// The text that a type tells of itself.
#[derive(Debug)]
pub struct Description {
    text: String,
    told: Vec<TypeId>,
    in_place: bool,
}

impl Description {
    /// That of values of `T` as they lie in memory.
    pub fn of_value<T: Fingerprint + ?Sized>() -> Self {
        Self::of::<T>(true)
    }

    /// That of `T` as serde sees it.
    pub fn of_serialized<T: Fingerprint + ?Sized>() -> Self {
        Self::of::<T>(false)
    }

    pub(crate) fn of<T: Fingerprint + ?Sized>(in_place: bool) -> Self {
        let text = if in_place { "value " } else { "serialized " }.to_owned();
        let mut description = Self { text, told: Vec::new(), in_place };
        description.part::<T>();
        description
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// A type that is known by its name alone.
    pub fn word(&mut self, word: &str) {
        self.text.push_str(word);
    }

    /// A type that the one that is told is made of.
    pub fn part<T: Fingerprint + ?Sized>(&mut self) {
        T::describe(self);
    }

    /// A type of parts: `name<A, B>`.
    pub fn made_of(&mut self, name: &str, parts: &[fn(&mut Self)]) {
        self.word(name);
        self.word("<");
        for part in parts {
            part(self);
            self.word(",");
        }
        self.word(">");
    }

    /// The structure `T` with its fields, or the enumeration with its variants. Only the first time: then it is `#` and its number.
    pub fn structure<T: 'static>(
        &mut self,
        name: &str,
        attributes: &str,
        fields: impl FnOnce(&mut Self),
    ) {
        let id = TypeId::of::<T>();
        if let Some(number) = self.told.iter().position(|told| *told == id) {
            return self.write(format_args!("#{number}"));
        }
        self.told.push(id);
        self.write(format_args!("{name:?}"));
        self.attributes(attributes);
        if self.in_place {
            let (size, align) = (size_of::<T>(), align_of::<T>());
            self.write(format_args!(" size {size} align {align}"));
        }
        self.word("{");
        fields(self);
        self.word("}");
    }

    /// A variant with its fields.
    pub fn variant(&mut self, name: &str, attributes: &str, fields: impl FnOnce(&mut Self)) {
        self.write(format_args!("|{name:?}"));
        self.attributes(attributes);
        self.word("(");
        fields(self);
        self.word(")");
    }

    /// A field of type `T`, at `offset` bytes where that means something.
    pub fn field<T: Fingerprint + ?Sized>(
        &mut self,
        name: &str,
        offset: Option<usize>,
        attributes: &str,
    ) {
        self.begin_field(name, offset, attributes);
        self.part::<T>();
        self.word(",");
    }

    /// A field that a text stands for.
    pub fn opaque_field(&mut self, name: &str, offset: Option<usize>, text: &str) {
        self.begin_field(name, offset, "");
        self.write(format_args!("opaque {text:?},"));
    }

    fn begin_field(&mut self, name: &str, offset: Option<usize>, attributes: &str) {
        self.word(name);
        if let Some(offset) = offset.filter(|_| self.in_place) {
            self.write(format_args!("@{offset}"));
        }
        self.attributes(attributes);
        self.word(":");
    }

    fn attributes(&mut self, attributes: &str) {
        if !attributes.is_empty() {
            self.write(format_args!("[{attributes}]"));
        }
    }

    fn write(&mut self, text: fmt::Arguments<'_>) {
        self.text.write_fmt(text).expect("a string takes all");
    }
}

impl fmt::Display for Description {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A type that contains itself.
    struct Tree;

    impl Fingerprint for Tree {
        fn describe(to: &mut Description) {
            to.structure::<Self>("Tree", "", |to| {
                to.field::<u32>("leaf", None, "");
                to.field::<Vec<Tree>>("branches", None, "");
            });
        }
    }

    #[test]
    fn a_type_that_contains_itself_is_told_once() {
        let text = Description::of_serialized::<Tree>();
        assert_eq!(text.as_str(), "serialized \"Tree\"{leaf:u32,branches:Vec<#0,>,}");
    }

    #[test]
    fn size_and_alignment_are_told_of_values_only() {
        assert_eq!(Description::of_serialized::<[u8; 3]>().as_str(), "serialized [u8;3]");
        assert_eq!(Description::of_value::<[u8; 3]>().as_str(), "value [u8;3]");
        let value = Description::of_value::<Tree>();
        assert!(value.as_str().starts_with("value \"Tree\" size 0 align 1{"), "{value}");
    }

    #[test]
    fn names_cannot_be_taken_for_structure() {
        let one = |name: &str| {
            let mut to = Description { text: String::new(), told: Vec::new(), in_place: false };
            to.structure::<u8>(name, "", |_| ());
            to.text
        };
        assert_ne!(one("A\"{}|\"B"), "\"A\"{}|\"B\"{}");
    }
}
