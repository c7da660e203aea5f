//! Steps of who waits at several places.

use super::Expect::Killed;
use super::{LOOK, Mutant, SEVERAL, mutant};

const MODELS: &[&str] = &["several"];

pub const MUTANTS: &[Mutant] = &[
    mutant(
        "several: waiter at the first place only",
        SEVERAL,
        &[(
            "let places = events.iter().enumerate();",
            "let places = events.iter().enumerate().take(1);",
        )],
        MODELS,
        Killed,
    ),
    mutant(
        "several: baton dropped",
        SEVERAL,
        &[("move || more(at)", "move || { let _ = (more, at); false }")],
        MODELS,
        Killed,
    ),
    mutant(
        "several: no barrier behind the bits",
        SEVERAL,
        &[("let seen_by_all = barrier.heavy();", "let _ = barrier;\n    let seen_by_all = true;")],
        MODELS,
        Killed,
    ),
    mutant(
        "several: epochs read after the try",
        SEVERAL,
        &[(
            "        let until = asleep_until.min(deadline.0);\n",
            "        let until = asleep_until.min(deadline.0);\n        words.iter_mut().for_each(|(word, epoch)| *epoch = word.load(crate::primitive::Ordering::Acquire));\n",
        )],
        MODELS,
        Killed,
    ),
    mutant(
        "several: sleeps at the first place only",
        SEVERAL,
        &[("FutexWord::wait_any(&words, until)", "FutexWord::wait_any(&words[..1], until)")],
        MODELS,
        Killed,
    ),
    mutant(
        "glimpse: what was put back is overlooked",
        LOOK,
        &[("if self.has_again() {", "if false {")],
        MODELS,
        Killed,
    ),
    mutant(
        "glimpse: the end is overlooked",
        LOOK,
        &[("if tail.position() == position {", "if false {")],
        MODELS,
        Killed,
    ),
];
