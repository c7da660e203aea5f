//! shaq: its ring between one and one, and its queue between many, each in a file of `/dev/shm`.
//!
//! Messages are written and read one by one (`try_write`, `try_read`) or in batches that publish once.
//! Receivers sleep by its own timed calls; senders have none that sleep. Version 4.3: what came later, 5.1
//! included, needs functions that are not stable in the Rust that this workspace is built with; [`Newer`] says
//! so in the tables.
#![allow(unsafe_code, reason = "its constructors rely on who else has the file open")]

use std::fs::{File, OpenOptions};
use std::num::NonZeroUsize;
use std::time::Duration;

use shaq::{mpmc, spsc};

use super::litter::Litter;
use super::prelude::*;
use crate::contestant::Entry;
use crate::workload::BATCH;

/// As long as anything takes.
const PATIENCE: Duration = Duration::from_secs(20);

const BATCH_OF: NonZeroUsize = NonZeroUsize::new(BATCH).expect("not zero");

/// A file, under a name that the other process knows.
#[derive(Debug)]
pub struct Named {
    file: File,
    path: String,
    _litter: Option<Litter>,
}

impl Named {
    fn new(name: &str) -> Result<Self, Unable> {
        let path = format!("/dev/shm/{name}");
        let litter = Some(Litter::expected(&path));
        let file = OpenOptions::new().read(true).write(true).create_new(true).open(&path);
        let file = file.map_err(Unable::because(&path))?;
        Ok(Self { file, path, _litter: litter })
    }

    fn existing(path: &str) -> Result<Self, Unable> {
        let file = OpenOptions::new().read(true).write(true).open(path);
        let file = file.map_err(Unable::because(path))?;
        Ok(Self { file, path: path.to_owned(), _litter: None })
    }
}

/// Whatever the crate refuses.
fn refused(why: impl std::fmt::Debug) -> Unable {
    Unable(format!("shaq: {why:?}"))
}

pub struct Spsc;

/// The queue, and the end that came with making it.
pub struct Ring<const W: usize> {
    named: Named,
    producer: Option<spsc::Producer<[u64; W]>>,
    consumer: Option<spsc::Consumer<[u64; W]>>,
}

impl Contestant for Spsc {
    const NAME: &'static str = "shaq-spsc";
    const KIND: Kind = Kind::Rival;
    const BETWEEN: Between = Between::Processes;
    const BLOCKS: bool = true;
    const SPINS_FIRST: bool = true;
    const BATCHES: bool = true;
    const PARTIES: (usize, usize) = (1, 1);
    type Hub<const W: usize> = Ring<W>;

    fn create<const W: usize>(
        workload: &Workload,
        name: &str,
        way: Way,
    ) -> Result<Ring<W>, Unable> {
        let named = Named::new(name)?;
        let (file, size) = (&named.file, spsc::minimum_file_size::<[u64; W]>(workload.capacity));
        let (mut producer, mut consumer) = (None, None);
        match way {
            // SAFETY: nobody else knows the file yet; there is no other producer, and any bytes are a message.
            Way::There => producer = Some(unsafe { spsc::Producer::create(file, size) }),
            // SAFETY: as above, of a consumer.
            Way::Back => consumer = Some(unsafe { spsc::Consumer::create(file, size) }),
        }
        let producer = producer.transpose().map_err(refused)?;
        let consumer = consumer.transpose().map_err(refused)?;
        Ok(Ring { named, producer, consumer })
    }

    fn join<const W: usize>(_: &Workload, token: &str, _: Way) -> Result<Ring<W>, Unable> {
        Ok(Ring { named: Named::existing(token)?, producer: None, consumer: None })
    }
}

impl<const W: usize> Hub<W> for Ring<W> {
    type Out = spsc::Producer<[u64; W]>;
    type In = spsc::Consumer<[u64; W]>;

    fn token(&self) -> String {
        self.named.path.clone()
    }

    fn sender(&mut self) -> Self::Out {
        self.producer.take().unwrap_or_else(|| {
            // SAFETY: it is called for the one sender, of messages that any bytes are.
            let joined = unsafe { spsc::Producer::join(&self.named.file) };
            joined.expect("join the ring as its producer")
        })
    }

    fn receiver(&mut self) -> Self::In {
        self.consumer.take().unwrap_or_else(|| {
            // SAFETY: it is called for the one receiver, of messages that any bytes are.
            let joined = unsafe { spsc::Consumer::join(&self.named.file) };
            joined.expect("join the ring as its consumer")
        })
    }
}

impl<const W: usize> Out<W> for spsc::Producer<[u64; W]> {
    #[inline(always)]
    fn try_send(&mut self, message: &[u64; W]) -> bool {
        self.try_write(*message).is_ok()
    }

    #[inline(always)]
    fn try_send_batch(&mut self, batch: &[[u64; W]]) -> usize {
        let mut writing = self.write_batch();
        batch.iter().take_while(|message| writing.try_write(**message).is_ok()).count()
    }
}

impl<const W: usize> In<W> for spsc::Consumer<[u64; W]> {
    #[inline(always)]
    fn try_recv(&mut self, mut look: impl FnMut(&[u64; W])) -> bool {
        self.try_read().is_some_and(|message| {
            look(&message);
            true
        })
    }

    fn recv(&mut self, mut look: impl FnMut(&[u64; W])) {
        look(&self.read_timeout(PATIENCE).expect("a message comes"));
    }

    #[inline(always)]
    fn try_recv_batch(&mut self, look: impl FnMut(&[u64; W])) -> usize {
        let Some(batch) = self.try_reserve_read_batch(BATCH_OF) else { return 0 };
        let (one, other) = batch.as_slices();
        one.iter().chain(other).for_each(look);
        batch.len()
    }
}

pub struct Mpmc;

pub struct Queue<const W: usize> {
    named: Named,
    producer: mpmc::Producer<[u64; W]>,
}

impl Contestant for Mpmc {
    const NAME: &'static str = "shaq-mpmc";
    const KIND: Kind = Kind::Rival;
    const BETWEEN: Between = Between::Processes;
    const BLOCKS: bool = true;
    const SPINS_FIRST: bool = true;
    const BATCHES: bool = true;
    const PARTIES: (usize, usize) = (64, 64);
    type Hub<const W: usize> = Queue<W>;

    fn create<const W: usize>(workload: &Workload, name: &str, _: Way) -> Result<Queue<W>, Unable> {
        let named = Named::new(name)?;
        let size = mpmc::minimum_file_size::<[u64; W]>(workload.capacity);
        // SAFETY: nobody else knows the file yet, and any bytes are a message.
        let producer = unsafe { mpmc::Producer::create(&named.file, size) };
        Ok(Queue { producer: producer.map_err(refused)?, named })
    }

    fn join<const W: usize>(_: &Workload, token: &str, _: Way) -> Result<Queue<W>, Unable> {
        let named = Named::existing(token)?;
        // SAFETY: the other side has the same type of messages, which any bytes are.
        let producer = unsafe { mpmc::Producer::join(&named.file) };
        Ok(Queue { producer: producer.map_err(refused)?, named })
    }
}

impl<const W: usize> Hub<W> for Queue<W> {
    type Out = mpmc::Producer<[u64; W]>;
    type In = mpmc::Consumer<[u64; W]>;

    fn token(&self) -> String {
        self.named.path.clone()
    }

    fn sender(&mut self) -> Self::Out {
        self.producer.clone()
    }

    fn receiver(&mut self) -> Self::In {
        self.producer.join_as_consumer()
    }
}

impl<const W: usize> Out<W> for mpmc::Producer<[u64; W]> {
    #[inline(always)]
    fn try_send(&mut self, message: &[u64; W]) -> bool {
        self.try_write(*message).is_ok()
    }

    /// All of them, or none.
    #[inline(always)]
    fn try_send_batch(&mut self, batch: &[[u64; W]]) -> usize {
        if self.try_write_slice(batch) { batch.len() } else { 0 }
    }
}

impl<const W: usize> In<W> for mpmc::Consumer<[u64; W]> {
    #[inline(always)]
    fn try_recv(&mut self, mut look: impl FnMut(&[u64; W])) -> bool {
        self.try_read().is_some_and(|message| {
            look(&message);
            true
        })
    }

    fn recv(&mut self, mut look: impl FnMut(&[u64; W])) {
        look(&self.read_timeout(PATIENCE).expect("a message comes"));
    }

    #[inline(always)]
    fn try_recv_batch(&mut self, look: impl FnMut(&[u64; W])) -> usize {
        let Some(batch) = self.try_reserve_read_batch(BATCH_OF) else { return 0 };
        let (one, other) = batch.as_slices();
        one.iter().chain(other).for_each(look);
        batch.len()
    }
}

/// The current version, which is not here.
pub struct Newer;

impl Newer {
    pub const fn entry() -> Entry {
        const WHY: &str = "not built: shaq 5 uses isolate_highest_one, not stable in Rust 1.95";
        Entry {
            name: "shaq-5",
            kind: Kind::Rival,
            between: Between::Processes,
            refuses: |_| Some(WHY.to_owned()),
            play: |_| Err(Unable(WHY.to_owned())),
            follow: |_, _| Err(Unable(WHY.to_owned())),
        }
    }
}
