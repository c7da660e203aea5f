//! Who takes part: a file each.

mod array_queue;
mod bare;
mod channel;
mod concurrent_queue;
mod copied;
mod crossbeam_channel;
mod crossfire;
mod descriptors;
mod flume;
mod iceoryx2;
mod ipc_channel;
mod kanal;
mod litter;
mod message_queue;
mod pipe;
mod python;
mod ringbuf;
mod ringfire;
mod ringway_bytes;
mod ringway_pipe;
mod ringway_queue;
mod ringway_spsc;
mod rtrb;
mod shaq;
mod shmem_ipc;
mod sockets;
mod std_mpsc;
mod vyukov;

use crate::contestant::Entry;

/// What every contestant's file needs.
mod prelude {
    pub use crate::contestant::{Between, Contestant, Hub, In, Kind, Out, Way};
    pub use crate::play::Unable;
    pub use crate::workload::Workload;
}

/// All contestants, in the order of the tables.
pub const fn all() -> &'static [Entry] {
    const {
        &[
            Entry::of::<ringway_spsc::Processes>(),
            Entry::of::<ringway_spsc::Threads>(),
            Entry::of::<ringway_queue::Processes>(),
            Entry::of::<ringway_queue::Threads>(),
            Entry::of_long::<ringway_bytes::Processes>(),
            Entry::of_long::<ringway_pipe::Processes>(),
            Entry::of::<rtrb::Rtrb>(),
            Entry::of::<array_queue::CrossbeamArrayQueue>(),
            Entry::of::<ringbuf::Ringbuf>(),
            Entry::of::<concurrent_queue::Bounded>(),
            Entry::of::<crossbeam_channel::Bounded>(),
            Entry::of::<std_mpsc::SyncChannel>(),
            Entry::of::<kanal::Bounded>(),
            Entry::of::<flume::Bounded>(),
            Entry::of::<crossfire::Spsc>(),
            Entry::of::<crossfire::Mpsc>(),
            Entry::of::<crossfire::Mpmc>(),
            Entry::of::<shaq::Spsc>(),
            Entry::of::<shaq::Mpmc>(),
            shaq::Newer::entry(),
            Entry::of::<ringfire::Lossless>(),
            Entry::of_long::<iceoryx2::PublishSubscribe>(),
            Entry::of_long::<shmem_ipc::Ring>(),
            Entry::of_long::<ipc_channel::Bytes>(),
            Entry::of_long::<pipe::Pipe>(),
            Entry::of_long::<sockets::Stream>(),
            Entry::of_long::<sockets::Packets>(),
            Entry::of_long::<message_queue::Posix>(),
            python::QUEUE,
            python::SIMPLE_QUEUE,
            python::PIPE,
            python::PIPE_BYTES,
            python::MANAGER,
            Entry::of::<vyukov::PlainVyukov>(),
            Entry::of_long::<bare::Slots>(),
            Entry::of::<bare::Futex>(),
        ]
    }
}
