//! What a handle of a lock knows of where it is: who it is there, how it waits, and whom it can ask about the living.

use std::sync::Arc;

use crate::error::{Fault, MemberId};
use crate::event::{Deadline, Look, Patience, SharedRecheck, Turn, wait_at_word};
use crate::lock::holder::Holder;
use crate::lock::{Denial, Fate};
use crate::member::{Attachment, threads};
use crate::primitive::LockWord;

/// A look that asks nobody.
const QUICK: Look = Look { overdue: false, last: false };

/// A handle's place among the members.
#[derive(Debug)]
pub struct Site {
    attachment: Arc<Attachment>,
    me: Holder,
    patience: Patience,
    recheck: SharedRecheck,
}

impl Site {
    /// The member that `attachment` is.
    pub fn new(attachment: &Arc<Attachment>, patience: Patience) -> Self {
        let me = Holder::new(attachment.id(), attachment.incarnation());
        let (attachment, recheck) = (Arc::clone(attachment), SharedRecheck::default());
        Self { attachment, me, patience, recheck }
    }

    /// The attachment.
    pub fn attachment(&self) -> &Arc<Attachment> {
        &self.attachment
    }

    /// How many members there may be.
    pub fn max_members(&self) -> u32 {
        self.attachment.segment().shape().max_members
    }

    /// The member.
    #[inline(always)]
    pub fn member(&self) -> Holder {
        self.me
    }

    /// This thread of it.
    #[inline(always)]
    pub fn me(&self) -> Holder {
        self.me.thread(threads::number())
    }

    /// What became of a holder.
    pub fn fate(&self, holder: Holder) -> Fate {
        self.attachment.fate(holder)
    }

    /// Makes one attempt, which asks who lives if a recheck is due or none was made. If it would have to wait: for whom, where that is known.
    pub fn once<R>(&self, mut attempt: impl FnMut(Look) -> Turn<R>) -> Result<R, Option<MemberId>> {
        if let Turn::Ready(result) = attempt(QUICK) {
            return Ok(result);
        }
        let overdue = self.recheck.with(|recheck| recheck.is_due_or_first(self.patience));
        match attempt(Look { overdue, last: false }) {
            Turn::Ready(result) => Ok(result),
            Turn::Asleep { holder, .. } => Err(holder),
        }
    }

    /// Waits at `word` until `attempt` is ready. Nothing: the deadline has passed.
    #[inline]
    pub fn wait<R>(
        &self,
        word: &LockWord,
        deadline: Deadline,
        mut attempt: impl FnMut(Look) -> Turn<R>,
    ) -> Option<R> {
        // Without the clock, which takes longer than a lock that is free.
        match attempt(QUICK) {
            Turn::Ready(result) => Some(result),
            Turn::Asleep { .. } => self.wait_longer(word, deadline, attempt),
        }
    }

    #[cold]
    fn wait_longer<R>(
        &self,
        word: &LockWord,
        deadline: Deadline,
        attempt: impl FnMut(Look) -> Turn<R>,
    ) -> Option<R> {
        self.recheck.with(|recheck| wait_at_word(word, self.patience, recheck, deadline, attempt))
    }
}

/// Why no lock, of those reasons that waiting does not mend.
pub fn fault_of(denial: Denial) -> Fault {
    match denial {
        Denial::Blind => Fault::Blind,
        Denial::Corrupt(what) => Fault::Corrupt(what.text()),
        Denial::Own => Fault::Corrupt("a lock is had by who does not take it"),
    }
}
