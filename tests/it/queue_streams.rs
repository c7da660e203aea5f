//! Streams through a queue between processes and threads: every message arrives whole, exactly once, and those of
//! one sender in its order at each receiver.
//!
//! A sender numbers its messages; a receiver checks each by itself and its order against the last of the same
//! sender, and reports count and sum. Together they must have received what was sent.

use ringway::queue::{Queue, Receiver, Sender};
use ringway::{RecvTimeoutError, TryRecvError, Wait};

use crate::util::child::{Child, hear, say};
use crate::util::{LONG, Name, Random};

/// Sender, number, and two words that depend on both: a torn value does not check.
pub type Value = [u64; 4];

pub fn value(sender: u64, n: u64) -> Value {
    let mut random = Random(sender << 32 | n);
    [sender, n, random.next(), random.next()]
}

pub fn play(role: &str, arguments: &[&str]) {
    let options = Queue::<Value>::options().wait(wait_called(arguments[1]));
    let queue = options.open(arguments[0]).unwrap();
    match role {
        "send" => {
            let (number, count) = (arguments[2].parse().unwrap(), arguments[3].parse().unwrap());
            let sender = queue.sender();
            say("open");
            hear();
            send(&sender, number, count, arguments[4] == "mixed");
        }
        "receive" => {
            let receiver = queue.receiver();
            say("open");
            let (count, sum) = receive(&receiver, arguments[2] == "mixed").told();
            say(&format!("{count} {sum}"));
        }
        _ => panic!("no role {role}"),
    }
}

fn wait_called(name: &str) -> Wait {
    match name {
        "spin then park" => Wait::SpinThenPark,
        "park" => Wait::Park,
        _ => panic!("no way of waiting is called {name}"),
    }
}

/// Sends `count` values: one by one, or in every way there is, with aborted grants between.
pub fn send(sender: &Sender<Value>, number: u64, count: u64, mixed: bool) {
    let (mut n, mut random) = (0, Random(number));
    let mut sender = sender.clone();
    while n < count {
        match if mixed { random.below(6) } else { 0 } {
            0 => sender.send(value(number, n)).unwrap(),
            1 => sender.send_timeout(value(number, n), LONG).unwrap(),
            2 => {
                let end = count.min(n + 1 + random.below(20) as u64);
                let batch: Vec<Value> = (n..end).map(|n| value(number, n)).collect();
                sender.send_batch(&batch).unwrap();
                n = end;
                continue;
            }
            3 => {
                let mut grant = sender.reserve().unwrap();
                *grant = value(number, n);
                grant.commit().unwrap();
            }
            4 => {
                *sender.reserve().unwrap() = [u64::MAX; 4];
                continue;
            }
            _ => {
                sender = sender.clone();
                continue;
            }
        }
        n += 1;
    }
}

/// What one receiver got.
#[derive(Default)]
pub struct Ledger {
    next: Vec<u64>,
    count: u64,
    sum: u64,
}

impl Ledger {
    pub fn enter(&mut self, found: Value) {
        let [sender, n, _, random] = found;
        assert!(sender < 16, "no sender has number {sender}");
        assert_eq!(found, value(sender, n), "a value is torn");
        self.next.resize(16, 0);
        let next = &mut self.next[usize::try_from(sender).unwrap()];
        assert!(n >= *next, "{n} of sender {sender} came after {next}");
        *next = n + 1;
        self.count += 1;
        self.sum = self.sum.wrapping_add(random);
    }

    pub fn told(&self) -> (u64, u64) {
        (self.count, self.sum)
    }
}

/// Receives until the queue is closed and drained: one by one, or in every way there is.
///
/// Where several hold what comes again, order is no longer theirs: so nothing is put back here.
pub fn receive(receiver: &Receiver<Value>, mixed: bool) -> Ledger {
    let (mut ledger, mut random) = (Ledger::default(), Random(5));
    let mut receiver = receiver.clone();
    let mut buffer = [[0; 4]; 20];
    loop {
        match if mixed { random.below(5) } else { 0 } {
            0 => match receiver.recv_timeout(LONG) {
                Ok(value) => ledger.enter(value),
                Err(end) => {
                    assert_eq!(end, RecvTimeoutError::Closed);
                    return ledger;
                }
            },
            1 => {
                let room = 1 + random.below(20);
                match receiver.try_recv_batch(&mut buffer[..room]) {
                    Ok(count) => buffer[..count].iter().for_each(|value| ledger.enter(*value)),
                    Err(error) => assert_eq!(error.fault(), None),
                }
            }
            2 => {
                if let Ok(delivery) = receiver.try_recv_guard() {
                    assert!(!delivery.redelivered());
                    ledger.enter(*delivery);
                    delivery.ack();
                }
            }
            3 => match receiver.try_recv() {
                Ok(value) => ledger.enter(value),
                Err(error) => assert_eq!(error.fault(), None),
            },
            _ => receiver = receiver.clone(),
        }
    }
}

/// Counts and sums of several receivers against what `senders` have sent.
pub fn settle(told: impl Iterator<Item = (u64, u64)>, senders: u64, count: u64) {
    let (received, sum) =
        told.fold((0, 0u64), |all, one| (all.0 + one.0, all.1.wrapping_add(one.1)));
    assert_eq!(received, senders * count);
    let sent = (0..senders).flat_map(|sender| (0..count).map(move |n| value(sender, n)[3]));
    assert_eq!(sum, sent.fold(0u64, u64::wrapping_add), "some came twice and others never");
}

/// Streams between `senders` and `receivers`, every second of each in this process and the others in one of their own.
fn stream(senders: u64, receivers: usize, capacity: usize, count: u64, wait: &str, how: &str) {
    let name = Name::new("stream");
    let options = Queue::<Value>::options().capacity(capacity).wait(wait_called(wait));
    let queue = options.create(&name).unwrap();
    let mixed = how == "mixed";
    // So that it ends by being closed, whoever comes and goes first.
    let _keep = queue.sender();
    let sending = (0..senders).step_by(2).map(|number| {
        let (number, count) = (number.to_string(), count.to_string());
        let child = Child::spawn("queue_streams::send", &[&name, wait, &number, &count, how]);
        child.expect("open");
        child
    });
    let receiving = (0..receivers).step_by(2).map(|_| {
        let child = Child::spawn("queue_streams::receive", &[&name, wait, how]);
        child.expect("open");
        child
    });
    let (mut sending, receiving): (Vec<_>, Vec<_>) = (sending.collect(), receiving.collect());
    std::thread::scope(|scope| {
        let here: Vec<_> = (1..receivers)
            .step_by(2)
            .map(|_| {
                let receiver = queue.receiver();
                scope.spawn(move || receive(&receiver, mixed).told())
            })
            .collect();
        for child in &mut sending {
            child.tell("go");
        }
        let threads: Vec<_> = (1..senders)
            .step_by(2)
            .map(|number| {
                let sender = queue.sender();
                scope.spawn(move || send(&sender, number, count, mixed))
            })
            .collect();
        for thread in threads {
            thread.join().unwrap();
        }
        for one in sending {
            Child::finish(one);
        }
        queue.close();
        let numbers = |line: &str| {
            let (count, sum) = line.split_once(' ').unwrap();
            (count.parse().unwrap(), sum.parse().unwrap())
        };
        let there = receiving.iter().map(|child| numbers(&child.line()));
        settle(there.chain(here.into_iter().map(|thread| thread.join().unwrap())), senders, count);
    });
    for one in receiving {
        Child::finish(one);
    }
    assert_eq!(queue.receiver().try_recv(), Err(TryRecvError::Closed));
}

#[test]
fn each_value_arrives_once_between_as_many_senders_and_receivers() {
    for (sides, count) in [(1, 20_000), (2, 10_000), (4, 5_000)] {
        for capacity in [1, 2, 4, 1024] {
            let sent = if capacity > 2 { count } else { count / 20 };
            stream(sides, usize::try_from(sides).unwrap(), capacity, sent, "spin then park", "one");
        }
    }
}

#[test]
fn each_value_arrives_once_from_one_to_many_and_from_many_to_one() {
    for (senders, receivers, count) in [(1, 4, 10_000), (4, 1, 2_500)] {
        for capacity in [1, 2, 4, 1024] {
            let sent = if capacity > 2 { count } else { count / 5 };
            stream(senders, receivers, capacity, sent, "spin then park", "one");
        }
    }
}

#[test]
fn each_value_arrives_once_where_batches_grants_and_clones_are_mixed() {
    for (senders, receivers) in [(2, 2), (4, 4), (1, 3), (3, 1)] {
        for capacity in [1, 4, 1024] {
            stream(senders, receivers, capacity, 1_500, "spin then park", "mixed");
        }
    }
}

#[test]
fn each_value_arrives_once_between_those_who_sleep_at_once() {
    for (senders, receivers) in [(1, 1), (3, 3)] {
        stream(senders, receivers, 2, 500, "park", "one");
        stream(senders, receivers, 64, 1_000, "park", "mixed");
    }
}
