//! Items from a producer to a consumer, until the producer closes the queue.
//!
//! `cargo run --example queue` starts itself a second time: the first process produces, the second consumes.

use std::env;
use std::error::Error;
use std::io::Write;
use std::process::Command;
use std::thread;
use std::time::Duration;

use ringway::RecvError;
use ringway::queue::Queue;

fn main() -> Result<(), Box<dyn Error>> {
    match env::args().nth(1) {
        None => produce(),
        Some(name) => consume(&name),
    }
}

/// The first process makes the queue, starts the second one and puts items in.
fn produce() -> Result<(), Box<dyn Error>> {
    let name = format!("example-queue-{}", std::process::id());
    let queue = Queue::<[u8]>::options().remove_when_unused().create(&name)?;
    // Made before the consumer starts: that one learns by it if we leave without closing.
    let sender = queue.sender();
    let mut consumer = Command::new(env::current_exe()?).arg(&name).spawn()?;

    for n in 0..5 {
        sender.send(format!("item {n}").as_bytes())?;
        thread::sleep(Duration::from_millis(100));
    }
    // What is in the queue is still received, and then everybody who receives is told.
    queue.close();

    let status = consumer.wait()?;
    if status.success() { Ok(()) } else { Err(format!("the consumer ended with {status}").into()) }
}

/// The second process opens the queue by name and takes items out.
fn consume(name: &str) -> Result<(), Box<dyn Error>> {
    let receiver = Queue::<[u8]>::options().open(name)?.receiver();
    loop {
        match receiver.recv() {
            Ok(item) => {
                writeln!(std::io::stdout(), "Consumed: {}", String::from_utf8_lossy(&item))?;
            }
            Err(RecvError::Closed) => return Ok(()),
            Err(why) => return Err(why.into()), // the producer has gone without a word
        }
    }
}
