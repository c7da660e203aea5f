//! Figures of a cell: samples by contestant and round, medians, ratios.

/// Samples of one contestant, one a round, in nanoseconds a message (or a trip, or a wake-up).
#[derive(Debug)]
pub struct Series {
    pub name: &'static str,
    pub samples: Vec<f64>,
}

/// What a ratio compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Against {
    /// Messages in the same time: above 1 is faster than the first.
    Rate,
    /// Time for the same thing: below 1 is faster than the first.
    Time,
}

/// What a cell came to. The first series is the one that others are compared with.
#[derive(Debug)]
pub struct Outcome {
    pub cell: String,
    pub against: Against,
    pub series: Vec<Series>,
    /// The cache line's round trip before each round.
    pub regime: Vec<f64>,
}

pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}

fn time(nanos: f64) -> String {
    if nanos < 10_000.0 { format!("{nanos:.2} ns") } else { format!("{:.2} µs", nanos / 1e3) }
}

impl Against {
    /// The head of a table of such outcomes.
    pub fn print_head(self) {
        let ratio = if self == Against::Rate { "rate" } else { "time" };
        println!("\n| cell | contestant | median | min | max | {ratio} to first |");
        println!("|---|---|---|---|---|---|");
    }
}

impl Outcome {
    pub fn print(&self) {
        let first = &self.series[0].samples;
        for series in &self.series {
            let ratio = |(first, this): (&f64, &f64)| match self.against {
                Against::Rate => first / this,
                Against::Time => this / first,
            };
            let ratios: Vec<f64> = first.iter().zip(&series.samples).map(ratio).collect();
            let (min, max) = series
                .samples
                .iter()
                .fold((f64::MAX, 0f64), |(min, max), sample| (min.min(*sample), max.max(*sample)));
            println!(
                "| {} | {} | {} | {} | {} | {:.2} |",
                self.cell,
                series.name,
                time(median(&series.samples)),
                time(min),
                time(max),
                median(&ratios),
            );
        }
        let regime = median(&self.regime);
        println!("| {} | cache line round trip | {regime:.0} ns | | | |", self.cell);
    }
}
