//! Arrays and values with a lock beside them: what several processes do under it happens as a whole, whoever dies.

use ringway::block::{Block, SharedArray, SharedValue};
use ringway::sync::{LockError, Mutex, TryLockError};
use ringway::{AccessError, ErrorKind};

use crate::util::Name;
use crate::util::child::{Child, hear, say};

pub fn play(role: &str, arguments: &[&str]) {
    match role {
        "move" => move_on(arguments[0], arguments[1].parse().unwrap()),
        "die" => die_in_the_middle(arguments[0]),
        _ => panic!("no such role"),
    }
}

/// Takes one from each number and gives it to the next, and the first the last: the sum stays.
fn move_on(name: &str, times: usize) {
    let array = SharedArray::<u64>::open(name).unwrap();
    let mutex = Mutex::beside(&array).unwrap();
    for _ in 0..times {
        let _held = mutex.lock().unwrap();
        let mut numbers = array.to_vec().unwrap();
        assert_eq!(numbers.iter().sum::<u64>(), 1000);
        numbers.rotate_right(1);
        numbers[0] += 1;
        numbers[9] -= 1;
        array.write_at(0, &numbers).unwrap();
    }
}

/// Is killed with the lock in its hands and half of a change done.
fn die_in_the_middle(name: &str) {
    let array = SharedArray::<u64>::open(name).unwrap();
    let mutex = Mutex::beside(&array).unwrap();
    let _held = mutex.lock().unwrap();
    array.set(0, 999).unwrap();
    say("half");
    hear();
}

fn locked(name: &str) -> SharedArray<u64> {
    let array = SharedArray::<u64>::options().len(10).with_lock().create(name).unwrap();
    array.write_at(0, &[100; 10]).unwrap();
    array
}

#[test]
fn what_two_processes_do_under_the_lock_happens_as_a_whole() {
    let name = Name::new("locked");
    let array = locked(&name);
    let child = Child::spawn("block_locked::move", &[&name, "2000"]);
    move_on(&name, 2000);
    child.finish();
    assert_eq!(array.to_vec().unwrap().iter().sum::<u64>(), 1000);
}

#[test]
fn who_comes_after_the_dead_is_told_and_repairs() {
    let name = Name::new("locked-dead");
    let array = locked(&name);
    let mutex = Mutex::beside(&array).unwrap();
    let child = Child::spawn("block_locked::die", &[&name]);
    child.expect("half");
    assert!(matches!(mutex.try_lock(), Err(TryLockError::Held(_))));
    child.kill();
    let Err(LockError::OwnerDied(mut held)) = mutex.lock() else { panic!("its owner died") };
    assert_eq!(array.get(0), Ok(999), "half of a change");
    array.set(0, 100).unwrap();
    held.mark_consistent();
    drop(held);
    drop(mutex.lock().unwrap());
    move_on(&name, 1);
}

#[test]
fn a_lock_is_there_where_it_was_asked_for_and_nowhere_else() {
    let (name, bare) = (Name::new("with-lock"), Name::new("without-lock"));
    let value = SharedValue::<[u64; 3]>::options().with_lock().create(&name).unwrap();
    let other = SharedValue::<[u64; 3]>::open(&name).unwrap();
    let (mutex, again) = (Mutex::beside(&value).unwrap(), Mutex::beside(&other).unwrap());
    let held = mutex.lock().unwrap();
    assert!(matches!(again.try_lock(), Err(TryLockError::Held(_))), "it is one lock");
    value.set([1; 3]).unwrap();
    drop(held);
    assert!(again.try_lock().is_ok());
    let without = Block::create(&bare, 64).unwrap();
    let error = Mutex::beside(&without).unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::NoLock);
    assert!(error.to_string().ends_with("it was made without a lock"), "{error}");
    let error = Block::options().with_lock().open(&bare).unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::NoLock);
    assert_eq!(without.members().unwrap().len(), 1, "who was refused did not stay");
    let block = Block::options().len(5000).with_lock().max_members(14).anonymous().unwrap();
    assert_eq!(
        block.path().metadata().unwrap().len(),
        8192 + 5000,
        "behind 640, 3584 and 128 bytes"
    );
    block.write_at(0, &[0xff; 5000]).unwrap();
    drop(Mutex::beside(&block).unwrap().lock().unwrap());
    block.unlink().unwrap();
}

#[test]
fn the_lock_keeps_what_it_lies_beside() {
    let name = Name::new("lock-kept");
    let array = SharedArray::<u8>::options().len(3).with_lock().remove_when_unused();
    let mutex = Mutex::beside(&array.create(&name).unwrap()).unwrap();
    assert!(name.exists());
    drop(mutex.lock().unwrap());
    drop(mutex);
    assert!(!name.exists());
}

/// A guard gives out references: nothing in this attachment writes beside it.
#[test]
fn what_a_lock_guards_is_not_written_to_without_it() {
    let name = Name::new("guarded");
    let block = Block::create(&name, 4096).unwrap();
    let before = block.view::<u64>(264).unwrap();
    let mutex = Mutex::<[u64; 4]>::at(&block, 256).unwrap();
    let overlap = |offset| Err(AccessError::Overlap { offset });
    assert_eq!(block.write_at(200, &[0; 57]), overlap(200));
    assert_eq!(before.set(1), overlap(264));
    assert_eq!(block.slice_view::<u8>(0, 4096).unwrap().set(280, 1), overlap(280));
    block.write_at(200, &[1; 56]).unwrap();
    block.write_at(256 + Mutex::<[u64; 4]>::size_in(&block), &[1; 64]).unwrap();
    mutex.lock().unwrap()[1] = 7;
    let mut bytes = [0; 64];
    block.read_at(256, &mut bytes).unwrap();
    assert_eq!((bytes[24], before.get()), (7, Ok(0)), "reading is allowed");
    mutex.lock().unwrap()[1] = 0;
    assert_eq!(*mutex.lock().unwrap(), [0; 4]);
}
