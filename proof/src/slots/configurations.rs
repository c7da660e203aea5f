//! The configurations: small rings, few threads, and everything that may happen to them.
//!
//! None has it all, for the number of states multiplies; together they have every pair of what the
//! protocol promises to bear. A member that has nothing but a consumer and does not crash stands
//! for whoever is left.

use super::Slots;
use super::config::{Config, Policy, Role, ThreadSpec};
use super::mutants::Mutant;
use crate::catalogue::{Configuration, Title, quick};
use crate::word::POSITION_MASK;

/// Three positions before positions begin again at zero.
const BEFORE_WRAP: u64 = POSITION_MASK - 2;

/// A thread of `member` that sends `messages` by claims of up to `batch`.
pub const fn producer(member: u16, messages: u8, batch: u8) -> ThreadSpec {
    let role = Role::Producer { messages, batch, aborts: false };
    ThreadSpec { member, handle: OWN, role }
}

/// A thread that may give up each of its reservations.
pub const fn quitter(member: u16, messages: u8, batch: u8) -> ThreadSpec {
    let role = Role::Producer { messages, batch, aborts: true };
    ThreadSpec { member, handle: OWN, role }
}

/// A thread of `member` that receives by claims of up to `batch`.
pub const fn consumer(member: u16, batch: u8) -> ThreadSpec {
    ThreadSpec { member, handle: OWN, role: Role::Consumer { batch, puts_back: 0 } }
}

/// A thread that may put up to so many messages back.
pub const fn picky(member: u16, puts_back: u8) -> ThreadSpec {
    ThreadSpec { member, handle: OWN, role: Role::Consumer { batch: 1, puts_back } }
}

/// A thread of `member` that closes.
pub const fn closer(member: u16) -> ThreadSpec {
    ThreadSpec { member, handle: OWN, role: Role::Closer }
}

/// `spec` with the handle of thread `other`.
const fn sharing(spec: ThreadSpec, other: usize) -> ThreadSpec {
    ThreadSpec { handle: other, ..spec }
}

/// In a specification: a handle of its own.
const OWN: usize = usize::MAX;

/// A ring of `slots` used by `threads`, in which nothing goes wrong.
pub fn sound(name: &'static str, slots: usize, threads: &[ThreadSpec]) -> Config {
    let handle = |number, spec: &ThreadSpec| if spec.handle == OWN { number } else { spec.handle };
    let numbered = threads.iter().enumerate();
    Config {
        title: Title::new(name),
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
        at_once: false,
        invariants: true,
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

fn wrapping(config: Config) -> Config {
    Config { start: BEFORE_WRAP, ..config }
}

fn straight(config: Config) -> Config {
    Config { at_once: true, ..config }
}

fn reapers_die(config: Config) -> Config {
    Config { reaper_crashes: 1, ..config }
}

fn at_most_once(config: Config) -> Config {
    Config { policy: Policy::AtMostOnce, ..config }
}

impl Configuration for Config {
    type Model = Slots;
    type Mutant = Mutant;

    const CAUGHT_BY: &'static [(Mutant, &'static str)] = &[
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

    fn all() -> Vec<Self> {
        [singles(), reapers(), batches(), others()].concat()
    }

    fn title(&mut self) -> &mut Title<Mutant> {
        &mut self.title
    }

    fn without_invariants(self) -> Self {
        Self { invariants: false, ..self }
    }

    fn model(self) -> Slots {
        Slots::new(self)
    }
}

/// Claims of one slot, members that die, numbers used again.
fn singles() -> Vec<Config> {
    let apart = [producer(0, 2, 1), producer(1, 1, 1), consumer(2, 1), consumer(3, 1)];
    let two = [producer(0, 2, 1), producer(1, 1, 1), consumer(0, 1)];
    let spread = [producer(0, 2, 1), producer(1, 1, 1), consumer(1, 1), consumer(2, 1)];
    let siblings = [producer(0, 1, 1), producer(0, 1, 1), consumer(0, 1), consumer(1, 1)];
    let receivers = [producer(2, 3, 1), consumer(0, 1), consumer(1, 1)];
    let picky_two = [producer(2, 2, 1), picky(0, 1), picky(1, 1)];
    let many = [producer(0, 4, 1), producer(1, 1, 1), consumer(1, 1)];
    vec![
        quick(sound("no-crash-2", 2, &apart)),
        quick(reborn(sound("crash-1", 1, &two), 2, 1)),
        quick(reborn(sound("crash-2", 2, &two), 2, 1)),
        quick(reborn(sound("crash-4", 4, &two), 2, 1)),
        quick(straight(reborn(sound("at-once-1", 1, &two), 1, 1))),
        quick(straight(reborn(sound("at-once-2", 2, &two), 1, 1))),
        straight(mortal(sound("at-once-spread-2", 2, &spread), 1, 2, 1)),
        straight(mortal(sound("at-once-put-back-2", 2, &picky_two), 1, 1, 1)),
        mortal(sound("spread-1", 1, &spread), 1, 2, 1),
        mortal(sound("spread-2", 2, &spread), 1, 2, 1),
        quick(reborn(sound("siblings-1", 1, &siblings), 1, 1)),
        quick(reborn(sound("siblings-2", 2, &siblings), 1, 1)),
        reborn(sound("siblings-twice-2", 2, &siblings), 2, 1),
        quick(reborn(sound("receivers-2", 2, &receivers), 1, 1)),
        quick(wrapping(reborn(sound("wrap-1", 1, &two), 1, 1))),
        quick(wrapping(reborn(sound("wrap-2", 2, &two), 1, 1))),
        quick(wrapping(reborn(sound("wrap-4", 4, &many), 1, 1))),
    ]
}

/// Several reapers at once, of one member and of several, which die too.
fn reapers() -> Vec<Config> {
    let one = [producer(0, 2, 1), consumer(0, 1), consumer(1, 1)];
    let two = [producer(0, 1, 1), producer(1, 1, 1), consumer(2, 1)];
    let takers = [producer(2, 2, 1), consumer(0, 1), consumer(1, 1), consumer(2, 1)];
    let both = [producer(0, 1, 1), consumer(0, 1), producer(1, 1, 1), consumer(1, 1)];
    let fewer = [producer(0, 2, 1), consumer(0, 1), consumer(1, 1)];
    let batch = [producer(0, 2, 2), producer(1, 1, 1), consumer(1, 2)];
    vec![
        quick(reapers_die(mortal(sound("two-reapers-1", 1, &one), 1, 1, 2))),
        quick(reapers_die(mortal(sound("two-reapers-2", 2, &one), 1, 1, 2))),
        quick(reapers_die(reborn(sound("reapers-reborn-2", 2, &one), 1, 2))),
        quick(reapers_die(mortal(sound("two-dead-2", 2, &two), 2, 2, 2))),
        mortal(sound("two-dead-takers-2", 2, &takers), 2, 2, 2),
        reapers_die(mortal(sound("three-reapers-2", 2, &one), 1, 1, 3)),
        reborn(sound("both-die-1", 1, &both), 2, 2),
        reborn(sound("both-die-2", 2, &fewer), 2, 2),
        reapers_die(reborn(sound("reapers-batch-2", 2, &batch), 1, 2)),
    ]
}

/// Claims of several slots on either side.
fn batches() -> Vec<Config> {
    let fill_2 = [producer(0, 2, 2), producer(1, 1, 1), consumer(2, 1)];
    let take_2 = [producer(2, 3, 1), consumer(0, 2), consumer(1, 2)];
    let fill_4 = [producer(0, 3, 3), producer(1, 2, 2), consumer(2, 1)];
    let take_4 = [producer(2, 4, 2), consumer(0, 3), consumer(1, 2)];
    let whole_2 = [producer(0, 2, 2), producer(1, 2, 2), consumer(0, 2), consumer(2, 2)];
    let whole_4 = [producer(0, 4, 4), producer(1, 1, 1), consumer(1, 4)];
    let wrap_4 = [producer(0, 4, 3), producer(1, 2, 2), consumer(1, 3)];
    let siblings = [producer(0, 2, 2), producer(0, 2, 2), consumer(1, 2)];
    let quits = [quitter(0, 3, 3), consumer(0, 2), consumer(1, 2)];
    vec![
        quick(reapers_die(mortal(sound("batch-fill-2", 2, &fill_2), 1, 2, 1))),
        quick(mortal(sound("batch-take-2", 2, &take_2), 1, 1, 1)),
        reapers_die(mortal(sound("batch-fill-4", 4, &fill_4), 1, 2, 2)),
        reapers_die(mortal(sound("batch-take-4", 4, &take_4), 1, 1, 2)),
        quick(mortal(sound("batch-whole-2", 2, &whole_2), 1, 1, 1)),
        quick(reborn(sound("batch-whole-4", 4, &whole_4), 1, 1)),
        wrapping(reborn(sound("batch-wrap-4", 4, &wrap_4), 1, 1)),
        quick(reborn(sound("batch-siblings-2", 2, &siblings), 2, 1)),
        quick(mortal(sound("batch-quit-4", 4, &quits), 1, 1, 1)),
    ]
}

/// Closing, giving up, putting back, the other policy, handles that threads share.
fn others() -> Vec<Config> {
    let close_2 = [producer(0, 2, 1), closer(1), consumer(1, 1), consumer(2, 1)];
    let close_1 = [producer(0, 1, 1), producer(1, 1, 1), closer(0), consumer(2, 1)];
    let close_4 = [producer(0, 3, 2), closer(1), consumer(1, 2)];
    let quit_1 = [quitter(0, 2, 1), quitter(1, 1, 1), consumer(2, 1)];
    let quit_2 = [quitter(0, 2, 1), consumer(0, 1), consumer(1, 1), quitter(1, 1, 1)];
    let quit_pairs = [quitter(0, 2, 2), quitter(1, 1, 1), consumer(1, 2)];
    let close_pairs = [producer(0, 2, 1), closer(0), picky(1, 1)];
    let puts = [producer(2, 2, 1), picky(0, 1), picky(1, 1)];
    let puts_1 = [producer(1, 2, 1), picky(0, 2)];
    let puts_4 = [producer(1, 3, 3), picky(0, 2), picky(1, 1)];
    let once = [producer(0, 2, 1), consumer(0, 1), picky(1, 1)];
    let once_4 = [producer(1, 3, 2), consumer(0, 3), consumer(1, 1)];
    let once_pairs = [producer(0, 3, 2), consumer(0, 2), picky(1, 1)];
    let senders = [producer(0, 1, 1), sharing(producer(0, 2, 1), 0), consumer(1, 1)];
    let takers = [producer(1, 2, 1), picky(0, 2), sharing(picky(0, 1), 1)];
    let sweepers = [producer(1, 2, 1), picky(0, 2), picky(0, 1)];
    let sweepers_die = [producer(1, 2, 1), picky(0, 1), picky(0, 1)];
    let takers_die = [producer(1, 2, 1), picky(0, 1), sharing(picky(0, 0), 1), consumer(1, 1)];
    vec![
        quick(mortal(sound("close-2", 2, &close_2), 1, 2, 1)),
        quick(mortal(sound("close-1", 1, &close_1), 2, 2, 1)),
        quick(reborn(sound("close-batch-4", 4, &close_4), 1, 1)),
        quick(mortal(sound("quit-1", 1, &quit_1), 1, 2, 1)),
        mortal(sound("quit-2", 2, &quit_2), 1, 1, 1),
        reborn(sound("quit-reborn-2", 2, &quit_pairs), 2, 2),
        reborn(sound("close-reborn-2", 2, &close_pairs), 2, 2),
        quick(sound("put-back-2", 2, &puts)),
        quick(mortal(sound("put-back-crash-2", 2, &puts), 1, 1, 1)),
        quick(reborn(sound("put-back-reborn-1", 1, &puts_1), 2, 2)),
        mortal(sound("put-back-4", 4, &puts_4), 1, 1, 1),
        at_most_once(reborn(sound("at-most-once-2", 2, &once), 2, 2)),
        quick(at_most_once(mortal(sound("at-most-once-batch-4", 4, &once_4), 1, 1, 2))),
        at_most_once(reapers_die(mortal(sound("at-most-once-4", 4, &once_pairs), 1, 1, 2))),
        quick(reborn(sound("shared-sender-2", 2, &senders), 1, 1)),
        quick(sound("shared-receiver-2", 2, &takers)),
        quick(sound("shared-sweep-2", 2, &sweepers)),
        reborn(sound("shared-sweep-reborn-2", 2, &sweepers_die), 1, 1),
        mortal(sound("shared-receiver-crash-2", 2, &takers_die), 1, 1, 1),
    ]
}
