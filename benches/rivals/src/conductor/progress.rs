//! How far the run is: bars on a terminal, else a line for each cell.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use crate::report::cell_line;
use crate::results::Cell;

#[derive(Debug)]
pub struct Progress {
    /// Hidden where nobody looks.
    bar: ProgressBar,
    is_terminal: bool,
    cell: String,
    began: Instant,
}

impl Progress {
    pub fn new(samples: usize) -> Self {
        let is_terminal = std::io::stderr().is_terminal();
        let bar =
            if is_terminal { ProgressBar::new(samples as u64) } else { ProgressBar::hidden() };
        let form =
            "{bar:32.cyan/black.bright} {percent:>3} %  {eta} left  {prefix:.bold}  {wide_msg}";
        if let Ok(style) = ProgressStyle::with_template(form) {
            bar.set_style(style.progress_chars("━╸─"));
        }
        bar.enable_steady_tick(Duration::from_millis(500));
        Self { bar, is_terminal, cell: String::new(), began: Instant::now() }
    }

    /// A cell begins.
    pub fn begin(&mut self, cell: &str) {
        cell.clone_into(&mut self.cell);
        self.began = Instant::now();
        self.bar.set_prefix(self.cell.clone());
    }

    /// One more sample begins.
    pub fn step(&mut self, contestant: &str, what: &str) {
        self.bar.inc(1);
        self.bar.set_message(format!("{contestant}, {what}"));
    }

    /// The cell is done: what it says.
    pub fn end(&mut self, cell: Option<&Cell>) {
        let took = self.began.elapsed().as_secs_f64();
        let said = cell.map_or_else(|| format!("{}: nobody does it", self.cell), cell_line);
        self.say(&format!("{said} [{took:.0} s]"));
    }

    pub fn say(&self, line: &str) {
        if self.is_terminal {
            self.bar.suspend(|| println!("{line}"));
        } else {
            println!("{line}");
        }
    }

    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
