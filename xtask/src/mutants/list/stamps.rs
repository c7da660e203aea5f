//! Orderings of a ring between many: the words of its slots.

use super::Expect::{Killed, Survives};
use super::{AGAIN, FILL, Mutant, REAP, TAKE, mutant};

pub const MUTANTS: &[Mutant] = &[
    mutant(
        "vacant: looks relaxed",
        FILL,
        &[
            ("if slot.load(Acquire) != vacant.0", "if slot.load(Relaxed) != vacant.0"),
            (
                "let word = |count| SlotWord(self.word(after(first, count)).load(Acquire));",
                "let word = |count| SlotWord(self.word(after(first, count)).load(Relaxed));",
            ),
        ],
        &["claims", "batches"],
        Killed,
    ),
    mutant(
        "vacant: look of the claim loop relaxed",
        FILL,
        &[(
            "let word = |count| SlotWord(self.word(after(first, count)).load(Acquire));",
            "let word = |count| SlotWord(self.word(after(first, count)).load(Relaxed));",
        )],
        &["batches"],
        Killed,
    ),
    mutant(
        "vacant: slot given back relaxed",
        TAKE,
        &[(
            "store(self.geometry.next_vacant_of(word).0, Release)",
            "store(self.geometry.next_vacant_of(word).0, Relaxed)",
        )],
        &["claims"],
        Killed,
    ),
    mutant(
        "vacant: aborted slot given back relaxed",
        TAKE,
        &[(
            "compare_exchange(aborted.0, vacant.0, AcqRel, Relaxed)",
            "compare_exchange(aborted.0, vacant.0, Relaxed, Relaxed)",
        )],
        &["aborts", "certify"],
        Survives(
            "who passes over touches no payload, and a swap carries on the release of who gave the slot up",
        ),
    ),
    mutant(
        "filled: looks relaxed",
        TAKE,
        &[
            ("if slot.load(Acquire) != filled.0", "if slot.load(Relaxed) != filled.0"),
            (
                "let word = |count| SlotWord(self.word(after(first, count)).load(Acquire));",
                "let word = |count| SlotWord(self.word(after(first, count)).load(Relaxed));",
            ),
        ],
        &["claims"],
        Killed,
    ),
    mutant(
        "filled: look of the claim loop relaxed",
        TAKE,
        &[(
            "let word = |count| SlotWord(self.word(after(first, count)).load(Acquire));",
            "let word = |count| SlotWord(self.word(after(first, count)).load(Relaxed));",
        )],
        &["batches"],
        Killed,
    ),
    mutant(
        "filled: commit relaxed",
        FILL,
        &[("store(word.filled().0, Release)", "store(word.filled().0, Relaxed)")],
        &["claims"],
        Killed,
    ),
    mutant(
        "filled: abort relaxed",
        FILL,
        &[("store(word.aborted().0, Release)", "store(word.aborted().0, Relaxed)")],
        &["aborts"],
        Killed,
    ),
    mutant(
        "stamp: owner's to fill relaxed",
        FILL,
        &[
            ("overwrite(slot, word.0, Release)", "overwrite(slot, word.0, Relaxed)"),
            (
                "overwrite(self.word(position), word.0, Release)",
                "overwrite(self.word(position), word.0, Relaxed)",
            ),
        ],
        &["batches", "certify", "reap"],
        Killed,
    ),
    mutant(
        "stamp: owner's to take relaxed",
        TAKE,
        &[
            ("overwrite(slot, word.0, Release)", "overwrite(slot, word.0, Relaxed)"),
            (
                "overwrite(self.word(position), word.0, Release)",
                "overwrite(self.word(position), word.0, Relaxed)",
            ),
        ],
        &["batches"],
        Killed,
    ),
    mutant(
        "stamp: look at the last to fill relaxed",
        FILL,
        &[(
            "SlotWord(self.word(last).load(Acquire)) != self.geometry.vacant(last)",
            "SlotWord(self.word(last).load(Relaxed)) != self.geometry.vacant(last)",
        )],
        &["batches", "certify"],
        Killed,
    ),
    mutant(
        "stamp: look at the last to take relaxed",
        TAKE,
        &[(
            "!self.is_unstamped(last, SlotWord(self.word(last).load(Acquire)))",
            "!self.is_unstamped(last, SlotWord(self.word(last).load(Relaxed)))",
        )],
        &["batches", "certify"],
        Killed,
    ),
    mutant(
        "stamp: sender's memory of its claim relaxed",
        FILL,
        &[
            (
                "overwrite(slot, word.0, Release);\n        side.next.store(claimed.position(), Release)",
                "overwrite(slot, word.0, Release);\n        side.next.store(claimed.position(), Relaxed)",
            ),
            (
                "after(first, n)));\n                    side.next.store(claimed.position(), Release)",
                "after(first, n)));\n                    side.next.store(claimed.position(), Relaxed)",
            ),
        ],
        &["certify"],
        Killed,
    ),
    mutant(
        "stamp: look at the sender's memory relaxed",
        FILL,
        &[("self.next.load(Acquire) == position", "self.next.load(Relaxed) == position")],
        &["certify"],
        Killed,
    ),
    mutant(
        "stamp: receiver's memory of its claim relaxed",
        TAKE,
        &[
            (
                "overwrite(slot, word.0, Release);\n        side.next.store(claimed.position(), Release)",
                "overwrite(slot, word.0, Release);\n        side.next.store(claimed.position(), Relaxed)",
            ),
            (
                "after(first, n)));\n                    side.next.store(claimed.position(), Release)",
                "after(first, n)));\n                    side.next.store(claimed.position(), Relaxed)",
            ),
        ],
        &["certify"],
        Killed,
    ),
    mutant(
        "stamp: look at the receiver's memory relaxed",
        TAKE,
        &[("self.next.load(Acquire) == position", "self.next.load(Relaxed) == position")],
        &["certify"],
        Killed,
    ),
    mutant(
        "stamp: helper's look relaxed",
        REAP,
        &[(
            "SlotWord(ring.word(position).load(Acquire))",
            "SlotWord(ring.word(position).load(Relaxed))",
        )],
        &["certify", "reap"],
        Killed,
    ),
    mutant(
        "stamp: helper's swap relaxed",
        REAP,
        &[(
            "compare_exchange(found.0, changed.0, AcqRel, Acquire)",
            "compare_exchange(found.0, changed.0, Relaxed, Acquire)",
        )],
        &["certify", "reap"],
        Killed,
    ),
    mutant(
        "stamp: helper's lost swap relaxed",
        REAP,
        &[(
            "compare_exchange(found.0, changed.0, AcqRel, Acquire)",
            "compare_exchange(found.0, changed.0, AcqRel, Relaxed)",
        )],
        &["certify", "reap"],
        Survives(
            "a helper looks at each slot by itself, so it has seen what it lost to, and needs no more",
        ),
    ),
    mutant(
        "stamp: reaper's look relaxed",
        REAP,
        &[("SlotWord(word.load(Acquire))", "SlotWord(word.load(Relaxed))")],
        &["reap"],
        Survives(
            "what it changes the swap acquires, and what it only looks at was released by who stored it",
        ),
    ),
    mutant(
        "stamp: reaper's swap relaxed",
        REAP,
        &[(
            "compare_exchange(found.0, changed.0, AcqRel, Relaxed)",
            "compare_exchange(found.0, changed.0, Relaxed, Relaxed)",
        )],
        &["reap"],
        Killed,
    ),
    mutant(
        "stamp: swap of who takes again relaxed",
        AGAIN,
        &[(
            "compare_exchange(word.0, claimed.0, AcqRel, Relaxed)",
            "compare_exchange(word.0, claimed.0, Relaxed, Relaxed)",
        )],
        &["redelivery"],
        Survives(
            "the look before it has acquired, and a swap carries on the release of who put back",
        ),
    ),
];
