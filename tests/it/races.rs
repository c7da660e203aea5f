//! Many who use one name at once: one channel at a time, and nobody on one that lost its name before.

use std::fs::{self, OpenOptions};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::{Duration, Instant};

use ringway::pipe::Connection;
use ringway::spsc::{Consumer, Producer};
use ringway::{Error, ErrorKind};

use crate::util::child::{Child, hear, say};
use crate::util::{LONG, Name, eventually, listing, os};

const REMOVAL: u64 = 1 << 42;
const RACERS: usize = 64;

pub fn play(role: &str, arguments: &[&str]) {
    match role {
        "pipe" => race(arguments[0], || Connection::options().open_or_create(arguments[0])),
        "producer" => {
            race(arguments[0], || Producer::<u64>::options().open_or_create(arguments[0]));
        }
        "consumer" => {
            race(arguments[0], || Consumer::<u64>::options().open_or_create(arguments[0]));
        }
        "churn" => churn(arguments[0], arguments[1]),
        "open" => open_through(arguments[0], arguments[1]),
        "remove" => {
            say("ready");
            hear();
            let removed = Producer::<u64>::options().unlink(arguments[0]);
            let contended =
                removed.is_err_and(|error| matches!(error.kind(), ErrorKind::Contended));
            say(if contended { "contended" } else { "not contended" });
        }
        _ => panic!("no role {role}"),
    }
}

/// Inodes of the segments of `name` that this process maps.
fn mapped(name: &str) -> Vec<u64> {
    let maps = fs::read_to_string("/proc/self/maps").unwrap();
    let shared = maps.lines().filter(|line| line.contains("rw-s") && line.contains("/dev/shm"));
    let inode = |line: &str| line.split_whitespace().nth(4).unwrap().parse().unwrap();
    let found: Vec<u64> = shared.map(inode).collect();
    assert!(!name.is_empty() && found.len() <= 1, "{found:?}");
    found
}

fn race<C>(name: &str, take: impl Fn() -> Result<C, Error>) {
    say("ready");
    while hear() == "go" {
        match take() {
            Ok(channel) => {
                say(&format!("in {}", mapped(name)[0]));
                hear();
                drop(channel);
                say("out");
                return;
            }
            Err(error) => {
                assert!(matches!(error.kind(), ErrorKind::EndTaken(_)), "{error}");
                say("taken");
            }
        }
    }
}

/// Starts `children` at once and sorts them into winners, with what they map, and losers.
fn start(children: Vec<Child>) -> (Vec<(Child, String)>, Vec<Child>) {
    let mut children = children;
    for child in &mut children {
        child.tell("go");
    }
    let (mut winners, mut losers) = (Vec::new(), Vec::new());
    for child in children {
        match child.line() {
            line if line == "taken" => losers.push(child),
            line => winners.push((child, line)),
        }
    }
    (winners, losers)
}

fn race_of_all(roles: [&str; 2]) {
    let name = Name::new("race");
    let spawn = |n: usize| Child::spawn(&format!("races::{}", roles[n % 2]), &[&name]);
    let mut waiting: Vec<Child> = (0..RACERS).map(spawn).collect();
    for child in &waiting {
        child.expect("ready");
    }
    for round in 0..3 {
        let (winners, losers) = start(waiting);
        assert_eq!((winners.len(), losers.len()), (2, RACERS - 2 * (round + 1)));
        let inode = format!("in {}", fs::metadata(name.path()).unwrap().ino());
        for (mut winner, said) in winners {
            assert_eq!(said, inode, "on a channel without a name");
            winner.tell("leave");
            winner.expect("out");
            winner.finish();
        }
        waiting = losers;
    }
}

#[test]
fn of_64_processes_that_open_or_make_a_pipe_two_get_the_same_one() {
    race_of_all(["pipe", "pipe"]);
}

#[test]
fn of_64_processes_that_open_or_make_a_channel_one_produces_and_one_consumes() {
    race_of_all(["producer", "consumer"]);
}

const STORM: Duration = Duration::from_millis(1500);

fn churn(name: &str, how: &str) {
    let options = Producer::<u64>::options().capacity(8);
    let (end, mut changes) = (Instant::now() + STORM, 0u32);
    while Instant::now() < end {
        let result = match how {
            "replace" => options.replace(name).map(drop),
            "create" => options.create(name).map(drop),
            _ => options.unlink(name),
        };
        match result {
            Ok(()) => changes += 1,
            Err(error) => {
                let kind = error.kind();
                let usual = matches!(
                    kind,
                    ErrorKind::NotFound | ErrorKind::AlreadyExists { .. } | ErrorKind::Contended
                );
                assert!(usual, "{how}: {error}");
            }
        }
    }
    assert!(changes > 10, "{how} changed the name {changes} times only");
}

fn open_through(name: &str, path: &str) {
    let named = || fs::symlink_metadata(path).map(|found| found.ino()).ok();
    let (end, mut opened, mut settled) = (Instant::now() + STORM, 0u32, 0u32);
    while Instant::now() < end {
        let before = named();
        match Consumer::<u64>::options().open(name) {
            Ok(consumer) => {
                opened += 1;
                let (mine, after) = (mapped(name)[0], named());
                if before.is_some() && before == after {
                    settled += 1;
                    assert_eq!(Some(mine), after, "the name was another's all the while");
                }
                drop(consumer);
            }
            Err(error) => {
                let kind = error.kind();
                let usual = matches!(
                    kind,
                    ErrorKind::NotFound | ErrorKind::EndTaken(_) | ErrorKind::Contended
                );
                assert!(usual, "{error}");
            }
        }
    }
    say(&format!("opened {opened} settled {settled}"));
}

#[test]
fn who_opens_in_a_storm_of_changes_gets_what_the_name_names() {
    let name = Name::new("storm");
    let path = name.path().to_str().unwrap();
    let changers = ["replace", "create", "unlink"];
    let changers = changers.map(|how| Child::spawn("races::churn", &[&name, how]));
    let openers = [0, 1].map(|_| Child::spawn("races::open", &[&name, path]));
    let mut any = 0;
    for opener in openers {
        let said = opener.line();
        any += said.split(' ').nth(1).unwrap().parse::<u32>().unwrap();
        opener.finish();
    }
    assert!(any > 0, "nobody ever opened it");
    for changer in changers {
        changer.finish();
    }
    drop(Producer::<u64>::options().replace(&name).unwrap());
    drop(Consumer::<u64>::options().open(&name).unwrap());
}

/// How many descriptors of process `pid` are of the file `inode`.
fn descriptors(pid: i32, inode: u64) -> usize {
    let folder = format!("/proc/{pid}/fd");
    let of_file = |number: &String| {
        fs::metadata(format!("{folder}/{number}")).is_ok_and(|found| found.ino() == inode)
    };
    listing(Path::new(&folder)).iter().filter(|number| of_file(number)).count()
}

/// The remover is another process: it keeps its own from making channels while it waits.
#[test]
fn a_remover_that_comes_late_leaves_the_successor_alone() {
    let name = Name::new("late");
    drop(Producer::<u64>::options().create(&name).unwrap());
    let holder = OpenOptions::new().read(true).write(true).open(name.path()).unwrap();
    let inode = holder.metadata().unwrap().ino();
    let mut remover = Child::spawn("races::remove", &[&name]);
    remover.expect("ready");
    os::lock_byte(&holder, REMOVAL);
    remover.tell("go");
    let waits = eventually(LONG, || descriptors(remover.pid(), inode) >= 1);
    assert!(waits, "it never looked at the file");
    fs::remove_file(name.path()).unwrap();
    let mut successor = Producer::<u64>::options().create(&name).unwrap();
    drop(holder);
    remover.expect("not contended");
    let mut consumer = Consumer::<u64>::options().open(&name).unwrap();
    successor.send(1).unwrap();
    assert_eq!(consumer.recv(), Ok(1));
    remover.finish();
}

#[test]
fn a_name_whose_removal_somebody_holds_up_is_contended() {
    let name = Name::new("contended");
    drop(Producer::<u64>::options().create(&name).unwrap());
    let holder = OpenOptions::new().read(true).write(true).open(name.path()).unwrap();
    os::lock_byte(&holder, REMOVAL);
    let error = Producer::<u64>::options().unlink(&name).unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::Contended);
    assert!(name.exists());
    drop(holder);
    Producer::<u64>::options().unlink(&name).unwrap();
}
