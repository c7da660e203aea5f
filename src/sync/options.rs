//! How a lock of its own is made, found and removed.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use crate::block::{Block, Shared};
use crate::builder::{Attached, Basics, basic_setters};
use crate::error::{Error, ErrorKind, Failure, Operation};
use crate::inspect::Expected;
use crate::layout::{ClassWord, GrowthShape, Kind, LockKind, LockTag, Shape};
use crate::member::{Attachment, Plan};
use crate::name::Address;
use crate::segment::{Memory, tag_at};

use super::site::Site;

/// A lock that can have a name or a place in a block. Implemented by this crate's locks only.
pub trait Lock: sealed::Lock {}

impl<L: sealed::Lock> Lock for L {}

pub(super) mod sealed {
    use super::{Attached, Failure, LockKind, LockTag, Memory, Site};

    pub trait Lock: Attached + Sized {
        const KIND: LockKind;
        /// What it is where nobody says; nothing if somebody must.
        fn default_tag() -> Option<LockTag>;
        /// The lock of `tag` at `offset`.
        fn place(memory: &Memory, offset: usize, tag: LockTag, site: Site)
        -> Result<Self, Failure>;
    }
}

/// Builds, opens and removes locks that have a name, whose handle is `L`.
///
/// ```
/// use ringway::sync::Semaphore;
///
/// let name = format!("jobs-{}", std::process::id());
/// let semaphore = Semaphore::options().initial(2).remove_when_unused().create(&name)?;
/// assert!(semaphore.try_acquire()?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "options do nothing until one of create, open, open_or_create, replace or unlink"]
pub struct Options<L> {
    basics: Basics,
    /// What a new one is; nothing if that is wrong, or was not said.
    tag: Option<LockTag>,
    lock: PhantomData<fn() -> L>,
}

/// By hand, because a lock need not be `Clone` for its options to be.
impl<L> Clone for Options<L> {
    fn clone(&self) -> Self {
        Self { basics: self.basics.clone(), ..*self }
    }
}

impl<L: Lock> fmt::Debug for Options<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options").field("lock", &L::KIND).finish_non_exhaustive()
    }
}

impl<L: Lock> Default for Options<L> {
    fn default() -> Self {
        Self { basics: Basics::new(Kind::Lock), tag: L::default_tag(), lock: PhantomData }
    }
}

/// What a lock is like and who may use it, fixed when it is made; openers take these from the lock. And what each handle chooses for
/// itself, and where it looks.
impl<L: Lock> Options<L> {
    /// With another tag for a new one.
    pub(super) fn with_tag(mut self, tag: Option<LockTag>) -> Self {
        self.tag = tag;
        self
    }

    /// What a new one is.
    pub(super) fn tag(&self) -> Option<LockTag> {
        self.tag
    }

    /// How many members a new lock has room for: 2 to 512, by default 64. Each takes 256 bytes, of a rwlock 8 more.
    pub fn max_members(mut self, members: u32) -> Self {
        self.basics.max_members = members;
        self
    }

    basic_setters!("lock");
}

/// Making, finding and removing.
impl<L: Lock> Options<L> {
    /// Makes a new lock, free, with a value that is zero.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::AlreadyExists`] if a lock has the name, or what has it instead; [`ErrorKind::InvalidName`],
    /// [`ErrorKind::InvalidOption`], [`ErrorKind::NoSpace`], [`ErrorKind::FileSizeLimit`],
    /// [`ErrorKind::LivenessUnsupported`], [`ErrorKind::Contended`] and what the system answers.
    pub fn create(&self, name: &str) -> Result<L, Error> {
        let make = |address: &Address| self.basics.create(address, || self.build());
        self.basics.run(Operation::Create, name, make)
    }

    /// Opens a lock that exists, whoever has it.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`], [`ErrorKind::WrongType`] if it is another lock or guards another value,
    /// [`ErrorKind::TooManyMembers`], of a barrier [`ErrorKind::TooManyParties`], [`ErrorKind::LivenessUnsupported`],
    /// [`ErrorKind::Contended`], and the kinds that say what the name holds instead of what was asked for.
    pub fn open(&self, name: &str) -> Result<L, Error> {
        self.basics.run(Operation::Open, name, |address| self.join(address))
    }

    /// Opens the lock, or makes it where there is none.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open) and [`create`](Self::create).
    pub fn open_or_create(&self, name: &str) -> Result<L, Error> {
        self.basics.run(Operation::OpenOrCreate, name, |address| {
            Basics::open_or_create(address, |address| self.join(address), || self.build())
        })
    }

    /// Makes a new lock under a name that may be taken. Whoever uses the old one keeps it, without a name, and does not meet
    /// users of the new one.
    ///
    /// # Errors
    ///
    /// As [`create`](Self::create) and [`unlink`](Self::unlink).
    pub fn replace(&self, name: &str) -> Result<L, Error> {
        let make = |address: &Address| self.basics.replace(address, || self.build());
        self.basics.run(Operation::Replace, name, make)
    }

    /// Removes the name. Who has the lock open goes on undisturbed; nobody else finds it any more.
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

    /// A new lock, complete but for its name.
    fn build(&self) -> Result<L, Failure> {
        self.basics.watched(self.attached(Attachment::create(&self.plan()?)?)?)
    }

    fn join(&self, address: &Address) -> Result<L, Failure> {
        let expected = Expected::of(Kind::Lock, Some((1, 1)), self.basics.whole_type());
        self.basics.watched(self.attached(self.basics.attach(address, &expected)?)?)
    }

    /// The handle of an attachment, which says what lock it is of.
    fn attached(&self, attachment: Attachment) -> Result<L, Failure> {
        let attachment = Arc::new(attachment);
        let memory = attachment.segment().memory(Arc::clone(&attachment));
        let tag = LockTag::of(attachment.segment().shape().max_message)
            .ok_or(ErrorKind::NotASegment("it is no possible lock"))?;
        L::place(&memory, 0, expected(tag, L::default_tag(), L::KIND)?, self.site(&attachment)?)
    }

    fn site(&self, attachment: &Arc<Attachment>) -> Result<Site, Failure> {
        Ok(Site::new(attachment, self.basics.patience()?))
    }

    fn plan(&self) -> Result<Plan<'_>, Failure> {
        let tag = self.tag.ok_or(OUT_OF_RANGE)?;
        self.basics.check()?;
        Ok(self.basics.plan(Shape {
            kind: Kind::Lock,
            element_size: 1,
            element_align: 1,
            type_id: self.basics.whole_type(),
            capacity: tag.len(self.basics.max_members) as u64,
            max_members: self.basics.max_members,
            flags: self.basics.flags(),
            features: 0,
            delivery: 0,
            delivery_limit: 0,
            dead_letters: 0,
            classes: [ClassWord(0); crate::layout::CLASSES],
            max_message: tag.bits(),
            growth: GrowthShape::default(),
        }))
    }
}

const OUT_OF_RANGE: ErrorKind =
    ErrorKind::InvalidOption("a number of the lock is not said, or is out of range");

/// Checks that `found` is a lock of `kind`, and if it is one of which there is one sort only, that it is `wanted`.
fn expected(found: LockTag, wanted: Option<LockTag>, kind: LockKind) -> Result<LockTag, Failure> {
    let guards = matches!(kind, LockKind::Mutex | LockKind::ReentrantMutex | LockKind::RwLock);
    if found.kind() != kind {
        let (there, here) = (found.kind().noun(), kind.noun());
        return Err(ErrorKind::WrongType(format!("{there} there, {here} here")).into());
    }
    if guards && wanted.is_some_and(|wanted| wanted != found) {
        let (size, align) = (found.first(), found.second());
        let why = format!("it guards {size} bytes aligned to {align}");
        return Err(ErrorKind::WrongType(why).into());
    }
    Ok(found)
}

/// The lock of `tag` at `offset` of `block`: a new one where there is none.
pub(super) fn at<L: Lock>(block: &Block, offset: usize, tag: Option<LockTag>) -> Result<L, Error> {
    let place = || {
        let held = block.held();
        let site = Site::new(held.attachment(), held.patience());
        L::place(held.memory(), offset, tag.ok_or(OUT_OF_RANGE)?, site)
    };
    place().map_err(|why| Error::new(Operation::Open, L::KIND.noun(), block.name(), why))
}

/// The lock of `tag` beside the elements of `block`, if it was made with one.
pub(super) fn beside<L: Lock, B: Shared>(block: &B, tag: LockTag) -> Result<L, Error> {
    let held = block.held();
    let place = || {
        let line = held.lock_line().ok_or(ErrorKind::NoLock)?;
        L::place(&line, 0, tag, Site::new(held.attachment(), held.patience()))
    };
    place().map_err(|why| Error::new(Operation::Open, L::KIND.noun(), held.name(), why))
}

/// Bytes that a lock of `tag` takes in `block`.
pub(super) fn size_in(block: &Block, tag: LockTag) -> usize {
    tag.len(block.held().attachment().segment().shape().max_members)
}

/// The lock that is at `offset` of `block` already, with the numbers that it has.
pub(super) fn find<L: Lock>(block: &Block, offset: usize) -> Result<L, Error> {
    let place = || {
        let held = block.held();
        let tag = tag_at(held.memory(), offset)?.ok_or(ErrorKind::NotFound)?;
        let site = Site::new(held.attachment(), held.patience());
        L::place(held.memory(), offset, expected(tag, L::default_tag(), L::KIND)?, site)
    };
    place().map_err(|why| Error::new(Operation::Open, L::KIND.noun(), block.name(), why))
}
