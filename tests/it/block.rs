//! Blocks, arrays and values: their names, their length to the byte, what is read where it was written, by whomever.

use std::sync::atomic::Ordering::{Relaxed, SeqCst};
use std::sync::atomic::{AtomicI64, AtomicU8, AtomicU16, AtomicU32, AtomicU64};

use ringway::block::{
    AtomicSlice, Block, Memory, Options, Place, RawBlock, RawOptions, SharedArray, SharedValue,
    SliceView, View,
};
use ringway::{AccessError, ErrorKind, Operation};

use crate::util::child::{Child, hear, say};
use crate::util::{LONG, Name, within};

pub fn play(role: &str, arguments: &[&str]) {
    match role {
        "add" => add(arguments[0], arguments[1].parse().unwrap()),
        "write" => write(arguments[0]),
        "hold" => hold(arguments[0]),
        _ => panic!("no such role"),
    }
}

/// Counts in every element of an array.
fn add(name: &str, times: u64) {
    let array = SharedArray::<u64>::open(name).unwrap();
    for _ in 0..times {
        for number in array.atomics() {
            number.fetch_add(1, Relaxed);
        }
    }
}

/// Writes what it was told, where it was told, and says so.
fn write(name: &str) {
    let block = Block::open(name).unwrap();
    block.write_at(3, b"from the other side").unwrap();
    block.atomic::<AtomicU64>(64).unwrap().store(7, SeqCst);
    say("written");
    hear();
}

fn hold(name: &str) {
    let _block = Block::open(name).unwrap();
    say("held");
    hear();
}

#[test]
fn a_block_is_made_opened_replaced_and_removed() {
    let name = Name::new("block");
    assert_eq!(Block::open(&name).unwrap_err().kind(), &ErrorKind::NotFound);
    let block = Block::create(&name, 1001).unwrap();
    assert_eq!((block.len(), block.name(), block.path()), (1001, &*name, name.path()));
    let error = Block::create(&name, 1001).unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::AlreadyExists { alive: 1, dead: 0 });
    assert_eq!(error.operation(), Operation::Create);
    assert!(error.to_string().starts_with(&format!("create block \"{}\": ", &*name)), "{error}");
    let other = Block::open_or_create(&name, 1001).unwrap();
    block.write_at(1000, &[5]).unwrap();
    let mut last = [0];
    other.read_at(1000, &mut last).unwrap();
    assert_eq!(last, [5]);
    let fresh = Block::options().len(10).replace(&name).unwrap();
    assert_eq!(fresh.len(), 10);
    other.write_at(0, &[6]).unwrap();
    let mut first = [0];
    fresh.read_at(0, &mut first).unwrap();
    assert_eq!(first, [0], "the old one goes on without a name");
    assert_eq!(other.unlink().unwrap_err().kind(), &ErrorKind::NotFound, "it is another's name");
    fresh.unlink().unwrap();
    assert!(!name.exists());
    assert_eq!(fresh.unlink().unwrap_err().kind(), &ErrorKind::NotFound);
    assert_eq!(Block::options().unlink(&name).unwrap_err().kind(), &ErrorKind::NotFound);
}

#[test]
fn its_length_is_exact_and_the_file_ends_with_it() {
    for len in [1, 2, 4095, 4096, 4097, 70_001] {
        let name = Name::new("exact");
        let block = Block::options().len(len).max_members(2).create(&name).unwrap();
        assert_eq!(block.len(), len);
        assert_eq!(Block::open(&name).unwrap().len(), len);
        let file = name.path().metadata().unwrap().len();
        assert_eq!(file, 4096 + len as u64, "640 and 2 times 256 bytes, up to a page");
        let end = AccessError::OutOfRange { offset: len, len: 1, has: len };
        assert_eq!(block.write_at(len, &[1]), Err(end));
        block.write_at(len - 1, &[1]).unwrap();
        block.write_at(len, &[]).unwrap();
    }
}

#[test]
fn a_new_block_is_zero() {
    let name = Name::new("zero");
    let block = Block::create(&name, 10_000).unwrap();
    assert_eq!(block.slice_view::<u8>(0, 10_000).unwrap().to_vec().unwrap(), vec![0; 10_000]);
}

#[test]
fn another_process_sees_what_was_written_and_writes_what_is_seen() {
    let name = Name::new("both");
    let block = Block::create(&name, 4096).unwrap();
    let mut child = Child::spawn("block::write", &[&name]);
    child.expect("written");
    let mut found = [0; 19];
    block.read_at(3, &mut found).unwrap();
    assert_eq!(&found, b"from the other side");
    assert_eq!(block.atomic::<AtomicU64>(64).unwrap().load(SeqCst), 7);
    assert_eq!(block.members().unwrap().len(), 2);
    child.tell("go");
    child.finish();
    assert_eq!(block.members().unwrap().len(), 1);
}

#[test]
fn two_processes_modify_one_array_and_nothing_is_lost() {
    let name = Name::new("array");
    let array = SharedArray::<u64>::create(&name, 100).unwrap();
    let child = Child::spawn("block::add", &[&name, "5000"]);
    add(&name, 5000);
    child.finish();
    assert_eq!(array.to_vec().unwrap(), [10_000; 100]);
}

#[test]
fn values_that_fit_a_word_are_never_seen_in_part() {
    let name = Name::new("whole");
    let array = SharedArray::<u64>::create(&name, 1).unwrap();
    within(LONG, || {
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for turn in 0..200_000_u64 {
                    array.set(0, if turn % 2 == 0 { 0 } else { u64::MAX }).unwrap();
                }
            });
            for _ in 0..200_000 {
                let found = array.get(0).unwrap();
                assert!(found == 0 || found == u64::MAX, "{found:x}");
            }
        });
    });
}

#[test]
fn an_array_knows_its_length_and_its_type() {
    let name = Name::new("typed");
    let array = SharedArray::<u32>::open_or_create(&name, 17).unwrap();
    assert_eq!((array.len(), array.is_empty()), (17, false));
    array.write_at(3, &[1, 2, 3]).unwrap();
    assert_eq!(array.get(4), Ok(2));
    let mut found = [0; 3];
    array.read_at(3, &mut found).unwrap();
    assert_eq!(found, [1, 2, 3]);
    let error = SharedArray::<u32>::open_or_create(&name, 18).unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::OtherLength { wanted: 18, found: 17 });
    assert!(error.to_string().ends_with("it has 17 elements, 18 were asked for"), "{error}");
    let error = SharedArray::<u64>::open(&name).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::WrongType(_)), "{error}");
    let error = Block::open(&name).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::WrongType(_)), "{error}");
    let error = SharedArray::<u32>::options().type_id("prices").open(&name).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::WrongType(_)), "{error}");
    let error = SharedArray::<u32>::options().checked().open(&name).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::WrongType(_)), "{error}");
    assert_eq!(array.set(17, 0), Err(AccessError::OutOfRange { offset: 17, len: 1, has: 17 }));
    let beyond = AccessError::OutOfRange { offset: usize::MAX, len: 2, has: 17 };
    assert_eq!(array.write_at(usize::MAX, &[1, 2]), Err(beyond));
}

#[test]
fn a_value_of_any_size_is_kept() {
    let name = Name::new("value");
    let value = SharedValue::<[u64; 9]>::create(&name).unwrap();
    assert_eq!(value.get(), Ok([0; 9]));
    let other = SharedValue::<[u64; 9]>::open_or_create(&name).unwrap();
    value.set([3; 9]).unwrap();
    assert_eq!(other.get(), Ok([3; 9]));
    let name = Name::new("number");
    let value = SharedValue::<i64>::create(&name).unwrap();
    value.atomic().fetch_sub(5, Relaxed);
    assert_eq!(SharedValue::<i64>::open(&name).unwrap().get(), Ok(-5));
}

#[test]
fn atomics_of_every_size_are_where_they_are_asked_for() {
    let name = Name::new("atomics");
    let (block, other) = (Block::create(&name, 64).unwrap(), Block::open(&name).unwrap());
    block.atomic::<AtomicU8>(1).unwrap().store(0x11, Relaxed);
    block.atomic::<AtomicU16>(2).unwrap().store(0x2222, Relaxed);
    block.atomic::<AtomicU32>(4).unwrap().store(0x3333_3333, Relaxed);
    block.atomic::<AtomicI64>(8).unwrap().store(-1, Relaxed);
    let row = block.atomic_slice::<AtomicU64>(16, 3).unwrap();
    row[2].store(9, Relaxed);
    assert_eq!(row.len(), 3);
    let mut found = [0; 40];
    other.read_at(0, &mut found).unwrap();
    assert_eq!(found[..8], [0, 0x11, 0x22, 0x22, 0x33, 0x33, 0x33, 0x33]);
    assert_eq!(found[8..16], [0xff; 8]);
    assert_eq!(found[32], 9);
    assert_eq!(other.view::<u64>(32).unwrap().get(), Ok(9));
}

#[test]
fn what_is_made_of_a_block_keeps_it_mapped_and_attached() {
    let name = Name::new("kept");
    let block = Block::options().len(4096).remove_when_unused().create(&name).unwrap();
    let view = block.view::<u64>(0).unwrap();
    let row = block.slice_view::<u64>(0, 10).unwrap();
    let (memory, word) = (block.memory().clone(), block.atomic::<AtomicU64>(8).unwrap());
    drop(block);
    assert!(name.exists());
    view.set(1).unwrap();
    drop(view);
    word.store(2, Relaxed);
    drop(memory);
    assert_eq!((row.get(0), row.get(1)), (Ok(1), Ok(2)));
    drop(row);
    assert_eq!(word.load(Relaxed), 2);
    assert!(name.exists());
    drop(word);
    assert!(!name.exists(), "it went with the last");
}

/// All may be shared by threads and handed to others.
const _: () = {
    const fn shared<T: Send + Sync + Clone>() {}
    shared::<(Block, SharedArray<u64>, SharedValue<[u8; 3]>, RawBlock, Memory)>();
    shared::<(View<u64>, SliceView<u64>, AtomicSlice<AtomicU64>, Place<AtomicU64>)>();
    shared::<(Options<Block>, RawOptions)>();
};

#[test]
fn the_name_of_an_anonymous_block_is_told() {
    let (one, two) = (Block::anonymous(8).unwrap(), Block::anonymous(8).unwrap());
    assert_ne!(one.name(), two.name());
    one.write_at(0, b"12345678").unwrap();
    let other = Block::open(one.name()).unwrap();
    assert_eq!(other.view::<[u8; 8]>(0).unwrap().get(), Ok(*b"12345678"));
    one.unlink().unwrap();
    two.unlink().unwrap();
    let array = SharedArray::<u16>::options().len(3).remove_when_unused().anonymous().unwrap();
    let path = array.path().to_owned();
    assert!(path.exists());
    drop(array);
    assert!(!path.exists());
}

#[test]
fn a_block_that_goes_with_its_last_user_goes_if_that_one_is_killed_too() {
    let name = Name::new("killed");
    let options = Block::options().len(100).remove_when_unused();
    let block = options.create(&name).unwrap();
    let child = Child::spawn("block::hold", &[&name]);
    child.expect("held");
    drop(block);
    assert!(name.exists(), "somebody has it");
    child.kill();
    assert_eq!(Block::open(&name).unwrap_err().kind(), &ErrorKind::NotFound);
    assert!(!name.exists(), "whoever looks for it removes it");
    let child = {
        let _block = options.create(&name).unwrap();
        let child = Child::spawn("block::hold", &[&name]);
        child.expect("held");
        child
    };
    child.kill();
    let fresh = options.create(&name).unwrap();
    assert_eq!(fresh.members().unwrap().len(), 1, "and whoever makes it anew");
}

#[test]
fn the_dead_are_seen_and_cleaned_up_after() {
    let name = Name::new("dead");
    let block = Block::create(&name, 100).unwrap();
    let child = Child::spawn("block::hold", &[&name]);
    child.expect("held");
    child.kill();
    let dead = block.members().unwrap().iter().filter(|member| !member.is_alive()).count();
    assert_eq!(dead, 1);
    assert_eq!(block.recover().unwrap().members, 1);
    assert_eq!(block.members().unwrap().len(), 1);
    assert_eq!(block.statistics().recoveries, 1);
}
