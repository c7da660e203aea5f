//! One shared access after another, sleep and wake-ups of the kernel, and who lives.

use super::barrier::Party;
use super::config::{Config, Mutant, Role};
use super::holder::Holder;
use super::state::{At, State};
use super::{MemberId, WAITED};
use crate::frame;

/// A state while a thread makes a step in it.
pub type Memory<'c> = frame::Memory<'c, Config, State>;

impl Memory<'_> {
    /// Goes to `at`.
    pub fn go(&mut self, at: At) {
        self.state.threads[self.me].at = at;
    }

    /// Done with one turn.
    pub fn count(&mut self) {
        let thread = &mut self.state.threads[self.me];
        (thread.left, thread.slept) = (thread.left - 1, false);
        thread.at = match Config::begin(self.config.threads[self.me], thread.left) {
            At::Party(Party::Join(_)) => At::Party(Party::Arrive),
            at => at,
        };
    }

    /// What names the thread.
    pub fn holder(&self) -> Holder {
        let number = u16::try_from(self.member()).unwrap_or(u16::MAX);
        Holder::new(MemberId(number), self.incarnation()).thread(self.me as u64 + 1)
    }

    /// The number of its member.
    pub fn member(&self) -> usize {
        self.config.member(self.me)
    }

    /// Which of those that had its number the thread is.
    pub fn incarnation(&self) -> u64 {
        self.state.threads[self.me].incarnation.into()
    }

    /// A compare-and-swap of word `number`.
    pub fn swap(&mut self, number: usize, from: u64, to: u64) -> bool {
        let word = &mut self.state.words[number];
        let found = *word == from;
        if found {
            *word = to;
        }
        found
    }

    /// Whether it can be found out that `holder` is dead.
    pub fn is_dead(&self, holder: Holder) -> bool {
        let thread = &self.state.threads[usize::from(holder.member().0)];
        let other = u64::from(thread.incarnation) != holder.incarnation();
        !thread.lives || other && !self.config.is(Mutant::HeirIsTaken)
    }

    /// Marks word `number`, which was `found`, for a sleep.
    pub fn mark(&mut self, number: usize, found: u64) -> Option<u64> {
        if self.config.is(Mutant::SleepUnmarked) {
            return Some(found);
        }
        self.swap(number, found, found | WAITED).then_some(found | WAITED)
    }

    /// Sleeps on word `number` if its lower half is that of `word`. It goes on at `at`.
    pub fn sleep(&mut self, number: usize, word: u64, at: At) {
        let half = |word: u64| word & u64::from(u32::MAX);
        if half(self.state.words[number]) == half(word) {
            self.state.threads[self.me].asleep = u8::try_from(number).ok();
        }
        self.go(at);
    }

    /// How many sleep on word `number`.
    pub fn sleepers(&self, number: usize) -> u8 {
        let asleep = |on: Option<u8>| on.is_some_and(|on| usize::from(on) == number);
        self.state.threads.iter().map(|thread| u8::from(asleep(thread.asleep))).sum()
    }

    /// Wakes one who sleeps on word `number`, the one that `choice` says. Whether there is one.
    pub fn wake_one(&mut self, number: usize, choice: u8) -> bool {
        let asleep = |on: Option<u8>| on.is_some_and(|on| usize::from(on) == number);
        let mut sleepers = self.state.threads.iter_mut().filter(|thread| asleep(thread.asleep));
        let woken = sleepers.nth(choice.into());
        woken.map(|thread| thread.asleep = None).is_some()
    }

    /// Whether the thread notifies.
    pub fn notifies(&self) -> bool {
        matches!(self.config.threads[self.me], Role::Notifier(_))
    }

    /// Wakes all who sleep on word `number`.
    pub fn wake_all(&mut self, number: usize) {
        for thread in &mut self.state.threads {
            if thread.asleep.is_some_and(|on| usize::from(on) == number) {
                thread.asleep = None;
            }
        }
    }
}
