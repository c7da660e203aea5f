//! Where messages are copied to from the memory in which a contestant shows them: the work is to copy in and
//! to copy out.
//!
//! Whoever looked at a long message where it lies would read a few words of each page, and leave the rest to
//! nobody.

/// Longer messages are copied; of these all words are looked at.
const SHORT: usize = 8;

/// A receiver's buffer.
#[derive(Debug)]
pub struct Copied<const W: usize>(Box<[u64; W]>);

impl<const W: usize> Copied<W> {
    pub fn new() -> Self {
        Self(bytemuck::allocation::zeroed_box())
    }

    /// Shows `message` to `look`.
    #[inline(always)]
    pub fn of(&mut self, message: &[u64; W], look: &mut impl FnMut(&[u64; W])) {
        if W <= SHORT {
            return look(message);
        }
        self.0.copy_from_slice(message);
        look(&self.0);
    }
}
