//! Long messages from one thread to another, 0 B to 64 MiB: through a queue, by copy and in place, beside a Unix socket and
//! a pipe of the kernel, and a copy between two threads through shared memory.

mod common;

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::mpsc::{Receiver as Orders, Sender as Order, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use criterion::{BenchmarkId, Criterion, Throughput};
use ringway::Wait;
use ringway::queue::{Queue, Receiver, Sender};

const LENGTHS: [usize; 8] = [0, 64, 4096, 65_536, 1 << 20, 4 << 20, 16 << 20, 64 << 20];

fn main() {
    common::run(|_| {}, |criterion| LENGTHS.iter().for_each(|len| compare(criterion, *len)));
}

fn compare(criterion: &mut Criterion, len: usize) {
    let mut group = criterion.benchmark_group(format!("large {len} B"));
    group.throughput(Throughput::Bytes(len.max(1) as u64)).sample_size(10);
    group.measurement_time(Duration::from_secs(1)).warm_up_time(Duration::from_millis(300));
    let contestants: [(&str, Make); 4] = [
        ("queue, copied", copied),
        ("queue, in place", in_place),
        ("socket", socket),
        ("pipe", pipe),
    ];
    for (name, make) in contestants {
        let mut pair = make(len);
        group.bench_function(BenchmarkId::from_parameter(name), |bencher| {
            bencher.iter_custom(|count| pair.run(count));
        });
    }
}

type Make = fn(usize) -> Pair;

/// One side here, the other on a thread of its own, told how many messages come.
struct Pair {
    send: Box<dyn FnMut()>,
    orders: Option<Order<u64>>,
    done: Orders<()>,
    other: Option<JoinHandle<()>>,
}

impl Pair {
    fn new(send: impl FnMut() + 'static, mut receive: impl FnMut() + Send + 'static) -> Self {
        let (orders, counts) = channel::<u64>();
        let (finished, done) = channel();
        let other = std::thread::spawn(move || {
            for count in counts {
                (0..count).for_each(|_| receive());
                finished.send(()).expect("somebody waits");
            }
        });
        Self { send: Box::new(send), orders: Some(orders), done, other: Some(other) }
    }

    fn run(&mut self, count: u64) -> Duration {
        let began = Instant::now();
        self.orders.as_ref().expect("not done").send(count).expect("the other side");
        (0..count).for_each(|_| (self.send)());
        self.done.recv().expect("the other side");
        began.elapsed()
    }
}

impl Drop for Pair {
    fn drop(&mut self) {
        self.orders = None;
        self.other.take().expect("once").join().expect("no panic");
    }
}

fn queue(len: usize) -> (Sender<[u8]>, Receiver<[u8]>) {
    let options = Queue::<[u8]>::options().capacity(8).wait(Wait::SpinThenPark).prefault();
    let options = if len > 240 { options.blocks(len, 4) } else { options };
    let queue = options.unnamed().expect("room");
    (queue.sender(), queue.receiver())
}

fn copied(len: usize) -> Pair {
    let (sender, receiver) = queue(len);
    let (message, mut buffer) = (vec![7; len], vec![0; len]);
    Pair::new(
        move || sender.send(&message).expect("somebody receives"),
        move || assert_eq!(receiver.recv_into(&mut buffer), Ok(len)),
    )
}

/// Each message is written and read in one word of each page only, and handed over whole.
fn in_place(len: usize) -> Pair {
    let (sender, receiver) = queue(len);
    let mut number = 0u8;
    Pair::new(
        move || {
            let mut grant = sender.reserve(len).expect("somebody receives");
            number = number.wrapping_add(1);
            if let Some(first) = grant.first_mut() {
                *first = number;
            }
            grant.commit().expect("not forked");
        },
        move || {
            let delivery = receiver.recv_guard().expect("somebody sends");
            assert_eq!(delivery.len(), len);
            std::hint::black_box(delivery.first());
            delivery.ack();
        },
    )
}

fn socket(len: usize) -> Pair {
    let (mut here, mut there) = UnixStream::pair().expect("a pair");
    stream(len, move |bytes| here.write_all(bytes), move |bytes| there.read_exact(bytes))
}

fn pipe(len: usize) -> Pair {
    let (mut there, mut here) = std::io::pipe().expect("a pipe");
    stream(len, move |bytes| here.write_all(bytes), move |bytes| there.read_exact(bytes))
}

/// A message is its length and its bytes.
fn stream(
    len: usize,
    mut write: impl FnMut(&[u8]) -> std::io::Result<()> + 'static,
    mut read: impl FnMut(&mut [u8]) -> std::io::Result<()> + Send + 'static,
) -> Pair {
    let message = [&(len as u64).to_le_bytes()[..], &vec![7; len]].concat();
    let mut buffer = vec![0; len + 8];
    Pair::new(
        move || write(&message).expect("somebody receives"),
        move || {
            read(&mut buffer[..8]).expect("somebody sends");
            let told = u64::from_le_bytes(buffer[..8].try_into().expect("8 bytes"));
            assert_eq!(told, len as u64);
            read(&mut buffer[8..]).expect("somebody sends");
        },
    )
}
