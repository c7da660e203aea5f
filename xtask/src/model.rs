//! Running the explicit-state models, optimised: there are millions of states.

use crate::run::{self, Failure};

/// Runs `proof model` with `arguments`.
pub fn run(arguments: &[String]) -> Result<(), Failure> {
    let mut command = run::cargo(&run::root()?);
    command.args(["run", "--quiet", "--release", "--package", "proof", "--", "model"]);
    command.args(arguments);
    run::finish(command)
}

/// Those that every change must pass, and all mistakes that must be caught.
pub fn gate() -> Result<(), Failure> {
    run(&["--gate".to_owned()])
}
