//! The journal of a run: a line for each thing learned, written as it comes.
//!
//! A program that is killed leaves at most one line that is not whole, the last; it is dropped when the run goes on.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{Run, Taken};
use crate::about::Header;

pub const NAME: &str = "samples.jsonl";

/// Something that was learned.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Line {
    /// A session of the run begins.
    Header(Header),
    /// How many messages a sample has.
    Count {
        workload: String,
        contestant: String,
        count: u64,
    },
    Taken {
        workload: String,
        contestant: String,
        #[serde(flatten)]
        taken: Taken,
    },
    Skipped {
        workload: String,
        contestant: String,
        why: String,
    },
    Failed {
        workload: String,
        contestant: String,
        why: String,
    },
}

/// The file, and what it says.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    file: File,
    pub run: Run,
}

impl Journal {
    /// The journal in `directory`, to go on with: what is there must be of the same program, machine and settings.
    /// With `fresh` it is begun anew, whatever is there.
    pub fn open(directory: &Path, header: Header, fresh: bool) -> Result<Self, String> {
        let shown = directory.display();
        std::fs::create_dir_all(directory).map_err(|why| format!("make {shown}: {why}"))?;
        let path = directory.join(NAME);
        let old = if path.exists() && !fresh { Some(Run::read(&path)?) } else { None };
        if let Some(why) = old.as_ref().and_then(|old| old.header.differs_from(&header)) {
            return Err(format!(
                "{shown} holds samples of another {why}: --fresh drops them, --output DIR leaves them there"
            ));
        }
        let run = old.unwrap_or_else(|| Run::new(header.clone()));
        // Written whole first: the last line may have been cut off.
        let text = run.lines().iter().map(text).collect::<String>();
        let new = path.with_extension("new");
        let written = std::fs::write(&new, text).and_then(|()| std::fs::rename(&new, &path));
        let file = written.and_then(|()| OpenOptions::new().append(true).open(&path));
        let file = file.map_err(|why| format!("write {}: {why}", path.display()))?;
        let mut journal = Self { path, file, run };
        journal.add(Line::Header(header))?;
        Ok(journal)
    }

    /// Adds `line` to the file and to the run.
    pub fn add(&mut self, line: Line) -> Result<(), String> {
        let written = self.file.write_all(text(&line).as_bytes());
        written.map_err(|why| format!("write {}: {why}", self.path.display()))?;
        self.run.learn(line)
    }
}

fn text(line: &Line) -> String {
    serde_json::to_string(line).expect("strings and finite numbers") + "\n"
}

impl Run {
    /// The journal that says the same.
    fn lines(&self) -> Vec<Line> {
        let mut lines = vec![Line::Header(self.header.clone())];
        for (cell, row) in self.cells.iter().flat_map(|c| c.rows.iter().map(move |row| (c, row))) {
            let of = || (cell.workload.clone(), row.contestant.clone());
            let ((workload, contestant), (count, skipped, failed)) =
                (of(), (row.count, row.skipped.clone(), row.failed.clone()));
            lines.extend(count.map(|count| Line::Count { workload, contestant, count }));
            lines.extend(row.samples.iter().map(|taken| {
                let ((workload, contestant), taken) = (of(), taken.clone());
                Line::Taken { workload, contestant, taken }
            }));
            let (workload, contestant) = of();
            lines.extend(skipped.map(|why| Line::Skipped { workload, contestant, why }));
            let (workload, contestant) = of();
            lines.extend(failed.map(|why| Line::Failed { workload, contestant, why }));
        }
        lines
    }
}

/// The run that a journal tells of.
pub fn parse(text: &str) -> Result<Run, String> {
    let mut run: Option<Run> = None;
    for (number, line) in text.split_inclusive('\n').enumerate() {
        if !line.ends_with('\n') {
            break;
        }
        let place = |why: String| format!("line {}: {why}", number + 1);
        let line: Line = serde_json::from_str(line).map_err(|why| place(why.to_string()))?;
        match (&mut run, line) {
            (Some(run), line) => run.learn(line).map_err(place)?,
            (None, Line::Header(header)) => run = Some(Run::new(header)),
            (None, _) => return Err(place("it does not begin with a header".to_owned())),
        }
    }
    run.ok_or_else(|| "it is empty".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::about::tests::header;
    use crate::play::Sample;

    /// A directory that is gone at the end.
    struct Place(PathBuf);

    impl Place {
        fn new(name: &str) -> Self {
            let name = format!("rivals-test-{name}-{}", std::process::id());
            Self(std::env::temp_dir().join(name))
        }
    }

    impl Drop for Place {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    const WORK: &str = "stream 8 B cap 1024";

    fn fill(journal: &mut Journal) {
        let of = |name: &str| (WORK.to_owned(), name.to_owned());
        let (workload, contestant) = of("rtrb");
        let mut lines = vec![Line::Count { workload, contestant, count: 7 }];
        for round in 0..2 {
            let sample = Sample { value: 2.5, quantiles: None };
            let mark = Some("stolen".to_owned()).filter(|_| round == 1);
            let taken = Taken { round, sample, line: Some(65.0), core: 1.0, mark };
            let (workload, contestant) = of("rtrb");
            lines.push(Line::Taken { workload, contestant, taken });
        }
        let (workload, contestant) = of("bare-futex");
        lines.push(Line::Skipped { workload, contestant, why: "no limit of this work".to_owned() });
        let (workload, contestant) = of("ringway-spsc");
        lines.push(Line::Failed { workload, contestant, why: "torn".to_owned() });
        for line in lines {
            journal.add(line).expect("it can be written");
        }
    }

    fn shown(run: &Run) -> String {
        serde_json::to_string(run).expect("it has a form")
    }

    #[test]
    fn a_stopped_run_goes_on_with_all_that_it_had() {
        let place = Place::new("stopped");
        let mut journal = Journal::open(&place.0, header(), false).expect("a new one");
        fill(&mut journal);
        let before = shown(&journal.run);
        // It is killed while it writes: the last line is not whole.
        journal.file.write_all(b"{\"taken\":{\"workl").expect("it can be written");
        drop(journal);
        for _ in 0..2 {
            let journal = Journal::open(&place.0, header(), false).expect("it is of the same");
            assert_eq!(shown(&journal.run), before);
            let row = journal.run.row(WORK, "rtrb").expect("it was there");
            assert!(row.has(0) && row.has(1) && !row.has(2));
            assert_eq!(journal.run.failures(), [format!("ringway-spsc, {WORK}: torn")]);
        }
    }

    #[test]
    fn samples_of_another_program_are_neither_used_nor_lost() {
        let place = Place::new("other");
        fill(&mut Journal::open(&place.0, header(), false).expect("a new one"));
        let mut other = header();
        other.program.fingerprint.push('x');
        let why = Journal::open(&place.0, other.clone(), false).expect_err("it is another");
        assert!(why.contains("another program") && why.contains("--fresh"), "{why}");
        assert!(Journal::open(&place.0, header(), false).is_ok_and(|old| old.run.cells.len() == 1));
        let fresh = Journal::open(&place.0, other, true).expect("what was there is dropped");
        assert!(fresh.run.cells.is_empty());
    }

    #[test]
    fn the_document_says_what_the_journal_says() {
        let place = Place::new("document");
        let mut journal = Journal::open(&place.0, header(), false).expect("a new one");
        fill(&mut journal);
        journal.run.write(&place.0).expect("it can be written");
        let document = Run::read(&place.0.join(super::super::DOCUMENT)).expect("it can be read");
        assert_eq!(shown(&document), shown(&journal.run));
        assert_eq!(shown(&Run::read(&place.0).expect("a directory")), shown(&journal.run));
    }

    #[test]
    fn a_line_that_is_no_line_is_an_error_that_names_it() {
        let head = text(&Line::Header(header()));
        let why = parse(&(head + "nonsense\n")).expect_err("it is no line");
        assert!(why.starts_with("line 2: "), "{why}");
        assert!(parse("").is_err() && parse("nonsense\n").is_err());
    }
}
