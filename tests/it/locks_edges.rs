//! Locks at their limits: numbers that run over, rounds that come back, parties that see nothing, words that name nobody.

use std::path::Path;
use std::sync::Barrier as Meeting;
use std::thread;
use std::time::Duration;

use ringway::block::Block;
use ringway::sync::{
    Barrier, BarrierError, Flag, Mutex, Permits, ReentrantMutex, RwLock, TryLockError,
};
use ringway::{ErrorKind, Fault};

use crate::liveness::descriptors_of;
use crate::util::child::{Child, hear, say};
use crate::util::{LONG, NO_RECHECK, Name, PROMPT, eventually, os, within};

pub fn play(role: &str, arguments: &[&str]) {
    let name = arguments[0];
    match role {
        "blind party" => meet_blind(name),
        "party" => {
            let mut barrier = Barrier::options().recheck(NO_RECHECK).open(name).unwrap();
            say("open");
            let broken = barrier.wait() == Err(BarrierError::Broken);
            say(if broken { "broken" } else { "not broken" });
        }
        "hold all" => {
            let block = Block::open(name).unwrap();
            let (mutex, lock) =
                (Mutex::<u64>::at(&block, 0).unwrap(), RwLock::<u64>::at(&block, 1024).unwrap());
            let permits = Permits::at(&block, 2048, 1).unwrap();
            let _held = (mutex.lock().unwrap(), lock.read().unwrap(), permits.acquire().unwrap());
            say("held");
            hear();
        }
        _ => panic!("no such role"),
    }
}

/// A block, and another attachment to it by which words can be written that no member writes.
fn blocks() -> (Block, Block) {
    let block = Block::options().len(8192).recheck(Duration::from_millis(1)).anonymous().unwrap();
    let hostile = Block::open(block.name()).unwrap();
    block.unlink().unwrap();
    (block, hostile)
}

fn put(hostile: &Block, offset: usize, word: u64) {
    hostile.write_at(offset, &word.to_ne_bytes()).unwrap();
}

fn get(hostile: &Block, offset: usize) -> u64 {
    hostile.view::<u64>(offset).unwrap().get().unwrap()
}

#[test]
fn more_readers_than_can_be_counted_are_refused_and_not_counted() {
    let (block, hostile) = blocks();
    let lock = RwLock::<u64>::at(&block, 0).unwrap();
    let mut words = (0..64).map(|member| 16 + 8 * member);
    let mine = words.find(|word| get(&hostile, *word) != 0).expect("its readers are counted");
    let incarnation = get(&hostile, mine);
    let most = incarnation | 1 << 30;
    put(&hostile, mine, most);
    within(PROMPT, || {
        let corrupt = |fault| matches!(fault, Some(Fault::Corrupt(_)));
        assert!(corrupt(lock.read().unwrap_err().fault()));
        assert!(corrupt(lock.try_read().unwrap_err().fault()));
    });
    assert_eq!(get(&hostile, mine), most);
    put(&hostile, mine, most - 1);
    drop(lock.read().unwrap());
    assert_eq!(get(&hostile, mine), most - 1, "one more was to be had");
}

#[test]
fn words_that_name_nobody_and_are_not_free_are_errors() {
    let (block, hostile) = blocks();
    let corrupt = |fault: Option<Fault>| matches!(fault, Some(Fault::Corrupt(_)));
    // A thread, or an incarnation, of no member.
    for nameless in [1 << 11, 1 << 32] {
        let mutex = Mutex::<u64>::at(&block, 0).unwrap();
        let again = ReentrantMutex::<u64>::at(&block, 64).unwrap();
        let lock = RwLock::<u64>::at(&block, 1024).unwrap();
        let permits = Permits::at(&block, 2048, 1).unwrap();
        for word in [8, 64 + 8, 1024 + 8, 2048 + 16] {
            put(&hostile, word, nameless);
        }
        within(PROMPT, || {
            assert!(corrupt(mutex.lock().unwrap_err().fault()));
            assert!(corrupt(mutex.try_lock().unwrap_err().fault()));
            assert!(corrupt(again.lock().unwrap_err().fault()));
            assert!(corrupt(lock.read().unwrap_err().fault()));
            assert!(corrupt(lock.write().unwrap_err().fault()));
            assert!(corrupt(permits.acquire().err()));
        });
        let at = 4096 + usize::from(nameless == 1 << 32) * 64;
        let mut barrier = Barrier::at(&block, at, 2).unwrap();
        put(&hostile, at + 24, nameless);
        let refused = Barrier::find(&block, at).unwrap_err();
        let wrong = ErrorKind::NotASegment("its parties are impossible");
        assert_eq!(refused.kind(), &wrong);
        let failed = within(PROMPT, || barrier.wait()).unwrap_err();
        assert!(matches!(failed, BarrierError::Failed(Fault::Corrupt(_))), "{failed:?}");
    }
}

/// The first look of a handle asks who lives, without waiting for a recheck to be due.
#[test]
fn a_fresh_handle_that_only_tries_once_gets_what_the_dead_had() {
    let name = Name::new("fresh");
    let block = Block::options().len(4096).recheck(NO_RECHECK).create(&name).unwrap();
    let child = Child::spawn("locks_edges::hold all", &[&name]);
    child.expect("held");
    child.kill();
    let (mutex, lock) =
        (Mutex::<u64>::at(&block, 0).unwrap(), RwLock::<u64>::at(&block, 1024).unwrap());
    let permits = Permits::at(&block, 2048, 1).unwrap();
    assert!(matches!(mutex.try_lock(), Err(TryLockError::OwnerDied(_))));
    assert!(lock.try_write().is_ok(), "its reader is nobody");
    assert!(permits.try_acquire().unwrap().is_some());
}

/// Rounds are counted to 65,536 and then anew; resets to more.
#[test]
fn a_party_that_was_stopped_through_as_many_resets_as_there_are_rounds_finds_its_own_broken() {
    let name = Name::new("many-resets");
    let barrier = Barrier::options().parties(2).create(&name).unwrap();
    let child = Child::spawn("locks_edges::party", &[&name]);
    child.expect("open");
    assert!(eventually(LONG, || barrier.waiting() == 1 && child.is_asleep()));
    child.signal(libc::SIGSTOP);
    for _ in 0..1 << 16 {
        barrier.reset().unwrap();
    }
    child.signal(libc::SIGCONT);
    within(PROMPT, || child.expect("broken"));
    child.finish();
}

#[test]
fn a_party_that_sees_no_longer_who_lives_is_not_counted_on() {
    let name = Name::new("blind-party");
    Child::spawn("locks_edges::blind party", &[&name]).finish();
}

fn meet_blind(name: &str) {
    let mut barrier = Barrier::options()
        .parties(3)
        .recheck(Duration::from_millis(1))
        .remove_when_unused()
        .create(name)
        .unwrap();
    let path = format!("/dev/shm/ringway.default.{name}");
    let [probe] = descriptors_of(Path::new(&path))[..] else { panic!("one descriptor") };
    let other = Child::spawn("locks_edges::party", &[name]);
    other.expect("open");
    // With a recheck of a minute, and a third to come.
    assert!(eventually(LONG, || barrier.waiting() == 1 && other.is_asleep()));
    os::close(probe);
    assert_eq!(within(PROMPT, || barrier.wait()), Err(BarrierError::Failed(Fault::Blind)));
    within(PROMPT, || other.expect("broken"));
    other.finish();
}

/// Two attachments ask for two locks at one place. Who came second gets the first's, whatever it had asked for.
#[test]
fn who_loses_the_race_for_a_place_may_have_what_is_there() {
    const ROUNDS: usize = 2000;
    let one = Block::options().len(ROUNDS * 64).anonymous().unwrap();
    let other = Block::open(one.name()).unwrap();
    one.unlink().unwrap();
    let start = Meeting::new(2);
    let has_one = |round: usize, asks_for_flag: bool, block: &Block| {
        start.wait();
        let flag = || Flag::at(block, round * 64).is_ok();
        let mutex = || Mutex::<u64>::at(block, round * 64).is_ok();
        (asks_for_flag && flag()) || mutex() || flag()
    };
    let all = thread::scope(|scope| {
        let flags = scope.spawn(|| (0..ROUNDS).filter(|round| has_one(*round, true, &one)).count());
        let mutexes = (0..ROUNDS).filter(|round| has_one(*round, false, &other)).count();
        [flags.join().unwrap(), mutexes]
    });
    assert_eq!(all, [ROUNDS; 2]);
}
