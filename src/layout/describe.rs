//! A format that describes itself: what `shared!` and `constants!` declare can be listed, field by field, for whoever
//! reads segments in another language. There is no second list that could differ from the first.

/// What a field is, seen from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    /// A number of so many bytes that does not change while the segment has a name.
    Number(usize),
    /// A number of so many bytes that members change.
    Atomic(usize),
    /// So many in a row.
    Array(&'static Type, usize),
    /// A structure of that name.
    Structure(&'static str),
}

/// One field of a [`Structure`].
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// What it says, a line each.
    pub doc: &'static [&'static str],
    /// Bytes from the structure's start.
    pub offset: usize,
    /// What it is.
    pub ty: Type,
}

/// One structure of the format.
#[derive(Clone, Copy, Debug)]
pub struct Structure {
    /// Its name.
    pub name: &'static str,
    /// What it is for, a line each.
    pub doc: &'static [&'static str],
    /// Bytes that it takes.
    pub size: usize,
    /// What it consists of, in order.
    pub fields: &'static [Field],
}

/// One constant of the format.
#[derive(Clone, Copy, Debug)]
pub struct Constant {
    /// Its name.
    pub name: &'static str,
    /// What it means, a line each.
    pub doc: &'static [&'static str],
    /// Its value.
    pub value: u64,
    /// Bytes of the field that has it.
    pub size: usize,
}

/// What can be part of a shared structure.
pub trait Shared {
    /// How it looks from outside.
    const TYPE: Type;
}

macro_rules! numbers {
    ($($number:ty => $kind:ident),*) => { $(
        impl Shared for $number {
            const TYPE: Type = Type::$kind(size_of::<$number>());
        }
    )* };
}

numbers!(u8 => Number, u32 => Number, u64 => Number);
#[cfg(not(loom))]
numbers!(crate::primitive::AtomicU32 => Atomic, crate::primitive::AtomicU64 => Atomic);
#[cfg(not(loom))]
numbers!(crate::primitive::FutexWord => Atomic, crate::primitive::LockWord => Atomic);

impl<T: Shared, const N: usize> Shared for [T; N] {
    const TYPE: Type = Type::Array(&T::TYPE, N);
}

/// Declares structures as they are written, and gives each its description.
macro_rules! shared {
    ($(
        $(#[doc = $doc:literal])*
        #[repr(C, align($align:literal))]
        #[derive($($derive:ident),*)]
        pub struct $name:ident {
            $($(#[doc = $about:literal])* pub $field:ident: $type:ty,)*
        }
    )*) => { $(
        $(#[doc = $doc])*
        #[repr(C, align($align))]
        #[derive($($derive),*)]
        pub struct $name {
            $($(#[doc = $about])* pub $field: $type,)*
        }

        #[cfg(not(loom))]
        impl $crate::layout::Shared for $name {
            const TYPE: $crate::layout::Type = $crate::layout::Type::Structure(stringify!($name));
        }

        #[cfg(not(loom))]
        impl $name {
            /// What it looks like from outside.
            pub const DESCRIBED: $crate::layout::Structure = $crate::layout::Structure {
                name: stringify!($name),
                doc: &[$($doc),*],
                size: size_of::<Self>(),
                fields: &[$($crate::layout::Field {
                    name: stringify!($field),
                    doc: &[$($about),*],
                    offset: std::mem::offset_of!(Self, $field),
                    ty: <$type as $crate::layout::Shared>::TYPE,
                }),*],
            };
        }
    )* };
}
pub(crate) use shared;

/// Declares constants as they are written, and a list of them.
macro_rules! constants {
    (
        $(#[doc = $about:literal])*
        pub const $list:ident;
        $(
            $(#[doc = $doc:literal])*
            pub const $name:ident: $type:ty = $value:expr;
        )*
    ) => {
        $(
            $(#[doc = $doc])*
            pub const $name: $type = $value;
        )*

        $(#[doc = $about])*
        pub const $list: &[$crate::layout::Constant] = &[$($crate::layout::Constant {
            name: stringify!($name),
            doc: &[$($doc),*],
            value: $name as u64,
            size: size_of::<$type>(),
        }),*];
    };
}
pub(crate) use constants;
