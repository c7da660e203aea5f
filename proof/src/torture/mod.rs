//! Torture: senders and receivers in processes of their own on one queue, killed and stopped at any instruction and replaced,
//! and each message accounted for at the end.
//!
//! Time is cut into rounds, each with a queue and a ledger of its own. A round ends with everybody gone, some asked and some
//! killed; then one last receiver takes what is left, and it is checked that
//!
//! - each message whose send returned was received, and one acknowledged was not received again;
//! - what was received again was flagged, and what a dead receiver had not acknowledged was received again;
//! - what was aborted, refused or never meant was not received; what was received was whole;
//! - messages of one stream came in order, but for those that were in the hands of the dead;
//! - nobody was told that the other side has gone while one of it was there all the time;
//! - everybody asked to leave could, so nobody hangs; all capacity is back, no waiter's bit is set, no member is left;
//! - no block is anybody's, no attachment has memory, and all can be used;
//! - a queue that grew has its first segment only, and grows to its limit.
//!
//! One thing cannot be seen from outside: what a receiver that acknowledges before it looks was given just before it was killed.
//! Such a message is *lost with its receiver*; there is at most one a death (by a batch: those found in its buffer).
//!
//! `board` is what the processes share, `sending` and `receiving` are what they do,
//! `load` is what the queue carries (`message`, `long`), `conductor` is who kills them, `ending` is how a round ends,
//! `account` and `figures` are what is made of it. `pipes` is all of this for pipes, `locks` for locks.

mod account;
mod board;
mod child;
mod conductor;
mod ending;
mod fault;
mod figures;
mod ledger;
mod load;
mod locks;
mod long;
mod message;
mod os;
mod pipes;
mod place;
mod receiving;
mod sending;

use std::time::Duration;

use clap::Args;

/// How long, how many, and how.
#[derive(Args, Clone, Debug)]
#[allow(clippy::struct_excessive_bools, reason = "switches of a command line")]
pub struct Options {
    /// How long it takes
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// Ten minutes
    #[arg(long)]
    long: bool,
    /// Sending processes
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..=16))]
    producers: u16,
    /// Receiving processes
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..=16))]
    consumers: u16,
    /// Nobody is stopped, only killed
    #[arg(long)]
    no_stop: bool,
    /// What the dead had in hand is dropped instead of delivered again
    #[arg(long)]
    at_most_once: bool,
    /// Some processes watch for deaths; where they are killed themselves, the kernel takes long to release them
    #[arg(long)]
    watch: bool,
    /// Messages of 64 bytes to 256 KiB, in slots, blocks and attachments
    #[arg(long)]
    large: bool,
    /// A queue that grows from a few messages to a few hundred, and shrinks again
    #[arg(long, conflicts_with = "large")]
    growing: bool,
    /// Records of all lengths through a pipe, most of them in pieces
    #[arg(long, conflicts_with_all = ["large", "growing", "at_most_once", "watch", "slots", "no_stop"])]
    pipes: bool,
    /// Locks of all kinds in a block
    #[arg(long, conflicts_with_all = ["pipes", "large", "growing", "at_most_once", "watch", "slots", "no_stop"])]
    locks: bool,
    /// What decides who is killed when; another each time by default
    #[arg(long)]
    seed: Option<u64>,
    /// Messages that the queue holds; another number each round by default
    #[arg(long)]
    slots: Option<usize>,
    /// A process's part, for this program itself
    #[arg(long, hide = true, num_args = 6)]
    play: Option<Vec<String>>,
}

impl Options {
    fn length(&self) -> Duration {
        if self.long { Duration::from_mins(10) } else { Duration::from_secs(self.seconds) }
    }
}

/// Why a torture did not come to a good end.
#[derive(Clone, Debug)]
pub struct Problem(pub String);

impl<T: ToString> From<T> for Problem {
    fn from(text: T) -> Self {
        Self(text.to_string())
    }
}

/// Tortures, or plays the part that it is given. True if all is accounted for.
pub fn run(options: &Options) -> bool {
    let done = match &options.play {
        Some(words) => match child::Part::of(words) {
            Some(part) => part.play(),
            None => Err("no such part".into()),
        },
        None if options.pipes => pipes::run(options),
        None if options.locks => locks::run(options),
        None => conductor::run(options),
    };
    if let Err(Problem(why)) = &done {
        eprintln!("torture: {why}");
    }
    done.is_ok()
}
