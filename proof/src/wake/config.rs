//! What can be modelled of waiting, and the mistakes that could be made.

use clap::ValueEnum;

use super::state::{At, MAX_THREADS, State, Thread, Word};
use crate::catalogue::Title;

/// One model.
#[derive(Clone, Debug)]
pub struct Config {
    /// What it is called, and what is wrong with it.
    pub title: Title<Mutant>,
    /// Slots of the ring.
    pub slots: u8,
    /// What the slots hold at the beginning, from position zero on.
    pub begins: &'static [Begin],
    /// The threads.
    pub threads: Vec<ThreadSpec>,
    /// Stores may be seen late, as on a machine with store buffers.
    pub buffered: bool,
    /// A sleep on somebody who is at work ends by itself.
    pub capped: bool,
}

/// What a slot holds at the beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begin {
    /// A message.
    Filled,
    /// An aborted claim.
    Aborted,
}

/// A thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ThreadSpec {
    /// Threads of one member share its waiter's bit.
    pub member: u8,
    /// What it does.
    pub role: Role,
}

/// What a thread does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Sends so many messages.
    Sender(u8),
    /// Sends so many, two by one claim where it can.
    PairSender(u8),
    /// Reserves, gives up, then sends so many.
    Quitter(u8),
    /// Receives so many messages and acknowledges each.
    Receiver(u8),
    /// Receives so many, two by one claim where it can.
    PairReceiver(u8),
    /// Receives one and puts it back, then so many.
    PutsBack(u8),
    /// Receives one and holds it for ever.
    Holder,
    /// Claims a slot to fill, and dies. Whoever looks for it then finds it dead.
    Victim,
    /// Closes.
    Closer,
}

/// A mistake made on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Mutant {
    /// Who gives an aborted slot back tells nobody.
    SkipTellsNobody,
    /// Who gives a reservation up tells nobody.
    QuitTellsNobody,
    /// Who puts a message back tells nobody.
    PutBackTellsNobody,
    /// Who closes tells nobody.
    CloseTellsNobody,
    /// Who leaves a wait wakes nobody else.
    NoBaton,
    /// A waiter that finds nothing sleeps, whoever is at work.
    NobodyIsAtWork,
    /// A waiter reads the epoch after its try.
    EpochAfterTry,
    /// Who wakes does not change the epoch.
    EpochStays,
    /// Bits are not set: only sleepers are woken.
    NoBits,
    /// Who waits for somebody at work sleeps until it is woken.
    HeldSleepsOn,
    /// Who woke nobody wakes nobody any more, whoever is about to sleep.
    SettledForEver,
    /// A sleep is counted before the epoch is read.
    SleepBeforeEpoch,
    /// A sleep is counted after the try.
    SleepAfterTry,
    /// Who notifies reads the count of sleeps after it woke nobody.
    SleepsAfterWake,
}

impl Config {
    /// Whether the mistake is `mutant`.
    pub fn is(&self, mutant: Mutant) -> bool {
        self.title.mutant == Some(mutant)
    }

    /// Where a thread of `role` begins each operation.
    pub fn begin(role: Role) -> At {
        match role {
            Role::Sender(_) | Role::PairSender(_) | Role::Quitter(_) | Role::Victim => At::ReadTail,
            Role::Receiver(_) | Role::PairReceiver(_) | Role::PutsBack(_) | Role::Holder => {
                At::ReadRedeliver
            }
            Role::Closer => At::RaiseFlag,
        }
    }

    /// How many slots one claim of a thread of `role` may have.
    pub fn most(role: Role) -> u8 {
        if matches!(role, Role::PairSender(_) | Role::PairReceiver(_)) { 2 } else { 1 }
    }

    /// How many messages a thread of `role` has to do with.
    pub fn messages(role: Role) -> u8 {
        match role {
            Role::Sender(count)
            | Role::Receiver(count)
            | Role::PairSender(count)
            | Role::PairReceiver(count) => count,
            Role::Quitter(count) | Role::PutsBack(count) => count + 1,
            Role::Holder | Role::Closer | Role::Victim => 1,
        }
    }

    /// The first state.
    pub fn initial(&self) -> State {
        let mut memory = [0; Word::COUNT];
        for (position, begin) in (0..).zip(self.begins) {
            memory[Word::Slot(position).place()] = match begin {
                Begin::Filled => self.word(position, Slot::Filled),
                Begin::Aborted => self.word(position, Slot::Aborted),
            };
            memory[Word::Tail.place()] = position + 1;
        }
        let mut threads = [Thread::new(At::Done); MAX_THREADS];
        for (thread, spec) in threads.iter_mut().zip(&self.threads) {
            *thread = Thread::new(Self::begin(spec.role));
        }
        State {
            memory,
            threads,
            enrolled: [[0; 2]; MAX_THREADS],
            settled: [[false; 2]; MAX_THREADS],
        }
    }

    /// The slot of `position`.
    pub fn slot(&self, position: u8) -> Word {
        Word::Slot(position % self.slots)
    }

    /// The word of the slot of `position` in state `slot`.
    pub fn word(&self, position: u8, slot: Slot) -> u8 {
        position / self.slots * 8 + slot as u8
    }
}

/// States of slots, without owners.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slot {
    /// To be filled.
    Vacant,
    /// Holds a message.
    Filled,
    /// Will hold none.
    Aborted,
    /// Is read again.
    Reading,
    /// Waits to be read again.
    Redeliver,
}
