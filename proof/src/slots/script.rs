//! What an operation does when nobody disturbs it: the sequence of its shared accesses, taken from
//! the model.
//!
//! The library's own operations can be run from the same words and their accesses compared: so the
//! model and the code are kept equal. A handle is new in each: it has stamped nothing, and looked
//! at nothing.

use super::config::{Config, Policy};
use super::configurations::{closer, consumer, picky, producer, quitter, sound};
use super::consumer::Receive;
use super::memory::Memory;
use super::producer::Send;
use super::reaper::{Reap, Undertaking};
use super::state::{At, Handle, MAX_MEMBERS, MAX_THREADS, State, Sweep};
use super::{crash, step_reaper, step_thread};

/// A word of shared memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Word {
    /// Where the next message is claimed to be filled.
    Tail,
    /// Where the next message is claimed to be taken.
    Head,
    /// Whether anything is to be delivered again.
    Redeliver,
    /// The closed flag.
    Closed,
    /// The word of a slot, by index.
    Slot(usize),
}

/// How a word is accessed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It is read.
    Load,
    /// It is written.
    Store,
    /// It is read, and written if it is as expected.
    Rmw,
}

/// One access.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Access {
    /// What.
    pub word: Word,
    /// How.
    pub kind: Kind,
    /// What the word was afterwards.
    pub value: u64,
}

/// All words at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Words {
    /// The tail's word.
    pub tail: u64,
    /// The head's word.
    pub head: u64,
    /// The redelivery word.
    pub redeliver: u64,
    /// The closed flag.
    pub closed: bool,
    /// The word of each slot.
    pub slots: Vec<u64>,
}

/// What is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// `member` sends one message; with a batch, up to so many by one claim.
    Send {
        /// Whose handle it is.
        member: u16,
        /// The most slots of one claim.
        batch: u8,
        /// By the straight way, which here has no obstacle.
        at_once: bool,
    },
    /// `member` reserves a slot and gives it up.
    Abort {
        /// Whose handle it is.
        member: u16,
    },
    /// `member` receives and acknowledges one message; with a batch, up to so many by one claim.
    Receive {
        /// Whose handle it is.
        member: u16,
        /// The most slots of one claim.
        batch: u8,
        /// By the straight way, which here has no obstacle.
        at_once: bool,
    },
    /// `member` receives a message and puts it back, flagged.
    PutBack {
        /// Whose handle it is.
        member: u16,
    },
    /// Somebody closes.
    Close,
    /// What a dead member had is taken back.
    Reap {
        /// The member.
        dead: u16,
        /// By the policy that drops what may have been seen.
        at_most_once: bool,
    },
}

impl Operation {
    /// Whose it is, where its owner may die in the middle.
    pub fn member(self) -> Option<u16> {
        match self {
            Operation::Send { member, .. }
            | Operation::Abort { member }
            | Operation::Receive { member, .. }
            | Operation::PutBack { member } => Some(member),
            Operation::Close | Operation::Reap { .. } => None,
        }
    }
}

/// An operation, from which words to which, and how.
#[derive(Clone, Debug)]
pub struct Script {
    /// What it shows.
    pub name: &'static str,
    /// The words before.
    pub before: Words,
    /// What is done.
    pub operation: Operation,
    /// What it accesses, as [`collapsed`] gives it.
    pub accesses: Vec<Access>,
    /// The words after.
    pub after: Words,
    /// What is left and taken back if the member dies in the middle of it: at each point in turn, those that differ.
    pub falls: Vec<Fall>,
}

/// A member dies on its way through an operation, and is reaped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fall {
    /// By the policy that drops what may have been seen.
    pub at_most_once: bool,
    /// The words that it leaves.
    pub left: Words,
    /// What its reaper accesses, as [`collapsed`] gives it.
    pub accesses: Vec<Access>,
    /// The words after that.
    pub after: Words,
}

/// `accesses`, where loads of one word in a row that find the same are one: how often somebody
/// looks before it goes on is no part of the protocol.
pub fn collapsed(mut accesses: Vec<Access>) -> Vec<Access> {
    accesses.dedup_by(|next, last| next == last && next.kind == Kind::Load);
    accesses
}

/// Threads of every scene, by number.
pub const SENDER: usize = 0;
pub const OTHER_SENDER: usize = 1;
pub const RECEIVER: usize = 2;
pub const OTHER_RECEIVER: usize = 3;
pub const CLOSER: usize = 4;

/// A ring in which one thread at a time goes some way.
pub struct Scene<'c> {
    /// The ring, its threads and what they access.
    pub memory: Memory<'c>,
    /// Steps of threads that there may still be: then they stop, wherever they are.
    left: usize,
}

impl Scene<'_> {
    /// `thread` goes on until its next step is as `stops` says.
    pub fn until(&mut self, thread: usize, choice: u8, stops: impl Fn(At) -> bool) {
        while self.left > 0 {
            self.left -= 1;
            step_thread(&mut self.memory, thread, choice);
            if stops(self.memory.state.threads[thread].at) {
                return;
            }
        }
    }

    /// `thread` does one whole operation.
    pub fn whole(&mut self, thread: usize, choice: u8) {
        self.until(thread, choice, |at| {
            let begins =
                matches!(at, At::Send(Send::Begin) | At::Receive(Receive::Begin) | At::Rest);
            begins || at == At::Dead
        });
    }

    /// `thread` claims, and stops before it stamps.
    pub fn claim(&mut self, thread: usize) {
        self.until(thread, 0, |at| {
            matches!(at, At::Send(Send::Stamp { .. }) | At::Receive(Receive::Stamp { .. }))
        });
    }

    /// `thread` claims and stamps, and stops with the slot in hand.
    pub fn hold(&mut self, thread: usize) {
        self.until(thread, 0, |at| {
            matches!(at, At::Send(Send::Write { .. }) | At::Receive(Receive::Read { .. }))
        });
    }

    /// What `member` left behind is taken back.
    pub fn reap(&mut self, member: u16) {
        crash(&mut self.memory, member);
        let mut at = Undertaking::ReadTail;
        loop {
            self.memory.state.reapers[0] = Reap::Work { member, attaching: false, at };
            step_reaper(&mut self.memory, 0, member, false, at);
            match self.memory.state.reapers[0] {
                Reap::Idle => return,
                Reap::Work { at: next, .. } => at = next,
            }
        }
    }

    fn words(&self) -> Words {
        let shared = &self.memory.state.shared;
        Words {
            tail: shared.tail,
            head: shared.head,
            redeliver: shared.redeliver,
            closed: shared.closed,
            slots: shared.slots[..self.memory.config.slots].to_vec(),
        }
    }

    fn perform(&mut self, operation: Operation) {
        match operation {
            Operation::Send { .. } => self.whole(SENDER, 0),
            Operation::Abort { .. } => self.whole(SENDER, 1),
            Operation::Receive { .. } => self.whole(RECEIVER, 0),
            Operation::PutBack { .. } => {
                self.hold(RECEIVER);
                let reads = |at| matches!(at, At::Receive(Receive::Finish { .. }));
                self.until(RECEIVER, 0, reads);
                self.whole(RECEIVER, 1);
            }
            Operation::Close => self.whole(CLOSER, 0),
            Operation::Reap { dead, .. } => self.reap(dead),
        }
    }
}

/// What is done to set the scene.
pub type Setting = fn(&mut Scene);

/// What `operation` does in a ring of `slots` that is as `setting` leaves it.
pub fn script(name: &'static str, slots: usize, operation: Operation, setting: Setting) -> Script {
    let batch = match operation {
        Operation::Send { batch, .. } | Operation::Receive { batch, .. } => batch,
        _ => 1,
    };
    let gives_up = matches!(operation, Operation::Abort { .. });
    let puts_back = matches!(operation, Operation::PutBack { .. });
    let mut config = sound(
        name,
        slots,
        &[
            if gives_up { quitter(0, 8, 1) } else { producer(0, 8, batch) },
            producer(1, 8, 1),
            if puts_back { picky(2, 1) } else { consumer(2, batch) },
            picky(3, 1),
            closer(0),
        ],
    );
    config.crashes = 2;
    config.at_once = matches!(
        operation,
        Operation::Send { at_once: true, .. } | Operation::Receive { at_once: true, .. }
    );
    if let Operation::Reap { at_most_once: true, .. } = operation {
        config.policy = Policy::AtMostOnce;
    }
    record(&config, operation, setting)
}

fn record(config: &Config, operation: Operation, setting: Setting) -> Script {
    let memory = Memory::new(config, &config.initial());
    let mut scene = Scene { memory, left: usize::MAX };
    setting(&mut scene);
    scene.memory.state.handles = [Handle::NEW; MAX_THREADS];
    scene.memory.state.sweeps = [Sweep::NEW; MAX_MEMBERS];
    let (before, begin) = (scene.words(), scene.memory.state);
    scene.memory.log = Some(Vec::new());
    scene.perform(operation);
    let accesses = collapsed(scene.memory.log.take().unwrap_or_default());
    assert_eq!(scene.memory.broken, None, "{}", config.title.name);
    let mut falls = Vec::new();
    if let Some(member) = operation.member() {
        falls.extend(all_falls(config, &begin, operation, member));
        // By that policy nothing is put back.
        if matches!(operation, Operation::Receive { .. }) {
            let drops = Config { policy: Policy::AtMostOnce, ..config.clone() };
            falls.extend(all_falls(&drops, &begin, operation, member));
        }
    }
    Script { name: config.title.name, before, operation, accesses, after: scene.words(), falls }
}

/// What comes of it if `member` dies after each of the steps of `operation`, from none to all.
fn all_falls(config: &Config, begin: &State, operation: Operation, member: u16) -> Vec<Fall> {
    let mut falls = Vec::new();
    for steps in 0.. {
        let mut scene = Scene { memory: Memory::new(config, begin), left: steps };
        scene.perform(operation);
        let is_last = scene.left > 0;
        let left = scene.words();
        scene.memory.log = Some(Vec::new());
        scene.reap(member);
        assert_eq!(scene.memory.broken, None, "{}", config.title.name);
        let accesses = collapsed(scene.memory.log.take().unwrap_or_default());
        let at_most_once = config.policy == Policy::AtMostOnce;
        falls.push(Fall { at_most_once, left, accesses, after: scene.words() });
        if is_last {
            break;
        }
    }
    falls.dedup();
    falls
}
