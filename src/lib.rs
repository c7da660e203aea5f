//! Channels between processes through lock-free rings in named shared memory.
//!
//! - [`spsc`]: fixed-size values from one producer to one consumer.
//! - [`pipe`]: records of bytes between two connections, both ways or one way.
//! - [`queue`]: values or bytes from many senders to many receivers.
//! - [`Selector`]: waits for whichever of several of these has something to receive.
//! - [`block`]: memory that several processes read and write as they like: bytes, arrays, values.
//! - [`sync`]: locks, semaphores, flags, barriers between processes, which survive their owners.
//! - `manager` (feature `manager`): objects that a server owns and clients in other processes use.
//!
//! A channel has a name. One process makes it, another opens it; both go through [`Options`], which
//! `Producer::options()`, `Consumer::options()`, `Connection::options()` and `Queue::<T>::options()` give. Sending and receiving come as
//! `try_x`, which never blocks, `x`, which blocks, and `x_timeout`. Whoever blocks spins for a moment and then
//! sleeps; while nobody sleeps no call enters the kernel.
//!
//! ```
//! use ringway::spsc::{Consumer, Producer};
//!
//! let name = format!("numbers-{}", std::process::id());
//! let mut producer = Producer::<u32>::options().remove_when_unused().create(&name)?;
//! let mut consumer = Consumer::<u32>::options().open(&name)?; // usually in another process
//! producer.send(7)?;
//! assert_eq!(consumer.recv()?, 7);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Any process may be killed at any instruction. What it had sent is received; what it had not is never seen; who
//! waits for it learns that it is gone; its end can be taken by another. README.md says what is guaranteed and what
//! is not, DESIGN.md how and why.
//!
//! A process that forks must not use its handles in the child: they answer [`Fault::Forked`] there. The child
//! attaches anew. Nothing here may be called in a signal handler.

#![cfg_attr(loom, allow(dead_code, reason = "models use the rings and events alone"))]

#[cfg(not(all(
    target_os = "linux",
    target_env = "gnu",
    target_pointer_width = "64",
    target_endian = "little"
)))]
compile_error!(
    "ringway runs on 64-bit little-endian Linux: port src/sys and the assertions in src/layout"
);

mod error;

mod primitive;
#[cfg(not(loom))]
mod sys;

mod layout;

mod fingerprint;

mod event;
#[cfg(not(loom))]
mod inspect;
#[cfg(not(loom))]
mod member;
#[cfg(not(loom))]
mod name;
#[cfg(not(loom))]
mod segment;

mod ring;

mod lock;

#[cfg(not(loom))]
mod builder;

#[cfg(not(loom))]
#[macro_use]
mod channel;

#[cfg(not(loom))]
pub mod block;

#[cfg(not(loom))]
pub mod sync;

#[cfg(not(loom))]
mod select;

#[cfg(all(not(loom), feature = "manager"))]
pub mod manager;

/// For the generator of `include/ringway.h`; nothing here is promised to Rust programs.
#[cfg(not(loom))]
#[doc(hidden)]
pub mod format;

pub use error::{
    AccessError, BarrierError, Error, ErrorKind, Fault, LockError, LockTimeoutError, MemberId,
    Operation, RecvError, RecvTimeoutError, ReleaseError, SendError, SendTimeoutError,
    TryLockError, TryRecvError, TrySendError,
};
pub use event::Wait;
pub use fingerprint::{Description, Fingerprint};
#[cfg(feature = "derive")]
pub use ringway_derive::Fingerprint;

/// The README's code, run as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

/// What is no plain data does not compile as a message, so that nothing leaks through padding and any bytes are a value.
///
/// ```
/// #[derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
/// #[repr(C)]
/// struct Whole { id: u64, kind: u32, rest: u32 }
/// let _ = ringway::queue::Queue::<Whole>::options();
/// let _ = ringway::spsc::Producer::<[u8; 3]>::options();
/// ```
///
/// ```compile_fail,E0080
/// #[derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
/// #[repr(C)]
/// struct Padded { id: u64, kind: u32 }
/// ```
///
/// ```compile_fail,E0277
/// #[derive(Clone, Copy)]
/// #[repr(C)]
/// struct Padded { id: u64, kind: u32 }
/// let _ = ringway::queue::Queue::<Padded>::options();
/// ```
///
/// ```compile_fail,E0277
/// let _ = ringway::queue::Queue::<bool>::options();
/// ```
///
/// ```compile_fail,E0277
/// let _ = ringway::spsc::Producer::<(u64, u8)>::options();
/// ```
///
/// ```compile_fail,E0277
/// let _ = ringway::spsc::Consumer::<&'static u64>::options();
/// ```
///
/// ```compile_fail,E0277
/// let _ = ringway::queue::Queue::<Option<u64>>::options();
/// ```
#[cfg(doctest)]
struct PlainData;

/// What cannot say what it is does not compile where it must.
///
/// ```compile_fail,E0277
/// #[derive(ringway::Fingerprint)]
/// struct Order(std::cell::Cell<u8>);
/// ```
///
/// ```compile_fail
/// #[derive(ringway::Fingerprint)]
/// union Either { left: u8, right: u8 }
/// ```
///
/// ```compile_fail
/// #[derive(ringway::Fingerprint)]
/// #[fingerprint(opaque = "a type")]
/// struct Order(u8);
/// ```
///
/// ```compile_fail,E0277
/// #[derive(serde::Serialize, serde::Deserialize)]
/// struct Mute(u8);
/// let _ = ringway::queue::Queue::<ringway::queue::Postcard<Mute>>::options();
/// ```
///
/// ```compile_fail,E0277
/// struct Unwritten;
/// let _ = ringway::queue::Queue::<ringway::queue::Postcard<Unwritten>>::options_named("unwritten");
/// ```
#[cfg(all(doctest, feature = "serde"))]
struct Telling;

#[cfg(not(loom))]
pub use channel::{
    options::{BarrierChoice as Barrier, Channel, Options},
    pipe, queue, spsc,
};
#[cfg(not(loom))]
pub use member::{Member, Recovered, Statistics};
#[cfg(not(loom))]
pub use select::{SelectError, Selectable, Selector};

/// The parts that models are made of. Only there when built for loom.
#[cfg(loom)]
#[doc(hidden)]
pub mod parts {
    pub use crate::event::{
        Attempt, Deadline, Event, LocalWaiters, Look, Patience, Recheck, SharedRecheck, Turn,
        wait_at_several, wait_at_word,
    };
    pub use crate::layout::{
        BlockLine, CLASSES, CLOSING, ClassWord, EventLine, LockTag, QueueHeader, RingHeader,
        SlabPlan,
    };
    pub use crate::primitive::{
        AtomicU64, Barrier, ContestedU64, HeapCells, HeapSlots, LockWord, Recorded, fence,
        killed_after, record,
    };
    pub mod lock {
        pub use crate::lock::*;
    }
    pub use crate::ring::Corruption;
    pub use crate::ring::{
        block, bytes, chain, cursor, grant, mpmc, pieces, reap, slab, spsc, word,
    };
}
