//! Words that nobody waits for: calls that were posted, references that are given back.
//!
//! They go through a connection that is idle, or else the session's first. A call that begins later waits until the server has answered
//! what was posted. Who must wait takes the connection away to do so: the lock is held for a moment only, and who waits for a connection
//! that is away does so within a limit of its own.

use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::Instant;

use super::super::super::error::CallError;
use super::super::super::item::ObjectNumber;
use super::super::super::proxy::Encoder;
use super::super::super::wire::Request;
use super::super::link::Link;
use super::{Session, left, lock};

/// The connections that words went through, as far as those are not idle.
pub(super) struct Words {
    /// The session's first, unless it is away.
    first: Option<Box<Link>>,
    /// Others, of posted calls.
    #[allow(clippy::vec_box, reason = "they are moved in and out")]
    posted: Vec<Box<Link>>,
    /// Connections at which somebody waits.
    away: u32,
    /// Who waits for one of those to come back.
    waiting: u32,
    /// References that are to be given back and found no room.
    released: Vec<ObjectNumber>,
}

/// A connection that was taken, to be put back where it was.
struct Taken {
    link: Box<Link>,
    is_first: bool,
}

impl Words {
    pub(super) fn new(first: Link) -> Self {
        let (first, posted, released) = (Some(Box::new(first)), Vec::new(), Vec::new());
        Self { first, posted, away: 0, waiting: 0, released }
    }

    /// One with posted calls that may not have been answered.
    fn take_unsettled(&mut self) -> Option<Taken> {
        let posted = self.posted.pop().map(|link| Taken { link, is_first: false });
        posted.or_else(|| {
            let first = self.first.take_if(|link| link.has_unread());
            first.map(|link| Taken { link, is_first: true })
        })
    }

    fn put_back(&mut self, taken: Taken) {
        if taken.is_first {
            self.first = Some(taken.link);
        } else {
            self.posted.push(taken.link);
        }
    }

    /// Gives a reference back, behind what was posted, and those that found no room before. Whether all went.
    pub(super) fn release(&mut self, number: ObjectNumber) -> bool {
        self.released.push(number);
        let Some(link) = self.posted.last_mut().or(self.first.as_mut()) else { return false };
        while let Some(object) = self.released.last() {
            if link.say(&Request::Release { object: *object }).is_err() {
                return false;
            }
            self.released.pop();
        }
        true
    }

    #[cfg(test)]
    pub(super) fn is_any_away(&self) -> bool {
        self.away > 0
    }

    /// The session's last word.
    pub(super) fn say_goodbye(&mut self, idle: &mut [Box<Link>]) {
        let links = self.first.iter_mut().chain(idle);
        // What was not given back is with the session's end. The first may be full.
        let _ = links.map(|link| link.say(&Request::Goodbye)).any(|said| said.is_ok());
    }

    /// Connections of posted calls, which end with their session.
    pub(super) fn drop_posted(&mut self) {
        self.posted.clear();
    }
}

impl Session {
    /// Gives a reference back. It waits for nobody.
    pub(in crate::manager) fn release(&self, number: ObjectNumber) {
        if self.is_inherited() || self.is_gone() {
            return;
        }
        // Before the next call of the same connection: mostly who lets go and calls is taken in that order.
        if !self.has_released.load(Relaxed)
            && !self.has_posted.load(Relaxed)
            && let Some(link) = lock(&self.idle).last_mut()
            && link.say(&Request::Release { object: number }).is_ok()
        {
            return;
        }
        let mut words = lock(&self.words);
        let is_all = words.release(number);
        self.has_released.store(!is_all, Relaxed);
    }

    /// Gives back what found no room, through a connection that a call is to go through then.
    #[cold]
    pub(super) fn catch_up(
        &self,
        link: &mut Link,
        until: Option<Instant>,
    ) -> Result<(), CallError> {
        let mut released = {
            let mut words = lock(&self.words);
            self.has_released.store(false, Relaxed);
            std::mem::take(&mut words.released)
        };
        while let Some(object) = released.last().copied() {
            if let Err(why) = link.tell(&Request::Release { object }, left(until)) {
                lock(&self.words).released.append(&mut released);
                self.has_released.store(true, Relaxed);
                return Err(why);
            }
            released.pop();
        }
        Ok(())
    }

    /// Calls a method whose answer nobody wants, and does not wait for it: for guards that are dropped. Calls of this session that
    /// begin after this come after it at the server too. It makes no connection: where none is idle it takes the first.
    ///
    /// It waits for the server where 31 posted before it have no answer yet, and for a thread that waits at the first connection if it
    /// needs that.
    pub(in crate::manager) fn post(
        self: &Arc<Self>,
        object: ObjectNumber,
        method: &str,
        encode: impl Fn(&mut Encoder<'_>) -> Result<(), CallError>,
    ) -> Result<(), CallError> {
        if self.is_inherited() || self.is_gone() {
            return Err(CallError::Stale);
        }
        let mut words = lock(&self.words);
        loop {
            let Some(mut taken) = self.take_for_words(&mut words) else {
                words = self.wait_for_return(words, None)?;
                continue;
            };
            let link = &mut taken.link;
            link.begin(|request| Request::Call { request, object, method });
            if let Err(why) = encode(&mut Encoder::new(&mut link.frame, self)) {
                link.take_back();
                words.put_back(taken);
                return Err(why);
            }
            let sent;
            (words, sent) = self.send_word(words, link);
            match sent {
                // Another may be there still.
                Err(_) if !taken.is_first => {}
                sent => {
                    words.put_back(taken);
                    self.has_posted.store(true, Relaxed);
                    drop(words);
                    return sent.map_err(|why| self.failed(why));
                }
            }
        }
    }

    /// The connection for the next posted call; none if it is away.
    fn take_for_words(&self, words: &mut Words) -> Option<Taken> {
        let other = words.posted.pop().or_else(|| lock(&self.idle).pop());
        match other {
            Some(link) => Some(Taken { link, is_first: false }),
            None => words.first.take().map(|link| Taken { link, is_first: true }),
        }
    }

    fn send_word<'a>(
        &'a self,
        words: MutexGuard<'a, Words>,
        link: &mut Link,
    ) -> (MutexGuard<'a, Words>, Result<(), CallError>) {
        if link.try_post() { (words, Ok(())) } else { self.apart(words, || link.post()) }
    }

    /// Waits, without the lock, at a connection that was taken.
    #[cold]
    fn apart<'a, R>(
        &'a self,
        mut words: MutexGuard<'a, Words>,
        wait: impl FnOnce() -> R,
    ) -> (MutexGuard<'a, Words>, R) {
        words.away += 1;
        drop(words);
        let result = wait();
        let mut words = lock(&self.words);
        words.away -= 1;
        if words.waiting > 0 {
            self.returned.notify_all();
        }
        (words, result)
    }

    /// Waits until one that is away comes back.
    #[cold]
    fn wait_for_return<'a>(
        &'a self,
        mut words: MutexGuard<'a, Words>,
        until: Option<Instant>,
    ) -> Result<MutexGuard<'a, Words>, CallError> {
        words.waiting += 1;
        let mut words = match left(until) {
            None => self.returned.wait(words).unwrap_or_else(PoisonError::into_inner),
            Some(left) => {
                let outcome = self.returned.wait_timeout(words, left);
                outcome.unwrap_or_else(PoisonError::into_inner).0
            }
        };
        words.waiting -= 1;
        match left(until) {
            Some(left) if left.is_zero() => Err(CallError::TimedOut),
            _ => Ok(words),
        }
    }

    /// Waits until posted calls are done.
    #[cold]
    pub(super) fn settle(&self, until: Option<Instant>) -> Result<(), CallError> {
        let mut words = lock(&self.words);
        loop {
            let Some(mut taken) = words.take_unsettled() else {
                if words.away == 0 {
                    self.has_posted.store(false, Relaxed);
                    return Ok(());
                }
                words = self.wait_for_return(words, until)?;
                continue;
            };
            let mut settled = Ok(());
            if !taken.link.is_settled_soon() {
                let wait = || taken.link.receive(left(until)).map(drop);
                (words, settled) = self.apart(words, wait);
            }
            if taken.is_first || matches!(settled, Err(CallError::TimedOut)) {
                words.put_back(taken);
            } else if settled.is_ok() {
                self.give_back(taken.link);
            }
            if let Err(why) = settled {
                drop(words);
                return Err(self.failed(why));
            }
        }
    }
}
