//! Whoever dies asleep at a lock, or waking a sleeper there: the others get it all the same.

use std::time::Duration;

use anyhow::{Result, bail, ensure};
use ringway::Wait;
use ringway::block::Block;
use ringway::sync::{Barrier, BarrierError, Condvar, LockError, LockTimeoutError};

use super::lock_scenes::{BARRIER, Locks, create, of_mutex, of_permits, of_rwlock, of_semaphore};
use super::place::{LONG, Place, bury, eventually};
use super::scene::{Scene, Survivor};
use super::victim::{Companion, marked, warm_up};

/// Where the condvar is.
const CONDVAR: usize = 1408;

/// A victim, and a companion: one of them sleeps, and the other wakes it.
struct MeetingScene {
    name: &'static str,
    stages: &'static [&'static str],
    act: fn(&Locks),
    /// What the companion does, which is there before the victim begins.
    other: Other,
    found: fn(&Locks) -> Result<usize>,
}

#[derive(Clone, Copy)]
enum Other {
    /// It has something, says so, and at the flag lets go of it.
    Has(fn(&Locks, &dyn Fn())),
    /// It sleeps, and says nothing; the victim wakes it, or its death does.
    Sleeps(fn(&Locks) -> Result<()>),
}

/// Who goes on.
struct Others {
    place: Place,
    locks: Locks,
    other: Other,
    found: fn(&Locks) -> Result<usize>,
    companion: Option<Companion>,
}

fn open(place: &Place, recheck: Duration) -> Locks {
    let options = Block::options().namespace(Place::NAMESPACE).wait(Wait::Park).recheck(recheck);
    let block = options.open(place.name()).expect("the survivor has made it");
    Locks::of(block).expect("the survivor has placed them")
}

fn condvar(locks: &Locks) -> Condvar {
    Condvar::at(&locks.block, CONDVAR).expect("there is room")
}

fn party(locks: &Locks) -> Barrier {
    Barrier::at(&locks.block, BARRIER, 2).expect("there is room")
}

fn boxed(scenes: Vec<MeetingScene>) -> Vec<Box<dyn Scene>> {
    scenes.into_iter().map(|scene| -> Box<dyn Scene> { Box::new(scene) }).collect()
}

/// The victim sleeps.
pub fn sleeping() -> Vec<Box<dyn Scene>> {
    const TAKEN: &[&str] = &["nothing", "marked"];
    const NOTHING: &[&str] = &["nothing"];
    let scene = |name, stages, act, other, found| MeetingScene {
        name,
        stages,
        act,
        other: Other::Has(other),
        found,
    };
    boxed(vec![
        scene("lock, asleep", TAKEN, lock, has_mutex, of_mutex),
        scene("read, asleep", NOTHING, read, has_lock_as_writer, of_rwlock),
        scene("write, asleep", TAKEN, write, has_lock_as_reader, of_rwlock),
        scene("wait to be called, asleep", NOTHING, wait, is_to_call, of_condvar),
        scene("acquire, asleep", &["there", "taken"], acquire, has_count, |locks| {
            Ok(1 - of_semaphore(locks)?)
        }),
        scene("get a permit, asleep", NOTHING, permit, has_permits, of_permits),
        scene("meet at a barrier, asleep", NOTHING, meet, is_to_meet, of_barrier),
    ])
}

/// The victim wakes who sleeps.
pub fn waking() -> Vec<Box<dyn Scene>> {
    const NOTHING: &[&str] = &["nothing"];
    const GIVEN_BACK: &[&str] = &["marked", "given back"];
    let scene = |name, stages, act, other, found| MeetingScene {
        name,
        stages,
        act,
        other: Other::Sleeps(other),
        found,
    };
    let unlock_write = |locks: &Locks| {
        let guard = locks.lock.write().expect("it is free");
        marked(|| drop(guard));
    };
    let unlock_read = |locks: &Locks| {
        let guard = locks.lock.read().expect("it is free");
        marked(|| drop(guard));
    };
    let give_back = |locks: &Locks| {
        let all = [(); 2].map(|()| locks.permits.acquire().expect("there are two"));
        marked(|| drop(all));
    };
    let reads = |locks: &Locks| match locks.lock.read_timeout(LONG) {
        Ok(_) | Err(LockTimeoutError::OwnerDied(_)) => Ok(()),
        Err(why) => bail!("no reader: {why}"),
    };
    let writes = |locks: &Locks| match locks.lock.write_timeout(LONG) {
        Ok(_) => Ok(()),
        Err(why) => bail!("no writer: {why}"),
    };
    boxed(vec![
        scene("unlock as a writer to a sleeper", GIVEN_BACK, unlock_write, reads, |locks| {
            Ok(1 - of_rwlock(locks)?)
        }),
        scene("unlock as a reader to a sleeper", NOTHING, unlock_read, writes, of_rwlock),
        scene("give a permit back to a sleeper", NOTHING, give_back, gets_permit, of_permits),
        scene("call a sleeper", NOTHING, call, is_called, of_condvar),
        scene("meet a sleeper at a barrier", NOTHING, meet, is_met, of_barrier),
    ])
}

fn lock(locks: &Locks) {
    let _guard = marked(|| locks.mutex.lock()).expect("it is given back");
    super::victim::exit(0);
}

fn has_mutex(locks: &Locks, until: &dyn Fn()) {
    let _guard = locks.mutex.lock().expect("it is free");
    until();
}

fn read(locks: &Locks) {
    marked(|| drop(locks.lock.read().expect("it is given back")));
}

fn has_lock_as_writer(locks: &Locks, until: &dyn Fn()) {
    let _guard = locks.lock.write().expect("it is free");
    until();
}

fn write(locks: &Locks) {
    let _guard = marked(|| locks.lock.write()).expect("it is given back");
    super::victim::exit(0);
}

fn has_lock_as_reader(locks: &Locks, until: &dyn Fn()) {
    let _guard = locks.lock.read().expect("it is free");
    until();
}

fn wait(locks: &Locks) {
    let (condvar, guard) = (condvar(locks), locks.mutex.lock().expect("it is free"));
    drop(marked(|| condvar.wait(guard)).expect("it is called"));
}

fn is_to_call(locks: &Locks, until: &dyn Fn()) {
    let condvar = condvar(locks);
    until();
    condvar.notify_all().expect("this process is no fork");
}

fn acquire(locks: &Locks) {
    marked(|| locks.semaphore.acquire()).expect("one is given");
}

fn has_count(locks: &Locks, until: &dyn Fn()) {
    locks.semaphore.acquire().expect("there is one");
    until();
    locks.semaphore.release(1).expect("there is room");
}

fn permit(locks: &Locks) {
    marked(|| drop(locks.permits.acquire().expect("they are given back")));
}

fn has_permits(locks: &Locks, until: &dyn Fn()) {
    let all = [(); 2].map(|()| locks.permits.acquire().expect("there are two"));
    until();
    drop(all);
}

fn meet(locks: &Locks) {
    let mut barrier = party(locks);
    marked(|| barrier.wait()).expect("the other comes");
}

fn is_to_meet(locks: &Locks, until: &dyn Fn()) {
    let mut barrier = party(locks);
    until();
    is_over(&barrier.wait_timeout(LONG)).expect("it met the other, or is told");
}

fn gets_permit(locks: &Locks) -> Result<()> {
    ensure!(locks.permits.acquire_timeout(LONG)?.is_some(), "a permit comes back");
    Ok(())
}

fn call(locks: &Locks) {
    let condvar = condvar(locks);
    marked(|| condvar.notify_one()).expect("this process is no fork");
}

fn is_called(locks: &Locks) -> Result<()> {
    let guard = locks.mutex.lock().map_err(LockError::without_guard)?;
    let waited = condvar(locks).wait_timeout(guard, LONG).map_err(LockError::without_guard)?;
    ensure!(!waited.1, "nobody has called");
    Ok(())
}

fn is_met(locks: &Locks) -> Result<()> {
    is_over(&party(locks).wait_timeout(LONG))
}

/// It was a round, or it was broken by a death.
fn is_over(met: &Result<ringway::sync::Met, BarrierError>) -> Result<()> {
    ensure!(matches!(met, Ok(_) | Err(BarrierError::Broken)), "at the barrier: {met:?}");
    Ok(())
}

/// The mutex may be marked.
fn of_condvar(locks: &Locks) -> Result<usize> {
    of_mutex(locks)?;
    let guard = locks.mutex.lock().map_err(LockError::without_guard)?;
    let waited = condvar(locks).wait_timeout(guard, Duration::ZERO);
    ensure!(waited.map_err(LockError::without_guard)?.1, "nobody calls any more");
    Ok(0)
}

/// Places of the dead can be had.
fn of_barrier(locks: &Locks) -> Result<usize> {
    let mut all = [party(locks), party(locks)];
    all[0].reset()?;
    let met = all[0].wait_timeout(Duration::ZERO);
    ensure!(met == Err(BarrierError::Timeout), "nobody else has arrived: {met:?}");
    Ok(0)
}

impl Scene for MeetingScene {
    fn name(&self) -> String {
        format!("locks/{}", self.name)
    }

    fn begin(&self) -> Result<Box<dyn Survivor>> {
        let place = Place::new()?;
        let locks = Locks::of(create(&place)?)?;
        let (other, found) = (self.other, self.found);
        Ok(Box::new(Others { place, locks, other, found, companion: None }))
    }

    fn act(&self, place: &Place) {
        let locks = open(place, Duration::from_mins(1));
        warm_up();
        (self.act)(&locks);
    }

    fn reap(&self, place: &Place) {
        let locks = open(place, Duration::from_mins(1));
        marked(|| locks.block.recover()).expect("this process sees who lives");
    }

    fn has_company(&self) -> bool {
        true
    }

    fn stages(&self) -> Vec<&'static str> {
        self.stages.to_vec()
    }
}

impl Survivor for Others {
    fn place(&self) -> &Place {
        &self.place
    }

    /// The victim has done what it does first.
    fn ready(&mut self) -> Result<()> {
        let (place, other) = (self.place.clone(), self.other);
        let companion = Companion::start(move || {
            let locks = open(&place, Duration::from_millis(20));
            match other {
                Other::Has(has) => has(&locks, &|| {
                    place.say(&[]);
                    locks.flag.wait().expect("the survivor sets it");
                }),
                Other::Sleeps(sleeps) => sleeps(&locks).expect("it is woken, or looks"),
            }
        })?;
        let companion = self.companion.insert(companion);
        match other {
            Other::Has(_) => self.place.hear().map(drop),
            Other::Sleeps(_) => eventually("somebody sleeps", || Ok(companion.is_asleep())),
        }
    }

    /// The companion has let go when this returns: who naps meanwhile finds the same as who is woken.
    fn nudge(&mut self) -> Result<()> {
        self.locks.flag.set()?;
        // Whom the dead one was to call.
        condvar(&self.locks).notify_all()?;
        let Some(companion) = &mut self.companion else { return Ok(()) };
        eventually("the companion goes on", || companion.has_ended())
    }

    fn settle(&mut self, _: bool) -> Result<Vec<usize>> {
        self.nudge()?;
        let stage = (self.found)(&self.locks)?;
        bury(1, || self.locks.block.members(), || self.locks.block.recover())?;
        Ok(vec![stage])
    }

    fn meanwhile(&mut self, _: u32) -> Result<()> {
        unreachable!("only killed")
    }

    fn account(&mut self, _: bool) -> Result<()> {
        unreachable!("only killed")
    }
}
