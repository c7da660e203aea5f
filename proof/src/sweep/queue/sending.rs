//! The operations of a sender, each with what it may have come to when its victim dies.

use ringway::TrySendError;
use ringway::queue::DeliveryPolicy::AtLeastOnce;
use ringway::queue::Queue;

use super::super::load::Special::Plain;
use super::super::load::{Load, Value, value};
use super::super::victim::marked;
use super::scenes::{puts, stage};
use super::{QueueScene, Side, Stage};

/// A scene of a victim that sends, with messages 1 to `before` in the queue.
fn sending<M: Load + ?Sized>(
    name: &'static str,
    before: u64,
    act: fn(&Queue<M>) -> Vec<u64>,
    stages: Vec<Stage>,
) -> QueueScene<M> {
    let setup = puts(before);
    QueueScene {
        name,
        policy: AtLeastOnce,
        side: Side::Sends,
        setup,
        before,
        act,
        stages,
        special: Plain,
    }
}

/// The stages of sending message 100 behind `left`.
fn sent(left: &[(u64, u32)], moved: u64) -> Vec<Stage> {
    let all = [left, &[(100, 1)]].concat();
    vec![
        stage("nothing", left).moved(moved, 0),
        stage("claimed", left).moved(moved + 1, 0).aborted(1),
        stage("sent", &all).moved(moved + 1, 0),
    ]
}

pub fn send<M: Load + ?Sized>() -> QueueScene<M> {
    let act = |queue: &Queue<M>| {
        let (sender, message) = (queue.sender(), M::make(100));
        marked(|| M::send(&sender, &message)).expect("there is room");
        vec![100]
    };
    sending("send", 1, act, sent(&[(1, 1)], 0))
}

/// The last claim is this handle's own.
pub fn send_again<M: Load + ?Sized>() -> QueueScene<M> {
    let act = |queue: &Queue<M>| {
        let (sender, message) = (queue.sender(), M::make(100));
        M::send(&sender, &M::make(50)).expect("there is room");
        marked(|| M::send(&sender, &message)).expect("there is room");
        vec![50, 100]
    };
    sending("send again", 1, act, sent(&[(1, 1), (50, 1)], 1))
}

pub fn send_last<M: Load + ?Sized>() -> QueueScene<M> {
    let act = |queue: &Queue<M>| {
        let (sender, message) = (queue.sender(), M::make(100));
        let sent = marked(|| M::try_send(&sender, &message));
        sent.map_or_else(|_| Vec::new(), |()| vec![100])
    };
    sending("try_send into the last slot", 3, act, sent(&[(1, 1), (2, 1), (3, 1)], 0))
}

pub fn send_full<M: Load + ?Sized>() -> QueueScene<M> {
    let act = |queue: &Queue<M>| {
        let (sender, message) = (queue.sender(), M::make(100));
        match marked(|| M::try_send(&sender, &message)) {
            Ok(()) => vec![100],
            Err(TrySendError::Full(())) => Vec::new(),
            Err(why) => panic!("full, and the sender is told {why}"),
        }
    };
    let all = [(1, 1), (2, 1), (3, 1), (4, 1)];
    sending("try_send, full", 4, act, vec![stage("nothing", &all)])
}

pub fn reserve_commit<M: Load + ?Sized>() -> QueueScene<M> {
    let act = |queue: &Queue<M>| {
        let (sender, message) = (queue.sender(), M::make(100));
        let operation = || M::reserve(&sender, &message).and_then(M::commit);
        marked(operation).expect("there is room");
        vec![100]
    };
    sending("reserve, commit", 1, act, sent(&[(1, 1)], 0))
}

/// The stages of claiming a slot behind message 1 and giving it up.
fn aborted(claimed: bool) -> Vec<Stage> {
    let first = stage("nothing", &[(1, 1)]);
    let rest = [
        stage("claimed", &[(1, 1)]).moved(1, 0).aborted(1),
        stage("aborted", &[(1, 1)]).moved(1, 0),
    ];
    [first].into_iter().filter(|_| !claimed).chain(rest).collect()
}

pub fn reserve_drop<M: Load + ?Sized>() -> QueueScene<M> {
    let act = |queue: &Queue<M>| {
        let (sender, message) = (queue.sender(), M::make(100));
        marked(|| M::reserve(&sender, &message).map(drop)).expect("there is room");
        Vec::new()
    };
    sending("reserve, drop", 1, act, aborted(false))
}

pub fn commit<M: Load + ?Sized>() -> QueueScene<M> {
    let act = |queue: &Queue<M>| {
        let sender = queue.sender();
        let grant = M::reserve(&sender, &M::make(100)).expect("there is room");
        marked(|| M::commit(grant)).expect("not forked");
        vec![100]
    };
    sending("commit", 1, act, sent(&[(1, 1)], 0).split_off(1))
}

pub fn abort<M: Load + ?Sized>() -> QueueScene<M> {
    let act = |queue: &Queue<M>| {
        let sender = queue.sender();
        let grant = M::reserve(&sender, &M::make(100)).expect("there is room");
        marked(|| drop(grant));
        Vec::new()
    };
    sending("abort", 1, act, aborted(true))
}

pub fn close<M: Load + ?Sized>() -> QueueScene<M> {
    let act = |queue: &Queue<M>| {
        let sender = queue.sender();
        marked(|| sender.close());
        Vec::new()
    };
    let closing = |name, closed| Stage { closed, ..stage(name, &[(1, 1)]) };
    let stages = vec![
        closing("nothing", (false, false)),
        closing("asked", (true, false)),
        closing("closed", (true, true)),
    ];
    sending("close", 1, act, stages)
}

/// Message 1 is received once the victim sleeps.
pub fn send_asleep<M: Load + ?Sized>() -> QueueScene<M> {
    let left = [(2, 1), (3, 1), (4, 1)];
    let all = [&[(1, 1)], &left[..]].concat();
    let mut stages = vec![stage("asleep", &all)];
    stages.extend(sent(&left, 0).into_iter().map(|stage| {
        let tail = stage.moved.0;
        stage.moved(tail, 1)
    }));
    sending("send, asleep", 4, send::<M>().act, stages)
}

pub fn send_batch() -> QueueScene<Value> {
    let act = |queue: &Queue<Value>| {
        let (sender, values) = (queue.sender(), [100, 101, 102].map(value));
        let sent = marked(|| sender.try_send_batch(&values)).unwrap_or(0);
        (100..100 + sent as u64).collect()
    };
    let all = [(1, 1), (100, 1), (101, 1), (102, 1)];
    let claimed = |count: usize| {
        let stage = stage(["claimed", "1 sent", "2 sent", "3 sent"][count], &all[..=count]);
        stage.moved(3, 0).aborted(3 - count as u64)
    };
    let stages = [stage("nothing", &all[..1])].into_iter().chain((0..=3).map(claimed)).collect();
    sending("try_send_batch of 3", 1, act, stages)
}
