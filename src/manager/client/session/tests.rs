//! What becomes of a session whose connections end, and of words and calls while the server is held up.

use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::SeqCst;
use std::thread::{scope, yield_now};

use crate::manager::{
    Answer, Arguments, CallError, Caller, Client, Object, Proxy, Refusal, Server, Value,
};

use super::*;

/// Longer than what waits for nobody takes, and than a call with a short limit.
const PROMPT: Duration = Duration::from_secs(8);
/// Longer than that.
const LONG: Duration = Duration::from_secs(20);

fn until(mut condition: impl FnMut() -> bool) {
    let end = Instant::now() + LONG;
    while !condition() {
        assert!(Instant::now() < end, "it does not come to that");
        yield_now();
    }
}

/// Holds its server up, from when its stage is 1 until it is 2, but no longer than [`LONG`]. The stage is 3 once a session ended in order.
struct HoldUp(usize);

static STAGES: [AtomicU32; 3] = [const { AtomicU32::new(0) }; 3];

impl Object for HoldUp {
    const TYPE: &'static str = "hold up";

    fn create(mut arguments: Arguments<'_>) -> Result<Self, Refusal> {
        arguments.read().map(Self)
    }

    fn call(
        &mut self,
        method: &str,
        _: Arguments<'_>,
        _: &mut Caller<'_>,
    ) -> Result<Answer, Refusal> {
        if method == "look" {
            return Ok(Answer::nothing());
        }
        STAGES[self.0].store(1, SeqCst);
        until(|| STAGES[self.0].load(SeqCst) == 2);
        Ok(Answer::nothing())
    }

    fn session_ended(&mut self, died: bool, _: &mut Caller<'_>) {
        STAGES[self.0].store(if died { 4 } else { 3 }, SeqCst);
    }
}

/// A server that can be held up, and what does so.
fn held_up(name: &str, stage: usize) -> (crate::manager::Running, Client, Proxy) {
    let mut server = Server::bind(name).unwrap();
    server.register::<HoldUp>();
    let server = server.spawn();
    let other = Client::connect(name).unwrap();
    let hold = other.create_object::<HoldUp>(Some("hold"), &stage).unwrap();
    (server, other, hold)
}

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
            Err(CallError::Refused(Refusal::TooMany)) => yield_now(),
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
            Err(CallError::Refused(Refusal::TooMany)) => yield_now(),
            outcome => break outcome.unwrap(),
        }
    };
    assert_eq!(value_then, 7);
    drop((value, client));
    server.shutdown().unwrap();
}

/// Of three guards one is dropped by a thread whose call then waits for the server.
#[test]
fn while_one_waits_for_what_it_dropped_the_others_wait_as_long_as_they_like() {
    let name = name("settling");
    let (server, other, hold) = held_up(&name, 0);
    let client = Client::connect(&name).unwrap();
    let (permits, value) = (client.permits("p", 3).unwrap(), client.value("v", &7).unwrap());
    let [first, second, third] = [(); 3].map(|()| permits.acquire().unwrap());
    let spare = client.value("spare", &8).unwrap();
    let session = value.proxy().session();
    let (told, took) = scope(|scope| {
        scope.spawn(|| hold.call::<()>("", &()).unwrap());
        until(|| STAGES[0].load(SeqCst) == 1);
        drop(first);
        let waits = scope.spawn(|| value.get().unwrap());
        until(|| lock(&session.words).is_any_away());
        let start = Instant::now();
        drop((second, spare, third));
        let limit = Duration::from_millis(1);
        let told = value.proxy().call_timeout::<u64>("get", limit, |_| Ok(()));
        let took = start.elapsed();
        STAGES[0].store(2, SeqCst);
        assert_eq!(waits.join().unwrap(), 7);
        (told, took)
    });
    assert!(matches!(told, Err(CallError::TimedOut)), "{told:?}");
    assert!(took < PROMPT, "{took:?}");
    assert_eq!(permits.available().unwrap(), 3, "and it comes after all of them");
    let spare = client.find("spare").map(drop);
    assert!(matches!(spare, Err(CallError::Refused(Refusal::UnknownObject))), "{spare:?}");
    drop((permits, value, hold, client, other));
    server.shutdown().unwrap();
}

#[test]
fn a_session_whose_first_connection_is_full_ends_in_order() {
    let name = name("full");
    let (server, other, hold) = held_up(&name, 1);
    let client = Client::connect(&name).unwrap();
    let value = client.value("v", &7).unwrap();
    let theirs = client.find("hold").unwrap();
    theirs.call::<()>("look", &()).unwrap();
    scope(|scope| {
        scope.spawn(|| hold.call::<()>("", &()).unwrap());
        until(|| STAGES[1].load(SeqCst) == 1);
        let session = value.proxy().session();
        while lock(&session.words).release(value.proxy().number()) {}
        drop((theirs, value, client));
        STAGES[1].store(2, SeqCst);
    });
    until(|| STAGES[1].load(SeqCst) > 2);
    assert_eq!(STAGES[1].load(SeqCst), 3);
    drop((hold, other));
    server.shutdown().unwrap();
}

#[test]
fn what_is_dropped_goes_another_way_where_an_idle_connection_was_cut_off() {
    let name = name("cut-off-post");
    let (server, client, value) = client(&name, 6);
    let mutex = client.mutex("m").unwrap();
    let guard = mutex.lock().unwrap();
    let session = value.proxy().session();
    offend(session);
    until(|| lock(&session.idle)[0].say(&Request::Ack { request: 0 }).is_err());
    drop(guard);
    let theirs = Client::connect(&name).unwrap().mutex("m").unwrap();
    assert!(theirs.lock_timeout(PROMPT).is_ok());
    drop((mutex, theirs, value, client));
    server.shutdown().unwrap();
}

#[test]
fn a_word_that_has_no_form_holds_nobody_up() {
    let name = name("no-form");
    let (server, other, hold) = held_up(&name, 2);
    let client = Client::connect(&name).unwrap();
    let value = client.value("v", &7u64).unwrap();
    let (session, number) = (value.proxy().session(), value.proxy().number());
    let told = scope(|scope| {
        scope.spawn(|| hold.call::<()>("", &()).unwrap());
        until(|| STAGES[2].load(SeqCst) == 1);
        // So they go through the first.
        lock(&session.idle).clear();
        session.post(number, "get", |_| Ok(())).unwrap();
        let no_form = |_: &mut Encoder<'_>| Err(CallError::Unserializable("on purpose"));
        assert!(session.post(number, "get", no_form).is_err());
        let call = || value.proxy().call_timeout::<u64>("get", PROMPT, |_| Ok(()));
        let waits = scope.spawn(call);
        until(|| lock(&session.words).is_any_away());
        STAGES[2].store(2, SeqCst);
        waits.join().unwrap()
    });
    assert_eq!(told.unwrap(), 7);
    drop((value, hold, client, other));
    server.shutdown().unwrap();
}
