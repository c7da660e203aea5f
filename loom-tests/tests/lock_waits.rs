//! Hazard: a thread sleeps on although there is a permit, the flag was set, or it was called; or what was done before that is not
//! seen after it.
#![cfg(loom)]

use loom_tests::crash::at_each_access;
use loom_tests::locks::Place;
use loom_tests::{crowded, model};
use ringway::parts::lock::gate::Settled;

#[test]
fn a_release_wakes_who_waits_and_shows_what_was_done() {
    model(|| {
        let place = Place::new();
        let other = place.beside(|place| {
            place.add_unguarded();
            place.release(0);
        });
        place.acquire(0);
        assert_eq!(place.look_unguarded(), [1, 1]);
        other.join().unwrap();
    });
}

#[test]
fn two_releases_wake_two() {
    crowded(1, || {
        let place = Place::new();
        let others = [1, 2].map(|_| place.beside(|place| place.acquire(0)));
        place.release(0);
        place.release(0);
        for other in others {
            other.join().unwrap();
        }
        assert_eq!(place.available(0), 0);
    });
}

#[test]
fn permits_of_a_semaphore_go_from_hand_to_hand() {
    crowded(1, || {
        let place = Place::new();
        let work = |place: &Place| {
            place.acquire(1);
            place.add_unguarded();
            place.release(1);
        };
        let others = [1, 2].map(|_| place.beside(work));
        work(&place);
        for other in others {
            other.join().unwrap();
        }
        assert_eq!((place.available(1), place.look_unguarded()), (1, [3, 3]));
    });
}

#[test]
fn a_flag_wakes_all_and_shows_what_was_done() {
    crowded(1, || {
        let place = Place::new();
        let wait = |place: &Place| {
            place.wait_for_flag(0);
            assert_eq!(place.look_unguarded(), [1, 1]);
        };
        let others = [1, 2].map(|_| place.beside(wait));
        place.add_unguarded();
        place.set();
        for other in others {
            other.join().unwrap();
        }
    });
}

#[test]
fn a_flag_that_is_cleared_at_once_is_not_missed() {
    model(|| {
        let place = Place::new();
        let begun = place.flag_now();
        let other = place.beside(move |place| place.wait_for_flag(begun));
        place.set();
        place.clear();
        other.join().unwrap();
    });
}

#[test]
fn who_waits_for_a_condition_is_called() {
    model(|| {
        let place = Place::new();
        let other = place.beside(|place| place.wait_for_value(1, 1));
        place.add_locked(0);
        place.call(1, &Settled::default());
        other.join().unwrap();
    });
}

#[test]
fn who_called_in_vain_calls_who_comes_later() {
    crowded(1, || {
        let place = Place::new();
        let other = place.beside(|place| place.wait_for_value(1, 2));
        let settled = Settled::default();
        for _ in 0..2 {
            place.add_locked(0);
            place.call(1, &settled);
        }
        other.join().unwrap();
    });
}

#[test]
fn a_call_to_all_reaches_all() {
    crowded(2, || {
        let place = Place::new();
        let others =
            [1, 2].map(|number| place.beside(move |place| place.wait_for_value(number, 1)));
        place.add_locked(0);
        place.call(u32::MAX, &Settled::default());
        for other in others {
            other.join().unwrap();
        }
    });
}

#[test]
fn a_permit_goes_from_hand_to_hand() {
    crowded(1, || {
        let place = Place::new();
        let work = |number| {
            move |place: &Place| {
                let permit = place.get_permit(number);
                place.add_unguarded();
                place.give_back(permit, &Settled::default());
            }
        };
        let other = place.beside(work(1));
        work(0)(&place);
        other.join().unwrap();
        assert_eq!(place.look_unguarded(), [2, 2]);
    });
}

#[test]
fn who_gave_back_in_vain_tells_who_comes_later() {
    model(|| {
        let place = Place::new();
        let permit = place.get_permit(0);
        let other = place.beside(|place| {
            let permit = place.get_permit(1);
            place.give_back(permit, &Settled::default());
        });
        let settled = Settled::default();
        place.give_back(permit, &settled);
        let again = place.get_permit(0);
        place.give_back(again, &settled);
        other.join().unwrap();
    });
}

#[test]
fn a_permit_of_the_dead_comes_back() {
    at_each_access(0, |death| {
        let (place, fate) = (Place::new(), death.clone());
        let victim = place.beside(move |place| {
            fate.within(|| {
                let permit = place.get_permit(1);
                place.add_unguarded();
                place.give_back(permit, &Settled::default());
            })
        });
        if victim.join().unwrap().is_none() {
            place.is_dead(1);
        }
        let other = place.beside(|place| place.permit_after_deaths(2).is_some());
        let mine = place.permit_after_deaths(0).is_some();
        assert!(mine != other.join().unwrap(), "one gets it, and not two");
    });
}
