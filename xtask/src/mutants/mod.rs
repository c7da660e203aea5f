//! Mutants: the protocols with one ordering weakened, one fence or one step dropped, at a time.
//!
//! A model that no mutant fails checks nothing, and an ordering that no model needs is a claim without
//! proof. So each mutant in the list is built in a copy of the workspace and given to the models that
//! concern it: one of them must fail. One that survives is listed with the reason.
//!
//! A mutant counts as killed when a model panics, deadlocks, aborts or does not end in time, never when it
//! fails to compile. An entry whose text is not found exactly once is stale, and that is an error too.

use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use crate::lab::{Harm, Lab};
use crate::loom;
use crate::run::Failure;
use list::{Expect, Mutant};

mod list;

/// How long one file of models may take with one mutant.
const LIMIT: Duration = Duration::from_mins(3);

/// Prints the mutants whose name contains `filter`.
pub fn show(filter: &str) {
    for mutant in list::all().filter(|mutant| mutant.name.contains(filter)) {
        match mutant.expect {
            Expect::Killed => println!("{:<44} killed", mutant.name),
            Expect::Survives(reason) => println!("{:<44} survives: {reason}", mutant.name),
        }
    }
}

/// Runs the mutants whose name contains `filter`.
pub fn run(filter: &str) -> Result<(), Failure> {
    let chosen: Vec<_> = list::all().filter(|mutant| mutant.name.contains(filter)).collect();
    if chosen.is_empty() {
        return Err(Failure::new(format!("no mutant has {filter:?} in its name")));
    }
    let lab = Trials(Lab::new("mutants")?);
    lab.0.refuse_stale(chosen.iter().map(|mutant| harm(mutant)))?;
    // The originals are checked first: where a model fails anyway, every mutant would look killed.
    let mut files: Vec<&str> = chosen.iter().flat_map(|mutant| mutant.models).copied().collect();
    files.sort_unstable();
    files.dedup();
    if let Verdict::Killed(by) = lab.verdict(&files)? {
        return Err(Failure::new(format!("without any mutant, {by}")));
    }
    let mut unexpected = 0;
    for mutant in &chosen {
        let started = Instant::now();
        let verdict = lab.try_mutant(mutant)?;
        let outcome = match (&verdict, mutant.expect) {
            (Verdict::Killed(by), Expect::Killed) => format!("killed: {by}"),
            (Verdict::Survived, Expect::Survives(reason)) => format!("survives: {reason}"),
            (verdict, _) => {
                unexpected += 1;
                format!("UNEXPECTED: {verdict}")
            }
        };
        println!("{:<44} {:>4} s  {outcome}", mutant.name, started.elapsed().as_secs());
    }
    println!("{} mutants, {unexpected} unexpected", chosen.len());
    if unexpected == 0 { Ok(()) } else { Err(Failure::new("some mutants did not do as expected")) }
}

/// What the models said about a mutant.
enum Verdict {
    /// Which model failed, or how the run ended.
    Killed(String),
    /// All of them passed.
    Survived,
}

impl std::fmt::Display for Verdict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Verdict::Killed(by) => write!(f, "killed: {by}"),
            Verdict::Survived => f.write_str("survived"),
        }
    }
}

/// A copy of the workspace to do harm to, and the models.
struct Trials(Lab);

impl Trials {
    /// Applies `mutant`, asks the models, and puts the file back.
    fn try_mutant(&self, mutant: &Mutant) -> Result<Verdict, Failure> {
        self.0.with(&harm(mutant), || self.verdict(mutant.models))
    }

    /// Builds, then runs each file of models until one fails.
    fn verdict(&self, files: &[&str]) -> Result<Verdict, Failure> {
        let mut build = loom::models(&self.0.work, &self.0.target, loom::GATE_BOUND);
        build.arg("--quiet").arg("--no-run");
        build.args(files.iter().flat_map(|file| ["--test", file]));
        let outcome = build.output().map_err(|why| Failure::new(format!("start cargo: {why}")))?;
        if !outcome.status.success() {
            let why = String::from_utf8_lossy(&outcome.stderr).into_owned();
            return Err(Failure::new(format!("it does not compile\n{why}")));
        }
        for file in files {
            if let Verdict::Killed(by) = self.run_file(file)? {
                return Ok(Verdict::Killed(by));
            }
        }
        Ok(Verdict::Survived)
    }

    /// Runs one file of models until the first of them fails or time is up.
    fn run_file(&self, file: &str) -> Result<Verdict, Failure> {
        let mut command = loom::models(&self.0.work, &self.0.target, loom::GATE_BOUND);
        command.args(["--quiet", "--test", file, "--", "--format", "pretty"]);
        command.stdout(Stdio::piped()).stderr(Stdio::null()).process_group(0);
        let mut child =
            command.spawn().map_err(|why| Failure::new(format!("start cargo: {why}")))?;
        let lines = lines_of(&mut child);
        let deadline = Instant::now() + LIMIT;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match lines.recv_timeout(left) {
                Ok(line) => {
                    if let Some(test) = failed_test(&line) {
                        end(&mut child);
                        return Ok(Verdict::Killed(format!("{file}::{test}")));
                    }
                }
                Err(mpsc::RecvTimeoutError::Timeout) => {
                    end(&mut child);
                    return Ok(Verdict::Killed(format!("{file} did not end in time")));
                }
                Err(mpsc::RecvTimeoutError::Disconnected) => break,
            }
        }
        let status = child.wait().map_err(|why| Failure::new(format!("wait for cargo: {why}")))?;
        // A panic on the way out of a panic aborts before the harness can name the test.
        Ok(if status.success() {
            Verdict::Survived
        } else {
            Verdict::Killed(format!("{file} died"))
        })
    }
}

/// The lines that `child` prints, as they come.
fn lines_of(child: &mut Child) -> mpsc::Receiver<String> {
    let output = child.stdout.take().expect("it was piped");
    let (sender, lines) = mpsc::channel();
    std::thread::spawn(move || {
        let read = BufReader::new(output).lines().map_while(Result::ok);
        // Nobody listens any more once a model has failed.
        read.map_while(|line| sender.send(line).ok()).for_each(drop);
    });
    lines
}

/// The test that a line of the harness says has failed.
fn failed_test(line: &str) -> Option<&str> {
    line.strip_prefix("test ")?.strip_suffix(" ... FAILED")
}

/// Ends `child` and whatever it started: it leads a process group of its own.
fn end(child: &mut Child) {
    let group = format!("-{}", child.id());
    // Gone already is as good.
    let _ = Command::new("kill").args(["-KILL", "--", &group]).stderr(Stdio::null()).status();
    let _ = child.wait();
}

/// What all of them change.
#[cfg(test)]
pub fn harms() -> impl Iterator<Item = Harm> {
    list::all().map(harm)
}

/// What a mutant changes.
fn harm(mutant: &Mutant) -> Harm {
    Harm { name: mutant.name, file: mutant.file, edits: mutant.edits }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_every_mutant_changes_something() {
        let all: Vec<_> = list::all().collect();
        for (i, mutant) in all.iter().enumerate() {
            assert!(all[..i].iter().all(|other| other.name != mutant.name), "{}", mutant.name);
            assert!(!mutant.edits.is_empty() && !mutant.models.is_empty(), "{}", mutant.name);
            assert!(mutant.edits.iter().all(|(from, to)| from != to), "{}", mutant.name);
        }
    }

    #[test]
    fn a_failed_test_is_recognised() {
        assert_eq!(failed_test("test closing ... FAILED"), Some("closing"));
        assert_eq!(failed_test("test closing ... ok"), None);
    }
}
