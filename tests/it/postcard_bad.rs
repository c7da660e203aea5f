//! Values that cannot be written or read: an error, and the queue goes on.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

use ringway::queue::{DeliveryPolicy, Postcard, Queue, Sender};
use ringway::{Description, Fault, Fingerprint, TryRecvError};
use serde::ser::{Error, SerializeTuple};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::postcard::{Job, job, jobs};
use crate::util::{Name, Random};

thread_local! {
    /// How often a [`Fickle`] was written on this thread since the test set it.
    static WRITTEN: Cell<u32> = const { Cell::new(0) };
}

/// Eight bytes, which go wrong in some way when they are written for the `at`th time.
#[derive(Clone, Copy)]
struct Fickle {
    at: u32,
    way: Way,
}

#[derive(Clone, Copy, PartialEq)]
enum Way {
    Refuse,
    Panic,
    Longer,
    Shorter,
}

impl Serialize for Fickle {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        WRITTEN.set(WRITTEN.get() + 1);
        let now = WRITTEN.get() == self.at;
        let mut tuple = to.serialize_tuple(8)?;
        for n in 0..8u8 {
            if now && n == 4 {
                match self.way {
                    Way::Refuse => return Err(S::Error::custom("in the middle")),
                    Way::Panic => panic!("in the middle"),
                    Way::Longer => tuple.serialize_element(&[1u64; 4])?,
                    Way::Shorter => return tuple.end(),
                }
            }
            tuple.serialize_element(&n)?;
        }
        tuple.end()
    }
}

impl<'de> Deserialize<'de> for Fickle {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        <[u8; 8]>::deserialize(from).map(|_| Self { at: 0, way: Way::Refuse })
    }
}

impl Fingerprint for Fickle {
    fn describe(to: &mut Description) {
        to.word("Fickle");
    }
}

type Fickles = Queue<Postcard<Fickle>>;

fn send(sender: &Sender<Postcard<Fickle>>, at: u32, way: Way) -> Result<(), Option<Fault>> {
    WRITTEN.set(0);
    sender.try_send_value(&Fickle { at, way }).map_err(|why| why.fault())
}

#[test]
fn a_serialiser_that_fails_in_the_middle_leaves_nothing_to_be_seen() {
    let queue = Fickles::options().capacity(4).unnamed().unwrap();
    let (sender, receiver) = (queue.sender(), queue.receiver());
    // Many laps: whatever was claimed is free again.
    for _ in 0..10 {
        for at in [1, 2] {
            let refused = send(&sender, at, Way::Refuse);
            assert_eq!(refused, Err(Some(Fault::Unserializable("its Serialize refused"))));
            assert!(matches!(receiver.try_recv_value(), Err(TryRecvError::Empty)));
        }
        let longer = send(&sender, 2, Way::Longer);
        let why = "it became longer while it was written";
        assert_eq!(longer, Err(Some(Fault::Unserializable(why))));
        send(&sender, 0, Way::Refuse).unwrap();
        assert!(receiver.try_recv_value().is_ok());
        assert!(matches!(receiver.try_recv_value(), Err(TryRecvError::Empty)));
    }
}

#[test]
fn a_serialiser_that_panics_leaves_nothing_to_be_seen() {
    let queue = Fickles::options().capacity(4).unnamed().unwrap();
    let (sender, receiver) = (queue.sender(), queue.receiver());
    for _ in 0..10 {
        for at in [1, 2] {
            let panicked = catch_unwind(AssertUnwindSafe(|| send(&sender, at, Way::Panic)));
            assert!(panicked.is_err());
        }
        send(&sender, 0, Way::Refuse).unwrap();
        assert!(receiver.try_recv_value().is_ok());
        assert!(matches!(receiver.try_recv_value(), Err(TryRecvError::Empty)));
    }
}

#[test]
fn a_serialiser_that_fails_or_panics_in_the_middle_keeps_no_block() {
    // Forty bytes before it, so that it needs the block.
    let queue = Queue::<Postcard<([u64; 4], Fickle)>>::options_named("fickle")
        .capacity(4)
        .message_len(16)
        .blocks(64, 1)
        .unnamed()
        .unwrap();
    let (sender, receiver) = (queue.sender(), queue.receiver());
    let value = |at, way| ([u64::MAX; 4], Fickle { at, way });
    for _ in 0..10 {
        for way in [Way::Refuse, Way::Longer] {
            WRITTEN.set(0);
            let fault = sender.try_send_value(&value(2, way)).unwrap_err().fault();
            assert!(matches!(fault, Some(Fault::Unserializable(_))), "{fault:?}");
        }
        WRITTEN.set(0);
        let panicking = value(2, Way::Panic);
        let panicked = catch_unwind(AssertUnwindSafe(|| sender.try_send_value(&panicking)));
        assert!(panicked.is_err());
        assert!(matches!(receiver.try_recv_value(), Err(TryRecvError::Empty)));
        assert_eq!(queue.blocks()[0].free, 1);
        WRITTEN.set(0);
        sender.try_send_value(&value(0, Way::Refuse)).unwrap();
        assert!(receiver.try_recv_value().is_ok());
    }
}

#[test]
fn a_value_that_became_shorter_is_sent_as_it_became() {
    let queue = Fickles::options().capacity(4).unnamed().unwrap();
    let (sender, receiver) = (queue.sender(), queue.receiver());
    send(&sender, 2, Way::Shorter).unwrap();
    let cut = receiver.try_recv_value().map(drop);
    assert_eq!(cut, Err(TryRecvError::Failed(Fault::Undecodable("it ends too early"))));
    assert!(matches!(receiver.try_recv_value(), Err(TryRecvError::Empty)), "it was taken out");
}

#[test]
fn what_has_no_length_beforehand_is_refused() {
    /// A sequence that does not say how long it is.
    struct Endless;
    impl Serialize for Endless {
        fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
            serde::ser::SerializeSeq::end(to.serialize_seq(None)?)
        }
    }
    impl<'de> Deserialize<'de> for Endless {
        fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
            Ok(Self)
        }
    }
    let queue = Queue::<Postcard<Endless>>::options_named("endless").unnamed().unwrap();
    let fault = queue.sender().send_value(&Endless).unwrap_err().fault();
    assert_eq!(fault, Some(Fault::Unserializable("a sequence of unknown length")));
    assert!(queue.is_empty());
}

/// A queue of jobs, and who may put any bytes into it.
fn forged(options: &ringway::Options<Queue<Postcard<Job>>>, name: &Name) -> Sender<[u8]> {
    let _first = options.open_or_create(name).unwrap();
    let form = Description::of_serialized::<Job>();
    Queue::<[u8]>::options().type_id(form.as_str()).open(name).unwrap().sender()
}

#[test]
fn garbage_is_an_error_that_takes_it_out_and_never_a_panic() {
    let name = Name::new("garbage");
    let queue = jobs().create(&name).unwrap();
    let (sender, receiver, forger) = (queue.sender(), queue.receiver(), forged(&jobs(), &name));
    let mut random = Random(5);
    for seed in 0..3000 {
        let bytes: Vec<u8> =
            (0..random.below(40)).map(|_| random.next().to_le_bytes()[seed % 8]).collect();
        forger.send(&bytes).unwrap();
        sender.send_value(&job(7)).unwrap();
        match receiver.try_recv_value() {
            Ok(_) | Err(TryRecvError::Failed(Fault::Undecodable(_))) => {}
            other => panic!("{bytes:?}: {other:?}"),
        }
        assert_eq!(receiver.try_recv_value(), Ok(job(7)), "the next is unharmed");
    }
    assert!(queue.is_empty());
}

#[test]
fn every_flipped_byte_of_a_value_is_another_value_or_an_error() {
    let name = Name::new("garbage");
    let queue = jobs().create(&name).unwrap();
    let (receiver, forger) = (queue.receiver(), forged(&jobs(), &name));
    queue.sender().send_value(&job(11)).unwrap();
    let bytes = {
        let form = Description::of_serialized::<Job>();
        let plain = Queue::<[u8]>::options().type_id(form.as_str()).open(&name).unwrap();
        plain.receiver().recv().unwrap()
    };
    for at in 0..bytes.len() {
        for flip in [1, 0x80, 0xff] {
            let mut wrong = bytes.clone();
            wrong[at] ^= flip;
            forger.send(&wrong).unwrap();
            let taken = receiver.try_recv_value();
            assert!(
                matches!(taken, Ok(_) | Err(TryRecvError::Failed(Fault::Undecodable(_)))),
                "{at}: {taken:?}"
            );
        }
        forger.send(&bytes[..at]).unwrap();
        let cut = receiver.try_recv_value();
        assert!(matches!(cut, Err(TryRecvError::Failed(Fault::Undecodable(_)))), "{at}: {cut:?}");
    }
}

#[test]
fn with_dead_letters_garbage_goes_there_and_nothing_is_lost() {
    let name = Name::new("garbage");
    let options = jobs().dead_letters(3, 4);
    let queue = options.create(&name).unwrap();
    let (sender, receiver, forger) = (queue.sender(), queue.receiver(), forged(&options, &name));
    forger.send(b"\xff\xff garbage").unwrap();
    sender.send_value(&job(1)).unwrap();
    for _ in 0..3 {
        let garbage = receiver.try_recv_value();
        assert!(matches!(garbage, Err(TryRecvError::Failed(Fault::Undecodable(_)))));
    }
    assert_eq!(receiver.try_recv_value(), Ok(job(1)));
    let dead = queue.dead_letters().unwrap();
    let letter = dead.try_recv_value_guard().unwrap();
    assert_eq!(letter.deliveries(), 4);
    assert!(matches!(letter.value(), Err(Fault::Undecodable(_))));
    letter.ack();
    assert!(matches!(dead.try_recv_value(), Err(TryRecvError::Empty)));
}

#[test]
fn who_receives_garbage_by_guard_decides_what_becomes_of_it() {
    for policy in [DeliveryPolicy::AtLeastOnce, DeliveryPolicy::AtMostOnce] {
        let name = Name::new("garbage");
        let options = jobs().delivery(policy);
        let queue = options.create(&name).unwrap();
        let (receiver, forger) = (queue.receiver(), forged(&options, &name));
        forger.send(b"\xff").unwrap();
        let guard = receiver.try_recv_value_guard().unwrap();
        assert!(matches!(guard.value(), Err(Fault::Undecodable(_))));
        drop(guard);
        let again = receiver.try_recv_value_guard();
        match policy {
            DeliveryPolicy::AtLeastOnce => again.unwrap().ack(),
            _ => assert!(matches!(again, Err(TryRecvError::Empty))),
        }
        assert!(matches!(receiver.try_recv_value(), Err(TryRecvError::Empty)));
    }
}
