//! What else may happen to a segment and who uses it: the file is cut, has holes, loses its name, lies elsewhere; limits.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use ringway::pipe::Connection;
use ringway::queue::{Queue, Receiver, Sender};
use ringway::spsc::{Consumer, Producer};
use ringway::{ErrorKind, Fault, Options, RecvTimeoutError, TryRecvError, TrySendError, Wait};

use crate::util::child::{Child, hear, say};
use crate::util::view::View;
use crate::util::{LONG, Name, PROMPT, Random, eventually, not_run, os, within};

const RECHECK: Duration = Duration::from_millis(20);
/// Larger than a page, so that holes lie in slots alone.
const MANY: usize = 4096;
const PAGE: u64 = 4096;
/// What a process ends with that touches memory its file does not have any more.
const BUS: i32 = 1000 + libc::SIGBUS;

pub fn play(role: &str, arguments: &[&str]) {
    let name = arguments[0];
    let wait = match arguments.get(1) {
        Some(&"spin") => Wait::Spin,
        _ => Wait::Park,
    };
    os::leave_no_core();
    match role {
        "receive" => {
            let queue = queues().wait(wait).open(name).unwrap();
            let receiver = queue.receiver();
            say("open");
            let _ = receiver.recv();
        }
        "consume" => {
            let mut consumer =
                Consumer::<u64>::options().recheck(RECHECK).wait(wait).open(name).unwrap();
            say("open");
            let _ = consumer.recv();
        }
        "elsewhere" => look_elsewhere(name),
        "memory lock" => under_a_memory_lock_limit(name),
        "be there" => {
            let queue = queues().open(name).unwrap();
            let (sender, receiver) = (queue.sender(), queue.receiver());
            say("open");
            hear();
            sender.send(receiver.recv().unwrap() + 1).unwrap();
            say("answered");
            hear();
        }
        _ => panic!("no role {role}"),
    }
}

fn queues() -> Options<Queue<u64>> {
    Queue::<u64>::options().capacity(4).recheck(RECHECK)
}

/// Processor time that a process has used, in ticks of 10 ms.
fn ticks(pid: i32) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let fields = stat.rsplit_once(')').unwrap().1.split_whitespace();
    fields.skip(11).take(2).map(|ticks| ticks.parse::<u64>().unwrap()).sum()
}

/// Sleeping in the kernel on a page that is cut off is no access: the next look at it is, at the latest at the recheck.
#[test]
fn a_file_that_is_cut_short_under_a_user_ends_that_process_by_sigbus_within_a_recheck() {
    for (role, how) in [("receive", "park"), ("receive", "spin"), ("consume", "park")] {
        let name = Name::new("cut");
        match role {
            "receive" => drop(queues().create(&name).unwrap()),
            _ => drop(Consumer::<u64>::options().create(&name).unwrap()),
        }
        let mut child = Child::spawn(&format!("threats::{role}"), &[&name, how]);
        child.expect("open");
        let view = View::open(name.path());
        if how == "park" {
            assert!(eventually(LONG, || view.consumer_waits(0) && child.is_asleep()));
        }
        view.file().set_len(0).unwrap();
        assert_eq!(within(PROMPT, || child.code()), BUS, "{role}, {how}");
        // The name is free for who replaces what is there.
        let error = queues().open(&name).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::NotASegment(_)), "{error}");
        drop(queues().replace(&name).unwrap());
        drop(queues().open(&name).unwrap());
    }
}

/// A hole gives it another page than it sleeps on, empty: what it waits for is lost, and it must not go round in a loop.
#[test]
fn a_sleeper_whose_pages_were_taken_sleeps_on_and_uses_no_time() {
    let name = Name::new("regrown");
    drop(queues().create(&name).unwrap());
    let child = Child::spawn("threats::receive", &[&name, "park"]);
    child.expect("open");
    let view = View::open(name.path());
    assert!(eventually(LONG, || view.consumer_waits(0) && child.is_asleep()));
    let len = view.file().metadata().unwrap().len();
    os::punch(view.file(), 0, len);
    let (start, before) = (Instant::now(), ticks(child.pid()));
    assert!(eventually(LONG, || start.elapsed() > 10 * RECHECK));
    let used = ticks(child.pid()) - before;
    assert!(used <= 4, "{used} ticks while there was nothing to do");
    assert!(eventually(LONG, || child.is_asleep()), "it sleeps again");
    child.kill();
}

/// A queue that has gone around twice, so that zeros are the words of no slot that comes next.
fn old_queue(name: &Name) -> (Sender<u64>, Receiver<u64>, View) {
    let queue = queues().capacity(MANY).create(name).unwrap();
    let (sender, receiver) = (queue.sender(), queue.receiver());
    for n in 0..2 * MANY as u64 {
        sender.send(n).unwrap();
        receiver.recv().unwrap();
    }
    (sender, receiver, View::open(name.path()))
}

#[test]
fn holes_in_the_slots_of_a_queue_are_found_by_both_sides() {
    let name = Name::new("holes");
    let (sender, receiver, view) = old_queue(&name);
    let hole = view.slot(0, 1).next_multiple_of(PAGE);
    os::punch(view.file(), hole, 4 * PAGE);
    let sent = (0..view.capacity()).find(|n| sender.try_send(*n).is_err()).unwrap();
    assert_eq!(sent, (hole - view.slot(0, 0)) / view.u64(96), "up to the hole");
    let fault = sender.try_send(0).unwrap_err().fault();
    assert!(matches!(fault, Some(Fault::Corrupt(_))), "{fault:?}");
    for n in 0..sent {
        assert_eq!(receiver.try_recv(), Ok(n), "what lies before it is as it was");
    }
    let fault = receiver.try_recv().unwrap_err().fault();
    assert!(matches!(fault, Some(Fault::Corrupt(_))), "{fault:?}");
}

#[test]
fn holes_in_the_records_of_a_pipe_are_found_by_the_receiver() {
    let name = Name::new("holes");
    let mut here = Connection::options().capacity(64 << 10).create(&name).unwrap();
    let mut there = Connection::options().open(&name).unwrap();
    while here.try_send(&[7; 24]).is_ok() {}
    let view = View::open(name.path());
    os::punch(view.file(), view.slot(0, 0) / PAGE * PAGE + 2 * PAGE, 4 * PAGE);
    let error = (0..1 << 12).find_map(|_| match there.try_recv() {
        Ok(record) if record == [7; 24] => None,
        // The record over the edge of the hole.
        Ok(record) => {
            assert!(record.iter().all(|byte| [0, 7].contains(byte)));
            None
        }
        Err(error) => Some(error),
    });
    let fault = error.expect("a hole is no record").fault();
    assert!(matches!(fault, Some(Fault::Corrupt(_))), "{fault:?}");
}

/// Anywhere, in cursors and records of members too.
#[test]
fn holes_anywhere_under_load_hang_nobody_and_panic_nobody() {
    let mut random = Random(5);
    let start = Instant::now();
    while start.elapsed() < Duration::from_millis(500) {
        let name = Name::new("holes");
        let queue = queues().capacity(256).create(&name).unwrap();
        let (sender, receiver) = (queue.sender(), queue.receiver());
        let (values, pipe) = (Name::new("holes"), Name::new("holes"));
        let mut producer = Producer::<u64>::options().capacity(512).create(&values).unwrap();
        let mut consumer = Consumer::<u64>::options().recheck(RECHECK / 10).open(&values).unwrap();
        let mut here = Connection::options().capacity(4096).create(&pipe).unwrap();
        let mut there = Connection::options().open(&pipe).unwrap();
        let views = [&name, &values, &pipe].map(|name| View::open(name.path()));
        let brief = Duration::from_micros(100);
        for n in 0..300 {
            if n % 50 == 49 {
                for view in &views {
                    let pages = view.file().metadata().unwrap().len().div_ceil(PAGE);
                    os::punch(view.file(), random.next() % pages * PAGE, PAGE);
                }
            }
            within(LONG, || {
                let _ = (sender.send_timeout(n, brief), producer.send_timeout(n, brief));
                let _ = here.send_timeout(&[7; 100], brief);
                if n % 3 != 0 {
                    let _ = (receiver.try_recv(), receiver.try_recv_guard().map(drop));
                    let _ = (consumer.recv_timeout(brief), there.recv_timeout(brief));
                }
            });
        }
        within(LONG, || {
            queue.close();
            producer.close();
            let _ = (queue.recover(), queue.members(), queue.statistics());
        });
    }
}

#[test]
fn where_dev_shm_is_another_one_there_is_no_such_name_and_the_error_says_so() {
    if !os::is_root() {
        return not_run("mounting takes root");
    }
    let name = Name::new("elsewhere");
    let _queue = queues().create(&name).unwrap();
    Child::spawn("threats::elsewhere", &[&name]).finish();
}

fn look_elsewhere(name: &str) {
    os::private_mounts().unwrap();
    drop(queues().open(name).expect("in the same one it is there"));
    os::mount("tmpfs", Path::new("/dev/shm"), Some("tmpfs"), 0, "size=1m").unwrap();
    let error = queues().open(name).unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::NotFound);
    let text = error.to_string();
    assert!(text.contains(name) && text.contains("nothing has that name"), "{text}");
    assert_eq!(std::io::Error::from(error).kind(), std::io::ErrorKind::NotFound);
    // The same name is free here, and another channel.
    let queue = queues().create(name).unwrap();
    queue.sender().send(1).unwrap();
    assert_eq!(queue.receiver().recv(), Ok(1));
}

#[test]
fn who_may_lock_no_memory_may_have_all_of_a_channel_brought_in_all_the_same() {
    if !os::is_root() {
        return not_run("becoming another user takes root");
    }
    let name = Name::new("memlock");
    Child::spawn("threats::memory lock", &[&name]).finish();
}

fn under_a_memory_lock_limit(name: &str) {
    os::limit_locked_memory(0);
    os::become_user(65_534);
    let options = queues().capacity(1 << 17).prefault().remove_when_unused();
    let queue = options.create(name).unwrap();
    let (sender, receiver) = (queue.sender(), queue.receiver());
    for n in 0..1 << 18 {
        sender.send(n).unwrap();
        assert_eq!(receiver.recv(), Ok(n));
    }
}

/// As cleaners of temporary files do, and systemd when a user logs out.
#[test]
fn a_file_removed_under_a_pair_leaves_both_with_each_other_until_they_die() {
    let name = Name::new("removed");
    let queue = queues().create(&name).unwrap();
    let mut child = Child::spawn("threats::be there", &[&name]);
    child.expect("open");
    fs::remove_file(name.path()).unwrap();
    assert_eq!(queues().open(&name).unwrap_err().kind(), &ErrorKind::NotFound);
    let successor = queues().create(&name).unwrap();
    child.tell("go on");
    queue.sender().send(1).unwrap();
    child.expect("answered");
    let receiver = queue.receiver();
    assert_eq!(receiver.recv_timeout(LONG), Ok(2));
    assert_eq!(receiver.recv_timeout(RECHECK / 4), Err(RecvTimeoutError::Timeout));
    child.kill();
    assert_eq!(receiver.recv_timeout(LONG), Err(RecvTimeoutError::Disconnected));
    assert_eq!(queue.sender().try_send(3), Ok(()), "this very handle receives");
    drop(receiver);
    assert_eq!(queue.sender().try_send(4), Err(TrySendError::Disconnected(4)));
    assert_eq!(successor.receiver().try_recv(), Err(TryRecvError::Empty), "it has nothing of it");
}
