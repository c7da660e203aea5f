//! Orderings of a ring between many: its cursors, and the end that is set in one of them.

use super::Expect::{Killed, Survives};
use super::{AGAIN, FILL, MPMC, Mutant, REAP, TAKE, mutant};

pub const MUTANTS: &[Mutant] = &[
    mutant(
        "tail: claimers' looks relaxed",
        FILL,
        &[
            (
                "let seen = CursorWord(tail.load(Acquire));",
                "let seen = CursorWord(tail.load(Relaxed));",
            ),
            (
                "let mut seen = CursorWord(tail.load(Acquire));",
                "let mut seen = CursorWord(tail.load(Relaxed));",
            ),
        ],
        &["claims", "reap"],
        Killed,
    ),
    mutant(
        "tail: claim relaxed",
        FILL,
        &[
            (
                "tail.compare_exchange(seen.0, claimed.0, SeqCst, Relaxed).ok()?",
                "tail.compare_exchange(seen.0, claimed.0, Relaxed, Relaxed).ok()?",
            ),
            (
                "match tail.compare_exchange(seen.0, claimed.0, SeqCst, Acquire)",
                "match tail.compare_exchange(seen.0, claimed.0, Relaxed, Acquire)",
            ),
        ],
        &["reap", "claims"],
        Killed,
    ),
    mutant(
        "tail: lost claim relaxed",
        FILL,
        &[(
            "match tail.compare_exchange(seen.0, claimed.0, SeqCst, Acquire)",
            "match tail.compare_exchange(seen.0, claimed.0, SeqCst, Relaxed)",
        )],
        &["claims", "reap"],
        Killed,
    ),
    mutant(
        "tail: second look relaxed",
        FILL,
        &[(
            "let now = CursorWord(self.header.tail.tail.load(Acquire));",
            "let now = CursorWord(self.header.tail.tail.load(Relaxed));",
        )],
        &["claims", "reap"],
        Killed,
    ),
    mutant(
        "tail: reaper's look relaxed",
        REAP,
        &[(
            "CursorWord(ring.header.tail.tail.load(Acquire))",
            "CursorWord(ring.header.tail.tail.load(Relaxed))",
        )],
        &["reap"],
        Killed,
    ),
    mutant(
        "tail: look for the end relaxed",
        MPMC,
        &[(
            "CursorWord(self.header.tail.tail.load(Acquire)).is_closed()",
            "CursorWord(self.header.tail.tail.load(Relaxed)).is_closed()",
        )],
        &["queue_close"],
        Killed,
    ),
    mutant(
        "tail: end set relaxed",
        MPMC,
        &[("fetch_or(CursorWord::CLOSED, SeqCst)", "fetch_or(CursorWord::CLOSED, Relaxed)")],
        &["queue_close"],
        Killed,
    ),
    mutant(
        "tail: help to end relaxed",
        TAKE,
        &[("fetch_or(CursorWord::CLOSED, SeqCst)", "fetch_or(CursorWord::CLOSED, Relaxed)")],
        &["queue_close"],
        Killed,
    ),
    mutant(
        "closed: flag set relaxed",
        MPMC,
        &[("closed.store(1, crate::primitive::Ordering::Release)", "closed.store(1, Relaxed)")],
        &["queue_close"],
        Killed,
    ),
    mutant(
        "closed: look relaxed",
        TAKE,
        &[("self.header.gate.closed.load(Acquire)", "self.header.gate.closed.load(Relaxed)")],
        &["queue_close"],
        Killed,
    ),
    mutant(
        "head: claimers' looks relaxed",
        TAKE,
        &[
            (
                "let seen = CursorWord(head.head.load(Acquire));",
                "let seen = CursorWord(head.head.load(Relaxed));",
            ),
            (
                "let mut seen = CursorWord(head.load(Acquire));",
                "let mut seen = CursorWord(head.load(Relaxed));",
            ),
        ],
        &["claims", "reap"],
        Killed,
    ),
    mutant(
        "head: claim relaxed",
        TAKE,
        &[
            (
                "head.head.compare_exchange(seen.0, claimed.0, SeqCst, Relaxed).ok()?",
                "head.head.compare_exchange(seen.0, claimed.0, Relaxed, Relaxed).ok()?",
            ),
            (
                "            match head.compare_exchange(seen.0, claimed.0, SeqCst, Acquire)",
                "            match head.compare_exchange(seen.0, claimed.0, Relaxed, Acquire)",
            ),
        ],
        &["reap", "claims"],
        Killed,
    ),
    mutant(
        "head: claim to pass over relaxed",
        TAKE,
        &[(
            "CursorWord::new(after(position, 1), side.member.0);\n        // ORDERING(head), ORDERING(claims): as in `claim_filled`.\n        let head = &self.header.head.head;\n        match head.compare_exchange(seen.0, claimed.0, SeqCst, Acquire)",
            "CursorWord::new(after(position, 1), side.member.0);\n        let head = &self.header.head.head;\n        match head.compare_exchange(seen.0, claimed.0, Relaxed, Acquire)",
        )],
        &["reap"],
        Killed,
    ),
    mutant(
        "head: lost claim relaxed",
        TAKE,
        &[(
            "            match head.compare_exchange(seen.0, claimed.0, SeqCst, Acquire)",
            "            match head.compare_exchange(seen.0, claimed.0, SeqCst, Relaxed)",
        )],
        &["claims", "reap"],
        Killed,
    ),
    mutant(
        "head: second look relaxed",
        TAKE,
        &[(
            "let now = CursorWord(self.header.head.head.load(Acquire));",
            "let now = CursorWord(self.header.head.head.load(Relaxed));",
        )],
        &["claims", "reap"],
        Killed,
    ),
    mutant(
        "head: reaper's look relaxed",
        REAP,
        &[(
            "CursorWord(ring.header.head.head.load(Acquire))",
            "CursorWord(ring.header.head.head.load(Relaxed))",
        )],
        &["reap"],
        Killed,
    ),
    mutant(
        "head: look of who takes again relaxed",
        AGAIN,
        &[(
            "CursorWord(self.header.head.head.load(Acquire)).position()",
            "CursorWord(self.header.head.head.load(Relaxed)).position()",
        )],
        &["redelivery"],
        Survives(
            "the redelivery word was acquired before, and with it the head that who put back had seen",
        ),
    ),
];
