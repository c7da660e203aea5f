//! What dies half-way, and what is done about the dead.

use loom::sync::atomic::Ordering::{Acquire, Relaxed, Release, SeqCst};
use ringway::parts::reap::{DeliveryPolicy, Reaped, reap};
use ringway::parts::word::{CursorWord, after};

use super::{Queue, receiver};
use crate::member;

impl Queue {
    /// Takes back what member `number` left, delivering again what it had not acknowledged.
    pub fn reap(&self, number: u16) -> Reaped {
        reap(&self.ring(), member(number), DeliveryPolicy::AtLeastOnce)
    }

    /// All that is done about a dead member: its waiter's bits, its claims, and everybody is woken.
    pub fn bury(&self, number: u16) {
        let events = [&self.header.not_empty, &self.header.not_full];
        for event in events {
            event.waiters[0].fetch_and(!(1 << number), SeqCst);
        }
        self.reap(number);
        for event in events {
            event.epoch.fetch_add(1, SeqCst);
            event.epoch.wake(u32::MAX);
        }
    }

    /// Whether anybody's bit says that it waits.
    pub fn anybody_waits(&self) -> bool {
        let events = [&self.header.not_empty, &self.header.not_full];
        events.iter().any(|event| event.waiters[0].load(Acquire) != 0)
    }

    /// The same, dropping what it had not acknowledged.
    pub fn drop_of(&self, number: u16) -> Reaped {
        reap(&self.ring(), member(number), DeliveryPolicy::AtMostOnce)
    }

    /// As member `number`, claims `count` slots to fill, stamps the first `stamps` of them, and is killed. It must be the
    /// first who claims. Whether it got so far: it is killed before that if another was faster.
    pub fn claim_vacant_and_die(&self, number: u16, count: u64, stamps: u64) -> bool {
        let tail = &self.header.tail.tail;
        let seen = CursorWord(tail.load(Acquire));
        let next = CursorWord::new(after(seen.position(), count), number);
        let claimed = tail.compare_exchange(seen.0, next.0, SeqCst, Relaxed).is_ok();
        for distance in 0..if claimed { stamps } else { 0 } {
            let position = after(seen.position(), distance);
            self.store(position, self.geometry().writing(position, number), Release);
        }
        claimed
    }

    /// Puts the first message back and is killed before it is announced. Gives the message.
    ///
    /// # Panics
    ///
    /// When there is none.
    pub fn put_back_and_die(&self) -> u64 {
        let head = CursorWord(self.header.head.head.load(Acquire)).position();
        let claim = self.take(&receiver(1)).expect("a message");
        self.store(head, self.geometry().reading(head, 1).put_back(), Release);
        *self.ring().value(&claim)
    }

    /// The same with `count` messages to read, or slots to pass over where they were aborted.
    pub fn claim_filled_and_die(&self, number: u16, count: u64, stamps: u64) -> bool {
        let head = &self.header.head.head;
        let seen = CursorWord(head.load(Acquire));
        let next = CursorWord::new(after(seen.position(), count), number);
        let claimed = head.compare_exchange(seen.0, next.0, SeqCst, Relaxed).is_ok();
        for distance in 0..if claimed { stamps } else { 0 } {
            let position = after(seen.position(), distance);
            self.store(position, self.geometry().reading(position, number), Release);
        }
        claimed
    }
}
