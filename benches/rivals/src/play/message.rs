//! What messages say, and how it is checked.

/// The sender's number lies above the message's own.
pub const SENDER_SHIFT: u32 = 48;
/// Tells a receiver of a crowd that nothing follows.
pub const END: u64 = u64::MAX;

/// Longer messages are filled once, and stamped for each sending: the work is to move them, not to invent them.
pub const SHORT: usize = 8;
/// Words between stamps: a page.
const STAMPS: usize = 512;

/// The messages of one sender.
pub struct Letter<const W: usize>(Box<[u64; W]>);

impl<const W: usize> Letter<W> {
    pub fn new() -> Self {
        let blank: Box<[u64]> = (0..W as u64).map(|word| word.wrapping_mul(0x9e37_79b9)).collect();
        Self(blank.try_into().unwrap_or_else(|_| unreachable!("it has W words")))
    }

    /// The message with `head` in front.
    #[inline(always)]
    pub fn stamped(&mut self, head: u64) -> &[u64; W] {
        for (page, words) in self.0.chunks_mut(STAMPS).enumerate() {
            words[0] = stamp(head, page * STAMPS);
        }
        self.0[W - 1] = stamp(head, W - 1);
        &self.0
    }
}

/// A short message.
#[inline(always)]
pub fn short<const W: usize>(head: u64) -> [u64; W] {
    std::array::from_fn(|word| stamp(head, word))
}

#[inline(always)]
fn stamp(head: u64, word: usize) -> u64 {
    head ^ (word as u64) << 24
}

/// What a message has in front. Panics unless it is whole: its first and last words and one of each page belong
/// together.
#[inline(always)]
pub fn head_of<const W: usize>(message: &[u64; W]) -> u64 {
    let head = message[0];
    let mut is_whole = message[W - 1] == stamp(head, W - 1);
    if W > SHORT {
        let pages = message.chunks(STAMPS).enumerate();
        is_whole &=
            pages.fold(true, |all, (page, words)| all & (words[0] == stamp(head, page * STAMPS)));
    }
    assert!(is_whole, "a message is torn: it begins with {head:#x}");
    head
}
