//! The table at the end.

use std::io::{IsTerminal, Write};
use std::time::Duration;

use crate::machine::{Distance, Machine};
use crate::measure::Measured;

/// Throughput of one channel at one size.
#[derive(Debug)]
pub struct Cell {
    millions: f64,
    gigabytes: f64,
}

impl Cell {
    #[allow(clippy::cast_precision_loss, reason = "figures for people")]
    pub fn new(measured: &Measured, bytes: usize) -> Self {
        let rate = measured.sent as f64 / measured.seconds;
        Self { millions: rate / 1e6, gigabytes: rate * bytes as f64 / 1e9 }
    }
}

/// Round trips of one channel, in nanoseconds.
#[derive(Debug)]
pub struct Trip {
    figures: [u64; 4],
    count: u64,
}

impl Trip {
    pub fn new(measured: &Measured) -> Self {
        let at = |quantile| measured.trips.value_at_quantile(quantile);
        let figures = [at(0.5), at(0.99), at(0.999), measured.trips.max()];
        Self { figures, count: measured.trips.len() }
    }
}

/// Everything that was measured.
#[derive(Debug)]
pub struct Report {
    /// A bare cache line's round trip, before and after the rest: where a machine moves its processors about,
    /// the two differ.
    line: Option<[f64; 2]>,
    pub streams: Vec<(String, Vec<Cell>)>,
    /// `None`: not run, because there is one processor.
    pub trips: Vec<(String, Option<Trip>)>,
    checked: u64,
    apart: bool,
}

impl Report {
    pub fn new() -> Self {
        Self { line: None, streams: Vec::new(), trips: Vec::new(), checked: 0, apart: true }
    }

    /// Notes what a bare cache line took.
    pub fn set_line(&mut self, before: Option<f64>, after: Option<f64>) {
        self.line = before.zip(after).map(|(before, after)| [before, after]);
    }

    /// Adds the messages of one measurement to the total.
    pub fn count(&mut self, measured: &Measured) {
        self.checked += measured.checked;
        self.apart &= measured.apart;
    }

    pub fn print(&self, machine: &Machine, took: Duration) {
        let frame = Frame::new();
        frame.edge('╭', '╮');
        frame.title("ringway: two processes, one shared memory");
        frame.edge('├', '┤');
        let pair = |one: &str, two: &str| format!("{one:>10}{two:>8}");
        let sizes = ["8 bytes", "64 bytes", "1,024 bytes"].map(|size| format!("{size:>18}"));
        frame.head(&format!("{:22}{}", "throughput", sizes.concat()));
        frame.faint(&format!("{:22}{}", "", pair("M msg/s", "GB/s").repeat(3)));
        for (label, cells) in &self.streams {
            let cells = cells.iter().map(|c| pair(&figure(c.millions), &figure(c.gigabytes)));
            frame.line(&format!("{label:22}{}", cells.collect::<String>()));
        }
        frame.edge('├', '┤');
        let columns = ["p50", "p99", "p99.9", "max"].map(|column| format!("{column:>10}"));
        frame.head(&format!("{:22}{}{:>14}", "round trip, 8 bytes", columns.concat(), "trips"));
        for (label, trip) in &self.trips {
            let Some(trip) = trip else {
                frame.faint(&format!("{label:22}{:>54}", "not run: needs two processors"));
                continue;
            };
            let figures = trip.figures.map(|nanos| format!("{:>10}", time(nanos))).concat();
            frame.line(&format!("{label:22}{figures}{:>14}", grouped(trip.count)));
        }
        if let Some(line) = self.line {
            let [before, after] = line.map(|nanos| format!("{nanos:.0} ns"));
            let text = format!("{:22}{before:>10} before, {after} after", "a bare cache line");
            frame.faint(&text);
        }
        frame.edge('├', '┤');
        let total = grouped(self.checked);
        frame.note(
            "checked",
            &format!("{total} messages, every word: none lost, repeated or changed"),
        );
        frame.note("sides", &self.sides(machine));
        let Machine { model, online, kernel, load, .. } = machine;
        let plural = if *online == 1 { "" } else { "s" };
        frame.note("machine", &format!("{model}, {online} processor{plural}, Linux {kernel}"));
        let others = if *load > 0.5 { ": other work had a share of these figures" } else { "" };
        frame.note("load", &format!("{load:.2} in the minute before{others}"));
        let crowd = "2 senders to 2: a thread of each process on each of the two processors; ";
        let crowd = if machine.is_single() { "" } else { crowd };
        let how =
            "trips with Wait::Spin and Wait::Park; each trip includes one reading of the clock";
        frame.note("how", &format!("send and recv, default wait; {crowd}{how}"));
        if cfg!(debug_assertions) {
            frame.note("beware", "built without --release: these figures say nothing about speed");
        }
        frame.note("took", &format!("{:.1} s", took.as_secs_f64()));
        frame.edge('╰', '╯');
    }

    /// Where the two sides ran, as they found themselves and not as they were asked to.
    fn sides(&self, machine: &Machine) -> String {
        let Machine { lead, follow, .. } = machine;
        match machine.distance {
            Distance::OneProcessor => {
                format!("both on processor {lead}, the only one: they take turns")
            }
            _ if !self.apart => {
                "not always on different processors: pinning did not work".to_owned()
            }
            Distance::Cores => format!("pinned to processors {lead} and {follow}, different cores"),
            Distance::OneCore => {
                format!("pinned to processors {lead} and {follow}, of the same core")
            }
        }
    }
}

/// Draws lines of one width within a frame, with weights where the output is a terminal.
struct Frame {
    styled: bool,
}

const WIDTH: usize = 76;

impl Frame {
    fn new() -> Self {
        let styled = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        Self { styled }
    }

    fn edge(&self, left: char, right: char) {
        let bar = "─".repeat(WIDTH + 2);
        print(&self.style("2", &format!("{left}{bar}{right}")));
    }

    fn styled_line(&self, style: &str, text: &str) {
        let padding = " ".repeat(WIDTH.saturating_sub(text.chars().count()));
        let side = self.style("2", "│");
        print(&format!("{side} {}{padding} {side}", self.style(style, text)));
    }

    fn title(&self, text: &str) {
        self.styled_line("1;36", text);
    }

    fn head(&self, text: &str) {
        self.styled_line("1", text);
    }

    fn line(&self, text: &str) {
        self.styled_line("", text);
    }

    fn faint(&self, text: &str) {
        self.styled_line("2", text);
    }

    /// A labelled sentence, broken into lines where it is too long for one.
    fn note(&self, label: &str, text: &str) {
        let mut label = label;
        let mut line = String::new();
        for word in text.split(' ') {
            if line.chars().count() + word.chars().count() + 11 > WIDTH {
                self.line(&format!("{label:10}{line}"));
                (label, line) = ("", String::new());
            }
            line += if line.is_empty() { "" } else { " " };
            line += word;
        }
        self.line(&format!("{label:10}{line}"));
    }

    fn style(&self, style: &str, text: &str) -> String {
        if self.styled && !style.is_empty() {
            format!("\x1b[{style}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }
}

/// Prints a line; whoever reads may have left.
fn print(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// Three digits that matter.
fn figure(value: f64) -> String {
    match value {
        100.0.. => format!("{value:.0}"),
        10.0.. => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

#[allow(clippy::cast_precision_loss, reason = "figures for people")]
fn time(nanos: u64) -> String {
    match nanos {
        0..10_000 => format!("{nanos} ns"),
        10_000..1_000_000 => format!("{} µs", figure(nanos as f64 / 1e3)),
        _ => format!("{} ms", figure(nanos as f64 / 1e6)),
    }
}

/// Digits in groups of three.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
