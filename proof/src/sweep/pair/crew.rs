//! Who survives in a channel with two ends, and what it checks.

use std::rc::Rc;

use anyhow::{Result, bail, ensure};
use ringway::{Recovered, TryRecvError, TrySendError};

use super::super::place::{Place, View, bury};
use super::super::queue::Side;
use super::super::scene::Survivor;
use super::{End, Left, Pair};

/// In the first waiter word of a ring: somebody has asked to close.
const CLOSING: u64 = 1 << 63;

/// What a hasty heir sends.
const HEIRS: [u64; 2] = [700, 701];

/// The survivor.
pub struct Crew<P: Pair> {
    pub place: Place,
    pub view: View,
    pub out: Option<P::Out>,
    pub input: Option<P::In>,
    pub side: Side,
    pub began: (u64, u64),
    /// How many messages fit when the channel is empty.
    pub room: u64,
    pub stages: Rc<[Left]>,
    pub stale: bool,
    pub hasty_heir: bool,
    pub sent: Vec<u64>,
    pub got: Vec<u64>,
}

/// Receives all there is, and says why no more.
pub fn drain<P: Pair>(input: &mut P::In) -> Result<(Vec<u64>, TryRecvError)> {
    let mut found = Vec::new();
    loop {
        match P::try_recv(input) {
            Ok(number) => found.push(number?),
            Err(why) => return Ok((found, why)),
        }
        ensure!(found.len() < 100, "more messages than ever were: {found:?}");
    }
}

/// Sends numbers from `first` on until there is no room; says how many.
pub fn fill<P: Pair>(out: &mut P::Out, first: u64) -> Result<u64> {
    for number in first..first + 100 {
        match P::try_send(out, number) {
            Ok(()) => {}
            Err(TrySendError::Full(())) => return Ok(number - first),
            Err(why) => bail!("no room, but: {why}"),
        }
    }
    bail!("more room than ever was")
}

impl<P: Pair> Crew<P> {
    fn end(&self) -> End<'_, P> {
        match (&self.out, &self.input) {
            (Some(out), _) => End::Out(out),
            (None, Some(input)) => End::In(input),
            (None, None) => unreachable!("the survivor has an end"),
        }
    }

    fn bury(&self) -> Result<Recovered> {
        bury(1, || P::members(self.end()), || P::recover(self.end()))
    }

    fn closed(&self) -> Result<(bool, bool)> {
        let asked = self.view.waiters()?[0] & CLOSING != 0;
        Ok((asked, self.view.closed(0)? != 0))
    }

    /// What the survivor is told, a successor at the victim's end, and the messages left.
    fn succeed(&mut self) -> Result<Vec<u64>> {
        let (asked, _) = self.closed()?;
        match (&mut self.out, &mut self.input) {
            (None, Some(input)) if self.hasty_heir => {
                let mut heir = P::open_out(&self.place)?;
                HEIRS.iter().try_for_each(|number| P::try_send(&mut heir, *number))?;
                self.out = Some(heir);
                let (mut left, end) = drain::<P>(input)?;
                ensure!(
                    end == TryRecvError::Empty,
                    "its heir sends, and told {end} after {left:?}"
                );
                ensure!(left.ends_with(&HEIRS), "of its heir's {HEIRS:?} came {left:?}");
                left.truncate(left.len() - HEIRS.len());
                Ok(left)
            }
            (None, Some(input)) => {
                let (left, end) = drain::<P>(input)?;
                let told = end == TryRecvError::Disconnected;
                ensure!(told || asked && end == TryRecvError::Closed, "no sender, and told {end}");
                self.out = Some(P::open_out(&self.place)?);
                Ok(left)
            }
            (Some(out), None) => {
                let told = P::try_send(out, 900);
                let known =
                    matches!(told, Err(TrySendError::Disconnected(()) | TrySendError::Closed(())));
                ensure!(known, "no receiver, and told {told:?}");
                let mut input = P::open_in(&self.place)?;
                let flagged = P::is_redelivered(&input);
                let (left, end) = drain::<P>(&mut input)?;
                ensure!(
                    flagged || left.is_empty(),
                    "its consumer died, and it has no flag: {left:?}"
                );
                ensure!(!P::is_redelivered(&input), "what comes now was seen by nobody");
                let told = end == TryRecvError::Empty;
                ensure!(told || asked && end == TryRecvError::Closed, "drained, and told {end}");
                self.input = Some(input);
                Ok(left)
            }
            _ => unreachable!("the survivor has one end"),
        }
    }

    /// The whole ring can be used again, in order, and nothing is left of the dead.
    fn check_whole(&mut self) -> Result<()> {
        let (Some(out), Some(input)) = (&mut self.out, &mut self.input) else {
            unreachable!("both ends are there by now")
        };
        if self.view.waiters()?[0] & CLOSING != 0 {
            let told = P::try_send(out, 901);
            ensure!(told == Err(TrySendError::Closed(())), "closed, and a sender is told {told:?}");
            let (left, end) = drain::<P>(input)?;
            ensure!(left.is_empty() && end == TryRecvError::Closed, "closed: {left:?}, {end}");
        } else {
            for first in [500, 600] {
                let room = fill::<P>(out, first)?;
                ensure!(room >= self.room.min(3), "room for {room}");
                let (found, _) = drain::<P>(input)?;
                let all: Vec<_> = (first..first + room).collect();
                ensure!(found == all, "sent {all:?}, received {found:?}");
            }
            let all = self.view.tail(0)? - self.view.head(0)?;
            ensure!(all == 0, "{all} slots are still taken");
        }
        let waiters = self.view.waiters()?;
        ensure!(waiters.iter().all(|word| word & !CLOSING == 0), "waiters are left: {waiters:x?}");
        Ok(())
    }
}

impl<P: Pair> Survivor for Crew<P> {
    fn place(&self) -> &Place {
        &self.place
    }

    fn ready(&mut self) -> Result<()> {
        if self.stale { self.nudge() } else { Ok(()) }
    }

    fn nudge(&mut self) -> Result<()> {
        match (&mut self.out, &mut self.input) {
            (Some(out), None) => {
                P::try_send(out, 100)?;
                self.sent.push(100);
            }
            (None, Some(input)) => self.got.push(P::try_recv(input)??),
            _ => unreachable!("the survivor has one end"),
        }
        Ok(())
    }

    fn settle(&mut self, reaped: bool) -> Result<Vec<usize>> {
        let dead = self.bury()?.members;
        ensure!(reaped || dead == 1, "{dead} dead, not one");
        let moved = (self.view.tail(0)? != self.began.0, self.view.head(0)? != self.began.1);
        let closed = self.closed()?;
        let left = self.succeed()?;
        self.check_whole()?;
        let found = Left { name: "", messages: left, moved, closed };
        let like = |stage: &Left| Left { name: "", ..stage.clone() } == found;
        let stages: Vec<_> = (0..self.stages.len()).filter(|n| like(&self.stages[*n])).collect();
        ensure!(!stages.is_empty(), "what is left is of no stage: {found:?}");
        Ok(stages)
    }

    fn meanwhile(&mut self, _victim: u32) -> Result<()> {
        let recovered = P::recover(self.end())?;
        ensure!(recovered == Recovered::default(), "took from the living: {recovered:?}");
        match (&mut self.out, &mut self.input) {
            (Some(out), None) => {
                if self.view.waiters()?[0] & CLOSING == 0 {
                    let sent = fill::<P>(out, 200)?;
                    self.sent.extend(200..200 + sent);
                }
            }
            (None, Some(input)) => {
                let (got, end) = drain::<P>(input)?;
                let waits = matches!(end, TryRecvError::Empty | TryRecvError::Closed);
                ensure!(waits, "the sender lives, and its receiver is told {end}");
                self.got.extend(got);
                let (got, sent) = (self.got.len(), self.sent.len());
                ensure!(got >= sent, "received {got} of {sent} that were there");
            }
            _ => unreachable!("the survivor has one end"),
        }
        Ok(())
    }

    fn account(&mut self, killed: bool) -> Result<()> {
        let said = if killed { Vec::new() } else { self.place.hear()? };
        self.bury()?;
        let left = self.succeed()?;
        let (mut sent, mut got) = (self.sent.clone(), self.got.clone());
        if self.side == Side::Sends {
            sent.extend(said);
        } else {
            got.extend(said);
        }
        got.extend(left);
        if killed {
            // Of what it was sending, or receiving, a part; and what it had sent or received before.
            let most = self.stages.iter().map(|stage| stage.messages.len());
            let span = most.clone().max().unwrap_or(0) - most.min().unwrap_or(0);
            let span = span + usize::from(self.stale);
            let (more, less) = if self.side == Side::Sends { (got, sent) } else { (sent, got) };
            ensure!(more.len() - less.len() <= span, "{more:?} against {less:?}");
            let kept = if self.side == Side::Sends {
                more.starts_with(&less)
            } else {
                more.ends_with(&less)
            };
            ensure!(kept, "{more:?} against {less:?}");
        } else {
            ensure!(sent == got, "sent {sent:?}, received {got:?}");
        }
        self.check_whole()
    }
}
