//! Hazard: two have a mutex at once, or what one did under it is not seen by the next, or one sleeps on although it is free, or
//! what the dead left is taken for whole.
#![cfg(loom)]

use loom_tests::crash::at_each_access;
use loom_tests::locks::Place;
use loom_tests::{crowded, model};

#[test]
fn what_was_done_under_it_is_seen_by_the_next() {
    model(|| {
        let place = Place::new();
        let other = place.beside(|place| place.add_locked(1));
        place.add_locked(0);
        other.join().unwrap();
        assert_eq!(place.read_locked(place.lock(0)), [2, 2]);
    });
}

#[test]
fn of_three_nobody_sleeps_on() {
    crowded(1, || {
        let place = Place::new();
        let others = [1, 2].map(|number| place.beside(move |place| place.add_locked(number)));
        place.add_locked(0);
        for other in others {
            other.join().unwrap();
        }
        assert_eq!(place.read_locked(place.lock(0)), [3, 3]);
    });
}

#[test]
fn who_dies_with_it_leaves_it_to_the_next_marked() {
    at_each_access(0, |death| {
        let (place, fate) = (Place::new(), death.clone());
        let victim = place.beside(move |place| fate.within(|| place.add_locked(1)));
        let before = place.lock_after_deaths(2).map(|held| place.read_locked(held));
        assert!(before.is_none_or(|[first, second]| first == second), "two have it");
        let survived = victim.join().unwrap().is_some();
        if !survived {
            place.is_dead(1);
        }
        let held = place.lock_after_deaths(2).expect("nobody else has it");
        let marked = held.inconsistent;
        let [first, second] = place.read_locked(held);
        assert!(marked || first == second, "torn and unmarked");
    });
}

#[test]
fn of_two_who_take_over_one_has_it() {
    at_each_access(1, |death| {
        let (place, fate) = (Place::new(), death.clone());
        let victim = place.beside(move |place| fate.within(|| place.add_locked(1)));
        if victim.join().unwrap().is_none() {
            place.is_dead(1);
        }
        let take = |number| {
            move |place: &Place| {
                let held = place.lock_after_deaths(number);
                held.map(|held| {
                    let marked = held.inconsistent;
                    (place.read_locked(held), marked)
                })
            }
        };
        let other = place.beside(take(2));
        let seen = [take(0)(&place), other.join().unwrap()];
        assert!(seen.iter().any(Option::is_some), "nobody has it, and nobody gets it");
        for ([first, second], marked) in seen.into_iter().flatten() {
            assert!(marked || first == second, "torn and unmarked");
        }
    });
}
