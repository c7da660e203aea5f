//! The configurations: small rings, few threads, and everything that may happen to them.
//!
//! None has it all, for the number of states multiplies; together they have every pair of what the protocol
//! promises to bear. A member that has nothing but a consumer and does not crash stands for whoever is left.

use super::config::{Config, Policy, Role, ThreadSpec};
use super::mutants::Mutant;
use crate::word::POSITION_MASK;

/// Three positions before positions begin again at zero.
const BEFORE_WRAP: u64 = POSITION_MASK - 2;

/// A thread of `member` that sends `messages` by claims of up to `batch`.
const fn producer(member: u16, messages: u8, batch: u8) -> ThreadSpec {
    let role = Role::Producer { messages, batch, aborts: false };
    ThreadSpec { member, handle: OWN, role }
}

/// A thread that may give up each of its reservations.
const fn quitter(member: u16, messages: u8, batch: u8) -> ThreadSpec {
    let role = Role::Producer { messages, batch, aborts: true };
    ThreadSpec { member, handle: OWN, role }
}

/// A thread of `member` that receives by claims of up to `batch`.
const fn consumer(member: u16, batch: u8) -> ThreadSpec {
    ThreadSpec { member, handle: OWN, role: Role::Consumer { batch, puts_back: 0 } }
}

/// A thread that may put up to so many messages back.
const fn picky(member: u16, puts_back: u8) -> ThreadSpec {
    ThreadSpec { member, handle: OWN, role: Role::Consumer { batch: 1, puts_back } }
}

/// A thread of `member` that closes.
const fn closer(member: u16) -> ThreadSpec {
    ThreadSpec { member, handle: OWN, role: Role::Closer }
}

/// `spec` with the handle of thread `other`.
const fn sharing(spec: ThreadSpec, other: usize) -> ThreadSpec {
    ThreadSpec { handle: other, ..spec }
}

/// In a specification: a handle of its own.
const OWN: usize = usize::MAX;

/// A ring of `slots` used by `threads`, in which nothing goes wrong.
fn sound(name: &'static str, slots: usize, threads: &[ThreadSpec]) -> Config {
    let handle = |number, spec: &ThreadSpec| if spec.handle == OWN { number } else { spec.handle };
    let numbered = threads.iter().enumerate();
    Config {
        name,
        quick: false,
        slots,
        start: 0,
        threads: numbered
            .map(|(i, spec)| ThreadSpec { handle: handle(i, spec), ..*spec })
            .collect(),
        policy: Policy::AtLeastOnce,
        crashes: 0,
        immortal: u16::MAX,
        reapers: 0,
        reaper_crashes: 0,
        respawn: false,
        mutant: None,
    }
}

/// The same with `crashes` of members below `immortal`, and `reapers` at a time.
fn mortal(config: Config, crashes: u8, immortal: u16, reapers: usize) -> Config {
    Config { crashes, immortal, reapers, ..config }
}

/// The same with `crashes` of any member, whose number is used again.
fn reborn(config: Config, crashes: u8, reapers: usize) -> Config {
    Config { crashes, reapers, respawn: true, ..config }
}

fn quick(config: Config) -> Config {
    Config { quick: true, ..config }
}

fn wrapping(config: Config) -> Config {
    Config { start: BEFORE_WRAP, ..config }
}

fn reapers_die(config: Config) -> Config {
    Config { reaper_crashes: 1, ..config }
}

fn at_most_once(config: Config) -> Config {
    Config { policy: Policy::AtMostOnce, ..config }
}

/// All of them.
pub fn all() -> Vec<Config> {
    [singles(), reapers(), batches(), others()].concat()
}

/// Claims of one slot, members that die, numbers used again.
fn singles() -> Vec<Config> {
    let two = [producer(0, 2, 1), producer(1, 1, 1), consumer(0, 1)];
    let spread = [producer(0, 2, 1), producer(1, 1, 1), consumer(1, 1), consumer(2, 1)];
    let siblings = [producer(0, 1, 1), producer(0, 1, 1), consumer(0, 1), consumer(1, 1)];
    let receivers = [producer(2, 3, 1), consumer(0, 1), consumer(1, 1)];
    vec![
        quick(sound(
            "no-crash-2",
            2,
            &[producer(0, 2, 1), producer(1, 1, 1), consumer(2, 1), consumer(3, 1)],
        )),
        quick(reborn(sound("crash-1", 1, &two), 2, 1)),
        quick(reborn(sound("crash-2", 2, &two), 2, 1)),
        quick(reborn(sound("crash-4", 4, &two), 1, 1)),
        mortal(sound("spread-2", 2, &spread), 1, 2, 1),
        mortal(sound("spread-1", 1, &spread), 1, 2, 1),
        reborn(sound("siblings-1", 1, &siblings), 1, 1),
        reborn(sound("siblings-2", 2, &siblings), 1, 1),
        reborn(sound("receivers-2", 2, &receivers), 1, 1),
        quick(wrapping(reborn(sound("wrap-1", 1, &two), 1, 1))),
        quick(wrapping(reborn(sound("wrap-2", 2, &two), 1, 1))),
        wrapping(reborn(
            sound("wrap-4", 4, &[producer(0, 4, 1), producer(1, 1, 1), consumer(1, 1)]),
            1,
            1,
        )),
    ]
}

/// Several reapers at once, of one member and of several, which die too.
fn reapers() -> Vec<Config> {
    let one = [producer(0, 2, 1), consumer(0, 1), consumer(1, 1)];
    let two = [producer(0, 1, 1), producer(1, 1, 1), consumer(2, 1)];
    let both = [producer(0, 1, 1), consumer(0, 1), producer(1, 1, 1), consumer(1, 1)];
    vec![
        quick(reapers_die(mortal(sound("two-reapers-1", 1, &one), 1, 1, 2))),
        quick(reapers_die(mortal(sound("two-reapers-2", 2, &one), 1, 1, 2))),
        reapers_die(reborn(sound("reapers-reborn-2", 2, &one), 1, 2)),
        reapers_die(mortal(sound("two-dead-2", 2, &two), 2, 2, 2)),
        mortal(sound("three-reapers-2", 2, &one), 1, 1, 3),
        reborn(sound("both-die-1", 1, &both), 2, 2),
    ]
}

/// Claims of several slots on either side.
fn batches() -> Vec<Config> {
    vec![
        quick(mortal(
            sound("batch-fill-2", 2, &[producer(0, 2, 2), producer(1, 1, 1), consumer(2, 1)]),
            1,
            2,
            1,
        )),
        quick(mortal(
            sound("batch-take-2", 2, &[producer(2, 3, 1), consumer(0, 2), consumer(1, 2)]),
            1,
            1,
            1,
        )),
        reapers_die(mortal(
            sound("batch-fill-4", 4, &[producer(0, 3, 3), producer(1, 2, 2), consumer(2, 1)]),
            1,
            2,
            2,
        )),
        reapers_die(mortal(
            sound("batch-take-4", 4, &[producer(2, 4, 2), consumer(0, 3), consumer(1, 2)]),
            1,
            1,
            2,
        )),
        mortal(
            sound(
                "batch-whole-2",
                2,
                &[producer(0, 2, 2), producer(1, 2, 2), consumer(0, 2), consumer(2, 2)],
            ),
            1,
            1,
            1,
        ),
        reborn(
            sound("batch-whole-4", 4, &[producer(0, 4, 4), producer(1, 1, 1), consumer(1, 4)]),
            1,
            1,
        ),
        wrapping(reborn(
            sound("batch-wrap-4", 4, &[producer(0, 4, 3), producer(1, 2, 2), consumer(1, 3)]),
            1,
            1,
        )),
        reborn(
            sound("batch-siblings-2", 2, &[producer(0, 2, 2), producer(0, 2, 2), consumer(1, 2)]),
            1,
            1,
        ),
        mortal(
            sound("batch-quit-4", 4, &[quitter(0, 3, 3), consumer(0, 2), consumer(1, 2)]),
            1,
            1,
            1,
        ),
    ]
}

/// Closing, giving up, putting back, the other policy, handles that threads share.
fn others() -> Vec<Config> {
    let puts = [producer(2, 2, 1), picky(0, 1), picky(1, 1)];
    vec![
        quick(mortal(
            sound("close-2", 2, &[producer(0, 2, 1), closer(1), consumer(1, 1), consumer(2, 1)]),
            1,
            2,
            1,
        )),
        mortal(
            sound("close-1", 1, &[producer(0, 1, 1), producer(1, 1, 1), closer(0), consumer(2, 1)]),
            2,
            2,
            1,
        ),
        reborn(sound("close-batch-4", 4, &[producer(0, 3, 2), closer(1), consumer(1, 2)]), 1, 1),
        quick(mortal(
            sound("quit-1", 1, &[quitter(0, 2, 1), quitter(1, 1, 1), consumer(2, 1)]),
            1,
            2,
            1,
        )),
        mortal(
            sound(
                "quit-2",
                2,
                &[quitter(0, 2, 1), consumer(0, 1), consumer(1, 1), quitter(1, 1, 1)],
            ),
            1,
            1,
            1,
        ),
        quick(sound("put-back-2", 2, &puts)),
        mortal(sound("put-back-crash-2", 2, &puts), 1, 1, 1),
        reborn(sound("put-back-reborn-1", 1, &[producer(1, 2, 1), picky(0, 2)]), 2, 2),
        mortal(sound("put-back-4", 4, &[producer(1, 3, 3), picky(0, 2), picky(1, 2)]), 1, 1, 1),
        quick(at_most_once(reborn(
            sound("at-most-once-2", 2, &[producer(0, 2, 1), consumer(0, 1), picky(1, 1)]),
            2,
            2,
        ))),
        at_most_once(mortal(
            sound("at-most-once-batch-4", 4, &[producer(1, 3, 2), consumer(0, 3), consumer(1, 1)]),
            1,
            1,
            2,
        )),
        quick(reborn(
            sound(
                "shared-sender-2",
                2,
                &[producer(0, 1, 1), sharing(producer(0, 2, 1), 0), consumer(1, 1)],
            ),
            1,
            1,
        )),
        sound("shared-receiver-2", 2, &[producer(1, 2, 1), picky(0, 2), sharing(picky(0, 1), 1)]),
        mortal(
            sound(
                "shared-receiver-crash-2",
                2,
                &[producer(1, 2, 1), picky(0, 1), sharing(picky(0, 1), 1), consumer(1, 1)],
            ),
            1,
            1,
            1,
        ),
    ]
}

/// Each mistake with the name of the configuration that catches it.
pub const CAUGHT_BY: [(Mutant, &str); 19] = [
    (Mutant::PushWithoutCertify, "crash-2"),
    (Mutant::PopWithoutCertify, "batch-take-2"),
    (Mutant::ReapIgnoresTail, "crash-1"),
    (Mutant::ReapIgnoresHead, "crash-1"),
    (Mutant::ReapCountsNoTry, "crash-1"),
    (Mutant::RedeliverFlag, "put-back-2"),
    (Mutant::AnnounceFirst, "put-back-2"),
    (Mutant::SweepKeepsPlace, "put-back-2"),
    (Mutant::OwnerStampsDown, "batch-fill-2"),
    (Mutant::HelperStampsDown, "batch-fill-2"),
    (Mutant::ResolveLastOnly, "batch-fill-2"),
    (Mutant::SkipByMember, "siblings-2"),
    (Mutant::LastBeforeStamp, "shared-sender-2"),
    (Mutant::WrapGuard, "wrap-1"),
    (Mutant::CloseIsFlag, "close-2"),
    (Mutant::LeaveOnFlag, "close-2"),
    (Mutant::SlotReadTwice, "batch-whole-2"),
    (Mutant::OwnClaimAtOneOnly, "batch-fill-2"),
    (Mutant::ReuseUnderReaper, "reapers-reborn-2"),
];
