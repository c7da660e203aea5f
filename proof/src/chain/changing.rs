//! Changes of the chain, step by step: one at a time, by who has the lock.

use super::config::Mutant;
use super::memory::{Found, Memory};
use super::receiving::Receive;
use super::state::{At, Slot};
use crate::chain_word::ChainWord;
use crate::frame::{Life, small};

/// A change that somebody wants to make, or makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Change {
    /// What is to be done.
    pub goal: Goal,
    /// What comes then.
    pub then: Then,
    /// What is next.
    pub step: Step,
}

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Goal {
    /// All but the last are to be shut.
    Settle,
    /// The first is to go, or there is to be another behind the last, if the chain is still `seen`.
    Grow { seen: u64 },
    /// The first is to go.
    Pass,
    /// The anchor is to be the last, if the chain is still `seen`.
    Home { seen: u64 },
    /// What the dead left beside the chain is to go.
    CleanUp,
}

/// What comes then.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Then {
    /// The operation begins anew.
    Begin,
    /// The receiver begins anew if the chain is another, and goes on to the next segment if not.
    Beyond { seen: u64, generation: u64 },
    /// A member was reaped.
    Reaped { dead: u8 },
}

/// What is next. `second`: of the second half of a goal that has two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    /// The lock is asked for.
    Lock,
    /// What somebody left.
    Left { second: bool },
    /// It goes.
    Discard { second: bool },
    /// It has gone.
    Forget { second: bool },
    /// Whether all is settled; `begins`: before the change itself, else it is the end of that.
    Settle { begins: bool, second: bool },
    /// The one before the last is shut.
    Shut { begins: bool, second: bool, seen: u64 },
    /// The anchor is opened again, or the last of a closed queue shut.
    Open { begins: bool, second: bool, seen: u64 },
    /// The word says so.
    Settled { begins: bool, second: bool, seen: u64 },
    /// Whether the first can go.
    PassLook,
    /// It is noted.
    PassNote { seen: u64 },
    /// The word leaves it out.
    PassSwap { seen: u64 },
    /// Its file goes.
    PassDiscard { first: u8 },
    /// It has gone.
    PassForget,
    /// Whether the chain is still the same.
    AppendLook,
    /// What will be made is noted.
    AppendNote,
    /// A file is made.
    AppendMake,
    /// The word names it.
    AppendSwap,
    /// It did not: the file goes.
    AppendUndo,
    /// It is in the chain, or has gone; `settles`: the former.
    AppendForget { settles: bool },
    /// The word names the anchor.
    HomeSwap,
}

impl Change {
    /// Of who has not got the lock yet.
    pub fn wanted(goal: Goal, then: Then) -> Self {
        Self { goal, then, step: Step::Lock }
    }

    /// One access.
    pub fn step(self, memory: &mut Memory) {
        match self.step {
            Step::Lock => self.lock(memory),
            Step::Left { .. } | Step::Discard { .. } | Step::Forget { .. } => self.clean_up(memory),
            Step::Settle { .. } | Step::Shut { .. } | Step::Open { .. } | Step::Settled { .. } => {
                self.settle(memory);
            }
            Step::AppendLook
            | Step::AppendNote
            | Step::AppendMake
            | Step::AppendSwap
            | Step::AppendUndo
            | Step::AppendForget { .. } => self.append(memory),
            Step::HomeSwap => self.come_home(memory),
            _ => self.pass(memory),
        }
    }

    pub fn go(self, memory: &mut Memory, step: Step) {
        memory.go(At::Change(Self { step, ..self }));
    }

    fn lock(self, memory: &mut Memory) {
        if memory.state.shared.lock.is_some() {
            // Who only cleans up waits; all others leave it at that.
            if !matches!(self.goal, Goal::CleanUp) {
                self.goes_on(memory, false);
            }
            return;
        }
        memory.state.shared.lock = Some(small(memory.me));
        match self.goal {
            Goal::Settle => self.go(memory, Step::Settle { begins: false, second: false }),
            _ => self.go(memory, Step::Left { second: false }),
        }
    }

    /// The lock goes; `changed`: the chain is another.
    pub fn ends(self, memory: &mut Memory, changed: bool) {
        memory.state.shared.lock = None;
        self.goes_on(memory, changed);
    }

    fn goes_on(self, memory: &mut Memory, changed: bool) {
        match self.then {
            Then::Begin => memory.begin(),
            Then::Beyond { .. } if changed => memory.begin(),
            Then::Beyond { seen, generation } => {
                memory.go(At::Receive(Receive::Take { seen, generation: generation + 1 }));
            }
            Then::Reaped { dead } => {
                memory.state.threads[usize::from(dead)].life = Life::Reaped;
                memory.begin();
            }
        }
    }

    /// What somebody who died left beside the chain.
    fn clean_up(self, memory: &mut Memory) {
        match self.step {
            Step::Left { second } => {
                let (left, seen) = (memory.state.shared.leaving, memory.look());
                let there = (seen.first()..=seen.last()).contains(&u64::from(left));
                match () {
                    () if left == 0 => self.after_clean_up(memory, second),
                    () if there && !memory.config.is(Mutant::RemovesTheLiving) => {
                        self.go(memory, Step::Forget { second });
                    }
                    () => self.go(memory, Step::Discard { second }),
                }
            }
            Step::Discard { second } => {
                let left = memory.state.shared.leaving;
                discard(memory, left);
                self.go(memory, Step::Forget { second });
            }
            Step::Forget { second } => {
                memory.state.shared.leaving = 0;
                self.after_clean_up(memory, second);
            }
            _ => unreachable!("only what cleans up"),
        }
    }

    fn after_clean_up(self, memory: &mut Memory, second: bool) {
        match self.goal {
            Goal::CleanUp => self.ends(memory, false),
            Goal::Home { .. } if !second => self.go(memory, Step::HomeSwap),
            Goal::Pass if memory.config.is(Mutant::PassesOpen) => self.go(memory, Step::PassLook),
            _ => self.go(memory, Step::Settle { begins: true, second }),
        }
    }

    /// 3 and 4 of a change.
    fn settle(self, memory: &mut Memory) {
        match self.step {
            Step::Settle { begins, second } => {
                let seen = memory.look();
                match () {
                    () if !seen.is_unsettled() => self.after_settle(memory, begins, second),
                    () if memory.config.is(Mutant::NobodyShuts) => {
                        self.go(memory, Step::Open { begins, second, seen: seen.0 });
                    }
                    () if memory.config.is(Mutant::OpenBeforeShut) => {
                        self.go(memory, Step::Open { begins, second, seen: seen.0 });
                    }
                    () => self.go(memory, Step::Shut { begins, second, seen: seen.0 }),
                }
            }
            Step::Shut { begins, second, seen } => {
                let word = ChainWord(seen);
                if let Found::At(before) = memory.find(word, word.last() - 1, false) {
                    memory.ring(before).shut = true;
                }
                let late = memory.config.is(Mutant::OpenBeforeShut);
                let next = Step::Open { begins, second, seen };
                self.go(memory, if late { Step::Settled { begins, second, seen } } else { next });
            }
            Step::Open { begins, second, seen } => {
                open(memory, ChainWord(seen));
                let late = memory.config.is(Mutant::OpenBeforeShut);
                let next = Step::Settled { begins, second, seen };
                self.go(memory, if late { Step::Shut { begins, second, seen } } else { next });
            }
            Step::Settled { begins, second, seen } => {
                memory.swap(ChainWord(seen), ChainWord(seen).settled());
                self.go(memory, Step::Settle { begins, second });
            }
            _ => unreachable!("only what settles"),
        }
    }

    fn after_settle(self, memory: &mut Memory, begins: bool, second: bool) {
        match self.goal {
            Goal::Home { .. } if !begins => self.go(memory, Step::Left { second: true }),
            _ if !begins => self.ends(memory, true),
            Goal::Grow { .. } if second => self.go(memory, Step::AppendLook),
            _ => self.go(memory, Step::PassLook),
        }
    }
}

/// The last segment is opened, or shut if the queue is closed.
fn open(memory: &mut Memory, seen: ChainWord) {
    let Found::At(last) = memory.find(seen, seen.last(), false) else { return };
    let stays = memory.config.is(Mutant::HomeStaysShut);
    match () {
        () if seen.is_closed() => memory.ring(last).shut = true,
        () if last == 0 && !stays => memory.ring(0).shut = false,
        () => {}
    }
}

/// The file goes, and the memory of its slots.
pub fn discard(memory: &mut Memory, generation: u8) {
    memory.state.shared.files &= !(1 << generation);
    memory.ring(usize::from(generation)).slots = [Slot::Blank; 2];
}
