//! Running the torture of `proof/`, optimised: what counts is how many deaths fall into how many different instructions.

use crate::run::{self, Failure};

/// Runs `proof torture` with `arguments`.
pub fn run(arguments: &[String]) -> Result<(), Failure> {
    let mut command = run::cargo(&run::root()?);
    command.args(["run", "--quiet", "--release", "--package", "proof", "--", "torture"]);
    command.args(arguments);
    run::finish(command)
}

/// What every change must pass: fourteen seconds, of both policies, of messages of all lengths, of a queue that grows, of pipes and of locks.
pub fn gate() -> Result<(), Failure> {
    run(&["--seconds", "4"].map(str::to_owned))?;
    run(&["--seconds", "2", "--at-most-once"].map(str::to_owned))?;
    run(&["--seconds", "2", "--large"].map(str::to_owned))?;
    run(&["--seconds", "2", "--growing"].map(str::to_owned))?;
    run(&["--seconds", "2", "--pipes"].map(str::to_owned))?;
    run(&["--seconds", "2", "--locks"].map(str::to_owned))
}
