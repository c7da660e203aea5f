//! The works that have two sides, and how the sides find each other.

use std::process::{Child, Command, Stdio};

use serde::{Deserialize, Serialize};

use super::board::Board;
use super::message::{Letter, SHORT, head_of, short};
use super::quantiles::Durations;
use super::{Quantiles, Sample, Task, Unable, crowd};
use crate::contestant::{Between, Contestant, Hub, In, Out, Way};
use crate::machine::{pin, unpin};
use crate::region::now;
use crate::workload::{BATCH, Shape};

/// What one side saw.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Part {
    /// When it began, when it was done.
    pub begun: u64,
    pub ended: u64,
    pub quantiles: Option<Quantiles>,
    /// Nanoseconds of one trip, if it made trips.
    pub trip: Option<f64>,
    /// How many messages of a crowd, and the sum of what they say.
    pub crowd: (u64, u64),
}

/// The ends of one side: senders' and an answer's receiver, or receivers' and an answer's sender.
pub struct Side<E, A> {
    pub ends: Vec<E>,
    answer: Option<A>,
}

type OutOf<C, const W: usize> = <<C as Contestant>::Hub<W> as Hub<W>>::Out;
type InOf<C, const W: usize> = <<C as Contestant>::Hub<W> as Hub<W>>::In;

/// The messages that nobody measures.
pub fn warm_up(task: &Task) -> u64 {
    const BYTES: usize = 32 << 20;
    let lap = task.workload.capacity.min(BYTES / task.workload.bytes);
    let messages = match task.workload.shape {
        Shape::Burst(_) | Shape::Wake => 10,
        _ => lap as u64,
    };
    messages.min(task.count)
}

/// What one side does: the works of streams apart from the others, so that long messages need no others.
type Act<E, A> = fn(&Task, &Board, &mut Side<E, A>) -> Part;

/// Leads a work of streams.
pub fn near_stream<C: Contestant, const W: usize>(task: &Task) -> Result<Sample, Unable> {
    lead::<C, W>(task, send_stream::<C, W>, receive_stream::<C, W>)
}

/// Leads any other.
pub fn near<C: Contestant, const W: usize>(task: &Task) -> Result<Sample, Unable> {
    lead::<C, W>(task, send::<C, W>, receive::<C, W>)
}

/// Leads the work: makes the queues, starts the other side, sends.
fn lead<C: Contestant, const W: usize>(
    task: &Task,
    send: Act<OutOf<C, W>, InOf<C, W>>,
    receive: Act<InOf<C, W>, OutOf<C, W>>,
) -> Result<Sample, Unable> {
    unpin();
    let board = Board::new().map_err(Unable::because("share memory"))?;
    let name = format!("rivals-{}", std::process::id());
    let has_answers = matches!(task.workload.shape, Shape::SpinningTrip | Shape::ParkedTrip);
    let mut there = C::create::<W>(&task.workload, &name, Way::There)?;
    let name = format!("{name}-back");
    let back = has_answers.then(|| C::create::<W>(&task.workload, &name, Way::Back));
    let mut back = back.transpose()?;
    let (senders, _) = task.workload.parties();
    let ends = (0..senders).map(|_| there.sender()).collect();
    let mut side = Side { ends, answer: back.as_mut().map(Hub::receiver) };
    let (near, far) = match C::BETWEEN {
        Between::Processes => {
            let hubs = [Some(&there), back.as_ref()].into_iter().flatten();
            let tokens: Vec<String> = hubs.map(Hub::token).collect();
            let child = Follower::start(task, &board, &tokens)?;
            there.handed_over();
            back.as_mut().map(Hub::handed_over);
            let part = send(task, &board, &mut side);
            (part, child.finish()?)
        }
        Between::Threads => {
            let mut other = far_side::<C, W>(task, &mut there, back.as_mut());
            std::thread::scope(|scope| {
                let board = &board;
                let far = scope.spawn(move || {
                    let _end = EndTogether;
                    receive(task, board, &mut other)
                });
                let near = send(task, board, &mut side);
                (near, far.join().expect("a panic there ended the process"))
            })
        }
    };
    Ok(conclude(task, &near, &far))
}

/// Plays the other side of a stream in a process of its own.
pub fn far_stream<C: Contestant, const W: usize>(
    task: &Task,
    tokens: &[String],
) -> Result<(), Unable> {
    follow::<C, W>(task, tokens, receive_stream::<C, W>)
}

/// Plays the other side of any other work.
pub fn far<C: Contestant, const W: usize>(task: &Task, tokens: &[String]) -> Result<(), Unable> {
    follow::<C, W>(task, tokens, receive::<C, W>)
}

fn follow<C: Contestant, const W: usize>(
    task: &Task,
    tokens: &[String],
    receive: Act<InOf<C, W>, OutOf<C, W>>,
) -> Result<(), Unable> {
    end_with_parent();
    let [board, there, back @ ..] = tokens else {
        return Err(Unable("tokens are missing".to_owned()));
    };
    let board = Board::inherited(board).map_err(Unable::because("map the board"))?;
    let mut there = C::join::<W>(&task.workload, there, Way::There)?;
    let join_back = |token: &String| C::join::<W>(&task.workload, token, Way::Back);
    let mut back = back.first().map(join_back).transpose()?;
    let mut side = far_side::<C, W>(task, &mut there, back.as_mut());
    let part = receive(task, &board, &mut side);
    println!("{}", serde_json::to_string(&part).expect("numbers"));
    Ok(())
}

fn far_side<C: Contestant, const W: usize>(
    task: &Task,
    there: &mut C::Hub<W>,
    back: Option<&mut C::Hub<W>>,
) -> Side<InOf<C, W>, OutOf<C, W>> {
    let (_, receivers) = task.workload.parties();
    Side { ends: (0..receivers).map(|_| there.receiver()).collect(), answer: back.map(Hub::sender) }
}

#[allow(clippy::cast_precision_loss, reason = "figures for people")]
fn conclude(task: &Task, near: &Part, far: &Part) -> Sample {
    let each = far.ended.saturating_sub(near.begun) as f64 / task.count as f64;
    match task.workload.shape {
        Shape::SpinningTrip | Shape::ParkedTrip => {
            Sample { value: near.trip.unwrap_or(each), quantiles: near.quantiles }
        }
        Shape::Burst(_) | Shape::Wake | Shape::Paced(_) => {
            let quantiles = far.quantiles.unwrap_or_default();
            Sample { value: quantiles.p50, quantiles: far.quantiles }
        }
        Shape::Crowd { .. } => Sample { value: crowd::conclude(task, near, far), quantiles: None },
        _ => Sample { value: each, quantiles: None },
    }
}

/// Some contestants do not tell their users of the other side's death: the kernel does it for them.
#[allow(unsafe_code, reason = "prctl")]
fn end_with_parent() {
    // SAFETY: it touches nothing but an attribute of this process.
    unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) };
}

/// Ends this process if process `pid`, its child, fails: who waits for it would wait forever.
#[allow(unsafe_code, reason = "waitid")]
fn end_with_child(pid: u32) {
    std::thread::spawn(move || {
        // SAFETY: all zeros is a value of it.
        let mut how: libc::siginfo_t = unsafe { std::mem::zeroed() };
        // The child stays to be waited for by its owner.
        let options = libc::WEXITED | libc::WNOWAIT;
        // SAFETY: there is room for the answer.
        let answer = unsafe { libc::waitid(libc::P_PID, pid, &raw mut how, options) };
        // SAFETY: the answer is that of a child's end.
        let status = unsafe { how.si_status() };
        let exited = how.si_code == libc::CLD_EXITED;
        if answer == 0 && (!exited || status != 0) {
            if !exited {
                eprintln!("the receiving process was killed by signal {status}");
            }
            // What made it exit it has said itself.
            std::process::exit(1);
        }
    });
}

/// The other process of a sample.
struct Follower(Child);

impl Follower {
    fn start(task: &Task, board: &Board, tokens: &[String]) -> Result<Self, Unable> {
        let program = std::env::current_exe().map_err(Unable::because("find this program"))?;
        let child = Command::new(program)
            .args(["follow", task.contestant, &task.workload.to_string(), &task.count.to_string()])
            .arg(board.token())
            .args(tokens)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn();
        let child = child.map_err(Unable::because("start the other process"))?;
        end_with_child(child.id());
        Ok(Self(child))
    }

    /// What it saw.
    fn finish(mut self) -> Result<Part, Unable> {
        let said = std::io::read_to_string(self.0.stdout.take().expect("it is piped"));
        let status = self.0.wait();
        assert!(status.is_ok_and(|status| status.success()), "the receiving process failed");
        let said = said.map_err(Unable::because("hear from the other process"))?;
        serde_json::from_str(&said).map_err(|why| Unable(format!("understand {said:?}: {why}")))
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        let _ = (self.0.kill(), self.0.wait());
    }
}

/// Ends the process when its thread panics: the other side would wait for it.
pub struct EndTogether;

impl Drop for EndTogether {
    fn drop(&mut self) {
        if std::thread::panicking() {
            std::process::exit(1);
        }
    }
}

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

fn send_stream<C: Contestant, const W: usize>(
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

fn receive_stream<C: Contestant, const W: usize>(
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

fn send<C: Contestant, const W: usize>(
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

fn receive<C: Contestant, const W: usize>(
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
