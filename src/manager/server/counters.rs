//! Counters in shared memory, for people: who calls, waits and has what. They are read without asking the server.
//!
//! `NAME.counters` is an array of words, in rows of [`ROW`]. The first row is the server's. Of each other the first word is odd while
//! the server changes whose row it is, and the second says what it is of; whoever reads looks at the first word before and
//! after.

use std::collections::HashMap;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicU64, fence};

use super::super::item::ObjectNumber;
use super::super::object::SessionId;
use super::super::place::{Place, at};
use crate::block::{Options, SharedArray};
use crate::error::Error;

/// Words in a row.
const ROW: usize = 16;
/// Rows. What comes when all are taken is not counted.
const ROWS: usize = 1024;
/// Where the name is.
const NAME: usize = 8;

const TURN: usize = 0;
const WHAT: usize = 1;
const NUMBER: usize = 2;
const CALLS: usize = 3;
const ERRORS: usize = 4;
const WAITING: usize = 5;
const LEASES: usize = 6;

const SESSION: u64 = 1;
const OBJECT: u64 = 2;

/// What a row is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum What {
    Session(SessionId),
    Object(ObjectNumber),
}

/// The server's side.
pub(super) struct Counters {
    array: SharedArray<u64>,
    rows: HashMap<What, usize>,
    free: Vec<usize>,
    /// The row of whoever was counted last: mostly the same again.
    last: [(What, usize); 2],
}

/// What a server has counted.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Inspection {
    /// One for each client.
    pub sessions: Vec<SessionCounts>,
    /// One for each object.
    pub objects: Vec<ObjectCounts>,
}

/// What a client did.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SessionCounts {
    /// Calls.
    pub calls: u64,
    /// Calls that were refused.
    pub errors: u64,
    /// Calls that wait.
    pub waiting: u64,
}

/// What was done with an object.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ObjectCounts {
    /// Its type and name, up to 64 bytes of them.
    pub name: String,
    /// Calls.
    pub calls: u64,
    /// Calls that were refused.
    pub errors: u64,
    /// Calls that wait.
    pub waiting: u64,
    /// What it has lent: locks that are held, items that are not acknowledged.
    pub leases: u64,
}

fn options(place: &Place) -> Options<SharedArray<u64>> {
    at!(place, SharedArray::<u64>::options())
}

/// What the server of that name has counted. It is not asked: numbers change meanwhile, and what has just come or gone may be missing.
///
/// Of a server that died what it had counted is there until another has its name, or nobody looks any more.
///
/// # Errors
///
/// Nobody serves that name.
pub fn inspect(name: &str) -> Result<Inspection, Error> {
    let place = Place::new(name);
    let array = options(&place).open(&place.named("counters"))?;
    let words = array.atomics();
    let mut inspection = Inspection::default();
    for row in words.chunks_exact(ROW).skip(1) {
        read(row, &mut inspection);
    }
    Ok(inspection)
}

fn read(row: &[AtomicU64], into: &mut Inspection) {
    let word = |at: usize| row[at].load(Relaxed);
    // ORDERING(row): what is read below is of this turn, or a later one.
    let turn = row[TURN].load(Acquire);
    let (what, calls, errors, waiting) = (word(WHAT), word(CALLS), word(ERRORS), word(WAITING));
    let leases = word(LEASES);
    let name: Vec<u8> = (NAME..ROW).flat_map(|at| word(at).to_le_bytes()).collect();
    // ORDERING(row): if it is the same turn now, it was all along.
    fence(Acquire);
    if row[TURN].load(Relaxed) != turn || !turn.is_multiple_of(2) {
        return;
    }
    match what {
        SESSION => into.sessions.push(SessionCounts { calls, errors, waiting }),
        OBJECT => {
            let len = name.iter().position(|byte| *byte == 0).unwrap_or(name.len());
            let name = String::from_utf8_lossy(&name[..len]).into_owned();
            into.objects.push(ObjectCounts { name, calls, errors, waiting, leases });
        }
        _ => {}
    }
}

impl Counters {
    pub(super) fn make(place: &Place, incarnation: u64) -> Result<Self, Error> {
        let array = options(place).len(ROW * ROWS).replace(&place.named("counters"))?;
        array.atomics()[NUMBER].store(incarnation, Relaxed);
        let nobody = (What::Object(ObjectNumber::SERVER), 0);
        let free = (1..ROWS).rev().collect();
        Ok(Self { array, rows: HashMap::new(), free, last: [nobody; 2] })
    }

    /// Gives `what` a row.
    pub(super) fn open(&mut self, what: What, ty: &str, name: Option<&str>) {
        let Some(row) = self.free.pop() else { return };
        self.rows.insert(what, row);
        let text = name.map_or_else(|| ty.to_owned(), |name| format!("{ty} {name}"));
        let (kind, number) = match what {
            What::Session(session) => (SESSION, session.0),
            What::Object(object) => (OBJECT, object.key()),
        };
        self.turn(row, |words| {
            words[WHAT].store(kind, Relaxed);
            words[NUMBER].store(number, Relaxed);
            for (word, bytes) in words[NAME..].iter().zip(text.as_bytes().chunks(8)) {
                let mut part = [0; 8];
                part[..bytes.len()].copy_from_slice(bytes);
                word.store(u64::from_le_bytes(part), Relaxed);
            }
        });
    }

    pub(super) fn close(&mut self, what: What) {
        if let Some(row) = self.rows.remove(&what) {
            self.turn(row, |_| ());
            self.free.push(row);
            self.last = [(What::Object(ObjectNumber::SERVER), 0); 2];
        }
    }

    /// Empties a row, and has it be whose `fill` says.
    fn turn(&self, row: usize, fill: impl FnOnce(&[AtomicU64])) {
        let words = &self.array.atomics()[row * ROW..(row + 1) * ROW];
        let turn = words[TURN].load(Relaxed);
        words[TURN].store(turn | 1, Relaxed);
        // ORDERING(row): whoever sees what follows sees the odd turn.
        fence(Release);
        words[WHAT..].iter().for_each(|word| word.store(0, Relaxed));
        fill(words);
        // ORDERING(row): pairs with the Acquire in `read`.
        words[TURN].store((turn | 1) + 1, Release);
    }

    fn add(&mut self, which: usize, what: What, at: usize, change: i64) {
        if self.last[which].0 != what {
            let Some(row) = self.rows.get(&what) else { return };
            self.last[which] = (what, *row);
        }
        let row = self.last[which].1;
        if row != 0 {
            let word = &self.array.atomics()[row * ROW + at];
            // Only the server writes here.
            word.store(word.load(Relaxed).wrapping_add_signed(change), Relaxed);
        }
    }

    fn both(&mut self, session: SessionId, object: ObjectNumber, at: usize, change: i64) {
        self.add(0, What::Session(session), at, change);
        self.add(1, What::Object(object), at, change);
    }

    pub(super) fn call(&mut self, session: SessionId, object: ObjectNumber) {
        self.both(session, object, CALLS, 1);
    }

    pub(super) fn error(&mut self, session: SessionId, object: ObjectNumber) {
        self.both(session, object, ERRORS, 1);
    }

    pub(super) fn waiting(&mut self, session: SessionId, object: ObjectNumber, change: i64) {
        self.both(session, object, WAITING, change);
    }

    pub(super) fn leases(&mut self, object: ObjectNumber, change: i64) {
        self.add(1, What::Object(object), LEASES, change);
    }
}
