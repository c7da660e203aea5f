//! The end of a round: what is left is received, and the queue is as new.

use std::fs::File;
use std::marker::PhantomData;
use std::os::unix::fs::FileExt;
use std::time::Duration;

use ringway::queue::Queue;
use ringway::{ErrorKind, Statistics, TrySendError};

use super::Problem;
use super::board::{Board, LAST};
use super::load::Load;
use super::receiving::{Dry, Notes};

/// Where a segment says where its ring is.
const RINGS_OFFSET: u64 = 120;
/// Where it says how many it has, in the upper half.
const RINGS: u64 = 152;
/// How long a queue's header is.
const HEADER: u64 = 640;
/// Where in a queue's header the waiters of its two events are, and in how many words.
const WAITERS: [u64; 2] = [392, 520];
const WAITER_WORDS: u64 = 8;
/// So long it takes to receive the next message only if it cannot be.
const HANG: Duration = Duration::from_secs(20);

/// A queue's name, which goes with this.
pub struct Name<L: Load + ?Sized>(pub String, PhantomData<L>);

impl<L: Load + ?Sized> Name<L> {
    /// Nobody else has it.
    pub fn new(name: String) -> Self {
        Self(name, PhantomData)
    }
}

impl<L: Load + ?Sized> Drop for Name<L> {
    fn drop(&mut self) {
        let _ = L::options().unlink(&self.0);
    }
}

/// Receives all that is left in `queue`, where everybody has gone or died, checks that it is as new, and gives what it
/// counted. It has room for `room` messages.
///
/// The last receiver comes after the last death and finds all that the dead left.
pub fn settle<L: Load + ?Sized>(
    queue: &Queue<L>,
    name: &str,
    segment: &File,
    room: u64,
    board: Board,
) -> Result<Statistics, Problem> {
    let last = L::options().open(name)?;
    let receiver = last.receiver();
    let mut notes = Notes::new(board, LAST, 0);
    loop {
        match L::guard(&receiver, Some(HANG)) {
            Ok(delivery) => {
                let message = notes.deliver(&delivery);
                let message = message.ok_or("the last receiver got a torn message")?;
                notes.acknowledge(delivery, message.id);
            }
            Err(Dry::Gone) => break,
            Err(why) => return Err(Problem(format!("the last receiver: {why:?}; {queue:?}"))),
        }
    }
    if let Some(letters) = last.dead_letters() {
        while let Ok(delivery) = L::try_guard(&letters) {
            notes.bury(delivery);
        }
    }
    L::check_room(queue, room, &last.sender(), &receiver)?;
    check_files::<L>(name)?;
    drop(receiver);
    check_waiters(segment)?;
    let members = queue.members()?;
    let is_idle = |m: &ringway::Member| m.is_alive() && m.senders() + m.receivers() == 0;
    if members.len() != 2 || !members.iter().all(is_idle) {
        return Err(Problem(format!("two members without roles should be left: {members:?}")));
    }
    let dead = queue.recover()?.members;
    if dead != 0 {
        return Err(Problem(format!("{dead} dead were overlooked by who came after them")));
    }
    Ok(queue.statistics())
}

/// Removes the names of queues that nobody has: of a torture that was killed itself.
pub fn remove_stale_names<L: Load + ?Sized>() -> Result<(), Problem> {
    for entry in std::fs::read_dir("/dev/shm")? {
        let file = entry?.file_name();
        let prefix = format!("ringway.{}.", L::NAMESPACE);
        let Some(name) = file.to_str().and_then(|file| file.strip_prefix(&prefix)) else {
            continue;
        };
        // To ask who lives without joining: another torture counts its members.
        let nobody = match L::options().capacity(1).create(name) {
            Err(error) => matches!(error.kind(), ErrorKind::AlreadyExists { alive: 0, .. }),
            Ok(_) => true,
        };
        if nobody {
            // Somebody else may have been faster.
            let _ = L::options().unlink(name);
        }
    }
    Ok(())
}

/// Sends until there is no room, which there must be for so many.
pub fn fill<T>(
    what: &str,
    count: u64,
    send: impl Fn(u64) -> Result<(), TrySendError<T>>,
) -> Result<(), Problem> {
    for number in 0.. {
        match send(number) {
            Ok(()) => {}
            Err(TrySendError::Full(_)) if number == count => break,
            Err(why) => return Err(Problem(format!("{what}, {number} of {count}: {why}"))),
        }
        if number == count {
            return Err(Problem(format!("room for more than {count} {what}")));
        }
    }
    Ok(())
}

/// Of a queue that grew nothing is left but its first segment.
fn check_files<L: Load + ?Sized>(name: &str) -> Result<(), Problem> {
    let further = format!("ringway.{}.{name}@", L::NAMESPACE);
    for entry in std::fs::read_dir("/dev/shm")? {
        let file = entry?.file_name();
        if file.to_string_lossy().starts_with(&further) {
            return Err(Problem(format!("{} is left", file.display())));
        }
    }
    Ok(())
}

/// No bit of a waiter is set: nobody waits.
fn check_waiters(segment: &File) -> Result<(), Problem> {
    let word = |offset| -> Result<u64, Problem> {
        let mut bytes = [0; 8];
        segment.read_exact_at(&mut bytes, offset)?;
        Ok(u64::from_le_bytes(bytes))
    };
    let (header, rings) = (word(RINGS_OFFSET)?, word(RINGS)? >> 32);
    let events = (0..rings).flat_map(|ring| WAITERS.map(|event| ring * HEADER + event));
    for event in events {
        for number in 0..WAITER_WORDS {
            let bits = word(header + event + 8 * number)?;
            if bits != 0 {
                return Err(Problem(format!(
                    "bits {bits:#x} of waiters at {event}, word {number}"
                )));
            }
        }
    }
    Ok(())
}
