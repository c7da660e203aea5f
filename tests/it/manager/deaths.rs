//! Whoever is killed: clients are told, what they had comes back, and nothing is left lying.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::thread;
use std::time::Duration;

use ringway::manager::{BindError, CallError, Client, LockError, ReentrantGuard, Server, Value};

use super::{Gate, counts, left, register, serve};
use crate::util::child::{Child, hear, say, state_of};
use crate::util::os::in_fork;
use crate::util::{LONG, Name, PROMPT, Random, eventually, within};

pub fn play(role: &str, arguments: &[&str]) {
    let name = arguments[0];
    match role {
        "serve" => {
            let mut server = Server::bind(name).unwrap();
            register(&mut server);
            let server = server.spawn();
            say("serving");
            hear();
            server.shutdown().unwrap();
        }
        "enter" => {
            let client = Client::connect(name).unwrap();
            let gate = client.create_object::<Gate>(Some("gate"), &()).unwrap();
            say("there");
            gate.call_with::<()>("enter", |_| Ok(())).unwrap();
            say("in");
            hear();
        }
        "busy" => {
            let client = Client::options().capacity(4096).connect(name).unwrap();
            say("busy");
            let mut kept: Vec<Value<Vec<Value<u64>>>> = Vec::new();
            for n in 0u64.. {
                let value = client.new_value(&n).unwrap();
                kept.push(client.new_value(&vec![value.clone(), value]).unwrap());
                let sum = client.value::<Vec<u64>>("sum", &Vec::new()).unwrap();
                sum.set(&vec![n; (n % 1000) as usize]).unwrap();
                if kept.len() > 5 {
                    kept.clear();
                }
            }
        }
        "fork" => fork(name),
        _ => panic!("no role {role}"),
    }
}

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

#[test]
fn what_a_killed_client_had_goes_to_the_next() {
    let name = Name::new("killed-owner");
    let server = serve(&name);
    let client = server.client().unwrap();
    let gate = client.create_object::<Gate>(Some("gate"), &()).unwrap();
    let owner = Child::spawn("manager::deaths::enter", &[&name]);
    owner.expect("there");
    owner.expect("in");
    let waiters = [(); 2].map(|()| Child::spawn("manager::deaths::enter", &[&name]));
    for waiter in &waiters {
        waiter.expect("there");
    }
    let waiting = || gate.call_with::<usize>("waiting", |_| Ok(())).unwrap();
    assert!(eventually(LONG, || waiting() == 2));
    assert_eq!(counts(&name), (4, 1, 2, 1));
    let [first, second] = waiters;
    first.kill();
    assert!(eventually(LONG, || waiting() == 1));
    owner.kill();
    second.expect("in");
    second.kill();
    let log = || gate.call_with::<Vec<String>>("log", |_| Ok(())).unwrap();
    assert!(eventually(LONG, || log().len() == 4), "{:?}", log());
    assert_eq!(log()[0], "cancelled");
    assert!(log()[1..].iter().all(|line| line == "died"), "{:?}", log());
    assert!(eventually(LONG, || counts(&name) == (1, 1, 0, 0)), "{:?}", counts(&name));
}

#[test]
fn whenever_clients_are_killed_nothing_of_them_is_left() {
    let name = Name::new("killed-clients");
    let server = serve(&name);
    let client = server.client().unwrap();
    let mut random = Random(7);
    for _ in 0..6 {
        let children = [(); 2].map(|()| Child::spawn("manager::deaths::busy", &[&name]));
        for child in &children {
            child.expect("busy");
        }
        let moves = random.below(3000);
        let value = client.new_value(&0usize).unwrap();
        for n in 0..moves {
            value.set(&n).unwrap();
            assert_eq!(value.get().unwrap(), n, "others do not notice");
        }
        children.into_iter().for_each(Child::kill);
    }
    assert!(eventually(LONG, || counts(&name) == (1, 0, 0, 0)), "{:?}", counts(&name));
    let names = ["", ".counters", ".server"].map(|what| format!("{}{what}", &*name));
    assert!(eventually(LONG, || left(&name) == names), "{:?}", left(&name));
    drop(client);
    server.shutdown().unwrap();
    assert_eq!(left(&name), [""; 0]);
}

#[test]
fn a_call_that_unwinds_or_is_given_up_is_never_answered_with_anothers_answer() {
    struct Fuse;
    impl serde::Serialize for Fuse {
        fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            panic!("while it is written")
        }
    }
    impl<'de> serde::Deserialize<'de> for Fuse {
        fn deserialize<D: serde::Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
            panic!("while it is read")
        }
    }

    let name = Name::new("interrupted");
    let server = serve(&name);
    let client = server.client().unwrap();
    let gate = client.create_object::<Gate>(Some("gate"), &()).unwrap();
    gate.call_with::<()>("enter", |_| Ok(())).unwrap();
    for n in 1..20u64 {
        let unwound = catch_unwind(AssertUnwindSafe(|| match n % 3 {
            0 => drop(gate.call::<u64>("add", &Fuse)),
            1 => drop(gate.call::<Fuse>("log", &())),
            _ => drop(gate.call_timeout::<()>("enter", Duration::ZERO, |_| Ok(()))),
        }));
        assert_eq!(unwound.is_err(), n % 3 != 2);
        assert_eq!(gate.call::<u64>("add", &1u64).unwrap(), n);
    }
    drop((gate, client));
    let client = server.client().unwrap();
    assert!(eventually(LONG, || counts(&name) == (1, 0, 0, 0)), "{:?}", counts(&name));
    drop(client);
}

#[test]
fn a_value_whose_reading_unwinds_gives_back_what_came_with_it_once() {
    #[derive(serde::Serialize)]
    struct Holding(Value<u64>);
    impl<'de> serde::Deserialize<'de> for Holding {
        fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
            let _value = Value::<u64>::deserialize(from)?;
            panic!("while it is read")
        }
    }

    let name = Name::new("unwound");
    let server = serve(&name);
    let client = server.client().unwrap();
    let gate = client.create_object::<Gate>(None, &()).unwrap();
    let value = client.new_value(&7u64).unwrap();
    for _ in 0..3 {
        let echo = || gate.call_with::<Holding>("echo", |to| to.value(&value));
        assert!(catch_unwind(AssertUnwindSafe(echo)).is_err());
    }
    assert_eq!(value.get().unwrap(), 7, "this handle of it is as good as before");
    drop((value, gate));
    let other = server.client().unwrap();
    assert!(eventually(LONG, || counts(&name) == (2, 0, 0, 0)), "{:?}", counts(&name));
    drop((client, other));
}

#[test]
fn a_forked_child_has_nothing_of_client_and_server_and_spoils_nothing() {
    let name = Name::new("forked");
    Child::spawn("manager::deaths::fork", &[&name]).finish();
}

fn fork(name: &str) {
    let mut server = Some(Server::bind(name).unwrap().spawn());
    let client = Client::connect(name).unwrap();
    let value = client.value::<u64>("number", &1).unwrap();
    let mut things = Some((client.clone(), value.clone()));
    let again = client.reentrant_mutex("again").unwrap();
    let held = again.lock().unwrap();
    let code = in_fork(|| {
        let forked = |told: Result<(), CallError>| matches!(told, Err(CallError::Forked));
        let all = [
            forked(value.set(&2)),
            forked(value.get().map(drop)),
            forked(client.new_value(&1u64).map(drop)),
            forked(client.remove("number").map(drop)),
            // This thread of the child has nothing of what the parent's has.
            taken_in_fork(&again.lock()),
            taken_in_fork(&again.try_lock()),
        ];
        drop(things.take());
        server.as_ref().unwrap().shutdown_handle().shutdown();
        drop(server.take());
        i32::from(!all.iter().all(|one| *one))
    });
    assert_eq!(code, 0);
    assert_eq!(value.get().unwrap(), 1);
    let twice = again.lock().unwrap();
    drop(held);
    assert!(again.is_locked().unwrap(), "it was taken twice, by this process");
    twice.unlock().unwrap();
    assert!(!again.is_locked().unwrap());
    drop((things, again, client, value));
    server.unwrap().shutdown().unwrap();
}

/// Whether it was refused because the process forked.
fn taken_in_fork(taken: &Result<ReentrantGuard<'_>, LockError<ReentrantGuard<'_>>>) -> bool {
    matches!(taken, Err(LockError::Failed(CallError::Forked)))
}

#[test]
fn sixty_four_clients_are_served_by_several_loops() {
    let name = Name::new("many");
    let server = serve(&name);
    let connect = || Client::options().capacity(4096).connect(&name).unwrap();
    let clients: Vec<Client> = (0..64).map(|_| connect()).collect();
    let sums: Vec<Value<u64>> =
        clients.iter().map(|client| client.value("sum", &0).unwrap()).collect();
    thread::scope(|scope| {
        for sum in &sums {
            scope.spawn(|| (0..3).for_each(|_| _ = sum.update(|n| n + 1).unwrap()));
        }
    });
    assert_eq!(sums[63].get().unwrap(), 192);
    assert_eq!(counts(&name), (64, 1, 0, 0));
    drop((sums, clients));
    let client = server.client().unwrap();
    assert!(eventually(LONG, || counts(&name) == (1, 0, 0, 0)), "{:?}", counts(&name));
    drop(client);
}
