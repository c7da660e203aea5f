//! The end of a round: what is left is received, and the queue is as new.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::time::Duration;

use ringway::queue::{Queue, Receiver, Sender};
use ringway::{ErrorKind, RecvTimeoutError, Statistics, TrySendError};

use super::board::{Board, LAST};
use super::message::Words;
use super::receiving::Notes;
use super::{NAMESPACE, Problem};

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

/// Receives all that is left in `queue`, where everybody has gone or died, checks that it is as new, and gives what it
/// counted.
///
/// The last receiver comes after the last death and finds all that the dead left.
pub fn settle(
    queue: &Queue<Words>,
    name: &str,
    segment: &File,
    board: Board,
) -> Result<Statistics, Problem> {
    let last = Queue::<Words>::options().namespace(NAMESPACE).open(name)?;
    let receiver = last.receiver();
    let mut notes = Notes::new(board, LAST, 0);
    loop {
        match receiver.recv_guard_timeout(HANG) {
            Ok(delivery) => {
                let message = notes.receive(&delivery, Notes::receipt(&delivery));
                let message = message.ok_or("the last receiver got a torn message")?;
                notes.acknowledge(delivery, message.id);
            }
            Err(RecvTimeoutError::Disconnected) => break,
            Err(why) => return Err(Problem(format!("the last receiver: {why}; {queue:?}"))),
        }
    }
    if let Some(letters) = last.dead_letters() {
        while let Ok(delivery) = letters.try_recv_guard() {
            notes.bury(delivery);
        }
    }
    check_room(&last.sender(), &receiver)?;
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
pub fn remove_stale_names() -> Result<(), Problem> {
    for entry in std::fs::read_dir("/dev/shm")? {
        let file = entry?.file_name();
        let prefix = format!("ringway.{NAMESPACE}.");
        let Some(name) = file.to_str().and_then(|file| file.strip_prefix(&prefix)) else {
            continue;
        };
        let options = Queue::<Words>::options().namespace(NAMESPACE);
        // To ask who lives without joining: another torture counts its members.
        let nobody = match options.capacity(1).create(name) {
            Err(error) => matches!(error.kind(), ErrorKind::AlreadyExists { alive: 0, .. }),
            Ok(_) => true,
        };
        if nobody {
            // Somebody else may have been faster.
            let _ = Queue::<Words>::options().namespace(NAMESPACE).unlink(name);
        }
    }
    Ok(())
}

/// There is room for as many messages as when the queue was new, and they come out as they went in.
fn check_room(sender: &Sender<Words>, receiver: &Receiver<Words>) -> Result<(), Problem> {
    let mut count = 0;
    loop {
        match sender.try_send([count; 8]) {
            Ok(()) => count += 1,
            Err(TrySendError::Full(_)) => break,
            Err(why) => return Err(Problem(format!("fill the queue: {why}"))),
        }
    }
    let capacity = sender.capacity();
    if count != capacity as u64 {
        return Err(Problem(format!("room for {count} of {capacity}")));
    }
    for number in 0..count {
        if receiver.try_recv() != Ok([number; 8]) {
            return Err(Problem(format!("message {number} of a full queue is wrong")));
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
