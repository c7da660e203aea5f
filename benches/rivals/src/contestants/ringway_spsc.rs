//! ringway's channel between one and one, of values.

use ringway::Wait;
use ringway::spsc::{Consumer, Producer};

use super::prelude::*;
use crate::workload::{BATCH, Waiting};

/// Between processes, by name.
pub struct Processes;

/// Between threads, without a name.
pub struct Threads;

#[allow(clippy::large_enum_variant, reason = "a process has one or two")]
pub enum Ends<const W: usize> {
    /// Both, for threads.
    Both(Option<Producer<[u64; W]>>, Option<Consumer<[u64; W]>>),
    /// The one that this process has, and the channel's name.
    Sends(Option<Producer<[u64; W]>>, Named),
    Receives(Option<Consumer<[u64; W]>>, Named),
}

/// A channel by name.
pub struct Named {
    name: String,
    wait: Wait,
}

impl Named {
    fn new(workload: &Workload, name: &str) -> Self {
        let wait = match workload.waiting() {
            Waiting::Park => Wait::Park,
            Waiting::Poll => Wait::SpinThenPark,
        };
        Self { name: name.to_owned(), wait }
    }
}

impl Contestant for Processes {
    const NAME: &'static str = "ringway-spsc";
    const KIND: Kind = Kind::Ringway;
    const BETWEEN: Between = Between::Processes;
    const BLOCKS: bool = true;
    const BATCHES: bool = true;
    const PARTIES: (usize, usize) = (1, 1);
    type Hub<const W: usize> = Ends<W>;

    fn create<const W: usize>(
        workload: &Workload,
        name: &str,
        way: Way,
    ) -> Result<Ends<W>, Unable> {
        let named = Named::new(workload, name);
        let why = |why: ringway::Error| Unable(why.to_string());
        Ok(match way {
            Way::There => {
                let options = Producer::options().capacity(workload.capacity).wait(named.wait);
                let end = options.remove_when_unused().create(name).map_err(why)?;
                Ends::Sends(Some(end), named)
            }
            Way::Back => {
                let options = Consumer::options().capacity(workload.capacity).wait(named.wait);
                let end = options.remove_when_unused().create(name).map_err(why)?;
                Ends::Receives(Some(end), named)
            }
        })
    }

    fn join<const W: usize>(workload: &Workload, token: &str, way: Way) -> Result<Ends<W>, Unable> {
        let named = Named::new(workload, token);
        Ok(match way {
            Way::There => Ends::Receives(None, named),
            Way::Back => Ends::Sends(None, named),
        })
    }
}

impl Contestant for Threads {
    const NAME: &'static str = "ringway-spsc-threads";
    const KIND: Kind = Kind::Ringway;
    const BETWEEN: Between = Between::Threads;
    const BLOCKS: bool = true;
    const BATCHES: bool = true;
    const PARTIES: (usize, usize) = (1, 1);
    type Hub<const W: usize> = Ends<W>;

    fn create<const W: usize>(workload: &Workload, name: &str, _: Way) -> Result<Ends<W>, Unable> {
        let Named { wait, .. } = Named::new(workload, name);
        let why = |why: ringway::Error| Unable(why.to_string());
        let options = Producer::options().capacity(workload.capacity).wait(wait);
        let (producer, consumer) = options.pair().map_err(why)?;
        Ok(Ends::Both(Some(producer), Some(consumer)))
    }
}

impl<const W: usize> Hub<W> for Ends<W> {
    type Out = Producer<[u64; W]>;
    type In = Consumer<[u64; W]>;

    fn token(&self) -> String {
        match self {
            Self::Both(..) => unreachable!("only between threads"),
            Self::Sends(_, named) | Self::Receives(_, named) => named.name.clone(),
        }
    }

    fn sender(&mut self) -> Self::Out {
        match self {
            Self::Both(producer, _) => producer.take().expect("one sender"),
            Self::Sends(producer, named) => producer.take().unwrap_or_else(|| {
                let options = Producer::options().wait(named.wait);
                options.open(&named.name).expect("open the channel to send")
            }),
            Self::Receives(_, named) => {
                Producer::options().open(&named.name).expect("open the channel to send")
            }
        }
    }

    fn receiver(&mut self) -> Self::In {
        match self {
            Self::Both(_, consumer) => consumer.take().expect("one receiver"),
            Self::Receives(consumer, named) => consumer.take().unwrap_or_else(|| {
                let options = Consumer::options().wait(named.wait);
                options.open(&named.name).expect("open the channel to receive")
            }),
            Self::Sends(_, named) => {
                Consumer::options().open(&named.name).expect("open the channel to receive")
            }
        }
    }
}

impl<const W: usize> Out<W> for Producer<[u64; W]> {
    #[inline(always)]
    fn try_send(&mut self, message: &[u64; W]) -> bool {
        Producer::try_send(self, *message).is_ok()
    }

    fn send(&mut self, message: &[u64; W]) {
        Producer::send(self, *message).expect("the receiver is there");
    }

    #[inline(always)]
    fn try_send_batch(&mut self, batch: &[[u64; W]]) -> usize {
        let Ok(mut grant) = self.try_reserve(batch.len()) else { return 0 };
        let room = grant.len();
        grant.copy_from_slice(&batch[..room]);
        if grant.commit().is_ok() { room } else { 0 }
    }
}

impl<const W: usize> In<W> for Consumer<[u64; W]> {
    #[inline(always)]
    fn try_recv(&mut self, mut look: impl FnMut(&[u64; W])) -> bool {
        Consumer::try_recv(self).is_ok_and(|message| {
            look(&message);
            true
        })
    }

    fn recv(&mut self, mut look: impl FnMut(&[u64; W])) {
        look(&Consumer::recv(self).expect("the sender is there"));
    }

    #[inline(always)]
    fn try_recv_batch(&mut self, look: impl FnMut(&[u64; W])) -> usize {
        let Ok(grant) = self.try_peek(BATCH) else { return 0 };
        let count = grant.len();
        grant.iter().for_each(look);
        grant.release();
        count
    }
}
