//! A server that is short of threads or descriptors.

use std::time::Duration;

use ringway::ErrorKind;
use ringway::manager::{BindError, CallError, Client, LockError, Refusal, Server, Value, inspect};

use super::left;
use crate::util::child::{Child, hear, say};
use crate::util::{LONG, Name, PROMPT, eventually, os, within};

/// Longer than a client that is killed takes to be gone, and what it had to come back.
const GONE: Duration = Duration::from_secs(20);
/// More than a connection takes, less than the 2 MiB of a thread's stack.
const NO_STACK: u64 = 1 << 20;

pub fn play(role: &str, arguments: &[&str]) {
    let name = arguments[0];
    match role {
        "no thread" => no_thread(name),
        "no thread for more" => no_thread_for_more(name),
        "no descriptors" => no_descriptors(name),
        "few descriptors" => {
            os::limit_descriptors(40);
            let server = Server::bind(name).unwrap().spawn();
            say("serving");
            hear();
            server.shutdown().unwrap();
        }
        "hold" => {
            let client = Client::connect(name).unwrap();
            let mutex = client.mutex("m").unwrap();
            let _guard = mutex.lock().unwrap();
            say("has it");
            hear();
        }
        _ => panic!("no role {role}"),
    }
}

fn child(role: &str, name: &str) -> Child {
    Child::spawn(&format!("manager::scarce::{role}"), &[name])
}

/// A client that has called, so it has both of its connections.
fn connect(name: &str) -> Result<(Client, Value<u64>), CallError> {
    let client = Client::options().capacity(4096).connect(name)?;
    let value = client.value("number", &1)?;
    Ok((client, value))
}

#[test]
fn a_server_that_gets_no_thread_says_so_and_leaves_nothing() {
    let name = Name::new("no-thread");
    child("no thread", &name).finish();
}

fn no_thread(name: &str) {
    let server = Server::bind(name).unwrap();
    let before = os::limit_memory(os::memory() + NO_STACK);
    let running = server.spawn();
    let (told, seen) = (Client::connect(name).map(drop), inspect(name).map(drop));
    let why = running.shutdown();
    os::limit_memory(before);
    assert!(matches!(told, Err(CallError::NoServer)), "{told:?}");
    assert!(seen.is_err_and(|why| matches!(why.kind(), ErrorKind::NotFound)), "it serves not");
    assert!(matches!(why, Err(BindError::Thread(_))), "{why:?}");
    assert_eq!(left(name), [""; 0]);
    let server = Server::bind(name).unwrap().spawn();
    connect(name).unwrap();
    server.shutdown().unwrap();
}

#[test]
fn who_needs_a_thread_that_cannot_be_had_is_refused_and_the_others_go_on() {
    let name = Name::new("no-more-threads");
    child("no thread for more", &name).finish();
}

fn no_thread_for_more(name: &str) {
    let server = Server::bind(name).unwrap().spawn();
    // A loop looks after a hundred connections.
    let clients: Vec<(Client, Value<u64>)> = (0..50).map(|_| connect(name).unwrap()).collect();
    let before = os::limit_memory(os::memory() + NO_STACK);
    let told = within(PROMPT, || connect(name).map(drop));
    let others = clients.iter().map(|(_, value)| value.get());
    let others: Result<Vec<u64>, CallError> = others.collect();
    os::limit_memory(before);
    assert!(matches!(told, Err(CallError::Refused(Refusal::TooMany))), "{told:?}");
    assert_eq!(others.unwrap(), [1; 50]);
    assert_eq!(connect(name).unwrap().1.get().unwrap(), 1);
    drop(clients);
    server.shutdown().unwrap();
}

#[test]
fn a_server_with_too_few_descriptors_does_not_begin_and_the_next_one_does() {
    let name = Name::new("no-descriptors");
    child("no descriptors", &name).finish();
}

/// With one descriptor more each time, until it serves and shuts down. What it cannot remove without any, the next one takes over.
fn no_descriptors(name: &str) {
    let mut failures = 0;
    for count in 3.. {
        let before = os::limit_descriptors(count);
        let told = Server::bind(name).and_then(|server| {
            server.shutdown_handle().shutdown();
            server.serve()
        });
        os::limit_descriptors(before);
        match told {
            Ok(()) => break,
            Err(BindError::Setup(why)) => {
                assert!(matches!(why.kind(), ErrorKind::Os), "{count}: {why}");
                failures += 1;
            }
            Err(BindError::Permit(_)) => failures += 1,
            Err(why) => panic!("{count}: {why:?}"),
        }
    }
    assert!(failures > 3, "{failures}");
    Server::bind(name).unwrap().spawn().shutdown().unwrap();
    assert_eq!(left(name), [""; 0]);
}

/// Those who are in go on, and who dies is found dead.
#[test]
fn who_comes_to_a_server_without_descriptors_is_refused_at_once() {
    let name = Name::new("few-descriptors");
    let mut server = child("few descriptors", &name);
    server.expect("serving");
    let (client, value) = connect(&name).unwrap();
    let mutex = client.mutex("m").unwrap();
    let holder = child("hold", &name);
    holder.expect("has it");
    let mut clients = Vec::new();
    let refused = loop {
        match within(PROMPT, || connect(&name)) {
            Ok(client) => clients.push(client),
            Err(why) => break why,
        }
        assert!(clients.len() < 40);
    };
    assert!(matches!(refused, CallError::Refused(Refusal::TooMany)), "{refused:?}");
    assert!(!clients.is_empty());
    value.set(&2).unwrap();
    holder.kill();
    let outcome = within(GONE, || mutex.lock().map(drop).map_err(LockError::without_guard));
    assert!(matches!(outcome, Err(LockError::OwnerDied(()))), "{outcome:?}");
    drop(clients);
    assert!(eventually(LONG, || connect(&name).is_ok()));
    assert_eq!(value.get().unwrap(), 2);
    drop((mutex, value, client));
    server.tell("end");
    server.finish();
    assert_eq!(left(&name), [""; 0]);
}
