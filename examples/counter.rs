//! Processes count together: one number under a mutex, one as an atomic, and a barrier before and behind.
//!
//! `cargo run --example counter` starts itself three times; all open the same block.

use std::env;
use std::error::Error;
use std::io::Write;
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use ringway::block::Block;
use ringway::sync::{Barrier, LockError, Mutex};

const PROCESSES: u32 = 4;
const TIMES: u64 = 100_000;

/// Where things lie in the block: apart, since others would wait for the line.
const MUTEX: usize = 0;
const ATOMIC: usize = 128;
const BARRIER: usize = 256;

fn main() -> Result<(), Box<dyn Error>> {
    if let Some(name) = env::args().nth(1) {
        return count(&name);
    }
    let name = format!("example-counter-{}", std::process::id());
    let block = Block::options().len(4096).remove_when_unused().create(&name)?;
    let other = |_| Command::new(env::current_exe()?).arg(&name).spawn();
    let others: Vec<_> = (1..PROCESSES).map(other).collect::<Result<_, _>>()?;
    count(&name)?;
    for mut other in others {
        assert!(other.wait()?.success());
    }
    let (mutex, total) = (Mutex::<u64>::at(&block, MUTEX)?, u64::from(PROCESSES) * TIMES);
    assert_eq!(*mutex.lock().map_err(LockError::without_guard)?, total);
    assert_eq!(block.atomic::<AtomicU64>(ATOMIC)?.load(Relaxed), total);
    Ok(())
}

/// What each of them does.
fn count(name: &str) -> Result<(), Box<dyn Error>> {
    let block = Block::open(name)?;
    let (mutex, atomic) = (Mutex::<u64>::at(&block, MUTEX)?, block.atomic::<AtomicU64>(ATOMIC)?);
    let mut barrier = Barrier::at(&block, BARRIER, PROCESSES)?;
    barrier.wait_timeout(Duration::from_secs(10))?;
    let start = Instant::now();
    for _ in 0..TIMES {
        *mutex.lock().map_err(LockError::without_guard)? += 1;
        atomic.fetch_add(1, Relaxed);
    }
    let took = start.elapsed();
    let met = barrier.wait_timeout(Duration::from_secs(10))?;
    let sum = *mutex.lock().map_err(LockError::without_guard)?;
    writeln!(std::io::stdout(), "process {} sees {sum} after {took:.0?}", met.index())?;
    Ok(())
}
