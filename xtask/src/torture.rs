//! Running the torture of `proof/`, optimised: what counts is how many deaths fall into how many different instructions.

use crate::run::{self, Failure};

/// Runs `proof torture` with `arguments`.
pub fn run(arguments: &[String]) -> Result<(), Failure> {
    let mut command = run::cargo(&run::root()?);
    command.args(["run", "--quiet", "--release", "--package", "proof", "--", "torture"]);
    command.args(arguments);
    run::finish(command)
}

/// What every change must pass: ten seconds, of both policies.
pub fn gate() -> Result<(), Failure> {
    run(&["--seconds", "6"].map(str::to_owned))?;
    run(&["--seconds", "4", "--at-most-once"].map(str::to_owned))
}
