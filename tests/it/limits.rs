//! Where there is no room, and where there is just enough.

use std::fs;
use std::path::Path;

use ringway::ErrorKind;
use ringway::pipe::Connection;
use ringway::spsc::{self, Consumer, Producer};

use crate::util::child::Child;
use crate::util::{Directory, Name, listing, not_run, os};

const TINY: &str = "size=256k";

pub fn play(role: &str, arguments: &[&str]) {
    match role {
        "full" => on_a_full_file_system(Path::new(arguments[0])),
        "fits" => on_a_tiny_file_system(Path::new(arguments[0])),
        "file size" => under_a_file_size_limit(arguments[0]),
        _ => panic!("no role {role}"),
    }
}

/// Plays `role` with a directory that it may mount over.
fn act(role: &str) {
    if !os::is_root() {
        return not_run("mounting takes root");
    }
    let directory = Directory::within(&std::env::temp_dir(), "limits");
    let path = directory.path().to_str().unwrap().to_owned();
    Child::spawn(&format!("limits::{role}"), &[&path]).finish();
}

fn mount_tiny(directory: &Path) {
    os::private_mounts().unwrap();
    os::mount("tmpfs", directory, Some("tmpfs"), 0, TINY).unwrap();
}

/// Bytes free in the file system of `directory`.
fn free(directory: &Path) -> u64 {
    let mut df = std::process::Command::new("df");
    let output = df.args(["-k", "--output=avail"]).arg(directory).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().last().unwrap().trim().parse::<u64>().unwrap() * 1024
}

#[test]
fn where_there_is_no_room_nothing_is_made_and_nothing_is_left() {
    act("full");
}

fn on_a_full_file_system(directory: &Path) {
    mount_tiny(directory);
    let before = free(directory);
    for capacity in [1 << 16, 1 << 20, 1 << 30] {
        let options = Producer::<u64>::options().directory(directory).capacity(capacity);
        for _ in 0..10 {
            assert_eq!(options.create("big").unwrap_err().kind(), &ErrorKind::NoSpace);
            assert_eq!(options.open_or_create("big").unwrap_err().kind(), &ErrorKind::NoSpace);
            assert_eq!(options.replace("big").unwrap_err().kind(), &ErrorKind::NoSpace);
            assert_eq!(options.pair().unwrap_err().kind(), &ErrorKind::NoSpace);
        }
        let error = options.create("big").unwrap_err();
        assert!(error.to_string().contains("no room"), "{error}");
        assert_eq!(std::io::Error::from(error).kind(), std::io::ErrorKind::StorageFull);
    }
    assert_eq!((free(directory), listing(directory)), (before, Vec::<String>::new()));
}

#[test]
fn a_segment_that_was_made_has_all_its_memory() {
    act("fits");
}

fn on_a_tiny_file_system(directory: &Path) {
    mount_tiny(directory);
    let options = || Producer::<u64>::options().directory(directory).capacity(1 << 13);
    for options in [options(), options().prefault()] {
        let mut producer = options.create("fits").unwrap();
        fs::write(directory.join("filler"), vec![1; 256 << 10]).unwrap_err();
        assert_eq!(free(directory), 0);
        let mut consumer = Consumer::<u64>::options().directory(directory).open("fits").unwrap();
        for n in 0..3 << 13 {
            if producer.is_full() {
                consumer.recv().unwrap();
            }
            producer.try_send(n).unwrap();
        }
        fs::remove_file(directory.join("filler")).unwrap();
        options.unlink("fits").unwrap();
    }
}

#[test]
fn a_limit_on_file_sizes_is_an_error_and_not_a_death() {
    let name = Name::new("fsize");
    Child::spawn("limits::file size", &[&name]).finish();
    assert!(!name.exists());
}

fn under_a_file_size_limit(name: &str) {
    let limit = 64 << 10;
    os::limit_file_size(limit);
    let options = Producer::<u64>::options().capacity(1 << 16);
    for result in [options.create(name), options.open_or_create(name), options.replace(name)] {
        let error = result.unwrap_err();
        let ErrorKind::FileSizeLimit { needed, limit: told } = *error.kind() else {
            panic!("{error}");
        };
        assert!(needed > 8 << 16 && told == limit, "{error}");
        assert_eq!(std::io::Error::from(error).kind(), std::io::ErrorKind::FileTooLarge);
    }
    assert!(matches!(options.pair().unwrap_err().kind(), ErrorKind::FileSizeLimit { .. }));
    let (mut producer, mut consumer) = spsc::pair::<u64>(16).unwrap();
    producer.send(1).unwrap();
    assert_eq!(consumer.recv(), Ok(1));
}

#[test]
fn members_beyond_the_last_record_are_refused_and_come_in_when_one_leaves() {
    let name = Name::new("members");
    let producer = Producer::<u64>::options().max_members(2).create(&name).unwrap();
    let consumer = Consumer::<u64>::options().open(&name).unwrap();
    for _ in 0..3 {
        let error = Consumer::<u64>::options().open(&name).unwrap_err();
        assert_eq!(error.kind(), &ErrorKind::TooManyMembers { limit: 2 });
    }
    drop(consumer);
    let consumer = Consumer::<u64>::options().open(&name).unwrap();
    drop(producer);
    let mut producer = Producer::<u64>::options().open(&name).unwrap();
    producer.send(1).unwrap();
    drop(consumer);
    let name = Name::new("members");
    let _here = Connection::options().max_members(2).create(&name).unwrap();
    let _there = Connection::options().open(&name).unwrap();
    let error = Connection::options().open(&name).unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::TooManyMembers { limit: 2 });
}

#[test]
fn an_end_is_taken_once_and_the_error_names_its_owner() {
    let name = Name::new("taken");
    let _producer = Producer::<u64>::options().create(&name).unwrap();
    let _consumer = Consumer::<u64>::options().open(&name).unwrap();
    let producer = Producer::<u64>::options().open(&name).unwrap_err();
    let consumer = Consumer::<u64>::options().open_or_create(&name).unwrap_err();
    for (error, owner) in [(producer, 0), (consumer, 1)] {
        let ErrorKind::EndTaken(member) = error.kind() else { panic!("{error}") };
        assert_eq!(member.index(), owner);
    }
    let name = Name::new("taken");
    let _here = Connection::options().create(&name).unwrap();
    let _there = Connection::options().open(&name).unwrap();
    let error = Connection::options().open(&name).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::EndTaken(_)), "{error}");
}
