//! What is sent: eight words, each of which depends on all that the message says.

/// A message in the queue: key, number in the ledger, stream, place in it, when it was sent, and three checks.
pub type Words = [u64; 8];

/// What a message says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message {
    /// Its place in the ledger.
    pub id: u64,
    /// One sending thread of one process.
    pub stream: u64,
    /// How many that thread had sent before.
    pub number: u64,
    /// When it was about to be sent.
    pub sent_at: u64,
}

impl Message {
    /// Its words in a round with this `key`.
    pub fn words(self, key: u64) -> Words {
        let Self { id, stream, number, sent_at } = self;
        let first = mixed(key ^ id);
        let second = mixed(first ^ stream.rotate_left(32) ^ number);
        [key, id, stream, number, sent_at, first, second, mixed(second ^ sent_at)]
    }

    /// The message of these words, if they are one of a round with this `key`, and whole.
    pub fn read(words: &Words, key: u64) -> Option<Self> {
        let [_, id, stream, number, sent_at, ..] = *words;
        let message = Self { id, stream, number, sent_at };
        (message.words(key) == *words).then_some(message)
    }
}

/// A number in which every bit depends on every bit of `word`: the finaliser of `SplitMix64` (Steele, Lea, Flood 2014).
pub fn mixed(word: u64) -> u64 {
    let word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

/// Choices that a seed decides.
#[derive(Debug)]
pub struct Random(u64);

impl Random {
    /// Choices of their own for each `seed`.
    pub fn new(seed: u64) -> Self {
        Self(mixed(seed ^ 0x5851_f42d_4c95_7f2d))
    }

    /// Any number.
    pub fn any(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mixed(self.0)
    }

    /// A number less than `end`, which is not zero.
    pub fn below(&mut self, end: u64) -> u64 {
        self.any() % end
    }

    /// True once in `times`.
    pub fn one_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }

    /// One of `choices`.
    pub fn of<T: Copy>(&mut self, choices: &[T]) -> T {
        let index = usize::try_from(self.below(choices.len() as u64)).unwrap_or(0);
        choices[index]
    }
}

#[cfg(test)]
mod tests {
    use super::{Message, Random};

    #[test]
    fn a_message_with_any_bit_wrong_is_none() {
        let message = Message { id: 7, stream: 3, number: 2, sent_at: 99 };
        let words = message.words(5);
        assert_eq!(Message::read(&words, 5), Some(message));
        assert_eq!(Message::read(&words, 6), None, "another round's");
        for bit in 0..words.len() * 64 {
            let mut wrong = words;
            wrong[bit / 64] ^= 1 << (bit % 64);
            assert_eq!(Message::read(&wrong, 5), None, "bit {bit}");
        }
    }

    #[test]
    fn a_seed_decides_its_choices() {
        let choices = |seed| {
            let mut random = Random::new(seed);
            [(); 4].map(|()| random.any())
        };
        assert_eq!(choices(1), choices(1));
        assert_ne!(choices(1), choices(2));
    }
}
