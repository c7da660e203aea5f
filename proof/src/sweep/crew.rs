//! The processes that share the parts of the sweep, one for each processor.
//!
//! Each is a fork of this process, which has one thread, and stays on its processor with its victims, so that they change
//! places quickly. It takes the number of the next part from a pipe, and says what came of it into another.
#![allow(unsafe_code, reason = "forks, and sets the alarm that ends a worker which waits in vain")]

use std::io::{BufRead, BufReader, PipeReader, PipeWriter, Read, Write, pipe};
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use nix::libc;
use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, Pid, fork};

use super::Part;
use super::kills::Report;
use super::place::leftovers;
use super::victim::exit;

/// What came of all parts.
#[derive(Debug, Default)]
pub struct Done {
    pub kills: usize,
    pub failed: usize,
}

/// A part that has not ended by then waits for something that does not come.
const LIMIT_SECONDS: u32 = 1800;

/// Runs all `parts`, each by one of the workers.
pub fn share(parts: &[Part], run: impl Fn(&Part) -> Result<Report>) -> Result<Done> {
    let allowed = sched_getaffinity(Pid::from_raw(0))?;
    let processors: Vec<_> =
        (0..CpuSet::count()).filter(|one| allowed.is_set(*one).unwrap_or(false)).collect();
    let (numbers, mut todo) = pipe()?;
    for number in 0..u16::try_from(parts.len())? {
        todo.write_all(&number.to_le_bytes())?;
    }
    drop(todo);
    let (said, say) = pipe()?;
    let mut workers = Vec::new();
    for processor in processors {
        // SAFETY: this process has one thread, so its child may do anything.
        match unsafe { fork() }? {
            ForkResult::Child => {
                let worked = work(processor, parts, &numbers, &say, &run);
                if let Err(why) = &worked {
                    eprintln!("kill-sweep: {why:#}");
                }
                exit(i32::from(worked.is_err()))
            }
            ForkResult::Parent { child } => workers.push(child),
        }
    }
    drop(say);
    let done = listen(said, parts.len())?;
    for worker in workers {
        let ended = waitpid(worker, None)?;
        let left = leftovers(worker.as_raw().cast_unsigned())?;
        for path in &left {
            let _ = std::fs::remove_file(path);
        }
        ensure!(matches!(ended, WaitStatus::Exited(_, 0)), "a worker ended so: {ended:?}");
        ensure!(left.is_empty(), "names were left behind: {left:?}");
    }
    Ok(done)
}

/// One worker's share.
fn work(
    processor: usize,
    parts: &[Part],
    mut numbers: &PipeReader,
    mut say: &PipeWriter,
    run: impl Fn(&Part) -> Result<Report>,
) -> Result<()> {
    nix::sys::prctl::set_pdeathsig(nix::sys::signal::Signal::SIGKILL)?;
    let mut own = CpuSet::new();
    own.set(processor)?;
    sched_setaffinity(Pid::from_raw(0), &own)?;
    let mut number = [0; 2];
    while numbers.read(&mut number)? == number.len() {
        let part = &parts[usize::from(u16::from_le_bytes(number))];
        // SAFETY: it takes a number; the signal's default is to end this process.
        unsafe { libc::alarm(LIMIT_SECONDS) };
        let started = Instant::now();
        let (verdict, kills, text) = match run(part) {
            Ok(Report { kills, text }) => ("ok", kills, text),
            Err(why) => ("FAILED", 0, format!("FAILED: {why:#}").replace('\n', " ")),
        };
        let (name, took) = (part.name(), started.elapsed().as_secs_f64());
        let line = format!("{verdict}\t{kills}\t{name:<52} {took:>6.1} s {text}\n");
        say.write_all(line.as_bytes())?;
    }
    Ok(())
}

/// Prints what the workers say, and adds it up.
fn listen(said: PipeReader, parts: usize) -> Result<Done> {
    let (mut done, mut heard) = (Done::default(), 0);
    for line in BufReader::new(said).lines() {
        let line = line?;
        let mut words = line.splitn(3, '\t');
        let (Some(verdict), Some(kills), Some(text)) = (words.next(), words.next(), words.next())
        else {
            bail!("a worker said {line:?}");
        };
        println!("{text}");
        done.kills += kills.parse::<usize>().context("a worker says how many it killed")?;
        done.failed += usize::from(verdict != "ok");
        heard += 1;
    }
    ensure!(heard == parts, "{heard} of {parts} parts were done");
    Ok(done)
}
