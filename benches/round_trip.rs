//! There and back between two processes, one message at a time, spinning and parked.

mod common;

use std::time::Instant;

use common::{Peer, SLOTS, back_of, check, first, unique, value};
use criterion::Criterion;
use ringway::Wait;
use ringway::pipe::Connection;
use ringway::spsc::{Consumer, Producer};

type Message = [u64; 1];

const WAYS: [(&str, Wait); 2] = [("spinning", Wait::Spin), ("parked", Wait::Park)];

fn main() {
    common::run(play, bench);
}

fn bench(criterion: &mut Criterion) {
    for (how, wait) in WAYS {
        if wait == Wait::Spin && common::machine::usable().len() < 2 {
            println!("not run: two sides that spin need two processors");
            continue;
        }
        values(criterion, how, wait);
        records(criterion, how, wait);
    }
}

fn values(criterion: &mut Criterion, how: &str, wait: Wait) {
    let name = unique();
    let mut peer = Peer::none();
    let out = Producer::<Message>::options().capacity(SLOTS).wait(wait).remove_when_unused();
    let back = Consumer::<Message>::options().capacity(SLOTS).wait(wait).remove_when_unused();
    let mut out = out.create(&name).expect("create the channel");
    let mut back = back.create(&back_of(&name)).expect("create the channel back");
    peer.start(&format!("values {how} {name}"));
    check::<1>(&first(&mut back, &mut peer), u64::MAX);
    common::machine::pin(0);
    let mut group = criterion.benchmark_group(format!("round-trip {how} 8 B"));
    group.bench_function("spsc, processes", |bencher| {
        bencher.iter_custom(|count| {
            let start = Instant::now();
            for n in 0..count {
                out.send(value(n)).expect("send");
                check::<1>(&back.recv().expect("receive"), n);
            }
            start.elapsed()
        });
    });
}

fn records(criterion: &mut Criterion, how: &str, wait: Wait) {
    let name = unique();
    let mut peer = Peer::none();
    let options = Connection::options().wait(wait).remove_when_unused();
    let mut pipe = options.create(&name).expect("create the pipe");
    peer.start(&format!("records {how} {name}"));
    while !pipe.poll(std::time::Duration::from_millis(100)) {
        peer.check_alive();
    }
    assert_eq!(pipe.recv().expect("the other side is there"), b"ready");
    common::machine::pin(0);
    let mut group = criterion.benchmark_group(format!("round-trip {how} 8 B"));
    group.bench_function("pipe, processes", |bencher| {
        bencher.iter_custom(|count| {
            let mut found: Message = [0];
            let start = Instant::now();
            for n in 0..count {
                pipe.send(bytemuck::bytes_of(&n)).expect("send");
                let len = pipe.recv_into(bytemuck::bytes_of_mut(&mut found)).expect("receive");
                check::<1>(&found[..len / 8], n);
            }
            start.elapsed()
        });
    });
}

/// The other process: sends everything back until nobody is there.
fn play(role: &[&str]) {
    let [kind, how, name] = *role else { panic!("no role {role:?}") };
    let (_, wait) = WAYS.into_iter().find(|way| way.0 == how).expect("a known way");
    if kind == "values" {
        let from = Consumer::<Message>::options().wait(wait).open(name);
        let back = Producer::<Message>::options().wait(wait).open(&back_of(name));
        let (mut from, mut back) = (from.expect("open"), back.expect("open the channel back"));
        common::machine::pin(1);
        back.send([u64::MAX]).expect("room");
        while let Ok(message) = from.recv() {
            back.send(message).expect("room");
        }
    } else {
        let mut pipe = Connection::options().wait(wait).open(name).expect("open the pipe");
        common::machine::pin(1);
        pipe.send(b"ready").expect("room");
        let mut message: Message = [0];
        while let Ok(len) = pipe.recv_into(bytemuck::bytes_of_mut(&mut message)) {
            pipe.send(&bytemuck::bytes_of(&message)[..len]).expect("room");
        }
    }
}
