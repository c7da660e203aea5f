//! Running programs: where the workspace is, what a failure looks like.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};

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
