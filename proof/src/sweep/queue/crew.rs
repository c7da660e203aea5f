//! Who survives in a queue, and everything that is checked then.

use anyhow::{Result, bail, ensure};
use ringway::queue::{Queue, Receiver, Sender};
use ringway::{Options, Recovered, TryRecvError, TrySendError};

use super::super::load::{self, Load, Special};
use super::super::place::{Place, View, bury, eventually};
use super::super::scene::Survivor;
use super::{Side, Stage, cursor};

/// Which messages were sent and received by others than the victim.
#[derive(Debug)]
pub struct Books {
    pub sent: Vec<u64>,
    pub got: Vec<u64>,
}

/// The survivor.
pub struct Crew<M: Load + ?Sized> {
    pub place: Place,
    pub view: View,
    pub queue: Queue<M>,
    pub sender: Option<Sender<M>>,
    pub receiver: Option<Receiver<M>>,
    pub side: Side,
    pub began: (u64, u64),
    pub stages: Vec<Stage>,
    pub books: Books,
    pub special: Special,
    pub options: Options<Queue<M>>,
}

const CAPACITY: u64 = load::CAPACITY as u64;
/// In a tail: closed.
const CLOSED: u64 = 1 << 11;
/// Of a slot's word.
const STATE: u64 = 0b111;

impl<M: Load + ?Sized> Crew<M> {
    fn bury(&self) -> Result<Recovered> {
        bury(1, || self.queue.members(), || self.queue.recover())
    }

    /// Takes the number of the victim, and with it all that it left.
    fn succeed(&self) -> Result<()> {
        let mut heir = None;
        eventually("the number of the dead is taken", || {
            heir = M::open(&self.options, self.place.name()).ok();
            Ok(heir.is_some())
        })
    }

    /// Message 1 is among the dead letters, once or, after a death, twice; and nothing else is left there.
    fn check_dead_letters(&self) -> Result<()> {
        let Some(receiver) = self.queue.dead_letters() else { return Ok(()) };
        let (found, _) = Self::drain(&receiver)?;
        // A block is bound to one message: so that is in one place.
        let most = if self.special == Special::LongDeadLetters { 1 } else { 2 };
        let known =
            (1..=most).contains(&found.len()) && found.iter().all(|(number, _)| *number == 1);
        ensure!(known, "dead letters are {found:?}");
        let slots = self.view.slots(1)?;
        ensure!(slots.iter().all(|word| word & STATE == 0), "slots are taken: {slots:x?}");
        Ok(())
    }

    /// Receives all there is: which, the how-manieth delivery each is, and why no more.
    fn drain(receiver: &Receiver<M>) -> Result<(Vec<(u64, u32)>, TryRecvError)> {
        let mut found = Vec::new();
        loop {
            match M::guard(receiver) {
                Ok(held) => {
                    found.push((M::number_held(&held)?, held.deliveries()));
                    ensure!(held.redelivered() == (held.deliveries() > 1), "the flag is the count");
                    held.ack();
                }
                Err(why) => return Ok((found, why)),
            }
            ensure!(found.len() < 100, "more messages than ever were: {found:?}");
        }
    }

    /// Sends numbers from `first` on until there is no room; says how many.
    fn fill(sender: &Sender<M>, first: u64) -> Result<u64> {
        for number in first.. {
            match M::try_send(sender, &M::make(number)) {
                Ok(()) => ensure!(number - first < 100, "more room than ever was"),
                Err(TrySendError::Full(())) => return Ok(number - first),
                Err(why) => bail!("no room, but: {why}"),
            }
        }
        Ok(0)
    }

    /// What the dead victim's side is told, the handles of both sides from then on, and the messages left.
    fn leftovers(&mut self) -> Result<Vec<(u64, u32)>> {
        let closed = self.view.closed(0)? != 0;
        let expected = if closed { TryRecvError::Closed } else { TryRecvError::Disconnected };
        if self.side == Side::Sends {
            let receiver = self.receiver.as_ref().expect("the survivor receives");
            let (left, end) = Self::drain(receiver)?;
            ensure!(end == expected, "the last sender died, and its receiver is told {end}");
            self.sender = Some(self.queue.sender());
            return Ok(left);
        }
        let sender = self.sender.as_ref().expect("the survivor sends");
        let told = M::try_send(sender, &M::make(900));
        let known = matches!(told, Err(TrySendError::Disconnected(()) | TrySendError::Closed(())));
        ensure!(known, "the last receiver died, and its sender is told {told:?}");
        let receiver = self.queue.receiver();
        let (left, end) = Self::drain(&receiver)?;
        let expected = if closed { TryRecvError::Closed } else { TryRecvError::Empty };
        ensure!(end == expected, "after everything was received: {end}");
        self.receiver = Some(receiver);
        Ok(left)
    }

    /// All slots can be used again, all of them in order, and nothing is left of the dead.
    fn check_whole(&self) -> Result<()> {
        let sender = self.sender.as_ref().expect("there by now");
        let receiver = self.receiver.as_ref().expect("there by now");
        if self.view.closed(0)? != 0 {
            // Whoever received all has finished what the victim began.
            let told = M::try_send(sender, &M::make(901));
            ensure!(told == Err(TrySendError::Closed(())), "closed, and a sender is told {told:?}");
        } else {
            let room = Self::fill(sender, 500)?;
            ensure!(room == CAPACITY, "room for {room} of {CAPACITY}");
            let (found, _) = Self::drain(receiver)?;
            let all: Vec<_> = (500..500 + CAPACITY).map(|number| (number, 1)).collect();
            ensure!(found == all, "sent {all:?}, received {found:?}");
        }
        M::check_blocks(&self.queue)?;
        let waiters = self.view.waiters()?;
        ensure!(waiters.iter().all(|word| *word == 0), "waiters are left: {waiters:x?}");
        let slots = self.view.slots(0)?;
        ensure!(slots.iter().all(|word| word & STATE == 0), "slots are taken: {slots:x?}");
        Ok(())
    }
}

impl<M: Load + ?Sized> Survivor for Crew<M> {
    fn place(&self) -> &Place {
        &self.place
    }

    fn nudge(&mut self) -> Result<()> {
        match (&self.sender, &self.receiver) {
            (Some(sender), None) => M::send(sender, &M::make(100))?,
            (None, Some(receiver)) => drop(M::recv(receiver)?),
            _ => unreachable!("the survivor has one side"),
        }
        Ok(())
    }

    fn settle(&mut self, reaped: bool) -> Result<Vec<usize>> {
        if self.special == Special::Heir && !reaped {
            self.succeed()?;
        }
        let reaped = reaped || !matches!(self.special, Special::Plain | Special::Long);
        let Recovered { members, aborted, redelivered, dropped, .. } = self.bury()?;
        let told = self.queue.statistics().recoveries;
        ensure!(reaped || (members == 1 && told == 1), "{members} dead, {told} told of, not one");
        let (tail, head) = (self.view.tail(0)?, self.view.head(0)?);
        let moved = (cursor(tail) - self.began.0, cursor(head) - self.began.1);
        let closed = (self.view.closed(0)? != 0, tail & CLOSED != 0);
        let left = self.leftovers()?;
        self.check_dead_letters()?;
        self.check_whole()?;
        let counts = (aborted, redelivered, dropped);
        let found = Stage { name: "", left, moved, counts, closed };
        let like = |stage: &Stage| {
            let counts = if reaped { found.counts } else { stage.counts };
            Stage { name: "", counts, ..stage.clone() } == found
        };
        let stages: Vec<_> = (0..self.stages.len()).filter(|n| like(&self.stages[*n])).collect();
        ensure!(!stages.is_empty(), "what is left is of no stage: {found:?}");
        Ok(stages)
    }

    fn meanwhile(&mut self, victim: u32) -> Result<()> {
        let recovered = self.queue.recover()?;
        ensure!(recovered == Recovered::default(), "took from the living: {recovered:?}");
        let known = self.queue.members()?;
        let victim = known.iter().find(|member| member.pid() == victim);
        let Some(victim) = victim else { bail!("the victim is not among {known:?}") };
        let held = self.reach();
        let closed = self.queue.is_closed();
        let sender = self.sender.get_or_insert_with(|| self.queue.sender()).clone();
        let receiver = self.receiver.get_or_insert_with(|| self.queue.receiver()).clone();
        let room = CAPACITY.saturating_sub(self.began.0 - self.began.1 + held);
        if !closed {
            let sent = Self::fill(&sender, 200)?;
            ensure!(sent >= room, "the victim has {held} slots, and there was room for {sent}");
            self.books.sent.extend(200..200 + sent);
        }
        let (got, end) = Self::drain(&receiver)?;
        self.books.got.extend(got.iter().map(|(number, _)| *number));
        match (self.side, end) {
            (Side::Sends, TryRecvError::Busy(member)) => {
                ensure!(member == victim.id(), "busy is {member}, not the victim");
            }
            (_, TryRecvError::Empty | TryRecvError::Closed) => {
                let missing =
                    self.books.sent.len() - self.books.got.len().min(self.books.sent.len());
                let most = if self.side == Side::Sends { 0 } else { held };
                ensure!(missing as u64 <= most, "{missing} messages were out of reach");
            }
            (_, end) => bail!("after what there was to receive: {end}"),
        }
        // Whoever received all leaves something for the victim; if it holds the slot that comes next, it has something.
        if self.side == Side::Receives && M::try_send(&sender, &M::make(300)).is_ok() {
            self.books.sent.push(300);
        }
        Ok(())
    }

    fn account(&mut self, killed: bool) -> Result<()> {
        let said = if killed { Vec::new() } else { self.place.hear()? };
        self.bury()?;
        let receiver = self.receiver.as_ref().expect("there since the victim was stopped");
        let (left, _) = Self::drain(receiver)?;
        self.books.got.extend(left.iter().map(|(number, _)| *number));
        let Books { mut sent, mut got } =
            std::mem::replace(&mut self.books, Books { sent: Vec::new(), got: Vec::new() });
        if self.side == Side::Sends {
            sent.extend(said);
        } else {
            got.extend(said);
        }
        sent.sort_unstable();
        got.sort_unstable();
        if killed {
            ensure!(got.windows(2).all(|two| two[0] != two[1]), "received twice: {got:?}");
            let missing = sent.iter().filter(|number| !got.contains(number)).count() as u64;
            let foreign = got.iter().filter(|number| !sent.contains(number)).count() as u64;
            let (sends, most) = (self.side == Side::Sends, self.reach());
            ensure!(missing <= if sends { 0 } else { most }, "{missing} lost");
            ensure!(foreign <= if sends { most } else { 0 }, "{foreign} of nobody");
        } else {
            ensure!(sent == got, "sent {sent:?}, received {got:?}");
        }
        self.check_whole()
    }
}

impl<M: Load + ?Sized> Crew<M> {
    /// How many slots the victim claims at most.
    fn reach(&self) -> u64 {
        let moved = |stage: &Stage| match self.side {
            Side::Sends => stage.moved.0,
            Side::Receives => stage.moved.1.max(u64::from(stage.counts.1 > 0)),
        };
        self.stages.iter().map(moved).max().unwrap_or(0)
    }
}
