//! What a configuration server sees when a whole fleet is switched on in the same second, long before
//! the configurations are ready. Draws requests per second for four retry rules.
//!
//! `cargo run --release --example fleet_storm -- [DEVICES [READY_AFTER_MINUTES [FILE.svg]]]`
//!
//! Every device is a real `Autoinstall` machine. Requests before the server is ready fail at once,
//! later ones are served at once.

use sdi::{Action, Autoinstall, Detection, DeviceId, Event, Policy};
use std::error::Error;
use std::fmt::{self, Write};
use std::time::Duration;

const SPREAD: Duration = Duration::from_secs(300);
const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/fleet_storm.svg");

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let devices: u32 = args.next().map_or(Ok(1_000_000), |arg| arg.parse())?;
    let minutes: u32 = args.next().map_or(Ok(42), |arg| arg.parse())?;
    let file = args.next().unwrap_or_else(|| FILE.into());
    if !(1..=1_000_000).contains(&devices) || !(1..=1440).contains(&minutes) {
        return Err("1 to 1 000 000 devices, 1 to 1440 minutes".into());
    }

    let ready = Duration::from_secs(60 * u64::from(minutes));
    let fleet = |policy: &dyn Fn(&DeviceId) -> Policy| fleet(devices, ready, policy);
    let storms = [
        Storm::new("fixed loop of 5 s", fixed_loop(devices, ready)),
        Storm::new("RFC 8886, no jitter", fleet(&|_| Policy::unseeded())?),
        Storm::new("sdi: jitter 10 %", fleet(&Policy::for_device)?),
        Storm::new(
            "sdi: jitter 10 %, start spread over 5 min",
            fleet(&|id| Policy::for_device(id).start_spread(SPREAD))?,
        ),
    ];
    let title = format!(
        "{} devices switched on at once, server ready after {minutes} min",
        grouped(devices.into())
    );
    println!("{title}\n");
    for row in table(&storms) {
        println!("{:42} {:>12} {:>12} {:>13} {:>8}", row[0], row[1], row[2], row[3], row[4]);
    }
    std::fs::write(&file, picture(&title, minutes, &storms)?)?;
    println!("\n{file}");
    Ok(())
}

/// Requests in each second.
type Seconds = Vec<u64>;

fn count(seconds: &mut Seconds, now: Duration, requests: u64) {
    let second = usize::try_from(now.as_secs()).unwrap_or(usize::MAX);
    if seconds.len() <= second {
        seconds.resize(second + 1, 0);
    }
    seconds[second] += requests;
}

fn fixed_loop(devices: u32, ready: Duration) -> Seconds {
    let (mut seconds, mut now) = (Seconds::new(), Duration::ZERO);
    loop {
        count(&mut seconds, now, devices.into());
        if now >= ready {
            return seconds;
        }
        now += Duration::from_secs(5);
    }
}

fn fleet(
    devices: u32,
    ready: Duration,
    policy: &dyn Fn(&DeviceId) -> Policy,
) -> Result<Seconds, Box<dyn Error>> {
    let mut seconds = Seconds::new();
    for n in 0..devices {
        let id = DeviceId::new(&format!("SN{n:08}"))?;
        let mut now = Duration::ZERO;
        let mut machine = Autoinstall::new(policy(&id), now);
        loop {
            let event = match machine.poll(now) {
                Action::WaitUntil(time) => {
                    now = time;
                    continue;
                }
                Action::Fetch { .. } => {
                    count(&mut seconds, now, 1);
                    if now >= ready { Event::Fetched(Detection::Plain) } else { Event::FetchFailed }
                }
                Action::Finished(_) => break,
                _ => Event::Installed,
            };
            machine.handle(now, event)?;
        }
    }
    Ok(seconds)
}

/// What one retry rule does to the server.
struct Storm {
    rule: &'static str,
    seconds: Seconds,
    peak: u64,
    later_peak: u64,
    total: u64,
}

impl Storm {
    fn new(rule: &'static str, seconds: Seconds) -> Self {
        let peak = seconds.iter().copied().max().unwrap_or(0);
        let later_peak = seconds.iter().skip(1).copied().max().unwrap_or(0);
        let total = seconds.iter().sum();
        Self { rule, seconds, peak, later_peak, total }
    }
}

fn table(storms: &[Storm]) -> Vec<[String; 5]> {
    let head = ["rule", "peak per s", "after 1st s", "requests", "last at"].map(String::from);
    let rows = storms.iter().map(|storm| {
        let last = storm.seconds.len().saturating_sub(1);
        let [peak, later, total] = [storm.peak, storm.later_peak, storm.total].map(grouped);
        [storm.rule.into(), peak, later, total, format!("{}:{:02}", last / 60, last % 60)]
    });
    std::iter::once(head).chain(rows).collect()
}

/// 1 234 567
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            grouped.push(' ');
        }
        grouped.push(digit);
    }
    grouped
}

/// One panel for each rule, the same axes for all, requests per second on a logarithmic scale.
fn picture(title: &str, ready: u32, storms: &[Storm]) -> Result<String, fmt::Error> {
    const COLUMNS: usize = 780;
    const WIDTH: f64 = 780.0;
    const HEIGHT: f64 = 96.0;
    const COLOURS: [&str; 4] = ["#b3261e", "#b26a00", "#1a6dbb", "#1e7d4f"];
    let seconds = storms.iter().map(|storm| storm.seconds.len()).max().unwrap_or(1);
    let bin = seconds.div_ceil(COLUMNS);
    let x = |second: usize| second as f64 * WIDTH / seconds as f64;
    let y = |requests: u64| HEIGHT - HEIGHT / 6.0 * (requests.max(1) as f64).log10();

    let mut svg = String::new();
    let rows = table(storms);
    let below = 50.0 + storms.len() as f64 * (HEIGHT + 34.0);
    let total = below + 40.0 + rows.len() as f64 * 20.0;
    writeln!(
        svg,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 880 {total:.0}\" \
         font-family=\"sans-serif\" font-size=\"12\" fill=\"#222\" role=\"img\">\n\
         <title>{title}</title>\n<rect width=\"880\" height=\"{total:.0}\" fill=\"#fff\"/>\n\
         <text x=\"60\" y=\"24\" font-size=\"15\">Requests per second: {title}</text>"
    )?;
    for ((i, storm), colour) in storms.iter().enumerate().zip(COLOURS) {
        let top = 56.0 + i as f64 * (HEIGHT + 34.0);
        writeln!(svg, "<g transform=\"translate(60 {top:.0})\">")?;
        writeln!(svg, "<text y=\"-6\" fill=\"{colour}\">{}</text>", storm.rule)?;
        for power in (0..=6).step_by(2) {
            let at = y(10_u64.pow(power));
            let label = grouped(10_u64.pow(power));
            writeln!(svg, "<path d=\"M0 {at:.1}h{WIDTH}\" stroke=\"#ddd\"/>")?;
            writeln!(
                svg,
                "<text x=\"-5\" y=\"{:.1}\" text-anchor=\"end\" font-size=\"9\">{label}</text>",
                at + 3.0
            )?;
        }
        let at = x(usize::try_from(ready).unwrap_or(0) * 60);
        writeln!(
            svg,
            "<path d=\"M{at:.1} 0v{HEIGHT}\" stroke=\"#888\" stroke-dasharray=\"3 3\"/>"
        )?;
        // The highest second of each bin, as a filled outline.
        write!(svg, "<path fill=\"{colour}\" d=\"M0 {HEIGHT}")?;
        for (n, bin_seconds) in storm.seconds.chunks(bin).enumerate() {
            let peak = bin_seconds.iter().copied().max().unwrap_or(0);
            let level = if peak == 0 { HEIGHT } else { y(peak).min(HEIGHT - 1.0) };
            write!(svg, "V{level:.0}H{:.1}", x((n + 1) * bin))?;
        }
        writeln!(svg, "V{HEIGHT}z\"/>\n</g>")?;
    }
    let axis = below + 2.0;
    for minute in (0..=seconds / 60).step_by((seconds / 600).next_multiple_of(5).max(5)) {
        let at = 60.0 + x(minute * 60);
        writeln!(
            svg,
            "<text x=\"{at:.1}\" y=\"{axis:.0}\" text-anchor=\"middle\" font-size=\"10\">{minute} min</text>"
        )?;
    }
    for (i, row) in rows.iter().enumerate() {
        let at = below + 40.0 + i as f64 * 20.0;
        for (cell, (column, anchor)) in
            row.iter().zip([(60, "start"), (480, "end"), (590, "end"), (720, "end"), (820, "end")])
        {
            writeln!(
                svg,
                "<text x=\"{column}\" y=\"{at:.0}\" text-anchor=\"{anchor}\">{cell}</text>"
            )?;
        }
    }
    svg.push_str("</svg>\n");
    Ok(svg)
}
