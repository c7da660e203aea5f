//! Who lives and who died: killed, stopped, zombie, misread through a wrong descriptor.

use std::fs::{self, File, OpenOptions};
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Duration;

use ringway::spsc::{Consumer, Producer};
use ringway::{ErrorKind, Fault, Options, RecvTimeoutError, SendTimeoutError, TryRecvError, Wait};

use crate::util::child::{Child, hear, say, state_of};
use crate::util::view::{ENDS, View};
use crate::util::{LONG, NO_RECHECK, Name, PROMPT, eventually, listing, os, within};

const RECHECK: Duration = Duration::from_millis(20);
/// Many rechecks: long enough that a wrong verdict would have been taken.
const A_WHILE: Duration = Duration::from_millis(300);
/// Byte of a segment file whose lock says that member 0 lives.
const LIVENESS: u64 = 1 << 40;

pub fn play(role: &str, arguments: &[&str]) {
    let name = arguments[0];
    match role {
        "produce" => {
            let mut producer = Producer::<u64>::options().open(name).unwrap();
            producer.send(1).unwrap();
            say("sent");
            hear();
            producer.send(2).unwrap();
            hear();
        }
        "consume" => {
            let _consumer = Consumer::<u64>::options().open(name).unwrap();
            say("open");
            hear();
        }
        "sleep" => {
            let options = Consumer::<u64>::options().wait(Wait::Park).recheck(NO_RECHECK);
            let _ = options.open(name).unwrap().recv();
        }
        "lose" => lose_the_probe(name, arguments[1]),
        _ => panic!("no role {role}"),
    }
}

fn producers() -> Options<Producer<u64>> {
    Producer::options().capacity(2).recheck(RECHECK)
}

fn consumers() -> Options<Consumer<u64>> {
    Consumer::options().capacity(2).recheck(RECHECK)
}

/// A consumer here, and a process that is its producer and has sent 1.
fn with_producer(name: &Name, wait: Wait) -> (Consumer<u64>, Child) {
    let mut consumer = consumers().wait(wait).create(name).unwrap();
    let child = Child::spawn("liveness::produce", &[name]);
    child.expect("sent");
    assert_eq!(consumer.recv(), Ok(1));
    (consumer, child)
}

#[test]
fn a_receiver_learns_within_a_recheck_that_its_sender_was_killed() {
    for wait in [Wait::Spin, Wait::SpinThenPark, Wait::Park] {
        let name = Name::new("killed");
        let (mut consumer, child) = with_producer(&name, wait);
        child.strike();
        let slack = Duration::from_secs(5);
        let answer = within(slack, || consumer.recv_timeout(LONG));
        assert_eq!(answer, Err(RecvTimeoutError::Disconnected), "{wait:?}");
    }
}

#[test]
fn a_sender_learns_within_a_recheck_that_its_receiver_was_killed() {
    for wait in [Wait::Spin, Wait::SpinThenPark, Wait::Park] {
        let name = Name::new("killed");
        let mut producer = producers().wait(wait).create(&name).unwrap();
        let child = Child::spawn("liveness::consume", &[&name]);
        child.expect("open");
        producer.send_batch(&[1, 2]).unwrap();
        child.strike();
        let slack = Duration::from_secs(5);
        let answer = within(slack, || producer.send_timeout(3, LONG));
        assert_eq!(answer, Err(SendTimeoutError::Disconnected(3)), "{wait:?}");
    }
}

#[test]
fn the_end_of_a_killed_member_goes_to_the_next_and_its_messages_stay() {
    let name = Name::new("heir");
    let mut consumer = consumers().create(&name).unwrap();
    for _ in 0..5 {
        let child = Child::spawn("liveness::produce", &[&name]);
        child.expect("sent");
        child.kill();
        assert_eq!(consumer.recv(), Ok(1));
    }
    let mut producer = producers().open(&name).unwrap();
    producer.send(9).unwrap();
    assert_eq!(consumer.recv(), Ok(9));
}

#[test]
fn a_stopped_member_is_not_taken_for_dead() {
    let name = Name::new("stopped");
    let (mut consumer, mut child) = with_producer(&name, Wait::Park);
    child.signal(libc::SIGSTOP);
    assert!(eventually(LONG, || state_of(child.pid()) == Some('T')));
    assert_eq!(consumer.recv_timeout(A_WHILE), Err(RecvTimeoutError::Timeout));
    let error = producers().open(&name).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::EndTaken(_)), "{error}");
    let error = producers().create(&name).unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::AlreadyExists { alive: 2, dead: 0 });
    child.signal(libc::SIGCONT);
    child.tell("go on");
    assert_eq!(consumer.recv_timeout(LONG), Ok(2));
    child.finish();
}

#[test]
fn a_zombie_is_dead() {
    let name = Name::new("zombie");
    let (mut consumer, child) = with_producer(&name, Wait::Park);
    child.strike();
    assert!(eventually(LONG, || state_of(child.pid()) == Some('Z')));
    assert_eq!(consumer.recv_timeout(LONG), Err(RecvTimeoutError::Disconnected));
    let mut producer = producers().open(&name).unwrap();
    producer.send(3).unwrap();
    assert_eq!(consumer.recv(), Ok(3));
    assert_eq!(state_of(child.pid()), Some('Z'), "it was a zombie all the while");
}

#[test]
fn a_channel_that_lost_its_name_still_tells_the_dead_from_the_living() {
    let name = Name::new("nameless");
    let (mut consumer, child) = with_producer(&name, Wait::Park);
    let _successor = consumers().replace(&name).unwrap();
    assert_eq!(consumer.recv_timeout(A_WHILE), Err(RecvTimeoutError::Timeout));
    child.kill();
    assert_eq!(consumer.recv_timeout(LONG), Err(RecvTimeoutError::Disconnected));
}

#[test]
fn a_waiter_killed_in_its_sleep_swallows_no_wake_up_and_leaves_no_bit() {
    let name = Name::new("sleeper");
    let mut producer = producers().wait(Wait::Park).recheck(NO_RECHECK).create(&name).unwrap();
    let view = View::open(name.path());
    for n in 0..3 {
        let child = Child::spawn("liveness::sleep", &[&name]);
        assert!(eventually(LONG, || view.consumer_waits(0) && child.is_asleep()));
        child.kill();
        let mut heir = consumers().wait(Wait::Park).recheck(NO_RECHECK).open(&name).unwrap();
        assert!(!view.consumer_waits(0), "the bit of the dead was taken back");
        std::thread::scope(|scope| {
            let sleeper = scope.spawn(|| heir.recv());
            assert!(eventually(LONG, || view.consumer_waits(0)));
            producer.send(n).unwrap();
            assert!(eventually(PROMPT, || sleeper.is_finished()), "nobody was woken");
            assert_eq!(sleeper.join().unwrap(), Ok(n));
        });
    }
}

#[test]
fn process_ids_in_member_records_decide_nothing() {
    let name = Name::new("pid");
    let (mut consumer, child) = with_producer(&name, Wait::Park);
    let view = View::open(name.path());
    let of_member = |member| view.record(member) + 4;
    assert_eq!(i32::try_from(view.u32(of_member(1))), Ok(child.pid()));
    view.put_u32(of_member(1), 0x7fff_fff0);
    assert_eq!(consumer.recv_timeout(A_WHILE), Err(RecvTimeoutError::Timeout), "it lives");
    let error = producers().open(&name).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::EndTaken(_)), "{error}");
    view.put_u32(of_member(1), std::process::id());
    child.kill();
    assert_eq!(consumer.recv_timeout(LONG), Err(RecvTimeoutError::Disconnected), "it is dead");
}

#[test]
fn a_record_and_an_end_without_a_lock_are_those_of_the_dead() {
    let name = Name::new("bogus");
    let mut consumer = consumers().create(&name).unwrap();
    let view = View::open(name.path());
    view.put_u32(view.record(9), 1);
    view.put_u32(view.record(9) + 4, 1);
    view.put_u64(ENDS, (1 << 12) | 0xa);
    let error = producers().create(&name).unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::AlreadyExists { alive: 1, dead: 1 });
    let mut producer = producers().open(&name).unwrap();
    producer.send(4).unwrap();
    assert_eq!(consumer.recv(), Ok(4));
    assert_eq!(view.u32(view.record(9)), 0, "what it left was taken back");
}

#[test]
fn members_are_counted_whatever_the_order_of_their_locks() {
    let name = Name::new("order");
    let _consumer = consumers().create(&name).unwrap();
    let view = View::open(name.path());
    let mut holders = Vec::new();
    for member in [7, 2, 5, 62] {
        let file = OpenOptions::new().read(true).write(true).open(name.path()).unwrap();
        os::lock_byte(&file, LIVENESS + u64::from(member));
        view.put_u32(view.record(member), 1);
        holders.push(file);
    }
    view.put_u32(view.record(4), 1);
    let count = || producers().create(&name).unwrap_err().kind().clone();
    assert_eq!(count(), ErrorKind::AlreadyExists { alive: 5, dead: 1 });
    holders.remove(0);
    assert_eq!(count(), ErrorKind::AlreadyExists { alive: 4, dead: 2 });
    holders.pop();
    assert_eq!(count(), ErrorKind::AlreadyExists { alive: 3, dead: 3 });
}

#[test]
fn a_number_whose_lock_somebody_else_holds_is_not_given_out() {
    let name = Name::new("number");
    let _consumer = consumers().max_members(2).create(&name).unwrap();
    let file = OpenOptions::new().read(true).write(true).open(name.path()).unwrap();
    os::lock_byte(&file, LIVENESS + 1);
    let error = producers().open(&name).unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::TooManyMembers { limit: 2 });
    drop(file);
    drop(producers().open(&name).unwrap());
}

#[test]
fn a_descriptor_closed_behind_the_librarys_back_condemns_nobody() {
    for how in ["close", "reuse", "same size"] {
        let name = Name::new("lost");
        let mut peer = Child::spawn("liveness::lose", &[&name, how]);
        peer.expect("made");
        let producer = Child::spawn("liveness::produce", &[&name]);
        producer.expect("sent");
        peer.tell("lose it");
        peer.expect("nobody condemned");
        producer.kill();
        peer.tell("it died");
        peer.expect("still nobody condemned");
        peer.finish();
    }
}

/// Descriptors of this process that are of the file at `path`.
pub fn descriptors_of(path: &Path) -> Vec<RawFd> {
    let wanted = fs::metadata(path).unwrap().ino();
    let numbers = listing(Path::new("/proc/self/fd"));
    let of_file = |number: &String| {
        fs::metadata(format!("/proc/self/fd/{number}")).is_ok_and(|found| found.ino() == wanted)
    };
    numbers.iter().filter(|number| of_file(number)).map(|number| number.parse().unwrap()).collect()
}

fn lose_the_probe(name: &str, how: &str) {
    let mut consumer = consumers().wait(Wait::Park).create(name).unwrap();
    say("made");
    hear();
    assert_eq!(consumer.recv(), Ok(1));
    let path = format!("/dev/shm/ringway.default.{name}");
    let [probe] = descriptors_of(Path::new(&path))[..] else { panic!("one descriptor") };
    let other = foreign_file(how, &path);
    os::close(probe);
    if let Some(other) = &other {
        os::duplicate_to(other, probe);
    }
    let blind = Err(RecvTimeoutError::Failed(Fault::Blind));
    assert_eq!(within(PROMPT, || consumer.recv_timeout(LONG)), blind);
    say("nobody condemned");
    hear();
    assert_eq!(within(PROMPT, || consumer.recv_timeout(LONG)), blind);
    assert_eq!(consumer.try_recv(), Err(TryRecvError::Empty), "what needs no verdict goes on");
    say("still nobody condemned");
    drop(consumer);
    if let Some(other) = other {
        let found = fs::metadata(format!("/proc/self/fd/{probe}")).expect("it was left open");
        assert_eq!(found.ino(), other.metadata().unwrap().ino());
        os::close(probe);
    }
    let mut producer = producers().open(name).unwrap();
    let mut consumer = consumers().open(name).unwrap();
    producer.send(5).unwrap();
    assert_eq!(consumer.recv(), Ok(5));
}

/// A file to put where the probe was: none, a small one, or one that looks like a segment.
fn foreign_file(how: &str, path: &str) -> Option<File> {
    let copy = format!("{path}.copy");
    match how {
        "close" => return None,
        "reuse" => fs::write(&copy, "not a segment").unwrap(),
        _ => drop(fs::copy(path, &copy).unwrap()),
    }
    let file = OpenOptions::new().read(true).write(true).open(&copy).unwrap();
    fs::remove_file(&copy).unwrap();
    assert!(file.as_raw_fd() > 2);
    Some(file)
}

#[test]
fn short_waits_and_mere_polling_learn_of_a_death_too() {
    for polls in [false, true] {
        let name = Name::new("short");
        let options = Consumer::<u64>::options().recheck(RECHECK);
        let mut consumer = options.create(&name).unwrap();
        let child = Child::spawn("liveness::produce", &[&name]);
        child.expect("sent");
        assert_eq!(consumer.recv(), Ok(1));
        child.kill();
        let told = eventually(LONG, || {
            if polls {
                consumer.try_recv() == Err(TryRecvError::Disconnected)
            } else {
                consumer.recv_timeout(RECHECK / 4) == Err(RecvTimeoutError::Disconnected)
            }
        });
        assert!(told, "polls: {polls}");
    }
}
