//! Servers that are killed, stopped, shut down, and followed by others.

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::thread;
use std::time::Duration;

use ringway::manager::{BindError, CallError, Client, Server};

use super::super::{Gate, left, serve};
use crate::util::child::{Child, state_of};
use crate::util::{LONG, Name, PROMPT, Random, eventually, within};

#[test]
fn who_calls_a_server_that_is_killed_is_told_and_finds_its_successor() {
    let name = Name::new("killed-server");
    let server = Child::spawn("manager::deaths::serve", &[&name]);
    server.expect("serving");
    let client = Client::connect(&name).unwrap();
    let value = client.value::<u64>("number", &1).unwrap();
    let gate = client.create_object::<Gate>(Some("gate"), &()).unwrap();
    gate.call_with::<()>("enter", |_| Ok(())).unwrap();
    let waiting = gate.clone();
    let waiter = thread::spawn(move || waiting.call_with::<()>("enter", |_| Ok(())));
    while gate.call_with::<usize>("waiting", |_| Ok(())).unwrap() == 0 {
        thread::yield_now();
    }
    server.kill();
    let told = within(PROMPT, || waiter.join().unwrap());
    assert!(matches!(told, Err(CallError::ServerGone)), "{told:?}");
    let told = within(PROMPT, || value.get());
    assert!(matches!(told, Err(CallError::ServerGone)), "{told:?}");
    let told = within(PROMPT, || client.new_value(&1u64));
    assert!(matches!(told, Err(CallError::NoServer)), "{told:?}");

    let server = Child::spawn("manager::deaths::serve", &[&name]);
    server.expect("serving");
    let told = within(PROMPT, || value.get());
    assert!(matches!(told, Err(CallError::Stale)), "{told:?}");
    let anew = client.value::<u64>("number", &2).unwrap();
    assert_eq!(anew.get().unwrap(), 2);
    assert_ne!(anew, value, "whatever its number");
    let stored = client.new_value(&vec![value.clone()]);
    assert!(matches!(stored, Err(CallError::Unserializable(_))), "{stored:?}");
    let told = within(PROMPT, || value.set(&3));
    assert!(matches!(told, Err(CallError::Stale)), "{told:?}");
    assert_eq!(anew.get().unwrap(), 2);
    drop((anew, value, gate, client));
    server.kill();
    // The next takes over what a killed one leaves, and leaves nothing itself.
    serve(&name).shutdown().unwrap();
    assert_eq!(left(&name), [""; 0]);
}

#[test]
fn whenever_a_server_is_killed_its_clients_are_told_and_go_on_with_the_next() {
    let name = Name::new("killed-servers");
    let mut random = Random(5);
    let mut client = None;
    for _ in 0..6 {
        let server = Child::spawn("manager::deaths::serve", &[&name]);
        server.expect("serving");
        let connected = || Client::options().capacity(4096).connect(&name).unwrap();
        let client: &Client = client.get_or_insert_with(connected);
        // Of the last server it is known only now that it is gone, if that was not seen in a call.
        let start = || client.value::<u64>("sum", &0);
        let sum = start().or_else(|_| start()).unwrap();
        assert_eq!(sum.get().unwrap(), 0, "nothing is left of the last one's objects");
        let calls = AtomicU64::new(0);
        let limit = 10 + random.below(500) as u64;
        thread::scope(|scope| {
            let callers = [(); 2].map(|()| {
                scope.spawn(|| {
                    loop {
                        match sum.update(|n| n + 1) {
                            Ok(_) => _ = calls.fetch_add(1, Relaxed),
                            Err(CallError::ServerGone | CallError::Stale) => break,
                            Err(other) => panic!("{other:?}"),
                        }
                        let text = "x".repeat(random_len(calls.load(Relaxed)));
                        match client.new_value(&text).and_then(|value| value.get()) {
                            Ok(back) => assert_eq!(back, text),
                            Err(CallError::ServerGone | CallError::NoServer | CallError::Stale) => {
                            }
                            Err(other) => panic!("{other:?}"),
                        }
                    }
                })
            });
            assert!(eventually(LONG, || calls.load(Relaxed) >= limit));
            server.kill();
            within(PROMPT, || callers.map(|caller| caller.join().unwrap()));
        });
        let told = within(PROMPT, || sum.get());
        assert!(matches!(told, Err(CallError::ServerGone)), "{told:?}");
    }
    drop(client);
    serve(&name).shutdown().unwrap();
    assert_eq!(left(&name), [""; 0]);
}

/// Some short, some in parts.
fn random_len(n: u64) -> usize {
    usize::try_from(n * 7919 % 6000).unwrap()
}

#[test]
fn who_calls_a_server_that_is_stopped_waits_no_longer_than_it_would() {
    let name = Name::new("stopped-server");
    let server = Child::spawn("manager::deaths::serve", &[&name]);
    server.expect("serving");
    let client = Client::connect(&name).unwrap();
    let gate = client.create_object::<Gate>(Some("gate"), &()).unwrap();
    assert_eq!(gate.call::<u64>("add", &1u64).unwrap(), 1);
    server.signal(libc::SIGSTOP);
    assert!(eventually(LONG, || state_of(server.pid()) == Some('T')));
    let add = |more: u64| gate.call_timeout::<u64>("add", PROMPT / 100, |to| to.put(&more));
    let told = within(PROMPT, || add(10));
    assert!(matches!(told, Err(CallError::TimedOut)), "{told:?}");
    let told = within(PROMPT, || add(10));
    assert!(matches!(told, Err(CallError::TimedOut)), "it must connect: {told:?}");
    server.signal(libc::SIGCONT);
    // Nobody knows whether that call was carried out, but its answer is nobody else's.
    let now = within(PROMPT, || gate.call::<u64>("add", &100u64)).unwrap();
    assert!([101, 111].contains(&now), "{now}");
    let mutex = client.mutex("mutex").unwrap();
    let guard = mutex.lock().unwrap();
    server.signal(libc::SIGSTOP);
    assert!(eventually(LONG, || state_of(server.pid()) == Some('T')));
    drop(guard);
    let told = within(PROMPT, || mutex.lock_timeout(PROMPT / 100).is_err());
    assert!(told, "it comes after the guard that was dropped");
    server.signal(libc::SIGCONT);
    drop(within(PROMPT, || mutex.lock()).unwrap());
    drop(mutex);
    drop((gate, client));
    let mut server = server;
    server.tell("end");
    server.finish();
    assert_eq!(left(&name), [""; 0]);
}

/// Also once clients have come and gone.
#[test]
fn a_server_that_has_nothing_to_do_sleeps() {
    let name = Name::new("idle-server");
    let mut server = Child::spawn("manager::deaths::serve", &[&name]);
    server.expect("serving");
    let client = Client::connect(&name).unwrap();
    drop(Client::connect(&name).unwrap().new_value(&1u64).unwrap());
    let gate = client.create_object::<Gate>(Some("gate"), &()).unwrap();
    gate.call_with::<()>("enter", |_| Ok(())).unwrap();
    let before = ticks(server.pid());
    let second = Duration::from_secs(1);
    let told = gate.call_timeout::<()>("enter", second, |_| Ok(()));
    assert!(matches!(told, Err(CallError::TimedOut)), "{told:?}");
    let taken = ticks(server.pid()) - before;
    assert!(taken < 10, "of a hundred a second: {taken}");
    drop((gate, client));
    server.tell("end");
    server.finish();
}

/// How long a process ran so far, in user mode and in the kernel, in hundredths of a second.
fn ticks(pid: i32) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let fields = stat.rsplit(')').next().unwrap().split_whitespace();
    fields.skip(11).take(2).map(|field| field.parse::<u64>().unwrap()).sum()
}

#[test]
fn who_calls_a_server_that_shuts_down_is_told_so() {
    let name = Name::new("shut-down");
    let server = serve(&name);
    let client = Client::connect(&name).unwrap();
    let gate = client.create_object::<Gate>(Some("gate"), &()).unwrap();
    gate.call_with::<()>("enter", |_| Ok(())).unwrap();
    let waiting = gate.clone();
    let waiter = thread::spawn(move || waiting.call_with::<()>("enter", |_| Ok(())));
    while gate.call_with::<usize>("waiting", |_| Ok(())).unwrap() == 0 {
        thread::yield_now();
    }
    server.shutdown().unwrap();
    let told = within(PROMPT, || waiter.join().unwrap());
    assert!(matches!(told, Err(CallError::ShutDown)), "{told:?}");
    let told = gate.call::<u64>("add", &1u64);
    assert!(matches!(told, Err(CallError::ShutDown)), "{told:?}");
    let told = gate.call::<u64>("add", &1u64);
    assert!(matches!(told, Err(CallError::ShutDown)), "still: {told:?}");
    let told = client.new_value(&1u64);
    assert!(matches!(told, Err(CallError::NoServer)), "{told:?}");
    let told = Client::connect(&name);
    assert!(matches!(told, Err(CallError::NoServer)), "{told:?}");
    drop((gate, client));
    assert_eq!(left(&name), [""; 0]);
}

#[test]
fn a_name_has_one_server_until_that_one_is_dead() {
    let name = Name::new("one-server");
    let server = Child::spawn("manager::deaths::serve", &[&name]);
    server.expect("serving");
    let second = Server::bind(&name);
    assert!(matches!(second, Err(BindError::AlreadyServed)), "{second:?}");
    let client = Client::connect(&name).unwrap();
    assert_eq!(client.new_value(&1u64).unwrap().get().unwrap(), 1, "it was left alone");
    server.kill();
    let second = Server::bind(&name).unwrap();
    let third = Server::bind(&name);
    assert!(matches!(third, Err(BindError::AlreadyServed)), "{third:?}");
    drop(second);
    serve(&name).shutdown().unwrap();
    drop(client);
    assert_eq!(left(&name), [""; 0]);
}
