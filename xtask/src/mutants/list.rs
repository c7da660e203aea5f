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

mod chains;
mod closing;
mod crashes;
mod cursors;
mod lock_waits;
mod locks;
mod pieces;
mod positions;
mod queue_recovery;
mod queue_steps;
mod rows;
mod several;
mod slab;
mod stamps;
mod steps;
mod wakes;

const SPSC: &str = "src/ring/spsc.rs";
const PRODUCER: &str = "src/ring/spsc/producer.rs";
const CONSUMER: &str = "src/ring/spsc/consumer.rs";
const BYTES: &str = "src/ring/bytes.rs";
const PIECES: &str = "src/ring/pieces.rs";
const GRANT: &str = "src/ring/grant.rs";
const EVENT: &str = "src/event.rs";
const SEVERAL: &str = "src/event/several.rs";
const LOOK: &str = "src/ring/mpmc/look.rs";
const CHAIN: &str = "src/ring/chain.rs";
const MPMC: &str = "src/ring/mpmc.rs";
const FILL: &str = "src/ring/mpmc/fill.rs";
const TAKE: &str = "src/ring/mpmc/take.rs";
const READ: &str = "src/ring/mpmc/read.rs";
const AGAIN: &str = "src/ring/mpmc/redeliver.rs";
const REAP: &str = "src/ring/reap.rs";
const BURIAL: &str = "src/ring/slab/reap.rs";
const SLAB: &str = "src/ring/slab.rs";
const WORD: &str = "src/ring/word.rs";

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

const ENROLLED: &str =
    "the fence that enrols a waiter lies before them; to loom a SeqCst load acquires, no more";

/// All of them.
pub fn all() -> impl Iterator<Item = &'static Mutant> {
    let spsc = [positions::MUTANTS, closing::MUTANTS, steps::MUTANTS];
    let mpmc = [cursors::MUTANTS, stamps::MUTANTS, wakes::MUTANTS];
    let queue = [queue_steps::MUTANTS, queue_recovery::MUTANTS, crashes::MUTANTS];
    let others = [
        rows::MUTANTS,
        several::MUTANTS,
        pieces::MUTANTS,
        slab::MUTANTS,
        chains::MUTANTS,
        locks::MUTANTS,
        lock_waits::MUTANTS,
    ];
    spsc.into_iter().chain(mpmc).chain(queue).chain(others).flatten()
}
