//! Hazard: either side of a record in pieces stops in the middle, or is killed there, and whoever comes after it takes pieces
//! of two records for one, loses the next record, or waits for an end that nobody sends.
//!
//! Checked: a record in pieces arrives whole or is reported once as cut short, and the next one arrives whole, whoever dies
//! before any access to shared memory, gives up, or takes over.
#![cfg(loom)]

use loom_tests::crash::{Death, at_each_access};
use loom_tests::{Channel, model};
use ringway::parts::bytes;
use ringway::parts::grant::{ReadRecord, WriteRecord};
use ringway::parts::pieces::{Incoming, Next, Outgoing};
use ringway::parts::spsc::{ConsumerSide, Dry, ProducerSide};

/// Eight words carry a first piece of sixteen bytes, a last one of eight, and a record of eight behind.
const WORDS: usize = 8;
const LONG: [u8; 24] = [1; 24];
const NEXT: [u8; 8] = [2; 8];
/// Fills the ring, but for the word that is kept, before its last piece.
const FULL: [u8; 48] = [1; 48];

/// What a consumer made of what came.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Came {
    Record(Vec<u8>),
    CutShort,
    LostInPart,
}

fn send_long(channel: &Channel, side: &mut ProducerSide, outgoing: &mut Outgoing) -> bool {
    send(channel, side, outgoing, &LONG)
}

/// Writes the pieces of a record as far as there is room, and ends it. Says whether it was sent.
fn send(
    channel: &Channel,
    side: &mut ProducerSide,
    outgoing: &mut Outgoing,
    record: &[u8],
) -> bool {
    let ring = channel.ring();
    let mut rest = record;
    while !rest.is_empty() {
        if outgoing.is_unwanted(&ring) {
            break;
        }
        let Ok(place) = outgoing.reserve(&ring, side, rest.len()) else { break };
        let front = outgoing.front();
        let (now, later) = rest.split_at(place.len() - front);
        let event = channel.not_empty();
        WriteRecord::new((&ring, side, &event), place)[front..].copy_from_slice(now);
        rest = later;
        let piece = (place, place.len());
        let published = if rest.is_empty() {
            outgoing.finish(&ring, side, piece)
        } else {
            outgoing.publish(&ring, side, piece, Some(record.len() as u64))
        };
        if published == Ok(true) {
            channel.not_empty().notify(1);
        }
    }
    let sent = rest.is_empty();
    if !sent {
        outgoing.cut(&ring, side).expect("there is room for that");
    }
    sent
}

fn send_next(channel: &Channel, side: &mut ProducerSide) -> bool {
    bytes::push(&channel.ring(), side, &NEXT).is_ok()
}

/// A consumer, and the part of a record that it has.
struct Taker {
    side: ConsumerSide,
    incoming: Incoming,
    part: Vec<u8>,
}

impl Taker {
    fn new(channel: &Channel) -> Self {
        Self { side: channel.consumer(), incoming: Incoming::default(), part: Vec::new() }
    }

    /// Takes at most `count` pieces or records.
    fn take(&mut self, channel: &Channel, count: usize) -> Vec<Came> {
        let mut came = Vec::new();
        for _ in 0..count {
            match self.step(channel) {
                Ok(something) => came.extend(something),
                Err(dry) => {
                    assert_eq!(dry, Dry::Empty, "what lies there is legal");
                    break;
                }
            }
        }
        came
    }

    /// Takes one piece or record, if there is one. Says what that completes.
    fn step(&mut self, channel: &Channel) -> Result<Option<Came>, Dry> {
        let (ring, event) = (channel.ring(), channel.not_full());
        let next = self.incoming.next(&ring, &mut self.side)?;
        let (place, front) = match next {
            Next::Whole(place) | Next::Piece(place) | Next::Last(place) => (place, 0),
            Next::First(place, total) => {
                assert!([None, Some(24), Some(48)].contains(&total));
                (place, 8)
            }
            Next::Skipped(_) => return Ok(None),
            Next::CutShort(_) => {
                self.part.clear();
                return Ok(Some(Came::CutShort));
            }
            Next::LostInPart(_) => return Ok(Some(Came::LostInPart)),
        };
        let record = ReadRecord::new((&ring, &mut self.side, &event), place);
        self.part.extend_from_slice(&record[front..]);
        drop(record);
        self.incoming.release(&ring, &mut self.side, next);
        let complete = matches!(next, Next::Whole(_) | Next::Last(_));
        Ok(complete.then(|| Came::Record(std::mem::take(&mut self.part))))
    }
}

fn long() -> Came {
    Came::Record(LONG.to_vec())
}

fn next() -> Came {
    Came::Record(NEXT.to_vec())
}

#[test]
fn pieces_are_one_record_wherever_the_memory_ends() {
    for start in [0, 1, 5, 6] {
        model(move || {
            let channel = Channel::starting_at(start, WORDS);
            let mut side = channel.producer();
            let sender = channel
                .beside(move |channel| send_long(channel, &mut side, &mut Outgoing::default()));
            let mut taker = Taker::new(&channel);
            let mut came = taker.take(&channel, 2);
            let sent = sender.join().unwrap();
            came.extend(taker.take(&channel, 4));
            assert_eq!(came, if sent { [long()] } else { [Came::CutShort] });
        });
    }
}

fn a_producer_dies(record: &'static [u8]) {
    at_each_access(0, move |death: &Death| {
        let (channel, fate) = (Channel::new(WORDS), death.clone());
        let mut side = channel.producer();
        let victim = channel.beside(move |channel| {
            fate.within(|| send(channel, &mut side, &mut Outgoing::default(), record))
        });
        let mut taker = Taker::new(&channel);
        let mut came = taker.take(&channel, 2);
        let outcome = victim.join().unwrap();
        let mut heir = channel.producer();
        let mut outgoing = Outgoing::resume(&channel.ring(), &heir);
        let unfinished = outgoing.is_open();
        outgoing.cut(&channel.ring(), &mut heir).expect("a word of room was left");
        came.extend(taker.take(&channel, 4));
        assert!(send_next(&channel, &mut heir));
        came.extend(taker.take(&channel, 4));
        let first = came.len().checked_sub(2).map(|at| came[at].clone());
        match first {
            None => assert!(outcome.is_none() && !unfinished, "nothing of it was visible"),
            Some(Came::CutShort) => assert!(unfinished || outcome != Some(true)),
            Some(first) => {
                assert!(!unfinished && outcome != Some(false));
                assert_eq!(first, Came::Record(record.to_vec()));
            }
        }
        assert_eq!((came.len() <= 2, came.last()), (true, Some(&next())), "{came:?}");
        // Who comes after the heir finds nothing to do.
        assert!(!Outgoing::resume(&channel.ring(), &channel.producer()).is_open());
    });
}

#[test]
fn a_producer_that_dies_leaves_a_record_that_its_heir_cuts_short() {
    a_producer_dies(&LONG);
}

#[test]
fn a_producer_that_dies_in_a_full_ring_has_left_room_for_that() {
    a_producer_dies(&FULL);
}

#[test]
fn a_consumer_that_dies_leaves_the_rest_to_be_skipped_and_the_next_record_whole() {
    at_each_access(0, |death: &Death| {
        let (channel, fate) = (Channel::new(WORDS), death.clone());
        let mut victim = Taker::new(&channel);
        let mut side = channel.producer();
        let taker = channel.beside(move |channel| {
            fate.within(|| victim.take(channel, 2));
        });
        let sent = send_long(&channel, &mut side, &mut Outgoing::default());
        assert!(send_next(&channel, &mut side));
        taker.join().unwrap();
        let came = Taker::new(&channel).take(&channel, 6);
        let first = came.len().checked_sub(2).map(|at| came[at].clone());
        assert!(first.is_none_or(|first| first == Came::LostInPart || (sent && first == long())));
        assert!(came.len() <= 2 && came.last().is_none_or(|last| *last == next()), "{came:?}");
        assert!(send_next(&channel, &mut side) && send_next(&channel, &mut side));
    });
}

#[test]
fn a_consumer_that_gives_up_gets_the_next_record_and_its_producer_is_told() {
    model(|| {
        let channel = Channel::new(WORDS);
        let (mut side, mut outgoing) = (channel.producer(), Outgoing::default());
        let mut taker = Taker::new(&channel);
        let place = outgoing.reserve(&channel.ring(), &mut side, 8).unwrap();
        outgoing.publish(&channel.ring(), &mut side, (place, place.len()), None).unwrap();
        assert!(!outgoing.is_unwanted(&channel.ring()));
        let sender = channel.beside(move |channel| {
            let ring = channel.ring();
            if outgoing.is_unwanted(&ring) {
                outgoing.cut(&ring, &mut side).unwrap();
            } else {
                outgoing.finish_empty(&ring, &mut side).unwrap();
            }
            assert!(send_next(channel, &mut side));
            side
        });
        let found = taker.incoming.next(&channel.ring(), &mut taker.side).unwrap();
        taker.incoming.release(&channel.ring(), &mut taker.side, found);
        taker.incoming.give_up(&channel.ring(), &taker.side);
        assert!(Outgoing::default() != outgoing && outgoing.is_unwanted(&channel.ring()));
        let mut came = taker.take(&channel, 2);
        let mut side = sender.join().unwrap();
        came.extend(taker.take(&channel, 2));
        assert_eq!(came, [next()]);
        let mut later = Outgoing::default();
        let place = later.reserve(&channel.ring(), &mut side, 8).unwrap();
        later.publish(&channel.ring(), &mut side, (place, place.len()), None).unwrap();
        assert!(!later.is_unwanted(&channel.ring()), "that was the one before");
    });
}
