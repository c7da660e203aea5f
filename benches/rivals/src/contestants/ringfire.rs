//! ringfire: its ring of one producer, in the lossless form, with one reader registered.
//!
//! Each of its readers sees every message, and its queue between many drops messages when it is full: so here
//! it is between one and one. Receivers sleep by `FutexWait` as it is by default. Only a producer makes a
//! ring: of the way back that is the other process, and the receiver opens the ring when it first looks.

use std::path::Path;
use std::time::{Duration, Instant};

use ringfire::{FlowControl, FutexWait, RingConsumer, RingProducer, RingProducerBuilder};

use super::litter::Litter;
use super::prelude::*;
use crate::workload::BATCH;

pub struct Lossless;

pub struct Ring<const W: usize> {
    producer: Option<RingProducer<[u64; W]>>,
    capacity: usize,
    path: String,
    _litter: Option<Litter>,
}

impl<const W: usize> Ring<W> {
    fn build(&self) -> ringfire::Result<RingProducer<[u64; W]>> {
        let builder = RingProducerBuilder::new(self.capacity as u64);
        let builder = builder.max_readers(1).flow_control(FlowControl::LosslessBackpressure);
        builder.build(&self.path)
    }
}

impl Contestant for Lossless {
    const NAME: &'static str = "ringfire";
    const KIND: Kind = Kind::Rival;
    const BETWEEN: Between = Between::Processes;
    const BLOCKS: bool = true;
    const SPINS_FIRST: bool = true;
    const BATCHES: bool = true;
    const PARTIES: (usize, usize) = (1, 1);
    type Hub<const W: usize> = Ring<W>;

    fn refuses(workload: &Workload) -> Option<String> {
        // What the works of many would be refused for is said before.
        let fits = workload.capacity.is_power_of_two();
        (!fits).then(|| "not supported: such a capacity".to_owned())
    }

    fn create<const W: usize>(
        workload: &Workload,
        name: &str,
        way: Way,
    ) -> Result<Ring<W>, Unable> {
        let path = format!("/dev/shm/{name}");
        let litter = Some(Litter::expected(&path));
        let mut ring = Ring { producer: None, capacity: workload.capacity, path, _litter: litter };
        if way == Way::There {
            let producer = ring.build().map_err(|why| Unable(format!("ringfire: {why}")))?;
            ring.producer = Some(producer);
        }
        Ok(ring)
    }

    fn join<const W: usize>(workload: &Workload, token: &str, _: Way) -> Result<Ring<W>, Unable> {
        let (capacity, path) = (workload.capacity, token.to_owned());
        Ok(Ring { producer: None, capacity, path, _litter: None })
    }
}

impl<const W: usize> Hub<W> for Ring<W> {
    type Out = RingProducer<[u64; W]>;
    type In = Reader<W>;

    fn token(&self) -> String {
        self.path.clone()
    }

    fn sender(&mut self) -> Self::Out {
        self.producer.take().unwrap_or_else(|| self.build().expect("make the ring"))
    }

    fn receiver(&mut self) -> Reader<W> {
        let path = self.path.clone();
        let ring = Path::new(&path).exists().then(|| attach(&path));
        Reader { ring, path, wait: FutexWait::default() }
    }
}

pub struct Reader<const W: usize> {
    /// Once it is there.
    ring: Option<RingConsumer<[u64; W]>>,
    path: String,
    wait: FutexWait,
}

/// Opens the ring, from its first message on, as soon as its producer has made it.
#[cold]
fn attach<const W: usize>(path: &str) -> RingConsumer<[u64; W]> {
    const PATIENCE: Duration = Duration::from_secs(20);
    let begun = Instant::now();
    loop {
        match RingConsumer::attach(path) {
            Ok(ring) => return ring,
            Err(why) => assert!(begun.elapsed() < PATIENCE, "open the ring: {why}"),
        }
        std::thread::yield_now();
    }
}

impl<const W: usize> Reader<W> {
    #[inline(always)]
    fn ring(&mut self) -> (&mut RingConsumer<[u64; W]>, &mut FutexWait) {
        (self.ring.get_or_insert_with(|| attach(&self.path)), &mut self.wait)
    }
}

impl<const W: usize> Out<W> for RingProducer<[u64; W]> {
    #[inline(always)]
    fn try_send(&mut self, message: &[u64; W]) -> bool {
        self.try_push(message).is_ok()
    }

    fn send(&mut self, message: &[u64; W]) {
        self.push(message);
    }

    /// Waits for room for all of them.
    #[inline(always)]
    fn try_send_batch(&mut self, batch: &[[u64; W]]) -> usize {
        self.push_batch(batch);
        batch.len()
    }
}

impl<const W: usize> In<W> for Reader<W> {
    #[inline(always)]
    fn try_recv(&mut self, mut look: impl FnMut(&[u64; W])) -> bool {
        self.ring().0.try_recv().is_some_and(|message| {
            look(&message);
            true
        })
    }

    fn recv(&mut self, mut look: impl FnMut(&[u64; W])) {
        let (ring, wait) = self.ring();
        look(&ring.recv_blocking(wait));
    }

    #[inline(always)]
    fn try_recv_batch(&mut self, look: impl FnMut(&[u64; W])) -> usize {
        let mut buffer = [[0; W]; BATCH];
        let count = self.ring().0.recv_batch(&mut buffer);
        buffer[..count].iter().for_each(look);
        count
    }
}
