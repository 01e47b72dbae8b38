//! A device's attempts on a time line: as text, and as SVG by hand, so that the same attempts give the
//! same bytes.

use std::fmt::Write;
use std::time::Duration;

/// One attempt of a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Attempt {
    pub(crate) at: Duration,
    pub(crate) ending: Ending,
}

/// How an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    NoServer,
    Lost,
    Installed,
}

impl Ending {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::NoServer => "no server",
            Self::Lost => "lost on the way",
            Self::Installed => "installed",
        }
    }

    fn sign(self) -> char {
        match self {
            Self::NoServer => '.',
            Self::Lost => 'x',
            Self::Installed => '#',
        }
    }

    fn colour(self) -> &'static str {
        match self {
            Self::NoServer => "#b26a00",
            Self::Lost => "#b3261e",
            Self::Installed => "#1e7d4f",
        }
    }
}

/// `h:mm:ss`
fn clock(time: Duration) -> String {
    let seconds = time.as_secs();
    format!("{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

/// A line for each attempt.
pub(crate) fn text(attempts: &[Attempt]) -> String {
    let mut text = String::new();
    for (n, Attempt { at, ending }) in (1..).zip(attempts) {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{n:4}  {:>9}  {}  {}", clock(*at), ending.sign(), ending.word());
    }
    let is_installed = attempts.last().is_some_and(|last| last.ending == Ending::Installed);
    text.push_str(if is_installed { "installed" } else { "not installed" });
    text
}

const WIDTH: f64 = 880.0;
const LEFT: f64 = 40.0;
/// The first hour takes this much, and what comes later the rest.
const HOUR: f64 = 400.0;
const LINE: f64 = 800.0;

/// The time line, with a mark every five minutes for an hour, and then every hour.
pub(crate) fn svg(id: &str, server_appears_at: Duration, attempts: &[Attempt]) -> String {
    let last = attempts.last().map_or(Duration::ZERO, |attempt| attempt.at);
    let end = seconds(last.max(server_appears_at)).max(7200.0);
    let x = |time: f64| {
        if time <= 3600.0 {
            LEFT + time / 3600.0 * HOUR
        } else {
            LEFT + HOUR + (time - 3600.0) / (end - 3600.0) * (LINE - HOUR)
        }
    };
    let mut svg = String::new();
    // Writing to a String cannot fail.
    let _ = writeln!(
        svg,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} 150\" \
         font-family=\"sans-serif\" font-size=\"11\" fill=\"#222\" role=\"img\">\n\
         <title>Attempts of {id}</title>\n<rect width=\"{WIDTH}\" height=\"150\" fill=\"#fff\"/>\n\
         <text x=\"{LEFT}\" y=\"24\" font-size=\"15\">Attempts of {id}</text>\n\
         <path d=\"M{LEFT} 90h{LINE}\" stroke=\"#888\"/>"
    );
    for minute in (0..=60_u32).step_by(5) {
        mark(&mut svg, x(f64::from(minute) * 60.0), &format!("{minute} min"), minute % 15 == 0);
    }
    let hours = (2..=168_u32).take_while(|hour| f64::from(*hour) * 3600.0 <= end);
    // As many labels as there is room for.
    let every = hours.clone().count() / 12 + 1;
    for (n, hour) in hours.enumerate() {
        mark(&mut svg, x(f64::from(hour) * 3600.0), &format!("{hour} h"), n % every == 0);
    }
    let ready = x(seconds(server_appears_at));
    let _ = writeln!(
        svg,
        "<path d=\"M{ready:.1} 50V90\" stroke=\"#1a6dbb\" stroke-dasharray=\"3 3\"/>\n\
         <text x=\"{ready:.1}\" y=\"46\" fill=\"#1a6dbb\" text-anchor=\"middle\">server ready</text>"
    );
    for Attempt { at, ending } in attempts {
        let _ = writeln!(
            svg,
            "<circle cx=\"{:.1}\" cy=\"76\" r=\"4\" fill=\"{}\"><title>{} {}</title></circle>",
            x(seconds(*at)),
            ending.colour(),
            clock(*at),
            ending.word(),
        );
    }
    for (at, ending) in [(0.0, Ending::NoServer), (120.0, Ending::Lost), (260.0, Ending::Installed)]
    {
        let _ = writeln!(
            svg,
            "<circle cx=\"{}\" cy=\"134\" r=\"4\" fill=\"{}\"/><text x=\"{}\" y=\"138\">{}</text>",
            LEFT + 4.0 + at,
            ending.colour(),
            LEFT + 14.0 + at,
            ending.word(),
        );
    }
    svg.push_str("</svg>\n");
    svg
}

fn mark(svg: &mut String, x: f64, label: &str, is_labelled: bool) {
    let _ = writeln!(svg, "<path d=\"M{x:.1} 90v5\" stroke=\"#888\"/>");
    if is_labelled {
        let _ = writeln!(svg, "<text x=\"{x:.1}\" y=\"108\" text-anchor=\"middle\">{label}</text>");
    }
}

/// Whole seconds; there are fewer than fit.
fn seconds(time: Duration) -> f64 {
    f64::from(u32::try_from(time.as_secs()).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attempts_stand_in_order_on_the_line() {
        let at = |seconds, ending| Attempt { at: Duration::from_secs(seconds), ending };
        let attempts =
            [at(0, Ending::NoServer), at(3600, Ending::Lost), at(7200, Ending::Installed)];
        let svg = svg("SN1", Duration::from_secs(3000), &attempts);
        let xs: Vec<&str> =
            svg.split("<circle cx=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
        assert_eq!(xs[..3], ["40.0", "440.0", "840.0"]);
        assert!(svg.contains("M373.3 50V90"), "the server");
        assert_eq!(
            text(&attempts),
            "   1    0:00:00  .  no server\n   2    1:00:00  x  lost on the way\n   \
             3    2:00:00  #  installed\ninstalled"
        );
        assert!(text(&attempts[..2]).ends_with("\nnot installed"));
    }
}
