//! What a server counts, read without asking it: a block of rows beside its door.
//!
//! The block is an array of words with the name `NAME.counters`, [`ROWS`] rows of [`ROW`] words: [`lock::row`](crate::lock::row)
//! says how one is read while the server writes it. Row 0 is the server's, rows 1 and 2 are of the sessions and objects that found no
//! row of their own, the rest are of one each. It stays when its server dies, until another server takes its place.

use super::place::{Place, at};
use crate::block::{Options, SharedArray};
use crate::builder::Attached;
use crate::error::Error;
use crate::lock::Fate;
use crate::lock::holder::Holder;
use crate::lock::row::Row;
use crate::primitive::AtomicU64;

/// What is agreed about the words: another arrangement is another type.
const AGREED: &str = "ringway manager counters 1";

/// Words of a row: its edition, what it is of, its number, counters, texts.
pub(super) const ROW: usize = 32;
/// Rows in all.
pub(super) const ROWS: usize = 1024;
/// The row of the server.
pub(super) const SERVER: usize = 0;
/// The rows of those that have none of their own.
pub(super) const OTHER_SESSIONS: usize = 1;
pub(super) const OTHER_OBJECTS: usize = 2;
/// The first row of an object; those of sessions end there.
pub(super) const FIRST_OBJECT: usize = 256;

/// Places of numbers in a row.
pub(super) const KIND: usize = 0;
pub(super) const NUMBER: usize = 1;
pub(super) const CALLS: usize = 2;
pub(super) const ERRORS: usize = 3;
pub(super) const WAITING: usize = 4;
pub(super) const LEASES: usize = 5;
pub(super) const REFERENCES: usize = 6;
/// Texts: words of bytes that zeros fill up.
const TYPE: usize = 7;
const TYPE_WORDS: usize = 8;
const NAME: usize = 15;
const NAME_WORDS: usize = 16;
/// Numbers of a row.
pub(super) const NUMBERS: usize = ROW - 1;
/// Of the server's row: where its member and the state are.
pub(super) const HOLDER: usize = TYPE;
pub(super) const STATE: usize = TYPE + 1;

/// What a row is of.
pub(super) const NOBODY: u64 = 0;
pub(super) const OF_SERVER: u64 = 1;
pub(super) const OF_SESSION: u64 = 2;
pub(super) const OF_OBJECT: u64 = 3;

/// States of a server.
pub(super) const SERVES: u64 = 1;
pub(super) const SHUT_DOWN: u64 = 2;

/// The numbers of a new row.
pub(super) fn numbers(kind: u64, number: u64, type_name: &str, name: &str) -> [u64; NUMBERS] {
    let mut numbers = [0; NUMBERS];
    (numbers[KIND], numbers[NUMBER]) = (kind, number);
    write_text(&mut numbers[TYPE..TYPE + TYPE_WORDS], type_name);
    write_text(&mut numbers[NAME..NAME + NAME_WORDS], name);
    numbers
}

/// The beginning of `text`, as much as goes in.
fn write_text(words: &mut [u64], text: &str) {
    let end = text.floor_char_boundary(8 * words.len());
    for (word, bytes) in words.iter_mut().zip(text.as_bytes()[..end].chunks(8)) {
        let mut whole = [0; 8];
        whole[..bytes.len()].copy_from_slice(bytes);
        *word = u64::from_le_bytes(whole);
    }
}

fn read_text(words: &[u64]) -> String {
    let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    String::from_utf8_lossy(&bytes[..end]).into_owned()
}

/// As the counters of the server at `place` are made and opened. They stay when it dies.
pub(super) fn options(place: &Place) -> Options<SharedArray<u64>> {
    at!(lasting place, SharedArray::options().type_id(AGREED))
}

/// The row `row` of `words`, if there is one.
pub(super) fn row(words: &[AtomicU64], row: usize) -> Option<Row<'_>> {
    Row::new(words.get(row * ROW..(row + 1) * ROW)?)
}

/// Where the counters of a server are looked for.
///
/// ```no_run
/// let counters = ringway::manager::Inspector::new().namespace("shop").inspect("orders")?;
/// for object in &counters.objects {
///     println!("{} {}: {} calls", object.type_name, object.name, object.counts.calls);
/// }
/// # Ok::<(), ringway::Error>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "it does nothing until it inspects"]
pub struct Inspector {
    place: Place,
}

impl Default for Inspector {
    fn default() -> Self {
        Self { place: Place::new("") }
    }
}

impl Inspector {
    /// For servers in the default namespace and directory.
    pub fn new() -> Self {
        Self::default()
    }

    /// The namespace of the server.
    pub fn namespace(mut self, namespace: impl Into<String>) -> Self {
        self.place.namespace = Some(namespace.into());
        self
    }

    /// The directory of the server's names.
    pub fn directory(mut self, directory: impl Into<std::path::PathBuf>) -> Self {
        self.place.directory = Some(directory.into());
        self
    }

    /// Accepts the counters of a server of that user beside those of this process's own.
    pub fn trust_owner(mut self, uid: u32) -> Self {
        self.place.trusted = Some(uid);
        self
    }

    /// Reads what the server `name` has counted. It is not asked, and need not live.
    ///
    /// The server goes on meanwhile: numbers of different rows are of different moments.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) if no server of that name has been there, or one that has shut down;
    /// [`ErrorKind::WrongType`](crate::ErrorKind::WrongType) if the counters are of a build that arranges them in another way; and
    /// as [`Options::open`](crate::block::Options::open).
    pub fn inspect(&self, name: &str) -> Result<Inspection, Error> {
        let mut place = self.place.clone();
        name.clone_into(&mut place.name);
        let array = options(&place).open(&place.named("counters"))?;
        Ok(Inspection::of(&array))
    }
}

/// Reads what the server `name` has counted, without asking it, also after its death.
///
/// # Errors
///
/// As [`Inspector::inspect`].
pub fn inspect(name: &str) -> Result<Inspection, Error> {
    Inspector::new().inspect(name)
}

/// What has become of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ServerState {
    /// It lives, or nobody can tell that it does not.
    Serving,
    /// It has been shut down.
    ShutDown,
    /// It died.
    Died,
}

/// What was counted of a server, a session or an object.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// Calls that were answered or wait.
    pub calls: u64,
    /// Calls that were answered with an error.
    pub errors: u64,
    /// Calls that wait now.
    pub waiting: u64,
    /// What is lent now, by an object or to a session: locks that are held, for one.
    pub leases: u64,
    /// References that are held now: of a session, to objects; of an object, by sessions and other objects.
    pub references: u64,
}

/// What was counted for a session.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SessionCounters {
    /// The session's number.
    pub session: u64,
    /// What was counted.
    pub counts: Counts,
}

/// What was counted for an object.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ObjectCounters {
    /// The object's number.
    pub object: u64,
    /// Its type's name, or the beginning of that: 64 bytes at most.
    pub type_name: String,
    /// Its name, or the beginning of that: 128 bytes at most. Empty for one that has none.
    pub name: String,
    /// What was counted.
    pub counts: Counts,
}

/// What a server has counted, when somebody looked.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Inspection {
    /// Which of all servers that ever had the name.
    pub incarnation: u64,
    /// Whether it serves.
    pub state: ServerState,
    /// All calls.
    pub total: Counts,
    /// The sessions that are there.
    pub sessions: Vec<SessionCounters>,
    /// The objects that are there.
    pub objects: Vec<ObjectCounters>,
    /// Of all sessions for which there is no room among those.
    pub other_sessions: Counts,
    /// Of all objects for which there is no room among those.
    pub other_objects: Counts,
}

impl Inspection {
    /// What `array` says. It is checked where it is used, and is for people.
    pub(super) fn of(array: &SharedArray<u64>) -> Self {
        let words = array.atomics();
        let read = |number| read_row(words, number).unwrap_or([0; NUMBERS]);
        let server = read(SERVER);
        let rows = || (OTHER_OBJECTS + 1..ROWS).filter_map(|number| read_row(words, number));
        let sessions = rows().filter(|row| row[KIND] == OF_SESSION);
        let objects = rows().filter(|row| row[KIND] == OF_OBJECT);
        Self {
            incarnation: server[NUMBER],
            state: state_of(array, &server),
            total: counts(&server),
            sessions: sessions.map(|row| session(&row)).collect(),
            objects: objects.map(|row| object(&row)).collect(),
            other_sessions: counts(&read(OTHER_SESSIONS)),
            other_objects: counts(&read(OTHER_OBJECTS)),
        }
    }
}

fn read_row(words: &[AtomicU64], number: usize) -> Option<[u64; NUMBERS]> {
    let mut numbers = [0; NUMBERS];
    row(words, number)?.read(&mut numbers).then_some(numbers)
}

fn state_of(array: &SharedArray<u64>, server: &[u64; NUMBERS]) -> ServerState {
    let fate = Holder::of(server[HOLDER]).map(|holder| array.attachment().fate(holder));
    match (server[STATE], fate) {
        (SHUT_DOWN, _) => ServerState::ShutDown,
        (_, Some(Fate::Lives | Fate::Unseen)) => ServerState::Serving,
        _ => ServerState::Died,
    }
}

fn counts(row: &[u64; NUMBERS]) -> Counts {
    Counts {
        calls: row[CALLS],
        errors: row[ERRORS],
        waiting: row[WAITING],
        leases: row[LEASES],
        references: row[REFERENCES],
    }
}

fn session(row: &[u64; NUMBERS]) -> SessionCounters {
    SessionCounters { session: row[NUMBER], counts: counts(row) }
}

fn object(row: &[u64; NUMBERS]) -> ObjectCounters {
    ObjectCounters {
        object: row[NUMBER],
        type_name: read_text(&row[TYPE..TYPE + TYPE_WORDS]),
        name: read_text(&row[NAME..NAME + NAME_WORDS]),
        counts: counts(row),
    }
}
