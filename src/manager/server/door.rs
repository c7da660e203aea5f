//! The door: clients come in.

use std::sync::Arc;
use std::thread::JoinHandle;

use super::super::error::Refusal;
use super::super::object::SessionId;
use super::super::place::random;
use super::super::wire::{self, Hello, Welcome};
use super::Shared;
use super::guest::Guest;
use crate::channel::pipe;

/// The longest frame that a client's pipe may carry.
const LONGEST_FRAME: usize = 4 << 20;
/// Descriptors that are left once a connection was taken: to look who lives, and to tell the next that there is no room.
const SPARE: usize = 8;

impl Shared {
    /// Takes the pipe of who is at the door, and welcomes or refuses him in it. Garbage is left alone.
    pub(super) fn answer_door(self: &Arc<Self>, knock: &[u8], threads: &mut Vec<JoinHandle<()>>) {
        let Some((pipe, hello)) = wire::read_hello(knock) else { return };
        if !pipe.starts_with(&self.place.pipes()) {
            return;
        }
        let options = self.place.pipe(0);
        // Who made it may have died since.
        let Ok(connection) = options.open(pipe) else { return };
        let _ = options.unlink(pipe);
        let (Some(mut sender), Some(mut receiver)) = connection.split() else { return };
        if sender.max_len() > sender.max_whole_len() {
            // It carries records in pieces.
            return;
        }
        // Whatever its maker says that it carries.
        receiver.set_max_len(sender.max_whole_len());
        match hello {
            Some(hello) => self.welcome(hello, sender, receiver, threads),
            // The version that begins the answer says it all.
            None => refuse(&mut sender, Refusal::UnknownObject),
        }
    }

    fn welcome(
        self: &Arc<Self>,
        hello: Hello,
        mut sender: pipe::Sender,
        receiver: pipe::Receiver,
        threads: &mut Vec<JoinHandle<()>>,
    ) {
        let whole = sender.max_whole_len();
        let hub = self.hub();
        let incarnation = hub.incarnation;
        if hello.incarnation != 0 && hello.incarnation != incarnation {
            return refuse(&mut sender, Refusal::UnknownObject);
        }
        if whole > LONGEST_FRAME || hub.exchange.connections() >= self.limits.connections {
            return refuse(&mut sender, Refusal::TooMany);
        }
        let is_first = hello.session == 0;
        let session = SessionId(if is_first { random() } else { hello.session });
        drop(hub);
        let Ok((number, bell)) = self.loop_with_room(threads) else {
            return refuse(&mut sender, Refusal::TooMany);
        };
        if !has_spare() {
            return refuse(&mut sender, Refusal::TooMany);
        }
        let mut hub = self.hub();
        if is_first {
            hub.exchange.begin(session);
        }
        if !hub.exchange.takes(session) {
            return refuse(&mut sender, Refusal::UnknownObject);
        }
        let Some(connection) = hub.exchange.connect(session, sender, &bell) else { return };
        let max_request = self.limits.request as u64;
        let welcome = Welcome { incarnation, session: session.0, max_request };
        hub.exchange.greet(connection, &wire::welcome(&Ok(welcome)));
        drop(hub);
        self.give(number, Guest::new(receiver, connection, is_first, whole));
    }
}

/// Whether this process can have [`SPARE`] descriptors more.
fn has_spare() -> bool {
    let open = || {
        let (reader, writer) = std::io::pipe()?;
        let more = (2..SPARE).map(|_| reader.try_clone()).collect::<std::io::Result<Vec<_>>>()?;
        drop((writer, more));
        std::io::Result::Ok(())
    };
    open().is_ok()
}

fn refuse(sender: &mut pipe::Sender, why: Refusal) {
    let _ = sender.try_send(&wire::welcome(&Err(why)));
    sender.close();
}
