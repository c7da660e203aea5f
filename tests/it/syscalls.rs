//! Traffic without system calls: a process that the kernel kills at the first one sends a million values.
//!
//! Who keeps trying in vain looks whether its peer lives once in a recheck interval, and that takes calls:
//! here the interval is longer than the test.

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

use ringway::block::Block;
use ringway::queue::Queue;
use ringway::spsc::{Consumer, Producer};
use ringway::sync::{Flag, Mutex, Permits, ReentrantMutex, RwLock, Semaphore};
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
        "queue send" | "queue receive" => trapped_in_queue(role, name),
        "locks" => trapped_with_locks(name),
        "block" => trapped_with_block(name),
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

/// Takes locks of each kind that nobody else wants, and gives them back, a hundred thousand times.
fn trapped_with_locks(name: &str) -> ! {
    let block = Block::options().recheck(NO_RECHECK).open(name).unwrap();
    let (mutex, lock) =
        (Mutex::<u64>::at(&block, 0).unwrap(), RwLock::<u64>::at(&block, 1024).unwrap());
    let again = ReentrantMutex::<u64>::at(&block, 64).unwrap();
    let semaphore = Semaphore::at(&block, 128, 1, 1).unwrap();
    let flag = Flag::at(&block, 192).unwrap();
    let permits = Permits::at(&block, 256, 1).unwrap();
    say("ready");
    hear();
    // The first permit that is given back asks once whether anybody sleeps.
    drop(permits.acquire());
    os::allow_no_calls();
    for _ in 0..100_000 {
        *mutex.lock().unwrap() += 1;
        drop((again.lock().unwrap(), again.lock().unwrap()));
        let number = *lock.read().unwrap();
        *lock.write().unwrap() = number + 1;
        semaphore.acquire().unwrap();
        semaphore.release(1).unwrap();
        drop(permits.acquire().unwrap());
        flag.set().unwrap();
        flag.wait().unwrap();
        flag.clear().unwrap();
    }
    let whole = mutex.lock().is_ok_and(|count| *count == 100_000);
    os::exit_thread(i32::from(!whole))
}

#[test]
fn locks_that_nobody_waits_for_make_no_system_call() {
    let name = Name::new("calls");
    let block = Block::create(&name, 4096).unwrap();
    let mut child = Child::spawn("syscalls::locks", &[&name]);
    child.expect("ready");
    child.tell("go");
    assert_eq!(child.code(), 0);
    drop(block);
}

/// Makes no system call in a hundred thousand accesses of each kind.
fn trapped_with_block(name: &str) -> ! {
    let block = Block::open(name).unwrap();
    let (view, row) = (block.view::<u64>(0).unwrap(), block.slice_view::<[u8; 3]>(8, 9).unwrap());
    let word = block.atomic::<AtomicU64>(64).unwrap();
    let mut bytes = [0; 1000];
    say("ready");
    hear();
    os::allow_no_calls();
    let mut works = true;
    for n in 0..100_000 {
        works &= view.set(n).is_ok() && view.get() == Ok(n);
        works &= row.set(8, [1, 2, 3]).is_ok() && row.get(8) == Ok([1, 2, 3]);
        works &= block.write_at(100, &bytes).is_ok() && block.read_at(100, &mut bytes).is_ok();
        works &= word.swap(n + 1, Relaxed) == n;
    }
    os::exit_thread(i32::from(!works))
}

#[test]
fn access_to_a_block_makes_no_system_call() {
    let name = Name::new("calls");
    let block = Block::create(&name, 2000).unwrap();
    let mut child = Child::spawn("syscalls::block", &[&name]);
    child.expect("ready");
    child.tell("go");
    assert_eq!(child.code(), 0);
    drop(block);
}

/// The same for a queue: sends or receives a million values through a handle and its clone, by every other way.
fn trapped_in_queue(role: &str, name: &str) -> ! {
    let queue = Queue::<u64>::options().recheck(NO_RECHECK).open(name).unwrap();
    let (sender, receiver) = (queue.sender(), queue.receiver());
    let (senders, receivers) = ([&sender, &sender.clone()], [&receiver, &receiver.clone()]);
    say("ready");
    hear();
    os::allow_no_calls();
    let (mut n, mut buffer) = (0, [0; 3]);
    while n < COUNT {
        let which = usize::from(n % 2 == 1);
        if role == "queue send" {
            n += match n % 5 {
                0 => senders[which].try_send_batch(&[n, n + 1, n + 2]).unwrap_or(0) as u64,
                1 => senders[which].try_reserve().map_or(0, |mut grant| {
                    *grant = n;
                    u64::from(grant.commit().is_ok())
                }),
                _ => u64::from(senders[which].try_send(n).is_ok()),
            };
            continue;
        }
        let expected = [n, n + 1, n + 2];
        let count = match n % 5 {
            0 => receivers[which].try_recv_batch(&mut buffer).unwrap_or(0),
            1 => receivers[which].try_recv_guard().map_or(0, |delivery| {
                buffer[0] = *delivery;
                delivery.ack();
                1
            }),
            _ => receivers[which].try_recv().map_or(0, |value| {
                buffer[0] = value;
                1
            }),
        };
        if buffer[..count] != expected[..count] {
            os::exit_thread(3);
        }
        n += count as u64;
    }
    os::exit_thread(0)
}

#[test]
fn a_million_sends_to_a_queue_where_nobody_waits_make_no_system_call() {
    let name = Name::new("calls");
    let queue = Queue::<u64>::options().capacity(1 << 12).create(&name).unwrap();
    let receiver = queue.receiver();
    let mut child = Child::spawn("syscalls::queue send", &[&name]);
    child.expect("ready");
    child.tell("go");
    let mut next = 0;
    let all = eventually(LONG, || {
        while let Ok(value) = receiver.try_recv() {
            assert_eq!(value, next);
            next += 1;
        }
        next >= COUNT
    });
    assert_eq!((child.code(), all), (0, true), "after {next} values");
}

#[test]
fn a_million_receives_from_a_queue_where_nobody_waits_make_no_system_call() {
    let name = Name::new("calls");
    let queue = Queue::<u64>::options().capacity(1 << 12).create(&name).unwrap();
    let sender = queue.sender();
    let mut child = Child::spawn("syscalls::queue receive", &[&name]);
    child.expect("ready");
    child.tell("go");
    let mut next = 0;
    let all = eventually(LONG, || {
        while next < COUNT + 3 && sender.try_send(next).is_ok() {
            next += 1;
        }
        next == COUNT + 3
    });
    assert!(all, "the receiver stopped after {next} values");
    assert_eq!(child.code(), 0);
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
