//! What a forked child has instead of its parent's ends: sealed memory, no descriptors, its own attachments.
//!
//! The roles are processes whose only other thread, the harness's, just waits: so their forked children may
//! do anything.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Duration;

use ringway::spsc::{Consumer, Producer};
use ringway::{ErrorKind, Fault, RecvTimeoutError, TryRecvError, TrySendError};

use crate::fork::both_ends;
use crate::util::child::{Child, say};
use crate::util::os::{self, in_fork};
use crate::util::{LONG, Name, eventually, listing};

pub fn play(role: &str, arguments: &[&str]) {
    let name = arguments[0];
    match role {
        "hole" => map_in_child(name),
        "again" => attach_in_child(name),
        "twice" => fork_in_child(name),
        "exec" => execute_in_child(name),
        "die first" => die_before_child(name),
        _ => panic!("no role {role}"),
    }
}

/// Plays `role` with a fresh name in a process of its own.
fn act(role: &str) {
    let name = Name::new("forked");
    Child::spawn(&format!("forked::{role}"), &[&name]).finish();
}

/// Where this process maps the file at `path`, as `start-end permissions`.
fn mappings(path: &str) -> Vec<(String, String)> {
    let inode = fs::metadata(path).unwrap().ino().to_string();
    let maps = fs::read_to_string("/proc/self/maps").unwrap();
    let fields = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let lines = maps.lines().map(fields).filter(|line| line.get(4) == Some(&inode));
    lines.map(|line| (line[0].clone(), line[1].clone())).collect()
}

fn bounds(range: &str) -> (usize, usize) {
    let (start, end) = range.split_once('-').unwrap();
    (usize::from_str_radix(start, 16).unwrap(), usize::from_str_radix(end, 16).unwrap())
}

/// Permissions of all mappings that touch `start..end`, and whether they cover it.
fn permissions(start: usize, end: usize) -> (Vec<String>, bool) {
    let maps = fs::read_to_string("/proc/self/maps").unwrap();
    let (mut found, mut covered) = (Vec::new(), 0);
    for line in maps.lines() {
        let mut fields = line.split_whitespace();
        let (from, to) = bounds(fields.next().unwrap());
        if from < end && to > start {
            found.push(fields.next().unwrap().to_owned());
            covered += to.min(end) - from.max(start);
        }
    }
    (found, covered == end - start)
}

/// Pages of this process alone, which hold no code: what is stored there reaches nobody.
fn is_sealed(permissions: &str) -> bool {
    permissions.ends_with("-p")
}

#[test]
fn what_a_child_maps_never_lands_where_the_parents_segment_was() {
    act("hole");
}

fn map_in_child(name: &str) {
    let (mut producer, consumer) = both_ends(name);
    let mapped = mappings(&format!("/dev/shm/ringway.default.{name}"));
    assert_eq!(mapped.len(), 2, "one mapping for each end: {mapped:?}");
    let code = in_fork(|| {
        let blocks: Vec<Vec<u8>> = (0..200).map(|n| vec![n; 256 << 10]).collect();
        for (range, before) in &mapped {
            assert_eq!(before, "rw-s");
            let (start, end) = bounds(range);
            let (now, covered) = permissions(start, end);
            assert!(covered && now.iter().all(|p| is_sealed(p)), "{range}: {now:?}");
            assert!(blocks.iter().all(|block| !(start..end).contains(&block.as_ptr().addr())));
        }
        assert_eq!(producer.try_send(1), Err(TrySendError::Failed(1, Fault::Forked)));
        drop(consumer);
        assert!((0..200).zip(&blocks).all(|(n, block)| block.iter().all(|byte| *byte == n)));
        let (start, end) = bounds(&mapped[0].0);
        assert!(permissions(start, end).1, "dropping an end unmaps nothing");
        assert!(permissions(start, end).0.iter().all(|p| is_sealed(p)));
        0
    });
    assert_eq!(code, 0);
}

#[test]
fn a_child_may_attach_anew_as_another_member() {
    act("again");
}

fn attach_in_child(name: &str) {
    let mut producer = Producer::<u64>::options().capacity(4).create(name).unwrap();
    producer.send_batch(&[1, 2]).unwrap();
    let code = in_fork(|| {
        let error = Producer::<u64>::options().open(name).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::EndTaken(_)), "the parent has it: {error}");
        let mut consumer = Consumer::<u64>::options().open(name).unwrap();
        assert_eq!((consumer.recv(), consumer.recv()), (Ok(1), Ok(2)));
        assert_eq!(consumer.try_recv(), Err(TryRecvError::Empty), "the parent has not left");
        0
    });
    assert_eq!(code, 0);
    let mut consumer = Consumer::<u64>::options().open(name).unwrap();
    producer.send(3).unwrap();
    assert_eq!(consumer.recv(), Ok(3));
}

#[test]
fn a_grandchild_has_nothing_either_and_may_attach_too() {
    act("twice");
}

fn fork_in_child(name: &str) {
    let (mut producer, mut consumer) = both_ends(name);
    let code = in_fork(|| {
        let own_name = format!("{name}.own");
        let mut own = Producer::<u64>::options().remove_when_unused().create(&own_name).unwrap();
        let code = in_fork(|| {
            assert_eq!(producer.try_send(1), Err(TrySendError::Failed(1, Fault::Forked)));
            assert_eq!(own.try_send(1), Err(TrySendError::Failed(1, Fault::Forked)));
            let mut consumer = Consumer::<u64>::options().open(&own_name).unwrap();
            i32::from(consumer.try_recv() != Err(TryRecvError::Empty))
        });
        own.try_send(1).unwrap_err();
        code
    });
    assert_eq!(code, 0);
    producer.send(1).unwrap();
    assert_eq!(consumer.recv(), Ok(1));
}

#[test]
fn a_program_that_a_child_becomes_has_no_descriptor_of_the_library() {
    act("exec");
}

fn execute_in_child(name: &str) {
    let (producer, _consumer) = both_ends(name);
    let inherited = || {
        let to = |number| fs::read_link(format!("/proc/self/fd/{number}")).ok();
        let links = listing(Path::new("/proc/self/fd")).into_iter().filter_map(to);
        links.filter(|link| link.starts_with("/dev/shm")).count()
    };
    assert_eq!(inherited(), 2, "one to look at locks for each end");
    assert_eq!(in_fork(|| i32::try_from(inherited()).unwrap()), 0);
    let test = "ls -l /proc/self/fd | grep -q /dev/shm && exit 7; exit 0";
    let code = in_fork(|| os::execute(Path::new("/bin/sh"), &["sh", "-c", test]));
    assert_eq!(code, 0);
    let status = std::process::Command::new("/bin/sh").args(["-c", test]).status().unwrap();
    assert_eq!(status.code(), Some(0), "also when spawned without a fork handler");
    drop(producer);
    assert_eq!(inherited(), 1);
}

#[test]
fn a_parent_that_dies_first_is_dead_although_its_child_lives() {
    let name = Name::new("orphan");
    let mut consumer =
        Consumer::<u64>::options().recheck(Duration::from_millis(20)).create(&name).unwrap();
    let parent = Child::spawn("forked::die first", &[&name]);
    let child: i32 = parent.line().parse().unwrap();
    assert_eq!(consumer.recv(), Ok(1));
    assert_eq!(consumer.recv_timeout(Duration::from_millis(100)), Err(RecvTimeoutError::Timeout));
    parent.kill();
    let answer = consumer.recv_timeout(LONG);
    let lives = fs::metadata(format!("/proc/{child}")).is_ok();
    os::kill(child, libc::SIGKILL);
    assert!(lives, "the child ended too early to show anything");
    assert_eq!(answer, Err(RecvTimeoutError::Disconnected));
    drop(Producer::<u64>::options().open(&name).unwrap());
    assert!(eventually(LONG, || crate::util::child::state_of(child).is_none_or(|s| s == 'Z')));
}

fn die_before_child(name: &str) {
    let mut producer = Producer::<u64>::options().open(name).unwrap();
    producer.send(1).unwrap();
    match os::fork() {
        0 => {
            // Until killed by the test, or by the alarm if there is no test any more.
            os::alarm_every(60_000_000);
            loop {
                std::thread::park();
            }
        }
        child => {
            say(&child.to_string());
            loop {
                std::thread::park();
            }
        }
    }
}
