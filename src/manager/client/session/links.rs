//! The connections of a session: one for each call, kept for the next, or found to be gone, and what that says of the server.

use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use super::super::super::error::{CallError, Refusal};
use super::super::super::wire::Hello;
use super::super::link::Link;
use super::{GONE, GRACE, MOST_IDLE, SHUT_DOWN, Session, left, lock};

impl Session {
    /// A connection for one call.
    #[inline]
    pub(super) fn take_link(&self, limit: Option<Duration>) -> Result<Box<Link>, CallError> {
        if self.is_inherited() {
            return Err(CallError::Forked);
        }
        if self.is_gone() {
            return Err(self.why_gone());
        }
        if self.has_posted.load(Relaxed) || self.has_released.load(Relaxed) {
            return self.take_link_behind(limit);
        }
        self.idle_link(limit)
    }

    /// One for a call that comes after what nobody has waited for.
    #[cold]
    fn take_link_behind(&self, limit: Option<Duration>) -> Result<Box<Link>, CallError> {
        let until = limit.and_then(|limit| Instant::now().checked_add(limit));
        if self.has_posted.load(Relaxed) {
            self.settle(until)?;
        }
        let mut link = self.idle_link(left(until))?;
        if self.has_released.load(Relaxed) {
            self.catch_up(&mut link, until).map_err(|why| self.failed(why))?;
        }
        Ok(link)
    }

    #[inline]
    pub(super) fn idle_link(&self, limit: Option<Duration>) -> Result<Box<Link>, CallError> {
        let idle = lock(&self.idle).pop();
        match idle {
            Some(link) => Ok(link),
            None => self.connect(limit),
        }
    }

    #[cold]
    pub(super) fn connect(&self, limit: Option<Duration>) -> Result<Box<Link>, CallError> {
        let hello = Hello { incarnation: self.incarnation, session: self.number };
        let patience = limit.map_or(self.door.patience, |limit| limit.min(self.door.patience));
        match self.door.connect(hello, self.door.capacity, patience) {
            Ok((link, _)) => Ok(Box::new(link)),
            // Another server has the name, or the one that has it knows the session no more.
            Err(CallError::Refused(Refusal::UnknownObject)) => Err(self.failed(CallError::Stale)),
            Err(CallError::NoServer) => Err(self.failed(CallError::ServerGone)),
            Err(why) => Err(self.failed(why)),
        }
    }

    #[inline]
    pub(super) fn give_back(&self, mut link: Box<Link>) {
        link.rest();
        let mut idle = lock(&self.idle);
        if idle.len() < MOST_IDLE {
            idle.push(link);
        } else {
            drop(idle);
            drop(link);
        }
    }

    /// Notes what an error says of the server.
    #[cold]
    pub(super) fn failed(&self, why: CallError) -> CallError {
        let ended = match why {
            CallError::ShutDown => SHUT_DOWN,
            CallError::ServerGone if self.is_known() => return CallError::CutOff,
            CallError::ServerGone | CallError::NoServer | CallError::Stale => GONE,
            why => return why,
        };
        self.gone.store(ended, Relaxed);
        lock(&self.idle).clear();
        why
    }

    /// Whether the server is there after all, and knows the session: then only one connection has ended.
    fn is_known(&self) -> bool {
        if !self.door.is_served() {
            return false;
        }
        let hello = Hello { incarnation: self.incarnation, session: self.number };
        match self.door.connect(hello, self.door.capacity, GRACE) {
            Ok((link, _)) => {
                self.give_back(Box::new(link));
                true
            }
            // It is the same server: another would have said that it knows none such. Or one that has something else to do.
            Err(CallError::Refused(Refusal::TooMany) | CallError::TimedOut) => true,
            Err(_) => false,
        }
    }

    /// What a call is told whose server was found gone before.
    #[cold]
    pub(super) fn why_gone(&self) -> CallError {
        match self.gone.load(Relaxed) {
            _ if self.door.is_served() => CallError::Stale,
            SHUT_DOWN => CallError::ShutDown,
            _ => CallError::ServerGone,
        }
    }
}
