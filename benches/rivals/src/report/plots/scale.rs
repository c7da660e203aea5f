//! From figures to places.

/// Maps `low..high` to `from..to`.
#[derive(Clone, Copy, Debug)]
pub struct Scale {
    low: f64,
    high: f64,
    from: f64,
    to: f64,
    is_log: bool,
}

/// Steps within a power of ten.
const STEPS: [f64; 3] = [1.0, 2.0, 5.0];

impl Scale {
    /// For values that are a factor apart. Begins somewhat below the least, so that its bar can be seen.
    pub fn log(values: impl IntoIterator<Item = f64>, from: f64, to: f64) -> Self {
        let (low, high) = bounds(values.into_iter().filter(|value| *value > 0.0));
        let (low, high) = (step_below(low / 1.4), step_above(high));
        Self { low, high, from, to, is_log: true }
    }

    /// From zero.
    pub fn linear(values: impl IntoIterator<Item = f64>, from: f64, to: f64) -> Self {
        let (_, high) = bounds(values);
        Self { low: 0.0, high, from, to, is_log: false }
    }

    pub fn place(&self, value: f64) -> f64 {
        let share = if self.is_log {
            (value.max(self.low) / self.low).ln() / (self.high / self.low).ln()
        } else {
            (value - self.low) / (self.high - self.low)
        };
        self.from + share * (self.to - self.from)
    }

    /// Where lines with a number go, of a log scale: powers of ten, and what is between if there are few.
    pub fn ticks(&self) -> Vec<f64> {
        let decades = (self.high / self.low).log10();
        let steps = if decades <= 2.0 { &STEPS[..] } else { &STEPS[..1] };
        let every = if decades > 7.0 { 2 } else { 1 };
        let first = exponent(self.low);
        let exponents = (first..=exponent(self.high * 1.001)).filter(|e| (e - first) % every == 0);
        let all = exponents.flat_map(|e| steps.iter().map(move |step| step * 10f64.powi(e)));
        let fits = |tick: &f64| *tick >= self.low * 0.999 && *tick <= self.high * 1.001;
        all.filter(fits).collect()
    }
}

fn bounds(values: impl IntoIterator<Item = f64>) -> (f64, f64) {
    let bounds = values.into_iter().fold(None, |bounds: Option<(f64, f64)>, value| {
        let (low, high) = bounds.unwrap_or((value, value));
        Some((low.min(value), high.max(value)))
    });
    bounds.unwrap_or((1.0, 10.0))
}

#[allow(clippy::cast_possible_truncation, reason = "a small number")]
fn exponent(value: f64) -> i32 {
    value.log10().floor() as i32
}

fn step_below(value: f64) -> f64 {
    let power = 10f64.powi(exponent(value));
    let step = STEPS.into_iter().rev().find(|step| step * power <= value * 1.000_001);
    step.unwrap_or(1.0) * power
}

fn step_above(value: f64) -> f64 {
    let power = 10f64.powi(exponent(value));
    let step = STEPS.into_iter().find(|step| step * power >= value * 0.999_999);
    step.unwrap_or(10.0) * power
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_keep_their_order_and_lie_inside() {
        let values = [0.12, 3.0, 47.0, 410.0];
        for scale in [Scale::log(values, 100.0, 500.0), Scale::linear(values, 100.0, 500.0)] {
            let places = values.map(|value| scale.place(value));
            assert!(places.is_sorted(), "{places:?}");
            assert!(places[0] > 100.0 && places[3] < 500.1, "{places:?}");
        }
    }

    #[test]
    fn ticks_are_few_and_inside() {
        for high in [1.5, 40.0, 7e3, 3e8] {
            let scale = Scale::log([1.0, high], 0.0, 1.0);
            let ticks = scale.ticks();
            assert!((2..=9).contains(&ticks.len()), "{high}: {ticks:?}");
            assert!(ticks.iter().all(|&tick| (-0.01..=1.01).contains(&scale.place(tick))));
        }
    }
}
