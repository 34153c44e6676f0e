//! What has happened of late, in lines: the mission's events.

use crate::cassini::Mission;
use crate::time::Moment;

/// How many lines are shown.
pub(crate) const LINES: usize = 14;

/// One line.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Line {
    pub(crate) at: Moment,
    /// The time as it is known: a date alone where the minute is not.
    pub(crate) time: String,
    pub(crate) text: String,
}

/// The last lines up to a moment, the newest first: a function of the moment, so that who comes late or goes back sees the same.
pub(crate) fn log(mission: &Mission, at: Moment) -> Vec<Line> {
    let events = mission.events();
    let past = events.partition_point(|event| event.at <= at);
    let lines = events[..past].iter().rev().take(LINES);
    lines
        .map(|event| Line {
            at: event.at,
            time: event.utc.replace('T', " ").replace('Z', ""),
            text: event.text.clone(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn has_what_is_past_and_the_newest_first() {
        let mission = Mission::load().unwrap();
        let launch = log(&mission, mission.start());
        assert_eq!(launch.len(), 1);
        assert!(launch[0].text.starts_with("Launch"), "{launch:?}");
        let end = log(&mission, mission.end());
        assert_eq!(end.len(), LINES);
        assert!(end.windows(2).all(|pair| pair[0].at >= pair[1].at));
        assert_eq!(end[0].at, mission.end());
    }
}
