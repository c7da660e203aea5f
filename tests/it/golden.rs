//! Every byte of a segment of each kind, in states that show what each structure is for.
//!
//! A dump has a row for each 16 bytes that are not all zero; whatever has no row is zero. What differs from run to run
//! is `..`: checksum, boot, process. A test that fails here is a change of the memory format, which is frozen:
//! DESIGN.md §4 says what such a change takes.

use std::io::{Read, Write};

use ringway::pipe::{Connection, Direction};
use ringway::queue::Queue;
use ringway::spsc::{Consumer, Producer};
use ringway::{Barrier, TryRecvError};

use crate::util::child::{Child, hear, say};
use crate::util::view::View;
use crate::util::{NO_RECHECK, Name};

pub fn play(role: &str, arguments: &[&str]) {
    assert_eq!(role, "hold");
    let queue = Queue::<u64>::options().open(arguments[0]).unwrap();
    let (sender, receiver) = (queue.sender(), queue.receiver());
    let _delivery = receiver.recv_guard().unwrap();
    let _grant = sender.reserve().unwrap();
    say("held");
    hear();
}

/// Rows of 16 bytes with their offsets, zeros left out.
fn rows(view: &View) -> Vec<String> {
    let len = view.file().metadata().unwrap().len();
    let row = |at| {
        let bytes = view.bytes(at, 16);
        let hex: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        bytes.iter().any(|byte| *byte != 0).then(|| format!("{at:04x}: {}", hex.join(" ")))
    };
    (0..len).step_by(16).filter_map(row).collect()
}

/// Compares the file with `expected`: rows in which `..` stands for any byte.
#[track_caller]
fn compare(view: &View, len: u64, expected: &[&str]) {
    assert_eq!(view.file().metadata().unwrap().len(), len);
    let found = rows(view);
    let whole = found.join("\n");
    for (found, expected) in found.iter().zip(expected) {
        let alike = |(found, expected): (u8, u8)| found == expected || expected == b'.';
        let same = found.len() == expected.len() && found.bytes().zip(expected.bytes()).all(alike);
        assert!(same, "found {found}\n  not {expected}\n   in\n{whole}");
    }
    assert_eq!(found.len(), expected.len(), "{whole}");
}

/// The header of the queue with dead letters.
const QUEUE_HEADER: &[&str] = &[
    "0000: 72 69 6e 67 77 61 79 00 01 00 00 00 03 00 00 00", // magic, version, kind
    "0010: ef c5 85 45 62 c5 b1 3c .. .. .. .. .. .. .. ..", // layout hash, checksum
    "0020: 80 0a 00 00 00 00 00 00 .. .. .. .. .. .. .. ..", // total length, boot id
    "0030: .. .. .. .. .. .. .. .. 00 00 00 00 00 00 00 00", // boot id, type id
    "0040: 00 00 00 00 00 00 00 00 08 00 00 00 00 00 00 00", // type id, element size
    "0050: 08 00 00 00 02 00 00 00 08 00 00 00 00 00 00 00", // alignment, members, capacity
    "0060: 10 00 00 00 00 00 00 00 80 02 00 00 00 00 00 00", // stride, offset of members
    "0070: 80 03 00 00 00 00 00 00 80 04 00 00 00 00 00 00", // offsets of counters, of ring headers
    "0080: 80 09 00 00 00 00 00 00 00 00 00 00 00 00 00 00", // offsets of slots, of the slab
    "0090: 00 00 00 00 00 00 00 00 00 00 00 00 02 00 00 00", // length of the slab, flags, rings
    "00a0: 01 00 00 00 02 00 00 00 02 00 00 00 00 00 00 00", // delivery, limit, dead letters
];

/// Every state of a slot; member 1 is alive.
const QUEUE_HELD: &[&str] = &[
    "0100: 01 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00", // control: attaches, roster
    "0180: 02 00 00 00 00 00 00 00 02 00 00 00 00 00 00 00", // sides: senders that came, receivers
    "0280: 01 00 00 00 .. .. .. .. 01 00 00 00 00 00 00 00", // member 0: state, process, incarnation
    "0290: .. .. .. .. .. .. .. .. 01 00 00 00 01 00 00 00", // start time, senders, receivers
    "0300: 01 00 00 00 .. .. .. .. 01 00 00 00 00 00 00 00", // member 1
    "0310: .. .. .. .. .. .. .. .. 01 00 00 00 01 00 00 00", // start time, senders, receivers
    "03b0: 01 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00", // redeliveries, aborted
    "03d0: 01 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00", // dead letters
    "0480: 00 80 00 00 00 00 00 00 00 00 00 00 00 00 00 00", // tail
    "0500: 00 40 00 00 00 00 00 00 07 00 00 00 00 00 00 00", // head, redeliver
    "0580: 00 00 00 00 00 00 00 00 01 00 00 00 00 00 00 00", // closed, present
    "0700: 00 10 00 00 00 00 00 00 00 00 00 00 00 00 00 00", // tail of the dead letters
    "0800: 00 00 00 00 00 00 00 00 01 00 00 00 00 00 00 00", // closed, present
    "0980: 00 00 04 00 00 00 00 00 10 00 00 00 00 00 00 00", // slot 0: vacant, of the next lap
    "0990: 04 00 00 00 00 00 00 00 11 00 00 00 00 00 00 00", // slot 1: reading by member 0
    "09a0: 0c 00 00 00 00 00 00 00 12 00 00 00 00 00 00 00", // slot 2: reading by member 1
    "09b0: 05 40 00 00 00 00 00 00 13 00 00 00 00 00 00 00", // slot 3: to be delivered again, one try
    "09c0: 02 00 00 00 00 00 00 00 14 00 00 00 00 00 00 00", // slot 4: filled
    "09d0: 09 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00", // slot 5: writing by member 1
    "09e0: 01 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00", // slot 6: writing by member 0
    "09f0: 03 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00", // slot 7: aborted
    "0a00: 02 00 00 00 00 00 00 00 10 00 00 00 00 00 00 00", // dead letters, slot 0: filled
];

/// Member 1 was killed and cleaned up after.
const QUEUE_RECOVERED: &[&str] = &[
    "0100: 01 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00", // control: attaches, roster
    "0180: 02 00 00 00 00 00 00 00 02 00 00 00 00 00 00 00", // sides: senders that came, receivers
    "0200: 01 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00", // arrivals: epoch
    "0280: 01 00 00 00 .. .. .. .. 01 00 00 00 00 00 00 00", // member 0: state, process, incarnation
    "0290: .. .. .. .. .. .. .. .. 01 00 00 00 01 00 00 00", // start time, senders, receivers
    "0300: 00 00 00 00 .. .. .. .. 01 00 00 00 00 00 00 00", // member 1: unused
    "0310: .. .. .. .. .. .. .. .. 00 00 00 00 00 00 00 00", // start time
    "03a0: 00 00 00 00 00 00 00 00 01 00 00 00 00 00 00 00", // counters of member 0: recoveries
    "03b0: 01 00 00 00 00 00 00 00 01 00 00 00 00 00 00 00", // redeliveries, aborted
    "03d0: 01 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00", // dead letters
    "0480: 00 80 00 00 00 00 00 00 00 00 00 00 00 00 00 00", // tail
    "0500: 00 40 00 00 00 00 00 00 09 00 00 00 00 00 00 00", // head, redeliver
    "0580: 00 00 00 00 00 00 00 00 01 00 00 00 00 00 00 00", // closed, present
    "0600: 01 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00", // not empty: epoch
    "0680: 01 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00", // not full: epoch
    "0700: 00 10 00 00 00 00 00 00 00 00 00 00 00 00 00 00", // tail of the dead letters
    "0800: 00 00 00 00 00 00 00 00 01 00 00 00 00 00 00 00", // closed, present
    "0880: 01 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00", // not empty: epoch
    "0900: 01 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00", // not full: epoch
    "0980: 00 00 04 00 00 00 00 00 10 00 00 00 00 00 00 00", // slot 0
    "0990: 04 00 00 00 00 00 00 00 11 00 00 00 00 00 00 00", // slot 1
    "09a0: 05 40 00 00 00 00 00 00 12 00 00 00 00 00 00 00", // slot 2: to be delivered again, one try
    "09b0: 05 40 00 00 00 00 00 00 13 00 00 00 00 00 00 00", // slot 3
    "09c0: 02 00 00 00 00 00 00 00 14 00 00 00 00 00 00 00", // slot 4
    "09d0: 03 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00", // slot 5: aborted
    "09e0: 01 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00", // slot 6
    "09f0: 03 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00", // slot 7
    "0a00: 02 00 00 00 00 00 00 00 10 00 00 00 00 00 00 00", // dead letters, slot 0
];

/// The delivery in hand was dropped, the grant committed, the queue closed.
const QUEUE_CLOSED: &[&str] = &[
    "0100: 01 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00", // control: attaches, roster
    "0180: 02 00 00 00 00 00 00 00 02 00 00 00 00 00 00 00", // sides: senders that came, receivers
    "0200: 01 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00", // arrivals: epoch
    "0280: 01 00 00 00 .. .. .. .. 01 00 00 00 00 00 00 00", // member 0: state, process, incarnation
    "0290: .. .. .. .. .. .. .. .. 01 00 00 00 01 00 00 00", // start time, senders, receivers
    "0300: 00 00 00 00 .. .. .. .. 01 00 00 00 00 00 00 00", // member 1: unused
    "0310: .. .. .. .. .. .. .. .. 00 00 00 00 00 00 00 00", // start time
    "03a0: 00 00 00 00 00 00 00 00 01 00 00 00 00 00 00 00", // counters of member 0: recoveries
    "03b0: 01 00 00 00 00 00 00 00 01 00 00 00 00 00 00 00", // redeliveries, aborted
    "03d0: 01 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00", // dead letters
    "0480: 00 88 00 00 00 00 00 00 00 00 00 00 00 00 00 00", // tail: closed
    "0500: 00 40 00 00 00 00 00 00 0b 00 00 00 00 00 00 00", // head, redeliver
    "0580: 01 00 00 00 00 00 00 00 01 00 00 00 00 00 00 00", // closed, present
    "0600: 02 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00", // not empty: epoch
    "0680: 02 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00", // not full: epoch
    "0700: 00 10 00 00 00 00 00 00 00 00 00 00 00 00 00 00", // tail of the dead letters
    "0800: 00 00 00 00 00 00 00 00 01 00 00 00 00 00 00 00", // closed, present
    "0880: 01 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00", // not empty: epoch
    "0900: 01 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00", // not full: epoch
    "0980: 00 00 04 00 00 00 00 00 10 00 00 00 00 00 00 00", // slot 0
    "0990: 05 40 00 00 00 00 00 00 11 00 00 00 00 00 00 00", // slot 1: to be delivered again, one try
    "09a0: 05 40 00 00 00 00 00 00 12 00 00 00 00 00 00 00", // slot 2
    "09b0: 05 40 00 00 00 00 00 00 13 00 00 00 00 00 00 00", // slot 3
    "09c0: 02 00 00 00 00 00 00 00 14 00 00 00 00 00 00 00", // slot 4
    "09d0: 03 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00", // slot 5
    "09e0: 02 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00", // slot 6: filled, of zero
    "09f0: 03 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00", // slot 7
    "0a00: 02 00 00 00 00 00 00 00 10 00 00 00 00 00 00 00", // dead letters, slot 0
];

#[test]
fn each_byte_of_a_queue_is_as_described() {
    let name = Name::new("golden");
    let options = Queue::<u64>::options().capacity(8).max_members(2).recheck(NO_RECHECK);
    let queue = options.dead_letters(2, 2).create(&name).unwrap();
    let view = View::open(name.path());
    let (sender, receiver) = (queue.sender(), queue.receiver());
    sender.send_batch(&[0x10, 0x11, 0x12, 0x13, 0x14]).unwrap();
    drop(receiver.recv_guard().unwrap());
    drop(receiver.recv_guard().unwrap());
    let in_hand = receiver.recv_guard().unwrap();
    let child = Child::spawn("golden::hold", &[&name]);
    child.expect("held");
    let put_back = receiver.recv_guard().unwrap();
    let grant = sender.reserve().unwrap();
    drop(sender.reserve().unwrap());
    drop(put_back);
    compare(&view, 0xa80, &[QUEUE_HEADER, QUEUE_HELD].concat());
    child.kill();
    queue.recover().unwrap();
    compare(&view, 0xa80, &[QUEUE_HEADER, QUEUE_RECOVERED].concat());
    drop(in_hand);
    grant.commit().unwrap();
    queue.close();
    compare(&view, 0xa80, &[QUEUE_HEADER, QUEUE_CLOSED].concat());
}

/// Four messages, the first in the second lap.
const QUEUE_OF_BYTES: &[&str] = &[
    "0000: 72 69 6e 67 77 61 79 00 01 00 00 00 04 00 00 00", // magic, version, kind
    "0010: ef c5 85 45 62 c5 b1 3c .. .. .. .. .. .. .. ..", // layout hash, checksum
    "0020: 00 08 00 00 00 00 00 00 .. .. .. .. .. .. .. ..", // total length, boot id
    "0030: .. .. .. .. .. .. .. .. 00 00 00 00 00 00 00 00", // boot id, type id
    "0040: 00 00 00 00 00 00 00 00 20 00 00 00 00 00 00 00", // type id, element size
    "0050: 08 00 00 00 02 00 00 00 04 00 00 00 00 00 00 00", // alignment, members, capacity
    "0060: 30 00 00 00 00 00 00 00 80 02 00 00 00 00 00 00", // stride, offset of members
    "0070: 80 03 00 00 00 00 00 00 80 04 00 00 00 00 00 00", // offsets of counters, of ring headers
    "0080: 00 07 00 00 00 00 00 00 00 00 00 00 00 00 00 00", // offsets of slots, of the slab
    "0090: 00 00 00 00 00 00 00 00 00 00 00 00 01 00 00 00", // length of the slab, flags, rings
    "00a0: 01 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00", // delivery, limit, dead letters
    "0180: 01 00 00 00 00 00 00 00 01 00 00 00 00 00 00 00", // sides: senders that came, receivers
    "0280: 01 00 00 00 .. .. .. .. 01 00 00 00 00 00 00 00", // member 0: state, process, incarnation
    "0290: .. .. .. .. .. .. .. .. 01 00 00 00 01 00 00 00", // start time, senders, receivers
    "0480: 00 50 00 00 00 00 00 00 00 00 00 00 00 00 00 00", // tail
    "0500: 00 10 00 00 00 00 00 00 00 00 00 00 00 00 00 00", // head, redeliver
    "0580: 00 00 00 00 00 00 00 00 01 00 00 00 00 00 00 00", // closed, present
    "0700: 02 00 04 00 00 00 00 00 08 00 00 00 00 00 00 00", // slot 0: filled in lap 1, 8 bytes
    "0710: 6e 65 78 74 20 6c 61 70 00 00 00 00 00 00 00 00",
    "0730: 02 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00", // slot 1: filled, none
    "0760: 02 00 00 00 00 00 00 00 05 00 00 00 00 00 00 00", // slot 2: filled, 5 bytes
    "0770: 68 65 6c 6c 6f 00 00 00 00 00 00 00 00 00 00 00",
    "0790: 02 00 00 00 00 00 00 00 20 00 00 00 00 00 00 00", // slot 3: filled, 32 bytes
    "07a0: 07 07 07 07 07 07 07 07 07 07 07 07 07 07 07 07",
    "07b0: 07 07 07 07 07 07 07 07 07 07 07 07 07 07 07 07",
];

#[test]
fn each_byte_of_a_queue_of_bytes_is_as_described() {
    let name = Name::new("golden");
    let options = Queue::<[u8]>::options().capacity(4).message_len(32).max_members(2);
    let queue = options.create(&name).unwrap();
    let view = View::open(name.path());
    let (sender, receiver) = (queue.sender(), queue.receiver());
    for message in [&b"gone"[..], b"", b"hello", &[7; 32]] {
        sender.send(message).unwrap();
    }
    assert_eq!(receiver.recv().unwrap(), b"gone");
    sender.send(b"next lap").unwrap();
    compare(&view, 0x800, QUEUE_OF_BYTES);
}

/// Nobody has done anything yet.
const SPSC_FRESH: &[&str] = &[
    "0000: 72 69 6e 67 77 61 79 00 01 00 00 00 01 00 00 00", // magic, version, kind
    "0010: ef c5 85 45 62 c5 b1 3c .. .. .. .. .. .. .. ..", // layout hash, checksum
    "0020: 80 07 00 00 00 00 00 00 .. .. .. .. .. .. .. ..", // total length, boot id
    "0030: .. .. .. .. .. .. .. .. fa 8b 14 f6 cf 40 89 dd", // boot id, type id
    "0040: 1b 9b 65 d8 38 f3 f3 bb 04 00 00 00 00 00 00 00", // type id, element size
    "0050: 04 00 00 00 02 00 00 00 04 00 00 00 00 00 00 00", // alignment, members, capacity
    "0060: 04 00 00 00 00 00 00 00 80 02 00 00 00 00 00 00", // stride, offset of members
    "0070: 80 03 00 00 00 00 00 00 80 04 00 00 00 00 00 00", // offsets of counters, of ring headers
    "0080: 00 07 00 00 00 00 00 00 00 00 00 00 00 00 00 00", // offsets of slots, of the slab
    "0090: 00 00 00 00 00 00 00 00 00 00 00 00 01 00 00 00", // length of the slab, flags, rings
    "0100: 00 00 00 00 00 00 00 00 01 00 00 00 00 00 00 00", // control: attaches, roster
    "0180: 01 10 00 00 00 00 00 00 00 00 00 00 00 00 00 00", // ends
    "0280: 01 00 00 00 .. .. .. .. 01 00 00 00 00 00 00 00", // member 0: state, process, incarnation
    "0290: .. .. .. .. .. .. .. .. 00 00 00 00 00 00 00 00", // start time, senders, receivers
    "0580: 00 00 00 00 00 00 00 00 01 00 00 00 00 00 00 00", // seal, present
];

/// Three values that nobody took, closed.
const SPSC_USED: &[&str] = &[
    "0000: 72 69 6e 67 77 61 79 00 01 00 00 00 01 00 00 00", // magic, version, kind
    "0010: ef c5 85 45 62 c5 b1 3c .. .. .. .. .. .. .. ..", // layout hash, checksum
    "0020: 80 07 00 00 00 00 00 00 .. .. .. .. .. .. .. ..", // total length, boot id
    "0030: .. .. .. .. .. .. .. .. fa 8b 14 f6 cf 40 89 dd", // boot id, type id
    "0040: 1b 9b 65 d8 38 f3 f3 bb 04 00 00 00 00 00 00 00", // type id, element size
    "0050: 04 00 00 00 02 00 00 00 04 00 00 00 00 00 00 00", // alignment, members, capacity
    "0060: 04 00 00 00 00 00 00 00 80 02 00 00 00 00 00 00", // stride, offset of members
    "0070: 80 03 00 00 00 00 00 00 80 04 00 00 00 00 00 00", // offsets of counters, of ring headers
    "0080: 00 07 00 00 00 00 00 00 00 00 00 00 00 00 00 00", // offsets of slots, of the slab
    "0090: 00 00 00 00 00 00 00 00 00 00 00 00 01 00 00 00", // length of the slab, flags, rings
    "0100: 01 00 00 00 00 00 00 00 02 00 00 00 00 00 00 00", // control: attaches, roster
    "0180: 01 10 00 00 00 00 00 00 00 10 00 00 00 00 00 00", // ends
    "0200: 01 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00", // arrivals: epoch
    "0280: 01 00 00 00 .. .. .. .. 01 00 00 00 00 00 00 00", // member 0: state, process, incarnation
    "0290: .. .. .. .. .. .. .. .. 00 00 00 00 00 00 00 00", // start time, senders, receivers
    "0300: 00 00 00 00 .. .. .. .. 01 00 00 00 00 00 00 00", // member 1: unused
    "0310: .. .. .. .. .. .. .. .. 00 00 00 00 00 00 00 00", // start time
    "0480: 05 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00", // tail
    "0500: 02 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00", // head
    "0580: 05 00 00 00 00 00 00 80 01 00 00 00 00 00 00 00", // seal, present
    "0600: 02 00 00 00 00 00 00 00 00 00 00 00 00 00 00 80", // not empty: epoch, waiters with the closing bit
    "0680: 02 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00", // not full: epoch
    "0700: 05 00 00 00 02 00 00 00 03 00 00 00 07 06 05 04", // values
];

#[test]
fn each_byte_of_an_spsc_channel_is_as_described() {
    let name = Name::new("golden");
    let options = Producer::<u32>::options().capacity(4).max_members(2).barrier(Barrier::Fence);
    let mut producer = options.type_id("order.v1").create(&name).unwrap();
    let view = View::open(name.path());
    compare(&view, 0x780, SPSC_FRESH);
    let mut consumer = Consumer::<u32>::options().type_id("order.v1").open(&name).unwrap();
    producer.try_send_batch(&[1, 2, 3]).unwrap();
    assert_eq!((consumer.recv(), consumer.recv()), (Ok(1), Ok(2)));
    producer.try_send_batch(&[0x0405_0607, 5]).unwrap();
    producer.close();
    drop(consumer);
    compare(&view, 0x780, SPSC_USED);
}

/// Records both ways, one behind padding.
const PIPE: &[&str] = &[
    "0000: 72 69 6e 67 77 61 79 00 01 00 00 00 02 00 00 00", // magic, version, kind
    "0010: ef c5 85 45 62 c5 b1 3c .. .. .. .. .. .. .. ..", // layout hash, checksum
    "0020: 80 0a 00 00 00 00 00 00 .. .. .. .. .. .. .. ..", // total length, boot id
    "0030: .. .. .. .. .. .. .. .. 00 00 00 00 00 00 00 00", // boot id, type id
    "0040: 00 00 00 00 00 00 00 00 08 00 00 00 00 00 00 00", // type id, element size
    "0050: 08 00 00 00 02 00 00 00 08 00 00 00 00 00 00 00", // alignment, members, capacity
    "0060: 08 00 00 00 00 00 00 00 80 02 00 00 00 00 00 00", // stride, offset of members
    "0070: 80 03 00 00 00 00 00 00 80 04 00 00 00 00 00 00", // offsets of counters, of ring headers
    "0080: 80 09 00 00 00 00 00 00 00 00 00 00 00 00 00 00", // offsets of slots, of the slab
    "0090: 00 00 00 00 00 00 00 00 00 00 00 00 02 00 00 00", // length of the slab, flags, rings
    "0100: 01 00 00 00 00 00 00 00 02 00 00 00 00 00 00 00", // control: attaches, roster
    "0180: 01 10 00 00 00 00 00 00 02 10 00 00 00 00 00 00", // ends
    "0280: 01 00 00 00 .. .. .. .. 01 00 00 00 00 00 00 00", // member 0: state, process, incarnation
    "0290: .. .. .. .. .. .. .. .. 00 00 00 00 00 00 00 00", // start time, senders, receivers
    "0300: 01 00 00 00 .. .. .. .. 01 00 00 00 00 00 00 00", // member 1
    "0310: .. .. .. .. .. .. .. .. 00 00 00 00 00 00 00 00", // start time, senders, receivers
    "0480: 0b 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00", // ring 0: tail
    "0500: 04 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00", // head
    "0580: 00 00 00 00 00 00 00 00 01 00 00 00 00 00 00 00", // seal, present
    "0700: 01 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00", // ring 1: tail
    "0800: 00 00 00 00 00 00 00 00 01 00 00 00 00 00 00 00", // seal, present
    "0980: 0a 00 00 00 01 00 00 00 09 09 09 09 09 09 09 09", // a record of 10 bytes: length, kind
    "0990: 09 09 01 01 01 01 01 01 01 01 01 01 01 01 01 01", // its end, and what is left of an old one
    "09a0: 03 00 00 00 01 00 00 00 61 62 63 00 00 00 00 00", // a record of 3 bytes: length, kind
    "09b0: 08 00 00 00 02 00 00 00 00 00 00 00 00 00 00 00", // padding of 8 bytes to the end
    "0a00: 00 00 00 00 01 00 00 00 00 00 00 00 00 00 00 00", // ring 1: a record of none
];

#[test]
fn each_byte_of_a_pipe_is_as_described() {
    let name = Name::new("golden");
    let options = Connection::options().capacity(64).max_members(2).barrier(Barrier::Fence);
    let mut here = options.whole_records().create(&name).unwrap();
    let mut there = Connection::options().open(&name).unwrap();
    let view = View::open(name.path());
    here.send(&[1; 24]).unwrap();
    assert_eq!(there.recv().unwrap(), [1; 24]);
    here.send(b"abc").unwrap();
    here.send(&[9; 10]).unwrap();
    there.send(b"").unwrap();
    compare(&view, 0xa80, PIPE);
}

/// A record that was given up and cut short, another of which the last piece is not there yet, and a longest length.
const PIPE_IN_PIECES: &[&str] = &[
    "0000: 72 69 6e 67 77 61 79 00 01 00 00 00 02 00 00 00", // magic, version, kind
    "0010: ef c5 85 45 62 c5 b1 3c .. .. .. .. .. .. .. ..", // layout hash, checksum
    "0020: 80 07 00 00 00 00 00 00 .. .. .. .. .. .. .. ..", // total length, boot id
    "0030: .. .. .. .. .. .. .. .. 00 00 00 00 00 00 00 00", // boot id, type id
    "0040: 00 00 00 00 00 00 00 00 08 00 00 00 00 00 00 00", // type id, element size
    "0050: 08 00 00 00 02 00 00 00 10 00 00 00 00 00 00 00", // alignment, members, capacity
    "0060: 08 00 00 00 00 00 00 00 80 02 00 00 00 00 00 00", // stride, offset of members
    "0070: 80 03 00 00 00 00 00 00 80 04 00 00 00 00 00 00", // offsets of counters, of ring headers
    "0080: 00 07 00 00 00 00 00 00 00 00 00 00 00 00 00 00", // offsets of slots, of the slab
    "0090: 00 00 00 00 00 00 00 00 04 00 00 00 01 00 00 00", // length of the slab, flags, rings
    "00b0: 01 00 00 00 04 00 00 00 00 00 00 00 00 00 00 00", // minor, features: long records
    "0100: 01 00 00 00 00 00 00 00 02 00 00 00 00 00 00 00", // control: attaches, roster
    "0180: 01 10 00 00 00 00 00 00 02 10 00 00 00 00 00 00", // ends
    "0280: 01 00 00 00 .. .. .. .. 01 00 00 00 00 00 00 00", // member 0: state, process, incarnation
    "0290: .. .. .. .. .. .. .. .. 00 00 00 00 00 00 00 00", // start time, senders, receivers
    "0300: 01 00 00 00 .. .. .. .. 01 00 00 00 00 00 00 00", // member 1
    "0310: .. .. .. .. .. .. .. .. 00 00 00 00 00 00 00 00", // start time, senders, receivers
    "0480: 0a 00 00 00 00 00 00 00 09 00 00 00 00 00 00 00", // tail, outgoing: begun at 4
    "0500: 04 00 00 00 00 00 00 00 03 00 00 00 00 00 00 00", // head, unwanted: what began before 3
    "0580: 00 00 00 00 00 00 00 00 01 00 00 00 00 00 00 00", // seal, present
    "0590: e9 03 00 00 00 00 00 00 00 00 00 00 00 00 00 00", // the longest record, and one
    "0700: 0c 00 00 00 06 00 00 00 ff ff ff ff ff ff ff ff", // a first piece of 12 bytes: length, kind; of a record of unknown length
    "0710: 67 6f 6e 65 00 00 00 00 00 00 00 00 05 00 00 00", // its 4 bytes; cut short
    "0720: 18 00 00 00 06 00 00 00 ff ff ff ff ff ff ff ff", // a first piece of 24 bytes
    "0730: 07 07 07 07 07 07 07 07 07 07 07 07 07 07 07 07", // its 16 bytes
    "0740: 08 00 00 00 03 00 00 00 07 07 07 07 07 07 07 07", // a piece of 8 bytes
];

#[test]
fn each_byte_of_a_pipe_with_a_record_in_pieces_is_as_described() {
    let name = Name::new("golden");
    let options = Connection::options().capacity(128).max_members(2).barrier(Barrier::Fence);
    let mut here = options.direction(Direction::Send).create(&name).unwrap();
    let mut there = Connection::options().open(&name).unwrap();
    there.set_max_len(1000);
    let view = View::open(name.path());
    // Given up by the receiver after its first piece.
    let mut writer = here.begin().unwrap();
    writer.write_all(b"gone").unwrap();
    writer.flush().unwrap();
    there.reader().unwrap().read_exact(&mut [0; 1]).unwrap();
    drop(writer);
    assert_eq!(there.try_recv(), Err(TryRecvError::Empty));
    let mut writer = here.begin().unwrap();
    writer.write_all(&[7; 24]).unwrap();
    writer.flush().unwrap();
    compare(&view, 0x780, PIPE_IN_PIECES);
    writer.write_all(&[8; 3]).unwrap();
    writer.commit().unwrap();
}

/// A queue with blocks: a message in one, a grant of another, and an attachment that was given up.
const BLOCKS: &[&str] = &[
    "0000: 72 69 6e 67 77 61 79 00 01 00 00 00 04 00 00 00", // magic, version, kind
    "0010: ef c5 85 45 62 c5 b1 3c .. .. .. .. .. .. .. ..", // layout hash, checksum
    "0020: 00 40 00 00 00 00 00 00 .. .. .. .. .. .. .. ..", // total length, boot id
    "0030: .. .. .. .. .. .. .. .. 00 00 00 00 00 00 00 00", // boot id, type id
    "0040: 00 00 00 00 00 00 00 00 10 00 00 00 00 00 00 00", // type id, element size
    "0050: 08 00 00 00 02 00 00 00 02 00 00 00 00 00 00 00", // alignment, members, capacity
    "0060: 20 00 00 00 00 00 00 00 80 02 00 00 00 00 00 00", // stride, offset of members
    "0070: 80 03 00 00 00 00 00 00 80 04 00 00 00 00 00 00", // offsets of counters, of ring headers
    "0080: 00 07 00 00 00 00 00 00 00 10 00 00 00 00 00 00", // offsets of slots, of the slab
    "0090: 00 30 00 00 00 00 00 00 00 00 00 00 01 00 00 00", // length of the slab, flags, rings
    "00a0: 01 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00", // delivery, limit, dead letters
    "00b0: 01 00 00 00 01 00 00 00 00 10 00 00 00 00 00 00", // minor, features, longest message
    "00e0: 40 00 00 00 02 00 00 00 00 10 00 00 01 00 00 80", // two blocks of 64, one hole of 4096
    "0180: 01 00 00 00 00 00 00 00 02 00 00 00 00 00 00 00", // sides: senders that came, receivers
    "0280: 01 00 00 00 .. .. .. .. 01 00 00 00 00 00 00 00", // member 0: state, process, incarnation
    "0290: .. .. .. .. .. .. .. .. 01 00 00 00 01 00 00 00", // start time, senders, receivers
    "0480: 00 30 00 00 00 00 00 00 00 00 00 00 00 00 00 00", // tail
    "0500: 00 10 00 00 00 00 00 00 00 00 00 00 00 00 00 00", // head
    "0580: 00 00 00 00 00 00 00 00 01 00 00 00 00 00 00 00", // closed, present
    "0700: 01 00 04 00 00 00 00 00 00 00 00 00 00 00 00 00", // slot 0: writing by member 0, lap 1
    "0720: 02 00 00 00 00 00 00 00 14 00 00 00 01 00 00 00", // slot 1: filled; 20 bytes in block 0
    "1000: 02 00 04 00 00 00 00 00 00 00 00 00 00 00 00 00", // block 0: bound to position 1 of ring 0
    "1080: 01 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00", // block 1: owned by member 0
    "1100: 00 00 00 00 00 00 00 00 a0 0f 00 00 00 00 00 00", // block 2: free, with memory for 4000
    "2000: 07 07 07 07 07 07 07 07 07 07 07 07 07 07 07 07", // the message
    "2010: 07 07 07 07 00 00 00 00 00 00 00 00 00 00 00 00", // its end
    "3000: ee 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00", // whatever was there
];

#[test]
fn each_byte_of_a_queue_with_blocks_is_as_described() {
    let name = Name::new("golden");
    let options = Queue::<[u8]>::options().capacity(2).max_members(2).message_len(16);
    let options = options.blocks(64, 2).max_message(4096).attachments(1);
    let queue = options.create(&name).unwrap();
    let (sender, _receiver) = (queue.sender(), queue.receiver());
    let view = View::open(name.path());
    let mut given_up = sender.reserve(4000).unwrap();
    given_up[0] = 0xee;
    drop(given_up);
    assert!(queue.receiver().try_recv().is_err());
    sender.send(&[7; 20]).unwrap();
    let _held = sender.reserve(17).unwrap();
    compare(&view, 0x4000, BLOCKS);
}
