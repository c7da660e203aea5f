//! Many senders and many receivers at one queue.
//!
//! A message says who sent it and as which one. Each receiver checks that what it gets of each sender comes in
//! order; at the end counts and sums must be those of what was sent. Who finds no room, or nothing, spins for a
//! moment and then yields its processor, the same way for all contestants that can be polled.

use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering::AcqRel};

use crossbeam_utils::Backoff;

use super::Task;
use super::board::Board;
use super::both::Part;
use super::follower::EndTogether;
use super::message::{END, Letter, SENDER_SHIFT, SHORT, head_of, short};
use crate::contestant::{Contestant, In, Out};
use crate::machine::pin;
use crate::region::now;

/// How many messages each of the senders sends.
fn share(task: &Task, count: u64) -> u64 {
    let (senders, _) = task.workload.parties();
    count / senders as u64
}

#[inline(always)]
fn put<C: Contestant, const W: usize>(out: &mut impl Out<W>, letter: &mut Letter<W>, head: u64) {
    if W <= SHORT {
        put_this::<C, W>(out, &short(head));
    } else {
        put_this::<C, W>(out, letter.stamped(head));
    }
}

#[inline(always)]
fn put_this<C: Contestant, const W: usize>(out: &mut impl Out<W>, message: &[u64; W]) {
    if !C::POLLS {
        return out.send(message);
    }
    let backoff = Backoff::new();
    while !out.try_send(message) {
        backoff.snooze();
    }
}

#[inline(always)]
fn get<C: Contestant, const W: usize>(from: &mut impl In<W>) -> u64 {
    let mut head = 0;
    let mut look = |message: &[u64; W]| {
        // An end is no message that could be torn.
        head = if message[0] == END { END } else { head_of(message) };
    };
    if !C::POLLS {
        from.recv(look);
        return head;
    }
    let backoff = Backoff::new();
    while !from.try_recv(&mut look) {
        backoff.snooze();
    }
    head
}

/// All senders: a lap that is not measured, then the work.
pub fn send<C: Contestant, const W: usize>(
    task: &Task,
    board: &Board,
    warm: u64,
    outs: Vec<impl Out<W>>,
) -> Part {
    let (senders, receivers) = task.workload.parties();
    let (parties, done) = (senders + receivers, AtomicUsize::new(0));
    let all_sent = Barrier::new(senders);
    let begun = std::thread::scope(|scope| {
        let (done, all_sent) = (&done, &all_sent);
        let sending: Vec<_> = (0..)
            .zip(outs)
            .map(|(number, mut out)| {
                scope.spawn(move || {
                    let _end = EndTogether;
                    pin(number);
                    let letter = &mut Letter::new();
                    let mut begun = 0;
                    for (meeting, count) in [(1, warm), (2, task.count)] {
                        board.meet(meeting, parties);
                        begun = now();
                        for n in 0..share(task, count) {
                            put::<C, W>(&mut out, letter, (number as u64) << SENDER_SHIFT | n);
                        }
                        // Whoever is the last to be done tells the receivers.
                        if done.fetch_add(1, AcqRel) % senders == senders - 1 {
                            (0..receivers).for_each(|_| put::<C, W>(&mut out, letter, END));
                        }
                        all_sent.wait();
                    }
                    begun
                })
            })
            .collect();
        let begun = sending.into_iter().map(|sender| sender.join().expect("it ends the process"));
        begun.min()
    });
    Part { begun: begun.unwrap_or(0), ..Part::default() }
}

/// All receivers.
pub fn receive<C: Contestant, const W: usize>(
    task: &Task,
    board: &Board,
    froms: Vec<impl In<W>>,
) -> Part {
    let (senders, receivers) = task.workload.parties();
    let parties = senders + receivers;
    let parts = std::thread::scope(|scope| {
        let receiving: Vec<_> = (0..)
            .zip(froms)
            .map(|(number, mut from)| {
                scope.spawn(move || {
                    let _end = EndTogether;
                    // The first receiver is not where the first sender is.
                    pin(number + 1);
                    board.meet(1, parties);
                    receive_all::<C, W>(&mut from);
                    board.meet(2, parties);
                    let crowd = receive_all::<C, W>(&mut from);
                    Part { ended: now(), crowd, ..Part::default() }
                })
            })
            .collect();
        receiving.into_iter().map(|part| part.join().expect("it ends the process")).collect()
    });
    total(parts)
}

/// Receives until an end comes: how many messages, and the sum of what they say.
fn receive_all<C: Contestant, const W: usize>(from: &mut impl In<W>) -> (u64, u64) {
    let (mut count, mut sum) = (0, 0u64);
    let mut next = [0; 8];
    loop {
        let head = get::<C, W>(from);
        if head == END {
            return (count, sum);
        }
        let (sender, n) = ((head >> SENDER_SHIFT) as usize, head & ((1 << SENDER_SHIFT) - 1));
        assert!(n >= next[sender], "message {n} of sender {sender} comes late or again");
        next[sender] = n + 1;
        (count, sum) = (count + 1, sum.wrapping_add(head));
    }
}

fn total(parts: Vec<Part>) -> Part {
    parts.into_iter().fold(Part::default(), |all, part| Part {
        ended: all.ended.max(part.ended),
        crowd: (all.crowd.0 + part.crowd.0, all.crowd.1.wrapping_add(part.crowd.1)),
        ..all
    })
}

/// Nanoseconds a message, once it is sure that all came.
#[allow(clippy::cast_precision_loss, reason = "a figure for people")]
pub fn conclude(task: &Task, near: &Part, far: &Part) -> f64 {
    let (senders, _) = task.workload.parties();
    let each = share(task, task.count);
    let numbers = each * each.saturating_sub(1) / 2;
    let sum_of = |sender: u64| (sender << SENDER_SHIFT).wrapping_mul(each).wrapping_add(numbers);
    let sum = (0..senders as u64).fold(0u64, |all, sender| all.wrapping_add(sum_of(sender)));
    let count = each * senders as u64;
    assert_eq!(far.crowd, (count, sum), "messages are missing or wrong (count and sum)");
    far.ended.saturating_sub(near.begun) as f64 / count as f64
}
