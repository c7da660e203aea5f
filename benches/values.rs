//! Values of any type through a queue, one thread in turn: what serialising adds to the bytes themselves.

mod common;

use common::{SLOTS, unique};
use criterion::{Criterion, Throughput};
use ringway::Fingerprint;
use ringway::queue::{Postcard, Queue};
use serde::{Deserialize, Serialize};

/// A small job, as many programs send them.
#[derive(Serialize, Deserialize, Fingerprint, PartialEq, Debug)]
struct Small {
    id: u64,
    kind: u8,
    price: f64,
}

/// A job with text and numbers.
#[derive(Serialize, Deserialize, Fingerprint, PartialEq, Debug)]
struct Large {
    id: u64,
    words: Vec<String>,
    numbers: Vec<u32>,
}

fn main() {
    common::run(|_| {}, bench);
}

fn bench(criterion: &mut Criterion) {
    let small = Small { id: 1 << 40, kind: 3, price: 2.5 };
    pair(criterion, "values small", &small);
    let words = (0..16).map(|n| format!("word number {n}")).collect();
    let large = Large { id: 7, words, numbers: (0..512).map(|n| n * 1000).collect() };
    pair(criterion, "values large", &large);
}

/// One value there and back, beside as many bytes.
fn pair<T>(criterion: &mut Criterion, name: &str, value: &T)
where
    T: Serialize + for<'de> Deserialize<'de> + Fingerprint + PartialEq + std::fmt::Debug,
{
    let form = ringway::Description::of_serialized::<T>();
    let typed = Queue::<Postcard<T>>::options().capacity(SLOTS).message_len(4096);
    let segment = unique();
    let typed = typed.remove_when_unused().create(&segment).expect("create the queue");
    let plain = Queue::<[u8]>::options().type_id(form.as_str());
    let plain = plain.open(&segment).expect("open the queue");
    let (send_value, recv_value) = (typed.sender(), typed.receiver());
    let (send, recv) = (plain.sender(), plain.receiver());
    send_value.send_value(value).expect("room");
    let bytes = recv.recv().expect("there is one");
    let mut buffer = bytes.clone();

    let mut group = criterion.benchmark_group(format!("{name}, {} B", bytes.len()));
    group.throughput(Throughput::Elements(1));
    group.bench_function("bytes", |bencher| {
        bencher.iter(|| {
            send.try_send(&bytes).expect("room");
            assert_eq!(recv.try_recv_into(&mut buffer), Ok(bytes.len()));
        });
    });
    assert_eq!(buffer, bytes);
    // The same work without a queue: measured, written and read where it lies.
    group.bench_function("postcard alone", |bencher| {
        let mut place = vec![0; 4096];
        bencher.iter(|| {
            let len = postcard::experimental::serialized_size(value).expect("it has a form");
            postcard::to_slice(value, &mut place[..len]).expect("room");
            let read: T =
                postcard::from_bytes(std::hint::black_box(&place[..len])).expect("a value");
            assert_eq!(&read, value);
        });
    });
    group.bench_function("values", |bencher| {
        bencher.iter(|| {
            send_value.try_send_value(value).expect("room");
            assert_eq!(&recv_value.try_recv_value().expect("there is one"), value);
        });
    });
}
