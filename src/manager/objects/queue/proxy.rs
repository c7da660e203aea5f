//! In a client: a queue of items.

use std::time::Duration;

use super::{Line, QueueError, State};
use crate::manager::{CallError, Client, Encoder, Item};

proxy! {
    /// A queue of items that a server keeps: any number put, any number get, each item once, in the order in which they were put.
    ///
    /// It holds as many items as it is bound to, or any number while the server has memory. Who waits is served in the order of coming.
    ///
    /// An item is taken when its getter's client has acknowledged it, which it does before the call returns. If it dies before that,
    /// the item goes back to its place, flagged ([`Delivery::redelivered`]): it may have been seen. Then there may be more items than the
    /// bound for a while.
    ///
    /// ```
    /// use ringway::manager::{Client, Server};
    ///
    /// let name = format!("queue-{}", std::process::id());
    /// let server = Server::bind(&name)?.spawn();
    /// let client = Client::connect(&name)?;
    ///
    /// let jobs = client.queue::<String>("jobs", Some(100))?;
    /// jobs.put(&"cut".to_owned())?;
    /// jobs.put(&"glue".to_owned())?;
    /// jobs.close()?;
    /// assert_eq!(jobs.iter().collect::<Result<Vec<_>, _>>()?, ["cut", "glue"]);
    /// # drop((jobs, client));
    /// # server.shutdown()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    Queue<T>
}

/// An item that was got.
#[derive(Clone, Debug, PartialEq, Eq, serde::Deserialize)]
#[non_exhaustive]
pub struct Delivery<T> {
    /// Whether it was handed out before, to one who died, or whose call came to nothing, before it had taken it.
    pub redelivered: bool,
    /// What was put.
    pub value: T,
}

impl<T: Item> Queue<T> {
    /// Puts `item` at the end, waiting for room.
    ///
    /// # Errors
    ///
    /// [`QueueError::Closed`]; why there is no answer.
    pub fn put(&self, item: &T) -> Result<(), QueueError> {
        self.proxy.call_with::<bool>("put", waiting(item))?;
        Ok(())
    }

    /// Puts `item` at the end if there is room, and nobody waits for some.
    ///
    /// # Errors
    ///
    /// [`QueueError::Full`]; [`QueueError::Closed`]; why there is no answer.
    pub fn try_put(&self, item: &T) -> Result<(), QueueError> {
        let put = self.proxy.call_with("put", |to| {
            to.put(&false)?;
            to.value(item)
        })?;
        if put { Ok(()) } else { Err(QueueError::Full) }
    }

    /// Puts `item` at the end, waiting for room at most `timeout`.
    ///
    /// # Errors
    ///
    /// [`QueueError::Timeout`], and it was not put, unless the server did not even say so (it was stopped, say); [`QueueError::Closed`]; why there is no answer.
    pub fn put_timeout(&self, item: &T, timeout: Duration) -> Result<(), QueueError> {
        self.proxy.call_timeout::<bool>("put", timeout, waiting(item))?;
        Ok(())
    }

    /// Gets the first item, waiting for one.
    ///
    /// # Errors
    ///
    /// [`QueueError::Closed`]; why there is no answer.
    pub fn get(&self) -> Result<T, QueueError> {
        self.get_delivery().map(|delivery| delivery.value)
    }

    /// Gets the first item if there is one, and nobody waits for one.
    ///
    /// # Errors
    ///
    /// [`QueueError::Empty`]; [`QueueError::Closed`]; why there is no answer.
    pub fn try_get(&self) -> Result<T, QueueError> {
        self.try_get_delivery().map(|delivery| delivery.value)
    }

    /// Gets the first item, waiting for one at most `timeout`.
    ///
    /// # Errors
    ///
    /// [`QueueError::Timeout`], and none was taken; [`QueueError::Closed`]; why there is no answer.
    pub fn get_timeout(&self, timeout: Duration) -> Result<T, QueueError> {
        self.get_delivery_timeout(timeout).map(|delivery| delivery.value)
    }

    /// As [`get`](Self::get), with whether the item was handed out before.
    ///
    /// # Errors
    ///
    /// As [`get`](Self::get).
    pub fn get_delivery(&self) -> Result<Delivery<T>, QueueError> {
        there(self.proxy.call_with("get", |to| to.put(&true)))
    }

    /// As [`try_get`](Self::try_get), with whether the item was handed out before.
    ///
    /// # Errors
    ///
    /// As [`try_get`](Self::try_get).
    pub fn try_get_delivery(&self) -> Result<Delivery<T>, QueueError> {
        there(self.proxy.call_with("get", |to| to.put(&false)))
    }

    /// As [`get_timeout`](Self::get_timeout), with whether the item was handed out before.
    ///
    /// # Errors
    ///
    /// As [`get_timeout`](Self::get_timeout).
    pub fn get_delivery_timeout(&self, timeout: Duration) -> Result<Delivery<T>, QueueError> {
        there(self.proxy.call_timeout("get", timeout, |to| to.put(&true)))
    }

    /// Gets one item after the other, waiting for each, until the queue is closed and nothing is left in it.
    pub fn iter(&self) -> Iter<'_, T> {
        Iter { queue: self }
    }

    /// Ends putting for good. What is there can be got; then all who get are told.
    ///
    /// # Errors
    ///
    /// Why there is no answer.
    pub fn close(&self) -> Result<(), CallError> {
        self.proxy.call("close", &())
    }

    /// Says that something that this client got is done.
    ///
    /// # Errors
    ///
    /// [`QueueError::NotOwed`]; why there is no answer.
    pub fn task_done(&self) -> Result<(), QueueError> {
        Ok(self.proxy.call("task_done", &())?)
    }

    /// Waits until all that was put was got and is [done](Self::task_done). Says how many were *lost*, in all: a client that ends with
    /// something that is not done will not do it, and nobody waits for that.
    ///
    /// # Errors
    ///
    /// Why there is no answer.
    pub fn join(&self) -> Result<u64, QueueError> {
        Ok(self.proxy.call("join", &())?)
    }

    /// As [`join`](Self::join), for at most `timeout`.
    ///
    /// # Errors
    ///
    /// [`QueueError::Timeout`]; why there is no answer.
    pub fn join_timeout(&self, timeout: Duration) -> Result<u64, QueueError> {
        Ok(self.proxy.call_timeout("join", timeout, |to| to.put(&()))?)
    }

    /// How many were there, those left out that are on their way to who gets them.
    ///
    /// # Errors
    ///
    /// Why there is no answer.
    pub fn len(&self) -> Result<u64, CallError> {
        Ok(self.state()?.len)
    }

    /// Whether there were none.
    ///
    /// # Errors
    ///
    /// Why there is no answer.
    pub fn is_empty(&self) -> Result<bool, CallError> {
        Ok(self.len()? == 0)
    }

    /// Whether it was closed.
    ///
    /// # Errors
    ///
    /// Why there is no answer.
    pub fn is_closed(&self) -> Result<bool, CallError> {
        Ok(self.state()?.closed)
    }

    /// How many were put and not done.
    ///
    /// # Errors
    ///
    /// Why there is no answer.
    pub fn unfinished(&self) -> Result<u64, CallError> {
        Ok(self.state()?.unfinished)
    }

    /// How many were got by clients that ended before they said that it is done.
    ///
    /// # Errors
    ///
    /// Why there is no answer.
    pub fn lost(&self) -> Result<u64, CallError> {
        Ok(self.state()?.lost)
    }

    /// How many waited for an item.
    ///
    /// # Errors
    ///
    /// Why there is no answer.
    pub fn getters(&self) -> Result<u64, CallError> {
        Ok(self.state()?.getters)
    }

    /// How many waited for room.
    ///
    /// # Errors
    ///
    /// Why there is no answer.
    pub fn putters(&self) -> Result<u64, CallError> {
        Ok(self.state()?.putters)
    }

    fn state(&self) -> Result<State, CallError> {
        self.proxy.call("state", &())
    }
}

/// What writes the arguments of a call that waits for room.
fn waiting<T: Item>(item: &T) -> impl FnOnce(&mut Encoder<'_>) -> Result<(), CallError> {
    move |to| {
        to.put(&true)?;
        to.value(item)
    }
}

fn there<T>(answer: Result<Option<Delivery<T>>, CallError>) -> Result<Delivery<T>, QueueError> {
    answer?.ok_or(QueueError::Empty)
}

/// Gets one item after the other.
#[derive(Debug)]
pub struct Iter<'a, T> {
    queue: &'a Queue<T>,
}

impl<T: Item> Iterator for Iter<'_, T> {
    type Item = Result<T, QueueError>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.queue.get() {
            Err(QueueError::Closed) => None,
            outcome => Some(outcome),
        }
    }
}

impl<'a, T: Item> IntoIterator for &'a Queue<T> {
    type Item = Result<T, QueueError>;
    type IntoIter = Iter<'a, T>;

    fn into_iter(self) -> Iter<'a, T> {
        self.iter()
    }
}

impl Client {
    /// The queue of that name, made if there is none, for at most `bound` items, at least one, or for any number.
    ///
    /// # Errors
    ///
    /// [`Refusal::WrongType`](crate::manager::Refusal::WrongType) if it is something else, of other items or for another number; why there is no answer.
    pub fn queue<T: Item>(&self, name: &str, bound: Option<u64>) -> Result<Queue<T>, CallError> {
        let made = self.make::<Line>(Some(name), of::<T>(bound), |to| to.put(&bound));
        made.map(Queue::of)
    }

    /// A new queue without a name.
    ///
    /// # Errors
    ///
    /// Why there is no answer.
    pub fn new_queue<T: Item>(&self, bound: Option<u64>) -> Result<Queue<T>, CallError> {
        self.make::<Line>(None, of::<T>(bound), |to| to.put(&bound)).map(Queue::of)
    }
}

/// The fingerprint of a queue of that, for so many.
fn of<T: Item>(bound: Option<u64>) -> [u8; 16] {
    let mut fingerprint = crate::manager::item::fingerprint_of::<T>();
    let bound = bound.map_or(0, |bound| bound);
    for (byte, of_bound) in fingerprint.iter_mut().zip(bound.to_le_bytes()) {
        *byte ^= of_bound;
    }
    fingerprint
}
