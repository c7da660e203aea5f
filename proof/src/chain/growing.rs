//! The changes themselves: the first segment is passed, another is appended, the anchor comes home.

use super::changing::{Change, Goal, Step, discard};
use super::closing::CLOSED;
use super::config::Mutant;
use super::memory::Memory;
use super::state::{Ring, Slot};
use crate::chain_word::ChainWord;
use crate::frame::small;

impl Change {
    /// Takes the first segment out.
    pub fn pass(self, memory: &mut Memory) {
        match self.step {
            Step::PassLook => {
                let seen = memory.look();
                let first = Memory::number(seen, seen.first());
                if seen.ahead() == 0 || !memory.is_passable(first) {
                    return self.passed(memory, false);
                }
                let noted = first != 0 && !memory.config.is(Mutant::NothingNoted);
                let swap = Step::PassSwap { seen: seen.0 };
                self.go(memory, if noted { Step::PassNote { seen: seen.0 } } else { swap });
            }
            Step::PassNote { seen } => {
                memory.state.shared.leaving = small(ChainWord(seen).first());
                if memory.config.is(Mutant::RemoveBeforeSwap) {
                    discard(memory, small(ChainWord(seen).first()));
                }
                self.go(memory, Step::PassSwap { seen });
            }
            Step::PassSwap { seen } => {
                let first = ChainWord(seen).first();
                let number = Memory::number(ChainWord(seen), first);
                pass_swap(memory, ChainWord(seen));
                let next = Step::PassDiscard { first: small(first) };
                if number == 0 { self.passed(memory, true) } else { self.go(memory, next) }
            }
            Step::PassDiscard { first } => {
                discard(memory, first);
                self.go(memory, Step::PassForget);
            }
            Step::PassForget => {
                memory.state.shared.leaving = 0;
                self.passed(memory, true);
            }
            _ => unreachable!("only what passes"),
        }
    }

    fn passed(self, memory: &mut Memory, passed: bool) {
        match self.goal {
            Goal::Grow { .. } if !passed => self.go(memory, Step::Left { second: true }),
            // Its first half has changed the chain already.
            Goal::Home { .. } => self.ends(memory, true),
            _ => self.ends(memory, passed),
        }
    }

    /// Puts another segment behind the last.
    pub fn append(self, memory: &mut Memory) {
        let Goal::Grow { seen } = self.goal else { unreachable!("only who grows") };
        let seen = ChainWord(seen);
        let next = seen.appended().expect("models are small");
        let number = next.last();
        match self.step {
            Step::AppendLook if memory.look() != seen => self.ends(memory, true),
            Step::AppendLook if number > u64::from(memory.config.annexes) => {
                self.ends(memory, false);
            }
            Step::AppendLook if memory.config.is(Mutant::NothingNoted) => {
                self.go(memory, Step::AppendMake);
            }
            Step::AppendLook => self.go(memory, Step::AppendNote),
            Step::AppendNote => {
                memory.state.shared.leaving = small(number);
                let early = memory.config.is(Mutant::SwapBeforeMake);
                self.go(memory, if early { Step::AppendSwap } else { Step::AppendMake });
            }
            Step::AppendMake => {
                make(memory, small(number));
                let late = memory.config.is(Mutant::SwapBeforeMake);
                let forget = Step::AppendForget { settles: true };
                self.go(memory, if late { forget } else { Step::AppendSwap });
            }
            Step::AppendSwap => {
                let at_once = memory.config.is(Mutant::SettledAtOnce);
                let won = memory.swap(seen, if at_once { next.settled() } else { next });
                let early = memory.config.is(Mutant::SwapBeforeMake);
                self.go(
                    memory,
                    match won {
                        true if early => Step::AppendMake,
                        true => Step::AppendForget { settles: true },
                        false => Step::AppendUndo,
                    },
                );
                if won && at_once {
                    let step = Step::Shut { begins: false, second: true, seen: next.0 };
                    memory.state.shared.leaving = 0;
                    self.go(memory, step);
                }
            }
            Step::AppendUndo => {
                discard(memory, small(number));
                self.go(memory, Step::AppendForget { settles: false });
            }
            Step::AppendForget { settles } => {
                memory.state.shared.leaving = 0;
                let settle = Step::Settle { begins: false, second: true };
                if settles { self.go(memory, settle) } else { self.ends(memory, true) }
            }
            _ => unreachable!("only what appends"),
        }
    }

    /// Puts the anchor behind the last segment.
    pub fn come_home(self, memory: &mut Memory) {
        let Goal::Home { seen } = self.goal else { unreachable!("only who goes home") };
        let next = ChainWord(seen).returning().expect("models are small");
        if memory.swap(ChainWord(seen), next) {
            return self.go(memory, Step::Settle { begins: false, second: true });
        }
        self.ends(memory, false);
    }
}

fn pass_swap(memory: &mut Memory, seen: ChainWord) {
    let closed = ChainWord(seen.0 | CLOSED);
    let first = memory.state.shared.rings[Memory::number(seen, seen.first())];
    let left = first.slots[..memory.config.slots].iter().any(|slot| {
        matches!(
            slot,
            Slot::Writing { .. }
                | Slot::Filled { .. }
                | Slot::Reading { .. }
                | Slot::Redeliver { .. }
        )
    });
    memory.rule(!left, "a segment was passed that has a message, or may get one");
    if memory.config.is(Mutant::SwapLosesClosed) {
        memory.state.shared.word = seen.passed().0;
        return;
    }
    let done = memory.swap(seen, seen.passed()) || memory.swap(closed, closed.passed());
    memory.rule(done, "the chain was changed by one who had not the lock");
}

fn make(memory: &mut Memory, generation: u8) {
    memory.state.shared.files |= 1 << generation;
    *memory.ring(usize::from(generation)) =
        Ring { shut: false, tail: 0, head: 0, slots: [Slot::Vacant; 2] };
}
