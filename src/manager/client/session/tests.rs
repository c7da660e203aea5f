//! What becomes of a session whose connections end.

use crate::manager::{CallError, Client, Refusal, Server, Value};

use super::*;

/// A client of a server that takes so many connections, and a value there.
fn client(name: &str, max_connections: usize) -> (crate::manager::Running, Client, Value<u64>) {
    let server = Server::options().max_connections(max_connections).bind(name).unwrap().spawn();
    let client = Client::connect(name).unwrap();
    let value = client.value("v", &7).unwrap();
    (server, client, value)
}

fn name(label: &str) -> String {
    format!("unit-{label}-{}", std::process::id())
}

/// Says what makes no sense through the session's idle connection, which the server ends then.
fn offend(session: &Session) {
    let mut idle = lock(&session.idle);
    let link = idle.last_mut().expect("the connection of the last call");
    link.frame = vec![u8::MAX];
    link.send(None).unwrap();
}

#[test]
fn a_connection_that_is_cut_off_is_not_the_end_of_its_session() {
    let (server, client, value) = client(&name("cut-off"), 4);
    offend(value.proxy().session());
    let told = value.get();
    assert!(matches!(told, Err(CallError::CutOff)), "{told:?}");
    assert_eq!(value.get().unwrap(), 7);
    drop((value, client));
    server.shutdown().unwrap();
}

#[test]
fn nor_is_it_where_the_server_takes_no_other_now() {
    let name = name("cut-off-full");
    let (server, client, value) = client(&name, 2);
    offend(value.proxy().session());
    let other = loop {
        match Client::connect(&name) {
            Err(CallError::Refused(Refusal::TooMany)) => std::thread::yield_now(),
            outcome => break outcome.unwrap(),
        }
    };
    let told = value.get();
    assert!(matches!(told, Err(CallError::CutOff)), "{told:?}");
    let told = value.get();
    assert!(matches!(told, Err(CallError::Refused(Refusal::TooMany))), "{told:?}");
    drop(other);
    let value_then = loop {
        match value.get() {
            Err(CallError::Refused(Refusal::TooMany)) => std::thread::yield_now(),
            outcome => break outcome.unwrap(),
        }
    };
    assert_eq!(value_then, 7);
    drop((value, client));
    server.shutdown().unwrap();
}
