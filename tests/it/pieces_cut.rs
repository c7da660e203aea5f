//! Records in pieces that do not come to their end: cut short, given up, left, refused, too long.

use std::io::{ErrorKind as Io, Read, Write};
use std::thread;
use std::time::Duration;

use ringway::pipe::Connection;
use ringway::{Fault, RecvError, RecvTimeoutError, SendError, SendTimeoutError, TryRecvError};

use crate::pieces::{SHORT, parked, sending};
use crate::util::{LONG, within};

#[test]
fn no_piece_takes_a_record_past_the_limit_of_who_reads_it_not_even_the_last() {
    for gathered in [false, true] {
        let (mut here, mut there) = parked(4096);
        let mut writer = here.begin().unwrap();
        writer.write_all(&[1; 60]).unwrap();
        writer.flush().unwrap();
        if gathered {
            assert_eq!(there.try_recv(), Err(TryRecvError::Empty));
        }
        writer.write_all(&[2; 60]).unwrap();
        writer.commit().unwrap();
        there.receiver().unwrap().set_max_len(100);
        let mut reader = there.reader().unwrap();
        let mut read = Vec::new();
        let error = reader.read_to_end(&mut read).unwrap_err();
        assert_eq!(error.kind(), Io::FileTooLarge, "{gathered}");
        assert!(read.len() <= 100, "{}", read.len());
        drop(reader);
        here.send(b"next").unwrap();
        assert_eq!(there.recv().unwrap(), b"next");
    }
}

#[test]
fn a_record_that_finds_no_room_in_time_is_cut_short() {
    let (mut here, mut there) = parked(256);
    let late = SendTimeoutError::Timeout(());
    assert_eq!(here.send_timeout(&[1; 1000], SHORT), Err(late));
    assert_eq!(here.send_timeout(&[2; 1000], Duration::ZERO), Err(late));
    assert_eq!(there.recv(), Err(RecvError::Failed(Fault::CutShort)));
    here.send(b"next").unwrap();
    let next = loop {
        match there.recv() {
            Err(error) => assert_eq!(error.fault(), Some(Fault::CutShort)),
            received => break received.unwrap(),
        }
    };
    assert_eq!(next, b"next");
}

#[test]
fn a_record_that_was_dropped_is_cut_short_or_was_never_there() {
    let (mut here, mut there) = parked(256);
    let mut writer = here.begin().unwrap();
    writer.write_all(b"unsaid").unwrap();
    drop(writer);
    assert_eq!(there.try_recv(), Err(TryRecvError::Empty));
    let mut writer = here.begin().unwrap();
    writer.write_all(&[1; 100]).unwrap();
    drop(writer);
    let mut buffer = [0; 200];
    assert_eq!(there.recv_into(&mut buffer), Err(RecvError::Failed(Fault::CutShort)));
    for full in [false, true] {
        let mut writer = here.begin().unwrap();
        writer.set_timeout(Duration::ZERO);
        while writer.write_all(&[2; 8]).is_ok() && full {}
        writer.flush().unwrap();
        // As if it had been dropped later: the next call says so.
        std::mem::forget(writer);
        if !full {
            here.send(b"next").unwrap();
        }
        let mut reader = there.reader().unwrap();
        let mut read = Vec::new();
        if full {
            here.close();
        }
        let error = reader.read_to_end(&mut read).unwrap_err();
        assert_eq!(error.kind(), Io::UnexpectedEof);
        assert!(read.len() >= 8 && read.iter().all(|byte| *byte == 2));
        assert_eq!(
            reader.read(&mut [0]).unwrap_err().kind(),
            Io::UnexpectedEof,
            "it says so again"
        );
        drop(reader);
        if !full {
            assert_eq!(there.recv().unwrap(), b"next");
        }
    }
    assert_eq!(there.recv(), Err(RecvError::Closed));
}

#[test]
fn a_sender_that_leaves_in_the_middle_of_a_record_cuts_it_short() {
    let (mut here, mut there) = parked(256);
    let mut writer = here.begin().unwrap();
    writer.write_all(&[1; 100]).unwrap();
    writer.flush().unwrap();
    std::mem::forget(writer);
    assert_eq!(there.try_recv(), Err(TryRecvError::Empty));
    drop(here);
    assert_eq!(there.recv(), Err(RecvError::Failed(Fault::CutShort)));
    assert_eq!(there.recv(), Err(RecvError::Disconnected));
}

#[test]
fn a_reader_that_leaves_in_the_middle_is_an_error_for_the_sender_and_the_next_record_is_unharmed() {
    for forget in [false, true] {
        let (mut here, mut there) = parked(256);
        let sender = thread::spawn(move || {
            let cut = here.send_timeout(&[1; 10_000], LONG);
            assert_eq!(cut, Err(SendTimeoutError::Failed((), Fault::CutShort)));
            here.send_timeout(&[2; 10_000], LONG).unwrap();
            here
        });
        let mut reader = there.reader().unwrap();
        reader.read_exact(&mut [0; 100]).unwrap();
        if forget {
            std::mem::forget(reader);
        } else {
            drop(reader);
        }
        assert_eq!(there.recv_timeout(LONG).unwrap(), [2; 10_000]);
        sender.join().unwrap();
    }
}

#[test]
fn a_reader_that_read_nothing_leaves_the_record() {
    let (mut here, mut there) = parked(1024);
    here.send(b"whole").unwrap();
    drop(there.reader().unwrap());
    let mut first = [0; 1];
    there.reader().unwrap().read_exact(&mut first).unwrap();
    assert_eq!(there.try_recv(), Err(TryRecvError::Empty), "that one took it");
    let sender = sending(here, vec![vec![3; 2000]]);
    drop(there.reader().unwrap());
    assert_eq!(there.recv().unwrap(), [3; 2000]);
    sender.join().unwrap();
}

#[test]
fn a_close_in_the_middle_of_a_record_is_an_error_for_both_sides() {
    for (receiver_closes, commit) in [(false, false), (true, false), (true, true)] {
        let (mut here, mut there) = parked(256);
        let mut writer = here.begin().unwrap();
        writer.write_all(&[1; 100]).unwrap();
        writer.flush().unwrap();
        if receiver_closes {
            there.receiver().unwrap().close();
            if commit {
                assert_eq!(writer.commit(), Err(SendError::Closed(())));
            } else {
                assert_eq!(writer.write_all(&[1; 30]).unwrap_err().kind(), Io::BrokenPipe);
                drop(writer);
            }
        } else {
            std::mem::forget(writer);
            here.close();
        }
        assert_eq!(there.recv(), Err(RecvError::Failed(Fault::CutShort)));
        assert_eq!(there.recv(), Err(RecvError::Closed));
        assert_eq!(here.send(&[0; 1000]), Err(SendError::Closed(())));
    }
}

#[test]
fn a_receiver_says_how_long_records_may_be() {
    let (mut here, mut there) = parked(1024);
    let too_long = |len, max| Some(Fault::TooLong { len, max });
    here.send(&[1; 30]).unwrap();
    there.set_max_len(20);
    assert_eq!((here.max_len(), here.max_whole_len()), (20, 20));
    assert_eq!(here.try_send(&[0; 21]).unwrap_err().fault(), too_long(21, 20));
    assert_eq!(here.send(&[0; 5000]).unwrap_err().fault(), too_long(5000, 20));
    assert_eq!(here.try_reserve(21).unwrap_err().fault(), too_long(21, 20));
    let mut writer = here.begin().unwrap();
    writer.write_all(&[0; 15]).unwrap();
    assert_eq!(writer.write_all(&[0; 6]).unwrap_err().kind(), Io::FileTooLarge);
    drop(writer);
    here.send(&[2; 20]).unwrap();
    assert_eq!(there.recv().unwrap_err().fault(), too_long(30, 20), "it was on its way");
    assert_eq!(there.recv().unwrap(), [2; 20]);
    there.set_max_len(usize::MAX);
    assert_eq!(here.max_len(), usize::MAX);
    there.set_max_len(0);
    here.send(b"").unwrap();
    assert_eq!(here.send(b"x").unwrap_err().fault(), too_long(1, 0));
    assert_eq!(there.recv().unwrap(), b"");
    there.set_max_len(5000);
    let sender = sending(here, vec![vec![4; 5000]]);
    assert_eq!(there.recv().unwrap(), [4; 5000]);
    sender.join().unwrap();
}

#[test]
fn a_record_in_pieces_that_turns_out_too_long_is_refused_in_the_middle() {
    for known in [false, true] {
        let (mut here, mut there) = parked(256);
        let sender = thread::spawn(move || {
            if known {
                let fault = here.send_timeout(&[1; 10_000], LONG).unwrap_err().fault();
                assert!(
                    matches!(fault, Some(Fault::CutShort | Fault::TooLong { .. })),
                    "{fault:?}"
                );
            } else {
                let mut writer = here.begin().unwrap();
                assert!(writer.write_all(&[1; 10_000]).is_err());
            }
            here
        });
        assert!(there.poll(LONG));
        there.set_max_len(300);
        let fault = within(LONG, || there.recv()).unwrap_err().fault();
        assert!(
            matches!(fault, Some(Fault::TooLong { max: 300, .. } | Fault::CutShort)),
            "{fault:?}"
        );
        let sender = sending(sender.join().unwrap(), vec![vec![2; 300]]);
        let next = loop {
            match there.recv_timeout(LONG) {
                Err(RecvTimeoutError::Failed(Fault::CutShort)) => {}
                received => break received.unwrap(),
            }
        };
        assert_eq!(next, [2; 300]);
        sender.join().unwrap();
    }
}

#[test]
fn a_pipe_of_whole_records_carries_no_others() {
    let options = Connection::options().capacity(256).whole_records();
    let (mut here, mut there) = options.pair().unwrap();
    let fault = Fault::TooLong { len: 121, max: 120 };
    assert_eq!(here.send(&[0; 121]), Err(SendError::Failed((), fault)));
    assert_eq!(here.begin().unwrap_err(), SendError::Failed((), Fault::InPieces));
    here.send(&[1; 120]).unwrap();
    let mut read = Vec::new();
    there.reader().unwrap().read_to_end(&mut read).unwrap();
    assert_eq!(read, [1; 120]);
    there.set_max_len(10);
    assert_eq!(
        here.send(&[0; 11]),
        Err(SendError::Failed((), Fault::TooLong { len: 11, max: 10 }))
    );
}
