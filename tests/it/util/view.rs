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
pub const PLACED: u64 = 512;
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
