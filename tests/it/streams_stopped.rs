//! Streams of long messages while either side is stopped and goes on, again and again: nobody waits for a wake-up that is gone.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

use ringway::pipe::Connection;
use ringway::queue::Queue;
use ringway::{Options, Wait};

use crate::util::child::{Child, say};
use crate::util::{NO_RECHECK, Name, Random, os};

const LEN: usize = 64 << 10;
const COUNT: u64 = 400;

/// By each channel: messages in slots, in blocks, records that go whole, and in pieces.
const CHANNELS: [&str; 4] = ["slots", "blocks", "whole", "pieces"];
const WAITS: [Wait; 2] = [Wait::Park, Wait::SpinThenPark];

pub fn play(role: &str, arguments: &[&str]) {
    let [name, channel, wait] = *arguments else { panic!("no channel") };
    let wait = WAITS.into_iter().find(|known| format!("{known:?}") == wait).unwrap();
    match (role, channel) {
        ("send", "slots" | "blocks") => {
            let options = Queue::<[u8]>::options().wait(wait).recheck(NO_RECHECK);
            let sender = options.open(name).unwrap().sender();
            send(|message| sender.send(message).unwrap());
        }
        ("send", _) => {
            let options = Connection::options().wait(wait).recheck(NO_RECHECK);
            let mut end = options.open(name).unwrap();
            send(|message| end.send(message).unwrap());
        }
        (_, "slots" | "blocks") => {
            let receiver = queue(channel).wait(wait).create(name).unwrap().receiver();
            receive(|buffer| receiver.recv_into(buffer).unwrap());
        }
        _ => {
            let mut end = pipe(channel).wait(wait).create(name).unwrap();
            receive(|buffer| end.recv_into(buffer).unwrap());
        }
    }
}

fn queue(channel: &str) -> Options<Queue<[u8]>> {
    let options = Queue::<[u8]>::options().capacity(16).recheck(NO_RECHECK);
    if channel == "slots" { options.message_len(LEN) } else { options.blocks(LEN, 4) }
}

fn pipe(channel: &str) -> Options<Connection> {
    let records = if channel == "whole" { 16 } else { 1 };
    Connection::options().capacity(records * (LEN + 8)).recheck(NO_RECHECK)
}

fn send(mut send: impl FnMut(&[u8])) {
    let mut message = vec![0; LEN];
    for number in 0..COUNT {
        message.fill(number.to_le_bytes()[0]);
        message[..8].copy_from_slice(&number.to_le_bytes());
        send(&message);
    }
}

fn receive(mut receive: impl FnMut(&mut [u8]) -> usize) {
    say("open");
    let mut buffer = vec![0; LEN];
    for number in 0..COUNT {
        assert_eq!(receive(&mut buffer), LEN);
        assert_eq!(buffer[..8], number.to_le_bytes());
        assert!(buffer[8..].iter().all(|byte| *byte == number.to_le_bytes()[0]), "{number}");
    }
    say("all");
}

/// Stops one of the two after the other, for up to two milliseconds, until `over`. Says how often.
fn disturb(pids: [i32; 2], over: &AtomicBool, seed: u64) -> usize {
    let mut random = Random(seed);
    let mut spin = || {
        let until = Instant::now() + Duration::from_micros(random.below(2000) as u64);
        while Instant::now() < until {
            std::thread::yield_now();
        }
        random.below(2)
    };
    let stop = || {
        let pid = pids[spin()];
        os::kill(pid, libc::SIGSTOP);
        spin();
        os::kill(pid, libc::SIGCONT);
    };
    std::iter::repeat_with(stop).take_while(|()| !over.load(Relaxed)).count()
}

/// Says that it is over, by panic too.
struct End<'a>(&'a AtomicBool);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.store(true, Relaxed);
    }
}

#[test]
fn who_is_stopped_and_goes_on_keeps_nobody_waiting() {
    for (seed, wait) in (1..).zip(WAITS) {
        for channel in CHANNELS {
            let name = Name::new("stopped-stream");
            let arguments: [&str; 3] = [&name, channel, &format!("{wait:?}")];
            let receiver = Child::spawn("streams_stopped::receive", &arguments);
            receiver.expect("open");
            let sender = Child::spawn("streams_stopped::send", &arguments);
            let (pids, over) = ([receiver.pid(), sender.pid()], AtomicBool::new(false));
            let stops = std::thread::scope(|scope| {
                let stops = scope.spawn(|| disturb(pids, &over, seed));
                let end = End(&over);
                receiver.expect("all");
                drop(end);
                stops.join().unwrap()
            });
            assert!(stops > 5, "{channel}, {wait:?}: {stops} stops");
            sender.finish();
            receiver.finish();
        }
    }
}
