//! Figures of a cell: samples by contestant and round, medians, ratios.

/// Samples of one contestant, one a round, in nanoseconds a message (or a trip).
#[derive(Debug)]
pub struct Series {
    pub name: &'static str,
    pub samples: Vec<f64>,
}

/// What a cell came to. The first series is the one that others are compared with.
#[derive(Debug)]
pub struct Outcome {
    pub cell: String,
    pub series: Vec<Series>,
    /// The cache line's round trip before each round.
    pub regime: Vec<f64>,
}

pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}

impl Outcome {
    pub fn print(&self) {
        let first = &self.series[0].samples;
        for series in &self.series {
            let ratios: Vec<f64> =
                first.iter().zip(&series.samples).map(|(first, this)| first / this).collect();
            let (min, max) = series
                .samples
                .iter()
                .fold((f64::MAX, 0f64), |(min, max), sample| (min.min(*sample), max.max(*sample)));
            println!(
                "| {} | {} | {:.2} ns | {min:.2} | {max:.2} | {:.2} |",
                self.cell,
                series.name,
                median(&series.samples),
                median(&ratios),
            );
        }
        println!(
            "| {} | cache line round trip | {:.0} ns | | | |",
            self.cell,
            median(&self.regime)
        );
    }
}
