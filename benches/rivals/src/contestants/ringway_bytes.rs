//! ringway's queue of bytes, between many processes: messages are copied in and out.

use ringway::queue::{Queue, Receiver, Sender};
use ringway::{TryRecvError, TrySendError, Wait};

use super::prelude::*;
use crate::workload::Waiting;

pub struct Processes;

pub struct Named {
    queue: Queue<[u8]>,
    name: String,
}

/// A receiver, and where it copies messages to.
pub struct Reader<const W: usize>(Receiver<[u8]>, Box<[u64; W]>);

fn wait(workload: &Workload) -> Wait {
    match workload.waiting() {
        Waiting::Park => Wait::Park,
        Waiting::Poll => Wait::SpinThenPark,
    }
}

impl Contestant for Processes {
    const NAME: &'static str = "ringway-bytes";
    const KIND: Kind = Kind::Ringway;
    const BETWEEN: Between = Between::Processes;
    const BLOCKS: bool = true;
    const LONGEST: usize = 1 << 20;
    const PARTIES: (usize, usize) = (64, 64);
    type Hub<const W: usize> = Named;

    fn create<const W: usize>(workload: &Workload, name: &str, _: Way) -> Result<Named, Unable> {
        let options = Queue::<[u8]>::options().capacity(workload.capacity);
        let options = options.message_len(workload.bytes).wait(wait(workload));
        let queue = options.remove_when_unused().create(name);
        let queue = queue.map_err(|why| Unable(why.to_string()))?;
        Ok(Named { queue, name: name.to_owned() })
    }

    fn join<const W: usize>(workload: &Workload, token: &str, _: Way) -> Result<Named, Unable> {
        let queue = Queue::<[u8]>::options().wait(wait(workload)).open(token);
        let queue = queue.map_err(|why| Unable(why.to_string()))?;
        Ok(Named { queue, name: token.to_owned() })
    }
}

impl<const W: usize> Hub<W> for Named {
    type Out = Sender<[u8]>;
    type In = Reader<W>;

    fn token(&self) -> String {
        self.name.clone()
    }

    fn sender(&mut self) -> Self::Out {
        self.queue.sender()
    }

    fn receiver(&mut self) -> Reader<W> {
        Reader(self.queue.receiver(), bytemuck::allocation::zeroed_box())
    }
}

impl<const W: usize> Out<W> for Sender<[u8]> {
    #[inline(always)]
    fn try_send(&mut self, message: &[u64; W]) -> bool {
        match Sender::<[u8]>::try_send(self, bytemuck::cast_slice(message)) {
            Ok(()) => true,
            Err(TrySendError::Full(())) => false,
            Err(why) => panic!("{why}"),
        }
    }

    fn send(&mut self, message: &[u64; W]) {
        let sent = Sender::<[u8]>::send(self, bytemuck::cast_slice(message));
        sent.expect("a receiver is there");
    }
}

impl<const W: usize> In<W> for Reader<W> {
    #[inline(always)]
    fn try_recv(&mut self, mut look: impl FnMut(&[u64; W])) -> bool {
        let len = match self.0.try_recv_into(bytemuck::cast_slice_mut(&mut self.1[..])) {
            Ok(len) => len,
            Err(TryRecvError::Empty | TryRecvError::Busy(_)) => return false,
            Err(why) => panic!("{why}"),
        };
        assert_eq!(len, size_of::<[u64; W]>(), "a message has another length");
        look(&self.1);
        true
    }

    fn recv(&mut self, mut look: impl FnMut(&[u64; W])) {
        let len = self.0.recv_into(bytemuck::cast_slice_mut(&mut self.1[..]));
        assert_eq!(len, Ok(size_of::<[u64; W]>()), "receive a message");
        look(&self.1);
    }
}
