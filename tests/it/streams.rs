//! Streams between real processes and between threads: all that was sent arrives, whole, once, in order.

use ringway::pipe::Connection;
use ringway::spsc::{Consumer, Producer};
use ringway::{Barrier, RecvError, RecvTimeoutError, Wait};

use crate::util::child::{Child, hear, say};
use crate::util::view::View;
use crate::util::{LONG, NO_RECHECK, Name, Random, eventually};

const WAITS: [(&str, Wait); 3] =
    [("spin", Wait::Spin), ("spin then park", Wait::SpinThenPark), ("park", Wait::Park)];
const BARRIERS: [Barrier; 2] = [Barrier::Auto, Barrier::Fence];

pub fn play(role: &str, arguments: &[&str]) {
    let name = arguments[0];
    match role {
        "values of 8" => send_values::<1>(name, arguments),
        "values of 64" => send_values::<8>(name, arguments),
        "values of 1024" => send_values::<128>(name, arguments),
        "records" => send_records(name, arguments),
        "echo" => echo(name, arguments),
        "consume slowly" => {
            let options = Consumer::<u64>::options().wait(Wait::Park).recheck(NO_RECHECK);
            let mut consumer = options.open(name).unwrap();
            say("open");
            while hear() == "take" {
                say(&consumer.recv().unwrap().to_string());
            }
        }
        _ => panic!("no role {role}"),
    }
}

fn wait_called(name: &str) -> Wait {
    WAITS.iter().find(|(called, _)| *called == name).expect("a way of waiting").1
}

/// The `n`-th value of a stream: each of its words depends on `n` and on where it is.
fn value<const WORDS: usize>(n: u64) -> [u64; WORDS] {
    let mut random = Random(n);
    std::array::from_fn(|i| if i == 0 { n } else { random.next() })
}

/// The `n`-th record of a stream: its length and bytes depend on `n`.
fn record(n: u64, longest: usize, into: &mut Vec<u8>) {
    let mut random = Random(n);
    into.clear();
    into.resize(random.below(longest + 1), 0);
    for chunk in into.chunks_mut(8) {
        let bytes = random.next().to_le_bytes();
        chunk.copy_from_slice(&bytes[..chunk.len()]);
    }
}

fn send_values<const WORDS: usize>(name: &str, arguments: &[&str])
where
    [u64; WORDS]: bytemuck::Pod,
{
    let (count, wait) = (arguments[1].parse().unwrap(), wait_called(arguments[2]));
    let options = Producer::<[u64; WORDS]>::options().wait(wait);
    let mut producer = options.open(name).unwrap();
    for n in 0..count {
        producer.send(value(n)).unwrap();
    }
}

/// Receives `count` values of `WORDS` words that a child sends, then the disconnect.
fn receive_values<const WORDS: usize>(role: &str, count: u64, barrier: Barrier)
where
    [u64; WORDS]: bytemuck::Pod,
{
    for (called, wait) in WAITS {
        let name = Name::new("stream");
        let options = Consumer::<[u64; WORDS]>::options().capacity(64).barrier(barrier);
        let mut consumer = options.wait(wait).create(&name).unwrap();
        let child = Child::spawn(role, &[&name, &count.to_string(), called]);
        for n in 0..count {
            assert_eq!(consumer.recv_timeout(LONG), Ok(value(n)), "{called} {barrier:?} {n}");
        }
        let end = consumer.recv_timeout(LONG);
        assert_eq!(end, Err(RecvTimeoutError::Disconnected), "{called} {barrier:?}");
        child.finish();
    }
}

#[test]
fn values_of_8_bytes_stream_between_processes() {
    for barrier in BARRIERS {
        receive_values::<1>("streams::values of 8", 100_000, barrier);
    }
}

#[test]
fn values_of_64_bytes_stream_between_processes() {
    for barrier in BARRIERS {
        receive_values::<8>("streams::values of 64", 50_000, barrier);
    }
}

#[test]
fn values_of_1024_bytes_stream_between_processes() {
    for barrier in BARRIERS {
        receive_values::<128>("streams::values of 1024", 5_000, barrier);
    }
}

fn send_records(name: &str, arguments: &[&str]) {
    let count = arguments[1].parse().unwrap();
    let mut connection = Connection::options().wait(wait_called(arguments[2])).open(name).unwrap();
    let (longest, mut expected) = (connection.max_whole_len(), Vec::new());
    for n in 0..count {
        record(n, longest, &mut expected);
        if n % 3 == 0 {
            let mut grant = connection.reserve(longest).unwrap();
            grant[..expected.len()].copy_from_slice(&expected);
            grant.truncate(expected.len());
            grant.commit().unwrap();
        } else {
            connection.send(&expected).unwrap();
        }
    }
}

#[test]
fn records_of_any_length_stream_between_processes() {
    for barrier in BARRIERS {
        for (called, wait) in WAITS {
            let name = Name::new("stream");
            let options = Connection::options().capacity(1024).barrier(barrier).wait(wait);
            let mut connection = options.create(&name).unwrap();
            let count = 25_000;
            let child = Child::spawn("streams::records", &[&name, &count.to_string(), called]);
            let (longest, mut expected) = (connection.max_whole_len(), Vec::new());
            let mut buffer = vec![0; longest];
            for n in 0..count {
                record(n, longest, &mut expected);
                let len = connection.recv_into_timeout(&mut buffer, LONG).unwrap();
                assert_eq!(buffer[..len], expected, "record {n}");
            }
            assert_eq!(connection.recv(), Err(RecvError::Disconnected));
            child.finish();
        }
    }
}

fn echo(name: &str, arguments: &[&str]) {
    let options = Connection::options().recheck(NO_RECHECK).wait(wait_called(arguments[1]));
    let mut connection = options.open(name).unwrap();
    while let Ok(record) = connection.recv() {
        connection.send(&record).unwrap();
    }
}

#[test]
fn records_go_to_another_process_and_back_however_both_wait() {
    for barrier in BARRIERS {
        for (called, wait) in WAITS {
            let name = Name::new("pingpong");
            let options = Connection::options().capacity(256).barrier(barrier).wait(wait);
            let mut connection = options.recheck(NO_RECHECK).create(&name).unwrap();
            let child = Child::spawn("streams::echo", &[&name, called]);
            let mut sent = Vec::new();
            for n in 0..1_000 {
                record(n, 100, &mut sent);
                connection.send(&sent).unwrap();
                let back = connection.recv_timeout(LONG);
                assert_eq!(back.as_deref(), Ok(&sent[..]), "{called} {barrier:?} {n}");
            }
            connection.close();
            child.finish();
        }
    }
}

#[test]
fn processes_that_both_sleep_are_both_woken() {
    let name = Name::new("asleep");
    let options = Producer::<u64>::options().capacity(1).wait(Wait::Park).recheck(NO_RECHECK);
    let mut producer = options.create(&name).unwrap();
    let view = View::open(name.path());
    let mut child = Child::spawn("streams::consume slowly", &[&name]);
    child.expect("open");
    for n in 0..50 {
        child.tell("take");
        assert!(eventually(LONG, || view.consumer_waits(0) && child.is_asleep()));
        producer.send(3 * n).unwrap();
        child.expect(&(3 * n).to_string());
        producer.send(3 * n + 1).unwrap();
        std::thread::scope(|scope| {
            let sleeper = scope.spawn(|| producer.send(3 * n + 2));
            assert!(eventually(LONG, || view.producer_waits(0)));
            child.tell("take");
            child.expect(&(3 * n + 1).to_string());
            assert!(eventually(LONG, || sleeper.is_finished()), "the sender sleeps on");
            assert_eq!(sleeper.join().unwrap(), Ok(()));
        });
        child.tell("take");
        child.expect(&(3 * n + 2).to_string());
    }
}

#[test]
fn values_stream_between_threads_however_both_wait() {
    for barrier in BARRIERS {
        for (_, wait) in WAITS {
            let options = Producer::<u64>::options().capacity(16).barrier(barrier).wait(wait);
            let (mut producer, mut consumer) = options.recheck(NO_RECHECK).pair().unwrap();
            std::thread::scope(|scope| {
                scope.spawn(move || (0..100_000).for_each(|n| producer.send(n).unwrap()));
                for n in 0..100_000 {
                    assert_eq!(consumer.recv_timeout(LONG), Ok(n), "{wait:?} {barrier:?}");
                }
                assert_eq!(consumer.recv(), Err(RecvError::Disconnected));
            });
        }
    }
}

#[test]
fn batches_of_any_size_stream_between_threads() {
    let (mut producer, mut consumer) = ringway::spsc::pair::<u64>(64).unwrap();
    let values: Vec<u64> = (0..200_000).collect();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let (mut rest, mut random) = (&values[..], Random(1));
            while !rest.is_empty() {
                let (batch, after) = rest.split_at(rest.len().min(random.below(100)));
                producer.send_batch(batch).unwrap();
                rest = after;
            }
            producer.close();
        });
        let (mut buffer, mut received, mut random) = ([0; 100], Vec::new(), Random(2));
        while let Ok(count) = consumer.recv_batch(&mut buffer[..=random.below(99)]) {
            received.extend_from_slice(&buffer[..count]);
        }
        assert_eq!(received, values);
    });
}
