//! Waking a sleeper, beside a bare futex; and attaching.

use std::process::{Command, Stdio};
use std::time::Instant;

use ringway::spsc::{Consumer, Producer};

use crate::probe::{line_round_trip, pin, unpin};
use crate::sample::{Against, Outcome, Series, median};
use crate::sleeper::{Sleeper, Way};

/// What is measured here, by the names that a filter selects.
pub const WAKE: &str = "wake parked 8 B";
pub const ATTACH: &str = "attach 1024 slots";

/// Wake-ups of each kind in one round.
const WAKES: usize = 1000;
/// Attachments in one round, after the first.
const OPENS: usize = 500;

/// Hand-overs to a sleeping process, in turns: medians and the 99th percentile of each round.
pub fn run(rounds: usize) -> [Outcome; 2] {
    let outcome = |quantile: &str| Outcome {
        cell: format!("{WAKE} {quantile}"),
        against: Against::Time,
        series: ["bare futex, processes", "ringway, processes"]
            .map(|name| Series { name, samples: Vec::new() })
            .into(),
        regime: Vec::new(),
    };
    let mut outcomes = [outcome("p50"), outcome("p99")];
    for _ in 0..rounds {
        let regime = line_round_trip();
        for (which, mut took) in round().into_iter().enumerate() {
            took.sort_unstable();
            for (outcome, place) in outcomes.iter_mut().zip([WAKES / 2, WAKES * 99 / 100]) {
                outcome.series[which].samples.push(nanos(took[place]));
            }
        }
        for outcome in &mut outcomes {
            outcome.regime.push(regime);
        }
    }
    outcomes
}

/// Nanoseconds of each wake-up: bare, ringway.
fn round() -> [Vec<u64>; 2] {
    let mut sleepers = [Way::Bare, Way::Ringway].map(Sleeper::start);
    let mut took = [Vec::new(), Vec::new()];
    for turn in 0..WAKES {
        // Who comes first changes, and both sleep before either is woken.
        for which in [turn % 2, 1 - turn % 2] {
            sleepers.iter_mut().for_each(Sleeper::settle);
            took[which].push(sleepers[which].wake());
        }
    }
    took
}

/// Opening an existing channel: the first time in a process, and later ones.
pub fn attach(rounds: usize) -> Outcome {
    let mut first = Series { name: "ringway, first of a process", samples: Vec::new() };
    let mut later = Series { name: "ringway, later ones (median)", samples: Vec::new() };
    let mut regime = Vec::new();
    for _ in 0..rounds {
        regime.push(line_round_trip());
        unpin();
        let name = format!("rivals-attach-{}", std::process::id());
        let options = Producer::<u64>::options().capacity(1024).remove_when_unused();
        let mut producer = options.create(&name).expect("create the channel");
        (0..=OPENS as u64).for_each(|n| producer.try_send(n).expect("room for all"));
        let child = Command::new(std::env::current_exe().expect("this program"))
            .args(["--attach", &name])
            .stdin(Stdio::null())
            .stderr(Stdio::inherit())
            .output()
            .expect("a child process");
        assert!(child.status.success(), "the attaching process failed");
        let said = String::from_utf8_lossy(&child.stdout);
        let figures: Vec<f64> = said.split_whitespace().map(|w| w.parse().unwrap()).collect();
        first.samples.push(figures[0]);
        later.samples.push(figures[1]);
    }
    let series = vec![first, later];
    Outcome { cell: ATTACH.to_owned(), against: Against::Time, series, regime }
}

/// Opens and leaves `name` again and again, checks that it is that channel, and prints the time of the first
/// opening and the median of the others.
pub fn open_often(name: &str) {
    pin(1);
    let mut took = Vec::new();
    for n in 0..=OPENS as u64 {
        let start = Instant::now();
        let opened = Consumer::<u64>::options().open(name);
        took.push(start.elapsed().as_secs_f64() * 1e9);
        let mut consumer = opened.expect("open the channel");
        assert_eq!(consumer.try_recv(), Ok(n), "every opener goes on where the last one stopped");
    }
    println!("{} {}", took[0], median(&took[1..]));
}

#[allow(clippy::cast_precision_loss, reason = "a figure for people")]
fn nanos(count: u64) -> f64 {
    count as f64
}
