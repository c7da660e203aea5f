//! The segments of a queue that grows.

use ringway::queue::{Growth, Queue};

use super::compare;
use crate::util::Directory;
use crate::util::view::View;

/// The segment with the name, shut: the first of three messages was received.
const ANCHOR: &[&str] = &[
    "0000: 72 69 6e 67 77 61 79 00 01 00 00 00 03 00 00 00", // magic, version, kind
    "0010: ef c5 85 45 62 c5 b1 3c .. .. .. .. .. .. .. ..", // layout hash, checksum
    "0020: 80 07 00 00 00 00 00 00 .. .. .. .. .. .. .. ..", // total length, boot id
    "0030: .. .. .. .. .. .. .. .. 00 00 00 00 00 00 00 00", // boot id, type id
    "0040: 00 00 00 00 00 00 00 00 08 00 00 00 00 00 00 00", // type id, element size
    "0050: 08 00 00 00 02 00 00 00 02 00 00 00 00 00 00 00", // alignment, members, capacity
    "0060: 10 00 00 00 00 00 00 00 80 02 00 00 00 00 00 00", // stride, offset of members
    "0070: 80 03 00 00 00 00 00 00 80 04 00 00 00 00 00 00", // offsets of counters, of ring headers
    "0080: 00 07 00 00 00 00 00 00 00 00 00 00 00 00 00 00", // offset of slots
    "0090: 00 00 00 00 00 00 00 00 00 00 00 00 01 00 00 00", // flags, rings
    "00a0: 01 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00", // delivery, limit, dead letters
    "00b0: 01 00 00 00 02 00 00 00 00 00 00 00 00 00 00 00", // minor, features
    "00c0: 00 00 00 00 00 00 00 00 06 00 00 00 00 00 00 00", // growth in bytes, in messages
    "00d0: 00 00 00 00 00 00 00 00 .. .. .. .. .. .. .. ..", // the named one; number of the chain
    "0110: 01 00 00 00 00 01 08 00 00 00 00 00 00 00 00 00", // 1 is last, 1 ahead, 1 behind; leaving
    "0180: 01 00 00 00 00 00 00 00 01 00 00 00 00 00 00 00", // sides: senders that came, receivers
    "0280: 01 00 00 00 .. .. .. .. 01 00 00 00 00 00 00 00", // member 0: state, process, incarnation
    "0290: .. .. .. .. .. .. .. .. 01 00 00 00 01 00 00 00", // start time, senders, receivers
    "0480: 00 28 00 00 00 00 00 00 00 00 00 00 00 00 00 00", // tail: 2, closed
    "0500: 00 10 00 00 00 00 00 00 00 00 00 00 00 00 00 00", // head: 1
    "0580: 00 00 00 00 00 00 00 00 01 00 00 00 00 00 00 00", // closed, present
    "0700: 00 00 04 00 00 00 00 00 11 00 00 00 00 00 00 00", // slot 0: vacant, lap 1
    "0710: 02 00 00 00 00 00 00 00 12 00 00 00 00 00 00 00", // slot 1: filled
];

/// Its annex: as many messages as the limit leaves, no members.
const ANNEX: &[&str] = &[
    "0000: 72 69 6e 67 77 61 79 00 01 00 00 00 03 00 00 00", // magic, version, kind
    "0010: ef c5 85 45 62 c5 b1 3c .. .. .. .. .. .. .. ..", // layout hash, checksum
    "0020: 80 07 00 00 00 00 00 00 .. .. .. .. .. .. .. ..", // total length, boot id
    "0030: .. .. .. .. .. .. .. .. 00 00 00 00 00 00 00 00", // boot id, type id
    "0040: 00 00 00 00 00 00 00 00 08 00 00 00 00 00 00 00", // type id, element size
    "0050: 08 00 00 00 02 00 00 00 04 00 00 00 00 00 00 00", // alignment, members, capacity
    "0060: 10 00 00 00 00 00 00 00 80 02 00 00 00 00 00 00", // stride, offset of members
    "0070: 80 03 00 00 00 00 00 00 80 04 00 00 00 00 00 00", // offsets of counters, of ring headers
    "0080: 00 07 00 00 00 00 00 00 00 00 00 00 00 00 00 00", // offset of slots
    "0090: 00 00 00 00 00 00 00 00 00 00 00 00 01 00 00 00", // flags, rings
    "00a0: 01 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00", // delivery, limit, dead letters
    "00b0: 01 00 00 00 02 00 00 00 00 00 00 00 00 00 00 00", // minor, features
    "00c0: 00 00 00 00 00 00 00 00 06 00 00 00 00 00 00 00", // growth in bytes, in messages
    "00d0: 01 00 00 00 00 00 00 00 .. .. .. .. .. .. .. ..", // generation; number of the chain
    "0480: 00 10 00 00 00 00 00 00 00 00 00 00 00 00 00 00", // tail: 1
    "0580: 00 00 00 00 00 00 00 00 01 00 00 00 00 00 00 00", // closed, present
    "0700: 02 00 00 00 00 00 00 00 13 00 00 00 00 00 00 00", // slot 0: filled
];

#[test]
fn each_byte_of_a_queue_that_grows_is_as_described() {
    let place = Directory::in_memory("golden-growing");
    let options = Queue::<u64>::options().directory(place.path()).capacity(2).max_members(2);
    let queue = options.growth(Growth::Messages(6)).create("q").unwrap();
    let (sender, receiver) = (queue.sender(), queue.receiver());
    (0x11..0x14).for_each(|n| sender.send(n).unwrap());
    assert_eq!(receiver.recv(), Ok(0x11));
    let names = place.listing();
    assert_eq!(names.len(), 3, "segment, foothold, annex: {names:?}");
    let view = |name: &str| View::open(&place.path().join(name));
    let annex = names.iter().find(|name| name.ends_with(".1")).unwrap();
    assert_eq!(format!("{}.1", names[1]), *annex);
    compare(&view(&names[0]), 0x780, ANCHOR);
    compare(&view(annex), 0x780, ANNEX);
    // Numbered alike.
    assert_eq!(view(annex).u64(0xd8), view(&names[0]).u64(0xd8));
}
