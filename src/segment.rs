//! A segment: one mapping and its validated geometry, handed out as typed references.
//!
//! The header is read once into private memory, compared with the one that this build would write, and geometry is used only from
//! there. What processes change is reached through references to structures made of atomics alone, and
//! payload through [`Cells`]; both are legal over memory that others write.
//!
//! **Making** one: a file without a name, allocated, mapped, initialised, joined, and only then linked. A
//! name is visible only when what it names is ready, and a creator that dies before leaves nothing.
//! **Opening** one: every check that needs no mapping comes before the mapping. Names are compared with
//! what they name once more after joining (`member`), and removed only by identity.
#![allow(unsafe_code, reason = "turns checked offsets in a mapping into references to atomics")]

mod anchored;
mod block;
mod memory;
mod raw;
mod slab;

use std::fs::File;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{FileExt, MetadataExt, PermissionsExt};
use std::path::Path;
use std::sync::OnceLock;

use bytemuck::Pod;

use crate::error::{ErrorKind, Failure, MemberId};
use crate::event::{Event, LocalWaiters};
use crate::inspect::{
    Expected, Trust, boot_id, cannot_create, check_file_system, inspect, no_proc, open_file,
};
use crate::layout::{
    ARRIVALS_OFFSET, CONTROL_OFFSET, Control, Counters, ENDS_OFFSET, Ends, EventLine,
    FLAG_ASYMMETRIC, MAX_MEMBERS, MemberRecord, QueueHeader, RingHeader, SegmentHeader, Shape,
};
use crate::primitive::{Barrier, Cells, Message, Slots};
use crate::sys::fork::{self, Attached};
use crate::sys::mapping::Mapping;
use crate::sys::shm::{self, Identity};

pub use anchored::{Anchored, AnchoredQueue};
use memory::Keeper;
pub use memory::{
    Atomic, AtomicSlice, HasAtomic, LockPlace, Memory, Place, SliceView, View, tag_at,
};
pub use raw::Raw;

/// A mapped segment. Dropping it unmaps, and with the mapping goes the member's lock.
#[derive(Debug)]
pub struct Segment {
    /// `None` only while dropping.
    mapping: Option<Mapping>,
    header: SegmentHeader,
    shape: Shape,
    identity: Identity,
    /// A second description of the file, to ask about locks; `None` only while dropping.
    probe: Option<File>,
    generation: u64,
    registered: bool,
    /// For each ring, this attachment's threads that wait for it to be not empty and not full.
    waiters: [[LocalWaiters; 2]; 2],
    /// Its thread that waits for others to attach.
    watchers: LocalWaiters,
    /// Of a queue that grows.
    bar: OnceLock<Bar>,
}

/// A ring of one slot in this process's own memory, shut and empty.
#[derive(Debug)]
struct Bar {
    header: QueueHeader,
    /// For their alignment, and because any of their bytes may be written to.
    lines: Vec<EventLine>,
}

impl Bar {
    fn new(stride: usize) -> Self {
        let count = stride.div_ceil(size_of::<EventLine>());
        let lines = std::iter::repeat_with(EventLine::default).take(count).collect();
        let bar = Self { header: QueueHeader::default(), lines };
        bar.header.shut();
        bar
    }

    fn slots<M: Message + ?Sized>(&self, segment: &Segment) -> Slots<'_, M> {
        let stride = in_memory(segment.header.stride);
        assert!(M::stride(stride) == stride, "checked when opened");
        let start = std::ptr::NonNull::from(&*self.lines).cast();
        // SAFETY: so many lines have room for one slot; only rings touch them, through `Slots`, and since nobody can claim
        // the slot nobody writes to it.
        unsafe { Slots::new(start, 1, stride) }
    }
}

impl Segment {
    /// Makes a segment without a name in `directory`. Also gives the description that its lock will hang on.
    pub fn create(
        directory: &Path,
        shape: &Shape,
        mode: u32,
        trust: &Trust,
    ) -> Result<(Self, File), Failure> {
        let header = shape
            .header(boot_id()?)
            .ok_or(ErrorKind::InvalidOption("the capacity makes the segment too large"))?;
        if let Some(limit) = shm::file_size_limit()?
            && header.total_len > limit
        {
            return Err(ErrorKind::FileSizeLimit { needed: header.total_len, limit }.into());
        }
        let file = shm::create_unnamed(directory).map_err(cannot_create)?;
        check_file_system(&file, trust)?;
        shm::allocate(&file, 0, header.total_len - shape.holes())?;
        if shape.holes() > 0 {
            // Without memory until a message needs it.
            file.set_len(header.total_len)?;
        }
        file.write_all_at(bytemuck::bytes_of(&header), 0)?;
        file.set_permissions(PermissionsExt::from_mode(mode))?;
        let segment = Self::map(&file, header, *shape)?;
        if shape.kind.is_queue() {
            (0..shape.rings()).for_each(|number| segment.queue_header(number).initialise());
        } else {
            (0..shape.rings()).for_each(|number| segment.ring_header(number).initialise());
        }
        Ok((segment, file))
    }

    /// Opens the segment at `path` after checking that it is what `expected` wants.
    pub fn open(path: &Path, expected: &Expected, trust: &Trust) -> Result<(Self, File), Failure> {
        let file = open_file(path, trust)?;
        let (header, shape) = inspect(&file, trust)?;
        expected.check(&shape)?;
        Ok((Self::map(&file, header, shape)?, file))
    }

    /// Opens the segment at `path` whatever channel it holds.
    pub fn open_any(path: &Path, trust: &Trust) -> Result<(Self, File), Failure> {
        let file = open_file(path, trust)?;
        let (header, shape) = inspect(&file, trust)?;
        Ok((Self::map(&file, header, shape)?, file))
    }

    /// Opens the segment at `path` if its shape is such as `wanted`. Nobody joins it.
    pub fn open_if(
        path: &Path,
        trust: &Trust,
        wanted: impl FnOnce(&Shape) -> bool,
    ) -> Result<Self, Failure> {
        let file = open_file(path, trust)?;
        let (header, shape) = inspect(&file, trust)?;
        if !wanted(&shape) {
            return Err(ErrorKind::NotASegment("it is of another chain").into());
        }
        Self::map(&file, header, shape)
    }

    /// A second attachment to a segment that has no name.
    pub fn reopen(&self) -> Result<(Self, File), Failure> {
        let probe = self.probe();
        let file = shm::reopen(probe)?;
        Ok((Self::map(&file, self.header, self.shape)?, file))
    }

    fn map(file: &File, header: SegmentHeader, shape: Shape) -> Result<Self, Failure> {
        let len = usize::try_from(header.total_len).map_err(|_| ErrorKind::Os)?;
        // Huge pages are for blocks, and asked for later.
        let map = if shape.kind.is_block() { Mapping::aligned } else { Mapping::new };
        let mapping = map(file, len)?;
        let probe = shm::reopen(file).map_err(no_proc)?;
        let identity = Identity::of(&file.metadata()?);
        if Identity::of(&probe.metadata()?) != identity {
            return Err(
                ErrorKind::LivenessUnsupported("reopening the file gives another file").into()
            );
        }
        Ok(Self {
            mapping: Some(mapping),
            header,
            shape,
            identity,
            probe: Some(probe),
            generation: fork::generation(),
            registered: false,
            waiters: Default::default(),
            watchers: LocalWaiters::default(),
            bar: OnceLock::new(),
        })
    }

    /// Has a forked child plug the hole that this mapping leaves there.
    pub fn register(&mut self, guard: &fork::Guard) {
        let (start, len) = (self.start(), self.mapping().len());
        let (descriptor, identity) = (self.probe().as_raw_fd(), self.identity);
        guard.register(Attached { start, len, descriptor, identity });
        self.registered = true;
    }

    fn start(&self) -> usize {
        self.mapping().start().as_ptr().addr()
    }

    fn mapping(&self) -> &Mapping {
        self.mapping.as_ref().expect("present until dropped")
    }

    /// A description of the file that holds no locks.
    pub fn probe(&self) -> &File {
        self.probe.as_ref().expect("present until dropped")
    }

    /// Which file it is.
    pub fn identity(&self) -> Identity {
        self.identity
    }

    /// Bytes in its file.
    pub fn len(&self) -> u64 {
        self.header.total_len
    }

    /// Whose file it is.
    pub fn owner(&self) -> Result<u32, Failure> {
        Ok(self.probe().metadata()?.uid())
    }

    /// Its validated shape.
    pub fn shape(&self) -> &Shape {
        &self.shape
    }

    /// Whether this process was forked since it attached: then nothing of the mapping is there.
    #[inline(always)]
    pub fn is_inherited(&self) -> bool {
        self.generation != fork::generation()
    }

    /// Enters its pages into the page table now.
    pub fn prefault(&self) -> Result<(), Failure> {
        Ok(self.mapping().prefault(in_memory(self.header.total_len - self.shape.holes()))?)
    }

    /// Has it put on huge pages, as far as whole ones fit; else says why not.
    pub fn collapse(&self) -> Result<(), &'static str> {
        self.mapping().collapse()
    }

    /// How its two sides see each other.
    pub fn barrier(&self) -> Barrier {
        let asymmetric = self.shape.flags & FLAG_ASYMMETRIC != 0;
        if asymmetric { Barrier::Asymmetric } else { Barrier::Fence }
    }

    /// A reference to the `T` at `offset`.
    ///
    /// # Safety
    ///
    /// - `T` consists of atomics (and cells of atomics) and padding only, and any bytes are a `T`.
    /// - `offset` is aligned for `T`.
    unsafe fn shared<T>(&self, offset: u64) -> &T {
        let offset = in_memory(offset);
        let mapping = self.mapping();
        assert!(offset + size_of::<T>() <= mapping.len(), "validated geometry fits the mapping");
        // SAFETY: the assertion keeps the place inside the mapping, which is page-aligned.
        let place = unsafe { mapping.start().byte_add(offset) };
        // SAFETY: the mapping lives as long as `self`; the caller vouches for type and alignment.
        unsafe { place.cast().as_ref() }
    }

    /// Words about the whole segment.
    pub fn control(&self) -> &Control {
        // SAFETY: atomics only; the offset is a multiple of the line.
        unsafe { self.shared(CONTROL_OFFSET as u64) }
    }

    /// The owners of the channel's ends.
    pub fn ends(&self) -> &Ends {
        // SAFETY: atomics only; the offset is a multiple of the line.
        unsafe { self.shared(ENDS_OFFSET as u64) }
    }

    /// The record of `member`.
    pub fn record(&self, member: MemberId) -> &MemberRecord {
        assert!(member.index() < self.shape.max_members as usize, "member ids are range-checked");
        let offset = member.index() * size_of::<MemberRecord>();
        // SAFETY: atomics only; record sizes and the table's offset are multiples of the line.
        unsafe { self.shared(self.header.members_offset + offset as u64) }
    }

    /// What `member`, or others that had its number before, have counted.
    pub fn counters(&self, member: MemberId) -> &Counters {
        assert!(member.index() < self.shape.max_members as usize, "member ids are range-checked");
        let offset = member.index() * size_of::<Counters>();
        // SAFETY: atomics only; sizes and the table's offset are multiples of the line.
        unsafe { self.shared(self.header.counters_offset + offset as u64) }
    }

    /// A ring in which there is never a message and never room.
    fn bar(&self) -> &Bar {
        self.bar.get_or_init(|| Bar::new(in_memory(self.header.stride)))
    }

    /// All member ids that the segment has room for.
    pub fn member_ids(&self) -> impl Iterator<Item = MemberId> + use<> {
        const { assert!(MAX_MEMBERS < u16::MAX as u32) }
        (0..u16::try_from(self.shape.max_members).unwrap_or(0)).map(MemberId)
    }

    /// The header of ring `number`.
    pub fn ring_header(&self, number: u32) -> &RingHeader {
        let between_two = !self.shape.kind.is_queue() && number < self.shape.rings();
        assert!(between_two, "the kind fixes the number of rings");
        let offset = u64::from(number) * size_of::<RingHeader>() as u64;
        // SAFETY: atomics only; header sizes and the table's offset are multiples of the line.
        unsafe { self.shared(self.header.rings_offset + offset) }
    }

    /// The header of ring `number` of a queue.
    pub fn queue_header(&self, number: u32) -> &QueueHeader {
        let between_many = self.shape.kind.is_queue() && number < self.shape.rings();
        assert!(between_many, "the kind says which rings there are");
        let offset = u64::from(number) * size_of::<QueueHeader>() as u64;
        // SAFETY: atomics only; header sizes and the table's offset are multiples of the line.
        unsafe { self.shared(self.header.rings_offset + offset) }
    }

    /// Where watchers wait for members to come.
    fn arrivals_line(&self) -> &EventLine {
        // SAFETY: atomics only; the offset is a multiple of the line.
        unsafe { self.shared(ARRIVALS_OFFSET as u64) }
    }

    /// The event at which `member` waits for others to come, and which those notify.
    pub fn arrivals(&self, member: MemberId) -> Event<'_> {
        Event::of_many(self.arrivals_line(), &self.watchers, member)
    }

    /// Where members wait, at whichever ring, or for others to come.
    pub fn events(&self) -> Vec<&EventLine> {
        let events = |number| {
            if self.shape.kind.is_queue() {
                let ring = self.queue_header(number);
                return [&ring.not_empty, &ring.not_full];
            }
            let ring = self.ring_header(number);
            [&ring.not_empty, &ring.not_full]
        };
        (0..self.shape.rings()).flat_map(events).chain([self.arrivals_line()]).collect()
    }

    /// The slots of ring `number` of a queue. As slots of bytes they can be had whatever messages lie in them.
    pub fn slots<M: Message + ?Sized>(&self, number: u32) -> Slots<'_, M> {
        let stride = in_memory(self.header.stride);
        let capacity = in_memory(self.shape.elements(number));
        assert!(self.shape.kind.is_queue() && M::stride(stride) == stride, "checked when opened");
        let offset = self.slots_offset(number);
        assert!(offset + capacity * stride <= self.mapping().len(), "validated geometry fits");
        // SAFETY: the assertion keeps the place inside the mapping.
        let start = unsafe { self.mapping().start().byte_add(offset) };
        // SAFETY: so many slots fit behind a line-aligned start and stay mapped while `self` lives; only rings
        // touch them, through `Slots`.
        unsafe { Slots::new(start, capacity, stride) }
    }

    /// Where the slots of ring `number` begin.
    fn slots_offset(&self, number: u32) -> usize {
        let behind = self.shape.ring_offset(number).expect("validated geometry");
        in_memory(self.header.slots_offset + behind)
    }

    /// The slots of ring `number`.
    pub fn cells<T: Pod>(&self, number: u32) -> Cells<'_, T> {
        assert_eq!(self.shape.element_size, size_of::<T>() as u64, "checked when it was opened");
        assert!(
            self.shape.element_align as usize >= align_of::<T>() && number < self.shape.rings()
        );
        let (offset, bytes) =
            (self.slots_offset(number), in_memory(self.shape.capacity) * size_of::<T>());
        assert!(offset + bytes <= self.mapping().len(), "validated geometry fits the mapping");
        // SAFETY: the assertion keeps the place inside the mapping.
        let start = unsafe { self.mapping().start().byte_add(offset) };
        // SAFETY: `capacity` elements fit `bytes` from a line-aligned start and stay mapped while `self`
        // lives; only rings touch them, through `Cells`.
        unsafe { Cells::new(start.cast().as_ptr(), in_memory(self.shape.capacity)) }
    }
}

/// A number of the validated geometry, all of which is mapped.
fn in_memory(number: u64) -> usize {
    usize::try_from(number).expect("validated geometry fits the mapping")
}

impl Drop for Segment {
    fn drop(&mut self) {
        let guard = fork::guard();
        if self.is_inherited() {
            // The mapping and the descriptor never came to this process: both numbers may be others' by now.
            std::mem::forget((self.mapping.take(), self.probe.take()));
            return;
        }
        if self.registered {
            guard.unregister(self.start());
        }
        drop(self.mapping.take());
        let probe = self.probe.take().expect("present until dropped");
        if !probe.metadata().is_ok_and(|found| Identity::of(&found) == self.identity) {
            // Somebody closed it behind our back and the number may be another file's: leave it alone.
            std::mem::forget(probe);
        }
    }
}
