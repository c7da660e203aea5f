//! Jobs of any size for several workers. One is killed with `kill -9` in the middle of a job: another does it.
//!
//! `cargo run --features serde --example work_queue` starts itself as three workers and kills the first.

use std::error::Error;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::{env, thread};

use ringway::queue::{Postcard, Queue};
use ringway::{Fingerprint, Options, RecvError};
use serde::{Deserialize, Serialize};

const JOBS: u64 = 12;

#[derive(Serialize, Deserialize, Fingerprint)]
enum Job {
    Add(Vec<u64>),
    Spell { words: Vec<String>, times: usize },
}

#[derive(Serialize, Deserialize, Fingerprint)]
struct Done {
    worker: u32,
    again: bool,
    result: String,
}

fn jobs() -> Options<Queue<Postcard<Job>>> {
    Queue::<Postcard<Job>>::options().capacity(64).message_len(1024).remove_when_unused().watch()
}

fn results() -> Options<Queue<Postcard<Done>>> {
    Queue::<Postcard<Done>>::options().message_len(1024).remove_when_unused()
}

fn main() -> Result<(), Box<dyn Error>> {
    match env::args().nth(1) {
        Some(name) => work(&name, env::args().nth(2).as_deref() == Some("slowly")),
        None => hand_out(),
    }
}

fn hand_out() -> Result<(), Box<dyn Error>> {
    let name = format!("example-work-{}", std::process::id());
    let (queue, done) = (jobs().create(&name)?, results().create(&format!("{name}-done"))?);
    let (sender, results) = (queue.sender(), done.receiver());
    for n in 0..JOBS {
        let words = (0..=n).map(|n| format!("word {n}")).collect();
        let spell = Job::Spell { words, times: 2 };
        sender.send_value(&if n % 2 == 0 { Job::Add((0..n).collect()) } else { spell })?;
    }
    let mut victim = start(&name, "slowly")?;
    let said = victim.stdout.take().ok_or("a worker without output")?;
    BufReader::new(said).read_line(&mut String::new())?; // it has a job now
    let workers = [start(&name, "")?, start(&name, "")?];
    victim.kill()?; // SIGKILL: it cannot clean up
    victim.wait()?;

    let (mut count, mut again) = (0, 0);
    while count < JOBS {
        let one = results.recv_value()?;
        (count, again) = (count + 1, again + u32::from(one.again));
        let (note, worker) = (if one.again { ", once more" } else { "" }, one.worker);
        writeln!(std::io::stdout(), "worker {worker}{note}: {:.40}", one.result)?;
    }
    queue.close();
    for mut worker in workers {
        worker.wait()?;
    }
    if again == 1 { Ok(()) } else { Err(format!("{again} jobs were done once more").into()) }
}

fn start(name: &str, how: &str) -> std::io::Result<Child> {
    Command::new(env::current_exe()?).args([name, how]).stdout(Stdio::piped()).spawn()
}

fn work(name: &str, slowly: bool) -> Result<(), Box<dyn Error>> {
    let (queue, done) = (jobs().open(name)?, results().open(&format!("{name}-done"))?);
    let (receiver, sender) = (queue.receiver(), done.sender());
    loop {
        let job = match receiver.recv_value_guard() {
            Err(RecvError::Closed) => return Ok(()),
            job => job?,
        };
        if slowly {
            writeln!(std::io::stdout(), "at work")?;
            thread::park(); // until it is killed
        }
        let result = match job.value()? {
            Job::Add(numbers) => numbers.iter().sum::<u64>().to_string(),
            Job::Spell { words, times } => words.join(" ").repeat(times),
        };
        let again = job.redelivered();
        sender.send_value(&Done { worker: std::process::id(), again, result })?;
        job.ack(); // killed before this, the job is done once more
    }
}
