//! Rows that one writes and others read.

use super::Expect::Killed;
use super::{Mutant, mutant};

const ROW: &str = "src/lock/row.rs";
const OF_ROWS: &[&str] = &["rows"];

pub const MUTANTS: &[Mutant] = &[
    mutant(
        "row: changed without saying so",
        ROW,
        &[("self.edition.store(edition | 1, Relaxed);", "")],
        OF_ROWS,
        Killed,
    ),
    mutant(
        "row: begun without release",
        ROW,
        &[("self.edition.store(edition, Release);", "self.edition.store(edition, Relaxed);")],
        OF_ROWS,
        Killed,
    ),
    mutant(
        "row: a number without release",
        ROW,
        &[("word.store(number, Release);", "word.store(number, Relaxed);")],
        OF_ROWS,
        Killed,
    ),
    mutant(
        "row: the edition read without acquire",
        ROW,
        &[("self.edition.load(Acquire)", "self.edition.load(Relaxed)")],
        OF_ROWS,
        Killed,
    ),
    mutant(
        "row: a number read without acquire",
        ROW,
        &[("word.load(Acquire)", "word.load(Relaxed)")],
        OF_ROWS,
        Killed,
    ),
    mutant(
        "row: the edition not looked at again",
        ROW,
        &[("edition & 1 == 0 && self.edition.load(Relaxed) == edition", "edition & 1 == 0")],
        OF_ROWS,
        Killed,
    ),
    mutant(
        "row: an odd edition believed",
        ROW,
        &[("edition & 1 == 0 && self.edition", "self.edition")],
        OF_ROWS,
        Killed,
    ),
];
