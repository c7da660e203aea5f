//! Calls of a manager's objects between processes, beside what carries them, a Unix socket and Python's manager.
//!
//! A *call* sets a value or gets it, by turns; each is checked. In a round each contestant gets its turn, in processes that are
//! started for that; a figure is the median over rounds, a ratio the median of the ratios within rounds. `pipe` is the bare round
//! trip of the same bytes; `socket` a server with the same heads, values and dispatch, and a thread for each client; `python`
//! is `works.py`, where there is a python3. Of one client the two sides are pinned; more run where the kernel puts them, and
//! sleep after they have spun for a moment. Then a client that has little to do, alone and beside one that floods.
//!
//! `cargo bench --bench manager [-- PART] [--rounds N]`: only contestants whose names have the part.

#[path = "../rivals/src/machine.rs"]
#[allow(dead_code, reason = "of that only where sides run")]
mod machine;
mod parts;
mod side;
mod socket;
mod table;

use std::process::{Command, Stdio};
use std::time::Duration;

use side::{Done, ROLE, Side};
use table::Table;

/// One sample.
const TIME: Duration = Duration::from_millis(120);
/// A sample of latencies: a few hundred.
const CALM_TIME: Duration = Duration::from_millis(400);
const LENGTHS: [usize; 2] = [8, 64 << 10];
/// Priorities of who floods beside a client with little to do. Of low priority it takes the server's time, but no processor that the
/// light client wants: what it costs then is the server's doing, and not the scheduler's.
const FLOODS: [Option<&str>; 3] = [None, Some("low"), Some("the same")];

/// A server, so many clients.
#[derive(Clone, Copy)]
struct Contestant {
    way: &'static str,
    how: &'static str,
    clients: u64,
    len: usize,
}

fn main() {
    if let Ok(role) = std::env::var(ROLE) {
        return parts::play(&role);
    }
    let mut part = None;
    let mut rounds = 7;
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--rounds" => rounds = arguments.next().and_then(|n| n.parse().ok()).expect("a number"),
            "--bench" => {}
            _ => part = Some(argument),
        }
    }
    bench(rounds, part.as_deref().unwrap_or(""));
}

fn bench(rounds: usize, part: &str) {
    if machine::usable().len() < 2 {
        println!("not run: two sides that spin need two processors");
        return;
    }
    let has_python = has_python();
    let takes = |one: &Contestant| one.name().contains(part) && (one.way != "python" || has_python);
    let contestants: Vec<_> = contestants().into_iter().filter(takes).collect();
    let mut table = Table::default();
    for round in 0..rounds {
        for contestant in &contestants {
            table.add(round, contestant.name(), contestant.sample());
        }
        for way in ["manager", "socket"] {
            for flood in FLOODS {
                let name = calm_name(way, flood);
                if name.contains(part) {
                    table.add(round, name, calm(way, flood));
                }
            }
        }
    }
    if !has_python {
        println!("python: not run, there is no python3");
    }
    table.print();
}

fn contestants() -> Vec<Contestant> {
    let mut all = Vec::new();
    for len in LENGTHS {
        for how in ["spinning", "parked"] {
            for way in ["pipe", "manager"] {
                all.push(Contestant { way, how, clients: 1, len });
            }
        }
        for clients in [1, 2, 8] {
            for way in ["manager", "socket", "python"] {
                all.push(Contestant { way, how: "default", clients, len });
            }
        }
    }
    all
}

fn has_python() -> bool {
    let mut command = Command::new("python3");
    command.args(["-c", "import multiprocessing.managers"]).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

impl Contestant {
    fn name(&self) -> String {
        name(self.way, self.how, self.clients, self.len)
    }

    /// Nanoseconds of a call: of one client its round trip, of several what each of all calls took.
    fn sample(&self) -> f64 {
        let rate = if self.way == "python" {
            run(&mut [python(self.clients, self.len)], TIME)
        } else {
            let (_server, mut clients) = self.start();
            run(&mut clients, TIME)
        };
        1e9 / rate
    }

    fn start(&self) -> (Side, Vec<Side>) {
        let name = unique();
        let Self { way, how, clients, len } = self;
        let alone = u64::from(*clients == 1);
        let server = Side::start(&format!("{way} server {how} {len} {name} {alone}"));
        let first = 2 - alone;
        let client = |number| Side::start(&format!("{way} client {how} {len} {name} {number}"));
        (server, (first..first + clients).map(client).collect())
    }
}

/// What contestants are called in tables.
pub fn name(way: &str, how: &str, clients: u64, len: usize) -> String {
    let bytes = if len == 8 { "8 B".to_owned() } else { format!("{} KiB", len >> 10) };
    let how = if way == "python" || way == "socket" { "sleeping" } else { how };
    format!("{way}, {how}, {bytes}, {clients} client{}", if clients == 1 { "" } else { "s" })
}

/// What a client with little to do is called.
pub fn calm_name(way: &str, flood: Option<&str>) -> String {
    match flood {
        None => format!("light client, {way}, alone"),
        Some(priority) => format!("light client, {way}, flood of {priority} priority"),
    }
}

/// The calls of all in a second.
fn run(clients: &mut [Side], time: Duration) -> f64 {
    for client in &mut *clients {
        client.order(time);
    }
    let rate = |client: &mut Side| {
        let Done { calls, seconds, .. } = client.done();
        calls / seconds
    };
    clients.iter_mut().map(rate).sum()
}

fn python(clients: u64, len: usize) -> Side {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/manager/works.py");
    let mut command = Command::new("python3");
    command.args([script, &clients.to_string(), &len.to_string()]);
    Side::run(command)
}

/// Nanoseconds at the 99th percentile of the calls of a client that pauses between them.
fn calm(way: &str, flood: Option<&str>) -> f64 {
    let name = unique();
    let role = |part: &str, number: u32| format!("{way} {part} default 8 {name} {number}");
    let _server = Side::start(&role("server", 0));
    let mut light = Side::start(&role("calm", 2));
    let _flood = flood.map(|priority| match priority {
        "low" => Side::start_at_rest(&role("flood", 3)),
        _ => Side::start(&role("flood", 3)),
    });
    light.order(CALM_TIME);
    light.done().p99 * 1e9
}

/// A name that no other server has.
fn unique() -> String {
    use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("bench-{}-{}", std::process::id(), NEXT.fetch_add(1, Relaxed))
}
