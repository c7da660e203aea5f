//! Whoever dies in the middle of a call: the server and its other clients go on, and what it had or waited for comes back.
//!
//! The server is a process of its own, which is not traced, so a call never goes the same way twice.

use std::io::{PipeReader, PipeWriter, Read, Write, pipe};
use std::mem::forget;
use std::time::Duration;

use anyhow::{Result, bail, ensure};
use ringway::manager::{
    Client, Counts, Inspector, LockError, Mutex, Permit, Permits, Queue, QueueError, Semaphore,
    Server, Value,
};

use super::place::{LONG, Place, eventually, names};
use super::scene::{Scene, Survivor};
use super::victim::{Companion, marked};

/// What the server of a scene keeps, as one client sees it.
struct Objects {
    value: Value<u64>,
    mutex: Mutex,
    queue: Queue<u64>,
    semaphore: Semaphore,
    /// Each client has one while it is there.
    present: Permits,
    _mine: Permit,
}

impl Objects {
    fn of(place: &Place) -> Result<Self> {
        let client = connect(place)?;
        let present = client.permits("present", 2)?;
        Ok(Self {
            value: client.value("value", &0)?,
            mutex: client.mutex("mutex")?,
            queue: client.queue("queue", None)?,
            semaphore: client.semaphore("semaphore", 1, 9)?,
            _mine: present.acquire()?,
            present,
        })
    }

    /// All that is in the queue, and whether it was handed out before, once the dead have none of it in hand.
    fn drain(&self) -> Result<Vec<(u64, bool)>> {
        let queue = &self.queue;
        eventually("items come back", || Ok(queue.unfinished()? == queue.len()?))?;
        let mut found = Vec::new();
        loop {
            match queue.try_get_delivery() {
                Ok(delivery) => found.push((delivery.value, delivery.redelivered)),
                Err(QueueError::Empty) => return Ok(found),
                Err(why) => bail!("no item: {why}"),
            }
        }
    }
}

/// One operation, and what is found after it.
struct Call {
    name: &'static str,
    stages: &'static [&'static str],
    /// What the survivor does before.
    before: fn(&Objects) -> Result<()>,
    act: fn(&Place, &Objects),
    found: fn(&Objects) -> Result<usize>,
}

/// The server, and a client that survives.
struct Office {
    place: Place,
    objects: Option<Objects>,
    found: fn(&Objects) -> Result<usize>,
    server: Companion,
    closing: PipeWriter,
}

fn connect(place: &Place) -> Result<Client> {
    let options = Client::options().namespace(Place::NAMESPACE);
    Ok(options.recheck(Duration::from_millis(1)).connect(place.name())?)
}

/// Serves until it hears that it is to end.
fn serve(place: &Place, mut open: &PipeWriter, mut closing: &PipeReader) {
    let options = Server::options().namespace(Place::NAMESPACE);
    let server = options.recheck(Duration::from_millis(1)).bind(place.name());
    let server = server.expect("nobody has the name").spawn();
    open.write_all(&[1]).expect("the survivor waits");
    closing.read_exact(&mut [0]).expect("the survivor says when");
    server.shutdown().expect("it ends in order");
}

/// Of what had no chance to be torn: zero or one.
fn of_value(objects: &Objects) -> Result<usize> {
    Ok(usize::try_from(objects.value.get()?)?)
}

/// Free, or left by the dead.
fn of_mutex(objects: &Objects) -> Result<usize> {
    let (mut guard, died) = match objects.mutex.lock_timeout(LONG) {
        Ok(guard) => (guard, false),
        Err(LockError::OwnerDied(guard)) => (guard, true),
        Err(why) => bail!("no mutex: {why}"),
    };
    guard.mark_consistent();
    guard.unlock()?;
    ensure!(objects.mutex.waiting()? == 0 && !objects.mutex.is_locked()?, "nobody is left there");
    Ok(usize::from(died))
}

/// There, there and flagged, taken.
fn of_queue(objects: &Objects) -> Result<usize> {
    match objects.drain()?[..] {
        [(1, false), (2, false)] => Ok(0),
        [(1, true), (2, false)] => Ok(1),
        [(2, false)] => Ok(2),
        ref other => bail!("in the queue is {other:?}"),
    }
}

fn of_put(objects: &Objects) -> Result<usize> {
    match objects.drain()?[..] {
        [] => Ok(0),
        [(7, false)] => Ok(1),
        ref other => bail!("in the queue is {other:?}"),
    }
}

/// There or taken.
fn of_semaphore(objects: &Objects) -> Result<usize> {
    let there = objects.semaphore.available()?;
    Ok(1 - usize::try_from(there)?)
}

/// Who waited in vain has left the line.
fn of_wait(objects: &Objects) -> Result<usize> {
    eventually("nobody waits", || Ok(objects.queue.getters()? == 0))?;
    objects.queue.put(&7)?;
    ensure!(objects.drain()? == [(7, false)], "who waits no more got it");
    Ok(0)
}

/// How many pipes of clients have a name still.
fn pipes(place: &Place) -> Result<usize> {
    let found = names(&format!("{}.c", place.name()))?;
    Ok(found.iter().filter(|path| !path.to_string_lossy().ends_with(".counters")).count())
}

/// Calls.
pub fn all() -> Vec<Box<dyn Scene>> {
    of_items()
        .into_iter()
        .chain(of_locks())
        .map(|scene| -> Box<dyn Scene> { Box::new(scene) })
        .collect()
}

/// What takes many system calls.
pub fn connecting() -> Vec<Box<dyn Scene>> {
    let act =
        |place: &Place, _: &Objects| drop(marked(|| connect(place)).expect("somebody serves"));
    vec![Box::new(call("connect", &["nothing"], act, |_| Ok(0)))]
}

fn call(
    name: &'static str,
    stages: &'static [&'static str],
    act: fn(&Place, &Objects),
    found: fn(&Objects) -> Result<usize>,
) -> Call {
    Call { name, stages, before: |_| Ok(()), act, found }
}

/// A value's, and those of queues.
fn of_items() -> Vec<Call> {
    let get = call(
        "get from a queue",
        &["there", "flagged", "taken"],
        |_, objects| assert_eq!(marked(|| objects.queue.get()).expect("there are two"), 1),
        of_queue,
    );
    let fill = |objects: &Objects| {
        objects.queue.put(&1)?;
        Ok(objects.queue.put(&2)?)
    };
    vec![
        call(
            "set a value",
            &["nothing", "set"],
            |_, objects| marked(|| objects.value.set(&1)).expect("the server lives"),
            of_value,
        ),
        Call { before: fill, ..get },
        call(
            "put into a queue",
            &["nothing", "there"],
            |_, objects| marked(|| objects.queue.put(&7)).expect("the server lives"),
            of_put,
        ),
        call(
            "wait in vain for an item",
            &["nothing"],
            |_, objects| {
                let waited = marked(|| objects.queue.get_timeout(Duration::from_millis(1)));
                assert!(matches!(waited, Err(QueueError::Timeout)));
            },
            of_wait,
        ),
    ]
}

fn of_locks() -> Vec<Call> {
    vec![
        call(
            "lock",
            &["free", "left by the dead"],
            |_, objects| forget(marked(|| objects.mutex.lock()).expect("it is free")),
            of_mutex,
        ),
        call(
            "unlock",
            &["left by the dead", "free"],
            |_, objects| {
                let guard = objects.mutex.lock().expect("it is free");
                marked(|| guard.unlock()).expect("the server lives");
            },
            |objects| Ok(1 - of_mutex(objects)?),
        ),
        call(
            "drop a guard",
            &["left by the dead", "free"],
            |_, objects| {
                let guard = objects.mutex.lock().expect("it is free");
                marked(|| drop(guard));
                // The server has it before this process ends.
                objects.value.get().expect("the server lives");
            },
            |objects| Ok(1 - of_mutex(objects)?),
        ),
        call(
            "acquire of a semaphore",
            &["there", "taken"],
            |_, objects| marked(|| objects.semaphore.acquire()).expect("there is one"),
            of_semaphore,
        ),
    ]
}

impl Scene for Call {
    fn name(&self) -> String {
        format!("manager/{}", self.name)
    }

    fn begin(&self) -> Result<Box<dyn Survivor>> {
        let place = Place::new()?;
        let ((mut opened, open), (close, closing)) = (pipe()?, pipe()?);
        let server = Companion::start(|| serve(&place, &open, &close))?;
        // So that it is noticed if the server ends instead.
        drop(open);
        opened.read_exact(&mut [0])?;
        let objects = Some(Objects::of(&place)?);
        let office = Office { place, objects, found: self.found, server, closing };
        office.objects.as_ref().map_or(Ok(()), self.before)?;
        Ok(Box::new(office))
    }

    fn act(&self, place: &Place) {
        let objects = Objects::of(place).expect("the survivor has made them");
        // What the first call of a client finds out, it knows then.
        objects.value.get().expect("the server lives");
        (self.act)(place, &objects);
    }

    fn reap(&self, _: &Place) {
        unreachable!("the server cleans up")
    }

    fn stages(&self) -> Vec<&'static str> {
        self.stages.to_vec()
    }
}

impl Survivor for Office {
    fn place(&self) -> &Place {
        &self.place
    }

    fn settle(&mut self, _: bool) -> Result<Vec<usize>> {
        let Some(objects) = &self.objects else { bail!("it has settled") };
        eventually("the dead have left", || Ok(objects.present.available()? == 1))?;
        let stage = (self.found)(objects)?;
        let counters = Inspector::new().namespace(Place::NAMESPACE);
        eventually("counts come back", || {
            let counted = counters.inspect(self.place.name())?;
            let sum = |of: fn(&Counts) -> u64| counted.objects.iter().map(|o| of(&o.counts)).sum();
            let (leases, waiting): (u64, u64) = (sum(|all| all.leases), sum(|all| all.waiting));
            let whose: Vec<u64> = counted.sessions.iter().map(|one| one.counts.leases).collect();
            // The survivor has its permit.
            Ok((whose, counted.total.leases, leases, waiting) == (vec![1], 1, 1, 0))
        })?;
        let other = connect(&self.place)?;
        ensure!(other.value::<u64>("value", &9)?.get()? < 2, "another goes on");
        drop(other);
        eventually("no pipe has a name", || Ok(pipes(&self.place)? == 0))?;
        Ok(vec![stage])
    }

    fn meanwhile(&mut self, _: u32) -> Result<()> {
        unreachable!("only killed")
    }

    fn account(&mut self, _: bool) -> Result<()> {
        unreachable!("only killed")
    }
}

impl Drop for Office {
    fn drop(&mut self) {
        self.objects = None;
        let told = self.closing.write_all(&[1]);
        let _ = told.map(|()| eventually("the server ends", || self.server.has_ended()));
    }
}
