//! Attaching to a channel that exists, after the process's first time.

mod common;

use std::time::{Duration, Instant};

use common::{SLOTS, unique};
use criterion::Criterion;
use ringway::spsc::{Consumer, Producer};

fn main() {
    common::run(|_| {}, bench);
}

fn bench(criterion: &mut Criterion) {
    let name = unique();
    let options = Producer::<u64>::options().capacity(SLOTS).remove_when_unused();
    let mut producer = options.create(&name).expect("create the channel");
    let mut n = 0;
    // It opened the channel that was meant: what was sent is there.
    let mut check = |consumer: &mut Consumer<u64>| {
        producer.try_send(n).expect("room");
        assert_eq!(consumer.try_recv(), Ok(n));
        n += 1;
    };
    let mut group = criterion.benchmark_group(format!("attach 8 B cap {SLOTS}"));
    group.bench_function("open", |bencher| {
        bencher.iter_custom(|count| {
            let mut took = Duration::ZERO;
            for _ in 0..count {
                let start = Instant::now();
                let opened = Consumer::<u64>::options().open(&name);
                took += start.elapsed();
                check(&mut opened.expect("open the channel"));
            }
            took
        });
    });
    group.bench_function("open and leave", |bencher| {
        bencher.iter(|| {
            let mut opened = Consumer::<u64>::options().open(&name).expect("open the channel");
            check(&mut opened);
        });
    });
}
