//! ipc-channel: its channel of bytes, which spares the conversion that its other channels do.
//!
//! The processes meet at a one-shot server; the maker of the channel sends the other process its end. Its
//! documentation calls channels unbounded; on Linux they are sockets, and who sends waits while a socket's
//! buffer is full.

use std::path::Path;

use ipc_channel::ipc::{self, IpcBytesReceiver, IpcBytesSender, IpcOneShotServer, IpcSender};

use super::descriptors;
use super::litter::Litter;
use super::prelude::*;

pub struct Bytes;

/// What one process sends to the other.
type Ends = (Option<IpcBytesSender>, Option<IpcBytesReceiver>);

/// The ends that this process has.
pub struct Channel {
    sender: Option<IpcBytesSender>,
    receiver: Option<IpcBytesReceiver>,
    way: Way,
    /// Where the other process asks for its end, until it has.
    server: Option<IpcOneShotServer<IpcSender<Ends>>>,
    address: String,
    _litter: Option<Litter>,
}

fn refused(why: impl std::fmt::Display) -> Unable {
    Unable(format!("ipc-channel: {why}"))
}

impl Contestant for Bytes {
    const NAME: &'static str = "ipc-channel";
    const KIND: Kind = Kind::Rival;
    const BETWEEN: Between = Between::Processes;
    const POLLS: bool = false;
    const BLOCKS: bool = true;
    const LONGEST: usize = 1 << 20;
    const PARTIES: (usize, usize) = (64, 1);
    type Hub<const W: usize> = Channel;

    fn refuses(workload: &Workload) -> Option<String> {
        descriptors::refuses(workload)
    }

    fn create<const W: usize>(_: &Workload, _: &str, way: Way) -> Result<Channel, Unable> {
        let (sender, receiver) = ipc::bytes_channel().map_err(refused)?;
        let (server, address) = IpcOneShotServer::new().map_err(refused)?;
        // The address is a socket in a directory of its own.
        let litter = Path::new(&address).parent().map(Litter::expected);
        let (sender, receiver, server) = (Some(sender), Some(receiver), Some(server));
        Ok(Channel { sender, receiver, way, server, address, _litter: litter })
    }

    fn join<const W: usize>(_: &Workload, token: &str, way: Way) -> Result<Channel, Unable> {
        let (asks, answers) = ipc::channel().map_err(refused)?;
        let server = IpcSender::connect(token.to_owned()).map_err(refused)?;
        server.send(asks).map_err(refused)?;
        let (sender, receiver): Ends = answers.recv().map_err(refused)?;
        let address = token.to_owned();
        Ok(Channel { sender, receiver, way, server: None, address, _litter: None })
    }
}

impl<const W: usize> Hub<W> for Channel {
    type Out = IpcBytesSender;
    type In = IpcBytesReceiver;

    fn token(&self) -> String {
        self.address.clone()
    }

    fn handed_over(&mut self) {
        let server = self.server.take().expect("it is handed over once");
        let (_, asked) = server.accept().expect("the other process asks for its end");
        let ends = match self.way {
            Way::There => (None, self.receiver.take()),
            Way::Back => (self.sender.take(), None),
        };
        asked.send(ends).expect("send the other process its end");
    }

    fn sender(&mut self) -> IpcBytesSender {
        self.sender.clone().expect("this process has that end")
    }

    fn receiver(&mut self) -> IpcBytesReceiver {
        self.receiver.take().expect("one receiver")
    }
}

impl<const W: usize> Out<W> for IpcBytesSender {
    fn try_send(&mut self, _: &[u64; W]) -> bool {
        unreachable!("it does not poll")
    }

    #[inline(always)]
    fn send(&mut self, message: &[u64; W]) {
        IpcBytesSender::send(self, bytemuck::cast_slice(message)).expect("send to the receiver");
    }
}

impl<const W: usize> In<W> for IpcBytesReceiver {
    fn try_recv(&mut self, _: impl FnMut(&[u64; W])) -> bool {
        unreachable!("it does not poll")
    }

    #[inline(always)]
    fn recv(&mut self, mut look: impl FnMut(&[u64; W])) {
        let bytes = IpcBytesReceiver::recv(self).expect("receive from the sender");
        // Memory that was allocated is aligned for words.
        let words: &[u64] = bytemuck::cast_slice(&bytes);
        look(words.try_into().expect("a message has another length"));
    }
}
