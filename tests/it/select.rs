//! Waiting on several channels at once.

use std::io::Write;
use std::time::{Duration, Instant};

use ringway::pipe::{Connection, Direction};
use ringway::queue::{Queue, Receiver, Sender};
use ringway::spsc::{Consumer, Producer};
use ringway::{Fault, SelectError, Selectable, Selector, TryRecvError, Wait};

use crate::util::child::{Child, hear, say};
use crate::util::view::View;
use crate::util::{NO_RECHECK, Name, PROMPT, Random, os, within};

const WAITS: [Wait; 3] = [Wait::Spin, Wait::SpinThenPark, Wait::Park];

pub fn play(role: &str, arguments: &[&str]) {
    match role {
        "refused" | "missing" => {
            let error = if role == "refused" { libc::EPERM } else { libc::ENOSYS };
            os::refuse_futex_waitv(error);
            feed_each_in_turn(Wait::Park, 20);
            blocked_until_closed(Wait::Park);
            let (_queues, _senders, receivers) = queues(3);
            let short = Duration::from_millis(20);
            let start = Instant::now();
            let late = Selector::new().wait_timeout(&all(&receivers), short);
            assert_eq!(late, Ok(None));
            assert!(start.elapsed() >= short);
        }
        "send" => {
            let mut producer = Producer::<u64>::options().open(arguments[0]).unwrap();
            say("here");
            hear();
            producer.send(7).unwrap();
            hear();
        }
        "send to queue" => {
            let queue = Queue::<u64>::options().open(arguments[0]).unwrap();
            let sender = queue.sender();
            let _grant = sender.reserve().unwrap();
            say("here");
            hear();
        }
        "receive" => {
            let queue = Queue::<u64>::options().recheck(NO_RECHECK).open(arguments[0]).unwrap();
            let receiver = queue.receiver();
            say("here");
            say(&receiver.recv().unwrap().to_string());
        }
        _ => panic!("no role {role}"),
    }
}

pub type Queues = (Vec<Queue<u64>>, Vec<Sender<u64>>, Vec<Receiver<u64>>);

pub fn queues(count: usize) -> Queues {
    let options = Queue::<u64>::options().capacity(4).recheck(NO_RECHECK);
    let queues: Vec<_> = (0..count).map(|_| options.unnamed().unwrap()).collect();
    let senders = queues.iter().map(Queue::sender).collect();
    let receivers = queues.iter().map(Queue::receiver).collect();
    (queues, senders, receivers)
}

pub fn all(receivers: &[Receiver<u64>]) -> Vec<&dyn Selectable> {
    receivers.iter().map(|receiver| receiver as &dyn Selectable).collect()
}

/// Whoever sends, wherever: the selector learns of it at once.
fn feed_each_in_turn(wait: Wait, rounds: u64) {
    let (_queues, senders, receivers) = queues(5);
    std::thread::scope(|scope| {
        let (ask, asked) = std::sync::mpsc::channel::<u64>();
        scope.spawn(move || {
            let mut random = Random(3);
            for n in asked {
                senders[random.below(5)].send(n).unwrap();
            }
        });
        let mut selector = Selector::waiting(wait);
        for n in 0..rounds {
            ask.send(n).unwrap();
            let index = within(PROMPT, || selector.wait(&all(&receivers)).unwrap());
            assert_eq!(receivers[index].try_recv(), Ok(n));
        }
        drop(ask);
    });
}

fn blocked_until_closed(wait: Wait) {
    let (queues, _senders, receivers) = queues(3);
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| Selector::waiting(wait).wait(&all(&receivers)));
        queues[2].close();
        assert_eq!(within(PROMPT, || waiting.join().unwrap()), Ok(2));
    });
    assert_eq!(receivers[2].try_recv(), Err(TryRecvError::Closed));
}

#[test]
fn what_is_sent_to_any_of_them_is_found_at_once() {
    for wait in WAITS {
        feed_each_in_turn(wait, 300);
    }
}

#[test]
fn closing_one_of_them_ends_the_wait() {
    for wait in WAITS {
        blocked_until_closed(wait);
    }
}

#[test]
fn where_the_kernel_has_no_wait_for_several_it_is_found_all_the_same() {
    for role in ["select::refused", "select::missing"] {
        Child::spawn(role, &[]).finish();
    }
}

#[test]
fn nothing_and_too_many_are_refused_and_as_many_as_may_be_are_not() {
    let mut selector = Selector::new();
    assert_eq!(selector.wait(&[]), Err(SelectError::Nothing));
    assert_eq!(selector.try_wait(&[]), Err(SelectError::Nothing));
    let (_queues, senders, receivers) = queues(128);
    let mut sources = all(&receivers);
    assert_eq!(selector.try_wait(&sources), Ok(None));
    let short = Duration::from_millis(5);
    assert_eq!(selector.wait_timeout(&sources, short), Ok(None));
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| Selector::waiting(Wait::Park).wait(&all(&receivers)));
        senders[127].send(1).unwrap();
        assert_eq!(within(PROMPT, || waiting.join().unwrap()), Ok(127));
    });
    sources.push(&receivers[0]);
    let refused = SelectError::TooMany { count: 129, limit: 128 };
    assert_eq!(selector.wait(&sources), Err(refused));
    assert_eq!(selector.try_wait(&sources), Err(refused));
    assert_eq!(selector.wait_timeout(&sources, short), Err(refused));
    assert_eq!(refused.to_string(), "too many to select on: 129, at most 128");
}

#[test]
fn the_same_one_twice_is_one_that_comes_twice() {
    let (_queues, senders, receivers) = queues(2);
    let twice: [&dyn Selectable; 3] = [&receivers[0], &receivers[1], &receivers[0]];
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| {
            let twice: [&dyn Selectable; 3] = [&receivers[0], &receivers[1], &receivers[0]];
            Selector::waiting(Wait::Park).wait(&twice)
        });
        senders[0].send(1).unwrap();
        assert_ne!(within(PROMPT, || waiting.join().unwrap()), Ok(1));
    });
    let mut selector = Selector::new();
    assert_eq!(selector.wait(&twice), Ok(0));
    assert_eq!(selector.wait(&twice), Ok(2), "each gets its turn");
    assert_eq!(receivers[0].try_recv(), Ok(1));
    assert_eq!(selector.try_wait(&twice), Ok(None));
}

#[test]
fn of_those_that_are_ready_each_gets_its_turn() {
    let (_queues, senders, receivers) = queues(3);
    for sender in &senders {
        (0..3).for_each(|n| sender.send(n).unwrap());
    }
    let mut selector = Selector::new();
    for n in 0..3 {
        for expected in 0..3 {
            assert_eq!(selector.wait(&all(&receivers)), Ok(expected));
            assert_eq!(receivers[expected].try_recv(), Ok(n));
        }
    }
    assert_eq!(selector.try_wait(&all(&receivers)), Ok(None));
}

#[test]
fn queues_streams_and_pipes_are_waited_for_together() {
    let (mut producer, mut consumer) = ringway::spsc::pair::<u32>(4).unwrap();
    let (mut here, mut there) = ringway::pipe::pair(1024).unwrap();
    let (other, half) = ringway::pipe::pair(1024).unwrap();
    let (_to_half, half) = half.split();
    let mut half = half.unwrap();
    let (_queues, senders, receivers) = queues(1);
    let mut selector = Selector::waiting(Wait::Park);
    let look = |selector: &mut Selector, consumer: &Consumer<u32>, there: &Connection, half: &_| {
        selector.try_wait(&[consumer, there, &receivers[0], half])
    };
    assert_eq!(look(&mut selector, &consumer, &there, &half), Ok(None));
    producer.send(1).unwrap();
    assert_eq!(look(&mut selector, &consumer, &there, &half), Ok(Some(0)));
    assert_eq!(consumer.try_recv(), Ok(1));
    here.send(b"record").unwrap();
    assert_eq!(look(&mut selector, &consumer, &there, &half), Ok(Some(1)));
    assert_eq!(there.try_recv().as_deref(), Ok(&b"record"[..]));
    senders[0].send(9).unwrap();
    assert_eq!(look(&mut selector, &consumer, &there, &half), Ok(Some(2)));
    assert_eq!(receivers[0].try_recv(), Ok(9));
    assert_eq!(look(&mut selector, &consumer, &there, &half), Ok(None));
    drop(other);
    assert_eq!(look(&mut selector, &consumer, &there, &half), Ok(Some(3)));
    assert_eq!(half.try_recv(), Err(TryRecvError::Disconnected));
    drop(producer);
    assert_eq!(look(&mut selector, &consumer, &there, &half), Ok(Some(0)));
    assert_eq!(consumer.try_recv(), Err(TryRecvError::Disconnected));
}

#[test]
fn an_end_that_only_sends_is_told_so_at_once() {
    let name = Name::new("select");
    let one_way = Connection::options().direction(Direction::Send).create(&name).unwrap();
    let (_queues, _senders, receivers) = queues(1);
    assert_eq!(Selector::new().wait(&[&receivers[0], &one_way]), Ok(1));
}

#[test]
fn a_record_in_pieces_that_has_come_is_something_to_receive() {
    let (mut here, mut there) = Connection::options().capacity(4096).pair().unwrap();
    let mut selector = Selector::new();
    let mut writer = here.begin().unwrap();
    writer.write_all(&[7; 1000]).unwrap();
    let short = there.try_recv_into(&mut [0; 10]);
    assert_eq!(short, Err(TryRecvError::Empty));
    assert_eq!(selector.try_wait(&[&there]), Ok(None));
    writer.commit().unwrap();
    // Nobody has it but the receiver from here on: its place in the ring is free.
    let fault = Fault::BufferTooShort { needed: 1000, len: 10 };
    assert_eq!(there.try_recv_into(&mut [0; 10]), Err(TryRecvError::Failed(fault)));
    assert_eq!(selector.try_wait(&[&there]), Ok(Some(0)));
    assert!(!there.receiver().unwrap().is_empty());
    assert_eq!(there.try_recv().unwrap(), [7; 1000]);
    assert_eq!(selector.try_wait(&[&there]), Ok(None));
    assert!(there.receiver().unwrap().is_empty());
}

#[test]
fn a_time_limit_is_kept_and_a_wait_leaves_no_trace() {
    let name = Name::new("select");
    let queue = Queue::<u64>::options().recheck(NO_RECHECK).create(&name).unwrap();
    let (_sender, receiver) = (queue.sender(), queue.receiver());
    let (_queues, _senders, receivers) = queues(1);
    let view = View::open(name.path());
    for limit in [0, 1, 30].map(Duration::from_millis) {
        let start = Instant::now();
        let mut selector = Selector::waiting(Wait::Park);
        assert_eq!(selector.wait_timeout(&[&receivers[0], &receiver], limit), Ok(None));
        assert!(start.elapsed() >= limit && start.elapsed() < PROMPT);
        assert!(!view.consumer_waits(0), "its bit is gone");
    }
}
