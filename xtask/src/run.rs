//! Running programs: where the workspace is, what a failure looks like.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

/// Why a check failed, and the exit code that says so.
#[derive(Debug)]
pub struct Failure {
    /// What is printed.
    pub message: String,
    /// What the process ends with; a child's own code where there is one.
    pub code: u8,
}

impl Failure {
    /// A failure found here.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), code: 1 }
    }

    /// The failure of `what`, which ended with `status`.
    pub fn of(what: &str, status: ExitStatus) -> Self {
        let code = status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1);
        Self { message: format!("{what}: {status}"), code: code.max(1) }
    }
}

/// The workspace: the directory above this package's, as cargo tells it.
pub fn root() -> Result<PathBuf, Failure> {
    let package = std::env::var_os("CARGO_MANIFEST_DIR")
        .ok_or_else(|| Failure::new("run it through cargo: cargo xtask"))?;
    let parent = Path::new(&package).parent().map(Path::to_path_buf);
    parent.ok_or_else(|| Failure::new("the package has no directory above it"))
}

/// The cargo that runs this program, for work in `directory`.
pub fn cargo(directory: &Path) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(directory);
    command
}

/// How a command reads on a terminal.
pub fn shown(command: &Command) -> String {
    let words = command.get_args().map(|word| word.to_string_lossy().into_owned());
    format!("cargo {}", words.collect::<Vec<_>>().join(" "))
}

/// Runs `command` and passes its failure on.
pub fn finish(mut command: Command) -> Result<(), Failure> {
    let what = shown(&command);
    println!("xtask: {what}");
    let status = command.status().map_err(|why| Failure::new(format!("start {what}: {why}")))?;
    if status.success() { Ok(()) } else { Err(Failure::of(&what, status)) }
}

/// Runs `command`, which runs tests, and passes its failure on. How many passed: a filter may leave none.
pub fn finish_tests(mut command: Command) -> Result<u64, Failure> {
    command.stdout(Stdio::piped());
    let what = shown(&command);
    println!("xtask: {what}");
    let mut child = command.spawn().map_err(|why| Failure::new(format!("start {what}: {why}")))?;
    let output = child.stdout.take().expect("it was piped");
    let mut passed = 0;
    for line in BufReader::new(output).lines().map_while(Result::ok) {
        passed += passed_in(&line).unwrap_or(0);
        println!("{line}");
    }
    let status = child.wait().map_err(|why| Failure::new(format!("wait for {what}: {why}")))?;
    if status.success() { Ok(passed) } else { Err(Failure::of(&what, status)) }
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
}
