//! The standard library's `sync_channel`: from many threads to one, bounded. Streams wait in its calls.

use std::sync::mpsc::{self, Receiver, SyncSender, TryRecvError, TrySendError};

use super::channel::{Channel, Receives, Sends, is_stream};
use super::prelude::*;

pub struct SyncChannel;

impl Contestant for SyncChannel {
    const NAME: &'static str = "std-mpsc";
    const KIND: Kind = Kind::Rival;
    const BETWEEN: Between = Between::Threads;
    const BLOCKS: bool = true;
    const PARTIES: (usize, usize) = (8, 1);
    type Hub<const W: usize> = Channel<SyncSender<[u64; W]>, Receiver<[u64; W]>>;

    fn create<const W: usize>(
        workload: &Workload,
        _: &str,
        _: Way,
    ) -> Result<Self::Hub<W>, Unable> {
        let (sender, receiver) = mpsc::sync_channel(workload.capacity);
        let (senders, _) = workload.parties();
        Ok(Channel::new(vec![sender; senders], vec![receiver], is_stream(workload)))
    }
}

impl<T: Send + 'static> Sends<T> for SyncSender<T> {
    #[inline(always)]
    fn try_put(&self, message: T) -> bool {
        match self.try_send(message) {
            Ok(()) => true,
            Err(TrySendError::Full(_)) => false,
            Err(TrySendError::Disconnected(_)) => panic!("the receiver is gone"),
        }
    }

    #[inline(always)]
    fn put(&self, message: T) {
        assert!(self.send(message).is_ok(), "the receiver is gone");
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
