//! A reader in C of channels in motion: what it shows was sent, whole, and is where it says.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Instant;

use ringway::block::Block;

use ringway::queue::Queue;
use ringway::spsc::{Consumer, Producer};
use ringway::sync::{Barrier, Mutex};

use crate::util::reader::Reader;
use crate::util::{LONG, Name};

/// A message that fills what is shown of one: whoever sees parts of two sees two numbers.
type Wide = [u64; 8];

/// The place that `line` names and the number that fills the message there, if it shows one.
#[track_caller]
fn shown(line: &str) -> Option<(&str, u64)> {
    let (place, bytes) = line.rsplit_once(": ")?;
    if bytes.len() != 128 {
        return None;
    }
    let (first, rest) = bytes.split_at(16);
    assert_eq!(rest, first.repeat(7), "parts of several messages: {line}");
    Some((place, u64::from_str_radix(first, 16).expect(line).swap_bytes()))
}

/// The numbers in `text`, in order.
fn numbers(text: &str) -> Vec<u64> {
    text.split(|c: char| !c.is_ascii_digit()).filter_map(|word| word.parse().ok()).collect()
}

/// As many messages are looked at: a reader that does not look at a slot's word again shows another's bytes among
/// a few thousand.
const ENOUGH: u64 = 20_000;

/// Sends and receives without a pause, with most of the slots filled.
#[test]
fn a_reader_of_a_channel_in_motion_sees_what_was_sent_and_nothing_else() {
    let Some(reader) = Reader::build() else { return };
    let (values, queued) = (Name::new("c-live"), Name::new("c-live"));
    let mut producer = Producer::<Wide>::options().capacity(256).create(&values).unwrap();
    let mut consumer = Consumer::<Wide>::options().open(&values).unwrap();
    let queue = Queue::<Wide>::options().capacity(256).create(&queued).unwrap();
    let (sender, receiver) = (queue.sender(), queue.receiver());
    let stop = AtomicBool::new(false);
    let mut seen = [0u64; 2];
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for n in (0..).take_while(|_| !stop.load(Relaxed)) {
                producer.send([n * 3; 8]).unwrap();
                sender.send([n * 5; 8]).unwrap();
                if n >= 200 {
                    consumer.recv().unwrap();
                    receiver.recv().unwrap();
                }
            }
        });
        let _stops = StopsWhenDropped(&stop);
        let end = Instant::now() + LONG;
        while seen.iter().any(|count| *count < ENOUGH) && Instant::now() < end {
            for line in reader.lines(&values) {
                let Some((place, value)) = shown(&line) else { continue };
                let [_ring, position] = numbers(place)[..] else { panic!("{line}") };
                assert_eq!(value, position * 3, "{line}");
                seen[0] += 1;
            }
            for line in reader.lines(&queued) {
                let Some((place, value)) = shown(&line) else { continue };
                let [_ring, slot, lap] = numbers(place)[..3] else { panic!("{line}") };
                assert_eq!(value, (lap * 256 + slot) * 5, "{line}");
                seen[1] += 1;
            }
        }
    });
    assert!(seen.iter().all(|count| *count >= ENOUGH / 20), "hardly anything was seen: {seen:?}");
}

/// Has others stop, also when an assertion fails.
struct StopsWhenDropped<'a>(&'a AtomicBool);

impl Drop for StopsWhenDropped<'_> {
    fn drop(&mut self) {
        self.0.store(true, Relaxed);
    }
}

#[test]
fn a_block_is_seen_with_its_members_and_its_bytes() {
    let Some(reader) = Reader::build() else { return };
    let name = Name::new("c-block");
    let block = Block::options().len(13).with_lock().max_members(2).create(&name).unwrap();
    block.write_at(0, b"from the rust").unwrap();
    let here = std::process::id();
    let seen = [
        "kind: block".to_owned(),
        "format: version 1, minor 1".to_owned(),
        "elements: 13 of 1 bytes, alignment 1, stride 1".to_owned(),
        "flags: [lock]".to_owned(),
        "opened: 0 times".to_owned(),
        format!(
            "member 0: active and alive, process {here}, senders 0, receivers 0, incarnation 1"
        ),
        "arrivals: epoch 0, waiting: nobody".to_owned(),
        "data at 4096: 66726f6d207468652072757374".to_owned(),
    ];
    reader.prints(&name, &seen);
    block.unlink().unwrap();
}

#[test]
fn a_lock_is_seen_with_who_has_it() {
    let Some(reader) = Reader::build() else { return };
    let name = Name::new("c-lock");
    let mutex = Mutex::<u64>::options().max_members(2).create(&name).unwrap();
    let here = std::process::id();
    let seen = |bytes: &str, holder: &str| {
        [
            "kind: lock".to_owned(),
            "format: version 1, minor 1".to_owned(),
            "elements: 24 of 1 bytes, alignment 1, stride 1".to_owned(),
            "flags: none".to_owned(),
            "opened: 0 times".to_owned(),
            format!(
                "member 0: active and alive, process {here}, senders 0, receivers 0, incarnation 1"
            ),
            "arrivals: epoch 0, waiting: nobody".to_owned(),
            format!("data at 4096: 0800000002000010{bytes}"),
            "lock: mutex, 8, 8".to_owned(),
            format!("holder: {holder}"),
        ]
    };
    reader.prints(&name, &seen(&"0".repeat(32), "nobody"));
    let barrier = Name::new("c-barrier");
    let _party = Barrier::create(&barrier, 3).unwrap();
    let lines = reader.lines(&barrier);
    assert!(lines.iter().any(|line| line == "lock: barrier, 3, 0"), "{lines:?}");
    assert!(lines.iter().any(|line| line == "word: 0x0"), "{lines:?}");
    drop(mutex);
}
