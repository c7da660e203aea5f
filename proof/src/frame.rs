//! What models of members share: threads, each a member of its own, that make one step after another in a memory that all see,
//! die, and are reaped.

use std::fmt::Debug;
use std::hash::Hash;

use crate::explore::{Model, Move};
use crate::pack::Interner;

/// The most threads.
pub const MAX_THREADS: usize = 5;

/// One state of everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct State<S, A> {
    /// What all see, and what the checker knows of it.
    pub shared: S,
    /// Where each thread is.
    pub threads: [Thread<A>; MAX_THREADS],
}

/// A thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Thread<A> {
    /// How its member is.
    pub life: Life,
    /// How many messages it will still send or move, or may still put back.
    pub left: u8,
    /// Where it is.
    pub at: A,
}

/// How a member is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Life {
    /// It runs.
    Alive,
    /// It died, and nobody has come to the end of reaping it.
    Dead,
    /// It was reaped: its number may be used again.
    Reaped,
}

impl<S, A: Copy> State<S, A> {
    /// The first one, with `threads`: what each has to do, and where it begins. Those that there are not are at `rest`.
    pub fn new(shared: S, rest: A, threads: impl Iterator<Item = (u8, A)>) -> Self {
        let mut all = [Thread { life: Life::Alive, left: 0, at: rest }; MAX_THREADS];
        for (thread, (left, at)) in all.iter_mut().zip(threads) {
            (thread.left, thread.at) = (left, at);
        }
        Self { shared, threads: all }
    }

    /// Members that died and were not reaped.
    pub fn dead(&self) -> impl Iterator<Item = u8> {
        let threads = (0..).zip(&self.threads);
        threads.filter(|(_, thread)| thread.life == Life::Dead).map(|(number, _)| number)
    }
}

/// Who makes a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// A thread, choosing among several ways where there are.
    Thread { me: usize, choice: u8 },
    /// A member dies.
    Crash { me: usize },
    /// A reaper begins with a member.
    Begin { me: usize, dead: u8 },
    /// A member that was reaped is there again.
    Respawn { me: usize },
}

impl Step {
    /// As a line of a trace that begins in `before`.
    pub fn told<S, A: Debug>(self, before: &State<S, A>) -> String {
        match self {
            Step::Thread { me, .. } => format!("m{me} {:?}", before.threads[me].at),
            Step::Crash { me } => format!("m{me} DIES at {:?}", before.threads[me].at),
            Step::Begin { me, dead } => format!("m{me} begins to reap m{dead}"),
            Step::Respawn { me } => format!("m{me} is there again"),
        }
    }
}

/// What is modelled, as far as it says what its threads do.
pub trait Cast {
    /// Where a thread may be.
    type At;

    /// Where thread `me` begins, with `left` to do.
    fn begin(&self, me: usize, left: u8) -> Self::At;
}

/// A state while thread `me` makes a step in it.
#[derive(Debug)]
pub struct Memory<'c, C, S> {
    /// What is modelled.
    pub config: &'c C,
    /// The state.
    pub state: S,
    /// The thread.
    pub me: usize,
    /// The first rule that the step broke.
    pub broken: Option<String>,
}

impl<'c, C, S: Copy> Memory<'c, C, S> {
    /// `state` of `config`, in which `me` is about to make a step.
    pub fn new(config: &'c C, state: &S, me: usize) -> Self {
        Self { config, state: *state, me, broken: None }
    }

    /// Breaks the rule `what` unless it `holds`.
    pub fn rule(&mut self, holds: bool, what: &str) {
        if !holds {
            self.broken.get_or_insert(what.into());
        }
    }

    /// What came of the step.
    pub fn moved<M: Model<State = S>>(self, step: M::Step, is_fault: bool) -> Move<M> {
        Move { step, state: self.state, is_fault, broken: self.broken }
    }
}

impl<C: Cast<At = A>, S, A> Memory<'_, C, State<S, A>> {
    /// Goes to `at`.
    pub fn go(&mut self, at: A) {
        self.state.threads[self.me].at = at;
    }

    /// Begins what it does next.
    pub fn begin(&mut self) {
        let left = self.state.threads[self.me].left;
        self.go(self.config.begin(self.me, left));
    }

    /// Done with one of what it has to do.
    pub fn count(&mut self) {
        self.state.threads[self.me].left -= 1;
        self.begin();
    }

    /// Its member dies.
    pub fn die(&mut self, rest: A) {
        self.state.threads[self.me].life = Life::Dead;
        self.go(rest);
    }
}

/// Adds to `moves` that in `state` somebody makes a step, by which `change` happens.
pub fn push<M, C, S, A>(
    config: &C,
    state: &State<S, A>,
    step: Step,
    moves: &mut Vec<Move<M>>,
    change: impl FnOnce(&mut Memory<'_, C, State<S, A>>),
) where
    M: Model<State = State<S, A>, Step = Step>,
    State<S, A>: Copy,
{
    let (Step::Thread { me, .. }
    | Step::Crash { me }
    | Step::Begin { me, .. }
    | Step::Respawn { me }) = step;
    let mut memory = Memory::new(config, state, me);
    change(&mut memory);
    moves.push(memory.moved(step, matches!(step, Step::Crash { .. })));
}

/// A state in little room: the number of each of its parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Key<const N: usize> {
    pub shared: u32,
    pub threads: [u32; N],
}

/// Parts of states: what all see, and threads.
#[derive(Debug)]
pub struct Parts<S, T> {
    pub shared: Interner<S>,
    pub threads: Interner<T>,
}

impl<S, T> Default for Parts<S, T> {
    fn default() -> Self {
        Self { shared: Interner::default(), threads: Interner::default() }
    }
}

impl<S: Copy + Eq + Hash, T: Copy + Eq + Hash> Parts<S, T> {
    /// The numbers of these parts.
    pub fn pack<const N: usize>(&mut self, shared: &S, threads: &[T; N]) -> Key<N> {
        let threads = threads.each_ref().map(|thread| self.threads.number(thread));
        Key { shared: self.shared.number(shared), threads }
    }

    /// The parts of these numbers.
    pub fn unpack<const N: usize>(&self, key: &Key<N>) -> (S, [T; N]) {
        (*self.shared.part(key.shared), key.threads.map(|number| *self.threads.part(number)))
    }
}
