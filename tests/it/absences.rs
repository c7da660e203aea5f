//! What the source does not contain: layers know only what lies below them.

use std::fs;
use std::path::{Path, PathBuf};

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// Paths below `src` and the text of each, without comments and unit tests.
fn files() -> Vec<(String, String)> {
    fn collect(folder: &Path, into: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { collect(&path, into) } else { into.push(path) }
        }
    }
    let mut paths = Vec::new();
    collect(&source(), &mut paths);
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "rs"));
    let read = |path: PathBuf| {
        let name = path.strip_prefix(source()).unwrap().to_str().unwrap().to_owned();
        let text = fs::read_to_string(&path).unwrap();
        let code = text.split("#[cfg(test)]\nmod tests").next().unwrap();
        let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
        (name, lines.collect::<Vec<_>>().join("\n"))
    };
    let files: Vec<(String, String)> = paths.into_iter().map(read).collect();
    assert!(files.len() > 15, "the source was not found");
    files
}

/// Files outside `allowed` (prefixes) that contain any of `words`.
fn offenders(words: &[&str], within: &str, allowed: &[&str]) -> Vec<String> {
    let concerned = files().into_iter().filter(|(name, _)| {
        name.starts_with(within) && !allowed.iter().any(|prefix| name.starts_with(prefix))
    });
    let mut found = Vec::new();
    for (name, text) in concerned {
        for word in words.iter().filter(|word| text.contains(**word)) {
            found.push(format!("{name}: {word}"));
        }
    }
    found
}

const NONE: [String; 0] = [];

#[test]
fn rings_know_nothing_of_segments_members_channels_time_or_the_system() {
    let words = [
        "crate::segment",
        "crate::sys",
        "crate::member",
        "crate::channel",
        "std::time",
        "libc",
        "std::fs",
        "std::io",
        "std::thread",
        "std::process",
    ];
    assert_eq!(offenders(&words, "ring/", &[]), NONE);
    assert_eq!(offenders(&words, "lock/", &[]), NONE);
}

#[test]
fn channels_ask_the_system_for_the_barrier_only() {
    assert_eq!(offenders(&["crate::sys"], "channel/", &["channel/options/plan.rs"]), NONE);
    let options =
        files().into_iter().find(|(name, _)| name == "channel/options/plan.rs").unwrap().1;
    let named: Vec<&str> = options.lines().filter(|line| line.contains("crate::sys")).collect();
    assert!(named.iter().all(|line| line.contains("crate::sys::barrier")), "{named:?}");
    assert_eq!(offenders(&["unsafe"], "channel/", &["channel/mod.rs"]), NONE);
    assert_eq!(offenders(&["unsafe", "crate::sys"], "block", &[]), NONE);
    assert_eq!(offenders(&["unsafe", "crate::sys"], "sync/", &["sync/mod.rs"]), NONE);
    assert_eq!(offenders(&["unsafe"], "manager/", &["manager/mod.rs"]), NONE);
    let system = files().into_iter().filter(|(name, _)| name.starts_with("manager/"));
    let lines: Vec<String> = system
        .flat_map(|(_, text)| text.lines().map(str::to_owned).collect::<Vec<_>>())
        .filter(|line| line.contains("crate::sys"))
        .collect();
    assert!(lines.iter().all(|line| line == "use crate::sys::fork;"), "{lines:?}");
}

#[test]
fn the_memory_format_does_no_input_or_output() {
    let words = ["std::fs", "std::io", "crate::sys", "crate::segment", "crate::member", "unsafe"];
    assert_eq!(offenders(&words, "layout", &[]), NONE);
}

#[test]
fn the_system_is_called_from_one_folder() {
    assert_eq!(offenders(&["libc::", "use libc", "memmap2"], "", &["sys/"]), NONE);
    let above = ["crate::ring", "crate::segment", "crate::member", "crate::layout", "crate::event"];
    assert_eq!(offenders(&above, "sys/", &[]), NONE);
}

#[test]
fn loom_is_named_in_the_facade_and_nowhere_else() {
    let allowed = ["primitive", "lib.rs", "layout"];
    assert_eq!(offenders(&["cfg(loom)", "not(loom)", "loom::"], "", &allowed), NONE);
}

#[test]
fn unsafe_code_stays_in_the_files_that_say_why() {
    let allowed = ["sys/", "segment", "primitive", "ring/", "lock/data.rs"];
    assert_eq!(offenders(&["unsafe {", "unsafe fn", "unsafe impl"], "", &allowed), NONE);
    for (name, text) in files() {
        let has = ["unsafe {", "unsafe fn", "unsafe impl"].iter().any(|word| text.contains(word));
        let squeezed: String = text.split_whitespace().collect();
        let says = squeezed.contains("allow(unsafe_code,reason=");
        assert!(!has || says, "{name} does not say why");
    }
}

#[test]
fn there_is_one_place_that_sleeps() {
    assert_eq!(
        offenders(
            &["epoch.wait(", "word.wait(", "wait_any(", "futex::wait("],
            "",
            &["event", "primitive", "sys/futex.rs"]
        ),
        NONE
    );
    assert_eq!(offenders(&["thread::sleep", "park_timeout"], "", &[]), NONE);
}

#[test]
fn nothing_prints() {
    let words = ["println!", "eprintln!", "print!(", "dbg!", "todo!", "unimplemented!"];
    assert_eq!(offenders(&words, "", &[]), NONE);
}
