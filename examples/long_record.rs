//! A record of 300 MB through a pipe of 256 KiB: written as it is made, read as it comes, by two processes.
//!
//! `cargo run --release --example long_record` starts itself a second time: the first process writes, the second sums up.

use std::env;
use std::error::Error;
use std::io::{Read, Write};
use std::process::Command;
use std::time::Instant;

use ringway::pipe::{Connection, Direction};

/// Bytes in the record, and in what is made and read of it at a time.
const LEN: usize = 300_000_000;
const PART: usize = 100_000;

fn main() -> Result<(), Box<dyn Error>> {
    match env::args().nth(1) {
        None => sender(),
        Some(name) => receiver(&name),
    }
}

fn sender() -> Result<(), Box<dyn Error>> {
    let name = format!("example-long-{}", std::process::id());
    let options = Connection::options().direction(Direction::Send).capacity(256 * 1024);
    let mut pipe = options.remove_when_unused().create(&name)?;
    let mut receiver = Command::new(env::current_exe()?).arg(&name).spawn()?;

    // Nobody need know how long it will be, and nobody ever has all of it. Dropped without a commit, or if this process
    // dies, it is an error on the other side, and the next record is unharmed.
    let mut record = pipe.begin()?;
    let mut part = vec![0; PART];
    for number in 0..LEN / PART {
        part.fill(u8::try_from(number % 251)?);
        record.write_all(&part)?;
    }
    record.commit()?;

    // What fits is sent whole; what does not goes in pieces all the same, while the other side receives.
    pipe.send(b"done")?;
    let status = receiver.wait()?;
    if status.success() { Ok(()) } else { Err(format!("the receiver ended with {status}").into()) }
}

fn receiver(name: &str) -> Result<(), Box<dyn Error>> {
    let mut pipe = Connection::options().open(name)?;
    let (mut part, mut len, mut sum) = (vec![0; PART], 0, 0u64);
    let mut record = pipe.reader()?;
    let started = Instant::now();
    while let count @ 1.. = record.read(&mut part)? {
        len += count;
        sum += part[..count].iter().map(|byte| u64::from(*byte)).sum::<u64>();
    }
    drop(record);
    println!("{len} bytes with the sum {sum} in {:.0?}", started.elapsed());
    assert_eq!(pipe.recv()?, b"done");
    Ok(())
}
