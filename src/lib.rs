//! Channels between processes through lock-free rings in named shared memory.

#![cfg_attr(loom, allow(dead_code, reason = "models use the rings and events alone"))]

#[cfg(not(all(target_os = "linux", target_pointer_width = "64", target_endian = "little")))]
compile_error!(
    "ringway runs on 64-bit little-endian Linux: port src/sys and the assertions in src/layout.rs"
);

mod error;

mod primitive;
#[cfg(not(loom))]
mod sys;

mod layout;

mod event;
#[cfg(not(loom))]
mod member;
#[cfg(not(loom))]
mod segment;

mod ring;

#[cfg(not(loom))]
mod channel;

pub use error::{
    Error, ErrorKind, Fault, MemberId, Operation, RecvError, RecvTimeoutError, SendError,
    SendTimeoutError, TryRecvError, TrySendError,
};
pub use event::Wait;

#[cfg(not(loom))]
pub use channel::{
    options::{BarrierChoice as Barrier, Options},
    pipe, spsc,
};

/// The parts that models are made of. Only there when built for loom.
#[cfg(loom)]
#[doc(hidden)]
pub mod parts {
    pub use crate::event::{Attempt, Deadline, Event, LocalWaiters, Patience};
    pub use crate::layout::{CLOSING, EventLine, RingHeader};
    pub use crate::primitive::{Barrier, HeapCells};
    pub use crate::ring::{bytes, cursor, grant, spsc};
}
