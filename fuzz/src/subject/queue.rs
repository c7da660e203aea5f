//! Queues of values and of bytes.

use ringway::queue::{Delivery, Message, Queue, Receiver, Sender, WriteGrant};
use ringway::{Channel, Options};

use super::{BRIEF, Manner, Step, Subject, describe, message};
use crate::place::Name;

/// As many handles and attachments as an input gets.
const MOST: usize = 4;

/// A queue with whatever handles there are of it.
pub struct Many<M: Traffic + ?Sized>
where
    Queue<M>: Channel,
{
    name: String,
    options: Options<Queue<M>>,
    queues: Vec<Queue<M>>,
    senders: Vec<Sender<M>>,
    receivers: Vec<Receiver<M>>,
    places: Vec<WriteGrant<M>>,
    deliveries: Vec<Delivery<M>>,
}

/// What is done to queues of values and of bytes by different calls.
pub trait Traffic: Message {
    /// Sends a message of `len` bytes.
    fn send(sender: &Sender<Self>, manner: Manner, len: u8);
    /// Receives one with room for `len` bytes.
    fn receive(receiver: &Receiver<Self>, manner: Manner, len: u8);
    /// A place for one, if there is any.
    fn reserve(sender: &Sender<Self>) -> Option<WriteGrant<Self>>;
    /// A message in place, if there is any.
    fn take(receiver: &Receiver<Self>) -> Option<Delivery<Self>>;
    /// Fills a place and sends it.
    fn commit(place: WriteGrant<Self>);
}

impl Traffic for u64 {
    fn send(sender: &Sender<u64>, manner: Manner, len: u8) {
        let values = [u64::from(len); 7];
        match manner {
            Manner::Try => drop(sender.try_send(values[0])),
            Manner::Wait => drop(sender.send_timeout(values[0], BRIEF)),
            Manner::Many => {
                let sent = sender.try_send_batch(&values[..usize::from(len % 8)]);
                assert!(sent.is_err() || sent.is_ok_and(|sent| sent <= 7));
            }
            Manner::InPlace(finished) => {
                if let Ok(place) = sender.reserve_timeout(BRIEF) {
                    if finished { Self::commit(place) } else { drop(place) }
                }
            }
        }
    }

    fn receive(receiver: &Receiver<u64>, manner: Manner, len: u8) {
        match manner {
            Manner::Try => drop(receiver.try_recv()),
            Manner::Wait => drop(receiver.recv_timeout(BRIEF)),
            Manner::Many => {
                let got = receiver.try_recv_batch(&mut [0; 7][..usize::from(len % 8)]);
                assert!(got.is_err() || got.is_ok_and(|got| got <= 7));
            }
            Manner::InPlace(finished) => {
                if let Ok(delivery) = receiver.recv_guard_timeout(BRIEF) {
                    if finished { delivery.ack() } else { drop(delivery) }
                }
            }
        }
    }

    fn reserve(sender: &Sender<u64>) -> Option<WriteGrant<u64>> {
        sender.try_reserve().ok()
    }

    fn take(receiver: &Receiver<u64>) -> Option<Delivery<u64>> {
        receiver.try_recv_guard().ok()
    }

    fn commit(mut place: WriteGrant<u64>) {
        *place = place.wrapping_add(1);
        let _ = place.commit();
    }
}

impl Traffic for [u8] {
    fn send(sender: &Sender<[u8]>, manner: Manner, len: u8) {
        match manner {
            Manner::Try | Manner::Many => drop(sender.try_send(&message(len))),
            Manner::Wait => drop(sender.send_timeout(&message(len), BRIEF)),
            Manner::InPlace(finished) => {
                if let Ok(mut place) = sender.reserve_timeout(len.into(), BRIEF) {
                    assert_eq!(place.len(), usize::from(len));
                    place.truncate(usize::from(len / 2));
                    if finished { Self::commit(place) } else { drop(place) }
                }
            }
        }
    }

    fn receive(receiver: &Receiver<[u8]>, manner: Manner, len: u8) {
        let max = receiver.max_len();
        let mut buffer = message(len);
        match manner {
            Manner::Try => assert!(receiver.try_recv().map_or(0, |got| got.len()) <= max),
            Manner::Wait => {
                assert!(receiver.recv_timeout(BRIEF).map_or(0, |got| got.len()) <= max);
            }
            Manner::Many => {
                let got = receiver.recv_into_timeout(&mut buffer, BRIEF);
                assert!(got.is_err() || got.is_ok_and(|got| got <= max && got <= buffer.len()));
            }
            Manner::InPlace(finished) => {
                if let Ok(delivery) = receiver.recv_guard_timeout(BRIEF) {
                    assert!(delivery.len() <= max && delivery.to_vec().len() <= max);
                    if finished { delivery.ack() } else { drop(delivery) }
                }
            }
        }
    }

    fn reserve(sender: &Sender<[u8]>) -> Option<WriteGrant<[u8]>> {
        sender.try_reserve(sender.max_len()).ok()
    }

    fn take(receiver: &Receiver<[u8]>) -> Option<Delivery<[u8]>> {
        receiver.try_recv_guard().ok()
    }

    fn commit(mut place: WriteGrant<[u8]>) {
        place.fill(7);
        let _ = place.commit();
    }
}

impl<M: Traffic + ?Sized> Many<M>
where
    Queue<M>: Channel,
{
    /// A new queue with a sender and a receiver, of different attachments.
    pub fn new(options: Options<Queue<M>>, name: &Name) -> Self {
        let name = name.as_str().to_owned();
        let queues = vec![
            options.create(&name).expect("nobody has the name"),
            options.open(&name).expect("it was made a moment ago"),
        ];
        let (senders, receivers) = (vec![queues[0].sender()], vec![queues[1].receiver()]);
        let (places, deliveries) = (Vec::new(), Vec::new());
        Self { name, options, queues, senders, receivers, places, deliveries }
    }

    fn hold(&mut self, message: bool) {
        if message {
            self.deliveries.extend(self.receivers.first().and_then(|receiver| M::take(receiver)));
        } else {
            self.places.extend(self.senders.first().and_then(|sender| M::reserve(sender)));
        }
    }

    fn let_go(&mut self, finished: bool) {
        match (self.deliveries.pop(), self.places.pop()) {
            (Some(delivery), _) if finished => delivery.ack(),
            (_, Some(place)) if finished => M::commit(place),
            given_up => drop(given_up),
        }
    }

    fn join(&mut self) {
        if let Some(queue) = self.queues.last()
            && self.senders.len() < MOST
        {
            self.senders.insert(0, queue.sender());
            self.receivers.insert(0, queue.receiver());
        }
        if self.senders.len() < MOST {
            self.senders.extend(self.senders.first().cloned());
            self.receivers.extend(self.receivers.first().cloned());
        }
    }

    fn look(&self) {
        for queue in &self.queues {
            assert!(queue.len() <= queue.capacity());
            let _ = (queue.is_closed(), queue.is_empty(), queue.is_full(), queue.delivery());
            describe(queue);
            describe(&queue.members());
        }
        for delivery in &self.deliveries {
            assert!((1..=16).contains(&delivery.deliveries()));
        }
        for sender in &self.senders {
            assert!(sender.len() <= sender.capacity());
            describe(sender);
        }
    }
}

impl<M: Traffic + ?Sized> Subject for Many<M>
where
    Queue<M>: Channel,
{
    fn step(&mut self, step: Step) {
        match step {
            Step::Send(manner, len) => {
                self.senders.iter().for_each(|sender| M::send(sender, manner, len));
            }
            Step::Receive(manner, len) => {
                self.receivers.iter().for_each(|receiver| M::receive(receiver, manner, len));
            }
            Step::Hold(message) => self.hold(message),
            Step::LetGo(finished) => self.let_go(finished),
            Step::Join => self.join(),
            Step::Attach if self.queues.len() < MOST => {
                self.queues.extend(self.options.open(&self.name));
            }
            Step::Leave(true) => drop(self.queues.pop()),
            Step::Leave(false) => drop((self.senders.pop(), self.receivers.pop())),
            Step::Recover => {
                for queue in &self.queues {
                    describe(&(queue.recover(), queue.statistics()));
                    self.receivers.extend(queue.dead_letters());
                }
                self.receivers.truncate(MOST);
            }
            Step::Close => self.queues.iter().for_each(Queue::close),
            Step::Attach | Step::Look => self.look(),
        }
    }
}
