//! Receiving, step by step: one step for each word that others see change.

use super::config::Mutant;
use super::memory::Memory;
use super::state::{Got, Kind, PRODUCER};
use crate::frame::Life;

/// Where a consumer is in what comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Incoming {
    /// A record begins next.
    Boundary,
    /// It has so many pieces of this record, and wants the rest.
    Within(u8, u8),
    /// What comes of this record is not wanted.
    Beyond,
}

/// What is next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Receive {
    /// To look at what comes next.
    Look(Incoming),
    /// To see whether the producer lives: the ring was empty.
    Missed(Incoming),
    /// To look once more at the ring: it was empty, and then its producer dead.
    Confirm(Incoming),
}

/// What a consumer may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Take,
    GiveUp,
    Wonder,
}

impl Receive {
    /// Of one who has received nothing.
    pub const NEW: Self = Self::Look(Incoming::Boundary);

    fn ways(self, memory: &Memory) -> Vec<Way> {
        let Receive::Look(incoming) = self else { return vec![Way::Wonder] };
        let shared = &memory.state.shared;
        let (within, empty) =
            (matches!(incoming, Incoming::Within(..)), shared.head == shared.tail);
        let spare = memory.state.threads[memory.me].left > 0;
        let ways =
            [(!empty, Way::Take), (within && spare, Way::GiveUp), (within && empty, Way::Wonder)];
        ways.into_iter().filter(|(may, _)| *may).map(|(_, way)| way).collect()
    }

    /// How many ways there are.
    pub fn choices(self, memory: &Memory) -> u8 {
        u8::try_from(self.ways(memory).len()).unwrap_or(u8::MAX)
    }

    /// Makes one step.
    pub fn step(self, memory: &mut Memory, choice: u8) {
        let way = self.ways(memory)[usize::from(choice)];
        match (self, way) {
            (Receive::Look(incoming), Way::Take) => take(memory, incoming),
            (Receive::Look(Incoming::Within(record, _)), Way::GiveUp) => {
                memory.state.threads[memory.me].left -= 1;
                give_up(memory, record, Got::GivenUp);
            }
            (Receive::Look(incoming), _) => memory.receive(Receive::Missed(incoming)),
            (Receive::Missed(incoming), _) => {
                let dead = is_dead(memory);
                memory.receive(if dead {
                    Receive::Confirm(incoming)
                } else {
                    Receive::Look(incoming)
                });
            }
            (Receive::Confirm(incoming), _) => confirm(memory, incoming),
        }
    }
}

/// Wants nothing more of `record`.
fn give_up(memory: &mut Memory, record: u8, got: Got) {
    memory.state.shared.unwanted = memory.state.shared.head;
    memory.got(record, got);
    memory.receive(Receive::Look(Incoming::Beyond));
}

fn is_dead(memory: &Memory) -> bool {
    memory.state.threads[PRODUCER].life == Life::Dead
}

fn confirm(memory: &mut Memory, incoming: Incoming) {
    let shared = &memory.state.shared;
    let gone = is_dead(memory) && shared.head == shared.tail;
    match incoming {
        Incoming::Within(record, _) if gone || memory.config.is(Mutant::GoneUnlooked) => {
            cut_short(memory, record);
            give_up(memory, record, Got::Told);
        }
        _ => memory.receive(Receive::Look(incoming)),
    }
}

/// It is told that `record` will not be completed.
fn cut_short(memory: &mut Memory, record: u8) {
    let sent = memory.state.shared.fates[usize::from(record)].sent;
    memory.rule(!sent, "a record that was accepted was said to be cut short");
}

/// Takes what is at the head, and releases it.
fn take(memory: &mut Memory, incoming: Incoming) {
    let head = memory.state.shared.head;
    let item = memory.state.shared.slots[memory.config.index(head)];
    let (record, rest) = (item.record, memory.config.is(Mutant::HeirTakesRest));
    let next = match (incoming, item.kind) {
        (Incoming::Within(..), Kind::Whole | Kind::First) => {
            memory.rule(false, "a record began within another");
            Incoming::Boundary
        }
        (_, Kind::Whole) => {
            memory.got(record, Got::Whole);
            Incoming::Boundary
        }
        (_, Kind::First) => {
            memory.got(record, Got::Part);
            Incoming::Within(record, 1)
        }
        (Incoming::Within(of, pieces), Kind::Piece | Kind::Last) => {
            let next = (of, pieces) == (record, item.piece);
            memory.rule(next, "a piece came that is not the next");
            if item.kind == Kind::Last {
                memory.got(record, Got::Whole);
                Incoming::Boundary
            } else {
                Incoming::Within(record, pieces + 1)
            }
        }
        (Incoming::Within(of, _), Kind::Cut) => {
            memory.rule(of == record, "another record was cut short");
            cut_short(memory, of);
            memory.got(of, Got::Told);
            Incoming::Boundary
        }
        (Incoming::Boundary, Kind::Last) if rest => {
            memory.rule(false, "a record came without its beginning");
            Incoming::Boundary
        }
        (Incoming::Boundary, Kind::Piece | Kind::Last)
            if !memory.config.is(Mutant::HeirSkipsUnsaid) =>
        {
            let got = memory.state.shared.fates[usize::from(record)].got;
            let lost = matches!(got, Got::Lost | Got::GivenUp | Got::Told);
            memory.rule(lost, "a record was said to be lost whose beginning nobody took");
            return give_up(memory, record, Got::Told);
        }
        (_, kind) => {
            skip(memory, record, kind);
            if kind == Kind::Piece { Incoming::Beyond } else { Incoming::Boundary }
        }
    };
    memory.state.shared.head += 1;
    memory.receive(Receive::Look(next));
}

/// Something of `record` is passed over, and nothing said.
fn skip(memory: &mut Memory, record: u8, kind: Kind) {
    let fate = memory.state.shared.fates[usize::from(record)];
    let known = matches!(fate.got, Got::GivenUp | Got::Told);
    let never = kind == Kind::Cut && !fate.sent;
    // A mark too many says nothing of what was received whole.
    let again = kind == Kind::Cut && fate.got == Got::Whole;
    memory.rule(known || never || again, "part of a record was passed over, and nothing said");
}
