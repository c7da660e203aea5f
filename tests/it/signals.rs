//! Signals that interrupt every sleep a thousand times a second.

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::{Duration, Instant};

use ringway::spsc::{Consumer, Producer};
use ringway::{RecvTimeoutError, SendTimeoutError, Wait};

use crate::util::child::{Child, hear, say};
use crate::util::view::View;
use crate::util::{LONG, NO_RECHECK, Name, eventually, os};

static ALARMS: AtomicU32 = AtomicU32::new(0);

extern "C" fn count(_: i32) {
    ALARMS.fetch_add(1, Relaxed);
}

fn storm() {
    os::on_signal(libc::SIGALRM, count);
    os::alarm_every(1_000);
}

pub fn play(role: &str, arguments: &[&str]) {
    storm();
    let name = arguments[0];
    match role {
        "time out" => time_out(name),
        "receive" => {
            let options = Consumer::<u64>::options().recheck(NO_RECHECK).wait(Wait::Park);
            let mut consumer = options.open(name).unwrap();
            for n in 0..20 {
                assert_eq!(consumer.recv_timeout(LONG), Ok(n));
                say(&n.to_string());
            }
            hear();
            assert!(ALARMS.load(Relaxed) > 0);
        }
        "make" => {
            for _ in 0..200 {
                let name = format!("{name}.made");
                let producer = Producer::<u64>::options().capacity(1 << 16).replace(&name).unwrap();
                drop(Consumer::<u64>::options().open(&name).unwrap());
                drop(producer);
                Producer::<u64>::options().unlink(&name).unwrap();
            }
            assert!(ALARMS.load(Relaxed) > 0, "too fast for the storm");
        }
        _ => panic!("no role {role}"),
    }
}

#[test]
fn a_time_limit_is_kept_through_a_storm_of_signals() {
    let name = Name::new("storm");
    Child::spawn("signals::time out", &[&name]).finish();
}

fn time_out(name: &str) {
    for wait in [Wait::SpinThenPark, Wait::Park] {
        let options = Producer::<u64>::options().capacity(1).wait(wait).recheck(NO_RECHECK);
        let mut producer = options.replace(name).unwrap();
        let options = Consumer::<u64>::options().wait(wait).recheck(NO_RECHECK);
        let mut consumer = options.open(name).unwrap();
        let limit = Duration::from_millis(300);
        let (start, before) = (Instant::now(), ALARMS.load(Relaxed));
        assert_eq!(consumer.recv_timeout(limit), Err(RecvTimeoutError::Timeout));
        let took = start.elapsed();
        assert!(took >= limit && took < 10 * limit, "{wait:?}: {took:?}");
        assert!(ALARMS.load(Relaxed) - before > 30, "there was no storm");
        producer.send(1).unwrap();
        let start = Instant::now();
        assert_eq!(producer.send_timeout(2, limit), Err(SendTimeoutError::Timeout(2)));
        let took = start.elapsed();
        assert!(took >= limit && took < 10 * limit, "{wait:?}: {took:?}");
    }
}

#[test]
fn a_sleeper_in_a_storm_of_signals_gets_each_value() {
    let name = Name::new("storm");
    let mut producer = Producer::<u64>::options().create(&name).unwrap();
    let view = View::open(name.path());
    let mut child = Child::spawn("signals::receive", &[&name]);
    for n in 0..20 {
        assert!(eventually(LONG, || view.consumer_waits(0)));
        producer.send(n).unwrap();
        child.expect(&n.to_string());
    }
    child.tell("done");
    child.finish();
}

#[test]
fn making_and_opening_go_through_in_a_storm_of_signals() {
    let name = Name::new("storm");
    Child::spawn("signals::make", &[&name]).finish();
}
