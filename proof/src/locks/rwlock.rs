//! The lock for many readers or one writer, step by step as in the library: `lock/rwlock.rs`, and the writer's word by
//! `lock/mutex.rs`.

use super::config::Mutant;
use super::holder::Holder;
use super::memory::Memory;
use super::state::{At, MAX_THREADS};
use super::{INCONSISTENT, WAITED};

/// The count in a member's word.
const COUNT: u64 = WAITED - 1;
const INCARNATION: u64 = u64::MAX << 32;
/// The word that names the writer.
const WRITER: usize = 0;

/// What a reader does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Read {
    /// Looks whether its word is its own.
    Enroll,
    /// It was not: begins anew from what was found.
    Renew(u64),
    /// Looks for a writer.
    Attempt,
    /// There is none: counts itself.
    Count,
    /// Looks once more.
    Look,
    /// There is one: leaves, and wakes a writer if it has to.
    Retreat,
    /// The same where the mark was found.
    RetreatWake(u64),
    /// Makes a dead writer's word free.
    Bury(u64),
    /// Wakes who slept on it.
    BuryWake,
    /// Marks what was found.
    Mark(u64),
    /// Sleeps.
    Sleep(u64),
    /// Reads; whether it was told that what it reads may be torn.
    Reading(bool),
    /// Gives back.
    Leave,
    /// The last has left, and the mark was found.
    LeaveWake(u64),
    /// The mark is away: wakes.
    Wake { reads_on: bool },
}

/// What a writer does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Write {
    /// Looks who has the word.
    Claim,
    /// Nobody: takes it.
    Take(u64),
    /// One who is dead.
    TakeOver(u64),
    /// One who lives: marks what was found.
    Mark(u64),
    /// Sleeps.
    Sleep(u64),
    /// Has the word, inconsistent or not: looks at this member's readers.
    Look(bool, u8),
    /// There are some: looks again.
    Drain(bool, u8),
    /// They are of the dead.
    Free(bool, u8, u64),
    /// They are of the living: marks.
    DrainMark(bool, u8, u64),
    /// Sleeps.
    DrainSleep(bool, u8, u64),
    /// Begins to write; whether it was told that what it finds may be torn.
    Begin(bool),
    /// Has written all.
    End,
    /// Gives back, inconsistent or not.
    Unlock(bool),
    /// Wakes who slept.
    Wake,
}

fn bits(inconsistent: bool) -> u64 {
    if inconsistent { INCONSISTENT } else { 0 }
}

impl Read {
    /// How many ways there are to go on: with a recheck or without, where it would find somebody dead.
    pub fn choices(self, memory: &Memory) -> u8 {
        let found = Holder::of(memory.state.words[WRITER]);
        let unasked = memory.config.is(Mutant::WriterUnasked);
        let finds = self == Self::Attempt && !unasked;
        1 + u8::from(finds && found.is_some_and(|holder| memory.is_dead(holder)))
    }

    /// One access.
    pub fn step(self, memory: &mut Memory, choice: u8) {
        let mine = memory.member() + 1;
        match self {
            Self::Enroll => {
                let found = memory.state.words[mine];
                let keeps = found >> 32 == memory.incarnation()
                    || memory.config.is(Mutant::EnrollKeeps) && found != 0;
                memory.go(At::Read(if keeps { Self::Attempt } else { Self::Renew(found) }));
            }
            Self::Renew(found) => {
                let fresh = memory.incarnation() << 32;
                let renewed = memory.swap(mine, found, fresh);
                memory.go(At::Read(if renewed { Self::Attempt } else { Self::Enroll }));
            }
            Self::Attempt => attempt(memory, choice == 1),
            Self::Count => {
                memory.state.words[mine] += 1;
                let looked = memory.config.is(Mutant::LookBeforeCount);
                memory.go(At::Read(if looked { Self::Reading(false) } else { Self::Look }));
            }
            Self::Look => {
                let found = memory.state.words[WRITER];
                let free = Holder::of(found).is_none();
                let reading = Self::Reading(found & INCONSISTENT != 0);
                memory.go(At::Read(if free { reading } else { Self::Retreat }));
            }
            Self::Reading(told) => {
                let torn = memory.state.torn;
                memory.rule(told || !torn, "what is torn was read by one who was not told");
                memory.go(At::Read(Self::Leave));
            }
            Self::Retreat | Self::Leave => leave(memory, self == Self::Retreat),
            Self::RetreatWake(found) | Self::LeaveWake(found) => {
                let reads_on = matches!(self, Self::RetreatWake(_));
                wake_writer(memory, found, reads_on);
            }
            Self::Wake { reads_on } => {
                memory.wake_all(mine);
                go_on(memory, reads_on);
            }
            Self::Bury(_) | Self::BuryWake | Self::Mark(_) | Self::Sleep(_) => {
                self.step_of_wait(memory);
            }
        }
    }

    fn step_of_wait(self, memory: &mut Memory) {
        match self {
            Self::Bury(found) => {
                let whole = memory.config.is(Mutant::BuryWhole);
                let freed = memory.swap(WRITER, found, bits(!whole));
                let wakes = freed && found & WAITED != 0;
                memory.go(At::Read(if wakes { Self::BuryWake } else { Self::Attempt }));
            }
            Self::BuryWake => {
                memory.wake_all(WRITER);
                memory.go(At::Read(Self::Attempt));
            }
            Self::Mark(found) => {
                let marked = memory.mark(WRITER, found).map(Self::Sleep);
                memory.go(At::Read(marked.unwrap_or(Self::Attempt)));
            }
            Self::Sleep(word) => memory.sleep(WRITER, word, At::Read(Self::Attempt)),
            _ => unreachable!("the others are steps of no wait"),
        }
    }
}

fn attempt(memory: &mut Memory, asks: bool) {
    let found = memory.state.words[WRITER];
    let next = match Holder::of(found) {
        None => Read::Count,
        Some(_) if asks => Read::Bury(found),
        Some(_) if found & WAITED != 0 => Read::Sleep(found),
        Some(_) => Read::Mark(found),
    };
    memory.go(At::Read(next));
}

fn leave(memory: &mut Memory, reads_on: bool) {
    let word = &mut memory.state.words[memory.member() + 1];
    let before = *word;
    *word = before.wrapping_sub(1);
    memory.rule(before & COUNT != 0, "a reader left that was not counted");
    let silent = memory.config.is(Mutant::LeaveWakesNobody);
    if before & (WAITED | COUNT) != WAITED | 1 || silent {
        return go_on(memory, reads_on);
    }
    let found = before - 1;
    let next = if reads_on { Read::RetreatWake(found) } else { Read::LeaveWake(found) };
    memory.go(At::Read(next));
}

fn wake_writer(memory: &mut Memory, found: u64, reads_on: bool) {
    let mine = memory.member() + 1;
    let stores = memory.config.is(Mutant::WakeByStore);
    if stores {
        memory.state.words[mine] = found & !WAITED;
    }
    if stores || memory.swap(mine, found, found & !WAITED) {
        return memory.go(At::Read(Read::Wake { reads_on }));
    }
    go_on(memory, reads_on);
}

/// Tries again, or is done.
fn go_on(memory: &mut Memory, reads_on: bool) {
    if reads_on { memory.go(At::Read(Read::Attempt)) } else { memory.count() }
}

impl Write {
    /// How many ways there are to go on: with a recheck or without, where it would find somebody dead.
    pub fn choices(self, memory: &Memory) -> u8 {
        let finds = match self {
            Self::Claim if !memory.config.is(Mutant::WriterUnasked) => {
                Holder::of(memory.state.words[WRITER]).is_some_and(|holder| memory.is_dead(holder))
            }
            Self::Drain(_, member) if !memory.config.is(Mutant::ReadersUnasked) => {
                is_of_the_dead(memory, member)
            }
            _ => false,
        };
        1 + u8::from(finds)
    }

    /// One access.
    pub fn step(self, memory: &mut Memory, choice: u8) {
        match self {
            Self::Claim => claim(memory, choice == 1),
            Self::Take(found) => {
                let slept = memory.state.threads[memory.me].slept;
                let mark = if slept { WAITED } else { found & WAITED };
                let word = memory.holder().bits() | found & INCONSISTENT | mark;
                let taken = memory.swap(WRITER, found, word);
                has_claimed(memory, taken, found & INCONSISTENT != 0);
            }
            Self::TakeOver(found) => take_over(memory, found),
            Self::Mark(found) => {
                let marked = memory.mark(WRITER, found);
                memory.state.threads[memory.me].slept |= marked.is_some();
                memory.go(At::Write(marked.map_or(Self::Claim, Self::Sleep)));
            }
            Self::Sleep(word) => memory.sleep(WRITER, word, At::Write(Self::Claim)),
            Self::Begin(told) => {
                let torn = memory.state.torn;
                memory.rule(told || !torn, "what is torn was written by one who was not told");
                memory.state.torn = true;
                memory.go(At::Write(Self::End));
            }
            Self::End => {
                memory.state.torn = false;
                memory.go(At::Write(Self::Unlock(false)));
            }
            Self::Unlock(inconsistent) => unlock(memory, inconsistent),
            Self::Wake => {
                memory.wake_all(WRITER);
                memory.count();
            }
            _ => self.step_of_drain(memory, choice == 1),
        }
    }

    fn step_of_drain(self, memory: &mut Memory, asks: bool) {
        let next = match self {
            Self::Look(told, member) if usize::from(member) == MAX_THREADS => Self::Begin(told),
            Self::Look(told, member) => {
                let passes = memory.config.is(Mutant::ClaimWithoutLook) && member == 0;
                let free = memory.state.words[word_of(member)] & COUNT == 0 || passes;
                if free { Self::Look(told, member + 1) } else { Self::Drain(told, member) }
            }
            Self::Drain(told, member) => match memory.state.words[word_of(member)] {
                found if found & COUNT == 0 => Self::Look(told, member + 1),
                found if asks => Self::Free(told, member, found),
                found if found & WAITED != 0 => Self::DrainSleep(told, member, found),
                found => Self::DrainMark(told, member, found),
            },
            Self::Free(told, member, found) => {
                memory.swap(word_of(member), found, found & INCARNATION);
                Self::Drain(told, member)
            }
            Self::DrainMark(told, member, found) => {
                let marked = memory.mark(word_of(member), found);
                let sleep = |word| Self::DrainSleep(told, member, word);
                marked.map_or(Self::Drain(told, member), sleep)
            }
            Self::DrainSleep(told, member, word) => {
                let at = At::Write(Self::Drain(told, member));
                return memory.sleep(word_of(member), word, at);
            }
            _ => unreachable!("the others are no steps of a drain"),
        };
        memory.go(At::Write(next));
    }

    /// Where it goes on if it gives up now.
    pub fn given_up(self, memory: &Memory) -> Option<Self> {
        let whole = memory.config.is(Mutant::GiveUpWhole);
        match self {
            Self::Drain(told, _) => Some(Self::Unlock(told && !whole)),
            _ => None,
        }
    }
}

/// The word of a member's readers.
fn word_of(member: u8) -> usize {
    usize::from(member) + 1
}

fn is_of_the_dead(memory: &Memory, member: u8) -> bool {
    let found = memory.state.words[word_of(member)];
    let holder = Holder::new(super::MemberId(member.into()), found >> 32);
    found & COUNT != 0 && memory.is_dead(holder)
}

fn claim(memory: &mut Memory, asks: bool) {
    let found = memory.state.words[WRITER];
    let next = match Holder::of(found) {
        None => Write::Take(found),
        Some(_) if asks => Write::TakeOver(found),
        Some(_) if found & WAITED == 0 => Write::Mark(found),
        Some(_) => {
            memory.state.threads[memory.me].slept = true;
            Write::Sleep(found)
        }
    };
    memory.go(At::Write(next));
}

fn take_over(memory: &mut Memory, found: u64) {
    let inconsistent = !memory.config.is(Mutant::TakeOverWhole);
    let word = memory.holder().bits() | bits(inconsistent) | WAITED;
    let stores = memory.config.is(Mutant::TakeOverByStore);
    if stores {
        memory.state.words[WRITER] = word;
    }
    let taken = stores || memory.swap(WRITER, found, word);
    has_claimed(memory, taken, inconsistent);
}

fn has_claimed(memory: &mut Memory, taken: bool, told: bool) {
    let next = if taken { Write::Look(told, 0) } else { Write::Claim };
    memory.go(At::Write(next));
}

fn unlock(memory: &mut Memory, inconsistent: bool) {
    let before = std::mem::replace(&mut memory.state.words[WRITER], bits(inconsistent));
    let silent = memory.config.is(Mutant::UnlockWakesNobody);
    if before & WAITED != 0 && !silent {
        return memory.go(At::Write(Write::Wake));
    }
    memory.count();
}
