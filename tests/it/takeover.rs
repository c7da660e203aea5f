//! The end of a dead member goes to another process, which goes on where it stopped and is told what may have been seen.

use ringway::pipe::{Connection, Direction};
use ringway::spsc::{Consumer, Producer};
use ringway::{Options, RecvError};

use crate::util::child::{Child, hear, say};
use crate::util::{NO_RECHECK, Name, PROMPT, within};

pub fn play(role: &str, arguments: &[&str]) {
    let name = arguments[0];
    match role {
        "peek" => {
            let mut connection = Connection::options().open(name).unwrap();
            let record = connection.peek().unwrap();
            say(&format!("{record:?} {}", String::from_utf8_lossy(&record)));
            hear();
        }
        "receive" => {
            let mut connection = Connection::options().open(name).unwrap();
            let record = connection.recv().unwrap();
            say(&String::from_utf8_lossy(&record));
            hear();
        }
        "send" => {
            let mut connection = Connection::options().open(name).unwrap();
            connection.send(b"from the dead").unwrap();
            let mut grant = connection.reserve(7).unwrap();
            grant.copy_from_slice(b"unsaid!");
            say("sent");
            hear();
        }
        "peek values" => {
            let mut consumer = Consumer::<u64>::options().open(name).unwrap();
            let values = consumer.try_peek(9).unwrap();
            say(&format!("{:?}", &*values));
            hear();
        }
        _ => panic!("no role {role}"),
    }
}

fn pipes() -> Options<Connection> {
    Connection::options().recheck(NO_RECHECK)
}

fn spawn(role: &str, name: &Name, answer: &str) -> Child {
    let child = Child::spawn(&format!("takeover::{role}"), &[name]);
    child.expect(answer);
    child
}

#[test]
fn unread_records_stay_and_the_first_is_flagged() {
    let name = Name::new("heir");
    let mut here = pipes().create(&name).unwrap();
    for record in [&b"one"[..], b"two", b"three"] {
        here.send(record).unwrap();
    }
    spawn("peek", &name, "ReadGrant(3) one").kill();
    let mut heir = pipes().open(&name).unwrap();
    assert!(heir.is_redelivered());
    let first = heir.try_peek().unwrap();
    assert_eq!((&*first, first.redelivered()), (&b"one"[..], true));
    first.release();
    let second = heir.peek().unwrap();
    assert_eq!((&*second, second.redelivered()), (&b"two"[..], false));
    second.release();
    assert!(!heir.is_redelivered());
    assert_eq!(heir.recv().unwrap(), b"three");
    heir.send(b"answer").unwrap();
    assert_eq!(here.recv().unwrap(), b"answer");
    assert!(!here.is_redelivered(), "its own end did not change hands");
}

#[test]
fn the_flag_stays_until_the_record_is_taken_and_goes_with_it() {
    let name = Name::new("heirs");
    let mut here = pipes().create(&name).unwrap();
    here.send(b"one").unwrap();
    here.send(b"two").unwrap();
    spawn("peek", &name, "ReadGrant(3) one").kill();
    // Two who come and leave without taking it.
    for _ in 0..2 {
        assert!(pipes().open(&name).unwrap().is_redelivered());
    }
    spawn("receive", &name, "one").kill();
    let mut heir = pipes().open(&name).unwrap();
    assert!(heir.is_redelivered(), "the second may have been seen by who took the first");
    assert_eq!(heir.recv().unwrap(), b"two");
    here.send(b"three").unwrap();
    drop(heir);
    let mut heir = pipes().open(&name).unwrap();
    assert!(!heir.is_redelivered(), "its predecessor left in good order");
    assert_eq!(heir.recv().unwrap(), b"three");
}

#[test]
fn nothing_that_was_not_there_at_the_takeover_is_flagged() {
    let name = Name::new("later");
    let mut here = pipes().create(&name).unwrap();
    here.send(b"one").unwrap();
    spawn("receive", &name, "one").kill();
    let mut heir = pipes().open(&name).unwrap();
    assert!(!heir.is_redelivered());
    here.send(b"two").unwrap();
    let record = heir.peek().unwrap();
    assert_eq!((&*record, record.redelivered()), (&b"two"[..], false));
}

#[test]
fn what_a_dead_sender_committed_is_received_and_what_it_did_not_is_not() {
    for direction in [Direction::Both, Direction::Receive] {
        let name = Name::new("sender");
        let mut here = pipes().direction(direction).create(&name).unwrap();
        spawn("send", &name, "sent").kill();
        here.recover().unwrap();
        assert_eq!(here.recv().unwrap(), b"from the dead");
        assert_eq!(within(PROMPT, || here.recv()), Err(RecvError::Disconnected));
        let mut heir = pipes().open(&name).unwrap();
        heir.send(b"from its heir").unwrap();
        assert_eq!(here.recv().unwrap(), b"from its heir");
        assert_eq!(here.statistics().recoveries, 1);
    }
}

#[test]
fn all_values_that_a_dead_consumer_may_have_looked_at_are_flagged() {
    let name = Name::new("values");
    let options = Consumer::<u64>::options().recheck(NO_RECHECK);
    let mut producer = Producer::<u64>::options().capacity(8).create(&name).unwrap();
    producer.send_batch(&[1, 2, 3]).unwrap();
    spawn("peek values", &name, "[1, 2, 3]").kill();
    let mut heir = options.open(&name).unwrap();
    producer.send_batch(&[4, 5]).unwrap();
    for expected in 1..=2 {
        assert!(heir.is_redelivered());
        assert_eq!(heir.recv(), Ok(expected));
    }
    let values = heir.try_peek(9).unwrap();
    assert_eq!((&*values, values.redelivered()), (&[3, 4, 5][..], true));
    drop(values);
    assert_eq!(heir.recv(), Ok(3));
    assert!(!heir.is_redelivered());
    assert!(!heir.try_peek(9).unwrap().redelivered());
}

#[test]
fn what_was_looked_at_and_left_is_flagged_for_the_next_owner() {
    let name = Name::new("left");
    let mut here = pipes().create(&name).unwrap();
    here.send(b"one").unwrap();
    let mut there = pipes().open(&name).unwrap();
    assert_eq!(&*there.peek().unwrap(), b"one");
    assert!(!there.peek().unwrap().redelivered(), "it is its own");
    drop(there);
    let mut heir = pipes().open(&name).unwrap();
    assert!(heir.is_redelivered() && heir.peek().unwrap().redelivered());
    heir.peek().unwrap().release();
    here.send(b"two").unwrap();
    drop(heir);
    assert!(!pipes().open(&name).unwrap().is_redelivered(), "this was not looked at");

    let name = Name::new("left");
    let mut producer = Producer::<u64>::options().capacity(8).create(&name).unwrap();
    producer.send_batch(&[1, 2, 3]).unwrap();
    let mut consumer = Consumer::<u64>::options().open(&name).unwrap();
    let panics = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let seen = consumer.try_peek(2).unwrap();
        assert_eq!(*seen, [1, 3], "a handler that panics");
    }));
    assert!(panics.is_err());
    drop(consumer);
    let mut heir = Consumer::<u64>::options().open(&name).unwrap();
    assert!(heir.is_redelivered());
    assert_eq!((heir.recv(), heir.recv(), heir.recv()), (Ok(1), Ok(2), Ok(3)));
    assert!(!heir.is_redelivered());
}
