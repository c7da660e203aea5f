//! The parts that processes play: servers, and clients that call them.

use std::io::Read;
use std::time::Duration;

use ringway::manager::{Client, Server};
use ringway::pipe::Connection;
use ringway::{Description, Fingerprint, Wait};
use serde::de::{DeserializeOwned, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::machine;
use crate::side;
use crate::socket;

/// Room in pipes, as the manager's connections have.
const ROOM: usize = 256 << 10;
/// Between the calls of a client that has little to do.
const PAUSE: Duration = Duration::from_micros(300);
/// Threads of a client that floods.
const FLOODING: u64 = 4;

/// How sides wait, as a role says it.
pub fn wait(how: &str) -> Wait {
    match how {
        "spinning" => Wait::Spin,
        "parked" => Wait::Park,
        _ => Wait::SpinThenPark,
    }
}

/// Plays `role`: a way, a part of it, how it waits, bytes of a value, the name of the server, a number.
pub fn play(role: &str) {
    let words: Vec<&str> = role.split(' ').collect();
    let [way, what, how, len, name, number] = words[..] else { panic!("no role {role:?}") };
    let part = Part {
        way,
        what,
        wait: wait(how),
        len: len.parse().expect("a length"),
        name,
        number: number.parse().expect("a number"),
    };
    match part.len {
        8 => part.play::<u64>(),
        _ => part.play::<Bytes>(),
    }
}

struct Part<'a> {
    way: &'a str,
    what: &'a str,
    wait: Wait,
    len: usize,
    name: &'a str,
    number: u64,
}

impl Part<'_> {
    fn play<T: Content>(self) {
        match self.what {
            "server" => self.serve(),
            "client" => self.call::<T>(None),
            "calm" => self.call::<T>(Some(PAUSE)),
            "flood" => self.flood::<T>(),
            _ => panic!("no part {:?}", self.what),
        }
    }

    fn serve(&self) {
        if self.number == 1 {
            machine::pin(0);
        }
        match self.way {
            "pipe" => self.send_back(),
            "socket" => {
                socket::serve(self.name);
                until_told();
                socket::remove(self.name);
            }
            _ => {
                let server =
                    Server::options().wait(self.wait).bind(self.name).expect("a free name");
                let server = server.spawn();
                until_told();
                server.shutdown().expect("nothing failed");
            }
        }
    }

    /// Keeps what comes and sends it when asked by a short record, as a value does.
    fn send_back(&self) {
        let options = Connection::options().capacity(ROOM).whole_records().remove_when_unused();
        let mut pipe = options.wait(self.wait).create(self.name).expect("a free name");
        side::ready();
        let (mut value, mut len) = (vec![0; self.len.max(8)], 0);
        let mut is_asked = false;
        loop {
            let sent = if is_asked {
                let mut number = [0; 8];
                pipe.recv_into(&mut number).is_ok() && pipe.send(&value[..len]).is_ok()
            } else {
                pipe.recv_into(&mut value).map(|found| len = found).is_ok()
                    && pipe.send(&[0; 8]).is_ok()
            };
            if !sent {
                return;
            }
            is_asked = !is_asked;
        }
    }

    fn call<T: Content>(&self, pause: Option<Duration>) {
        if self.number == 1 {
            machine::pin(1);
        }
        match self.way {
            "pipe" => {
                let options = Connection::options().wait(self.wait);
                let mut pipe = options.open(self.name).expect("the other side");
                let mut buffer = vec![0; self.len.max(8)];
                side::play_client(pause, |number| {
                    self.there_and_back(&mut pipe, &mut buffer, number);
                });
            }
            _ => side::play_client(pause, self.caller::<T>(0)),
        }
    }

    fn there_and_back(&self, pipe: &mut Connection, buffer: &mut [u8], number: u64) {
        if number.is_multiple_of(2) {
            buffer[..8].copy_from_slice(&number.to_le_bytes());
            pipe.send(&buffer[..self.len]).expect("the other side");
            assert_eq!(pipe.recv_into(buffer), Ok(8));
        } else {
            pipe.send(&number.to_le_bytes()).expect("the other side");
            assert_eq!(pipe.recv_into(buffer), Ok(self.len));
            assert_eq!(buffer[..8], (number - 1).to_le_bytes());
        }
    }

    /// Calls a value of its own, by turns setting and getting it.
    fn caller<T: Content>(&self, thread: u64) -> Box<dyn FnMut(u64) + Send> {
        let len = self.len;
        if self.way == "socket" {
            let mut caller = socket::Caller::new(self.name, self.number + (thread << 32));
            return Box::new(move |number| match number % 2 {
                0 => caller.set(&T::of(number, len)),
                _ => caller.get::<T>().check(number - 1, len),
            });
        }
        let client = Client::options().wait(self.wait).connect(self.name).expect("the server");
        let value = client.new_value(&T::of(0, len)).expect("a value");
        Box::new(move |number| match number % 2 {
            0 => value.set(&T::of(number, len)).expect("the server"),
            _ => value.get().expect("the server").check(number - 1, len),
        })
    }

    /// Calls without a pause from several threads, each by a connection of its own.
    fn flood<T: Content>(&self) {
        for thread in 0..FLOODING {
            let mut call = self.caller::<T>(thread);
            std::thread::spawn(move || {
                let mut number = 0;
                loop {
                    call(number);
                    number += 1;
                }
            });
        }
        until_told();
        std::process::exit(0);
    }
}

/// Says that it is ready, and waits for the end of its orders.
fn until_told() {
    side::ready();
    let _ = std::io::stdin().read(&mut [0]);
}

/// A value of a number.
pub trait Content: Serialize + DeserializeOwned + Fingerprint + Send + Sync + 'static {
    fn of(number: u64, len: usize) -> Self;
    fn check(&self, number: u64, len: usize);
}

impl Content for u64 {
    fn of(number: u64, _: usize) -> Self {
        // As long on the wire whatever it is.
        number | 1 << 63
    }

    fn check(&self, number: u64, len: usize) {
        assert_eq!(*self, Self::of(number, len));
    }
}

/// Bytes, which serde takes for a sequence of numbers otherwise.
pub struct Bytes(Vec<u8>);

impl Content for Bytes {
    fn of(number: u64, len: usize) -> Self {
        let mut bytes = vec![7; len];
        bytes[..8].copy_from_slice(&number.to_le_bytes());
        bytes[len - 8..].copy_from_slice(&number.to_le_bytes());
        Self(bytes)
    }

    fn check(&self, number: u64, len: usize) {
        let number = number.to_le_bytes();
        assert!(self.0.len() == len && self.0[..8] == number && self.0[len - 8..] == number);
    }
}

impl Fingerprint for Bytes {
    fn describe(description: &mut Description) {
        Vec::<u8>::describe(description);
    }
}

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_bytes(Visit)
    }
}

struct Visit;

impl Visitor<'_> for Visit {
    type Value = Bytes;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("bytes")
    }

    fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Bytes, E> {
        Ok(Bytes(bytes.to_vec()))
    }
}
