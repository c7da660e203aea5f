//! The objects that every server has, and their proxies.

pub(super) mod locks;
pub(super) mod queue;
pub(super) mod value;

#[cfg(test)]
mod dice;

use super::server::Server;

/// Registers them all.
pub(super) fn register(server: &mut Server) {
    server.register::<value::Cell>();
    server.register::<queue::Line>();
    locks::register(server);
}
