//! What the two sides of a work do.

use super::board::Board;
use super::both::{InOf, OutOf, Part, Side, warm_up};
use super::message::{Letter, SHORT, head_of, short};
use super::quantiles::Durations;
use super::{Quantiles, Task, crowd};
use crate::contestant::{Contestant, In, Out};
use crate::machine::pin;
use crate::region::now;
use crate::workload::{BATCH, Shape};

#[inline(always)]
pub fn put<C: Contestant, const W: usize>(
    out: &mut impl Out<W>,
    letter: &mut Letter<W>,
    head: u64,
) {
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
    while !out.try_send(message) {
        std::hint::spin_loop();
    }
}

#[inline(always)]
pub fn get<C: Contestant, const W: usize>(from: &mut impl In<W>) -> u64 {
    let mut head = 0;
    let mut look = |message: &[u64; W]| head = head_of(message);
    if C::POLLS {
        while !from.try_recv(&mut look) {
            std::hint::spin_loop();
        }
    } else {
        from.recv(look);
    }
    head
}

#[inline(always)]
fn get_the<C: Contestant, const W: usize>(from: &mut impl In<W>, n: u64) {
    let head = get::<C, W>(from);
    assert_eq!(head, n, "a message is missing, comes again or out of order");
}

pub fn send_stream<C: Contestant, const W: usize>(
    task: &Task,
    board: &Board,
    side: &mut Side<OutOf<C, W>, InOf<C, W>>,
) -> Part {
    pin(0);
    // A local variable, as in most programs: what it remembers can live in registers.
    let (mut out, mut letter) = (side.ends.remove(0), Letter::new());
    let (out, letter) = (&mut out, &mut letter);
    (0..warm_up(task)).for_each(|n| put::<C, W>(out, letter, n));
    board.meet(1, 2);
    let begun = now();
    (0..task.count).for_each(|n| put::<C, W>(out, letter, n));
    Part { begun, ..Part::default() }
}

pub fn receive_stream<C: Contestant, const W: usize>(
    task: &Task,
    board: &Board,
    side: &mut Side<InOf<C, W>, OutOf<C, W>>,
) -> Part {
    pin(1);
    let mut from = side.ends.remove(0);
    let from = &mut from;
    (0..warm_up(task)).for_each(|n| get_the::<C, W>(from, n));
    board.meet(1, 2);
    (0..task.count).for_each(|n| get_the::<C, W>(from, n));
    Part { ended: now(), ..Part::default() }
}

pub fn send<C: Contestant, const W: usize>(
    task: &Task,
    board: &Board,
    side: &mut Side<OutOf<C, W>, InOf<C, W>>,
) -> Part {
    let warm = warm_up(task);
    if matches!(task.workload.shape, Shape::Crowd { .. }) {
        let ends = std::mem::take(&mut side.ends);
        return crowd::send::<C, W>(task, board, warm, ends);
    }
    pin(0);
    let (mut out, mut letter) = (side.ends.remove(0), Letter::new());
    let (out, letter) = (&mut out, &mut letter);
    let mut back = side.answer.take();
    board.meet(1, 2);
    let mut part = Part::default();
    match task.workload.shape {
        Shape::Batch => {
            send_batches(out, warm);
            board.meet(2, 2);
            part.begun = now();
            send_batches(out, task.count);
        }
        Shape::SpinningTrip | Shape::ParkedTrip => {
            let back = back.as_mut().expect("trips have a way back");
            travel::<C, W>(task, warm, out, back, &mut part);
        }
        Shape::Burst(many) => wake_often::<C, W>(task.count, warm, many, board, out, letter),
        Shape::Wake => wake_often::<C, W>(task.count, warm, 1, board, out, letter),
        Shape::Paced(every) => {
            let every = u64::try_from(every.as_nanos()).expect("a short time");
            let start = now() + 1_000_000;
            board.mark(start);
            board.meet(2, 2);
            for n in 0..task.count {
                while now() < start + n * every {
                    std::hint::spin_loop();
                }
                put::<C, W>(out, letter, n);
            }
        }
        _ => unreachable!("done by others"),
    }
    part
}

pub fn receive<C: Contestant, const W: usize>(
    task: &Task,
    board: &Board,
    side: &mut Side<InOf<C, W>, OutOf<C, W>>,
) -> Part {
    let warm = warm_up(task);
    if matches!(task.workload.shape, Shape::Crowd { .. }) {
        let ends = std::mem::take(&mut side.ends);
        return crowd::receive::<C, W>(task, board, ends);
    }
    pin(1);
    let mut from = side.ends.remove(0);
    let from = &mut from;
    board.introduce_sleeper();
    board.meet(1, 2);
    let mut part = Part::default();
    match task.workload.shape {
        Shape::Batch => {
            receive_batches(from, warm);
            board.meet(2, 2);
            receive_batches(from, task.count);
        }
        Shape::SpinningTrip | Shape::ParkedTrip => {
            let mut answer = side.answer.take().expect("trips have a way back");
            let parks = sleeps::<C>(task);
            (0..warm + task.count).for_each(|n| answer_one::<C, W>(parks, from, &mut answer, n));
        }
        Shape::Burst(many) => part.quantiles = Some(wake_up(task.count, warm, many, board, from)),
        Shape::Wake => part.quantiles = Some(wake_up(task.count, warm, 1, board, from)),
        Shape::Paced(every) => {
            let every = u64::try_from(every.as_nanos()).expect("a short time");
            board.meet(2, 2);
            let (start, mut late) = (board.sent_at(), Durations::new());
            for n in 0..task.count {
                get_the::<C, W>(from, n);
                late.record(now().saturating_sub(start + n * every));
            }
            part.quantiles = Some(late.quantiles());
        }
        _ => unreachable!("done by others"),
    }
    part.ended = now();
    part
}

fn send_batches<const W: usize>(out: &mut impl Out<W>, count: u64) {
    let mut next = 0;
    while next < count {
        let left = usize::try_from(count - next).unwrap_or(BATCH).min(BATCH);
        let batch: [[u64; W]; BATCH] = std::array::from_fn(|n| short(next + n as u64));
        let mut sent = 0;
        while sent < left {
            sent += out.try_send_batch(&batch[sent..left]);
        }
        next += left as u64;
    }
}

fn receive_batches<const W: usize>(from: &mut impl In<W>, count: u64) {
    let mut next = 0;
    while next < count {
        from.try_recv_batch(|message| {
            assert_eq!(head_of(message), next, "a message is missing or out of order");
            next += 1;
        });
    }
}

/// Whether trips are made by blocking calls.
fn sleeps<C: Contestant>(task: &Task) -> bool {
    task.workload.shape == Shape::ParkedTrip || !C::POLLS
}

/// Trips: first many in rounds of some, by the clock's reading of each round; then as many one by one.
#[allow(clippy::cast_precision_loss, reason = "figures for people")]
fn travel<C: Contestant, const W: usize>(
    task: &Task,
    warm: u64,
    out: &mut impl Out<W>,
    back: &mut impl In<W>,
    part: &mut Part,
) {
    const ROUND: u64 = 50;
    let parks = sleeps::<C>(task);
    let mut n = 0;
    let mut trip = || {
        let message = short(n);
        if parks {
            out.send(&message);
        } else {
            while !out.try_send(&message) {}
        }
        let mut head = u64::MAX;
        if parks {
            back.recv(|message| head = head_of(message));
        } else {
            head = get::<C, W>(back);
        }
        assert_eq!(head, n, "the answer is another");
        n += 1;
    };
    (0..warm).for_each(|_| trip());
    let rounds = (task.count / 2 / ROUND).max(1).min(task.count / ROUND);
    let mut took: Vec<u64> = Vec::new();
    for _ in 0..rounds {
        let begun = now();
        (0..ROUND).for_each(|_| trip());
        took.push(now() - begun);
    }
    took.sort_unstable();
    part.trip = took.get(took.len() / 2).map(|&round| round as f64 / ROUND as f64);
    let mut single = Durations::new();
    for _ in 0..task.count - rounds * ROUND {
        let begun = now();
        trip();
        single.record(now() - begun);
    }
    part.quantiles = Some(single.quantiles());
}

#[inline(always)]
fn answer_one<C: Contestant, const W: usize>(
    parks: bool,
    from: &mut impl In<W>,
    answer: &mut impl Out<W>,
    n: u64,
) {
    if parks {
        let mut head = u64::MAX;
        from.recv(|message| head = head_of(message));
        assert_eq!(head, n, "a message is missing");
        return answer.send(&short(n));
    }
    get_the::<C, W>(from, n);
    let message = short(n);
    while !answer.try_send(&message) {}
}

/// Sends `size` messages each time that the receiver has fallen asleep.
fn wake_often<C: Contestant, const W: usize>(
    count: u64,
    warm: u64,
    size: u64,
    board: &Board,
    out: &mut impl Out<W>,
    letter: &mut Letter<W>,
) {
    for time in 0..warm + count {
        board.await_sleep();
        board.mark_sent();
        (0..size).for_each(|n| out.send(letter.stamped(time * size + n)));
        board.await_answer(time);
    }
}

/// Sleeps until messages come, and takes the time that they took.
fn wake_up<const W: usize>(
    count: u64,
    warm: u64,
    size: u64,
    board: &Board,
    from: &mut impl In<W>,
) -> Quantiles {
    let mut took = Durations::new();
    for time in 0..warm + count {
        for n in 0..size {
            let expected = time * size + n;
            from.recv(|message| assert_eq!(head_of(message), expected, "a message is missing"));
        }
        let late = now().saturating_sub(board.sent_at());
        if time >= warm {
            took.record(late);
        }
        board.answer(time);
    }
    took.quantiles()
}
