//! Running tests under the compiler's address sanitizer, on the pinned toolchain.
//!
//! All unit tests and all tests between processes, but for those that forbid system calls, since its runtime makes some of
//! its own. Leaks do not count: tests forget guards on purpose (fuzzing counts them). It does not know where a
//! mapping ends; fuzzing sets fences there.
//!
//! The thread sanitizer is not used. It was tried on queues between threads of one attachment: with the release ordering
//! of every commit taken away it found nothing, so its silence says nothing. The models in `loom-tests/` find that.

use std::path::Path;
use std::process::Command;

use crate::run::{self, Failure};

/// The sanitizer needs the target named: the build's own programs are built without it.
pub const TRIPLE: &str = "x86_64-unknown-linux-gnu";

/// A cargo command in `directory` whose results are instrumented by `flags`.
///
/// They are features of the nightly compiler; `RUSTC_BOOTSTRAP` has the pinned one accept them.
pub fn instrumented(directory: &Path, flags: &str) -> Command {
    let mut command = run::cargo(directory);
    let given = std::env::var("RUSTFLAGS").unwrap_or_default();
    command
        .env("RUSTC_BOOTSTRAP", "1")
        .env("RUSTFLAGS", format!("{given} {flags}").trim())
        // It would hide RUSTFLAGS.
        .env_remove("CARGO_ENCODED_RUSTFLAGS");
    command
}

/// Runs the tests.
pub fn run() -> Result<(), Failure> {
    let root = run::root()?;
    let mut command = instrumented(&root, "-Zsanitizer=address");
    command.args(["test", "--package", "ringway", "--lib", "--test", "it", "--target", TRIPLE]);
    command.arg("--target-dir").arg(root.join("target/sanitize"));
    command.args(["--", "--skip", "syscalls::"]);
    // A test dies of SIGBUS on purpose, and that is what its parent is to see.
    command.env("ASAN_OPTIONS", "detect_leaks=0:handle_sigbus=0");
    match run::finish_tests(command)? {
        0 => Err(Failure::new("no test ran")),
        _ => Ok(()),
    }
}
