//! One producer, three worker processes: each job is done once, by whoever is free.
//!
//! `cargo run --example fan_out` starts itself three times more; those work, and report through a second queue.

use std::collections::{BTreeMap, HashSet};
use std::error::Error;
use std::io::Write;
use std::process::Command;
use std::time::Duration;

use ringway::queue::Queue;
use ringway::{RecvError, RecvTimeoutError};

fn main() -> Result<(), Box<dyn Error>> {
    match &std::env::args().skip(1).collect::<Vec<_>>()[..] {
        [jobs, done, worker] => work(jobs, done, worker.parse()?),
        _ => share_out(300),
    }
}

fn share_out(count: u16) -> Result<(), Box<dyn Error>> {
    let names = ["jobs", "done"].map(|what| format!("example-{what}-{}", std::process::id()));
    let jobs = Queue::<u16>::options().remove_when_unused().create(&names[0])?.sender();
    let done = Queue::<[u16; 2]>::options().remove_when_unused().create(&names[1])?.receiver();
    let program = std::env::current_exe()?;
    let start = |n: u16| Command::new(&program).args(&names).arg(n.to_string()).spawn();
    let workers = (0..3).map(start).collect::<Result<Vec<_>, _>>()?;

    // A queue holds 1,024 messages if nobody says otherwise: this does not wait.
    (0..count).try_for_each(|job| jobs.send(job))?;
    jobs.close();

    let (mut left, mut shares) = ((0..count).collect::<HashSet<_>>(), BTreeMap::new());
    loop {
        // If all workers die, this says so at once. The limit is for those who never come.
        match done.recv_timeout(Duration::from_secs(10)) {
            Ok([job, worker]) if left.remove(&job) => *shares.entry(worker).or_insert(0) += 1,
            Ok([job, _]) => return Err(format!("job {job} was done twice").into()),
            Err(RecvTimeoutError::Disconnected) if left.is_empty() => break,
            Err(why) => return Err(why.into()),
        }
    }
    workers.into_iter().try_for_each(|mut worker| worker.wait().map(drop))?;
    Ok(writeln!(std::io::stdout(), "{count} jobs, each done once; by worker: {shares:?}")?)
}

fn work(jobs: &str, done: &str, worker: u16) -> Result<(), Box<dyn Error>> {
    let jobs = Queue::<u16>::options().open(jobs)?.receiver();
    let done = Queue::<[u16; 2]>::options().open(done)?.sender();
    loop {
        let job = match jobs.recv_guard() {
            Ok(job) => job,
            Err(RecvError::Closed) => return Ok(()),
            Err(why) => return Err(why.into()), // the producer has gone without a word
        };
        std::thread::sleep(Duration::from_millis(1)); // the work
        done.send([*job, worker])?;
        job.ack(); // until here another worker gets the job if we die
    }
}
