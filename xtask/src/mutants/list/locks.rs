//! Locks that guard something: what makes one owner at a time, what makes its work visible, and what wakes who waits.

use super::Expect::{Killed, Survives};
use super::{Mutant, mutant};

const MUTEX: &str = "src/lock/mutex.rs";
const RWLOCK: &str = "src/lock/rwlock.rs";
const MET: &str = "src/lock/met.rs";

const OF_MUTEX: &[&str] = &["lock_mutex"];
const OF_RWLOCK: &[&str] = &["lock_rwlock"];

/// Of swaps and counts with which two sides do not miss each other.
const IN_ONE_ORDER: &str = "loom takes it for one that acquires and releases only; `passed_rmw`, without which a mutant is killed, is there what the order is";

pub const MUTANTS: &[Mutant] = &[
    mutant(
        "lock: unlocked without release",
        MUTEX,
        &[("self.word.swap(left, Release)", "self.word.swap(left, Relaxed)")],
        OF_MUTEX,
        Killed,
    ),
    mutant(
        "lock: locked at once without acquire",
        MUTEX,
        &[(
            "self.word.compare_exchange(0, me.bits(), AcqRel, Relaxed)",
            "self.word.compare_exchange(0, me.bits(), Release, Relaxed)",
        )],
        OF_MUTEX,
        Killed,
    ),
    mutant(
        "lock: locked after a wait without acquire",
        MUTEX,
        &[("me.bits() | inconsistent | mark, SeqCst", "me.bits() | inconsistent | mark, Release")],
        OF_MUTEX,
        Killed,
    ),
    mutant(
        "lock: who has slept leaves no mark",
        MUTEX,
        &[("if slept { WAITED } else { found & WAITED }", "found & WAITED")],
        OF_MUTEX,
        Killed,
    ),
    mutant("lock: nobody is woken", MUTEX, &[("self.word.wake(1);", "")], OF_MUTEX, Killed),
    mutant(
        "lock: what the dead left is taken for whole",
        MUTEX,
        &[("then_some(Held { inconsistent: true })", "then_some(Held { inconsistent: false })")],
        OF_MUTEX,
        Killed,
    ),
    mutant(
        "lock: a sleeper marks nothing",
        MET,
        &[("let marked = found | WAITED;", "let marked = found;")],
        OF_MUTEX,
        Killed,
    ),
    mutant(
        "lock: a reader looks before it counts",
        RWLOCK,
        &[("count.fetch_add(1, SeqCst);\n        passed_rmw();", "count.fetch_add(1, SeqCst);")],
        OF_RWLOCK,
        Killed,
    ),
    mutant(
        "lock: a reader that waited looks before it counts",
        RWLOCK,
        &[(
            ".fetch_add(1, SeqCst);\n        passed_rmw();\n        // ORDERING(unlock): as in",
            ".fetch_add(1, SeqCst);\n        // ORDERING(unlock): as in",
        )],
        OF_RWLOCK,
        Killed,
    ),
    mutant(
        "lock: a writer looks before it claims",
        RWLOCK,
        &[("        passed_rmw();\n        turn", "        turn")],
        OF_RWLOCK,
        Killed,
    ),
    mutant(
        "lock: a reader counts in no one order",
        RWLOCK,
        &[("count.fetch_add(1, SeqCst);\n", "count.fetch_add(1, AcqRel);\n")],
        OF_RWLOCK,
        Survives(IN_ONE_ORDER),
    ),
    mutant(
        "lock: a writer claims in no one order",
        MUTEX,
        &[("me.bits() | inconsistent | mark, SeqCst", "me.bits() | inconsistent | mark, AcqRel")],
        OF_RWLOCK,
        Survives(IN_ONE_ORDER),
    ),
    mutant(
        "lock: a reader leaves without release",
        RWLOCK,
        &[("count.fetch_sub(1, Release)", "count.fetch_sub(1, Relaxed)")],
        OF_RWLOCK,
        Killed,
    ),
    mutant(
        "lock: a writer unlocks without release",
        RWLOCK,
        &[("self.writer.swap(left, Release)", "self.writer.swap(left, Relaxed)")],
        OF_RWLOCK,
        Killed,
    ),
    mutant(
        "lock: a writer waits for nobody's readers",
        RWLOCK,
        &[(
            "if words.iter().fold(0, |all, word| all | count(word)) != 0",
            "if words.len() > TOGETHER",
        )],
        OF_RWLOCK,
        Killed,
    ),
    mutant(
        "lock: the last reader wakes no writer",
        RWLOCK,
        &[("            count.wake(u32::MAX);", "")],
        OF_RWLOCK,
        Killed,
    ),
    mutant(
        "lock: a writer wakes nobody",
        RWLOCK,
        &[(
            "    fn wake_all(self) {\n        self.writer.wake(u32::MAX);",
            "    fn wake_all(self) {",
        )],
        OF_RWLOCK,
        Killed,
    ),
    mutant(
        "lock: a dead writer leaves no mark to readers",
        RWLOCK,
        &[("compare_exchange(found, INCONSISTENT, AcqRel", "compare_exchange(found, 0, AcqRel")],
        OF_RWLOCK,
        Killed,
    ),
    mutant(
        "lock: a dead reader counts",
        RWLOCK,
        &[("let freed = found & u64::MAX << 32;", "let freed = found;")],
        OF_RWLOCK,
        Killed,
    ),
    mutant(
        "lock: a reader misses the writer",
        RWLOCK,
        &[("if Holder::of(found).is_some() || before", "if before")],
        OF_RWLOCK,
        Killed,
    ),
];
