//! What a contestant gives: queues, and ends of them.
//!
//! A new one is a file in `contestants/` with these traits and a line in [`contestants::all`](crate::contestants::all).

use serde::{Deserialize, Serialize};

use crate::play::{self, Sample, Task, Unable};
use crate::workload::Workload;

/// Why it is in the tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    Ringway,
    Rival,
    /// The least that the work can cost on this machine: nothing that one would use.
    Limit,
}

/// Where its sides run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Between {
    Threads,
    Processes,
}

/// Which of a process's queues one is: it sends by one, and of trips receives the answers by another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Who makes it sends.
    There,
    /// Who makes it receives.
    Back,
}

/// An end that sends messages of `W` words. What is neither room nor no room is a panic with its cause.
pub trait Out<const W: usize>: Send + 'static {
    /// Sends `message` if there is room now.
    fn try_send(&mut self, message: &[u64; W]) -> bool;

    /// Sends `message`, waiting for room in the contestant's own way.
    fn send(&mut self, message: &[u64; W]) {
        while !self.try_send(message) {
            std::hint::spin_loop();
        }
    }

    /// Sends as many of `batch`, from the first on, as have room now. Says how many.
    fn try_send_batch(&mut self, batch: &[[u64; W]]) -> usize {
        usize::from(self.try_send(&batch[0]))
    }
}

/// An end that receives. Each message is shown to `look`, from wherever the contestant leaves it: a value, or a
/// buffer of the receiver's that it was copied to.
pub trait In<const W: usize>: Send + 'static {
    /// Receives a message if there is one now.
    fn try_recv(&mut self, look: impl FnMut(&[u64; W])) -> bool;

    /// Receives a message, waiting for it in the contestant's own way.
    fn recv(&mut self, mut look: impl FnMut(&[u64; W])) {
        while !self.try_recv(&mut look) {
            std::hint::spin_loop();
        }
    }

    /// Receives up to [`BATCH`](crate::workload::BATCH) messages that are there now. Says how many.
    fn try_recv_batch(&mut self, look: impl FnMut(&[u64; W])) -> usize {
        usize::from(self.try_recv(look))
    }
}

/// One queue, in one direction.
pub trait Hub<const W: usize> {
    type Out: Out<W>;
    type In: In<W>;

    /// What another process needs to [join](Contestant::join): a name, or numbers of inherited descriptors.
    fn token(&self) -> String {
        unreachable!("only between threads")
    }

    /// The other process runs and has inherited what the [token](Self::token) names: the maker lets go of what is not
    /// its own.
    fn handed_over(&mut self) {}

    /// An end that sends. Called once for each sender, in one process only.
    fn sender(&mut self) -> Self::Out;

    /// An end that receives. Called once for each receiver, in one process only.
    fn receiver(&mut self) -> Self::In;
}

pub trait Contestant: 'static {
    /// As in the tables, and what selects it: short, without spaces.
    const NAME: &'static str;
    const KIND: Kind;
    const BETWEEN: Between;
    /// It has `try_` forms; else the blocking ones do the polling workloads too.
    const POLLS: bool = true;
    /// It can sleep until there is something: blocking forms of its own.
    const BLOCKS: bool;
    /// Its blocking forms look again for a while before they sleep, and cannot be told not to.
    const SPINS_FIRST: bool = false;
    /// It moves several messages by one call.
    const BATCHES: bool = false;
    /// The longest message, in bytes. Values that are moved through the stack end at a few KiB.
    const LONGEST: usize = 1 << 10;
    /// How many may send and how many may receive.
    const PARTIES: (usize, usize);

    type Hub<const W: usize>: Hub<W>;

    /// Whether it can do `workload` at all, beyond what the constants say; and if not, why.
    fn refuses(_workload: &Workload) -> Option<String> {
        None
    }

    /// Makes a queue for `workload`; `name` is unused by anybody else. Whoever makes it removes it: when the hub and
    /// its ends are gone, nothing is left.
    fn create<const W: usize>(
        workload: &Workload,
        name: &str,
        way: Way,
    ) -> Result<Self::Hub<W>, Unable>;

    /// The queue that another process made.
    fn join<const W: usize>(
        _workload: &Workload,
        _token: &str,
        _way: Way,
    ) -> Result<Self::Hub<W>, Unable> {
        unreachable!("only between threads")
    }
}

/// A contestant in the list of all.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    pub name: &'static str,
    pub kind: Kind,
    pub between: Between,
    /// Why it cannot do a workload, if it cannot.
    pub refuses: fn(&Workload) -> Option<String>,
    /// Does a workload once, in this process and those that it starts.
    pub play: fn(&Task) -> Result<Sample, Unable>,
    /// Plays the other process of [`play`](Self::play).
    pub follow: fn(&Task, tokens: &[String]) -> Result<(), Unable>,
}

impl Entry {
    pub const fn of<C: Contestant>() -> Self {
        Self {
            name: C::NAME,
            kind: C::KIND,
            between: C::BETWEEN,
            refuses: play::refuses::<C>,
            play: play::lead::<C>,
            follow: play::follow::<C>,
        }
    }

    /// One that can move messages of more than a few KiB: bytes, that no stack needs to hold.
    pub const fn of_long<C: Contestant>() -> Self {
        Self { play: play::lead_long::<C>, follow: play::follow_long::<C>, ..Self::of::<C>() }
    }
}
