//! What a run found, and the two files that hold it.
//!
//! While it runs, a *journal* grows by a line of JSON for each thing that was learned: a run that was stopped goes on
//! from there. At the end all of it is written as one document, from which reports are rendered again.

mod journal;

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::about::Header;
use crate::contestant::{Between, Kind};
use crate::contestants;
use crate::play::Sample;
use crate::workload::Workload;

pub use journal::{Journal, Line};

/// A whole run: the document `results.json`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Run {
    #[serde(flatten)]
    pub header: Header,
    pub cells: Vec<Cell>,
}

/// What was found of one workload.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Cell {
    pub workload: String,
    pub rows: Vec<Row>,
}

/// What was found of one contestant at one workload.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Row {
    pub contestant: String,
    pub kind: Kind,
    pub between: Between,
    /// Why it does not do this work, if so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skipped: Option<String>,
    /// What went wrong, if something did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<String>,
    /// How many messages, trips or calls a sample has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
    pub samples: Vec<Taken>,
}

/// One sample, and what the machine did meanwhile.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Taken {
    pub round: usize,
    #[serde(flatten)]
    pub sample: Sample,
    /// Nanoseconds that a cache line took there and back.
    pub line: Option<f64>,
    /// Nanoseconds that a step of arithmetic took.
    pub core: f64,
    /// By what it was disturbed, each time that it was taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mark: Option<String>,
}

impl Run {
    pub fn new(header: Header) -> Self {
        Self { header, cells: Vec::new() }
    }

    /// The run that `path` holds: a document, a journal, or a directory with one of them.
    pub fn read(path: &Path) -> Result<Self, String> {
        if path.is_dir() {
            // The journal is the newer one if the run was stopped.
            let journal = path.join(journal::NAME);
            return Self::read(&if journal.exists() { journal } else { path.join(DOCUMENT) });
        }
        let shown = path.display();
        let text = std::fs::read_to_string(path).map_err(|why| format!("read {shown}: {why}"))?;
        if path.extension().is_some_and(|extension| extension == "jsonl") {
            return journal::parse(&text).map_err(|why| format!("understand {shown}: {why}"));
        }
        serde_json::from_str(&text).map_err(|why| format!("understand {shown}: {why}"))
    }

    /// Writes the document to `directory`.
    pub fn write(&self, directory: &Path) -> Result<(), String> {
        let path = directory.join(DOCUMENT);
        let mut text = serde_json::to_string(self).map_err(|why| why.to_string())?;
        // A line for each row: what changed between two runs can be looked at.
        text = text.replace("{\"contestant\"", "\n{\"contestant\"");
        text = text.replace("{\"workload\"", "\n\n{\"workload\"") + "\n";
        std::fs::write(&path, text).map_err(|why| format!("write {}: {why}", path.display()))
    }

    pub fn cell(&self, workload: &str) -> Option<&Cell> {
        self.cells.iter().find(|cell| cell.workload == workload)
    }

    pub fn row(&self, workload: &str, contestant: &str) -> Option<&Row> {
        self.cell(workload)?.rows.iter().find(|row| row.contestant == contestant)
    }

    /// What went wrong, in the order of the tables.
    pub fn failures(&self) -> Vec<String> {
        let rows = self.cells.iter().flat_map(|cell| cell.rows.iter().map(move |row| (cell, row)));
        let failure = |(cell, row): (&Cell, &Row)| {
            Some(format!("{}, {}: {}", row.contestant, cell.workload, row.failed.as_ref()?))
        };
        rows.filter_map(failure).collect()
    }

    /// Takes in what a line of the journal says.
    pub fn learn(&mut self, line: Line) -> Result<(), String> {
        match line {
            Line::Header(header) => self.header = header,
            Line::Count { workload, contestant, count } => {
                self.row_of(&workload, &contestant)?.count = Some(count);
            }
            Line::Taken { workload, contestant, taken } => {
                self.row_of(&workload, &contestant)?.samples.push(taken);
            }
            Line::Skipped { workload, contestant, why } => {
                self.row_of(&workload, &contestant)?.skipped = Some(why);
            }
            Line::Failed { workload, contestant, why } => {
                self.row_of(&workload, &contestant)?.failed = Some(why);
            }
        }
        Ok(())
    }

    /// The row of `contestant` at `workload`, made where it belongs if there is none.
    fn row_of(&mut self, workload: &str, contestant: &str) -> Result<&mut Row, String> {
        let works = Workload::all();
        let place = |name: &str| works.iter().position(|work| work.to_string() == name);
        place(workload).ok_or_else(|| format!("no workload {workload:?}"))?;
        let at = self.cells.iter().position(|cell| cell.workload == workload);
        let at = at.unwrap_or_else(|| {
            let cell = Cell { workload: workload.to_owned(), rows: Vec::new() };
            let at = self.cells.partition_point(|other| place(&other.workload) < place(workload));
            self.cells.insert(at, cell);
            at
        });
        let all = contestants::all();
        let place = |name: &str| all.iter().position(|entry| entry.name == name);
        let entry = place(contestant).ok_or_else(|| format!("no contestant {contestant:?}"))?;
        let rows = &mut self.cells[at].rows;
        let at = rows.iter().position(|row| row.contestant == contestant);
        let at = at.unwrap_or_else(|| {
            let at = rows.partition_point(|other| place(&other.contestant) < Some(entry));
            rows.insert(at, Row::new(contestant, all[entry].kind, all[entry].between));
            at
        });
        Ok(&mut rows[at])
    }
}

impl Row {
    pub fn new(contestant: &str, kind: Kind, between: Between) -> Self {
        let contestant = contestant.to_owned();
        Self {
            contestant,
            kind,
            between,
            skipped: None,
            failed: None,
            count: None,
            samples: Vec::new(),
        }
    }

    /// Whether nothing more is to be learned of it.
    pub fn is_out(&self) -> bool {
        self.skipped.is_some() || self.failed.is_some()
    }

    pub fn has(&self, round: usize) -> bool {
        self.samples.iter().any(|taken| taken.round == round)
    }
}

pub const DOCUMENT: &str = "results.json";
