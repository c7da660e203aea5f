//! Scenes in a queue: one victim that sends or receives, and one member that survives.
//!
//! The victim is the only one of its side, so its death also leaves that side deserted, which the survivor must learn.

mod crew;
mod receiving;
mod scenes;
mod sending;

use anyhow::Result;
use ringway::Options;
use ringway::queue::{DeliveryPolicy, Queue, Receiver, Sender};

use super::load::{Load, Special};
use super::place::Place;
use super::scene::{Scene, Survivor};
use super::victim::{marked, warm_up};

use crew::{Books, Crew};
pub use scenes::{all, sleeping, special};

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
    pub special: Special,
}

impl<M: Load + ?Sized> QueueScene<M> {
    fn options(&self) -> Options<Queue<M>> {
        M::options(self.policy, self.special)
    }
}

impl<M: Load + ?Sized> Scene for QueueScene<M> {
    fn name(&self) -> String {
        format!("{}/{}", M::NAME, self.name)
    }

    fn begin(&self) -> Result<Box<dyn Survivor>> {
        let place = Place::new()?;
        let queue = M::create(&self.options(), place.name())?;
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
        let (side, special, options) = (self.side, self.special, self.options());
        Ok(Box::new(Crew {
            place,
            view,
            queue,
            sender,
            receiver,
            side,
            began,
            stages,
            books,
            special,
            options,
        }))
    }

    fn act(&self, place: &Place) {
        let queue = M::open(&self.options(), place.name()).expect("the survivor has made it");
        warm_up();
        place.say(&(self.act)(&queue));
    }

    fn reap(&self, place: &Place) {
        let open = || M::open(&self.options(), place.name());
        if self.special == Special::Heir {
            drop(marked(open).expect("the victim has died"));
        } else {
            let queue = open().expect("the survivor has made it");
            marked(|| queue.recover()).expect("this process sees who lives");
        }
    }

    fn stages(&self) -> Vec<&'static str> {
        self.stages.iter().map(|stage| stage.name).collect()
    }
}

/// The position of a cursor's word.
fn cursor(word: u64) -> u64 {
    word >> 12
}
