//! How long nothing was received after a kill, and how long after the kernel's release others moved again.

use std::fmt;

use super::place::Kill;

/// Times of all rounds, in nanoseconds.
#[derive(Clone, Debug, Default)]
pub struct Figures {
    /// Stalls, whatever their cause.
    stalls: Vec<u64>,
    /// For each kill: the longest stall that it can have caused.
    after_kill: Vec<u64>,
    /// The same less the time until the victim was replaced.
    beyond: Vec<u64>,
    /// For kills whose release came in a stall: from the release to the stall's end.
    recovery: Vec<u64>,
}

impl Figures {
    /// Adds the kills and stalls of a round.
    pub fn add(&mut self, kills: &[Kill], stalls: &[(u64, u64)]) {
        self.stalls.extend(stalls.iter().map(|(from, to)| to - from));
        // Those without a replacement belong to the round's end.
        for (kill, replaced) in kills.iter().filter_map(|kill| Some((kill, kill.replaced?))) {
            let until = kill.released.unwrap_or(kill.at).max(replaced);
            let caused = stalls.iter().filter(|(from, to)| *from <= until && *to > kill.at);
            let longest = |time: &dyn Fn(u64, u64) -> u64| {
                caused.clone().map(|(from, to)| time((*from).max(kill.at), *to)).max().unwrap_or(0)
            };
            self.after_kill.push(longest(&|from, to| to.saturating_sub(from)));
            self.beyond.push(longest(&|from, to| to.saturating_sub(from.max(replaced))));
            if let Some(released) = kill.released {
                let stalled = stalls.iter().find(|(from, to)| (*from..*to).contains(&released));
                self.recovery.extend(stalled.map(|(_, to)| to - released));
            }
        }
    }
}

/// Milliseconds of these shares of `times`.
fn shares(times: &[u64]) -> String {
    let mut times = times.to_vec();
    times.sort_unstable();
    let at = |thousandths: usize| {
        let last = times.len().saturating_sub(1);
        let time = times.get((times.len() * thousandths / 1000).min(last)).copied().unwrap_or(0);
        #[allow(clippy::cast_precision_loss, reason = "shown with two digits")]
        let ms = time as f64 / 1e6;
        format!("{ms:>9.2}")
    };
    let columns: String = [500, 990, 999, 1000].map(at).concat();
    format!("{columns} {:>8}", times.len())
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:<34} {:>8} {:>8} {:>8} {:>8} {:>8}",
            "ms", "p50", "p99", "p99.9", "max", "count"
        )?;
        writeln!(f, "{:<34}{}", "stalls longer than 0.5, any cause", shares(&self.stalls))?;
        writeln!(f, "{:<34}{}", "longest stall after a kill", shares(&self.after_kill))?;
        writeln!(f, "{:<34}{}", "the same beyond the replacement", shares(&self.beyond))?;
        write!(f, "{:<34}{}", "from release to others' moving", shares(&self.recovery))
    }
}
