//! The memory format: every structure that processes share, declared once.
//!
//! Fixed-width integers only, little-endian, naturally aligned; one structure per 128-byte line, grouped by
//! who writes it; all zeros is the valid empty state of every mutable line, but for `present`. The compiler checks each
//! offset, golden-bytes tests pin every structure, and DESIGN.md §4 shows the same numbers.
//!
//! This file has the constants and the arithmetic on geometry, `kind` what a segment may hold, `header` what is fixed, `lines` what members change,
//! `describe` how both are shown to other languages: data, no I/O, no references into memory.
//!
//! Version 1 is frozen. What it has room for and nothing uses yet is marked *Reserved*; DESIGN.md §4 says how it may
//! come into use.

mod describe;
mod header;
mod kind;
mod lines;
mod lock;
mod slab;

use crate::primitive::{self, slot_stride};
use describe::constants;

pub use describe::Constant;
#[cfg(not(loom))]
pub use describe::{Field, Shared, Structure, Type};
pub use header::*;
pub use kind::Kind;
pub use lines::*;
pub use lock::*;
pub use slab::*;

constants! {
    /// What is the same in every segment of this version.
    pub const GENERAL;

    /// `ringway` and a zero byte, as a little-endian number: the first eight bytes of every segment.
    pub const MAGIC: u64 = u64::from_le_bytes(*b"ringway\0");
    /// The format described here. It is frozen: a change that an older build could not read raises it.
    pub const VERSION: u32 = 1;
    /// What was added to the version compatibly: words that were zero before. Segments that use no feature say 0.
    pub const MINOR: u32 = 1;
    /// Everything starts on a line of this many bytes: two cache lines, because the adjacent-line prefetcher
    /// of common processors fetches in pairs.
    pub const LINE: usize = 128;
    /// The most members that a segment can have: one line of waiter bits.
    pub const MAX_MEMBERS: u32 = 512;
    /// The longest segment: lock bytes begin behind it.
    pub const MAX_SEGMENT: u64 = 1 << 40;
    /// The most deliveries that are told apart: a slot counts them in four bits.
    pub const MOST_DELIVERIES: u32 = 15;
    /// Liveness byte of member 0 in the segment file; member `i` holds the `i`-th after it.
    pub const LIVENESS_BYTE: u64 = 1 << 40;
    /// Byte of member 0 that a watcher may wait on; it says nothing about liveness by itself.
    pub const BELL_BYTE: u64 = 1 << 41;
    /// The byte that whoever removes the segment's name holds.
    pub const REMOVAL_BYTE: u64 = 1 << 42;
    /// The byte that whoever changes a chain of segments holds, of the first of them.
    pub const CHAIN_BYTE: u64 = (1 << 42) + 1;
    /// Offset of [`Control`].
    pub const CONTROL_OFFSET: usize = 256;
    /// Offset of [`Ends`].
    pub const ENDS_OFFSET: usize = 384;
    /// Offset of the [`EventLine`] at which watchers wait.
    pub const ARRIVALS_OFFSET: usize = 512;
    /// Offset of what the geometry places: members first.
    pub const PLACED_OFFSET: usize = 640;
    /// The elements of a block begin on a multiple of this.
    pub const DATA_ALIGN: u64 = 4096;
}

constants! {
    /// Bits and codes in the header.
    pub const CODES;

    /// The channel's name disappears with its last member.
    pub const FLAG_REMOVE_WHEN_UNUSED: u32 = 1;
    /// Sides use the asymmetric barrier.
    pub const FLAG_ASYMMETRIC: u32 = 2;
    /// A pipe with one ring: end 0 sends, end 1 receives.
    pub const FLAG_FIRST_SENDS: u32 = 4;
    /// A pipe with one ring: end 1 sends, end 0 receives.
    pub const FLAG_SECOND_SENDS: u32 = 8;
    /// Of a block: a mutex that guards nothing by itself lies behind the counters, on a line of its own.
    pub const FLAG_LOCK: u32 = 16;
    /// A message whose receiver did not acknowledge it is delivered again.
    pub const DELIVERY_AT_LEAST_ONCE: u32 = 1;
    /// A message whose receiver did not acknowledge it is dropped.
    pub const DELIVERY_AT_MOST_ONCE: u32 = 2;
    /// Messages of bytes may lie outside of their slot, in a block of the slab.
    pub const FEATURE_LONG_MESSAGES: u32 = 1;
    /// Another segment may continue this one.
    pub const FEATURE_GROWTH: u32 = 2;
    /// Records may be longer than the ring, and receivers may set how long at most.
    pub const FEATURE_LONG_RECORDS: u32 = 4;
}

constants! {
    /// Where things lie in a slot of a queue.
    pub const SLOTS;

    /// Slots begin on multiples of this, or of the element's alignment if that is more.
    pub const SLOT_ALIGN: usize = primitive::SLOT_ALIGN;
    /// A value lies here, or at its alignment if that is more; of a message of bytes the word with its length.
    pub const SLOT_PAYLOAD: usize = size_of::<u64>();
    /// The bytes of a message.
    pub const SLOT_BYTES: usize = SLOT_PAYLOAD + size_of::<u64>();
    /// Of a message in a block, instead of its bytes: the block's number.
    pub const SLOT_BLOCK: usize = SLOT_BYTES;
    /// The flag of such a message.
    pub const MESSAGE_IN_BLOCK: u32 = 1;
}

/// What a channel needs of its segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// What the segment holds.
    pub kind: Kind,
    /// Bytes in one element.
    pub element_size: u64,
    /// Alignment of one element.
    pub element_align: u32,
    /// Fingerprint of the element type's agreed name; zero for none.
    pub type_id: [u8; 16],
    /// Elements in each ring, a power of two; of a queue in its first; of a block all of them, any number.
    pub capacity: u64,
    /// Members that can be attached at a time.
    pub max_members: u32,
    /// `FLAG_` bits.
    pub flags: u32,
    /// `FEATURE_` bits.
    pub features: u32,
    /// A `DELIVERY_` code for queues, else zero.
    pub delivery: u32,
    /// Deliveries after which a message goes to the dead letters, 1 to [`MOST_DELIVERIES`]; zero without any.
    pub delivery_limit: u32,
    /// Elements in the ring of dead letters, a power of two; zero without any.
    pub dead_letters: u64,
    /// Classes of blocks for messages of bytes that are longer than an element.
    pub classes: [ClassWord; CLASSES],
    /// The longest message of bytes; zero without blocks.
    pub max_message: u64,
    /// What a queue that grows is part of.
    pub growth: GrowthShape,
}

/// Which chain of segments a queue that grows is part of; all zero for one that does not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GrowthShape {
    /// The chain's own number, not zero.
    pub chain_id: u64,
    /// Which segment of the chain it is; zero is the first, which has the name.
    pub chain: u64,
    /// Bytes that the chain may take; zero for no such limit.
    pub bytes: u64,
    /// Messages that the chain may hold; zero for no such limit.
    pub messages: u64,
}

impl GrowthShape {
    /// Whether there is a chain.
    pub fn is_some(self) -> bool {
        self.chain_id != 0
    }

    /// The feature that there is one.
    pub fn feature(self) -> u32 {
        if self.is_some() { FEATURE_GROWTH } else { 0 }
    }

    fn is_possible(self, features: u32) -> bool {
        let plain = features & FEATURE_LONG_MESSAGES == 0;
        (self == Self::default() || self.is_some() && plain)
            && features & FEATURE_GROWTH == self.feature()
    }
}

/// Where things are, and how long the whole is.
#[cfg(not(loom))]
struct Places {
    members: u64,
    counters: u64,
    rings: u64,
    slots: u64,
    /// Zero without blocks.
    slab: u64,
    slab_len: u64,
    total_len: u64,
}

impl Shape {
    /// The header that describes a segment of this shape, or `None` when it would be longer than
    /// [`MAX_SEGMENT`] or the numbers make no sense.
    ///
    /// Offsets are a function of the shape alone: an opener computes them anew and compares.
    #[cfg(not(loom))]
    pub fn header(&self, boot_id: [u8; 16]) -> Option<SegmentHeader> {
        if !self.is_possible() {
            return None;
        }
        let places = self.places()?;
        let mut header = SegmentHeader {
            magic: MAGIC,
            version: VERSION,
            kind: self.kind as u32,
            layout_hash: LAYOUT_HASH,
            total_len: places.total_len,
            boot_id,
            type_id: self.type_id,
            element_size: self.element_size,
            element_align: self.element_align,
            max_members: self.max_members,
            capacity: self.capacity,
            stride: self.stride()?,
            members_offset: places.members,
            counters_offset: places.counters,
            rings_offset: places.rings,
            slots_offset: places.slots,
            flags: self.flags,
            rings: self.rings(),
            delivery: self.delivery,
            delivery_limit: self.delivery_limit,
            dead_letters: self.dead_letters,
            slab_offset: places.slab,
            slab_len: places.slab_len,
            minor: if self.features == 0 && !self.kind.is_block() { 0 } else { MINOR },
            features: self.features,
            max_message: self.max_message,
            classes: self.classes.map(|class| class.0),
            growth_bytes: self.growth.bytes,
            growth_messages: self.growth.messages,
            chain: self.growth.chain,
            chain_id: self.growth.chain_id,
            ..bytemuck::Zeroable::zeroed()
        };
        header.checksum = header.sum();
        Some(header)
    }

    /// Whether each number is one that there may be, and goes with the others. Their sizes are for [`places`](Self::places).
    #[cfg(not(loom))]
    fn is_possible(&self) -> bool {
        let aligned = self.element_align.is_power_of_two()
            && self.element_align as usize <= LINE
            && self.element_size.checked_rem(u64::from(self.element_align)) == Some(0);
        let countable = self.capacity <= MAX_SEGMENT && self.element_size <= u32::MAX.into();
        let known =
            self.flags & !self.kind.flags() == 0 && self.features & !self.kind.features() == 0;
        aligned
            && countable
            && known
            && self.capacity_fits_kind()
            && self.element_fits_kind()
            && self.knows_delivery()
            && self.dead_letters_are_possible()
            && self.blocks_are_possible()
            && self.growth.is_possible(self.features)
            && (2..=self.kind.max_members()).contains(&self.max_members)
    }

    /// Where things are, if there is room for them.
    #[cfg(not(loom))]
    fn places(&self) -> Option<Places> {
        let (each_member, rings) = (u64::from(self.max_members), self.rings());
        let members = PLACED_OFFSET as u64;
        let counters = members + each_member * size_of::<MemberRecord>() as u64;
        let first_ring = counters + each_member * size_of::<Counters>() as u64;
        let mut slots = first_ring + u64::from(rings) * size_of::<RingHeader>() as u64;
        if self.kind.is_block() {
            let lock = if self.flags & FLAG_LOCK == 0 { 0 } else { LINE as u64 };
            slots = (slots + lock).next_multiple_of(DATA_ALIGN);
        }
        let behind = self.ring_offset(rings)?.checked_add(self.data_len()?)?;
        let mut end = behind.checked_add(slots)?;
        let slab_len = self.slab()?.len;
        if slab_len > 0 {
            end = end.checked_next_multiple_of(HOLE_ALIGN)?;
        }
        let slab = if slab_len > 0 { end } else { 0 };
        let total_len = end.checked_add(slab_len).filter(|len| *len <= MAX_SEGMENT)?;
        Some(Places { members, counters, rings: first_ring, slots, slab, slab_len, total_len })
    }

    /// The shape that a header claims; `None` if this build does not know its kind.
    pub fn of(header: &SegmentHeader) -> Option<Self> {
        Some(Self {
            kind: Kind::from_code(header.kind)?,
            element_size: header.element_size,
            element_align: header.element_align,
            type_id: header.type_id,
            capacity: header.capacity,
            max_members: header.max_members,
            flags: header.flags,
            features: header.features,
            delivery: header.delivery,
            delivery_limit: header.delivery_limit,
            dead_letters: header.dead_letters,
            classes: header.classes.map(ClassWord),
            max_message: header.max_message,
            growth: GrowthShape {
                chain_id: header.chain_id,
                chain: header.chain,
                bytes: header.growth_bytes,
                messages: header.growth_messages,
            },
        })
    }

    /// Whether this build knows the delivery policy.
    pub fn knows_delivery(&self) -> bool {
        let policies = [DELIVERY_AT_LEAST_ONCE, DELIVERY_AT_MOST_ONCE];
        if self.kind.is_queue() { policies.contains(&self.delivery) } else { self.delivery == 0 }
    }

    /// Whether dead letters are none, or have a ring and are of a queue that delivers again.
    fn dead_letters_are_possible(&self) -> bool {
        match (self.delivery_limit, self.dead_letters) {
            (0, 0) => true,
            (limit, slots) => {
                limit <= MOST_DELIVERIES
                    && limit > 0
                    && self.delivery == DELIVERY_AT_LEAST_ONCE
                    && slots.is_power_of_two()
                    && slots <= MAX_SEGMENT
            }
        }
    }

    /// Whether elements are such as the kind has: a pipe is made of words, and a message of bytes begins on one.
    fn element_fits_kind(&self) -> bool {
        let word = size_of::<u64>();
        match self.kind {
            Kind::Pipe => (self.element_size, self.element_align as usize) == (word as u64, word),
            Kind::ByteQueue => self.element_align as usize == word,
            Kind::Block => self.element_size > 0,
            Kind::Lock => {
                (self.element_size, self.element_align) == (1, 1) && self.lock_is_possible()
            }
            Kind::Spsc | Kind::Queue => true,
        }
    }

    fn capacity_fits_kind(&self) -> bool {
        if self.kind.is_block() { self.capacity > 0 } else { self.capacity.is_power_of_two() }
    }

    /// Bytes of a block's elements; zero for other kinds.
    pub fn data_len(&self) -> Option<u64> {
        if !self.kind.is_block() {
            return Some(0);
        }
        self.element_size.checked_mul(self.capacity)
    }

    /// Bytes in the file of such a segment, if there can be one.
    #[cfg(not(loom))]
    pub fn total_len(&self) -> Option<u64> {
        self.header([0; 16]).map(|header| header.total_len)
    }

    /// Bytes from one slot to the next.
    pub fn stride(&self) -> Option<u64> {
        let size = usize::try_from(self.element_size).ok()?;
        let stride = match self.kind {
            Kind::Spsc | Kind::Pipe | Kind::Block | Kind::Lock => size,
            Kind::Queue => slot_stride(size, self.element_align as usize),
            Kind::ByteQueue => slot_stride(size_of::<u64>() + size, align_of::<u64>()),
        };
        Some(stride as u64)
    }

    /// How many rings.
    pub fn rings(&self) -> u32 {
        if self.kind.is_block() {
            return 0;
        }
        let one_way = self.flags & (FLAG_FIRST_SENDS | FLAG_SECOND_SENDS) != 0;
        let both_ways = self.kind == Kind::Pipe && !one_way;
        if both_ways || self.dead_letters > 0 { 2 } else { 1 }
    }

    /// Elements in ring `number`.
    pub fn elements(&self, number: u32) -> u64 {
        if number == 1 && self.kind.is_queue() { self.dead_letters } else { self.capacity }
    }

    /// Bytes from the first ring's slots to those of ring `number`. Each ring's are a whole number of lines.
    pub fn ring_offset(&self, number: u32) -> Option<u64> {
        let bytes = |ring| {
            self.stride()?.checked_mul(self.elements(ring))?.checked_next_multiple_of(LINE as u64)
        };
        (0..number).try_fold(0u64, |sum, ring| sum.checked_add(bytes(ring)?))
    }
}
