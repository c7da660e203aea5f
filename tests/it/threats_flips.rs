//! Lengths that change between two looks: a process that does nothing else, as fast as memory takes it.
#![allow(unsafe_code, reason = "another program's view of a segment is raw memory")]

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use memmap2::{MmapOptions, MmapRaw};
use ringway::pipe::Connection;
use ringway::queue::Queue;
use ringway::{Fault, TryRecvError};

use crate::util::child::{Child, say};
use crate::util::view::View;
use crate::util::{LONG, Name};

/// As long as each way of receiving is tried.
const STRETCH: Duration = Duration::from_millis(60);
const RECORD: u64 = 1 << 32;

pub fn play(role: &str, arguments: &[&str]) {
    assert_eq!(role, "flip");
    let numbers: Vec<u64> = arguments[1..].iter().map(|text| text.parse().unwrap()).collect();
    let map = map(Path::new(arguments[0]));
    let word = word(&map, usize::try_from(numbers[0]).unwrap());
    let mut told = false;
    loop {
        for value in &numbers[1..] {
            word.store(*value, Relaxed);
            std::hint::spin_loop();
        }
        if !told {
            say("flipping");
            told = true;
        }
    }
}

fn map(path: &Path) -> MmapRaw {
    let file = std::fs::File::options().read(true).write(true).open(path).unwrap();
    MmapOptions::new().map_raw(&file).unwrap()
}

fn word(map: &MmapRaw, offset: usize) -> &AtomicU64 {
    assert!(offset + 8 <= map.len() && offset.is_multiple_of(8));
    // SAFETY: the offset was checked.
    let place = unsafe { map.as_mut_ptr().add(offset) };
    // SAFETY: it is mapped as long as `map` lives, aligned, and used as an atomic only.
    unsafe { AtomicU64::from_ptr(place.cast()) }
}

/// A process that puts `values` by turns into the word at `offset`.
fn flip(name: &Name, offset: u64, values: &[u64]) -> Child {
    let numbers: Vec<String> = [offset].iter().chain(values).map(u64::to_string).collect();
    let mut arguments = vec![name.path().to_str().unwrap()];
    arguments.extend(numbers.iter().map(String::as_str));
    let child = Child::spawn("flips::flip", &arguments);
    child.expect("flipping");
    child
}

/// Repeats `look` for a while, and until both came: lengths, each one of `possible`, and faults that say corrupt.
fn look(possible: &[usize], what: &str, mut look: impl FnMut() -> Result<usize, Option<Fault>>) {
    let (start, mut lengths, mut faults) = (Instant::now(), 0, 0);
    while start.elapsed() < STRETCH || lengths == 0 || faults == 0 {
        assert!(start.elapsed() < LONG, "{what}: {lengths} lengths, {faults} faults");
        match look() {
            Ok(len) => {
                assert!(possible.contains(&len), "{what}: {len} bytes");
                lengths += 1;
            }
            Err(fault) => {
                assert!(matches!(fault, Some(Fault::Corrupt(_))), "{what}: {fault:?}");
                faults += 1;
            }
        }
    }
}

#[test]
fn a_length_that_changes_between_looks_is_read_once_by_each_way_of_receiving_from_a_queue() {
    let name = Name::new("flip");
    let queue = Queue::<[u8]>::options().capacity(1).message_len(64).create(&name).unwrap();
    let (sender, receiver, view) = (queue.sender(), queue.receiver(), View::open(name.path()));
    let possible = [3, 40, 64];
    let child = flip(&name, view.slot(0, 0) + 8, &[3, 65, 64, 1 << 20, 1 << 63, u64::MAX]);
    let fault = |why: TryRecvError| why.fault();
    let refill = || {
        let _ = sender.try_send(&[7; 40]);
    };
    look(&possible, "by value", || {
        refill();
        receiver.try_recv().map(|bytes| bytes.len()).map_err(fault)
    });
    let mut buffer = [0; 64];
    look(&possible, "into a buffer", || {
        refill();
        receiver.try_recv_into(&mut buffer).map_err(fault)
    });
    look(&possible, "in place", || {
        refill();
        let delivery = receiver.try_recv_guard().map_err(fault)?;
        let (len, copy) = (delivery.len(), delivery.to_vec());
        assert_eq!((len, delivery.len()), (copy.len(), len), "what was measured stays");
        delivery.ack();
        Ok(len)
    });
    child.kill();
}

#[test]
fn a_header_that_changes_between_looks_is_read_once_by_each_way_of_receiving_from_a_pipe() {
    let name = Name::new("flip");
    let mut here = Connection::options().capacity(512).whole_records().create(&name).unwrap();
    let mut there = Connection::options().open(&name).unwrap();
    here.send(&[7; 40]).unwrap();
    let view = View::open(name.path());
    let words = [40, 41, 3, 0xffff_ffff, 48].map(|len| RECORD | len);
    let child =
        flip(&name, view.slot(0, 0), &[words, [0, 2 << 32, 3 << 32, u64::MAX, 40]].concat());
    let fault = |why: TryRecvError| why.fault();
    look(&[3, 40], "in place", || {
        let record = there.try_peek().map_err(fault)?;
        let (len, copy) = (record.len(), record.to_vec());
        assert_eq!((len, record.len()), (copy.len(), len), "what was measured stays");
        Ok(len)
    });
    // A buffer without room leaves the record where it is, and says how long it seemed.
    look(&[3, 40], "its length", || match there.try_recv_into(&mut []) {
        Err(TryRecvError::Failed(Fault::BufferTooShort { needed, .. })) => Ok(needed),
        Err(why) => Err(why.fault()),
        Ok(len) => panic!("{len} bytes into no room"),
    });
    child.kill();
    view.put_u64(view.slot(0, 0), RECORD | 0x28);
    assert_eq!(there.recv().unwrap(), [7; 40]);
}
