//! Running the fuzz targets, with the address sanitizer and counters of coverage.
//!
//! The fuzzer is libFuzzer, which the package `libfuzzer-sys` brings and builds: it needs a C++ compiler, and
//! nothing has to be installed. (`cargo fuzz` knows the package's layout too.)

use std::fs;
use std::path::Path;
use std::process::Command;

use clap::{Args, ValueEnum};

use crate::run::{self, Failure};
use crate::sanitize::{TRIPLE, instrumented};

/// What `cargo xtask fuzz` is told.
#[derive(Args)]
pub struct Arguments {
    /// Only this target
    target: Option<Target>,
    /// How long each target runs
    #[arg(long, default_value_t = 60)]
    seconds: u32,
    /// Plays this one input again, which an earlier run has left
    #[arg(long, requires = "target")]
    input: Option<String>,
}

/// A fuzz target.
#[derive(Clone, Copy, ValueEnum)]
enum Target {
    /// A file of any content, opened as every kind of channel
    Attach,
    /// A channel in use while somebody writes to its words
    Meddle,
    /// Locks in use while somebody writes to their words
    Locks,
    /// Rings of any words, read by the library and by a reader of its own
    Words,
}

/// Counters of edges and of comparisons, which libFuzzer reads.
const COVERAGE: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
    -Cllvm-args=-sanitizer-coverage-pc-table -Cllvm-args=-sanitizer-coverage-trace-compares";
/// Seconds after which an input counts as hanging: far more than a busy machine keeps one waiting.
const HANGS: u32 = 120;

impl Target {
    fn name(self) -> &'static str {
        match self {
            Self::Attach => "attach",
            Self::Meddle => "meddle",
            Self::Locks => "locks",
            Self::Words => "words",
        }
    }
}

/// Builds the targets, and runs one or each for some seconds.
pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let package = run::root()?.join("fuzz");
    let place = run::root()?.join("target/fuzz");
    let mut build =
        instrumented(&package, &format!("-Zsanitizer=address {COVERAGE} --cfg fuzzing"));
    build.args(["build", "--release", "--bins", "--features", "poison", "--target", TRIPLE]);
    build.arg("--target-dir").arg(&place);
    run::finish(build)?;
    let programs = place.join(TRIPLE).join("release");
    let targets = arguments.target.map_or(Target::value_variants().to_vec(), |one| vec![one]);
    targets.into_iter().try_for_each(|target| fuzz(&package, &programs, target, arguments))
}

fn fuzz(package: &Path, programs: &Path, target: Target, told: &Arguments) -> Result<(), Failure> {
    let name = target.name();
    let (corpus, found) = (package.join("corpus").join(name), package.join("artifacts").join(name));
    for directory in [&corpus, &found] {
        fs::create_dir_all(directory)
            .map_err(|why| Failure::new(format!("make {}: {why}", directory.display())))?;
    }
    let mut fuzzer = Command::new(programs.join(name));
    fuzzer.current_dir(package).arg(format!("-timeout={HANGS}"));
    fuzzer.arg(format!("-artifact_prefix={}/", found.display()));
    match &told.input {
        Some(input) => fuzzer.arg(input),
        None => fuzzer
            .arg(format!("-max_total_time={}", told.seconds))
            .args(["-max_len=1024", "-print_final_stats=1"])
            .arg(&corpus)
            .arg(package.join("seeds").join(name)),
    };
    println!("xtask: fuzz {name}");
    let mut process =
        fuzzer.spawn().map_err(|why| Failure::new(format!("start the fuzzer {name}: {why}")))?;
    let status = process.wait().map_err(|why| Failure::new(format!("wait for {name}: {why}")))?;
    clean_up_behind(process.id());
    if status.success() { Ok(()) } else { Err(Failure::of(&format!("fuzz {name}"), status)) }
}

/// Removes the channels of a fuzzer that died in the middle of an input.
fn clean_up_behind(process: u32) {
    let left = format!("ringway.fuzz.{process}-");
    let entries = Path::new("/dev/shm").read_dir().into_iter().flatten().flatten();
    for entry in entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(&left)) {
        let _ = fs::remove_file(entry.path());
    }
}

/// Formatting and clippy of the package, which the workspace does not have.
pub fn lint() -> Result<(), Failure> {
    let root = run::root()?;
    let cargo = |words: &[&str]| {
        let mut command = run::cargo(&root.join("fuzz"));
        command.args(words);
        run::finish(command)
    };
    cargo(&["fmt", "--check"])?;
    let target = root.join("target");
    let target = target.to_str().ok_or_else(|| Failure::new("the workspace's path is no text"))?;
    cargo(&[
        "clippy",
        "--no-default-features",
        "--all-targets",
        "--target-dir",
        target,
        "--",
        "-D",
        "warnings",
    ])
}

/// The targets without a fuzzer: kept seeds, and random inputs for some seconds.
pub fn gate() -> Result<(), Failure> {
    let root = run::root()?;
    let mut command = run::cargo(&root.join("fuzz"));
    command.args(["test", "--no-default-features", "--target-dir"]).arg(root.join("target"));
    command.args(["--test", "seeds", "--", "--nocapture"]);
    run::finish(command)
}
