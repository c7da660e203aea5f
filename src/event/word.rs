//! Sleeping on a word that is itself what is waited for.
//!
//! Locks have no event beside them: their word says who has it and whether somebody sleeps, and the kernel compares its
//! lower half as it lets a waiter fall asleep. **No wake-up is lost**: a waiter marks the word, by a compare-and-swap from
//! what it found, and sleeps only while the word is what it then was. Whoever changes it afterwards finds the mark and wakes.
//! A wake-up that goes to one who is killed is gone, so **a sleep is bounded** here too: by a nap while somebody holds what is
//! waited for, by the recheck interval else.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use super::{Attempt, Deadline, Event, Look, Patience, Recheck, Wait, nap};
use crate::error::MemberId;
use crate::primitive::{LockWord, now_ns};

/// The shortest nap for a holder. A sleep that ends sooner costs the one who wakes it a third more, because the clock that was to end it is
/// the processor's next alarm and has to be set anew.
const NAP_NS: u64 = 20_000_000;

/// What one try at a word came to.
#[derive(Debug)]
pub enum Turn<R> {
    /// It is done.
    Ready(R),
    /// Sleep while the lower half of the word is that of `word`.
    Asleep {
        /// What the word was found to be, or made.
        word: u64,
        /// Who is in the way: look in a nap whether it is still the same, and then whether it lives.
        holder: Option<MemberId>,
    },
}

impl<R> From<Turn<R>> for Attempt<R> {
    fn from(turn: Turn<R>) -> Self {
        match turn {
            Turn::Ready(result) => Attempt::Ready(result),
            Turn::Asleep { .. } => Attempt::Idle,
        }
    }
}

/// When a handle's next recheck is due: kept from wait to wait, whichever of its threads waits.
#[derive(Debug, Default)]
pub struct SharedRecheck(AtomicU64);

impl SharedRecheck {
    /// Runs `wait` with it. Of several threads that do so at once one's is kept: all are in time.
    pub fn with<R>(&self, wait: impl FnOnce(&mut Recheck) -> R) -> R {
        let mut recheck = Recheck(self.0.load(Relaxed));
        let result = wait(&mut recheck);
        self.0.store(recheck.0, Relaxed);
        result
    }
}

/// Tries until the attempt is ready or the deadline passes, at least once.
///
/// An attempt that is [`last`](Look::last) marks the word, so that who changes it wakes the caller; one that is
/// [`overdue`](Look::overdue) asks whether those in the way live.
pub fn wait_at_word<R>(
    word: &LockWord,
    patience: Patience,
    recheck: &mut Recheck,
    deadline: Deadline,
    mut attempt: impl FnMut(Look) -> Turn<R>,
) -> Option<R> {
    let overdue = recheck.is_due(patience);
    if let Turn::Ready(result) = attempt(Look { overdue, ..Look::QUICK }) {
        return Some(result);
    }
    if deadline.has_passed() {
        return None;
    }
    let mut spinning = |look| Attempt::from(attempt(look));
    match patience.wait {
        Wait::Spin => return Event::spin_until(patience, recheck, deadline, &mut spinning),
        Wait::SpinThenPark => {
            if let Some(result) = Event::spin_briefly(1, patience, &mut spinning) {
                return Some(result);
            }
        }
        Wait::Park => {}
    }
    park_at(word, patience, recheck, deadline, attempt)
}

fn park_at<R>(
    word: &LockWord,
    patience: Patience,
    recheck: &mut Recheck,
    deadline: Deadline,
    mut attempt: impl FnMut(Look) -> Turn<R>,
) -> Option<R> {
    let mut held: Option<(MemberId, u64)> = None;
    loop {
        let overdue = held.is_some() | recheck.is_due(patience);
        let (expected, holder) = match attempt(Look { overdue, last: true }) {
            Turn::Ready(result) => return Some(result),
            Turn::Asleep { word, holder } => (word, holder),
        };
        let asleep_until = match holder {
            None => recheck.0,
            Some(member) => {
                let now = now_ns();
                let since = match held {
                    Some((before, since)) if before == member => since,
                    _ => now,
                };
                held = Some((member, since));
                now.saturating_add(nap(now - since).max(NAP_NS)).min(recheck.0)
            }
        };
        if deadline.has_passed() {
            return None;
        }
        word.wait(expected, asleep_until.min(deadline.0));
        if let Turn::Ready(result) = attempt(Look::QUICK) {
            return Some(result);
        }
    }
}
