//! Bad input: a typed error for who gave it, and nothing for others.

use ringway::ErrorKind;
use ringway::manager::{
    Answer, Arguments, BindError, CallError, Caller, Client, Object, Refusal, Server, Value,
};

use super::{Gate, serve};
use crate::util::Name;

/// No server of these tests knows it.
struct Unknown;

impl Object for Unknown {
    const TYPE: &'static str = "unknown";

    fn create(_: Arguments<'_>) -> Result<Self, Refusal> {
        Ok(Self)
    }

    fn call(&mut self, _: &str, _: Arguments<'_>, _: &mut Caller<'_>) -> Result<Answer, Refusal> {
        Ok(Answer::nothing())
    }
}

#[track_caller]
fn refusal<R: std::fmt::Debug>(told: Result<R, CallError>) -> Refusal {
    match told {
        Err(CallError::Refused(why)) => why,
        other => panic!("not refused: {other:?}"),
    }
}

#[test]
fn what_an_object_does_not_take_is_refused_and_it_goes_on() {
    let name = Name::new("refused");
    let server = serve(&name);
    let client = server.client().unwrap();
    let gate = client.create_object::<Gate>(Some("gate"), &()).unwrap();
    let why = refusal(gate.call::<()>("fly", &()));
    assert_eq!(why, Refusal::UnknownMethod("fly".to_owned()));
    assert_eq!(why.to_string(), "the object has no method \"fly\"");
    let why = refusal(gate.call::<u64>("add", &()));
    assert_eq!(
        why.to_string(),
        "the arguments are not what it takes: the message is no value of its type: it ends too early"
    );
    let why = refusal(gate.call::<u64>("add", &(1u64, 2u64)));
    assert_eq!(
        why.to_string(),
        "the arguments are not what it takes: there are more arguments than it takes"
    );
    let why = refusal(gate.call::<()>("panic", &()));
    assert_eq!(why, Refusal::Panicked("as it was asked to".to_owned()));
    let told = gate.call::<()>("refuse", &()).unwrap_err();
    assert_eq!((told.object_code(), &*told.to_string()), (Some(7), "it is shut"));
    let told = gate.call::<String>("add", &40u64);
    assert!(matches!(told, Err(CallError::Undecodable(_))), "{told:?}");
    assert_eq!(gate.call::<u64>("add", &2u64).unwrap(), 42);
    drop(server);
}

#[test]
fn what_is_no_object_here_is_refused() {
    let name = Name::new("no-object");
    let server = serve(&name);
    let client = server.client().unwrap();
    let why = refusal(client.create_object::<Unknown>(None, &()));
    assert_eq!(why, Refusal::UnknownType("unknown".to_owned()));
    assert_eq!(refusal(client.find("nothing")), Refusal::UnknownObject);
    assert!(!client.remove("nothing").unwrap());
    let value = client.value::<u64>("number", &1).unwrap();
    let why = refusal(client.create_object::<Gate>(Some("number"), &()));
    assert_eq!(why, Refusal::WrongType { is: "value".to_owned(), wanted: "gate".to_owned() });
    let why = refusal(client.value::<i64>("number", &1));
    assert!(matches!(why, Refusal::WrongType { .. }), "{why}");
    let why = refusal(client.create_object::<Gate>(None, &1u64));
    assert!(matches!(why, Refusal::Undecodable(_)), "{why}");
    for bad in ["", &"n".repeat(201)] {
        let why = refusal(client.value::<u64>(bad, &1));
        assert_eq!(
            why.to_string(),
            "the arguments are not what it takes: a name has 1 to 200 bytes"
        );
    }
    assert_eq!(client.find("number").unwrap(), *value.proxy());
    assert!(client.remove("number").unwrap());
    assert_eq!(client.value::<i64>("number", &-1).unwrap().get().unwrap(), -1, "another one");
    assert_eq!(value.get().unwrap(), 1);
}

#[test]
fn what_is_too_much_is_refused() {
    let name = Name::new("too-much");
    let options = Server::options().max_request(10_000).max_objects(3).max_connections(4);
    let server = options.bind(&name).unwrap().spawn();
    let client = Client::options().capacity(4096).connect(&name).unwrap();
    let value = client.new_value(&vec![0u8; 9000]).unwrap();
    let why = refusal(value.set(&vec![0u8; 10_000]));
    assert!(matches!(why, Refusal::TooLong { len: 10_001.., max: 10_000 }), "{why}");
    assert_eq!(value.get().unwrap().len(), 9000);
    let more = [client.new_value(&1u64).unwrap(), client.new_value(&2u64).unwrap()];
    assert_eq!(refusal(client.new_value(&3u64)), Refusal::TooMany);
    drop(more);
    client.new_value(&3u64).unwrap();
    let second = Client::connect(&name).unwrap();
    let told = Client::connect(&name).map(|third| third.new_value(&1u64).map(drop));
    assert!(!matches!(told, Ok(Ok(()))), "one has no connection for calls");
    drop((second, told));
    assert_eq!(value.get().unwrap().len(), 9000);
    let long = Client::options().capacity(64 << 20).connect(&name);
    let told = long.and_then(|long| long.new_value(&1u64));
    assert_eq!(refusal(told), Refusal::TooMany, "its pipe is too long");
    drop(server);
}

#[test]
fn names_and_options_that_are_none_are_errors() {
    let told = Server::bind("a/b").unwrap_err();
    let BindError::Setup(error) = told else { panic!("{told:?}") };
    assert!(matches!(error.kind(), ErrorKind::InvalidName(_)), "{error}");
    let told = Server::bind(&"n".repeat(180));
    assert!(matches!(told, Err(BindError::Setup(_))), "no room for the names of pipes: {told:?}");
    let name = Name::new("bad-options");
    let told = Server::options().mode(0o777).bind(&name);
    assert!(matches!(told, Err(BindError::Setup(_))), "{told:?}");
    let told = Client::connect(&name);
    assert!(matches!(told, Err(CallError::NoServer)), "{told:?}");
    let told = Client::connect("a/b");
    assert!(matches!(told, Err(CallError::Connect(_))), "{told:?}");
    let server = serve(&name);
    let told = Client::options().recheck(std::time::Duration::ZERO).connect(&name);
    assert!(matches!(told, Err(CallError::Connect(_))), "{told:?}");
    drop(server);
}

#[test]
fn a_proxy_goes_with_its_own_client_only() {
    let name = Name::new("proxies");
    let server = serve(&name);
    let (one, other) = (server.client().unwrap(), server.client().unwrap());
    let value = one.new_value(&1u64).unwrap();
    let told = other.new_value(&value);
    assert!(matches!(told, Err(CallError::Unserializable(_))), "{told:?}");
    let told = ::postcard::to_allocvec(&value);
    assert!(told.is_err(), "no other serialiser has a form of it: {told:?}");
    let gate = one.create_object::<Gate>(None, &()).unwrap();
    let echoed: Value<u64> = gate.call_with("echo", |to| to.value(&value)).unwrap();
    assert_eq!(echoed, value);
    let told = gate.call_with::<Value<u64>>("echo", |to| to.value(&7u64));
    assert!(matches!(told, Err(CallError::Undecodable(_))), "no reference came with it: {told:?}");
    drop(server);
}
