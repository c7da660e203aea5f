//! Orderings of a ring between many: messages that come again, and who must not miss whom.

use super::Expect::{Killed, Survives};
use super::{AGAIN, ENROLLED, FILL, MPMC, Mutant, TAKE, mutant};

pub const MUTANTS: &[Mutant] = &[
    mutant(
        "redeliver: look relaxed",
        AGAIN,
        &[(
            "RedeliverWord(self.header.head.redeliver.load(Acquire))",
            "RedeliverWord(self.header.head.redeliver.load(Relaxed))",
        )],
        &["redelivery", "reap"],
        Killed,
    ),
    mutant(
        "redeliver: look at a slot relaxed",
        AGAIN,
        &[(
            "SlotWord(self.word(position).load(Acquire))",
            "SlotWord(self.word(position).load(Relaxed))",
        )],
        &["redelivery", "reap"],
        Survives("the swap that follows acquires"),
    ),
    mutant(
        "redeliver: slot put back relaxed",
        AGAIN,
        &[("store(word.0, Release)", "store(word.0, Relaxed)")],
        &["redelivery"],
        Killed,
    ),
    mutant(
        "redeliver: announcement relaxed",
        AGAIN,
        &[(
            "compare_exchange(seen.0, seen.raised().0, SeqCst, Relaxed)",
            "compare_exchange(seen.0, seen.raised().0, Relaxed, Relaxed)",
        )],
        &["redelivery", "queue_wake"],
        Killed,
    ),
    mutant(
        "redeliver: bit taken off relaxed",
        AGAIN,
        &[("seen.cleared().0, AcqRel, Relaxed)", "seen.cleared().0, Relaxed, Relaxed)")],
        &["redelivery"],
        Survives(
            "that the bit is off tells nobody anything, and a swap carries on the releases before it",
        ),
    ),
    mutant(
        "claims: nothing behind a sender's claim",
        FILL,
        &[
            (".ok()?;\n        passed_rmw();", ".ok()?;"),
            ("                    passed_rmw();\n", ""),
        ],
        &["queue_wake"],
        Killed,
    ),
    mutant(
        "claims: nothing behind a receiver's claim",
        TAKE,
        &[
            (".ok()?;\n        passed_rmw();", ".ok()?;"),
            ("                    passed_rmw();\n", ""),
        ],
        &["queue_wake"],
        Killed,
    ),
    mutant(
        "claims: nothing behind a slot passed over",
        TAKE,
        &[(
            "                passed_rmw();\n                let (aborted",
            "                let (aborted",
        )],
        &["queue_wake"],
        Killed,
    ),
    mutant(
        "claims: nothing behind an announcement",
        AGAIN,
        &[("                    passed_rmw();\n", "")],
        &["queue_wake"],
        Killed,
    ),
    mutant(
        "claims: looks for a sender at work relaxed",
        MPMC,
        &[
            (
                "let tail = CursorWord(self.header.tail.tail.load(SeqCst));\n        let head = CursorWord(self.header.head.head.load(SeqCst));",
                "let tail = CursorWord(self.header.tail.tail.load(Relaxed));\n        let head = CursorWord(self.header.head.head.load(Relaxed));",
            ),
            (
                "again = RedeliverWord(self.header.head.redeliver.load(SeqCst))",
                "again = RedeliverWord(self.header.head.redeliver.load(Relaxed))",
            ),
        ],
        &["queue_wake"],
        Survives(ENROLLED),
    ),
    mutant(
        "claims: looks for a receiver at work relaxed",
        MPMC,
        &[(
            "let head = CursorWord(self.header.head.head.load(SeqCst));\n        let tail = CursorWord(self.header.tail.tail.load(SeqCst));",
            "let head = CursorWord(self.header.head.head.load(Relaxed));\n        let tail = CursorWord(self.header.tail.tail.load(Relaxed));",
        )],
        &["queue_wake"],
        Survives(ENROLLED),
    ),
    mutant(
        "claims: look for what was put back relaxed at the end",
        TAKE,
        &[("redeliver.load(SeqCst)", "redeliver.load(Relaxed)")],
        &["queue_close"],
        Survives(
            "what was put back before is seen all the same, and what is put back later is for who comes later",
        ),
    ),
];
