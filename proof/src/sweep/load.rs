//! Messages that can be told apart and checked byte by byte: fixed-size values and bytes of various lengths.

use super::place::Place;
use std::time::Duration;

use anyhow::{Result, ensure};
use ringway::queue::{Delivery, DeliveryPolicy, Message, Queue, Receiver, Sender, WriteGrant};
use ringway::{Options, RecvError, SendError, TryRecvError, TrySendError, Wait};

/// Slots of each channel.
pub const CAPACITY: usize = 4;

/// Three words, so that a message half written shows.
pub type Value = [u64; 3];

/// The value of message `number`.
pub fn value(number: u64) -> Value {
    [number, !number, number.wrapping_mul(0x9e37_79b9_7f4a_7c15)]
}

/// Which message `value` is, if it is whole.
pub fn number_of(found: Value) -> Result<u64> {
    ensure!(found == value(found[0]), "a value that nobody sent: {found:x?}");
    Ok(found[0])
}

/// The bytes of message `number`: the number, then some that depend on it, to a length that does as well.
pub fn bytes(number: u64) -> Vec<u8> {
    bytes_from(9, number)
}

fn bytes_from(least: usize, number: u64) -> Vec<u8> {
    let len = least + usize::try_from(number % 5).unwrap_or(0);
    let filler = |at: usize| number.to_le_bytes()[at % 8] ^ u8::try_from(at).unwrap_or(0);
    (0..len).map(|at| if at < 8 { number.to_le_bytes()[at] } else { filler(at) }).collect()
}

/// Which message `found` is, if it is whole.
pub fn number_of_bytes(found: &[u8]) -> Result<u64> {
    number_from(9, found)
}

fn number_from(least: usize, found: &[u8]) -> Result<u64> {
    let number = found.first_chunk().map_or(u64::MAX, |first| u64::from_le_bytes(*first));
    ensure!(found == bytes_from(least, number), "a message that nobody sent: {found:x?}");
    Ok(number)
}

/// Bytes of a message in a queue, at least: more than the shortest slot has room for.
const LEAST: usize = 17;

/// What is special about a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Special {
    /// Nothing.
    Plain,
    /// There is room for two members, so the next one gets the number of the one that died.
    Heir,
    /// A message that was delivered twice goes to the dead letters.
    DeadLetters,
    /// Slots are short: messages of bytes lie in blocks.
    Long,
    /// Both.
    LongDeadLetters,
}

/// A kind of message that a queue carries.
pub trait Load: Message + 'static {
    /// A message outside of the queue.
    type Own;
    const NAME: &'static str;

    fn make(number: u64) -> Self::Own;
    fn number(found: &Self) -> Result<u64>;
    fn number_of_own(found: &Self::Own) -> Result<u64>;
    /// Options for a small queue with few members, who sleep at once and for long.
    fn options(policy: DeliveryPolicy, special: Special) -> Options<Queue<Self>>;
    fn create(options: &Options<Queue<Self>>, name: &str) -> Result<Queue<Self>>;
    fn open(options: &Options<Queue<Self>>, name: &str) -> Result<Queue<Self>>;
    fn send(sender: &Sender<Self>, message: &Self::Own) -> Result<(), SendError<()>>;
    fn try_send(sender: &Sender<Self>, message: &Self::Own) -> Result<(), TrySendError<()>>;
    fn recv(receiver: &Receiver<Self>) -> Result<Self::Own, RecvError>;
    fn try_recv(receiver: &Receiver<Self>) -> Result<Self::Own, TryRecvError>;
    fn guard(receiver: &Receiver<Self>) -> Result<Delivery<Self>, TryRecvError>;
    fn copy(held: &Delivery<Self>) -> Self::Own;
    fn number_held(held: &Delivery<Self>) -> Result<u64>;
    fn reserve(
        sender: &Sender<Self>,
        message: &Self::Own,
    ) -> Result<WriteGrant<Self>, SendError<()>>;
    fn commit(grant: WriteGrant<Self>) -> Result<(), SendError<()>>;
    /// Slots so short that its messages lie in blocks, if it can have them.
    fn with_blocks(options: Options<Queue<Self>>) -> Options<Queue<Self>> {
        options
    }
    /// That no block is lost, where messages lie in some.
    fn check_blocks(_queue: &Queue<Self>) -> Result<()> {
        Ok(())
    }
}

/// What both kinds do by methods of the same name.
macro_rules! forward {
    () => {
        fn options(policy: DeliveryPolicy, special: Special) -> Options<Queue<Self>> {
            let options = Place::options(Queue::<Self>::options().delivery(policy));
            let options = options.capacity(CAPACITY).max_members(4).remove_when_unused();
            let options = options.wait(Wait::Park).recheck(Duration::from_mins(1));
            match special {
                Special::Plain => options,
                Special::Heir => options.max_members(2),
                Special::DeadLetters => options.dead_letters(2, CAPACITY),
                Special::Long => Self::with_blocks(options),
                Special::LongDeadLetters => Self::with_blocks(options).dead_letters(2, CAPACITY),
            }
        }
        fn create(options: &Options<Queue<Self>>, name: &str) -> Result<Queue<Self>> {
            Ok(options.create(name)?)
        }
        fn open(options: &Options<Queue<Self>>, name: &str) -> Result<Queue<Self>> {
            Ok(options.open(name)?)
        }
        #[inline(always)]
        fn recv(receiver: &Receiver<Self>) -> Result<Self::Own, RecvError> {
            receiver.recv()
        }
        #[inline(always)]
        fn try_recv(receiver: &Receiver<Self>) -> Result<Self::Own, TryRecvError> {
            receiver.try_recv()
        }
        #[inline(always)]
        fn guard(receiver: &Receiver<Self>) -> Result<Delivery<Self>, TryRecvError> {
            receiver.try_recv_guard()
        }
        fn number_held(held: &Delivery<Self>) -> Result<u64> {
            Self::number(held)
        }
        #[inline(always)]
        fn commit(grant: WriteGrant<Self>) -> Result<(), SendError<()>> {
            grant.commit()
        }
    };
}

impl Load for Value {
    type Own = Value;
    const NAME: &'static str = "queue";
    forward!();

    fn make(number: u64) -> Value {
        value(number)
    }
    fn number(found: &Value) -> Result<u64> {
        number_of(*found)
    }
    fn number_of_own(found: &Value) -> Result<u64> {
        number_of(*found)
    }
    #[inline(always)]
    fn send(sender: &Sender<Value>, message: &Value) -> Result<(), SendError<()>> {
        sender.send(*message).map_err(|_| SendError::Closed(()))
    }
    #[inline(always)]
    fn try_send(sender: &Sender<Value>, message: &Value) -> Result<(), TrySendError<()>> {
        sender.try_send(*message).map_err(|why| match why {
            TrySendError::Full(_) => TrySendError::Full(()),
            TrySendError::Closed(_) => TrySendError::Closed(()),
            TrySendError::Disconnected(_) => TrySendError::Disconnected(()),
            other => panic!("a value cannot be sent: {other:?}"),
        })
    }
    #[inline(always)]
    fn copy(held: &Delivery<Value>) -> Value {
        **held
    }
    #[inline(always)]
    fn reserve(
        sender: &Sender<Value>,
        message: &Value,
    ) -> Result<WriteGrant<Value>, SendError<()>> {
        let mut grant = sender.reserve()?;
        *grant = *message;
        Ok(grant)
    }
}

impl Load for [u8] {
    type Own = Vec<u8>;
    const NAME: &'static str = "bytes";
    forward!();

    fn make(number: u64) -> Vec<u8> {
        bytes_from(LEAST, number)
    }
    fn number(found: &[u8]) -> Result<u64> {
        number_from(LEAST, found)
    }
    fn number_of_own(found: &Vec<u8>) -> Result<u64> {
        number_from(LEAST, found)
    }
    fn with_blocks(options: Options<Queue<[u8]>>) -> Options<Queue<[u8]>> {
        options.message_len(LEAST - 1).blocks(64, 2 * CAPACITY)
    }
    fn check_blocks(queue: &Queue<[u8]>) -> Result<()> {
        let lost = queue.blocks().into_iter().find(|usage| usage.free != usage.count);
        ensure!(lost.is_none(), "blocks are taken: {lost:?}");
        Ok(())
    }
    #[inline(always)]
    fn send(sender: &Sender<[u8]>, message: &Vec<u8>) -> Result<(), SendError<()>> {
        sender.send(message)
    }
    #[inline(always)]
    fn try_send(sender: &Sender<[u8]>, message: &Vec<u8>) -> Result<(), TrySendError<()>> {
        sender.try_send(message)
    }
    #[inline(always)]
    fn copy(held: &Delivery<[u8]>) -> Vec<u8> {
        held.to_vec()
    }
    #[inline(always)]
    fn reserve(
        sender: &Sender<[u8]>,
        message: &Vec<u8>,
    ) -> Result<WriteGrant<[u8]>, SendError<()>> {
        let mut grant = sender.reserve(message.len())?;
        grant.copy_from_slice(message);
        Ok(grant)
    }
}
