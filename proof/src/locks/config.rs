//! What can be modelled of locks: who takes which, and the mistakes that are caught.

use clap::ValueEnum;

use super::barrier::Party;
use super::condvar::Wait;
use super::state::{At, MAX_THREADS, State, Thread};
use super::{flag, permits, rwlock, semaphore};
use crate::catalogue::Title;

/// One model.
#[derive(Clone, Debug)]
pub struct Config {
    /// What it is called, and what is wrong with it.
    pub title: Title<Mutant>,
    /// Who does what.
    pub threads: Vec<Role>,
    /// The first two are threads of one member; all others are members of their own.
    pub twins: bool,
    /// There are so many parties more than places at a barrier.
    pub spare: u8,
    /// How many times somebody may die,
    pub crashes: u8,
    /// and how many times a dead one's number may be used again.
    pub heirs: u8,
    /// Whether who waits may give up.
    pub impatient: bool,
}

/// What a thread does, so many times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Reads under a rwlock.
    Reader(u8),
    /// Writes under it.
    Writer(u8),
    /// Meets the others at a barrier.
    Party(u8),
    /// Waits at a condvar for something to take.
    Waiter(u8),
    /// Puts something there, and notifies one. It may die between its last call and the wake-up.
    Notifier(u8),
    /// Takes from a semaphore.
    Taker(u8),
    /// Gives to it, one at a time. It may die between its last gift and the wake-up.
    Giver(u8),
    /// Waits for a flag.
    Watcher(u8),
    /// Sets it, and clears it.
    Setter(u8),
    /// Gets the only permit, and gives it back.
    User(u8),
}

/// A mistake made on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Mutant {
    /// A reader looks for the writer before it counts itself.
    LookBeforeCount,
    /// A writer does not look at one of the members.
    ClaimWithoutLook,
    /// A writer that gives the lock back wakes nobody.
    UnlockWakesNobody,
    /// The last reader wakes nobody.
    LeaveWakesNobody,
    /// The last reader takes the mark away by a store.
    WakeByStore,
    /// Who is about to sleep marks nothing.
    SleepUnmarked,
    /// What the dead had is taken over as if it were whole.
    TakeOverWhole,
    /// A dead writer's word is made free as if all were whole.
    BuryWhole,
    /// It is taken over by a store.
    TakeOverByStore,
    /// A claim that is given up is given back as if all were whole.
    GiveUpWhole,
    /// Nobody asks whether readers live.
    ReadersUnasked,
    /// Nobody asks whether the writer lives.
    WriterUnasked,
    /// Who has the number is taken for who had it.
    HeirIsTaken,
    /// Who comes leaves its number's count as it was.
    EnrollKeeps,
    /// A party counts itself by a store.
    CountByStore,
    /// The last to come wakes nobody.
    LastWakesNobody,
    /// Who breaks a round wakes nobody.
    BreakWakesNobody,
    /// Who breaks a round does not look whether it is still the same.
    RoundUncompared,
    /// A round that was reset counts as completed.
    ResetsUncounted,
    /// Who takes a dead one's place lets the round go on.
    JoinBreaksNothing,
    /// Who is about to take it breaks the round first.
    JoinBreaksFirst,
    /// Who has taken it breaks the round that goes on by then.
    HeirLooksLate,
    /// Nobody asks whether the other parties live.
    PlacesUnasked,
    /// Who has slept locks without the mark for others.
    SleptLocksUnmarked,
    /// Who waits counts itself once it has given the mutex back.
    CountAfterUnlock,
    /// A call is not counted.
    CallUncounted,
    /// Who has called counts it as in vain though it woke one.
    SettledThoughWoken,
    /// Who has slept and takes from a semaphore leaves no mark for others.
    SleptTakesUnmarked,
    /// Who has slept and leaves some there wakes nobody for them.
    RestIsNobodys,
    /// Who gives to a semaphore wakes nobody.
    GivingWakesNobody,
    /// How often a flag was set is not counted.
    TurnsUncounted,
    /// Who sets a flag wakes nobody.
    SettingWakesNobody,
    /// Who has counted its sleep for a permit does not look again.
    NoLookAfterCount,
    /// Nobody asks whether who has a permit lives.
    PermitsUnasked,
}

impl Role {
    /// How many times.
    pub fn turns(self) -> u8 {
        let (Self::Reader(left)
        | Self::Writer(left)
        | Self::Party(left)
        | Self::Waiter(left)
        | Self::Notifier(left)
        | Self::Taker(left)
        | Self::Giver(left)
        | Self::Watcher(left)
        | Self::Setter(left)
        | Self::User(left)) = self;
        left
    }
}

impl Config {
    /// Whether `mutant` is made.
    pub fn is(&self, mutant: Mutant) -> bool {
        self.title.mutant == Some(mutant)
    }

    /// The number of the member that thread `me` belongs to.
    pub fn member(&self, me: usize) -> usize {
        if self.twins && me == 1 { 0 } else { me }
    }

    /// Where it begins.
    pub fn initial(&self) -> State {
        let mut threads = [Thread::IDLE; MAX_THREADS];
        for (thread, role) in threads.iter_mut().zip(&self.threads) {
            let left = role.turns();
            *thread = Thread { left, at: Self::begin(*role, left), ..Thread::IDLE };
        }
        let state = State::new(threads, self.crashes, self.heirs);
        if self.is_barrier() { state.worn() } else { state }
    }

    /// Whether it is about a barrier.
    pub fn is_barrier(&self) -> bool {
        matches!(self.threads[0], Role::Party(_))
    }

    /// Parties of the barrier.
    pub fn parties(&self) -> u8 {
        u8::try_from(self.threads.len()).unwrap_or(u8::MAX) - self.spare
    }

    /// Where one of `role` begins that still has `left` turns, on its own.
    pub fn begin(role: Role, left: u8) -> At {
        match role {
            Role::Party(_) if left == 0 => At::Party(Party::Leave),
            _ if left == 0 => At::Rest,
            Role::Reader(_) => At::Read(rwlock::Read::Enroll),
            Role::Writer(_) => At::Write(rwlock::Write::Claim),
            Role::Party(_) => At::Party(Party::Join(0)),
            Role::Waiter(_) | Role::Notifier(_) => At::Wait(Wait::Begin),
            Role::Taker(_) | Role::Giver(_) => At::Semaphore(semaphore::Turn::begin(role)),
            Role::Watcher(_) | Role::Setter(_) => At::Flag(flag::Turn::begin(role)),
            Role::User(_) => At::Permit(permits::Turn::Look(None)),
        }
    }
}
