//! ringway and other queues doing the same work, side by side in one run.

mod contestant;
mod contestants;
mod machine;
mod play;
mod region;
mod workload;

use clap::{Parser, Subcommand};

use crate::contestant::Entry;
use crate::play::{Task, Unable};
use crate::workload::Workload;

/// Runs contestants side by side.
#[derive(Debug, Parser)]
struct Options {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Takes one sample and prints it (used by the program itself).
    #[command(hide = true)]
    Play { contestant: String, workload: String, count: u64 },
    /// Plays the receiving process of a sample (used by the program itself).
    #[command(hide = true)]
    Follow { contestant: String, workload: String, count: u64, tokens: Vec<String> },
}

fn main() {
    match Options::parse().command {
        Command::Play { contestant, workload, count } => {
            let (entry, task) = task(&contestant, &workload, count);
            let sample = match (entry.refuses)(&task.workload) {
                Some(why) => Err(Unable(why)),
                None => (entry.play)(&task),
            };
            let answer = sample.map_err(|why| why.to_string());
            println!("{}", serde_json::to_string(&answer).expect("numbers and a string"));
        }
        Command::Follow { contestant, workload, count, tokens } => {
            let (entry, task) = task(&contestant, &workload, count);
            if let Err(why) = (entry.follow)(&task, &tokens) {
                eprintln!("{why}");
                std::process::exit(1);
            }
        }
    }
}

fn task(contestant: &str, workload: &str, count: u64) -> (&'static Entry, Task) {
    let entry = contestants::all().iter().find(|entry| entry.name == contestant);
    let entry = entry.expect("a contestant of the list");
    let workload = Workload::named(workload).expect("a workload of the list");
    (entry, Task { contestant: entry.name, workload, count })
}
