//! The operations of a receiver, each with what it may have come to when its victim dies.

use ringway::queue::DeliveryPolicy::{self, AtLeastOnce, AtMostOnce};
use ringway::queue::Queue;
use ringway::{Selector, TryRecvError, Wait};

use super::super::load::Special::{DeadLetters, Plain};
use super::super::load::{Load, Value, value};
use super::super::victim::marked;
use super::scenes::{puts, stage};
use super::{Hands, QueueScene, Side, Stage};

/// A scene of a victim that receives. The name says the policy.
fn receiving<M: Load + ?Sized>(
    (name, name_at_most_once): (&'static str, &'static str),
    policy: DeliveryPolicy,
    before: u64,
    act: fn(&Queue<M>) -> Vec<u64>,
    stages: Vec<Stage>,
) -> QueueScene<M> {
    let name = if policy == AtLeastOnce { name } else { name_at_most_once };
    QueueScene {
        name,
        policy,
        side: Side::Receives,
        setup: puts(before),
        before,
        act,
        stages,
        special: Plain,
    }
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

pub fn recv<M: Load + ?Sized>(policy: DeliveryPolicy) -> QueueScene<M> {
    let act = |queue: &Queue<M>| {
        let receiver = queue.receiver();
        let found = marked(|| M::recv(&receiver)).expect("there is a message");
        vec![M::number_of_own(&found).expect("it is whole")]
    };
    receiving(("recv", "recv at most once"), policy, 2, act, taken(policy, 0, &[(2, 1)]))
}

/// The last claim is this handle's own.
pub fn recv_again<M: Load + ?Sized>(policy: DeliveryPolicy) -> QueueScene<M> {
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

pub fn recv_empty<M: Load + ?Sized>() -> QueueScene<M> {
    let act = |queue: &Queue<M>| {
        let receiver = queue.receiver();
        let found = marked(|| M::try_recv(&receiver));
        found.iter().map(|one| M::number_of_own(one).expect("it is whole")).collect()
    };
    let name = "try_recv, empty";
    receiving((name, name), AtLeastOnce, 0, act, vec![stage("nothing", &[])])
}

pub fn recv_full<M: Load + ?Sized>() -> QueueScene<M> {
    let act = recv::<M>(AtLeastOnce).act;
    let stages = taken(AtLeastOnce, 0, &[(2, 1), (3, 1), (4, 1)]);
    receiving(("recv, full", "recv, full"), AtLeastOnce, 4, act, stages)
}

/// Message 1 comes again, for the second time.
pub fn recv_put_back<M: Load + ?Sized>() -> QueueScene<M> {
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
pub fn recv_after_put_back<M: Load + ?Sized>() -> QueueScene<M> {
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
pub fn skip<M: Load + ?Sized>(policy: DeliveryPolicy) -> QueueScene<M> {
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

/// An aborted slot, and nothing behind it: nobody comes who would certify that it was passed over.
pub fn skip_only<M: Load + ?Sized>() -> QueueScene<M> {
    let setup = |hands: &Hands<M>| drop(M::reserve(&hands.sender, &M::make(99)));
    let stages = vec![stage("nothing", &[]), stage("passed over", &[]).moved(0, 1)];
    let (name, act) = ("try_recv of an aborted slot", recv_empty::<M>().act);
    QueueScene { setup, ..receiving((name, name), AtLeastOnce, 0, act, stages) }
}

pub fn guard_ack<M: Load + ?Sized>(policy: DeliveryPolicy) -> QueueScene<M> {
    let act = |queue: &Queue<M>| {
        let receiver = queue.receiver();
        let operation = || {
            let held = M::guard(&receiver)?;
            let message = M::copy(&held);
            held.ack();
            Ok::<_, TryRecvError>(message)
        };
        let found = marked(operation).expect("there is a message");
        vec![M::number_of_own(&found).expect("it is whole")]
    };
    let names = ("recv_guard, ack", "recv_guard, ack at most once");
    receiving(names, policy, 2, act, taken(policy, 0, &[(2, 1)]))
}

pub fn guard_drop<M: Load + ?Sized>(policy: DeliveryPolicy) -> QueueScene<M> {
    let act = |queue: &Queue<M>| {
        let receiver = queue.receiver();
        let policy = queue.delivery();
        let operation = || {
            let held = M::guard(&receiver)?;
            let message = M::copy(&held);
            drop(held);
            Ok::<_, TryRecvError>(message)
        };
        let found = marked(operation).expect("there is a message");
        let number = M::number_of_own(&found).expect("it is whole");
        if policy == AtMostOnce { vec![number] } else { Vec::new() }
    };
    let mut stages = taken(policy, 0, &[(2, 1)]);
    if policy == AtLeastOnce {
        stages[3] = stage("put back", &[(1, 2), (2, 1)]).moved(0, 1);
    }
    let names = ("recv_guard, drop", "recv_guard, drop at most once");
    receiving(names, policy, 2, act, stages)
}

pub fn ack<M: Load + ?Sized>(policy: DeliveryPolicy) -> QueueScene<M> {
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

pub fn recv_batch(policy: DeliveryPolicy) -> QueueScene<Value> {
    let act = |queue: &Queue<Value>| {
        let (receiver, mut buffer) = (queue.receiver(), [value(0); 3]);
        let found = marked(|| receiver.try_recv_batch(&mut buffer)).unwrap_or(0);
        buffer[..found].iter().map(|one| one[0]).collect()
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
/// Message 100 is sent once the victim sleeps.
pub fn recv_asleep<M: Load + ?Sized>() -> QueueScene<M> {
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

/// The same by a selector, which waits for it by two handles.
pub fn select_asleep<M: Load + ?Sized>() -> QueueScene<M> {
    let act = |queue: &Queue<M>| {
        let (receiver, other) = (queue.receiver(), queue.receiver());
        let mut selector = Selector::waiting(Wait::Park);
        let found = marked(|| {
            let index = selector.wait(&[&receiver, &other]).expect("two are not too many");
            M::recv([&receiver, &other][index])
        });
        vec![M::number_of_own(&found.expect("there is a message")).expect("it is whole")]
    };
    QueueScene { name: "select, asleep", act, ..recv_asleep() }
}

/// Message 1 was delivered as often as the queue allows.
pub fn dead_letter<M: Load + ?Sized>() -> QueueScene<M> {
    let setup = |hands: &Hands<M>| {
        (1..=2).for_each(|number| hands.put(number));
        (0..2).for_each(|_| drop(M::guard(&hands.receiver).expect("there is a message")));
    };
    let stages = vec![
        stage("nothing", &[(2, 1)]),
        stage("moved, and 2 taken, unseen", &[(2, 1)]).moved(0, 1),
        stage("2 taken, seen", &[(2, 2)]).moved(0, 1),
        stage("2 received", &[]).moved(0, 1),
    ];
    let (name, act) = ("recv behind a dead letter", recv::<M>(AtLeastOnce).act);
    let scene = receiving((name, name), AtLeastOnce, 2, act, stages);
    QueueScene { setup, special: DeadLetters, ..scene }
}
