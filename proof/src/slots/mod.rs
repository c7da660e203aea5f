//! The ring between many, as a machine of states: claims, stamps, crashes, reapers.
//!
//! What is modelled: the shared words bit for bit (`word.rs` is the library's own file), each operation as
//! the sequence of its shared accesses, one access a step, in every interleaving. Members crash at any step,
//! with all their threads at once; reapers, any number of them, crash at any step too; numbers of dead
//! members are used again. A message is written in two halves and read in two halves.
//!
//! What is not: memory weaker than sequential consistency (loom's part), waiting (`crate::wake`), the proof
//! of death (locks of the kernel, taken here for what they promise), waits of bounded length before a helper
//! stamps, and memory that a member who is not correct wrote.
//!
//! A step that breaks a rule is found in [`memory`], a state that does in [`checks`]. That everything can
//! come to its end again from wherever it got is the search's own part, see [`crate::explore`].

pub mod again;
pub mod checks;
pub mod config;
pub mod configurations;
pub mod consumer;
pub mod memory;
pub mod mutants;
pub mod producer;
pub mod reaper;
pub mod resolve;
pub mod script;
pub mod show;
pub mod state;

use std::hash::Hash;

use crate::explore::{Model, Move};
use crate::pack::Interner;
use config::{Config, Role};
use memory::World;
use mutants::Mutant;
use reaper::{Reap, Undertaking};
use state::{At, Ghost, Handle, Life, MAX_REAPERS, MAX_THREADS, Shared, State, Thread};

/// A configuration being searched.
#[derive(Debug)]
pub struct Slots {
    config: Config,
    shared: Interner<Shared>,
    ghosts: Interner<Ghost>,
    threads: Interner<(Thread, Handle)>,
    reapers: Interner<Reap>,
}

/// A state in 40 bytes: the number of each of its parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    shared: u32,
    ghost: u32,
    threads: [u32; MAX_THREADS],
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
            reapers: Interner::default(),
        }
    }

    fn thread_moves(&self, state: &State, moves: &mut Vec<Move<Self>>) {
        for me in 0..self.config.threads.len() {
            let world = World::new(&self.config, *state);
            let choices = match state.threads[me].at {
                At::Rest | At::Dead => 0,
                At::Send(send) => send.choices(&world, me),
                At::Receive(receive) => receive.choices(&world, me),
                At::RaiseFlag | At::CloseTail => 1,
            };
            for choice in 0..choices {
                let mut world = World::new(&self.config, *state);
                step_thread(&mut world, me, choice);
                moves.push(done(world, Step::Thread { me, choice }, false));
            }
        }
    }

    fn crash_moves(&self, state: &State, moves: &mut Vec<Move<Self>>) {
        if state.ghost.crashes == 0 {
            return;
        }
        for member in 0..self.config.members().min(self.config.immortal) {
            if state.ghost.members[usize::from(member)] == Life::Alive {
                let mut world = World::new(&self.config, *state);
                crash(&mut world, member);
                moves.push(done(world, Step::Crash { member }, true));
            }
        }
    }

    fn reaper_moves(&self, state: &State, moves: &mut Vec<Move<Self>>) {
        let reapers = &state.reapers[..self.config.reapers];
        let mut push = |step, is_fault, change: &dyn Fn(&mut World)| {
            let mut world = World::new(&self.config, *state);
            change(&mut world);
            moves.push(done(world, step, is_fault));
        };
        for (me, reaper) in reapers.iter().enumerate() {
            if let Reap::Work { member, attaching, at } = *reaper {
                let step = Step::Reaper { me, begins: None };
                push(step, false, &|world| step_reaper(world, me, member, attaching, at));
                if state.ghost.reaper_crashes > 0 {
                    push(Step::ReaperCrash { me }, true, &|world| {
                        world.state.ghost.reaper_crashes -= 1;
                        world.state.reapers[me] = Reap::Idle;
                    });
                }
            }
        }
        // One that is idle is as good as another.
        if let Some(me) = reapers.iter().position(|reaper| *reaper == Reap::Idle) {
            for (member, attaching) in self.beginnings(state) {
                let step = Step::Reaper { me, begins: Some((member, attaching)) };
                let at = Undertaking::ReadTail;
                push(step, false, &|world| {
                    world.state.reapers[me] = Reap::Work { member, attaching, at };
                    step_reaper(world, me, member, attaching, at);
                });
            }
        }
        for member in self.respawns(state) {
            push(Step::Respawn { member }, false, &|world| respawn(world, member));
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

fn done(world: World, step: Step, is_fault: bool) -> Move<Slots> {
    Move { step, state: world.state, is_fault, broken: world.broken }
}

/// One access by thread `me`.
pub fn step_thread(world: &mut World, me: usize, choice: u8) {
    world.state.threads[me].at = match world.state.threads[me].at {
        At::Send(send) => send.step(world, me, choice),
        At::Receive(receive) => receive.step(world, me, choice),
        At::RaiseFlag => {
            world.raise_closed();
            if world.config.is(Mutant::CloseIsFlag) { At::Rest } else { At::CloseTail }
        }
        At::CloseTail => {
            world.close_tail();
            At::Rest
        }
        at @ (At::Rest | At::Dead) => at,
    };
}

/// One access by reaper `me`, who is at `at`.
pub fn step_reaper(world: &mut World, me: usize, member: u16, attaching: bool, at: Undertaking) {
    match at.step(world, me, member) {
        Some(at) => world.state.reapers[me] = Reap::Work { member, attaching, at },
        None => {
            world.state.reapers[me] = Reap::Idle;
            if attaching {
                respawn(world, member);
            }
        }
    }
}

fn crash(world: &mut World, member: u16) {
    world.state.ghost.crashes -= 1;
    world.state.ghost.members[usize::from(member)] = Life::Dead;
    for (me, spec) in world.config.threads.iter().enumerate() {
        if spec.member == member {
            world.state.threads[me].at = At::Dead;
            world.state.handles[spec.handle] = Handle::NEW;
        }
    }
}

/// The number of `member` is used again, by threads with what is left to do.
fn respawn(world: &mut World, member: u16) {
    world.state.ghost.members[usize::from(member)] = Life::Alive;
    for (me, spec) in world.config.threads.iter().enumerate() {
        if spec.member == member {
            let left = world.state.threads[me].left;
            let begins = Config::begin(spec.role).at;
            let idle = left == 0 && !matches!(spec.role, Role::Consumer { .. });
            let idle = idle || spec.role == Role::Closer;
            world.state.threads[me] = Thread { left, at: if idle { At::Rest } else { begins } };
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
            reapers: key.reapers.map(|number| *self.reapers.part(number)),
        }
    }

    fn explain(&self, before: &State, step: Step, after: &State) -> String {
        show::step(&self.config, before, step, after)
    }
}
