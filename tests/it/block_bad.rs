//! What blocks refuse: lengths, places, types and files that cannot be, each with its error.

use std::fs::OpenOptions;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicU8, AtomicU16, AtomicU32, AtomicU64};

use ringway::block::{Block, SharedArray, SharedValue};
use ringway::queue::Queue;
use ringway::spsc::Producer;
use ringway::{AccessError, ErrorKind};

use crate::util::child::Child;
use crate::util::os::in_fork;
use crate::util::{Directory, Name, not_run, os};

pub fn play(role: &str, arguments: &[&str]) {
    match role {
        "full" => on_a_full_file_system(Path::new(arguments[0])),
        "file size" => under_a_file_size_limit(arguments[0]),
        "fork" => use_in_child(arguments[0]),
        _ => panic!("no such role"),
    }
}

#[test]
fn a_block_without_a_byte_is_refused() {
    let name = Name::new("empty");
    let why = ErrorKind::InvalidOption("a length is at least 1");
    assert_eq!(Block::create(&name, 0).unwrap_err().kind(), &why);
    assert_eq!(Block::open_or_create(&name, 0).unwrap_err().kind(), &why);
    assert_eq!(Block::anonymous(0).unwrap_err().kind(), &why);
    assert_eq!(SharedArray::<u8>::create(&name, 0).unwrap_err().kind(), &why);
    let why = ErrorKind::InvalidOption("a value has at least a byte");
    assert_eq!(SharedValue::<[u64; 0]>::create(&name).unwrap_err().kind(), &why);
    assert_eq!(SharedArray::<()>::create(&name, 3).unwrap_err().kind(), &why);
    assert!(!name.exists());
}

#[test]
fn a_block_too_large_for_any_file_is_refused() {
    let name = Name::new("huge");
    let why = ErrorKind::InvalidOption("the capacity makes the segment too large");
    for len in [usize::MAX, 1 << 63, (1 << 40) + 1, 1 << 40] {
        assert_eq!(Block::create(&name, len).unwrap_err().kind(), &why);
        assert_eq!(SharedArray::<u64>::create(&name, len).unwrap_err().kind(), &why);
    }
}

#[test]
fn a_block_of_another_length_is_refused_where_it_was_said() {
    let name = Name::new("length");
    let block = Block::create(&name, 100).unwrap();
    let why = ErrorKind::OtherLength { wanted: 99, found: 100 };
    assert_eq!(Block::open_or_create(&name, 99).unwrap_err().kind(), &why);
    assert_eq!(Block::options().len(99).open(&name).unwrap_err().kind(), &why);
    assert_eq!(Block::open(&name).unwrap().len(), 100);
    assert_eq!(block.members().unwrap().len(), 1, "nobody of those attached");
}

#[test]
fn other_kinds_and_blocks_refuse_each_other() {
    let name = Name::new("kinds");
    let _queue = Queue::<u64>::options().create(&name).unwrap();
    let kind = ErrorKind::WrongKind("a queue of values");
    assert_eq!(Block::open(&name).unwrap_err().kind(), &kind);
    let name = Name::new("kinds");
    let _block = Block::create(&name, 8).unwrap();
    let error = Producer::<u64>::options().open(&name).unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::WrongKind("a block"));
}

#[test]
fn what_ends_beyond_the_block_is_refused_also_where_its_end_overflows() {
    let name = Name::new("range");
    let block = Block::create(&name, 100).unwrap();
    let refused = |offset, len| AccessError::OutOfRange { offset, len, has: 100 };
    for (offset, len) in [(100, 1), (99, 2), (0, 101), (101, 0), (usize::MAX, 1), (usize::MAX, 0)] {
        assert_eq!(block.read_at(offset, &mut vec![0; len]), Err(refused(offset, len)));
        assert_eq!(block.write_at(offset, &vec![0; len]), Err(refused(offset, len)));
        assert_eq!(block.slice_view::<u8>(offset, len).unwrap_err(), refused(offset, len));
    }
    assert_eq!(block.view::<u64>(96).unwrap_err(), refused(96, 8));
    assert_eq!(block.atomic::<AtomicU64>(96).unwrap_err(), refused(96, 8));
    let all = usize::MAX;
    assert_eq!(block.slice_view::<u64>(0, all).unwrap_err(), refused(0, all));
    assert_eq!(block.slice_view::<u64>(8, all / 8).unwrap_err(), refused(8, all / 8 * 8));
    assert_eq!(block.atomic_slice::<AtomicU64>(0, 13).unwrap_err(), refused(0, 104));
    let row = block.slice_view::<u64>(8, 3).unwrap();
    let beyond = |offset, len| AccessError::OutOfRange { offset, len, has: 3 };
    assert_eq!(row.get(3), Err(beyond(3, 1)));
    assert_eq!(row.set(usize::MAX, 1), Err(beyond(usize::MAX, 1)));
    assert_eq!(row.read_at(2, &mut [0; 2]), Err(beyond(2, 2)));
    assert_eq!(row.write_at(4, &[]), Err(beyond(4, 0)));
    let error = block.write_at(99, &[1, 2]).unwrap_err();
    assert_eq!(error.to_string(), "access to 2 from 99 on, of 100");
}

#[test]
fn what_cannot_lie_there_is_refused() {
    let name = Name::new("misaligned");
    let block = Block::create(&name, 100).unwrap();
    let refused = |offset, align| AccessError::Misaligned { offset, align };
    assert_eq!(block.view::<u64>(4).unwrap_err(), refused(4, 8));
    assert_eq!(block.view::<u16>(1).unwrap_err(), refused(1, 2));
    assert_eq!(block.slice_view::<u32>(2, 5).unwrap_err(), refused(2, 4));
    assert_eq!(block.atomic::<AtomicU64>(4).unwrap_err(), refused(4, 8));
    assert_eq!(block.atomic_slice::<AtomicU16>(7, 2).unwrap_err(), refused(7, 2));
    assert!(block.view::<[u8; 8]>(3).is_ok(), "bytes lie anywhere");
    let error = block.view::<u64>(4).unwrap_err();
    assert_eq!(error.to_string(), "access at 4, which is no multiple of 8 in memory");
}

#[test]
fn atomics_of_two_sizes_do_not_overlap() {
    let name = Name::new("overlap");
    let block = Block::create(&name, 64).unwrap();
    let word = block.atomic::<AtomicU64>(8).unwrap();
    let overlap = |offset| AccessError::Overlap { offset };
    assert_eq!(block.atomic::<AtomicU32>(12).unwrap_err(), overlap(12));
    assert_eq!(block.atomic::<AtomicU8>(8).unwrap_err(), overlap(8));
    assert_eq!(block.clone().atomic_slice::<AtomicU16>(0, 8).unwrap_err(), overlap(0));
    block.atomic::<AtomicU64>(8).unwrap().store(5, Relaxed);
    block.atomic::<AtomicU32>(4).unwrap().store(6, Relaxed);
    assert_eq!(word.load(Relaxed), 5);
}

#[test]
fn a_truncated_or_lengthened_file_is_refused() {
    let name = Name::new("cut");
    drop(Block::create(&name, 100).unwrap());
    let file = OpenOptions::new().write(true).open(name.path()).unwrap();
    let whole = file.metadata().unwrap().len();
    for found in [whole - 1, whole + 1] {
        file.set_len(found).unwrap();
        let why = ErrorKind::WrongLength { expected: whole, found };
        assert_eq!(Block::open(&name).unwrap_err().kind(), &why);
    }
    file.set_len(whole).unwrap();
    assert_eq!(Block::open(&name).unwrap().len(), 100);
}

#[test]
fn every_byte_of_the_header_is_checked() {
    let name = Name::new("flipped");
    drop(Block::create(&name, 100).unwrap());
    let file = OpenOptions::new().read(true).write(true).open(name.path()).unwrap();
    // Which minor version made it decides nothing, but the checksum covers it.
    for at in 0..256 {
        let mut byte = [0];
        file.read_exact_at(&mut byte, at).unwrap();
        file.write_all_at(&[byte[0] ^ 1], at).unwrap();
        assert!(Block::open(&name).is_err(), "byte {at}");
        file.write_all_at(&byte, at).unwrap();
    }
    assert!(Block::open(&name).is_ok());
}

#[test]
fn names_owners_and_options_are_checked_as_everywhere() {
    for bad in ["", ".x", "a/b", "a b", &"x".repeat(300)] {
        let error = Block::create(bad, 8).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::InvalidName(_)), "{bad}: {error}");
    }
    let name = Name::new("options");
    let refused = |options: ringway::block::Options<Block>| options.create(&name).unwrap_err();
    let error = refused(Block::options().len(8).mode(0o666));
    assert!(matches!(error.kind(), ErrorKind::InvalidOption(_)), "{error}");
    for members in [1, 513] {
        let error = refused(Block::options().len(8).max_members(members));
        assert_eq!(error.kind(), &ErrorKind::InvalidOption("max_members is 2 to 512"));
    }
    let block = Block::options().len(8).max_members(2).create(&name).unwrap();
    let _second = Block::open(&name).unwrap();
    let error = Block::open(&name).unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::TooManyMembers { limit: 2 });
    drop(block);
    assert!(Block::open(&name).is_ok());
}

#[test]
fn where_there_is_no_room_no_block_is_made() {
    if !os::is_root() {
        return not_run("mounting takes root");
    }
    let directory = Directory::within(&std::env::temp_dir(), "block-full");
    let path = directory.path().to_str().unwrap().to_owned();
    Child::spawn("block_bad::full", &[&path]).finish();
}

fn on_a_full_file_system(directory: &Path) {
    os::private_mounts().unwrap();
    os::mount("tmpfs", directory, Some("tmpfs"), 0, "size=256k").unwrap();
    let options = Block::options().directory(directory);
    let error = options.clone().len(1 << 20).create("big").unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::NoSpace);
    assert_eq!(crate::util::listing(directory), Vec::<String>::new());
    let block = options.len(200 << 10).prefault().create("fits").unwrap();
    block.write_at(0, &vec![1; 200 << 10]).unwrap();
}

#[test]
fn where_files_may_not_be_so_long_no_block_is_made() {
    let name = Name::new("file-size");
    Child::spawn("block_bad::file size", &[&name]).finish();
    assert!(!name.exists());
}

fn under_a_file_size_limit(name: &str) {
    os::limit_file_size(1 << 20);
    let error = Block::create(name, 1 << 20).unwrap_err();
    let needed = 20480 + (1 << 20);
    assert_eq!(error.kind(), &ErrorKind::FileSizeLimit { needed, limit: 1 << 20 });
}

#[test]
fn every_access_in_a_forked_child_answers_forked() {
    let name = Name::new("forked");
    Child::spawn("block_bad::fork", &[&name]).finish();
}

fn use_in_child(name: &str) {
    let block = Block::create(name, 4096).unwrap();
    let (view, row) = (block.view::<u64>(0).unwrap(), block.slice_view::<u8>(8, 8).unwrap());
    let word = block.atomic::<AtomicU64>(16).unwrap();
    view.set(1).unwrap();
    word.store(2, Relaxed);
    let code = in_fork(|| {
        assert_eq!(block.read_at(0, &mut [0]), Err(AccessError::Forked));
        assert_eq!(block.write_at(0, &[0]), Err(AccessError::Forked));
        assert_eq!((view.get(), view.set(3)), (Err(AccessError::Forked), Err(AccessError::Forked)));
        assert_eq!(row.get(0), Err(AccessError::Forked));
        assert_eq!(row.set(0, 3), Err(AccessError::Forked));
        assert_eq!(row.to_vec(), Err(AccessError::Forked));
        assert_eq!(block.atomic::<AtomicU64>(24).unwrap_err(), AccessError::Forked);
        assert_eq!(block.view::<u64>(24).unwrap_err(), AccessError::Forked);
        word.store(3, Relaxed);
        assert!(block.members().is_err() && block.unlink().is_err());
        assert!(!format!("{block:?}{view:?}{row:?}{word:?}").is_empty());
        let again = Block::open(name).unwrap();
        assert_eq!(again.view::<u64>(16).unwrap().get(), Ok(2), "the child attaches anew");
        again.view::<u64>(32).unwrap().set(4).unwrap();
        0
    });
    assert_eq!(code, 0);
    assert_eq!((view.get(), word.load(Relaxed)), (Ok(1), 2), "a child changes nothing by them");
    assert_eq!(block.view::<u64>(32).unwrap().get(), Ok(4));
}
