//! A pipe in which every record goes in two pieces: what its operations may have come to when their victim dies.

use std::io::{Error as IoError, Write};
use std::time::Duration;

use anyhow::Result;
use ringway::pipe::Connection;
use ringway::{Error, Fault, Member, Recovered, SendTimeoutError, TryRecvError, TrySendError};

use super::load::{bytes, number_of_bytes};
use super::pair::{Act, End, Left, Pair, PairScene};
use super::pipe_scenes::{connection, create, open};
use super::place::Place;
use super::scene::Scene;
use super::victim::marked;

/// A two-way pipe; what is sent goes from the maker's end to the opener's.
pub struct Streaming;

/// Room for a few records: each takes five words, and one more is kept while it is not over.
const CAPACITY_BYTES: usize = 256;

/// Sends a record of which eight bytes go first, without waiting.
fn send_in_two(out: &mut Connection, record: &[u8]) -> Result<(), TrySendError<()>> {
    let failed = |why: IoError| {
        let inner = why.into_inner().and_then(|inner| inner.downcast().ok());
        match inner.map(|inner: Box<SendTimeoutError<()>>| *inner) {
            Some(SendTimeoutError::Timeout(())) => TrySendError::Full(()),
            Some(SendTimeoutError::Closed(())) => TrySendError::Closed(()),
            Some(SendTimeoutError::Disconnected(())) => TrySendError::Disconnected(()),
            why => {
                TrySendError::Failed((), why.and_then(|why| why.fault()).unwrap_or(Fault::Forked))
            }
        }
    };
    let end = |why: ringway::SendError<()>| match why {
        ringway::SendError::Disconnected(()) => TrySendError::Disconnected(()),
        ringway::SendError::Failed((), fault) => TrySendError::Failed((), fault),
        _ => TrySendError::Closed(()),
    };
    let mut writer = out.begin().map_err(end)?;
    writer.set_timeout(Duration::ZERO);
    let (first, rest) = record.split_at(8);
    writer.write_all(first).map_err(failed)?;
    writer.flush().map_err(failed)?;
    writer.write_all(rest).map_err(failed)?;
    writer.commit().map_err(end)
}

/// Receives the next record that is there whole; those that came to nothing are passed over.
fn recv_whole(input: &mut Connection) -> Result<Result<u64>, TryRecvError> {
    loop {
        match input.try_recv() {
            Err(TryRecvError::Failed(Fault::CutShort | Fault::LostInPart)) => {}
            received => return received.map(|record| number_of_bytes(&record)),
        }
    }
}

impl Pair for Streaming {
    const NAME: &'static str = "streaming";
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
        send_in_two(out, &bytes(number))
    }
    fn try_recv(input: &mut Connection) -> Result<Result<u64>, TryRecvError> {
        recv_whole(input)
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

fn stage(name: &'static str, messages: &[u64], moved: (bool, bool)) -> Left {
    Left { name, messages: messages.to_vec(), moved, closed: (false, false) }
}

fn scene(
    name: &'static str,
    before: u64,
    act: Act<Streaming>,
    stages: &[Left],
) -> PairScene<Streaming> {
    let stages = stages.into();
    PairScene { name, passed: 3, before, stale: false, hasty_heir: false, act, stages }
}

/// All of them.
pub fn all() -> Vec<Box<dyn Scene>> {
    let recv = |input: &mut Connection| {
        let received = marked(|| input.try_recv());
        received.iter().map(|record| number_of_bytes(record).expect("it is whole")).collect()
    };
    let stages =
        [stage("nothing", &[1, 2], (false, false)), stage("in part, or all", &[2], (false, true))];
    let hasty = |name, scene| PairScene { name, hasty_heir: true, ..scene };
    let scenes = [
        sending(),
        dropping(),
        scene("recv", 2, Act::In(recv), &stages),
        hasty("send, an heir sends at once", sending()),
        hasty("write, drop, an heir sends at once", dropping()),
    ];
    scenes.into_iter().map(|scene| Box::new(scene) as Box<dyn Scene>).collect()
}

fn sending() -> PairScene<Streaming> {
    let send = |out: &mut Connection| {
        let record = bytes(100);
        marked(|| send_in_two(out, &record)).map_or_else(|_| Vec::new(), |()| vec![100])
    };
    let stages = [
        stage("nothing", &[1], (false, false)),
        stage("in part", &[1], (true, false)),
        stage("sent", &[1, 100], (true, false)),
    ];
    scene("send", 1, Act::Out(send), &stages)
}

/// A record that is begun and given up.
fn dropping() -> PairScene<Streaming> {
    let drop_it = |out: &mut Connection| {
        let operation = || {
            let mut writer = out.begin().map_err(drop)?;
            writer.write_all(&[7; 8]).map_err(drop)?;
            writer.flush().map_err(drop)
        };
        marked(operation).expect("there is room");
        Vec::new()
    };
    let stages = [stage("nothing", &[1], (false, false)), stage("in part", &[1], (true, false))];
    scene("write, drop", 1, Act::Out(drop_it), &stages)
}
