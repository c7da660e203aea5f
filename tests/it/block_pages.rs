//! Blocks on huge pages: given where the kernel can, else refused with a reason, and as good without.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use ringway::block::{Block, HugePages, RawBlock};

use crate::util::child::Child;
use crate::util::{Name, not_run, os, unique};

const MIB: usize = 1 << 20;

pub fn play(role: &str, arguments: &[&str]) {
    assert_eq!(role, "refused");
    os::refuse_huge_pages();
    let block = Block::options().len(4 * MIB).huge_pages().create(arguments[0]).unwrap();
    let why = "the kernel does not make them of shared memory";
    assert_eq!(block.huge_pages(), HugePages::Refused(why));
    block.write_at(3 * MIB, b"works").unwrap();
}

/// KiB of the file at `path` that this process has mapped on huge pages.
fn huge_kib(path: &Path) -> usize {
    let inode = format!(" {} ", path.metadata().unwrap().ino());
    let maps = std::fs::read_to_string("/proc/self/smaps").unwrap();
    let mut ours = false;
    let mut sum = 0;
    for line in maps.lines() {
        if line.contains(" rw-") {
            ours = line.contains(&inode);
        } else if let Some(rest) = line.strip_prefix("ShmemPmdMapped:").filter(|_| ours) {
            sum += rest.trim().trim_end_matches(" kB").parse::<usize>().unwrap();
        }
    }
    sum
}

#[test]
fn a_block_that_is_given_huge_pages_has_them() {
    let name = Name::new("huge");
    let block = Block::options().len(9 * MIB).huge_pages().create(&name).unwrap();
    match block.huge_pages() {
        // The header and nine MiB have room for four of two.
        HugePages::Given => assert_eq!(huge_kib(name.path()), 8 << 10),
        refused => return not_run(&format!("no huge pages here: {refused:?}")),
    }
    block.write_at(9 * MIB - 5, b"there").unwrap();
    let other = Block::options().huge_pages().open(&name).unwrap();
    assert_eq!(other.huge_pages(), HugePages::Given, "who opens it has them too");
    assert_eq!(huge_kib(name.path()), 16 << 10);
    let mut found = [0; 5];
    other.read_at(9 * MIB - 5, &mut found).unwrap();
    assert_eq!(&found, b"there");
    let without = Block::open(&name).unwrap();
    assert_eq!(without.huge_pages(), HugePages::NotAsked);
}

#[test]
fn a_raw_block_can_have_them_too() {
    let name = unique("raw-huge");
    let block = RawBlock::options().len(4 * MIB).huge_pages().create(&name).unwrap();
    let (given, mapped) = (block.huge_pages(), huge_kib(block.path()));
    block.unlink().unwrap();
    match given {
        HugePages::Given => assert_eq!(mapped, 4 << 10),
        refused => not_run(&format!("no huge pages here: {refused:?}")),
    }
}

#[test]
fn what_has_no_room_for_one_is_told() {
    let name = Name::new("huge-short");
    let block = Block::options().len(MIB).huge_pages().prefault().create(&name).unwrap();
    assert_eq!(block.huge_pages(), HugePages::Refused("it is shorter than one of 2 MiB"));
    assert_eq!(Block::open(&name).unwrap().huge_pages(), HugePages::NotAsked);
}

#[test]
fn where_the_kernel_refuses_them_the_block_works_without() {
    let name = Name::new("huge-refused");
    Child::spawn("block_pages::refused", &[&name]).finish();
    assert_eq!(Block::open(&name).unwrap().view::<[u8; 5]>(3 * MIB).unwrap().get(), Ok(*b"works"));
}
