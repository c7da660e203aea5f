//! From the first name to the last user: making, adopting, replacing, removing, and crashes in between.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::sync::Barrier;
use std::time::{Duration, Instant};

use ringway::pipe::Connection;
use ringway::spsc::{Consumer, Producer};
use ringway::{ErrorKind, RecvError, TryRecvError};

use crate::util::child::{Child, hear, say};
use crate::util::{Directory, LONG, Name, Random, eventually, os};

pub fn play(role: &str, arguments: &[&str]) {
    let name = arguments[0];
    match role {
        "hold" => {
            let _consumer = Consumer::<u64>::options().open(name).unwrap();
            say("open");
            hear();
        }
        "make" => {
            let mut producer =
                Producer::<u64>::options().remove_when_unused().open_or_create(name).unwrap();
            producer.send(1).unwrap();
            say("made");
            hear();
        }
        "loop" => make_and_remove_for_ever(name, arguments[1]),
        "umask" => make_under_umasks(name),
        _ => panic!("no role {role}"),
    }
}

fn producers() -> ringway::Options<Producer<u64>> {
    Producer::options().capacity(8)
}

fn consumers() -> ringway::Options<Consumer<u64>> {
    Consumer::options().capacity(8)
}

#[test]
fn a_taken_name_is_refused_with_how_many_live_and_died() {
    let name = Name::new("taken");
    let producer = producers().create(&name).unwrap();
    let count = || producers().create(&name).unwrap_err().kind().clone();
    assert_eq!(count(), ErrorKind::AlreadyExists { alive: 1, dead: 0 });
    let child = Child::spawn("lifecycle::hold", &[&name]);
    child.expect("open");
    assert_eq!(count(), ErrorKind::AlreadyExists { alive: 2, dead: 0 });
    child.kill();
    assert_eq!(count(), ErrorKind::AlreadyExists { alive: 1, dead: 1 });
    let heir = consumers().open(&name).unwrap();
    assert_eq!(count(), ErrorKind::AlreadyExists { alive: 2, dead: 0 });
    drop((producer, heir));
    assert_eq!(count(), ErrorKind::AlreadyExists { alive: 0, dead: 0 });
    let error = Connection::options().create(&name).unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::AlreadyExists { alive: 0, dead: 0 });
}

#[test]
fn what_a_crash_left_is_adopted_with_its_messages_or_replaced_by_a_fresh_one() {
    let name = Name::new("leftover");
    let mut producer = producers().create(&name).unwrap();
    producer.send_batch(&[1, 2]).unwrap();
    let child = Child::spawn("lifecycle::hold", &[&name]);
    child.expect("open");
    drop(producer);
    child.kill();
    let mut producer = producers().open_or_create(&name).unwrap();
    let mut consumer = consumers().open_or_create(&name).unwrap();
    producer.send(3).unwrap();
    assert_eq!([consumer.recv(), consumer.recv(), consumer.recv()], [Ok(1), Ok(2), Ok(3)]);
    let mut fresh = producers().replace(&name).unwrap();
    producer.send(4).unwrap();
    assert_eq!(consumer.recv(), Ok(4), "who uses the old one keeps it");
    let mut other = consumers().open(&name).unwrap();
    assert_eq!(other.try_recv(), Err(TryRecvError::Empty));
    fresh.send(5).unwrap();
    assert_eq!((other.recv(), consumer.try_recv()), (Ok(5), Err(TryRecvError::Empty)));
}

#[test]
fn a_name_that_is_removed_keeps_its_users() {
    let name = Name::new("unlinked");
    let mut producer = producers().create(&name).unwrap();
    let mut consumer = consumers().open(&name).unwrap();
    consumers().unlink(&name).unwrap();
    assert!(!name.exists());
    assert_eq!(producers().unlink(&name).unwrap_err().kind(), &ErrorKind::NotFound);
    producer.send(1).unwrap();
    assert_eq!(consumer.recv(), Ok(1));
    let _other = producers().create(&name).unwrap();
    drop(producer);
    assert_eq!(consumer.recv(), Err(RecvError::Disconnected));
    assert!(name.exists(), "the successor's name is not the old one's to take away");
}

#[test]
fn the_last_to_leave_takes_the_name_along() {
    for close in [false, true] {
        let name = Name::new("last");
        let mut producer = producers().remove_when_unused().create(&name).unwrap();
        let consumer = consumers().open(&name).unwrap();
        if close {
            producer.close();
        }
        drop(producer);
        assert!(name.exists());
        drop(consumer);
        assert!(!name.exists());
        assert_eq!(consumers().open(&name).unwrap_err().kind(), &ErrorKind::NotFound);
    }
}

#[test]
fn of_two_who_leave_at_once_one_takes_the_name_along() {
    for _ in 0..200 {
        let name = Name::new("both");
        let producer = producers().remove_when_unused().create(&name).unwrap();
        let consumer = consumers().open(&name).unwrap();
        let start = Barrier::new(2);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                start.wait();
                drop(producer);
            });
            start.wait();
            drop(consumer);
        });
        assert!(!name.exists());
    }
}

#[test]
fn who_comes_while_the_last_leaves_gets_a_channel_that_has_a_name_or_none() {
    let name = Name::new("turn");
    for _ in 0..300 {
        let producer = producers().remove_when_unused().create(&name).unwrap();
        let start = Barrier::new(2);
        let opened = std::thread::scope(|scope| {
            let opener = scope.spawn(|| {
                start.wait();
                consumers().open(&name)
            });
            start.wait();
            drop(producer);
            opener.join().unwrap()
        });
        match opened {
            Ok(consumer) => {
                assert!(name.exists());
                drop(consumer);
            }
            Err(error) => assert_eq!(error.kind(), &ErrorKind::NotFound, "{error}"),
        }
        assert!(!name.exists());
    }
}

#[test]
fn a_name_whose_last_user_was_killed_goes_with_the_next_call() {
    let name = Name::new("orphan");
    for next in ["open", "create", "open_or_create", "replace"] {
        let child = Child::spawn("lifecycle::make", &[&name]);
        child.expect("made");
        child.kill();
        assert!(name.exists());
        let made = match next {
            "open" => {
                assert_eq!(consumers().open(&name).unwrap_err().kind(), &ErrorKind::NotFound);
                assert!(!name.exists());
                continue;
            }
            "create" => consumers().remove_when_unused().create(&name),
            "replace" => consumers().remove_when_unused().replace(&name),
            _ => consumers().remove_when_unused().open_or_create(&name),
        };
        assert_eq!(made.unwrap().try_recv(), Err(TryRecvError::Empty), "{next}");
        assert!(!name.exists(), "{next}");
    }
}

#[test]
fn a_killed_user_does_not_keep_the_name_when_the_last_leaves_in_order() {
    let name = Name::new("mixed");
    let producer = producers().remove_when_unused().create(&name).unwrap();
    let child = Child::spawn("lifecycle::hold", &[&name]);
    child.expect("open");
    child.kill();
    drop(producer);
    assert!(!name.exists());
}

#[test]
fn the_mode_is_what_was_asked_for_whatever_the_umask() {
    let name = Name::new("mode");
    Child::spawn("lifecycle::umask", &[&name]).finish();
}

fn make_under_umasks(name: &str) {
    for umask in [0, 0o777, 0o022, 0o077] {
        os::set_umask(umask);
        for mode in [None, Some(0o600), Some(0o620), Some(0o640), Some(0o660)] {
            let options = mode.map_or_else(producers, |mode| producers().mode(mode));
            let producer = options.create(name).unwrap();
            let path = format!("/dev/shm/ringway.default.{name}");
            let found = fs::metadata(path).unwrap().permissions().mode() & 0o7777;
            assert_eq!(found, mode.unwrap_or(0o600), "umask {umask:o}");
            drop(producer);
            drop(consumers().open(name).unwrap());
            producers().unlink(name).unwrap();
        }
    }
}

/// Kilobytes of the mapping of `name` that are in this process's page table.
fn resident(name: &Name) -> Option<u64> {
    let inode = fs::metadata(name.path()).unwrap().ino().to_string();
    let maps = fs::read_to_string("/proc/self/smaps").unwrap();
    let mut lines = maps.lines().skip_while(|line| line.split_whitespace().nth(4) != Some(&inode));
    let rss = lines.find(|line| line.starts_with("Rss:"))?;
    rss.split_whitespace().nth(1)?.parse().ok()
}

#[test]
fn prefaulting_brings_all_pages_in_and_not_prefaulting_does_not() {
    let size = 1 << 20;
    let name = Name::new("plain");
    let _plain = producers().capacity(size / 8).create(&name).unwrap();
    assert!(resident(&name).unwrap() < 512);
    let allocated = fs::metadata(name.path()).unwrap().blocks() * 512;
    assert!(allocated >= size as u64, "allocated all the same");
    let name = Name::new("prefaulted");
    let _prefaulted = producers().capacity(size / 8).prefault().create(&name).unwrap();
    assert!(resident(&name).unwrap() >= 1024);
}

#[test]
fn a_maker_killed_at_any_moment_leaves_nothing_or_a_whole_channel() {
    let directory = Directory::in_memory("crash");
    let path = directory.path().to_str().unwrap();
    let mut random = Random(3);
    let (mut absent, mut whole, mut tries) = (0, 0, 0);
    let end = Instant::now() + LONG;
    // On a busy machine a child may not have run yet at an early moment: then later ones are tried too.
    while tries < 60 || (absent == 0 || whole == 0) && Instant::now() < end {
        tries += 1;
        let child = Child::spawn("lifecycle::loop", &["x", path]);
        child.expect("looping");
        let moments = 3_000 * (1 + tries / 20);
        let moment = Instant::now() + Duration::from_micros(random.next() % moments);
        while Instant::now() < moment {
            std::hint::spin_loop();
        }
        child.kill();
        let options = consumers().directory(directory.path());
        match options.open("x") {
            Ok(mut consumer) => {
                whole += 1;
                while let Ok(value) = consumer.try_recv() {
                    assert_eq!(value, 42);
                }
                drop(consumer);
                options.unlink("x").unwrap();
            }
            Err(error) => {
                absent += 1;
                assert_eq!(error.kind(), &ErrorKind::NotFound, "{error}");
            }
        }
        assert_eq!(directory.listing(), [""; 0], "something else was left");
    }
    assert!(absent > 0 && whole > 0, "{absent} absent, {whole} whole: not at any moment");
}

fn make_and_remove_for_ever(name: &str, directory: &str) {
    let options = producers().directory(directory);
    let end = Instant::now() + LONG;
    // The process's first channel takes longer than the moments that are tried.
    drop(producers().pair().unwrap());
    say("looping");
    while Instant::now() < end {
        let mut producer = options.create(name).unwrap();
        producer.send(42).unwrap();
        options.unlink(name).unwrap();
    }
    assert!(eventually(LONG, || false), "the parent kills this process before");
}
