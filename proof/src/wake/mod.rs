//! Waiting, as a machine of states: event counts over memory with store buffers.
//!
//! What is modelled: claims, commits and acknowledgements as the accesses that matter to waiting;
//! the waiter bits, the epoch, the sleep of the kernel, which compares the epoch and falls asleep
//! in one; the count of sleeps, by which who woke nobody leaves it at that; a wake-up may choose any sleeper. Each thread's stores reach memory late and in order
//! (TSO). Nothing times out, but a sleep on somebody who is at work may end at any moment: that is
//! its cap.
//!
//! What is not: owners, stamps and certification (they only add reasons not to sleep long),
//! the recheck that heals a wake-up given to the dead, memory weaker than TSO. Of crashes there is one:
//! a sender that has claimed and dies; whoever is at a look for it takes the claim back.
//!
//! What the cap is: whoever waits for somebody at work, its holder, looks again after a millisecond, or
//! after an eighth of the time that the holder has been in the way, if that is longer, and never later
//! than the recheck; at each look it asks whether the holder lives. So a holder that dies after
//! *t* in the way is reaped, by the waiter itself, `max(1 ms, t / 8)` after the kernel's release at
//! most, and within a recheck in any case. That it tells the others only spares them their own look. For the model it is enough that such a sleep ends, whatever
//! the holder does: `HeldSleepsOn` is the mistake of one that does not.
//!
//! Checked: from every state an end can be reached, and at an end everybody is done, or asleep for
//! want of something that indeed is not there. A lost wake-up is a state from which no end can be
//! reached.

pub mod config;
pub mod configurations;
pub mod machine;
pub mod receiving;
pub mod sending;
pub mod state;
pub mod waiting;

use std::fmt::Write;

use crate::explore::{Model, Move};
use crate::frame::{Key, Parts};
use config::Config;
use machine::Machine;
use state::{At, MAX_THREADS, State, Thread, Word};

/// Memory; and what members know, behind a lock or as a hint.
type Shared = ([u8; Word::COUNT], [[u8; 2]; MAX_THREADS], [[bool; 2]; MAX_THREADS]);

/// A configuration being searched.
#[derive(Debug)]
pub struct Waiting {
    config: Config,
    parts: Parts<Shared, Thread>,
    alike: Vec<(usize, usize)>,
}

/// A step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Of a thread; it wakes this one of the sleepers.
    Thread { me: usize, choice: usize },
    /// A thread's oldest store reaches memory.
    Drain { me: usize },
}

impl Waiting {
    /// The model of `config`.
    pub fn new(config: Config) -> Self {
        let alike = alike(&config);
        Self { config, parts: Parts::default(), alike }
    }

    fn machine(&self, state: &State, me: usize) -> Machine<'_> {
        Machine { config: &self.config, state: *state, me }
    }
}

/// Pairs of threads of which it does not matter which is which, in an order that sorts.
fn alike(config: &Config) -> Vec<(usize, usize)> {
    let threads = &config.threads;
    let alone =
        |one: usize| threads.iter().filter(|spec| spec.member == threads[one].member).count() == 1;
    let like = |one: usize, other: usize| {
        threads[one].role == threads[other].role && alone(one) && alone(other)
    };
    let others = |one| (one + 1..threads.len()).filter(move |&other| like(one, other));
    (0..threads.len()).flat_map(|one| others(one).map(move |other| (one, other))).collect()
}

/// Whether a thread has a step to make.
fn is_runnable(at: At) -> bool {
    !matches!(at, At::Done | At::Holding | At::Dead { .. } | At::Asleep { capped: false })
}

impl Model for Waiting {
    type State = State;
    type Key = Key<MAX_THREADS>;
    type Step = Step;

    fn initial(&self) -> State {
        self.config.initial()
    }

    fn moves(&self, state: &State, moves: &mut Vec<Move<Self>>) {
        let mut push =
            |step, state| moves.push(Move { step, state, is_fault: false, broken: None });
        for me in 0..self.config.threads.len() {
            let thread = &state.threads[me];
            if let Some((word, value)) = thread.stores[0] {
                let mut after = *state;
                after.memory[word.place()] = value;
                after.threads[me].stores.rotate_left(1);
                after.threads[me].stores[state::MAX_STORES - 1] = None;
                push(Step::Drain { me }, after);
            }
            let machine = self.machine(state, me);
            let waits = thread.stores[0].is_some() && machine.is_ordered();
            if waits || !is_runnable(thread.at) {
                continue;
            }
            let choices = match thread.at {
                At::Wake { event, count } => machine.wakings(event, count).len(),
                _ => 1,
            };
            for choice in 0..choices {
                let mut machine = self.machine(state, me);
                machine.step(choice);
                push(Step::Thread { me, choice }, machine.state);
            }
        }
    }

    fn check(&self, _: &State) -> Result<(), String> {
        Ok(())
    }

    fn is_end(&self, state: &State) -> bool {
        (0..self.config.threads.len()).all(|me| {
            let thread = &state.threads[me];
            let at_end = match thread.at {
                At::Done | At::Holding | At::Dead { .. } => true,
                At::Asleep { .. } => !self.machine(state, me).could_succeed(),
                _ => false,
            };
            at_end && thread.stores[0].is_none()
        })
    }

    fn pack(&mut self, state: &State) -> Self::Key {
        let mut state = *state;
        let mut threads = state.threads.map(|thread| self.parts.threads.number(&thread));
        // Threads that do the same, each a member of its own, may change places: the lowest number
        // first.
        for &(one, other) in &self.alike {
            if threads[one] > threads[other] {
                threads.swap(one, other);
                self.swap_members(&mut state, one, other);
            }
        }
        let shared = (state.memory, state.enrolled, state.settled);
        Key { shared: self.parts.shared.number(&shared), threads }
    }

    fn unpack(&self, key: &Self::Key) -> State {
        let ((memory, enrolled, settled), threads) = self.parts.unpack(key);
        State { memory, threads, enrolled, settled }
    }

    fn explain(&self, before: &State, step: Step, after: &State) -> String {
        let (me, what) = match step {
            Step::Thread { me, .. } => (me, format!("{:?}", before.threads[me].at)),
            Step::Drain { me } => {
                (me, format!("a store reaches memory {:?}", before.threads[me].stores[0]))
            }
        };
        let role = self.config.threads[me].role;
        let mut text = format!("thread {me} {role:?}: {what}");
        for word in self.words() {
            let (old, new) = (before.memory[word.place()], after.memory[word.place()]);
            if old != new {
                let _ = write!(text, "\n        {word:?}: {old} -> {new}");
            }
        }
        text
    }
}

impl Waiting {
    /// The members of two threads change places in memory.
    fn swap_members(&self, state: &mut State, one: usize, other: usize) {
        let [one, other] = [one, other].map(|thread| self.config.threads[thread].member);
        state.enrolled.swap(usize::from(one), usize::from(other));
        state.settled.swap(usize::from(one), usize::from(other));
        for event in [state::Event::NotEmpty, state::Event::NotFull] {
            let bits = &mut state.memory[Word::Waiters(event).place()];
            if (*bits >> one ^ *bits >> other) & 1 != 0 {
                *bits ^= 1 << one | 1 << other;
            }
        }
    }

    fn words(&self) -> Vec<Word> {
        use state::Event::{NotEmpty, NotFull};
        let mut words = vec![Word::Tail, Word::Head, Word::Redeliver, Word::Closed];
        words.extend([NotEmpty, NotFull].map(Word::Waiters));
        words.extend((0..self.config.slots).map(Word::Slot));
        words
    }
}
