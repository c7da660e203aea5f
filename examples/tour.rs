//! What ringway does on this machine: two processes, millions of checked messages, one table.
//!
//! ```sh
//! cargo run --release --example tour             # about ten seconds
//! cargo run --release --example tour -- --quick  # the same with shorter measurements
//! ```
//!
//! `measure` has the two sides, `machine` says where they run, `table` prints what came out. Each
//! measurement starts this program again: the second process is the one that receives.

#[path = "tour/machine.rs"]
mod machine;
#[path = "tour/measure.rs"]
mod measure;
#[path = "tour/table.rs"]
mod table;

use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

use machine::Machine;
use measure::{Fallible, Kind, Measured, Task, Work};
use ringway::Wait;
use table::{Cell, Report, Trip};

/// Message sizes in bytes.
const SIZES: [usize; 3] = [8, 64, 1024];

fn main() -> Fallible {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => tour(Duration::from_secs(1)),
        ["--quick"] => tour(Duration::from_millis(120)),
        ["follow", ref task @ ..] => measure::follow(&Task::from_words(task)?),
        _ => Err("usage: tour [--quick]".into()),
    }
}

/// Everything, each measurement for about `each`.
fn tour(each: Duration) -> Fallible {
    let start = Instant::now();
    let machine = Machine::look();
    progress("a bare cache line");
    let line = machine.line_round_trip();
    let mut report = Report::new();
    let mut number = 0;
    let mut run = |label: &str, kind, bytes, work| -> Fallible<Measured> {
        progress(label);
        number += 1;
        let name = format!("tour-{}-{number}", std::process::id());
        measure::lead(&machine, &Task { kind, bytes, work, name, cpu: machine.follow }, each)
    };
    for kind in [Kind::Spsc, Kind::Pipe] {
        let mut cells = Vec::new();
        for bytes in SIZES {
            let label = format!("{}, {bytes} bytes", kind.label());
            let measured = run(&label, kind, bytes, Work::Stream)?;
            cells.push(Cell::new(&measured, bytes));
            report.count(&measured);
        }
        report.streams.push((kind.label().to_owned(), cells));
    }
    for (wait, how) in [(Wait::Spin, "spinning"), (Wait::Park, "parked")] {
        for kind in [Kind::Spsc, Kind::Pipe] {
            let label = format!("{}, {how}", kind.label());
            // Two sides that spin on one processor wait for the scheduler, not for each other.
            if wait == Wait::Spin && machine.is_single() {
                report.trips.push((label, None));
                continue;
            }
            let measured = run(&label, kind, 8, Work::RoundTrip(wait))?;
            report.trips.push((label, Some(Trip::new(&measured))));
            report.count(&measured);
        }
    }
    progress("a bare cache line");
    report.set_line(line, machine.line_round_trip());
    progress("");
    report.print(&machine, start.elapsed());
    Ok(())
}

/// Says on a terminal what is being measured; nothing takes it away.
fn progress(what: &str) {
    let mut terminal = std::io::stderr();
    if terminal.is_terminal() {
        let text = if what.is_empty() { String::new() } else { format!("  measuring {what} …") };
        let _ = write!(terminal, "\r\x1b[2K{text}");
        let _ = terminal.flush();
    }
}
