//! A loop: a thread that looks after some connections.
//!
//! It takes one frame of each that has one, round after round, so who floods takes no more turns than anybody else. While
//! nothing comes it looks for a moment, then sleeps at all of them. Besides it has a bell, by which other threads tell it that it
//! has a new connection, or one to end, or that the server shuts down.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::JoinHandle;

use super::guest::Guest;
use super::turns::Turns;
use super::{BindError, Loop, Shared};
use crate::channel::queue;
use crate::error::{Error, TryRecvError};
use crate::event::Wait;
use crate::primitive::yield_now;
use crate::select::{Selectable, Selector};

/// So many connections at most has a loop: with bell and door not more than a selector takes.
pub(super) const MOST: usize = 100;
/// Rounds without a frame before it sleeps.
const EMPTY: u32 = 200;
/// Rounds between two looks at bell and door.
const DOOR: u32 = 16;
/// So many are let in before those who are in have their turn.
const KNOCKS: u32 = 4;

/// Wakes a loop.
pub(super) struct Bell(queue::Sender<u64>);

impl Bell {
    pub(super) fn ring(&self) {
        // If it is full it rings already.
        let _ = self.0.try_send(1);
    }
}

fn bell() -> Result<(Arc<Bell>, queue::Receiver<u64>), Error> {
    let queue = queue::Queue::<u64>::options().capacity(4).max_members(2).unnamed()?;
    Ok((Arc::new(Bell(queue.sender())), queue.receiver()))
}

/// One thread's.
pub(super) struct Round {
    pub(super) shared: Arc<Shared>,
    number: usize,
    bell: queue::Receiver<u64>,
    /// The first loop has it.
    pub(super) door: Option<queue::Queue<[u8]>>,
    knocks: Option<queue::Receiver<[u8]>>,
    /// Else the door would be deserted, and so no place to wait at, whenever no client is there.
    doorstep: Option<queue::Sender<[u8]>>,
    guests: Vec<Guest>,
    selector: Selector,
    frame: Vec<u8>,
    turns: Turns,
    /// The threads of the other loops.
    threads: Vec<JoinHandle<()>>,
}

impl Round {
    /// The first loop, which also looks after the door.
    pub(super) fn first(
        shared: &Arc<Shared>,
        door: queue::Queue<[u8]>,
        knocks: queue::Receiver<[u8]>,
    ) -> Result<Self, BindError> {
        let mut round = Self::new(shared)?;
        round.knocks = Some(knocks);
        round.doorstep = Some(door.sender());
        round.door = Some(door);
        Ok(round)
    }

    fn new(shared: &Arc<Shared>) -> Result<Self, BindError> {
        let (rope, bell) = bell()?;
        let mut loops = shared.loops();
        let number = loops.len();
        loops.push(Loop { bell: rope, inbox: Vec::new(), guests: 0 });
        drop(loops);
        Ok(Self {
            shared: Arc::clone(shared),
            number,
            bell,
            door: None,
            knocks: None,
            doorstep: None,
            guests: Vec::new(),
            selector: Selector::waiting(shared.place.wait),
            frame: Vec::new(),
            turns: Turns::default(),
            threads: Vec::new(),
        })
    }

    /// Until the server shuts down.
    pub(super) fn run(&mut self) {
        let hot = match self.shared.place.wait {
            Wait::Spin => u32::MAX,
            Wait::SpinThenPark => EMPTY,
            Wait::Park => 1,
        };
        let yields = self.shared.place.wait == Wait::SpinThenPark;
        let (mut empty, mut rounds) = (0, 0u32);
        while !self.shared.is_stopping() {
            rounds = rounds.wrapping_add(1);
            if rounds.is_multiple_of(DOOR) {
                self.rung();
                self.knocked();
            }
            if self.go_round(rounds) {
                empty = 0;
                if self.turns.is_over() && yields {
                    yield_now();
                }
            } else if empty < hot {
                empty += 1;
                std::hint::spin_loop();
            } else {
                self.sleep();
                self.guests.iter_mut().for_each(|guest| guest.since = rounds);
                empty = 0;
            }
        }
    }

    /// Takes one frame of each that has one. Whether anybody had.
    fn go_round(&mut self, round: u32) -> bool {
        let (mut any, mut over) = (false, false);
        for guest in self.guests.iter_mut().filter(|guest| guest.is_due(round)) {
            match guest.receiver.try_recv_into(&mut self.frame) {
                Ok(len) => {
                    any = true;
                    guest.since = round;
                    self.turns.took(&mut guest.habit);
                    guest.over = guest.take(&self.shared, &self.frame[..len]).is_err();
                }
                Err(TryRecvError::Empty | TryRecvError::Busy(_)) => {}
                Err(_) => guest.over = true,
            }
            over |= guest.over;
        }
        if over {
            self.part();
        }
        any
    }

    /// Ends the connections that are over.
    fn part(&mut self) {
        let mut any_first = false;
        for guest in self.guests.extract_if(.., |guest| guest.over) {
            any_first |= guest.is_first;
            self.shared.part_from(&guest);
            self.shared.loops()[self.number].guests -= 1;
        }
        if any_first {
            // Of clients that were killed before they said that they were there.
            let place = &self.shared.place;
            place.pipe(0).sweep(&place.pipes());
        }
    }

    /// Waits for whatever comes first.
    fn sleep(&mut self) {
        let mut sources: Vec<&dyn Selectable> = Vec::with_capacity(self.guests.len() + 2);
        sources.push(&self.bell);
        sources.extend(self.knocks.as_ref().map(|knocks| knocks as &dyn Selectable));
        sources.extend(self.guests.iter().map(|guest| &guest.receiver as &dyn Selectable));
        // One that cannot be waited for is found by the round that follows.
        let _ = self.selector.wait(&sources);
        self.rung();
        self.knocked();
    }

    /// Does what the bell may be for.
    fn rung(&mut self) {
        let mut any = false;
        while self.bell.try_recv().is_ok() {
            any = true;
        }
        if !any {
            return;
        }
        self.admit();
        let hub = self.shared.hub();
        let mut over = false;
        for guest in &mut self.guests {
            guest.over |= hub.exchange.is_doomed(guest.connection);
            over |= guest.over;
        }
        drop(hub);
        if over {
            self.part();
        }
    }

    /// Takes in those that it was given to look after.
    fn admit(&mut self) {
        let inbox = std::mem::take(&mut self.shared.loops()[self.number].inbox);
        for guest in inbox {
            if self.frame.len() < guest.whole {
                self.frame.resize(guest.whole, 0);
            }
            self.guests.push(guest);
        }
    }

    /// Lets in who is at the door.
    fn knocked(&mut self) {
        let knock = |knocks: &queue::Receiver<[u8]>| knocks.try_recv().ok();
        for _ in 0..KNOCKS {
            let Some(hello) = self.knocks.as_ref().and_then(knock) else { return };
            if self.shared.is_stopping() {
                return;
            }
            self.shared.answer_door(&hello, &mut self.threads);
            // It may be this loop's.
            self.admit();
        }
    }

    /// Ends all of its connections, and gets no more.
    fn abandon(&mut self) {
        self.shared.loops()[self.number].guests = usize::MAX;
        self.admit();
        for guest in self.guests.drain(..) {
            self.shared.part_from(&guest);
        }
    }

    /// Ends: what clients send from now on is refused. The threads of the other loops.
    pub(super) fn leave(mut self) -> Vec<JoinHandle<()>> {
        drop(self.doorstep.take());
        if let Some(door) = &self.door {
            door.close();
            // It may have been replaced or removed by others.
            let _ = self.shared.place.door().unlink(&self.shared.place.name);
        }
        self.guests.append(&mut self.shared.loops()[self.number].inbox);
        self.guests.iter_mut().for_each(|guest| guest.receiver.close());
        std::mem::take(&mut self.threads)
    }
}

impl Shared {
    /// A loop that has room, or a new one, and its bell.
    pub(super) fn loop_with_room(
        self: &Arc<Self>,
        threads: &mut Vec<JoinHandle<()>>,
    ) -> Result<(usize, Arc<Bell>), BindError> {
        let found = self.loops().iter().position(|each| each.guests < MOST);
        let number = match found {
            Some(number) => number,
            None => self.add_loop(threads)?,
        };
        let bell = Arc::clone(&self.loops()[number].bell);
        Ok((number, bell))
    }

    fn add_loop(self: &Arc<Self>, threads: &mut Vec<JoinHandle<()>>) -> Result<usize, BindError> {
        let mut round = Round::new(self)?;
        let number = round.number;
        let run = move || {
            // No code of objects can panic here: what does is a fault of this library, and none of the other loops'.
            if catch_unwind(AssertUnwindSafe(|| round.run())).is_err() {
                round.abandon();
            }
            round.leave();
        };
        let thread = std::thread::Builder::new().name("ringway-manager".to_owned()).spawn(run);
        match thread {
            Ok(thread) => {
                threads.push(thread);
                Ok(number)
            }
            Err(why) => {
                // Only the first loop adds any, so it is the last.
                self.loops().truncate(number);
                Err(BindError::Thread(why))
            }
        }
    }

    /// Gives a connection to a loop.
    pub(super) fn give(&self, number: usize, guest: Guest) {
        let mut loops = self.loops();
        let to = &mut loops[number];
        if to.guests == usize::MAX {
            // It was abandoned meanwhile.
            drop(loops);
            return self.part_from(&guest);
        }
        to.inbox.push(guest);
        to.guests += 1;
        to.bell.ring();
    }

    /// Ends a connection; its session takes no others if it was the first.
    fn part_from(&self, guest: &Guest) {
        let mut hub = self.hub();
        if guest.is_first
            && let Some(session) = hub.exchange.session_of(guest.connection)
        {
            hub.exchange.close_session(session, false);
        }
        hub.disconnect(guest.connection);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
    use std::time::{Duration, Instant};

    use super::*;
    use crate::manager::object::SessionId;
    use crate::manager::server::Server;
    use crate::manager::{CallError, Client};

    const LONG: Duration = Duration::from_mins(1);

    /// Sessions whose first connection it had take no others, though other loops have more of theirs.
    #[test]
    fn sessions_end_with_the_loop_that_has_their_first_connections() {
        let name = format!("unit-abandoned-{}", std::process::id());
        let Server { shared, door, knocks, office } = Server::bind(&name).unwrap();
        let mut round = Round::first(&shared, door, knocks).unwrap();
        let elsewhere = Round::new(&shared).unwrap();
        let abandoned = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let client = scope.spawn(|| {
                let client = Client::connect(&name)?;
                client.new_value(&1u64)?;
                let begun = Instant::now();
                while !abandoned.load(SeqCst) && begun.elapsed() < LONG {
                    std::thread::yield_now();
                }
                Ok::<_, CallError>(client)
            });
            let begun = Instant::now();
            while round.guests.len() < 2 || round.guests[1].since == 0 {
                assert!(begun.elapsed() < LONG && !client.is_finished(), "it does not come in");
                round.knocked();
                round.go_round(1);
            }
            shared.give(elsewhere.number, round.guests.pop().unwrap());
            let first = &round.guests[0];
            let session: SessionId = shared.hub().exchange.session_of(first.connection).unwrap();
            round.abandon();
            let has_another = shared.hub().exchange.has_ended(session).is_none();
            let takes_more = shared.hub().exchange.takes(session);
            abandoned.store(true, SeqCst);
            drop((client.join().unwrap().unwrap(), office));
            assert_eq!((has_another, takes_more), (true, false));
        });
    }
}
