//! Two processes modify one array of numbers at the same time, and both see what came of it.
//!
//! `cargo run --example shared_array` starts itself a second time; both open the array by name.

use std::env;
use std::error::Error;
use std::io::Write;
use std::process::Command;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};
use std::time::{Duration, Instant};

use ringway::block::SharedArray;
use ringway::sync::{LockError, Mutex};

/// Numbers that are counted up, one that is under the lock, and how many processes have come and are done.
const NUMBERS: usize = 1000;
const LOCKED: usize = NUMBERS;
const COME: usize = NUMBERS + 1;
const DONE: usize = NUMBERS + 2;
const ROUNDS: u64 = 1000;

fn main() -> Result<(), Box<dyn Error>> {
    if let Some(name) = env::args().nth(1) {
        return count(&name);
    }
    let name = format!("example-array-{}", std::process::id());
    // It goes with its last user, killed or not.
    let options = SharedArray::<u64>::options().len(NUMBERS + 3).with_lock().remove_when_unused();
    let array = options.create(&name)?;
    let mut other = Command::new(env::current_exe()?).arg(&name).spawn()?;
    count(&name)?;
    assert!(other.wait()?.success() && array.to_vec()?[..=LOCKED] == [2 * ROUNDS; NUMBERS + 1]);
    Ok(())
}

/// What each of the two does.
fn count(name: &str) -> Result<(), Box<dyn Error>> {
    let array = SharedArray::<u64>::open(name)?;
    let (atomics, mutex) = (array.atomics(), Mutex::beside(&array)?);
    meet(atomics, COME)?;
    for _ in 0..ROUNDS {
        // Both do it at once: no addition is lost.
        atomics[..NUMBERS].iter().for_each(|number| _ = number.fetch_add(1, Relaxed));
        // Under the lock it takes no atomic.
        let _held = mutex.lock().map_err(LockError::without_guard)?;
        array.set(LOCKED, array.get(LOCKED)? + 1)?;
    }
    meet(atomics, DONE)?;
    let (me, values) = (std::process::id(), array.to_vec()?);
    let sum: u64 = values[..NUMBERS].iter().sum();
    writeln!(std::io::stdout(), "process {me} sees a sum of {sum}, and {}", values[LOCKED])?;
    Ok(())
}

/// Waits for the other one at the number `place`, but not for ever.
fn meet(atomics: &[AtomicU64], place: usize) -> Result<(), Box<dyn Error>> {
    let start = Instant::now();
    atomics[place].fetch_add(1, SeqCst);
    while atomics[place].load(SeqCst) < 2 {
        if start.elapsed() > Duration::from_secs(10) {
            return Err("the other process does not come".into());
        }
        std::thread::yield_now();
    }
    Ok(())
}
