//! Numbers from one process to another; a last one that is none says that there are no more.
//!
//! `cargo run --release --example producer_consumer` starts itself a second time: that one produces.

use std::env;
use std::error::Error;
use std::io::Write;
use std::process::Command;
use std::time::Duration;

use ringway::queue::Queue;

const NUMBERS: u64 = 1_000_000;
/// What comes after the last number. The queue stays open: others could go on using it.
const END: u64 = u64::MAX;

fn main() -> Result<(), Box<dyn Error>> {
    match env::args().nth(1) {
        None => consume(),
        Some(name) => produce(&name),
    }
}

/// The first process makes the queue, starts the second one and adds up what it sends.
fn consume() -> Result<(), Box<dyn Error>> {
    let name = format!("example-numbers-{}", std::process::id());
    let queue = Queue::<u64>::options().capacity(256).remove_when_unused().create(&name)?;
    let receiver = queue.receiver();
    let mut producer = Command::new(env::current_exe()?).arg(&name).spawn()?;

    let (mut count, mut total) = (0, 0);
    loop {
        // If the producer dies, this says so at once. The limit is for one that never comes.
        match receiver.recv_timeout(Duration::from_secs(10))? {
            END => break,
            number => (count, total) = (count + 1, total + number),
        }
    }
    let status = producer.wait()?;
    if !status.success() {
        return Err(format!("the producer ended with {status}").into());
    }
    if (count, total) != (NUMBERS, NUMBERS * (NUMBERS + 1) / 2) {
        return Err(format!("{count} numbers of {NUMBERS} came, in all {total}").into());
    }
    writeln!(std::io::stdout(), "Consumed {count} numbers, in all {total}")?;
    Ok(())
}

/// The second process opens the queue by name and sends. Where there is no room, it waits.
fn produce(name: &str) -> Result<(), Box<dyn Error>> {
    let sender = Queue::<u64>::options().open(name)?.sender();
    for number in 1..=NUMBERS {
        sender.send(number)?;
    }
    Ok(sender.send(END)?)
}
