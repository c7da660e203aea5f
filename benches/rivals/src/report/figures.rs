//! Medians, and ratios within rounds.
//!
//! A ratio of two contestants is the median of the ratios that they had in each round, of samples that were not
//! disturbed and that saw the line in the same regime. Where too few are left, all count, and the ratio says so.

use crate::contestant::{Between, Kind};
pub use crate::play::Quantiles;
use crate::probe::same_regime;
use crate::results::{Cell, Row, Taken};
use crate::workload::Workload;

/// So many undisturbed samples are enough to leave the disturbed ones out.
const ENOUGH: usize = 3;

/// A cell of the tables, with what follows from its samples.
#[derive(Clone, Debug)]
pub struct Figures<'a> {
    pub workload: Workload,
    pub cell: &'a Cell,
    /// The contestants that have figures, the fastest first.
    pub rows: Vec<Figure<'a>>,
    /// What the others are compared with: the fastest of ringway's, between processes if there is one.
    pub reference: Option<&'a str>,
    /// The least and the most that the line took.
    pub line: Option<(f64, f64)>,
    pub core: (f64, f64),
}

/// What follows from the samples of one contestant. Smaller is better, of all of it.
#[derive(Clone, Debug)]
pub struct Figure<'a> {
    pub row: &'a Row,
    pub spread: Spread,
    pub quantiles: Option<Quantiles>,
    /// How many of its samples were disturbed.
    pub marked: usize,
    /// How many times what the reference takes.
    pub ratio: Option<Ratio>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    pub median: f64,
    pub min: f64,
    pub max: f64,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ratio {
    pub spread: Spread,
    /// Disturbed rounds had to be counted.
    pub is_disturbed: bool,
}

impl Spread {
    /// None of nothing.
    pub fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        let (&min, &max) = (values.first()?, values.last()?);
        let (low, high) = (values[(values.len() - 1) / 2], values[values.len() / 2]);
        Some(Self { median: f64::midpoint(low, high), min, max })
    }
}

impl<'a> Figures<'a> {
    /// None if the program knows no such workload any more.
    pub fn of(cell: &'a Cell) -> Option<Self> {
        let workload = Workload::named(&cell.workload)?;
        let mut rows: Vec<Figure> = cell.rows.iter().filter_map(Figure::of).collect();
        rows.sort_by(|one, other| one.spread.median.total_cmp(&other.spread.median));
        let of_ringway = |between: &[Between]| {
            let fits = |figure: &&Figure| {
                figure.row.kind == Kind::Ringway && between.contains(&figure.row.between)
            };
            rows.iter().find(fits).map(|figure| figure.row)
        };
        let reference =
            of_ringway(&[Between::Processes]).or_else(|| of_ringway(&[Between::Threads]));
        for figure in &mut rows {
            figure.ratio = reference.and_then(|reference| ratio(figure.row, reference));
        }
        let samples = || cell.rows.iter().flat_map(|row| &row.samples);
        let line = Spread::of(samples().filter_map(|taken| taken.line));
        let core = Spread::of(samples().map(|taken| taken.core));
        Some(Self {
            workload,
            cell,
            rows,
            reference: reference.map(|row| row.contestant.as_str()),
            line: line.map(|line| (line.min, line.max)),
            core: core.map_or((0.0, 0.0), |core| (core.min, core.max)),
        })
    }

    pub fn of_kind(&self, kind: Kind) -> impl Iterator<Item = &Figure<'a>> {
        self.rows.iter().filter(move |figure| figure.row.kind == kind)
    }

    /// The figure that the others are compared with.
    pub fn reference(&self) -> Option<&Figure<'a>> {
        self.rows.iter().find(|figure| Some(figure.row.contestant.as_str()) == self.reference)
    }

    /// The rival that is the least behind the reference, or the most ahead.
    pub fn best_rival(&self) -> Option<&Figure<'a>> {
        let behind =
            |figure: &Figure| figure.ratio.map_or(f64::INFINITY, |ratio| ratio.spread.median);
        self.of_kind(Kind::Rival).min_by(|one, other| behind(one).total_cmp(&behind(other)))
    }
}

impl<'a> Figure<'a> {
    /// None if it has no samples, or if something went wrong in one: then none can be relied on.
    fn of(row: &'a Row) -> Option<Self> {
        if row.failed.is_some() {
            return None;
        }
        let good = undisturbed(&row.samples);
        let spread = Spread::of(good.iter().map(|taken| taken.sample.value))?;
        let quantiles: Vec<Quantiles> =
            good.iter().filter_map(|taken| taken.sample.quantiles).collect();
        let median =
            |of: fn(&Quantiles) -> f64| Spread::of(quantiles.iter().map(of)).map(|s| s.median);
        let quantiles = || {
            let (p50, p99) = (median(|q| q.p50)?, median(|q| q.p99)?);
            Some(Quantiles { p50, p99, p999: median(|q| q.p999)?, max: median(|q| q.max)? })
        };
        let marked = row.samples.iter().filter(|taken| taken.mark.is_some()).count();
        Some(Self { row, spread, quantiles: quantiles(), marked, ratio: None })
    }
}

/// The samples that were not disturbed, if they are enough; else all.
fn undisturbed(samples: &[Taken]) -> Vec<&Taken> {
    let good: Vec<&Taken> = samples.iter().filter(|taken| taken.mark.is_none()).collect();
    if good.len() >= ENOUGH.min(samples.len()) { good } else { samples.iter().collect() }
}

/// How many times what `reference` takes `row` takes.
pub fn ratio(row: &Row, reference: &Row) -> Option<Ratio> {
    let pairs = row.samples.iter().flat_map(|one| {
        let partners = reference.samples.iter().filter(move |other| other.round == one.round);
        partners.map(move |other| (one, other))
    });
    let pairs: Vec<(&Taken, &Taken)> = pairs.collect();
    let value = |(one, other): &(&Taken, &Taken)| one.sample.value / other.sample.value;
    let good = pairs.iter().filter(|(one, other)| fit(one, other));
    let is_disturbed = good.clone().count() < ENOUGH.min(pairs.len());
    let spread = if is_disturbed {
        Spread::of(pairs.iter().map(value))
    } else {
        Spread::of(good.map(value))
    };
    spread.map(|spread| Ratio { spread, is_disturbed })
}

/// Whether two samples of a round can be compared.
fn fit(one: &Taken, other: &Taken) -> bool {
    let is_same_regime = match (one.line, other.line) {
        (Some(one), Some(other)) => same_regime(one, other),
        _ => true,
    };
    one.mark.is_none() && other.mark.is_none() && is_same_regime
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use crate::play::Sample;

    pub fn row(name: &str, kind: Kind, between: Between, values: &[f64]) -> Row {
        let sample = |(round, &value): (usize, &f64)| Taken {
            round,
            sample: Sample { value, quantiles: None },
            line: Some(65.0),
            core: 1.0,
            mark: None,
        };
        let samples = values.iter().enumerate().map(sample).collect();
        Row { samples, ..Row::new(name, kind, between) }
    }

    fn rival(values: &[f64]) -> Row {
        row("rtrb", Kind::Rival, Between::Threads, values)
    }

    fn median(row: &Row, reference: &Row) -> (f64, bool) {
        let ratio = ratio(row, reference).expect("there are pairs");
        (ratio.spread.median, ratio.is_disturbed)
    }

    #[test]
    fn medians_are_in_the_middle() {
        let spread =
            |values: &[f64]| Spread::of(values.iter().copied()).map(|s| (s.min, s.median, s.max));
        assert_eq!(spread(&[]), None);
        assert_eq!(spread(&[3.0]), Some((3.0, 3.0, 3.0)));
        assert_eq!(spread(&[3.0, 9.0, 1.0]), Some((1.0, 3.0, 9.0)));
        assert_eq!(spread(&[4.0, 1.0, 9.0, 2.0]), Some((1.0, 3.0, 9.0)));
    }

    #[test]
    fn ratios_are_those_within_a_round() {
        // The machine was ten times slower in the last round, for both.
        let (one, other) = (rival(&[3.0, 4.0, 30.0]), rival(&[1.0, 2.0, 10.0]));
        assert_eq!(median(&one, &other), (3.0, false));
    }

    #[test]
    fn disturbed_rounds_count_only_if_too_few_others_are_there() {
        let (mut one, other) = (rival(&[2.0, 2.0, 2.0, 90.0, 90.0]), rival(&[1.0; 5]));
        for taken in &mut one.samples[3..] {
            taken.mark = Some("stolen".to_owned());
        }
        assert_eq!(median(&one, &other), (2.0, false));
        one.samples[0].mark = Some("stolen".to_owned());
        assert_eq!(median(&one, &other), (2.0, true));
        one.samples[1].mark = Some("stolen".to_owned());
        one.samples.remove(2);
        assert_eq!(median(&one, &other), (46.0, true));
    }

    #[test]
    fn samples_of_two_regimes_are_not_compared() {
        let (mut one, other) = (rival(&[2.0, 2.0, 2.0, 90.0]), rival(&[1.0; 4]));
        one.samples[3].line = Some(340.0);
        assert_eq!(median(&one, &other), (2.0, false));
        let ratio = ratio(&one, &other).expect("there are pairs");
        assert!(ratio.spread.max < 3.0, "{ratio:?}");
    }

    #[test]
    fn rounds_that_only_one_has_do_not_count() {
        let (mut one, other) = (rival(&[8.0, 2.0, 2.0]), rival(&[1.0; 3]));
        one.samples.remove(0);
        assert_eq!(median(&one, &other), (2.0, false));
        one.samples.clear();
        assert_eq!(ratio(&one, &other), None);
    }

    #[test]
    fn the_reference_is_the_best_of_ringway_between_processes() {
        let (threads, processes) = (Between::Threads, Between::Processes);
        let rows = vec![
            row("ringway-spsc", Kind::Ringway, processes, &[3.0; 3]),
            row("ringway-spsc-threads", Kind::Ringway, threads, &[1.0; 3]),
            row("ringway-queue", Kind::Ringway, processes, &[6.0; 3]),
            row("rtrb", Kind::Rival, threads, &[4.5; 3]),
            row("kanal", Kind::Rival, threads, &[9.0; 3]),
            row("bare-slots", Kind::Limit, processes, &[1.0; 3]),
        ];
        let cell = Cell { workload: "stream 8 B cap 1024".to_owned(), rows };
        let figures = Figures::of(&cell).expect("it is in the list");
        assert_eq!(figures.reference, Some("ringway-spsc"));
        let rival = figures.best_rival().expect("two of them");
        assert_eq!(rival.row.contestant, "rtrb");
        assert_eq!(rival.ratio.map(|ratio| ratio.spread.median), Some(1.5));
    }

    #[test]
    fn who_failed_once_has_no_figure() {
        let failed = Row { failed: Some("torn".to_owned()), ..rival(&[1.0; 3]) };
        assert!(Figure::of(&failed).is_none());
    }
}
