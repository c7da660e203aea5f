//! Single operations, one thread at both ends: what a call costs when nobody is in the way.

mod common;

use common::{BATCH, SLOTS, check, value};
use criterion::{Criterion, Throughput};
use ringway::{pipe, spsc};

fn main() {
    common::run(|_| {}, bench);
}

fn bench(criterion: &mut Criterion) {
    values::<1>(criterion);
    values::<8>(criterion);
    values::<128>(criterion);
    records::<1>(criterion);
    records::<8>(criterion);
    records::<128>(criterion);
}

fn values<const W: usize>(criterion: &mut Criterion) {
    let bytes = W * 8;
    let (mut out, mut from) = spsc::pair::<[u64; W]>(SLOTS).expect("a pair");
    let mut n = 0;
    let mut group = criterion.benchmark_group("ring");
    group.throughput(Throughput::Elements(1));
    group.bench_function(format!("send and receive {bytes} B"), |bencher| {
        bencher.iter(|| {
            out.try_send(value(n)).expect("room");
            check::<W>(&from.try_recv().expect("a message"), n);
            n += 1;
        });
    });
    group.throughput(Throughput::Elements(BATCH as u64));
    let (mut batch, mut buffer) = ([[0; W]; BATCH], [[0; W]; BATCH]);
    group.bench_function(format!("batch64 {bytes} B"), |bencher| {
        bencher.iter(|| {
            batch.iter_mut().zip(n..).for_each(|(slot, n)| *slot = value(n));
            assert_eq!(out.try_send_batch(&batch), Ok(BATCH));
            assert_eq!(from.try_recv_batch(&mut buffer), Ok(BATCH));
            buffer.iter().zip(n..).for_each(|(slot, n)| check::<W>(slot, n));
            n += BATCH as u64;
        });
    });
    group.bench_function(format!("grants of 64, {bytes} B"), |bencher| {
        bencher.iter(|| {
            let mut room = out.try_reserve(BATCH).expect("room");
            room.iter_mut().zip(n..).for_each(|(slot, n)| *slot = value(n));
            room.commit().expect("open");
            let there = from.try_peek(BATCH).expect("messages");
            there.iter().zip(n..).for_each(|(slot, n)| check::<W>(slot, n));
            n += there.len() as u64;
            there.release();
        });
    });
}

fn records<const W: usize>(criterion: &mut Criterion) {
    let bytes = W * 8;
    let (mut out, mut from) = pipe::pair(SLOTS * (bytes + 8)).expect("a pair");
    let mut n = 0;
    let mut found = [0u64; W];
    let mut group = criterion.benchmark_group("ring");
    group.throughput(Throughput::Elements(1));
    group.bench_function(format!("record {bytes} B"), |bencher| {
        bencher.iter(|| {
            let message: [u64; W] = value(n);
            out.try_send(bytemuck::cast_slice(&message)).expect("room");
            let len = from.try_recv_into(bytemuck::cast_slice_mut(&mut found));
            assert_eq!(len, Ok(bytes));
            check::<W>(&found, n);
            n += 1;
        });
    });
    group.bench_function(format!("record in place {bytes} B"), |bencher| {
        bencher.iter(|| {
            let mut room = out.try_reserve(bytes).expect("room");
            let message: [u64; W] = value(n);
            room.copy_from_slice(bytemuck::cast_slice(&message));
            room.commit().expect("open");
            let there = from.try_peek().expect("a record");
            check::<W>(bytemuck::cast_slice(&there), n);
            there.release();
            n += 1;
        });
    });
}
