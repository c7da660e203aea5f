//! Queues that grow, one member of which is stopped while it changes the chain, or did not get to change it.

use std::fs::File;
use std::path::PathBuf;
use std::time::Duration;

use ringway::queue::{Growth, Queue};
use ringway::{Options, RecvError, TryRecvError};

use crate::growth::assert_home;
use crate::util::child::Child;
use crate::util::view::View;
use crate::util::{Directory, LONG, NO_RECHECK, PROMPT, eventually, os, within};

/// Where the chain's word is, and its bit for a change that is not complete.
const CHAIN: u64 = 256 + 16;
const UNSETTLED: u64 = 1 << 62;

pub fn play(role: &str, arguments: &[&str]) {
    let options = Queue::<u64>::options().directory(arguments[0]).recheck(NO_RECHECK);
    let receiver = options.open("q").unwrap().receiver();
    match role {
        "recv" => assert_eq!(receiver.recv(), Err(RecvError::Closed)),
        _ => panic!("no role {role}"),
    }
}

fn options(place: &Directory) -> Options<Queue<u64>> {
    let options = Queue::<u64>::options().directory(place.path()).capacity(2).recheck(NO_RECHECK);
    options.growth(Growth::UntilRefused)
}

fn anchor(place: &Directory) -> PathBuf {
    place.path().join("ringway.default.q")
}

/// Holds the lock of `place`'s queue as one does who is stopped while he changes its chain; until it is dropped.
fn hold_chain(place: &Directory) -> File {
    let file = File::options().read(true).write(true).open(anchor(place)).unwrap();
    os::lock_byte(&file, (1 << 42) + 1);
    file
}

#[test]
fn receivers_do_not_wait_for_one_who_is_stopped_while_he_changes_the_chain() {
    const COUNT: u64 = 8000;
    let place = Directory::in_memory("growth-stopped");
    let queue = options(&place).create("q").unwrap();
    let (sender, receiver) = (queue.sender(), queue.receiver());
    (0..COUNT).for_each(|n| sender.send(n).unwrap());
    let held = hold_chain(&place);
    // With a wait of a millisecond each they would take 8 s.
    within(Duration::from_secs(4), || {
        (0..COUNT).for_each(|n| assert_eq!(receiver.try_recv(), Ok(n)));
    });
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
    assert!(place.listing().len() > 4, "nothing could be passed");
    drop(held);
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
    assert_home(&place);
}

#[test]
fn a_queue_comes_home_though_its_last_slot_was_aborted() {
    let place = Directory::in_memory("growth-aborted");
    let queue = options(&place).create("q").unwrap();
    let (sender, receiver) = (queue.sender(), queue.receiver());
    for n in 0..7 {
        sender.send(n).unwrap();
    }
    drop(sender.reserve().unwrap());
    assert_eq!(receiver.try_iter().collect::<Vec<_>>(), (0..7).collect::<Vec<_>>());
    assert_home(&place);
    assert_eq!(queue.capacity(), 2);
}

#[test]
fn who_settles_a_closed_chain_wakes_receivers() {
    let place = Directory::in_memory("growth-settled");
    let queue = options(&place).create("q").unwrap();
    let (sender, receiver) = (queue.sender(), queue.receiver());
    (0..7).for_each(|n| sender.send(n).unwrap());
    let first = receiver.recv_guard().unwrap();
    assert_eq!(receiver.try_iter().count(), 6);
    let child = Child::spawn("growth_held::recv", &[place.path().to_str().unwrap()]);
    let view = View::open(&anchor(&place));
    let sleeps = || view.consumer_waits(0) && child.is_asleep();
    assert!(eventually(LONG, sleeps));
    // As one leaves it who is stopped before he settles it.
    let held = hold_chain(&place);
    view.put_u64(CHAIN, view.u64(CHAIN) | UNSETTLED);
    let counter = view.not_empty(0) + 4;
    let before = view.u32(counter);
    queue.close();
    assert!(eventually(LONG, || view.u32(counter) != before && sleeps()));
    within(PROMPT, || {
        drop(held);
        assert_eq!(receiver.try_recv(), Err(TryRecvError::Closed));
        child.finish();
    });
    first.ack();
}
