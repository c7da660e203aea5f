//! Running the models: the flags that a loom build needs, and the count that proves it ran.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

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
    command.arg("--tests").arg("--").args(filter).stdout(Stdio::piped());
    let what = run::shown(&command);
    println!("xtask: {what}");
    let mut child = command.spawn().map_err(|why| Failure::new(format!("start {what}: {why}")))?;
    let output = child.stdout.take().expect("it was piped");
    let mut passed = 0;
    for line in BufReader::new(output).lines().map_while(Result::ok) {
        passed += passed_in(&line).unwrap_or(0);
        println!("{line}");
    }
    let status = child.wait().map_err(|why| Failure::new(format!("wait for {what}: {why}")))?;
    if !status.success() {
        return Err(Failure::of(&what, status));
    }
    if passed == 0 {
        let which = filter.map(|filter| format!(" with {filter:?} in its name"));
        return Err(Failure::new(format!("no model{} ran", which.unwrap_or_default())));
    }
    println!("{passed} models passed");
    Ok(())
}

/// How many tests a summary line of the test harness says have passed.
fn passed_in(line: &str) -> Option<u64> {
    line.strip_prefix("test result: ok. ")?.split(' ').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn summary_lines_are_counted_and_others_are_not() {
        assert_eq!(passed_in("test result: ok. 12 passed; 0 failed; 0 ignored"), Some(12));
        assert_eq!(passed_in("test result: FAILED. 12 passed; 1 failed"), None);
        assert_eq!(passed_in("test values_arrive ... ok"), None);
    }

    #[test]
    fn a_bound_is_a_number_or_none() {
        assert!(parse_bound("3").is_ok() && parse_bound("none").is_ok());
        assert!(parse_bound("three").is_err() && parse_bound("-1").is_err());
    }
}
