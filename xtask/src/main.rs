//! The one door to every check: `cargo xtask help` lists them.
//!
//! This package only drives: models live in `loom-tests/` and `proof/`, tests in `tests/`. A check that fails, or that
//! checked nothing, ends with an exit code that is not zero.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod checks;
mod compare;
mod fuzz;
mod header;
mod lab;
mod loom;
mod model;
mod mutants;
mod run;
mod sanitize;
mod sweep;
mod torture;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "The one door to every check of ringway", version)]
struct Arguments {
    #[command(subcommand)]
    check: Check,
}

#[derive(Subcommand)]
enum Check {
    /// Runs what a change must pass: tests, doctests, examples, and the models of the gate
    Test,
    /// Runs the models, with every interleaving up to a number of preemptions
    Loom {
        /// Preemptions in one interleaving, or `none` for no bound
        #[arg(long, default_value = loom::GATE_BOUND, value_parser = loom::parse_bound)]
        bound: String,
        /// Only models whose name contains this
        filter: Option<String>,
    },
    /// Searches the explicit-state models of `proof/`: all, or `--gate`, `--mutants`, `--list`, a name
    #[command(disable_help_flag = true)]
    Model {
        /// What `proof model` is given
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Weakens the protocols one place at a time: a model must fail each time
    Mutants {
        /// Lists the mutants and what is expected of them
        #[arg(long)]
        list: bool,
        /// Only mutants whose name contains this
        filter: Option<String>,
    },
    /// Runs the benchmark of this version and that of another in turn
    Compare {
        /// The other version, as git names it
        revision: String,
        /// Only work whose name contains this
        #[arg(default_value = "")]
        filter: String,
        /// Turns of both
        #[arg(long, default_value_t = 11)]
        rounds: usize,
        /// Messages in one sample of a stream, in thousands
        #[arg(long, default_value_t = 1000)]
        thousands: u64,
    },
    /// Runs the tests under the compiler's address sanitizer
    Sanitize,
    /// Feeds memory that no correct peer writes to the library, under a sanitizer
    Fuzz(fuzz::Arguments),
    /// Kills and stops processes at random and accounts for each message: `--seconds N`, `--long`, `--help` for more
    #[command(disable_help_flag = true)]
    Torture {
        /// What `proof torture` is given
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Kills processes at every instruction of every operation: survivors must find everything in order
    KillSweep(sweep::Arguments),
    /// Makes include/ringway.h of the layout
    Header,
    /// Checks formatting, lints and documentation
    Lint,
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().check {
        Check::Test => checks::test(),
        Check::Loom { bound, filter } => loom::run(&bound, filter.as_deref()),
        Check::Model { arguments } => model::run(&arguments),
        Check::Mutants { list: true, filter } => {
            mutants::show(filter.as_deref().unwrap_or_default());
            Ok(())
        }
        Check::Mutants { list: false, filter } => {
            mutants::run(filter.as_deref().unwrap_or_default())
        }
        Check::Compare { revision, filter, rounds, thousands } => {
            compare::run(&revision, &filter, rounds, thousands)
        }
        Check::Sanitize => sanitize::run(),
        Check::Fuzz(arguments) => fuzz::run(&arguments),
        Check::Torture { arguments } => torture::run(&arguments),
        Check::KillSweep(arguments) => sweep::run(&arguments),
        Check::Header => header::write(),
        Check::Lint => checks::lint(),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("xtask: {}", failure.message);
            ExitCode::from(failure.code)
        }
    }
}
