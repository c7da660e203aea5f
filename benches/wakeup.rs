//! From the send until a receiver that sleeps in another process has the message, beside a bare futex.
//!
//! Each wake-up is sent only once the kernel says that the receiver sleeps. The sleepers are those of
//! this benchmark; `rivals` compares contestants in turns and is where ratios come from.

mod common;

#[path = "common/bare.rs"]
mod bare;
#[path = "common/sleeper.rs"]
mod sleeper;

use common::machine;

use std::time::Duration;

use criterion::Criterion;
use sleeper::{Sleeper, Way};

fn main() {
    if !sleeper::play_if_asked() {
        common::run(|_| {}, bench);
    }
}

fn bench(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("wake 8 B");
    for (label, way) in [("bare futex, processes", Way::Bare), ("ringway, processes", Way::Ringway)]
    {
        let mut sleeper = Sleeper::start(way);
        group.bench_function(label, |bencher| {
            bencher.iter_custom(|count| {
                Duration::from_nanos((0..count).map(|_| sleeper.wake()).sum())
            });
        });
    }
}
