//! A queue that gets another segment or gives one back: whoever dies in the middle of that leaves a queue in which all messages
//! are, which takes more of them, and which comes back to its first segment.

use anyhow::{Result, ensure};
use ringway::Options;
use ringway::queue::{Growth, Queue};

use super::lifecycle_scenes::{Check, LifeScene};
use super::place::{Place, bury, leftovers};
use super::scene::Scene;
use super::victim::marked;

/// What the victim sends.
const ITS: u64 = 100;

/// All of them.
pub fn all() -> Vec<Box<dyn Scene>> {
    let send = |place: &Place| {
        let (queue, sender) = open(place, Queue::sender);
        // The commit changes nothing of the first segment; what is asked afterwards calls the system, which is seen.
        let operation = || sender.try_send(ITS).is_ok() && queue.members().is_ok();
        assert!(marked(operation), "it grows");
        std::mem::forget((queue, sender));
    };
    let recv = |place: &Place| {
        let (queue, receiver) = open(place, Queue::receiver);
        marked(|| receiver.try_recv()).expect("there is a message");
        std::mem::forget((queue, receiver));
    };
    let close = |place: &Place| {
        let queue = options().open(place.name()).expect("it is there");
        marked(|| queue.close());
        std::mem::forget(queue);
    };
    let scenes = [
        scene("send, it grows", &["nothing", "sent"], |place| sent(place, &[1, 2], 0), send),
        scene("send, it grows again", &["nothing", "sent"], |place| sent(place, &GROWN, 0), send),
        scene("recv, its segment goes", &["nothing", "received"], |place| taken(place, 1), recv),
        scene(
            "recv, the first comes back",
            &["nothing", "received"],
            |place| taken(place, 5),
            recv,
        ),
        scene("close, grown", &["open", "closed"], closed, close),
    ];
    scenes.into_iter().map(|scene| -> Box<dyn Scene> { Box::new(scene) }).collect()
}

/// They fill a segment of two and one of four.
const GROWN: [u64; 6] = [1, 2, 3, 4, 5, 6];

fn scene(
    name: &str,
    stages: &'static [&'static str],
    begin: fn(&Place) -> Result<Check>,
    act: fn(&Place),
) -> LifeScene {
    LifeScene { name: format!("growing/{name}"), begin, act, stages }
}

fn options() -> Options<Queue<u64>> {
    let options = Queue::<u64>::options().capacity(2).max_members(4).remove_when_unused();
    Place::options(options.growth(Growth::UntilRefused))
}

/// An attachment, and a handle that is ready.
fn open<H>(place: &Place, handle: impl Fn(&Queue<u64>) -> H) -> (Queue<u64>, H) {
    let queue = options().open(place.name()).expect("it is there");
    let handle = handle(&queue);
    (queue, handle)
}

/// A queue in which `messages` were, of which the first `gone` were received.
fn begin(place: &Place, messages: &[u64], gone: usize) -> Result<Queue<u64>> {
    let queue = options().create(place.name())?;
    messages.iter().try_for_each(|number| queue.sender().try_send(*number))?;
    for number in &messages[..gone] {
        ensure!(queue.receiver().try_recv()? == *number, "they come in order");
    }
    Ok(queue)
}

/// What is left in `queue` once the dead are gone. It must be whole, and at home without having grown again.
fn settle(queue: &Queue<u64>) -> Result<Vec<u64>> {
    bury(1, || queue.members(), || queue.recover())?;
    let (sender, receiver) = (queue.sender(), queue.receiver());
    let left: Vec<u64> = receiver.try_iter().collect();
    let home = || -> Result<()> {
        sender.try_send(7)?;
        ensure!(receiver.try_recv()? == 7, "one comes and goes");
        let files = leftovers(std::process::id())?;
        ensure!(files.len() == 1 && queue.capacity() == 2, "more is left: {files:?}");
        Ok(())
    };
    home()?;
    (0..50).try_for_each(|number| sender.try_send(number))?;
    let found: Vec<u64> = receiver.try_iter().collect();
    ensure!(found == (0..50).collect::<Vec<_>>(), "50 were sent: {found:?}");
    home()?;
    Ok(left)
}

/// The victim sends.
fn sent(place: &Place, messages: &'static [u64], gone: usize) -> Result<Check> {
    let queue = begin(place, messages, gone)?;
    let receiver = queue.receiver();
    Ok(Box::new(move || {
        let _role = &receiver;
        let mut left = settle(&queue)?;
        let sent = left.last() == Some(&ITS);
        left.truncate(left.len() - usize::from(sent));
        ensure!(left == messages[gone..], "{left:?} is left of {messages:?}");
        Ok(usize::from(sent))
    }))
}

/// The victim receives when `gone` were received.
fn taken(place: &Place, gone: usize) -> Result<Check> {
    let queue = begin(place, &GROWN, gone)?;
    let sender = queue.sender();
    Ok(Box::new(move || {
        let _role = &sender;
        let left = settle(&queue)?;
        let stages = [&GROWN[gone..], &GROWN[gone + 1..]];
        let stage = stages.iter().position(|stage| left == *stage);
        stage.ok_or_else(|| anyhow::anyhow!("{left:?} is left of {GROWN:?}, {gone} were received"))
    }))
}

/// The victim closes.
fn closed(place: &Place) -> Result<Check> {
    let queue = begin(place, &GROWN, 0)?;
    let (sender, receiver) = (queue.sender(), queue.receiver());
    Ok(Box::new(move || {
        bury(1, || queue.members(), || queue.recover())?;
        let closed = sender.try_send(ITS).is_err();
        ensure!(closed == queue.is_closed(), "who is refused is told why");
        let left: Vec<u64> = receiver.try_iter().collect();
        let expected = GROWN.into_iter().chain((!closed).then_some(ITS));
        ensure!(left == expected.collect::<Vec<_>>(), "{left:?} is left");
        if closed {
            let why = receiver.try_recv();
            ensure!(why == Err(ringway::TryRecvError::Closed), "{why:?} at the end");
        }
        Ok(usize::from(closed))
    }))
}
