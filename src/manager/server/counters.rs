//! The server's side of its counters: who has which row, and what is in it.
//!
//! What was counted is kept in private memory and stored to the block, where others read it ([`inspect`](crate::manager::inspect)).
//! Nothing is read back, so whatever anybody writes there is no concern of the server's.

use super::super::inspect::{
    CALLS, ERRORS, FIRST_OBJECT, HOLDER, LEASES, NOBODY, NUMBERS, OF_OBJECT, OF_SERVER, OF_SESSION,
    OTHER_OBJECTS, OTHER_SESSIONS, REFERENCES, ROW, ROWS, SERVER, SERVES, SHUT_DOWN, STATE,
    WAITING, numbers, options, row,
};
use super::super::item::ObjectNumber;
use super::super::object::SessionId;
use super::super::place::Place;
use super::super::slots::Slots;
use crate::block::SharedArray;
use crate::builder::Attached;
use crate::error::Error;
use crate::lock::holder::Holder;

/// The row of a session, its own or the one of those that have none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RowId(usize);

/// A row, for as long as it is about the same.
#[derive(Clone, Copy, Debug)]
struct Tenure {
    row: usize,
    edition: u64,
}

/// Where a lease is counted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lent {
    /// None of one that is lent to nobody who is there.
    to: Option<Tenure>,
    by: Tenure,
}

/// What is counted, by its place in a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub(super) enum Count {
    /// Calls, counted when they come.
    Calls = CALLS,
    /// Answers that are errors.
    Errors = ERRORS,
    /// Calls that wait.
    Waiting = WAITING,
    /// What is lent.
    Leases = LEASES,
    /// References.
    References = REFERENCES,
}

/// A row as the server knows it.
#[derive(Clone, Copy, Debug)]
struct Known {
    edition: u64,
    counts: [u64; REFERENCES + 1],
}

/// The counters of a server.
#[derive(Debug)]
pub(super) struct Counters {
    array: SharedArray<u64>,
    known: Vec<Known>,
    free_sessions: Vec<usize>,
    free_objects: Vec<usize>,
    /// Rows of objects.
    objects: Slots<usize>,
}

impl Counters {
    /// New ones of the server at `place`, instead of what an earlier one left.
    pub(super) fn make(place: &Place, incarnation: u64) -> Result<Self, Error> {
        let array = options(place).len(ROWS * ROW).replace(&place.named("counters"))?;
        let me = array.attachment();
        let holder = Holder::new(me.id(), me.incarnation());
        let empty = Known { edition: 0, counts: [0; REFERENCES + 1] };
        let mut counters = Self {
            array,
            known: vec![empty; ROWS],
            free_sessions: (OTHER_OBJECTS + 1..FIRST_OBJECT).rev().collect(),
            free_objects: (FIRST_OBJECT..ROWS).rev().collect(),
            objects: Slots::default(),
        };
        counters.begin(OTHER_SESSIONS, numbers(OF_SESSION, 0, "", ""));
        counters.begin(OTHER_OBJECTS, numbers(OF_OBJECT, 0, "", ""));
        let mut server = numbers(OF_SERVER, incarnation, "", "");
        (server[HOLDER], server[STATE]) = (holder.bits(), SERVES);
        counters.begin(SERVER, server);
        Ok(counters)
    }

    /// A row for a session.
    pub(super) fn open_session(&mut self, session: SessionId) -> RowId {
        let Some(row) = self.free_sessions.pop() else { return RowId(OTHER_SESSIONS) };
        self.begin(row, numbers(OF_SESSION, session.0, "", ""));
        RowId(row)
    }

    /// The session is over.
    pub(super) fn close_session(&mut self, RowId(row): RowId) {
        if row != OTHER_SESSIONS {
            self.begin(row, numbers(NOBODY, 0, "", ""));
            self.free_sessions.push(row);
        }
    }

    /// Gives an object a row.
    pub(super) fn open(&mut self, object: ObjectNumber, ty: &str, name: Option<&str>) {
        let Some(row) = self.free_objects.pop() else { return };
        self.begin(row, numbers(OF_OBJECT, object.key(), ty, name.unwrap_or("")));
        self.objects.put(object.key(), row);
    }

    /// The object is gone.
    pub(super) fn close(&mut self, object: ObjectNumber) {
        if let Some(row) = self.objects.take(object.key()) {
            self.begin(row, numbers(NOBODY, 0, "", ""));
            self.free_objects.push(row);
        }
    }

    /// Counts `change` for a session, an object and the server.
    #[inline]
    pub(super) fn count(&mut self, session: RowId, object: ObjectNumber, what: Count, change: i64) {
        self.add(session.0, what, change);
        self.count_object(object, what, change);
    }

    /// Counts `change` for an object and the server.
    fn count_object(&mut self, object: ObjectNumber, what: Count, change: i64) {
        if object != ObjectNumber::SERVER {
            self.add(self.row_of(object), what, change);
        }
        self.add(SERVER, what, change);
    }

    /// Counts a lease of an object to a session; where [`count_lent`](Self::count_lent) takes it off again.
    pub(super) fn lend(&mut self, to: Option<RowId>, by: ObjectNumber) -> Lent {
        let tenure = |row: usize| Tenure { row, edition: self.known[row].edition };
        let lent = Lent { to: to.map(|RowId(row)| tenure(row)), by: tenure(self.row_of(by)) };
        self.count_lent(lent, 1);
        lent
    }

    /// Counts `change` for a lease, in the rows that are still about whom they were about.
    pub(super) fn count_lent(&mut self, lent: Lent, change: i64) {
        for Tenure { row, edition } in lent.to.into_iter().chain([lent.by]) {
            if self.known[row].edition == edition {
                self.add(row, Count::Leases, change);
            }
        }
        self.add(SERVER, Count::Leases, change);
    }

    /// Counts `change` references of a session, and of the server.
    pub(super) fn count_references(&mut self, RowId(session): RowId, change: i64) {
        self.add(session, Count::References, change);
        self.add(SERVER, Count::References, change);
    }

    /// There are so many references to an object.
    pub(super) fn references(&mut self, object: ObjectNumber, number: u64) {
        if let Some(row) = self.objects.get(object.key()) {
            self.store(*row, REFERENCES, number);
        }
    }

    /// The server has shut down: nobody finds its counters any more, and who has found them is told.
    pub(super) fn shut_down(&mut self) {
        self.publish(SERVER, STATE, SHUT_DOWN);
        // Somebody else may have removed the name.
        let _ = self.array.unlink();
    }

    fn row_of(&self, object: ObjectNumber) -> usize {
        self.objects.get(object.key()).copied().unwrap_or(OTHER_OBJECTS)
    }

    fn begin(&mut self, number: usize, numbers: [u64; NUMBERS]) {
        let known = &mut self.known[number];
        known.counts.copy_from_slice(&numbers[..=REFERENCES]);
        if let Some(row) = row(self.array.atomics(), number) {
            known.edition = row.begin(known.edition, &numbers);
        }
    }

    #[inline]
    fn add(&mut self, row: usize, what: Count, change: i64) {
        let number = self.known[row].counts[what as usize].saturating_add_signed(change);
        self.store(row, what as usize, number);
    }

    #[inline]
    fn store(&mut self, row: usize, place: usize, number: u64) {
        self.known[row].counts[place] = number;
        self.publish(row, place, number);
    }

    #[inline]
    fn publish(&self, number: usize, place: usize, value: u64) {
        if let Some(row) = row(self.array.atomics(), number) {
            row.set(place, value);
        }
    }
}

/// A server that goes without having served leaves nothing either.
impl Drop for Counters {
    fn drop(&mut self) {
        self.shut_down();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;
    use crate::manager::inspect::{Counts, Inspection, ServerState, inspect};

    fn unique(what: &str) -> String {
        format!("unit-counters-{what}-{}", std::process::id())
    }

    fn new(what: &str) -> (String, Counters) {
        let name = unique(what);
        let counters = Counters::make(&Place::new(&name), 77).unwrap();
        (name, counters)
    }

    fn object(slot: usize) -> ObjectNumber {
        ObjectNumber::new(u32::try_from(slot).unwrap(), 1)
    }

    #[test]
    fn what_is_counted_is_read_without_asking() {
        let (name, mut counters) = new("read");
        let session = counters.open_session(SessionId(5));
        counters.open(object(9), "list", Some("orders"));
        counters.count(session, object(9), Count::Calls, 3);
        counters.count(session, object(9), Count::Waiting, 2);
        counters.count(session, object(9), Count::Waiting, -1);
        counters.count(session, ObjectNumber::SERVER, Count::Errors, 1);
        counters.count_references(session, 6);
        counters.references(object(9), 4);
        let found = inspect(&name).unwrap();
        assert_eq!((found.incarnation, found.state), (77, ServerState::Serving));
        assert_eq!((found.total.calls, found.total.errors, found.total.references), (3, 1, 6));
        let [one] = &found.sessions[..] else { panic!("{found:?}") };
        assert_eq!((one.session, one.counts.calls, one.counts.waiting), (5, 3, 1));
        let [one] = &found.objects[..] else { panic!("{found:?}") };
        assert_eq!(
            (one.object, &one.type_name[..], &one.name[..]),
            (object(9).key(), "list", "orders")
        );
        assert_eq!((one.counts.waiting, one.counts.errors, one.counts.references), (1, 0, 4));
        counters.shut_down();
    }

    #[test]
    fn a_row_is_used_again_and_begins_at_zero() {
        let (name, mut counters) = new("again");
        for number in 1..2 * ROWS {
            counters.open(object(number), "value", None);
            counters.count_object(object(number), Count::Calls, 1);
            if number.is_multiple_of(256) {
                assert_eq!(inspect(&name).unwrap().objects[0].counts.calls, 1);
            }
            counters.close(object(number));
        }
        assert!(inspect(&name).unwrap().objects.is_empty());
        counters.shut_down();
    }

    #[test]
    fn those_without_a_row_share_one() {
        let (name, mut counters) = new("others");
        let sessions = FIRST_OBJECT - OTHER_OBJECTS - 1;
        let rows: Vec<RowId> =
            (0..sessions + 2).map(|n| counters.open_session(SessionId(n as u64))).collect();
        for row in &rows {
            counters.count(*row, ObjectNumber::SERVER, Count::Calls, 1);
        }
        let objects = ROWS - FIRST_OBJECT;
        for number in 1..=objects + 1 {
            counters.open(object(number), "value", None);
            let _ = counters.lend(None, object(number));
        }
        let found = inspect(&name).unwrap();
        assert_eq!((found.sessions.len(), found.other_sessions.calls), (sessions, 2));
        assert_eq!((found.objects.len(), found.other_objects.leases), (objects, 1));
        for row in rows {
            counters.close_session(row);
        }
        (1..=objects + 1).for_each(|number| counters.close(object(number)));
        let found = inspect(&name).unwrap();
        assert!(found.sessions.is_empty() && found.objects.is_empty());
        assert_eq!(found.other_sessions.calls, 2);
        counters.shut_down();
    }

    #[test]
    fn a_lease_is_taken_off_where_it_was_counted_and_nowhere_else() {
        let (name, mut counters) = new("lent");
        let leases = || {
            let found = inspect(&name).unwrap();
            let of = |counts: Option<Counts>| counts.map(|counts| counts.leases);
            let session = of(found.sessions.first().map(|session| session.counts));
            (session, of(found.objects.first().map(|object| object.counts)), found.total.leases)
        };
        let session = counters.open_session(SessionId(5));
        counters.open(object(1), "pen", None);
        let lent = [(); 3].map(|()| counters.lend(Some(session), object(1)));
        assert_eq!(leases(), (Some(3), Some(3), 3));
        counters.count_lent(lent[0], -1);
        assert_eq!(leases(), (Some(2), Some(2), 2));
        // Its row is another session's now.
        counters.close_session(session);
        let session = counters.open_session(SessionId(6));
        let theirs = counters.lend(Some(session), object(1));
        counters.count_lent(lent[1], -1);
        assert_eq!(leases(), (Some(1), Some(2), 2));
        // And another object's.
        counters.close(object(1));
        counters.open(object(2), "pen", None);
        let last = counters.lend(None, object(2));
        counters.count_lent(lent[2], -1);
        counters.count_lent(theirs, -1);
        assert_eq!(leases(), (Some(0), Some(1), 1));
        counters.count_lent(last, -1);
        assert_eq!(leases(), (Some(0), Some(0), 0));
        counters.shut_down();
    }

    #[test]
    fn long_names_are_cut_between_letters() {
        let (name, mut counters) = new("long");
        counters.open(object(1), &"é".repeat(100), Some(&"x".repeat(200)));
        let found = &inspect(&name).unwrap().objects[0];
        assert_eq!((&found.type_name, &found.name), (&"é".repeat(32), &"x".repeat(128)));
        counters.shut_down();
    }

    #[test]
    fn whatever_anybody_writes_there_is_no_concern_of_the_servers() {
        let (name, mut counters) = new("hostile");
        let session = counters.open_session(SessionId(5));
        let words = options(&Place::new(&name)).open(&format!("{name}.counters")).unwrap();
        for (place, word) in words.atomics().iter().enumerate() {
            let garbage = (place as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) & !1;
            word.store(garbage, crate::primitive::Ordering::Relaxed);
        }
        assert_eq!(inspect(&name).unwrap().state, ServerState::Died);
        counters.count(session, ObjectNumber::SERVER, Count::Calls, 1);
        assert_eq!(counters.known[session.0].counts[CALLS], 1);
        counters.shut_down();
    }

    #[test]
    fn none_another_arrangement_and_one_that_has_shut_down_are_told_apart() {
        let name = unique("apart");
        let of = format!("{name}.counters");
        assert_eq!(inspect(&name).unwrap_err().kind(), &ErrorKind::NotFound);
        let other = SharedArray::<u64>::options().len(ROW).remove_when_unused();
        let other = other.type_id("ringway manager counters 0").create(&of).unwrap();
        assert!(matches!(inspect(&name).unwrap_err().kind(), ErrorKind::WrongType(_)));
        drop(other);
        let mut counters = Counters::make(&Place::new(&name), 1).unwrap();
        let held = options(&Place::new(&name)).open(&of).unwrap();
        counters.shut_down();
        assert_eq!(Inspection::of(&held).state, ServerState::ShutDown);
        assert_eq!(inspect(&name).unwrap_err().kind(), &ErrorKind::NotFound);
    }

    #[test]
    fn a_block_that_is_too_short_is_read_as_far_as_it_goes() {
        let name = unique("short");
        let short = options(&Place::new(&name)).len(ROW + 3).remove_when_unused();
        let short = short.create(&format!("{name}.counters")).unwrap();
        let found = inspect(&name).unwrap();
        assert!(found.objects.is_empty() && found.state == ServerState::Died);
        drop(short);
    }
}
