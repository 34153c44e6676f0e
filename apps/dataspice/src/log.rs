//! What has happened of late, in lines: the mission's events, and which antenna on Earth has taken over.

use crate::body::Body;
use crate::cassini::Mission;
use crate::planets::AU;
use crate::sky::Sky;
use crate::stations::handovers;
use crate::time::Moment;

/// How many lines are shown.
pub(crate) const LINES: usize = 14;

/// How far back antennas are told of, in seconds.
const ANTENNAS: f64 = 1.5 * 86_400.0;

/// The fastest clock at which they are, in mission days a second: any faster, and they would be all there is.
const SLOW: f64 = 1.0;

/// One line.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Line {
    pub(crate) kind: LineKind,
    /// The time as it is known: a date alone where the minute is not.
    pub(crate) time: String,
    pub(crate) text: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LineKind {
    Flyby,
    Milestone,
    Antenna,
}

/// The last lines up to the sky's moment, the newest first: a function of it, so that who comes late or goes back sees the same.
pub(crate) fn log(mission: &Mission, sky: &Sky, days_a_second: f64) -> Vec<Line> {
    let mut lines = of_events(mission, sky.at);
    if days_a_second <= SLOW {
        lines.extend(of_antennas(sky));
        lines.sort_by(|(one, _), (other, _)| other.seconds_since(*one).total_cmp(&0.0));
    }
    lines.truncate(LINES);
    lines.into_iter().map(|(_, line)| line).collect()
}

fn of_events(mission: &Mission, at: Moment) -> Vec<(Moment, Line)> {
    let events = mission.events();
    let past = events.partition_point(|event| event.at <= at);
    let newest_first = events[..past].iter().rev().take(LINES);
    let line = |event: &crate::event::Event| Line {
        kind: match event.flyby() {
            Some(_) => LineKind::Flyby,
            None => LineKind::Milestone,
        },
        time: event.utc.replace('T', " ").replace('Z', ""),
        text: event.text.clone(),
    };
    newest_first.map(|event| (event.at, line(event))).collect()
}

fn of_antennas(sky: &Sky) -> impl Iterator<Item = (Moment, Line)> {
    // Near the Earth, its way is no line; before launch, it was not there.
    let is_far = sky.distance(Body::Cassini, Body::Earth) > 0.1 * AU;
    let past = if is_far { ANTENNAS } else { 0.0 };
    handovers(sky, past).into_iter().map(|(at, station)| {
        let utc = at.utc();
        let line = Line {
            kind: LineKind::Antenna,
            time: format!("{} {:02}:{:02}", utc.date(), utc.hour, utc.minute),
            text: match station {
                Some(station) => format!(
                    "Cassini is highest over {} in {}",
                    station.name, station.place
                ),
                None => "Cassini is over no antenna".to_owned(),
            },
        };
        (at, line)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(utc: &str, days_a_second: f64) -> Vec<Line> {
        let mission = Mission::load().unwrap();
        let sky = Sky::at(&mission, utc.parse().unwrap()).unwrap();
        log(&mission, &sky, days_a_second)
    }

    #[test]
    fn has_what_is_past_and_the_newest_first() {
        let launch = at("1997-10-15T08:43:00Z", 20.0);
        assert_eq!(launch.len(), 1);
        assert!(launch[0].text.starts_with("Launch"), "{launch:?}");
        let end = at("2017-09-15T10:31:48Z", 20.0);
        assert_eq!(end.len(), LINES);
        assert!(end.iter().any(|line| line.kind == LineKind::Flyby));
        assert!(
            end.windows(2)
                .all(|pair| pair[0].time[..10] >= pair[1].time[..10])
        );
    }

    #[test]
    fn antennas_are_told_of_while_the_clock_is_slow() {
        let is_antenna = |line: &&Line| line.kind == LineKind::Antenna;
        let slow = at("2004-07-01T12:00Z", 1.0);
        assert!(slow.iter().filter(is_antenna).count() >= 3, "{slow:?}");
        assert!(
            slow.iter()
                .any(|line| line.text.contains("orbit insertion")),
            "{slow:?}"
        );
        assert!(
            slow.windows(2).all(|pair| pair[0].time >= pair[1].time),
            "{slow:?}"
        );
        assert_eq!(at("2004-07-01T12:00Z", 1.01).iter().find(is_antenna), None);
        // At launch there was no yesterday.
        assert_eq!(at("1997-10-15T12:00Z", 1.0).iter().find(is_antenna), None);
    }
}
