//! Locks that are not what they should be, are not where they should be, or are used as they should not be.

use std::time::Duration;

use ringway::block::Block;
use ringway::sync::{
    Barrier, BarrierError, Condvar, Flag, LockError, LockTimeoutError, Mutex, Permits,
    ReentrantMutex, ReleaseError, RwLock, Semaphore, TryLockError,
};
use ringway::{AccessError, ErrorKind, Fault, Operation};

use crate::util::child::Child;
use crate::util::os::in_fork;
use crate::util::{Name, PROMPT, within};

pub fn play(role: &str, arguments: &[&str]) {
    match role {
        "fork" => fork(arguments[0]),
        _ => panic!("no such role"),
    }
}

fn block() -> Block {
    let block = Block::anonymous(4096).unwrap();
    block.unlink().unwrap();
    block
}

#[track_caller]
fn refused<T: std::fmt::Debug>(result: Result<T, ringway::Error>) -> ErrorKind {
    let error = result.unwrap_err();
    assert_eq!(error.operation(), Operation::Open);
    error.kind().clone()
}

#[derive(Clone, Copy, Debug, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C, align(64))]
struct Wide([u64; 8]);

#[test]
fn a_lock_lies_in_its_block_at_a_multiple_of_its_alignment() {
    let block = block();
    let place = |why| ErrorKind::Place(why);
    let beyond = |offset, len| place(AccessError::OutOfRange { offset, len, has: 4096 });
    assert_eq!(refused(Mutex::<u64>::at(&block, 4080)), beyond(4080, 24));
    assert_eq!(refused(Flag::at(&block, usize::MAX)), beyond(usize::MAX, 16));
    assert_eq!(refused(Barrier::at(&block, 0, 4096)), beyond(0, 16 + 8 * 4096));
    let crooked = |offset, align| place(AccessError::Misaligned { offset, align });
    assert_eq!(refused(Mutex::<u8>::at(&block, 4)), crooked(4, 8));
    assert_eq!(refused(Mutex::<Wide>::at(&block, 8)), crooked(8, 64));
    assert_eq!((Mutex::<Wide>::ALIGN, Mutex::<Wide>::size_in(&block)), (64, 128));
    assert!(Mutex::<Wide>::at(&block, 64).is_ok());
    assert!(Mutex::<u64>::at(&block, 4072).is_ok(), "it ends where the block does");
    assert_eq!(RwLock::<u64>::size_in(&block), 16 + 8 * 64 + 8);
    let error = Mutex::<u64>::at(&block, 4).unwrap_err().to_string();
    assert!(error.starts_with("open mutex \"block-"), "{error}");
    assert!(
        error.ends_with("it cannot be there: access at 4, which is no multiple of 8 in memory")
    );
}

#[test]
fn what_is_another_lock_is_refused() {
    let block = block();
    let wrong = |kind| matches!(kind, ErrorKind::WrongType(_));
    let _mutex = Mutex::<u64>::at(&block, 0).unwrap();
    assert!(Mutex::<u64>::at(&block, 0).is_ok());
    assert!(wrong(refused(Mutex::<i32>::at(&block, 0))));
    let other = Block::options().len(4096).anonymous().unwrap();
    let second = Block::open(other.name()).unwrap();
    other.unlink().unwrap();
    let _mutex = Mutex::<u64>::at(&other, 0).unwrap();
    // By another attachment, which does not know what this one has there.
    let error = refused(RwLock::<u64>::at(&second, 0));
    assert_eq!(error, ErrorKind::WrongType("mutex (8, 8) there, rwlock (8, 8) here".to_owned()));
    assert!(Mutex::<u64>::at(&second, 0).is_ok(), "who has been refused may ask for the right one");
    let _semaphore = Semaphore::at(&other, 1024, 1, 2).unwrap();
    assert!(wrong(refused(Semaphore::at(&second, 1024, 1, 3))));
    let found = Semaphore::find(&second, 1024).unwrap();
    assert_eq!((found.available(), found.bound()), (1, 2));
    assert!(wrong(refused(Permits::find(&second, 1024))));
    assert_eq!(refused(Barrier::find(&second, 2048)), ErrorKind::NotFound);
    second.write_at(3000, &[255; 16]).unwrap();
    assert!(
        wrong(refused(Flag::at(&second, 3000))) && wrong(refused(Permits::find(&second, 3000)))
    );
}

#[test]
fn locks_do_not_overlap_each_other_nor_atomics() {
    use std::sync::atomic::AtomicU64;
    let block = block();
    let _mutex = Mutex::<[u64; 4]>::at(&block, 64).unwrap();
    let overlap = |offset| ErrorKind::Place(AccessError::Overlap { offset });
    assert_eq!(refused(Flag::at(&block, 80)), overlap(80));
    let atomic = block.atomic::<AtomicU64>(80).unwrap_err();
    assert_eq!(atomic, AccessError::Overlap { offset: 80 });
    let _atomic = block.atomic::<AtomicU64>(512).unwrap();
    assert_eq!(refused(Condvar::at(&block, 504)), overlap(504));
}

#[test]
fn a_name_that_is_something_else_is_refused() {
    let name = Name::new("else");
    let _mutex = Mutex::<u64>::create(&name).unwrap();
    let wrong = |what: &str| ErrorKind::WrongType(what.to_owned());
    assert_eq!(refused(Flag::open(&name)), wrong("mutex there, flag here"));
    assert_eq!(refused(Mutex::<u32>::open(&name)), wrong("it guards 8 bytes aligned to 8"));
    assert_eq!(refused(Block::open(&name)), ErrorKind::WrongKind("a lock"));
    let named = Mutex::<u64>::options().type_id("balance").open(&name);
    assert!(matches!(refused(named), ErrorKind::WrongType(_)));
    let taken = Semaphore::create(&name, 1).unwrap_err();
    assert_eq!(taken.kind(), &ErrorKind::AlreadyExists { alive: 1, dead: 0 });
    assert!(taken.to_string().starts_with("create lock "), "{taken}");
    let block = Name::new("a-block");
    let _block = Block::create(&block, 4096).unwrap();
    assert_eq!(refused(Mutex::<u64>::open(&block)), ErrorKind::WrongKind("a block"));
    assert_eq!(refused(Flag::open(&Name::new("nothing"))), ErrorKind::NotFound);
}

#[test]
fn numbers_out_of_range_are_refused() {
    let name = Name::new("range");
    let invalid = |error: ringway::Error| matches!(error.kind(), ErrorKind::InvalidOption(_));
    assert!(invalid(Semaphore::options().initial(3).bound(2).create(&name).unwrap_err()));
    assert!(invalid(Semaphore::options().bound(u32::MAX).create(&name).unwrap_err()));
    assert!(invalid(Barrier::options().create(&name).unwrap_err()), "nobody said how many");
    assert!(invalid(Barrier::create(&name, 0).unwrap_err()));
    assert!(invalid(Barrier::create(&name, Barrier::MOST + 1).unwrap_err()));
    assert!(invalid(Permits::create(&name, 0).unwrap_err()));
    assert!(invalid(Permits::create(&name, Permits::MOST + 1).unwrap_err()));
    assert!(invalid(Permits::at(&block(), 0, 0).unwrap_err()));
    let members = Mutex::<u8>::options().max_members(513).create(&name);
    assert!(invalid(members.unwrap_err()));
    assert!(!name.exists());
}

#[test]
fn a_barrier_has_no_more_parties_than_it_is_for() {
    let name = Name::new("parties");
    let first = Barrier::create(&name, 2).unwrap();
    let second = Barrier::open(&name).unwrap();
    assert_eq!(refused(Barrier::open(&name)), ErrorKind::TooManyParties { parties: 2 });
    drop(second);
    assert!(Barrier::open(&name).is_ok(), "who leaves makes room");
    assert_eq!(first.parties(), 2);
}

#[test]
fn words_that_make_no_sense_are_errors_and_nobody_hangs() {
    let other = Block::options().len(8192).recheck(Duration::from_millis(1)).anonymous().unwrap();
    let hostile = Block::open(other.name()).unwrap();
    other.unlink().unwrap();
    let write = |offset, word: u64| hostile.write_at(offset, &word.to_ne_bytes()).unwrap();
    let corrupt = |fault: Option<Fault>| matches!(fault, Some(Fault::Corrupt(_)));
    let (mutex, again) =
        (Mutex::<u64>::at(&other, 0).unwrap(), ReentrantMutex::<u64>::at(&other, 64).unwrap());
    write(8, 2047);
    write(64 + 8, 1000);
    within(PROMPT, || {
        assert!(corrupt(mutex.lock().unwrap_err().fault()), "no such member");
        assert!(corrupt(mutex.lock_timeout(PROMPT).unwrap_err().fault()));
        assert!(corrupt(again.lock().unwrap_err().fault()));
    });
    write(8, 1 << 31);
    assert!(mutex.lock().is_ok(), "a mark that nobody needs");
    let lock = RwLock::<u64>::at(&other, 1024).unwrap();
    write(1024 + 8, 2047);
    within(PROMPT, || {
        assert!(corrupt(lock.read().unwrap_err().fault()));
        assert!(corrupt(lock.write().unwrap_err().fault()));
    });
    write(1024 + 8, 0);
    write(1024 + 16 + 8 * 9, 5);
    within(PROMPT, || drop(lock.write().unwrap()));
    write(1024 + 16, u64::MAX);
    within(PROMPT, || {
        assert!(lock.write_timeout(Duration::from_millis(20)).is_ok(), "no such member ever");
    });
    let semaphore = Semaphore::at(&other, 4096, 0, 5).unwrap();
    write(4096 + 8, 77);
    assert!(matches!(semaphore.acquire(), Err(Fault::Corrupt(_))));
    assert!(matches!(semaphore.release(1), Err(ReleaseError::Failed(Fault::Corrupt(_)))));
    let mut barrier = Barrier::at(&other, 5120, 2).unwrap();
    write(5120 + 8, 9 << 16);
    let failed = barrier.wait().unwrap_err();
    assert!(matches!(failed, BarrierError::Failed(Fault::Corrupt(_))), "{failed:?}");
    let permits = Permits::at(&other, 6144, 1).unwrap();
    write(6144 + 16, 2047);
    within(PROMPT, || assert!(matches!(permits.acquire(), Err(Fault::Corrupt(_)))));
}

#[test]
fn a_forked_child_has_no_locks_and_spoils_none() {
    let name = Name::new("forked-locks");
    Child::spawn("locks_bad::fork", &[&name]).finish();
}

fn fork(name: &str) {
    let block = Block::create(name, 4096).unwrap();
    let mutex = Mutex::<u64>::at(&block, 0).unwrap();
    let again = ReentrantMutex::<u64>::at(&block, 64).unwrap();
    let lock = RwLock::<u64>::at(&block, 1024).unwrap();
    let semaphore = Semaphore::at(&block, 2048, 1, 2).unwrap();
    let flag = Flag::at(&block, 2112).unwrap();
    let permits = Permits::at(&block, 2176, 2).unwrap();
    let condvar = Condvar::at(&block, 2240).unwrap();
    let mut barrier = Some(Barrier::at(&block, 2304, 2).unwrap());
    let mut held = Some((mutex.lock().unwrap(), lock.read().unwrap(), permits.acquire().unwrap()));
    let code = in_fork(|| {
        let forked = Some(Fault::Forked);
        assert_eq!(mutex.lock().unwrap_err().fault(), forked);
        assert_eq!(mutex.try_lock().unwrap_err().fault(), forked);
        assert_eq!(again.lock().unwrap_err().fault(), forked);
        assert_eq!(lock.read().unwrap_err().fault(), forked);
        assert_eq!(lock.write().unwrap_err().fault(), forked);
        assert_eq!(semaphore.acquire().unwrap_err(), Fault::Forked);
        assert_eq!(semaphore.release(1).unwrap_err().fault(), forked);
        assert_eq!(flag.set().unwrap_err(), Fault::Forked);
        assert_eq!(flag.wait().unwrap_err(), Fault::Forked);
        assert_eq!(condvar.notify_all().unwrap_err(), Fault::Forked);
        assert!(matches!(permits.try_acquire(), Err(Fault::Forked)));
        let mut barrier = barrier.take().unwrap();
        assert_eq!(barrier.wait().unwrap_err().fault(), forked);
        let (guard, reader, permit) = held.take().unwrap();
        let waited = condvar.wait(guard).unwrap_err();
        assert_eq!(waited.fault(), forked);
        drop((reader, permit, barrier));
        0
    });
    assert_eq!(code, 0);
    assert!(matches!(mutex.try_lock(), Err(TryLockError::WouldDeadlock)), "it still has it");
    assert!(matches!(lock.try_write(), Err(TryLockError::Held(_))));
    assert_eq!((permits.available(), semaphore.available()), (1, 1));
    drop(held.take());
    assert!(mutex.try_lock().is_ok() && lock.try_write().is_ok());
    assert!(barrier.is_some());
    block.unlink().unwrap();
}

#[test]
fn errors_say_what_is_wrong() {
    let texts = [
        (LockError::<()>::WouldDeadlock.to_string(), "this thread has the lock"),
        (LockError::OwnerDied(()).to_string(), "who had the lock died with it"),
        (LockTimeoutError::<()>::Timeout.to_string(), "others had the lock all the time"),
        (ReleaseError::BeyondBound(1).to_string(), "there would be more than there may be"),
        (BarrierError::Broken.to_string(), "the barrier is broken"),
        (
            LockError::<()>::Failed(Fault::Forked).to_string(),
            "cannot lock: the process has forked; the child must attach anew",
        ),
    ];
    for (text, expected) in texts {
        assert_eq!(text, expected);
    }
}

#[test]
fn guards_stay_with_their_threads_and_locks_do_not() {
    fn shared<T: Send + Sync>() {}
    shared::<Mutex<u64>>();
    shared::<RwLock<u64>>();
    shared::<ReentrantMutex<u64>>();
    shared::<(Semaphore, Permits, Condvar, Flag, Barrier)>();
    shared::<ringway::sync::Permit>();
}

/// Says of itself that threads must not look at it at once.
#[derive(Clone, Copy)]
#[repr(transparent)]
struct Alone(u64, std::marker::PhantomData<std::cell::Cell<()>>);

#[allow(unsafe_code, reason = "the derive macros want all fields to be plain")]
// SAFETY: all zero is a number and nothing.
unsafe impl bytemuck::Zeroable for Alone {}
#[allow(unsafe_code, reason = "as above")]
// SAFETY: a number and nothing: any bytes are one.
unsafe impl bytemuck::Pod for Alone {}

#[test]
fn what_threads_must_not_look_at_at_once_no_guard_shows_to_two() {
    struct Asked<T>(std::marker::PhantomData<T>);
    trait Otherwise {
        const SHARED: bool = false;
    }
    impl<T> Otherwise for Asked<T> {}
    impl<T: Sync> Asked<T> {
        const SHARED: bool = true;
    }
    use ringway::sync::{MutexGuard, ReadGuard, WriteGuard};
    const {
        assert!(Asked::<MutexGuard<'_, u64>>::SHARED && Asked::<RwLock<u64>>::SHARED);
        assert!(Asked::<Mutex<Alone>>::SHARED, "one at a time");
        assert!(!Asked::<RwLock<Alone>>::SHARED);
        assert!(!Asked::<MutexGuard<'_, Alone>>::SHARED);
        assert!(!Asked::<ReadGuard<'_, Alone>>::SHARED);
        assert!(!Asked::<WriteGuard<'_, Alone>>::SHARED);
    }
}
