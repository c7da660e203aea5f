//! Several senders and several receivers: a thread of each process on each of the two processors.
//!
//! Every sender numbers its messages. A receiver sees to it that the numbers of each sender only rise; together
//! they must have as many messages as were sent, with the same sum of squares: none lost, repeated or changed.

use std::thread;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use ringway::RecvError;
use ringway::pipe::Connection;
use ringway::queue::{Queue, Receiver, Sender};

use crate::machine::{Machine, pin, running_on};
use crate::measure::{Fallible, Measured, SLOTS, hear, start_follower};
use crate::task::Task;

/// Senders in the first process, and receivers in the second: one for each of the processors.
const EACH: usize = 2;

/// Some messages: how many, and the sum of their squares.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Tally {
    count: u64,
    squares: u64,
}

impl Tally {
    fn add(&mut self, message: u64) {
        self.count += 1;
        self.squares = self.squares.wrapping_add(message.wrapping_mul(message));
    }

    fn and(self, other: Self) -> Self {
        let squares = self.squares.wrapping_add(other.squares);
        Self { count: self.count + other.count, squares }
    }
}

/// The first process: sends for about `budget`.
pub fn lead(machine: &Machine, task: &Task, budget: Duration) -> Fallible<Measured> {
    let mut reports = Connection::options().remove_when_unused().create(&task.reports())?;
    let options = Queue::<u64>::options().capacity(SLOTS).remove_when_unused();
    let queue = options.create(&task.name)?;
    let senders: Vec<_> = (0..EACH).map(|_| queue.sender()).collect();
    let mut other = start_follower(machine, task)?;
    hear(&mut reports, &mut other)?;

    let start = Instant::now();
    let work = |(number, sender)| {
        move || -> Fallible<_> {
            pin(task.cpus[number]);
            Ok((send(sender, number, start, budget)?, running_on()))
        }
    };
    let sent = on_threads(senders.iter().enumerate().map(work))?;
    queue.close();
    // The clock stops once the other side has checked the last message.
    let [count, squares] = hear(&mut reports, &mut other)?;
    let seconds = start.elapsed().as_secs_f64();
    let apart = sent[0].1 != sent[1].1;
    let sent = sent.into_iter().fold(Tally::default(), |all, (tally, _)| all.and(tally));
    if sent != (Tally { count, squares }) {
        return Err(format!("{} messages sent, {count} arrived, or others", sent.count).into());
    }
    if !other.wait()?.success() {
        return Err("the second process failed".into());
    }
    let trips = Histogram::new(1)?;
    Ok(Measured { sent: count, checked: count, seconds, trips, apart })
}

/// Messages of one sender: its number is their last digit.
fn send(sender: &Sender<u64>, number: usize, start: Instant, budget: Duration) -> Fallible<Tally> {
    let mut sent = Tally::default();
    while start.elapsed() < budget {
        for _ in 0..SLOTS {
            let message = sent.count * EACH as u64 + number as u64;
            sender.send(message)?;
            sent.add(message);
        }
    }
    Ok(sent)
}

/// The second process.
pub fn follow(task: &Task) -> Fallible {
    let queue = Queue::<u64>::options().open(&task.name)?;
    let receivers: Vec<_> = (0..EACH).map(|_| queue.receiver()).collect();
    let mut reports = Connection::options().open(&task.reports())?;
    reports.send(bytemuck::bytes_of(&[0u64; 2]))?;
    let work = |(number, receiver)| {
        move || {
            pin(task.cpus[number]);
            receive(receiver)
        }
    };
    let received = on_threads(receivers.iter().enumerate().map(work))?;
    let received = received.into_iter().fold(Tally::default(), Tally::and);
    Ok(reports.send(bytemuck::bytes_of(&[received.count, received.squares]))?)
}

/// What one receiver gets until the queue is closed.
fn receive(queue: &Receiver<u64>) -> Fallible<Tally> {
    let mut received = Tally::default();
    let mut last = [None; EACH];
    loop {
        let message = match queue.recv() {
            Ok(message) => message,
            Err(RecvError::Closed) => return Ok(received),
            Err(why) => return Err(why.into()),
        };
        let last = &mut last[usize::try_from(message)? % EACH];
        if last.replace(message) >= Some(message) {
            return Err(format!("message {message} arrived again, or after a later one").into());
        }
        received.add(message);
    }
}

/// What each of `works` comes to on a thread of its own.
fn on_threads<R: Send>(
    works: impl Iterator<Item = impl FnOnce() -> Fallible<R> + Send>,
) -> Fallible<Vec<R>> {
    thread::scope(|scope| {
        let threads: Vec<_> = works.map(|work| scope.spawn(work)).collect();
        let join = |thread: thread::ScopedJoinHandle<Fallible<R>>| {
            thread.join().map_err(|_| "a thread panicked")?
        };
        threads.into_iter().map(join).collect()
    })
}
