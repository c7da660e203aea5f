//! Records in pieces: what each side says, and what its heir does.

use super::Expect::Killed;
use super::{Mutant, PIECES, mutant};

const MODELS: &[&str] = &["pieces"];

pub const MUTANTS: &[Mutant] = &[
    mutant(
        "pieces: a beginning is not said",
        PIECES,
        &[("        ring.header().producer.outgoing.store(begun.bits(), Relaxed);\n", "")],
        MODELS,
        Killed,
    ),
    mutant(
        "pieces: an end is not said",
        PIECES,
        &[("        ring.header().producer.outgoing.store(ended.bits(), Relaxed);\n", "")],
        MODELS,
        Killed,
    ),
    mutant(
        "pieces: a producer's heir does not cut short",
        PIECES,
        &[("if word.is_unfinished(side.tail()) {", "if false {")],
        MODELS,
        Killed,
    ),
    mutant(
        "pieces: no room is kept for cutting short",
        PIECES,
        &[("let wanted = place.span() + 1;", "let wanted = place.span();")],
        MODELS,
        Killed,
    ),
    mutant(
        "pieces: a consumer's heir takes the rest for a record",
        PIECES,
        &[("Ok(Next::LostInPart(self.give_up(ring, side)))", "Ok(Next::Last(place))")],
        MODELS,
        Killed,
    ),
    mutant(
        "pieces: giving up is not said",
        PIECES,
        &[("        ring.header().consumer.unwanted.store(side.head(), Relaxed);\n", "")],
        MODELS,
        Killed,
    ),
];
