//! Dead letters: two rings of one segment, and a message that goes from the one to the other.
//!
//! Each ring is the whole machine of this module, with its words, its threads and what its checker knows; a thread has the
//! same number in both, and is in one of them at a time. A receiver that takes a message again which was delivered
//! often enough claims a slot in the second ring, copies the message, commits it, and only then acknowledges the first
//! (`Ring::copy_to`, `Station::examine`). Without room there it delivers the message once more. A member that dies,
//! dies in both rings, and is reaped in both, one after the other.
//!
//! Checked, besides all that either ring's checker finds: a message that left the first ring for the second is complete there,
//! or was; it is there once, and once more for each death at most; and from every state both rings can come to an end.
//!
//! The lock of who attaches, which excludes other reapers, is left to the models of one ring.

mod configurations;
mod moving;

use std::fmt::Write;

use super::config::Role;
use super::memory::Memory;
use super::mutants::Mutant;
use super::reaper::{Reap, Undertaking};
use super::state::{At, Handle, Life, MAX_CLAIMS, MAX_THREADS, State, Thread};
use super::{Key, Slots, Step as RingStep, checks, config, crash, respawn, show, step_reaper};
use crate::explore::{Model, Move};

/// A model of two rings.
#[derive(Clone, Debug)]
pub struct Config {
    /// The queue, and the dead letters. Threads of the same number are of the same member; those that receive from the
    /// first send into the second when they move something.
    pub rings: [config::Config; 2],
    /// After so many deliveries in vain a message is moved.
    pub limit: u32,
}

impl Config {
    fn is(&self, mutant: Mutant) -> bool {
        self.rings[0].is(mutant)
    }
}

/// One state of both.
#[derive(Clone, Copy, Debug)]
pub struct Both {
    /// The queue, and the dead letters.
    pub rings: [State; 2],
    /// What threads move.
    pub moves: Moves,
}

/// Who moves what, and what was moved: the latter only the checker knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Moves {
    /// Of each thread.
    pub under_way: [Option<Moving>; MAX_THREADS],
    /// Of each claim in the second ring, which claim of the first it is for.
    pub letters: [Option<u8>; MAX_CLAIMS],
    /// Bit *i*: the message of the *i*th claim in the first ring was acknowledged because it had been moved.
    pub gone: u16,
}

/// How far a thread is that moves a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Moving {
    /// It sends the message of this position into the second ring.
    Copies(u64),
    /// It is there: it can leave the first.
    Acknowledges,
}

/// Two states in little room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BothKey {
    rings: [Key; 2],
    moves: Moves,
}

/// Who makes a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Something that happens in one ring.
    In(usize, RingStep),
    /// A thread is done with what it moved.
    Acknowledge { me: usize },
    /// A member dies.
    Crash { member: u16 },
    /// A member that was reaped in both rings is there again.
    Respawn { member: u16 },
}

/// A configuration being searched.
#[derive(Debug)]
pub struct Letters {
    config: Config,
    rings: [Slots; 2],
}

/// A state while a step is made in it.
struct Scene<'c> {
    config: &'c Config,
    both: Both,
    broken: Option<String>,
}

impl Scene<'_> {
    /// Makes a step in one ring.
    fn within<R>(&mut self, ring: usize, change: impl FnOnce(&mut Memory) -> R) -> R {
        let mut memory = Memory::new(&self.config.rings[ring], &self.both.rings[ring]);
        let result = change(&mut memory);
        self.both.rings[ring] = memory.state;
        if let Some(rule) = memory.broken {
            self.broken.get_or_insert(format!("ring {ring}: {rule}"));
        }
        result
    }

    fn done(self, step: Step, is_fault: bool) -> Move<Letters> {
        Move { step, state: self.both, is_fault, broken: self.broken }
    }
}

impl Letters {
    /// The model of `config`.
    pub fn new(config: Config) -> Self {
        let rings = config.rings.clone().map(Slots::new);
        Self { config, rings }
    }

    fn scene(&self, both: &Both) -> Scene<'_> {
        Scene { config: &self.config, both: *both, broken: None }
    }

    fn crash_moves(&self, both: &Both, moves: &mut Vec<Move<Self>>) {
        let [queue, _] = &self.config.rings;
        for member in 0..queue.members().min(queue.immortal) {
            let ghost = &both.rings[0].ghost;
            if ghost.crashes > 0 && is(both, member, Life::Alive, Life::Alive) {
                let mut scene = self.scene(both);
                for ring in 0..2 {
                    scene.within(ring, |memory| crash(memory, member));
                }
                for (me, spec) in queue.threads.iter().enumerate() {
                    if spec.member == member {
                        scene.both.moves.under_way[me] = None;
                    }
                }
                moves.push(scene.done(Step::Crash { member }, true));
            }
        }
    }

    fn reaper_moves(&self, both: &Both, moves: &mut Vec<Move<Self>>) {
        for ring in 0..2 {
            for me in 0..self.config.rings[0].reapers {
                let Reap::Work { member, attaching, at } = both.rings[ring].reapers[me] else {
                    continue;
                };
                let mut scene = self.scene(both);
                scene.within(ring, |memory| step_reaper(memory, me, member, attaching, at));
                scene.go_on_reaping(ring, me, member);
                let step = RingStep::Reaper { me, begins: None };
                moves.push(scene.done(Step::In(ring, step), false));
                if both.rings[0].ghost.reaper_crashes > 0 {
                    let mut scene = self.scene(both);
                    scene.both.rings[0].ghost.reaper_crashes -= 1;
                    scene.both.rings[ring].reapers[me] = Reap::Idle;
                    moves.push(scene.done(Step::In(ring, RingStep::ReaperCrash { me }), true));
                }
            }
        }
        self.beginnings(both, moves);
    }

    /// Who begins to reap does so in the first ring, whatever is done already.
    fn beginnings(&self, both: &Both, moves: &mut Vec<Move<Self>>) {
        let [queue, _] = &self.config.rings;
        let at_work = |member: u16| {
            let all = both.rings.iter().flat_map(|ring| ring.reapers);
            all.filter(
                |reap| matches!(reap, Reap::Work { member: theirs, .. } if *theirs == member),
            )
            .count()
        };
        let busy: usize = (0..queue.members()).map(at_work).sum();
        for member in 0..queue.members() {
            let lives = both.rings.iter().map(|ring| ring.ghost.members[usize::from(member)]);
            if busy < queue.reapers && lives.clone().any(|life| life == Life::Dead) {
                let mut scene = self.scene(both);
                let me = idle(&scene.both.rings[0]);
                let (at, attaching) = (Undertaking::ReadTail, false);
                scene.both.rings[0].reapers[me] = Reap::Work { member, attaching, at };
                scene.within(0, |memory| step_reaper(memory, me, member, attaching, at));
                let step = RingStep::Reaper { me, begins: Some((member, attaching)) };
                moves.push(scene.done(Step::In(0, step), false));
            }
            let reaped = is(both, member, Life::Reaped, Life::Reaped);
            if queue.respawn && reaped && at_work(member) == 0 {
                let mut scene = self.scene(both);
                scene.within(0, |memory| respawn(memory, member));
                scene.within(1, |memory| {
                    respawn(memory, member);
                    rest(memory, Some(member));
                });
                moves.push(scene.done(Step::Respawn { member }, false));
            }
        }
    }
}

impl Scene<'_> {
    /// Whoever is through with the first ring begins with the second.
    fn go_on_reaping(&mut self, ring: usize, me: usize, member: u16) {
        if ring == 1 || self.both.rings[0].reapers[me] != Reap::Idle {
            return;
        }
        if self.config.is(Mutant::ReapForgetsLetters) {
            self.both.rings[1].ghost.members[usize::from(member)] = Life::Reaped;
            return;
        }
        let letters = &mut self.both.rings[1];
        let (at, attaching) = (Undertaking::ReadTail, false);
        letters.reapers[idle(letters)] = Reap::Work { member, attaching, at };
    }
}

/// Whether `member` is so in the first ring and so in the second.
fn is(both: &Both, member: u16, first: Life, second: Life) -> bool {
    let member = usize::from(member);
    both.rings[0].ghost.members[member] == first && both.rings[1].ghost.members[member] == second
}

/// A reaper that is idle: there is one for each that may be at work.
fn idle(state: &State) -> usize {
    let found = state.reapers.iter().position(|reap| *reap == Reap::Idle);
    found.expect("no more are at work than there may be")
}

/// Nobody sends into the second ring before there is something to move: threads that would, of one member or of all, rest.
fn rest(letters: &mut Memory, member: Option<u16>) {
    for (me, spec) in letters.config.threads.iter().enumerate() {
        let theirs = member.is_none_or(|member| member == spec.member);
        if theirs && matches!(spec.role, Role::Producer { .. }) {
            letters.state.threads[me] = Thread { left: 0, at: At::Rest };
        }
    }
}

impl Model for Letters {
    type State = Both;
    type Key = BothKey;
    type Step = Step;

    fn initial(&self) -> Both {
        let rings = [0, 1].map(|ring| self.config.rings[ring].initial());
        let (under_way, letters) = ([None; MAX_THREADS], [None; MAX_CLAIMS]);
        let both = Both { rings, moves: Moves { under_way, letters, gone: 0 } };
        let mut scene = self.scene(&both);
        scene.within(1, |memory| rest(memory, None));
        scene.both
    }

    fn moves(&self, both: &Both, moves: &mut Vec<Move<Self>>) {
        for me in 0..self.config.rings[0].threads.len() {
            self.thread_moves(both, me, moves);
        }
        self.crash_moves(both, moves);
        self.reaper_moves(both, moves);
    }

    fn check(&self, both: &Both) -> Result<(), String> {
        for (config, state) in self.config.rings.iter().zip(&both.rings) {
            checks::check(config, state)?;
        }
        self.check_moves(both)
    }

    fn is_end(&self, both: &Both) -> bool {
        let mut rings = self.config.rings.iter().zip(&both.rings);
        rings.all(|(config, state)| checks::is_end(config, state))
            && both.moves.under_way.iter().all(Option::is_none)
    }

    fn pack(&mut self, both: &Both) -> BothKey {
        let [queue, letters] = &mut self.rings;
        BothKey {
            rings: [queue.pack(&both.rings[0]), letters.pack(&both.rings[1])],
            moves: both.moves,
        }
    }

    fn unpack(&self, key: &BothKey) -> Both {
        let rings = [0, 1].map(|ring| self.rings[ring].unpack(&key.rings[ring]));
        Both { rings, moves: key.moves }
    }

    fn explain(&self, before: &Both, step: Step, after: &Both) -> String {
        let [queue, letters] = &self.config.rings;
        match step {
            Step::In(0, step) => show::step(queue, &before.rings[0], step, &after.rings[0]),
            Step::In(_, step) => {
                let shown = show::step(letters, &before.rings[1], step, &after.rings[1]);
                format!("among the dead letters, {shown}")
            }
            Step::Acknowledge { me } => {
                let step = RingStep::Thread { me, choice: 0 };
                let mut shown = show::step(queue, &before.rings[0], step, &after.rings[0]);
                let _ = write!(shown, "\n        which has left the queue");
                shown
            }
            Step::Crash { member } => format!("m{member} DIES"),
            Step::Respawn { member } => format!("m{member} is there again"),
        }
    }
}

/// A handle of the second ring is made for each move.
fn begin_to_move(letters: &mut State, handle: usize, me: usize) {
    letters.handles[handle] = Handle::NEW;
    letters.threads[me] = Thread { left: 1, at: At::Send(super::producer::Send::Begin) };
}
