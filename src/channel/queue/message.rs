//! What a queue may be of: how each kind of message is carried by its slots.

use crate::layout::Kind;

/// What a queue carries: values of one type, or bytes up to a length.
///
/// Implemented for every `Pod` type, which is carried as it is, for `[u8]`, and for `Postcard<T>`, which is carried as bytes; nobody
/// else can.
pub trait Message: sealed::Message + 'static {}

impl<M: sealed::Message + ?Sized + 'static> Message for M {}

pub(super) mod sealed {
    use bytemuck::Pod;

    use super::Kind;
    use crate::channel::spsc::element_of;

    /// How a message is carried. Rings, stations and claims know only that.
    pub trait Message {
        /// What lies in the slots: the value itself, or bytes.
        type Carried: crate::primitive::Message + ?Sized;
        /// What users send and receive.
        type Item: ?Sized + 'static;
        /// Whether it is carried as it lies in memory.
        const IN_PLACE: bool = true;
        /// Whether nobody may attach without saying what the type is.
        const NEEDS_TYPE: bool = false;
        /// The kind of segment.
        const KIND: Kind;
        /// Size and alignment of what is carried; `None` where that is chosen with the queue.
        const ELEMENT: Option<(usize, usize)>;
    }

    impl<T: Pod> Message for T {
        type Carried = T;
        type Item = T;
        const KIND: Kind = Kind::Queue;
        const ELEMENT: Option<(usize, usize)> = Some(element_of::<T>());
    }

    impl Message for [u8] {
        type Carried = [u8];
        type Item = [u8];
        const KIND: Kind = Kind::ByteQueue;
        const ELEMENT: Option<(usize, usize)> = None;
    }

    #[cfg(feature = "serde")]
    impl<T> Message for crate::channel::queue::Postcard<T>
    where
        T: serde::Serialize + serde::de::DeserializeOwned + 'static,
    {
        type Carried = [u8];
        type Item = T;
        const IN_PLACE: bool = false;
        const NEEDS_TYPE: bool = true;
        const KIND: Kind = Kind::ByteQueue;
        const ELEMENT: Option<(usize, usize)> = None;
    }
}
