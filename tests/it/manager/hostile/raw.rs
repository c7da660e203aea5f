//! A client that says what it likes, and one that knows nothing of it.

use ringway::manager::{Client, Proxy, Value};
use ringway::pipe::Connection;
use ringway::queue::Queue;
use ringway::{Options, RecvError};

use super::super::Gate;
use crate::util::{Name, PROMPT, unique, within};

/// Of the protocol.
pub const VERSION: u32 = 1;

/// Frames by hand.
pub struct Raw(pub Connection);

impl Raw {
    /// Says at the door that there is a pipe.
    pub fn knock(name: &Name, version: u32, session: &[u8]) -> Self {
        Self::knock_with(name, &Connection::options().whole_records(), version, session)
    }

    pub fn knock_with(
        name: &Name,
        options: &Options<Connection>,
        version: u32,
        session: &[u8],
    ) -> Self {
        let (pipe, connection) = Self::pipe(name, options);
        say_hello(name, &pipe, version, session);
        Self(connection)
    }

    pub fn pipe(name: &Name, options: &Options<Connection>) -> (String, Connection) {
        let pipe = format!("{}.c{}", &**name, unique("pipe"));
        let options = options.clone().capacity(4096).remove_when_unused();
        let connection = options.create(&pipe).unwrap();
        (pipe, connection)
    }

    /// One that is let in.
    pub fn enter(name: &Name) -> Self {
        let mut raw = Self::knock(name, VERSION, &[0, 0]);
        assert_eq!(raw.recv().unwrap()[..5], [1, 0, 0, 0, 0]);
        raw
    }

    pub fn send(&mut self, frame: &[u8]) {
        self.0.send(frame).unwrap();
    }

    pub fn recv(&mut self) -> Result<Vec<u8>, RecvError> {
        within(PROMPT, || self.0.recv())
    }

    /// Makes or finds the gate `"gate"`; its number.
    pub fn gate(&mut self) -> Vec<u8> {
        let mut frame = vec![1, 9, 4];
        frame.extend_from_slice(b"gate\x01\x04gate");
        frame.extend_from_slice(&[0; 16]);
        self.send(&frame);
        self.found()
    }

    /// The number of the object of that name.
    pub fn find(&mut self, name: &str) -> Vec<u8> {
        let mut frame = b"\0\x09\0\x04find".to_vec();
        frame.push(u8::try_from(name.len()).unwrap());
        frame.extend_from_slice(name.as_bytes());
        self.send(&frame);
        self.found()
    }

    /// The number of the object that request 9 is answered with.
    pub fn found(&mut self) -> Vec<u8> {
        let answer = self.recv().unwrap();
        assert_eq!(answer[..4], [0, 9, 0, 1], "an answer to 9 with one reference");
        let number = &answer[4..];
        let number = number[..number.len() / 2].to_vec();
        self.send(&[8, 9]);
        number
    }

    pub fn call(&mut self, request: u8, gate: &[u8], method: &str) {
        let mut frame = vec![0, request];
        frame.extend_from_slice(gate);
        frame.push(u8::try_from(method.len()).unwrap());
        frame.extend_from_slice(method.as_bytes());
        self.send(&frame);
    }
}

pub fn say_hello(name: &Name, pipe: &str, version: u32, session: &[u8]) {
    let mut hello = version.to_le_bytes().to_vec();
    hello.push(u8::try_from(pipe.len()).unwrap());
    hello.extend_from_slice(pipe.as_bytes());
    hello.extend_from_slice(session);
    Queue::<[u8]>::options().open(name).unwrap().sender().send(&hello).unwrap();
}

/// A client that knows nothing of the hostile ones.
pub struct Witness {
    pub gate: Proxy,
    pub value: Value<u64>,
    _client: Client,
}

impl Witness {
    pub fn new(name: &Name) -> Self {
        let client = Client::connect(name).unwrap();
        let gate = client.create_object::<Gate>(Some("gate"), &()).unwrap();
        Self { gate, value: client.value("number", &0).unwrap(), _client: client }
    }

    pub fn check(&self) {
        let now = self.value.update(|n| n + 1).unwrap();
        assert_eq!(self.value.get().unwrap(), now);
    }

    pub fn log(&self) -> Vec<String> {
        self.gate.call("log", &()).unwrap()
    }
}
