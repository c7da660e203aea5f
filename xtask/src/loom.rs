//! Running the models: the flags that a loom build needs, and the count that proves it ran.

use std::path::Path;
use std::process::Command;

use crate::run::{self, Failure};

/// The bound of every change's check.
pub const GATE_BOUND: &str = "3";

/// A number of preemptions, or `none`.
pub fn parse_bound(text: &str) -> Result<String, String> {
    match text.parse::<u8>() {
        Ok(_) => Ok(text.to_owned()),
        Err(_) if text == "none" => Ok(text.to_owned()),
        Err(why) => Err(format!("a number of preemptions or `none`: {why}")),
    }
}

/// Makes `command` build for loom, whatever flags the environment has besides.
///
/// Optimised, because models run the same code millions of times, but linked quickly; with assertions.
pub fn configure(command: &mut Command) {
    let flags = std::env::var("RUSTFLAGS").unwrap_or_default();
    command
        .env("RUSTFLAGS", format!("{flags} --cfg loom").trim())
        // It would hide RUSTFLAGS.
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .env("CARGO_PROFILE_RELEASE_LTO", "off")
        .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16")
        .env("CARGO_PROFILE_RELEASE_DEBUG", "0")
        .env("CARGO_PROFILE_RELEASE_DEBUG_ASSERTIONS", "true");
}

/// `cargo test` of the models in the workspace at `root`, built in `target`.
pub fn models(root: &Path, target: &Path, bound: &str) -> Command {
    let mut command = run::cargo(root);
    command.args(["test", "--release", "--package", "loom-tests", "--target-dir"]).arg(target);
    command.env("RINGWAY_LOOM_BOUND", bound);
    configure(&mut command);
    command
}

/// Runs the models whose name contains `filter`; that none did is a failure.
pub fn run(bound: &str, filter: Option<&str>) -> Result<(), Failure> {
    let root = run::root()?;
    let mut command = models(&root, &root.join("target/loom"), bound);
    command.arg("--tests").arg("--").args(filter);
    let passed = run::finish_tests(command)?;
    if passed == 0 {
        let which = filter.map(|filter| format!(" with {filter:?} in its name"));
        return Err(Failure::new(format!("no model{} ran", which.unwrap_or_default())));
    }
    println!("{passed} models passed");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_is_a_number_or_none() {
        assert!(parse_bound("3").is_ok() && parse_bound("none").is_ok());
        assert!(parse_bound("three").is_err() && parse_bound("-1").is_err());
    }
}
