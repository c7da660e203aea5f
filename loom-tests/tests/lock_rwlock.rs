//! Hazard: a writer meets a reader or another writer, or somebody sleeps on although the lock is to be had, or the dead keep
//! the living out, or what a dead writer left is taken for whole.
#![cfg(loom)]

use loom_tests::crash::at_each_access;
use loom_tests::locks::Place;
use loom_tests::{crowded, model};

#[test]
fn a_reader_sees_all_of_a_writers_work_or_nothing() {
    model(|| {
        let place = Place::new();
        let other = place.beside(|place| place.write(1));
        let [first, second] = place.read(0);
        assert_eq!(first, second);
        other.join().unwrap();
        assert_eq!(place.read(0), [1, 1]);
    });
}

#[test]
fn two_writers_take_turns() {
    crowded(1, || {
        let place = Place::new();
        let other = place.beside(|place| place.write(1));
        place.write(0);
        other.join().unwrap();
        assert_eq!(place.read(0), [2, 2]);
    });
}

#[test]
fn two_readers_and_a_writer_all_get_there() {
    crowded(2, || {
        let place = Place::new();
        let others = [1, 2].map(|number| {
            place.beside(move |place| {
                let [first, second] = place.read(number);
                assert_eq!(first, second);
            })
        });
        place.write(0);
        for other in others {
            other.join().unwrap();
        }
    });
}

#[test]
fn a_dead_reader_keeps_no_writer_out() {
    at_each_access(0, |death| {
        let (place, fate) = (Place::new(), death.clone());
        let victim = place.beside(move |place| fate.within(|| place.read(1)));
        if victim.join().unwrap().is_none() {
            place.is_dead(1);
        }
        let other = place.beside(|place| place.read_after_deaths(2));
        let written = place.write_after_deaths(0);
        other.join().unwrap();
        assert!(written.is_none_or(|(_, marked)| !marked), "readers change nothing");
        assert!(place.write_after_deaths(0).is_some(), "nobody who lives is there");
    });
}

#[test]
fn a_dead_writer_leaves_it_marked_to_readers_and_writers() {
    at_each_access(0, |death| {
        let (place, fate) = (Place::new(), death.clone());
        let victim = place.beside(move |place| fate.within(|| place.write(1)));
        if victim.join().unwrap().is_none() {
            place.is_dead(1);
        }
        let other = place.beside(|place| place.read_after_deaths(2));
        let written = place.write_after_deaths(0);
        let read = other.join().unwrap();
        for ([first, second], marked) in [written, read].into_iter().flatten() {
            assert!(marked || first == second, "torn and unmarked");
        }
    });
}
