//! Receiving values of any type.

use std::time::Duration;

use serde::de::DeserializeOwned;

use super::super::Message;
use super::super::recv::{Delivery, Receiver};
use super::{Postcard, read};
use crate::error::{Fault, RecvError, RecvTimeoutError, TryRecvError};
use crate::event::Deadline;

/// A message that is no value of `T` is a [`Fault::Undecodable`]. In a queue with dead letters such a delivery came to nothing: the
/// message comes again, and goes to the dead letters after as many deliveries as are allowed. In any other queue it is
/// taken out, because it would be first in line for ever. Who wants to decide receives by guard.
impl<T: DeserializeOwned> Receiver<Postcard<T>>
where
    Postcard<T>: Message<Carried = [u8]>,
{
    /// Takes the next value if there is one now, and acknowledges it.
    ///
    /// # Errors
    ///
    /// Why there is none; [`Fault::Undecodable`].
    pub fn try_recv_value(&self) -> Result<T, TryRecvError> {
        self.open(self.try_recv_value_guard()?).map_err(TryRecvError::Failed)
    }

    /// Takes the next value, waiting for it, and acknowledges it.
    ///
    /// # Errors
    ///
    /// Why none can come any more; [`Fault::Undecodable`].
    pub fn recv_value(&self) -> Result<T, RecvError> {
        self.open(self.recv_value_guard()?).map_err(RecvError::Failed)
    }

    /// Takes the next value, waiting for it at most `timeout`, and acknowledges it. Zero tries once.
    ///
    /// # Errors
    ///
    /// Why there was none; [`Fault::Undecodable`].
    pub fn recv_value_timeout(&self, timeout: Duration) -> Result<T, RecvTimeoutError> {
        self.open(self.recv_value_guard_timeout(timeout)?).map_err(RecvTimeoutError::Failed)
    }

    /// The next value, to be read where it lies and acknowledged later, if there is one now.
    ///
    /// # Errors
    ///
    /// Why there is none.
    pub fn try_recv_value_guard(&self) -> Result<Delivery<Postcard<T>>, TryRecvError> {
        Ok(self.guard(self.take_measured()?))
    }

    /// The next value, to be read where it lies and acknowledged later, waiting for it.
    ///
    /// # Errors
    ///
    /// Why none can come any more.
    pub fn recv_value_guard(&self) -> Result<Delivery<Postcard<T>>, RecvError> {
        Ok(self.guard(self.take_measured_until(Deadline::NEVER)?))
    }

    /// The next value, to be read where it lies and acknowledged later, waiting for it at most `timeout`.
    ///
    /// # Errors
    ///
    /// Why there was none.
    pub fn recv_value_guard_timeout(
        &self,
        timeout: Duration,
    ) -> Result<Delivery<Postcard<T>>, RecvTimeoutError> {
        Ok(self.guard(self.take_measured_until(Deadline::after(timeout))?))
    }

    /// The values that come until the queue ends, waiting for each.
    ///
    /// It ends at a fault too; [`recv_value`](Self::recv_value) afterwards tells what comes behind it.
    pub fn values(&self) -> impl Iterator<Item = T> {
        std::iter::from_fn(|| self.recv_value().ok())
    }

    /// Reads the value and acknowledges it.
    fn open(&self, delivery: Delivery<Postcard<T>>) -> Result<T, Fault> {
        let value = delivery.value();
        match value {
            // Such a queue delivers at least once: it comes again.
            Err(_) if self.has_dead_letters() => drop(delivery),
            _ => delivery.ack(),
        }
        value
    }
}

impl<T: DeserializeOwned> Delivery<Postcard<T>>
where
    Postcard<T>: Message<Carried = [u8]>,
{
    /// Reads the value where it lies. The message stays as it is, also if it is no value of `T`: [`ack`](Self::ack) takes it
    /// out of the queue.
    ///
    /// # Errors
    ///
    /// [`Fault::Undecodable`].
    pub fn value(&self) -> Result<T, Fault> {
        read(self.bytes())
    }
}
