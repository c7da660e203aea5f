//! What objects have lent to sessions: a lease counts itself while it lives.
//!
//! It is counted in the rows of whom it was lent to and of the object that lent it, when it is made. One that is dropped, wherever
//! that is, is noted here, and taken off those rows before the next answer goes out.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::super::object::SessionId;
use super::counters::{Counters, Lent};

/// What an object has lent to a session. The object keeps it for as long as it is lent, and drops it when it comes back.
///
/// So there is nothing to count: the counters of both ([`inspect`](crate::manager::inspect)) show the leases that there are, until one has been
/// dropped and the server gives its next answer. An object that goes drops what it has. What a session had when it ended is the
/// object's to drop, in [`session_ended`](crate::manager::Object::session_ended): until then the object shows it.
///
/// ```
/// use ringway::manager::{
///     Answer, Arguments, Caller, Client, Lease, Object, Refusal, Server, inspect,
/// };
///
/// /// A pen that one has at a time.
/// struct Pen(Option<Lease>);
///
/// impl Pen {
///     fn take_from(&mut self, caller: &Caller<'_>) {
///         self.0.take_if(|lease| lease.to() == caller.session());
///     }
/// }
///
/// impl Object for Pen {
///     const TYPE: &'static str = "pen";
///
///     fn create(arguments: Arguments<'_>) -> Result<Self, Refusal> {
///         arguments.finish()?;
///         Ok(Self(None))
///     }
///
///     fn call(
///         &mut self,
///         method: &str,
///         _: Arguments<'_>,
///         caller: &mut Caller<'_>,
///     ) -> Result<Answer, Refusal> {
///         match method {
///             "take" if self.0.is_none() => {
///                 self.0 = Some(caller.lend(caller.session()));
///                 Ok(Answer::value(&true)?.needs_ack())
///             }
///             "take" => Answer::value(&false),
///             "give back" => {
///                 self.take_from(caller);
///                 Ok(Answer::nothing())
///             }
///             _ => Err(Refusal::UnknownMethod(method.to_owned())),
///         }
///     }
///
///     fn undo(&mut self, caller: &mut Caller<'_>) {
///         self.take_from(caller);
///     }
///
///     fn session_ended(&mut self, _: bool, caller: &mut Caller<'_>) {
///         self.take_from(caller);
///     }
/// }
///
/// let name = format!("desk-{}", std::process::id());
/// let mut server = Server::bind(&name)?;
/// server.register::<Pen>();
/// let server = server.spawn();
/// let client = Client::connect(&name)?;
/// let pen = client.create_object::<Pen>(Some("pen"), &())?;
/// assert!(pen.call::<bool>("take", &())?);
/// assert_eq!(inspect(&name)?.sessions[0].counts.leases, 1);
/// pen.call::<()>("give back", &())?;
/// assert_eq!(inspect(&name)?.sessions[0].counts.leases, 0);
/// # drop((pen, client));
/// # server.shutdown()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "what is dropped has come back"]
pub struct Lease {
    to: SessionId,
    lent: Lent,
    returns: Arc<Returns>,
}

/// Leases that were dropped and are still counted.
#[derive(Debug, Default)]
pub(super) struct Returns {
    any: AtomicBool,
    lent: Mutex<Vec<Lent>>,
}

impl Lease {
    pub(super) fn new(to: SessionId, lent: Lent, returns: &Arc<Returns>) -> Self {
        Self { to, lent, returns: Arc::clone(returns) }
    }

    /// Whose it is.
    pub fn to(&self) -> SessionId {
        self.to
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.returns.lent().push(self.lent);
        self.returns.any.store(true, Relaxed);
    }
}

impl fmt::Debug for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Lease").field(&self.to).finish()
    }
}

impl Returns {
    fn lent(&self) -> MutexGuard<'_, Vec<Lent>> {
        self.lent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes them off.
    #[inline]
    pub(super) fn settle(&self, counters: &mut Counters) {
        // One that another thread drops meanwhile is counted until the next time.
        if self.any.load(Relaxed) {
            self.settle_some(counters);
        }
    }

    #[cold]
    fn settle_some(&self, counters: &mut Counters) {
        let mut lent = self.lent();
        self.any.store(false, Relaxed);
        lent.drain(..).for_each(|lent| counters.count_lent(lent, -1));
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;
    use crate::manager::inspect::{LEASES, SERVER, WAITING, options, row};
    use crate::manager::place::Place;
    use crate::manager::{Answer, Arguments, Caller, Client, Object, Refusal, Server, Ticket};

    /// What one gives back is told to another, who looks before that call is done.
    static LOOKED: AtomicBool = AtomicBool::new(false);

    fn wait_until(condition: impl Fn() -> bool) {
        let begun = Instant::now();
        while !condition() {
            assert!(begun.elapsed() < Duration::from_mins(1), "it does not come to that");
            std::thread::yield_now();
        }
    }

    #[derive(Default)]
    struct Pen {
        lease: Option<Lease>,
        waits: Option<Ticket>,
    }

    impl Object for Pen {
        const TYPE: &'static str = "pen";

        fn create(_: Arguments<'_>) -> Result<Self, Refusal> {
            Ok(Self::default())
        }

        fn call(
            &mut self,
            method: &str,
            _: Arguments<'_>,
            caller: &mut Caller<'_>,
        ) -> Result<Answer, Refusal> {
            match method {
                "take" => self.lease = Some(caller.lend(caller.session())),
                "wait" => {
                    self.waits = Some(caller.ticket());
                    return Ok(Answer::later());
                }
                _ => {
                    self.lease = None;
                    caller.answer(self.waits.expect("one waits"), Ok(Answer::nothing()));
                    wait_until(|| LOOKED.load(Relaxed));
                }
            }
            Ok(Answer::nothing())
        }
    }

    #[test]
    fn who_has_an_answer_finds_what_came_back_before_it() {
        let name = format!("unit-leases-{}", std::process::id());
        let mut server = Server::bind(&name).unwrap();
        server.register::<Pen>();
        let server = server.spawn();
        let client = Client::connect(&name).unwrap();
        let held = options(&Place::new(&name)).open(&format!("{name}.counters")).unwrap();
        let seen = |place: usize| {
            let mut numbers = [0; LEASES + 1];
            assert!(row(held.atomics(), SERVER).unwrap().read(&mut numbers));
            numbers[place]
        };
        let pen = client.create_object::<Pen>(None, &()).unwrap();
        pen.call::<()>("take", &()).unwrap();
        assert_eq!(seen(LEASES), 1);
        std::thread::scope(|scope| {
            let waits = scope.spawn(|| {
                pen.call::<()>("wait", &()).unwrap();
                let leases = seen(LEASES);
                LOOKED.store(true, Relaxed);
                leases
            });
            wait_until(|| seen(WAITING) == 1);
            pen.call::<()>("give back", &()).unwrap();
            assert_eq!(waits.join().unwrap(), 0);
        });
        drop((pen, client));
        server.shutdown().unwrap();
    }
}
