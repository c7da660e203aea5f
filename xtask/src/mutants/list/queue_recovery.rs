//! Steps of a ring between many: whose each claim is, what is taken back, who is woken.

use super::Expect::Killed;
use super::{AGAIN, FILL, MPMC, Mutant, REAP, TAKE, WORD, mutant};

pub const MUTANTS: &[Mutant] = &[
    mutant(
        "no certify of a push",
        FILL,
        &[
            ("            || !(runs || ring.is_last_filling_stamped(position))\n", ""),
            ("            self.certify_filling(side, seen)?;\n", ""),
        ],
        &["certify"],
        Killed,
    ),
    mutant(
        "no certify of a pop",
        TAKE,
        &[
            ("            || !(runs || ring.is_last_taking_stamped(position))\n", ""),
            ("            self.certify_taking(side, seen)?;\n            // 5", "            // 5"),
        ],
        &["certify"],
        Killed,
    ),
    mutant(
        "no certify before a slot is passed over",
        TAKE,
        &[(
            "        self.certify_taking(side, seen)?;\n        let position",
            "        let position",
        )],
        &["reap"],
        Killed,
    ),
    mutant(
        "push certified by member",
        FILL,
        &[
            (
                "let runs = side.claimed_before(position)",
                "let runs = CursorWord(ring.header.tail.tail.load(Relaxed)).member() == side.member.0",
            ),
            (
                "side.claimed_before(position) ||",
                "CursorWord(self.header.tail.tail.load(Relaxed)).member() == side.member.0 ||",
            ),
        ],
        &["certify"],
        Killed,
    ),
    mutant(
        "pop certified by member",
        TAKE,
        &[
            (
                "let runs = side.claimed_before(position)",
                "let runs = CursorWord(ring.header.head.head.load(Relaxed)).member() == side.member.0",
            ),
            (
                "side.claimed_before(position) ||",
                "CursorWord(self.header.head.head.load(Relaxed)).member() == side.member.0 ||",
            ),
        ],
        &["certify"],
        Killed,
    ),
    mutant(
        "handle remembers a claim to fill before its stamp",
        FILL,
        &[(
            "overwrite(slot, word.0, Release);\n        side.next.store(claimed.position(), Release);",
            "side.next.store(claimed.position(), Release);\n        overwrite(slot, word.0, Release);",
        )],
        &["certify"],
        Killed,
    ),
    mutant(
        "handle remembers a claim to take before its stamp",
        TAKE,
        &[(
            "overwrite(slot, word.0, Release);\n        side.next.store(claimed.position(), Release);",
            "side.next.store(claimed.position(), Release);\n        overwrite(slot, word.0, Release);",
        )],
        &["certify"],
        Killed,
    ),
    mutant(
        "batch to fill stamped downwards",
        FILL,
        &[(
            "(0..count).for_each(|n| self.stamp_filling",
            "(0..count).rev().for_each(|n| self.stamp_filling",
        )],
        &["batches"],
        Killed,
    ),
    mutant(
        "batch to take stamped downwards",
        TAKE,
        &[(
            "(0..count).for_each(|n| self.stamp_taking",
            "(0..count).rev().for_each(|n| self.stamp_taking",
        )],
        &["batches"],
        Killed,
    ),
    mutant(
        "helper stamps the last slot only",
        REAP,
        &[("(1..=ring.capacity()).take_while(unstamped)", "(1..=1).take_while(unstamped)")],
        &["certify"],
        Killed,
    ),
    mutant(
        "helper stamps downwards",
        REAP,
        &[("for distance in (1..=count).rev() {", "for distance in 1..=count {")],
        &["certify"],
        Killed,
    ),
    mutant(
        "redelivery bit taken off whatever came since",
        AGAIN,
        &[(
            "let _ = word.compare_exchange(seen.0, seen.cleared().0, AcqRel, Relaxed);",
            "word.store(seen.cleared().0, Release);",
        )],
        &["redelivery"],
        Killed,
    ),
    mutant(
        "redelivery without a new generation",
        WORD,
        &[("Self((self.0 >> 1).wrapping_add(1) << 1 | PENDING)", "Self(self.0 | PENDING)")],
        &["redelivery"],
        Killed,
    ),
    mutant(
        "message put back without a word",
        AGAIN,
        &[(
            "let before = self.announce();",
            "let before = RedeliverWord(self.header.head.redeliver.load(Relaxed));",
        )],
        &["redelivery"],
        Killed,
    ),
    mutant(
        "what was looked through holds for every generation",
        AGAIN,
        &[(".filter(|sweep| sweep.word == seen.0)", ".filter(|sweep| sweep.word != 0)")],
        &["redelivery"],
        Killed,
    ),
    mutant(
        "reaper ignores whom the tail names",
        REAP,
        &[("if tail.member() == dead.0 {", "if false {")],
        &["reap"],
        Killed,
    ),
    mutant(
        "reaper ignores whom the head names",
        REAP,
        &[("if head.member() == dead.0 {", "if false {")],
        &["reap"],
        Killed,
    ),
    mutant(
        "reaper does not announce what another put back",
        REAP,
        &[("Some(State::Redeliver) => return true,", "Some(State::Redeliver) => return false,")],
        &["reap"],
        Killed,
    ),
    mutant(
        "reaper takes from the living",
        REAP,
        &[("Some(State::Writing) if found.member() == dead.0 =>", "Some(State::Writing) =>")],
        &["reap"],
        Killed,
    ),
    mutant(
        "nobody sees a sender at work",
        MPMC,
        &[("(!at_rest).then(|| MemberId(tail.member()))", "let _ = at_rest;\n        None")],
        &["queue_wake"],
        Killed,
    ),
    mutant(
        "nobody sees a receiver at work",
        MPMC,
        &[("(!full).then(|| MemberId(head.member()))", "let _ = full;\n        None")],
        &["queue_wake"],
        Killed,
    ),
    mutant(
        "receiver passes no baton",
        MPMC,
        &[("!self.is_empty() || self.has_again()", "false")],
        &["queue_wake"],
        Killed,
    ),
    mutant(
        "sender passes no baton",
        MPMC,
        &[("        self.len() < self.capacity()\n", "        false\n")],
        &["queue_wake"],
        Killed,
    ),
    mutant(
        "nobody sees who waits at a queue",
        MPMC,
        &[("event.waiters[0].load(Relaxed) != 0 ||", "false ||")],
        &["queue_wake"],
        Killed,
    ),
];
