//! Creating, opening, leaving, unlinking: whoever dies in the middle leaves nothing, or something that the next caller
//! completes. No name that is left ever blocks a restart.

use anyhow::{Result, ensure};
use ringway::Options;
use ringway::queue::{DeliveryPolicy, Queue};

use super::load::{CAPACITY, Load, Special, Value};
use super::pair::Pair;
use super::pipe_scenes::Pipe;
use super::place::{Place, bury};
use super::scene::{Scene, Survivor};
use super::spsc_scenes::Spsc;
use super::victim::{marked, warm_up};

/// What is checked when the victim is dead; gives the stage.
pub type Check = Box<dyn FnMut() -> Result<usize>>;

/// One operation on a name or an attachment.
pub struct LifeScene {
    pub name: String,
    /// Sets up, and says what is checked in the end.
    pub begin: fn(&Place) -> Result<Check>,
    pub act: fn(&Place),
    pub stages: &'static [&'static str],
}

struct Keeper {
    place: Place,
    check: Check,
}

impl Scene for LifeScene {
    fn name(&self) -> String {
        self.name.clone()
    }
    fn begin(&self) -> Result<Box<dyn Survivor>> {
        let place = Place::new()?;
        // What a process finds out once, this one knows before its first victim does.
        drop(options().unnamed()?);
        let check = (self.begin)(&place)?;
        Ok(Box::new(Keeper { place, check }))
    }
    fn act(&self, place: &Place) {
        warm_up();
        (self.act)(place);
    }
    fn reap(&self, _: &Place) {
        unreachable!("only killed at events")
    }
    fn stages(&self) -> Vec<&'static str> {
        self.stages.to_vec()
    }
}

impl Survivor for Keeper {
    fn place(&self) -> &Place {
        &self.place
    }
    fn settle(&mut self, _: bool) -> Result<Vec<usize>> {
        Ok(vec![(self.check)()?])
    }
    fn meanwhile(&mut self, _: u32) -> Result<()> {
        unreachable!("only killed at events")
    }
    fn account(&mut self, _: bool) -> Result<()> {
        unreachable!("only killed at events")
    }
}

/// All of them.
pub fn all() -> Vec<Box<dyn Scene>> {
    let mut all = queues();
    all.extend(pairs::<Spsc>());
    all.extend(pairs::<Pipe>());
    all.into_iter().map(|scene| -> Box<dyn Scene> { Box::new(scene) }).collect()
}

fn options() -> Options<Queue<Value>> {
    Value::options(DeliveryPolicy::AtLeastOnce, Special::Plain)
}

/// Of a queue that keeps its name when nobody uses it.
fn lasting() -> Options<Queue<Value>> {
    Place::options(Queue::<Value>::options().capacity(CAPACITY).max_members(4))
}

/// The queue is whole and empty but for `left`, and this process is all alone in it.
fn check(queue: &Queue<Value>, left: &[u64]) -> Result<u64> {
    let dead = bury(1, || queue.members(), || queue.recover())?.members;
    let (sender, receiver) = (queue.sender(), queue.receiver());
    let drain =
        || receiver.try_iter().map(|value| Value::number(&value)).collect::<Result<Vec<_>>>();
    let found = drain()?;
    ensure!(found == left, "{left:?} should be left, and there is {found:?}");
    let sent: Vec<_> =
        (0..100).take_while(|number| sender.try_send(Value::make(*number)).is_ok()).collect();
    ensure!(sent.len() == CAPACITY, "room for {} of {CAPACITY}", sent.len());
    ensure!(drain()? == sent, "what was sent was not received");
    Ok(dead)
}

/// Somebody starts again with the name as it is left.
fn start_again(place: &Place) -> Result<usize> {
    let there = place.exists();
    let queue = options().open_or_create(place.name())?;
    check(&queue, &[])?;
    Ok(usize::from(there))
}

/// The same where the name is to stay; says which messages were there.
fn start_again_lasting(place: &Place) -> Result<Option<bool>> {
    let there = place.exists();
    let queue = lasting().open_or_create(place.name())?;
    let old = !queue.is_empty();
    check(&queue, if old { &[1] } else { &[] })?;
    lasting().unlink(place.name())?;
    Ok(there.then_some(old))
}

/// A queue with one message that nobody is attached to.
fn leave_old(place: &Place) -> Result<()> {
    let queue = lasting().create(place.name())?;
    queue.sender().try_send(Value::make(1))?;
    Ok(())
}

fn life(
    name: &str,
    stages: &'static [&'static str],
    begin: fn(&Place) -> Result<Check>,
    act: fn(&Place),
) -> LifeScene {
    LifeScene { name: format!("queue/{name}"), begin, act, stages }
}

/// Nothing is there before.
fn nothing(place: &Place) -> Check {
    let place = place.clone();
    Box::new(move || start_again(&place))
}

/// A queue with two messages is there, and somebody in it.
fn in_use(place: &Place) -> Result<Check> {
    let queue = options().create(place.name())?;
    let (sender, receiver) = (queue.sender(), queue.receiver());
    (1..=2).try_for_each(|number| sender.try_send(Value::make(number)))?;
    Ok(Box::new(move || {
        let _roles = (&sender, &receiver);
        Ok(usize::try_from(check(&queue, &[1, 2])?)?)
    }))
}

fn queues() -> Vec<LifeScene> {
    let create = |place: &Place| {
        std::mem::forget(marked(|| options().create(place.name())).expect("nothing is there"));
    };
    let create_lasting = |place: &Place| {
        std::mem::forget(marked(|| lasting().create(place.name())).expect("nothing is there"));
    };
    let open = |place: &Place| {
        std::mem::forget(marked(|| options().open(place.name())).expect("it is there"));
    };
    let roles = |place: &Place| {
        let queue = options().open(place.name()).expect("it is there");
        std::mem::forget((marked(|| (queue.sender(), queue.receiver())), queue));
    };
    let leave = |place: &Place| {
        let queue = options().open(place.name()).expect("it is there");
        let all = (queue.sender(), queue.receiver(), queue);
        marked(|| drop(all));
    };
    let leave_last = |place: &Place| {
        let queue = options().create(place.name()).expect("nothing is there");
        queue.sender().try_send(Value::make(1)).expect("there is room");
        let all = (queue.sender(), queue.receiver(), queue);
        marked(|| drop(all));
    };
    let unlink = |place: &Place| marked(|| lasting().unlink(place.name())).expect("it is there");
    let replace = |place: &Place| {
        std::mem::forget(marked(|| lasting().replace(place.name())).expect("it is there"));
    };
    vec![
        life("create", &["nothing", "there"], |place| Ok(nothing(place)), create),
        life(
            "create to stay",
            &["nothing", "there"],
            |place| Ok(nothing_lasting(place)),
            create_lasting,
        ),
        life("open", &["nothing", "attached"], in_use, open),
        life("sender, receiver", &["attached"], |place| Ok(attached(in_use(place)?)), roles),
        life("leave", &["attached", "left"], |place| Ok(reversed(in_use(place)?)), leave),
        life(
            "leave as the last",
            &["there", "gone"],
            |place| Ok(reversed(nothing(place))),
            leave_last,
        ),
        life("unlink", &["there", "gone"], old_or_gone, unlink),
        life("replace", &["old", "gone", "new"], old_or_new, replace),
    ]
}

fn nothing_lasting(place: &Place) -> Check {
    let place = place.clone();
    Box::new(move || Ok(usize::from(start_again_lasting(&place)?.is_some())))
}

fn old_or_gone(place: &Place) -> Result<Check> {
    leave_old(place)?;
    let place = place.clone();
    Ok(Box::new(move || Ok(usize::from(start_again_lasting(&place)? != Some(true)))))
}

fn old_or_new(place: &Place) -> Result<Check> {
    leave_old(place)?;
    let place = place.clone();
    Ok(Box::new(move || {
        Ok(match start_again_lasting(&place)? {
            Some(true) => 0,
            None => 1,
            Some(false) => 2,
        })
    }))
}

/// What goes from one to none.
fn reversed(mut check: Check) -> Check {
    Box::new(move || Ok(1 - check()?))
}

/// The victim has been a member all the time.
fn attached(mut check: Check) -> Check {
    Box::new(move || Ok(check()?.saturating_sub(1)))
}

/// The victim makes a channel and opens it too, so it takes both ends, or leaves both.
fn pairs<P: Pair>() -> Vec<LifeScene> {
    let scene = |name: &str, stages, begin, act| {
        let name = format!("{}/{name}", P::NAME);
        LifeScene { name, begin, act, stages }
    };
    let make = |place: &Place| {
        std::mem::forget(marked(|| P::create(place)).expect("nothing is there"));
    };
    let leave = |place: &Place| {
        let both = P::create(place).expect("nothing is there");
        marked(|| drop(both));
    };
    let left = |place: &Place| Ok(reversed(no_pair::<P>(place)));
    vec![
        scene("create, open", &["nothing", "there"], |place| Ok(no_pair::<P>(place)), make),
        scene("leave", &["there", "gone"], left, leave),
    ]
}

/// Nothing is there before, and afterwards a channel can be made.
fn no_pair<P: Pair>(place: &Place) -> Check {
    let place = place.clone();
    Box::new(move || {
        let there = place.exists();
        let (mut out, mut input) = P::create(&place)?;
        for number in 0..20 {
            P::try_send(&mut out, number)?;
            let found = P::try_recv(&mut input)??;
            ensure!(found == number, "sent {number}, received {found}");
        }
        Ok(usize::from(there))
    })
}
