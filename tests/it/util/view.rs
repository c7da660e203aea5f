//! The segment as a program in another language sees it: a file of words at documented places.
//!
//! Nothing here comes from the library: the numbers are those of the format's description.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::Path;

pub const HEADER: usize = 256;
pub const CONTROL: u64 = 256;
pub const ROSTER: u64 = 264;
pub const ENDS: u64 = 384;
pub const ARRIVALS: u64 = 512;
pub const PLACED: u64 = 640;
pub const RECORD: u64 = 128;
pub const RING: u64 = 640;
/// In the first waiter word of a ring's first event: somebody has asked to close.
pub const CLOSING: u64 = 1 << 63;

/// An open segment file.
#[derive(Debug)]
pub struct View(File);

impl View {
    pub fn open(path: &Path) -> Self {
        Self(OpenOptions::new().read(true).write(true).open(path).expect("the segment's file"))
    }

    /// The file itself.
    pub fn file(&self) -> &File {
        &self.0
    }

    pub fn bytes(&self, offset: u64, len: usize) -> Vec<u8> {
        let mut bytes = vec![0; len];
        self.0.read_exact_at(&mut bytes, offset).expect("inside the file");
        bytes
    }

    pub fn u64(&self, offset: u64) -> u64 {
        let mut bytes = [0; 8];
        self.0.read_exact_at(&mut bytes, offset).expect("inside the file");
        u64::from_le_bytes(bytes)
    }

    pub fn u32(&self, offset: u64) -> u32 {
        let mut bytes = [0; 4];
        self.0.read_exact_at(&mut bytes, offset).expect("inside the file");
        u32::from_le_bytes(bytes)
    }

    pub fn put_u64(&self, offset: u64, value: u64) {
        self.0.write_all_at(&value.to_le_bytes(), offset).expect("inside the file");
    }

    pub fn put_bytes(&self, offset: u64, bytes: &[u8]) {
        self.0.write_all_at(bytes, offset).expect("inside the file");
    }

    pub fn put_u32(&self, offset: u64, value: u32) {
        self.0.write_all_at(&value.to_le_bytes(), offset).expect("inside the file");
    }

    pub fn capacity(&self) -> u64 {
        self.u64(88)
    }

    /// Offset of the record of `member`.
    pub fn record(&self, member: u32) -> u64 {
        self.u64(104) + u64::from(member) * RECORD
    }

    fn ring(&self, ring: u64) -> u64 {
        self.u64(120) + ring * RING
    }

    pub fn tail(&self, ring: u64) -> u64 {
        self.ring(ring)
    }

    pub fn head(&self, ring: u64) -> u64 {
        self.ring(ring) + 128
    }

    pub fn seal(&self, ring: u64) -> u64 {
        self.ring(ring) + 256
    }

    pub fn not_empty(&self, ring: u64) -> u64 {
        self.ring(ring) + 384
    }

    pub fn not_full(&self, ring: u64) -> u64 {
        self.ring(ring) + 512
    }

    /// Offset of element `index` of ring `ring`.
    pub fn slot(&self, ring: u64, index: u64) -> u64 {
        let (capacity, stride) = (self.capacity(), self.u64(96));
        let ring_bytes = (capacity * stride).next_multiple_of(128);
        self.u64(128) + ring * ring_bytes + index * stride
    }

    /// Whether a consumer of `ring` sleeps or is about to.
    pub fn consumer_waits(&self, ring: u64) -> bool {
        self.u64(self.not_empty(ring) + 8) & !CLOSING != 0
    }

    /// Whether a producer of `ring` sleeps or is about to.
    pub fn producer_waits(&self, ring: u64) -> bool {
        self.u64(self.not_full(ring) + 8) != 0
    }
}

/// States of a queue's slots.
pub const VACANT: u64 = 0;
pub const WRITING: u64 = 1;
pub const FILLED: u64 = 2;
pub const ABORTED: u64 = 3;
pub const READING: u64 = 4;
pub const REDELIVER: u64 = 5;
/// In a queue's tail: closed.
pub const CLOSED: u64 = 1 << 11;
/// Positions of a queue are counted modulo this.
pub const POSITIONS: u64 = 1 << 52;

/// The word of a queue's cursor.
pub fn cursor(position: u64, member: u64) -> u64 {
    position << 12 | member
}

/// The words of a queue.
impl View {
    /// Offset of the word that says whether anything comes again.
    pub fn redeliver(&self) -> u64 {
        self.head(0) + 8
    }

    /// Offset of the flag of those who begin to close.
    pub fn closed(&self) -> u64 {
        self.seal(0)
    }

    /// Offset of the word of the slot of `position`.
    pub fn word(&self, position: u64) -> u64 {
        self.slot(0, position % self.capacity())
    }

    /// What the slot of `position` says in `state`.
    pub fn slot_word(&self, position: u64, tries: u64, member: u64, state: u64) -> u64 {
        let lap = position >> self.capacity().trailing_zeros();
        lap << 18 | tries << 14 | member << 3 | state
    }

    /// State of the slot of `position` now.
    pub fn state(&self, position: u64) -> u64 {
        self.u64(self.word(position)) & 0b111
    }

    /// Makes an empty queue that nobody has used one that has carried `position` messages.
    pub fn start_at(&self, position: u64) {
        for next in (0..self.capacity()).map(|n| (position + n) % POSITIONS) {
            self.put_u64(self.word(next), self.slot_word(next, 0, 0, VACANT));
        }
        self.put_u64(self.head(0), cursor(position, 0));
        self.put_u64(self.tail(0), cursor(position, 0));
    }

    /// Which members have the bit of `event`, the offset of a waiter line.
    pub fn waiting(&self, event: u64) -> Vec<usize> {
        let has = |member: &usize| {
            let word = self.u64(event + 8 + (*member as u64 / 64) * 8);
            word >> (member % 64) & 1 == 1
        };
        (0..512).filter(has).collect()
    }

    /// Makes the header's checksum fit its other bytes: FNV-1a, 64 bits.
    pub fn seal_header(&self) {
        let mut header = self.bytes(0, HEADER);
        header[24..32].fill(0);
        let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        self.put_u64(24, header.iter().fold(0xcbf2_9ce4_8422_2325, step));
    }
}
