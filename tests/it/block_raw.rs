//! Blocks of other programs, and ours in theirs: a program in C, Python's `multiprocessing.shared_memory`, the package
//! `shared_memory`. And what of files is refused.

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

use ringway::block::{Block, RawBlock};
use ringway::{AccessError, ErrorKind, Operation};
use shared_memory::{Shmem, ShmemConf};

use crate::util::child::Child;
use crate::util::os::in_fork;
use crate::util::{Directory, LONG, Name, eventually, not_run, os, unique};

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

/// What a program said that must succeed.
#[track_caller]
fn said(output: Output) -> String {
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {complaints}", output.status);
    String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
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

/// The program in C; nothing where there is no compiler.
fn posix() -> Option<(Directory, PathBuf)> {
    let directory = Directory::within(Path::new(env!("CARGO_TARGET_TMPDIR")), "posix");
    let program = directory.path().join("posix");
    let compiler = std::env::var_os("CC").unwrap_or_else(|| "cc".into());
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/c/posix.c");
    let mut command = Command::new(compiler);
    command
        .args(["-std=c11", "-Wall", "-Wextra", "-Werror", "-O1", "-o"])
        .arg(&program)
        .arg(source);
    match command.arg("-lrt").output() {
        Ok(output) => said(output),
        Err(why) => {
            assert!(std::env::var_os("CI").is_none(), "no C compiler: {why}");
            not_run(&format!("no C compiler: {why}"));
            return None;
        }
    };
    Some((directory, program))
}

#[test]
fn a_program_in_c_and_this_one_open_each_others_blocks() {
    let Some((_directory, program)) = posix() else { return };
    let run = |arguments: &[&str]| said(Command::new(&program).args(arguments).output().unwrap());
    let ours = RawName::new("raw-c");
    let block = RawBlock::create(&ours, 5000).unwrap();
    block.write_at(0, b"made by Rust\0").unwrap();
    assert_eq!(run(&["use", &format!("/{}", &*ours)]), "5000 made by Rust");
    assert_eq!((text(&block, 16, 9), text(&block, 4999, 1)), ("used by C".into(), "C".into()));
    let theirs = RawName::new("raw-c");
    run(&["make", &format!("/{}", &*theirs), "5001"]);
    let block = RawBlock::open(&theirs).unwrap();
    assert_eq!((block.len(), text(&block, 0, 9)), (5001, "made by C".into()));
}

/// What Python says to `program`; nothing where there is no Python.
fn python(program: &str, arguments: &[&str]) -> Option<String> {
    match Command::new("python3").arg("-c").arg(program).args(arguments).output() {
        Ok(output) => Some(said(output)),
        Err(why) => {
            not_run(&format!("no Python: {why}"));
            None
        }
    }
}

/// Without its tracker, which would remove the name when the program ends.
const PYTHON: &str = "
import sys
from multiprocessing import shared_memory, resource_tracker
resource_tracker.register = resource_tracker.unregister = lambda *arguments: None
what, name = sys.argv[1:3]
if what == 'make':
    block = shared_memory.SharedMemory(name=name, create=True, size=5001)
    block.buf[:14] = b'made by Python'
else:
    block = shared_memory.SharedMemory(name=name)
    start = int.from_bytes(block.buf[128:136], 'little') if what == 'block' else 0
    print(block.size, bytes(block.buf[start:start + 12]).decode())
    block.buf[start + 16:start + 30] = b'used by Python'
block.close()
";

#[test]
fn python_and_this_program_open_each_others_blocks() {
    let ours = RawName::new("raw-py");
    let block = RawBlock::create(&ours, 5000).unwrap();
    block.write_at(0, b"made by Rust").unwrap();
    let Some(seen) = python(PYTHON, &["use", &ours]) else { return };
    assert_eq!(seen, "5000 made by Rust");
    assert_eq!(text(&block, 16, 14), "used by Python");
    let theirs = RawName::new("raw-py");
    python(PYTHON, &["make", &theirs]).unwrap();
    let block = RawBlock::open(&theirs).unwrap();
    assert_eq!((block.len(), text(&block, 0, 14)), (5001, "made by Python".into()));
}

/// As Python does unless it is told otherwise: whoever opened it removes the name at its end. The block lives on without.
#[test]
fn a_program_in_python_that_tracks_what_it_opens_takes_the_name_along() {
    let name = RawName::new("raw-tracked");
    let block = RawBlock::create(&name, 64).unwrap();
    let program = "
import sys
from multiprocessing import shared_memory
block = shared_memory.SharedMemory(name=sys.argv[1])
block.buf[:4] = b'seen'
block.close()
";
    let Some(_) = python(program, &[&name]) else { return };
    assert!(eventually(LONG, || !name.path().exists()), "its tracker runs after it");
    assert_eq!(text(&block, 0, 4), "seen");
    assert_eq!(block.unlink().unwrap_err().kind(), &ErrorKind::NotFound);
}

#[test]
fn python_finds_the_bytes_of_a_block_where_its_header_says() {
    let name = Name::new("block-py");
    let block = Block::options().len(100).max_members(2).create(&name).unwrap();
    block.write_at(0, b"made by Rust").unwrap();
    let file = format!("ringway.default.{}", &*name);
    let Some(seen) = python(PYTHON, &["block", &file]) else { return };
    assert_eq!(seen, "4196 made by Rust");
    assert_eq!(block.view::<[u8; 14]>(16).unwrap().get(), Ok(*b"used by Python"));
}

/// What the package sees.
#[allow(unsafe_code, reason = "it gives its bytes to those only who vouch that nobody writes")]
fn shmem_text(shmem: &Shmem, offset: usize, len: usize) -> String {
    // SAFETY: the tests write before and after, not meanwhile.
    let bytes = unsafe { shmem.as_slice() };
    String::from_utf8(bytes[offset..offset + len].to_vec()).unwrap()
}

#[test]
fn a_block_of_the_package_shared_memory_is_ours_and_its_name_nobody_elses() {
    let name = RawName::new("raw-shmem");
    let shmem = ShmemConf::new().os_id(format!("/{}", &*name)).size(5000).create().unwrap();
    assert!(shmem.is_owner());
    let block = RawBlock::try_from(shmem).unwrap();
    assert!(name.path().exists(), "its owner is gone, and did not take the name along");
    assert_eq!(block.len(), 5000);
    block.write_at(0, b"hello").unwrap();
    let again = ShmemConf::new().os_id(block.name()).open().unwrap();
    assert_eq!(shmem_text(&again, 0, 5), "hello");
    block.unlink().unwrap();
    let gone = RawBlock::try_from(again).unwrap_err();
    assert_eq!(gone.kind(), &ErrorKind::NotFound);
}

#[test]
fn our_block_is_one_of_the_package_shared_memory_and_stays_ours() {
    let name = RawName::new("raw-shmem");
    let block = RawBlock::create(&name, 5000).unwrap();
    block.write_at(4990, b"the end").unwrap();
    let shmem = block.to_shmem().unwrap();
    assert!(!shmem.is_owner());
    assert_eq!((shmem.len(), shmem_text(&shmem, 4990, 7)), (5000, "the end".into()));
    drop(shmem);
    assert!(name.path().exists(), "it did not take the name along");
    drop(RawBlock::try_from(block.to_shmem().unwrap()).unwrap());
    assert!(name.path().exists());
    block.unlink().unwrap();
    assert!(block.to_shmem().is_err());
}
