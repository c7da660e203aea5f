//! A connection: one request at a time goes through it.

use std::time::{Duration, Instant};

use super::super::error::CallError;
use super::super::item::ObjectNumber;
use super::super::wire::{self, Reply, Request, Welcome};
use super::door::has_server;
use crate::channel::pipe;
use crate::channel::queue::Queue;
use crate::error::{
    Fault, RecvError, RecvTimeoutError, SendTimeoutError, TryRecvError, TrySendError,
};
use crate::primitive::{pause, yield_now};

/// A connection that is not in use, or in the hands of one call.
pub(super) struct Link {
    sender: pipe::Sender,
    receiver: pipe::Receiver,
    /// Of the last request.
    request: u64,
    /// Answers to posted calls that nobody has read.
    unread: u32,
    /// It looks out for answers by itself before it sleeps in the pipe.
    looks_out: bool,
    /// Answers in a row that did not come while it looked, but once it let others run.
    in_vain: u32,
    /// A request that is being written.
    pub frame: Vec<u8>,
    buffer: Vec<u8>,
    /// A reply in parts.
    long: Vec<u8>,
}

/// What came for a request.
pub(super) enum Outcome {
    /// Where the answer is in the link's memory.
    Answer {
        needs_ack: bool,
        references: Vec<ObjectNumber>,
        body: Body,
    },
    Refused(super::super::Refusal),
}

/// A place in a link's memory.
#[derive(Clone, Copy)]
pub(super) struct Body {
    is_long: bool,
    start: usize,
    end: usize,
}

/// So many calls in a row may a thread make before it offers the processor to others. Answers come so soon that it would never sleep
/// else, and who was woken there, to make a call of its own perhaps, would wait until the kernel takes the processor away.
const TURN: u64 = 256;
/// Looks for an answer before it lets others run, and how often it does that before it sleeps.
const SPINS: u32 = 60;
/// Looks after [`FUTILE`] answers in a row that did not come while it looked: the server runs on the same processor, it seems. In one of
/// [`PROBE`] calls it looks longer all the same.
const FEW_SPINS: u32 = 10;
const FUTILE: u32 = 3;
const PROBE: u64 = 32;
const YIELDS: u32 = 20;
/// So many answers to posted calls at most lie in the pipe: then the client waits for the server.
const MOST_UNREAD: u32 = 32;
/// Bytes that the head of a part takes at most.
const HEAD: usize = 32;
/// The most that is taken as the length of a reply.
const LONGEST: u64 = 1 << 40;

/// What a receiver that found nothing says of the server.
fn lost(why: RecvTimeoutError) -> CallError {
    match why {
        RecvTimeoutError::Timeout => CallError::TimedOut,
        RecvTimeoutError::Closed => CallError::ShutDown,
        RecvTimeoutError::Disconnected => CallError::ServerGone,
        RecvTimeoutError::Failed(Fault::Forked) => CallError::Forked,
        RecvTimeoutError::Failed(fault) => CallError::Failed(fault),
    }
}

fn ended(why: RecvError) -> CallError {
    lost(match why {
        RecvError::Closed => RecvTimeoutError::Closed,
        RecvError::Disconnected => RecvTimeoutError::Disconnected,
        RecvError::Failed(fault) => RecvTimeoutError::Failed(fault),
    })
}

fn unsent(why: SendTimeoutError<()>) -> CallError {
    lost(match why {
        SendTimeoutError::Timeout(()) => RecvTimeoutError::Timeout,
        SendTimeoutError::Closed(()) => RecvTimeoutError::Closed,
        SendTimeoutError::Disconnected(()) => RecvTimeoutError::Disconnected,
        SendTimeoutError::Failed((), fault) => RecvTimeoutError::Failed(fault),
    })
}

impl Link {
    /// One through which nothing has gone.
    pub(super) fn new(sender: pipe::Sender, receiver: pipe::Receiver, looks_out: bool) -> Self {
        let room = sender.max_whole_len();
        let (frame, buffer, long) = (Vec::new(), vec![0; room], Vec::new());
        let (request, unread, in_vain) = (0, 0, 0);
        Self { sender, receiver, request, unread, looks_out, in_vain, frame, buffer, long }
    }

    /// Waits for the answer to what was said at the door.
    pub(super) fn greeted(
        &mut self,
        door: &Queue<[u8]>,
        recheck: Duration,
        until: Option<Instant>,
    ) -> Result<Welcome, CallError> {
        let frame = loop {
            let left =
                until.map_or(recheck, |until| until.saturating_duration_since(Instant::now()));
            match self.receiver.recv_timeout(left.min(recheck)) {
                Ok(frame) => break frame,
                Err(RecvTimeoutError::Timeout) if !has_server(door) => {
                    return Err(CallError::NoServer);
                }
                Err(RecvTimeoutError::Timeout) if !left.is_zero() => {}
                Err(why) => return Err(lost(why)),
            }
        };
        match wire::read_welcome(&frame) {
            Ok(Ok(welcome)) => Ok(welcome),
            Ok(Err(why)) => Err(CallError::Refused(why)),
            Err(Some(found)) => Err(CallError::Version { found, expected: wire::VERSION }),
            Err(None) => Err(CallError::Garbage("its greeting")),
        }
    }

    /// Begins a request; its arguments are to be appended to `frame`.
    pub(super) fn begin<'a>(&mut self, head: impl FnOnce(u64) -> Request<'a>) {
        self.request += 1;
        self.frame.clear();
        wire::append(&head(self.request), &mut self.frame).expect("a head has a form");
    }

    /// Sends the request, in parts if it must.
    pub(super) fn send(&mut self, timeout: Option<Duration>) -> Result<(), CallError> {
        match self.sender.try_send(&self.frame) {
            Ok(()) => Ok(()),
            Err(TrySendError::Full(())) => self.push(timeout),
            Err(TrySendError::Failed((), Fault::TooLong { max, .. })) => {
                self.send_parts(max, timeout)
            }
            Err(TrySendError::Closed(())) => Err(CallError::ShutDown),
            Err(TrySendError::Disconnected(())) => Err(CallError::ServerGone),
            Err(TrySendError::Failed((), Fault::Forked)) => Err(CallError::Forked),
            Err(TrySendError::Failed((), fault)) => Err(CallError::Failed(fault)),
        }
    }

    fn push(&mut self, timeout: Option<Duration>) -> Result<(), CallError> {
        let timeout = timeout.unwrap_or(Duration::MAX);
        self.sender.send_timeout(&self.frame, timeout).map_err(unsent)
    }

    #[cold]
    fn send_parts(&mut self, max: usize, timeout: Option<Duration>) -> Result<(), CallError> {
        let timeout = timeout.unwrap_or(Duration::MAX);
        let total = self.frame.len() as u64;
        let mut part = Vec::with_capacity(max);
        for chunk in self.frame.chunks(max.saturating_sub(HEAD).max(1)) {
            part.clear();
            let head = Request::Part { request: self.request, total };
            wire::append(&head, &mut part).expect("a head has a form");
            part.extend_from_slice(chunk);
            self.sender.send_timeout(&part, timeout).map_err(unsent)?;
        }
        Ok(())
    }

    /// Waits for what comes for the request. What comes for an earlier one is skipped.
    pub(super) fn receive(&mut self, timeout: Option<Duration>) -> Result<Outcome, CallError> {
        if self.looks_out {
            self.look_out();
        }
        let outcome = self.wait_for(timeout);
        if !matches!(outcome, Err(CallError::TimedOut)) {
            // All those before it came before, or will never come.
            self.unread = 0;
        }
        outcome
    }

    fn wait_for(&mut self, timeout: Option<Duration>) -> Result<Outcome, CallError> {
        let until = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        let mut left = timeout.filter(|_| until.is_some());
        loop {
            let len = match left {
                None => self.receiver.recv_into(&mut self.buffer).map_err(ended)?,
                Some(timeout) => {
                    self.receiver.recv_into_timeout(&mut self.buffer, timeout).map_err(lost)?
                }
            };
            let (head, body) = read(&self.buffer[..len])?;
            let start = len - body;
            match head {
                Reply::Part { request, total } if request == self.request => {
                    if let Some(outcome) = self.gather(start..len, total)? {
                        return Ok(outcome);
                    }
                }
                head => {
                    let body = Body { is_long: false, start, end: len };
                    if let Some(outcome) = self.outcome(head, body) {
                        return Ok(outcome);
                    }
                }
            }
            left = until.map(|until| until.saturating_duration_since(Instant::now()));
        }
    }

    /// Looks for a moment, then lets others run, before it comes to sleeping: where there are more threads than processors the server may
    /// be one that waits for this one's, and one that sleeps costs the server a call of the kernel.
    fn look_out(&mut self) {
        if self.request.is_multiple_of(TURN) {
            yield_now();
        }
        let is_promising = self.in_vain < FUTILE || self.request.is_multiple_of(PROBE);
        let spins = if is_promising { SPINS } else { FEW_SPINS };
        for step in 0..spins + YIELDS {
            if !matches!(self.receiver.try_peek(), Err(TryRecvError::Empty)) {
                self.in_vain = if step < spins { 0 } else { self.in_vain.saturating_add(1) };
                return;
            }
            if step < spins { pause() } else { yield_now() }
        }
        self.in_vain = self.in_vain.saturating_add(1);
    }

    /// What a reply is, if it is to the request.
    fn outcome(&self, head: Reply, body: Body) -> Option<Outcome> {
        match head {
            Reply::Answer { request, needs_ack, references } if request == self.request => {
                Some(Outcome::Answer { needs_ack, references, body })
            }
            Reply::Refused { request, why } if request == self.request => {
                Some(Outcome::Refused(why))
            }
            _ => None,
        }
    }

    /// Adds a part of a reply, and asks for the next, or says what the whole is.
    #[cold]
    fn gather(
        &mut self,
        part: std::ops::Range<usize>,
        total: u64,
    ) -> Result<Option<Outcome>, CallError> {
        self.long.extend_from_slice(&self.buffer[part.clone()]);
        let len = self.long.len() as u64;
        if part.is_empty() || len > total || total > LONGEST {
            return Err(CallError::Garbage("a part of a reply"));
        }
        if len < total {
            self.say(&Request::More { request: self.request })?;
            return Ok(None);
        }
        let (head, body) = read(&self.long)?;
        let end = self.long.len();
        let body = Body { is_long: true, start: end - body, end };
        self.outcome(head, body).map(Some).ok_or(CallError::Garbage("a reply in parts"))
    }

    /// The bytes of an answer.
    pub(super) fn body(&self, body: Body) -> &[u8] {
        let memory = if body.is_long { &self.long } else { &self.buffer };
        &memory[body.start..body.end]
    }

    /// Sends what has no answer of its own.
    pub(super) fn say(&mut self, request: &Request<'_>) -> Result<(), CallError> {
        let mut frame = Vec::with_capacity(HEAD);
        wire::append(request, &mut frame).expect("a head has a form");
        match self.sender.try_send(&frame) {
            Ok(()) => Ok(()),
            Err(TrySendError::Full(())) => Err(CallError::TimedOut),
            Err(TrySendError::Closed(())) => Err(CallError::ShutDown),
            Err(TrySendError::Disconnected(())) => Err(CallError::ServerGone),
            Err(TrySendError::Failed((), fault)) => Err(CallError::Failed(fault)),
        }
    }

    /// Sends what has no answer of its own, waiting for room.
    pub(super) fn tell(
        &mut self,
        request: &Request<'_>,
        timeout: Option<Duration>,
    ) -> Result<(), CallError> {
        let mut frame = Vec::with_capacity(HEAD);
        wire::append(request, &mut frame).expect("a head has a form");
        self.sender.send_timeout(&frame, timeout.unwrap_or(Duration::MAX)).map_err(unsent)
    }

    /// Sends a request whose answer nobody wants. Whether there was room, for it and for its answer.
    pub(super) fn try_post(&mut self) -> bool {
        self.drain();
        let is_sent = self.unread + 1 < MOST_UNREAD && self.sender.try_send(&self.frame).is_ok();
        self.unread += u32::from(is_sent);
        is_sent
    }

    /// The same, waiting for room; for answers too, so that the server has room for more.
    pub(super) fn post(&mut self) -> Result<(), CallError> {
        self.send(None)?;
        self.unread += 1;
        if self.unread >= MOST_UNREAD { self.receive(None).map(drop) } else { Ok(()) }
    }

    /// Reads what has come of posted calls.
    fn drain(&mut self) {
        while self.unread > 0 && self.receiver.try_recv_into(&mut self.buffer).is_ok() {
            self.unread -= 1;
        }
    }

    /// Whether posted calls are answered, looking for a moment.
    pub(super) fn is_settled_soon(&mut self) -> bool {
        if self.looks_out {
            self.look_out();
        }
        self.drain();
        self.unread == 0
    }

    /// The request that was begun is none: it was not sent.
    pub(super) fn take_back(&mut self) {
        self.request -= 1;
    }

    /// Whether answers to posted calls may come yet.
    pub(super) fn has_unread(&self) -> bool {
        self.unread > 0
    }

    /// The number of the request.
    pub(super) fn request(&self) -> u64 {
        self.request
    }

    /// Gives memory back that only a long reply took.
    pub(super) fn rest(&mut self) {
        const SPARE: usize = 1 << 20;
        if self.long.capacity() > SPARE {
            self.long = Vec::new();
        } else {
            self.long.clear();
        }
        if self.frame.capacity() > SPARE {
            self.frame = Vec::new();
        }
    }
}

/// The head of a reply and how long its body is.
fn read(frame: &[u8]) -> Result<(Reply, usize), CallError> {
    let (head, body) = wire::parse(frame).ok_or(CallError::Garbage("a reply"))?;
    Ok((head, body.len()))
}
