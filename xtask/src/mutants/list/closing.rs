//! The agreement on where the stream ends.

use super::Expect::{Killed, Survives};
use super::{CLOSE, CONSUMER, Mutant, PRODUCER, SPSC, mutant};

pub const MUTANTS: &[Mutant] = &[
    // Closing.
    mutant(
        "closing: request relaxed",
        SPSC,
        &[("fetch_or(CLOSING, Release)", "fetch_or(CLOSING, Relaxed)")],
        CLOSE,
        Killed,
    ),
    mutant(
        "closing: look relaxed",
        SPSC,
        &[("waiters[0].load(Acquire) & CLOSING", "waiters[0].load(Relaxed) & CLOSING")],
        CLOSE,
        Killed,
    ),
    mutant(
        "seal: exchange relaxed",
        SPSC,
        &[("SEALED | proposal, AcqRel, Acquire)", "SEALED | proposal, Relaxed, Acquire)")],
        CLOSE,
        Killed,
    ),
    mutant(
        "seal: failed exchange relaxed",
        SPSC,
        &[("SEALED | proposal, AcqRel, Acquire)", "SEALED | proposal, AcqRel, Relaxed)")],
        CLOSE,
        Survives("the consumer loads the seal again, with Acquire; the producer only compares it"),
    ),
    mutant(
        "seal: consumer's look relaxed",
        SPSC,
        &[("seal.seal.load(Acquire)", "seal.seal.load(Relaxed)")],
        CLOSE,
        Killed,
    ),
    mutant(
        "seal: no look acquires",
        SPSC,
        &[
            ("SEALED | proposal, AcqRel, Acquire)", "SEALED | proposal, AcqRel, Relaxed)"),
            ("seal.seal.load(Acquire)", "seal.seal.load(Relaxed)"),
        ],
        CLOSE,
        Killed,
    ),
    mutant(
        "a later proposal replaces the seal",
        SPSC,
        &[(
            "match header.seal.seal.compare_exchange(0, SEALED | proposal, AcqRel, Acquire) {",
            "header.seal.seal.store(SEALED | proposal, std::sync::atomic::Ordering::SeqCst);\n    match Ok::<u64, u64>(0) {",
        )],
        CLOSE,
        Killed,
    ),
    mutant(
        "producer accepts without settling",
        PRODUCER,
        &[("if settle(ring.header, self.tail) < self.tail {", "if false {")],
        CLOSE,
        Killed,
    ),
    mutant(
        "producer goes on after the end",
        PRODUCER,
        &[("        self.limit = self.tail;\n", "")],
        CLOSE,
        Survives("the seal refuses every later publication too; the step keeps the tail in bounds"),
    ),
    mutant(
        "producer ignores closing",
        PRODUCER,
        &[("if attention & CLOSING == 0 {", "if true {")],
        CLOSE,
        Killed,
    ),
    mutant(
        "consumer ignores closing",
        CONSUMER,
        &[(
            "    if ring.is_closing() {\n        return match look",
            "    if false {\n        return match look",
        )],
        CLOSE,
        Killed,
    ),
    mutant(
        "consumer goes beyond the seal",
        SPSC,
        &[("Some(_) => Ok(end),", "Some(_) => Ok(ring.header.producer.tail.load(Acquire)),")],
        CLOSE,
        Killed,
    ),
    mutant(
        "consumer leaves a dead closer's work undone",
        SPSC,
        &[("    ring.close();\n", "")],
        CLOSE,
        Killed,
    ),
    mutant(
        "producer without room does not settle",
        PRODUCER,
        &[("        settle(ring.header, tail);\n", "")],
        CLOSE,
        Survives(
            "closer or consumer settles the same position; needed where the barrier is refused",
        ),
    ),
    mutant(
        "retiring producer does not settle",
        PRODUCER,
        &[(
            "        if ring.is_closing() {\n            settle(ring.header, self.tail);\n        }\n",
            "",
        )],
        CLOSE,
        Survives("as above: in a loom build the barrier is never refused"),
    ),
    mutant(
        "closer reads the tail first",
        SPSC,
        &[
            (
                "        self.header.not_empty.waiters[0].fetch_or(CLOSING, Release);",
                "        let early = self.header.producer.tail.load(Acquire);\n        self.header.not_empty.waiters[0].fetch_or(CLOSING, Release);",
            ),
            ("            self.settle_at_tail();\n", "            settle(self.header, early);\n"),
        ],
        CLOSE,
        Killed,
    ),
];
