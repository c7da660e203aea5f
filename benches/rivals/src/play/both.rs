//! The works that have two sides, and how the sides find each other.

use serde::{Deserialize, Serialize};

use super::board::Board;
use super::follower::{EndTogether, Follower, end_with_parent};
use super::sides::{receive, receive_stream, send, send_stream};
use super::{Quantiles, Sample, Task, Unable, crowd};
use crate::contestant::{Between, Contestant, Hub, Way};
use crate::machine::unpin;
use crate::workload::Shape;

/// What one side saw.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Part {
    /// When it began, when it was done.
    pub begun: u64,
    pub ended: u64,
    pub quantiles: Option<Quantiles>,
    /// Nanoseconds of one trip, if it made trips.
    pub trip: Option<f64>,
    /// How many messages of a crowd, and the sum of what they say.
    pub crowd: (u64, u64),
}

/// The ends of one side: senders' and an answer's receiver, or receivers' and an answer's sender.
pub struct Side<E, A> {
    pub ends: Vec<E>,
    pub answer: Option<A>,
}

pub type OutOf<C, const W: usize> = <<C as Contestant>::Hub<W> as Hub<W>>::Out;
pub type InOf<C, const W: usize> = <<C as Contestant>::Hub<W> as Hub<W>>::In;

/// The messages that nobody measures.
pub fn warm_up(task: &Task) -> u64 {
    const BYTES: usize = 32 << 20;
    let lap = task.workload.capacity.min(BYTES / task.workload.bytes);
    let messages = match task.workload.shape {
        Shape::Burst(_) | Shape::Wake => 10,
        _ => lap as u64,
    };
    messages.min(task.count)
}

/// What one side does: the works of streams apart from the others, so that long messages need no others.
type Act<E, A> = fn(&Task, &Board, &mut Side<E, A>) -> Part;

/// Leads a work of streams.
pub fn near_stream<C: Contestant, const W: usize>(task: &Task) -> Result<Sample, Unable> {
    lead::<C, W>(task, send_stream::<C, W>, receive_stream::<C, W>)
}

/// Leads any other.
pub fn near<C: Contestant, const W: usize>(task: &Task) -> Result<Sample, Unable> {
    lead::<C, W>(task, send::<C, W>, receive::<C, W>)
}

/// Leads the work: makes the queues, starts the other side, sends.
fn lead<C: Contestant, const W: usize>(
    task: &Task,
    send: Act<OutOf<C, W>, InOf<C, W>>,
    receive: Act<InOf<C, W>, OutOf<C, W>>,
) -> Result<Sample, Unable> {
    unpin();
    let board = Board::new().map_err(Unable::because("share memory"))?;
    let name = format!("rivals-{}", std::process::id());
    let has_answers = matches!(task.workload.shape, Shape::SpinningTrip | Shape::ParkedTrip);
    let mut there = C::create::<W>(&task.workload, &name, Way::There)?;
    let name = format!("{name}-back");
    let back = has_answers.then(|| C::create::<W>(&task.workload, &name, Way::Back));
    let mut back = back.transpose()?;
    let (senders, _) = task.workload.parties();
    let ends = (0..senders).map(|_| there.sender()).collect();
    let mut side = Side { ends, answer: back.as_mut().map(Hub::receiver) };
    let (near, far) = match C::BETWEEN {
        Between::Processes => {
            let hubs = [Some(&there), back.as_ref()].into_iter().flatten();
            let tokens: Vec<String> = hubs.map(Hub::token).collect();
            let child = Follower::start(task, &board, &tokens)?;
            there.handed_over();
            back.as_mut().map(Hub::handed_over);
            let part = send(task, &board, &mut side);
            (part, child.finish()?)
        }
        Between::Threads => {
            let mut other = far_side::<C, W>(task, &mut there, back.as_mut());
            std::thread::scope(|scope| {
                let board = &board;
                let far = scope.spawn(move || {
                    let _end = EndTogether;
                    receive(task, board, &mut other)
                });
                let near = send(task, board, &mut side);
                (near, far.join().expect("a panic there ended the process"))
            })
        }
    };
    Ok(conclude(task, &near, &far))
}

/// Plays the other side of a stream in a process of its own.
pub fn far_stream<C: Contestant, const W: usize>(
    task: &Task,
    tokens: &[String],
) -> Result<(), Unable> {
    follow::<C, W>(task, tokens, receive_stream::<C, W>)
}

/// Plays the other side of any other work.
pub fn far<C: Contestant, const W: usize>(task: &Task, tokens: &[String]) -> Result<(), Unable> {
    follow::<C, W>(task, tokens, receive::<C, W>)
}

fn follow<C: Contestant, const W: usize>(
    task: &Task,
    tokens: &[String],
    receive: Act<InOf<C, W>, OutOf<C, W>>,
) -> Result<(), Unable> {
    end_with_parent();
    let [board, there, back @ ..] = tokens else {
        return Err(Unable("tokens are missing".to_owned()));
    };
    let board = Board::inherited(board).map_err(Unable::because("map the board"))?;
    let mut there = C::join::<W>(&task.workload, there, Way::There)?;
    let join_back = |token: &String| C::join::<W>(&task.workload, token, Way::Back);
    let mut back = back.first().map(join_back).transpose()?;
    let mut side = far_side::<C, W>(task, &mut there, back.as_mut());
    let part = receive(task, &board, &mut side);
    println!("{}", serde_json::to_string(&part).expect("numbers"));
    Ok(())
}

fn far_side<C: Contestant, const W: usize>(
    task: &Task,
    there: &mut C::Hub<W>,
    back: Option<&mut C::Hub<W>>,
) -> Side<InOf<C, W>, OutOf<C, W>> {
    let (_, receivers) = task.workload.parties();
    Side { ends: (0..receivers).map(|_| there.receiver()).collect(), answer: back.map(Hub::sender) }
}

#[allow(clippy::cast_precision_loss, reason = "figures for people")]
fn conclude(task: &Task, near: &Part, far: &Part) -> Sample {
    let each = far.ended.saturating_sub(near.begun) as f64 / task.count as f64;
    match task.workload.shape {
        Shape::SpinningTrip | Shape::ParkedTrip => {
            Sample { value: near.trip.unwrap_or(each), quantiles: near.quantiles }
        }
        Shape::Burst(_) | Shape::Wake | Shape::Paced(_) => {
            let quantiles = far.quantiles.unwrap_or_default();
            Sample { value: quantiles.p50, quantiles: far.quantiles }
        }
        Shape::Crowd { .. } => Sample { value: crowd::conclude(task, near, far), quantiles: None },
        _ => Sample { value: each, quantiles: None },
    }
}
