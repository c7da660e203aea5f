//! The mutants: what is weakened where, and what is expected of the models.
//!
//! The texts are found in the source as they stand, so a change of the source may make an entry stale; the
//! run says which.

/// What the models do about a mutant.
#[derive(Clone, Copy)]
pub enum Expect {
    /// One of them fails.
    Killed,
    /// None fails, for this reason.
    Survives(&'static str),
}

/// One way to be wrong.
pub struct Mutant {
    pub name: &'static str,
    pub file: &'static str,
    /// Texts that stand in the file once, and what takes their place.
    pub edits: &'static [(&'static str, &'static str)],
    /// The files of models that concern it, the likeliest to fail first.
    pub models: &'static [&'static str],
    pub expect: Expect,
}

use Expect::{Killed, Survives};

const SPSC: &str = "src/ring/spsc.rs";
const BYTES: &str = "src/ring/bytes.rs";
const GRANT: &str = "src/ring/grant.rs";
const EVENT: &str = "src/event.rs";

/// Models of a ring without waiting.
const RINGS: &[&str] = &["spsc_values", "byte_records", "takeover", "close"];
const CLOSE: &[&str] = &["close"];
const WAIT: &[&str] = &["event"];
const TAKEOVER: &[&str] = &["takeover", "spsc_values"];

const fn mutant(
    name: &'static str,
    file: &'static str,
    edits: &'static [(&'static str, &'static str)],
    models: &'static [&'static str],
    expect: Expect,
) -> Mutant {
    Mutant { name, file, edits, models, expect }
}

const FENCED: &str = "the barrier just passed is a fence that releases and acquires as well; \
                      under Barrier::Asymmetric only the argument covers it";

pub const MUTANTS: &[Mutant] = &[
    // Orderings of the positions.
    mutant(
        "filled: publication relaxed",
        SPSC,
        &[("producer.tail.store(self.tail, Release)", "producer.tail.store(self.tail, Relaxed)")],
        RINGS,
        Killed,
    ),
    mutant(
        "filled: look for more relaxed",
        SPSC,
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
        SPSC,
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
        SPSC,
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
        SPSC,
        &[(
            "        let tail = ring.header.producer.tail.load(Acquire);\n        ring.capacity.filled(head, tail).ok_or(Dry",
            "        let tail = ring.header.producer.tail.load(Relaxed);\n        ring.capacity.filled(head, tail).ok_or(Dry",
        )],
        TAKEOVER,
        Survives("this tail is only checked against the head; what is taken is looked for anew"),
    ),
    mutant(
        "vacant: release relaxed",
        SPSC,
        &[("consumer.head.store(self.head, Release)", "consumer.head.store(self.head, Relaxed)")],
        RINGS,
        Killed,
    ),
    mutant(
        "vacant: look for room relaxed",
        SPSC,
        &[(
            "let head = ring.header.consumer.head.load(Acquire);\n    let Some",
            "let head = ring.header.consumer.head.load(Relaxed);\n    let Some",
        )],
        RINGS,
        Killed,
    ),
    mutant(
        "vacant: producer resumes relaxed",
        SPSC,
        &[(
            "let head = ring.header.consumer.head.load(Acquire);\n        ring.capacity.filled(head, tail).ok_or(Refusal",
            "let head = ring.header.consumer.head.load(Relaxed);\n        ring.capacity.filled(head, tail).ok_or(Refusal",
        )],
        TAKEOVER,
        Killed,
    ),
    mutant(
        "vacant: consumer resumes relaxed",
        SPSC,
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
        SPSC,
        &[(
            "        ring.barrier.light();\n        // Relaxed: the barrier orders it; what",
            "        // Relaxed: the barrier orders it; what",
        )],
        CLOSE,
        Killed,
    ),
    mutant(
        "release without barrier",
        SPSC,
        &[(
            "        ring.barrier.light();\n        // Relaxed: the barrier orders it.",
            "        // Relaxed: the barrier orders it.",
        )],
        WAIT,
        Killed,
    ),
    mutant(
        "new tail used without barrier",
        SPSC,
        &[("    if tail != known {\n        ring.barrier.light();\n    }\n", "")],
        CLOSE,
        Killed,
    ),
    mutant("close without barrier", SPSC, &[("if self.barrier.heavy() {", "{")], CLOSE, Killed),
    mutant(
        "waiter enrols without barrier",
        EVENT,
        &[("let seen_by_all = event.barrier.heavy();", "let seen_by_all = true;")],
        WAIT,
        Killed,
    ),
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
        Survives(
            "its own exchange just before acquired it; without that (barrier refused) only argument",
        ),
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
        SPSC,
        &[("if settle(ring.header, self.tail) < self.tail {", "if false {")],
        CLOSE,
        Killed,
    ),
    mutant(
        "producer goes on after the end",
        SPSC,
        &[("        self.limit = self.tail;\n", "")],
        CLOSE,
        Survives("the seal refuses every later publication too; the step keeps the tail in bounds"),
    ),
    mutant(
        "producer ignores closing",
        SPSC,
        &[("if attention & CLOSING == 0 {", "if true {")],
        CLOSE,
        Killed,
    ),
    mutant(
        "consumer ignores closing",
        SPSC,
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
        SPSC,
        &[("        settle(ring.header, tail);\n", "")],
        CLOSE,
        Survives(
            "closer or consumer settles the same position; needed where the barrier is refused",
        ),
    ),
    mutant(
        "retiring producer does not settle",
        SPSC,
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
    // Steps of the rings.
    mutant(
        "slot released before it is read",
        SPSC,
        &[(
            "        self.fetch_ahead(ring);\n        // SAFETY: the slot lies in",
            "        ring.header.consumer.head.store(self.head + 1, Release);\n        // SAFETY: the slot lies in",
        )],
        RINGS,
        Killed,
    ),
    mutant(
        "slot published before it is written",
        SPSC,
        &[(
            "        self.room(ring, 1)?;\n",
            "        self.room(ring, 1)?;\n        ring.header.producer.tail.store(self.tail + 1, Release);\n",
        )],
        RINGS,
        Killed,
    ),
    mutant(
        "producer sees room where there is none",
        SPSC,
        &[("room => Look { until: tail + room,", "room => Look { until: tail + room + 1,")],
        RINGS,
        Killed,
    ),
    mutant(
        "nobody says that the consumer waits",
        SPSC,
        &[("            return Ok(true);\n", "            return Ok(false);\n")],
        WAIT,
        Killed,
    ),
    mutant(
        "nobody says that the producer waits",
        SPSC,
        &[("ring.header.not_full.waiters[0].load(Relaxed) != 0", "false")],
        WAIT,
        Killed,
    ),
    mutant(
        "record published before its header",
        BYTES,
        &[(
            "    unsafe { ring.cells().write(place.header, RECORD | place.len as u64) };\n    side.publish(ring, place.span())",
            "    let published = side.publish(ring, place.span());\n    unsafe { ring.cells().write(place.header, RECORD | place.len as u64) };\n    published",
        )],
        &["byte_records"],
        Killed,
    ),
    mutant(
        "padding without header",
        BYTES,
        &[("    if place.skip > 0 {", "    if false {")],
        &["byte_records"],
        Killed,
    ),
    mutant(
        "padding is not given back",
        BYTES,
        &[(
            "    side.release(ring, place.span())",
            "    side.release(ring, place.span() - place.skip as u64)",
        )],
        &["byte_records"],
        Killed,
    ),
    mutant(
        "record reserved without its whole room",
        BYTES,
        &[(
            "if side.room(ring, place.span())? < place.span() {",
            "if side.room(ring, place.span())? == 0 {",
        )],
        &["byte_records"],
        Killed,
    ),
    // Events.
    mutant(
        "epoch: notification relaxed",
        EVENT,
        &[("self.line.epoch.fetch_add(1, SeqCst)", "self.line.epoch.fetch_add(1, Relaxed)")],
        WAIT,
        Killed,
    ),
    mutant(
        "epoch: waiter's look relaxed",
        EVENT,
        &[("self.line.epoch.load(Acquire)", "self.line.epoch.load(Relaxed)")],
        WAIT,
        Killed,
    ),
    mutant(
        "waiters: bit set relaxed",
        EVENT,
        &[("fetch_or(event.bit(), SeqCst)", "fetch_or(event.bit(), Relaxed)")],
        WAIT,
        Survives(FENCED),
    ),
    mutant(
        "waiters: bit cleared relaxed",
        EVENT,
        &[("fetch_and(!self.event.bit(), SeqCst)", "fetch_and(!self.event.bit(), Relaxed)")],
        WAIT,
        Survives("who leaves was woken after the change, which orders its look for more"),
    ),
    mutant(
        "notification does not change the epoch",
        EVENT,
        &[("        self.line.epoch.fetch_add(1, SeqCst);\n", "")],
        WAIT,
        Killed,
    ),
    mutant(
        "notification wakes nobody",
        EVENT,
        &[("        self.line.epoch.wake(count);\n", "        let _ = count;\n")],
        WAIT,
        Killed,
    ),
    mutant(
        "waiter sleeps on an epoch read after its try",
        EVENT,
        &[(
            "self.line.epoch.wait(epoch, asleep_until.min(deadline.0))",
            "let _ = epoch;\n            self.line.epoch.wait(self.line.epoch.load(Acquire), asleep_until.min(deadline.0))",
        )],
        WAIT,
        Killed,
    ),
    mutant(
        "waiter sets no bit",
        EVENT,
        &[("            event.line.waiters[0].fetch_or(event.bit(), SeqCst);\n", "")],
        WAIT,
        Killed,
    ),
    mutant(
        "bit cleared while another thread waits",
        EVENT,
        &[(
            "        *threads -= 1;\n        if *threads == 0 {",
            "        *threads -= 1;\n        {",
        )],
        WAIT,
        Killed,
    ),
    mutant(
        "baton dropped",
        EVENT,
        &[("        if (self.more)() {\n            self.event.notify(1);\n        }\n", "")],
        WAIT,
        Killed,
    ),
    mutant(
        "a change that happens once wakes one",
        EVENT,
        &[("self.wake(u32::MAX);", "self.wake(1);")],
        WAIT,
        Killed,
    ),
    // Notifications of the grants.
    mutant(
        "committed grant notifies nobody",
        GRANT,
        &[(
            "if self.side.publish(self.ring, self.slots.len() as u64).map_err(refused)? {",
            "if self.side.publish(self.ring, self.slots.len() as u64).map_err(refused)? && false {",
        )],
        WAIT,
        Killed,
    ),
    mutant(
        "released grant notifies nobody",
        GRANT,
        &[(
            "if self.side.release(self.ring, self.slots.len() as u64) {",
            "if self.side.release(self.ring, self.slots.len() as u64) && false {",
        )],
        WAIT,
        Killed,
    ),
    mutant(
        "committed record notifies nobody",
        GRANT,
        &[(
            "if bytes::commit(self.ring, self.side, self.place, len).map_err(refused)? {",
            "if bytes::commit(self.ring, self.side, self.place, len).map_err(refused)? && false {",
        )],
        WAIT,
        Killed,
    ),
    mutant(
        "released record notifies nobody",
        GRANT,
        &[(
            "if bytes::release(self.ring, self.side, self.place) {",
            "if bytes::release(self.ring, self.side, self.place) && false {",
        )],
        WAIT,
        Killed,
    ),
];
