//! Hazard: a round of a barrier ends before all have come, or differently for two of them, or one sleeps on after its end, or a
//! dead party is waited for.
#![cfg(loom)]

use loom_tests::crash::at_each_access;
use loom_tests::locks::Place;
use loom_tests::model;
use ringway::parts::lock::barrier::Breach;

#[test]
fn what_was_done_before_is_seen_behind_and_one_is_the_last() {
    model(|| {
        let place = Place::new();
        assert!(place.join(0).is_some() && place.join(1).is_some() && place.join(2).is_none());
        let other = place.beside(|place| {
            place.add_unguarded();
            place.meet()
        });
        let mine = place.meet().unwrap();
        assert_eq!(place.look_unguarded(), [1, 1]);
        assert_eq!(mine + other.join().unwrap().unwrap(), 1);
    });
}

#[test]
fn rounds_follow_each_other() {
    model(|| {
        let place = Place::new();
        let other = place.beside(|place| {
            place.meet().unwrap();
            place.add_unguarded();
            place.meet().unwrap();
        });
        place.meet().unwrap();
        place.meet().unwrap();
        assert_eq!(place.look_unguarded(), [1, 1]);
        other.join().unwrap();
    });
}

#[test]
fn who_gives_up_breaks_the_round_for_both_or_for_none() {
    model(|| {
        let place = Place::new();
        let other = place.beside(Place::meet_now);
        let mine = place.meet();
        let theirs = other.join().unwrap();
        assert_eq!(mine.is_ok(), theirs.is_ok());
    });
}

#[test]
fn a_reset_wakes_who_waits() {
    model(|| {
        let place = Place::new();
        let begun = place.arrive();
        let other = place.beside(|place| {
            place.reset();
            place.meet()
        });
        assert_eq!(place.see_the_end(begun), Err(Breach::Broken));
        assert_eq!(place.meet().unwrap() + other.join().unwrap().unwrap(), 1);
    });
}

#[test]
fn a_dead_party_breaks_the_round() {
    at_each_access(0, |death| {
        let (place, fate) = (Place::new(), death.clone());
        assert!(place.join(0).is_some() && place.join(1).is_some());
        let victim = place.beside(move |place| fate.within(|| place.meet_now()));
        if victim.join().unwrap().is_some() {
            return;
        }
        place.is_dead(1);
        // It had come, and the round is completed; or else it never will be.
        let mine = place.meet_after_deaths();
        assert!(mine == Ok(1) || mine == Err(Breach::Broken));
    });
}

#[test]
fn a_successor_does_not_count_twice() {
    at_each_access(0, |death| {
        let (place, fate) = (Place::new(), death.clone());
        assert!(place.join(0).is_some() && place.join(1).is_some());
        let victim = place.beside(move |place| fate.within(|| place.meet_now()));
        if victim.join().unwrap().is_some() {
            return;
        }
        place.is_dead(1);
        assert!(place.join(2).is_some(), "it takes the dead one's place");
        // Alone it never completes a round.
        let successor = place.meet_now();
        assert_eq!(successor, Err(Breach::Broken));
    });
}

#[test]
fn who_gives_up_late_breaks_no_later_round() {
    model(|| {
        let place = Place::new();
        let begun = place.arrive();
        let other = place.beside(|place| {
            let passed = place.meet().is_ok();
            if passed {
                place.arrive();
            }
            passed
        });
        let mine = place.give_up(begun);
        let passed = other.join().unwrap();
        assert_eq!((mine.is_ok(), place.is_broken()), (passed, !passed));
    });
}
