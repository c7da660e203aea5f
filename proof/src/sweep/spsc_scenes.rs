//! The operations of a channel of values between two, each with what it may have come to when its victim dies.

use std::rc::Rc;
use std::time::Duration;

use anyhow::Result;
use ringway::spsc::{Consumer, Producer};
use ringway::{Error, Member, Recovered, TryRecvError, TrySendError, Wait};

use super::load::{CAPACITY, Value, number_of, value};
use super::pair::{Act, End, Left, Pair, PairScene, asleep, before_and_after, closing, scene};
use super::place::Place;
use super::scene::Scene;
use super::victim::marked;

/// A channel of values.
pub struct Spsc;

impl Pair for Spsc {
    const NAME: &'static str = "spsc";
    type Out = Producer<Value>;
    type In = Consumer<Value>;

    fn create(place: &Place) -> Result<(Self::Out, Self::In)> {
        let options = Place::options(Producer::options());
        let options = options.capacity(CAPACITY).max_members(4).remove_when_unused();
        Ok((options.create(place.name())?, Self::open_in(place)?))
    }
    fn open_out(place: &Place) -> Result<Self::Out> {
        let options = Place::options(Producer::options());
        Ok(options.wait(Wait::Park).recheck(Duration::from_mins(1)).open(place.name())?)
    }
    fn open_in(place: &Place) -> Result<Self::In> {
        let options = Place::options(Consumer::options());
        Ok(options.wait(Wait::Park).recheck(Duration::from_mins(1)).open(place.name())?)
    }
    fn try_send(out: &mut Self::Out, number: u64) -> Result<(), TrySendError<()>> {
        out.try_send(value(number)).map_err(|why| match why {
            TrySendError::Full(_) => TrySendError::Full(()),
            TrySendError::Closed(_) => TrySendError::Closed(()),
            TrySendError::Disconnected(_) => TrySendError::Disconnected(()),
            other => panic!("a value cannot be sent: {other:?}"),
        })
    }
    fn try_recv(input: &mut Self::In) -> Result<Result<u64>, TryRecvError> {
        input.try_recv().map(number_of)
    }
    fn is_redelivered(input: &Self::In) -> bool {
        input.is_redelivered()
    }
    fn members(end: End<'_, Self>) -> Result<Vec<Member>, Error> {
        match end {
            End::Out(out) => out.members(),
            End::In(input) => input.members(),
        }
    }
    fn recover(end: End<'_, Self>) -> Result<Recovered, Error> {
        match end {
            End::Out(out) => out.recover(),
            End::In(input) => input.recover(),
        }
    }
}

/// The stages of one whose handle had to look what the other side has done.
fn after_look(sends: bool) -> Rc<[Left]> {
    let (before, after): (&[u64], &[u64]) =
        if sends { (&[2, 3, 99], &[2, 3, 99, 100]) } else { (&[100], &[]) };
    let both = |stage| Left { moved: (true, true), ..stage };
    before_and_after(before, after, sends).into_iter().map(both).collect()
}

fn sending(
    name: &'static str,
    before: u64,
    after: &[u64],
    act: fn(&mut Producer<Value>) -> Vec<u64>,
) -> PairScene<Spsc> {
    scene(name, before, after, Act::Out(act))
}

fn receiving(
    name: &'static str,
    before: u64,
    after: &[u64],
    act: fn(&mut Consumer<Value>) -> Vec<u64>,
) -> PairScene<Spsc> {
    scene(name, before, after, Act::In(act))
}

/// All of them.
pub fn all() -> Vec<Box<dyn Scene>> {
    let boxed = |scene| -> Box<dyn Scene> { Box::new(scene) };
    producing().into_iter().chain(consuming()).map(boxed).collect()
}

/// Those who fall asleep on the way.
pub fn sleeping() -> Vec<Box<dyn Scene>> {
    let send = |out: &mut Producer<Value>| {
        marked(|| out.send(value(100))).expect("there will be room");
        vec![100]
    };
    let recv = |input: &mut Consumer<Value>| {
        let received = marked(|| input.recv()).expect("there will be a message");
        vec![number_of(received).expect("it is whole")]
    };
    let full = [1, 2, 3, 4];
    let stages = asleep(&full, &full[1..], &[2, 3, 4, 100], true);
    let send = PairScene { stages, ..sending("send, asleep", 4, &full, send) };
    let stages = asleep(&[], &[100], &[], false);
    let recv = PairScene { stages, ..receiving("recv, asleep", 0, &[], recv) };
    vec![Box::new(send), Box::new(recv)]
}

fn send_one(out: &mut Producer<Value>) -> Vec<u64> {
    let sent = marked(|| out.try_send(value(100)));
    sent.map_or_else(|_| Vec::new(), |()| vec![100])
}

fn producing() -> Vec<PairScene<Spsc>> {
    let close = |out: &mut Producer<Value>| {
        marked(|| out.close());
        Vec::new()
    };
    let close = PairScene { stages: closing(&[1]).into(), ..sending("close", 1, &[1], close) };
    // It has filled the ring, and then one value was received.
    let send_after_look = sending("send after a look", 3, &[], |out| {
        out.try_send(value(99)).expect("there is room for one");
        marked(|| out.send(value(100))).expect("there is room");
        vec![99, 100]
    });
    vec![
        sending("send", 1, &[1, 100], |out| {
            marked(|| out.send(value(100))).expect("there is room");
            vec![100]
        }),
        PairScene { stale: true, stages: after_look(true), ..send_after_look },
        sending("try_send into the last slot", 3, &[1, 2, 3, 100], send_one),
        sending("try_send, full", 4, &[1, 2, 3, 4], send_one),
        sending("try_send_batch of 3", 1, &[1, 100, 101, 102], |out| {
            let values = [100, 101, 102].map(value);
            let sent = marked(|| out.try_send_batch(&values)).unwrap_or(0);
            (100..100 + sent as u64).collect()
        }),
        sending("reserve, commit", 1, &[1, 100], |out| {
            let message = value(100);
            let operation = || {
                let mut grant = out.try_reserve(1).map_err(|_| ())?;
                grant[0] = message;
                grant.commit().map_err(|_| ())
            };
            marked(operation).map_or_else(|()| Vec::new(), |()| vec![100])
        }),
        sending("reserve, drop", 1, &[1], |out| {
            marked(|| out.try_reserve(1).map(drop)).expect("there is room");
            Vec::new()
        }),
        close,
    ]
}

fn recv_one(input: &mut Consumer<Value>) -> Vec<u64> {
    let received = marked(|| input.try_recv());
    received.iter().map(|one| number_of(*one).expect("it is whole")).collect()
}

fn consuming() -> Vec<PairScene<Spsc>> {
    let close = |input: &mut Consumer<Value>| {
        marked(|| input.close());
        Vec::new()
    };
    // It has emptied the ring, and then one value was sent.
    let recv_after_look = receiving("recv after a look", 1, &[], |input| {
        let first = input.recv().expect("there is a message");
        let second = marked(|| input.recv()).expect("there is another");
        [first, second].map(|one| number_of(one).expect("it is whole")).into()
    });
    let name = "close by the consumer";
    let close = PairScene { stages: closing(&[1]).into(), ..receiving(name, 1, &[1], close) };
    vec![
        receiving("recv", 2, &[2], |input| {
            let received = marked(|| input.recv()).expect("there is a message");
            vec![number_of(received).expect("it is whole")]
        }),
        PairScene { stale: true, stages: after_look(false), ..recv_after_look },
        receiving("recv, full", 4, &[2, 3, 4], recv_one),
        receiving("try_recv, empty", 0, &[], recv_one),
        receiving("try_recv_batch of 3", 4, &[4], |input| {
            let mut buffer = [value(0); 3];
            let received = marked(|| input.try_recv_batch(&mut buffer)).unwrap_or(0);
            buffer[..received].iter().map(|one| number_of(*one).expect("it is whole")).collect()
        }),
        receiving("peek, release", 2, &[2], |input| {
            let operation = || {
                let grant = input.try_peek(1).ok()?;
                let number = grant[0][0];
                grant.release();
                Some(number)
            };
            marked(operation).into_iter().collect()
        }),
        receiving("peek, drop", 2, &[1, 2], |input| {
            marked(|| input.try_peek(1).map(drop)).expect("there is a message");
            Vec::new()
        }),
        close,
    ]
}
