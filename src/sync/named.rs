//! What every lock can do by name, and what can be asked of any: written once.

/// Methods of a lock with one sort only, besides `at`.
macro_rules! named {
    ($noun:literal) => {
        /// Options for making or opening one that has a name.
        pub fn options() -> super::Options<Self> {
            super::Options::default()
        }

        #[doc = concat!("Opens the ", $noun, " of that name.")]
        ///
        /// # Errors
        ///
        /// As [`Options::open`](super::Options::open).
        pub fn open(name: &str) -> Result<Self, crate::Error> {
            Self::options().open(name)
        }
    };
}

/// Methods of a lock whose numbers need not be said.
macro_rules! plainly_named {
    ($noun:literal) => {
        named!($noun);

        #[doc = concat!("Makes a ", $noun, " of that name.")]
        ///
        /// # Errors
        ///
        /// As [`Options::create`](super::Options::create).
        pub fn create(name: &str) -> Result<Self, crate::Error> {
            Self::options().create(name)
        }

        #[doc = concat!("Opens the ", $noun, " of that name, or makes it where there is none.")]
        ///
        /// # Errors
        ///
        /// As [`Options::open_or_create`](super::Options::open_or_create).
        pub fn open_or_create(name: &str) -> Result<Self, crate::Error> {
            Self::options().open_or_create(name)
        }

        #[doc = concat!("The ", $noun, " at `offset` of `block`, which is made there if its first word is zero: all of it should be.")]
        ///
        /// It takes `size_in(block)` bytes at a multiple of `ALIGN`; nothing else may be put there. Where others wait for it
        /// often, let nothing else that is often written lie in the same 128 bytes.
        ///
        /// # Errors
        ///
        /// [`ErrorKind::Place`](crate::ErrorKind::Place) if it cannot be there,
        /// [`ErrorKind::WrongType`](crate::ErrorKind::WrongType) if something else is.
        pub fn at(block: &crate::block::Block, offset: usize) -> Result<Self, crate::Error> {
            super::options::at(block, offset, <Self as super::options::sealed::Lock>::default_tag())
        }

        /// What its offset in a block must be a multiple of.
        pub const ALIGN: usize = Self::TAG.align();

        /// How many bytes it takes in `block`.
        pub fn size_in(block: &crate::block::Block) -> usize {
            super::options::size_in(block, Self::TAG)
        }
    };
}

/// What can be asked of any lock with `site`.
macro_rules! lock_handle {
    ($self:ident) => {
        observe!($self, crate::layout::Kind::Lock, $self.site.attachment());
    };
}

/// A lock is attached by its site.
macro_rules! attached {
    (for $t:ident, $name:ty) => {
        attached!(@ (<$t: bytemuck::Pod>) $name);
    };
    (@ ($($generics:tt)*) $name:ty) => {
        impl $($generics)* crate::builder::Attached for $name {
            fn attachment(&self) -> &crate::member::Attachment {
                self.site.attachment()
            }
        }
    };
    (plain, $name:ty) => {
        attached!(@ () $name);
    };
}
