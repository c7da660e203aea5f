//! Messages that are longer than a slot: blocks and attachments, lengths, order, room, memory.

use std::os::unix::fs::MetadataExt;

use ringway::queue::{DeliveryPolicy, Queue};
use ringway::{Fault, Options};

use crate::util::child::{Child, say};
use crate::util::{LONG, NO_RECHECK, Name, PROMPT, Random, eventually};

pub type Bytes = Queue<[u8]>;

/// What every test of blocks ends with: each block is free, and no memory is held that can be given back.
#[track_caller]
pub fn assert_all_free(queue: &Bytes) {
    queue.trim();
    for usage in queue.blocks() {
        assert_eq!((usage.free, usage.owned, usage.bound, usage.corrupt), (usage.count, 0, 0, 0));
        assert!(!usage.attachments || usage.memory == 0, "{usage:?}");
    }
}

/// A message of `len` bytes that depends on `seed`, cheap to make and to check.
pub fn message(seed: u64, len: usize) -> Vec<u8> {
    let mut bytes = vec![0; len];
    fill(&mut bytes, seed);
    bytes
}

pub fn fill(bytes: &mut [u8], seed: u64) {
    let mut random = Random(seed | 1);
    for chunk in bytes.chunks_mut(8) {
        chunk.copy_from_slice(&random.next().to_le_bytes()[..chunk.len()]);
    }
}

pub fn play(role: &str, arguments: &[&str]) {
    let queue = Bytes::options().open(arguments[0]).unwrap();
    match role {
        "sums" => {
            for bytes in queue.receiver().iter() {
                let seed = u64::from_le_bytes(bytes[..8].try_into().unwrap());
                assert_eq!(bytes[8..], message(seed, bytes.len() - 8), "{} bytes", bytes.len());
                say(&bytes.len().to_string());
            }
        }
        other => panic!("no role {other}"),
    }
}

pub fn options() -> Options<Bytes> {
    Bytes::options().capacity(8).message_len(64)
}

#[test]
fn messages_of_each_length_come_out_as_they_went_in() {
    let queue = options().blocks(256, 2).blocks(4096, 2).max_message(1 << 20).unnamed().unwrap();
    let (sender, receiver) = (queue.sender(), queue.receiver());
    assert_eq!(
        (queue.max_len(), sender.max_len(), receiver.max_len()),
        (1 << 20, 1 << 20, 1 << 20)
    );
    let mut buffer = vec![0; 1 << 20];
    let lengths = (0..=300).chain([4095, 4096, 4097, 65_536, (1 << 20) - 1, 1 << 20]);
    for (len, seed) in lengths.zip(1..) {
        let bytes = message(seed, len);
        sender.try_send(&bytes).unwrap();
        assert!(receiver.try_recv().unwrap() == bytes);
        sender.send(&bytes).unwrap();
        assert_eq!(receiver.recv_into(&mut buffer), Ok(len));
        assert!(buffer[..len] == bytes);
        let mut grant = sender.reserve(len).unwrap();
        assert_eq!(grant.len(), len);
        grant.copy_from_slice(&bytes);
        grant.commit().unwrap();
        let delivery = receiver.recv_guard().unwrap();
        assert!(*delivery == bytes);
        delivery.ack();
        sender.send_timeout(&bytes, LONG).unwrap();
        assert!(receiver.recv_timeout(LONG).unwrap() == bytes);
    }
    assert_all_free(&queue);
}

#[test]
fn mixed_lengths_stay_in_one_order_between_processes() {
    let name = Name::new("mixed");
    let queue = options().blocks(1024, 4).max_message(3 << 20).attachments(2);
    let queue = queue.remove_when_unused().create(&name).unwrap();
    let sender = queue.sender();
    let child = Child::spawn("queue_long::sums", &[&name]);
    let mut random = Random(7);
    let lengths: Vec<usize> = (0..300)
        .map(|n| 8 + if n % 25 == 0 { random.below(3 << 20) } else { random.below(1400) })
        .map(|len| len.min(3 << 20))
        .collect();
    for (len, seed) in lengths.iter().zip(1u64..) {
        let mut grant = sender.reserve(*len).unwrap();
        grant[..8].copy_from_slice(&seed.to_le_bytes());
        fill(&mut grant[8..], seed);
        grant.commit().unwrap();
    }
    queue.close();
    for len in &lengths {
        child.expect(&len.to_string());
    }
    child.finish();
    assert_all_free(&queue);
}

#[test]
fn a_dropped_grant_sends_nothing_and_a_shortened_one_less() {
    let queue = options().blocks(1024, 1).unnamed().unwrap();
    let (sender, receiver) = (queue.sender(), queue.receiver());
    drop(sender.reserve(1000).unwrap());
    let mut grant = sender.reserve(1000).unwrap();
    grant.fill(7);
    grant.truncate(500);
    assert_eq!(grant.len(), 500);
    grant.commit().unwrap();
    assert_eq!(receiver.recv().unwrap(), [7; 500]);
    let mut grant = sender.reserve(1000).unwrap();
    grant.truncate(0);
    grant.commit().unwrap();
    assert_eq!(receiver.recv().unwrap(), []);
    assert_all_free(&queue);
}

#[test]
fn a_delivery_that_is_not_acknowledged_comes_again_whole_or_is_dropped() {
    for policy in [DeliveryPolicy::AtLeastOnce, DeliveryPolicy::AtMostOnce] {
        let queue = options().blocks(1024, 1).delivery(policy).unnamed().unwrap();
        let (sender, receiver) = (queue.sender(), queue.receiver());
        let bytes = message(3, 1000);
        sender.send(&bytes).unwrap();
        drop(receiver.recv_guard().unwrap());
        if policy == DeliveryPolicy::AtLeastOnce {
            let delivery = receiver.recv_guard().unwrap();
            assert!(delivery.redelivered() && *delivery == bytes);
            delivery.ack();
        }
        assert!(receiver.try_recv().is_err());
        assert_all_free(&queue);
    }
}

#[test]
fn a_buffer_that_is_too_short_loses_nothing() {
    let queue = options().blocks(1024, 1).unnamed().unwrap();
    let (sender, receiver) = (queue.sender(), queue.receiver());
    sender.send(&message(1, 1000)).unwrap();
    let mut buffer = [0; 999];
    for _ in 0..3 {
        let fault = receiver.recv_into(&mut buffer).unwrap_err().fault();
        assert_eq!(fault, Some(Fault::BufferTooShort { needed: 1000, len: 999 }));
    }
    assert!(receiver.recv().unwrap() == message(1, 1000));
    assert_all_free(&queue);
}

#[test]
fn a_long_dead_letter_takes_its_block_along() {
    let queue = options().blocks(1024, 1).dead_letters(2, 2).unnamed().unwrap();
    let (sender, receiver) = (queue.sender(), queue.receiver());
    let letters = queue.dead_letters().unwrap();
    sender.send(&message(9, 1000)).unwrap();
    (0..2).for_each(|_| drop(receiver.recv_guard().unwrap()));
    assert!(receiver.try_recv_guard().is_err());
    assert_eq!(queue.blocks()[0].bound, 1);
    assert!(letters.recv().unwrap() == message(9, 1000));
    assert_all_free(&queue);
}

#[test]
fn attachments_have_memory_only_while_they_have_a_message() {
    let name = Name::new("holes");
    let queue = options().max_message(64 << 20).attachments(4);
    let queue = queue.remove_when_unused().create(&name).unwrap();
    let memory = || name.path().metadata().unwrap().blocks() * 512;
    let before = memory();
    assert!(before < 1 << 20 && name.path().metadata().unwrap().len() > 256 << 20);
    let (sender, receiver) = (queue.sender(), queue.receiver());
    sender.send(&message(1, 64 << 20)).unwrap();
    assert!(memory() >= before + (64 << 20));
    assert!(receiver.recv().unwrap() == message(1, 64 << 20));
    assert_eq!(memory(), before);
    // Given up: the memory stays for the next message, and goes when it is asked for.
    drop(sender.reserve(10 << 20).unwrap());
    assert_eq!(queue.blocks()[0].memory, 10 << 20);
    assert_eq!(queue.trim(), 10 << 20);
    assert_eq!((memory(), queue.trim()), (before, 0));
    assert_all_free(&queue);
}

#[test]
fn two_gigabytes_arrive() {
    const LEN: usize = 1 << 31;
    let free = |path: &str| {
        let words = std::process::Command::new("df").args(["-B1", "--output=avail", path]).output();
        let text = String::from_utf8(words.unwrap().stdout).unwrap();
        text.lines().nth(1).and_then(|line| line.trim().parse::<u64>().ok()).unwrap_or(0)
    };
    let memory = std::fs::read_to_string("/proc/meminfo").unwrap();
    let available = memory.lines().find_map(|line| line.strip_prefix("MemAvailable:"));
    let available = available.and_then(|line| line.trim().strip_suffix(" kB")?.parse().ok());
    if free("/dev/shm") < 3 << 30 || available.unwrap_or(0u64) < 6 << 20 {
        return crate::util::not_run("there is not memory enough for 2 GiB and as much again");
    }
    let queue = options().max_message(LEN).attachments(1).unnamed().unwrap();
    let (sender, receiver) = (queue.sender(), queue.receiver());
    let mut grant = sender.reserve(LEN).unwrap();
    let places: Vec<usize> = (0..LEN).step_by(1 << 16).chain([LEN - 1]).collect();
    for (place, n) in places.iter().zip(0u64..) {
        grant[*place] = n.to_le_bytes()[0] ^ 0x5a;
    }
    grant.commit().unwrap();
    let delivery = receiver.recv_guard().unwrap();
    assert_eq!(delivery.len(), LEN);
    for (place, n) in places.iter().zip(0u64..) {
        assert_eq!(delivery[*place], n.to_le_bytes()[0] ^ 0x5a, "at {place}");
    }
    delivery.ack();
    assert_all_free(&queue);
}

#[test]
fn many_senders_and_receivers_of_any_length_lose_nothing() {
    const EACH: u64 = 3000;
    let queue = options().capacity(16).blocks(512, 3).blocks(2048, 2).max_message(64 << 10);
    let queue = queue.attachments(2).recheck(NO_RECHECK).unnamed().unwrap();
    let sum = std::sync::atomic::AtomicU64::new(0);
    std::thread::scope(|scope| {
        let receivers: Vec<_> = (0..3).map(|_| queue.receiver()).collect();
        let senders: Vec<_> = (1..=3u64).map(|number| (number, queue.sender())).collect();
        for receiver in receivers {
            let sum = &sum;
            scope.spawn(move || {
                for bytes in receiver.iter() {
                    let seed = u64::from_le_bytes(bytes[..8].try_into().unwrap());
                    assert!(bytes[8..] == message(seed, bytes.len() - 8));
                    sum.fetch_add(seed, std::sync::atomic::Ordering::Relaxed);
                }
            });
        }
        for (number, sender) in senders {
            scope.spawn(move || {
                let mut random = Random(number);
                for n in 0..EACH {
                    let seed = number << 32 | n;
                    let most = if n % 50 == 0 { 60_000 } else { 2200 };
                    let len = random.below(most);
                    let bytes = [&seed.to_le_bytes()[..], &message(seed, len)].concat();
                    sender.send(&bytes).unwrap();
                }
            });
        }
    });
    let expected: u64 =
        (1..=3u64).map(|number| (number << 32) * EACH + EACH * (EACH - 1) / 2).sum();
    assert_eq!(sum.into_inner(), expected);
    assert!(eventually(PROMPT, || queue.is_empty()));
    assert_all_free(&queue);
}
