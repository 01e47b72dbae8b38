//! Draws how the cost grows: two panels with logarithmic axes, as SVG by hand, so that the same
//! figures give the same bytes; and the figures as a table.

use crate::measure::bytes;
use std::collections::BTreeMap;
use std::fmt::{self, Display, Formatter, Write};
use std::str::FromStr;

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Panel {
    Bytes,
    Recipients,
}

/// One measurement; as text, a line with tabs.
pub(crate) struct Point {
    pub(crate) panel: Panel,
    pub(crate) operation: String,
    pub(crate) name: String,
    /// Bytes or recipients.
    pub(crate) units: u64,
    /// Nanoseconds for each unit.
    pub(crate) nanos_each: f64,
}

impl Display for Point {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self { operation, name, units, nanos_each, .. } = self;
        let panel = self.panel.word();
        write!(f, "{panel}\t{operation}\t{name}\t{units}\t{nanos_each:.4}")
    }
}

impl FromStr for Point {
    type Err = String;

    fn from_str(line: &str) -> Result<Self, String> {
        let words: Vec<&str> = line.split('\t').collect();
        let [panel, operation, name, units, nanos_each] = words[..] else {
            return Err(line.into());
        };
        let panels = [Panel::Bytes, Panel::Recipients];
        Ok(Self {
            panel: panels.into_iter().find(|it| it.word() == panel).ok_or(line)?,
            operation: operation.into(),
            name: name.into(),
            units: units.parse().map_err(|_| line)?,
            nanos_each: nanos_each.parse().map_err(|_| line)?,
        })
    }
}

impl Panel {
    fn word(self) -> &'static str {
        match self {
            Self::Bytes => "bytes",
            Self::Recipients => "recipients",
        }
    }

    fn title(self) -> &'static str {
        match self {
            Self::Bytes => "Time per byte, by the size of the file",
            Self::Recipients => "Time per recipient, by their number",
        }
    }

    /// What stands below the horizontal axis.
    fn marks(self) -> &'static [u64] {
        match self {
            Self::Bytes => &[1 << 10, 1 << 15, 1 << 20, 1 << 25, 1 << 30],
            Self::Recipients => &[1, 10, 100, 1000, 10_000],
        }
    }

    fn mark(self, units: u64) -> String {
        match self {
            Self::Bytes => bytes(units),
            Self::Recipients if units == 10_000 => "10 000".into(),
            Self::Recipients => units.to_string(),
        }
    }
}

const WIDTH: f64 = 880.0;
const HEIGHT: f64 = 396.0;
const TOP: f64 = 96.0;
const PLOT_WIDTH: f64 = 350.0;
const PLOT_HEIGHT: f64 = 250.0;
/// Where the panels begin.
const LEFTS: [f64; 2] = [66.0, 506.0];
const COLOURS: [&str; 3] = ["#1a6dbb", "#1e7d4f", "#b26a00"];

type Series<'a> = (&'a str, &'a str);

/// The picture. Names get their colours in the order in which they come.
pub(crate) fn svg(points: &[Point]) -> String {
    let mut names: Vec<&str> = Vec::new();
    for point in points {
        if !names.contains(&point.name.as_str()) {
            names.push(&point.name);
        }
    }
    let mut svg = String::new();
    // Writing to a String cannot fail.
    let _ = writeln!(
        svg,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" \
         font-family=\"sans-serif\" font-size=\"12\" fill=\"#222\" role=\"img\">\n\
         <title>What each byte and each recipient costs</title>\n\
         <rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"#fff\"/>"
    );
    legend(&mut svg, &names);
    for (panel, left) in [Panel::Bytes, Panel::Recipients].into_iter().zip(LEFTS) {
        let of_panel: Vec<&Point> = points.iter().filter(|point| point.panel == panel).collect();
        let _ = writeln!(svg, "<g transform=\"translate({left} {TOP})\">");
        draw(&mut svg, panel, &of_panel, &names);
        svg.push_str("</g>\n");
    }
    svg.push_str("</svg>\n");
    svg
}

fn colour(names: &[&str], name: &str) -> &'static str {
    let at = names.iter().position(|it| *it == name).unwrap_or_default();
    COLOURS[at % COLOURS.len()]
}

fn legend(svg: &mut String, names: &[&str]) {
    let mut x = LEFTS[0];
    let mut entry = |style: &str, label: &str| {
        let _ = writeln!(
            svg,
            "<path d=\"M{x} 28h28\" stroke-width=\"2\" {style}/><text x=\"{}\" y=\"32\">{label}</text>",
            x + 34.0
        );
        x += 70.0 + 7.0 * f64::from(u32::try_from(label.len()).unwrap());
    };
    for name in names {
        entry(&format!("stroke=\"{}\"", colour(names, name)), name);
    }
    entry("stroke=\"#222\"", "open");
    entry("stroke=\"#222\" stroke-dasharray=\"5 4\"", "seal");
}

fn draw(svg: &mut String, panel: Panel, points: &[&Point], names: &[&str]) {
    let marks = panel.marks();
    let [first, last] = [marks[0], marks[marks.len() - 1]].map(log);
    let x = |units: u64| (log(units) - first) / (last - first) * PLOT_WIDTH;
    // Whole decades around all points.
    let logs = points.iter().map(|point| point.nanos_each.log10());
    let low = logs.clone().fold(f64::INFINITY, f64::min).floor();
    let high = logs.fold(f64::NEG_INFINITY, f64::max).ceil();
    let y = |nanos: f64| (high - nanos.log10()) / (high - low) * PLOT_HEIGHT;

    let _ = writeln!(svg, "<text x=\"0\" y=\"-20\" font-size=\"15\">{}</text>", panel.title());
    let mut decade = low;
    while decade <= high {
        let nanos = 10_f64.powf(decade);
        let _ = writeln!(
            svg,
            "<path d=\"M0 {0:.1}h{PLOT_WIDTH}\" stroke=\"#ddd\"/>\
             <text x=\"-7\" y=\"{1:.1}\" text-anchor=\"end\" font-size=\"11\">{2}</text>",
            y(nanos),
            y(nanos) + 4.0,
            duration(nanos)
        );
        decade += 1.0;
    }
    for &mark in marks {
        let _ = writeln!(
            svg,
            "<path d=\"M{0:.1} {PLOT_HEIGHT}v5\" stroke=\"#888\"/>\
             <text x=\"{0:.1}\" y=\"{1}\" text-anchor=\"middle\" font-size=\"11\">{2}</text>",
            x(mark),
            PLOT_HEIGHT + 20.0,
            panel.mark(mark)
        );
    }
    let _ = writeln!(svg, "<path d=\"M0 {PLOT_HEIGHT}h{PLOT_WIDTH}\" stroke=\"#888\"/>");
    for ((name, operation), line) in series(points) {
        let place = |point: &&Point| format!("{:.1} {:.1}", x(point.units), y(point.nanos_each));
        let path: Vec<String> = line.iter().map(place).collect();
        let dashes = if operation == "seal" { " stroke-dasharray=\"5 4\"" } else { "" };
        let colour = colour(names, name);
        let _ = writeln!(
            svg,
            "<path d=\"M{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"{dashes}/>",
            path.join("L")
        );
        for point in line {
            let _ = writeln!(
                svg,
                "<circle cx=\"{:.1}\" cy=\"{:.1}\" r=\"2.5\" fill=\"{colour}\">\
                 <title>{name}, {operation}, {}: {}</title></circle>",
                x(point.units),
                y(point.nanos_each),
                panel.mark(point.units),
                duration(point.nanos_each)
            );
        }
    }
}

/// The points of each line, in the order of the lines' names.
fn series<'a>(points: &[&'a Point]) -> BTreeMap<Series<'a>, Vec<&'a Point>> {
    let mut series: BTreeMap<Series<'_>, Vec<&Point>> = BTreeMap::new();
    for &point in points {
        series.entry((&point.name, &point.operation)).or_default().push(point);
    }
    series
}

/// Sizes and numbers of recipients fit.
fn log(units: u64) -> f64 {
    f64::from(u32::try_from(units).unwrap()).log10()
}

fn duration(nanos: f64) -> String {
    let (value, unit) = match nanos {
        ..1000.0 => (nanos, "ns"),
        ..1e6 => (nanos / 1e3, "us"),
        _ => (nanos / 1e6, "ms"),
    };
    let digits = match value {
        ..0.1 => 3,
        ..1.0 => 2,
        ..10.0 => 1,
        _ => 0,
    };
    let text = format!("{value:.digits$}");
    let text =
        if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    format!("{text} {unit}")
}

/// The figures, a table for each panel.
pub(crate) fn tables(points: &[Point]) -> String {
    let mut text = String::new();
    for panel in [Panel::Bytes, Panel::Recipients] {
        let of_panel: Vec<&Point> = points.iter().filter(|point| point.panel == panel).collect();
        let lines = series(&of_panel);
        let _ = write!(text, "| time for each of the {}", panel.word());
        for (name, operation) in lines.keys() {
            let _ = write!(text, " | {operation}, {name}");
        }
        let _ = write!(text, " |\n|---:{}|\n", "|---:".repeat(lines.len()));
        let mut units: Vec<u64> = of_panel.iter().map(|point| point.units).collect();
        units.sort_unstable();
        units.dedup();
        for units in units {
            let _ = write!(text, "| {}", panel.mark(units));
            for line in lines.values() {
                let point = line.iter().find(|point| point.units == units);
                let cell = point.map_or_else(|| "-".into(), |point| duration(point.nanos_each));
                let _ = write!(text, " | {cell}");
            }
            text.push_str(" |\n");
        }
        text.push('\n');
    }
    text
}
