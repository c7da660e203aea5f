//! A connection as its loop sees it.

use super::super::error::Refusal;
use super::super::item::ObjectNumber;
use super::super::object::Ticket;
use super::super::wire::{self, Request};
use super::Shared;
use super::hub::Violation;
use super::turns::Habit;
use crate::channel::pipe;

/// Rounds after its last frame after which a connection is looked at in one of [`SOME`].
const QUIET: u32 = 16;
const SOME: u64 = 8;

/// The receiving half of a connection.
pub(super) struct Guest {
    pub receiver: pipe::Receiver,
    pub connection: u64,
    /// It is its session's first: when it ends, no others are taken.
    pub is_first: bool,
    /// The longest frame it can send.
    pub whole: usize,
    /// What has come of a request in parts.
    gathered: Vec<u8>,
    /// Which request that is, how long, and how much has come.
    part: Option<((u64, u64), u64)>,
    /// The round of its last frame, or after which all were asleep.
    pub since: u32,
    pub habit: Habit,
    pub over: bool,
}

impl Guest {
    pub(super) fn new(
        receiver: pipe::Receiver,
        connection: u64,
        is_first: bool,
        whole: usize,
    ) -> Self {
        Self {
            receiver,
            connection,
            is_first,
            whole,
            gathered: Vec::new(),
            part: None,
            since: 0,
            habit: Habit::default(),
            over: false,
        }
    }

    /// Whether it gets a look in that round. One that had nothing for long is in some only: most connections are idle, and looks at them
    /// are what the others wait for.
    #[inline]
    pub(super) fn is_due(&self, round: u32) -> bool {
        let quiet = round.wrapping_sub(self.since);
        quiet < QUIET || (self.connection ^ u64::from(round)).is_multiple_of(SOME)
    }

    /// Does what a frame asks for; a request in parts once all of it is there.
    pub(super) fn take(&mut self, shared: &Shared, frame: &[u8]) -> Result<(), Violation> {
        let (head, body) = wire::parse::<Request<'_>>(frame).ok_or(Violation)?;
        let Request::Part { request, total } = head else {
            return shared.hub().take(self.connection, head, body);
        };
        let limit = shared.limits.request as u64;
        let (of, came) = self.part.unwrap_or(((request, total), 0));
        let came = came + body.len() as u64;
        if of != (request, total) || came > total || body.is_empty() {
            return Err(Violation);
        }
        if total <= limit {
            self.gathered.extend_from_slice(body);
        }
        if came < total {
            self.part = Some((of, came));
            return Ok(());
        }
        self.part = None;
        if total > limit {
            let why = Refusal::TooLong { len: total, max: limit };
            let ticket = Ticket { connection: self.connection, request };
            shared.hub().exchange.reply(ticket, ObjectNumber::SERVER, Err(why));
            return Ok(());
        }
        let whole = std::mem::take(&mut self.gathered);
        let (head, body) = wire::parse::<Request<'_>>(&whole).ok_or(Violation)?;
        shared.hub().take(self.connection, head, body)
    }
}
