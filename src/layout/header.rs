//! The header: what a segment is, and the sums by which it is told from others.

use bytemuck::{Pod, Zeroable};

use super::describe::shared;
#[cfg(not(loom))]
use super::{
    ARRIVALS_OFFSET, BlockLine, CONTROL_OFFSET, ConsumerLine, Control, Counters, ENDS_OFFSET, Ends,
    EventLine, GateLine, HeadLine, LINE, MemberRecord, ProducerLine, QueueHeader, RingHeader,
    SealLine, Structure, TailLine,
};

shared! {
    /// What the segment is, fixed before its name becomes visible: plain data, read once into private memory.
    #[repr(C, align(128))]
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
    pub struct SegmentHeader {
        /// [`MAGIC`].
        pub magic: u64,
        /// [`VERSION`].
        pub version: u32,
        /// A [`Kind`].
        pub kind: u32,
        /// [`LAYOUT_HASH`].
        pub layout_hash: u64,
        /// FNV-1a, 64 bits, of the header's bytes with this field taken as zero.
        pub checksum: u64,
        /// Bytes in the file.
        pub total_len: u64,
        /// Kernel boot that the locks of this segment belong to.
        pub boot_id: [u8; 16],
        /// Fingerprint of the element type's agreed name; zero for none.
        pub type_id: [u8; 16],
        /// Bytes in one element.
        pub element_size: u64,
        /// Alignment of one element.
        pub element_align: u32,
        /// Members that can be attached at a time.
        pub max_members: u32,
        /// Elements (for byte rings: 8-byte words) in each ring, a power of two; of a block any number.
        pub capacity: u64,
        /// Bytes from one slot to the next.
        pub stride: u64,
        /// Offset of the member records.
        pub members_offset: u64,
        /// Offset of the members' counters.
        pub counters_offset: u64,
        /// Offset of the ring headers.
        pub rings_offset: u64,
        /// Offset of the first ring's slots, or of a block's elements.
        pub slots_offset: u64,
        /// Offset of the slab; zero for none.
        pub slab_offset: u64,
        /// Bytes in the slab.
        pub slab_len: u64,
        /// `FLAG_` bits.
        pub flags: u32,
        /// How many rings.
        pub rings: u32,
        /// Delivery policy of a queue: [`DELIVERY_AT_LEAST_ONCE`] or [`DELIVERY_AT_MOST_ONCE`]; zero elsewhere.
        pub delivery: u32,
        /// Deliveries after which a message goes to the dead letters; zero for no limit.
        pub delivery_limit: u32,
        /// Elements in the second ring of a queue, which has its dead letters, a power of two; zero for none.
        pub dead_letters: u64,
        /// [`MINOR`] of the build that made it: for people, and for later builds.
        pub minor: u32,
        /// `FEATURE_` bits: who does not know one of them keeps out.
        pub features: u32,
        /// The longest message of bytes; zero where it is what a slot has room for.
        pub max_message: u64,
        /// Bytes that a chain of segments may take; zero for no such limit.
        pub growth_bytes: u64,
        /// Messages that a chain of segments may have; zero for no such limit.
        pub growth_messages: u64,
        /// Which segment of its chain it is, from zero.
        pub chain: u64,
        /// The number of the chain; zero for none.
        pub chain_id: u64,
        /// Classes of blocks in the slab, each a [`crate::layout::ClassWord`]; zero for none.
        pub classes: [u64; 4],
    }
}

impl SegmentHeader {
    /// FNV-1a over the header with its checksum field taken as zero.
    pub fn sum(&self) -> u64 {
        let blank = Self { checksum: 0, ..*self };
        fnv1a_64(bytemuck::bytes_of(&blank))
    }

    /// Whether `found` says the same, whatever minor version it was made by. Its checksum was compared before.
    pub fn is_matched_by(&self, found: &Self) -> bool {
        Self { minor: found.minor, checksum: found.checksum, ..*self } == *found
    }
}

#[cfg(not(loom))]
const _: () = {
    assert!(cfg!(target_endian = "little"));
    places(
        &SegmentHeader::DESCRIBED,
        256,
        &[
            0, 8, 12, 16, 24, 32, 40, 56, 72, 80, 84, 88, 96, 104, 112, 120, 128, 136, 144, 152,
            156, 160, 164, 168, 176, 180, 184, 192, 200, 208, 216, 224,
        ],
    );
    places(&Control::DESCRIBED, 128, &[0, 8, 16, 24]);
    places(&Ends::DESCRIBED, 128, &[0, 16]);
    places(&MemberRecord::DESCRIBED, 128, &[0, 4, 8, 16, 24]);
    places(&Counters::DESCRIBED, 128, &[0, 8, 16, 24, 32, 40, 48, 56, 64, 72, 80]);
    places(&ProducerLine::DESCRIBED, 128, &[0, 8]);
    places(&ConsumerLine::DESCRIBED, 128, &[0, 8]);
    places(&SealLine::DESCRIBED, 128, &[0, 8, 16]);
    places(&EventLine::DESCRIBED, 128, &[0, 4, 8]);
    places(&RingHeader::DESCRIBED, 640, &[0, 128, 256, 384, 512]);
    places(&TailLine::DESCRIBED, 128, &[0]);
    places(&HeadLine::DESCRIBED, 128, &[0, 8]);
    places(&GateLine::DESCRIBED, 128, &[0, 8]);
    places(&QueueHeader::DESCRIBED, 640, &[0, 128, 256, 384, 512]);
    places(&BlockLine::DESCRIBED, 128, &[0, 8]);
};

/// Asserts how long a structure is and where its fields lie, all of them.
#[cfg(not(loom))]
const fn places(structure: &Structure, size: usize, offsets: &[usize]) {
    assert!(structure.size == size && structure.fields.len() == offsets.len());
    let mut i = 0;
    while i < offsets.len() {
        assert!(structure.fields[i].offset == offsets[i]);
        i += 1;
    }
}

/// Fingerprint of sizes and of some offsets: builds that disagree about them refuse each other.
#[cfg(not(loom))]
pub const LAYOUT_HASH: u64 = {
    use std::mem::{offset_of, size_of};
    let facts = [
        size_of::<SegmentHeader>(),
        offset_of!(SegmentHeader, flags),
        size_of::<Control>(),
        size_of::<Ends>(),
        size_of::<MemberRecord>(),
        offset_of!(MemberRecord, roles),
        size_of::<Counters>(),
        offset_of!(Counters, dead_letters),
        size_of::<RingHeader>(),
        offset_of!(RingHeader, consumer),
        offset_of!(RingHeader, seal),
        offset_of!(RingHeader, not_empty),
        offset_of!(RingHeader, not_full),
        offset_of!(EventLine, waiters),
        offset_of!(SealLine, present),
        size_of::<QueueHeader>(),
        offset_of!(QueueHeader, not_full),
        offset_of!(HeadLine, redeliver),
        offset_of!(Ends, deserted),
        CONTROL_OFFSET,
        ENDS_OFFSET,
        ARRIVALS_OFFSET,
        LINE,
    ];
    let mut hash = FNV_64;
    let mut i = 0;
    while i < facts.len() {
        hash = fnv1a_step(hash, facts[i] as u64);
        i += 1;
    }
    hash
};

const FNV_64: u64 = 0xcbf2_9ce4_8422_2325;
const FNV_64_PRIME: u64 = 0x0000_0100_0000_01b3;
const FNV_128: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
const FNV_128_PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;

const fn fnv1a_step(hash: u64, value: u64) -> u64 {
    (hash ^ value).wrapping_mul(FNV_64_PRIME)
}

/// FNV-1a, 64 bits (Fowler, Noll, Vo). Every single flipped bit changes it.
pub fn fnv1a_64(bytes: &[u8]) -> u64 {
    bytes.iter().fold(FNV_64, |hash, byte| fnv1a_step(hash, u64::from(*byte)))
}

/// FNV-1a, 128 bits: the fingerprint of a type's agreed name, of what it tells of itself, or of both fingerprints.
pub fn type_fingerprint(what: &[u8]) -> [u8; 16] {
    let step = |hash: u128, byte: &u8| (hash ^ u128::from(*byte)).wrapping_mul(FNV_128_PRIME);
    what.iter().fold(FNV_128, step).to_le_bytes()
}
