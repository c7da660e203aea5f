//! How much goes through, as bars: a panel for each cell.

use super::page::Panel;
use super::scale::Scale;
use super::svg::{Anchor, Svg};
use super::theme::{self, GRID, INK, NAME, PANEL, TICK, VALUE};
use crate::contestant::{Between, Kind};
use crate::report::words;

/// A bar.
#[derive(Clone, Debug)]
pub struct Bar {
    pub name: String,
    pub kind: Kind,
    pub between: Between,
    pub value: f64,
    /// What stands at its end.
    pub label: String,
}

#[derive(Clone, Debug)]
pub struct Bars {
    pub title: String,
    /// Of the axis, on a log scale; a linear one, from zero, has no axis: the bars' labels say it all.
    pub unit: Option<&'static str>,
    pub rows: Vec<Bar>,
}

const ROW: f64 = 20.0;
const HEAD: f64 = 30.0;

impl Panel for Bars {
    #[allow(clippy::cast_precision_loss, reason = "a few bars")]
    fn height(&self) -> f64 {
        let axis = if self.unit.is_some() { 26.0 } else { 4.0 };
        HEAD + ROW * self.rows.len() as f64 + axis
    }

    #[allow(clippy::cast_precision_loss, reason = "a few bars")]
    fn draw(&self, svg: &mut Svg, [x, y]: [f64; 2], width: f64) {
        let widest = |widths: &mut dyn Iterator<Item = f64>| widths.fold(0.0, f64::max);
        let names = widest(&mut self.rows.iter().map(|bar| NAME.bold().width(&bar.name))) + 10.0;
        let labels = widest(&mut self.rows.iter().map(|bar| VALUE.bold().width(&bar.label))) + 10.0;
        let (from, to) = (x + names, x + width - labels);
        let values = self.rows.iter().map(|bar| bar.value);
        let scale = match self.unit {
            Some(_) => Scale::log(values, from, to),
            None => Scale::linear(values, from, to),
        };
        svg.text([x, y + 14.0], &PANEL, &self.title);
        let top = y + HEAD;
        let bottom = top + ROW * self.rows.len() as f64;
        if let Some(unit) = self.unit {
            for tick in scale.ticks() {
                let place = scale.place(tick);
                svg.line([place, top - 2.0], [place, bottom + 2.0], GRID);
                svg.text([place, bottom + 15.0], &TICK, &words::short(tick));
            }
            svg.text([x, bottom + 15.0], &TICK.anchored(Anchor::Start), unit);
        }
        for (row, bar) in self.rows.iter().enumerate() {
            let y = top + ROW * row as f64;
            let length = (scale.place(bar.value) - from).max(1.5);
            svg.bar([from, y + 2.5, length, ROW - 5.0], &theme::fill(bar.kind, bar.between));
            let (mut name, mut label) = (NAME, VALUE);
            if words::is_ringway(bar.kind) {
                (name, label) = (NAME.bold(), VALUE.bold().coloured(INK));
            }
            svg.text([from - 7.0, y + 14.0], &name, &bar.name);
            svg.text([from + length + 6.0, y + 14.0], &label, &bar.label);
        }
    }
}
