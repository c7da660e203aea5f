//! Steps of the rings and of the events.

use super::Expect::{Killed, Survives};
use super::{BYTES, CONSUMER, EVENT, FENCED, GRANT, Mutant, PRODUCER, RINGS, WAIT, mutant};

pub const MUTANTS: &[Mutant] = &[
    // Steps of the rings.
    mutant(
        "slot released before it is read",
        CONSUMER,
        &[(
            "        unsafe { self.ring.cells.read(self.ring.capacity.index(self.side.head)) }",
            "        self.ring.header.consumer.head.store(self.side.head + 1, Release);\n        unsafe { self.ring.cells.read(self.ring.capacity.index(self.side.head)) }",
        )],
        RINGS,
        Killed,
    ),
    mutant(
        "line kept of a slot that was released",
        CONSUMER,
        &[(
            "        unsafe { ring.cells.keep_lines(ring.capacity.index(side.head), 1) };\n        side.advance(ring, 1)",
            "        let (index, awaited) = (ring.capacity.index(side.head), side.advance(ring, 1));\n        unsafe { ring.cells.keep_lines(index, 1) };\n        awaited",
        )],
        RINGS,
        Killed,
    ),
    mutant(
        "lines kept of slots that were released",
        CONSUMER,
        &[(
            "        self.keep_lines(ring, count);\n        self.released = count;\n        self.advance(ring, count)",
            "        let awaited = self.advance(ring, count);\n        self.head -= count;\n        self.keep_lines(ring, count);\n        self.head += count;\n        self.released = count;\n        awaited",
        )],
        RINGS,
        Killed,
    ),
    mutant(
        "slot published before it is written",
        PRODUCER,
        &[(
            "        self.room(ring, 1)?;\n",
            "        self.room(ring, 1)?;\n        ring.header.producer.tail.store(self.tail + 1, Release);\n",
        )],
        RINGS,
        Killed,
    ),
    mutant(
        "producer sees room where there is none",
        PRODUCER,
        &[("Look { until: tail + room,", "Look { until: tail + room + 1,")],
        RINGS,
        Killed,
    ),
    mutant(
        "nobody says that the consumer waits",
        PRODUCER,
        &[("            return Ok(true);\n", "            return Ok(false);\n")],
        WAIT,
        Killed,
    ),
    mutant(
        "nobody says that the producer waits",
        CONSUMER,
        &[("self.header.not_full.waiters[0].load(Relaxed) != 0", "false")],
        WAIT,
        Killed,
    ),
    mutant(
        "record published before its header",
        BYTES,
        &[(
            "    unsafe { ring.cells().write(place.header, &header_word(kind, place.len)) };\n    side.publish(ring, place.span())",
            "    let published = side.publish(ring, place.span());\n    unsafe { ring.cells().write(place.header, &header_word(kind, place.len)) };\n    published",
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
        &[("fetch_or(bit, SeqCst)", "fetch_or(bit, Relaxed)")],
        WAIT,
        Survives(FENCED),
    ),
    mutant(
        "waiters: bit cleared relaxed",
        EVENT,
        &[("fetch_and(!bit, SeqCst)", "fetch_and(!bit, Relaxed)")],
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
        &[("let answered = self.line.epoch.wake(count) > 0;", "let answered = count > 0;")],
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
        "sleep not counted",
        EVENT,
        &[("        self.line.sleeps.fetch_add(1, SeqCst);\n", "")],
        WAIT,
        Killed,
    ),
    mutant(
        "who woke nobody wakes nobody ever",
        EVENT,
        &[("if local.settled.load(Acquire) == sleeps {", "if local.settled.load(Acquire) != 0 {")],
        WAIT,
        Killed,
    ),
    mutant(
        "sleeps: waiter's count relaxed",
        EVENT,
        &[("self.line.sleeps.fetch_add(1, SeqCst)", "self.line.sleeps.fetch_add(1, Relaxed)")],
        WAIT,
        Survives(FENCED),
    ),
    mutant(
        "sleeps: notifier's look relaxed",
        EVENT,
        &[("self.line.sleeps.load(Acquire)", "self.line.sleeps.load(Relaxed)")],
        WAIT,
        Survives(
            "loom performs the accesses of a thread in their order: a waiter never reads its epoch after it counted",
        ),
    ),
    mutant("waiter sets no bit", EVENT, &[("            event.enroll(true);\n", "")], WAIT, Killed),
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
