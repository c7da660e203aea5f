//! A process that sleeps until it is handed something, and how long after that it has it.
//!
//! Two ways of handing over: a parked ringway receiver, and the bare futex. Each is sent only once the
//! kernel says that the receiver sleeps. The message carries the time it was sent, the receiver reads the
//! same clock as soon as it has it, and tells the difference.

use std::process::{Child, Command, Stdio};

use ringway::Wait;
use ringway::spsc::{Consumer, Producer};

use crate::bare::{Handover, is_asleep, now_ns};
use crate::machine::{pin, unpin};

/// Says in a child process which sleeper it plays.
const ROLE: &str = "RINGWAY_SLEEPER";

/// What the sleeper sleeps in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    Bare,
    Ringway,
}

/// The sending side.
enum Ends {
    Bare(Handover),
    Ringway(Box<Channels>),
}

struct Channels {
    out: Producer<[u64; 2]>,
    back: Consumer<[u64; 2]>,
}

/// A sleeping process as the sending one sees it.
pub struct Sleeper {
    ends: Option<Ends>,
    process: Child,
    number: u32,
}

impl Sleeper {
    /// Starts one on the second processor.
    pub fn start(way: Way) -> Self {
        unpin();
        let name = format!("sleeper-{}", std::process::id());
        let (ends, role) = match way {
            Way::Bare => {
                let handover = Handover::create().expect("a shared page");
                let role = format!("bare {}", handover.path());
                (Ends::Bare(handover), role)
            }
            Way::Ringway => {
                let out = Producer::options().remove_when_unused().create(&name);
                let back = Consumer::options().remove_when_unused().create(&back_of(&name));
                let out = out.expect("create the channel");
                let back = back.expect("create the channel back");
                (Ends::Ringway(Box::new(Channels { out, back })), format!("ringway {name}"))
            }
        };
        let process = Command::new(std::env::current_exe().expect("this program"))
            .env(ROLE, role)
            .stdin(Stdio::null())
            .spawn()
            .expect("a child process");
        pin(0);
        Self { ends: Some(ends), process, number: 0 }
    }

    /// Waits until it sleeps.
    pub fn settle(&mut self) {
        while !is_asleep(self.process.id()) {
            self.check_alive();
        }
    }

    /// Wakes it from its sleep. Nanoseconds from just before the send until it had the message.
    pub fn wake(&mut self) -> u64 {
        self.settle();
        self.number += 1;
        let n = self.number;
        match self.ends.as_mut().expect("there until dropped") {
            Ends::Bare(handover) => handover.send(n),
            Ends::Ringway(channels) => {
                let message = [n.into(), now_ns()];
                channels.out.try_send(message).expect("an empty channel");
            }
        }
        loop {
            for _ in 0..1 << 16 {
                if let Some(took) = self.answer() {
                    return took;
                }
                std::hint::spin_loop();
            }
            self.check_alive();
        }
    }

    fn answer(&mut self) -> Option<u64> {
        match self.ends.as_mut().expect("there until dropped") {
            Ends::Bare(handover) => handover.answer_to(self.number),
            Ends::Ringway(channels) => {
                let [n, took] = channels.back.try_recv().ok()?;
                assert_eq!(n, u64::from(self.number), "each message once and in order");
                Some(took)
            }
        }
    }

    fn check_alive(&mut self) {
        let ended = self.process.try_wait().expect("a child of ours");
        assert!(ended.is_none(), "the sleeper has ended");
    }
}

impl Drop for Sleeper {
    fn drop(&mut self) {
        if let Some(Ends::Bare(handover)) = &self.ends {
            handover.close();
        }
        // The other kind of sleeper sees that nobody is left to send.
        self.ends = None;
        let status = self.process.wait().expect("a child of ours");
        assert!(status.success() || std::thread::panicking(), "the sleeper failed");
    }
}

fn back_of(name: &str) -> String {
    format!("{name}-back")
}

/// Plays the sleeper, if this process was started for that. To be called first in `main`.
pub fn play_if_asked() -> bool {
    let Ok(role) = std::env::var(ROLE) else { return false };
    match role.split_once(' ') {
        Some(("bare", path)) => sleep_bare(path),
        Some(("ringway", name)) => sleep_in_ringway(name),
        _ => panic!("no role {role:?}"),
    }
    true
}

fn sleep_bare(path: &str) {
    let sender = std::os::unix::process::parent_id();
    let handover = Handover::open(path).expect("the sender's page");
    pin(1);
    for n in 1.. {
        let Some(took) = handover.receive(n, sender) else { return };
        handover.answer(n, took);
    }
}

fn sleep_in_ringway(name: &str) {
    let mut from =
        Consumer::<[u64; 2]>::options().wait(Wait::Park).open(name).expect("its channel");
    let mut back = Producer::<[u64; 2]>::options().open(&back_of(name)).expect("the one back");
    pin(1);
    for n in 1.. {
        let Ok([number, sent_at]) = from.recv() else { return };
        let took = now_ns().saturating_sub(sent_at);
        assert_eq!(number, n, "each message once and in order");
        back.try_send([n, took]).expect("an empty channel");
    }
}
