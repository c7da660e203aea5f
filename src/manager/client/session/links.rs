//! The connections of a session: one for each call, kept for the next, or found to be gone, and what that says of the server.

use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use super::super::super::error::{CallError, Refusal};
use super::super::super::wire::Hello;
use super::super::link::Link;
use super::{GONE, GRACE, MOST_IDLE, SHUT_DOWN, Session, lock};

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
        if self.has_released.load(Relaxed) {
            self.catch_up(limit)?;
        }
        if self.has_posted.load(Relaxed) {
            self.settle(limit)?;
        }
        self.idle_link(limit)
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
