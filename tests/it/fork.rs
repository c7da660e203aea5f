//! A process that forks while it holds ends: the child has nothing of them and spoils nothing.
//!
//! The roles are processes whose only other thread, the harness's, just waits: so their forked children may
//! do anything.

use std::time::Duration;

use ringway::pipe::Connection;
use ringway::spsc::{Consumer, Producer};
use ringway::{ErrorKind, Fault, RecvError, RecvTimeoutError, SendError, SendTimeoutError};
use ringway::{TryRecvError, TrySendError, Wait};

use crate::util::child::Child;
use crate::util::os::in_fork;
use crate::util::{LONG, Name, within};

pub fn play(role: &str, arguments: &[&str]) {
    let name = arguments[0];
    match role {
        "drop" => drop_in_child(name),
        "use values" => use_values_in_child(name),
        "use records" => use_records_in_child(name),
        "blocked" => wait_in_child(name),
        "grants" => use_grants_in_child(name),
        _ => panic!("no role {role}"),
    }
}

/// Plays `role` with a fresh name in a process of its own.
fn act(role: &str) {
    let name = Name::new("fork");
    Child::spawn(&format!("fork::{role}"), &[&name]).finish();
}

/// A channel with both ends in this process.
pub fn both_ends(name: &str) -> (Producer<u64>, Consumer<u64>) {
    let producer = Producer::options().capacity(4).create(name).unwrap();
    (producer, Consumer::options().open(name).unwrap())
}

#[test]
fn a_child_that_drops_inherited_ends_leaves_the_parents_alone() {
    act("drop");
}

fn drop_in_child(name: &str) {
    let (producer, consumer) = both_ends(name);
    let (mut producer, mut consumer) = (Some(producer), Some(consumer));
    for _ in 0..5 {
        let code = in_fork(|| {
            drop(producer.take());
            drop(consumer.take());
            0
        });
        assert_eq!(code, 0);
    }
    let (producer, consumer) = (producer.as_mut().unwrap(), consumer.as_mut().unwrap());
    producer.send(1).unwrap();
    assert_eq!(consumer.recv(), Ok(1));
    let error = Consumer::<u64>::options().open(name).unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::EndTaken(_)),
        "the lock went with the child: {error}"
    );
}

#[test]
fn every_operation_on_an_inherited_value_end_answers_forked() {
    act("use values");
}

fn use_values_in_child(name: &str) {
    let (mut producer, mut consumer) = both_ends(name);
    producer.send(1).unwrap();
    let forked = Fault::Forked;
    let code = in_fork(|| {
        assert_eq!(producer.try_send(2), Err(TrySendError::Failed(2, forked)));
        assert_eq!(producer.send(2), Err(SendError::Failed(2, forked)));
        assert_eq!(producer.send_timeout(2, LONG), Err(SendTimeoutError::Failed(2, forked)));
        assert_eq!(producer.try_send_batch(&[2]), Err(TrySendError::Failed((), forked)));
        assert_eq!(producer.send_batch(&[2]), Err(SendError::Failed(0, forked)));
        assert_eq!(producer.try_reserve(1).unwrap_err().fault(), Some(forked));
        assert_eq!(consumer.try_recv(), Err(TryRecvError::Failed(forked)));
        assert_eq!(consumer.recv(), Err(RecvError::Failed(forked)));
        assert_eq!(consumer.recv_timeout(LONG), Err(RecvTimeoutError::Failed(forked)));
        assert_eq!(consumer.try_recv_batch(&mut [0]), Err(TryRecvError::Failed(forked)));
        assert_eq!(consumer.recv_batch(&mut [0]), Err(RecvError::Failed(forked)));
        assert_eq!(consumer.try_peek(1).unwrap_err().fault(), Some(forked));
        assert_eq!(consumer.iter().next(), None);
        producer.close();
        consumer.close();
        assert!(!producer.is_closed() && !consumer.is_closed());
        assert_eq!((producer.len(), consumer.len()), (0, 0));
        assert!(!producer.is_full() && consumer.is_empty());
        assert_eq!((producer.capacity(), consumer.capacity()), (4, 4));
        assert!(!format!("{producer:?}{consumer:?}").is_empty());
        0
    });
    assert_eq!(code, 0);
    assert!(!producer.is_closed());
    producer.send(2).unwrap();
    assert_eq!((consumer.recv(), consumer.recv()), (Ok(1), Ok(2)));
}

#[test]
fn every_operation_on_an_inherited_connection_answers_forked() {
    act("use records");
}

fn use_records_in_child(name: &str) {
    let mut here = Connection::options().create(name).unwrap();
    let mut there = Connection::options().open(name).unwrap();
    here.send(b"kept").unwrap();
    let forked = Fault::Forked;
    let code = in_fork(|| {
        assert_eq!(here.try_send(b"x"), Err(TrySendError::Failed((), forked)));
        assert_eq!(here.send(b"x"), Err(SendError::Failed((), forked)));
        assert_eq!(here.send_timeout(b"x", LONG), Err(SendTimeoutError::Failed((), forked)));
        assert_eq!(here.try_reserve(1).unwrap_err().fault(), Some(forked));
        assert_eq!(here.reserve(1).unwrap_err().fault(), Some(forked));
        assert_eq!(here.reserve_timeout(1, LONG).unwrap_err().fault(), Some(forked));
        assert_eq!(there.try_recv(), Err(TryRecvError::Failed(forked)));
        assert_eq!(there.recv(), Err(RecvError::Failed(forked)));
        assert_eq!(there.recv_timeout(LONG), Err(RecvTimeoutError::Failed(forked)));
        assert_eq!(there.try_recv_into(&mut [0]), Err(TryRecvError::Failed(forked)));
        assert_eq!(there.recv_into(&mut [0]), Err(RecvError::Failed(forked)));
        let late = there.recv_into_timeout(&mut [0], LONG);
        assert_eq!(late, Err(RecvTimeoutError::Failed(forked)));
        assert_eq!(there.try_peek().unwrap_err().fault(), Some(forked));
        assert_eq!(there.peek().unwrap_err().fault(), Some(forked));
        assert_eq!(there.peek_timeout(LONG).unwrap_err().fault(), Some(forked));
        assert!(within(LONG, || there.poll(LONG)), "receiving would answer at once");
        here.close();
        assert!(!here.is_closed() && !format!("{here:?}").is_empty());
        0
    });
    assert_eq!(code, 0);
    assert_eq!(there.recv().unwrap(), b"kept");
    there.send(b"back").unwrap();
    assert_eq!(here.recv().unwrap(), b"back");
}

#[test]
fn a_child_of_a_waiting_kind_of_end_does_not_wait_for_what_it_cannot_see() {
    act("blocked");
}

fn wait_in_child(name: &str) {
    for (n, wait) in [Wait::Spin, Wait::SpinThenPark, Wait::Park].into_iter().enumerate() {
        let mut consumer = Consumer::<u64>::options()
            .wait(wait)
            .remove_when_unused()
            .create(&format!("{name}{n}"));
        let consumer = consumer.as_mut().unwrap();
        let code = in_fork(|| {
            let answer = within(LONG, || consumer.recv_timeout(3 * LONG));
            i32::from(answer != Err(RecvTimeoutError::Failed(Fault::Forked)))
        });
        assert_eq!((code, wait), (0, wait));
        assert_eq!(consumer.recv_timeout(Duration::ZERO), Err(RecvTimeoutError::Timeout));
    }
}

#[test]
fn a_grant_held_over_a_fork_sends_and_takes_nothing_in_the_child() {
    act("grants");
}

fn use_grants_in_child(name: &str) {
    let (mut producer, mut consumer) = both_ends(name);
    producer.send(1).unwrap();
    let mut grant = producer.try_reserve(2).unwrap();
    grant[0] = 2;
    let peeked = consumer.try_peek(1).unwrap();
    let (mut grant, mut peeked) = (Some(grant), Some(peeked));
    let code = in_fork(|| {
        let mut grant = grant.take().unwrap();
        grant[0] = 99;
        assert_eq!(grant.commit(), Err(SendError::Failed((), Fault::Forked)));
        let peeked = peeked.take().unwrap();
        assert_eq!(peeked.len(), 1);
        peeked.release();
        0
    });
    assert_eq!(code, 0);
    assert_eq!(*peeked.take().unwrap(), [1], "nothing was taken");
    let mut grant = grant.take().unwrap();
    grant.truncate(1);
    grant.commit().unwrap();
    assert_eq!((consumer.recv(), consumer.recv()), (Ok(1), Ok(2)));
    assert_eq!(consumer.try_recv(), Err(TryRecvError::Empty));
    records_granted_before_a_fork(&format!("{name}.pipe"));
}

fn records_granted_before_a_fork(name: &str) {
    let mut here = Connection::options().remove_when_unused().create(name).unwrap();
    let mut there = Connection::options().open(name).unwrap();
    here.send(b"one").unwrap();
    let mut grant = here.try_reserve(3).unwrap();
    grant.copy_from_slice(b"two");
    let (mut grant, mut peeked) = (Some(grant), Some(there.try_peek().unwrap()));
    let code = in_fork(|| {
        let forked = SendError::Failed((), Fault::Forked);
        assert_eq!(grant.take().unwrap().commit(), Err(forked));
        peeked.take().unwrap().release();
        0
    });
    assert_eq!(code, 0);
    assert_eq!(*peeked.take().unwrap(), *b"one");
    grant.take().unwrap().commit().unwrap();
    assert_eq!((there.recv().unwrap(), there.recv().unwrap()), (b"one".to_vec(), b"two".to_vec()));
}
