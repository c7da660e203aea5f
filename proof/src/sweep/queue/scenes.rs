//! The scenes in queues of both kinds, and what they are made of.

use ringway::queue::DeliveryPolicy::{AtLeastOnce, AtMostOnce};

use super::super::load::Special::{Heir, Long, LongDeadLetters};
use super::super::load::{Load, Value};
use super::super::scene::Scene;
use super::receiving::{
    ack, dead_letter, guard_ack, guard_drop, recv, recv_after_put_back, recv_again, recv_asleep,
    recv_batch, recv_empty, recv_full, recv_put_back, select_asleep, skip, skip_only,
};
use super::sending::{
    abort, close, commit, reserve_commit, reserve_drop, send, send_again, send_asleep, send_batch,
    send_full, send_last,
};
use super::{Hands, QueueScene, Stage};

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
    vec![
        Box::new(recv_asleep::<Value>()),
        Box::new(send_asleep::<Value>()),
        Box::new(recv_asleep::<[u8]>()),
        Box::new(send_asleep::<[u8]>()),
        Box::new(select_asleep::<Value>()),
        Box::new(select_asleep::<[u8]>()),
    ]
}

/// Those whose victim has an heir, meets a dead letter, or has its messages in blocks.
pub fn special() -> Vec<Box<dyn Scene>> {
    let mut all = heirs();
    let long = |name, scene: QueueScene<[u8]>| -> Box<dyn Scene> {
        Box::new(QueueScene { name, special: Long, ..scene })
    };
    let letter = dead_letter::<[u8]>();
    all.extend([
        long("send, long", send()),
        long("try_send, full, long", send_full()),
        long("reserve, commit, long", reserve_commit()),
        long("reserve, drop, long", reserve_drop()),
        long("commit, long", commit()),
        long("abort, long", abort()),
        long("recv, long", recv(AtLeastOnce)),
        long("recv at most once, long", recv(AtMostOnce)),
        long("recv what comes again, long", recv_put_back()),
        long("ack, long", ack(AtLeastOnce)),
        long("recv_guard, drop, long", guard_drop(AtLeastOnce)),
    ]);
    let name = "recv behind a dead letter, long";
    all.push(Box::new(QueueScene { name, special: LongDeadLetters, ..letter }));
    all
}

fn heirs() -> Vec<Box<dyn Scene>> {
    let heir = |name, scene: QueueScene<Value>| QueueScene { name, special: Heir, ..scene };
    vec![
        Box::new(heir("send, an heir", send())),
        Box::new(heir("try_send_batch of 3, an heir", send_batch())),
        Box::new(heir("recv, an heir", recv(AtLeastOnce))),
        Box::new(heir("ack, an heir", ack(AtLeastOnce))),
        Box::new(dead_letter::<Value>()),
        Box::new(dead_letter::<[u8]>()),
    ]
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
    [recv_put_back(), recv_after_put_back(), skip_only(), recv_empty(), recv_full()]
        .into_iter()
        .for_each(add);
}

/// A stage by what is received afterwards: pairs of message and how-manieth delivery.
pub fn stage(name: &'static str, left: &[(u64, u32)]) -> Stage {
    Stage { name, left: left.to_vec(), ..Stage::default() }
}

impl Stage {
    /// Tail and head have moved.
    pub fn moved(self, tail: u64, head: u64) -> Self {
        Self { moved: (tail, head), ..self }
    }

    /// So many claims are aborted.
    pub fn aborted(self, aborted: u64) -> Self {
        Self { counts: (aborted, 0, 0), ..self }
    }

    /// So many messages are put back.
    pub fn put_back(self, redelivered: u64) -> Self {
        Self { counts: (0, redelivered, 0), ..self }
    }

    /// So many messages are dropped.
    pub fn dropped(self, dropped: u64) -> Self {
        Self { counts: (0, 0, dropped), ..self }
    }
}

pub fn puts<M: Load + ?Sized>(before: u64) -> fn(&Hands<M>) {
    match before {
        0 => |_| (),
        1 => |hands| hands.put(1),
        2 => |hands| (1..=2).for_each(|number| hands.put(number)),
        3 => |hands| (1..=3).for_each(|number| hands.put(number)),
        _ => |hands| (1..=4).for_each(|number| hands.put(number)),
    }
}
