//! The sending half of a connection: how a reply goes out.
//!
//! It never waits: what does not go whole goes in parts, each when it is asked for.

use std::sync::Arc;

use super::super::item::ObjectNumber;
use super::super::object::SessionId;
use super::super::wire::{self, Reply};
use super::counters::RowId;
use super::round::Bell;
use crate::channel::pipe;
use crate::error::TrySendError;
use crate::primitive::copy;

/// The sending half of a connection.
pub(super) struct Line {
    pub sender: pipe::Sender,
    pub session: SessionId,
    /// Of the session.
    pub row: RowId,
    pub bell: Arc<Bell>,
    /// The call that is to be answered later.
    pub waiting: Option<(u64, ObjectNumber)>,
    /// Noted as called by the session already.
    pub last_called: ObjectNumber,
    pub unacknowledged: Vec<Unacknowledged>,
    /// A reply that goes in parts, and how much of it went.
    pub long: Option<(u64, Vec<u8>, usize)>,
    /// It is to be ended.
    pub doomed: bool,
}

/// An answer that nobody said yet was taken.
pub(super) struct Unacknowledged {
    pub request: u64,
    /// The object that wants to know.
    pub object: Option<ObjectNumber>,
    pub references: Vec<ObjectNumber>,
}

/// Bytes that the head of a part takes at most.
const HEAD: usize = 32;

impl Line {
    /// Sends a reply, in parts if it must.
    pub(super) fn post(&mut self, request: u64, head: &[u8], body: &[u8]) {
        if head.len() + body.len() <= self.sender.max_whole_len() {
            self.put(head, body);
        } else {
            self.long = Some((request, [head, body].concat(), 0));
            self.post_part();
        }
    }

    pub(super) fn post_part(&mut self) {
        let Some((request, frame, at)) = self.long.take() else { return };
        let room = self.sender.max_whole_len().saturating_sub(HEAD).max(1);
        let end = frame.len().min(at + room);
        let mut head = Vec::with_capacity(HEAD);
        let part = Reply::Part { request, total: frame.len() as u64 };
        wire::append(&part, &mut head).expect("a head has a form");
        self.put(&head, &frame[at..end]);
        if end < frame.len() {
            self.long = Some((request, frame, end));
        }
    }

    /// One that has no room for an answer has left others lying. One that has gone is found to be so by who receives.
    pub(super) fn put(&mut self, head: &[u8], body: &[u8]) {
        match self.sender.try_reserve(head.len() + body.len()) {
            Ok(mut place) => {
                let (first, second) = place.split_at_mut(head.len());
                copy(first, head);
                copy(second, body);
                // What was closed meanwhile has nobody to tell.
                let _ = place.commit();
            }
            Err(TrySendError::Full(()) | TrySendError::Failed((), _)) => self.doom(),
            Err(_) => {}
        }
    }

    pub(super) fn doom(&mut self) {
        self.doomed = true;
        self.bell.ring();
    }
}
