//! What is asked for, and what of it exists.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::conductor::Plan;
use crate::contestant::Entry;
use crate::contestants;
use crate::workload::Workload;

/// Runs contestants side by side: every one at every work, in rounds; then writes tables and plots.
///
/// A run that was stopped goes on where it was when it is started again.
#[derive(Debug, Parser)]
#[command(name = "rivals", args_conflicts_with_subcommands = true)]
pub struct Options {
    #[command(subcommand)]
    pub command: Option<Command>,
    #[command(flatten)]
    pub run: RunOptions,
}

#[derive(Debug, Args)]
pub struct RunOptions {
    /// Only works whose name contains one of these: `rivals list` shows them
    #[arg(value_name = "FILTER")]
    pub filters: Vec<String>,
    /// Only the works that show most, in fewer rounds of shorter samples: under five minutes
    #[arg(long)]
    pub quick: bool,
    /// Rounds; in each, every contestant takes a sample of each work [default: 7, quick: 3]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub rounds: Option<u16>,
    /// What a sample should take, in milliseconds [default: 250, quick: 50]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=60_000))]
    pub millis: Option<u64>,
    /// Only these contestants, by name
    #[arg(long, value_delimiter = ',', value_name = "A,B")]
    pub contestants: Vec<String>,
    /// Drops the samples that are there
    #[arg(long)]
    pub fresh: bool,
    /// Where results go [default: target/rivals/full, or target/rivals/quick]
    #[arg(long, value_name = "DIR")]
    pub output: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Lists works and contestants
    List {
        /// For programs
        #[arg(long)]
        json: bool,
    },
    /// Writes tables and plots of results that are there, and measures nothing
    Report {
        /// A directory of results, or a file of it
        results: PathBuf,
        /// Where tables and plots go [default: where the results are]
        #[arg(long, value_name = "DIR")]
        output: Option<PathBuf>,
    },
    /// Takes one sample and prints it (used by the program itself)
    #[command(hide = true)]
    Play { contestant: String, workload: String, count: u64 },
    /// Plays the receiving process of a sample (used by the program itself)
    #[command(hide = true)]
    Follow { contestant: String, workload: String, count: u64, tokens: Vec<String> },
}

impl RunOptions {
    /// The plan, or what is wrong with the names.
    pub fn plan(&self) -> Result<Plan, String> {
        let (rounds, millis) = if self.quick { (3, 50) } else { (7, 250) };
        Ok(Plan {
            workloads: self.workloads()?,
            contestants: self.entries()?,
            rounds: usize::from(self.rounds.unwrap_or(rounds)),
            millis: self.millis.unwrap_or(millis),
        })
    }

    pub fn directory(&self) -> PathBuf {
        let usual = if self.quick { "target/rivals/quick" } else { "target/rivals/full" };
        self.output.clone().unwrap_or_else(|| usual.into())
    }

    fn workloads(&self) -> Result<Vec<Workload>, String> {
        let all = Workload::all();
        let unknown = self.filters.iter().find(|filter| {
            all.iter().all(|workload| !workload.to_string().contains(filter.as_str()))
        });
        if let Some(unknown) = unknown {
            let names: Vec<String> = all.iter().map(ToString::to_string).collect();
            let names = names.join("\n  ");
            return Err(format!("no workload has {unknown:?} in its name; there are:\n  {names}"));
        }
        let is_meant = |workload: &Workload| {
            let name = workload.to_string();
            self.filters.is_empty() || self.filters.iter().any(|filter| name.contains(filter))
        };
        let chosen: Vec<Workload> = all.into_iter().filter(is_meant).collect();
        let quick: Vec<Workload> =
            chosen.iter().copied().filter(|work| !self.quick || work.is_quick()).collect();
        if quick.is_empty() {
            return Err("none of these workloads is one of --quick: leave it out".to_owned());
        }
        Ok(quick)
    }

    fn entries(&self) -> Result<Vec<&'static Entry>, String> {
        let all = contestants::all();
        let is_there = |name: &String| all.iter().any(|entry| entry.name == name);
        if let Some(unknown) = self.contestants.iter().find(|name| !is_there(name)) {
            let names: Vec<&str> = all.iter().map(|entry| entry.name).collect();
            let names = names.join("\n  ");
            return Err(format!("no contestant is called {unknown:?}; there are:\n  {names}"));
        }
        let is_meant = |entry: &&Entry| {
            self.contestants.is_empty() || self.contestants.iter().any(|name| name == entry.name)
        };
        Ok(all.iter().filter(is_meant).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(arguments: &[&str]) -> Result<Plan, String> {
        let arguments = [&["rivals"], arguments].concat();
        let options = Options::try_parse_from(arguments).map_err(|why| why.to_string())?;
        options.run.plan()
    }

    fn works(arguments: &[&str]) -> Vec<String> {
        let plan = plan(arguments).expect("it is a plan");
        plan.workloads.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn filters_are_parts_of_names_and_any_of_them_will_do() {
        assert_eq!(works(&[]).len(), Workload::all().len());
        assert_eq!(works(&["wake 8", "spinning"]), ["round-trip spinning 8 B", "wake 8 B"]);
        assert!(works(&["--quick"]).len() < 12);
        assert_eq!(works(&["--quick", "crowd 4-4"]), ["crowd 4-4 8 B cap 1024"]);
    }

    #[test]
    fn unknown_names_list_those_that_there_are() {
        let why = plan(&["wave"]).expect_err("there is none");
        assert!(why.contains("\"wave\"") && why.contains("\n  wake 8 B"), "{why}");
        let why = plan(&["--contestants", "rtrb,rtbr"]).expect_err("there is none");
        assert!(why.contains("\"rtbr\"") && why.contains("\n  rtrb"), "{why}");
        let why = plan(&["--quick", "memory"]).expect_err("it is not quick");
        assert!(why.contains("--quick"), "{why}");
    }

    #[test]
    fn the_defaults_can_be_changed() {
        let both = |arguments: &[&str]| plan(arguments).map(|plan| (plan.rounds, plan.millis));
        assert_eq!(both(&[]), Ok((7, 250)));
        assert_eq!(both(&["--quick"]), Ok((3, 50)));
        assert_eq!(both(&["--quick", "--rounds", "2", "--millis", "30"]), Ok((2, 30)));
        assert!(plan(&["--rounds", "0"]).is_err() && plan(&["--millis", "0"]).is_err());
        let names = plan(&["--contestants", "rtrb"]).map(|plan| plan.contestants[0].name);
        assert_eq!(names, Ok("rtrb"));
    }
}
