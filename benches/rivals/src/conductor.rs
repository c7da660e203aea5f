//! The run: which samples are taken, in which order, and which are taken again.
//!
//! Of each workload, every contestant takes a sample in each round, in an order that rotates: whatever the machine does
//! meanwhile, it does to all, and ratios are taken within a round. A sample that was disturbed is taken again, a
//! few times; the last one is kept and says by what.

mod child;
mod counts;
mod progress;

use std::time::Duration;

use crate::contestant::Entry;
use crate::probe::{Probe, Span, Ticks};
use crate::results::{Journal, Line, Row, Run, Taken};
use crate::workload::Workload;

pub use child::end_with_parent;
pub use counts::{fixed, guess};

use child::{Job, Outcome};
use counts::Step;
use progress::Progress;

/// What is to be run.
#[derive(Clone, Debug)]
pub struct Plan {
    pub workloads: Vec<Workload>,
    pub contestants: Vec<&'static Entry>,
    pub rounds: usize,
    /// What a sample should take.
    pub millis: u64,
}

impl Plan {
    /// How many steps there are still to do: counts to be found, samples to be taken.
    fn missing(&self, run: &Run) -> usize {
        let pairs = self
            .workloads
            .iter()
            .flat_map(|work| self.contestants.iter().map(move |one| (work, one)));
        let missing = |(workload, entry): (&Workload, &&Entry)| {
            let row = run.row(&workload.to_string(), entry.name);
            match row {
                _ if (entry.refuses)(workload).is_some() => 0,
                Some(row) if row.is_out() => 0,
                None => 1 + self.rounds,
                Some(row) => {
                    let missing = (0..self.rounds).filter(|&round| !row.has(round)).count();
                    usize::from(row.count.is_none()) + missing
                }
            }
        };
        pairs.map(missing).sum()
    }
}

/// How often a disturbed sample is taken again.
const REPEATS: usize = 3;
/// How many repeats a run may have, for each so many samples: on a machine that is never quiet it would take four times
/// as long, for nothing.
const SAMPLES_PER_REPEAT: usize = 3;

/// A run on its way.
struct Conductor<'a> {
    plan: &'a Plan,
    journal: &'a mut Journal,
    progress: Progress,
    /// The last probe, if nothing ran since.
    probe: Option<Probe>,
    /// The fastest core so far.
    best: f64,
    taken: usize,
    repeated: usize,
}

/// Why a run ends early.
#[derive(Debug)]
pub enum Stop {
    Interrupted,
    Broken(String),
}

impl From<String> for Stop {
    fn from(why: String) -> Self {
        Self::Broken(why)
    }
}

/// Takes all samples of `plan` that the journal does not have yet.
pub fn run(plan: &Plan, journal: &mut Journal) -> Result<(), Stop> {
    child::catch_interruptions()?;
    let cores = journal.run.cells.iter().flat_map(|cell| &cell.rows).flat_map(|row| &row.samples);
    let best = cores.map(|taken| taken.core).fold(f64::INFINITY, f64::min);
    let progress = Progress::new(plan.missing(&journal.run));
    let (taken, repeated) = (0, 0);
    let mut conductor = Conductor { plan, journal, progress, probe: None, best, taken, repeated };
    for workload in &plan.workloads {
        conductor.play(workload)?;
    }
    conductor.progress.finish();
    Ok(())
}

impl Conductor<'_> {
    /// All rounds of one workload.
    fn play(&mut self, workload: &Workload) -> Result<(), Stop> {
        let name = workload.to_string();
        self.progress.begin(&name);
        for entry in &self.plan.contestants {
            self.prepare(entry, workload, &name)?;
        }
        for round in 0..self.plan.rounds {
            // The line's time in this round, as its samples have it.
            let mut regime = None;
            for entry in in_turn(&self.plan.contestants, round) {
                self.sample(entry, workload, round, &mut regime)?;
            }
        }
        self.progress.end(self.journal.run.cell(&name));
        Ok(())
    }

    /// Finds out how many messages a sample of `entry` has, or that it does not do this work.
    fn prepare(&mut self, entry: &Entry, workload: &Workload, name: &str) -> Result<(), Stop> {
        let known = self.journal.run.row(name, entry.name);
        if known.is_some_and(|row| row.is_out() || row.count.is_some()) {
            return Ok(());
        }
        let of = || (name.to_owned(), entry.name.to_owned());
        if let Some(why) = (entry.refuses)(workload) {
            let (workload, contestant) = of();
            return Ok(self.journal.add(Line::Skipped { workload, contestant, why })?);
        }
        self.progress.step(entry.name, "finding its count");
        let millis = self.plan.millis;
        let mut count = fixed(workload, millis).unwrap_or_else(|| counts::first(workload));
        while fixed(workload, millis).is_none() {
            let job = Job { contestant: entry.name, workload: name, count };
            let (outcome, _) = self.take(&job)?;
            let Outcome::Took(sample) = outcome else { return self.exclude(&job, outcome) };
            match counts::next(workload, count, sample.value, millis) {
                Step::Again(more) => count = more,
                Step::Done(right) => {
                    count = right;
                    break;
                }
            }
        }
        let (workload, contestant) = of();
        Ok(self.journal.add(Line::Count { workload, contestant, count })?)
    }

    /// One sample for the tables, if there is none yet.
    fn sample(
        &mut self,
        entry: &Entry,
        workload: &Workload,
        round: usize,
        regime: &mut Option<f64>,
    ) -> Result<(), Stop> {
        let (work, name) = (workload, workload.to_string());
        let workload = name.as_str();
        let row = self.journal.run.row(workload, entry.name);
        let Some(count) = row.and_then(|row| count_of(row, round)) else { return Ok(()) };
        let mut job = Job { contestant: entry.name, workload, count };
        let rounds = self.plan.rounds;
        self.progress.step(entry.name, &format!("round {} of {rounds}", round + 1));
        self.taken += 1;
        for time in 0.. {
            let (outcome, span) = self.measured(&job)?;
            let Outcome::Took(sample) = outcome else { return self.exclude(&job, outcome) };
            self.best = self.best.min(span.core());
            let mark = span.disturbance(self.best, *regime);
            let may_repeat = self.repeated < self.taken.div_ceil(SAMPLES_PER_REPEAT);
            if time < REPEATS && may_repeat {
                let better = counts::better(work, job.count, sample.value, self.plan.millis);
                if let Some(better) = better.filter(|_| mark.is_none()) {
                    job.count = better;
                    let (workload, contestant) = (workload.to_owned(), entry.name.to_owned());
                    self.journal.add(Line::Count { workload, contestant, count: better })?;
                }
                if mark.is_some() || better.is_some_and(|better| better > count) {
                    self.repeated += 1;
                    continue;
                }
            }
            // After a change that stays, what follows is of the new regime.
            *regime = span.line().or(*regime);
            let (line, core) = (span.line().map(rounded), rounded(span.core()));
            let taken = Taken { round, sample: sample.rounded(), line, core, mark };
            let (workload, contestant) = (workload.to_owned(), entry.name.to_owned());
            self.journal.add(Line::Taken { workload, contestant, taken })?;
            break;
        }
        Ok(())
    }

    /// Takes a sample between two probes.
    fn measured(&mut self, job: &Job) -> Result<(Outcome, Span), Stop> {
        let before = self.probe.take().unwrap_or_else(Probe::take);
        let counted = Ticks::now();
        let (outcome, used) = self.take(job)?;
        let ticks = [counted, Ticks::now()];
        let after = Probe::take();
        self.probe = Some(after);
        Ok((outcome, Span::new([before, after], ticks, used)))
    }

    fn take(&mut self, job: &Job) -> Result<(Outcome, Duration), Stop> {
        // A sample that is slow today has time, one that hangs ends.
        let patience = Duration::from_secs(15) + 10 * Duration::from_millis(self.plan.millis);
        let mut taken = child::take(job, patience)?;
        if let (Outcome::Late(why), false) = (&taken.0, child::is_interrupted()) {
            let Job { contestant, workload, .. } = job;
            self.progress.say(&format!("{contestant}, {workload}: {why}; once more, with fewer"));
            let count = (job.count / 20).max(64).min(job.count);
            taken = child::take(&Job { count, ..*job }, patience)?;
            if matches!(taken.0, Outcome::Took(_)) {
                // Later rounds do not wait for the same lateness again.
                let (workload, contestant) = ((*workload).to_owned(), (*contestant).to_owned());
                self.journal.add(Line::Count { workload, contestant, count })?;
            }
            // Who is late twice hangs.
            if let (Outcome::Late(why), used) = taken {
                taken = (Outcome::Failed(why), used);
            }
        }
        // Nobody knows what was measured while it was interrupted.
        if child::is_interrupted() { Err(Stop::Interrupted) } else { Ok(taken) }
    }

    /// The contestant has no figure here, for a reason that the journal keeps.
    fn exclude(&mut self, job: &Job, outcome: Outcome) -> Result<(), Stop> {
        let (workload, contestant) = (job.workload.to_owned(), job.contestant.to_owned());
        let line = match outcome {
            Outcome::Skipped(why) => Line::Skipped { workload, contestant, why },
            Outcome::Failed(why) => {
                self.progress.say(&format!("{contestant}, {workload}: {why}"));
                Line::Failed { workload, contestant, why }
            }
            Outcome::Took(_) | Outcome::Late(_) => {
                unreachable!("it has a figure, or was late twice")
            }
        };
        Ok(self.journal.add(line)?)
    }
}

/// The count of a sample that `row` lacks in `round`.
fn count_of(row: &Row, round: usize) -> Option<u64> {
    if row.is_out() || row.has(round) { None } else { row.count }
}

/// Everybody once: each round another one first, and every second one backwards, so that nobody always follows the
/// same one.
fn in_turn<T: Copy>(all: &[T], round: usize) -> Vec<T> {
    let (len, is_backwards) = (all.len(), round % 2 == 1);
    let step = |n| if is_backwards { round + len - n } else { round + n };
    (0..len).map(|n| all[step(n) % len]).collect()
}

/// With four digits: the others are noise that journals would be full of.
pub fn rounded(value: f64) -> f64 {
    format!("{value:.3e}").parse().unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contestant::{Between, Kind};
    use crate::play::Sample;

    #[test]
    fn everybody_has_a_turn_in_each_round_and_comes_first_in_some() {
        let all = ['a', 'b', 'c', 'd'];
        for round in 0..9 {
            let mut order = in_turn(&all, round);
            assert_eq!(order[0], all[round % 4]);
            order.sort_unstable();
            assert_eq!(order, all);
        }
        assert_eq!(
            [in_turn(&all, 2), in_turn(&all, 3)],
            [['c', 'd', 'a', 'b'], ['d', 'c', 'b', 'a']]
        );
        assert!(in_turn::<char>(&[], 3).is_empty());
    }

    #[test]
    fn only_what_is_not_there_is_taken() {
        let mut row = Row::new("rtrb", Kind::Rival, Between::Threads);
        assert_eq!(count_of(&row, 0), None, "its count is not known");
        row.count = Some(5);
        assert_eq!(count_of(&row, 0), Some(5));
        let taken =
            Taken { round: 0, sample: Sample::default(), line: None, core: 1.0, mark: None };
        row.samples.push(taken);
        assert_eq!((count_of(&row, 0), count_of(&row, 1)), (None, Some(5)));
        row.failed = Some("torn".to_owned());
        assert_eq!(count_of(&row, 1), None);
    }

    #[test]
    fn four_digits_are_kept() {
        let shown = [2.345_67, 123_456.0, 0.0].map(|value| rounded(value).to_string());
        assert_eq!(shown, ["2.346", "123500", "0"]);
    }
}
