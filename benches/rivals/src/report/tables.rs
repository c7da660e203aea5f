//! The report in Markdown.

use std::fmt::Write;

use super::figures::{Figure, Figures, Ratio};
use super::groups::Group;
use super::words::{between, digits, is_ringway, rate, time, value};
use crate::about::Header;
use crate::contestant::Kind;
use crate::results::Run;

/// All of it.
pub fn report(run: &Run, cells: &[Figures], plots: &[(&str, &str)]) -> String {
    let mut text = String::from("# ringway and its rivals, side by side\n\n");
    head(&mut text, run, cells);
    verdicts(&mut text, cells);
    for (name, title) in plots {
        let _ = write!(text, "\n![{title}]({name}.svg)\n");
    }
    for group in Group::ALL {
        let mut members = cells.iter().filter(|cell| Group::of(&cell.workload) == group).peekable();
        if members.peek().is_some() {
            let _ = write!(text, "\n## {}\n\n{}\n", group.title(), group.says());
        }
        for cell in members {
            table(&mut text, run, cell);
        }
    }
    skipped(&mut text, cells);
    text
}

fn head(text: &mut String, run: &Run, cells: &[Figures]) {
    let Header { date, machine, program, settings } = &run.header;
    let _ = writeln!(text, "{}  ", machine.line());
    let commit = &program.commit;
    let _ = writeln!(text, "{}, {}, commit {commit}, {date}", program.compiler, program.profile);
    let versions = program.versions.iter().map(|(name, version)| format!("{name} {version}"));
    let _ = writeln!(text, "\nCrates: {}.", versions.collect::<Vec<_>>().join(", "));
    let samples = || run.cells.iter().flat_map(|cell| &cell.rows).flat_map(|row| &row.samples);
    let rounds = samples().map(|taken| taken.round + 1).max().unwrap_or(0);
    let marked = samples().filter(|taken| taken.mark.is_some()).count();
    let _ = writeln!(
        text,
        "\n{rounds} rounds, in each of which every contestant takes one sample of about {} ms; {} samples, of \
         which {marked} were disturbed although they were repeated. Figures are medians of the undisturbed \
         samples, where there are at least three. **×** is how many times what ringway takes a contestant takes: \
         the median of the ratios within each round, to the fastest of ringway's that works between \
         processes. `~` means that disturbed rounds had to be counted. *Italics* are physical limits, measured \
         in the same rounds: nothing that one would use.",
        settings.millis,
        samples().count(),
    );
    let lines = cells.iter().filter_map(|cell| cell.line);
    if let Some((least, most)) = lines.reduce(|one, other| (one.0.min(other.0), one.1.max(other.1)))
    {
        let _ = writeln!(
            text,
            "\nA cache line from one side's processor to the other's and back took {least:.0} to {most:.0} ns."
        );
    }
    let failures = run.failures();
    if !failures.is_empty() {
        let _ = writeln!(text, "\n**Something went wrong:**\n");
        for failure in failures {
            let _ = writeln!(text, "- {failure}");
        }
    }
}

/// ringway's best and the best rival, cell by cell.
fn verdicts(text: &mut String, cells: &[Figures]) {
    let with_both =
        cells.iter().filter_map(|cell| Some((cell, cell.reference()?, cell.best_rival()?)));
    let mut with_both = with_both.peekable();
    if with_both.peek().is_none() {
        return;
    }
    text.push_str("\n## ringway and the best of the others\n\n");
    text.push_str(
        "| | ringway | | best rival | | × | least to most |\n|---|---|--:|---|--:|--:|---|\n",
    );
    for (cell, ours, theirs) in with_both {
        let shown = |figure: &Figure| value(&cell.workload, figure.spread.median);
        let (mut ratio, mut range) = (String::new(), String::new());
        if let Some(found) = theirs.ratio {
            ratio = shown_ratio(&found);
            range = format!("{} to {}", digits(found.spread.min), digits(found.spread.max));
        }
        if theirs.ratio.is_some_and(|ratio| ratio.spread.median > 1.0) {
            ratio = format!("**{ratio}**");
        }
        let _ = writeln!(
            text,
            "| {} | {} | {} | {}, {} | {} | {ratio} | {range} |",
            cell.workload,
            ours.row.contestant,
            shown(ours),
            theirs.row.contestant,
            between(theirs.row.between),
            shown(theirs),
        );
    }
}

fn shown_ratio(ratio: &Ratio) -> String {
    format!("{}{}", if ratio.is_disturbed { "~" } else { "" }, digits(ratio.spread.median))
}

fn table(text: &mut String, run: &Run, cell: &Figures) {
    let _ = write!(text, "\n### {}\n\n", cell.workload);
    if let Some((least, most)) = cell.line {
        let (fast, slow) = cell.core;
        let _ = write!(
            text,
            "Line {least:.0} to {most:.0} ns, core {} to {} ns a step. ",
            digits(fast),
            digits(slow)
        );
    }
    if let Some(reference) = cell.reference {
        let _ = write!(text, "× is to {reference}. ");
    }
    if cell.workload.is_oversubscribed(run.header.machine.processors) {
        let (senders, receivers) = cell.workload.parties();
        let _ = write!(
            text,
            "Oversubscribed: {} threads on {} processors. ",
            senders + receivers,
            run.header.machine.processors
        );
    }
    text.push('\n');
    if cell.rows.is_empty() {
        text.push_str("\nNobody has a figure here.\n");
    } else {
        rows(text, cell);
    }
    for row in &cell.cell.rows {
        if let Some(why) = &row.failed {
            let _ = writeln!(text, "\n**{} failed**: {why}", row.contestant);
        }
    }
}

fn rows(text: &mut String, cell: &Figures) {
    let has_rates = !rate(&cell.workload, 1.0).is_empty();
    let has_quantiles = cell.rows.iter().any(|figure| figure.quantiles.is_some());
    let mut head = vec!["contestant", "between", "median", "min", "max", "×"];
    head.extend(has_rates.then_some("rate"));
    if has_quantiles {
        head.extend(["p50", "p99", "p99.9", "max"]);
    }
    let is_marked = cell.rows.iter().any(|figure| figure.marked > 0);
    head.extend(is_marked.then_some("disturbed"));
    let rule: String = (0..head.len()).map(|at| if at < 2 { "---|" } else { "--:|" }).collect();
    let _ = write!(text, "\n| {} |\n|{rule}\n", head.join(" | "));
    let of_use = cell.rows.iter().filter(|figure| figure.row.kind != Kind::Limit);
    for figure in of_use.chain(cell.of_kind(Kind::Limit)) {
        let columns = Columns { has_rates, has_quantiles, is_marked };
        let _ = writeln!(text, "| {} |", columns.row(cell, figure).join(" | "));
    }
}

/// Which columns a table has beyond the usual ones.
#[derive(Clone, Copy)]
struct Columns {
    has_rates: bool,
    has_quantiles: bool,
    is_marked: bool,
}

impl Columns {
    fn row(self, cell: &Figures, figure: &Figure) -> Vec<String> {
        let shown = |nanos| value(&cell.workload, nanos);
        let name = &figure.row.contestant;
        let name = match figure.row.kind {
            kind if is_ringway(kind) => format!("**{name}**"),
            Kind::Limit => format!("*{name}*"),
            _ => name.clone(),
        };
        let spread = figure.spread;
        let mut row = vec![name, between(figure.row.between).to_owned()];
        row.extend([spread.median, spread.min, spread.max].map(shown));
        row.push(figure.ratio.map_or(String::new(), |ratio| shown_ratio(&ratio)));
        if self.has_rates {
            row.push(rate(&cell.workload, spread.median));
        }
        if self.has_quantiles {
            let shown = |q: super::figures::Quantiles| [q.p50, q.p99, q.p999, q.max].map(time);
            row.extend(figure.quantiles.map_or_else(Default::default, shown));
        }
        if self.is_marked {
            let (marked, all) = (figure.marked, figure.row.samples.len());
            row.push(if marked > 0 { format!("{marked} of {all}") } else { String::new() });
        }
        row
    }
}

/// Who did not do what, and why: together where the reason is the same.
fn skipped(text: &mut String, cells: &[Figures]) {
    let mut reasons: Vec<(&str, &str, Vec<&str>)> = Vec::new();
    for (cell, row) in cells.iter().flat_map(|c| c.cell.rows.iter().map(move |row| (c.cell, row))) {
        let Some(why) = &row.skipped else { continue };
        let same = |(name, reason, _): &&mut (&str, &str, Vec<&str>)| {
            *name == row.contestant && *reason == why
        };
        match reasons.iter_mut().find(same) {
            Some((.., cells)) => cells.push(&cell.workload),
            None => reasons.push((&row.contestant, why, vec![&cell.workload])),
        }
    }
    if reasons.is_empty() {
        return;
    }
    reasons.sort_by_key(|&(name, ..)| name);
    text.push_str("\n## Skipped\n\n| contestant | why | works |\n|---|---|---|\n");
    for (name, why, cells) in reasons {
        let works = if cells.len() > 6 {
            format!("{} and {} more", cells[..4].join(", "), cells.len() - 4)
        } else {
            cells.join(", ")
        };
        let _ = writeln!(text, "| {name} | {} | {works} |", why.replace('|', "\\|"));
    }
}
