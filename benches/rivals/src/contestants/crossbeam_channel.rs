//! crossbeam's channel: between many threads, bounded. Streams and crowds wait in its calls.

use crossbeam_channel::{Receiver, Sender, TryRecvError, TrySendError};

use super::channel::{Channel, Receives, Sends, is_crowd, is_stream};
use super::prelude::*;

pub struct Bounded;

impl Contestant for Bounded {
    const NAME: &'static str = "crossbeam-channel";
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
        let waits = is_stream(workload) || is_crowd(workload);
        Ok(Channel::of(workload, crossbeam_channel::bounded(workload.capacity), waits))
    }
}

impl<T: Send + 'static> Sends<T> for Sender<T> {
    #[inline(always)]
    fn try_put(&self, message: T) -> bool {
        match self.try_send(message) {
            Ok(()) => true,
            Err(TrySendError::Full(_)) => false,
            Err(TrySendError::Disconnected(_)) => panic!("the receivers are gone"),
        }
    }

    #[inline(always)]
    fn put(&self, message: T) {
        assert!(self.send(message).is_ok(), "the receivers are gone");
    }
}

impl<T: Send + 'static> Receives<T> for Receiver<T> {
    #[inline(always)]
    fn try_get(&self) -> Option<T> {
        match self.try_recv() {
            Ok(message) => Some(message),
            Err(TryRecvError::Empty) => None,
            Err(TryRecvError::Disconnected) => panic!("the senders are gone"),
        }
    }

    #[inline(always)]
    fn get(&self) -> T {
        self.recv().expect("the senders are there")
    }
}
