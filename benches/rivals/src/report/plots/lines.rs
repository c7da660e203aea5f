//! How a figure goes with another, as lines: named at their ends.

use super::page::Panel;
use super::scale::Scale;
use super::svg::{Anchor, Font, Svg};
use super::theme::{BACK, GRID, NAME, PANEL, SOFT, TICK};
use crate::contestant::{Between, Kind};
use crate::report::words;

#[derive(Clone, Debug)]
pub struct Series {
    pub name: String,
    pub kind: Kind,
    pub between: Between,
    /// None: it is one of many, grey and without a name.
    pub colour: Option<&'static str>,
    /// The step along the axis, and the figure.
    pub points: Vec<(usize, f64)>,
}

#[derive(Clone, Debug)]
pub struct Lines {
    pub title: String,
    pub unit: &'static str,
    /// What stands at each step.
    pub steps: Vec<String>,
    pub series: Vec<Series>,
}

const PLOT: f64 = 440.0;
const HEAD: f64 = 50.0;
/// Names that are closer would touch.
const APART: f64 = 16.0;

impl Panel for Lines {
    fn height(&self) -> f64 {
        HEAD + PLOT + 30.0
    }

    #[allow(clippy::cast_precision_loss, reason = "a few steps")]
    fn draw(&self, svg: &mut Svg, [x, y]: [f64; 2], width: f64) {
        let labelled = || self.series.iter().filter(|series| series.colour.is_some());
        let names = labelled().map(|series| NAME.bold().width(&series.label())).fold(0.0, f64::max);
        let (left, right) = (x + 52.0, x + width - names - 56.0);
        let (top, bottom) = (y + HEAD, y + HEAD + PLOT);
        let figures = self.series.iter().flat_map(|series| series.points.iter());
        let scale = Scale::log(figures.map(|&(_, figure)| figure), bottom, top);
        let last = self.steps.len().saturating_sub(1).max(1) as f64;
        let along = |step: usize| left + 14.0 + step as f64 / last * (right - left - 28.0);
        svg.text([x, y + 14.0], &PANEL, &self.title);
        for tick in scale.ticks() {
            let place = scale.place(tick);
            svg.line([left, place], [right, place], GRID);
            let font = TICK.anchored(Anchor::End);
            svg.text([left - 8.0, place + 4.0], &font, &words::short(tick));
        }
        svg.text([x, y + 34.0], &TICK.anchored(Anchor::Start), self.unit);
        for (step, text) in self.steps.iter().enumerate() {
            svg.text(
                [along(step), bottom + 20.0],
                &Font::new(12.0, SOFT).anchored(Anchor::Middle),
                text,
            );
        }
        let place = |&(step, figure): &(usize, f64)| [along(step), scale.place(figure)];
        // Those that stand out come last, on top.
        let mut order: Vec<&Series> = self.series.iter().collect();
        order.sort_by_key(|series| (series.colour.is_some(), series.kind == Kind::Ringway));
        for series in order {
            series.draw(svg, &series.points.iter().map(place).collect::<Vec<_>>());
        }
        let end = |series: &Series| series.points.last().map(place);
        let mut ends: Vec<(&Series, [f64; 2])> =
            labelled().filter_map(|series| Some((series, end(series)?))).collect();
        ends.sort_by(|(_, one), (_, other)| one[1].total_cmp(&other[1]));
        let wanted: Vec<f64> = ends.iter().map(|(_, [_, y])| *y).collect();
        for ((series, end), y) in ends.iter().zip(apart(&wanted, top, bottom)) {
            let colour = series.colour.unwrap_or(SOFT);
            let style = format!(
                "stroke=\"{colour}\" stroke-width=\"1\" stroke-opacity=\"0.45\" stroke-dasharray=\"2 3\""
            );
            svg.line([end[0] + 6.0, end[1]], [right + 32.0, y], &style);
            let mut font = Font { colour, ..NAME.anchored(Anchor::Start) };
            font.is_bold = series.kind == Kind::Ringway;
            svg.text([right + 36.0, y + 4.0], &font, &series.label());
        }
    }
}

impl Series {
    fn label(&self) -> String {
        match (self.kind, self.between) {
            (Kind::Rival, Between::Threads) => format!("{} (threads)", self.name),
            (Kind::Limit, _) => format!("{} (limit)", self.name),
            _ => self.name.clone(),
        }
    }

    fn draw(&self, svg: &mut Svg, points: &[[f64; 2]]) {
        let (colour, width) = match (self.colour, self.kind) {
            (None, _) => ("#d4dbe2", 1.5),
            (Some(colour), Kind::Ringway) => (colour, 3.5),
            (Some(colour), _) => (colour, 2.0),
        };
        let dashes = match (self.kind, self.between) {
            (Kind::Limit, _) => " stroke-dasharray=\"7 4\"",
            (Kind::Rival, Between::Threads) => " stroke-dasharray=\"3 2.5\"",
            _ => "",
        };
        let style = format!(
            "stroke=\"{colour}\" stroke-width=\"{width}\" stroke-linejoin=\"round\"{dashes}"
        );
        svg.curve(points, &style);
        let dot = format!("fill=\"{colour}\" stroke=\"{BACK}\" stroke-width=\"1.2\"");
        if self.colour.is_none() {
            return;
        }
        let radius = if self.kind == Kind::Ringway { 5.0 } else { 3.5 };
        for &point in points {
            svg.dot(point, radius, &dot);
        }
    }
}

/// Places near the wanted ones, which rise, with room between them: those that would touch spread around their middle.
#[allow(clippy::cast_precision_loss, reason = "a few names")]
fn apart(wanted: &[f64], top: f64, bottom: f64) -> Vec<f64> {
    // Groups of neighbours: how many, and where the first one is.
    let mut groups: Vec<(usize, f64)> = Vec::new();
    for &place in wanted {
        let mut group = (1, place);
        while let Some(&(count, first)) = groups.last() {
            if first + count as f64 * APART <= group.1 {
                break;
            }
            groups.pop();
            let all = count + group.0;
            let moved = group.1 - count as f64 * APART;
            group = (all, (first * count as f64 + moved * group.0 as f64) / all as f64);
        }
        let room = bottom - (group.0 - 1) as f64 * APART;
        groups.push((group.0, group.1.min(room).max(top)));
    }
    let places = |(count, first): (usize, f64)| (0..count).map(move |n| first + n as f64 * APART);
    groups.into_iter().flat_map(places).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_do_not_touch_and_stay_inside() {
        let places = apart(&[10.0, 11.0, 12.0, 95.0, 99.0, 100.0], 0.0, 100.0);
        assert!(places.windows(2).all(|two| two[1] - two[0] >= APART - 1e-9), "{places:?}");
        assert!(places[0] >= 0.0 && places[5] <= 100.0, "{places:?}");
        assert_eq!(apart(&[10.0, 50.0], 0.0, 100.0), [10.0, 50.0]);
    }
}
