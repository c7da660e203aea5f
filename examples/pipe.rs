//! One message from one process to another.
//!
//! `cargo run --example pipe` starts itself a second time: the first process sends, the second prints.

use std::env;
use std::error::Error;
use std::process::Command;

use ringway::pipe::{Connection, Direction};

fn main() -> Result<(), Box<dyn Error>> {
    match env::args().nth(1) {
        None => sender(),
        Some(name) => receiver(&name),
    }
}

/// The first process makes the pipe, starts the second one and sends.
fn sender() -> Result<(), Box<dyn Error>> {
    // Processes find a pipe by its name. With the process id in it no other run has the same one.
    let name = format!("example-pipe-{}", std::process::id());

    // A name stays until somebody removes it; `remove_when_unused` has the last user do that.
    let mut pipe =
        Connection::options().direction(Direction::Send).remove_when_unused().create(&name)?;

    let mut receiver = Command::new(env::current_exe()?).arg(&name).spawn()?;

    // There is room, so this does not wait: the record lies in shared memory until it is fetched.
    pipe.send(b"Hello from sender")?;

    // Our end must be open when the receiver comes, so we leave after it.
    let status = receiver.wait()?;
    if status.success() { Ok(()) } else { Err(format!("the receiver ended with {status}").into()) }
}

/// The second process opens the pipe by name and receives.
fn receiver(name: &str) -> Result<(), Box<dyn Error>> {
    let mut pipe = Connection::options().open(name)?;

    // Waits for a record. Should the sender be gone and have left none, that is an error.
    let record = pipe.recv()?;
    println!("Received: {}", String::from_utf8_lossy(&record));
    Ok(())
}
