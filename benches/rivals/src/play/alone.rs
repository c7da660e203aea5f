//! The works that need no other side, or only somebody who attaches.

use std::sync::Barrier;

use super::message::{Letter, SENDER_SHIFT};
use super::sides::{get, put};
use super::{Quantiles, Sample, Task, Unable};
use crate::contestant::{Contestant, Hub, Way};
use crate::machine::{pin, unpin};
use crate::region::now;

fn name() -> String {
    format!("rivals-{}", std::process::id())
}

#[allow(clippy::cast_precision_loss, reason = "a figure for people")]
fn each(nanos: u64, count: u64) -> Sample {
    Sample { value: nanos as f64 / count as f64, quantiles: None }
}

/// One thread sends and receives in turn.
pub fn pair<C: Contestant, const W: usize>(task: &Task) -> Result<Sample, Unable> {
    pin(0);
    let mut hub = C::create::<W>(&task.workload, &name(), Way::There)?;
    let (mut out, mut from) = (hub.sender(), hub.receiver());
    let letter = &mut Letter::new();
    let mut run = |count| {
        let begun = now();
        for n in 0..count {
            put::<C, W>(&mut out, letter, n);
            assert_eq!(get::<C, W>(&mut from), n, "the message is another");
        }
        now() - begun
    };
    run((task.workload.capacity as u64).min(task.count));
    Ok(each(run(task.count), task.count))
}

/// Two fill a queue together, a thread each, from empty to full; who drains it in between is not measured.
pub fn duel<C: Contestant, const W: usize>(task: &Task) -> Result<Sample, Unable> {
    unpin();
    let mut hub = C::create::<W>(&task.workload, &name(), Way::There)?;
    let mut from = hub.receiver();
    let outs = [hub.sender(), hub.sender()];
    // Not quite: some queues have room for one less than they say.
    let half = task.workload.capacity as u64 / 2 - 1;
    let laps = (task.count / (2 * half)).max(1);
    let meetings = [(); 3].map(|()| Barrier::new(3));
    let took = std::thread::scope(|scope| {
        let [start, filled, drained] = &meetings;
        let duellists: Vec<_> = (0..)
            .zip(outs)
            .map(|(number, mut out)| {
                scope.spawn(move || {
                    pin(number);
                    let letter = &mut Letter::new();
                    let mut spans = Vec::new();
                    for _ in 0..=laps {
                        start.wait();
                        let begun = now();
                        for n in 0..half {
                            put::<C, W>(&mut out, letter, (number as u64) << SENDER_SHIFT | n);
                        }
                        spans.push((begun, now()));
                        filled.wait();
                        drained.wait();
                    }
                    spans
                })
            })
            .collect();
        for _ in 0..=laps {
            start.wait();
            filled.wait();
            let mut next = [0; 2];
            for _ in 0..2 * half {
                let head = get::<C, W>(&mut from);
                let (sender, n) = (head >> SENDER_SHIFT, head & ((1 << SENDER_SHIFT) - 1));
                let next = &mut next[usize::try_from(sender).expect("one of two")];
                assert_eq!(n, *next, "a message is missing");
                *next += 1;
            }
            drained.wait();
        }
        let spans = duellists.into_iter().map(|one| one.join().expect("it only sends"));
        let [one, other] = <[_; 2]>::try_from(spans.collect::<Vec<_>>()).expect("two of them");
        let both = one.iter().zip(&other).skip(1);
        both.map(|(one, other)| one.1.max(other.1) - one.0.min(other.0)).sum()
    });
    Ok(each(took, laps * 2 * half))
}

/// How much memory a queue takes: of the process's own and of shared memory, while nobody uses it.
pub fn memory<C: Contestant, const W: usize>(task: &Task) -> Result<Sample, Unable> {
    const QUEUES: usize = 64;
    let make = |n: usize| {
        let mut hub = C::create::<W>(&task.workload, &format!("{}-{n}", name()), Way::There)?;
        let ends = (hub.sender(), hub.receiver());
        Ok((hub, ends))
    };
    // What the first one of a process needs is not the queue's.
    let first = make(QUEUES)?;
    let before = memory_in_use()?;
    let queues = (0..QUEUES).map(make).collect::<Result<Vec<_>, Unable>>()?;
    let after = memory_in_use()?;
    drop((first, queues));
    Ok(each(after.saturating_sub(before), QUEUES as u64))
}

/// Bytes of this process's own memory and of all shared memory.
fn memory_in_use() -> Result<u64, Unable> {
    let kilobytes = |path: &str, key: &str| {
        let text = std::fs::read_to_string(path).map_err(Unable::because(path))?;
        let line = text.lines().find_map(|line| line.strip_prefix(key));
        let number = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
        number.ok_or_else(|| Unable(format!("{path} has no {key}")))
    };
    let own = kilobytes("/proc/self/status", "RssAnon:")?;
    Ok((own + kilobytes("/proc/meminfo", "Shmem:")?) << 10)
}

/// Attaching to a queue, and leaving it, from a process that did so before.
pub fn attach<C: Contestant, const W: usize>(task: &Task) -> Result<Sample, Unable> {
    unpin();
    let hub = C::create::<W>(&task.workload, &name(), Way::There)?;
    let token = hub.token();
    let mut took: Vec<u64> = Vec::new();
    for _ in 0..=task.count {
        let begun = now();
        let end = C::join::<W>(&task.workload, &token, Way::There)?.receiver();
        took.push(now() - begun);
        drop(end);
    }
    took.remove(0);
    took.sort_unstable();
    let at = |per_mille: usize| took[(took.len() - 1) * per_mille / 1000];
    #[allow(clippy::cast_precision_loss, reason = "figures for people")]
    let nanos = |per_mille| at(per_mille) as f64;
    let quantiles =
        Quantiles { p50: nanos(500), p99: nanos(990), p999: nanos(999), max: nanos(1000) };
    Ok(Sample { value: quantiles.p50, quantiles: Some(quantiles) })
}
