//! What was measured, as tables.

use std::collections::BTreeMap;

use crate::{calm_name, name};

/// The samples of each contestant, by round, in nanoseconds.
#[derive(Default)]
pub struct Table {
    samples: BTreeMap<String, Vec<f64>>,
    order: Vec<String>,
}

impl Table {
    /// In that round `name` took so long.
    pub fn add(&mut self, round: usize, name: String, nanos: f64) {
        if !self.samples.contains_key(&name) {
            self.order.push(name.clone());
        }
        let samples = self.samples.entry(name).or_default();
        assert_eq!(samples.len(), round);
        samples.push(nanos);
    }

    /// Prints times, rates and ratios.
    pub fn print(&self) {
        for name in &self.order {
            let nanos = median(self.samples[name].clone());
            println!("{name:44} {:>10.2} µs {:>12.0} /s", nanos / 1e3, 1e9 / nanos);
        }
        println!("\nratios of times (aims)");
        for len in crate::LENGTHS {
            for how in ["spinning", "parked"] {
                let manager = name("manager", how, 1, len);
                self.ratio(&manager, &[name("pipe", how, 1, len)], "at most 3");
            }
            let spinning = name("manager", "spinning", 1, len);
            let default = name("manager", "default", 1, len);
            let python = name("python", "", 1, len);
            let aim = if len == 8 { "at least 20" } else { "" };
            self.ratio(&python, std::slice::from_ref(&spinning), aim);
            self.ratio(&python, &[name("manager", "parked", 1, len)], "");
            for clients in [1, 2, 8] {
                let manager = name("manager", "default", clients, len);
                self.ratio(&name("socket", "", clients, len), std::slice::from_ref(&manager), "");
                self.ratio(&name("python", "", clients, len), &[manager], "");
            }
            self.best(&[spinning, default], &name("manager", "default", 8, len), "at least 0.8");
        }
        for way in ["manager", "socket"] {
            for (flood, aim) in [("low", "at most 5"), ("the same", "")] {
                let aim = if way == "manager" { aim } else { "" };
                self.ratio(&calm_name(way, Some(flood)), &[calm_name(way, None)], aim);
            }
        }
    }

    /// How many times as long as `other` does `name` take?
    fn ratio(&self, name: &str, other: &[String], aim: &str) {
        self.show(&format!("{name} / {}", other[0]), self.samples.get(name), other, aim);
    }

    /// How many times as long as `name` does the fastest of `others` take?
    fn best(&self, others: &[String], name: &str, aim: &str) {
        let rows: Option<Vec<_>> = others.iter().map(|other| self.samples.get(other)).collect();
        let Some(rows) = rows else { return };
        let best = |round: usize| rows.iter().map(|row| row[round]).fold(f64::MAX, f64::min);
        let best: Vec<f64> = (0..rows[0].len()).map(best).collect();
        let what = format!("the best with one client / {name}");
        self.show(&what, Some(&best), &[name.to_owned()], aim);
    }

    fn show(&self, what: &str, samples: Option<&Vec<f64>>, other: &[String], aim: &str) {
        let (Some(mine), Some(other)) = (samples, self.samples.get(&other[0])) else { return };
        let mut ratios: Vec<f64> =
            mine.iter().zip(other).map(|(mine, other)| mine / other).collect();
        ratios.sort_by(f64::total_cmp);
        let (least, most) = (ratios[0], ratios[ratios.len() - 1]);
        let ratio = median(ratios);
        println!("{what:90} {ratio:>8.2}  ({least:.2} to {most:.2})  {aim}");
    }
}

fn median(mut samples: Vec<f64>) -> f64 {
    samples.sort_by(f64::total_cmp);
    samples[samples.len() / 2]
}
