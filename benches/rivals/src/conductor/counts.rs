//! How many messages a sample has, so that it takes about the time that it should.
//!
//! Contestants are a factor of a thousand apart: what takes one 5 ns takes another 10 µs. So each finds its own count at
//! each work, by short samples that grow.

use crate::workload::{Shape, Unit, Workload};

/// Whether a count is right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Tried with so many, one would know more.
    Again(u64),
    /// So many take the time.
    Done(u64),
}

/// Counts grow by no more than this from one try to the next: the start of a sample is slower than the rest.
const GROWTH: u64 = 64;
/// A try that took this share of the time tells enough.
const ENOUGH: f64 = 0.05;
const MOST: u64 = 1 << 32;

/// What works have whose time is not that of their messages: they wait until somebody sleeps, or until something
/// is due, or are done once.
pub fn fixed(workload: &Workload, millis: u64) -> Option<u64> {
    // Measured: what one takes with all its waiting, in microseconds.
    let each = match workload.shape {
        Shape::Burst(_) => 200,
        Shape::Wake => 100,
        Shape::Paced(every) => u64::try_from(every.as_micros()).unwrap_or(u64::MAX),
        Shape::Attach => 50,
        Shape::Memory => return Some(1),
        _ => return None,
    };
    Some((millis * 1000 / each).max(100))
}

/// What a message costs most contestants, in nanoseconds: within a factor of ten.
pub fn guess(workload: &Workload) -> u64 {
    match workload.shape {
        Shape::ParkedTrip => 50_000,
        Shape::SpinningTrip => 200,
        Shape::Crowd { .. } => 20,
        _ => (workload.bytes as u64 / 8).max(5),
    }
}

/// The count of the first try: few enough for the slowest.
pub fn first(workload: &Workload) -> u64 {
    // The slowest, an interpreter, takes 10 µs for a short message.
    (10_000_000 / (guess(workload) + 5_000)).max(64)
}

/// What follows from `value`, the figure of a try with `count`.
pub fn next(workload: &Workload, count: u64, value: f64, millis: u64) -> Step {
    debug_assert_ne!(workload.unit(), Unit::Bytes, "its count is fixed");
    #[allow(clippy::cast_precision_loss, reason = "an estimate")]
    let (took, aim) = (value.max(0.1) * count as f64, millis as f64 * 1e6);
    #[allow(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "an estimate, positive and not large"
    )]
    let right = ((count as f64 * aim / took) as u64).clamp(64, MOST);
    if took >= ENOUGH * aim { Step::Done(right) } else { Step::Again(right.min(count * GROWTH)) }
}

/// A better count, if the one that was found was far from right: the machine was another then.
pub fn better(workload: &Workload, count: u64, value: f64, millis: u64) -> Option<u64> {
    if fixed(workload, millis).is_some() {
        return None;
    }
    let (Step::Again(right) | Step::Done(right)) = next(workload, count, value, millis);
    (right / 3 > count || right < count / 3).then_some(right)
}

#[cfg(test)]
#[allow(clippy::cast_precision_loss, reason = "small numbers")]
mod tests {
    use super::*;

    /// Follows the steps of a contestant that takes `nanos` for each, and `start` more at the beginning.
    fn calibrate(workload: &Workload, nanos: f64, start: f64) -> (u64, usize) {
        let mut count = first(workload);
        for tries in 1.. {
            let value = nanos + start / count as f64;
            match next(workload, count, value, 100) {
                Step::Done(count) => return (count, tries),
                Step::Again(more) => {
                    assert!(more > count, "it does not grow: {count}, {more}");
                    count = more;
                }
            }
        }
        unreachable!("it ends")
    }

    #[test]
    fn a_sample_takes_about_its_time_whatever_a_message_takes() {
        for workload in Workload::all().iter().filter(|work| fixed(work, 100).is_none()) {
            for nanos in [1.0, 5.0, 300.0, 10_000.0, 300_000.0] {
                let (count, tries) = calibrate(workload, nanos, 50_000.0);
                let took = count as f64 * nanos;
                let least = (64.0 * nanos).max(0.9e8);
                assert!((0.9e8..=least * 1.12).contains(&took), "{workload}: {nanos} {count}");
                assert!(tries <= 4, "{workload}: {tries} tries");
            }
        }
    }

    #[test]
    fn the_first_try_of_the_slowest_is_short() {
        for workload in Workload::all().iter().filter(|work| work.bytes <= 1 << 10) {
            assert!(first(workload) * 60_000 < 1_000_000_000, "{workload}");
        }
    }

    #[test]
    fn a_count_that_is_far_from_right_is_bettered() {
        let stream = Workload::named("stream 8 B cap 1024").expect("it is in the list");
        assert_eq!(better(&stream, 1 << 24, 6.0, 100), None);
        assert_eq!(better(&stream, 100_000, 5.0, 100), Some(6_400_000));
        assert_eq!(better(&stream, 1 << 24, 100.0, 100), Some(1_000_000));
        let wake = Workload::named("wake 8 B").expect("it is in the list");
        assert_eq!(better(&wake, 1, 5.0, 100), None);
    }

    #[test]
    fn counts_of_what_waits_follow_from_the_time() {
        let work = |name| Workload::named(name).expect("it is in the list");
        assert_eq!(fixed(&work("wake 8 B"), 100), Some(1000));
        assert_eq!(fixed(&work("paced 5 µs 8 B"), 100), Some(20_000));
        assert_eq!(fixed(&work("memory 64 B cap 1024"), 100), Some(1));
        assert_eq!(fixed(&work("stream 8 B cap 1024"), 100), None);
        assert_eq!(fixed(&work("wake 8 B"), 0), Some(100));
    }
}
