//! Sleeping and waking, as a station of the library does it.

use ringway::parts::mpmc::{ConsumerSide, Dry, Glimpse, ProducerSide, Refusal, Taken};
use ringway::parts::{Attempt, Deadline, Event, Look, Recheck, wait_at_several};

use super::Queue;
use crate::{PARK, member};

impl Queue {
    /// The event that consumers of member `number` wait at.
    pub fn not_empty(&self, number: u16) -> Event<'_> {
        let local = &self.local[usize::from(number)][0];
        Event::of_many(&self.header.not_empty, local, member(number))
    }

    /// The event that producers of member `number` wait at.
    pub fn not_full(&self, number: u16) -> Event<'_> {
        let local = &self.local[usize::from(number)][1];
        Event::of_many(&self.header.not_full, local, member(number))
    }

    /// Tells consumers that `count` messages are there.
    pub fn tell_receivers(&self, count: u32) {
        if self.ring().consumers_wait() {
            self.not_empty(0).notify(count);
        }
    }

    /// Tells producers that there is room for `count` messages.
    pub fn tell_senders(&self, count: u32) {
        if self.ring().producers_wait() {
            self.not_full(0).notify(count);
        }
    }

    /// Sends `value`, sleeping while there is no room. `number` is the member of `side`.
    ///
    /// # Panics
    ///
    /// When the wait ends without an answer.
    pub fn send(&self, number: u16, side: &ProducerSide, value: u64) -> Result<(), Refusal> {
        let ring = self.ring();
        let attempt = |look: Look| match ring.reserve(side, 0) {
            Err(Refusal::Full) if look.last => {
                ring.consumer_at_work().map_or(Attempt::Idle, Attempt::Held)
            }
            Err(Refusal::Full) => Attempt::Idle,
            Err(Refusal::Held(member)) => Attempt::Held(member),
            done => Attempt::Ready(done),
        };
        let recheck = &mut Recheck::default();
        let event = self.not_full(number);
        let claimed = event.wait_until(PARK, recheck, Deadline::NEVER, attempt, || ring.has_room());
        ring.fill_with(claimed.expect("it has no deadline")?, &value);
        self.tell_receivers(1);
        Ok(())
    }

    /// Claims a message, sleeping while there is none. `number` is the member of `side`.
    ///
    /// # Panics
    ///
    /// When the wait ends without an answer.
    pub fn await_claim(&self, number: u16, side: &ConsumerSide) -> Result<Taken, Dry> {
        let ring = self.ring();
        let take = || loop {
            match ring.take(side) {
                Err(Dry::Skipped) => self.tell_senders(1),
                done => return done,
            }
        };
        let attempt = |look: Look| match take() {
            Err(Dry::Empty) if look.last => {
                ring.producer_at_work().map_or(Attempt::Idle, Attempt::Held)
            }
            Err(Dry::Empty) => Attempt::Idle,
            Err(Dry::Busy(member)) => Attempt::Held(member),
            done => Attempt::Ready(done),
        };
        let recheck = &mut Recheck::default();
        let event = self.not_empty(number);
        let taken = event.wait_until(PARK, recheck, Deadline::NEVER, attempt, || ring.has_more());
        taken.expect("it has no deadline")
    }

    /// Receives a value, sleeping while there is none. `number` is the member of `side`.
    pub fn recv(&self, number: u16, side: &ConsumerSide) -> Result<u64, Dry> {
        let (ring, claim) = (self.ring(), self.await_claim(number, side)?);
        let value = ring.copy(&claim);
        ring.acknowledge(claim);
        self.tell_senders(1);
        Ok(value)
    }

    /// Waits as a receiver of member `number` at both `places` until one has something, and leaves it. Says which.
    ///
    /// # Panics
    ///
    /// When the wait ends without an answer.
    pub fn select(places: [&Queue; 2], number: u16) -> usize {
        // As a station of the library looks, and a selector at each.
        let glance = |place: &Queue, look: Look| match place.ring().glimpse() {
            Glimpse::Something => Attempt::Ready(()),
            Glimpse::Busy(member) => Attempt::Held(member),
            Glimpse::Nothing if look.last => {
                place.ring().producer_at_work().map_or(Attempt::Idle, Attempt::Held)
            }
            Glimpse::Nothing => Attempt::Idle,
        };
        let attempt = |look| {
            let mut outcome = Attempt::Idle;
            for (at, place) in places.iter().enumerate() {
                match glance(place, look) {
                    Attempt::Ready(()) => return Attempt::Ready(at),
                    Attempt::Held(member) => outcome = Attempt::Held(member),
                    Attempt::Idle => {}
                }
            }
            outcome
        };
        let more = |at: usize| places[at].ring().has_more();
        let events = places.map(|place| place.not_empty(number));
        let recheck = &mut Recheck::default();
        wait_at_several(&events, PARK, recheck, Deadline::NEVER, attempt, more)
            .expect("it has no deadline")
    }
}
