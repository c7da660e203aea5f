//! Sending, step by step, and what an heir does first.

use super::config::Mutant;
use super::memory::Memory;
use super::state::{Item, Kind};
use crate::cursor::OutgoingWord;

/// What is next: of the record that is visible since that position, if any is, of that number, that piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Send {
    /// To see what the producer before it has left.
    Resume,
    /// To clear what was said of a record that was never visible.
    Clear,
    /// To look whether the rest is wanted.
    Look(u8, u8, u8),
    /// To find room.
    Room(Option<u8>, u8, u8),
    /// To say that the record begins, or ends, before the piece is visible.
    Say(Option<u8>, u8, u8),
    /// To make the piece visible.
    Publish(Option<u8>, u8, u8),
    /// To say that it began, too late.
    SayLate(u8, u8, u8),
    /// To say that the record ends with a mark.
    SayCut(u8),
    /// To make the mark visible.
    Cut(u8),
}

impl Send {
    /// The record that it is at: if it dies, its heir goes on with the next.
    pub fn record(self) -> Option<u8> {
        match self {
            Send::Look(_, record, _)
            | Send::Room(Some(_), record, _)
            | Send::Say(_, record, _)
            | Send::Publish(_, record, _)
            | Send::SayLate(_, record, _)
            | Send::SayCut(record)
            | Send::Cut(record) => Some(record),
            _ => None,
        }
    }

    /// How many ways there are.
    pub fn choices(self, memory: &Memory) -> u8 {
        match self {
            Send::Room(first, record, _) => {
                u8::from(memory.has_room(record)) + u8::from(gives_up(memory, first, record))
            }
            _ => 1,
        }
    }

    /// Makes one step.
    pub fn step(self, memory: &mut Memory, choice: u8) {
        match self {
            Send::Resume => resume(memory),
            Send::Clear => {
                memory.state.shared.outgoing = 0;
                memory.begin();
            }
            Send::Look(first, record, piece) => {
                let unwanted = memory.state.shared.unwanted > first;
                memory.send(if unwanted {
                    Send::SayCut(record)
                } else {
                    Send::Room(Some(first), record, piece)
                });
            }
            Send::Room(first, record, piece) => {
                let found = memory.has_room(record) && choice == 0;
                match (found, first) {
                    (true, _) => memory.send(Send::Say(first, record, piece)),
                    (false, Some(_)) => memory.send(Send::SayCut(record)),
                    (false, None) => memory.count(),
                }
            }
            Send::Say(first, record, piece) => say(memory, first, record, piece),
            Send::Publish(first, record, piece) => publish(memory, first, record, piece),
            Send::SayLate(first, record, piece) => {
                memory.state.shared.outgoing = OutgoingWord::begun_at(first.into()).bits();
                memory.send(Send::Look(first, record, piece));
            }
            Send::SayCut(record) => {
                memory.say_end();
                memory.send(Send::Cut(record));
            }
            Send::Cut(record) => {
                memory.put(Item { kind: Kind::Cut, record, piece: 0 });
                memory.end_record(record);
            }
        }
    }
}

/// Whether a producer without room may give its record up. Whole ones it tries once more for ever.
fn gives_up(memory: &Memory, first: Option<u8>, record: u8) -> bool {
    !memory.has_room(record) && memory.config.impatient && first.is_some()
}

fn resume(memory: &mut Memory) {
    let shared = &memory.state.shared;
    let (said, tail) = (shared.outgoing(), shared.tail);
    // Whose it is only the checker asks.
    let record = memory.last_begun();
    if said.is_unfinished(tail.into()) && !memory.config.is(Mutant::HeirCutsNothing) {
        return memory.send(Send::SayCut(record));
    }
    if said.is_begun() && !memory.config.is(Mutant::HeirClearsNothing) {
        return memory.send(Send::Clear);
    }
    memory.begin();
}

fn say(memory: &mut Memory, first: Option<u8>, record: u8, piece: u8) {
    let pieces = memory.config.pieces(record);
    let (is_first, is_last) = (piece == 0, piece + 1 == pieces);
    let silent =
        memory.config.is(Mutant::BeginningUnsaid) || memory.config.is(Mutant::BeginningSaidLate);
    match (is_first, is_last) {
        (true, false) if !silent => memory.say_beginning(),
        (false, true) if !memory.config.is(Mutant::EndUnsaid) => memory.say_end(),
        _ => {}
    }
    memory.send(Send::Publish(first, record, piece));
}

fn publish(memory: &mut Memory, first: Option<u8>, record: u8, piece: u8) {
    let at = memory.state.shared.tail;
    let (is_first, is_last) = (piece == 0, piece + 1 == memory.config.pieces(record));
    let kind = match (is_first, is_last) {
        (true, true) => Kind::Whole,
        (true, false) => Kind::First,
        (false, false) => Kind::Piece,
        (false, true) => Kind::Last,
    };
    memory.put(Item { kind, record, piece });
    if is_last {
        memory.state.shared.fates[usize::from(record)].sent = true;
        return memory.end_record(record);
    }
    let first = first.unwrap_or(at);
    memory.send(if is_first && memory.config.is(Mutant::BeginningSaidLate) {
        Send::SayLate(first, record, piece + 1)
    } else {
        Send::Look(first, record, piece + 1)
    });
}
