//! Files that are no segments, belong to others, or are no files: each is refused with its own error.

use std::fs::{self, File, OpenOptions, Permissions};
use std::os::unix::fs::{FileExt, MetadataExt, PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::time::Duration;

use ringway::ErrorKind;
use ringway::pipe::Connection;
use ringway::spsc::{Consumer, Producer};

use crate::util::child::{Child, hear, say};
use crate::util::view::HEADER;
use crate::util::{Directory, Name, Random, not_run, os, within};

const NOBODY: u32 = 65_534;
/// Far more than any answer takes: what exceeds it hangs.
const SOON: Duration = Duration::from_secs(5);

pub fn play(role: &str, arguments: &[&str]) {
    match role {
        "own" => {
            os::become_user(NOBODY);
            let options = Producer::<u64>::options().directory(arguments[0]);
            let mut producer = options.create("foreign").unwrap();
            producer.send(7).unwrap();
            say("made");
            hear();
        }
        "strange" => {
            os::become_user(NOBODY);
            denied(arguments[0]);
        }
        _ => panic!("no role {role}"),
    }
}

fn open(name: &Name) -> ErrorKind {
    let error = within(SOON, || Consumer::<u64>::options().open(name).unwrap_err());
    error.kind().clone()
}

/// What each way of making or opening answers, which must be one and the same.
fn all_answer(name: &Name) -> ErrorKind {
    let opened = open(name);
    let producer = Producer::<u64>::options();
    let errors = [
        within(SOON, || producer.create(name).unwrap_err()),
        within(SOON, || producer.open_or_create(name).unwrap_err()),
        within(SOON, || Connection::options().open(name).unwrap_err()),
    ];
    for error in errors {
        assert_eq!(error.kind(), &opened, "{error}");
    }
    opened
}

#[test]
fn files_that_are_no_segments_are_refused_and_left_alone() {
    let mut random = Random(1);
    let noise: Vec<u8> = (0..8192).map(|_| random.next().to_le_bytes()[0]).collect();
    let text = b"#!/bin/sh\n".repeat(100);
    let almost = [&b"ringway\0"[..], &noise].concat();
    for content in [&b""[..], b"x", &noise[..255], &noise[..256], &noise, &text, &[0; 4096]] {
        let name = Name::new("noise");
        fs::write(name.path(), content).unwrap();
        let kind = all_answer(&name);
        assert!(matches!(kind, ErrorKind::NotASegment(_)), "{} bytes: {kind:?}", content.len());
        assert_eq!(fs::read(name.path()).unwrap(), content);
    }
    let name = Name::new("noise");
    fs::write(name.path(), almost).unwrap();
    assert!(matches!(all_answer(&name), ErrorKind::WrongVersion { .. }));
    Producer::<u64>::options().unlink(&name).expect("a user may remove what cannot be read");
    assert!(!name.exists());
}

#[test]
fn replace_takes_a_name_from_a_file_that_is_no_segment() {
    let name = Name::new("noise");
    fs::write(name.path(), "garbage").unwrap();
    let _producer = Producer::<u64>::options().replace(&name).unwrap();
    drop(Consumer::<u64>::options().open(&name).unwrap());
}

fn segment(label: &str) -> (Name, File) {
    let name = Name::new(label);
    drop(Producer::<u64>::options().capacity(1024).create(&name).unwrap());
    let file = OpenOptions::new().read(true).write(true).open(name.path()).unwrap();
    (name, file)
}

#[test]
fn each_flipped_byte_of_the_header_is_found_out() {
    let (name, file) = segment("flip");
    let mut header = [0; HEADER];
    file.read_exact_at(&mut header, 0).unwrap();
    for offset in 0..HEADER as u64 {
        let original = header[usize::try_from(offset).unwrap()];
        for flip in [0x01, 0x80, 0xff] {
            file.write_all_at(&[original ^ flip], offset).unwrap();
            let kind = open(&name);
            let fits = match offset {
                8..12 => matches!(kind, ErrorKind::WrongVersion { expected: 1, .. }),
                16..24 => kind == ErrorKind::WrongLayout,
                _ => matches!(kind, ErrorKind::NotASegment(_)),
            };
            assert!(fits, "byte {offset} ^ {flip:#x}: {kind:?}");
        }
        file.write_all_at(&[original], offset).unwrap();
    }
    drop(Consumer::<u64>::options().open(&name).expect("flipped back"));
}

/// FNV-1a over the header with its checksum field zero, as DESIGN describes it.
fn resum(header: &mut [u8; HEADER]) {
    header[24..32].fill(0);
    let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    let sum = header.iter().fold(0xcbf2_9ce4_8422_2325, step);
    header[24..32].copy_from_slice(&sum.to_le_bytes());
}

#[test]
fn a_header_with_a_right_checksum_and_wrong_fields_is_refused() {
    let (name, file) = segment("forge");
    let mut original = [0; HEADER];
    file.read_exact_at(&mut original, 0).unwrap();
    let values = [0u64, 1, 2, 3, 7, 64, 512, 1 << 20, 1 << 31, 1 << 40, 1 << 62, u64::MAX];
    for offset in (8..HEADER).step_by(4).filter(|offset| ![24, 28, 148, 152].contains(offset)) {
        for width in [4, 8] {
            for value in values.map(u64::to_le_bytes) {
                let mut forged = original;
                let end = (offset + width).min(HEADER);
                forged[offset..end].copy_from_slice(&value[..end - offset]);
                resum(&mut forged);
                file.write_all_at(&forged, 0).unwrap();
                let opened = within(SOON, || Consumer::<u64>::options().open(&name));
                // The minor version is for people.
                forged[176..180].copy_from_slice(&original[176..180]);
                resum(&mut forged);
                assert_eq!(opened.is_ok(), forged == original, "{offset}: {value:?}: {opened:?}");
            }
        }
    }
    file.write_all_at(&original, 0).unwrap();
    drop(Consumer::<u64>::options().open(&name).expect("written back"));
}

#[test]
fn flags_that_this_build_does_not_know_are_refused() {
    let (name, file) = segment("flags");
    let mut header = [0; HEADER];
    file.read_exact_at(&mut header, 0).unwrap();
    for bit in 2..32 {
        let mut forged = header;
        forged[152 + bit / 8] |= 1 << (bit % 8);
        resum(&mut forged);
        file.write_all_at(&forged, 0).unwrap();
        assert!(Consumer::<u64>::options().open(&name).is_err(), "flag bit {bit}");
    }
}

#[test]
fn a_file_of_another_length_than_its_header_says_is_refused() {
    let (name, file) = segment("length");
    let whole = file.metadata().unwrap().len();
    for found in [HEADER as u64, 4096, whole - 1, whole + 1, whole + 4096, 1 << 33] {
        file.set_len(found).unwrap();
        assert_eq!(all_answer_length(&name), ErrorKind::WrongLength { expected: whole, found });
    }
    file.set_len(255).unwrap();
    assert!(matches!(all_answer(&name), ErrorKind::NotASegment(_)));
}

/// A pipe's opener learns of the kind or the length, whichever is looked at first.
fn all_answer_length(name: &Name) -> ErrorKind {
    assert!(Connection::options().open(name).is_err());
    open(name)
}

/// Puts something at a name.
type Make<'a> = &'a dyn Fn(&Name);

#[test]
fn what_is_no_regular_file_is_named_and_left_alone() {
    let target = Name::new("target");
    fs::write(target.path(), "untouched").unwrap();
    let make: [(&str, Make<'_>); 5] = [
        ("a symbolic link", &|name| symlink(target.path(), name.path()).unwrap()),
        ("a symbolic link", &|name| symlink("/dev/shm/nothing here", name.path()).unwrap()),
        ("a FIFO", &|name| os::make_fifo(name.path())),
        ("a directory", &|name| fs::create_dir(name.path()).unwrap()),
        ("a socket", &|name| drop(UnixListener::bind(name.path()).unwrap())),
    ];
    for (what, make) in make {
        let name = Name::new("odd");
        make(&name);
        assert_eq!(all_answer(&name), ErrorKind::NotAFile(what));
        let options = Producer::<u64>::options();
        let error = within(SOON, || options.unlink(&name).unwrap_err());
        assert_eq!(error.kind(), &ErrorKind::NotAFile(what));
        let error = within(SOON, || options.replace(&name).unwrap_err());
        assert_eq!(error.kind(), &ErrorKind::NotAFile(what));
        assert!(name.exists());
    }
    assert_eq!(fs::read(target.path()).unwrap(), b"untouched");
    assert!(!fs::exists("/dev/shm/nothing here").unwrap());
}

#[test]
fn a_link_to_a_true_segment_is_refused_too() {
    let (target, _file) = segment("linked");
    let name = Name::new("link");
    symlink(target.path(), name.path()).unwrap();
    assert_eq!(open(&name), ErrorKind::NotAFile("a symbolic link"));
}

#[test]
fn a_segment_that_anybody_may_write_is_refused() {
    let (name, file) = segment("open");
    file.set_permissions(Permissions::from_mode(0o602)).unwrap();
    assert_eq!(open(&name), ErrorKind::WritableByOthers);
    file.set_permissions(Permissions::from_mode(0o660)).unwrap();
    drop(Consumer::<u64>::options().open(&name).unwrap());
}

#[test]
fn a_segment_of_another_user_is_refused_unless_trusted() {
    if !os::is_root() {
        return not_run("becoming another user takes root");
    }
    let directory = Directory::in_memory("users");
    fs::set_permissions(directory.path(), Permissions::from_mode(0o1777)).unwrap();
    let mut child = Child::spawn("hostile::own", &[directory.path().to_str().unwrap()]);
    child.expect("made");
    let options = || Consumer::<u64>::options().directory(directory.path());
    let foreign = ErrorKind::ForeignOwner { uid: NOBODY };
    assert_eq!(options().open("foreign").unwrap_err().kind(), &foreign);
    assert_eq!(options().open_or_create("foreign").unwrap_err().kind(), &foreign);
    assert_eq!(options().create("foreign").unwrap_err().kind(), &foreign);
    assert_eq!(options().unlink("foreign").unwrap_err().kind(), &foreign);
    assert_eq!(options().replace("foreign").unwrap_err().kind(), &foreign);
    assert_eq!(options().trust_owner(1).open("foreign").unwrap_err().kind(), &foreign);
    assert_eq!(options().trust_owner(NOBODY).open("foreign").unwrap().recv(), Ok(7));
    child.tell("done");
    child.finish();
}

#[test]
fn another_user_may_neither_open_nor_remove() {
    if !os::is_root() {
        return not_run("becoming another user takes root");
    }
    let directory = Directory::in_memory("users");
    fs::set_permissions(directory.path(), Permissions::from_mode(0o1777)).unwrap();
    let options = Producer::<u64>::options().directory(directory.path());
    let _mine = options.create("mine").unwrap();
    let closed = directory.path().join("closed");
    fs::create_dir(&closed).unwrap();
    fs::set_permissions(&closed, Permissions::from_mode(0o755)).unwrap();
    Child::spawn("hostile::strange", &[directory.path().to_str().unwrap()]).finish();
    assert!(directory.path().join("ringway.default.mine").exists());
    assert_eq!(fs::read_dir(&closed).unwrap().count(), 0);
}

fn denied(directory: &str) {
    let options = || Producer::<u64>::options().directory(directory);
    let foreign = ErrorKind::ForeignOwner { uid: 0 };
    assert_eq!(options().open("mine").unwrap_err().kind(), &foreign);
    assert_eq!(options().unlink("mine").unwrap_err().kind(), &foreign);
    assert_eq!(options().replace("mine").unwrap_err().kind(), &foreign);
    assert_eq!(options().create("mine").unwrap_err().kind(), &foreign);
    let trusting = options().trust_owner(0).open("mine").unwrap_err();
    assert!(matches!(
        trusting.kind(),
        ErrorKind::ForeignOwner { .. } | ErrorKind::PermissionDenied
    ));
    let inside = Producer::<u64>::options().directory(format!("{directory}/closed"));
    assert_eq!(inside.create("x").unwrap_err().kind(), &ErrorKind::PermissionDenied);
    let own = options().create("own").unwrap();
    let path = format!("{directory}/ringway.default.own");
    fs::set_permissions(&path, Permissions::from_mode(0o0)).unwrap();
    assert_eq!(options().open("own").unwrap_err().kind(), &ErrorKind::PermissionDenied);
    assert_eq!(fs::metadata(&path).unwrap().uid(), NOBODY);
    drop(own);
}
