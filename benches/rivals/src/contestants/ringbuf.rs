//! ringbuf's `HeapRb`: between one and one, of threads. Its ends remember where the other one was. Batches are copied
//! in by slices and looked at in place.

use std::sync::Arc;

use ringbuf::traits::{Consumer as _, Producer as _, Split as _};
use ringbuf::{CachingCons, CachingProd, HeapRb};

use super::prelude::*;
use crate::workload::BATCH;

pub struct Ringbuf;

type Producer<const W: usize> = CachingProd<Arc<HeapRb<[u64; W]>>>;
type Consumer<const W: usize> = CachingCons<Arc<HeapRb<[u64; W]>>>;

pub struct Ends<const W: usize>(Option<Producer<W>>, Option<Consumer<W>>);

impl Contestant for Ringbuf {
    const NAME: &'static str = "ringbuf";
    const KIND: Kind = Kind::Rival;
    const BETWEEN: Between = Between::Threads;
    const BLOCKS: bool = false;
    const BATCHES: bool = true;
    const PARTIES: (usize, usize) = (1, 1);
    type Hub<const W: usize> = Ends<W>;

    fn create<const W: usize>(workload: &Workload, _: &str, _: Way) -> Result<Ends<W>, Unable> {
        let (producer, consumer) = HeapRb::new(workload.capacity).split();
        Ok(Ends(Some(producer), Some(consumer)))
    }
}

impl<const W: usize> Hub<W> for Ends<W> {
    type Out = Producer<W>;
    type In = Consumer<W>;

    fn sender(&mut self) -> Self::Out {
        self.0.take().expect("one sender")
    }

    fn receiver(&mut self) -> Self::In {
        self.1.take().expect("one receiver")
    }
}

impl<const W: usize> Out<W> for Producer<W> {
    #[inline(always)]
    fn try_send(&mut self, message: &[u64; W]) -> bool {
        self.try_push(*message).is_ok()
    }

    #[inline(always)]
    fn try_send_batch(&mut self, batch: &[[u64; W]]) -> usize {
        self.push_slice(batch)
    }
}

impl<const W: usize> In<W> for Consumer<W> {
    #[inline(always)]
    fn try_recv(&mut self, mut look: impl FnMut(&[u64; W])) -> bool {
        self.try_pop().is_some_and(|message| {
            look(&message);
            true
        })
    }

    #[inline(always)]
    fn try_recv_batch(&mut self, look: impl FnMut(&[u64; W])) -> usize {
        let (one, other) = self.as_slices();
        let count = BATCH.min(one.len() + other.len());
        one.iter().chain(other).take(count).for_each(look);
        self.skip(count)
    }
}
