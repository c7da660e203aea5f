//! The two sides of every measurement.
//!
//! The first process leads: it makes the channel, starts the second process and sends. The second follows:
//! it opens the channel by name, checks what arrives and, in round trips, sends it back. At the end it
//! reports how many messages it found right, and where it ran, over a pipe of its own.

use std::error::Error;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use ringway::pipe::{self, Connection};
use ringway::queue::{self, Queue};
use ringway::spsc::{Consumer, Producer};

use crate::crowd;
use crate::machine::{Machine, pin, running_on};
use crate::task::{Kind, Task, Work};

pub type Fallible<T = ()> = Result<T, Box<dyn Error + Send + Sync>>;

/// What a measurement came to.
#[derive(Debug)]
pub struct Measured {
    /// Messages that left the first process.
    pub sent: u64,
    /// Messages that were checked on arrival, at either side.
    pub checked: u64,
    pub seconds: f64,
    /// Nanoseconds of each round trip.
    pub trips: Histogram<u64>,
    /// Whether the sides were on different processors when they finished.
    pub apart: bool,
}

/// Room in a channel, in messages.
pub const SLOTS: usize = 1024;
/// The number of the message after the last.
const END: u64 = u64::MAX;

/// The message numbered `n`: each word depends on the number and on its place.
fn message<const W: usize>(n: u64) -> [u64; W] {
    std::array::from_fn(|place| n ^ ((place as u64) << 56))
}

/// Whether `found` is the message numbered `n`, in every word.
fn is_message<const W: usize>(found: &[u64; W], n: u64) -> bool {
    let wrong = |place: usize| found[place] ^ n ^ ((place as u64) << 56);
    (0..W).fold(0, |all, place| all | wrong(place)) == 0
}

fn check<const W: usize>(found: &[u64; W], n: u64) -> Fallible {
    if is_message(found, n) { Ok(()) } else { Err(format!("message {n} arrived wrong").into()) }
}

/// Where messages of `W` words go in; every kind of channel has it.
trait Out<const W: usize> {
    fn put(&mut self, message: [u64; W]) -> Fallible;
}

/// Where they come out.
trait In<const W: usize> {
    fn get(&mut self) -> Fallible<[u64; W]>;
}

impl<const W: usize> Out<W> for Producer<[u64; W]> {
    #[inline]
    fn put(&mut self, message: [u64; W]) -> Fallible {
        Ok(self.send(message)?)
    }
}

impl<const W: usize> In<W> for Consumer<[u64; W]> {
    #[inline]
    fn get(&mut self) -> Fallible<[u64; W]> {
        Ok(self.recv()?)
    }
}

impl<const W: usize> Out<W> for pipe::Sender {
    #[inline]
    fn put(&mut self, message: [u64; W]) -> Fallible {
        Ok(self.send(bytemuck::bytes_of(&message))?)
    }
}

impl<const W: usize> In<W> for pipe::Receiver {
    #[inline]
    fn get(&mut self) -> Fallible<[u64; W]> {
        let mut message = [0; W];
        let len = self.recv_into(bytemuck::bytes_of_mut(&mut message))?;
        if len == size_of_val(&message) { Ok(message) } else { Err("a short record".into()) }
    }
}

impl<const W: usize> Out<W> for queue::Sender<[u64; W]> {
    #[inline]
    fn put(&mut self, message: [u64; W]) -> Fallible {
        Ok(self.send(message)?)
    }
}

impl<const W: usize> In<W> for queue::Receiver<[u64; W]> {
    #[inline]
    fn get(&mut self) -> Fallible<[u64; W]> {
        Ok(self.recv()?)
    }
}

/// Runs `task` for about `budget`, in this process and another.
pub fn lead(machine: &Machine, task: &Task, budget: Duration) -> Fallible<Measured> {
    match task.bytes {
        _ if task.work == Work::Crowd => crowd::lead(machine, task, budget),
        8 => lead_words::<1>(machine, task, budget),
        64 => lead_words::<8>(machine, task, budget),
        _ => lead_words::<128>(machine, task, budget),
    }
}

fn lead_words<const W: usize>(
    machine: &Machine,
    task: &Task,
    budget: Duration,
) -> Fallible<Measured> {
    let wait = task.work.wait();
    let mut reports = Connection::options().remove_when_unused().create(&task.reports())?;
    match task.kind {
        Kind::Spsc => {
            let out = Producer::<[u64; W]>::options().capacity(SLOTS).wait(wait);
            let back = Consumer::<[u64; W]>::options().capacity(SLOTS).wait(wait);
            let out = out.remove_when_unused().create(&task.name)?;
            let back = back.remove_when_unused().create(&task.back())?;
            lead_through(machine, task, budget, (out, back), &mut reports)
        }
        Kind::Pipe => {
            let options = Connection::options().capacity(SLOTS * (task.bytes + 8)).wait(wait);
            let (out, back) = options.remove_when_unused().create(&task.name)?.split();
            let (out, back) = (out.ok_or("two ways")?, back.ok_or("two ways")?);
            lead_through::<W>(machine, task, budget, (out, back), &mut reports)
        }
        Kind::Queue => {
            let options = Queue::<[u64; W]>::options().capacity(SLOTS).wait(wait);
            let options = options.remove_when_unused();
            let out = options.create(&task.name)?.sender();
            let back = options.create(&task.back())?.receiver();
            lead_through(machine, task, budget, (out, back), &mut reports)
        }
    }
}

fn lead_through<const W: usize>(
    machine: &Machine,
    task: &Task,
    budget: Duration,
    (mut out, mut back): (impl Out<W>, impl In<W>),
    reports: &mut Connection,
) -> Fallible<Measured> {
    let mut other = start_follower(machine, task)?;
    pin(task.cpus[0]);
    hear(reports, &mut other)?;

    let mut trips = Histogram::new_with_bounds(1, 60_000_000_000, 3)?;
    let start = Instant::now();
    let mut sent = 0;
    if task.work == Work::Stream {
        while start.elapsed() < budget {
            for n in sent..sent + SLOTS as u64 {
                out.put(message(n))?;
            }
            sent += SLOTS as u64;
        }
    } else {
        let mut left_at = start;
        while left_at - start < budget {
            out.put(message(sent))?;
            check(&back.get()?, sent)?;
            let now = Instant::now();
            trips.saturating_record(u64::try_from((now - left_at).as_nanos())?);
            (left_at, sent) = (now, sent + 1);
        }
    }
    out.put(message(END))?;
    // The clock stops once the other side has checked the last message.
    let [found, cpu] = hear(reports, &mut other)?;
    let seconds = start.elapsed().as_secs_f64();
    if found != sent {
        return Err(format!("{sent} messages sent, {found} arrived").into());
    }
    let apart = cpu != running_on() as u64;
    if !other.wait()?.success() {
        return Err("the second process failed".into());
    }
    Ok(Measured { sent, checked: found + trips.len(), seconds, trips, apart })
}

/// Starts the second process, and does not let it inherit this one's processor.
pub fn start_follower(machine: &Machine, task: &Task) -> Fallible<Child> {
    machine.unpin();
    Ok(Command::new(std::env::current_exe()?).arg("follow").args(task.to_words()).spawn()?)
}

/// The follower's next two words. It may fail before it attaches, so this looks after it meanwhile.
pub fn hear(reports: &mut Connection, other: &mut Child) -> Fallible<[u64; 2]> {
    while !reports.poll(Duration::from_millis(100)) {
        if let Some(status) = other.try_wait()? {
            return Err(format!("the second process ended with {status}").into());
        }
    }
    let mut words = [0; 2];
    reports.recv_into(bytemuck::bytes_of_mut(&mut words))?;
    Ok(words)
}

/// The second process.
pub fn follow(task: &Task) -> Fallible {
    match task.bytes {
        _ if task.work == Work::Crowd => crowd::follow(task),
        8 => follow_words::<1>(task),
        64 => follow_words::<8>(task),
        _ => follow_words::<128>(task),
    }
}

fn follow_words<const W: usize>(task: &Task) -> Fallible {
    let wait = task.work.wait();
    match task.kind {
        Kind::Spsc => {
            let from = Consumer::<[u64; W]>::options().wait(wait).open(&task.name)?;
            let back = Producer::<[u64; W]>::options().wait(wait).open(&task.back())?;
            follow_through(task, from, back)
        }
        Kind::Pipe => {
            let (back, from) = Connection::options().wait(wait).open(&task.name)?.split();
            follow_through::<W>(task, from.ok_or("two ways")?, back.ok_or("two ways")?)
        }
        Kind::Queue => {
            let options = Queue::<[u64; W]>::options().wait(wait);
            let from = options.open(&task.name)?.receiver();
            let back = options.open(&task.back())?.sender();
            follow_through(task, from, back)
        }
    }
}

fn follow_through<const W: usize>(
    task: &Task,
    mut from: impl In<W>,
    mut back: impl Out<W>,
) -> Fallible {
    let mut reports = Connection::options().open(&task.reports())?;
    pin(task.cpus[1]);
    reports.send(bytemuck::bytes_of(&[0u64; 2]))?;
    let mut next = 0;
    loop {
        let found = from.get()?;
        if is_message(&found, END) {
            break;
        }
        check(&found, next)?;
        if task.work != Work::Stream {
            back.put(found)?;
        }
        next += 1;
    }
    Ok(reports.send(bytemuck::bytes_of(&[next, running_on() as u64]))?)
}
