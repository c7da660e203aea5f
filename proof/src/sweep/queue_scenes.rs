//! The operations of a queue, each with what it may have come to when its victim dies.

use ringway::queue::DeliveryPolicy::{self, AtLeastOnce, AtMostOnce};
use ringway::queue::Queue;
use ringway::{TryRecvError, TrySendError};

use super::load::{Load, Value, value};
use super::queue::{Hands, QueueScene, Side, Stage};
use super::scene::Scene;
use super::victim::marked;

/// All of them.
pub fn all() -> Vec<Box<dyn Scene>> {
    let mut all = Vec::new();
    of_kind::<Value>(&mut all);
    of_kind::<[u8]>(&mut all);
    all.push(Box::new(send_batch()));
    all.extend(
        [AtLeastOnce, AtMostOnce].map(|policy| -> Box<dyn Scene> { Box::new(recv_batch(policy)) }),
    );
    all
}

/// Those who fall asleep on the way.
pub fn sleeping() -> Vec<Box<dyn Scene>> {
    let mut all: Vec<Box<dyn Scene>> = Vec::new();
    all.push(Box::new(recv_asleep::<Value>()));
    all.push(Box::new(send_asleep::<Value>()));
    all.push(Box::new(recv_asleep::<[u8]>()));
    all.push(Box::new(send_asleep::<[u8]>()));
    all
}

/// Message 100 is sent once the victim sleeps.
fn recv_asleep<M: Load + ?Sized>() -> QueueScene<M> {
    let stages = vec![
        stage("asleep", &[]),
        stage("sent", &[(100, 1)]).moved(1, 0),
        stage("taken, unseen", &[(100, 1)]).moved(1, 1).put_back(1),
        stage("taken, seen", &[(100, 2)]).moved(1, 1).put_back(1),
        stage("received", &[]).moved(1, 1),
    ];
    let (name, act) = ("recv, asleep", recv::<M>(AtLeastOnce).act);
    receiving((name, name), AtLeastOnce, 0, act, stages)
}

/// Message 1 is received once the victim sleeps.
fn send_asleep<M: Load + ?Sized>() -> QueueScene<M> {
    let left = [(2, 1), (3, 1), (4, 1)];
    let all = [&[(1, 1)], &left[..]].concat();
    let mut stages = vec![stage("asleep", &all)];
    stages.extend(sent(&left, 0).into_iter().map(|stage| {
        let tail = stage.moved.0;
        stage.moved(tail, 1)
    }));
    sending("send, asleep", 4, send::<M>().act, stages)
}

fn of_kind<M: Load + ?Sized>(all: &mut Vec<Box<dyn Scene>>) {
    let sending =
        [send(), send_again(), send_last(), send_full(), reserve_commit(), reserve_drop()];
    let parts = [commit(), abort(), close()];
    let mut add = |scene: QueueScene<M>| all.push(Box::new(scene));
    sending.into_iter().chain(parts).for_each(&mut add);
    for policy in [AtLeastOnce, AtMostOnce] {
        [recv(policy), recv_again(policy), skip(policy)].into_iter().for_each(&mut add);
        [guard_ack(policy), guard_drop(policy), ack(policy)].into_iter().for_each(&mut add);
    }
    [recv_put_back(), recv_after_put_back(), recv_empty(), recv_full()].into_iter().for_each(add);
}

/// A stage by what is received afterwards: pairs of message and how-manieth delivery.
fn stage(name: &'static str, left: &[(u64, u32)]) -> Stage {
    Stage { name, left: left.to_vec(), ..Stage::default() }
}

impl Stage {
    /// Tail and head have moved.
    fn moved(self, tail: u64, head: u64) -> Self {
        Self { moved: (tail, head), ..self }
    }

    /// So many claims are aborted.
    fn aborted(self, aborted: u64) -> Self {
        Self { counts: (aborted, 0, 0), ..self }
    }

    /// So many messages are put back.
    fn put_back(self, redelivered: u64) -> Self {
        Self { counts: (0, redelivered, 0), ..self }
    }

    /// So many messages are dropped.
    fn dropped(self, dropped: u64) -> Self {
        Self { counts: (0, 0, dropped), ..self }
    }
}

/// A scene of a victim that sends, with messages 1 to `before` in the queue.
fn sending<M: Load + ?Sized>(
    name: &'static str,
    before: u64,
    act: fn(&Queue<M>) -> Vec<u64>,
    stages: Vec<Stage>,
) -> QueueScene<M> {
    let setup = puts(before);
    QueueScene { name, policy: AtLeastOnce, side: Side::Sends, setup, before, act, stages }
}

/// A scene of a victim that receives. The name says the policy.
fn receiving<M: Load + ?Sized>(
    (name, name_at_most_once): (&'static str, &'static str),
    policy: DeliveryPolicy,
    before: u64,
    act: fn(&Queue<M>) -> Vec<u64>,
    stages: Vec<Stage>,
) -> QueueScene<M> {
    let name = if policy == AtLeastOnce { name } else { name_at_most_once };
    QueueScene { name, policy, side: Side::Receives, setup: puts(before), before, act, stages }
}

fn puts<M: Load + ?Sized>(before: u64) -> fn(&Hands<M>) {
    match before {
        0 => |_| (),
        1 => |hands| hands.put(1),
        2 => |hands| (1..=2).for_each(|number| hands.put(number)),
        3 => |hands| (1..=3).for_each(|number| hands.put(number)),
        _ => |hands| (1..=4).for_each(|number| hands.put(number)),
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

fn send<M: Load + ?Sized>() -> QueueScene<M> {
    let act = |queue: &Queue<M>| {
        let (sender, message) = (queue.sender(), M::make(100));
        marked(|| M::send(&sender, &message)).expect("there is room");
        vec![100]
    };
    sending("send", 1, act, sent(&[(1, 1)], 0))
}

/// The last claim is this handle's own.
fn send_again<M: Load + ?Sized>() -> QueueScene<M> {
    let act = |queue: &Queue<M>| {
        let (sender, message) = (queue.sender(), M::make(100));
        M::send(&sender, &M::make(50)).expect("there is room");
        marked(|| M::send(&sender, &message)).expect("there is room");
        vec![50, 100]
    };
    sending("send again", 1, act, sent(&[(1, 1), (50, 1)], 1))
}

fn send_last<M: Load + ?Sized>() -> QueueScene<M> {
    let act = |queue: &Queue<M>| {
        let (sender, message) = (queue.sender(), M::make(100));
        let sent = marked(|| M::try_send(&sender, &message));
        sent.map_or_else(|_| Vec::new(), |()| vec![100])
    };
    sending("try_send into the last slot", 3, act, sent(&[(1, 1), (2, 1), (3, 1)], 0))
}

fn send_full<M: Load + ?Sized>() -> QueueScene<M> {
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

fn reserve_commit<M: Load + ?Sized>() -> QueueScene<M> {
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

fn reserve_drop<M: Load + ?Sized>() -> QueueScene<M> {
    let act = |queue: &Queue<M>| {
        let (sender, message) = (queue.sender(), M::make(100));
        marked(|| M::reserve(&sender, &message).map(drop)).expect("there is room");
        Vec::new()
    };
    sending("reserve, drop", 1, act, aborted(false))
}

fn commit<M: Load + ?Sized>() -> QueueScene<M> {
    let act = |queue: &Queue<M>| {
        let sender = queue.sender();
        let grant = M::reserve(&sender, &M::make(100)).expect("there is room");
        marked(|| M::commit(grant)).expect("not forked");
        vec![100]
    };
    sending("commit", 1, act, sent(&[(1, 1)], 0).split_off(1))
}

fn abort<M: Load + ?Sized>() -> QueueScene<M> {
    let act = |queue: &Queue<M>| {
        let sender = queue.sender();
        let grant = M::reserve(&sender, &M::make(100)).expect("there is room");
        marked(|| drop(grant));
        Vec::new()
    };
    sending("abort", 1, act, aborted(true))
}

fn close<M: Load + ?Sized>() -> QueueScene<M> {
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

/// The stages of taking message 1 of two, which was delivered `before` times, by `policy`. Position `head` comes first.
fn taken(policy: DeliveryPolicy, head: u64, rest: &[(u64, u32)]) -> Vec<Stage> {
    let with = |deliveries| [&[(1, deliveries)], rest].concat();
    let at = |stage: Stage| stage.moved(0, head + 1);
    let seen = match policy {
        AtMostOnce => at(stage("taken, seen", rest)).dropped(1),
        _ => at(stage("taken, seen", &with(2))).put_back(1),
    };
    vec![
        stage("nothing", &with(1)).moved(0, head),
        at(stage("taken, unseen", &with(1))).put_back(1),
        seen,
        at(stage("received", rest)),
    ]
}

fn recv<M: Load + ?Sized>(policy: DeliveryPolicy) -> QueueScene<M> {
    let act = |queue: &Queue<M>| {
        let receiver = queue.receiver();
        let received = marked(|| M::recv(&receiver)).expect("there is a message");
        vec![M::number_of_own(&received).expect("it is whole")]
    };
    receiving(("recv", "recv at most once"), policy, 2, act, taken(policy, 0, &[(2, 1)]))
}

/// The last claim is this handle's own.
fn recv_again<M: Load + ?Sized>(policy: DeliveryPolicy) -> QueueScene<M> {
    let act = |queue: &Queue<M>| {
        let receiver = queue.receiver();
        let first = M::recv(&receiver).expect("there is a message");
        let second = marked(|| M::recv(&receiver)).expect("there is a message");
        [first, second].iter().map(|one| M::number_of_own(one).expect("it is whole")).collect()
    };
    let mut stages = taken(policy, 1, &[(3, 1)]);
    for stage in &mut stages {
        stage.left.iter_mut().filter(|(number, _)| *number == 1).for_each(|one| one.0 = 2);
    }
    receiving(("recv again", "recv again at most once"), policy, 3, act, stages)
}

fn recv_empty<M: Load + ?Sized>() -> QueueScene<M> {
    let act = |queue: &Queue<M>| {
        let receiver = queue.receiver();
        let received = marked(|| M::try_recv(&receiver));
        received.iter().map(|one| M::number_of_own(one).expect("it is whole")).collect()
    };
    let name = "try_recv, empty";
    receiving((name, name), AtLeastOnce, 0, act, vec![stage("nothing", &[])])
}

fn recv_full<M: Load + ?Sized>() -> QueueScene<M> {
    let act = recv::<M>(AtLeastOnce).act;
    let stages = taken(AtLeastOnce, 0, &[(2, 1), (3, 1), (4, 1)]);
    receiving(("recv, full", "recv, full"), AtLeastOnce, 4, act, stages)
}

/// Message 1 comes again, for the second time.
fn recv_put_back<M: Load + ?Sized>() -> QueueScene<M> {
    let setup = |hands: &Hands<M>| {
        (1..=2).for_each(|number| hands.put(number));
        drop(M::guard(&hands.receiver).expect("there is a message"));
    };
    let stages = vec![
        stage("nothing", &[(1, 2), (2, 1)]),
        stage("taken, seen", &[(1, 3), (2, 1)]).put_back(1),
        stage("received", &[(2, 1)]),
    ];
    let (name, act) = ("recv what comes again", recv::<M>(AtLeastOnce).act);
    QueueScene { setup, ..receiving((name, name), AtLeastOnce, 2, act, stages) }
}

/// What came again was received, but nobody has taken its bit off yet.
fn recv_after_put_back<M: Load + ?Sized>() -> QueueScene<M> {
    let setup = |hands: &Hands<M>| {
        hands.put(9);
        drop(M::guard(&hands.receiver).expect("there is a message"));
        M::guard(&hands.receiver).expect("it comes again").ack();
        (1..=2).for_each(|number| hands.put(number));
    };
    let (name, act) = ("recv after what came again", recv::<M>(AtLeastOnce).act);
    let stages = taken(AtLeastOnce, 0, &[(2, 1)]);
    QueueScene { setup, ..receiving((name, name), AtLeastOnce, 2, act, stages) }
}

/// An aborted slot comes first.
fn skip<M: Load + ?Sized>(policy: DeliveryPolicy) -> QueueScene<M> {
    let setup = |hands: &Hands<M>| {
        drop(M::reserve(&hands.sender, &M::make(99)));
        (1..=2).for_each(|number| hands.put(number));
    };
    let mut stages = taken(policy, 1, &[(2, 1)]);
    stages.insert(0, stage("nothing", &[(1, 1), (2, 1)]));
    stages[1].name = "passed over";
    let names = ("recv behind an aborted slot", "recv behind an aborted slot at most once");
    let act = recv::<M>(policy).act;
    QueueScene { setup, ..receiving(names, policy, 2, act, stages) }
}

fn guard_ack<M: Load + ?Sized>(policy: DeliveryPolicy) -> QueueScene<M> {
    let act = |queue: &Queue<M>| {
        let receiver = queue.receiver();
        let operation = || {
            let held = M::guard(&receiver)?;
            let message = M::copy(&held);
            held.ack();
            Ok::<_, TryRecvError>(message)
        };
        let received = marked(operation).expect("there is a message");
        vec![M::number_of_own(&received).expect("it is whole")]
    };
    let names = ("recv_guard, ack", "recv_guard, ack at most once");
    receiving(names, policy, 2, act, taken(policy, 0, &[(2, 1)]))
}

fn guard_drop<M: Load + ?Sized>(policy: DeliveryPolicy) -> QueueScene<M> {
    let act = |queue: &Queue<M>| {
        let receiver = queue.receiver();
        let policy = queue.delivery();
        let operation = || {
            let held = M::guard(&receiver)?;
            let message = M::copy(&held);
            drop(held);
            Ok::<_, TryRecvError>(message)
        };
        let received = marked(operation).expect("there is a message");
        let number = M::number_of_own(&received).expect("it is whole");
        if policy == AtMostOnce { vec![number] } else { Vec::new() }
    };
    let mut stages = taken(policy, 0, &[(2, 1)]);
    if policy == AtLeastOnce {
        stages[3] = stage("put back", &[(1, 2), (2, 1)]).moved(0, 1);
    }
    let names = ("recv_guard, drop", "recv_guard, drop at most once");
    receiving(names, policy, 2, act, stages)
}

fn ack<M: Load + ?Sized>(policy: DeliveryPolicy) -> QueueScene<M> {
    let act = |queue: &Queue<M>| {
        let receiver = queue.receiver();
        let held = M::guard(&receiver).expect("there is a message");
        let number = M::number_held(&held).expect("it is whole");
        marked(|| held.ack());
        vec![number]
    };
    let stages = taken(policy, 0, &[(2, 1)]).split_off(2);
    receiving(("ack", "ack at most once"), policy, 2, act, stages)
}

fn send_batch() -> QueueScene<Value> {
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

fn recv_batch(policy: DeliveryPolicy) -> QueueScene<Value> {
    let act = |queue: &Queue<Value>| {
        let (receiver, mut buffer) = (queue.receiver(), [value(0); 3]);
        let received = marked(|| receiver.try_recv_batch(&mut buffer)).unwrap_or(0);
        buffer[..received].iter().map(|one| one[0]).collect()
    };
    let all = [(1, 1), (2, 1), (3, 1), (4, 1)];
    let again = |number: u64, deliveries| (number, deliveries);
    let stamped = |count: u64| {
        let name =
            ["taken, unseen", "1 seen", "2 seen", "3 seen"][usize::try_from(count).unwrap_or(0)];
        let kept = match policy {
            AtMostOnce => count + 1..=3,
            _ => 1..=3,
        };
        let left: Vec<_> =
            kept.map(|n| again(n, 1 + u32::from(n <= count))).chain([(4, 1)]).collect();
        let stage = stage(name, &left).moved(0, 3);
        match policy {
            AtMostOnce => Stage { counts: (0, 3 - count, count), ..stage },
            _ => stage.put_back(3),
        }
    };
    let received = |count: u64| {
        let name =
            ["", "1 received", "2 received", "3 received"][usize::try_from(count).unwrap_or(0)];
        let kept = (count + 1..=3).filter(|_| policy == AtLeastOnce);
        let left: Vec<_> = kept.map(|n| again(n, 2)).chain([(4, 1)]).collect();
        let stage = stage(name, &left).moved(0, 3);
        match policy {
            AtMostOnce => stage.dropped(3 - count),
            _ => stage.put_back(3 - count),
        }
    };
    let stages = [stage("nothing", &all)];
    let stages = stages.into_iter().chain((0..=3).map(stamped)).chain((1..=3).map(received));
    let names = ("try_recv_batch of 3", "try_recv_batch of 3 at most once");
    receiving(names, policy, 4, act, stages.collect())
}
