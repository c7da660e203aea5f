//! Scenes in a queue: one victim that sends or receives, and one member that survives.
//!
//! The victim is the only one of its side, so its death also leaves that side deserted, which the survivor must learn.

use anyhow::{Result, bail, ensure};
use ringway::queue::{DeliveryPolicy, Queue, Receiver, Sender};
use ringway::{Recovered, TryRecvError, TrySendError};

use super::load::{self, Load};
use super::place::{Place, View, bury};
use super::scene::{Scene, Survivor};
use super::victim::{marked, warm_up};

/// Messages that have passed before: an operation of more than one slot crosses the end of the memory.
const PASSED: u64 = 3;

/// Who does the operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Sends,
    Receives,
}

/// What is left when the victim dies at some point of its operation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stage {
    pub name: &'static str,
    /// Messages that are still received, in order: which, and the how-manieth delivery each is.
    pub left: Vec<(u64, u32)>,
    /// How far tail and head have moved.
    pub moved: (u64, u64),
    /// What the survivor then takes back: aborted, redelivered, dropped.
    pub counts: (u64, u64, u64),
    /// Whether the flag of closers is set, and whether the tail is closed.
    pub closed: (bool, bool),
}

/// Everything that survivors set a scene up with.
#[derive(Debug)]
pub struct Hands<M: Load + ?Sized> {
    pub sender: Sender<M>,
    pub receiver: Receiver<M>,
}

impl<M: Load + ?Sized> Hands<M> {
    /// Sends message `number`.
    pub fn put(&self, number: u64) {
        M::send(&self.sender, &M::make(number)).expect("there is room");
    }
}

/// One operation on a queue.
pub struct QueueScene<M: Load + ?Sized> {
    pub name: &'static str,
    pub policy: DeliveryPolicy,
    pub side: Side,
    /// Puts the messages there that the victim finds.
    pub setup: fn(&Hands<M>),
    /// How many messages, and up to what number, the setup has sent.
    pub before: u64,
    /// The victim's part: says which messages it has sent or received.
    pub act: fn(&Queue<M>) -> Vec<u64>,
    pub stages: Vec<Stage>,
}

impl<M: Load + ?Sized> Scene for QueueScene<M> {
    fn name(&self) -> String {
        format!("{}/{}", M::NAME, self.name)
    }

    fn begin(&self) -> Result<Box<dyn Survivor>> {
        let place = Place::new()?;
        let queue = M::create(&M::options(self.policy), place.name())?;
        let hands = Hands { sender: queue.sender(), receiver: queue.receiver() };
        for number in 0..PASSED {
            hands.put(number);
            M::recv(&hands.receiver)?;
        }
        let view = place.view()?;
        (self.setup)(&hands);
        let began = (cursor(view.tail(0)?), cursor(view.head(0)?));
        let Hands { sender, receiver } = hands;
        let (sender, receiver) = match self.side {
            Side::Sends => (None, Some(receiver)),
            Side::Receives => (Some(sender), None),
        };
        let stages = self.stages.clone();
        let sent = (1..=self.before).collect();
        let books = Books { sent, got: Vec::new() };
        let side = self.side;
        Ok(Box::new(Crew { place, view, queue, sender, receiver, side, began, stages, books }))
    }

    fn act(&self, place: &Place) {
        let queue =
            M::open(&M::options(self.policy), place.name()).expect("the survivor has made it");
        warm_up();
        place.say(&(self.act)(&queue));
    }

    fn reap(&self, place: &Place) {
        let queue =
            M::open(&M::options(self.policy), place.name()).expect("the survivor has made it");
        marked(|| queue.recover()).expect("this process sees who lives");
    }

    fn stages(&self) -> Vec<&'static str> {
        self.stages.iter().map(|stage| stage.name).collect()
    }
}

/// Which messages were sent and received by others than the victim.
#[derive(Debug)]
struct Books {
    sent: Vec<u64>,
    got: Vec<u64>,
}

/// The survivor.
struct Crew<M: Load + ?Sized> {
    place: Place,
    view: View,
    queue: Queue<M>,
    sender: Option<Sender<M>>,
    receiver: Option<Receiver<M>>,
    side: Side,
    began: (u64, u64),
    stages: Vec<Stage>,
    books: Books,
}

/// The position of a cursor's word.
fn cursor(word: u64) -> u64 {
    word >> 12
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

    /// Receives all there is: which, the how-manieth delivery each is, and why no more.
    fn drain(&self, receiver: &Receiver<M>) -> Result<(Vec<(u64, u32)>, TryRecvError)> {
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
    fn fill(&self, sender: &Sender<M>, first: u64) -> Result<u64> {
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
            let (left, end) = self.drain(receiver)?;
            ensure!(end == expected, "the last sender died, and its receiver is told {end}");
            self.sender = Some(self.queue.sender());
            return Ok(left);
        }
        let sender = self.sender.as_ref().expect("the survivor sends");
        let told = M::try_send(sender, &M::make(900));
        let known = matches!(told, Err(TrySendError::Disconnected(()) | TrySendError::Closed(())));
        ensure!(known, "the last receiver died, and its sender is told {told:?}");
        let receiver = self.queue.receiver();
        let (left, end) = self.drain(&receiver)?;
        let expected = if closed { TryRecvError::Closed } else { TryRecvError::Empty };
        ensure!(end == expected, "after everything was received: {end}");
        self.receiver = Some(receiver);
        Ok(left)
    }

    /// All slots can be used again, all of them in order, and nothing is left of the dead.
    fn check_whole(&self) -> Result<()> {
        let sender = self.sender.as_ref().expect("there by now");
        let receiver = self.receiver.as_ref().expect("there by now");
        if self.queue.is_closed() {
            let told = M::try_send(sender, &M::make(901));
            ensure!(told == Err(TrySendError::Closed(())), "closed, and a sender is told {told:?}");
        } else {
            let room = self.fill(sender, 500)?;
            ensure!(room == CAPACITY, "room for {room} of {CAPACITY}");
            let (found, _) = self.drain(receiver)?;
            let all: Vec<_> = (500..500 + CAPACITY).map(|number| (number, 1)).collect();
            ensure!(found == all, "sent {all:?}, received {found:?}");
        }
        let waiters = self.view.waiters()?;
        ensure!(waiters.iter().all(|word| *word == 0), "waiters are left: {waiters:x?}");
        let slots = self.view.slots()?;
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
        let Recovered { members, aborted, redelivered, dropped, .. } = self.bury()?;
        let told = self.queue.statistics().recoveries;
        ensure!(reaped || (members == 1 && told == 1), "{members} dead, {told} told of, not one");
        let (tail, head) = (self.view.tail(0)?, self.view.head(0)?);
        let moved = (cursor(tail) - self.began.0, cursor(head) - self.began.1);
        let closed = (self.view.closed(0)? != 0, tail & CLOSED != 0);
        let left = self.leftovers()?;
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
            let sent = self.fill(&sender, 200)?;
            ensure!(sent >= room, "the victim has {held} slots, and there was room for {sent}");
            self.books.sent.extend(200..200 + sent);
        }
        let (got, end) = self.drain(&receiver)?;
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
        let (left, _) = self.drain(receiver)?;
        self.books.got.extend(left.iter().map(|(number, _)| *number));
        let Books { mut sent, mut got } =
            std::mem::replace(&mut self.books, Books { sent: Vec::new(), got: Vec::new() });
        if self.side == Side::Sends {
            sent.extend(said)
        } else {
            got.extend(said)
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
