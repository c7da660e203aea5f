//! Which works belong together.

use crate::workload::{Shape, Workload};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    Streams,
    LongStreams,
    Batches,
    Trips,
    Crowds,
    Fans,
    Wakes,
    Paced,
    Alone,
    Upkeep,
}

impl Group {
    pub const ALL: [Self; 10] = [
        Self::Streams,
        Self::LongStreams,
        Self::Batches,
        Self::Trips,
        Self::Crowds,
        Self::Fans,
        Self::Wakes,
        Self::Paced,
        Self::Alone,
        Self::Upkeep,
    ];

    pub fn of(workload: &Workload) -> Self {
        match workload.shape {
            Shape::Stream if workload.bytes > 1 << 10 => Self::LongStreams,
            Shape::Stream => Self::Streams,
            Shape::Batch => Self::Batches,
            Shape::SpinningTrip | Shape::ParkedTrip => Self::Trips,
            Shape::Crowd { senders, receivers } if senders == receivers => Self::Crowds,
            Shape::Crowd { .. } => Self::Fans,
            Shape::Burst(_) | Shape::Wake => Self::Wakes,
            Shape::Paced(_) => Self::Paced,
            Shape::Pair | Shape::Duel => Self::Alone,
            Shape::Attach | Shape::Memory => Self::Upkeep,
        }
    }

    pub fn title(self) -> &'static str {
        match self {
            Self::Streams => "Streams",
            Self::LongStreams => "Streams of long messages",
            Self::Batches => "Batches of 64",
            Self::Trips => "Round trips",
            Self::Crowds => "Many to many",
            Self::Fans => "Fan-in and fan-out",
            Self::Wakes => "Waking a sleeper",
            Self::Paced => "A message every so often",
            Self::Alone => "Without another side",
            Self::Upkeep => "Attaching, and memory",
        }
    }

    /// What is measured.
    pub fn says(self) -> &'static str {
        match self {
            Self::Streams => {
                "One sends, one receives, a call for each message, both looking all the time."
            }
            Self::LongStreams => {
                "The same: each message is copied in by the sender and copied out by the receiver."
            }
            Self::Batches => {
                "The same in batches of 64, by those who can move several by one call."
            }
            Self::Trips => {
                "One message there and back. Spinning: both sides look all the time. Parked: each sleeps until \
                 it is woken."
            }
            Self::Crowds => "Several threads send and several receive; each message comes once.",
            Self::Fans => "Four send to one, and one sends to four.",
            Self::Wakes => {
                "From the sending of a message to a receiver that sleeps, until it has it; and of 256, until \
                 it has the last."
            }
            Self::Paced => {
                "From the moment at which a message was due, whether or not it could be sent then, until it has \
                 arrived: a stall counts for all that were due meanwhile."
            }
            Self::Alone => {
                "A pair: one thread sends and receives in turn. A duel: two threads send, nobody receives."
            }
            Self::Upkeep => {
                "Attaching to a queue that exists; memory that a queue takes while idle."
            }
        }
    }
}
