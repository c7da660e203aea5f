//! A victim that dies while another process sleeps, waiting for what it does: the sleeper is told at once, although it
//! would not look by itself for a minute.

use anyhow::{Result, ensure};
use ringway::queue::{DeliveryPolicy, Queue};
use ringway::{RecvError, Selector, SendError, Wait};

use super::load::{Load, Special, Value, number_of, value};
use super::place::{Place, View, bury, eventually};
use super::scene::{Scene, Survivor};
use super::victim::{Companion, marked, warm_up};

/// One operation that somebody sleeps for.
struct SleepScene {
    name: &'static str,
    sleeper: Sleeper,
    act: fn(&Queue<Value>),
    stages: &'static [&'static str],
}

/// What the sleeper does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sleeper {
    /// It receives, and there is nothing.
    Receives,
    /// The same by a selector.
    Selects,
    /// It sends, and the queue is full.
    Sends,
}

/// Who cleans up, and who sleeps.
struct Bystanders {
    place: Place,
    view: View,
    queue: Queue<Value>,
    sleeper: Companion,
    full: bool,
}

/// All of them.
pub fn all() -> Vec<Box<dyn Scene>> {
    const SENT: &[&str] = &["nothing", "sent"];
    let put = |queue: &Queue<Value>| {
        let sender = queue.sender();
        marked(|| sender.send(value(100))).expect("there is room");
    };
    let commit = |queue: &Queue<Value>| {
        let mut grant = queue.sender().reserve().expect("there is room");
        *grant = value(100);
        marked(|| grant.commit()).expect("not forked");
    };
    let abort = |queue: &Queue<Value>| {
        let grant = queue.sender().reserve().expect("there is room");
        marked(|| drop(grant));
    };
    let close = |queue: &Queue<Value>| {
        let sender = queue.sender();
        marked(|| sender.close());
    };
    let leave = |queue: &Queue<Value>| {
        let sender = queue.sender();
        marked(|| drop(sender));
    };
    let recv = |queue: &Queue<Value>| {
        let receiver = queue.receiver();
        marked(|| receiver.recv()).expect("there is a message");
    };
    let of = |sleeper, name, stages, act| SleepScene { name, sleeper, act, stages };
    let scene = |name, stages, act| of(Sleeper::Receives, name, stages, act);
    let selects = |name, stages, act| of(Sleeper::Selects, name, stages, act);
    let scenes = vec![
        scene("send to a sleeper", SENT, put),
        scene("commit to a sleeper", SENT, commit),
        scene("abort before a sleeper", &["nothing"], abort),
        scene("close before a sleeper", &["nothing"], close),
        scene("leave a sleeper", &["nothing"], leave),
        selects("send to a sleeper that selects", SENT, put),
        selects("abort before a sleeper that selects", &["nothing"], abort),
        selects("close before a sleeper that selects", &["nothing"], close),
        selects("leave a sleeper that selects", &["nothing"], leave),
        of(Sleeper::Sends, "recv before a sleeper", &["full", "received"], recv),
    ];
    scenes.into_iter().map(|scene| -> Box<dyn Scene> { Box::new(scene) }).collect()
}

fn open(place: &Place) -> Queue<Value> {
    let options = Value::options(DeliveryPolicy::AtLeastOnce, Special::Plain);
    options.open(place.name()).expect("the survivor has made it")
}

/// What a sleeper that receives is told in the end.
const CLOSED: u64 = 1001;
const DISCONNECTED: u64 = 1002;

/// The sleeper's part: says what it has received, and why no more, or what it has sent.
fn sleep(place: &Place, sleeper: Sleeper) {
    let queue = open(place);
    let mut said = Vec::new();
    if sleeper == Sleeper::Sends {
        match queue.sender().send(value(100)) {
            Ok(()) => said.push(100),
            Err(SendError::Disconnected(_)) => {}
            Err(why) => panic!("a sender that slept is told {why}"),
        }
    } else {
        let receiver = queue.receiver();
        let mut selector = Selector::waiting(Wait::Park);
        let end = loop {
            if sleeper == Sleeper::Selects {
                selector.wait(&[&receiver]).expect("one is not too many");
            }
            match receiver.recv() {
                Ok(found) => said.push(number_of(found).expect("it is whole")),
                Err(RecvError::Closed) => break CLOSED,
                Err(RecvError::Disconnected) => break DISCONNECTED,
                Err(why) => panic!("a receiver that slept is told {why}"),
            }
        };
        said.push(end);
    }
    place.say(&said);
}

impl Scene for SleepScene {
    fn name(&self) -> String {
        format!("queue/{}", self.name)
    }

    fn begin(&self) -> Result<Box<dyn Survivor>> {
        let place = Place::new()?;
        let queue =
            Value::options(DeliveryPolicy::AtLeastOnce, Special::Plain).create(place.name())?;
        if self.sleeper == Sleeper::Sends {
            let sender = queue.sender();
            (1..=4).try_for_each(|number| sender.try_send(value(number)))?;
        }
        let view = place.view()?;
        let sleeper = Companion::start(|| sleep(&place, self.sleeper))?;
        eventually("somebody sleeps", || {
            let waits = view.waiters()?.iter().any(|word| *word != 0);
            Ok(waits && sleeper.is_asleep())
        })?;
        Ok(Box::new(Bystanders {
            place,
            view,
            queue,
            sleeper,
            full: self.sleeper == Sleeper::Sends,
        }))
    }

    fn act(&self, place: &Place) {
        let queue = open(place);
        warm_up();
        (self.act)(&queue);
    }

    fn reap(&self, place: &Place) {
        let queue = open(place);
        marked(|| queue.recover()).expect("this process sees who lives");
    }

    fn has_company(&self) -> bool {
        true
    }

    fn stages(&self) -> Vec<&'static str> {
        self.stages.to_vec()
    }
}

impl Survivor for Bystanders {
    fn place(&self) -> &Place {
        &self.place
    }

    fn settle(&mut self, _: bool) -> Result<Vec<usize>> {
        eventually("the dead are cleaned up after, and the sleeper is told", || {
            self.queue.recover()?;
            self.sleeper.has_ended()
        })?;
        bury(1, || self.queue.members(), || self.queue.recover())?;
        let mut said = self.place.hear()?;
        let receiver = self.queue.receiver();
        let left: Vec<_> = receiver.try_iter().map(number_of).collect::<Result<_>>()?;
        let waiters = self.view.waiters()?;
        ensure!(waiters.iter().all(|word| *word == 0), "waiters are left: {waiters:x?}");
        if self.full {
            let is_taken = left.first() != Some(&1);
            let rest: Vec<_> = (1 + u64::from(is_taken)..=4).chain(said.iter().copied()).collect();
            ensure!(left == rest, "the sleeper sent {said:?}, and there was {left:?}");
            return Ok(vec![usize::from(is_taken)]);
        }
        let end = said.pop();
        let closed = self.queue.is_closed();
        let told = end == Some(DISCONNECTED) || closed && end == Some(CLOSED);
        ensure!(told && left.is_empty(), "the sleeper was told {end:?}, and there is {left:?}");
        ensure!(said.is_empty() || said == [100], "the sleeper received {said:?}");
        Ok(vec![said.len()])
    }

    fn meanwhile(&mut self, _: u32) -> Result<()> {
        unreachable!("only killed")
    }

    fn account(&mut self, _: bool) -> Result<()> {
        unreachable!("only killed")
    }
}
