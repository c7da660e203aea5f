//! Colours and fonts: the same in all plots.

use super::svg::{Anchor, Font};
use crate::contestant::{Between, Kind};

pub const BACK: &str = "#ffffff";
pub const INK: &str = "#17212b";
pub const SOFT: &str = "#5d6b79";
pub const GRID: &str = "stroke=\"#e4e9ee\" stroke-width=\"1\"";

pub const TITLE: Font = Font::new(23.0, INK).bold();
pub const SUBTITLE: Font = Font::new(13.5, SOFT);
pub const PANEL: Font = Font::new(14.5, INK).bold();
pub const NAME: Font = Font::new(12.0, INK).anchored(Anchor::End);
pub const VALUE: Font = Font::new(11.5, SOFT);
pub const TICK: Font = Font::new(10.5, SOFT).anchored(Anchor::Middle);
pub const FOOT: Font = Font::new(11.0, SOFT);

pub const PAGE: f64 = 1200.0;
pub const MARGIN: f64 = 36.0;

/// The colour of a contestant: ringway stands out, what runs between threads is pale.
pub fn colour(kind: Kind, between: Between) -> &'static str {
    match (kind, between) {
        (Kind::Ringway, Between::Processes) => "#0a7f86",
        (Kind::Ringway, Between::Threads) => "#79c5c3",
        (Kind::Rival, Between::Processes) => "#56677a",
        (Kind::Rival, Between::Threads) => "#b3becb",
        (Kind::Limit, _) => "#e3a43b",
    }
}

/// How a bar of it is filled. A limit is only an outline: nobody uses it.
pub fn fill(kind: Kind, between: Between) -> String {
    let colour = colour(kind, between);
    if kind == Kind::Limit {
        return format!(
            "fill=\"#fdf3e0\" stroke=\"{colour}\" stroke-width=\"1.2\" stroke-dasharray=\"4 2.5\""
        );
    }
    format!("fill=\"{colour}\"")
}

/// What legends say.
pub const LEGEND: [(Kind, Between, &str); 5] = [
    (Kind::Ringway, Between::Processes, "ringway between processes"),
    (Kind::Ringway, Between::Threads, "ringway between threads"),
    (Kind::Rival, Between::Processes, "rival between processes"),
    (Kind::Rival, Between::Threads, "rival between threads"),
    (Kind::Limit, Between::Processes, "physical limit, or unsafe for use"),
];

/// Colours of lines of rivals, that cannot all be grey.
pub const LINES: [&str; 12] = [
    "#e8590c", "#4263eb", "#9c36b5", "#2b8a3e", "#c2255c", "#a0522d", "#1098ad", "#868e96",
    "#5c940d", "#d6336c", "#6741d9", "#b08900",
];
