//! Locks that guard nothing: what makes visible what was done before, and what wakes who waits.

use super::Expect::{Killed, Survives};
use super::{Mutant, mutant};

const SEMAPHORE: &str = "src/lock/semaphore.rs";
const FLAG: &str = "src/lock/flag.rs";
const GATE: &str = "src/lock/gate.rs";
const PERMITS: &str = "src/lock/permits.rs";
const BARRIER: &str = "src/lock/barrier.rs";

const OF_WAITS: &[&str] = &["lock_waits"];
const OF_BARRIER: &[&str] = &["lock_barrier"];

pub const MUTANTS: &[Mutant] = &[
    mutant(
        "lock: released without release",
        SEMAPHORE,
        &[(
            "compare_exchange(found, word, Release, Relaxed)",
            "compare_exchange(found, word, Relaxed, Relaxed)",
        )],
        OF_WAITS,
        Killed,
    ),
    mutant(
        "lock: acquired without acquire",
        SEMAPHORE,
        &[(
            "if self.word.compare_exchange(found, left, Acquire, Relaxed)",
            "if self.word.compare_exchange(found, left, Relaxed, Relaxed)",
        )],
        OF_WAITS,
        Killed,
    ),
    mutant(
        "lock: acquired at once without acquire",
        SEMAPHORE,
        &[(
            "\n        self.word.compare_exchange(found, left, Acquire, Relaxed)",
            "\n        self.word.compare_exchange(found, left, Relaxed, Relaxed)",
        )],
        OF_WAITS,
        Killed,
    ),
    mutant(
        "lock: released at once without release",
        SEMAPHORE,
        &[("self.word_of(sum, 0), Release, Relaxed)", "self.word_of(sum, 0), Relaxed, Relaxed)")],
        OF_WAITS,
        Killed,
    ),
    mutant(
        "lock: released at once past a sleeper",
        SEMAPHORE,
        &[("*sum <= self.most && found & WAITED == 0", "*sum <= self.most")],
        OF_WAITS,
        Killed,
    ),
    mutant(
        "lock: who has slept and acquires leaves no mark",
        SEMAPHORE,
        &[("if *slept { WAITED } else { found & WAITED }", "found & WAITED")],
        OF_WAITS,
        Killed,
    ),
    mutant(
        "lock: a second release is nobody's",
        SEMAPHORE,
        &[("if *slept && count > 1 {", "if false {")],
        OF_WAITS,
        Killed,
    ),
    mutant(
        "lock: a flag is set without release",
        FLAG,
        &[(
            "compare_exchange(found, word, AcqRel, Relaxed)",
            "compare_exchange(found, word, Acquire, Relaxed)",
        )],
        OF_WAITS,
        Killed,
    ),
    mutant(
        "lock: a flag is seen without acquire",
        FLAG,
        &[(
            "let found = self.word.load(Acquire);\n            if found & SET",
            "let found = self.word.load(Relaxed);\n            if found & SET",
        )],
        OF_WAITS,
        Killed,
    ),
    mutant(
        "lock: a flag counts no turns",
        FLAG,
        &[(".wrapping_add(TURN) & TURNS | SET", " | SET")],
        OF_WAITS,
        Killed,
    ),
    mutant(
        "lock: a call is seen without acquire",
        GATE,
        &[("self.word.load(Acquire) & CALLS", "self.word.load(super::Relaxed) & CALLS")],
        OF_WAITS,
        Survives(
            "who is called takes the mutex, or the word of a permit: those show it what was done",
        ),
    ),
    mutant(
        "lock: who called in vain never calls again",
        GATE,
        &[(
            "if settled.0.load(Private_) != sleeps && self",
            "if settled.0.load(Private_) == 0 && self",
        )],
        OF_WAITS,
        Killed,
    ),
    mutant(
        "lock: who gave back in vain never calls again",
        GATE,
        &[("if settled.0.load(Private_) != sleeps {", "if settled.0.load(Private_) == 0 {")],
        OF_WAITS,
        Killed,
    ),
    mutant(
        "lock: no look between the count and the sleep",
        PERMITS,
        &[(
            "match self.take_free(me, first) {\n            Some(number) => Turn::Ready(Ok(number)),\n            None => ",
            "match None {\n            Some(number) => Turn::Ready(Ok(number)),\n            None => ",
        )],
        OF_WAITS,
        Killed,
    ),
    mutant(
        "lock: sleeps are looked at before the permit is given back",
        GATE,
        &[("    passed_rmw();\n        // ORDERING(gate): after", "    // ORDERING(gate): after")],
        OF_WAITS,
        Killed,
    ),
    mutant(
        "lock: a permit is looked for in no one order",
        PERMITS,
        &[("word.load(SeqCst) == 0", "word.load(Acquire) == 0")],
        OF_WAITS,
        Survives(
            "the count of the sleep before it is, for loom, a fence (`passed_rmw`), which orders any look",
        ),
    ),
    mutant(
        "lock: a permit is taken without acquire",
        PERMITS,
        &[(
            "word.compare_exchange(0, me.bits(), AcqRel, Relaxed)",
            "word.compare_exchange(0, me.bits(), super::Release, Relaxed)",
        )],
        OF_WAITS,
        Killed,
    ),
    mutant(
        "lock: parties arrive without release",
        BARRIER,
        &[(
            "compare_exchange(found, word, AcqRel, Relaxed).is_ok() {\n                if index + 1",
            "compare_exchange(found, word, Acquire, Relaxed).is_ok() {\n                if index + 1",
        )],
        OF_BARRIER,
        Killed,
    ),
    mutant(
        "lock: the last party arrives without acquire",
        BARRIER,
        &[(
            "compare_exchange(found, word, AcqRel, Relaxed).is_ok() {\n                if index + 1",
            "compare_exchange(found, word, Release, Relaxed).is_ok() {\n                if index + 1",
        )],
        OF_BARRIER,
        Killed,
    ),
    mutant(
        "lock: a round's end is seen without acquire",
        BARRIER,
        &[(
            "let found = self.word.load(Acquire);\n            if let Some(outcome)",
            "let found = self.word.load(Relaxed);\n            if let Some(outcome)",
        )],
        OF_BARRIER,
        Killed,
    ),
    mutant(
        "lock: a successor breaks no round",
        BARRIER,
        &[("if seen >> ARRIVED_SHIFT & ARRIVED > 0 {", "if false {")],
        OF_BARRIER,
        Killed,
    ),
    mutant(
        "lock: the last party wakes nobody",
        BARRIER,
        &[("if index + 1 == parties && found & WAITED != 0 {", "if false {")],
        OF_BARRIER,
        Killed,
    ),
    mutant(
        "lock: who gives up breaks a round that is over",
        BARRIER,
        &[("let is_over = Self::outcome(seen, found).is_some();", "let is_over = false;")],
        OF_BARRIER,
        Killed,
    ),
];
