//! The door as clients see it: how a connection comes about.

use std::time::{Duration, Instant};

use super::super::error::CallError;
use super::super::place::Place;
use super::super::wire::{self, Hello, Welcome};
use super::link::Link;
use crate::channel::queue::Queue;
use crate::error::{Error, ErrorKind, SendTimeoutError};
use crate::event::Wait;

/// Where the server is, and how connections to it are made.
#[derive(Debug)]
pub(in crate::manager) struct Door {
    pub place: Place,
    pub capacity: usize,
    pub patience: Duration,
}

impl Door {
    /// Whether somebody serves the name.
    pub(super) fn is_served(&self) -> bool {
        self.place.door().open(&self.place.name).is_ok_and(|door| has_server(&door))
    }

    /// Makes a connection, waiting at most `patience` for the server's answer, which says of which session it is.
    pub(super) fn connect(
        &self,
        hello: Hello,
        capacity: usize,
        patience: Duration,
    ) -> Result<(Link, Welcome), CallError> {
        // None where it is longer than time.
        let until = Instant::now().checked_add(patience);
        let door = self.place.door().open(&self.place.name).map_err(no_server)?;
        let name = self.place.new_pipe();
        let looks_out = self.place.wait == Wait::SpinThenPark;
        let pipe = self.place.pipe(capacity).create(&name).map_err(CallError::Connect)?;
        let (Some(sender), Some(receiver)) = pipe.split() else {
            return Err(CallError::Garbage("a pipe that does not go both ways"));
        };
        let knock = wire::hello(&name, &hello);
        if let Err(why) = door.sender().send_timeout(&knock, patience) {
            return Err(match why {
                SendTimeoutError::Timeout(()) => CallError::TimedOut,
                SendTimeoutError::Failed((), fault) => CallError::Failed(fault),
                _ => CallError::NoServer,
            });
        }
        let mut link = Link::new(sender, receiver, looks_out);
        let welcome = link.greeted(&door, self.place.recheck, until)?;
        Ok((link, welcome))
    }
}

fn no_server(error: Error) -> CallError {
    match error.kind() {
        ErrorKind::NotFound => CallError::NoServer,
        _ => CallError::Connect(error),
    }
}

/// Whether anybody receives what is said at the door.
pub(super) fn has_server(door: &Queue<[u8]>) -> bool {
    let serves = |member: &crate::Member| member.is_alive() && member.receivers() > 0;
    door.members().is_ok_and(|members| members.iter().any(serves))
}
