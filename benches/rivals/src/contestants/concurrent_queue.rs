//! concurrent-queue: between many threads, bounded.

use std::sync::Arc;

use concurrent_queue::{ConcurrentQueue, PopError, PushError};

use super::prelude::*;

pub struct Bounded;

type Shared<const W: usize> = Arc<ConcurrentQueue<[u64; W]>>;

impl Contestant for Bounded {
    const NAME: &'static str = "concurrent-queue";
    const KIND: Kind = Kind::Rival;
    const BETWEEN: Between = Between::Threads;
    const BLOCKS: bool = false;
    const PARTIES: (usize, usize) = (8, 8);
    type Hub<const W: usize> = Shared<W>;

    fn create<const W: usize>(workload: &Workload, _: &str, _: Way) -> Result<Shared<W>, Unable> {
        Ok(Arc::new(ConcurrentQueue::bounded(workload.capacity)))
    }
}

impl<const W: usize> Hub<W> for Shared<W> {
    type Out = Self;
    type In = Self;

    fn sender(&mut self) -> Self {
        self.clone()
    }

    fn receiver(&mut self) -> Self {
        self.clone()
    }
}

impl<const W: usize> Out<W> for Shared<W> {
    #[inline(always)]
    fn try_send(&mut self, message: &[u64; W]) -> bool {
        match self.push(*message) {
            Ok(()) => true,
            Err(PushError::Full(_)) => false,
            Err(PushError::Closed(_)) => unreachable!("nobody closes it"),
        }
    }
}

impl<const W: usize> In<W> for Shared<W> {
    #[inline(always)]
    fn try_recv(&mut self, mut look: impl FnMut(&[u64; W])) -> bool {
        match self.pop() {
            Ok(message) => look(&message),
            Err(PopError::Empty) => return false,
            Err(PopError::Closed) => unreachable!("nobody closes it"),
        }
        true
    }
}
