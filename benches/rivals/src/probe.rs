//! What the machine does at the moment, and whether it did the same throughout a sample.
//!
//! A virtual machine is moved among its host's processors, and shares them: a cache line takes 65 ns from one side to
//! the other and back in one minute, and 400 ns in another; a core is slower for a while, or is not there at all. No
//! figure can be corrected for that. But it can be seen: two probes, one before the sample and one after, measure the
//! line and the cores themselves, and the kernel counts what was stolen and what other programs used.

use std::sync::Barrier;
use std::sync::atomic::{
    AtomicU64,
    Ordering::{Acquire, Release},
};
use std::time::{Duration, Instant};

use crate::machine::{pin, usable};

/// Two speeds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Probe {
    /// Nanoseconds that a cache line takes from the near side's processor to the far side's and back. None where
    /// both are the same.
    pub line: Option<f64>,
    /// Nanoseconds that a step of arithmetic takes, on the slower one of the two.
    pub core: f64,
}

/// Two lines' times are of one regime if neither is longer than the other by more than this factor. (Regimes that
/// were seen are a factor of five apart; within one, figures vary by a tenth.)
const SAME_REGIME: f64 = 1.5;
/// A core that is slower than this, against the best one seen, is not itself.
const SLOWER: f64 = 1.10;
/// The share of the processors' time that may be stolen, or used by others. The kernel counts in ticks of 10 ms: in
/// a short sample one or two say nothing.
const SHARE: f64 = 0.03;
const TICKS: f64 = 2.0;

impl Probe {
    pub fn take() -> Self {
        const WARM: Duration = Duration::from_micros(300);
        let both_ready = Barrier::new(2);
        // The line is passed while nobody computes: processors that are siblings would slow each other down.
        let relay = Relay(AtomicU64::new(0));
        let passes = usable().len() > 1;
        std::thread::scope(|scope| {
            let far = scope.spawn(|| {
                pin(1);
                both_ready.wait();
                let core = step(WARM);
                both_ready.wait();
                if passes {
                    relay.answer();
                }
                core
            });
            let near = scope.spawn(|| {
                pin(0);
                both_ready.wait();
                let core = step(WARM);
                both_ready.wait();
                (core, passes.then(|| relay.pass()))
            });
            let far = far.join().expect("it only computes");
            let (near, line) = near.join().expect("it only computes");
            Self { line, core: near.max(far) }
        })
    }
}

/// Nanoseconds of one step of a chain that no processor can shorten: the least of some batches.
#[allow(clippy::cast_precision_loss, reason = "a speed")]
fn step(warm: Duration) -> f64 {
    const STEPS: u32 = 50_000;
    let begun = Instant::now();
    let mut word = 1u64;
    let mut least = f64::INFINITY;
    // The first batches bring a core that slept to its speed.
    for batch in 0.. {
        let start = Instant::now();
        for _ in 0..STEPS {
            word = std::hint::black_box(word.wrapping_mul(0x5851_f42d_4c95_7f2d).rotate_left(7));
        }
        least = least.min(start.elapsed().as_nanos() as f64 / f64::from(STEPS));
        if batch >= 4 && begun.elapsed() > warm {
            break;
        }
    }
    least
}

/// A line that two threads pass on.
#[repr(align(128))]
struct Relay(AtomicU64);

impl Relay {
    const OVER: u64 = u64::MAX;
    const TRIPS: u64 = 200;

    /// The median of some batches' trips. Ends soon even if another program has the other processor.
    #[allow(clippy::cast_precision_loss, reason = "a figure for people")]
    fn pass(&self) -> f64 {
        let begun = Instant::now();
        let mut batches = Vec::new();
        let mut trip = 0;
        while batches.len() < 15 || batches.len() < 60 && begun.elapsed().as_millis() < 2 {
            let start = Instant::now();
            for _ in 0..Self::TRIPS {
                self.0.store(2 * trip + 1, Release);
                while self.0.load(Acquire) != 2 * trip + 2 {
                    std::hint::spin_loop();
                }
                trip += 1;
            }
            batches.push(start.elapsed().as_nanos() as f64 / Self::TRIPS as f64);
        }
        self.0.store(Self::OVER, Release);
        batches.sort_by(f64::total_cmp);
        batches[batches.len() / 2]
    }

    fn answer(&self) {
        let mut next = 1;
        loop {
            let seen = self.0.load(Acquire);
            if seen == Self::OVER {
                return;
            }
            if seen == next {
                self.0.store(next + 1, Release);
                next += 2;
            } else {
                std::hint::spin_loop();
            }
        }
    }
}

/// What the kernel has counted, in ticks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ticks {
    /// Of all processors, by whomever.
    pub busy: u64,
    pub stolen: u64,
    pub idle: u64,
}

impl Ticks {
    pub fn now() -> Self {
        let stat = std::fs::read_to_string("/proc/stat").unwrap_or_default();
        Self::read(&stat)
    }

    fn read(stat: &str) -> Self {
        let line = stat.lines().next().unwrap_or_default();
        let fields = line.split_whitespace().skip(1).map(|field| field.parse().unwrap_or(0));
        let fields: Vec<u64> = fields.chain([0; 8]).take(8).collect();
        let [user, nice, system, idle, waiting, interrupts, soft, stolen] = fields[..] else {
            unreachable!("eight were taken")
        };
        let busy = user + nice + system + interrupts + soft;
        Self { busy, stolen, idle: idle + waiting }
    }
}

/// What happened between two probes.
#[derive(Clone, Copy, Debug)]
pub struct Span {
    pub before: Probe,
    pub after: Probe,
    /// Ticks that passed, of all processors together.
    pub ticks: f64,
    /// Of them, those that the hypervisor took.
    pub stolen: f64,
    /// Of them, those that other programs used.
    pub foreign: f64,
}

impl Span {
    /// From what was counted before and after, and what the sample itself used.
    #[allow(clippy::cast_precision_loss, reason = "small numbers")]
    pub fn new(probes: [Probe; 2], ticks: [Ticks; 2], own: Duration) -> Self {
        const PER_SECOND: f64 = 100.0;
        let [before, after] = probes;
        let grown =
            |count: fn(&Ticks) -> u64| count(&ticks[1]).saturating_sub(count(&ticks[0])) as f64;
        let (busy, stolen, idle) = (grown(|t| t.busy), grown(|t| t.stolen), grown(|t| t.idle));
        let foreign = (busy - own.as_secs_f64() * PER_SECOND).max(0.0);
        Self { before, after, ticks: busy + stolen + idle, stolen, foreign }
    }

    /// The line's time, if it is one.
    pub fn line(&self) -> Option<f64> {
        Some(f64::midpoint(self.before.line?, self.after.line?))
    }

    pub fn core(&self) -> f64 {
        self.before.core.max(self.after.core)
    }

    /// What disturbed the sample, if something did. `best` is the fastest core of the run so far, `regime` the
    /// line's time in this round's other samples.
    pub fn disturbance(&self, best: f64, regime: Option<f64>) -> Option<String> {
        if let (Some(before), Some(after)) = (self.before.line, self.after.line)
            && !same_regime(before, after)
        {
            return Some(format!("line from {before:.0} to {after:.0} ns"));
        }
        if let (Some(line), Some(regime)) = (self.line(), regime)
            && !same_regime(line, regime)
        {
            return Some(format!("line {line:.0} ns, {regime:.0} before in this round"));
        }
        let slower = self.core() / best;
        if slower > SLOWER {
            return Some(format!("core {:.0} % slower than at best", (slower - 1.0) * 100.0));
        }
        let much = |ticks: f64| ticks > TICKS + SHARE * self.ticks;
        let share = |ticks: f64| 100.0 * ticks / self.ticks;
        if much(self.stolen) {
            return Some(format!("{:.0} % of the time stolen", share(self.stolen)));
        }
        much(self.foreign)
            .then(|| format!("{:.0} % of the time used by others", share(self.foreign)))
    }
}

/// Whether two times of the line are of one regime.
pub fn same_regime(one: f64, other: f64) -> bool {
    one.max(other) <= SAME_REGIME * one.min(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(lines: [f64; 2], cores: [f64; 2], stolen: f64, foreign: f64) -> Span {
        let probe = |n: usize| Probe { line: Some(lines[n]), core: cores[n] };
        Span { before: probe(0), after: probe(1), ticks: 40.0, stolen, foreign }
    }

    fn is_disturbed(span: &Span, regime: Option<f64>) -> bool {
        span.disturbance(1.0, regime).is_some()
    }

    #[test]
    fn a_quiet_sample_is_not_disturbed() {
        assert!(!is_disturbed(&span([65.0, 70.0], [1.0, 1.05], 1.0, 2.0), None));
        assert!(!is_disturbed(&span([65.0, 70.0], [1.0, 1.05], 1.0, 2.0), Some(60.0)));
        assert!(!is_disturbed(&span([330.0, 400.0], [1.0, 1.05], 1.0, 2.0), Some(350.0)));
    }

    #[test]
    fn each_thing_that_disturbs_is_seen() {
        for disturbed in [
            span([65.0, 340.0], [1.0, 1.0], 0.0, 0.0),
            span([340.0, 65.0], [1.0, 1.0], 0.0, 0.0),
            span([65.0, 65.0], [1.0, 1.2], 0.0, 0.0),
            span([65.0, 65.0], [1.2, 1.0], 0.0, 0.0),
            span([65.0, 65.0], [1.0, 1.0], 5.0, 0.0),
            span([65.0, 65.0], [1.0, 1.0], 0.0, 9.0),
        ] {
            assert!(is_disturbed(&disturbed, None), "{disturbed:?}");
        }
        assert!(is_disturbed(&span([65.0, 65.0], [1.0, 1.0], 0.0, 0.0), Some(340.0)));
    }

    #[test]
    fn what_a_sample_uses_itself_is_not_foreign() {
        let probe = Probe { line: None, core: 1.0 };
        let ticks = |busy, stolen, idle| Ticks { busy, stolen, idle };
        let counted = [ticks(100, 10, 100), ticks(140, 11, 105)];
        let span = Span::new([probe, probe], counted, Duration::from_millis(380));
        let found = (span.ticks, span.stolen, span.foreign.round());
        assert_eq!(found, (46.0, 1.0, 2.0));
    }

    #[test]
    fn the_kernels_line_is_understood() {
        let ticks = Ticks::read("cpu  10 20 30 400 50 6 7 8 9 10\ncpu0 1 2 3\n");
        assert_eq!(ticks, Ticks { busy: 73, stolen: 8, idle: 450 });
    }

    #[test]
    fn a_probe_measures_something() {
        let probe = Probe::take();
        assert!(probe.core > 0.0 && probe.line.is_none_or(|line| line > 1.0), "{probe:?}");
    }
}
