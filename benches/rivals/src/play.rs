//! One sample: a contestant does a workload once.
//!
//! The *near* side sends and measures; the *far* side receives and checks every message, in another process where the
//! contestant can do that, else on other threads. Both warm the queue up with a lap before the clock starts.

mod alone;
mod board;
mod both;
mod crowd;
mod follower;
mod message;
mod quantiles;
mod sides;

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::contestant::{Between, Contestant};
use crate::workload::{Shape, Waiting, Workload};

pub use quantiles::Quantiles;

/// What is to be done.
#[derive(Clone, Debug)]
pub struct Task {
    pub contestant: &'static str,
    pub workload: Workload,
    /// How many messages, trips or calls.
    pub count: u64,
}

/// What came of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// In the workload's [unit](Workload::unit).
    pub value: f64,
    /// Of single messages, trips or calls, where they were measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quantiles: Option<Quantiles>,
}

impl Sample {
    /// With so many digits as mean something.
    pub fn rounded(self) -> Self {
        let round = crate::conductor::rounded;
        let quantiles = self.quantiles.map(|q| Quantiles {
            p50: round(q.p50),
            p99: round(q.p99),
            p999: round(q.p999),
            max: round(q.max),
        });
        Self { value: round(self.value), quantiles }
    }
}

/// Why a contestant does not do a workload here: it cannot, or the system refused something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unable(pub String);

impl Unable {
    /// Because `what` was refused.
    pub fn because(what: impl fmt::Display) -> impl FnOnce(std::io::Error) -> Self {
        move |why| Self(format!("{what}: {why}"))
    }
}

impl fmt::Display for Unable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Calls `$function::<C, W>` with the words that the workload's messages have.
macro_rules! by_width {
    ($workload:expr, [$($bytes:literal)*], $function:ident::<$contestant:ident>$arguments:tt) => {
        match $workload.bytes {
            $($bytes => $function::<$contestant, { $bytes / 8 }>$arguments,)*
            bytes => Err(Unable(format!("no such work has messages of {bytes} bytes"))),
        }
    };
}

/// Why `C` cannot do `workload`, if so.
pub fn refuses<C: Contestant>(workload: &Workload) -> Option<String> {
    let (senders, receivers) = workload.parties();
    let (most_senders, most_receivers) = C::PARTIES;
    let longest = C::LONGEST;
    let no = |reason: &str| Some(reason.to_owned());
    match workload.shape {
        _ if workload.bytes > longest => no("not supported: such long messages"),
        _ if senders > most_senders => no("not supported: several senders"),
        _ if receivers > most_receivers => no("not supported: several receivers"),
        _ if workload.waiting() == Waiting::Park && !C::BLOCKS => no("not supported: sleeping"),
        Shape::ParkedTrip if C::SPINS_FIRST => no("not supported: sleeping at once"),
        Shape::Batch if !C::BATCHES => no("not supported: batches"),
        Shape::Pair | Shape::Duel | Shape::Paced(_) if !C::POLLS => no("not supported: polling"),
        Shape::Attach if C::BETWEEN == Between::Threads => no("nothing to attach to: threads"),
        _ => C::refuses(workload),
    }
}

/// Does `task` here, and in a process that it starts.
pub fn lead<C: Contestant>(task: &Task) -> Result<Sample, Unable> {
    match task.workload.shape {
        Shape::Stream => by_width!(task.workload, [8 64 104 1024], near_stream::<C>(task)),
        Shape::Pair => by_width!(task.workload, [8], pair::<C>(task)),
        Shape::Duel => by_width!(task.workload, [8], duel::<C>(task)),
        Shape::Memory => by_width!(task.workload, [64], memory::<C>(task)),
        Shape::Attach => by_width!(task.workload, [8], attach::<C>(task)),
        _ => by_width!(task.workload, [8 64], near::<C>(task)),
    }
}

/// Plays the far side in a process of its own; tells the near side what came of it.
pub fn follow<C: Contestant>(task: &Task, tokens: &[String]) -> Result<(), Unable> {
    match task.workload.shape {
        Shape::Stream => by_width!(task.workload, [8 64 104 1024], far_stream::<C>(task, tokens)),
        _ => by_width!(task.workload, [8 64], far::<C>(task, tokens)),
    }
}

/// [`lead`] of contestants whose messages may be long.
pub fn lead_long<C: Contestant>(task: &Task) -> Result<Sample, Unable> {
    if task.workload.bytes <= 1 << 10 {
        return lead::<C>(task);
    }
    by_width!(task.workload, [65_536 1_048_576], near_stream::<C>(task))
}

/// [`follow`] of contestants whose messages may be long.
pub fn follow_long<C: Contestant>(task: &Task, tokens: &[String]) -> Result<(), Unable> {
    if task.workload.bytes <= 1 << 10 {
        return follow::<C>(task, tokens);
    }
    by_width!(task.workload, [65_536 1_048_576], far_stream::<C>(task, tokens))
}

use alone::{attach, duel, memory, pair};
use both::{far, far_stream, near, near_stream};
