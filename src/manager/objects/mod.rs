//! The objects that every server has, and their proxies.

pub(super) mod value;

use super::server::Server;

/// Registers them all.
pub(super) fn register(server: &mut Server) {
    server.register::<value::Cell>();
}
