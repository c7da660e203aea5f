//! How a channel is made, found and removed: one builder for every kind.

use std::hash::{BuildHasher, RandomState};
use std::marker::PhantomData;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::error::{Error, ErrorKind, Failure, Operation};
use crate::event::{Patience, Wait};
use crate::fingerprint::{Description, Fingerprint};
use crate::inspect::{self, Expected, Trust};
use crate::layout::{
    FLAG_ASYMMETRIC, FLAG_REMOVE_WHEN_UNUSED, GrowthShape, Kind, MOST_DELIVERIES, Shape,
    type_fingerprint,
};
use crate::member::{self, Attachment, Miss, Plan};
use crate::name::{Address, CONTENTION, Patience as Limit, unlink};
use crate::primitive::processors;
use crate::ring::reap::DeliveryPolicy;
use crate::sys::barrier;

use super::lane::End;
use slab::Blocks;

mod slab;

/// The longest message of a queue of bytes, where nobody says: slots of 256 bytes.
const DEFAULT_MESSAGE_LEN: usize = 240;

/// Nothing is said of the type.
const NO_TYPE: [u8; 16] = [0; 16];

/// How two sides keep a store from passing a later load, chosen when a channel is made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum BarrierChoice {
    /// No fence on the frequent side; a waiter makes the kernel run one everywhere (`membarrier`). Where
    /// this process may not use that, as [`Fence`](Self::Fence).
    ///
    /// A process that may not use it cannot open such a channel.
    #[default]
    Auto,
    /// A fence in every send and receive: a few nanoseconds each, and nothing asked of the kernel.
    Fence,
}

/// How far a queue may grow beyond its first segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Growth {
    /// Until all its segments together hold so many messages.
    Messages(u64),
    /// Until all its segments together take so many bytes of shared memory.
    Bytes(u64),
    /// Until there is no memory for another segment: then sending fails.
    UntilRefused,
}

/// Who attaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Party {
    /// Who makes the channel.
    Maker,
    /// Who opens it.
    Opener,
}

/// One side of a channel as the builder makes it. Implemented by this crate's handles only.
pub trait Channel: sealed::Channel {}

impl<C: sealed::Channel> Channel for C {}

pub(crate) mod sealed {
    use super::{Arc, Attachment, End, Failure, Kind, Options, Party, Patience};

    pub trait Channel: Sized {
        const KIND: Kind;
        const DEFAULT_CAPACITY: usize;
        /// Size and alignment of a ring's elements; `None` where options choose them and openers take them.
        const ELEMENT: Option<(usize, usize)>;
        /// What it carries, as its users know it.
        type Item: ?Sized;
        /// Whether that lies in memory as it is.
        const IN_PLACE: bool = true;
        /// Whether nobody may attach without saying what the type is.
        const NEEDS_TYPE: bool = false;
        /// Ring elements for a capacity as the user gives it, before rounding up.
        fn elements(capacity: usize) -> usize;
        /// `FLAG_` bits that this kind adds.
        fn flags(options: &Options<Self>) -> u32;
        /// `FEATURE_` bits of a new segment.
        fn features(_options: &Options<Self>) -> u32 {
            0
        }
        /// The handle of an attachment that was just made.
        fn attach(
            attachment: Attachment,
            party: Party,
            patience: Patience,
        ) -> Result<Self, Failure>;
        /// The attachment that the handle holds.
        fn attachment(&self) -> &Attachment;
    }

    /// A handle that owns an end of a channel of two.
    pub trait Ended: Channel {
        /// The handle of an end that was just claimed.
        fn take(end: Arc<End>, patience: Patience) -> Result<Self, Failure>;
    }
}

/// Builds, opens and removes channels whose handle is `C`.
///
/// ```
/// use ringway::spsc::Producer;
///
/// let name = format!("orders-{}", std::process::id());
/// let producer = Producer::<u64>::options().capacity(1024).remove_when_unused().create(&name)?;
/// assert_eq!(producer.capacity(), 1024);
/// # Ok::<(), ringway::Error>(())
/// ```
#[derive(Debug)]
#[must_use = "options do nothing until one of create, open, open_or_create, replace, pair or unlink"]
pub struct Options<C> {
    directory: PathBuf,
    namespace: String,
    capacity: usize,
    max_members: u32,
    mode: u32,
    /// Of the agreed name; zero for none.
    type_id: [u8; 16],
    /// Of what the type tells of itself; zero for nothing.
    fingerprint: [u8; 16],
    wait: Wait,
    recheck: Duration,
    barrier: BarrierChoice,
    remove_when_unused: bool,
    prefault: bool,
    watch: bool,
    trust: Trust,
    pub(super) direction: super::pipe::Direction,
    /// Of a new pipe.
    pub(super) records: super::pipe::Records,
    pub(super) delivery: DeliveryPolicy,
    pub(super) message_len: usize,
    /// After how many deliveries, and room for how many; of new queues.
    pub(super) dead_letters: Option<(u32, usize)>,
    pub(super) blocks: Blocks,
    /// How far new queues may grow.
    pub(super) growth: Option<Growth>,
    handle: PhantomData<fn() -> C>,
}

/// By hand, because a handle that options make need not be `Clone` for them to be.
impl<C> Clone for Options<C> {
    fn clone(&self) -> Self {
        Self {
            directory: self.directory.clone(),
            namespace: self.namespace.clone(),
            trust: self.trust.clone(),
            ..*self
        }
    }
}

impl<C: Channel> Default for Options<C> {
    fn default() -> Self {
        Self {
            directory: PathBuf::from("/dev/shm"),
            namespace: "default".to_owned(),
            capacity: C::DEFAULT_CAPACITY,
            max_members: C::KIND.default_members(),
            mode: 0o600,
            type_id: NO_TYPE,
            fingerprint: NO_TYPE,
            wait: Wait::default(),
            recheck: Duration::from_millis(100),
            barrier: BarrierChoice::default(),
            remove_when_unused: false,
            prefault: false,
            watch: false,
            trust: Trust::default(),
            direction: super::pipe::Direction::Both,
            records: super::pipe::Records::Any,
            delivery: DeliveryPolicy::default(),
            message_len: DEFAULT_MESSAGE_LEN,
            dead_letters: None,
            blocks: Blocks::default(),
            growth: None,
            handle: PhantomData,
        }
    }
}

/// What a channel is like, fixed when it is made. Openers take these from the channel.
impl<C: Channel> Options<C> {
    /// How much a new channel holds: values in a ring of values, messages in a queue, bytes in each direction of
    /// a pipe. Rounded up to a power of two.
    pub fn capacity(mut self, capacity: usize) -> Self {
        self.capacity = capacity;
        self
    }

    /// How many members a new channel has room for.
    ///
    /// With two ends: 2 to 63, by default 63. Two use it; the others are room for successors of members that
    /// died and that nobody has cleaned up after yet. A queue: 2 to 512, by default 64, each of them an attached
    /// [`Queue`](super::queue::Queue) with any number of senders and receivers.
    pub fn max_members(mut self, members: u32) -> Self {
        self.max_members = members;
        self
    }

    /// The file mode of a new channel, by default `0o600`: a subset of `0o660` with `0o600` in it.
    pub fn mode(mut self, mode: u32) -> Self {
        self.mode = mode;
        self
    }

    /// How the sides of a new channel see each other. A queue needs no barrier: its claims are some.
    pub fn barrier(mut self, barrier: BarrierChoice) -> Self {
        self.barrier = barrier;
        self
    }

    /// The name of a new channel goes with its last member. If that one is killed, the next
    /// [`create`](Self::create) or [`open`](Self::open) of the name removes it.
    pub fn remove_when_unused(mut self) -> Self {
        self.remove_when_unused = true;
        self
    }

    /// Enters all pages of a new channel into this process's page table at once, so that first touches
    /// cost no page fault. Memory is allocated at creation in any case.
    pub fn prefault(mut self) -> Self {
        self.prefault = true;
        self
    }
}

/// What each handle chooses for itself, and where it looks.
impl<C: Channel> Options<C> {
    /// An agreed name for the element type, such as `"order.v2"`. Who opens a channel must give the same
    /// name, or none where its maker gave none. Size and alignment are compared in any case.
    pub fn type_id(mut self, name: &str) -> Self {
        self.type_id = type_fingerprint(name.as_bytes());
        self
    }

    /// Compares what the element type tells of itself: names, types and offsets of fields. Who opens a channel must do so, too,
    /// and mean the same, or both do not. Beside an agreed name both are compared.
    ///
    /// ```
    /// use ringway::spsc::{Consumer, Producer};
    ///
    /// let name = format!("prices-{}", std::process::id());
    /// let mut producer = Producer::<[u32; 2]>::options().checked().remove_when_unused().create(&name)?;
    /// let meant_otherwise = Consumer::<[f32; 2]>::options().checked().open(&name);
    /// assert!(matches!(meant_otherwise.unwrap_err().kind(), ringway::ErrorKind::WrongType(_)));
    /// # Ok::<(), ringway::Error>(())
    /// ```
    pub fn checked(mut self) -> Self
    where
        C::Item: Fingerprint,
    {
        let told = Description::of::<C::Item>(C::IN_PLACE);
        self.fingerprint = type_fingerprint(told.as_str().as_bytes());
        self
    }

    /// How blocked calls of this handle wait.
    pub fn wait(mut self, wait: Wait) -> Self {
        self.wait = wait;
        self
    }

    /// Has two threads of this handle look out for deaths. Then blocked calls learn of one as soon as the kernel is done with
    /// the dead process, everywhere, instead of within a recheck.
    ///
    /// The threads sleep while nobody comes, leaves or dies, take no signals, and end with the handle. They have a descriptor
    /// for each other process. Of a process in another PID namespace they learn at the recheck, as others do. Where the system
    /// has no `pidfd_open` (before Linux 5.3), making or opening the channel fails with [`ErrorKind::Os`].
    pub fn watch(mut self) -> Self {
        self.watch = true;
        self
    }

    /// The longest that a blocked call of this handle sleeps before it looks whether its peer lives:
    /// 1 ms to 1 min, by default 100 ms.
    pub fn recheck(mut self, interval: Duration) -> Self {
        self.recheck = interval;
        self
    }

    /// A family of names that does not meet others: 1 to 32 letters, digits, `_` and `-`.
    pub fn namespace(mut self, namespace: impl Into<String>) -> Self {
        self.namespace = namespace.into();
        self
    }

    /// The directory that names live in, by default `/dev/shm`. It must be on tmpfs.
    pub fn directory(mut self, directory: impl Into<PathBuf>) -> Self {
        self.directory = directory.into();
        self
    }

    /// Accepts segments of this user beside those of this process's own.
    pub fn trust_owner(mut self, uid: u32) -> Self {
        self.trust.owner = Some(uid);
        self
    }

    /// Accepts a directory on a file system that is not memory. Whether it keeps the locks that tell the
    /// dead from the living is checked in any case; overlayfs does not.
    pub fn any_file_system(mut self) -> Self {
        self.trust.any_file_system = true;
        self
    }
}

/// Making, finding and removing.
impl<C: Channel> Options<C> {
    /// Makes a new channel and takes its first end.
    ///
    /// Others see the name only once the channel is complete.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::AlreadyExists`] if a channel has the name, or what has it instead; [`ErrorKind::InvalidName`],
    /// [`ErrorKind::InvalidOption`], [`ErrorKind::NoSpace`], [`ErrorKind::FileSizeLimit`],
    /// [`ErrorKind::LivenessUnsupported`], [`ErrorKind::Contended`] and what the system answers. The channel is
    /// built before its name is looked at: where there is no room, that is what a taken name answers too.
    pub fn create(&self, name: &str) -> Result<C, Error> {
        self.run(Operation::Create, name, |address| {
            let made = self.make_or_report(address)?;
            if self.growth.is_some() {
                member::remove_orphans(address, &self.trust);
            }
            Ok(made)
        })
    }

    /// Opens a channel that exists and takes a free end, or that of a dead member.
    ///
    /// Of a pipe it takes the opener's end if that is to be had, else the maker's.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`], [`ErrorKind::EndTaken`], [`ErrorKind::TooManyMembers`],
    /// [`ErrorKind::BarrierUnsupported`], [`ErrorKind::LivenessUnsupported`], [`ErrorKind::Contended`], and the
    /// kinds that say what the name holds instead of what was asked for.
    pub fn open(&self, name: &str) -> Result<C, Error> {
        self.run(Operation::Open, name, |address| self.join(address))
    }

    /// Opens the channel, or makes it where there is none. Messages in it are kept.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open) and [`create`](Self::create).
    pub fn open_or_create(&self, name: &str) -> Result<C, Error> {
        self.run(Operation::OpenOrCreate, name, |address| {
            let mut spare = None;
            persist(|| match self.join(address) {
                Err(Failure { kind: ErrorKind::NotFound, .. }) => {
                    let built = spare.take().map_or_else(|| self.build(), Ok)?;
                    Ok(built.publish(address)?.map_err(|built| spare = Some(built)).ok())
                }
                joined => joined.map(Some),
            })
        })
    }

    /// Makes a new channel under a name that may be taken. Whoever uses the old one keeps it, without a
    /// name, and does not meet users of the new one.
    ///
    /// Between the removal of the old name and the new one nothing has the name.
    ///
    /// # Errors
    ///
    /// As [`create`](Self::create) and [`unlink`](Self::unlink).
    pub fn replace(&self, name: &str) -> Result<C, Error> {
        self.run(Operation::Replace, name, |address| {
            let mut spare = Some(self.build()?);
            persist(|| {
                match self.remove(address) {
                    Ok(()) | Err(Failure { kind: ErrorKind::NotFound, .. }) => {}
                    Err(failure) => return Err(failure),
                }
                let built = spare.take().expect("given back when it could not be published");
                Ok(built.publish(address)?.map_err(|built| spare = Some(built)).ok())
            })
        })
    }

    /// Removes the name. Who is attached goes on undisturbed; nobody else finds the channel any more.
    ///
    /// It removes any regular file of this user under that name, also one that this build cannot read.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`], [`ErrorKind::NotAFile`], [`ErrorKind::ForeignOwner`],
    /// [`ErrorKind::PermissionDenied`], [`ErrorKind::Contended`].
    pub fn unlink(&self, name: &str) -> Result<(), Error> {
        self.run(Operation::Unlink, name, |address| self.remove(address))
    }

    fn run<R>(
        &self,
        operation: Operation,
        name: &str,
        act: impl FnOnce(&Address) -> Result<R, Failure>,
    ) -> Result<R, Error> {
        Address::new(&self.directory, &self.namespace, name)
            .and_then(|address| act(&address))
            .map_err(|failure| Error::new(operation, C::KIND.noun(), name, failure))
    }

    fn make_or_report(&self, address: &Address) -> Result<C, Failure> {
        let mut spare = Some(self.build()?);
        persist(|| {
            let built = spare.take().expect("given back when it could not be published");
            match built.publish(address)? {
                Ok(channel) => return Ok(Some(channel)),
                Err(built) => spare = Some(built),
            }
            match self.survey(address)? {
                Some((alive, dead)) => Err(ErrorKind::AlreadyExists { alive, dead }.into()),
                None => Ok(None),
            }
        })
    }

    /// A new channel, complete but for its name.
    fn build(&self) -> Result<Built<C>, Failure> {
        self.check_type()?;
        let patience = self.patience()?;
        let attachment = Attachment::create(&self.plan()?)?;
        self.watched(C::attach(attachment, Party::Maker, patience)?).map(Built)
    }

    /// A new channel that never has a name.
    pub(super) fn build_unnamed(&self) -> Result<C, Error> {
        let named = "a queue that grows has a name";
        let built = match self.growth {
            Some(_) => Err(ErrorKind::InvalidOption(named).into()),
            None => self.build().map(|built| built.0),
        };
        built.map_err(|failure| Error::new(Operation::Create, C::KIND.noun(), "", failure))
    }

    fn join(&self, address: &Address) -> Result<C, Failure> {
        self.check_type()?;
        let patience = self.patience()?;
        let attachment =
            persist(|| match Attachment::open(address, &self.expected(), &self.trust) {
                Ok(attachment) => Ok(Some(attachment)),
                Err(Miss::Moved) => Ok(None),
                Err(Miss::Failed(failure)) => Err(failure),
            })?;
        self.watched(C::attach(attachment, Party::Opener, patience)?)
    }

    /// `handle` with what was asked for beside it.
    fn watched<H: sealed::Channel>(&self, handle: H) -> Result<H, Failure> {
        if self.watch {
            handle.attachment().watch(self.patience()?)?;
        }
        Ok(handle)
    }

    /// How many members the segment at `address` has that live and that died; `None` if it has just gone.
    fn survey(&self, address: &Address) -> Result<Option<(u32, u32)>, Failure> {
        match member::survey(address, &self.trust) {
            Err(Failure { kind: ErrorKind::NotFound, .. }) => Ok(None),
            survey => survey,
        }
    }

    fn remove(&self, address: &Address) -> Result<(), Failure> {
        let removed = inspect::open_file(address.path(), &self.trust)
            .and_then(|file| unlink(&file, address.path()));
        if C::KIND.is_queue() {
            member::remove_orphans(address, &self.trust);
        }
        removed
    }

    /// The rules of options, and what a new segment of them is.
    fn plan(&self) -> Result<Plan<'_>, Failure> {
        if self.capacity == 0 {
            return Err(ErrorKind::InvalidOption("a capacity is at least 1").into());
        }
        if !(2..=C::KIND.max_members()).contains(&self.max_members) {
            let queue = C::KIND.is_queue();
            let range = if queue { "max_members is 2 to 512" } else { "max_members is 2 to 63" };
            return Err(ErrorKind::InvalidOption(range).into());
        }
        if self.message_len == 0 {
            return Err(ErrorKind::InvalidOption("a message_len is at least 1").into());
        }
        if self.mode & !0o660 != 0 || self.mode & 0o600 != 0o600 {
            return Err(ErrorKind::InvalidOption("a mode is 0o600, 0o620, 0o640 or 0o660").into());
        }
        let too_large = ErrorKind::InvalidOption("the capacity makes the segment too large");
        let capacity = C::elements(self.capacity).checked_next_power_of_two().ok_or(too_large)?;
        let (delivery_limit, dead_letters) = self.plan_dead_letters()?;
        let (classes, max_message) = self.blocks.plan()?;
        let (size, align) = C::ELEMENT.unwrap_or((self.message_len, align_of::<u64>()));
        let asymmetric =
            !C::KIND.is_queue() && self.barrier == BarrierChoice::Auto && barrier::register();
        let flags =
            [(FLAG_ASYMMETRIC, asymmetric), (FLAG_REMOVE_WHEN_UNUSED, self.remove_when_unused)];
        let growth = self.plan_growth(capacity as u64)?;
        let shape = Shape {
            kind: C::KIND,
            element_size: size as u64,
            element_align: u32::try_from(align).unwrap_or(u32::MAX),
            type_id: self.whole_type(),
            capacity: capacity as u64,
            max_members: self.max_members,
            flags: flags
                .iter()
                .filter(|(_, on)| *on)
                .fold(C::flags(self), |all, (bit, _)| all | bit),
            features: C::features(self) | growth.feature(),
            delivery: if C::KIND.is_queue() { self.delivery.code() } else { 0 },
            delivery_limit,
            dead_letters,
            classes,
            max_message,
            growth,
        };
        if growth.bytes > 0 && shape.total_len().is_some_and(|len| len > growth.bytes) {
            let why = "a queue takes no more bytes at first than when it has grown";
            return Err(ErrorKind::InvalidOption(why).into());
        }
        if growth.is_some() && max_message > 0 {
            return Err(ErrorKind::InvalidOption("a queue that grows has no blocks").into());
        }
        if shape.slab().is_none_or(|slab| slab.blocks > 0 && max_message <= shape.element_size) {
            return Err(
                ErrorKind::InvalidOption("blocks are for messages beyond message_len").into()
            );
        }
        let (directory, mode, prefault) = (&*self.directory, self.mode, self.prefault);
        Ok(Plan { directory, shape, mode, trust: &self.trust, prefault })
    }

    /// The limit of deliveries and the slots for what goes beyond.
    fn plan_dead_letters(&self) -> Result<(u32, u64), Failure> {
        let invalid = |why| Err(ErrorKind::InvalidOption(why).into());
        match self.dead_letters {
            None => Ok((0, 0)),
            Some(_) if self.delivery != DeliveryPolicy::AtLeastOnce => {
                invalid("dead letters are of a queue that delivers at least once")
            }
            Some((limit, _)) if !(1..=MOST_DELIVERIES).contains(&limit) => {
                invalid("a message goes to the dead letters after 1 to 15 deliveries")
            }
            Some((_, 0)) => invalid("there is room for at least 1 dead letter"),
            Some((limit, capacity)) => match capacity.checked_next_power_of_two() {
                Some(slots) => Ok((limit, slots as u64)),
                None => invalid("the capacity makes the segment too large"),
            },
        }
    }

    /// The chain that a new queue of `capacity` begins, if it grows.
    fn plan_growth(&self, capacity: u64) -> Result<GrowthShape, Failure> {
        let invalid = |why| Err(ErrorKind::InvalidOption(why).into());
        let (messages, bytes) = match self.growth {
            None => return Ok(GrowthShape::default()),
            // Whoever makes the next segment may be another user.
            Some(_) if self.mode != 0o600 => return invalid("a queue that grows has mode 0o600"),
            Some(Growth::Messages(most)) if most < capacity => {
                return invalid("a queue holds no more messages at first than when it has grown");
            }
            Some(Growth::Bytes(0)) => return invalid("a queue takes some bytes"),
            Some(Growth::Messages(most)) => (most, 0),
            Some(Growth::Bytes(most)) => (0, most),
            Some(Growth::UntilRefused) => (0, 0),
        };
        Ok(GrowthShape { chain_id: random(), chain: 0, bytes, messages })
    }

    fn expected(&self) -> Expected {
        Expected { kind: C::KIND, element: C::ELEMENT, type_id: self.whole_type() }
    }

    /// All that is said of the type.
    fn whole_type(&self) -> [u8; 16] {
        match (self.type_id, self.fingerprint) {
            (NO_TYPE, told) => told,
            (named, NO_TYPE) => named,
            both => type_fingerprint([both.0, both.1].as_flattened()),
        }
    }

    fn check_type(&self) -> Result<(), Failure> {
        if C::NEEDS_TYPE && self.whole_type() == NO_TYPE {
            let why = "messages of any type need the type's fingerprint or an agreed type_id";
            return Err(ErrorKind::InvalidOption(why).into());
        }
        Ok(())
    }

    fn patience(&self) -> Result<Patience, Failure> {
        if !(Duration::from_millis(1)..=Duration::from_mins(1)).contains(&self.recheck) {
            return Err(ErrorKind::InvalidOption("recheck is 1 ms to 1 min").into());
        }
        let recheck_ns = u64::try_from(self.recheck.as_nanos()).unwrap_or(u64::MAX);
        Ok(Patience { wait: self.wait, recheck_ns, alone: processors() == 1 })
    }

    /// Both ends of a new channel without a name.
    pub(super) fn make_pair<D: sealed::Ended>(&self) -> Result<(C, D), Error>
    where
        C: sealed::Ended,
    {
        let make = || {
            let first = Attachment::create(&self.plan()?)?;
            let second = first.again()?;
            let patience = self.patience()?;
            let first = claim(first, &[0])?;
            let second = claim(second, &[1])?;
            Ok((
                self.watched(C::take(first, patience)?)?,
                self.watched(D::take(second, patience)?)?,
            ))
        };
        make().map_err(|failure| Error::new(Operation::Create, C::KIND.noun(), "", failure))
    }
}

/// A channel that has no name yet.
struct Built<C>(C);

impl<C: Channel> Built<C> {
    /// Gives the channel its name, or gives it back if the name is taken.
    fn publish(self, address: &Address) -> Result<Result<C, Self>, Failure> {
        match self.0.attachment().publish(address) {
            Ok(()) => Ok(Ok(self.0)),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(Err(self)),
            Err(error) => Err(error.into()),
        }
    }
}

/// Repeats `act` while it answers `None`, because somebody else changed the name meanwhile.
fn persist<R>(mut act: impl FnMut() -> Result<Option<R>, Failure>) -> Result<R, Failure> {
    let patience = Limit::new(CONTENTION);
    loop {
        if let Some(done) = act()? {
            return Ok(done);
        }
        if !patience.lasts() {
            return Err(ErrorKind::Contended.into());
        }
    }
}

/// A number that is not zero and that nobody else draws.
fn random() -> u64 {
    let drawn = || RandomState::new().hash_one(std::process::id());
    std::iter::repeat_with(drawn).find(|number| *number != 0).expect("it has no end")
}

/// Takes the first of `ends` that can be had.
pub(super) fn claim(attachment: Attachment, ends: &[usize]) -> Result<Arc<End>, Failure> {
    let mut failure = None;
    for &number in ends {
        match attachment.claim_end(number) {
            Ok(suspect) => return Ok(Arc::new(End::new(attachment, number, suspect))),
            Err(why) => failure = failure.or(Some(why)),
        }
    }
    Err(failure.expect("a channel has ends"))
}
