//! What the channels between threads have in common: they have calls that try and calls that wait.
//!
//! Each work goes by whichever was the faster for the channel. A call that waits looks a few times, yields and sleeps
//! as suits the channel, where trying again and again disturbs those that lock it; for single messages to and fro
//! trying is the faster. Works that park always wait.

use super::prelude::*;
use crate::workload::Shape;

/// A channel's end that sends. That nobody receives is a panic.
pub trait Sends<T>: Send + 'static {
    fn try_put(&self, message: T) -> bool;
    fn put(&self, message: T);
}

/// A channel's end that receives. That nobody sends is a panic.
pub trait Receives<T>: Send + 'static {
    fn try_get(&self) -> Option<T>;
    fn get(&self) -> T;
}

/// The ends that a work needs, made beforehand.
pub struct Channel<S, R> {
    senders: Vec<S>,
    receivers: Vec<R>,
    waits: bool,
}

/// An end, and whether it waits where it is asked to try. (Then what it tries always succeeds.)
pub struct End<E>(E, bool);

impl<S, R> Channel<S, R> {
    /// Of `senders` and `receivers`; `waits` says whether this work goes by the calls that wait.
    pub fn new(senders: Vec<S>, receivers: Vec<R>, waits: bool) -> Self {
        Self { senders, receivers, waits }
    }

    /// Of as many clones of its ends as `workload` needs.
    pub fn of(workload: &Workload, (sender, receiver): (S, R), waits: bool) -> Self
    where
        S: Clone,
        R: Clone,
    {
        let (senders, receivers) = workload.parties();
        Self::new(vec![sender; senders], vec![receiver; receivers], waits)
    }
}

pub fn is_stream(workload: &Workload) -> bool {
    workload.shape == Shape::Stream
}

pub fn is_crowd(workload: &Workload) -> bool {
    matches!(workload.shape, Shape::Crowd { .. })
}

impl<const W: usize, S: Sends<[u64; W]>, R: Receives<[u64; W]>> Hub<W> for Channel<S, R> {
    type Out = End<S>;
    type In = End<R>;

    fn sender(&mut self) -> End<S> {
        End(self.senders.pop().expect("no more senders than the work has"), self.waits)
    }

    fn receiver(&mut self) -> End<R> {
        End(self.receivers.pop().expect("no more receivers than the work has"), self.waits)
    }
}

impl<const W: usize, S: Sends<[u64; W]>> Out<W> for End<S> {
    #[inline(always)]
    fn try_send(&mut self, message: &[u64; W]) -> bool {
        if !self.1 {
            return self.0.try_put(*message);
        }
        self.0.put(*message);
        true
    }

    #[inline(always)]
    fn send(&mut self, message: &[u64; W]) {
        self.0.put(*message);
    }
}

impl<const W: usize, R: Receives<[u64; W]>> In<W> for End<R> {
    #[inline(always)]
    fn try_recv(&mut self, mut look: impl FnMut(&[u64; W])) -> bool {
        let message = if self.1 { Some(self.0.get()) } else { self.0.try_get() };
        message.is_some_and(|message| {
            look(&message);
            true
        })
    }

    #[inline(always)]
    fn recv(&mut self, mut look: impl FnMut(&[u64; W])) {
        look(&self.0.get());
    }
}
