//! The bytes of a queue's file, as DESIGN describes them and as a program in another language would read them.
//!
//! Expectations are literal. A test that fails here is a change of the memory format.

use std::fs;

use ringway::Wait;
use ringway::queue::{DeliveryPolicy, Queue};

use crate::util::view::{CONTROL, ENDS, PLACED, View};
use crate::util::{LONG, NO_RECHECK, Name, eventually};

/// Rows of 16 bytes from offset 64 on: what comes before is as in `layout`.
const GOLDEN: [&str; 12] = [
    "00 00 00 00 00 00 00 00  08 00 00 00 00 00 00 00", // type id, element size
    "08 00 00 00 04 00 00 00  04 00 00 00 00 00 00 00", // alignment, members, capacity
    "10 00 00 00 00 00 00 00  80 02 00 00 00 00 00 00", // stride, offset of members
    "80 04 00 00 00 00 00 00  80 06 00 00 00 00 00 00", // offsets of counters, rings
    "00 09 00 00 00 00 00 00  00 00 00 00 00 00 00 00", // offsets of slots, slab
    "00 00 00 00 00 00 00 00  00 00 00 00 01 00 00 00", // slab length, flags, rings
    "01 00 00 00 00 00 00 00  00 00 00 00 00 00 00 00", // delivery, limit, reserved
    "00 00 00 00 00 00 00 00  00 00 00 00 00 00 00 00",
    "00 00 00 00 00 00 00 00  00 00 00 00 00 00 00 00",
    "00 00 00 00 00 00 00 00  00 00 00 00 00 00 00 00",
    "00 00 00 00 00 00 00 00  00 00 00 00 00 00 00 00",
    "00 00 00 00 00 00 00 00  00 00 00 00 00 00 00 00",
];

/// Offset of the ring of a queue with four members, and of its slots.
const RING: u64 = 0x680;
const SLOTS: u64 = 0x900;

fn small(name: &Name) -> (Queue<u64>, View) {
    let queue = Queue::<u64>::options().capacity(4).max_members(4).create(name).unwrap();
    (queue, View::open(name.path()))
}

#[test]
fn the_header_of_a_queue_has_its_golden_bytes() {
    let name = Name::new("golden");
    let (_queue, view) = small(&name);
    let expected: Vec<u8> = GOLDEN
        .join(" ")
        .split_whitespace()
        .map(|byte| u8::from_str_radix(byte, 16).unwrap())
        .collect();
    assert_eq!(view.bytes(64, GOLDEN.len() * 16), expected);
    assert_eq!(view.bytes(0, 16), *b"ringway\0\x01\0\0\0\x03\0\0\0");
    assert_eq!((view.u64(32), fs::metadata(name.path()).unwrap().len()), (0x980, 0x980));
    let sum = view.u64(24);
    view.seal_header();
    assert_eq!(view.u64(24), sum, "FNV-1a");
}

#[test]
fn kinds_policies_and_flags_have_their_codes() {
    use DeliveryPolicy::{AtLeastOnce, AtMostOnce};
    for (policy, code) in [(AtLeastOnce, 1), (AtMostOnce, 2)] {
        let name = Name::new("codes");
        let _values = Queue::<u64>::options().delivery(policy).create(&name).unwrap();
        let view = View::open(name.path());
        assert_eq!((view.u32(12), view.u32(152), view.u32(160)), (3, 0, code));
        assert_eq!((view.u32(84), view.u64(88)), (64, 1024), "by default");
        let name = Name::new("codes");
        let bytes = Queue::<[u8]>::options().delivery(policy).remove_when_unused();
        let _bytes = bytes.create(&name).unwrap();
        let view = View::open(name.path());
        assert_eq!((view.u32(12), view.u32(152), view.u32(160)), (4, 1, code));
    }
}

#[repr(C, align(64))]
#[derive(Clone, Copy)]
struct Wide([u64; 8]);

// SAFETY: 64 bytes of numbers, no padding, any bits are a value.
#[allow(unsafe_code, reason = "the derive macros are not for tests that need one type")]
unsafe impl bytemuck::Zeroable for Wide {}
// SAFETY: as above.
#[allow(unsafe_code, reason = "as above")]
unsafe impl bytemuck::Pod for Wide {}

/// Size, alignment and stride that the file says for values of `T`.
fn slot_of<T: bytemuck::Pod>() -> (u64, u32, u64) {
    let name = Name::new("slot");
    let _queue = Queue::<T>::options().capacity(2).create(&name).unwrap();
    let view = View::open(name.path());
    (view.u64(72), view.u32(80), view.u64(96))
}

#[test]
fn a_slot_is_a_word_and_the_payload_behind_it_rounded_up_to_16_or_the_alignment() {
    assert_eq!(slot_of::<[u8; 0]>(), (0, 1, 16));
    assert_eq!(slot_of::<u8>(), (1, 1, 16));
    assert_eq!(slot_of::<u64>(), (8, 8, 16));
    assert_eq!(slot_of::<[u8; 9]>(), (9, 1, 32));
    assert_eq!(slot_of::<u128>(), (16, 16, 32));
    assert_eq!(slot_of::<[u64; 3]>(), (24, 8, 32));
    assert_eq!(slot_of::<[u64; 7]>(), (56, 8, 64));
    assert_eq!(slot_of::<[u64; 8]>(), (64, 8, 80));
    assert_eq!(slot_of::<Wide>(), (64, 64, 128));
    let name = Name::new("slot");
    let queue = Queue::<u128>::options().capacity(2).create(&name).unwrap();
    let view = View::open(name.path());
    queue.sender().send_batch(&[1, 2]).unwrap();
    assert_eq!((view.u64(view.word(0) + 16), view.u64(view.word(1) + 16)), (1, 2), "aligned to 16");
}

#[test]
fn everything_behind_the_header_is_zero_until_somebody_acts() {
    let name = Name::new("zero");
    let (_queue, view) = small(&name);
    let present = RING + 264;
    assert_eq!(view.u64(present), 1, "the ring is there");
    let before = view.bytes(PLACED + 128, usize::try_from(present - PLACED - 128).unwrap());
    let after = view.bytes(present + 8, usize::try_from(0x980 - present - 8).unwrap());
    assert!(before.iter().chain(&after).all(|byte| *byte == 0), "only the maker's record is not");
    assert!(view.bytes(CONTROL, 256).iter().all(|byte| *byte == 0), "control and ends");
}

#[test]
fn cursors_have_position_and_member_and_slots_their_lap_state_and_owner() {
    let name = Name::new("words");
    let (first, view) = small(&name);
    let second = Queue::<u64>::options().open(&name).unwrap();
    let (sender, receiver) = (first.sender(), second.receiver());
    assert_eq!((view.tail(0), view.head(0), view.slot(0, 3)), (RING, RING + 128, SLOTS + 48));
    for n in 0..6u64 {
        let (tail, slot) = (RING, SLOTS + n % 4 * 16);
        let lap = (n / 4) << 18;
        assert_eq!(view.u64(slot), lap, "vacant");
        let mut grant = sender.reserve().unwrap();
        *grant = 0x1111 * n;
        assert_eq!((view.u64(tail), view.u64(slot)), ((n + 1) << 12, lap | 1), "writing, member 0");
        grant.commit().unwrap();
        assert_eq!((view.u64(slot), view.u64(slot + 8)), (lap | 2, 0x1111 * n), "filled");
        let delivery = receiver.recv_guard().unwrap();
        assert_eq!(view.u64(RING + 128), (n + 1) << 12 | 1);
        assert_eq!(view.u64(slot), lap | 1 << 3 | 4, "reading, member 1");
        assert_eq!(view.u64(RING + 136), 2 * n, "nothing comes again, but did");
        drop(delivery);
        assert_eq!(view.u64(slot), lap | 1 << 14 | 5, "to be delivered again, one try");
        assert_eq!(view.u64(RING + 136), 2 * n + 3, "pending, of the next generation");
        let delivery = first.receiver().recv_guard().unwrap();
        assert_eq!(view.u64(slot), lap | 1 << 14 | 4, "reading again, member 0");
        delivery.ack();
        assert_eq!(view.u64(slot), (n / 4 + 1) << 18, "vacant, a lap later");
        assert!(receiver.try_recv().is_err());
    }
    drop(sender.reserve().unwrap());
    assert_eq!(view.u64(SLOTS + 32), 1 << 18 | 3, "aborted");
}

#[test]
fn a_close_leaves_a_flag_and_a_bit_in_the_tail() {
    let name = Name::new("close");
    let (queue, view) = small(&name);
    queue.sender().send_batch(&[1, 2, 3]).unwrap();
    assert_eq!((view.u64(RING), view.u64(RING + 256)), (3 << 12, 0));
    queue.close();
    assert_eq!((view.u64(RING), view.u64(RING + 256)), (3 << 12 | 1 << 11, 1));
}

#[test]
fn sides_count_who_came_and_remember_when_nobody_was_left() {
    let name = Name::new("sides");
    let (queue, view) = small(&name);
    let sides = || [0, 8, 16, 24].map(|offset| view.u64(ENDS + offset));
    let roles = |member| [24, 28].map(|offset| view.u32(view.record(member) + offset));
    let sender = queue.sender();
    assert_eq!((sides(), roles(0)), ([1, 0, 0, 0], [1, 0]));
    let receivers = [queue.receiver(), queue.receiver()];
    assert_eq!((sides(), roles(0)), ([1, 2, 0, 0], [1, 2]));
    let second = Queue::<u64>::options().open(&name).unwrap();
    let there = second.sender();
    drop(sender);
    assert_eq!((sides(), roles(0), roles(1)), ([2, 2, 0, 0], [0, 2], [1, 0]));
    drop((there, receivers));
    assert_eq!((sides(), roles(0), roles(1)), ([2, 2, 2, 2], [0, 0], [0, 0]));
    let _sender = second.sender();
    assert_eq!(sides(), [3, 2, 2, 2]);
}

#[test]
fn a_waiter_has_its_members_bit_and_a_wake_up_raises_the_epoch() {
    let name = Name::new("events");
    let options = Queue::<u64>::options().capacity(1).max_members(4).wait(Wait::Park);
    let options = options.recheck(NO_RECHECK);
    let (first, second) = (options.create(&name).unwrap(), options.open(&name).unwrap());
    let view = View::open(name.path());
    let (not_empty, not_full) = (RING + 384, RING + 512);
    assert_eq!((view.not_empty(0), view.not_full(0)), (not_empty, not_full));
    let (sender, receiver) = (first.sender(), second.receiver());
    let before = view.u32(not_empty);
    std::thread::scope(|scope| {
        scope.spawn(|| receiver.recv().unwrap());
        assert!(eventually(LONG, || view.u64(not_empty + 8) == 0b10), "bit of member 1");
        sender.send(1).unwrap();
    });
    assert!(view.u32(not_empty) != before && view.u64(not_empty + 8) == 0);
    sender.send(2).unwrap();
    let before = view.u32(not_full);
    std::thread::scope(|scope| {
        scope.spawn(|| sender.send(3).unwrap());
        assert!(eventually(LONG, || view.u64(not_full + 8) == 0b1), "bit of member 0");
        receiver.recv().unwrap();
    });
    assert!(view.u32(not_full) != before && view.u64(not_full + 8) == 0);
}

#[test]
fn messages_of_bytes_lie_behind_their_length() {
    let name = Name::new("bytes");
    let options = Queue::<[u8]>::options().capacity(4).message_len(40).max_members(4);
    let queue = options.create(&name).unwrap();
    let view = View::open(name.path());
    assert_eq!((view.u64(72), view.u32(80), view.u64(96)), (48, 8, 64), "size, alignment, stride");
    assert_eq!((view.u64(128), view.u64(32)), (SLOTS, SLOTS + 4 * 64));
    let (sender, receiver) = (queue.sender(), queue.receiver());
    for n in 0..10u8 {
        let message = vec![n; 5 * usize::from(n)];
        sender.send(&message).unwrap();
        let slot = SLOTS + u64::from(n) % 4 * 64;
        assert_eq!(view.u64(slot), (u64::from(n) / 4) << 18 | 2);
        assert_eq!(view.u64(slot + 8), message.len() as u64);
        assert_eq!(view.bytes(slot + 16, message.len()), message);
        assert_eq!(receiver.recv().unwrap(), message);
    }
}
