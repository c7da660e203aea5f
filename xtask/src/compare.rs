//! Two versions of the library doing the same work: the benchmark of each is built, and the two programs take turns.
//!
//! The machine changes from minute to minute, so figures of two runs say little. Here a ratio is taken within each round, of
//! two programs that ran one right after the other, in an order that changes from round to round.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::run::{self, Failure};

/// A work and who does it.
type Pair = (String, String);

/// Messages of 8 bytes that a sample has time for in a second: what `thousands` counts.
const STREAMED_PER_SECOND: u64 = 200_000_000;
/// A sample that takes longer hangs, in seconds.
const PATIENCE: &str = "60";

/// Compares the work tree with `revision`, in works of which both know and whose name contains `filter`.
pub fn run(revision: &str, filter: &str, rounds: usize, thousands: u64) -> Result<(), Failure> {
    let root = run::root()?;
    let place = root.join("target/compare");
    let tree = Tree::new(&root, &place.join("tree"), revision)?;
    let programs =
        [build(&tree.place, &place.join("before"))?, build(&root, &place.join("after"))?];
    let [before, after] = [pairs(&programs[0])?, pairs(&programs[1])?];
    let mut works: Vec<(Pair, u64)> = after.into_iter().collect();
    works.retain(|(pair, _)| before.contains_key(pair) && shown(pair).contains(filter));
    let mut ratios: BTreeMap<Pair, Vec<f64>> = BTreeMap::new();
    for round in 0..rounds {
        let (first, second) = (round % 2, 1 - round % 2);
        for (pair, per_second) in &works {
            let count = count(*per_second, thousands);
            let Some(one) = measure(&programs[first], pair, count)? else { continue };
            let Some(other) = measure(&programs[second], pair, count)? else { continue };
            let (before, after) = if first == 0 { (one, other) } else { (other, one) };
            ratios.entry(pair.clone()).or_default().push(before / after);
        }
        // Who does not do a work once never does.
        works.retain(|(pair, _)| ratios.contains_key(pair));
    }
    if ratios.is_empty() {
        return Err(Failure::new(format!("no work of both versions has {filter:?} in its name")));
    }
    println!("| work | rate to that of {revision}, median of {rounds} | least | most |");
    println!("|---|---|---|---|");
    for (pair, mut ratios) in ratios {
        ratios.sort_by(f64::total_cmp);
        let (least, most) = (ratios[0], ratios[ratios.len() - 1]);
        println!("| {} | {:.2} | {least:.2} | {most:.2} |", shown(&pair), ratios[ratios.len() / 2]);
    }
    Ok(())
}

fn shown((work, contestant): &Pair) -> String {
    format!("{work}, {contestant}")
}

/// How many messages a sample has of which so many take a second, if it has the time of so many thousands of 8 bytes.
fn count(per_second: u64, thousands: u64) -> u64 {
    (per_second * thousands * 1000 / STREAMED_PER_SECOND).max(per_second.min(100))
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

/// What of ringway's a program can measure, and how many messages of it take about a second.
fn pairs(program: &Path) -> Result<BTreeMap<Pair, u64>, Failure> {
    let (name, mut command) = (program.display(), Command::new(program));
    let output = command.args(["list", "--json"]).output();
    let output = output.map_err(|why| Failure::new(format!("start {name}: {why}")))?;
    if !output.status.success() {
        return Err(Failure::new(format!(
            "{name} does not know `list --json`: that version is too old"
        )));
    }
    let list = serde_json::from_slice(&output.stdout);
    let list = list.map_err(|why| Failure::new(format!("understand the list of {name}: {why}")))?;
    Ok(pairs_of(&list))
}

fn pairs_of(list: &Value) -> BTreeMap<Pair, u64> {
    let all = |key: &str| list[key].as_array().into_iter().flatten();
    let ours = all("contestants").filter(|one| one["kind"] == "ringway");
    let names: Vec<&str> = ours.filter_map(|one| one["name"].as_str()).collect();
    let works = all("workloads")
        .filter_map(|work| Some((work["name"].as_str()?, work["per_second"].as_u64()?)));
    let with_all = |(work, per_second): (&str, u64)| {
        let with = |name: &&str| ((work.to_owned(), (*name).to_owned()), per_second);
        names.iter().map(with).collect::<Vec<_>>()
    };
    works.flat_map(with_all).collect()
}

/// One sample: what a message took. None if this contestant does not do this work.
fn measure(program: &Path, pair: &Pair, count: u64) -> Result<Option<f64>, Failure> {
    let (work, contestant) = pair;
    let mut command = Command::new("timeout");
    command.args(["--signal=KILL", PATIENCE]).arg(program);
    command.args(["play", contestant, work, &count.to_string()]);
    let output = command.output().map_err(|why| Failure::new(format!("start timeout: {why}")))?;
    if !output.status.success() {
        eprint!("{}", String::from_utf8_lossy(&output.stderr));
        return Err(Failure::of(&shown(pair), output.status));
    }
    let said = String::from_utf8_lossy(&output.stdout);
    value(&said).map_err(|why| Failure::new(format!("{}: said {said:?}: {why}", shown(pair))))
}

/// The figure in a sample's answer. None if it is a refusal.
fn value(said: &str) -> Result<Option<f64>, String> {
    let answer: Value = serde_json::from_str(said).map_err(|why| why.to_string())?;
    if answer["Err"].is_string() {
        return Ok(None);
    }
    answer["Ok"]["value"].as_f64().map(Some).ok_or_else(|| "it has no figure".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_figures_or_refusals() {
        assert_eq!(value(r#"{"Ok":{"value":12.5}}"#), Ok(Some(12.5)));
        assert_eq!(value(r#"{"Err":"not supported: batches"}"#), Ok(None));
        assert!(value("").is_err() && value("{}").is_err() && value(r#"{"Ok":{}}"#).is_err());
    }

    #[test]
    fn only_contestants_of_ringway_are_compared() {
        let list = serde_json::json!({
            "workloads": [{ "name": "wake 8 B", "per_second": 10_000 }],
            "contestants": [
                { "name": "ringway-queue", "kind": "ringway" },
                { "name": "rtrb", "kind": "rival" },
            ],
        });
        let pair = ("wake 8 B".to_owned(), "ringway-queue".to_owned());
        assert_eq!(shown(&pair), "wake 8 B, ringway-queue");
        assert_eq!(pairs_of(&list), BTreeMap::from([(pair, 10_000)]));
        assert!(pairs_of(&serde_json::json!({})).is_empty());
    }

    #[test]
    fn counts_follow_from_what_a_message_takes() {
        assert_eq!(count(200_000_000, 1000), 1_000_000);
        assert_eq!(count(20_000, 1000), 100);
        assert_eq!(count(20_000, 10_000), 1000);
        assert_eq!(count(1, 1000), 1, "a queue's memory is measured once");
    }
}
