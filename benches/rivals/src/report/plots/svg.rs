//! A drawing that grows by shapes and texts.

use std::fmt::{Display, Write};
use std::sync::OnceLock;

use ttf_parser::Face;

/// Drawings name the font that pictures are rendered with, and others of its kind for who has it not.
const FAMILY: &str = "'Noto Sans', 'Segoe UI', 'Helvetica Neue', Arial, sans-serif";

#[derive(Debug, Default)]
pub struct Svg(String);

/// Which point of a text is at its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anchor {
    Start,
    Middle,
    End,
}

#[derive(Clone, Copy, Debug)]
pub struct Font {
    pub size: f64,
    pub is_bold: bool,
    pub colour: &'static str,
    pub anchor: Anchor,
}

impl Font {
    pub const fn new(size: f64, colour: &'static str) -> Self {
        Self { size, is_bold: false, colour, anchor: Anchor::Start }
    }

    pub const fn bold(self) -> Self {
        Self { is_bold: true, ..self }
    }

    pub const fn anchored(self, anchor: Anchor) -> Self {
        Self { anchor, ..self }
    }

    pub const fn coloured(self, colour: &'static str) -> Self {
        Self { colour, ..self }
    }

    /// How wide `text` is in it.
    pub fn width(&self, text: &str) -> f64 {
        let face = face(self.is_bold);
        let advance = |letter| {
            let glyph = face.glyph_index(letter).unwrap_or_default();
            f64::from(face.glyph_hor_advance(glyph).unwrap_or(0))
        };
        let units: f64 = text.chars().map(advance).sum();
        units / f64::from(face.units_per_em()) * self.size
    }
}

fn face(is_bold: bool) -> &'static Face<'static> {
    static FACES: OnceLock<[Face; 2]> = OnceLock::new();
    let faces = FACES.get_or_init(|| {
        [notosans::REGULAR_TTF, notosans::BOLD_TTF]
            .map(|bytes| Face::parse(bytes, 0).expect("the font is part of the program"))
    });
    &faces[usize::from(is_bold)]
}

impl Svg {
    /// A bar with round right corners.
    pub fn bar(&mut self, [x, y, width, height]: [f64; 4], style: &str) {
        let round = 3f64.min(width / 2.0);
        let straight = width - round;
        let side = height - 2.0 * round;
        self.add(format_args!(
            "<path d=\"M{x:.1} {y:.1}h{straight:.1}q{round} 0 {round} {round}v{side:.1}q0 {round} -{round} \
             {round}h-{straight:.1}z\" {style}/>"
        ));
    }

    pub fn rect(&mut self, [x, y, width, height]: [f64; 4], style: &str) {
        self.add(format_args!(
            "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" {style}/>"
        ));
    }

    pub fn line(&mut self, [x, y]: [f64; 2], [to_x, to_y]: [f64; 2], style: &str) {
        self.add(format_args!(
            "<line x1=\"{x:.1}\" y1=\"{y:.1}\" x2=\"{to_x:.1}\" y2=\"{to_y:.1}\" {style}/>"
        ));
    }

    pub fn curve(&mut self, points: &[[f64; 2]], style: &str) {
        let points: Vec<String> = points.iter().map(|[x, y]| format!("{x:.1},{y:.1}")).collect();
        let points = points.join(" ");
        self.add(format_args!("<polyline points=\"{points}\" fill=\"none\" {style}/>"));
    }

    pub fn dot(&mut self, [x, y]: [f64; 2], radius: f64, style: &str) {
        self.add(format_args!("<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"{radius}\" {style}/>"));
    }

    /// A text whose letters stand on `y`.
    pub fn text(&mut self, [x, y]: [f64; 2], font: &Font, text: &str) {
        let anchor = match font.anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        let weight = if font.is_bold { " font-weight=\"700\"" } else { "" };
        let Font { size, colour, .. } = font;
        let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        self.add(format_args!(
            "<text x=\"{x:.1}\" y=\"{y:.1}\" font-size=\"{size}\" fill=\"{colour}\" \
             text-anchor=\"{anchor}\"{weight}>{text}</text>"
        ));
    }

    fn add(&mut self, shape: impl Display) {
        let _ = writeln!(self.0, "{shape}");
    }

    /// The whole document.
    pub fn finish(self, width: f64, height: f64, back: &str) -> String {
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{height:.0}\" viewBox=\"0 0 \
             {width:.0} {height:.0}\" font-family=\"{FAMILY}\">\n<rect width=\"{width:.0}\" height=\"{height:.0}\" \
             fill=\"{back}\"/>\n{}</svg>\n",
            self.0
        )
    }
}

/// The same as a picture, of twice as many points each way. Needs no fonts of the system.
pub fn png(svg: &str) -> Result<Vec<u8>, String> {
    use resvg::{tiny_skia, usvg};
    const ZOOM: f32 = 2.0;
    let mut options = usvg::Options::default();
    let fonts = options.fontdb_mut();
    fonts.load_font_data(notosans::REGULAR_TTF.to_vec());
    fonts.load_font_data(notosans::BOLD_TTF.to_vec());
    let tree = usvg::Tree::from_str(svg, &options).map_err(|why| format!("draw: {why}"))?;
    let size = tree.size().to_int_size();
    let size = size.scale_by(ZOOM).ok_or("draw: nothing to be seen")?;
    let picture = tiny_skia::Pixmap::new(size.width(), size.height());
    let mut picture = picture.ok_or("draw: too large a picture")?;
    let zoom = tiny_skia::Transform::from_scale(ZOOM, ZOOM);
    resvg::render(&tree, zoom, &mut picture.as_mut());
    picture.encode_png().map_err(|why| format!("write a picture: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn widths_are_those_of_the_font() {
        let font = Font::new(10.0, "#000");
        assert!(font.width("mmm") > 2.0 * font.width("iii"));
        assert!(font.bold().width("ringway") > font.width("ringway"));
        assert!((font.width("aa") - 2.0 * font.width("a")).abs() < 1e-9);
    }

    #[test]
    fn a_text_is_seen_in_the_picture() {
        let picture = |text: &str| {
            let mut svg = Svg::default();
            svg.text([5.0, 20.0], &Font::new(16.0, "#000"), text);
            png(&svg.finish(120.0, 30.0, "#fff")).expect("it can be drawn")
        };
        let (blank, text) = (picture(""), picture("a < b & c"));
        assert!(text.len() > blank.len() + 200, "{} {}", text.len(), blank.len());
    }
}
