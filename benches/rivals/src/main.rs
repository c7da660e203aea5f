//! ringway and other queues doing the same work, side by side in one run.

mod about;
mod conductor;
mod contestant;
mod contestants;
mod list;
mod machine;
mod options;
mod play;
mod probe;
mod region;
mod report;
mod results;
mod workload;

use std::path::Path;
use std::process::ExitCode;

use clap::Parser;

use crate::about::{Header, Settings};
use crate::conductor::Stop;
use crate::contestant::Entry;
use crate::options::{Command, Options, RunOptions};
use crate::play::{Task, Unable};
use crate::results::{Journal, Run};
use crate::workload::Workload;

fn main() -> ExitCode {
    let options = Options::parse();
    let done = match options.command {
        None => run(&options.run),
        Some(Command::List { json }) => {
            if json {
                list::for_programs();
            } else {
                list::for_people();
            }
            Ok(())
        }
        Some(Command::Report { results, output }) => render(&results, output.as_deref()),
        Some(Command::Play { contestant, workload, count }) => play(&contestant, &workload, count),
        Some(Command::Follow { contestant, workload, count, tokens }) => {
            follow(&contestant, &workload, count, &tokens)
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

/// Runs what is asked for and writes what came of it. What went wrong in a sample is an error at the end.
fn run(options: &RunOptions) -> Result<(), String> {
    let (plan, directory) = (options.plan()?, options.directory());
    let header = Header::new(Settings { millis: plan.millis });
    println!("{}", header.machine.line());
    if cfg!(debug_assertions) {
        println!("This is a debug build: its figures mean nothing. Use --release.");
    }
    let mut journal = Journal::open(&directory, header, options.fresh)?;
    let shown = directory.display();
    match conductor::run(&plan, &mut journal) {
        Ok(()) => {}
        Err(Stop::Interrupted) => {
            return Err(format!("interrupted; the same command goes on with what is in {shown}"));
        }
        Err(Stop::Broken(why)) => return Err(why),
    }
    report::write(&journal.run, &directory)?;
    println!("{} and the plots beside it", directory.join("report.md").display());
    let failures = journal.run.failures();
    if failures.is_empty() { Ok(()) } else { Err(format!("went wrong:\n{}", failures.join("\n"))) }
}

fn render(results: &Path, output: Option<&Path>) -> Result<(), String> {
    let run = Run::read(results)?;
    let beside = if results.is_dir() { Some(results) } else { results.parent() };
    report::write(&run, output.or(beside).unwrap_or(Path::new(".")))
}

fn play(contestant: &str, workload: &str, count: u64) -> Result<(), String> {
    conductor::end_with_parent();
    let (entry, task) = task(contestant, workload, count)?;
    let sample = match (entry.refuses)(&task.workload) {
        Some(why) => Err(Unable(why)),
        None => (entry.play)(&task),
    };
    let answer = sample.map_err(|why| why.to_string());
    println!("{}", serde_json::to_string(&answer).expect("numbers and a string"));
    Ok(())
}

fn follow(contestant: &str, workload: &str, count: u64, tokens: &[String]) -> Result<(), String> {
    conductor::end_with_parent();
    let (entry, task) = task(contestant, workload, count)?;
    (entry.follow)(&task, tokens).map_err(|why| why.to_string())
}

fn task(contestant: &str, workload: &str, count: u64) -> Result<(&'static Entry, Task), String> {
    let entry = contestants::all().iter().find(|entry| entry.name == contestant);
    let entry = entry.ok_or_else(|| format!("no contestant is called {contestant:?}"))?;
    let named = Workload::named(workload);
    let workload = named.ok_or_else(|| format!("no workload is called {workload:?}"))?;
    Ok((entry, Task { contestant: entry.name, workload, count }))
}
