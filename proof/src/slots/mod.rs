//! The ring between many, as a machine of states: claims, stamps, crashes, reapers.
//!
//! What is modelled: the shared words bit for bit (`word.rs` is the library's own file), each
//! operation as the sequence of its shared accesses, one access a step, in every interleaving.
//! Members crash at any step, with all their threads at once; reapers, any number of them, crash at
//! any step too; numbers of dead members are used again. A message is written in two halves and
//! read in two halves.
//!
//! What is not: memory weaker than sequential consistency (loom's part), waiting (`crate::wake`),
//! the proof of death (locks of the kernel, taken here for what they promise), waits of bounded
//! length before a helper stamps, and memory that a member who is not correct wrote.
//!
//! A step that breaks a rule is found in [`edges`], a state that does in [`checks`]. That
//! everything can come to its end again from wherever it got is the search's own part, see
//! [`crate::explore`].

pub mod again;
pub mod at_once;
pub mod checks;
pub mod config;
pub mod configurations;
pub mod consumer;
pub mod edges;
pub mod letters;
pub mod memory;
pub mod mutants;
pub mod producer;
pub mod reaper;
pub mod resolve;
pub mod scenes;
pub mod script;
pub mod show;
pub mod state;

use std::hash::Hash;

use crate::explore::{Model, Move};
use crate::pack::Interner;
use config::{Config, Role};
use memory::Memory;
use mutants::Mutant;
use reaper::{Reap, Undertaking};
use state::{
    At, Ghost, Handle, Life, MAX_MEMBERS, MAX_REAPERS, MAX_THREADS, Shared, State, Sweep, Thread,
};

/// A configuration being searched.
#[derive(Debug)]
pub struct Slots {
    config: Config,
    shared: Interner<Shared>,
    ghosts: Interner<Ghost>,
    threads: Interner<(Thread, Handle)>,
    sweeps: Interner<[Sweep; MAX_MEMBERS]>,
    reapers: Interner<Reap>,
}

/// A state in 44 bytes: the number of each of its parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    shared: u32,
    ghost: u32,
    threads: [u32; MAX_THREADS],
    sweeps: u32,
    /// Sorted: it does not matter which of them is where.
    reapers: [u32; MAX_REAPERS],
}

/// Who makes a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// A thread, choosing among several ways where there are.
    Thread { me: usize, choice: u8 },
    /// A member dies, with all its threads.
    Crash { member: u16 },
    /// A reaper goes on, or begins with a member.
    Reaper { me: usize, begins: Option<(u16, bool)> },
    /// A reaper dies.
    ReaperCrash { me: usize },
    /// A member that was reaped is there again.
    Respawn { member: u16 },
}

impl Slots {
    /// The model of `config`.
    pub fn new(config: Config) -> Self {
        Self {
            config,
            shared: Interner::default(),
            ghosts: Interner::default(),
            threads: Interner::default(),
            sweeps: Interner::default(),
            reapers: Interner::default(),
        }
    }

    fn thread_moves(&self, state: &State, moves: &mut Vec<Move<Self>>) {
        for me in 0..self.config.threads.len() {
            let all = choices(&Memory::new(&self.config, state), me);
            for choice in 0..all {
                let mut memory = Memory::new(&self.config, state);
                step_thread(&mut memory, me, choice);
                moves.push(done(memory, Step::Thread { me, choice }, false));
            }
        }
    }

    fn crash_moves(&self, state: &State, moves: &mut Vec<Move<Self>>) {
        if state.ghost.crashes == 0 {
            return;
        }
        for member in 0..self.config.members().min(self.config.immortal) {
            if state.ghost.members[usize::from(member)] == Life::Alive {
                let mut memory = Memory::new(&self.config, state);
                crash(&mut memory, member);
                moves.push(done(memory, Step::Crash { member }, true));
            }
        }
    }

    fn reaper_moves(&self, state: &State, moves: &mut Vec<Move<Self>>) {
        let reapers = &state.reapers[..self.config.reapers];
        let mut push = |step, is_fault, change: &dyn Fn(&mut Memory)| {
            let mut memory = Memory::new(&self.config, state);
            change(&mut memory);
            moves.push(done(memory, step, is_fault));
        };
        for (me, reaper) in reapers.iter().enumerate() {
            if let Reap::Work { member, attaching, at } = *reaper {
                let step = Step::Reaper { me, begins: None };
                push(step, false, &|memory| step_reaper(memory, me, member, attaching, at));
                if state.ghost.reaper_crashes > 0 {
                    push(Step::ReaperCrash { me }, true, &|memory| {
                        memory.state.ghost.reaper_crashes -= 1;
                        memory.state.reapers[me] = Reap::Idle;
                    });
                }
            }
        }
        // One that is idle is as good as another.
        if let Some(me) = reapers.iter().position(|reaper| *reaper == Reap::Idle) {
            for (member, attaching) in self.beginnings(state) {
                let step = Step::Reaper { me, begins: Some((member, attaching)) };
                let at = Undertaking::ReadTail;
                push(step, false, &|memory| {
                    memory.state.reapers[me] = Reap::Work { member, attaching, at };
                    step_reaper(memory, me, member, attaching, at);
                });
            }
        }
        for member in self.respawns(state) {
            push(Step::Respawn { member }, false, &|memory| respawn(memory, member));
        }
    }

    /// Dead members and whether it is to attach: the lock of an attacher excludes all others.
    fn beginnings(&self, state: &State) -> Vec<(u16, bool)> {
        let mut beginnings = Vec::new();
        for member in 0..self.config.members() {
            if state.ghost.members[usize::from(member)] != Life::Dead {
                continue;
            }
            let (anyone, attacher) = at_work(state, member);
            if !attacher {
                beginnings.push((member, false));
            }
            let free = !anyone || self.config.is(Mutant::ReuseUnderReaper);
            if self.config.respawn && free && self.is_useful(state, member) {
                beginnings.push((member, true));
            }
        }
        beginnings
    }

    fn respawns(&self, state: &State) -> impl Iterator<Item = u16> {
        let may = |&member: &u16| {
            state.ghost.members[usize::from(member)] == Life::Reaped
                && self.config.respawn
                && (!at_work(state, member).0 || self.config.is(Mutant::ReuseUnderReaper))
                && self.is_useful(state, member)
        };
        (0..self.config.members()).filter(may)
    }

    /// Whether a member would have something to do if it were there again.
    fn is_useful(&self, state: &State, member: u16) -> bool {
        let threads = self.config.threads.iter().zip(&state.threads);
        let mut its = threads.filter(|(spec, _)| spec.member == member);
        its.any(|(spec, thread)| match spec.role {
            Role::Producer { .. } => thread.left > 0,
            Role::Consumer { .. } => true,
            Role::Closer => false,
        })
    }
}

/// Whether anybody reaps `member`, and whether that is to attach.
fn at_work(state: &State, member: u16) -> (bool, bool) {
    let mut found = (false, false);
    for reaper in state.reapers {
        if let Reap::Work { member: theirs, attaching, .. } = reaper
            && theirs == member
        {
            found = (true, found.1 || attaching);
        }
    }
    found
}

fn done(memory: Memory, step: Step, is_fault: bool) -> Move<Slots> {
    Move { step, state: memory.state, is_fault, broken: memory.broken }
}

/// How many ways there are for thread `me` to go on.
pub fn choices(memory: &Memory, me: usize) -> u8 {
    match memory.state.threads[me].at {
        At::Rest | At::Dead => 0,
        At::Send(send) => send.choices(memory, me),
        At::Receive(receive) => receive.choices(memory, me),
        At::RaiseFlag | At::CloseTail => 1,
    }
}

/// One access by thread `me`.
pub fn step_thread(memory: &mut Memory, me: usize, choice: u8) {
    memory.state.threads[me].at = match memory.state.threads[me].at {
        At::Send(send) => send.step(memory, me, choice),
        At::Receive(receive) => receive.step(memory, me, choice),
        At::RaiseFlag => {
            memory.raise_closed();
            if memory.config.is(Mutant::CloseIsFlag) { At::Rest } else { At::CloseTail }
        }
        At::CloseTail => {
            memory.close_tail();
            At::Rest
        }
        at @ (At::Rest | At::Dead) => at,
    };
}

/// One access by reaper `me`, who is at `at`.
pub fn step_reaper(memory: &mut Memory, me: usize, member: u16, attaching: bool, at: Undertaking) {
    let next = at.step(memory, me, member);
    memory.state.reapers[me] = match next {
        Some(at) => Reap::Work { member, attaching, at },
        None => Reap::Idle,
    };
    if next.is_none() && attaching {
        respawn(memory, member);
    }
}

fn crash(memory: &mut Memory, member: u16) {
    memory.state.ghost.crashes -= 1;
    memory.state.ghost.members[usize::from(member)] = Life::Dead;
    memory.state.sweeps[usize::from(member)] = Sweep::NEW;
    for (me, spec) in memory.config.threads.iter().enumerate() {
        if spec.member == member {
            memory.state.threads[me].at = At::Dead;
            memory.state.handles[spec.handle] = Handle::NEW;
        }
    }
}

/// The number of `member` is used again, by threads with what is left to do.
fn respawn(memory: &mut Memory, member: u16) {
    memory.state.ghost.members[usize::from(member)] = Life::Alive;
    for (me, spec) in memory.config.threads.iter().enumerate() {
        if spec.member == member {
            let left = memory.state.threads[me].left;
            let begins = Config::begin(spec.role).at;
            let idle = left == 0 && !matches!(spec.role, Role::Consumer { .. });
            let idle = idle || spec.role == Role::Closer;
            memory.state.threads[me] = Thread { left, at: if idle { At::Rest } else { begins } };
        }
    }
}

impl Model for Slots {
    type State = State;
    type Key = Key;
    type Step = Step;

    fn initial(&self) -> State {
        self.config.initial()
    }

    fn moves(&self, state: &State, moves: &mut Vec<Move<Self>>) {
        self.thread_moves(state, moves);
        self.crash_moves(state, moves);
        self.reaper_moves(state, moves);
    }

    fn check(&self, state: &State) -> Result<(), String> {
        checks::check(&self.config, state)
    }

    fn is_end(&self, state: &State) -> bool {
        checks::is_end(&self.config, state)
    }

    fn pack(&mut self, state: &State) -> Key {
        let mut threads = [0; MAX_THREADS];
        for (me, number) in threads.iter_mut().enumerate() {
            *number = self.threads.number(&(state.threads[me], state.handles[me]));
        }
        let mut reapers = state.reapers.map(|reaper| self.reapers.number(&reaper));
        reapers[..self.config.reapers].sort_unstable();
        Key {
            shared: self.shared.number(&state.shared),
            ghost: self.ghosts.number(&state.ghost),
            threads,
            sweeps: self.sweeps.number(&state.sweeps),
            reapers,
        }
    }

    fn unpack(&self, key: &Key) -> State {
        let pairs = key.threads.map(|number| *self.threads.part(number));
        State {
            shared: *self.shared.part(key.shared),
            ghost: *self.ghosts.part(key.ghost),
            threads: pairs.map(|(thread, _)| thread),
            handles: pairs.map(|(_, handle)| handle),
            sweeps: *self.sweeps.part(key.sweeps),
            reapers: key.reapers.map(|number| *self.reapers.part(number)),
        }
    }

    fn explain(&self, before: &State, step: Step, after: &State) -> String {
        show::step(&self.config, before, step, after)
    }
}
