//! The plot that comes first: ringway and the best of its rivals, where it matters.

use super::bars::{Bar, Bars};
use super::page::Page;
use super::{Plot, bar, legend};
use crate::contestant::{Between, Kind};
use crate::report::figures::{Figure, Figures};
use crate::report::words;
use crate::workload::{Shape, Workload};

/// The works, and what people call them.
const WORKS: [(&str, &str); 6] = [
    ("stream 8 B cap 1024", "8-byte messages, one sender, one receiver"),
    ("stream 64 B cap 1024", "64-byte messages, one sender, one receiver"),
    ("batch64 8 B cap 1024", "8-byte messages in batches of 64"),
    ("crowd 2-2 8 B cap 1024", "8-byte messages, two senders, two receivers"),
    ("crowd 4-4 8 B cap 1024", "8-byte messages, four senders, four receivers"),
    ("stream 64 KiB cap 16", "64 KiB messages, one sender, one receiver"),
];

/// Rivals of a panel: the best of those between threads, and of those between processes.
const RIVALS: usize = 3;

pub fn plot(cells: &[Figures], foot: &str) -> Option<Plot> {
    let mut shown: Vec<&Figure> = Vec::new();
    let mut panels = Vec::new();
    for (name, title) in WORKS {
        let Some(cell) = cells.iter().find(|cell| cell.cell.workload == name) else { continue };
        let Some(ours) = cell.reference() else { continue };
        let rivals = |between: Between| {
            cell.of_kind(Kind::Rival).filter(move |rival| rival.row.between == between).take(RIVALS)
        };
        let mut figures = vec![ours];
        figures.extend(rivals(Between::Threads).chain(rivals(Between::Processes)));
        figures.sort_by(|one, other| one.spread.median.total_cmp(&other.spread.median));
        let rows: Vec<Bar> =
            figures.iter().map(|figure| labelled(&cell.workload, figure)).collect();
        shown.extend(figures);
        panels.push(Bars { title: title.to_owned(), unit: None, rows });
    }
    let title = "ringway and the best of its rivals";
    let page = Page {
        title,
        subtitle: "Throughput, more is better. Both sides pinned, every message checked, contestants in turn, \
            medians of the rounds.",
        legend: legend(shown.into_iter()),
        foot,
    };
    (panels.len() > 1).then(|| Plot { name: "headline", title, svg: page.draw(&panels, 2) })
}

/// The bar with the time of a message, where messages are short.
fn labelled(workload: &Workload, figure: &Figure) -> Bar {
    let mut bar = bar(workload, figure);
    if workload.shape != Shape::Stream || workload.bytes <= 1 << 10 {
        bar.label = format!("{} · {}", bar.label, words::time(figure.spread.median));
    }
    bar
}
