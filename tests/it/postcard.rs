//! Values of any type through a queue.

use std::collections::BTreeMap;
use std::time::Duration;

use ringway::queue::{Postcard, Queue};
use ringway::{Fault, Fingerprint, RecvError, SendTimeoutError, TryRecvError, TrySendError};
use serde::{Deserialize, Serialize};

use crate::util::child::{Child, hear, say};
use crate::util::{LONG, NO_RECHECK, Name, Random};

#[derive(Serialize, Deserialize, Fingerprint, Clone, Debug, PartialEq)]
pub struct Job {
    pub id: u64,
    pub kind: Kind,
    pub words: Vec<String>,
    pub weights: BTreeMap<u16, f64>,
}

#[derive(Serialize, Deserialize, Fingerprint, Clone, Debug, PartialEq)]
pub enum Kind {
    Nothing,
    Sum(i64, i64),
    Tree { left: Option<Box<Kind>>, right: Option<Box<Kind>> },
}

/// A job that depends on `seed`.
pub fn job(seed: u64) -> Job {
    let mut random = Random(seed);
    let kind = match random.below(3) {
        0 => Kind::Nothing,
        1 => Kind::Sum(random.next().cast_signed(), -1),
        _ => Kind::Tree { left: None, right: Some(Box::new(Kind::Nothing)) },
    };
    let words = (0..random.below(4)).map(|n| "w".repeat(n * 3)).collect();
    let weights = (0..3).map(|n| (n, f64::from(n) * 0.5)).collect();
    Job { id: seed, kind, words, weights }
}

pub fn jobs() -> ringway::Options<Queue<Postcard<Job>>> {
    Queue::<Postcard<Job>>::options().capacity(8).recheck(NO_RECHECK)
}

pub fn play(role: &str, arguments: &[&str]) {
    let queue = jobs().open(arguments[0]).unwrap();
    match role {
        "echo" => {
            let back = jobs().open(arguments[1]).unwrap();
            let (receiver, sender) = (queue.receiver(), back.sender());
            say("ready");
            receiver.values().for_each(|job| sender.send_value(&job).unwrap());
        }
        "hold" => {
            let held = queue.receiver().recv_value_guard().unwrap();
            say(&format!("{} {}", held.value().unwrap().id, held.deliveries()));
            hear();
        }
        _ => panic!("no role {role}"),
    }
}

#[test]
fn values_come_out_as_they_went_in_by_every_way() {
    let queue = jobs().unnamed().unwrap();
    let (sender, receiver) = (queue.sender(), queue.receiver());
    for seed in 0..100 {
        let job = job(seed);
        sender.try_send_value(&job).unwrap();
        sender.send_value(&job).unwrap();
        sender.send_value_timeout(&job, LONG).unwrap();
        sender.send_value(&job).unwrap();
        assert_eq!(receiver.try_recv_value().as_ref(), Ok(&job));
        assert_eq!(receiver.recv_value_timeout(LONG).as_ref(), Ok(&job));
        let guard = receiver.recv_value_guard_timeout(LONG).unwrap();
        assert_eq!((guard.value().as_ref(), guard.deliveries()), (Ok(&job), 1));
        assert_eq!(guard.value(), Ok(job.clone()), "it may be read more than once");
        guard.ack();
        assert_eq!(receiver.recv_value(), Ok(job));
    }
    assert_eq!(receiver.try_recv_value(), Err(TryRecvError::Empty));
    queue.close();
    assert_eq!(receiver.recv_value(), Err(RecvError::Closed));
    assert_eq!(sender.try_send_value(&job(1)), Err(TrySendError::Closed(())));
}

#[test]
fn a_full_queue_of_values_is_waited_for_and_nothing_is_lost() {
    let queue = jobs().unnamed().unwrap();
    let (sender, receiver) = (queue.sender(), queue.receiver());
    (0..8).for_each(|n| sender.try_send_value(&job(n)).unwrap());
    assert_eq!(sender.try_send_value(&job(8)), Err(TrySendError::Full(())));
    let late = sender.send_value_timeout(&job(8), Duration::from_millis(1));
    assert_eq!(late, Err(SendTimeoutError::Timeout(())));
    std::thread::scope(|scope| {
        scope.spawn(|| (8..40).for_each(|n| sender.send_value(&job(n)).unwrap()));
        (0..40).for_each(|n| assert_eq!(receiver.recv_value(), Ok(job(n))));
    });
}

#[test]
fn values_go_to_another_process_and_back() {
    let (out, back) = (Name::new("values"), Name::new("values"));
    let (there, here) = (jobs().create(&out).unwrap(), jobs().create(&back).unwrap());
    let (sender, receiver) = (there.sender(), here.receiver());
    let child = Child::spawn("postcard::echo", &[&out, &back]);
    child.expect("ready");
    std::thread::scope(|scope| {
        scope.spawn(|| (0..500).for_each(|n| sender.send_value(&job(n)).unwrap()));
        (0..500).for_each(|n| assert_eq!(receiver.recv_value(), Ok(job(n))));
    });
    there.close();
    child.finish();
}

#[test]
fn the_value_that_a_killed_process_held_comes_again_flagged() {
    let name = Name::new("values");
    let queue = jobs().create(&name).unwrap();
    let (sender, receiver) = (queue.sender(), queue.receiver());
    (0..2).for_each(|n| sender.send_value(&job(n)).unwrap());
    let child = Child::spawn("postcard::hold", &[&name]);
    child.expect("0 1");
    child.kill();
    queue.recover().unwrap();
    let again = receiver.recv_value_guard().unwrap();
    assert_eq!((again.value(), again.redelivered()), (Ok(job(0)), true));
    again.ack();
    assert_eq!(receiver.recv_value(), Ok(job(1)));
}

#[test]
fn values_of_every_length_up_to_the_longest_fit_and_none_longer() {
    let options = Queue::<Postcard<Vec<u8>>>::options().capacity(2).message_len(256);
    let queue = options.unnamed().unwrap();
    let (sender, receiver) = (queue.sender(), queue.receiver());
    for len in 0..=254 {
        let value = vec![7; len];
        sender.send_value(&value).unwrap();
        assert_eq!(receiver.recv_value(), Ok(value));
    }
    for len in [255, 256, 10_000] {
        let fault = sender.send_value(&vec![7; len]).unwrap_err().fault();
        let head = if len < 16384 { 2 } else { 3 };
        assert_eq!(fault, Some(Fault::TooLong { len: len + head, max: 256 }));
    }
    assert!(queue.is_empty(), "nothing was claimed");
}

#[test]
fn values_longer_than_a_slot_go_through_blocks() {
    let options = Queue::<Postcard<Vec<u32>>>::options().capacity(4).message_len(64);
    let queue = options.blocks(4096, 2).blocks(1 << 20, 1).unnamed().unwrap();
    let (sender, receiver) = (queue.sender(), queue.receiver());
    for len in [0, 1, 60, 61, 1000, 4000, 200_000] {
        let value: Vec<u32> = (0..len).map(|n| n % 128).collect();
        sender.send_value(&value).unwrap();
        let guard = receiver.recv_value_guard().unwrap();
        assert_eq!(guard.value().as_ref(), Ok(&value));
        drop(guard);
        assert_eq!(receiver.recv_value(), Ok(value), "put back, it comes again");
    }
    assert!(queue.blocks().iter().all(|class| class.free == class.count), "{:?}", queue.blocks());
    let fault = sender.try_send_value(&vec![1; 1 << 20]).unwrap_err().fault();
    assert!(matches!(fault, Some(Fault::TooLong { .. })), "{fault:?}");
}
