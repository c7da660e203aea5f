//! The operations of a pipe, each with what it may have come to when its victim dies.

use std::time::Duration;

use anyhow::Result;
use ringway::pipe::Connection;
use ringway::{Error, Member, Recovered, TryRecvError, TrySendError, Wait};

use super::load::{bytes, number_of_bytes};
use super::pair::{Act, End, Pair, PairScene, asleep, closing, scene};
use super::place::Place;
use super::scene::Scene;
use super::victim::marked;

/// A two-way pipe; what is sent goes from the maker's end to the opener's.
pub struct Pipe;

/// Room for a few records.
const CAPACITY_BYTES: usize = 128;

impl Pair for Pipe {
    const NAME: &'static str = "pipe";
    type Out = Connection;
    type In = Connection;

    fn create(place: &Place) -> Result<(Connection, Connection)> {
        create(place, CAPACITY_BYTES)
    }
    fn open_out(place: &Place) -> Result<Connection> {
        open(place)
    }
    fn open_in(place: &Place) -> Result<Connection> {
        open(place)
    }
    fn try_send(out: &mut Connection, number: u64) -> Result<(), TrySendError<()>> {
        out.try_send(&bytes(number))
    }
    fn try_recv(input: &mut Connection) -> Result<Result<u64>, TryRecvError> {
        input.try_recv().map(|record| number_of_bytes(&record))
    }
    fn is_redelivered(input: &Connection) -> bool {
        input.is_redelivered()
    }
    fn members(end: End<'_, Self>) -> Result<Vec<Member>, Error> {
        connection(&end).members()
    }
    fn recover(end: End<'_, Self>) -> Result<Recovered, Error> {
        connection(&end).recover()
    }
}

/// A two-way pipe, for every scene that has one.
pub fn create(place: &Place, capacity_bytes: usize) -> Result<(Connection, Connection)> {
    let options = Place::options(Connection::options());
    let options = options.capacity(capacity_bytes).max_members(4).remove_when_unused();
    Ok((options.create(place.name())?, open(place)?))
}

/// Its end that is free: the opener's, and once that is taken the maker's.
pub fn open(place: &Place) -> Result<Connection> {
    let options = Place::options(Connection::options());
    Ok(options.wait(Wait::Park).recheck(Duration::from_mins(1)).open(place.name())?)
}

/// Either end.
pub fn connection<'a, P: Pair<Out = Connection, In = Connection>>(
    end: &End<'a, P>,
) -> &'a Connection {
    let (End::Out(connection) | End::In(connection)) = end;
    connection
}

/// All of them.
pub fn all() -> Vec<Box<dyn Scene>> {
    let boxed = |scene| -> Box<dyn Scene> { Box::new(scene) };
    sending().into_iter().chain(receiving()).map(boxed).collect()
}

/// Those who fall asleep on the way.
pub fn sleeping() -> Vec<Box<dyn Scene>> {
    let send = |out: &mut Connection| {
        let record = bytes(100);
        marked(|| out.send(&record)).expect("there will be room");
        vec![100]
    };
    let recv = |input: &mut Connection| {
        let received = marked(|| input.recv()).expect("there will be a record");
        vec![number_of_bytes(&received).expect("it is whole")]
    };
    let full = [1, 2, 3, 4, 5];
    let stages = asleep(&full, &full[1..], &[2, 3, 4, 5, 100], true);
    let send = PairScene::<Pipe> { stages, ..scene("send, asleep", 5, &full, Act::Out(send)) };
    let stages = asleep(&[], &[100], &[], false);
    let recv = PairScene::<Pipe> { stages, ..scene("recv, asleep", 0, &[], Act::In(recv)) };
    vec![Box::new(send), Box::new(recv)]
}

fn send_one(out: &mut Connection) -> Vec<u64> {
    let record = bytes(100);
    marked(|| out.try_send(&record)).map_or_else(|_| Vec::new(), |()| vec![100])
}

fn sending() -> Vec<PairScene<Pipe>> {
    let close = |out: &mut Connection| {
        marked(|| out.close());
        Vec::new()
    };
    let close = scene("close", 1, &[1], Act::Out(close));
    let commit = |out: &mut Connection| {
        let record = bytes(100);
        let operation = || {
            let mut grant = out.try_reserve(record.len()).map_err(|_| ())?;
            grant.copy_from_slice(&record);
            grant.commit().map_err(|_| ())
        };
        marked(operation).map_or_else(|()| Vec::new(), |()| vec![100])
    };
    let abort = |out: &mut Connection| {
        marked(|| out.try_reserve(9).map(drop)).expect("there is room");
        Vec::new()
    };
    vec![
        scene("send", 1, &[1, 100], Act::Out(send_one)),
        // The end of the memory is near: padding first.
        PairScene { passed: 5, ..scene("send with padding", 0, &[100], Act::Out(send_one)) },
        scene("try_send, full", 5, &[1, 2, 3, 4, 5], Act::Out(send_one)),
        scene("reserve, commit", 1, &[1, 100], Act::Out(commit)),
        scene("reserve, drop", 1, &[1], Act::Out(abort)),
        PairScene { stages: closing(&[1]).into(), ..close },
    ]
}

fn recv_one(input: &mut Connection) -> Vec<u64> {
    let received = marked(|| input.try_recv());
    received.iter().map(|record| number_of_bytes(record).expect("it is whole")).collect()
}

fn receiving() -> Vec<PairScene<Pipe>> {
    let into = |input: &mut Connection| {
        let mut buffer = [0; 32];
        let received = marked(|| input.recv_into(&mut buffer)).expect("there is a record");
        vec![number_of_bytes(&buffer[..received]).expect("it is whole")]
    };
    let release = |input: &mut Connection| {
        let operation = || {
            let grant = input.try_peek().ok()?;
            let number = grant.first_chunk().map(|first| u64::from_le_bytes(*first));
            grant.release();
            number
        };
        marked(operation).into_iter().collect()
    };
    let leave = |input: &mut Connection| {
        marked(|| input.try_peek().map(drop)).expect("there is a record");
        Vec::new()
    };
    let close = |input: &mut Connection| {
        marked(|| input.close());
        Vec::new()
    };
    let close = scene("close by the receiver", 1, &[1], Act::In(close));
    vec![
        scene("recv", 2, &[2], Act::In(recv_one)),
        PairScene { passed: 5, ..scene("recv behind padding", 2, &[2], Act::In(recv_one)) },
        scene("recv_into", 2, &[2], Act::In(into)),
        scene("try_recv, empty", 0, &[], Act::In(recv_one)),
        scene("peek, release", 2, &[2], Act::In(release)),
        scene("peek, drop", 2, &[1, 2], Act::In(leave)),
        PairScene { stages: closing(&[1]).into(), ..close },
    ]
}
