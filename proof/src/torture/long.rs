//! Messages of all lengths: in their slots, in blocks, in attachments, each with a content that follows from its number.

use super::message::{Message, Words, mixed};

/// What a slot holds.
pub const SLOT: usize = 128;
/// The lengths of blocks, and of attachments.
pub const BLOCKS: [usize; 3] = [1024, 16_384, 262_144];
/// The longest.
pub const LONGEST: usize = BLOCKS[2];
/// Every message begins with what it says.
const HEAD: usize = size_of::<Words>();
/// What tells lengths from checks.
const LENGTHS: u64 = 0x1e96_7b5c_22d3_e1a9;

/// How long message `id` of a round with this `key` is.
///
/// Half of them fit a slot, one in sixteen is an attachment; one in eight is as long as its place.
pub fn len(id: u64, key: u64) -> usize {
    let choice = mixed(key ^ LENGTHS ^ id);
    let (least, most) = match choice % 16 {
        0..8 => (HEAD, SLOT),
        8..12 => (SLOT + 1, BLOCKS[0]),
        12..15 => (BLOCKS[0] + 1, BLOCKS[1]),
        _ => (BLOCKS[1] + 1, BLOCKS[2]),
    };
    let span = (most - least) as u64 + 1;
    let offset = match choice >> 4 & 7 {
        0 => span - 1,
        _ => (choice >> 8) % span,
    };
    least + usize::try_from(offset).unwrap_or(0)
}

/// The eight bytes at `number` behind the head of a message whose last check is `seed`.
fn piece(seed: u64, number: usize) -> [u8; 8] {
    seed.wrapping_add((number as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15)).to_le_bytes()
}

/// Writes a message into the whole of `place`: first `words`, `meanwhile`, then what follows from them.
pub fn write(words: &Words, place: &mut [u8], meanwhile: impl FnOnce()) {
    let (head, rest) = place.split_at_mut(HEAD);
    for (bytes, word) in head.chunks_exact_mut(8).zip(words) {
        bytes.copy_from_slice(&word.to_le_bytes());
    }
    meanwhile();
    for (number, bytes) in rest.chunks_mut(8).enumerate() {
        bytes.copy_from_slice(&piece(words[7], number)[..bytes.len()]);
    }
}

/// What number the message says it has that begins with `bytes`, if so much of it is there.
pub fn number(bytes: &[u8]) -> Option<u64> {
    let id = bytes.get(8..16)?;
    Some(u64::from_le_bytes(id.try_into().ok()?))
}

/// The message in `bytes`, if they are one of a round with this `key`, of its length, and whole; else what number it says it has.
pub fn read(bytes: &[u8], key: u64) -> Result<Message, u64> {
    let mut words: Words = [0; 8];
    for (word, bytes) in words.iter_mut().zip(bytes.chunks_exact(8)) {
        *word = bytes.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte));
    }
    let message = Message::read(&words, key).ok_or(words[1])?;
    let is_whole = bytes.len() == len(message.id, key)
        && bytes[HEAD..]
            .chunks(8)
            .enumerate()
            .all(|(number, bytes)| *bytes == piece(words[7], number)[..bytes.len()]);
    if is_whole { Ok(message) } else { Err(message.id) }
}

#[cfg(test)]
mod tests {
    use super::{BLOCKS, LONGEST, SLOT, len, read, write};
    use crate::torture::message::Message;

    const KEY: u64 = 5;

    fn message(id: u64) -> Vec<u8> {
        let mut bytes = vec![0; len(id, KEY)];
        let words = Message { id, stream: 3, number: 2, sent_at: 99 }.words(KEY);
        write(&words, &mut bytes, || {});
        bytes
    }

    #[test]
    fn a_message_with_a_byte_wrong_or_missing_is_none() {
        let id = (0..99).find(|id| (SLOT + 1..300).contains(&len(*id, KEY))).unwrap();
        let bytes = message(id);
        assert_eq!(read(&bytes, KEY).map(|message| message.id), Ok(id));
        assert!(read(&bytes, KEY + 1).is_err(), "another round's");
        for place in 0..bytes.len() {
            let mut wrong = bytes.clone();
            wrong[place] ^= 0x10;
            assert!(read(&wrong, KEY).is_err(), "byte {place}");
            assert!(read(&bytes[..place], KEY).is_err(), "{place} bytes");
        }
        let longer = [&bytes[..], &[0]].concat();
        assert_eq!(read(&longer, KEY), Err(id));
    }

    #[test]
    fn there_are_messages_of_every_kind_and_as_long_as_their_places() {
        let lengths: Vec<usize> = (0..4096).map(|id| len(id, KEY)).collect();
        let mut least = 64;
        for most in [SLOT, BLOCKS[0], BLOCKS[1], LONGEST] {
            assert!(lengths.iter().any(|len| (least..most).contains(len)), "below {most}");
            assert!(lengths.contains(&most), "{most}");
            least = most + 1;
        }
        assert!(lengths.iter().all(|len| (64..=LONGEST).contains(len)));
    }
}
