//! What was measured, as tables.
#![allow(clippy::cast_precision_loss, reason = "lengths for people")]

use std::collections::BTreeMap;
use std::time::Duration;

/// The samples of each contestant at each length, by round.
#[derive(Default)]
pub struct Table {
    samples: BTreeMap<usize, BTreeMap<&'static str, Vec<f64>>>,
}

/// Who reaches what two processors can.
const MEMCPY: &[&str] = &["memcpy by 32 KiB", "memcpy by 128 KiB", "memcpy, lines kept"];

/// Ratios of rates that are promised: of whom, to the best of whom, at which lengths.
const RATIOS: [(&str, &[&str]); 9] = [
    ("queue", MEMCPY),
    ("pipe", MEMCPY),
    ("attachments", MEMCPY),
    ("queue", &["unix stream"]),
    ("queue", &["unix seqpacket"]),
    ("pipe", &["unix stream"]),
    ("queue", &["kernel pipe"]),
    ("pipe", &["kernel pipe"]),
    ("queue in place", &["unix stream"]),
];

impl Table {
    /// A message of `len` bytes `took` so long.
    pub fn add(&mut self, len: usize, round: usize, name: &'static str, took: Duration) {
        let samples = self.samples.entry(len).or_default().entry(name).or_default();
        assert_eq!(samples.len(), round);
        samples.push(took.as_secs_f64());
    }

    /// Prints times, rates and ratios.
    pub fn print(&self) {
        for (len, contestants) in &self.samples {
            println!("\n{}", bytes(*len));
            for (name, samples) in contestants {
                let took = median(samples.clone());
                let rate = *len as f64 / took / 1e9;
                let (each, count) = (took * 1e6, 1.0 / took);
                println!("  {name:20} {each:>10.2} µs  {rate:>8.2} GB/s  {count:>12.0} /s");
            }
            for (name, others) in RATIOS {
                if let Some(ratio) = ratio(contestants, name, others) {
                    let best = if others.len() > 1 { "the best memcpy" } else { others[0] };
                    println!("  {name} / {best}: {ratio:.2}");
                }
            }
        }
        self.print_handing_over();
    }

    /// What handing over costs, beside the shortest message.
    fn print_handing_over(&self) {
        let handed = |len| self.samples.get(len)?.get("queue handed over");
        let mut lengths = self.samples.keys().filter_map(|len| Some((len, handed(len)?)));
        let Some((shortest, short)) = lengths.next() else { return };
        println!("\nhanded over / the same of {}", bytes(*shortest));
        for (len, long) in lengths {
            // Other lengths are of other rounds.
            let ratio = median(long.clone()) / median(short.clone());
            println!("  {:>8} {ratio:.2}", bytes(*len));
        }
    }
}

/// The median over rounds of how many times as fast `name` is as the fastest of `others`.
fn ratio(
    contestants: &BTreeMap<&'static str, Vec<f64>>,
    name: &str,
    others: &[&str],
) -> Option<f64> {
    let mine = contestants.get(name)?;
    let others: Vec<_> = others.iter().filter_map(|other| contestants.get(other)).collect();
    let best = |round: usize| others.iter().map(|other| other[round]).reduce(f64::min);
    let ratios: Option<Vec<f64>> =
        mine.iter().enumerate().map(|(round, mine)| Some(best(round)? / mine)).collect();
    ratios.map(median)
}

fn median(mut samples: Vec<f64>) -> f64 {
    samples.sort_by(f64::total_cmp);
    samples[samples.len() / 2]
}

fn bytes(len: usize) -> String {
    match len {
        0..1024 => format!("{len} B"),
        1024..0x10_0000 => format!("{} KiB", len >> 10),
        _ => format!("{} MiB", len >> 20),
    }
}
