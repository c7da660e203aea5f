//! Steps of a ring between many: claims, batches, the end.

use super::Expect::Killed;
use super::{FILL, MPMC, Mutant, READ, TAKE, mutant};

pub const MUTANTS: &[Mutant] = &[
    mutant(
        "batch claims what is not vacant",
        FILL,
        &[(
            "(1..most).find(|&count| !is_vacant(count)).unwrap_or(most)",
            "{ let _ = is_vacant; most }",
        )],
        &["batches"],
        Killed,
    ),
    mutant(
        "batch takes what is not filled",
        TAKE,
        &[(
            "(1..most).find(|&count| !is_filled(count)).unwrap_or(most)",
            "{ let _ = is_filled; most }",
        )],
        &["batches"],
        Killed,
    ),
    mutant(
        "batch gives a slot back before it is read",
        READ,
        &[(
            "            *place = unsafe { self.slots.read(index) };",
            "            self.give_back(index, self.geometry.reading(position, side.member.0));\n            *place = unsafe { self.slots.read(index) };",
        )],
        &["batches"],
        Killed,
    ),
    mutant(
        "queue keeps the lines of a slot that it gave back",
        TAKE,
        &[(
            "        unsafe { self.slots.keep_lines(index, claim.len) };\n        self.give_back(index, claim.word);",
            "        self.give_back(index, claim.word);\n        unsafe { self.slots.keep_lines(index, claim.len) };",
        )],
        &["claims", "close"],
        Killed,
    ),
    mutant(
        "batch keeps the lines of a slot that it gave back",
        READ,
        &[(
            "            unsafe { self.slots.keep_lines(index, 0) };\n            self.give_back(index, self.geometry.reading(position, side.member.0));",
            "            self.give_back(index, self.geometry.reading(position, side.member.0));\n            unsafe { self.slots.keep_lines(index, 0) };",
        )],
        &["batches"],
        Killed,
    ),
    mutant(
        "message committed before it is written",
        FILL,
        &[(
            "        // 6. SAFETY: the slot was claimed and is in WRITING for this member.\n        unsafe { self.slots.write(index, value) };\n        self.fill(index, claim.word);",
            "        self.fill(index, claim.word);\n        unsafe { self.slots.write(index, value) };",
        )],
        &["claims"],
        Killed,
    ),
    mutant(
        "aborted slot given back by a store",
        TAKE,
        &[(
            "let _ = self.word(position).compare_exchange(aborted.0, vacant.0, AcqRel, Relaxed);",
            "let _ = aborted;\n                self.word(position).store(vacant.0, Release);",
        )],
        &["aborts"],
        Killed,
    ),
    mutant(
        "old look of a sender taken for a corruption",
        FILL,
        &[(
            "        if now != seen {\n            return Ok(now);\n        }\n",
            "        let _ = now;\n",
        )],
        &["claims"],
        Killed,
    ),
    mutant(
        "old look of a receiver taken for a corruption",
        TAKE,
        &[(
            "        if now != seen {\n            return Ok(now);\n        }\n",
            "        let _ = now;\n",
        )],
        &["claims"],
        Killed,
    ),
    mutant(
        "claim accepted after the end",
        FILL,
        &[(
            "nearest != self.geometry.vacant(first) || seen.is_closed()",
            "nearest != self.geometry.vacant(first)",
        )],
        &["queue_close"],
        Killed,
    ),
    mutant(
        "end by the flag alone",
        MPMC,
        &[("        self.header.tail.tail.fetch_or(CursorWord::CLOSED, SeqCst);\n", "")],
        &["queue_close"],
        Killed,
    ),
    mutant(
        "flag alone makes drained",
        TAKE,
        &[("fetch_or(CursorWord::CLOSED, SeqCst)", "load(SeqCst)")],
        &["queue_close"],
        Killed,
    ),
    mutant(
        "drained although claims are out",
        TAKE,
        &[("() if tail.position() != position => match", "() if false => match")],
        &["queue_close"],
        Killed,
    ),
];
