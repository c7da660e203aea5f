//! Streams of messages between two processes, empty ones to 64 MiB, several of them in flight: through queues by blocks and
//! attachments, through a pipe in pieces, beside Unix sockets, a pipe of the kernel and copying in and out of bare shared memory.
//!
//! A sample is so many messages, from the order to send them to the last one's arrival. Each message says in a word of each of
//! its pages which one it is, and each of these words is checked. Contestants take turns within a round; a figure is the
//! median over rounds, a ratio the median of the ratios within rounds. An argument leaves only those whose names have it.

#[path = "../common/mod.rs"]
mod common;
mod sides;
mod table;

use std::time::{Duration, Instant};

use common::{Peer, back_of, first, machine, unique};
use ringway::Wait;
use ringway::spsc::{Consumer, Producer};
use sides::{CONTESTANTS, Contestant, Message, Receive};
use table::Table;

const LENGTHS: [usize; 7] = [0, 64, 4 << 10, 64 << 10, 1 << 20, 16 << 20, 64 << 20];
const ROUNDS: usize = 11;

fn main() {
    common::run(play, |_| bench());
}

fn bench() {
    if machine::usable().len() < 2 {
        println!("not run: two sides that copy need two processors");
        return;
    }
    let wanted = std::env::args().skip(1).find(|argument| !argument.starts_with('-'));
    let wanted = |name: &str| wanted.as_ref().is_none_or(|part| name.contains(part));
    let mut table = Table::default();
    for len in LENGTHS {
        let mut works: Vec<Works> = CONTESTANTS
            .iter()
            .filter(|contestant| contestant.takes(len) && wanted(contestant.name))
            .map(|contestant| Works::start(contestant, len))
            .collect();
        for works in &mut works {
            works.sample();
        }
        for round in 0..ROUNDS {
            for works in &mut works {
                table.add(len, round, works.contestant.name, works.sample());
            }
        }
    }
    table.print();
}

/// One contestant at work, the sender in a process of its own.
struct Works {
    contestant: &'static Contestant,
    receive: Receive,
    orders: Producer<[u64; 1]>,
    done: Consumer<[u64; 1]>,
    message: Message,
    number: u64,
    /// Dropped last: it waits for the process, which ends when its orders do.
    _peer: Peer,
}

impl Works {
    fn start(contestant: &'static Contestant, len: usize) -> Self {
        let (name, mut peer) = (unique(), Peer::none());
        let (place, receive, given) = (contestant.make)(&name, len);
        let orders = Producer::options().wait(Wait::Park).remove_when_unused();
        let orders = orders.create(&orders_of(&name));
        let orders = orders.expect("create the channel of orders");
        let done = Consumer::options().wait(Wait::Park).remove_when_unused();
        let mut done = done.create(&back_of(&name)).expect("create the channel back");
        peer.start(&format!("{} {len} {name} {place}", contestant.name.replace(' ', "_")));
        machine::pin(0);
        first(&mut done, &mut peer);
        drop(given);
        Self {
            contestant,
            receive,
            orders,
            done,
            message: Message::new(len),
            number: 0,
            _peer: peer,
        }
    }

    /// How long one message took.
    fn sample(&mut self) -> Duration {
        let count = self.contestant.count(self.message.len());
        let started = Instant::now();
        self.orders.send([count]).expect("the sender is there");
        for number in self.number..self.number + count {
            (self.receive)(&mut self.message, number);
        }
        let took = started.elapsed();
        self.number += count;
        assert_eq!(self.done.recv(), Ok([count]), "the sender is through");
        took / u32::try_from(count).expect("few messages")
    }
}

/// The name of the channel of orders to the sender of what has `name`.
fn orders_of(name: &str) -> String {
    format!("{name}-orders")
}

/// The sender's process.
fn play(role: &[&str]) {
    let [contestant, len, name, place] = *role else { panic!("no role {role:?}") };
    machine::pin(1);
    let contestant = contestant.replace('_', " ");
    let contestant = CONTESTANTS.iter().find(|one| one.name == contestant).expect("its name");
    let len = len.parse().expect("a length");
    let mut send = (contestant.open)(place, len);
    let mut message = Message::new(len);
    let mut orders =
        Consumer::<[u64; 1]>::options().wait(Wait::Park).open(&orders_of(name)).expect("orders");
    let mut done = Producer::<[u64; 1]>::options().open(&back_of(name)).expect("the way back");
    done.send([0]).expect("the receiver is there");
    let mut number = 0;
    while let Ok([count]) = orders.recv() {
        (number..number + count).for_each(|number| send(&mut message, number));
        number += count;
        done.send([count]).expect("the receiver is there");
    }
}
