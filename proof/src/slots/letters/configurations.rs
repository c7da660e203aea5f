//! The configurations of two rings, and the mistakes that they catch.

use super::super::config::{Role, ThreadSpec};
use super::super::configurations::{consumer, picky, producer, sound};
use super::super::mutants::Mutant;
use super::{Config, Letters};
use crate::catalogue::{Configuration, Title, quick};

/// A queue of `slots` used by `threads`, and a ring for `room` dead letters, which those who send into the queue receive.
/// A message is moved after `limit` deliveries in vain.
fn letters(
    name: &'static str,
    slots: usize,
    room: usize,
    threads: &[ThreadSpec],
    limit: u32,
) -> Config {
    let queue = sound(name, slots, threads);
    let in_letters = |spec: &ThreadSpec| match spec.role {
        Role::Producer { .. } => consumer(spec.member, 1),
        _ => producer(spec.member, 0, 1),
    };
    let others: Vec<_> = threads.iter().map(in_letters).collect();
    let dead = sound(name, room, &others);
    Config { rings: [queue, dead], limit }
}

fn each(mut config: Config, change: impl Fn(&mut super::super::config::Config)) -> Config {
    config.rings.iter_mut().for_each(change);
    config
}

fn mortal(config: Config, crashes: u8, immortal: u16, reapers: usize) -> Config {
    each(config, |ring| (ring.crashes, ring.immortal, ring.reapers) = (crashes, immortal, reapers))
}

fn reborn(config: Config, crashes: u8, reapers: usize) -> Config {
    each(mortal(config, crashes, 2, reapers), |ring| ring.respawn = true)
}

fn reapers_die(config: Config) -> Config {
    each(config, |ring| ring.reaper_crashes = 1)
}

impl Configuration for Config {
    type Model = Letters;
    type Mutant = Mutant;

    const CAUGHT_BY: &'static [(Mutant, &'static str)] = &[
        (Mutant::AcknowledgeFirst, "letters-crash-1"),
        (Mutant::LetterDropped, "letters-room-1"),
        (Mutant::ReapForgetsLetters, "letters-crash-1"),
    ];

    fn all() -> Vec<Self> {
        let alone = [producer(2, 1, 1), picky(0, 1), consumer(1, 1)];
        let two = [producer(2, 2, 1), picky(0, 2), consumer(1, 1)];
        let three = [producer(2, 1, 1), consumer(0, 1), consumer(1, 1), consumer(2, 1)];
        vec![
            letters("letters-room-1", 1, 1, &two, 1),
            quick(mortal(letters("letters-crash-1", 1, 1, &alone, 1), 1, 2, 1)),
            mortal(letters("letters-room-2", 2, 1, &two, 1), 1, 1, 1),
            mortal(letters("letters-twice-1", 1, 2, &three, 1), 2, 2, 1),
            mortal(letters("letters-limit-2", 1, 1, &three, 2), 2, 2, 1),
            reapers_die(mortal(letters("letters-reapers-1", 1, 1, &alone, 1), 1, 1, 2)),
            reborn(letters("letters-reborn-1", 1, 1, &alone, 1), 1, 1),
        ]
    }

    fn title(&mut self) -> &mut Title<Mutant> {
        &mut self.rings[0].title
    }

    fn without_invariants(self) -> Self {
        each(self, |ring| ring.invariants = false)
    }

    fn model(self) -> Letters {
        let title = self.rings[0].title;
        Letters::new(each(self, |ring| ring.title = title))
    }
}
