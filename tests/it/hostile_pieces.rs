//! Words about records in pieces that no correct member writes: each call answers, and none panics, hangs or reads beyond.

use std::io::Read;
use std::time::Duration;

use ringway::pipe::Connection;
use ringway::{Fault, TryRecvError, Wait};

use crate::util::view::View;
use crate::util::{LONG, Name, Random, within};

const SHORT: Duration = Duration::from_millis(1);
const WHOLE: u64 = 1 << 32;
const PADDING: u64 = 2 << 32;
const PIECE: u64 = 3 << 32;
const LAST: u64 = 4 << 32;
const CUT: u64 = 5 << 32;
const FIRST: u64 = 6 << 32;

fn pipe(name: &Name) -> (Connection, Connection, View) {
    let here = Connection::options().capacity(128).create(name).unwrap();
    let there = Connection::options().wait(Wait::Park).open(name).unwrap();
    (here, there, View::open(name.path()))
}

fn is_corrupt(answer: &Result<Vec<u8>, TryRecvError>) -> bool {
    matches!(answer, Err(TryRecvError::Failed(Fault::Corrupt(_))))
}

#[test]
fn headers_of_pieces_that_cannot_be_are_corrupt_for_every_way_of_receiving() {
    let forged = [
        FIRST,
        FIRST | 7,
        FIRST | 9,
        FIRST | 0x3e8,
        PIECE | 9,
        LAST | 0xffff_ffff,
        CUT | 9,
        7 << 32,
        0,
    ];
    for header in forged {
        let name = Name::new("piece");
        let (mut here, mut there, view) = pipe(&name);
        here.send(b"12345678").unwrap();
        view.put_u64(view.slot(0, 0), header);
        for _ in 0..2 {
            assert!(is_corrupt(&there.try_recv()), "{header:#x}");
            assert!(matches!(there.recv().unwrap_err().fault(), Some(Fault::Corrupt(_))));
            assert!(matches!(
                there.recv_into(&mut [0; 9]).unwrap_err().fault(),
                Some(Fault::Corrupt(_))
            ));
            assert!(matches!(there.peek().unwrap_err().fault(), Some(Fault::Corrupt(_))));
            assert!(matches!(there.reader().unwrap_err().fault(), Some(Fault::Corrupt(_))));
            assert!(there.poll(LONG), "receiving would answer at once");
        }
        view.put_u64(view.slot(0, 0), WHOLE | 8);
        assert_eq!(there.recv().unwrap(), b"12345678");
    }
}

#[test]
fn a_length_that_cannot_be_takes_no_memory_and_no_buffer() {
    let name = Name::new("total");
    let (mut here, mut there, view) = pipe(&name);
    here.send(&(u64::MAX - 1).to_le_bytes()).unwrap();
    view.put_u64(view.slot(0, 0), FIRST | 8);
    let needed = usize::MAX - 1;
    let fault = Fault::BufferTooShort { needed, len: 3 };
    assert_eq!(there.recv_into(&mut [0; 3]).unwrap_err().fault(), Some(fault));
    there.set_max_len(1 << 40);
    let fault = Fault::TooLong { len: needed, max: 1 << 40 };
    assert_eq!(there.recv().unwrap_err().fault(), Some(fault));
    there.set_max_len(usize::MAX);
    here.send(b"next").unwrap();
    assert_eq!(there.recv().unwrap(), b"next");

    here.send(&(1u64 << 62).to_le_bytes()).unwrap();
    view.put_u64(view.slot(0, 4), FIRST | 8);
    assert_eq!(there.try_recv(), Err(TryRecvError::Empty), "it waits for the rest");
}

#[test]
fn a_record_within_a_record_is_corrupt_once_and_then_the_next() {
    for (header, first) in [(WHOLE, false), (FIRST, true)] {
        let name = Name::new("within");
        let (mut here, mut there, view) = pipe(&name);
        here.send(&100u64.to_le_bytes()).unwrap();
        view.put_u64(view.slot(0, 0), FIRST | 8);
        assert_eq!(there.try_recv(), Err(TryRecvError::Empty));
        here.send(&8u64.to_le_bytes()).unwrap();
        view.put_u64(view.slot(0, 2), header | 8);
        assert!(is_corrupt(&there.try_recv()));
        if first {
            here.send(b"12345678").unwrap();
            view.put_u64(view.slot(0, 4), LAST | 8);
            assert_eq!(there.try_recv().unwrap(), b"12345678");
        } else {
            assert_eq!(there.try_recv().unwrap(), 8u64.to_le_bytes());
        }
    }
}

#[test]
fn a_record_that_is_not_as_long_as_it_said_is_corrupt_and_gone() {
    for said in [0u64, 7, 9, 16] {
        for way in 0..3 {
            let name = Name::new("said");
            let (mut here, mut there, view) = pipe(&name);
            here.send(&said.to_le_bytes()).unwrap();
            here.send(b"12345678").unwrap();
            view.put_u64(view.slot(0, 0), FIRST | 8);
            view.put_u64(view.slot(0, 2), LAST | 8);
            let fault = match way {
                0 => there.recv().unwrap_err().fault(),
                1 => there.try_recv_into(&mut [0; 20]).unwrap_err().fault(),
                _ => there.recv_into(&mut [0; 20]).unwrap_err().fault(),
            };
            assert!(matches!(fault, Some(Fault::Corrupt(_))), "{said}: {fault:?}");
            here.send(b"next").unwrap();
            let next = within(LONG, || there.recv());
            assert_eq!(next.unwrap(), b"next", "{said}, {way}");
        }
    }
}

#[test]
fn forged_words_of_either_side_cost_records_in_pieces_and_nothing_else() {
    let name = Name::new("forged");
    let (mut here, mut there, view) = pipe(&name);
    view.put_u64(view.head(0) + 8, u64::MAX);
    let cut = here.send_timeout(&[1; 1000], LONG).unwrap_err().fault();
    assert_eq!(cut, Some(Fault::CutShort));
    here.send(b"short").unwrap();
    let received = loop {
        match there.recv() {
            Err(error) => assert_eq!(error.fault(), Some(Fault::CutShort)),
            received => break received.unwrap(),
        }
    };
    assert_eq!(received, b"short");
    for word in [1, 2, u64::MAX, u64::MAX - 1, 1 << 63] {
        drop(here);
        view.put_u64(view.tail(0) + 8, word);
        here = Connection::options().open(&name).unwrap();
        here.send(b"short").unwrap();
        assert_eq!(there.recv().unwrap(), b"short", "{word:#x}");
    }
}

#[test]
fn random_words_about_pieces_never_panic_or_hang_anybody() {
    let mut random = Random(43);
    for _ in 0..400 {
        let name = Name::new("noise");
        let (mut here, mut there, view) = pipe(&name);
        here.send(b"one").unwrap();
        let _ = here.send_timeout(&[2; 300], Duration::ZERO);
        let places = [
            view.tail(0),
            view.tail(0) + 8,
            view.head(0),
            view.head(0) + 8,
            view.seal(0) + 16,
            view.slot(0, 0),
            view.slot(0, 2),
            view.slot(0, 3),
            view.slot(0, 6),
        ];
        for _ in 0..=random.below(4) {
            let small = random.next() % 40;
            let kinds = [WHOLE, PADDING, PIECE, LAST, CUT, FIRST].map(|kind| kind | small);
            let value = match random.below(8) {
                kind @ 0..6 => kinds[kind],
                6 => random.next(),
                _ => u64::MAX - small,
            };
            view.put_u64(places[random.below(places.len())], value);
        }
        for _ in 0..3 {
            let _ = (here.try_send(b"three"), here.send_timeout(&[4; 200], SHORT));
            let _ = (there.try_recv(), there.recv_timeout(SHORT), there.try_recv_into(&mut [0; 2]));
            let _ = (there.try_peek().map(drop), there.poll(SHORT));
            if let Ok(mut reader) = there.reader_timeout(SHORT) {
                let _ = reader.read(&mut [0; 9]);
            }
            if let Ok(mut writer) = here.begin() {
                writer.set_timeout(SHORT);
                let _ = std::io::Write::write_all(&mut writer, &[5; 50]);
            }
        }
        here.close();
        drop(there);
        let _ = (here.try_send(b"x"), Connection::options().open(&name));
    }
}
