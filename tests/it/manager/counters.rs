//! What a server has counted, as others read it.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;

use ringway::ErrorKind;
use ringway::manager::{Client, Counts, Inspection, Inspector, Server, ServerState, inspect};

use super::{Gate, left, register, serve};
use crate::util::child::{Child, hear, say};
use crate::util::{Directory, LONG, Name, eventually};

pub fn play(role: &str, arguments: &[&str]) {
    assert_eq!(role, "serve");
    let mut server = Server::bind(arguments[0]).unwrap();
    register(&mut server);
    let server = server.spawn();
    let client = server.client().unwrap();
    let gate = client.create_object::<Gate>(Some("gate"), &()).unwrap();
    gate.call::<u64>("add", &1u64).unwrap();
    say("serving");
    hear();
    drop((gate, client));
    server.shutdown().unwrap();
}

/// What was counted of the object of that name.
fn of(found: &Inspection, name: &str) -> Counts {
    let object = found.objects.iter().find(|object| object.name == name);
    object.unwrap_or_else(|| panic!("no {name} in {found:?}")).counts
}

#[test]
fn calls_errors_waits_leases_and_references_are_counted_and_gone_with_whose_they_are() {
    let name = Name::new("counted");
    let server = serve(&name);
    let client = Client::connect(&name).unwrap();
    let gate = client.create_object::<Gate>(Some("gate"), &()).unwrap();
    for number in 1..=3u64 {
        assert_eq!(gate.call::<u64>("add", &1u64).unwrap(), number);
    }
    gate.call::<()>("refuse", &()).unwrap_err();
    gate.call_with::<()>("enter", |_| Ok(())).unwrap();
    let other = Client::connect(&name).unwrap();
    let waiting = other.create_object::<Gate>(Some("gate"), &()).unwrap();
    let waiter = thread::spawn(move || waiting.call_with::<()>("enter", |_| Ok(())));
    let seen = || of(&inspect(&name).unwrap(), "gate");
    assert!(eventually(LONG, || seen().waiting == 1));
    let counts = seen();
    assert_eq!((counts.calls, counts.errors, counts.leases, counts.references), (6, 1, 1, 2));
    let found = inspect(&name).unwrap();
    assert_eq!(found.state, ServerState::Serving);
    assert_eq!((found.sessions.len(), found.objects.len()), (2, 1));
    assert_eq!(found.objects[0].type_name, "gate");
    let mut calls: Vec<u64> = found.sessions.iter().map(|session| session.counts.calls).collect();
    calls.sort_unstable();
    assert_eq!(calls, [1, 5]);
    assert!(found.sessions.iter().all(|session| session.counts.references == 1));
    assert_eq!((found.total.calls, found.total.errors, found.total.references), (6, 1, 2));

    gate.call_with::<()>("leave", |_| Ok(())).unwrap();
    waiter.join().unwrap().unwrap();
    drop((gate, client, other));
    let nobody = || {
        let found = inspect(&name).unwrap();
        found.sessions.is_empty() && found.objects.is_empty()
    };
    assert!(eventually(LONG, nobody), "{:?}", inspect(&name));
    assert_eq!(inspect(&name).unwrap().total.references, 0);
    server.shutdown().unwrap();
    assert_eq!(inspect(&name).unwrap_err().kind(), &ErrorKind::NotFound);
    assert_eq!(left(&name), [""; 0]);
}

#[test]
fn a_server_is_not_asked_be_it_stopped_or_dead_and_its_successor_counts_anew() {
    let name = Name::new("counted-dead");
    let server = Child::spawn("manager::counters::serve", &[&name]);
    server.expect("serving");
    server.signal(libc::SIGSTOP);
    let stopped = inspect(&name).unwrap();
    assert_eq!((stopped.state, of(&stopped, "gate").calls), (ServerState::Serving, 1));
    server.kill();
    for _ in 0..3 {
        // Whoever looks takes a member's number meanwhile, the dead one's too.
        let died = inspect(&name).unwrap();
        assert_eq!((died.state, of(&died, "gate").calls), (ServerState::Died, 1));
        assert_eq!(died.incarnation, stopped.incarnation);
    }
    let server = serve(&name);
    let found = inspect(&name).unwrap();
    assert_eq!((found.state, found.total.calls), (ServerState::Serving, 0));
    assert_ne!(found.incarnation, stopped.incarnation);
    server.shutdown().unwrap();
    assert_eq!(left(&name), [""; 0]);
}

#[test]
fn a_row_is_about_one_object_whatever_comes_and_goes() {
    let name = Name::new("counted-churn");
    let server = serve(&name);
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        let looks = scope.spawn(|| {
            let mut seen = 0;
            while !over.load(Relaxed) || seen == 0 {
                for object in inspect(&name).unwrap().objects {
                    let most: u64 = object.name.parse().expect("it has the number of its calls");
                    assert!(object.counts.calls <= most, "{object:?}");
                    seen += 1;
                }
            }
        });
        let client = Client::connect(&name).unwrap();
        for number in 0..300u64 {
            let calls = number % 7;
            let gate = client.create_object::<Gate>(Some(&calls.to_string()), &()).unwrap();
            for _ in 0..calls {
                gate.call::<u64>("add", &1u64).unwrap();
            }
        }
        over.store(true, Relaxed);
        // The last may be gone before anybody looked.
        let gate = client.create_object::<Gate>(Some("7"), &()).unwrap();
        looks.join().unwrap();
        drop(gate);
    });
    server.shutdown().unwrap();
}

#[test]
fn a_server_elsewhere_is_found_there() {
    let directory = Directory::in_memory("counted-elsewhere");
    let name = Name::new("counted-elsewhere");
    let options = Server::options().directory(directory.path()).namespace("there");
    let server = options.bind(&name).unwrap().spawn();
    assert_eq!(inspect(&name).unwrap_err().kind(), &ErrorKind::NotFound);
    let there = Inspector::new().directory(directory.path()).namespace("there");
    assert_eq!(there.inspect(&name).unwrap().state, ServerState::Serving);
    server.shutdown().unwrap();
    assert_eq!(directory.listing(), [""; 0]);
}

#[test]
fn a_server_that_never_served_is_none_though_it_may_be_told_to_shut_down() {
    let name = Name::new("never-served");
    let server = Server::bind(&name).unwrap();
    let shutdown = server.shutdown_handle();
    drop(server);
    assert_eq!(inspect(&name).unwrap_err().kind(), &ErrorKind::NotFound);
    assert_eq!(left(&name), [""; 0]);
    shutdown.shutdown();
}
