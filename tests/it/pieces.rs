//! Records in pieces: of all lengths, written and read bit by bit, cut short, limited, and what calls that do not wait do.

use std::io::{ErrorKind as Io, Read, Write};
use std::thread;
use std::time::Duration;

use ringway::pipe::{self, Connection};
use ringway::{Fault, RecvError, RecvTimeoutError, SendError, TryRecvError, TrySendError, Wait};

use crate::util::{LONG, Random, within};

pub const SHORT: Duration = Duration::from_millis(20);

pub fn bytes(len: usize, seed: u64) -> Vec<u8> {
    let mut random = Random(seed);
    (0..len).map(|_| random.next().to_le_bytes()[0]).collect()
}

pub fn parked(capacity: usize) -> (Connection, Connection) {
    Connection::options().capacity(capacity).wait(Wait::Park).pair().unwrap()
}

/// Sends `records` from a thread, and gives the end back.
pub fn sending(mut here: Connection, records: Vec<Vec<u8>>) -> thread::JoinHandle<Connection> {
    thread::spawn(move || {
        for record in records {
            here.sender().unwrap().send_timeout(&record, LONG).unwrap();
        }
        here
    })
}

/// All lengths to some beyond the longest piece and beyond the ring, and some about multiples of both.
fn lengths(capacity: usize) -> impl Iterator<Item = usize> + Clone {
    let near = |at: usize| at.saturating_sub(10)..at + 10;
    (0..2 * capacity.min(200))
        .chain([capacity / 2, capacity, 3 * capacity].into_iter().flat_map(near))
}

#[test]
fn records_of_all_lengths_come_whole_by_each_way_of_receiving() {
    for capacity in [64, 128, 512, 4096] {
        let (here, mut there) = parked(capacity);
        let records: Vec<_> = lengths(capacity).map(|len| bytes(len, len as u64)).collect();
        let sender = sending(here, records.clone());
        let mut buffer = vec![0; 8 * capacity];
        for (n, record) in records.iter().enumerate() {
            match n % 4 {
                0 => assert_eq!(within(LONG, || there.recv()).unwrap(), *record),
                1 => {
                    let len = within(LONG, || there.recv_into(&mut buffer)).unwrap();
                    assert_eq!(buffer[..len], *record);
                }
                2 => {
                    let mut reader = there.reader_timeout(LONG).unwrap();
                    assert_eq!(reader.total(), Some(record.len() as u64));
                    let mut read = Vec::new();
                    reader.read_to_end(&mut read).unwrap();
                    assert_eq!(read, *record);
                }
                _ => {
                    let received = loop {
                        assert!(there.poll(LONG));
                        match there.try_recv() {
                            Err(TryRecvError::Empty) => {}
                            received => break received.unwrap(),
                        }
                    };
                    assert_eq!(received, *record);
                }
            }
        }
        let _here = sender.join().unwrap();
        assert_eq!(there.try_recv(), Err(TryRecvError::Empty));
    }
}

#[test]
fn records_of_both_ends_stream_at_the_same_time() {
    let (here, there) = parked(1024);
    let echo = |end: Connection, seed: u64| {
        thread::spawn(move || {
            let (mut sender, mut receiver) = end.split();
            let (sender, receiver) = (sender.as_mut().unwrap(), receiver.as_mut().unwrap());
            thread::scope(|scope| {
                scope.spawn(move || sender.send_timeout(&bytes(100_000, seed), LONG).unwrap());
                receiver.recv_timeout(LONG).unwrap()
            })
        })
    };
    let (first, second) = (echo(here, 1), echo(there, 2));
    assert_eq!(first.join().unwrap(), bytes(100_000, 2));
    assert_eq!(second.join().unwrap(), bytes(100_000, 1));
}

#[test]
fn a_record_of_unknown_length_is_written_and_read_bit_by_bit() {
    for (len, step) in [(0, 1), (5, 5), (70, 3), (1000, 7), (5000, 64), (5000, 4999)] {
        let (mut here, mut there) = parked(256);
        let record = bytes(len, 3);
        let written = record.clone();
        let sender = thread::spawn(move || {
            let mut writer = here.begin().unwrap();
            writer.set_timeout(LONG);
            for part in written.chunks(step) {
                writer.write_all(part).unwrap();
            }
            assert_eq!(writer.written(), len as u64);
            writer.commit().unwrap();
            here
        });
        let mut reader = there.reader_timeout(LONG).unwrap();
        let mut read = Vec::new();
        let mut buffer = vec![0; step];
        while let count @ 1.. = reader.read(&mut buffer).unwrap() {
            read.extend_from_slice(&buffer[..count]);
        }
        assert_eq!(read, record);
        assert_eq!(reader.read(&mut buffer).unwrap(), 0, "it stays at its end");
        drop(reader);
        let _here = sender.join().unwrap();
        assert_eq!(there.try_recv(), Err(TryRecvError::Empty));
    }
}

#[test]
fn a_short_record_that_was_written_goes_whole() {
    let (mut here, mut there) = pipe::pair(1024).unwrap();
    let mut writer = here.begin().unwrap();
    writer.write_all(b"hello").unwrap();
    assert_eq!(there.try_recv(), Err(TryRecvError::Empty), "nothing is visible before");
    writer.commit().unwrap();
    assert_eq!(&*there.try_peek().unwrap(), b"hello");
    assert_eq!(there.recv().unwrap(), b"hello");
}

#[test]
fn what_was_flushed_is_read_before_the_record_is_complete() {
    let (mut here, mut there) = pipe::pair(1024).unwrap();
    let mut writer = here.begin().unwrap();
    writer.write_all(b"hel").unwrap();
    writer.flush().unwrap();
    let mut reader = there.reader().unwrap();
    assert_eq!(reader.total(), None);
    let mut buffer = [0; 10];
    assert_eq!(reader.read(&mut buffer).unwrap(), 3);
    reader.set_timeout(SHORT);
    assert_eq!(reader.read(&mut buffer).unwrap_err().kind(), Io::TimedOut);
    writer.write_all(b"lo").unwrap();
    writer.commit().unwrap();
    assert_eq!(reader.read(&mut buffer).unwrap(), 2);
    assert_eq!(&buffer[..3], b"lol");
    assert_eq!(reader.read(&mut buffer).unwrap(), 0);
}

#[test]
fn calls_that_do_not_wait_refuse_what_goes_in_pieces() {
    let (mut here, mut there) = pipe::pair(256).unwrap();
    let whole = here.max_whole_len();
    assert_eq!((here.max_len(), whole), (usize::MAX, 120));
    let refused = TrySendError::Failed((), Fault::InPieces);
    assert_eq!(here.try_send(&vec![0; whole + 1]), Err(refused));
    assert_eq!(here.try_reserve(whole + 1).unwrap_err(), refused);
    assert_eq!(here.reserve(usize::MAX).unwrap_err(), SendError::Failed((), Fault::InPieces));
    assert_eq!(there.try_recv(), Err(TryRecvError::Empty));
    let mut writer = here.begin().unwrap();
    writer.write_all(&[7; 40]).unwrap();
    writer.flush().unwrap();
    for _ in 0..2 {
        assert_eq!(there.try_peek().unwrap_err(), TryRecvError::Failed(Fault::InPieces));
        assert_eq!(there.peek().unwrap_err(), RecvError::Failed(Fault::InPieces));
    }
    assert_eq!(there.try_recv(), Err(TryRecvError::Empty), "it is not complete");
    assert_eq!(
        there.try_peek().unwrap_err(),
        TryRecvError::Failed(Fault::InPieces),
        "it has begun"
    );
    writer.commit().unwrap();
    assert_eq!(there.try_recv().unwrap(), [7; 40]);
}

#[test]
fn a_buffer_that_is_too_short_loses_nothing_of_a_record_in_pieces() {
    let (here, mut there) = parked(256);
    let record = bytes(1000, 5);
    let sender = sending(here, vec![record.clone(), record.clone(), b"next".to_vec()]);
    let mut buffer = vec![0; 999];
    let fault = Fault::BufferTooShort { needed: 1000, len: 999 };
    for _ in 0..3 {
        assert_eq!(there.recv_into(&mut buffer), Err(RecvError::Failed(fault)));
        assert_eq!(there.try_recv_into(&mut buffer), Err(TryRecvError::Failed(fault)));
    }
    buffer.push(0);
    assert_eq!(within(LONG, || there.recv_into(&mut buffer)), Ok(1000));
    assert_eq!(buffer, record);
    assert_eq!(
        there.recv_into(&mut []).unwrap_err().fault().unwrap(),
        Fault::BufferTooShort { needed: 1000, len: 0 }
    );
    assert_eq!(within(LONG, || there.recv()).unwrap(), record);
    assert_eq!(there.recv().unwrap(), b"next");
    sender.join().unwrap();
}

#[test]
fn a_buffer_that_is_too_short_for_a_record_of_unknown_length_says_how_long_it_turned_out() {
    let (mut here, mut there) = parked(256);
    let record = bytes(1000, 6);
    let written = record.clone();
    let sender = thread::spawn(move || {
        let mut writer = here.begin().unwrap();
        writer.write_all(&written).unwrap();
        writer.commit().unwrap();
        here.send(b"next").unwrap();
        here
    });
    let fault = Fault::BufferTooShort { needed: 1000, len: 10 };
    for _ in 0..2 {
        let answer = within(LONG, || there.recv_into(&mut [0; 10]));
        assert_eq!(answer, Err(RecvError::Failed(fault)));
        assert!(there.poll(Duration::ZERO));
    }
    let mut buffer = [0; 1000];
    assert_eq!(there.try_recv_into(&mut buffer), Ok(1000));
    assert_eq!(buffer[..], record);
    assert_eq!(there.recv().unwrap(), b"next");
    sender.join().unwrap();
}

#[test]
fn what_came_before_a_time_limit_is_kept() {
    let (mut here, mut there) = parked(1024);
    let (record, mut buffer) = (bytes(600, 8), [0; 600]);
    for way in 0..3 {
        let mut writer = here.begin().unwrap();
        for part in record.chunks(100) {
            writer.write_all(part).unwrap();
            writer.flush().unwrap();
            match way {
                0 => assert_eq!(there.recv_timeout(SHORT / 4), Err(RecvTimeoutError::Timeout)),
                1 => assert_eq!(there.try_recv_into(&mut buffer), Err(TryRecvError::Empty)),
                _ => {
                    let late = there.recv_into_timeout(&mut buffer, Duration::ZERO);
                    assert_eq!(late, Err(RecvTimeoutError::Timeout));
                }
            }
        }
        writer.commit().unwrap();
        if way == 0 {
            let mut read = Vec::new();
            there.reader().unwrap().read_to_end(&mut read).unwrap();
            assert_eq!(read, record);
        } else {
            assert_eq!(there.recv_into(&mut buffer), Ok(600));
            assert_eq!(buffer[..], record);
            buffer = [0; 600];
        }
    }
    // One whose length is known goes straight to the buffer, and is kept from there.
    let sender = thread::spawn(move || here.send_timeout(&bytes(5000, 9), LONG).map(|()| here));
    let mut buffer = [0; 5000];
    let received = loop {
        match there.recv_into_timeout(&mut buffer, Duration::from_micros(50)) {
            Err(RecvTimeoutError::Timeout) => buffer.fill(0),
            received => break received,
        }
    };
    assert_eq!((received, &buffer[..]), (Ok(5000), &bytes(5000, 9)[..]));
    sender.join().unwrap().unwrap();
}
