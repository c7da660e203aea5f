//! A process that plays a part: it says when it is ready, does what it is told line by line, and ends with its orders.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

/// Says in a child process what it plays.
pub const ROLE: &str = "RINGWAY_BENCH_MANAGER";

/// What a client did: calls, and how long they took.
#[derive(Clone, Copy, Debug)]
pub struct Done {
    pub calls: f64,
    pub seconds: f64,
    /// The 99th percentile of single calls, where they were timed one by one; else zero.
    pub p99: f64,
}

/// Another process.
pub struct Side {
    /// Closed first: the process ends when its orders do.
    orders: Option<ChildStdin>,
    said: BufReader<ChildStdout>,
    child: Child,
}

impl Side {
    /// Starts this program again to play `role`.
    pub fn start(role: &str) -> Self {
        let mut command = Command::new(std::env::current_exe().expect("this program"));
        command.env(ROLE, role);
        Self::run(command)
    }

    /// The same, of the lowest priority, where there is `nice`.
    pub fn start_at_rest(role: &str) -> Self {
        let mut command = Command::new("nice");
        command.args(["-n", "19"]).arg(std::env::current_exe().expect("this program"));
        command.env(ROLE, role);
        Self::run(command)
    }

    /// Starts any program that keeps to this.
    pub fn run(mut command: Command) -> Self {
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("a child process");
        let said = BufReader::new(child.stdout.take().expect("its output is a pipe"));
        let orders = child.stdin.take();
        let mut side = Self { orders, said, child };
        assert_eq!(side.line(), "ready", "the other process failed");
        side
    }

    /// Tells it to call for so long.
    pub fn order(&mut self, time: Duration) {
        let orders = self.orders.as_mut().expect("closed in drop");
        writeln!(orders, "{}", time.as_millis()).expect("it is there");
    }

    /// What came of it.
    pub fn done(&mut self) -> Done {
        let line = self.line();
        let mut numbers = line.split(' ').map(|number| number.parse().expect("a number"));
        let mut next = || numbers.next().expect("three numbers");
        Done { calls: next(), seconds: next(), p99: next() }
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.said.read_line(&mut line).expect("its output");
        line.trim_end().to_owned()
    }
}

impl Drop for Side {
    fn drop(&mut self) {
        drop(self.orders.take());
        let status = self.child.wait().expect("a child of ours");
        assert!(status.success() || std::thread::panicking(), "the other process failed");
    }
}

/// In the process itself: says that it is ready.
pub fn ready() {
    say("ready");
}

fn say(line: &str) {
    let mut out = std::io::stdout();
    writeln!(out, "{line}").expect("somebody reads it");
    out.flush().expect("somebody reads it");
}

/// The orders, until there are no more.
pub fn orders() -> impl Iterator<Item = Duration> {
    let lines = std::io::stdin().lines().map_while(Result::ok);
    lines.map(|line| Duration::from_millis(line.parse().expect("milliseconds")))
}

/// Of so many calls one reads the clock.
const CALLS: u64 = 16;

/// Plays a client: `call` makes the call of that number and checks its answer. With a pause each call is timed.
pub fn play_client(pause: Option<Duration>, mut call: impl FnMut(u64)) {
    let mut number = 0;
    let mut calls = |count: u64| {
        (number..number + count).for_each(&mut call);
        number += count;
    };
    calls(64);
    ready();
    for time in orders() {
        let done = match pause {
            None => busy(time, || calls(CALLS)),
            Some(pause) => calm(time, pause, || calls(1)),
        };
        say(&format!("{} {} {}", done.calls, done.seconds, done.p99));
    }
}

fn busy(time: Duration, mut calls: impl FnMut()) -> Done {
    let (start, mut rounds) = (Instant::now(), 0_u32);
    while start.elapsed() < time {
        calls();
        rounds += 1;
    }
    let calls = f64::from(rounds) * f64::from(u16::try_from(CALLS).expect("few"));
    Done { calls, seconds: start.elapsed().as_secs_f64(), p99: 0.0 }
}

fn calm(time: Duration, pause: Duration, mut call: impl FnMut()) -> Done {
    let (start, mut took) = (Instant::now(), Vec::new());
    while start.elapsed() < time {
        std::thread::sleep(pause);
        let begun = Instant::now();
        call();
        took.push(begun.elapsed().as_secs_f64());
    }
    took.sort_by(f64::total_cmp);
    let p99 = took[(took.len() - 1) * 99 / 100];
    let calls = f64::from(u32::try_from(took.len()).expect("few"));
    Done { calls, seconds: start.elapsed().as_secs_f64(), p99 }
}
