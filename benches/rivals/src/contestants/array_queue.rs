//! crossbeam's `ArrayQueue`: between many threads.

use std::sync::Arc;

use crossbeam_queue::ArrayQueue;

use super::prelude::*;

pub struct CrossbeamArrayQueue;

type Shared<const W: usize> = Arc<ArrayQueue<[u64; W]>>;

impl Contestant for CrossbeamArrayQueue {
    const NAME: &'static str = "ArrayQueue";
    const KIND: Kind = Kind::Rival;
    const BETWEEN: Between = Between::Threads;
    const BLOCKS: bool = false;
    const PARTIES: (usize, usize) = (8, 8);
    type Hub<const W: usize> = Shared<W>;

    fn create<const W: usize>(workload: &Workload, _: &str, _: Way) -> Result<Shared<W>, Unable> {
        Ok(Arc::new(ArrayQueue::new(workload.capacity)))
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
        self.push(*message).is_ok()
    }
}

impl<const W: usize> In<W> for Shared<W> {
    #[inline(always)]
    fn try_recv(&mut self, mut look: impl FnMut(&[u64; W])) -> bool {
        self.pop().is_some_and(|message| {
            look(&message);
            true
        })
    }
}
