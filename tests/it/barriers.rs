//! Processes that the kernel refuses barriers over all processors, before they attach or afterwards.

use ringway::spsc::{Consumer, Producer};
use ringway::{Barrier, ErrorKind, RecvError, SendError, Wait};

use crate::util::child::{Child, hear, say};
use crate::util::view::View;
use crate::util::{LONG, NO_RECHECK, Name, eventually, os};

const COUNT: u64 = 1000;

pub fn play(role: &str, arguments: &[&str]) {
    let name = arguments[0];
    let consumers = Consumer::<u64>::options().wait(Wait::Park).recheck(NO_RECHECK);
    match role {
        "make" => {
            os::refuse_membarrier();
            let mut consumer = consumers.create(name).unwrap();
            say("made");
            assert_eq!(consumer.iter().count() as u64, COUNT);
        }
        "open" => {
            os::refuse_membarrier();
            let error = consumers.open(name).unwrap_err();
            assert_eq!(error.kind(), &ErrorKind::BarrierUnsupported);
        }
        "lose" => {
            let mut consumer = consumers.open(name).unwrap();
            os::refuse_membarrier();
            say("lost");
            for n in 0..COUNT {
                assert_eq!(consumer.recv(), Ok(n));
                say("received");
            }
            consumer.close();
            say("closed");
            hear();
            let last = arguments[1].parse::<u64>().unwrap();
            assert!((COUNT..last).all(|n| consumer.recv() == Ok(n)), "what was accepted comes");
            assert_eq!(consumer.recv(), Err(RecvError::Closed));
        }
        _ => panic!("no role {role}"),
    }
}

#[test]
fn where_barriers_are_refused_channels_are_made_with_fences() {
    let name = Name::new("fences");
    let maker = Child::spawn("barriers::make", &[&name]);
    maker.expect("made");
    let mut producer = Producer::<u64>::options().wait(Wait::Park).open(&name).unwrap();
    for n in 0..COUNT {
        producer.send(n).unwrap();
    }
    producer.close();
    maker.finish();
}

#[test]
fn who_is_refused_barriers_may_open_only_what_has_fences() {
    let name = Name::new("refused");
    let _producer = Producer::<u64>::options().create(&name).unwrap();
    Child::spawn("barriers::open", &[&name]).finish();
    drop(Consumer::<u64>::options().open(&name).expect("its end was left alone"));
    let fenced = Name::new("fenced");
    let options = Producer::<u64>::options().barrier(Barrier::Fence);
    let mut producer = options.create(&fenced).unwrap();
    let mut child = Child::spawn("barriers::lose", &[&fenced, &COUNT.to_string()]);
    child.expect("lost");
    for n in 0..COUNT {
        producer.send(n).unwrap();
        child.expect("received");
    }
    child.expect("closed");
    child.tell("go on");
    child.finish();
}

#[test]
fn who_is_refused_barriers_later_is_still_woken_and_may_close() {
    let name = Name::new("later");
    let mut producer = Producer::<u64>::options().create(&name).unwrap();
    let view = View::open(name.path());
    let mut child = Child::spawn("barriers::lose", &[&name, &(COUNT + 1).to_string()]);
    child.expect("lost");
    for n in 0..COUNT {
        if n < 3 {
            assert!(eventually(LONG, || view.consumer_waits(0)));
        }
        producer.send(n).unwrap();
        child.expect("received");
    }
    child.expect("closed");
    // The closer could not settle where the stream ends: its producer does, behind what it sends just then.
    assert_eq!(producer.send(COUNT), Ok(()));
    assert_eq!(producer.send(COUNT + 1), Err(SendError::Closed(COUNT + 1)));
    child.tell("go on");
    child.finish();
}
