//! ringway's pipe: records of bytes, copied in and out.

use ringway::Wait;
use ringway::pipe::{Connection, Direction, Receiver, Sender};

use super::prelude::*;
use crate::workload::Waiting;

pub struct Processes;

pub struct Named {
    connection: Option<Connection>,
    wait: Wait,
    name: String,
}

/// A receiver, and where it copies records to.
pub struct Reader<const W: usize>(Receiver, Box<[u64; W]>);

impl Contestant for Processes {
    const NAME: &'static str = "ringway-pipe";
    const KIND: Kind = Kind::Ringway;
    const BETWEEN: Between = Between::Processes;
    const BLOCKS: bool = true;
    const LONGEST: usize = 1 << 20;
    const PARTIES: (usize, usize) = (1, 1);
    type Hub<const W: usize> = Named;

    fn create<const W: usize>(workload: &Workload, name: &str, way: Way) -> Result<Named, Unable> {
        let wait = wait(workload);
        let direction = match way {
            Way::There => Direction::Send,
            Way::Back => Direction::Receive,
        };
        let capacity = workload.capacity * (workload.bytes + size_of::<u64>());
        let options = Connection::options().direction(direction).capacity(capacity).wait(wait);
        let connection = options.remove_when_unused().create(name);
        let connection = connection.map_err(|why| Unable(why.to_string()))?;
        Ok(Named { connection: Some(connection), wait, name: name.to_owned() })
    }

    fn join<const W: usize>(workload: &Workload, token: &str, _: Way) -> Result<Named, Unable> {
        Ok(Named { connection: None, wait: wait(workload), name: token.to_owned() })
    }
}

fn wait(workload: &Workload) -> Wait {
    match workload.waiting() {
        Waiting::Park => Wait::Park,
        Waiting::Poll => Wait::SpinThenPark,
    }
}

impl Named {
    /// The end of the maker, or the other one.
    fn end(&mut self) -> Connection {
        self.connection.take().unwrap_or_else(|| {
            let options = Connection::options().wait(self.wait);
            options.open(&self.name).expect("open the pipe")
        })
    }
}

impl<const W: usize> Hub<W> for Named {
    type Out = Sender;
    type In = Reader<W>;

    fn token(&self) -> String {
        self.name.clone()
    }

    fn sender(&mut self) -> Sender {
        self.end().split().0.expect("the end that sends")
    }

    fn receiver(&mut self) -> Reader<W> {
        let receiver = self.end().split().1.expect("the end that receives");
        Reader(receiver, bytemuck::allocation::zeroed_box())
    }
}

impl<const W: usize> Out<W> for Sender {
    #[inline(always)]
    fn try_send(&mut self, message: &[u64; W]) -> bool {
        Sender::try_send(self, bytemuck::cast_slice(message)).is_ok()
    }

    fn send(&mut self, message: &[u64; W]) {
        Sender::send(self, bytemuck::cast_slice(message)).expect("the receiver is there");
    }
}

impl<const W: usize> In<W> for Reader<W> {
    #[inline(always)]
    fn try_recv(&mut self, mut look: impl FnMut(&[u64; W])) -> bool {
        let Ok(len) = self.0.try_recv_into(bytemuck::cast_slice_mut(&mut self.1[..])) else {
            return false;
        };
        assert_eq!(len, size_of::<[u64; W]>(), "a record has another length");
        look(&self.1);
        true
    }

    fn recv(&mut self, mut look: impl FnMut(&[u64; W])) {
        let len = self.0.recv_into(bytemuck::cast_slice_mut(&mut self.1[..]));
        assert_eq!(len, Ok(size_of::<[u64; W]>()), "receive a record");
        look(&self.1);
    }
}
