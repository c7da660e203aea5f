//! What every change must pass.

use std::path::Path;
use std::process::Command;

use crate::fuzz;
use crate::loom;
use crate::model;
use crate::run::{self, Failure};
use crate::sweep;
use crate::torture;

/// Tests, doctests, examples, models.
pub fn test() -> Result<(), Failure> {
    let root = run::root()?;
    let cargo = |words: &[&str]| {
        let mut command = run::cargo(&root);
        command.args(words);
        run::finish(command)
    };
    cargo(&["test", "--workspace", "--exclude", "rivals", "--lib", "--bins", "--tests"])?;
    cargo(&["test", "--package", "ringway", "--doc", "--all-features"])?;
    cargo(&["build", "--workspace", "--all-targets"])?;
    for example in examples(&root)? {
        let mut command = run::cargo(&root);
        command.args(["run", "--quiet", "--all-features", "--example", &example]);
        if example == "tour" {
            command.args(["--", "--quick"]);
        }
        run::finish(command)?;
    }
    fuzz::gate()?;
    model::gate()?;
    sweep::gate()?;
    torture::gate()?;
    loom::run(loom::GATE_BOUND, None)
}

/// Names of the examples that are one file each, in order.
fn examples(root: &Path) -> Result<Vec<String>, Failure> {
    let directory = root.join("examples");
    if !directory.exists() {
        return Ok(Vec::new());
    }
    let entries = directory
        .read_dir()
        .map_err(|why| Failure::new(format!("read {}: {why}", directory.display())))?;
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let sources = paths.filter(|path| path.extension().is_some_and(|extension| extension == "rs"));
    let mut names: Vec<String> =
        sources.filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned())).collect();
    names.sort();
    Ok(names)
}

/// Formatting, clippy for both builds, documentation.
pub fn lint() -> Result<(), Failure> {
    let root = run::root()?;
    let cargo = |words: &[&str], adjust: fn(&mut Command)| {
        let mut command = run::cargo(&root);
        command.args(words);
        adjust(&mut command);
        run::finish(command)
    };
    cargo(&["fmt", "--all", "--check"], |_| ())?;
    let deny = ["--", "-D", "warnings"];
    cargo(&[&["clippy", "--workspace", "--all-targets"][..], &deny].concat(), |_| ())?;
    fuzz::lint()?;
    let place = ["--target-dir", "target/loom"];
    for models in [["--package", "ringway", "--lib"], ["--package", "loom-tests", "--tests"]] {
        cargo(&[&["clippy"], &models[..], &place, &deny].concat(), loom::configure)?;
    }
    cargo(&["doc", "--no-deps", "--package", "ringway", "--all-features"], |command| {
        command.env("RUSTDOCFLAGS", "-D warnings");
    })
}
