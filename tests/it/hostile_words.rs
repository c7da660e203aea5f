//! Words that no correct member writes: each operation answers with an error, and none panics or hangs.

use std::time::Duration;

use ringway::pipe::Connection;
use ringway::spsc::{Consumer, Producer};
use ringway::{ErrorKind, Fault, RecvError, RecvTimeoutError, TryRecvError, TrySendError, Wait};

use crate::util::view::{CLOSING, CONTROL, ENDS, ROSTER, View};
use crate::util::{LONG, Name, Random, within};

const SHORT: Duration = Duration::from_millis(30);
/// Positions that are impossible for a ring of 8 at position 4.
const FAR: [u64; 5] = [13, 1 << 20, 1 << 62, 1 << 63, u64::MAX];

fn values(name: &Name) -> (Producer<u64>, Consumer<u64>, View) {
    let mut producer = Producer::<u64>::options().capacity(8).create(name).unwrap();
    let mut consumer = Consumer::<u64>::options().recheck(SHORT / 10).open(name).unwrap();
    for n in 0..4 {
        producer.send(n).unwrap();
        consumer.recv().unwrap();
    }
    (producer, consumer, View::open(name.path()))
}

fn corrupt<E: std::fmt::Debug>(error: &E, fault: Option<Fault>) {
    assert!(matches!(fault, Some(Fault::Corrupt(_))), "{error:?}");
}

#[test]
fn an_impossible_tail_is_found_by_the_consumer() {
    for far in FAR {
        let name = Name::new("tail");
        let (_producer, mut consumer, view) = values(&name);
        view.put_u64(view.tail(0), far);
        let error = consumer.try_recv().unwrap_err();
        corrupt(&error, error.fault());
        let error = within(LONG, || consumer.recv().unwrap_err());
        corrupt(&error, error.fault());
        let error = consumer.try_recv_batch(&mut [0; 4]).unwrap_err();
        corrupt(&error, error.fault());
        let error = consumer.try_peek(3).unwrap_err();
        corrupt(&error, error.fault());
        assert!(consumer.len() <= 8);
        view.put_u64(view.tail(0), 4);
        assert_eq!(consumer.try_recv(), Err(TryRecvError::Empty));
    }
}

#[test]
fn an_impossible_head_is_found_by_the_producer() {
    for far in FAR {
        let name = Name::new("head");
        let (mut producer, _consumer, view) = values(&name);
        let sent = (0..8).take_while(|n| producer.try_send(*n).is_ok()).count();
        assert!(sent > 0);
        view.put_u64(view.head(0), far);
        let error = (0..9).find_map(|n| producer.try_send(n).err()).unwrap();
        corrupt(&error, error.fault());
        let error = within(LONG, || producer.send(0).unwrap_err());
        corrupt(&error, error.fault());
        let error = producer.try_reserve(3).unwrap_err();
        corrupt(&error, error.fault());
        assert!(producer.len() <= 8);
    }
}

#[test]
fn cursors_too_far_apart_keep_anybody_from_taking_an_end() {
    for far in FAR {
        let name = Name::new("apart");
        let (producer, consumer, view) = values(&name);
        drop((producer, consumer));
        view.put_u64(view.tail(0), far);
        let error = Producer::<u64>::options().open(&name).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::NotASegment(_)), "{error}");
        let error = Consumer::<u64>::options().open(&name).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::NotASegment(_)), "{error}");
        view.put_u64(view.tail(0), 4);
        drop(Producer::<u64>::options().open(&name).expect("put back"));
    }
}

#[test]
fn cursors_at_the_end_of_their_range_do_no_harm() {
    for start in [(1 << 63) - 3, 1 << 63, u64::MAX - 3] {
        let name = Name::new("end");
        let (producer, consumer, view) = values(&name);
        drop((producer, consumer));
        view.put_u64(view.tail(0), start);
        view.put_u64(view.head(0), start);
        let Ok(mut producer) = Producer::<u64>::options().open(&name) else { continue };
        let Ok(mut consumer) = Consumer::<u64>::options().open(&name) else { continue };
        for n in 0..20 {
            if producer.try_send(n).is_ok() {
                let answer = consumer.try_recv();
                assert!(answer == Ok(n) || answer.unwrap_err().fault().is_some());
            }
        }
        consumer.close();
        let _ = (producer.try_send(1), consumer.try_recv());
    }
}

#[test]
fn an_owner_that_cannot_be_is_not_waited_for_and_nobody_panics() {
    for owner in [65, 66, 512, 0xffe, 0xfff] {
        let name = Name::new("owner");
        let (mut producer, mut consumer, view) = values(&name);
        let word = view.u64(ENDS);
        view.put_u64(ENDS, (word & !0xfff) | owner);
        let answer = within(LONG, || consumer.recv_timeout(10 * SHORT));
        assert!(answer.is_err(), "{answer:?}");
        let error = Producer::<u64>::options().open(&name).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::NotASegment(_)), "{error}");
        assert_eq!(producer.try_send(1), Ok(()));
        drop(producer);
        assert_eq!(consumer.recv_timeout(LONG), Ok(1));
    }
}

#[test]
fn an_end_said_to_be_its_peers_does_not_hang_the_consumer() {
    let name = Name::new("owner");
    let (_producer, mut consumer, view) = values(&name);
    view.put_u64(ENDS, view.u64(ENDS + 8));
    let answer = within(LONG, || consumer.recv_timeout(3 * SHORT));
    assert_eq!(answer, Err(RecvTimeoutError::Timeout), "one's own death cannot be proved");
}

#[test]
fn a_forged_seal_ends_the_stream_or_is_corrupt_but_reads_nothing_beyond() {
    for seal in
        [0, 1, 4, (1 << 63) | 0x3, (1 << 63) | 0x4, (1 << 63) | 0xc, (1 << 63) | 0x3e8, u64::MAX]
    {
        let name = Name::new("seal");
        let (mut producer, mut consumer, view) = values(&name);
        view.put_u64(view.seal(0), seal);
        view.put_u64(view.not_empty(0) + 8, CLOSING);
        let answer = (0..20).map(|_| consumer.try_recv()).find(Result::is_err);
        assert!(answer.is_some(), "more than the ring holds came out of it");
        let end = within(LONG, || consumer.recv_timeout(SHORT));
        assert!(end.is_err(), "{end:?}");
        let _ = producer.try_send(1);
        assert_eq!(producer.try_send(2), Err(TrySendError::Closed(2)), "{seal:#x}");
    }
}

fn records(name: &Name) -> (Connection, Connection, View) {
    let options = Connection::options().capacity(128).whole_records();
    let here = options.create(name).unwrap();
    let there = Connection::options().wait(Wait::Park).open(name).unwrap();
    (here, there, View::open(name.path()))
}

const RECORD: u64 = 1 << 32;
const PADDING: u64 = 2 << 32;

#[test]
fn record_headers_that_cannot_be_are_corrupt_for_every_way_of_receiving() {
    let forged = [
        0,
        12,
        RECORD | 0x9,
        RECORD | 0x3e8,
        RECORD | u64::from(u32::MAX),
        PADDING,
        PADDING | 0x8,
        PADDING | 0x78,
        PADDING | u64::from(u32::MAX),
        3 << 32,
        4 << 32,
        5 << 32 | 8,
        u64::MAX,
    ];
    for header in forged {
        let name = Name::new("record");
        let (mut here, mut there, view) = records(&name);
        here.send(b"12345678").unwrap();
        view.put_u64(view.slot(0, 0), header);
        let error = there.try_recv().unwrap_err();
        corrupt(&error, error.fault());
        let error = within(LONG, || there.recv().unwrap_err());
        corrupt(&error, error.fault());
        let error = there.recv_into(&mut [0; 8]).unwrap_err();
        corrupt(&error, error.fault());
        let error = there.try_peek().unwrap_err();
        corrupt(&error, error.fault());
        assert!(there.poll(LONG), "receiving would answer at once");
        view.put_u64(view.slot(0, 0), RECORD | 0x8);
        assert_eq!(there.recv().unwrap(), b"12345678");
    }
}

#[test]
fn padding_that_leads_to_padding_is_corrupt_and_no_loop() {
    let name = Name::new("padding");
    let (mut here, mut there, view) = records(&name);
    for _ in 0..3 {
        here.send(&[0; 24]).unwrap();
        there.recv().unwrap();
    }
    here.send(&[1; 40]).unwrap();
    assert_eq!(view.u64(view.slot(0, 12)), PADDING | 0x18, "four words to the end of the memory");
    view.put_u64(view.slot(0, 0), PADDING | 0x18);
    let error = within(LONG, || there.recv().unwrap_err());
    corrupt(&error, error.fault());
    view.put_u64(view.slot(0, 0), RECORD | 0x28);
    assert_eq!(there.recv().unwrap(), [1; 40]);
}

#[test]
fn random_words_anywhere_never_panic_or_hang_anybody() {
    let mut random = Random(42);
    for _ in 0..400 {
        let name = Name::new("noise");
        let (mut here, mut there, view) = records(&name);
        here.send(b"one").unwrap();
        there.send(b"two").unwrap();
        let places = [
            CONTROL,
            ROSTER,
            ENDS,
            ENDS + 8,
            view.record(0),
            view.record(1),
            view.tail(0),
            view.head(0),
            view.not_full(0) + 8,
            view.seal(0),
            view.seal(0) + 8,
            view.not_empty(0) + 8,
            view.tail(1),
            view.head(1),
            view.not_full(1) + 8,
            view.slot(0, 0),
            view.slot(1, 0),
        ];
        for _ in 0..=random.below(3) {
            let small = random.next() % 40;
            let values = [random.next(), small, u64::MAX - small, RECORD | small, PADDING | small];
            view.put_u64(places[random.below(places.len())], values[random.below(5)]);
        }
        let short = Duration::from_millis(1);
        for end in [&mut here, &mut there] {
            let _ = (end.try_send(b"three"), end.send_timeout(b"four", short));
            let _ = (end.try_recv(), end.recv_timeout(short), end.try_recv_into(&mut [0; 2]));
            let _ = end.try_reserve(30).map(ringway::pipe::WriteGrant::commit);
            let _ = (end.poll(short), format!("{end:?}"));
        }
        let _ = Connection::options().open(&name);
        let _ = Connection::options().create(&name);
        here.close();
        drop(there);
        let _ = (here.try_recv(), here.try_send(b"x"));
    }
}

#[test]
fn a_waiter_bit_of_nobody_costs_a_wake_up_and_nothing_else() {
    let name = Name::new("bits");
    let (mut producer, mut consumer, view) = values(&name);
    view.put_u64(view.not_empty(0) + 8, !CLOSING);
    view.put_u64(view.not_full(0) + 8, u64::MAX);
    for n in 0..100 {
        producer.send(n).unwrap();
        assert_eq!(consumer.recv(), Ok(n));
    }
    drop(producer);
    assert_eq!(consumer.recv(), Err(RecvError::Disconnected));
}
