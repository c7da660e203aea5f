//! Traffic without system calls: a process that the kernel kills at the first one sends a million values.
//!
//! Who keeps trying in vain looks whether its peer lives once in a recheck interval, and that takes calls:
//! here the interval is longer than the test.

use ringway::spsc::{Consumer, Producer};
use ringway::{Barrier, Wait};

use crate::util::child::{Child, hear, say};
use crate::util::view::View;
use crate::util::{LONG, NO_RECHECK, Name, eventually, os};

const COUNT: u64 = 1_000_000;
/// What the role ends with if the trap killed the process in it.
const KILLED: i32 = 9;

/// The trap is for one thread, and the harness has two: so it is set in a forked child, which has one.
pub fn play(role: &str, arguments: &[&str]) {
    let code = os::in_fork(|| trapped_role(role, arguments[0]));
    std::process::exit(if code == 1000 + libc::SIGSYS { KILLED } else { code })
}

/// Opens its end, says so, waits for the word, and from then on makes no system call but the last.
fn trapped_role(role: &str, name: &str) -> ! {
    let (mut producer, mut consumer) = (None, None);
    match role {
        "send" | "wake" => {
            producer = Some(Producer::<u64>::options().recheck(NO_RECHECK).open(name).unwrap());
        }
        "receive" => {
            consumer = Some(Consumer::<u64>::options().recheck(NO_RECHECK).open(name).unwrap());
        }
        _ => panic!("no role {role}"),
    }
    say("ready");
    hear();
    os::allow_no_calls();
    let mut n = 0;
    if let Some(producer) = &mut producer {
        if role == "wake" {
            os::exit_thread(i32::from(producer.try_send(1).is_err()));
        }
        while n < COUNT {
            n += u64::from(producer.try_send(n).is_ok());
        }
    }
    if let Some(consumer) = &mut consumer {
        while n < COUNT {
            match consumer.try_recv() {
                Ok(value) if value == n => n += 1,
                Ok(_) => os::exit_thread(3),
                Err(_) => {}
            }
        }
    }
    os::exit_thread(0)
}

#[test]
fn a_million_sends_with_nobody_waiting_make_no_system_call() {
    for barrier in [Barrier::Auto, Barrier::Fence] {
        let name = Name::new("calls");
        let options = Consumer::<u64>::options().capacity(1 << 12).barrier(barrier);
        let mut consumer = options.create(&name).unwrap();
        let mut child = Child::spawn("syscalls::send", &[&name]);
        child.expect("ready");
        child.tell("go");
        let mut next = 0;
        let all = eventually(LONG, || {
            while let Ok(value) = consumer.try_recv() {
                assert_eq!(value, next);
                next += 1;
            }
            next == COUNT
        });
        assert_eq!((child.code(), all, next), (0, true, COUNT), "{barrier:?}");
    }
}

#[test]
fn a_million_receives_with_nobody_waiting_make_no_system_call() {
    for barrier in [Barrier::Auto, Barrier::Fence] {
        let name = Name::new("calls");
        let options = Producer::<u64>::options().capacity(1 << 12).barrier(barrier);
        let mut producer = options.create(&name).unwrap();
        let mut child = Child::spawn("syscalls::receive", &[&name]);
        child.expect("ready");
        child.tell("go");
        let mut next = 0;
        let all = eventually(LONG, || {
            while next < COUNT && producer.try_send(next).is_ok() {
                next += 1;
            }
            next == COUNT
        });
        assert!(all, "the receiver stopped after {next} values");
        assert_eq!(child.code(), 0, "{barrier:?}");
    }
}

#[test]
fn the_trap_sees_the_call_that_wakes_a_sleeper() {
    let name = Name::new("calls");
    let options = Consumer::<u64>::options().wait(Wait::Park).recheck(NO_RECHECK);
    let mut consumer = options.create(&name).unwrap();
    let view = View::open(name.path());
    let mut child = Child::spawn("syscalls::wake", &[&name]);
    child.expect("ready");
    std::thread::scope(|scope| {
        let sleeper = scope.spawn(|| consumer.recv_timeout(LONG));
        assert!(eventually(LONG, || view.consumer_waits(0)));
        child.tell("go");
        assert_eq!(child.code(), KILLED);
        let mut rescuer = Producer::<u64>::options().open(&name).unwrap();
        rescuer.send(2).unwrap();
        let received = sleeper.join().unwrap();
        assert_eq!(received, Ok(1), "what was accepted before the kill is there");
    });
}
