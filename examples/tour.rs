//! What ringway does on this machine: two processes, millions of checked messages, one table.
//!
//! ```sh
//! cargo run --release --example tour             # about twelve seconds
//! cargo run --release --example tour -- --quick  # the same with shorter measurements
//! ```
//!
//! `measure` has the two sides, `crowd` those of several threads each, `task` says what to measure, `machine`
//! where, and `table` prints what came out. Each measurement starts this program again: the second process is the one
//! that receives.

#[path = "tour/crowd.rs"]
mod crowd;
#[path = "tour/machine.rs"]
mod machine;
#[path = "tour/measure.rs"]
mod measure;
#[path = "tour/table.rs"]
mod table;
#[path = "tour/task.rs"]
mod task;

use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

use machine::Machine;
use measure::{Fallible, Measured};
use ringway::Wait;
use table::{Cell, Report, Trip};
use task::{KINDS, Kind, Task, Work};

/// Message sizes in bytes.
const SIZES: [usize; 3] = [8, 64, 1024];

fn main() -> Fallible {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => tour(Duration::from_millis(700)),
        ["--quick"] => tour(Duration::from_millis(150)),
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
    let (mut number, cpus) = (0, [machine.lead, machine.follow]);
    let mut run = |label: &str, kind, bytes, work| -> Fallible<Measured> {
        progress(label);
        number += 1;
        let name = format!("tour-{}-{number}", std::process::id());
        measure::lead(&machine, &Task { kind, bytes, work, name, cpus }, each)
    };
    for kind in KINDS {
        let mut cells = Vec::new();
        for bytes in SIZES {
            let label = format!("{}, {bytes} bytes", kind.label());
            let measured = run(&label, kind, bytes, Work::Stream)?;
            cells.push(Cell::new(&measured, bytes));
            report.count(&measured);
        }
        report.streams.push((kind.label().to_owned(), cells));
    }
    let label = "queue, 2 senders to 2";
    let measured = run(label, Kind::Queue, 8, Work::Crowd)?;
    report.streams.push((label.to_owned(), vec![Cell::new(&measured, 8)]));
    report.count(&measured);
    for (wait, how) in [(Wait::Spin, "spinning"), (Wait::Park, "parked")] {
        for kind in KINDS {
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
