//! Whoever dies with a lock, or on its way to one or from it: the others get it, and are told of what may be torn.

use std::time::Duration;

use anyhow::{Result, bail, ensure};
use ringway::block::Block;
use ringway::sync::{
    Barrier, BarrierError, Flag, LockTimeoutError, Mutex, Permits, ReentrantMutex, RwLock,
    Semaphore,
};

use super::place::{LONG, Place, bury, eventually};
use super::scene::{Scene, Survivor};
use super::victim::{Companion, marked, warm_up};

/// A block with one lock of each kind, as one member sees it.
pub struct Locks {
    pub block: Block,
    pub mutex: Mutex<[u64; 2]>,
    again: ReentrantMutex<u64>,
    pub lock: RwLock<[u64; 2]>,
    pub semaphore: Semaphore,
    pub permits: Permits,
    pub flag: Flag,
}

/// Where the barrier is: only who is a party opens it.
pub const BARRIER: usize = 2048;

impl Locks {
    pub fn of(block: Block) -> Result<Self> {
        Ok(Self {
            mutex: Mutex::at(&block, 0)?,
            again: ReentrantMutex::at(&block, 128)?,
            lock: RwLock::at(&block, 256)?,
            semaphore: Semaphore::at(&block, 1024, 1, 3)?,
            permits: Permits::at(&block, 1152, 2)?,
            flag: Flag::at(&block, 1280)?,
            block,
        })
    }

    fn open(place: &Place) -> Self {
        let options = Block::options().namespace(Place::NAMESPACE).recheck(Duration::from_mins(1));
        let block = options.open(place.name()).expect("the survivor has made it");
        Self::of(block).expect("the survivor has placed them")
    }
}

/// The survivor's block.
pub fn create(place: &Place) -> Result<Block> {
    let options = Block::options().namespace(Place::NAMESPACE).recheck(Duration::from_millis(1));
    Ok(options.len(4096).max_members(4).remove_when_unused().create(place.name())?)
}

/// One operation, and what is found after it.
struct LockScene {
    name: &'static str,
    stages: &'static [&'static str],
    act: fn(&Locks),
    found: fn(&Locks) -> Result<usize>,
    /// Somebody sleeps for the mutex.
    slept_for: bool,
}

/// Who goes on.
struct Others {
    place: Place,
    locks: Locks,
    found: fn(&Locks) -> Result<usize>,
    slept_for: bool,
    sleeper: Option<Companion>,
}

/// What a value is that nobody has died with, or somebody has.
type Seen<'a> = (&'a mut [u64; 2], bool);

/// The stage of a value that goes from zero to one by two steps: nothing, marked, done. What is not marked is whole.
fn stage((pair, died): Seen<'_>) -> Result<usize> {
    ensure!(died || pair[0] == pair[1], "torn and unmarked: {pair:?}");
    Ok(if died { 1 } else { usize::try_from(2 * pair[0])? })
}

/// In two stores, which the compiler must not join.
fn add(pair: &mut [u64; 2]) {
    for number in pair {
        *std::hint::black_box(number) += 1;
    }
}

pub fn of_mutex(locks: &Locks) -> Result<usize> {
    let (mut guard, died) = match locks.mutex.lock_timeout(LONG) {
        Ok(guard) => (guard, false),
        Err(LockTimeoutError::OwnerDied(guard)) => (guard, true),
        Err(why) => bail!("no mutex: {why}"),
    };
    let stage = stage((&mut guard, died))?;
    *guard = [7, 7];
    guard.mark_consistent();
    drop(guard);
    ensure!(locks.mutex.lock().is_ok_and(|pair| *pair == [7, 7]), "repaired, and given back");
    Ok(stage)
}

pub fn of_rwlock(locks: &Locks) -> Result<usize> {
    let read = match locks.lock.read_timeout(LONG) {
        Ok(guard) => (*guard, false),
        Err(LockTimeoutError::OwnerDied(guard)) => (*guard, true),
        Err(why) => bail!("no reader: {why}"),
    };
    let (mut guard, died) = match locks.lock.write_timeout(LONG) {
        Ok(guard) => (guard, false),
        Err(LockTimeoutError::OwnerDied(guard)) => (guard, true),
        Err(why) => bail!("no writer: {why}"),
    };
    ensure!(read == (*guard, died), "a reader saw {read:?}, a writer {:?}", (*guard, died));
    let stage = stage((&mut guard, died))?;
    *guard = [7, 7];
    guard.mark_consistent();
    drop(guard);
    ensure!(locks.lock.read().is_ok_and(|pair| *pair == [7, 7]), "repaired, and given back");
    Ok(stage)
}

fn of_reentrant(locks: &Locks) -> Result<usize> {
    let (guard, died) = match locks.again.lock_timeout(LONG) {
        Ok(guard) => (guard, false),
        Err(LockTimeoutError::OwnerDied(guard)) => (guard, true),
        Err(why) => bail!("no reentrant mutex: {why}"),
    };
    let stage = if died { 1 } else { usize::try_from(guard.get())? };
    guard.mark_consistent();
    drop((locks.again.lock(), guard));
    ensure!(!locks.again.is_locked(), "it is given back as often as it was taken");
    Ok(stage)
}

pub fn of_semaphore(locks: &Locks) -> Result<usize> {
    let count = usize::try_from(locks.semaphore.available())?;
    for _ in 0..count {
        ensure!(locks.semaphore.try_acquire()?, "what is there can be had");
    }
    ensure!(!locks.semaphore.try_acquire()?, "and no more");
    Ok(count)
}

pub fn of_permits(locks: &Locks) -> Result<usize> {
    let all = [locks.permits.acquire_timeout(LONG)?, locks.permits.acquire_timeout(LONG)?];
    ensure!(all.iter().all(Option::is_some), "those of the dead come back");
    ensure!(locks.permits.try_acquire()?.is_none(), "there are two");
    drop(all);
    ensure!(locks.permits.available() == 2, "both come back");
    Ok(0)
}

fn of_flag(locks: &Locks) -> Result<usize> {
    let is_set = locks.flag.is_set();
    locks.flag.set()?;
    locks.flag.wait()?;
    Ok(usize::from(is_set))
}

/// Nobody came, one arrived, one gave up.
fn of_barrier(locks: &Locks) -> Result<usize> {
    let mut mine = Barrier::at(&locks.block, BARRIER, 2)?;
    let was_broken = mine.is_broken();
    match mine.wait_timeout(LONG) {
        Ok(_) => Ok(1),
        Err(BarrierError::Broken) => Ok(if was_broken { 2 } else { 0 }),
        Err(why) => bail!("no barrier: {why}"),
    }
}

/// Of who had it already when it began: marked, done.
fn given_back(locks: &Locks) -> Result<usize> {
    of_mutex(locks).map(|stage| stage.saturating_sub(1))
}

/// All of them.
pub fn all() -> Vec<Box<dyn Scene>> {
    let scenes = of_values().into_iter().chain(of_others());
    scenes.map(|scene| -> Box<dyn Scene> { Box::new(scene) }).collect()
}

const fn scene(
    name: &'static str,
    stages: &'static [&'static str],
    act: fn(&Locks),
    found: fn(&Locks) -> Result<usize>,
) -> LockScene {
    LockScene { name, stages, act, found, slept_for: false }
}

/// Of locks that guard something.
fn of_values() -> Vec<LockScene> {
    const CHANGED: &[&str] = &["nothing", "marked", "changed"];
    const TAKEN: &[&str] = &["nothing", "marked"];
    const GIVEN_BACK: &[&str] = &["marked", "changed"];
    let change = |locks: &Locks| marked(|| add(&mut locks.mutex.lock().expect("it is free")));
    let lock = |locks: &Locks| drop(marked(|| locks.mutex.lock().expect("it is free")));
    let try_lock = |locks: &Locks| drop(marked(|| locks.mutex.try_lock().expect("it is free")));
    let unlock = |locks: &Locks| {
        let mut guard = locks.mutex.lock().expect("it is free");
        add(&mut guard);
        marked(|| drop(guard));
    };
    let again = |locks: &Locks| {
        let _outer = locks.again.lock().expect("it is free");
        marked(|| drop(locks.again.lock()));
    };
    let read = |locks: &Locks| marked(|| drop(locks.lock.read().expect("it is free")));
    let write = |locks: &Locks| marked(|| add(&mut locks.lock.write().expect("it is free")));
    let to_sleeper = scene("unlock to a sleeper", GIVEN_BACK, unlock, given_back);
    vec![
        scene("change under a mutex", CHANGED, change, of_mutex),
        scene("lock", TAKEN, lock, of_mutex),
        scene("try_lock", TAKEN, try_lock, of_mutex),
        scene("unlock", GIVEN_BACK, unlock, given_back),
        LockScene { slept_for: true, ..to_sleeper },
        scene("lock again", &["marked"], again, |locks| Ok(of_reentrant(locks)?.saturating_sub(1))),
        scene("read", &["nothing"], read, of_rwlock),
        scene("change as a writer", CHANGED, write, of_rwlock),
    ]
}

/// Of those that guard nothing.
fn of_others() -> Vec<LockScene> {
    let acquire = |locks: &Locks| marked(|| locks.semaphore.acquire()).expect("there is one");
    let release = |locks: &Locks| marked(|| locks.semaphore.release(1)).expect("there is room");
    let permit = |locks: &Locks| marked(|| drop(locks.permits.acquire().expect("there are two")));
    let set = |locks: &Locks| assert!(marked(|| locks.flag.set()).expect("it is sound"));
    let arrive = |locks: &Locks| {
        let mut barrier = Barrier::at(&locks.block, BARRIER, 2).expect("there is room");
        let met = marked(|| barrier.wait_timeout(Duration::ZERO));
        assert_eq!(met, Err(BarrierError::Timeout));
    };
    vec![
        scene("acquire", &["there", "taken"], acquire, |locks| Ok(1 - of_semaphore(locks)?)),
        scene("release", &["nothing", "released"], release, |locks| Ok(of_semaphore(locks)? - 1)),
        scene("get a permit, give it back", &["nothing"], permit, of_permits),
        scene("set a flag", &["clear", "set"], set, of_flag),
        scene("arrive at a barrier", &["nothing", "arrived", "broken"], arrive, of_barrier),
    ]
}

impl Scene for LockScene {
    fn name(&self) -> String {
        format!("locks/{}", self.name)
    }

    fn begin(&self) -> Result<Box<dyn Survivor>> {
        let place = Place::new()?;
        let (found, slept_for) = (self.found, self.slept_for);
        let locks = Locks::of(create(&place)?)?;
        Ok(Box::new(Others { place, locks, found, slept_for, sleeper: None }))
    }

    fn act(&self, place: &Place) {
        let locks = Locks::open(place);
        warm_up();
        (self.act)(&locks);
    }

    fn reap(&self, place: &Place) {
        let locks = Locks::open(place);
        marked(|| locks.block.recover()).expect("this process sees who lives");
    }

    fn has_company(&self) -> bool {
        self.slept_for
    }

    fn stages(&self) -> Vec<&'static str> {
        self.stages.to_vec()
    }
}

impl Survivor for Others {
    fn place(&self) -> &Place {
        &self.place
    }

    /// Where somebody is to sleep, it does now: the victim has the mutex.
    fn ready(&mut self) -> Result<()> {
        if self.slept_for {
            let (place, found) = (self.place.clone(), self.found);
            let sleep = move || {
                let stage = found(&Locks::open(&place)).expect("it is woken, or looks");
                place.say(&[stage as u64]);
            };
            let sleeper = self.sleeper.insert(Companion::start(sleep)?);
            eventually("somebody sleeps", || Ok(sleeper.is_asleep()))?;
        }
        Ok(())
    }

    fn settle(&mut self, _: bool) -> Result<Vec<usize>> {
        let stage = match &mut self.sleeper {
            None => (self.found)(&self.locks)?,
            Some(sleeper) => {
                eventually("the sleeper gets the mutex", || sleeper.has_ended())?;
                let said = self.place.hear()?;
                (self.found)(&self.locks)?;
                usize::try_from(said[0])?
            }
        };
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
