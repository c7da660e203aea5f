//! Sleeping until something happens at one of several places.
//!
//! A waiter is one at each of the events, as in `event.rs`: it sets its bit at all, reads every `epoch` and counts a sleep there,
//! passes the heavy barrier, tries, and sleeps only while every `epoch` is what it read. So the argument there holds for each event by itself.
//! One that leaves has left all: it may have taken a wake-up at each of them, also after the one that it goes by, so at each it
//! clears its bit and wakes another if there is more to do there. What it was woken for counts as that too: it only looked.
//!
//! The kernel's wait on several words is used where there is one. Where it is missing or refused, a waiter sleeps on
//! one word after the other, at most a millisecond on each.

use super::{Attempt, Deadline, Enrolled, Event, Look, Patience, Recheck, SHORT_NS, Wait};
use crate::primitive::{Barrier, FutexWord, MOST_WORDS, now_ns};

/// Tries until the attempt is ready or the deadline passes, at least once, as [`Event::wait_until`] does at one event.
///
/// `more` says of an event, by its place among them, whether another waiter would find something to do there.
///
/// # Panics
///
/// When there are more than [`MOST_WORDS`], if it comes to sleeping.
pub fn wait_at_several<R>(
    events: &[Event<'_>],
    patience: Patience,
    recheck: &mut Recheck,
    deadline: Deadline,
    mut attempt: impl FnMut(Look) -> Attempt<R>,
    more: impl Fn(usize) -> bool,
) -> Option<R> {
    let overdue = recheck.is_due(patience);
    if let Attempt::Ready(result) = attempt(Look { overdue, ..Look::QUICK }) {
        return Some(result);
    }
    if deadline.has_passed() {
        return None;
    }
    match patience.wait {
        Wait::Spin => return Event::spin_until(patience, recheck, deadline, &mut attempt),
        Wait::SpinThenPark => {
            if let Some(result) = Event::spin_briefly(events.len(), patience, &mut attempt) {
                return Some(result);
            }
        }
        Wait::Park => {}
    }
    park_until(events, patience, recheck, deadline, attempt, more)
}

fn park_until<R>(
    events: &[Event<'_>],
    patience: Patience,
    recheck: &mut Recheck,
    deadline: Deadline,
    mut attempt: impl FnMut(Look) -> Attempt<R>,
    more: impl Fn(usize) -> bool,
) -> Option<R> {
    assert!(events.len() <= MOST_WORDS, "the caller counts them");
    let more = &more;
    let places = events.iter().enumerate();
    let _enrolled: Vec<_> =
        places.map(|(at, event)| Enrolled::new(*event, move || more(at))).collect();
    let asymmetric = events.iter().any(|event| event.barrier == Barrier::Asymmetric);
    let barrier = if asymmetric { Barrier::Asymmetric } else { Barrier::Fence };
    let mut words: Vec<(&FutexWord, u32)> = events.iter().map(|e| (&e.line.epoch, 0)).collect();
    let (mut held_since, mut turn) = (None, 0);
    loop {
        for (event, (_, epoch)) in events.iter().zip(&mut words) {
            *epoch = event.about_to_sleep();
        }
        // ORDERING(waiters), ORDERING(sleeps): all bits and counts come before the try; pairs with the light barrier of
        // notifiers.
        let seen_by_all = barrier.heavy();
        let asleep_until = match attempt(Look { overdue: recheck.is_due(patience), last: true }) {
            Attempt::Ready(result) => return Some(result),
            Attempt::Idle if seen_by_all => {
                held_since = None;
                recheck.0
            }
            Attempt::Idle => now_ns() + SHORT_NS,
            Attempt::Held(_) => {
                // Whoever it is: each is asked about at every nap.
                let now = now_ns();
                let nap = super::nap(now - *held_since.get_or_insert(now));
                now.saturating_add(nap).min(recheck.0)
            }
        };
        if deadline.has_passed() {
            return None;
        }
        let until = asleep_until.min(deadline.0);
        if !FutexWord::wait_any(&words, until) {
            turn = (turn + 1) % words.len();
            let (word, epoch) = words[turn];
            word.wait(epoch, until.min(now_ns() + SHORT_NS));
        }
        if let Attempt::Ready(result) = attempt(Look::QUICK) {
            return Some(result);
        }
    }
}
