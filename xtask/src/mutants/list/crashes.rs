//! What only a death in the middle shows: what a reaper does about each state that the dead may leave, and what others
//! finish that the dead had begun.

use super::Expect::Killed;
use super::{MPMC, Mutant, REAP, SPSC, mutant};

/// Models with a victim that is killed before each access.
const SENDERS: &[&str] = &["crash_sending"];
const RECEIVERS: &[&str] = &["crash_receiving"];

pub const MUTANTS: &[Mutant] = &[
    mutant(
        "crash: reaper leaves what was being filled",
        REAP,
        &[(
            "Some(State::Writing) if found.member() == dead.0 =>",
            "Some(State::Writing) if false =>",
        )],
        SENDERS,
        Killed,
    ),
    mutant(
        "crash: what was being filled becomes a message",
        REAP,
        &[("dead.0 => found.aborted(),", "dead.0 => found.filled(),")],
        SENDERS,
        Killed,
    ),
    mutant(
        "crash: what was claimed to be filled becomes a message",
        REAP,
        &[("then(|| geometry.aborted(position))", "then(|| geometry.filled(position))")],
        SENDERS,
        Killed,
    ),
    mutant(
        "crash: what was claimed to be filled serves again at once",
        REAP,
        &[("then(|| geometry.aborted(position))", "then(|| geometry.next_vacant(position))")],
        SENDERS,
        Killed,
    ),
    mutant(
        "crash: reaper resolves the tail after the slots",
        REAP,
        &[
            ("    reap_last_fill(ring, dead, &mut reaped);\n", ""),
            (
                "    if pending {\n",
                "    reap_last_fill(ring, dead, &mut reaped);\n    if pending {\n",
            ),
        ],
        SENDERS,
        Killed,
    ),
    mutant(
        "crash: reaper resolves the head after the slots",
        REAP,
        &[
            ("    reap_last_take(ring, dead, &mut reaped);\n", ""),
            ("    if pending {\n", "    reap_last_take(ring, dead, &mut reaped);\n    if true {\n"),
        ],
        RECEIVERS,
        Killed,
    ),
    mutant(
        "crash: reaper leaves what was being read",
        REAP,
        &[(
            "Some(State::Reading) if found.member() == dead.0 =>",
            "Some(State::Reading) if false =>",
        )],
        RECEIVERS,
        Killed,
    ),
    mutant(
        "crash: what was being read comes again unflagged",
        REAP,
        &[("AtLeastOnce => found.put_back(),", "AtLeastOnce => found.put_back_unseen(),")],
        RECEIVERS,
        Killed,
    ),
    mutant(
        "crash: what was being read is dropped by either policy",
        REAP,
        &[(
            "AtLeastOnce => found.put_back(),",
            "AtLeastOnce => ring.geometry.next_vacant_of(found),",
        )],
        RECEIVERS,
        Killed,
    ),
    mutant(
        "crash: what was being read comes again by either policy",
        REAP,
        &[(
            "AtMostOnce => ring.geometry.next_vacant_of(found),",
            "AtMostOnce => found.put_back(),",
        )],
        RECEIVERS,
        Killed,
    ),
    mutant(
        "crash: what was not read comes again flagged",
        REAP,
        &[("Some(found.put_back_unseen())", "Some(found.put_back())")],
        RECEIVERS,
        Killed,
    ),
    mutant(
        "crash: what was not read is lost",
        REAP,
        &[("Some(found.put_back_unseen())", "Some(geometry.next_vacant(position))")],
        RECEIVERS,
        Killed,
    ),
    mutant(
        "crash: a slot that was being passed over is left",
        REAP,
        &[(
            "                message = false;\n                Some(geometry.next_vacant(position))",
            "                message = false;\n                None",
        )],
        &["crash_passing"],
        Killed,
    ),
    mutant(
        "crash: what is put back is not announced",
        REAP,
        &[("    if pending {\n", "    if false {\n")],
        RECEIVERS,
        Killed,
    ),
    mutant(
        "crash: reaper announces only what it put back itself",
        REAP,
        &[("Some(State::Redeliver) => return true,", "Some(State::Redeliver) => return false,")],
        &["crash_reaping"],
        Killed,
    ),
    mutant(
        "crash: a queue closes its tail before its flag",
        MPMC,
        &[
            (
                "        self.header.gate.closed.store(1, crate::primitive::Ordering::Release);\n",
                "",
            ),
            (
                "        self.header.tail.tail.fetch_or(CursorWord::CLOSED, SeqCst);\n",
                "        self.header.tail.tail.fetch_or(CursorWord::CLOSED, SeqCst);\n        \
                 self.header.gate.closed.store(1, crate::primitive::Ordering::Release);\n",
            ),
        ],
        SENDERS,
        Killed,
    ),
    mutant(
        "crash: nobody agrees in a closer's place",
        SPSC,
        &[(
            "    if ring.header.seal.seal.load(Relaxed) == 0 {\n        ring.close();\n    }\n",
            "",
        )],
        &["crash_ends"],
        Killed,
    ),
];
