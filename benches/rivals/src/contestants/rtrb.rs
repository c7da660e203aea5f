//! rtrb: between one and one, of threads.

use rtrb::{Consumer, Producer, RingBuffer};

use super::prelude::*;
use crate::workload::BATCH;

pub struct Rtrb;

pub struct Ends<const W: usize>(Option<Producer<[u64; W]>>, Option<Consumer<[u64; W]>>);

impl Contestant for Rtrb {
    const NAME: &'static str = "rtrb";
    const KIND: Kind = Kind::Rival;
    const BETWEEN: Between = Between::Threads;
    const BLOCKS: bool = false;
    const BATCHES: bool = true;
    const PARTIES: (usize, usize) = (1, 1);
    type Hub<const W: usize> = Ends<W>;

    fn create<const W: usize>(workload: &Workload, _: &str, _: Way) -> Result<Ends<W>, Unable> {
        let (producer, consumer) = RingBuffer::new(workload.capacity);
        Ok(Ends(Some(producer), Some(consumer)))
    }
}

impl<const W: usize> Hub<W> for Ends<W> {
    type Out = Producer<[u64; W]>;
    type In = Consumer<[u64; W]>;

    fn sender(&mut self) -> Self::Out {
        self.0.take().expect("one sender")
    }

    fn receiver(&mut self) -> Self::In {
        self.1.take().expect("one receiver")
    }
}

impl<const W: usize> Out<W> for Producer<[u64; W]> {
    #[inline(always)]
    fn try_send(&mut self, message: &[u64; W]) -> bool {
        self.push(*message).is_ok()
    }

    #[inline(always)]
    fn try_send_batch(&mut self, batch: &[[u64; W]]) -> usize {
        let count = batch.len().min(self.slots());
        let Ok(chunk) = self.write_chunk_uninit(count) else { return 0 };
        chunk.fill_from_iter(batch.iter().copied())
    }
}

impl<const W: usize> In<W> for Consumer<[u64; W]> {
    #[inline(always)]
    fn try_recv(&mut self, mut look: impl FnMut(&[u64; W])) -> bool {
        self.pop().is_ok_and(|message| {
            look(&message);
            true
        })
    }

    #[inline(always)]
    fn try_recv_batch(&mut self, look: impl FnMut(&[u64; W])) -> usize {
        let count = self.slots().min(BATCH);
        let Ok(chunk) = self.read_chunk(count) else { return 0 };
        let (one, other) = chunk.as_slices();
        one.iter().chain(other).for_each(look);
        chunk.commit_all();
        count
    }
}
