//! Sending values of any type.

use std::time::Duration;

use serde::Serialize;

use super::super::Message;
use super::super::send::{Sender, WriteGrant};
use super::{Postcard, measure, write};
use crate::channel::lane::Unsent;
use crate::error::{SendError, SendTimeoutError, TrySendError};
use crate::event::Deadline;

impl<T: Serialize> Sender<Postcard<T>>
where
    Postcard<T>: Message<Carried = [u8]>,
{
    /// Appends `value` if there is room now. It is serialised straight into its place.
    ///
    /// # Errors
    ///
    /// Why it was not sent: also [`Fault::TooLong`](crate::Fault::TooLong) and [`Fault::Unserializable`](crate::Fault::Unserializable). Then nobody sees anything of it.
    ///
    /// # Panics
    ///
    /// Where `T`'s `Serialize` does; nobody sees anything of the value.
    pub fn try_send_value(&self, value: &T) -> Result<(), TrySendError<()>> {
        let sent = put(value, |len| self.try_grant(len));
        sent.map_err(|why| why.give_back(()))
    }

    /// Appends `value`, waiting for room. It is serialised straight into its place.
    ///
    /// # Errors
    ///
    /// Why it cannot be sent: also [`Fault::TooLong`](crate::Fault::TooLong) and [`Fault::Unserializable`](crate::Fault::Unserializable). Then nobody sees anything of it.
    ///
    /// # Panics
    ///
    /// Where `T`'s `Serialize` does; nobody sees anything of the value.
    pub fn send_value(&self, value: &T) -> Result<(), SendError<()>> {
        let sent = put(value, |len| self.grant_until(len, Deadline::NEVER));
        sent.map_err(|why| why.give_back_final(()))
    }

    /// Appends `value`, waiting for room at most `timeout`. Zero tries once. It is serialised straight into its place.
    ///
    /// # Errors
    ///
    /// Why it was not sent: also [`Fault::TooLong`](crate::Fault::TooLong) and [`Fault::Unserializable`](crate::Fault::Unserializable). Then nobody sees anything of it.
    ///
    /// # Panics
    ///
    /// Where `T`'s `Serialize` does; nobody sees anything of the value.
    pub fn send_value_timeout(
        &self,
        value: &T,
        timeout: Duration,
    ) -> Result<(), SendTimeoutError<()>> {
        let sent = put(value, |len| self.grant_until(len, Deadline::after(timeout)));
        sent.map_err(|why| why.give_back_late(()))
    }
}

/// Measures, reserves, serialises, commits. A grant that is dropped on the way, by a panic too, sends nothing.
fn put<T: Serialize>(
    value: &T,
    reserve: impl FnOnce(usize) -> Result<WriteGrant<Postcard<T>>, Unsent>,
) -> Result<(), Unsent>
where
    Postcard<T>: Message<Carried = [u8]>,
{
    let mut grant = reserve(measure(value).map_err(Unsent::Failed)?)?;
    let written = write(value, grant.bytes_mut()).map_err(Unsent::Failed)?;
    grant.shorten(written);
    grant.commit_bytes().map_err(Unsent::Failed)
}
