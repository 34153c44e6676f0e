//! From a [`Sky`] to what goes to the page: signals as JSON, and the details pane as HTML.

use std::fmt::Display;
use std::time::{SystemTime, UNIX_EPOCH};

use maud::{Markup, html};
use serde::Serialize;

use crate::body::Body;
use crate::cassini::{Center, Mission, Phase};
use crate::clock::Reading;
use crate::event::Event;
use crate::huygens::Stage;
use crate::log::{Line, LineKind};
use crate::meter::Measured;
use crate::planets::{self, AU};
use crate::sky::Sky;
use crate::stations::{self, Track};
use crate::vector::Vector;

/// All that goes by time, every time: a page that comes late or missed something is right again after one of them.
///
/// The names begin with an underscore so that the page does not send them back with each request.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Signals {
    /// What the canvas draws.
    _sky: SkySignal,
    /// What the telemetry panel says, in words.
    _now: Telemetry,
    /// The mission clock.
    _clock: ClockSignal,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
struct ClockSignal {
    playing: bool,
    /// Mission days in a second, while it plays.
    speed: f64,
}

/// Numbers for the canvas. Lists, not objects: a merge patch replaces them whole.
#[derive(Clone, Debug, PartialEq, Serialize)]
struct SkySignal {
    /// Days TDB since J2000.0.
    day: f64,
    /// Mission days in a second; 0 while the clock stands.
    speed: f64,
    /// Heliocentric ecliptic x and y in AU: Mercury to Neptune, then Cassini.
    au: Vec<[f64; 2]>,
    /// Cassini about Saturn, thousand km and km/s; empty on the way there.
    orbit: Vec<f64>,
    /// Mimas to Titan about Saturn, thousand km; empty on the way there.
    moons: Vec<[f64; 3]>,
    /// Huygens about Saturn, thousand km, while it is on its own; else empty.
    huygens: Vec<f64>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
struct Telemetry {
    date: String,
    time: String,
    /// Since launch: `T+ 2,451 d`.
    elapsed: String,
    phase: &'static str,
    leg: String,
    sun: String,
    earth: String,
    saturn: String,
    light: String,
    speed: String,
    /// The antenna that has Cassini in sight.
    antenna: String,
    huygens: &'static str,
    next: String,
    /// How long until then.
    due: String,
    last: String,
    /// Of Cassini's path.
    error: String,
    sources: Sources,
    /// Of the mission that has gone by, 0 to 1.
    progress: f64,
}

/// By what the places are computed, and how far off they may be.
#[derive(Clone, Debug, PartialEq, Serialize)]
struct Sources {
    cassini: String,
    planets: String,
}

/// The signal that tells how many push streams are open.
pub(crate) fn streams(count: usize) -> impl Serialize {
    serde_json::json!({ "_streams": count })
}

/// The signal that tells what is served, and what it costs.
pub(crate) fn load(measured: &Measured, sent: SystemTime) -> impl Serialize {
    let sent = sent.duration_since(UNIX_EPOCH).unwrap_or_default();
    serde_json::json!({ "_load": measured, "_sent": sent.as_millis() as u64 })
}

/// The signals for one picture.
pub(crate) fn signals(sky: &Sky, mission: &Mission, clock: Reading) -> Signals {
    let speed = clock.speed.days();
    Signals {
        _sky: sky_signal(sky, if clock.playing { speed } else { 0.0 }),
        _now: telemetry(sky, mission),
        _clock: ClockSignal {
            playing: clock.playing,
            speed,
        },
    }
}

fn sky_signal(sky: &Sky, speed: f64) -> SkySignal {
    let au = Body::PLANETS
        .into_iter()
        .chain([Body::Cassini])
        .map(|body| {
            let place = sky.position(body) * (1.0 / AU);
            [rounded(place.x, 5), rounded(place.y, 5)]
        })
        .collect();
    let orbit = match sky.cassini.center {
        Center::Sun => Vec::new(),
        Center::Saturn => {
            let (r, v) = (
                sky.cassini.about_center.position * 1e-3,
                sky.cassini.about_center.velocity,
            );
            [
                rounded(r.x, 3),
                rounded(r.y, 3),
                rounded(r.z, 3),
                rounded(v.x, 5),
                rounded(v.y, 5),
                rounded(v.z, 5),
            ]
            .to_vec()
        }
    };
    let about_saturn = |body| {
        let place = (sky.position(body) - sky.position(Body::Saturn)) * 1e-3;
        [
            rounded(place.x, 1),
            rounded(place.y, 1),
            rounded(place.z, 1),
        ]
    };
    let moons = match sky.cassini.center {
        Center::Sun => Vec::new(),
        Center::Saturn => Body::MOONS.map(about_saturn).to_vec(),
    };
    let huygens = match sky.huygens {
        Stage::Rides => Vec::new(),
        Stage::Flies | Stage::Descends | Stage::Rests => about_saturn(Body::Huygens).to_vec(),
    };
    SkySignal {
        moons,
        huygens,
        day: rounded(sky.at.days_since_j2000(), 5),
        speed,
        au,
        orbit,
    }
}

fn telemetry(sky: &Sky, mission: &Mission) -> Telemetry {
    let utc = sky.at.utc();
    let cassini = &sky.cassini;
    let elapsed = sky.at.seconds_since(mission.start());
    let source = sky.source(Body::Cassini);
    let center = match cassini.center {
        Center::Sun => "Sun",
        Center::Saturn => "Saturn",
    };
    let (next, due) = match &cassini.next {
        Some(event) => (
            event.text.clone(),
            format!("in {}", duration(event.at.seconds_since(sky.cassini.at))),
        ),
        None => (String::new(), String::new()),
    };
    Telemetry {
        date: utc.date(),
        time: utc.time(),
        elapsed: format!("T+ {} d", grouped(elapsed / 86_400.0)),
        phase: cassini.phase.name(),
        leg: cassini.leg.clone(),
        sun: distance(sky.distance(Body::Cassini, Body::Sun)),
        earth: distance(sky.distance(Body::Cassini, Body::Earth)),
        saturn: distance(sky.distance(Body::Cassini, Body::Saturn)),
        light: duration(sky.light_seconds(Body::Cassini, Body::Earth)),
        speed: format!(
            "{:.2} km/s about {center}",
            cassini.about_center.velocity.length()
        ),
        antenna: stations::tracking(sky).map_or_else(
            || "none has it in sight".to_owned(),
            |Track { station, elevation }| {
                format!("{} {}, {elevation:.0}° up", station.name, station.place)
            },
        ),
        huygens: sky.huygens.name(),
        next,
        due,
        last: cassini
            .last
            .as_ref()
            .map_or_else(String::new, |event| event.text.clone()),
        error: source.error.to_string(),
        sources: Sources {
            cassini: source.to_string(),
            planets: sky
                .source_of(&Body::PLANETS)
                .map_or_else(String::new, |source| source.to_string()),
        },
        progress: rounded(elapsed / mission.end().seconds_since(mission.start()), 5),
    }
}

/// What never changes: the planets' orbits and Cassini's whole path, in AU. A page asks for it once.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Scene {
    /// For each planet, Mercury to Neptune, one turn about the Sun.
    orbits: Vec<Vec<[f64; 2]>>,
    /// Day since J2000.0, x, y, and the phase's number. At Saturn it is Saturn's own path: Cassini's loops about it are too small
    /// to see from the Sun (under 0.07 AU) and would be a scribble.
    path: Vec<(f64, f64, f64, u8)>,
    /// The phases' names by number.
    phases: Vec<&'static str>,
}

/// Computes the scene: some thousand positions, in a quarter of a second: do it once, at the start.
pub(crate) fn scene(mission: &Mission) -> Scene {
    const POINTS: u32 = 120;
    let flat = |place: Vector| [rounded(place.x / AU, 4), rounded(place.y / AU, 4)];
    let (start, end) = (mission.start(), mission.end());
    let middle = start.plus_seconds(end.seconds_since(start) / 2.0);
    let orbits = Body::PLANETS
        .into_iter()
        .map(|body| {
            let year = body.year_days().unwrap_or_default();
            (0..POINTS)
                .filter_map(|i| {
                    planets::position(
                        body,
                        middle.plus_days(year * (f64::from(i) / f64::from(POINTS) - 0.5)),
                    )
                })
                .map(flat)
                .collect()
        })
        .collect();

    let mut path = Vec::new();
    let mut at = start;
    while at < end {
        if let Ok(place) = mission.place(at) {
            let position = match place.arc.center {
                Center::Sun => Some(
                    mission
                        .kernels()
                        .position(Body::Cassini, at)
                        .unwrap_or(place.state.position),
                ),
                Center::Saturn => planets::position(Body::Saturn, at),
            };
            if let Some([x, y]) = position.map(flat) {
                path.push((
                    rounded(at.days_since_j2000(), 2),
                    x,
                    y,
                    Phase::at(at).number(),
                ));
            }
        }
        let cruising = Phase::at(at).number() < Phase::Capture.number();
        at = at.plus_days(if cruising { 2.0 } else { 8.0 });
    }
    Scene {
        orbits,
        path,
        phases: Phase::ALL.map(Phase::name).to_vec(),
    }
}

/// The phases as pieces of a line, each as long as its share of the mission; the page has it from the start.
pub(crate) fn timeline(mission: &Mission) -> Markup {
    const STEPS: u32 = 2000;
    let length = mission.end().seconds_since(mission.start());
    let mut shares = [0_u32; Phase::ALL.len()];
    for i in 0..STEPS {
        let at = mission
            .start()
            .plus_seconds(length * (f64::from(i) + 0.5) / f64::from(STEPS));
        shares[usize::from(Phase::at(at).number())] += 1;
    }
    html! {
        @for (phase, share) in Phase::ALL.into_iter().zip(shares) {
            span style={ "flex:" (share) " 0 0;background:var(--phase-" (phase.number()) ")" } title=(phase.name()) {}
        }
    }
}

/// The mission's events, for jumping to one: by phase, the many flybys of Titan by themselves.
pub(crate) fn events(mission: &Mission) -> Markup {
    let all: Vec<_> = mission.events().iter().enumerate().collect();
    html! {
        @for phase in Phase::ALL {
            optgroup label=(phase.name()) {
                @for (number, event) in all.iter().filter(|(_, event)| Phase::at(event.at) == phase) {
                    option value=(number) { (event.at.utc().date()) " " (event.text) }
                }
            }
        }
    }
}

/// What has happened of late.
pub(crate) fn log(lines: &[Line]) -> Markup {
    html! {
        ol #log {
            @for line in lines {
                li class=(match line.kind {
                    LineKind::Flyby => "flyby",
                    LineKind::Milestone => "milestone",
                    LineKind::Antenna => "antenna",
                }) { time { (line.time) } " " (line.text) }
            }
        }
    }
}

/// All bodies and how far they are, for those who see no map.
pub(crate) fn bodies(sky: &Sky) -> Markup {
    html! {
        table #bodies {
            caption { "On " (sky.at.utc().date()) " at " (sky.at.utc().time()) " UTC" }
            thead {
                tr { th scope="col" { "Body" } th scope="col" { "From the Sun" } th scope="col" { "From Earth" } th scope="col" { "From Cassini" } }
            }
            tbody {
                @for body in Body::ALL {
                    tr {
                        th scope="row" { (body.name()) }
                        @for other in [Body::Sun, Body::Earth, Body::Cassini] {
                            td { @if body == other { "–" } @else { (distance(sky.distance(body, other))) } }
                        }
                    }
                }
            }
        }
    }
}

/// The details pane while its contents are being fetched.
pub(crate) fn details_fetching(body: Body) -> Markup {
    html! {
        section #details aria-live="polite" aria-busy="true" {
            h2 { (body.name()) }
            p.dim { "Fetching…" }
        }
    }
}

/// The details pane of a body at the sky's instant.
pub(crate) fn details(body: Body, sky: &Sky) -> Markup {
    html! {
        section #details aria-live="polite" {
            h2 { (body.name()) }
            dl {
                @for (label, text) in body.facts() {
                    dt { (label) } dd { (text) }
                }
            }
            p.stamp { "On " (sky.at.utc().date()) " at " (sky.at.utc().time()) " UTC" }
            dl {
                @if body != Body::Sun {
                    dt { "From the Sun" } dd { (distance(sky.position(body).length())) }
                }
                @if body != Body::Earth {
                    dt { "From Earth" } dd { (distance(sky.distance(body, Body::Earth))) }
                    dt { "Light takes" } dd { (duration(sky.light_seconds(body, Body::Earth))) }
                }
                @if body != Body::Cassini {
                    dt { "From Cassini" } dd { (distance(sky.distance(body, Body::Cassini))) }
                }
                @if body != Body::Sun {
                    dt { "Speed" } dd { (format!("{:.2} km/s about the Sun", sky.velocity(body).length())) }
                }
                @for (label, text) in at_saturn(body, sky) {
                    dt { (label) } dd { (text) }
                }
                @if body != Body::Sun {
                    dt { "Place by" } dd { (sky.source(body)) }
                }
            }
        }
    }
}

/// The signal that tells why a command was refused.
pub(crate) fn problem(problem: &str) -> impl Serialize + use<> {
    serde_json::json!({ "_problem": problem })
}

/// What there is to say besides of Saturn's moons and of the two that went there.
fn at_saturn(body: Body, sky: &Sky) -> Vec<(&'static str, String)> {
    let mut said = Vec::new();
    let past = |other| format!("{:.2} km/s", sky.speed(body, other));
    if Body::MOONS.contains(&body) || matches!(body, Body::Cassini | Body::Huygens) {
        said.push(("From Saturn", distance(sky.distance(body, Body::Saturn))));
        said.push(("Past Saturn", past(Body::Saturn)));
    }
    if body == Body::Huygens {
        said.push(("Now", sky.huygens.name().to_owned()));
    }
    if body == Body::Cassini {
        said.push(("Past Earth", past(Body::Earth)));
        let flyby = sky.cassini.next.as_ref().and_then(Event::flyby);
        if let Some(flyby) = flyby {
            let mut text = flyby.of.clone();
            if let Some(name) = &flyby.name {
                text = format!("{text} {name}");
            }
            if let Some(km) = flyby.km {
                text = format!("{text}, {} km", grouped(km));
            }
            said.push(("Next flyby", text));
        }
        said.push((
            "In sight of",
            stations::tracking(sky).map_or_else(
                || "no antenna of the Deep Space Network".to_owned(),
                |track| {
                    let station = track.station;
                    let (name, place) = (station.name, station.place);
                    format!(
                        "{name} in {place}, {:.0}° above its horizon",
                        track.elevation
                    )
                },
            ),
        ));
    }
    said
}

/// The details pane where a request could not be answered.
pub(crate) fn details_problem(problem: &impl Display) -> Markup {
    html! {
        section #details aria-live="polite" {
            h2 { "No details" }
            p.problem { (problem) }
        }
    }
}

/// `9.054 AU`, or `1,222,000 km` where that is nearer. No more digits than the path's error leaves a meaning.
fn distance(km: f64) -> String {
    if km < 0.1 * AU {
        format!("{} km", grouped((km / 1000.0).round() * 1000.0))
    } else {
        format!("{:.3} AU", km / AU)
    }
}

/// `3 d 4 h`, `1 h 24 min`, `8 min 19 s`, `1.3 s`.
fn duration(seconds: f64) -> String {
    if seconds < 60.0 {
        return format!("{:.1} s", seconds.max(0.0));
    }
    let whole = seconds.round() as u64;
    let (days, hours, minutes) = (whole / 86_400, whole / 3600 % 24, whole / 60 % 60);
    if days >= 10 {
        format!("{} d", grouped(days as f64))
    } else if days > 0 {
        format!("{days} d {hours} h")
    } else if hours > 0 {
        format!("{hours} h {minutes} min")
    } else {
        format!("{minutes} min {} s", whole % 60)
    }
}

/// The whole part of a number that is not negative, with commas: `1,222,000`.
pub(crate) fn grouped(number: f64) -> String {
    let digits = (number.max(0.0) as u64).to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn rounded(number: f64, places: i32) -> f64 {
    let scale = 10_f64.powi(places);
    (number * scale).round() / scale
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Speed;

    fn at(utc: &str) -> (Mission, Sky) {
        let mission = Mission::load().unwrap();
        let sky = Sky::at(&mission, utc.parse().unwrap()).unwrap();
        (mission, sky)
    }

    #[test]
    fn signals_are_compact_and_whole() {
        for (utc, orbit, playing) in [("2001-01-01", 0, true), ("2008-09-20", 6, false)] {
            let (mission, sky) = at(utc);
            let clock = Reading {
                at: sky.at,
                speed: Speed::DEFAULT,
                playing,
            };
            let json = serde_json::to_value(signals(&sky, &mission, clock)).unwrap();
            assert_eq!(json["_sky"]["au"].as_array().unwrap().len(), 9);
            assert_eq!(json["_sky"]["orbit"].as_array().unwrap().len(), orbit);
            assert_eq!(json["_sky"]["moons"].as_array().unwrap().len(), orbit);
            assert_eq!(json["_sky"]["speed"], if playing { 20.0 } else { 0.0 });
            assert_eq!(
                json["_clock"],
                serde_json::json!({ "playing": playing, "speed": 20.0 })
            );
            assert!(
                json.to_string().len() < 1400,
                "{} bytes: {json}",
                json.to_string().len()
            );
        }
    }

    #[test]
    fn telemetry_speaks_plainly() {
        let (mission, sky) = at("2004-12-24T00:00Z");
        let said = telemetry(&sky, &mission);
        assert_eq!(
            (said.date.as_str(), said.time.as_str()),
            ("2004-12-24", "00:00:00")
        );
        assert_eq!(
            (said.phase, said.leg.as_str()),
            ("Prime mission", "T-B to T-C")
        );
        assert_eq!(
            (said.next.as_str(), said.due.as_str()),
            ("Huygens probe released", "in 1 d 2 h")
        );
        assert_eq!(
            (said.elapsed.as_str(), said.error.as_str()),
            ("T+ 2,626 d", "typically ±20,000 km")
        );
        assert_eq!(
            [said.sources.cassini, said.sources.planets],
            [
                "conic arcs from published facts, error typically ±20,000 km",
                "VSOP87A, error at most ±30,000 km"
            ]
        );
        assert!(said.saturn.ends_with(",000 km"), "{}", said.saturn);
        assert!(said.speed.ends_with("km/s about Saturn"), "{}", said.speed);
    }

    #[test]
    fn the_end_has_no_next_event() {
        let (mission, sky) = at("2017-09-15T10:31:48Z");
        let said = telemetry(&sky, &mission);
        assert_eq!(
            (said.next.as_str(), said.due.as_str(), said.progress),
            ("", "", 1.0)
        );
    }

    #[test]
    fn every_body_has_details() {
        let (_, sky) = at("2008-09-20");
        for body in Body::ALL {
            let page = details(body, &sky).into_string();
            assert!(
                page.starts_with("<section id=\"details\"") && page.contains(body.name()),
                "{page}"
            );
            assert_eq!(page.contains("From Earth"), body != Body::Earth);
            assert_eq!(page.contains("±"), body != Body::Sun, "{page}");
        }
        assert!(
            details_fetching(Body::Saturn)
                .into_string()
                .contains("Fetching…")
        );
        assert!(
            details_problem(&"<script>")
                .into_string()
                .contains("&lt;script&gt;")
        );
    }

    #[test]
    fn what_is_at_saturn_says_what_it_does() {
        let (_, sky) = at("2005-01-13");
        let of = |body| details(body, &sky).into_string();
        assert!(of(Body::Huygens).contains("<dd>on its way to Titan</dd>"));
        assert!(of(Body::Mimas).contains("<dt>Past Saturn</dt>"));
        assert!(!of(Body::Mars).contains("Saturn</dt>"));
        let cassini = of(Body::Cassini);
        assert!(cassini.contains("<dd>DSS-63 in Madrid, "), "{cassini}");
        let (_, sky) = at("2005-01-15");
        let cassini = details(Body::Cassini, &sky).into_string();
        assert!(
            cassini.contains("<dd>Titan T-3, 1,579 km</dd>"),
            "{cassini}"
        );
    }

    #[test]
    fn the_scene_has_every_orbit_and_the_whole_path() {
        let (mission, _) = at("2008-09-20");
        let scene = scene(&mission);
        assert_eq!(scene.orbits.len(), 8);
        assert!(scene.orbits.iter().all(|orbit| orbit.len() == 120));
        let radius = |[x, y]: [f64; 2]| x.hypot(y);
        assert!(
            scene.orbits[7]
                .iter()
                .all(|p| (29.5..30.5).contains(&radius(*p)))
        );
        assert!(
            scene
                .path
                .windows(2)
                .all(|p| p[0].0 < p[1].0 && p[0].3 <= p[1].3)
        );
        assert_eq!(scene.path.last().unwrap().3, 7);
        assert_eq!(scene.phases.len(), 8);
    }

    #[test]
    fn numbers_are_readable() {
        assert_eq!(
            [
                grouped(0.0),
                grouped(999.9),
                grouped(1000.0),
                grouped(1_234_567.0)
            ],
            ["0", "999", "1,000", "1,234,567"]
        );
        assert_eq!(distance(1_221_870.0), "1,222,000 km");
        assert_eq!(distance(AU), "1.000 AU");
        assert_eq!(
            [
                duration(1.28),
                duration(499.0),
                duration(5040.0),
                duration(273_600.0),
                duration(8.64e7)
            ],
            ["1.3 s", "8 min 19 s", "1 h 24 min", "3 d 4 h", "1,000 d"]
        );
    }
}
