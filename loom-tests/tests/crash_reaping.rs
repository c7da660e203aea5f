//! Hazard: a reaper that is killed half-way leaves what no other finishes, or what is taken back twice.
//!
//! Checked, for a reaper that dies before each of its accesses to shared memory, beside a second reaper of the same dead,
//! and beside somebody who sends and receives: once another has been through, nothing is owned by the dead, each message
//! is there once, flagged once if the dead had stamped it, and every slot serves again.
#![cfg(loom)]

use std::sync::Arc;

use loom_tests::crash::{Death, at_each_access};
use loom_tests::queue::{Queue, WRAPPING, receiver, sender};
use ringway::parts::reap::Reaped;

/// What member 1 left when it was killed.
struct Remains {
    queue: Arc<Queue>,
    /// What is to be received.
    messages: &'static [u64],
    /// How many of them it had stamped: flagged when they come again.
    stamped: usize,
    /// What it takes to put it in order.
    reaped: Reaped,
}

/// Two slots claimed to be filled, one of them stamped.
fn half_stamped_fill() -> Remains {
    let queue = Queue::starting_at(WRAPPING, 4);
    assert!(queue.claim_vacant_and_die(1, 2, 1));
    Remains { queue, messages: &[], stamped: 0, reaped: reaped(2, 0) }
}

/// Two messages claimed to be taken, one of them stamped.
fn half_stamped_take() -> Remains {
    let queue = Queue::holding(WRAPPING, 4, &[1, 2, 3]);
    assert!(queue.claim_filled_and_die(1, 2, 1));
    Remains { queue, messages: &[1, 2, 3], stamped: 1, reaped: reaped(0, 2) }
}

/// A message put back and not announced.
fn not_announced() -> Remains {
    let queue = Queue::holding(WRAPPING, 2, &[1, 2]);
    queue.put_back_and_die();
    Remains { queue, messages: &[1, 2], stamped: 1, reaped: reaped(0, 0) }
}

fn reaped(aborted: u64, redelivered: u64) -> Reaped {
    let mut reaped = Reaped::default();
    (reaped.aborted, reaped.redelivered) = (aborted, redelivered);
    reaped
}

/// What was `found` is `expected`, each message once; how often they had been delivered before, in all.
fn tries_of(mut found: Vec<(u64, u32)>, expected: &[u64]) -> u32 {
    found.sort_unstable();
    let values: Vec<u64> = found.iter().map(|(value, _)| *value).collect();
    assert_eq!(values, expected);
    found.iter().map(|(_, tries)| *tries).sum()
}

/// Two reapers, of which one dies; then one that finds nothing left to do if the second did it all.
fn beside_another(death: &Death, remains: fn() -> Remains) {
    let (remains, fate) = (remains(), death.clone());
    let queue = remains.queue;
    let victim = queue.beside(move |queue| fate.within(|| queue.reap(1)));
    let mut all = queue.reap(1);
    if let Some(others) = victim.join().unwrap() {
        all.aborted += others.aborted;
        all.redelivered += others.redelivered;
        assert_eq!(all, remains.reaped, "each claim is taken back once");
    }
    assert_eq!(queue.reap(1), Reaped::default(), "who comes to the end leaves nothing");
    let found = queue.pop_counted(&receiver(2), usize::MAX);
    let tries = tries_of(found, remains.messages);
    assert_eq!(tries as usize, remains.stamped);
    queue.assert_whole();
}

/// A reaper that dies beside one who receives and sends; then another.
fn beside_a_member(death: &Death, remains: fn() -> Remains) {
    let (remains, fate) = (remains(), death.clone());
    let queue = remains.queue;
    let victim = queue.beside(move |queue| fate.within(|| queue.reap(1)));
    let mut found = queue.pop_counted(&receiver(2), 1);
    queue.push(&sender(2), 20).unwrap();
    victim.join().unwrap();
    queue.reap(1);
    found.extend(queue.pop_counted(&receiver(2), usize::MAX));
    let tries = tries_of(found, &[remains.messages, &[20]].concat()) as usize;
    // Who takes may have stamped the rest in the name of the dead before.
    assert!(remains.stamped <= tries && tries <= remains.stamped.max(2 * remains.stamped));
    queue.assert_whole();
}

#[test]
fn two_reapers_of_a_claim_to_fill() {
    at_each_access(1, |death| beside_another(death, half_stamped_fill));
}

#[test]
fn two_reapers_of_a_claim_to_take() {
    at_each_access(1, |death| beside_another(death, half_stamped_take));
}

#[test]
fn two_reapers_of_what_was_not_announced() {
    at_each_access(0, |death| beside_another(death, not_announced));
}

#[test]
fn a_reaper_of_a_claim_to_fill_beside_a_member() {
    at_each_access(1, |death| beside_a_member(death, half_stamped_fill));
}

#[test]
fn a_reaper_of_a_claim_to_take_beside_a_member() {
    at_each_access(1, |death| beside_a_member(death, half_stamped_take));
}

#[test]
fn a_member_that_dies_as_it_reaps_and_receives_is_reaped_in_turn() {
    at_each_access(2, |death| {
        let (remains, fate) = (half_stamped_take(), death.clone());
        let queue = remains.queue;
        let victim = queue.beside(move |queue| {
            let mut taken = None;
            let lived = fate.within(|| {
                queue.reap(1);
                let side = receiver(3);
                let claim = queue.take(&side).ok();
                taken = claim.as_ref().map(|claim| *queue.ring().value(claim));
                if let Some(claim) = claim {
                    queue.ring().acknowledge(claim);
                }
            });
            lived.and(taken)
        });
        let mut found = queue.pop_counted(&receiver(2), 1);
        found.extend(victim.join().unwrap().map(|value| (value, 0)));
        for dead in [1, 3] {
            queue.reap(dead);
        }
        found.extend(queue.pop_counted(&receiver(2), usize::MAX));
        let _ = tries_of(found, remains.messages);
        queue.assert_whole();
    });
}
