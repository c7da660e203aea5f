//! What the program says about itself in its results: commit, compiler, versions of the crates that take part.

use std::path::Path;
use std::process::Command;

/// What is built from: a change here makes the commit's name say so.
const SOURCES: [&str; 5] =
    ["src", "Cargo.toml", "Cargo.lock", "benches/rivals", "rust-toolchain.toml"];

/// Packages that only the harness needs.
const TOOLS: [&str; 12] = [
    "bytemuck",
    "clap",
    "ctrlc",
    "hdrhistogram",
    "indicatif",
    "libc",
    "memmap2",
    "notosans",
    "resvg",
    "ttf-parser",
    "crossbeam-utils",
    "zerocopy",
];

fn main() {
    let root = Path::new("../..");
    for source in SOURCES {
        println!("cargo::rerun-if-changed={}", root.join(source).display());
    }
    // Grows by a line with each commit, and whenever another is checked out.
    if let Some(log) = said(git(&["rev-parse", "--git-path", "logs/HEAD"])) {
        println!("cargo::rerun-if-changed={}", root.join(log).display());
    }
    let commit = said(git(&["rev-parse", "--short=10", "HEAD"]));
    let changes = said(git(&[&["status", "--porcelain", "--"][..], &SOURCES].concat()));
    let plus = if changes.is_some_and(|changes| !changes.is_empty()) { "+" } else { "" };
    let commit = commit.unwrap_or_else(|| "unknown".to_owned());
    println!("cargo::rustc-env=RIVALS_COMMIT={commit}{plus}");
    let mut compiler = Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
    compiler.arg("--version");
    let compiler = said(compiler).unwrap_or_else(|| "unknown".to_owned());
    println!("cargo::rustc-env=RIVALS_COMPILER={compiler}");
    let lock = std::fs::read_to_string(root.join("Cargo.lock")).unwrap_or_default();
    println!("cargo::rustc-env=RIVALS_VERSIONS={}", versions(&lock).join(";"));
}

fn git(arguments: &[&str]) -> Command {
    let mut git = Command::new("git");
    git.current_dir("../..").args(arguments);
    git
}

/// What a command prints, if it succeeds.
fn said(mut command: Command) -> Option<String> {
    let output = command.output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8(output.stdout).ok()?.trim().to_owned())
}

/// Names and versions of what the package depends on, as the lock file has them.
fn versions(lock: &str) -> Vec<String> {
    let packages: Vec<&str> = lock.split("[[package]]").collect();
    let field = |package: &str, name: &str| {
        let line = package.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(" = \""));
        line.map(|value| value.trim_end_matches('"').to_owned())
    };
    let named = |package: &&&str, wanted: &str| field(package, "name").as_deref() == Some(wanted);
    let Some(this) = packages.iter().find(|package| named(package, "rivals")) else {
        return Vec::new();
    };
    let (_, needs) = this.split_once("dependencies = [").unwrap_or_default();
    let needs = needs.lines().filter_map(|line| line.trim().strip_prefix('"'));
    let needs = needs.map(|line| line.trim_end_matches(['"', ',']));
    let is_tool = |need: &str| need.split(' ').next().is_some_and(|name| TOOLS.contains(&name));
    let rivals = needs.filter(|need| !is_tool(need) && !need.starts_with("serde"));
    // "name", or "name version" where there are several of that name.
    let version = |need: &str| {
        if need.contains(' ') {
            return Some(need.to_owned());
        }
        let package = packages.iter().find(|package| named(package, need))?;
        Some(format!("{need} {}", field(package, "version")?))
    };
    rivals.filter_map(version).collect()
}
