//! A process is killed with a mutex in its hands, in the middle of a change. The next gets it, is told, repairs, and goes on.
//!
//! `cargo run --example owner_died` starts itself as the process that is killed.

use std::error::Error;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::time::Instant;

use ringway::sync::{LockError, Mutex};

/// Two accounts, whose sum never changes.
type Accounts = [i64; 2];

fn main() -> Result<(), Box<dyn Error>> {
    if let Some(name) = std::env::args().nth(1) {
        return begin_and_wait(&name);
    }
    let name = format!("example-owner-{}", std::process::id());
    let accounts = Mutex::<Accounts>::options().remove_when_unused().create(&name)?;
    *accounts.lock().map_err(LockError::without_guard)? = [100, 0];

    let mut other = Command::new(std::env::current_exe()?);
    let mut other = other.arg(&name).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let said = other.stdout.take().ok_or("a process without output")?;
    BufReader::new(said).read_line(&mut String::new())?; // it has taken, and not given yet
    other.kill()?; // SIGKILL: it cannot clean up
    other.wait()?;

    let start = Instant::now();
    let mut guard = match accounts.lock() {
        Err(LockError::OwnerDied(guard)) => guard,
        Ok(_) => return Err("it was killed with the mutex".into()),
        Err(why) => return Err(why.to_string().into()),
    };
    let mut out = std::io::stdout();
    writeln!(out, "the owner died after it left {:?}; known in {:.0?}", *guard, start.elapsed())?;
    guard[1] = 100 - guard[0];
    guard.mark_consistent();
    drop(guard);
    writeln!(out, "repaired: {:?}", *accounts.lock().map_err(LockError::without_guard)?)?;
    Ok(())
}

/// Takes from one account, and is killed before it gives to the other.
fn begin_and_wait(name: &str) -> Result<(), Box<dyn Error>> {
    let accounts = Mutex::<Accounts>::open(name)?;
    let mut guard = accounts.lock().map_err(LockError::without_guard)?;
    guard[0] -= 30;
    writeln!(std::io::stdout(), "taken")?;
    std::io::stdin().read_line(&mut String::new())?; // until it is killed
    Err("nobody has killed this process".into())
}
