//! A plot's frame: title, legend, panels side by side, the machine.

use super::svg::Svg;
use super::theme::{self, BACK, FOOT, MARGIN, PAGE, SUBTITLE, TITLE};
use crate::contestant::{Between, Kind};

/// A part of a plot.
pub trait Panel {
    fn height(&self) -> f64;

    /// Draws it with its upper left corner at `place`.
    fn draw(&self, svg: &mut Svg, place: [f64; 2], width: f64);
}

#[derive(Debug)]
pub struct Page<'a> {
    pub title: &'a str,
    pub subtitle: &'a str,
    /// What the colours mean, of the contestants that are there.
    pub legend: Vec<(Kind, Between)>,
    pub foot: &'a str,
}

const GAP: f64 = 34.0;

impl Page<'_> {
    /// The document, with its panels in so many columns.
    pub fn draw(&self, panels: &[impl Panel], columns: usize) -> String {
        let mut svg = Svg::default();
        let mut y = 50.0;
        svg.text([MARGIN, y], &TITLE, self.title);
        for line in wrapped(self.subtitle, PAGE - 2.0 * MARGIN) {
            y += 21.0;
            svg.text([MARGIN, y], &SUBTITLE, &line);
        }
        y += 28.0;
        if !self.legend.is_empty() {
            self.draw_legend(&mut svg, y);
            y += 24.0;
        }
        #[allow(clippy::cast_precision_loss, reason = "a few columns")]
        let width = (PAGE - 2.0 * MARGIN - GAP * (columns as f64 - 1.0)) / columns as f64;
        for row in panels.chunks(columns) {
            let mut x = MARGIN;
            for panel in row {
                panel.draw(&mut svg, [x, y], width);
                x += width + GAP;
            }
            y += row.iter().map(Panel::height).fold(0.0, f64::max) + 16.0;
        }
        svg.text([MARGIN, y + 10.0], &FOOT, self.foot);
        svg.finish(PAGE, y + 30.0, BACK)
    }

    fn draw_legend(&self, svg: &mut Svg, y: f64) {
        let mut x = MARGIN;
        for (kind, between, text) in theme::LEGEND {
            let is_there = self
                .legend
                .iter()
                .any(|&(other, side)| kind == other && (between == side || kind == Kind::Limit));
            if is_there {
                svg.rect([x, y - 11.0, 14.0, 12.0], &(theme::fill(kind, between) + " rx=\"2\""));
                svg.text([x + 20.0, y], &SUBTITLE, text);
                x += 20.0 + SUBTITLE.width(text) + 26.0;
            }
        }
    }
}

/// `text` in lines that fit.
fn wrapped(text: &str, width: f64) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if SUBTITLE.width(line) + SUBTITLE.width(word) + 5.0 < width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}
