//! Workers that are killed with `kill -9` in the middle of a job: each job is done, by somebody else, and flagged.
//!
//! `cargo run --example survive` starts itself as a worker again and again, and kills it each time it has a job.

use std::error::Error;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use ringway::queue::Queue;

const KILLS: u32 = 20;

fn main() -> Result<(), Box<dyn Error>> {
    match std::env::args().nth(1) {
        Some(name) => take_one(&name),
        None => survive(),
    }
}

fn survive() -> Result<(), Box<dyn Error>> {
    let name = format!("example-survive-{}", std::process::id());
    let options = Queue::<u32>::options().capacity(32).remove_when_unused().watch();
    // A job that has cost three workers their lives is put aside.
    let queue = options.dead_letters(3, 32).create(&name)?;
    let (sender, receiver) = (queue.sender(), queue.receiver());
    (0..KILLS).try_for_each(|job| sender.send(job))?;

    for _ in 0..KILLS {
        let mut worker = Command::new(std::env::current_exe()?);
        let worker = worker.arg(&name).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut worker = worker.spawn()?;
        let said = worker.stdout.take().ok_or("a worker without output")?;
        BufReader::new(said).read_line(&mut String::new())?; // it has a job now
        worker.kill()?; // SIGKILL: it cannot clean up
        worker.wait()?;
    }

    let start = Instant::now();
    let (mut done, mut flagged) = (0, 0);
    while done < KILLS {
        // What the dead held comes first; nobody has to ask for it.
        match receiver.recv_guard_timeout(Duration::from_secs(10)) {
            Ok(job) => {
                flagged += u32::from(job.redelivered());
                job.ack();
                done += 1;
            }
            Err(why) if queue.statistics().dead_letters == 0 => return Err(why.into()),
            Err(_) => break,
        }
        let aside = queue.dead_letters().ok_or("made with dead letters")?;
        done += u32::try_from(aside.try_iter().count())?;
    }
    let (counted, took) = (queue.statistics(), start.elapsed());
    let mut out = std::io::stdout();
    writeln!(
        out,
        "{KILLS} workers killed, {done} jobs accounted for in {took:.0?}, {flagged} of them flagged"
    )?;
    writeln!(out, "{} recoveries, {} put aside", counted.recoveries, counted.dead_letters)?;
    if done == KILLS { Ok(()) } else { Err("a job is missing".into()) }
}

fn take_one(name: &str) -> Result<(), Box<dyn Error>> {
    let job = Queue::<u32>::options().open(name)?.receiver().recv_guard()?;
    writeln!(std::io::stdout(), "job {}", *job)?;
    std::io::stdin().read_line(&mut String::new())?; // until it is killed
    Err("nobody has killed this worker".into())
}
