//! The objects that every server has, and their proxies.

mod ordered;
mod row;
#[macro_use]
mod row_proxy;
mod snapshot;

pub(super) mod array;
pub(super) mod list;
pub(super) mod locks;
pub(super) mod map;
pub(super) mod namespace;
pub(super) mod queue;
pub(super) mod set;
pub(super) mod value;

#[cfg(test)]
mod dice;

pub use snapshot::Snapshot;

use super::server::Server;

/// Registers them all.
pub(super) fn register(server: &mut Server) {
    server.register::<array::Fixed>();
    server.register::<list::Items>();
    server.register::<map::Entries>();
    server.register::<namespace::Attributes>();
    server.register::<set::Elements>();
    server.register::<value::Cell>();
    server.register::<queue::Line>();
    locks::register(server);
}
