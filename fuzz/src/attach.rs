//! A file of any content, opened as every kind of channel: an error that says why, or a handle that works.

use std::sync::atomic::AtomicU64;

use arbitrary::Arbitrary;
use ringway::block::{Block, SharedArray};
use ringway::pipe::Connection;
use ringway::queue::Queue;
use ringway::spsc::{Consumer, Producer};
use ringway::{Channel, Error, Options};

use crate::memory::{Fences, write_file};
use crate::place::{NAMESPACE, Name, small};
use crate::subject::{BRIEF, Setting};

/// What is found at a name.
#[derive(Arbitrary, Debug)]
pub enum Input {
    /// Just any bytes.
    Noise(Vec<u8>),
    /// A channel that somebody has made and left, changed; and a block, changed in the same way.
    Changed {
        /// How it was made.
        setting: Setting,
        /// Bytes that are overwritten, with their place, counted around at the end of the file.
        bytes: Vec<(u16, u8)>,
        /// Fields of the header that are overwritten.
        fields: Vec<(u8, Field)>,
        /// Whether the header's magic number, version and checksum are put right again.
        mended: bool,
        /// How much longer or shorter the file is made.
        longer: i16,
    },
}

/// What a field of the header is made to say.
#[derive(Arbitrary, Clone, Copy, Debug)]
pub enum Field {
    /// Anything.
    Raw(u64),
    /// A power of two, and a little more or less.
    Power(u8, i8),
    /// What it says and a little more or less.
    Near(i8),
}

const HEADER: usize = 256;
const CHECKSUM: std::ops::Range<usize> = 24..32;

/// Plays one input.
pub fn run(input: &Input) {
    let name = Name::fresh();
    match input {
        Input::Noise(content) => {
            write_file(name.path(), content, content.len() as u64).expect("room for a file");
        }
        Input::Changed { setting, bytes, fields, mended, longer } => {
            drop(setting.build(&name));
            spoil(&name, bytes, fields, *mended, *longer);
            // The same done to a block.
            let name = Name::fresh();
            let options =
                Block::options().namespace(NAMESPACE).len(1 + 97 * bytes.len()).max_members(2);
            drop(options.create(name.as_str()).expect("nothing is there"));
            spoil(&name, bytes, fields, *mended, *longer);
            open_all(&name);
        }
    }
    open_all(&name);
}

/// Changes what is in the file at `name`.
fn spoil(name: &Name, bytes: &[(u16, u8)], fields: &[(u8, Field)], mended: bool, longer: i16) {
    let mut content = std::fs::read(name.path()).expect("it was made a moment ago");
    let original = content.clone();
    for (place, byte) in bytes {
        let place = usize::from(*place) % content.len();
        content[place] = *byte;
    }
    for (field, value) in fields {
        change(&mut content[usize::from(field % 32) * 8..][..8], *value);
    }
    if mended {
        content[..12].copy_from_slice(&original[..12]);
        reseal(&mut content[..HEADER]);
    }
    let len = (content.len() as u64).saturating_add_signed(longer.into());
    write_file(name.path(), &content, len).expect("room for a file");
}

fn change(field: &mut [u8], value: Field) {
    let found = u64::from_le_bytes(field.try_into().expect("eight bytes"));
    let value = match value {
        Field::Raw(value) => value,
        Field::Power(power, step) => (1u64 << (power % 64)).wrapping_add_signed(step.into()),
        Field::Near(step) => found.wrapping_add_signed(step.into()),
    };
    field.copy_from_slice(&value.to_le_bytes());
}

/// Makes the checksum fit: FNV-1a over the header, where the checksum itself counts as zero.
fn reseal(header: &mut [u8]) {
    header[CHECKSUM].fill(0);
    let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    let sum = header.iter().fold(0xcbf2_9ce4_8422_2325, step);
    header[CHECKSUM].copy_from_slice(&sum.to_le_bytes());
}

/// Opens `name` in every way that does not make something new of it, and uses what comes of it.
fn open_all(name: &Name) {
    with(name, Queue::<u64>::options(), |queue| {
        let (sender, receiver) = (queue.sender(), queue.receiver());
        let _ = (sender.try_send(1), receiver.try_recv(), receiver.recv_timeout(BRIEF));
        let _ = (receiver.try_recv_guard(), sender.send_timeout(2, BRIEF), queue.members());
    });
    with(name, Queue::<[u8]>::options(), |queue| {
        let (sender, receiver) = (queue.sender(), queue.receiver());
        let _ = (sender.try_send(b"one"), receiver.try_recv(), receiver.recv_timeout(BRIEF));
        let _ = (receiver.try_recv_guard(), sender.send_timeout(b"two", BRIEF), queue.members());
    });
    with(name, Queue::<[u8; 3]>::options(), |queue| {
        let _ = queue.sender().try_send([1; 3]);
    });
    with(name, Producer::<u64>::options(), |mut producer| {
        let _ = (producer.try_send(1), producer.send_timeout(2, BRIEF));
    });
    with(name, Consumer::<u64>::options(), |mut consumer| {
        let _ = (consumer.try_recv(), consumer.recv_timeout(BRIEF));
    });
    with(name, Connection::options(), |mut end| {
        let _ = (end.try_send(b"one"), end.try_recv(), end.recv_timeout(BRIEF));
    });
    match Block::options().namespace(NAMESPACE).open(name.as_str()) {
        Ok(block) => {
            let _fences = Fences::around(name.path());
            let mut last = [1];
            block.write_at(block.len() - 1, &last).expect("it is there");
            block.read_at(block.len() - 1, &mut last).expect("it is there");
            let _ = (block.atomic::<AtomicU64>(0), block.members(), block.recover());
        }
        Err(error) => explain(&error),
    }
    let array = SharedArray::<u64>::options().namespace(NAMESPACE);
    let _ = array.open(name.as_str()).inspect_err(explain);
    let _ = small(Queue::<u64>::options()).open_or_create(name.as_str()).inspect_err(explain);
    let _ = small(Queue::<u64>::options()).create(name.as_str()).inspect_err(explain);
    let _ = small(Queue::<u64>::options()).unlink(name.as_str()).inspect_err(explain);
}

fn with<C: Channel>(name: &Name, options: Options<C>, act: impl FnOnce(C)) {
    match small(options).open(name.as_str()) {
        Ok(channel) => {
            let _fences = Fences::around(name.path());
            act(channel);
        }
        Err(error) => explain(&error),
    }
}

/// An error has a text that names the channel's kind of trouble.
fn explain(error: &Error) {
    assert!(error.to_string().contains(": ") && !format!("{error:?}").is_empty());
}
