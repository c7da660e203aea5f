//! Objects that a server owns and other processes use.
//!
//! A [`Server`] has a name and owns objects; a [`Client`] in any process of the machine reaches them by that name, through
//! proxies such as [`Value`]. A proxy is a handle: what is done through it happens in the server, one call at a time, so each
//! call is whole, and every client sees the same.
//!
//! ```
//! use ringway::manager::{Client, Server};
//!
//! let name = format!("office-{}", std::process::id());
//! let server = Server::bind(&name)?.spawn();
//!
//! let client = Client::connect(&name)?; // usually in another process
//! let total = client.value::<u64>("total", &40)?;
//! total.update(|old| old + 2)?;
//!
//! let other = Client::connect(&name)?;
//! assert_eq!(other.value::<u64>("total", &0)?.get()?, 42);
//! # drop((client, other));
//! server.shutdown()?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![forbid(unsafe_code)]

mod error;
mod inspect;
mod item;
mod ledger;
mod object;
mod place;
mod slots;
mod wire;
#[macro_use]
mod proxy;
mod client;
mod objects;
mod server;

pub use client::{Client, Connect};
pub use error::{CallError, Refusal};
pub use inspect::{
    Counts, Inspection, Inspector, ObjectCounters, ServerState, SessionCounters, inspect,
};
pub use item::{Item, ObjectNumber, Stored};
pub use object::{Answer, Arguments, Caller, Object, SessionId, Ticket};
pub use objects::Snapshot;
pub use objects::array::Array;
pub use objects::list::List;
pub use objects::locks::{
    Barrier, BarrierError, Condvar, Flag, LockError, Met, Mutex, MutexGuard, Permit, Permits,
    ReadGuard, ReentrantGuard, ReentrantMutex, ReleaseError, RwLock, Semaphore, WriteGuard,
};
pub use objects::map::Map;
pub use objects::namespace::Namespace;
pub use objects::queue::{Delivery, Iter as QueueIter, Queue, QueueError};
pub use objects::set::Set;
pub use objects::value::Value;
pub use proxy::{Encoder, Proxy};
pub use server::{Bind, BindError, Lease, Running, Server, Shutdown};
