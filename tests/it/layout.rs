//! The bytes in the file, as DESIGN describes them and as a program in another language would read them.
//!
//! Expectations are literal. A test that fails here is a change of the memory format.

use std::fs;

use ringway::pipe::{Connection, Direction};
use ringway::spsc::{Consumer, Producer};
use ringway::{Barrier, Wait};

use crate::util::view::{CLOSING, CONTROL, ENDS, HEADER, PLACED, ROSTER, View};
use crate::util::{LONG, NO_RECHECK, Name, eventually, os};

/// Rows of 16 bytes: layout hash, checksum and boot id are left out.
const GOLDEN: [&str; 16] = [
    "72 69 6e 67 77 61 79 00  01 00 00 00 01 00 00 00", // magic, version, kind
    ".. .. .. .. .. .. .. ..  .. .. .. .. .. .. .. ..", // layout hash, checksum
    "80 09 00 00 00 00 00 00  .. .. .. .. .. .. .. ..", // total length, boot id
    ".. .. .. .. .. .. .. ..  T0 T0 T0 T0 T0 T0 T0 T0", // boot id, type id
    "T0 T0 T0 T0 T0 T0 T0 T0  08 00 00 00 00 00 00 00", // type id, element size
    "08 00 00 00 04 00 00 00  04 00 00 00 00 00 00 00", // alignment, members, capacity
    "08 00 00 00 00 00 00 00  80 02 00 00 00 00 00 00", // stride, offset of members
    "80 04 00 00 00 00 00 00  80 06 00 00 00 00 00 00", // offsets of counters, rings
    "00 09 00 00 00 00 00 00  00 00 00 00 00 00 00 00", // offsets of slots, slab
    "00 00 00 00 00 00 00 00  00 00 00 00 01 00 00 00", // slab length, flags, rings
    "00 00 00 00 00 00 00 00  00 00 00 00 00 00 00 00", // delivery, limit, reserved
    "00 00 00 00 00 00 00 00  00 00 00 00 00 00 00 00",
    "00 00 00 00 00 00 00 00  00 00 00 00 00 00 00 00",
    "00 00 00 00 00 00 00 00  00 00 00 00 00 00 00 00",
    "00 00 00 00 00 00 00 00  00 00 00 00 00 00 00 00",
    "00 00 00 00 00 00 00 00  00 00 00 00 00 00 00 00",
];
const ORDER_V1: &str = "fa 8b 14 f6 cf 40 89 dd 1b 9b 65 d8 38 f3 f3 bb";

/// Options for a channel of four elements, four members and no flags.
macro_rules! small {
    ($options:expr) => {
        $options.capacity(4).max_members(4).barrier(Barrier::Fence)
    };
}

fn values(name: &Name) -> (Producer<u64>, View) {
    let producer = small!(Producer::options()).create(name).unwrap();
    (producer, View::open(name.path()))
}

fn compare(found: &[u8], expected: &str) {
    let bytes: Vec<&str> = expected.split_whitespace().collect();
    assert_eq!(found.len(), bytes.len());
    for (offset, (found, expected)) in found.iter().zip(bytes).enumerate() {
        let fits = expected == ".." || format!("{found:02x}") == expected;
        assert!(fits, "byte {offset:#x} is {found:02x}, not {expected}");
    }
}

#[test]
fn the_header_has_its_golden_bytes() {
    let name = Name::new("golden");
    let options = small!(Producer::<u64>::options()).type_id("order.v1");
    let _producer = options.create(&name).unwrap();
    let view = View::open(name.path());
    let header = view.bytes(0, HEADER);
    let mut type_id = ORDER_V1.split(' ');
    let expected = GOLDEN.join(" ");
    let expected: Vec<&str> = expected
        .split_whitespace()
        .map(|byte| if byte == "T0" { type_id.next().unwrap() } else { byte })
        .collect();
    compare(&header, &expected.join(" "));
    assert_eq!(fs::metadata(name.path()).unwrap().len(), 0x980);
}

#[test]
fn the_parts_of_the_header_that_vary_are_what_they_should_be() {
    let name = Name::new("golden");
    let (_producer, view) = values(&name);
    let mut header = view.bytes(0, HEADER);
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
    let digits: String = boot.trim().replace('-', "");
    let number = u128::from_str_radix(&digits, 16).unwrap();
    assert_eq!(header[40..56], number.to_be_bytes(), "in the order of the text");
    header[24..32].fill(0);
    let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    assert_eq!(header.iter().fold(0xcbf2_9ce4_8422_2325, step), view.u64(24), "FNV-1a");
    assert_eq!(header[56..72], [0; 16], "no type id");
    let name = Name::new("golden");
    let _pipe = small!(Connection::options()).create(&name).unwrap();
    assert_ne!(view.u64(16), 0);
    assert_eq!(View::open(name.path()).u64(16), view.u64(16), "one layout for all kinds");
}

#[test]
fn a_pipe_has_two_rings_or_one_and_its_flags_say_which_way_it_goes() {
    let directions = [(Direction::Both, 0, 2), (Direction::Send, 4, 1), (Direction::Receive, 8, 1)];
    for (direction, flags, rings) in directions {
        let name = Name::new("flags");
        let options = small!(Connection::options()).direction(direction).capacity(100);
        let _pipe = options.create(&name).unwrap();
        let view = View::open(name.path());
        assert_eq!((view.u32(12), view.u32(152), view.u32(156)), (2, flags, rings));
        assert_eq!((view.capacity(), view.u64(72), view.u32(80)), (16, 8, 8), "words of 8 bytes");
        let slots = 1664 + u64::from(rings) * 640;
        assert_eq!((view.u64(128), view.u64(32)), (slots, slots + u64::from(rings) * 128));
    }
    let name = Name::new("flags");
    let options = small!(Producer::<u64>::options()).remove_when_unused();
    let _producer = options.barrier(Barrier::Auto).create(&name).unwrap();
    let flags = View::open(name.path()).u32(152);
    assert!(flags == 3 || flags == 1, "remove when unused, and asymmetric where that is to be had");
}

#[test]
fn everything_behind_the_header_is_zero_until_somebody_acts() {
    let name = Name::new("zero");
    let (_producer, view) = values(&name);
    let present = view.seal(0) + 8;
    assert_eq!(view.u64(present), 1, "the ring is there");
    let before = view.bytes(PLACED + 128, usize::try_from(present).unwrap() - 640 - 128);
    let after = view.bytes(present + 8, 0x980 - usize::try_from(present).unwrap() - 8);
    assert!(before.iter().chain(&after).all(|byte| *byte == 0), "only the maker's record is not");
    assert_eq!(view.u64(CONTROL + 16), 0, "no next segment");
}

#[test]
fn ends_name_their_owner_and_count_their_owners() {
    let name = Name::new("ends");
    let (_producer, view) = values(&name);
    let state = || (view.u64(ENDS), view.u64(ENDS + 8), view.u64(ROSTER));
    assert_eq!(state(), (0x1001, 0, 1));
    let consumer = Consumer::<u64>::options().open(&name).unwrap();
    assert_eq!((state(), view.u64(CONTROL)), ((0x1001, 0x1002, 2), 1));
    drop(consumer);
    assert_eq!(state(), (0x1001, 0x1000, 2));
    let _consumer = Consumer::<u64>::options().open(&name).unwrap();
    assert_eq!((state(), view.u64(CONTROL)), ((0x1001, 0x2002, 3), 2));
}

#[test]
fn a_member_has_a_record_and_two_locked_bytes() {
    let name = Name::new("member");
    let (_producer, view) = values(&name);
    let consumer = Consumer::<u64>::options().open(&name).unwrap();
    let stat = fs::read_to_string("/proc/self/stat").unwrap();
    let after_name = stat.rsplit_once(')').unwrap().1;
    let started: u64 = after_name.split_whitespace().nth(19).unwrap().parse().unwrap();
    for member in 0..2 {
        let record = view.record(member);
        assert_eq!(record, 640 + 128 * u64::from(member));
        assert_eq!((view.u32(record), view.u32(record + 4)), (1, std::process::id()));
        assert_eq!((view.u64(record + 8), view.u64(record + 16)), (1, started));
    }
    let locked = |first: u64| [0, 1, 2, 3].map(|i| os::is_locked(view.file(), first + i));
    assert_eq!(locked(1 << 40), [true, true, false, false], "lives");
    assert_eq!(locked(1 << 41), [true, true, false, false], "bell");
    assert!(!os::is_locked(view.file(), 1 << 42), "nobody removes the name");
    drop(consumer);
    assert_eq!(locked(1 << 40), [true, false, false, false]);
    assert_eq!(view.u32(view.record(1)), 0);
    let _consumer = Consumer::<u64>::options().open(&name).unwrap();
    assert_eq!(view.u64(view.record(1) + 8), 2, "the second to have the record");
}

#[test]
fn cursors_count_and_values_lie_in_their_slots() {
    let name = Name::new("cursors");
    let (mut producer, view) = values(&name);
    let mut consumer = Consumer::<u64>::options().open(&name).unwrap();
    assert_eq!((view.tail(0), view.head(0)), (1664, 1792));
    for n in 0..6u64 {
        producer.send(0x1111 * n).unwrap();
        assert_eq!((view.u64(1664), view.u64(1792)), (n + 1, n));
        assert_eq!(view.u64(2304 + n % 4 * 8), 0x1111 * n);
        consumer.recv().unwrap();
        assert_eq!((view.u64(1664), view.u64(1792)), (n + 1, n + 1));
    }
}

#[test]
fn a_waiter_has_its_members_bit_and_a_wake_up_raises_the_epoch() {
    let name = Name::new("events");
    let (mut producer, view) = values(&name);
    let options = Consumer::<u64>::options().wait(Wait::Park).recheck(NO_RECHECK);
    let mut consumer = options.open(&name).unwrap();
    let (not_empty, not_full) = (1664 + 384, 1664 + 512);
    assert_eq!((view.not_empty(0), view.not_full(0)), (not_empty, not_full));
    let before = view.u32(not_empty);
    std::thread::scope(|scope| {
        scope.spawn(|| consumer.recv().unwrap());
        assert!(eventually(LONG, || view.u64(not_empty + 8) == 0b10), "bit of member 1");
        producer.send(1).unwrap();
    });
    assert_eq!((view.u32(not_empty), view.u64(not_empty + 8)), (before.wrapping_add(1), 0));
    producer.try_send_batch(&[1; 4]).unwrap();
    let before = view.u32(not_full);
    std::thread::scope(|scope| {
        scope.spawn(|| producer.send(2).unwrap());
        assert!(eventually(LONG, || view.u64(not_full + 8) != 0));
        assert_eq!(view.u64(not_full + 8), 0b1, "bit of member 0");
        consumer.recv().unwrap();
    });
    assert!(view.u32(not_full) != before && view.u64(not_full + 8) == 0);
}

#[test]
fn a_close_leaves_a_mark_and_the_last_position() {
    let name = Name::new("close");
    let (mut producer, view) = values(&name);
    producer.try_send_batch(&[1, 2, 3]).unwrap();
    assert_eq!(view.seal(0), 1664 + 256);
    assert_eq!((view.u64(view.seal(0)), view.u64(view.not_empty(0) + 8)), (0, 0));
    producer.close();
    assert_eq!(view.u64(view.seal(0)), (1 << 63) | 3);
    assert_eq!(view.u64(view.not_empty(0) + 8), CLOSING);
}

#[test]
fn records_can_be_read_by_what_the_description_says_alone() {
    let name = Name::new("records");
    let mut here = small!(Connection::options()).capacity(128).create(&name).unwrap();
    let mut there = Connection::options().open(&name).unwrap();
    let view = View::open(name.path());
    let mut position = 0;
    for n in 0..200u8 {
        let sent = vec![n; usize::from(n) % 50];
        here.send(&sent).unwrap();
        there.send(&[n]).unwrap();
        assert_eq!(view.u64(view.head(0)), position);
        let mut word = view.u64(view.slot(0, position % 16));
        if word >> 32 == 2 {
            position += 1 + (word & 0xffff_ffff) / 8;
            assert_eq!(position % 16, 0, "padding ends where the memory does");
            word = view.u64(view.slot(0, 0));
        }
        assert_eq!((word >> 32, word & 0xffff_ffff), (1, sent.len() as u64));
        assert_eq!(view.bytes(view.slot(0, position % 16) + 8, sent.len()), sent);
        position += 1 + (sent.len() as u64).div_ceil(8);
        assert_eq!(view.u64(view.tail(0)), position);
        assert_eq!(view.u64(view.slot(1, u64::from(n) * 2 % 16) + 8) & 0xff, u64::from(n));
        assert_eq!((there.recv().unwrap(), here.recv().unwrap()), (sent, vec![n]));
    }
}
