//! What benchmarks share: a child process for the other side, where the sides run, and what they send.
//!
//! Pinning is that of `rivals`, so that both measure the same thing.
#![allow(dead_code, reason = "each benchmark uses its part")]

#[path = "../rivals/src/machine.rs"]
pub mod machine;

pub mod copying;

use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use criterion::Criterion;
use ringway::spsc::{Consumer, Producer};
use ringway::{RecvTimeoutError, TryRecvError, TrySendError};

/// Says in a child process what it plays.
const ROLE: &str = "RINGWAY_BENCH_ROLE";

/// Room in channels, in messages, where a benchmark does not say otherwise.
pub const SLOTS: usize = 1024;
/// Messages in a batch.
pub const BATCH: usize = 64;

/// Runs a benchmark program: the other side's part if this process was started for that, or else `bench`.
pub fn run(play: impl FnOnce(&[&str]), bench: impl FnOnce(&mut Criterion)) {
    if let Ok(role) = std::env::var(ROLE) {
        return play(&role.split(' ').collect::<Vec<_>>());
    }
    let criterion = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_millis(1200));
    let mut criterion = criterion.configure_from_args();
    bench(&mut criterion);
    criterion.final_summary();
}

/// A name that no other channel has.
pub fn unique() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("bench-{}-{}", std::process::id(), NEXT.fetch_add(1, Relaxed))
}

/// The name of the channel that leads back.
pub fn back_of(name: &str) -> String {
    format!("{name}-back")
}

/// A process that plays the other side until it sees that this one has left.
///
/// Declare it before the channels: then they are dropped first, also when a check fails.
pub struct Peer(Option<Child>);

impl Peer {
    /// None yet.
    pub fn none() -> Self {
        Self(None)
    }

    /// Starts this program again to play `role`.
    pub fn start(&mut self, role: &str) {
        machine::unpin();
        let mut command = Command::new(std::env::current_exe().expect("this program"));
        let child = command.env(ROLE, role).stdin(Stdio::null()).spawn();
        self.0 = Some(child.expect("a child process"));
    }

    /// Panics if it has ended. Before it attaches no channel tells that.
    pub fn check_alive(&mut self) {
        if let Some(child) = &mut self.0 {
            let ended = child.try_wait().expect("a child of ours");
            assert!(ended.is_none(), "the other side has ended");
        }
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        if let Some(child) = &mut self.0 {
            let status = child.wait().expect("a child of ours");
            assert!(status.success() || std::thread::panicking(), "the other side failed");
        }
    }
}

/// The other side's first word, while looking whether it still lives.
pub fn first<const W: usize>(back: &mut Consumer<[u64; W]>, peer: &mut Peer) -> [u64; W] {
    loop {
        match back.recv_timeout(Duration::from_millis(100)) {
            Ok(value) => return value,
            Err(RecvTimeoutError::Timeout) => peer.check_alive(),
            Err(why) => panic!("the other side: {why}"),
        }
    }
}

/// The value numbered `n`: every word depends on the number and on its place.
#[inline(always)]
pub fn value<const W: usize>(n: u64) -> [u64; W] {
    std::array::from_fn(|place| n ^ ((place as u64) << 56))
}

/// Panics unless `found` is the value numbered `n`.
#[inline(always)]
pub fn check<const W: usize>(found: &[u64], n: u64) {
    let right = found.len() == W && found[0] == n && found[W - 1] == n ^ (((W - 1) as u64) << 56);
    assert!(right, "message {n} is wrong");
}

/// Sends, spinning while there is no room.
#[inline(always)]
pub fn send_one<const W: usize>(out: &mut Producer<[u64; W]>, n: u64) {
    let mut message = value(n);
    while let Err(why) = out.try_send(message) {
        let TrySendError::Full(unsent) = why else { panic!("send {n}: {why}") };
        message = unsent;
        std::hint::spin_loop();
    }
}

/// Receives, spinning while there is nothing. `None` once the sender has left.
#[inline(always)]
pub fn receive_one<const W: usize>(from: &mut Consumer<[u64; W]>) -> Option<[u64; W]> {
    loop {
        match from.try_recv() {
            Ok(message) => return Some(message),
            Err(TryRecvError::Empty) => std::hint::spin_loop(),
            Err(TryRecvError::Disconnected) => return None,
            Err(why) => panic!("receive: {why}"),
        }
    }
}
