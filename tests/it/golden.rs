//! Every byte of a segment of each kind, in states that show what each structure is for.
//!
//! A dump has a row for each 16 bytes that are not all zero; whatever has no row is zero. What differs from run to run
//! is `..`: checksum, boot, process. A test that fails here is a change of the memory format, which is frozen:
//! DESIGN.md §4 says what such a change takes.

mod growing;
mod rows;

use std::io::{Read, Write};

use ringway::block::SharedArray;
use ringway::pipe::{Connection, Direction};
use ringway::queue::Queue;
use ringway::spsc::{Consumer, Producer};
use ringway::sync::{Mutex, RwLock};
use ringway::{Barrier, TryRecvError};

use crate::util::child::{Child, hear, say};
use crate::util::view::View;
use crate::util::{NO_RECHECK, Name};
use rows::*;

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
        let bytes = view.bytes(at, usize::try_from(len - at).unwrap().min(16));
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

/// An array of five numbers with a lock beside it, which is held; nobody else has been there.
const BLOCK: &[&str] = &[
    "0000: 72 69 6e 67 77 61 79 00 01 00 00 00 05 00 00 00", // magic, version, kind
    "0010: ef c5 85 45 62 c5 b1 3c .. .. .. .. .. .. .. ..", // layout hash, checksum
    "0020: 0a 10 00 00 00 00 00 00 .. .. .. .. .. .. .. ..", // total length, boot id
    "0030: .. .. .. .. .. .. .. .. fa 8b 14 f6 cf 40 89 dd", // boot id, type id
    "0040: 1b 9b 65 d8 38 f3 f3 bb 02 00 00 00 00 00 00 00", // type id, element size
    "0050: 02 00 00 00 02 00 00 00 05 00 00 00 00 00 00 00", // alignment, members, capacity
    "0060: 02 00 00 00 00 00 00 00 80 02 00 00 00 00 00 00", // stride, offset of members
    "0070: 80 03 00 00 00 00 00 00 80 04 00 00 00 00 00 00", // offsets of counters, of ring headers
    "0080: 00 10 00 00 00 00 00 00 00 00 00 00 00 00 00 00", // offsets of the elements, of the slab
    "0090: 00 00 00 00 00 00 00 00 11 00 00 00 00 00 00 00", // length of the slab, flags, rings
    "00b0: 01 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00", // minor, features
    "0280: 01 00 00 00 .. .. .. .. 01 00 00 00 00 00 00 00", // member 0: state, process, incarnation
    "0290: .. .. .. .. .. .. .. .. 00 00 00 00 00 00 00 00", // start time, senders, receivers
    "0480: 01 00 00 00 00 00 00 10 .. .. .. .. 01 00 00 00", // the lock: tag, word
    "1000: 01 00 00 00 00 00 00 00 ff fe", // elements, the last two bytes of the file
];

#[test]
fn each_byte_of_a_block_is_as_described() {
    let name = Name::new("golden");
    let options = SharedArray::<u16>::options().len(5).max_members(2).remove_when_unused();
    let array = options.type_id("order.v1").with_lock().create(&name).unwrap();
    let mutex = Mutex::beside(&array).unwrap();
    let _held = mutex.lock().unwrap();
    array.set(0, 1).unwrap();
    array.set(4, 0xfeff).unwrap();
    compare(&View::open(name.path()), 0x100a, BLOCK);
}

/// A rwlock for two members that guards two numbers, while a thread of its maker writes.
const LOCK: &[&str] = &[
    "0000: 72 69 6e 67 77 61 79 00 01 00 00 00 06 00 00 00", // magic, version, kind
    "0010: ef c5 85 45 62 c5 b1 3c .. .. .. .. .. .. .. ..", // layout hash, checksum
    "0020: 24 10 00 00 00 00 00 00 .. .. .. .. .. .. .. ..", // total length, boot id
    "0030: .. .. .. .. .. .. .. .. fa 8b 14 f6 cf 40 89 dd", // boot id, type id
    "0040: 1b 9b 65 d8 38 f3 f3 bb 01 00 00 00 00 00 00 00", // type id, element size
    "0050: 01 00 00 00 02 00 00 00 24 00 00 00 00 00 00 00", // alignment, members, capacity
    "0060: 01 00 00 00 00 00 00 00 80 02 00 00 00 00 00 00", // stride, offset of members
    "0070: 80 03 00 00 00 00 00 00 80 04 00 00 00 00 00 00", // offsets of counters, of ring headers
    "0080: 00 10 00 00 00 00 00 00 00 00 00 00 00 00 00 00", // offsets of the lock, of the slab
    "00b0: 01 00 00 00 00 00 00 00 02 00 00 00 01 00 00 30", // minor, features, tag
    "0280: 01 00 00 00 .. .. .. .. 01 00 00 00 00 00 00 00", // member 0: state, process, incarnation
    "0290: .. .. .. .. .. .. .. .. 00 00 00 00 00 00 00 00", // start time, senders, receivers
    "1000: 02 00 00 00 01 00 00 30 01 .. .. .. 01 00 00 00", // tag, writer: member, thread, incarnation
    "1010: 00 00 00 00 01 00 00 00 00 00 00 00 00 00 00 00", // readers of both members
    "1020: 01 00 ff fe",                                     // what it guards
];

#[test]
fn each_byte_of_a_lock_is_as_described() {
    let name = Name::new("golden");
    let options = RwLock::<[u16; 2]>::options().max_members(2).type_id("order.v1");
    let lock = options.create(&name).unwrap();
    let mut guard = lock.write().unwrap();
    *guard = [1, 0xfeff];
    compare(&View::open(name.path()), 0x1024, LOCK);
}
