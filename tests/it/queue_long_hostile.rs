//! Blocks where something is wrong: words and numbers that no correct member writes, memory that is refused, cut files.

use std::fs;
use std::path::Path;
use std::time::Duration;

use ringway::queue::Queue;
use ringway::{ErrorKind, Fault, TryRecvError, TrySendError};

use crate::queue_long::{assert_all_free, message};
use crate::util::child::Child;
use crate::util::view::View;
use crate::util::{Directory, LONG, Name, not_run, os, within};

type Bytes = Queue<[u8]>;

pub fn play(role: &str, arguments: &[&str]) {
    match role {
        "refused" => where_memory_is_refused(Path::new(arguments[0])),
        other => panic!("no role {other}"),
    }
}

/// Where the first slot lies in a queue of at most 4 members, and where the lines of blocks.
struct Places {
    slot: u64,
    lines: u64,
}

fn places(view: &View) -> Places {
    Places { slot: view.u64(128), lines: view.u64(136) }
}

#[test]
fn a_slot_that_says_what_cannot_be_of_its_block_is_corrupt_and_comes_through_once_it_is_healed() {
    let name = Name::new("descriptor");
    let options = Bytes::options().capacity(4).message_len(16).max_members(4).blocks(128, 2);
    let queue = options.blocks(256, 1).create(&name).unwrap();
    let (sender, receiver) = (queue.sender(), queue.receiver());
    let view = View::open(name.path());
    let Places { slot, lines } = places(&view);
    sender.send(&message(1, 100)).unwrap();
    let (word, block) = (view.u64(slot + 8), view.u64(slot + 16));
    assert_eq!((word, block), ((1 << 32) + 100, 0));
    let bound = view.u64(lines);
    let texts = [
        "a message is in a block that is not its own",
        "a message is longer than its slot",
        "a message has flags that this build does not know",
    ];
    let wrong: &[(u64, u64, usize)] = &[
        (slot + 16, 1, 0),
        (slot + 16, 2, 0),
        (slot + 16, 3, 0),
        (slot + 16, u64::from(u32::MAX), 0),
        (slot + 16, u64::MAX, 0),
        (slot + 8, (1 << 32) + 129, 1),
        (slot + 8, (1 << 32) + 0xffff_ffff, 1),
        (slot + 8, (2 << 32) + 100, 2),
        (slot + 8, (3 << 32) + 100, 2),
        (slot + 8, (1 << 63) + 100, 2),
        (lines, 0, 0),
        (lines, bound ^ 1 << 18, 0),
        (lines, bound ^ 1 << 14, 0),
        (lines, 1, 0),
        (lines, u64::MAX, 0),
    ];
    for (at, value, text) in wrong {
        let healthy = view.u64(*at);
        view.put_u64(*at, *value);
        within(LONG, || {
            let fault = Some(Fault::Corrupt(texts[*text]));
            let mut buffer = [0; 300];
            let context = format!("{at:#x}: {value:#x}");
            assert_eq!(receiver.try_recv().unwrap_err().fault(), fault, "{context}");
            assert_eq!(receiver.recv_into(&mut buffer).unwrap_err().fault(), fault, "{context}");
            assert_eq!(receiver.recv_guard().unwrap_err().fault(), fault, "{context}");
            let late = receiver.recv_timeout(Duration::from_millis(5)).unwrap_err();
            assert_eq!(late.fault(), fault, "{context}");
        });
        view.put_u64(*at, healthy);
    }
    assert!(receiver.recv().unwrap() == message(1, 100));
    assert_all_free(&queue);
}

#[test]
fn blocks_in_no_state_are_left_alone_and_seen() {
    let name = Name::new("words");
    let options = Bytes::options().capacity(4).message_len(16).max_members(4).blocks(128, 3);
    let queue = options.create(&name).unwrap();
    let (sender, receiver) = (queue.sender(), queue.receiver());
    let view = View::open(name.path());
    let Places { lines, .. } = places(&view);
    // In no state; of a member that cannot be; bound to a message that was never sent.
    for (number, word) in [3, 2047 << 3 | 1, 5 << 18 | 2].into_iter().enumerate() {
        view.put_u64(lines + 128 * number as u64, word);
    }
    let usage = queue.blocks()[0];
    assert_eq!((usage.corrupt, usage.owned, usage.bound, usage.free), (1, 1, 1, 0));
    assert_eq!(sender.try_send(&[1; 100]), Err(TrySendError::Full(())));
    queue.recover().unwrap();
    within(LONG, || {
        assert!(sender.send_timeout(&[1; 100], Duration::from_millis(20)).is_err());
    });
    sender.send(&[1; 10]).unwrap();
    assert_eq!(receiver.recv().unwrap(), [1; 10]);
    (0..3).for_each(|number| view.put_u64(lines + 128 * number, 0));
    assert_all_free(&queue);
}

#[test]
fn a_header_whose_blocks_make_no_sense_is_refused() {
    let name = Name::new("header");
    let options = Bytes::options().capacity(4).message_len(16).max_members(4).blocks(128, 3);
    let options = options.max_message(8192).attachments(2);
    let _queue = options.create(&name).unwrap();
    let view = View::open(name.path());
    let original = view.bytes(0, 256);
    let refusal = |offset: u64, value: u64| {
        view.put_bytes(0, &original);
        view.put_u64(offset, value);
        view.seal_header();
        let opened = options.open(&name).map(drop);
        opened.expect_err(&format!("{offset}: {value:#x}")).kind().clone()
    };
    let classes: Vec<u64> = (0..4).map(|n| view.u64(224 + 8 * n)).collect();
    assert_eq!(classes, [(3 << 32) + 128, (1 << 63) + (2 << 32) + 8192, 0, 0]);
    for (offset, value) in [
        (136, 0),
        (136, view.u64(136) + 4096),
        (144, 0),
        (144, view.u64(144) - 4096),
        (184, 0),
        (184, 8193),
        (184, 16),
        (184, u64::MAX),
        (224, 0),
        (224, (3 << 32) + 129),
        (224, (33 << 32) + 128),
        (224, u64::MAX),
        (232, 0),
        (232, classes[1] | 64),
        (240, classes[0]),
        (248, 1),
    ] {
        let kind = refusal(offset, value);
        assert!(matches!(kind, ErrorKind::NotASegment(_)), "{offset}, {value:#x}: {kind:?}");
    }
    view.put_bytes(0, &original);
    view.put_u32(180, 0);
    view.seal_header();
    let kind = options.open(&name).map(drop).unwrap_err().kind().clone();
    assert!(matches!(kind, ErrorKind::NotASegment(_)), "without the feature: {kind:?}");
    view.put_bytes(0, &original);
    drop(options.open(&name).unwrap());
}

#[test]
fn a_file_that_lacks_its_attachments_is_refused() {
    let name = Name::new("cut");
    let options = Bytes::options().capacity(4).message_len(16).max_message(1 << 20).attachments(2);
    drop(options.create(&name).unwrap());
    let len = name.path().metadata().unwrap().len();
    let file = fs::OpenOptions::new().write(true).open(name.path()).unwrap();
    for cut in [len - 1, len - 4096, len - (1 << 20), len + 4096] {
        file.set_len(cut).unwrap();
        let kind = options.open(&name).map(drop).unwrap_err().kind().clone();
        assert_eq!(kind, ErrorKind::WrongLength { expected: len, found: cut });
    }
    file.set_len(len).unwrap();
    let queue = options.open(&name).unwrap();
    let (sender, receiver) = (queue.sender(), queue.receiver());
    sender.send(&message(1, 1 << 20)).unwrap();
    assert!(receiver.recv().unwrap() == message(1, 1 << 20));
    assert_all_free(&queue);
}

#[test]
fn memory_that_is_refused_is_an_error_and_nothing_is_lost() {
    if !os::is_root() {
        return not_run("mounting takes root");
    }
    let directory = Directory::within(&std::env::temp_dir(), "refused");
    let path = directory.path().to_str().unwrap().to_owned();
    Child::spawn("queue_long_hostile::refused", &[&path]).finish();
}

fn where_memory_is_refused(directory: &Path) {
    os::private_mounts().unwrap();
    os::mount("tmpfs", directory, Some("tmpfs"), 0, "size=4m").unwrap();
    let options = Bytes::options().directory(directory).capacity(4).message_len(16);
    let options = options.max_message(8 << 20).attachments(3);
    let queue = options.create("small").unwrap();
    let (sender, receiver) = (queue.sender(), queue.receiver());
    let refused = |fault: Option<Fault>| assert_eq!(fault, Some(Fault::NoMemory));
    let used = || {
        directory
            .join("ringway.default.small")
            .metadata()
            .map(|found| std::os::unix::fs::MetadataExt::blocks(&found) * 512)
    };
    let before = used().unwrap();
    for _ in 0..3 {
        refused(sender.try_send(&vec![1; 8 << 20]).unwrap_err().fault());
        refused(sender.send(&vec![1; 8 << 20]).unwrap_err().fault());
        refused(sender.reserve(5 << 20).unwrap_err().fault());
        assert_eq!(used().unwrap(), before, "what there was of it is given back");
    }
    let text = Fault::NoMemory.to_string();
    assert_eq!(text, "the file system has no memory for the message");
    sender.send(&message(1, 2 << 20)).unwrap();
    refused(sender.send(&vec![1; 2 << 20]).unwrap_err().fault());
    sender.send(&message(2, 10)).unwrap();
    assert!(receiver.recv().unwrap() == message(1, 2 << 20));
    sender.send(&message(3, 2 << 20)).unwrap();
    assert!(receiver.recv().unwrap() == message(2, 10));
    assert!(receiver.recv().unwrap() == message(3, 2 << 20));
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
    assert_all_free(&queue);
    options.unlink("small").unwrap();
}

#[test]
fn a_forked_child_touches_no_block() {
    let queue = Bytes::options().capacity(4).message_len(16).blocks(128, 2).unnamed().unwrap();
    let (sender, receiver) = (queue.sender(), queue.receiver());
    sender.send(&message(1, 100)).unwrap();
    let grant = sender.reserve(100).unwrap();
    let code = os::in_fork(|| {
        let forked = Some(Fault::Forked);
        let told = sender.send(&[1; 100]).unwrap_err().fault() == forked
            && sender.reserve(100).unwrap_err().fault() == forked
            && receiver.try_recv().unwrap_err().fault() == forked
            && queue.blocks().is_empty()
            && queue.trim() == 0;
        i32::from(!told)
    });
    assert_eq!(code, 0);
    drop(grant);
    assert!(receiver.recv().unwrap() == message(1, 100));
    assert_all_free(&queue);
}
