//! Blocks of other programs, and ours in theirs: a program in C, Python's `multiprocessing.shared_memory`, the package
//! `shared_memory`.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use ringway::ErrorKind;
use ringway::block::{Block, RawBlock};
use shared_memory::{Shmem, ShmemConf};

use super::{RawName, text};
use crate::util::{Directory, LONG, Name, eventually, not_run};

/// What a program said that must succeed.
#[track_caller]
fn said(output: Output) -> String {
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {complaints}", output.status);
    String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
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
