//! What models of members share: threads, each a member of its own, that make one step after another in a memory that all see,
//! die, are reaped, and come again. A [`Cast`] says who they are and what they do; its [`Play`] is the model.

use std::fmt::Debug;
use std::hash::Hash;

use crate::explore::{Model, Move};
use crate::pack::Interner;

/// The most threads.
pub const MAX_THREADS: usize = 5;

/// As a part of a state, which numbers things in a byte.
pub fn small(number: impl TryInto<u8>) -> u8 {
    number.try_into().ok().expect("models are small")
}

/// One state of everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct State<S, A> {
    /// What all see, and what the checker knows of it.
    pub shared: S,
    /// Deaths to come.
    pub crashes: u8,
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
    /// The first one, in which each thread of `cast` has so many things to do. Those that there are not are at rest.
    pub fn new<C: Cast<Shared = S, At = A>>(
        cast: &C,
        shared: S,
        crashes: u8,
        amounts: impl Iterator<Item = u8>,
    ) -> Self {
        let mut threads = [Thread { life: Life::Alive, left: 0, at: C::REST }; MAX_THREADS];
        for ((me, thread), left) in threads.iter_mut().enumerate().zip(amounts) {
            (thread.left, thread.at) = (left, cast.begin(me, left));
        }
        Self { shared, crashes, threads }
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

/// What is modelled: who the threads are, what they do, and what must hold.
pub trait Cast: Sized {
    /// What all see, and what the checker knows of it.
    type Shared: Copy + Debug + Eq + Hash;
    /// Where a thread may be.
    type At: Copy + Debug + Eq + Hash;

    /// Where a thread is that has nothing to do, or is dead.
    const REST: Self::At;

    /// The first state.
    fn initial(&self) -> StateOf<Self>;
    /// How many threads there are.
    fn threads(&self) -> usize;
    /// Where thread `me` begins, with `left` to do.
    fn begin(&self, me: usize, left: u8) -> Self::At;
    /// How many ways there are for the thread to go on.
    fn choices(memory: &MemoryOf<'_, Self>) -> u8;
    /// It goes on in one of them.
    fn step(memory: &mut MemoryOf<'_, Self>, choice: u8);

    /// Where thread `me` begins to reap `dead`, if that is what it is there for.
    fn reap(&self, _me: usize, _dead: u8) -> Option<Self::At> {
        None
    }
    /// Whether thread `me` may die.
    fn is_mortal(&self, me: usize) -> bool;
    /// What goes with the thread when it dies.
    fn dies(_memory: &mut MemoryOf<'_, Self>) {}
    /// Whether thread `me`, which does not run, may be there again.
    fn may_return(&self, _state: &StateOf<Self>, _me: usize) -> bool {
        false
    }
    /// How it begins then.
    fn returns(memory: &mut MemoryOf<'_, Self>) {
        memory.begin();
    }

    /// What is wrong with `state` as it stands.
    fn check(&self, _state: &StateOf<Self>) -> Result<(), String> {
        Ok(())
    }
    /// Whether everything has come to its end.
    fn is_end(&self, state: &StateOf<Self>) -> bool;
    /// What a step changed, as lines of a trace.
    fn changes(before: &Self::Shared, after: &Self::Shared) -> String;
}

/// A state of `C`.
pub type StateOf<C> = State<<C as Cast>::Shared, <C as Cast>::At>;
/// A state of `C` while a thread makes a step in it.
pub type MemoryOf<'c, C> = Memory<'c, C, StateOf<C>>;

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

impl<C: Cast> MemoryOf<'_, C> {
    /// Where the thread is.
    pub fn at(&self) -> C::At {
        self.state.threads[self.me].at
    }

    /// Goes to `at`.
    pub fn go(&mut self, at: C::At) {
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

/// A cast being searched.
#[derive(Debug)]
pub struct Play<C: Cast> {
    cast: C,
    parts: Parts<(C::Shared, u8), Thread<C::At>>,
}

impl<C: Cast> Play<C> {
    /// The model of `cast`.
    pub fn new(cast: C) -> Self {
        Self { cast, parts: Parts::default() }
    }

    /// Adds to `moves` that in `state` thread `me` makes a step, by which `change` happens.
    fn push(
        &self,
        state: &StateOf<C>,
        (me, step): (usize, Step),
        moves: &mut Vec<Move<Self>>,
        change: impl FnOnce(&mut MemoryOf<'_, C>),
    ) {
        let mut memory = Memory::new(&self.cast, state, me);
        change(&mut memory);
        moves.push(memory.moved(step, matches!(step, Step::Crash { .. })));
    }

    fn thread_moves(&self, state: &StateOf<C>, me: usize, moves: &mut Vec<Move<Self>>) {
        for choice in 0..C::choices(&Memory::new(&self.cast, state, me)) {
            let step = Step::Thread { me, choice };
            self.push(state, (me, step), moves, |memory| C::step(memory, choice));
        }
    }

    fn reaper_moves(&self, state: &StateOf<C>, me: usize, moves: &mut Vec<Move<Self>>) {
        if state.threads[me].at != C::REST {
            return;
        }
        for dead in state.dead() {
            if let Some(at) = self.cast.reap(me, dead) {
                self.push(state, (me, Step::Begin { me, dead }), moves, |memory| memory.go(at));
            }
        }
    }

    fn crash_moves(&self, state: &StateOf<C>, me: usize, moves: &mut Vec<Move<Self>>) {
        if state.crashes > 0 && self.cast.is_mortal(me) {
            self.push(state, (me, Step::Crash { me }), moves, |memory| {
                C::dies(memory);
                memory.state.crashes -= 1;
                memory.state.threads[me].life = Life::Dead;
                memory.go(C::REST);
            });
        }
    }

    fn return_moves(&self, state: &StateOf<C>, me: usize, moves: &mut Vec<Move<Self>>) {
        if self.cast.may_return(state, me) {
            self.push(state, (me, Step::Respawn { me }), moves, |memory| {
                memory.state.threads[me].life = Life::Alive;
                C::returns(memory);
            });
        }
    }
}

impl<C: Cast> Model for Play<C> {
    type State = StateOf<C>;
    type Key = Key<MAX_THREADS>;
    type Step = Step;

    fn initial(&self) -> StateOf<C> {
        self.cast.initial()
    }

    fn moves(&self, state: &StateOf<C>, moves: &mut Vec<Move<Self>>) {
        for me in 0..self.cast.threads() {
            if state.threads[me].life == Life::Alive {
                self.thread_moves(state, me, moves);
                self.reaper_moves(state, me, moves);
                self.crash_moves(state, me, moves);
            } else {
                self.return_moves(state, me, moves);
            }
        }
    }

    fn check(&self, state: &StateOf<C>) -> Result<(), String> {
        self.cast.check(state)
    }

    fn is_end(&self, state: &StateOf<C>) -> bool {
        self.cast.is_end(state)
    }

    fn pack(&mut self, state: &StateOf<C>) -> Self::Key {
        self.parts.pack(&(state.shared, state.crashes), &state.threads)
    }

    fn unpack(&self, key: &Self::Key) -> StateOf<C> {
        let ((shared, crashes), threads) = self.parts.unpack(key);
        State { shared, crashes, threads }
    }

    fn explain(&self, before: &StateOf<C>, step: Step, after: &StateOf<C>) -> String {
        step.told(before) + &C::changes(&before.shared, &after.shared)
    }
}
