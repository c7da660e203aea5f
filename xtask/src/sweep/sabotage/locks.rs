//! Locks that survive their owners.

use super::{Sabotage, sabotage};

const MUTEX: &str = "src/lock/mutex.rs";
const RWLOCK: &str = "src/lock/rwlock.rs";
const PERMITS: &str = "src/lock/permits.rs";
const BARRIER: &str = "src/lock/barrier.rs";

pub const ALL: &[Sabotage] = &[
    sabotage(
        "lock: what the dead left is taken for whole",
        MUTEX,
        &[("then_some(Held { inconsistent: true })", "then_some(Held { inconsistent: false })")],
        &["locks/change under a mutex: killed"],
    ),
    sabotage(
        "lock: nobody takes over from the dead",
        MUTEX,
        &[(
            "let taken = self.word.compare_exchange(found, word, SeqCst, Relaxed);\n        taken.is_ok()",
            "let _ = (found, word);\n        false",
        )],
        &["locks/lock: killed"],
    ),
    sabotage(
        "lock: a dead reader keeps writers out",
        RWLOCK,
        &[(
            "Holder::new(member, found >> 32), look, &fate, bury)",
            "Holder::new(member, found >> 32), look, |_| Fate::Lives, bury)",
        )],
        &["locks/read: killed"],
    ),
    sabotage(
        "lock: permits of the dead stay",
        PERMITS,
        &[("is_of_the_dead(found, &fate)?", "is_of_the_dead(found, |_| Fate::Lives)?")],
        &["locks/get a permit, give it back: killed"],
    ),
    sabotage(
        "lock: a dead party is waited for",
        BARRIER,
        &[
            ("is_of_the_dead(found, &fate)?", "is_of_the_dead(found, |_| Fate::Lives)?"),
            ("place.load(Acquire), &fate)?", "place.load(Acquire), |_| Fate::Lives)?"),
        ],
        &["locks/arrive at a barrier: killed"],
    ),
];
