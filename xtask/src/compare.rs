//! Two versions of the library doing the same work: the benchmark of each is built, and the two programs take turns.
//!
//! The machine changes from minute to minute, so figures of two runs say little. Here a ratio is taken within each round, of
//! two programs that ran one right after the other, in an order that changes from round to round.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::run::{self, Failure};

/// Nanoseconds of each work, by cell and contestant.
type Figures = BTreeMap<String, f64>;

/// Compares the work tree with `revision`, in cells whose name contains `filter`.
pub fn run(revision: &str, filter: &str, rounds: usize, thousands: u64) -> Result<(), Failure> {
    let root = run::root()?;
    let place = root.join("target/compare");
    let tree = Tree::new(&root, &place.join("tree"), revision)?;
    let programs =
        [build(&tree.place, &place.join("before"))?, build(&root, &place.join("after"))?];
    let mut ratios: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    for round in 0..rounds {
        let (first, second) = (round % 2, 1 - round % 2);
        let one = measure(&programs[first], filter, thousands)?;
        let other = measure(&programs[second], filter, thousands)?;
        let (before, after) = if first == 0 { (one, other) } else { (other, one) };
        for (work, nanos) in before {
            if let Some(now) = after.get(&work) {
                ratios.entry(work).or_default().push(nanos / now);
            }
        }
    }
    if ratios.is_empty() {
        return Err(Failure::new(format!("no work of both versions has {filter:?} in its name")));
    }
    println!("| work | rate to that of {revision}, median of {rounds} | least | most |");
    println!("|---|---|---|---|");
    for (work, mut ratios) in ratios {
        ratios.sort_by(f64::total_cmp);
        let (least, most) = (ratios[0], ratios[ratios.len() - 1]);
        println!("| {work} | {:.2} | {least:.2} | {most:.2} |", ratios[ratios.len() / 2]);
    }
    Ok(())
}

/// Another version's sources, for as long as they are needed.
struct Tree {
    root: PathBuf,
    place: PathBuf,
}

impl Tree {
    fn new(root: &Path, place: &Path, revision: &str) -> Result<Self, Failure> {
        let mut git = Command::new("git");
        git.current_dir(root).args(["worktree", "add", "--force", "--quiet", "--detach"]);
        git.arg(place).arg(revision);
        let status = git.status().map_err(|why| Failure::new(format!("start git: {why}")))?;
        if status.success() {
            Ok(Self { root: root.to_owned(), place: place.to_owned() })
        } else {
            Err(Failure::of("git worktree add", status))
        }
    }
}

impl Drop for Tree {
    fn drop(&mut self) {
        let mut git = Command::new("git");
        git.current_dir(&self.root).args(["worktree", "remove", "--force"]).arg(&self.place);
        let _ = git.status();
    }
}

/// The benchmark that `sources` make.
fn build(sources: &Path, target: &Path) -> Result<PathBuf, Failure> {
    let mut command = run::cargo(sources);
    command.args(["build", "--release", "--quiet", "--package", "rivals", "--target-dir"]);
    command.arg(target);
    run::finish(command)?;
    Ok(target.join("release/rivals"))
}

/// One round of a benchmark: what ringway took for each work.
fn measure(program: &Path, filter: &str, thousands: u64) -> Result<Figures, Failure> {
    let mut command = Command::new(program);
    command.args(["--rounds", "1", "--thousands", &thousands.to_string(), filter]);
    let output = command.output().map_err(|why| Failure::new(format!("start rivals: {why}")))?;
    if !output.status.success() {
        return Err(Failure::of("rivals", output.status));
    }
    Ok(String::from_utf8_lossy(&output.stdout).lines().filter_map(figure).collect())
}

/// What a row of the benchmark's table says of ringway.
fn figure(row: &str) -> Option<(String, f64)> {
    let columns: Vec<&str> = row.split('|').map(str::trim).collect();
    let [_, cell, contestant, time, ..] = columns[..] else { return None };
    let (number, unit) = time.split_once(' ')?;
    let scale = if unit == "ns" { 1.0 } else { 1e3 };
    let nanos: f64 = number.parse().ok()?;
    contestant.starts_with("ringway").then(|| (format!("{cell}, {contestant}"), nanos * scale))
}

#[cfg(test)]
mod tests {
    use super::figure;

    #[test]
    fn rows_of_ringway_are_understood_and_others_are_not() {
        let row = "| queue 1-1 8 B | ringway, threads | 12.50 ns | 1 ns | 2 ns | 1.00 |";
        assert_eq!(figure(row), Some(("queue 1-1 8 B, ringway, threads".to_owned(), 12.5)));
        let row = "| wake | ringway | 28.40 µs | 1 µs | 2 µs | 1.00 |";
        assert_eq!(figure(row), Some(("wake, ringway".to_owned(), 28_400.0)));
        for row in ["| queue | ArrayQueue | 1.00 ns |", "| cell | contestant | median |", "text"] {
            assert_eq!(figure(row), None);
        }
    }
}
