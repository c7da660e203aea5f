//! How blocks, arrays and values are made, found and removed.

use std::hash::{BuildHasher, RandomState};
use std::marker::PhantomData;

use super::held::{Chosen, Held};
use crate::builder::{Attached, Basics, basic_setters};
use crate::error::{Error, ErrorKind, Failure, Operation};
use crate::fingerprint::{Description, Fingerprint};
use crate::inspect::Expected;
use crate::layout::{ClassWord, FLAG_LOCK, GrowthShape, Kind, Shape, type_fingerprint};
use crate::member::{Attachment, Plan};
use crate::name::Address;

/// A handle of a block: [`Block`](super::Block), [`SharedArray`](super::SharedArray) or
/// [`SharedValue`](super::SharedValue). Implemented by these only.
pub trait Shared: sealed::Shape {}

impl<B: sealed::Shape> Shared for B {}

pub(crate) mod sealed {
    use super::{Attached, Attachment, Chosen, Held};

    pub trait Shape: Attached + Sized {
        /// What it consists of.
        type Item: bytemuck::Pod;
        /// How a generated name begins.
        const PREFIX: &'static str;
        /// How many elements where nobody says; zero: it must be said to make one.
        const ELEMENTS: usize = 0;
        /// The handle of an attachment that was just made.
        fn attach(attachment: Attachment, chosen: Chosen) -> Self;
        /// What the handle is made of: locks need it.
        fn held(&self) -> &Held;
    }
}

/// Builds, opens and removes blocks whose handle is `B`.
///
/// ```
/// use ringway::block::SharedArray;
///
/// let name = format!("prices-{}", std::process::id());
/// let array = SharedArray::<f64>::options().len(500).remove_when_unused().create(&name)?;
/// assert_eq!(array.len(), 500);
/// # Ok::<(), ringway::Error>(())
/// ```
#[derive(Debug)]
#[must_use = "options do nothing until create, open, open_or_create, replace, anonymous or unlink"]
pub struct Options<B> {
    basics: Basics,
    /// Zero: any.
    elements: usize,
    huge_pages: bool,
    with_lock: bool,
    handle: PhantomData<fn() -> B>,
}

/// By hand, because a handle that options make need not be `Clone` for them to be.
impl<B> Clone for Options<B> {
    fn clone(&self) -> Self {
        Self { basics: self.basics.clone(), ..*self }
    }
}

impl<B: Shared> Default for Options<B> {
    fn default() -> Self {
        let basics = Basics::new(Kind::Block);
        let (huge_pages, with_lock) = (false, false);
        Self { basics, elements: B::ELEMENTS, huge_pages, with_lock, handle: PhantomData }
    }
}

/// What a block is like and who may use it, fixed when it is made; openers take these from the block. And what each handle
/// chooses for itself, and where it looks.
impl<B: Shared> Options<B> {
    pub(super) fn elements(mut self, elements: usize) -> Self {
        self.elements = elements;
        self
    }

    /// How many members a new block has room for: 2 to 512, by default 64. Each takes 256 bytes in front of the elements.
    pub fn max_members(mut self, members: u32) -> Self {
        self.basics.max_members = members;
        self
    }

    /// Compares what the element type tells of itself: names, types and offsets of fields. Who opens a block must do so, too,
    /// and mean the same, or both do not. Beside an agreed name both are compared.
    pub fn checked(mut self) -> Self
    where
        B::Item: Fingerprint,
    {
        let told = Description::of::<B::Item>(true);
        self.basics.fingerprint = type_fingerprint(told.as_str().as_bytes());
        self
    }

    /// Gives a new block a lock beside its elements: [`Mutex::beside`](crate::sync::Mutex::beside) takes it. Its users agree
    /// on what it guards. Who opens a block and says so gets [`ErrorKind::NoLock`] where it has none.
    pub fn with_lock(mut self) -> Self {
        self.with_lock = true;
        self
    }

    /// Asks the kernel to put the block on huge pages, in this process, now: as much of it as has room for whole ones. The
    /// handle's `huge_pages()` tells what came of it; not getting them is no error. A file is put on them for all who have it
    /// open, but each of them has them mapped only where it asks too. Takes Linux 6.1.
    pub fn huge_pages(mut self) -> Self {
        self.huge_pages = true;
        self
    }

    basic_setters!("block");
}

/// Making, finding and removing.
impl<B: Shared> Options<B> {
    /// Makes a new block. Others see the name only once the block is complete: allocated, and zero.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::AlreadyExists`] if a block has the name, or what has it instead; [`ErrorKind::InvalidName`],
    /// [`ErrorKind::InvalidOption`], [`ErrorKind::NoSpace`], [`ErrorKind::FileSizeLimit`],
    /// [`ErrorKind::LivenessUnsupported`], [`ErrorKind::Contended`] and what the system answers.
    pub fn create(&self, name: &str) -> Result<B, Error> {
        let make = |address: &Address| self.basics.create(address, || self.build());
        self.basics.run(Operation::Create, name, make)
    }

    /// Opens a block that exists.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`], [`ErrorKind::OtherLength`], [`ErrorKind::TooManyMembers`],
    /// [`ErrorKind::LivenessUnsupported`], [`ErrorKind::Contended`], and the kinds that say what the name holds instead of
    /// what was asked for.
    pub fn open(&self, name: &str) -> Result<B, Error> {
        self.basics.run(Operation::Open, name, |address| self.join(address))
    }

    /// Opens the block, or makes it where there is none. What is in it is kept.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open) and [`create`](Self::create).
    pub fn open_or_create(&self, name: &str) -> Result<B, Error> {
        self.basics.run(Operation::OpenOrCreate, name, |address| {
            Basics::open_or_create(address, |address| self.join(address), || self.build())
        })
    }

    /// Makes a new block under a name that may be taken. Whoever uses the old one keeps it, without a name, and does not
    /// meet users of the new one.
    ///
    /// Between the removal of the old name and the new one nothing has the name.
    ///
    /// # Errors
    ///
    /// As [`create`](Self::create) and [`unlink`](Self::unlink).
    pub fn replace(&self, name: &str) -> Result<B, Error> {
        let make = |address: &Address| self.basics.replace(address, || self.build());
        self.basics.run(Operation::Replace, name, make)
    }

    /// Makes a new block under a name that nobody has had: the handle's `name()` tells it.
    ///
    /// # Errors
    ///
    /// As [`create`](Self::create).
    pub fn anonymous(&self) -> Result<B, Error> {
        let drawn = || RandomState::new().hash_one(std::process::id());
        let attempt = || self.create(&format!("{}-{:016x}", B::PREFIX, drawn()));
        let first = attempt();
        match &first {
            Err(error) if matches!(error.kind(), ErrorKind::AlreadyExists { .. }) => attempt(),
            _ => first,
        }
    }

    /// Removes the name. Who is attached goes on undisturbed; nobody else finds the block any more.
    ///
    /// It removes any regular file of this user under that name, also one that this build cannot read.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`], [`ErrorKind::NotAFile`], [`ErrorKind::ForeignOwner`],
    /// [`ErrorKind::PermissionDenied`], [`ErrorKind::Contended`].
    pub fn unlink(&self, name: &str) -> Result<(), Error> {
        self.basics.run(Operation::Unlink, name, |address| self.basics.remove(address))
    }

    /// A new block, complete but for its name.
    fn build(&self) -> Result<B, Failure> {
        let chosen = self.chosen()?;
        let attachment = Attachment::create(&self.plan()?)?;
        self.basics.watched(B::attach(attachment, chosen))
    }

    fn join(&self, address: &Address) -> Result<B, Failure> {
        let chosen = self.chosen()?;
        let mut expected =
            Expected::of(Kind::Block, Some(Self::element()), self.basics.whole_type());
        expected.elements = (self.elements > 0).then_some(self.elements as u64);
        let attachment = self.basics.attach(address, &expected)?;
        if self.with_lock && attachment.segment().shape().flags & FLAG_LOCK == 0 {
            return Err(ErrorKind::NoLock.into());
        }
        self.basics.watched(B::attach(attachment, chosen))
    }

    fn chosen(&self) -> Result<Chosen, Failure> {
        Ok(Chosen { patience: self.basics.patience()?, huge_pages: self.huge_pages })
    }

    /// Size and alignment of an element.
    const fn element() -> (usize, usize) {
        (size_of::<B::Item>(), align_of::<B::Item>())
    }

    fn plan(&self) -> Result<Plan<'_>, Failure> {
        let invalid = |why| Err(ErrorKind::InvalidOption(why).into());
        let (size, align) = Self::element();
        if self.elements == 0 {
            return invalid("a length is at least 1");
        }
        if size == 0 {
            return invalid("a value has at least a byte");
        }
        self.basics.check()?;
        Ok(self.basics.plan(Shape {
            kind: Kind::Block,
            element_size: size as u64,
            element_align: u32::try_from(align).unwrap_or(u32::MAX),
            type_id: self.basics.whole_type(),
            capacity: self.elements as u64,
            max_members: self.basics.max_members,
            flags: self.basics.flags() | if self.with_lock { FLAG_LOCK } else { 0 },
            features: 0,
            delivery: 0,
            delivery_limit: 0,
            dead_letters: 0,
            classes: [ClassWord(0); crate::layout::CLASSES],
            max_message: 0,
            growth: GrowthShape::default(),
        }))
    }
}
