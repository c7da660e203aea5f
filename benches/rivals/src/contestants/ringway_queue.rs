//! ringway's queue between many, of values; and of bytes where messages are longer.

use ringway::Wait;
use ringway::queue::{Queue, Receiver, Sender};

use super::prelude::*;
use crate::workload::{BATCH, Waiting};

/// Between processes, by name.
pub struct Processes;

/// Between threads, without a name.
pub struct Threads;

pub struct Named<const W: usize> {
    queue: Queue<[u64; W]>,
    name: String,
}

fn wait(workload: &Workload) -> Wait {
    match workload.waiting() {
        Waiting::Park => Wait::Park,
        Waiting::Poll => Wait::SpinThenPark,
    }
}

macro_rules! constants {
    ($name:literal, $between:expr) => {
        const NAME: &'static str = $name;
        const KIND: Kind = Kind::Ringway;
        const BETWEEN: Between = $between;
        const BLOCKS: bool = true;
        const BATCHES: bool = true;
        const PARTIES: (usize, usize) = (64, 64);
        type Hub<const W: usize> = Named<W>;
    };
}

impl Contestant for Processes {
    constants!("ringway-queue", Between::Processes);

    fn create<const W: usize>(workload: &Workload, name: &str, _: Way) -> Result<Named<W>, Unable> {
        let options = Queue::<[u64; W]>::options().capacity(workload.capacity);
        let queue = options.wait(wait(workload)).remove_when_unused().create(name);
        let queue = queue.map_err(|why| Unable(why.to_string()))?;
        Ok(Named { queue, name: name.to_owned() })
    }

    fn join<const W: usize>(workload: &Workload, token: &str, _: Way) -> Result<Named<W>, Unable> {
        let queue = Queue::<[u64; W]>::options().wait(wait(workload)).open(token);
        let queue = queue.map_err(|why| Unable(why.to_string()))?;
        Ok(Named { queue, name: token.to_owned() })
    }
}

impl Contestant for Threads {
    constants!("ringway-queue-threads", Between::Threads);

    fn create<const W: usize>(workload: &Workload, name: &str, _: Way) -> Result<Named<W>, Unable> {
        let options = Queue::<[u64; W]>::options().capacity(workload.capacity);
        let queue = options.wait(wait(workload)).unnamed();
        let queue = queue.map_err(|why| Unable(why.to_string()))?;
        Ok(Named { queue, name: name.to_owned() })
    }
}

impl<const W: usize> Hub<W> for Named<W> {
    type Out = Sender<[u64; W]>;
    type In = Receiver<[u64; W]>;

    fn token(&self) -> String {
        self.name.clone()
    }

    fn sender(&mut self) -> Self::Out {
        self.queue.sender()
    }

    fn receiver(&mut self) -> Self::In {
        self.queue.receiver()
    }
}

impl<const W: usize> Out<W> for Sender<[u64; W]> {
    #[inline(always)]
    fn try_send(&mut self, message: &[u64; W]) -> bool {
        Sender::<[u64; W]>::try_send(self, *message).is_ok()
    }

    fn send(&mut self, message: &[u64; W]) {
        Sender::<[u64; W]>::send(self, *message).expect("a receiver is there");
    }

    fn try_send_batch(&mut self, batch: &[[u64; W]]) -> usize {
        Sender::try_send_batch(self, batch).unwrap_or(0)
    }
}

impl<const W: usize> In<W> for Receiver<[u64; W]> {
    #[inline(always)]
    fn try_recv(&mut self, mut look: impl FnMut(&[u64; W])) -> bool {
        Receiver::<[u64; W]>::try_recv(self).is_ok_and(|message| {
            look(&message);
            true
        })
    }

    fn recv(&mut self, mut look: impl FnMut(&[u64; W])) {
        look(&Receiver::<[u64; W]>::recv(self).expect("a sender is there"));
    }

    fn try_recv_batch(&mut self, look: impl FnMut(&[u64; W])) -> usize {
        let mut buffer = [[0; W]; BATCH];
        let count = Receiver::try_recv_batch(self, &mut buffer).unwrap_or(0);
        buffer[..count].iter().for_each(look);
        count
    }
}
