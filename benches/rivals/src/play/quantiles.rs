//! How long single things took.

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

/// Nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Quantiles {
    pub p50: f64,
    pub p99: f64,
    pub p999: f64,
    pub max: f64,
}

/// Takes durations in nanoseconds. Three digits are exact.
#[derive(Debug)]
pub struct Durations(Histogram<u64>);

impl Durations {
    pub fn new() -> Self {
        let minute = 60_000_000_000;
        Self(Histogram::new_with_max(minute, 3).expect("fixed bounds that fit"))
    }

    #[inline(always)]
    pub fn record(&mut self, nanos: u64) {
        self.0.saturating_record(nanos);
    }

    #[allow(clippy::cast_precision_loss, reason = "figures for people")]
    pub fn quantiles(&self) -> Quantiles {
        let at = |quantile| self.0.value_at_quantile(quantile) as f64;
        Quantiles { p50: at(0.5), p99: at(0.99), p999: at(0.999), max: self.0.max() as f64 }
    }
}
