//! Running the kill sweep of `proof/`: optimised and not; and showing that it notices each step of recovery that is left out.

use std::process::Command;
use std::time::Instant;

use clap::Args;

use crate::lab::{Harm, Lab};
use crate::run::{self, Failure};

mod sabotage;

/// What `cargo xtask kill-sweep` is given.
#[derive(Args)]
pub struct Arguments {
    /// Every instruction of unoptimised builds too, every stop, every pair of victim and reaper
    #[arg(long)]
    long: bool,
    /// Only parts whose name contains this; or sabotage whose name does
    #[arg(long, default_value = "")]
    only: String,
    /// Leaves out one step of recovery at a time: the sweep must fail each time
    #[arg(long)]
    sabotage: bool,
    /// Where samples begin; by default another each time
    #[arg(long)]
    seed: Option<u64>,
}

/// Runs what is asked for.
pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    if arguments.sabotage { spoil(&arguments.only, arguments.seed) } else { sweep(arguments) }
}

/// What every change must pass.
pub fn gate() -> Result<(), Failure> {
    sweep(&Arguments { long: false, only: String::new(), sabotage: false, seed: None })
}

/// The two builds.
const BUILDS: [&[&str]; 2] = [&["--release"], &[]];

fn sweep(arguments: &Arguments) -> Result<(), Failure> {
    let root = run::root()?;
    for build in BUILDS {
        let mut command = run::cargo(&root);
        command.args(["run", "--quiet", "--package", "proof"]).args(build);
        command.args(["--", "kill-sweep", "--only", &arguments.only]);
        command.args(arguments.long.then_some("--long"));
        if let Some(seed) = arguments.seed {
            command.args(["--seed", &seed.to_string()]);
        }
        run::finish(command)?;
    }
    Ok(())
}

/// What all of the sabotage changes.
#[cfg(test)]
pub fn harms() -> impl Iterator<Item = Harm> {
    sabotage::all().map(|one| one.harm)
}

/// Does each harm in a copy of the workspace: the sweep must find it.
fn spoil(only: &str, seed: Option<u64>) -> Result<(), Failure> {
    let chosen: Vec<_> = sabotage::all().filter(|one| one.harm.name.contains(only)).collect();
    if chosen.is_empty() {
        return Err(Failure::new(format!("no sabotage has {only:?} in its name")));
    }
    let lab = Lab::new("sabotage")?;
    lab.refuse_stale(chosen.iter().map(|one| one.harm))?;
    let all: Vec<_> = chosen.iter().flat_map(|one| one.parts).copied().collect();
    build(&lab)?;
    for part in &all {
        if let Some(found) = find(&lab, part, seed)? {
            return Err(Failure::new(format!("without any sabotage, {found}")));
        }
    }
    let mut missed = 0;
    for one in &chosen {
        let started = Instant::now();
        let found = lab.with(&one.harm, || {
            build(&lab)?;
            let mut parts = one.parts.iter();
            parts.find_map(|part| find(&lab, part, seed).transpose()).transpose()
        })?;
        missed += usize::from(found.is_none());
        let found = found.unwrap_or_else(|| "NOT NOTICED".to_owned());
        println!("{:<44} {:>4} s  {found}", one.harm.name, started.elapsed().as_secs());
    }
    println!("{} sabotaged, {missed} not noticed", chosen.len());
    if missed == 0 { Ok(()) } else { Err(Failure::new("the sweep does not notice everything")) }
}

fn proof(lab: &Lab, words: &[&str]) -> Command {
    let mut command = run::cargo(&lab.work);
    command.args(words).args(["--quiet", "--release", "--package", "proof", "--target-dir"]);
    command.arg(&lab.target);
    // Optimised enough to have few instructions, and built quickly.
    command
        .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1")
        .env("CARGO_PROFILE_RELEASE_LTO", "off")
        .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16")
        .env("CARGO_PROFILE_RELEASE_INCREMENTAL", "true")
        .env("CARGO_PROFILE_RELEASE_DEBUG", "0");
    command
}

fn build(lab: &Lab) -> Result<(), Failure> {
    let outcome = proof(lab, &["build"]).output();
    let outcome = outcome.map_err(|why| Failure::new(format!("start cargo: {why}")))?;
    let why = String::from_utf8_lossy(&outcome.stderr);
    if outcome.status.success() {
        Ok(())
    } else {
        Err(Failure::new(format!("it does not compile\n{why}")))
    }
}

/// The first failure that the sweep of `part` finds, if any. That it ends badly without one is an error.
fn find(lab: &Lab, part: &str, seed: Option<u64>) -> Result<Option<String>, Failure> {
    let mut command = proof(lab, &["run"]);
    command.args(["--", "kill-sweep", "--only", part]);
    // Of pairs, of stops and of calls a sample may miss the one that matters.
    let sampled = ["reaper", "stopped", "manager/"].iter().any(|word| part.contains(word));
    command.args(sampled.then_some("--long"));
    if let Some(seed) = seed {
        command.args(["--seed", &seed.to_string()]);
    }
    let outcome = command.output().map_err(|why| Failure::new(format!("start cargo: {why}")))?;
    let said = String::from_utf8_lossy(&outcome.stdout);
    let found = said.lines().find(|line| line.contains("FAILED"));
    match (outcome.status.success(), found) {
        (true, None) => Ok(None),
        (false, Some(line)) => Ok(Some(line.split_whitespace().collect::<Vec<_>>().join(" "))),
        _ => Err(Failure::new(format!(
            "the sweep of {part:?} ended with {} and said\n{said}\n{}",
            outcome.status,
            String::from_utf8_lossy(&outcome.stderr)
        ))),
    }
}
