//! What a queue carries, and how it lies in its slot.

/// What a queue carries: values of one size, or bytes up to a length.
///
/// Implemented for every `Pod` type and for `[u8]`; nobody else can.
pub trait Message: sealed::Message + 'static {}

impl<M: sealed::Message + ?Sized + 'static> Message for M {}

mod sealed {
    use bytemuck::Pod;

    /// How a message lies in its slot.
    pub trait Message {
        /// What a slot's payload is made of.
        type Element: Pod;
        /// Bytes from the start of a slot to its payload.
        const PAYLOAD: usize;
        /// Bytes from one slot to the next, where `chosen` is what the geometry says.
        fn stride(chosen: usize) -> usize;
    }

    /// One value behind the word.
    impl<T: Pod> Message for T {
        type Element = T;
        const PAYLOAD: usize =
            if align_of::<T>() > size_of::<u64>() { align_of::<T>() } else { size_of::<u64>() };

        /// A constant, so that finding a slot takes a shift or a multiplication by a known number.
        #[inline(always)]
        fn stride(_: usize) -> usize {
            const { super::stride(size_of::<T>(), align_of::<T>()) }
        }
    }

    /// A word with the length, then the bytes.
    impl Message for [u8] {
        type Element = u64;
        const PAYLOAD: usize = size_of::<u64>();

        #[inline(always)]
        fn stride(chosen: usize) -> usize {
            chosen
        }
    }
}

/// Slots begin on multiples of this: four small ones share a cache line, and a large one wastes little.
pub const SLOT_ALIGN: usize = 16;

/// Bytes from one slot to the next for a payload of `size` bytes aligned to `align`.
///
/// # Panics
///
/// When that is more than an address can express, which only nonsense is.
pub const fn stride(size: usize, align: usize) -> usize {
    let payload = if align > size_of::<u64>() { align } else { size_of::<u64>() };
    let slot_align = if align > SLOT_ALIGN { align } else { SLOT_ALIGN };
    (payload + size).next_multiple_of(slot_align)
}
