//! The server.

use super::error::Refusal;
use super::item::ObjectNumber;
use super::object::{Answer, Object, Ticket};
use crate::error::Error;

/// Owns objects and serves clients.
#[derive(Debug)]
pub struct Server {}

/// How to be a server.
#[derive(Debug)]
pub struct Bind {}

/// A server in a thread.
#[derive(Debug)]
pub struct Running {}

/// Shuts a server down.
#[derive(Debug)]
pub struct Shutdown {}

#[derive(Debug)]
pub(super) struct Exchange {}

impl Server {
    /// Becomes the server of that name.
    ///
    /// # Errors
    ///
    /// Why not.
    pub fn bind(_name: &str) -> Result<Self, Error> {
        let mut server = Self {};
        super::objects::register(&mut server);
        Ok(server)
    }

    /// Has clients create objects of that type.
    pub fn register<T: Object>(&mut self) {}

    /// Serves in a thread.
    pub fn spawn(self) -> Running {
        Running {}
    }
}

impl Running {
    /// Shuts down in order.
    ///
    /// # Errors
    ///
    /// Why not.
    pub fn shutdown(self) -> Result<(), Error> {
        Ok(())
    }
}

impl Exchange {
    pub(super) fn answer_later(
        &mut self,
        _object: ObjectNumber,
        _ticket: Ticket,
        _answer: Result<Answer, Refusal>,
    ) -> bool {
        false
    }

    pub(super) fn count_leases(&mut self, _object: ObjectNumber, _change: i64) {}
}
