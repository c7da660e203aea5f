//! Chains of rings: steps of a change and their order, and what the next comer takes up.

use super::Expect::{Killed, Survives};
use super::{CHAIN, Mutant, TAKE, mutant};

const CHAINS: &[&str] = &["chain", "crash_chain"];
const CRASHES: &[&str] = &["crash_chain", "chain"];

pub const MUTANTS: &[Mutant] = &[
    mutant(
        "chain: the ring before the last stays open",
        CHAIN,
        &[(
            "            self.ring(&before).shut();\n",
            "            let _ = self.ring(&before);\n",
        )],
        CHAINS,
        Killed,
    ),
    mutant(
        "chain: settled before the ring before the last is shut",
        CHAIN,
        &[(
            "            self.ring(&before).shut();\n",
            "            let _ = self.word().compare_exchange(seen.0, seen.settled().0, SeqCst, Relaxed);\n            self.ring(&before).shut();\n",
        )],
        CHAINS,
        Killed,
    ),
    mutant(
        "chain: the anchor is not opened again",
        CHAIN,
        &[("                ring if seen.is_anchor(last) => ring.reopen(),\n", "")],
        CHAINS,
        Killed,
    ),
    mutant(
        "chain: a closed queue's anchor is opened again",
        CHAIN,
        &[(
            "                ring if seen.is_closed() => ring.shut(),\n                ring if seen.is_anchor(last) => ring.reopen(),\n",
            "                ring if seen.is_anchor(last) => ring.reopen(),\n",
        )],
        CHAINS,
        Survives(
            "who finds the last ring of a closed queue open shuts it before it says that all was received",
        ),
    ),
    mutant(
        "chain: a sender does not wait for the chain to be settled",
        CHAIN,
        &[(
            "            if seen.is_unsettled() {\n                if self.settle()? {\n                    continue;\n                }\n                return Ok(Err((Refusal::Full, seen)));\n            }\n",
            "",
        )],
        CRASHES,
        Killed,
    ),
    mutant(
        "chain: a segment is passed while something of it is held",
        CHAIN,
        &[
            (
                "        if !(ring.is_closed() && ring.is_idle()) {",
                "        if !ring.is_closed() {",
            ),
            (
                "generation == seen.first() && ring.is_idle() && self.pass()?",
                "generation == seen.first() && self.pass()?",
            ),
        ],
        CHAINS,
        Killed,
    ),
    mutant(
        "chain: what is put back in a shut ring is not looked for",
        CHAIN,
        &[("            () if again.is_pending() => Ending::Again,\n", "")],
        CHAINS,
        Survives("it is looked for first in any case; this look finds it a moment sooner"),
    ),
    mutant(
        "chain: a claim that is not committed does not hold up the next segment",
        CHAIN,
        &[(
            "            () if tail.position() != head.position() => Ending::Busy(self.member(tail.member())?),\n",
            "",
        )],
        CHAINS,
        Killed,
    ),
    mutant(
        "chain: what a dead one had made or passed stays",
        CHAIN,
        &[("                self.discard(leaving);\n", "")],
        CRASHES,
        Killed,
    ),
    mutant(
        "chain: a segment is made before it is said that it is",
        CHAIN,
        &[("        self.leaving().store(next.last(), SeqCst);\n", "")],
        CRASHES,
        Killed,
    ),
    mutant(
        "chain: a segment is removed before it is said that it is",
        CHAIN,
        &[("            self.leaving().store(first, SeqCst);\n", "")],
        CRASHES,
        Killed,
    ),
    mutant(
        "chain: a change of the chain is not looked for after a refusal",
        CHAIN,
        &[(
            "            if self.look()? != seen {\n                continue;\n            }\n            return match refusal {",
            "            return match refusal {",
        )],
        CHAINS,
        Killed,
    ),
    mutant(
        "chain: a message of the anchor is taken although that has come home since",
        TAKE,
        &[("            if !self.stands() {", "            if false {")],
        CHAINS,
        Killed,
    ),
    mutant(
        "chain: whether the anchor has come home is asked before its message is seen",
        TAKE,
        &[
            (
                "        let mut seen = CursorWord(head.load(Acquire));\n        loop {",
                "        if !self.stands() {\n            return Err(Dry::Empty);\n        }\n        let mut seen = CursorWord(head.load(Acquire));\n        loop {",
            ),
            (
                "            if !self.stands() {\n                return",
                "            if false {\n                return",
            ),
        ],
        CHAINS,
        Killed,
    ),
];
