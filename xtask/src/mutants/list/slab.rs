//! Blocks: whose each is, in which order it is given back, what is taken back.

use super::Expect::{Killed, Survives};
use super::{BURIAL, Mutant, REAP, SLAB, TAKE, mutant};

const MODELS: &[&str] = &["slab", "crash_slab"];
const CRASHES: &[&str] = &["crash_slab", "slab"];

pub const MUTANTS: &[Mutant] = &[
    mutant(
        "slab: block taken without Acquire",
        SLAB,
        &[(
            "compare_exchange(BlockWord::FREE.0, owned.0, Acquire, Relaxed)",
            "compare_exchange(BlockWord::FREE.0, owned.0, Relaxed, Relaxed)",
        )],
        MODELS,
        Killed,
    ),
    mutant(
        "slab: block freed without Release",
        SLAB,
        &[(
            "word.compare_exchange(from.0, to.0, SeqCst, Relaxed)",
            "word.compare_exchange(from.0, to.0, Relaxed, Relaxed)",
        )],
        MODELS,
        Killed,
    ),
    mutant(
        "slab: block taken by a store",
        SLAB,
        &[(
            "line.word.compare_exchange(BlockWord::FREE.0, owned.0, Acquire, Relaxed).is_ok()",
            "{ line.word.store(owned.0, Relaxed); true }",
        )],
        MODELS,
        Killed,
    ),
    mutant(
        "slab: lines kept of a block that was given back",
        SLAB,
        &[(
            "            self.swap(block.number, seen, BlockWord::FREE);\n",
            "            let mut block = block;\n            self.swap(block.number, seen, BlockWord::FREE);\n            self.read_out(&mut block, 8, |_| {});\n",
        )],
        MODELS,
        Killed,
    ),
    mutant(
        "slab: block given back before its slot",
        TAKE,
        &[(
            "            self.give_back(index, claim.word);\n            return self.release_block(block, claim.position, claim.word.member());",
            "            self.release_block(block, claim.position, claim.word.member());\n            return self.give_back(index, claim.word);",
        )],
        CRASHES,
        Survives(
            "that order would do as well: who takes the message again finds a block that is not its own, as after \
             a move, and passes it over",
        ),
    ),
    mutant(
        "slab: block of another freed",
        SLAB,
        &[("        if seen.place() != Some(place) {\n            return;\n        }\n", "")],
        CRASHES,
        Killed,
    ),
    mutant(
        "slab: what the dead owned stays",
        BURIAL,
        &[(
            "(Some(BlockState::Owned), _) => word.member() == dead.0",
            "(Some(BlockState::Owned), _) => false",
        )],
        CRASHES,
        Killed,
    ),
    mutant(
        "slab: what the dead owned is free with memory that it had not noted",
        BURIAL,
        &[("|| !self.is_sparse(&block)", "|| true")],
        CRASHES,
        Killed,
    ),
    mutant(
        "slab: what is bound to nothing stays",
        BURIAL,
        &[("(_, Some(place)) => !has_message(rings, place)", "(_, Some(_)) => false")],
        CRASHES,
        Killed,
    ),
    mutant(
        "slab: what is bound to a message is freed",
        BURIAL,
        &[("(_, Some(place)) => !has_message(rings, place)", "(_, Some(_)) => true")],
        CRASHES,
        Killed,
    ),
    mutant(
        "slab: what is bound is freed although it is being written",
        BURIAL,
        &[("Some(State::Writing | State::Filled |", "Some(State::Filled |")],
        CRASHES,
        Killed,
    ),
    mutant(
        "slab: a message that was moved and not committed is aborted",
        REAP,
        &[("        slab.commit_for(rings, dead);\n", "        let _ = slab;\n")],
        CRASHES,
        Killed,
    ),
    mutant(
        "slab: a message that was moved is delivered where it was",
        SLAB,
        &[(
            "if word.place() == Some(place) { Ok(block) } else { Err(Astray::Moved) }",
            "{ let _ = (word, place); Ok(block) }",
        )],
        CRASHES,
        Killed,
    ),
];
