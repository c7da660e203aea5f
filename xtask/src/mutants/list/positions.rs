//! Orderings of the positions, and barriers.

use super::Expect::{Killed, Survives};
use super::{
    CLOSE, CONSUMER, EVENT, FENCED, Mutant, PRODUCER, RINGS, SPSC, TAKEOVER, WAIT, mutant,
};

pub const MUTANTS: &[Mutant] = &[
    // Orderings of the positions.
    mutant(
        "filled: publication relaxed",
        PRODUCER,
        &[("producer.tail.store(self.tail, Release)", "producer.tail.store(self.tail, Relaxed)")],
        RINGS,
        Killed,
    ),
    mutant(
        "filled: look for more relaxed",
        CONSUMER,
        &[(
            "let tail = ring.header.producer.tail.load(Acquire);\n    if tail != known",
            "let tail = ring.header.producer.tail.load(Relaxed);\n    if tail != known",
        )],
        RINGS,
        Survives(
            "the light barrier after a new tail is a fence that acquires it; on weaker hardware only the argument covers it",
        ),
    ),
    mutant(
        "filled: look for more relaxed, unfenced",
        CONSUMER,
        &[(
            "let tail = ring.header.producer.tail.load(Acquire);\n    if tail != known {\n        ring.barrier.light();\n    }",
            "let tail = ring.header.producer.tail.load(Relaxed);",
        )],
        RINGS,
        Killed,
    ),
    mutant(
        "filled: closer's look relaxed",
        SPSC,
        &[(
            "settle(self.header, self.header.producer.tail.load(Acquire))",
            "settle(self.header, self.header.producer.tail.load(Relaxed))",
        )],
        CLOSE,
        Killed,
    ),
    mutant(
        "filled: producer resumes relaxed",
        PRODUCER,
        &[(
            "let tail = ring.header.producer.tail.load(Acquire);\n        // ORDERING(vacant): as in",
            "let tail = ring.header.producer.tail.load(Relaxed);\n        // ORDERING(vacant): as in",
        )],
        TAKEOVER,
        Survives(
            "the consumer's barrier hides it: loom's fence also acquires what threads in its past have \
             read; the successor's Acquire is needed by the memory model and argued",
        ),
    ),
    mutant(
        "filled: consumer resumes relaxed",
        CONSUMER,
        &[(
            "        let tail = ring.header.producer.tail.load(Acquire);\n        ring.capacity.filled(head, tail).ok_or(Dry",
            "        let tail = ring.header.producer.tail.load(Relaxed);\n        ring.capacity.filled(head, tail).ok_or(Dry",
        )],
        TAKEOVER,
        Survives("this tail is only checked against the head; what is taken is looked for anew"),
    ),
    mutant(
        "vacant: release relaxed",
        CONSUMER,
        &[("consumer.head.store(self.head, Release)", "consumer.head.store(self.head, Relaxed)")],
        RINGS,
        Killed,
    ),
    mutant(
        "vacant: look for room relaxed",
        PRODUCER,
        &[(
            "let head = ring.header.consumer.head.load(Acquire);\n    let Some",
            "let head = ring.header.consumer.head.load(Relaxed);\n    let Some",
        )],
        RINGS,
        Killed,
    ),
    mutant(
        "vacant: producer resumes relaxed",
        PRODUCER,
        &[(
            "let head = ring.header.consumer.head.load(Acquire);\n        ring.capacity.filled(head, tail).ok_or(Refusal",
            "let head = ring.header.consumer.head.load(Relaxed);\n        ring.capacity.filled(head, tail).ok_or(Refusal",
        )],
        TAKEOVER,
        Killed,
    ),
    mutant(
        "vacant: consumer resumes relaxed",
        CONSUMER,
        &[(
            "let head = ring.header.consumer.head.load(Acquire);\n        // ORDERING(filled): as in",
            "let head = ring.header.consumer.head.load(Relaxed);\n        // ORDERING(filled): as in",
        )],
        TAKEOVER,
        Survives(FENCED),
    ),
    // Barriers.
    mutant(
        "publication without barrier",
        PRODUCER,
        &[(
            "        ring.barrier.light();\n        // Relaxed: the barrier orders it; what",
            "        // Relaxed: the barrier orders it; what",
        )],
        CLOSE,
        Killed,
    ),
    mutant(
        "release without barrier",
        CONSUMER,
        &[(
            "        self.barrier.light();\n        // Relaxed: the barrier orders it.",
            "        // Relaxed: the barrier orders it.",
        )],
        WAIT,
        Killed,
    ),
    mutant(
        "new tail used without barrier",
        CONSUMER,
        &[("    if tail != known {\n        ring.barrier.light();\n    }\n", "")],
        CLOSE,
        Killed,
    ),
    mutant("close without barrier", SPSC, &[("if self.barrier.heavy() {", "{")], CLOSE, Killed),
    mutant(
        "waiter enrols without barrier",
        EVENT,
        &[("let seen_by_all = self.barrier.heavy();", "let seen_by_all = true;")],
        WAIT,
        Killed,
    ),
];
