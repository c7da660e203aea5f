//! Locks between processes beside those of the standard library (threads), of POSIX threads (robust, between processes), of
//! POSIX semaphores, and a bare futex; Python's, where it is there.
//!
//! Each figure is the median over rounds, each ratio the median of the ratios within rounds, in which all contestants take
//! turns: one thread alone; two processes that fight; one that sleeps until the other hands the lock over.
//!
//! `cargo bench --bench lock` prints the table. What the locks guard is checked, figures are not.
#![allow(unsafe_code, reason = "pthread and futex calls on shared memory")]

#[allow(dead_code, reason = "of that only how one sees whether a process sleeps")]
#[path = "../common/bare.rs"]
mod bare;
mod others;
mod play;

use std::process::Command;
use std::time::Instant;

use play::Fight;

/// Rounds of each row.
const ROUNDS: usize = 15;
/// Operations of one thread alone in a round.
const ALONE: u32 = 300_000;

/// One contestant of a row.
type Contestant<'a> = (&'static str, Box<dyn FnMut() -> f64 + 'a>);

fn main() {
    if play::play_if_asked() {
        return;
    }
    println!("{:<44}{:>12}{:>16}", "", "ns", "times the first");
    alone();
    fights();
    handovers();
}

/// Runs all contestants in turns and prints what each took.
fn row(what: &str, mut contestants: Vec<Contestant<'_>>) {
    let mut taken = vec![Vec::new(); contestants.len()];
    for _ in 0..ROUNDS {
        for (times, (_, measure)) in taken.iter_mut().zip(&mut contestants) {
            times.push(measure());
        }
    }
    println!("{what}");
    for (times, (name, _)) in taken.iter().zip(&contestants) {
        let ratios = times.iter().zip(&taken[0]).map(|(time, first)| time / first).collect();
        println!("  {name:<42}{:>12.1}{:>16.2}", median(times.clone()), median(ratios));
    }
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

/// Nanoseconds of one `act` of many.
fn each(mut act: impl FnMut()) -> f64 {
    let start = Instant::now();
    for _ in 0..ALONE {
        act();
    }
    start.elapsed().as_secs_f64() * 1e9 / f64::from(ALONE)
}

fn look(number: u64) {
    std::hint::black_box(number);
}

fn alone() {
    let arena = play::Arena::new();
    let (mutex, again) = (arena.mutex(), arena.reentrant());
    let (lock, semaphore, permits) = (arena.rwlock(), arena.semaphore(), arena.permits());
    let robust = arena.robust();
    let (std_mutex, std_lock) = (std::sync::Mutex::new(0u64), std::sync::RwLock::new(0u64));
    let posix = arena.posix_semaphore();
    row(
        "lock, add one, unlock; alone",
        vec![
            ("std Mutex", Box::new(|| each(|| *std_mutex.lock().unwrap() += 1))),
            ("ringway Mutex", Box::new(|| each(|| *mutex.lock().unwrap() += 1))),
            ("pthread robust, between processes", Box::new(|| each(|| robust.add()))),
            ("ringway ReentrantMutex", Box::new(|| each(|| drop(again.lock().unwrap())))),
        ],
    );
    row(
        "read; alone",
        vec![
            ("std RwLock", Box::new(|| each(|| look(*std_lock.read().unwrap())))),
            ("ringway RwLock", Box::new(|| each(|| look(*lock.read().unwrap())))),
        ],
    );
    row(
        "write; alone (64 members)",
        vec![
            ("std RwLock", Box::new(|| each(|| *std_lock.write().unwrap() += 1))),
            ("ringway RwLock", Box::new(|| each(|| *lock.write().unwrap() += 1))),
        ],
    );
    let post = || {
        semaphore.acquire().unwrap();
        semaphore.release(1).unwrap();
    };
    row(
        "acquire, release; alone",
        vec![
            ("sem_t, between processes", Box::new(|| each(|| posix.pass()))),
            ("ringway Semaphore", Box::new(move || each(post))),
            ("ringway Permits", Box::new(|| each(|| drop(permits.acquire().unwrap())))),
        ],
    );
    python();
}

/// A lock of Python's, which is a semaphore of the system.
fn python() {
    let program = "import multiprocessing, timeit\n\
        lock = multiprocessing.Lock()\n\
        count = 200000\n\
        def pair():\n    lock.acquire()\n    lock.release()\n\
        print(min(timeit.repeat(pair, number=count, repeat=5)) * 1e9 / count)";
    let answer = Command::new("python3").args(["-c", program]).output();
    let text = answer.ok().filter(|answer| answer.status.success());
    match text.and_then(|answer| String::from_utf8(answer.stdout).ok()?.trim().parse::<f64>().ok())
    {
        Some(nanos) => {
            println!("  {:<42}{nanos:>12.1}", "Python's multiprocessing.Lock (best of 5)");
        }
        None => println!("  {:<42}{:>12}", "Python's multiprocessing.Lock", "not there"),
    }
}

fn fights() {
    let mut contestants: Vec<Contestant<'_>> = Vec::new();
    for fight in [Fight::Robust, Fight::Mutex] {
        let mut pair = play::Pair::start(fight);
        contestants.push((fight.name(), Box::new(move || pair.round())));
    }
    row("lock, add one, unlock; two processes at once, each", contestants);
}

fn handovers() {
    let mut contestants: Vec<Contestant<'_>> = Vec::new();
    for fight in [Fight::BareHandover, Fight::MutexHandover, Fight::RobustHandover] {
        let mut pair = play::Pair::start(fight);
        contestants.push((fight.name(), Box::new(move || pair.handovers())));
    }
    row("from the unlock to a process that sleeps for it", contestants);
}
