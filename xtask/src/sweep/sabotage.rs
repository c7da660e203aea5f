//! Steps of recovery, each left out or done wrongly, and the parts of the sweep that must notice.

use super::Harm;

mod channels;
mod locks;
mod manager;
mod queue;

/// One way to harm recovery.
pub struct Sabotage {
    pub harm: Harm,
    /// The parts of the sweep that are run, the likeliest to notice first.
    pub parts: &'static [&'static str],
}

const fn sabotage(
    name: &'static str,
    file: &'static str,
    edits: &'static [(&'static str, &'static str)],
    parts: &'static [&'static str],
) -> Sabotage {
    Sabotage { harm: Harm { name, file, edits }, parts }
}

/// All of them.
pub fn all() -> impl Iterator<Item = &'static Sabotage> {
    [queue::ALL, channels::ALL, locks::ALL, manager::ALL].into_iter().flatten()
}
