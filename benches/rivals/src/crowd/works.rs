//! What the sides of each workload do, and how long it takes.

use std::process::{Command, Stdio};
use std::sync::Barrier;
use std::time::{Duration, Instant};

use crossbeam_utils::Backoff;
use ringway::queue::Queue;

use super::{BATCH, In, Out, head_of, message};
use crate::probe::{nanos_each, pin, unpin};

/// Ends a receiver.
const END: u64 = u64::MAX;
/// The sender's number lies above the message's.
const SENDER_SHIFT: u32 = 48;

#[inline(always)]
fn put<const W: usize>(out: &mut impl Out<W>, head: u64) {
    let backoff = Backoff::new();
    while !out.one(message(head)) {
        backoff.snooze();
    }
}

#[inline(always)]
fn get<const W: usize>(from: &mut impl In<W>) -> u64 {
    let backoff = Backoff::new();
    loop {
        if let Some(found) = from.one() {
            return head_of(&found);
        }
        backoff.snooze();
    }
}

/// Sends `count` messages as number `sender`.
fn send_all<const W: usize>(out: &mut impl Out<W>, batches: bool, sender: u64, count: u64) {
    let head = |n: u64| sender << SENDER_SHIFT | n;
    if !batches {
        return (0..count).for_each(|n| put(out, head(n)));
    }
    let mut next = 0;
    while next < count {
        let left = usize::try_from(count - next).unwrap_or(BATCH).min(BATCH);
        let batch: [[u64; W]; BATCH] = std::array::from_fn(|n| message(head(next + n as u64)));
        let backoff = Backoff::new();
        let mut sent = 0;
        while sent < left {
            match out.batch(&batch[sent..left]) {
                0 => backoff.snooze(),
                more => sent += more,
            }
        }
        next += left as u64;
    }
}

/// What a receiver got: how many messages, and the sum of their numbers.
type Received = (u64, u64);

/// Receives until an end comes, and checks the order of each sender's messages.
fn receive_all<const W: usize>(from: &mut impl In<W>, batches: bool) -> Received {
    let (mut count, mut sum) = (0, 0u64);
    let mut next = [0; 8];
    let mut take = |head: u64| {
        if head == END {
            return false;
        }
        let (sender, n) = ((head >> SENDER_SHIFT) as usize, head & ((1 << SENDER_SHIFT) - 1));
        assert!(n >= next[sender], "message {n} of sender {sender} comes late or again");
        next[sender] = n + 1;
        (count, sum) = (count + 1, sum.wrapping_add(head));
        true
    };
    if batches {
        let mut buffer = [[0; W]; BATCH];
        let backoff = Backoff::new();
        loop {
            let found = from.batch(&mut buffer);
            if found == 0 {
                backoff.snooze();
                continue;
            }
            backoff.reset();
            // Ends are sent after all else: whatever follows one in a batch is one too.
            if !buffer[..found].iter().all(|message| take(head_of(message))) {
                return (count, sum);
            }
        }
    }
    while take(get(from)) {}
    (count, sum)
}

/// How many ends every receiver gets one of, however they take them.
fn ends(receivers: usize, batches: bool) -> usize {
    receivers * if batches { BATCH } else { 1 }
}

/// What `senders` that send `each` amount to.
fn expected(senders: usize, each: u64) -> Received {
    let numbers = each * (each - 1) / 2;
    let sum = |sender: u64| (sender << SENDER_SHIFT).wrapping_mul(each).wrapping_add(numbers);
    (
        each * senders as u64,
        (0..senders as u64).fold(0, |all, sender| all.wrapping_add(sum(sender))),
    )
}

fn total(received: impl Iterator<Item = Received>) -> Received {
    received.fold((0, 0), |(count, sum), (more, part)| (count + more, sum.wrapping_add(part)))
}

/// Everybody in this process. Nanoseconds a message.
pub(super) fn crowd_of_threads<const W: usize, O: Out<W> + Send, I: In<W> + Send>(
    (senders, receivers, batches): (usize, usize, bool),
    each: u64,
    mut out: impl FnMut() -> O,
    mut from: impl FnMut() -> I,
) -> f64 {
    unpin();
    let start = Barrier::new(senders + receivers);
    let (outs, froms): (Vec<O>, Vec<I>) =
        ((0..senders).map(|_| out()).collect(), (0..receivers).map(|_| from()).collect());
    // Some queues refuse what nobody is there to receive: ends may be left over.
    let (mut last, _left) = (out(), from());
    let (begun, received) = std::thread::scope(|scope| {
        let start = &start;
        let receiving: Vec<_> = froms
            .into_iter()
            .enumerate()
            .map(|(n, mut from)| {
                scope.spawn(move || {
                    pin(n + 1);
                    start.wait();
                    let _end = EndTogether;
                    receive_all(&mut from, batches)
                })
            })
            .collect();
        let sending: Vec<_> = outs
            .into_iter()
            .enumerate()
            .map(|(n, mut out)| {
                scope.spawn(move || {
                    pin(n);
                    start.wait();
                    let begun = Instant::now();
                    send_all(&mut out, batches, n as u64, each);
                    begun
                })
            })
            .collect();
        // The senders' own clocks: this thread may come to run late, where all processors are taken.
        let begun = |sender: std::thread::ScopedJoinHandle<'_, Instant>| sender.join().unwrap();
        let begun = sending.into_iter().map(begun).min().expect("there are senders");
        (0..ends(receivers, batches)).for_each(|_| put(&mut last, END));
        let join = |receiver: std::thread::ScopedJoinHandle<'_, Received>| receiver.join().unwrap();
        (begun, total(receiving.into_iter().map(join)))
    });
    let took = nanos_each(begun, each * senders as u64);
    assert_eq!(received, expected(senders, each), "messages are missing or wrong");
    took
}

/// Ends the program when its thread panics: the others would wait for ever.
struct EndTogether;

impl Drop for EndTogether {
    fn drop(&mut self) {
        if std::thread::panicking() {
            std::process::exit(1);
        }
    }
}

/// The senders here, the receivers in another process.
pub(super) fn crowd_of_processes<const W: usize>(
    (senders, receivers, batches): (usize, usize, bool),
    each: u64,
    capacity: usize,
) -> f64 {
    unpin();
    let name = format!("rivals-{}", std::process::id());
    let back = format!("{name}-back");
    let queue = Queue::<[u64; W]>::options().capacity(capacity).remove_when_unused();
    let queue = queue.create(&name).expect("create the queue");
    let _left = queue.receiver();
    let answers = Queue::<[u64; 2]>::options().remove_when_unused().create(&back);
    let answers = answers.expect("create the queue back");
    let task = format!("{receivers} {batches} {W} {name} {back}");
    let mut child = Command::new(std::env::current_exe().expect("this program"))
        .args(["--crowd", &task])
        .stdin(Stdio::null())
        .spawn()
        .expect("start itself");
    let answer = answers.receiver();
    let mut hear = || match answer.recv_timeout(Duration::from_mins(1)) {
        Ok([count, sum]) => (count, sum),
        Err(why) => {
            let _ = (child.kill(), queue.close());
            panic!("the receivers: {why}");
        }
    };
    (0..receivers).for_each(|_| assert_eq!(hear(), (0, 0), "it is ready"));
    let begun = Instant::now();
    std::thread::scope(|scope| {
        for n in 0..senders {
            let mut out = queue.sender();
            scope.spawn(move || {
                pin(n);
                send_all(&mut out, batches, n as u64, each);
            });
        }
    });
    let mut last = queue.sender();
    (0..ends(receivers, batches)).for_each(|_| put(&mut last, END));
    let received = total((0..receivers).map(|_| hear()));
    let took = nanos_each(begun, each * senders as u64);
    assert_eq!(received, expected(senders, each), "messages are missing or wrong");
    assert!(child.wait().is_ok_and(|status| status.success()), "the receivers failed");
    took
}

/// Plays the receivers that another process asked for.
pub fn receive(task: &str) {
    let words: Vec<&str> = task.split(' ').collect();
    let [receivers, batches, width, name, back] = words[..] else { panic!("task {task:?}") };
    let receivers = receivers.parse().expect("a number");
    let batches = batches.parse().expect("true or false");
    match width {
        "1" => receive_words::<1>(receivers, batches, name, back),
        _ => receive_words::<8>(receivers, batches, name, back),
    }
}

fn receive_words<const W: usize>(receivers: usize, batches: bool, name: &str, back: &str) {
    let queue = Queue::<[u64; W]>::options().open(name).expect("open the queue");
    let answers = Queue::<[u64; 2]>::options().open(back).expect("open the queue back");
    std::thread::scope(|scope| {
        for n in 0..receivers {
            let (mut from, answer) = (queue.receiver(), answers.sender());
            scope.spawn(move || {
                pin(n + 1);
                answer.send([0, 0]).expect("the sender is there");
                let (count, sum) = receive_all(&mut from, batches);
                answer.send([count, sum]).expect("the sender is there");
            });
        }
    });
}

/// One thread sends and receives in turn. Nanoseconds a pair.
pub(super) fn pair<const W: usize>(count: u64, mut out: impl Out<W>, mut from: impl In<W>) -> f64 {
    pin(0);
    let begun = Instant::now();
    for n in 0..count {
        put(&mut out, n);
        assert_eq!(get(&mut from), n, "the message is another");
    }
    nanos_each(begun, count)
}

/// Two send against each other into a queue with room for all, which was filled and emptied once. Nanoseconds a
/// message of both.
#[allow(clippy::cast_precision_loss, reason = "a figure for people")]
pub(super) fn duel<const W: usize>(
    each: u64,
    mut out: impl FnMut() -> Box<dyn FnOnce(u64) + Send>,
    from: &mut impl In<W>,
    warm: &mut impl Out<W>,
) -> f64 {
    pin(0);
    (0..2 * each).for_each(|n| put(warm, n));
    (0..2 * each).for_each(|n| assert_eq!(get(from), n));
    let start = Barrier::new(2);
    let took = std::thread::scope(|scope| {
        let start = &start;
        let duellists = [0, 1].map(|n| {
            let send = out();
            scope.spawn(move || {
                pin(n);
                start.wait();
                let begun = Instant::now();
                send(n as u64);
                (begun, Instant::now())
            })
        });
        let [(begun, ended), (also_begun, also_ended)] =
            duellists.map(|duellist| duellist.join().expect("it only sends"));
        let took = ended.max(also_ended) - begun.min(also_begun);
        took.as_secs_f64() * 1e9 / (2 * each) as f64
    });
    let mut next = [0; 2];
    for _ in 0..2 * each {
        let head = get(from);
        let sender = (head >> SENDER_SHIFT) as usize;
        assert_eq!(head & ((1 << SENDER_SHIFT) - 1), next[sender], "a message is missing");
        next[sender] += 1;
    }
    took
}

/// One sender of a duel.
pub(super) fn duellist<const W: usize>(
    each: u64,
    mut out: impl Out<W> + Send + 'static,
) -> Box<dyn FnOnce(u64) + Send> {
    Box::new(move |number| send_all(&mut out, false, number, each))
}

/// There and back. The median of batches, nanoseconds a trip.
pub(super) fn round_trip<const W: usize>(
    count: u64,
    (mut out, mut from): (impl Out<W>, impl In<W> + Send),
    (mut answer, mut back): (impl Out<W> + Send, impl In<W>),
) -> f64 {
    const TRIPS: u64 = 50;
    unpin();
    let count = count / TRIPS * TRIPS;
    std::thread::scope(|scope| {
        scope.spawn(move || {
            pin(1);
            let _end = EndTogether;
            for n in 0..count {
                assert_eq!(get(&mut from), n, "the message is another");
                put(&mut answer, n);
            }
        });
        pin(0);
        let mut took: Vec<f64> = (0..count / TRIPS)
            .map(|batch| {
                let begun = Instant::now();
                for n in batch * TRIPS..(batch + 1) * TRIPS {
                    put(&mut out, n);
                    assert_eq!(get(&mut back), n, "the answer is another");
                }
                nanos_each(begun, TRIPS)
            })
            .collect();
        took.sort_by(f64::total_cmp);
        took[took.len() / 2]
    })
}
