//! kanal's channel: between many threads, bounded, with a lock of its own.
//!
//! All works wait in its calls, which spin first. Who waits for its lock soon sleeps, a millisecond at a time: a side
//! that tried again and again would starve the other one.

use kanal::{Receiver, Sender};

use super::channel::{Channel, Receives, Sends};
use super::prelude::*;

pub struct Bounded;

impl Contestant for Bounded {
    const NAME: &'static str = "kanal";
    const KIND: Kind = Kind::Rival;
    const BETWEEN: Between = Between::Threads;
    const BLOCKS: bool = true;
    const SPINS_FIRST: bool = true;
    const PARTIES: (usize, usize) = (8, 8);
    type Hub<const W: usize> = Channel<Sender<[u64; W]>, Receiver<[u64; W]>>;

    fn create<const W: usize>(
        workload: &Workload,
        _: &str,
        _: Way,
    ) -> Result<Self::Hub<W>, Unable> {
        Ok(Channel::of(workload, kanal::bounded(workload.capacity), true))
    }
}

impl<T: Send + 'static> Sends<T> for Sender<T> {
    #[inline(always)]
    fn try_put(&self, message: T) -> bool {
        self.try_send(message).expect("the receivers are there")
    }

    #[inline(always)]
    fn put(&self, message: T) {
        self.send(message).expect("the receivers are there");
    }
}

impl<T: Send + 'static> Receives<T> for Receiver<T> {
    #[inline(always)]
    fn try_get(&self) -> Option<T> {
        self.try_recv().expect("the senders are there")
    }

    #[inline(always)]
    fn get(&self) -> T {
        self.recv().expect("the senders are there")
    }
}
