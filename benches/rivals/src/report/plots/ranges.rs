//! How long things take, as ranges: from the median to the worst, a row for each contestant.

use super::page::Panel;
use super::scale::Scale;
use super::svg::{Anchor, Svg};
use super::theme::{self, BACK, GRID, INK, NAME, PANEL, TICK, VALUE};
use crate::contestant::{Between, Kind};
use crate::play::Quantiles;
use crate::report::words;

#[derive(Clone, Debug)]
pub struct Range {
    pub name: String,
    pub kind: Kind,
    pub between: Between,
    pub quantiles: Quantiles,
}

#[derive(Clone, Debug)]
pub struct Ranges {
    pub title: String,
    pub ranges: Vec<Range>,
}

const ROW: f64 = 21.0;
const HEAD: f64 = 32.0;

impl Panel for Ranges {
    #[allow(clippy::cast_precision_loss, reason = "a few rows")]
    fn height(&self) -> f64 {
        HEAD + ROW * self.ranges.len() as f64 + 26.0
    }

    #[allow(clippy::cast_precision_loss, reason = "a few rows")]
    fn draw(&self, svg: &mut Svg, [x, y]: [f64; 2], width: f64) {
        let names = self.ranges.iter().map(|range| NAME.bold().width(&range.name));
        let names = names.fold(0.0, f64::max) + 12.0;
        // The first dot's figure stands before it.
        let (from, to) = (x + names + VALUE.bold().width("999 µs") + 10.0, x + width - 8.0);
        let all = self.ranges.iter().flat_map(|range| {
            let Quantiles { p50, max, .. } = range.quantiles;
            [p50 * 1.4, max]
        });
        let scale = Scale::log(all, from, to);
        svg.text([x, y + 14.0], &PANEL, &self.title);
        let top = y + HEAD;
        let bottom = top + ROW * self.ranges.len() as f64;
        for tick in scale.ticks() {
            let place = scale.place(tick);
            svg.line([place, top - 2.0], [place, bottom + 2.0], GRID);
            svg.text([place, bottom + 15.0], &TICK, &words::short_time(tick));
        }
        svg.text([x, bottom + 15.0], &TICK.anchored(Anchor::Start), "log scale");
        for (row, range) in self.ranges.iter().enumerate() {
            let y = top + ROW * (row as f64 + 0.5);
            range.draw(svg, &scale, [x + names - 8.0, y]);
        }
    }
}

impl Range {
    fn draw(&self, svg: &mut Svg, scale: &Scale, [names, y]: [f64; 2]) {
        let colour = theme::colour(self.kind, self.between);
        let Quantiles { p50, p99, p999, max } = self.quantiles;
        let [middle, most, nearly, worst] = [p50, p99, p999, max].map(|at| scale.place(at));
        let (mut name, mut label) = (NAME, VALUE.anchored(Anchor::End));
        if words::is_ringway(self.kind) {
            (name, label) = (name.bold(), label.bold().coloured(INK));
        }
        svg.text([names, y + 4.0], &name, &self.name);
        svg.text([middle - 9.0, y + 4.0], &label, &words::time(p50));
        let stroke = |width: f64, opacity: f64| {
            format!("stroke=\"{colour}\" stroke-width=\"{width}\" stroke-opacity=\"{opacity}\"")
        };
        svg.line([nearly, y], [worst, y], &stroke(1.5, 0.55));
        svg.line([most, y], [nearly, y], &stroke(3.5, 0.5));
        svg.line([middle, y], [most, y], &stroke(7.0, 0.55));
        svg.line([worst, y - 5.0], [worst, y + 5.0], &stroke(1.8, 0.8));
        let edge = format!("fill=\"{colour}\" stroke=\"{BACK}\" stroke-width=\"1\"");
        svg.dot([nearly, y], 3.5, &edge);
        svg.dot([most, y], 4.2, &edge);
        svg.dot([middle, y], 5.8, &edge);
    }
}
