//! Which plots there are, and what each shows.

mod bars;
mod headline;
mod lines;
mod page;
mod ranges;
mod scale;
mod svg;
mod theme;

use super::figures::{Figure, Figures};
use super::groups::Group;
use super::words;
use crate::about::Header;
use crate::contestant::{Between, Kind};
use crate::workload::{Shape, Unit, Workload, size};

use bars::{Bar, Bars};
use lines::{Lines, Series};
use page::Page;
use ranges::{Range, Ranges};

pub use svg::png;

/// A plot: the name of its file, without what follows the dot; what it is of; the drawing.
#[derive(Debug)]
pub struct Plot {
    pub name: &'static str,
    pub title: &'static str,
    pub svg: String,
}

/// All for which there are figures.
pub fn all(header: &Header, cells: &[Figures]) -> Vec<Plot> {
    let foot = &foot(header);
    let throughput = [
        (Group::Streams, "streams", "Streaming, one sender to one receiver"),
        (Group::LongStreams, "long-streams", "Streaming long messages"),
        (Group::Batches, "batches", "Streaming in batches of 64"),
        (Group::Crowds, "crowds", "Many senders to many receivers"),
        (Group::Fans, "fans", "Fan-in and fan-out"),
    ];
    let throughput = throughput.into_iter().filter_map(|(group, name, title)| {
        Some(Plot { name, title, svg: bars_of(cells, group, title, foot)? })
    });
    let mut plots: Vec<Plot> = headline::plot(cells, foot).into_iter().chain(throughput).collect();
    plots.extend(latency(cells, foot));
    plots.extend(by_parties(cells, foot));
    plots.extend(by_size(cells, foot));
    plots
}

fn foot(header: &Header) -> String {
    let Header { date, machine, program, .. } = header;
    let day = date.split(' ').next().unwrap_or_default();
    let compiler = program.compiler.split(" (").next().unwrap_or_default();
    format!("{} · {compiler} · commit {} · {day}", machine.line(), program.commit)
}

fn legend<'a>(figures: impl Iterator<Item = &'a Figure<'a>>) -> Vec<(Kind, Between)> {
    figures.map(|figure| (figure.row.kind, figure.row.between)).collect()
}

fn bar(workload: &Workload, figure: &Figure) -> Bar {
    let (nanos, row) = (figure.spread.median, figure.row);
    let (value, label) = if workload.bytes > 1 << 10 {
        let value = words::gigabytes(workload, nanos);
        (value, format!("{} GB/s", words::digits(value)))
    } else {
        (1e3 / nanos, words::messages(nanos))
    };
    Bar { name: row.contestant.clone(), kind: row.kind, between: row.between, value, label }
}

/// Throughput of the cells of `group`.
fn bars_of(cells: &[Figures], group: Group, title: &str, foot: &str) -> Option<String> {
    let cells: Vec<&Figures> = cells
        .iter()
        .filter(|cell| Group::of(&cell.workload) == group && !cell.rows.is_empty())
        .collect();
    let is_long = group == Group::LongStreams;
    let panel = |cell: &&Figures| Bars {
        title: cell.workload.to_string(),
        unit: Some(if is_long { "GB/s, log" } else { "M/s, log" }),
        rows: cell.rows.iter().map(|figure| bar(&cell.workload, figure)).collect(),
    };
    let page = Page {
        title,
        subtitle: "Throughput, more is better: medians over the rounds. Every message is checked by its \
            receiver. Mind the logarithmic scale.",
        legend: legend(cells.iter().flat_map(|cell| &cell.rows)),
        foot,
    };
    let panels: Vec<Bars> = cells.iter().map(panel).collect();
    (!panels.is_empty()).then(|| page.draw(&panels, 2))
}

/// Latency of everything that has quantiles, but of what nobody waits for.
fn latency(cells: &[Figures], foot: &str) -> Option<Plot> {
    let is_latency = |cell: &&Figures| {
        cell.workload.unit() == Unit::Nanos && Group::of(&cell.workload) != Group::Upkeep
    };
    let cells: Vec<&Figures> = cells.iter().filter(is_latency).collect();
    let panels: Vec<Ranges> = cells
        .iter()
        .map(|cell| {
            let range = |figure: &Figure| {
                let (row, quantiles) = (figure.row, figure.quantiles?);
                let name = row.contestant.clone();
                Some(Range { name, kind: row.kind, between: row.between, quantiles })
            };
            let mut ranges: Vec<Range> = cell.rows.iter().filter_map(range).collect();
            ranges.sort_by(|one, other| one.quantiles.p50.total_cmp(&other.quantiles.p50));
            Ranges { title: cell.workload.to_string(), ranges }
        })
        .filter(|panel| !panel.ranges.is_empty())
        .collect();
    let title = "Latency";
    let page = Page {
        title,
        subtitle: "Less is better. The large dot is the median, the middle one p99, the small one p99.9, the end the \
            worst of each sample; medians over the rounds.",
        legend: legend(cells.iter().flat_map(|cell| &cell.rows)),
        foot,
    };
    (!panels.is_empty()).then(|| Plot { name: "latency", title, svg: page.draw(&panels, 2) })
}

/// One to one, two to two, four to four.
fn by_parties(cells: &[Figures], foot: &str) -> Option<Plot> {
    let works = ["stream 8 B cap 1024", "crowd 2-2 8 B cap 1024", "crowd 4-4 8 B cap 1024"];
    let steps = works.map(|work| {
        let cell = cells.iter().find(|cell| cell.cell.workload == work)?;
        let (senders, receivers) = cell.workload.parties();
        Some((format!("{senders} to {receivers}"), cell))
    });
    let steps: Vec<(String, &Figures)> = steps.into_iter().flatten().collect();
    // A ring of one and one has nothing to say of more.
    let serves_many = |series: &Series| series.points.len() > 1;
    let title = "With more senders and receivers";
    let panel =
        lines("8-byte messages, capacity 1,024", "M/s", &steps, serves_many, |_, nanos| {
            1e3 / nanos
        })?;
    let page = Page {
        title,
        subtitle: "Throughput of all together, more is better. Sides are pinned to two processors: beyond one to one, \
            threads share them. Dashed: rivals between threads of one process.",
        legend: Vec::new(),
        foot,
    };
    Some(Plot { name: "scaling", title, svg: page.draw(&[panel], 1) })
}

/// From 8 bytes to a mebibyte.
fn by_size(cells: &[Figures], foot: &str) -> Option<Plot> {
    let mut steps: Vec<(String, &Figures)> = cells
        .iter()
        .filter(|cell| cell.workload.shape == Shape::Stream && cell.workload.capacity <= 1 << 10)
        .map(|cell| (size(cell.workload.bytes), cell))
        .collect();
    steps.sort_by_key(|(_, cell)| cell.workload.bytes);
    let title = "By the size of messages";
    let is_wanted = |series: &Series| series.kind != Kind::Ringway;
    let mut panel =
        lines("one sender to one receiver", "GB/s", &steps, is_wanted, words::gigabytes)?;
    let ours = steps.iter().enumerate().filter_map(|(step, (_, cell))| {
        Some((step, words::gigabytes(&cell.workload, cell.reference()?.spread.median)))
    });
    panel.series.push(Series {
        name: "ringway".to_owned(),
        kind: Kind::Ringway,
        between: Between::Processes,
        colour: Some(theme::colour(Kind::Ringway, Between::Processes)),
        points: ours.collect(),
    });
    // Who ends before has its bars elsewhere; here its name would stand far from its line.
    let last = steps.len() - 1;
    for series in &mut panel.series {
        if !series.points.iter().any(|&(step, _)| step == last) {
            series.colour = None;
        }
    }
    let page = Page {
        title,
        subtitle: "Bytes moved in a second, more is better: copied in by the sender, copied out by the receiver. ringway is \
            the best of its types at each size, between processes. Grey: contestants whose messages end before 1 MiB.",
        legend: Vec::new(),
        foot,
    };
    Some(Plot { name: "sizes", title, svg: page.draw(&[panel], 1) })
}

/// A line for each contestant; ringway's, limits, and the best of the rivals have names.
fn lines(
    title: &str,
    unit: &'static str,
    steps: &[(String, &Figures)],
    is_wanted: impl Fn(&Series) -> bool,
    figure: impl Fn(&Workload, f64) -> f64,
) -> Option<Lines> {
    const NAMED: usize = theme::LINES.len();
    if steps.len() < 2 {
        return None;
    }
    let mut series: Vec<Series> = Vec::new();
    for (step, (_, cell)) in steps.iter().enumerate() {
        for one in &cell.rows {
            let point = (step, figure(&cell.workload, one.spread.median));
            match series.iter_mut().find(|series| series.name == one.row.contestant) {
                Some(series) => series.points.push(point),
                None => series.push(Series {
                    name: one.row.contestant.clone(),
                    kind: one.row.kind,
                    between: one.row.between,
                    colour: None,
                    points: vec![point],
                }),
            }
        }
    }
    series.retain(is_wanted);
    // By how they compare with the best at each step, on average.
    let best = |step: usize| {
        let figures = series.iter().flat_map(|one| &one.points).filter(|(at, _)| *at == step);
        figures.map(|&(_, figure)| figure).fold(0.0, f64::max)
    };
    let best: Vec<f64> = (0..steps.len()).map(best).collect();
    let merit = |one: &Series| {
        one.points.iter().map(|&(step, figure)| figure / best[step]).fold(0.0, f64::max)
    };
    let reaches_the_end =
        |one: &Series| one.points.last().is_some_and(|(step, _)| step + 1 == steps.len());
    series.sort_by(|one, other| {
        let ends = reaches_the_end(other).cmp(&reaches_the_end(one));
        ends.then(merit(other).total_cmp(&merit(one)))
    });
    let mut rivals = theme::LINES[..NAMED].iter();
    for one in &mut series {
        one.colour = match one.kind {
            Kind::Rival => rivals.next().copied(),
            _ => Some(theme::colour(one.kind, one.between)),
        };
    }
    let steps = steps.iter().map(|(name, _)| name.clone()).collect();
    Some(Lines { title: title.to_owned(), unit, steps, series })
}
