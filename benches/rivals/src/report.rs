//! What people look at: tables, plots, and lines while it runs.

mod figures;
mod groups;
mod plots;
mod tables;
mod words;

use std::path::Path;

use crate::contestant::Kind;
use crate::results::{Cell, Run};

use figures::Figures;

/// Writes everything about `run` to `directory`: the document, the tables, the plots.
pub fn write(run: &Run, directory: &Path) -> Result<(), String> {
    let put = |name: &str, bytes: &[u8]| {
        let path = directory.join(name);
        std::fs::write(&path, bytes).map_err(|why| format!("write {}: {why}", path.display()))
    };
    let shown = directory.display();
    std::fs::create_dir_all(directory).map_err(|why| format!("make {shown}: {why}"))?;
    run.write(directory)?;
    let cells: Vec<Figures> = run.cells.iter().filter_map(Figures::of).collect();
    let plots = plots::all(&run.header, &cells);
    for plot in &plots {
        put(&format!("{}.svg", plot.name), plot.svg.as_bytes())?;
        put(&format!("{}.png", plot.name), &plots::png(&plot.svg)?)?;
    }
    let pictures = plots.iter().map(|plot| (plot.name, plot.title)).collect::<Vec<_>>();
    put("report.md", tables::report(run, &cells, &pictures).as_bytes())
}

/// What a cell says in one line.
pub fn cell_line(cell: &Cell) -> String {
    let name = &cell.workload;
    let Some(figures) = Figures::of(cell) else { return name.clone() };
    let shown = |nanos| words::value(&figures.workload, nanos);
    let mut parts = Vec::new();
    if let Some(reference) = figures.reference() {
        parts.push(format!("{} {}", reference.row.contestant, shown(reference.spread.median)));
    }
    if let Some(rival) = figures.best_rival() {
        let ratio = rival.ratio.map_or(String::new(), |ratio| {
            format!(" ({}x that)", words::digits(ratio.spread.median))
        });
        let (name, median) = (&rival.row.contestant, shown(rival.spread.median));
        parts.push(format!("best rival {name} {median}{ratio}"));
    }
    for limit in figures.of_kind(Kind::Limit) {
        parts.push(format!("limit {}", shown(limit.spread.median)));
    }
    let count =
        |of: fn(&crate::results::Row) -> bool| cell.rows.iter().filter(|row| of(row)).count();
    let marked: usize = figures.rows.iter().map(|figure| figure.marked).sum();
    for (count, what) in [
        (count(|row| row.skipped.is_some()), "skipped"),
        (count(|row| row.failed.is_some()), "FAILED"),
        (marked, "disturbed samples"),
    ] {
        if count > 0 {
            parts.push(format!("{count} {what}"));
        }
    }
    format!("{name}: {}", parts.join(", "))
}
