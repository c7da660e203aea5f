//! A client is killed with a lock of a server in its hands, in the middle of a change. The next gets it, is told, mends, and goes on.
//!
//! `cargo run --example managed_lock` starts itself as the client that is killed.

use std::error::Error;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::time::Instant;

use ringway::manager::{Client, LockError, Server};

fn main() -> Result<(), Box<dyn Error>> {
    if let Some(name) = std::env::args().nth(1) {
        return begin_and_wait(&name);
    }
    let name = format!("example-managed-lock-{}", std::process::id());
    let server = Server::bind(&name)?.spawn();
    let client = Client::connect(&name)?;
    let (mine, yours) = (client.value("mine", &100)?, client.value("yours", &0)?);
    let mutex = client.mutex("transfers")?;

    let mut other = Command::new(std::env::current_exe()?);
    let mut other = other.arg(&name).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let said = other.stdout.take().ok_or("a process without output")?;
    BufReader::new(said).read_line(&mut String::new())?; // it has taken, and not given yet
    other.kill()?; // SIGKILL: it cannot clean up
    other.wait()?;

    let start = Instant::now();
    let mut guard = match mutex.lock() {
        Err(LockError::OwnerDied(guard)) => guard,
        Ok(_) => return Err("it was killed with the mutex".into()),
        Err(why) => return Err(why.to_string().into()),
    };
    let mut out = std::io::stdout();
    let left = (mine.get()?, yours.get()?);
    writeln!(out, "the owner died after it left {left:?}; known in {:.0?}", start.elapsed())?;
    yours.set(&(100 - mine.get()?))?;
    guard.mark_consistent();
    guard.unlock()?;
    writeln!(out, "mended: {:?}", (mine.get()?, yours.get()?))?;
    drop((mine, yours, client));
    server.shutdown()?;
    Ok(())
}

/// Takes from one, and is killed before it gives to the other.
fn begin_and_wait(name: &str) -> Result<(), Box<dyn Error>> {
    let client = Client::connect(name)?;
    let mine = client.value("mine", &100)?;
    let mutex = client.mutex("transfers")?;
    let _guard = mutex.lock().map_err(LockError::without_guard)?;
    mine.update(|old| old - 30)?;
    writeln!(std::io::stdout(), "taken")?;
    std::io::stdin().read_line(&mut String::new())?; // until it is killed
    Err("nobody has killed this process".into())
}
