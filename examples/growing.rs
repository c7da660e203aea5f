//! A queue that takes a burst as it comes, and gives the memory back when the burst is over.
//!
//! `cargo run --example growing` starts itself as the process that measures; this one writes down what it measured.

use std::collections::BTreeMap;
use std::error::Error;
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::process::Command;
use std::{env, fs};

use ringway::Options;
use ringway::queue::{Growth, Queue};

const BURST: u64 = 200_000;

/// Room for 64 messages, and for a million when it must be.
fn options() -> Options<Queue<[u64; 2]>> {
    Queue::<[u64; 2]>::options().capacity(64).growth(Growth::Messages(1_000_000))
}

fn main() -> Result<(), Box<dyn Error>> {
    match env::args().nth(1) {
        Some(name) => measure(&name),
        None => write_down(),
    }
}

/// The burst: nobody is fast enough to receive meanwhile, and nobody waits.
fn measure(name: &str) -> Result<(), Box<dyn Error>> {
    let sender = options().open(name)?.sender();
    for n in 0..BURST {
        sender.try_send([n, n * n])?;
    }
    Ok(())
}

fn write_down() -> Result<(), Box<dyn Error>> {
    let name = format!("example-growing-{}", std::process::id());
    let queue = options().remove_when_unused().create(&name)?;
    let receiver = queue.receiver();
    let mut out = std::io::stdout();
    writeln!(out, "at first:        room for {:>6}, {:>5} KiB", queue.capacity(), kib(&name)?)?;
    if !Command::new(env::current_exe()?).arg(&name).status()?.success() {
        return Err("the burst was not sent".into());
    }
    writeln!(out, "after the burst: room for {:>6}, {:>5} KiB", queue.capacity(), kib(&name)?)?;
    for n in 0..BURST {
        assert_eq!(receiver.try_recv()?, [n, n * n]); // in order, though their sender has ended
    }
    writeln!(out, "at the end:      room for {:>6}, {:>5} KiB", queue.capacity(), kib(&name)?)?;
    Ok(())
}

/// What the queue's segments take: files that begin with its own name, each counted once, since the first may have two names.
fn kib(name: &str) -> std::io::Result<u64> {
    let ours = fs::read_dir("/dev/shm")?
        .flatten()
        .filter(|file| file.file_name().to_string_lossy().contains(name))
        .map(|file| file.metadata().map(|file| (file.ino(), file.len())));
    let segments: BTreeMap<u64, u64> = ours.collect::<Result<_, _>>()?;
    Ok(segments.values().sum::<u64>() / 1024)
}
