//! Raw blocks: how they are named, what of files is refused, what forks and holes do; and [`others`] who use them.

mod others;

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

use ringway::block::RawBlock;
use ringway::{AccessError, ErrorKind, Operation};

use crate::util::child::Child;
use crate::util::os::in_fork;
use crate::util::{Directory, not_run, os, unique};

pub fn play(role: &str, arguments: &[&str]) {
    match role {
        "fork" => use_in_child(arguments[0]),
        "full" => on_a_full_file_system(Path::new(arguments[0])),
        _ => panic!("no such role"),
    }
}

/// A name of `shm_open`, which is free again once this is dropped.
struct RawName(String);

impl RawName {
    fn new(label: &str) -> Self {
        Self(unique(label))
    }

    fn path(&self) -> PathBuf {
        Path::new("/dev/shm").join(&self.0)
    }
}

impl std::ops::Deref for RawName {
    type Target = str;
    fn deref(&self) -> &str {
        &self.0
    }
}

impl Drop for RawName {
    fn drop(&mut self) {
        let _ = fs::remove_file(self.path());
    }
}

#[track_caller]
fn text(block: &RawBlock, offset: usize, len: usize) -> String {
    let mut bytes = vec![0; len];
    block.read_at(offset, &mut bytes).unwrap();
    String::from_utf8(bytes).unwrap()
}

#[test]
fn a_raw_block_is_made_opened_and_removed_as_shm_open_names_it() {
    let name = RawName::new("raw");
    assert_eq!(RawBlock::open(&name).unwrap_err().kind(), &ErrorKind::NotFound);
    let block = RawBlock::create(&format!("/{}", &*name), 1001).unwrap();
    assert_eq!((block.len(), block.name(), block.path()), (1001, &*name, &*name.path()));
    assert_eq!(fs::metadata(name.path()).unwrap().len(), 1001, "bytes from the first on");
    let error = RawBlock::create(&name, 5).unwrap_err();
    assert_eq!((error.kind(), error.operation()), (&ErrorKind::Taken, Operation::Create));
    let text = format!("create raw block \"{}\": something has that name already", &*name);
    assert_eq!(error.to_string(), text);
    let other = RawBlock::options().len(1001).open_or_create(&name).unwrap();
    block.view::<u32>(996).unwrap().set(7).unwrap();
    assert_eq!(other.view::<u32>(996).unwrap().get(), Ok(7));
    assert_eq!(fs::read(name.path()).unwrap()[996], 7);
    block.unlink().unwrap();
    assert!(!name.path().exists());
    assert_eq!(other.unlink().unwrap_err().kind(), &ErrorKind::NotFound);
    other.write_at(0, &[1]).unwrap();
    let fresh = RawBlock::options().len(8).prefault().open_or_create(&name).unwrap();
    assert_eq!(other.unlink().unwrap_err().kind(), &ErrorKind::NotFound, "it is another's name");
    assert_eq!((fresh.len(), name.path().exists()), (8, true));
    RawBlock::options().unlink(&name).unwrap();
    let view = other.view::<u8>(0).unwrap();
    drop((block, other));
    assert_eq!(view.get(), Ok(1), "it keeps the mapping");
}

#[test]
fn names_lengths_and_files_that_cannot_be_are_refused() {
    let long = "x".repeat(256);
    for bad in ["", "/", ".", "/..", "a/b", "//a", "a\0b", &long] {
        let error = RawBlock::create(bad, 8).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::InvalidName(_)), "{bad:?}: {error}");
        assert!(RawBlock::open(bad).is_err() && RawBlock::options().unlink(bad).is_err());
    }
    let name = RawName::new("raw-bad");
    let kind = |result: Result<RawBlock, ringway::Error>| result.unwrap_err().kind().clone();
    assert_eq!(
        kind(RawBlock::create(&name, 0)),
        ErrorKind::InvalidOption("a length is at least 1")
    );
    assert_eq!(
        kind(RawBlock::create(&name, usize::MAX)),
        ErrorKind::InvalidOption("no file is so long")
    );
    let mode = kind(RawBlock::options().len(8).mode(0o666).create(&name));
    assert!(matches!(mode, ErrorKind::InvalidOption(_)), "{mode:?}");
    assert!(!name.path().exists());
    File::create(name.path()).unwrap();
    assert_eq!(kind(RawBlock::open(&name)), ErrorKind::Empty, "no length yet");
    fs::write(name.path(), [1; 10]).unwrap();
    let open = |len| RawBlock::options().len(len).open(&name);
    assert_eq!(kind(open(11)), ErrorKind::OtherLength { wanted: 11, found: 10 });
    assert_eq!(open(10).unwrap().len(), 10);
    fs::set_permissions(name.path(), PermissionsExt::from_mode(0o666)).unwrap();
    assert_eq!(kind(open(10)), ErrorKind::WritableByOthers);
    assert!(RawBlock::options().any_writer().open(&name).is_ok());
    fs::remove_file(name.path()).unwrap();
    symlink("/dev/zero", name.path()).unwrap();
    assert_eq!(kind(RawBlock::open(&name)), ErrorKind::NotAFile("a symbolic link"));
    fs::remove_file(name.path()).unwrap();
    fs::create_dir(name.path()).unwrap();
    assert_eq!(kind(RawBlock::open(&name)), ErrorKind::NotAFile("a directory"));
    fs::remove_dir(name.path()).unwrap();
}

#[test]
fn a_block_that_was_cut_before_has_the_length_that_is_left() {
    let name = RawName::new("raw-cut");
    let block = RawBlock::create(&name, 8192).unwrap();
    OpenOptions::new().write(true).open(name.path()).unwrap().set_len(100).unwrap();
    let other = RawBlock::open(&name).unwrap();
    assert_eq!(other.len(), 100);
    let end = AccessError::OutOfRange { offset: 100, len: 1, has: 100 };
    assert_eq!(other.read_at(100, &mut [0]), Err(end));
    let cut = RawBlock::options().len(8192).open(&name).unwrap_err();
    assert_eq!(cut.kind(), &ErrorKind::OtherLength { wanted: 8192, found: 100 });
    block.write_at(0, b"what is left").unwrap();
}

#[test]
fn a_hole_that_there_is_no_memory_for_is_an_error_when_it_is_opened() {
    if !os::is_root() {
        return not_run("mounting takes root");
    }
    let directory = Directory::within(&std::env::temp_dir(), "raw-full");
    let path = directory.path().to_str().unwrap().to_owned();
    Child::spawn("block_raw::full", &[&path]).finish();
}

fn on_a_full_file_system(directory: &Path) {
    os::private_mounts().unwrap();
    os::mount("tmpfs", directory, Some("tmpfs"), 0, "size=256k").unwrap();
    let options = RawBlock::options().directory(directory);
    File::create(directory.join("sparse")).unwrap().set_len(1 << 20).unwrap();
    assert_eq!(options.open("sparse").unwrap_err().kind(), &ErrorKind::NoSpace);
    fs::remove_file(directory.join("sparse")).unwrap();
    let behind = File::create(directory.join("behind")).unwrap();
    behind.set_len(128 << 10).unwrap();
    os::allocate_behind(&behind, 128 << 10, 192 << 10);
    assert!(behind.metadata().unwrap().blocks() * 512 > 128 << 10, "as much memory as it is long");
    assert_eq!(options.open("behind").unwrap_err().kind(), &ErrorKind::NoSpace);
    fs::remove_file(directory.join("behind")).unwrap();
    let error = options.clone().len(1 << 20).create("big").unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::NoSpace);
    assert_eq!(crate::util::listing(directory), Vec::<String>::new());
}

#[test]
fn every_access_in_a_forked_child_answers_forked() {
    let name = RawName::new("raw-forked");
    Child::spawn("block_raw::fork", &[&name]).finish();
}

fn use_in_child(name: &str) {
    let block = RawBlock::create(name, 4096).unwrap();
    let word = block.atomic::<AtomicU64>(0).unwrap();
    let mut moved = Some(block.clone());
    let code = in_fork(|| {
        assert_eq!(block.write_at(8, &[1]), Err(AccessError::Forked));
        word.store(3, Relaxed);
        drop(moved.take());
        RawBlock::open(name).unwrap().write_at(16, &[4]).unwrap();
        0
    });
    assert_eq!(code, 0);
    assert_eq!((word.load(Relaxed), block.view::<u8>(16).unwrap().get()), (0, Ok(4)));
}
