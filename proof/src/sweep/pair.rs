//! Scenes in a channel with two ends: a victim at one, a survivor at the other, and then a successor of the victim.

mod crew;

use std::rc::Rc;

use anyhow::{Result, ensure};
use ringway::{Error, Member, Recovered, TryRecvError, TrySendError};

use super::place::Place;
use super::queue::Side;
use super::scene::{Scene, Survivor};
use super::victim::{marked, warm_up};
use crew::{Crew, drain, fill};

/// A channel with two ends, of which one sends to the other.
pub trait Pair: 'static {
    const NAME: &'static str;
    /// The end that sends.
    type Out;
    /// The end that receives.
    type In;

    fn create(place: &Place) -> Result<(Self::Out, Self::In)>;
    fn open_out(place: &Place) -> Result<Self::Out>;
    fn open_in(place: &Place) -> Result<Self::In>;
    fn try_send(out: &mut Self::Out, number: u64) -> Result<(), TrySendError<()>>;
    /// Receives one, and says which.
    fn try_recv(input: &mut Self::In) -> Result<Result<u64>, TryRecvError>;
    /// Whether what comes next may have been seen by a receiver that died.
    fn is_redelivered(input: &Self::In) -> bool;
    fn members(end: End<'_, Self>) -> Result<Vec<Member>, Error>;
    fn recover(end: End<'_, Self>) -> Result<Recovered, Error>;
}

/// Either end.
pub enum End<'a, P: Pair + ?Sized> {
    Out(&'a P::Out),
    In(&'a P::In),
}

/// What is left when the victim dies at some point of its operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Left {
    pub name: &'static str,
    /// Messages that are still received, in order.
    pub messages: Vec<u64>,
    /// Whether tail and head have moved.
    pub moved: (bool, bool),
    /// Whether somebody has asked to close, and whether the final position is agreed.
    pub closed: (bool, bool),
}

/// What a victim does with its end: says which messages it has sent or received.
pub enum Act<P: Pair> {
    Out(fn(&mut P::Out) -> Vec<u64>),
    In(fn(&mut P::In) -> Vec<u64>),
}

/// One operation at one end.
pub struct PairScene<P: Pair> {
    pub name: &'static str,
    /// Messages that have passed before.
    pub passed: u64,
    /// Messages 1 up to this one are in the channel.
    pub before: u64,
    /// The survivor makes room, or sends, when the victim is about to begin: what the victim's handle knows is old.
    pub stale: bool,
    /// The victim's heir sends before the survivor looks at what the victim left.
    pub hasty_heir: bool,
    pub act: Act<P>,
    pub stages: Rc<[Left]>,
}

/// Messages that are left if the operation has not happened, and if it has.
pub fn before_and_after(before: &[u64], after: &[u64], sends: bool) -> Vec<Left> {
    let open = (false, false);
    let nothing = Left { name: "nothing", messages: before.to_vec(), moved: open, closed: open };
    let name = if sends { "sent" } else { "received" };
    let done = Left { name, messages: after.to_vec(), moved: (sends, !sends), closed: open };
    if before == after { vec![nothing] } else { vec![nothing, done] }
}

/// What closing passes through.
pub fn closing(left: &[u64]) -> Vec<Left> {
    [("nothing", (false, false)), ("asked", (true, false)), ("closed", (true, true))]
        .map(|(name, closed)| Left { name, messages: left.to_vec(), moved: (false, false), closed })
        .into()
}

/// An operation with nothing special about it, behind messages that have passed.
pub fn scene<P: Pair>(name: &'static str, before: u64, after: &[u64], act: Act<P>) -> PairScene<P> {
    let there: Vec<_> = (1..=before).collect();
    let stages = before_and_after(&there, after, matches!(act, Act::Out(_))).into();
    PairScene { name, passed: 3, before, stale: false, hasty_heir: false, act, stages }
}

/// The stages of an end that sleeps until the other has done something.
pub fn asleep(before: &[u64], between: &[u64], after: &[u64], sends: bool) -> Rc<[Left]> {
    let stage = |name, left: &[u64], moved| Left {
        name,
        messages: left.to_vec(),
        moved,
        closed: (false, false),
    };
    Rc::new([
        stage("asleep", before, (false, false)),
        stage("woken", between, (!sends, sends)),
        stage("done", after, (true, true)),
    ])
}

impl<P: Pair> Scene for PairScene<P> {
    fn name(&self) -> String {
        format!("{}/{}", P::NAME, self.name)
    }

    fn begin(&self) -> Result<Box<dyn Survivor>> {
        let place = Place::new()?;
        let (mut out, mut input) = P::create(&place)?;
        for number in (0..self.passed).map(|number| 9000 + number) {
            P::try_send(&mut out, number)?;
            P::try_recv(&mut input)??;
        }
        let room = fill::<P>(&mut out, 8000)?;
        ensure!(drain::<P>(&mut input)?.0.len() as u64 == room, "what was sent is received");
        let sent: Vec<_> = (1..=self.before).collect();
        sent.iter().try_for_each(|number| P::try_send(&mut out, *number))?;
        let view = place.view()?;
        let began = (view.tail(0)?, view.head(0)?);
        let (side, out, input) = match self.act {
            Act::Out(_) => (Side::Sends, None, Some(input)),
            Act::In(_) => (Side::Receives, Some(out), None),
        };
        let stages = Rc::clone(&self.stages);
        let crew = Crew::<P> {
            place,
            view,
            out,
            input,
            side,
            began,
            room,
            stages,
            stale: self.stale,
            hasty_heir: self.hasty_heir,
            sent,
            got: Vec::new(),
        };
        Ok(Box::new(crew))
    }

    fn act(&self, place: &Place) {
        let said = match self.act {
            Act::Out(act) => {
                let mut out = P::open_out(place).expect("the end is free");
                warm_up();
                let said = act(&mut out);
                std::mem::forget(out);
                said
            }
            Act::In(act) => {
                let mut input = P::open_in(place).expect("the end is free");
                warm_up();
                let said = act(&mut input);
                std::mem::forget(input);
                said
            }
        };
        place.say(&said);
    }

    fn reap(&self, place: &Place) {
        // Whoever opens finds the end it wants owned by the dead, and cleans up after it.
        match self.act {
            Act::Out(_) => marked(|| P::open_out(place).map(std::mem::forget)),
            Act::In(_) => marked(|| P::open_in(place).map(std::mem::forget)),
        }
        .expect("the end's owner is dead");
    }

    fn stages(&self) -> Vec<&'static str> {
        self.stages.iter().map(|stage| stage.name).collect()
    }
}
