//! Runs the models of `proof`: all of them, the quick ones, or those of a name; and the mistakes.

use std::process::ExitCode;

mod sweep;

use clap::{Args, Parser, Subcommand};
use proof::{Check, Finding, Report, Trial};

#[derive(Parser)]
#[command(name = "proof", about = "Explicit-state models of ringway's protocols", version)]
struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Searches models completely: every interleaving, every crash
    Model(Selection),
    /// Kills and stops processes at random, and accounts for each message of their queue
    Torture(proof::torture::Options),
    /// Kills processes at every instruction of every operation: survivors must find everything in order
    KillSweep(sweep::Arguments),
}

#[derive(Args)]
#[allow(clippy::struct_excessive_bools, reason = "switches of a command line")]
struct Selection {
    /// Only what every change must pass
    #[arg(long)]
    gate: bool,
    /// Mistakes in the protocols instead: each must be caught
    #[arg(long)]
    mutants: bool,
    /// Lists what there is
    #[arg(long)]
    list: bool,
    /// Prints the shortest way to what is found
    #[arg(long)]
    trace: bool,
    /// Only what has this in its name
    filter: Option<String>,
}

impl Selection {
    fn takes(&self, name: &str, is_quick: bool) -> bool {
        let named = self.filter.as_ref().is_none_or(|filter| name.contains(filter.as_str()));
        named && (is_quick || !self.gate)
    }
}

fn main() -> ExitCode {
    let good = match Arguments::parse().what {
        What::Model(selection) => search(&selection),
        What::Torture(options) => proof::torture::run(&options),
        What::KillSweep(arguments) => return sweep::run(&arguments),
    };
    if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Searches the models that were selected; true if all was as it should be.
fn search(selection: &Selection) -> bool {
    let mut ran = 0;
    let mut failed = 0;
    if !selection.mutants {
        let checks = proof::checks().into_iter();
        for check in checks.filter(|check| selection.takes(check.name, check.is_quick)) {
            ran += 1;
            failed += usize::from(!passes(&check, selection));
        }
    }
    if selection.mutants || selection.gate {
        let trials = proof::trials().into_iter();
        for trial in trials.filter(|trial| selection.takes(&trial.mutant, true)) {
            ran += 1;
            failed += usize::from(!catches(&trial, selection));
        }
    }
    println!("{ran} run, {failed} failed");
    ran > 0 && failed == 0
}

/// Whether the model holds.
fn passes(check: &Check, selection: &Selection) -> bool {
    if selection.list {
        println!("{:<26} {}", check.name, if check.is_quick { "gate" } else { "" });
        return true;
    }
    let report = check.run();
    println!("{:<26} {} {}", check.name, figures(&report), verdict(&report.finding));
    if !report.finding.holds() {
        print_trace(&report.finding);
    }
    report.finding.holds()
}

/// Whether the model with the mistake fails.
fn catches(trial: &Trial, selection: &Selection) -> bool {
    if selection.list {
        println!("{:<26} caught by {}", trial.mutant, trial.check.name);
        return true;
    }
    let report = trial.check.run();
    let finding = &report.finding;
    println!(
        "{:<26} {} {} by {}",
        trial.mutant,
        figures(&report),
        verdict(finding),
        trial.check.name
    );
    if selection.trace {
        print_trace(finding);
    }
    let caught = matches!(finding, Finding::Broken { .. } | Finding::Stuck { .. });
    caught && (selection.gate || !finding.is_of_invariant() || has_consequence(trial, selection))
}

/// Whether it shows also where nobody looks at invariants.
fn has_consequence(trial: &Trial, selection: &Selection) -> bool {
    let report = trial.check.run_without_invariants();
    let finding = &report.finding;
    println!("{:>26} {} {}", "and then", figures(&report), verdict(finding));
    if selection.trace {
        print_trace(finding);
    }
    matches!(finding, Finding::Broken { .. } | Finding::Stuck { .. })
}

fn figures(report: &Report) -> String {
    let seconds = report.took.as_secs_f64();
    let (states, moves, depth) = (report.states, report.moves, report.depth);
    format!("{states:>9} states {moves:>9} moves, {depth:>3} deep, {seconds:>6.1} s:")
}

fn verdict(finding: &Finding) -> String {
    match finding {
        Finding::Holds => "holds".into(),
        Finding::Truncated => "TRUNCATED".into(),
        Finding::Broken { rule, trace } => format!("after {} steps, {rule};", trace.len()),
        Finding::Stuck { trace } => format!("after {} steps, no way to an end;", trace.len()),
    }
}

fn print_trace(finding: &Finding) {
    if let Finding::Broken { trace, .. } | Finding::Stuck { trace } = finding {
        for (number, line) in trace.iter().enumerate() {
            println!("{:>5}. {line}", number + 1);
        }
    }
}
