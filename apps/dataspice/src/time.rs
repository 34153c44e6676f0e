//! The two time scales of the mission: TDB, in which bodies move, and UTC, in which people read clocks.
//!
//! TDB = UTC + leap seconds + 32.184 s; the periodic part of TDB, under 2 ms, is left out, as in the arcs' file.

use std::fmt;
use std::str::FromStr;

/// The Julian day of J2000.0, 2000-01-01 12:00 TDB.
pub(crate) const J2000: f64 = 2_451_545.0;
const DAY: f64 = 86_400.0;
/// TDB (as TT) minus TAI, in seconds.
const TT_MINUS_TAI: f64 = 32.184;

/// From this UTC date on (year, month, day), TAI - UTC is that many seconds. None has been added since 2017.
const LEAP_SECONDS: [(i32, u32, u32, i64); 7] = [
    (1997, 7, 1, 31),
    (1999, 1, 1, 32),
    (2006, 1, 1, 33),
    (2009, 1, 1, 34),
    (2012, 7, 1, 35),
    (2015, 7, 1, 36),
    (2017, 1, 1, 37),
];

/// An instant, kept as TDB seconds since J2000.0 (which is finer than a Julian day in one number: 0.1 µs here).
///
/// It is read from and written as UTC in ISO 8601: `1999-08-18T03:28:26Z`.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub(crate) struct Moment(f64);

impl Moment {
    /// From a Julian day TDB.
    pub(crate) fn from_julian_day(tdb: f64) -> Moment {
        Moment((tdb - J2000) * DAY)
    }

    /// The Julian day TDB.
    pub(crate) fn julian_day(self) -> f64 {
        J2000 + self.days_since_j2000()
    }

    /// Seconds TDB since J2000.0: what SPICE calls ephemeris time.
    pub(crate) fn seconds_since_j2000(self) -> f64 {
        self.0
    }

    /// Days TDB since J2000.0.
    pub(crate) fn days_since_j2000(self) -> f64 {
        self.0 / DAY
    }

    /// Seconds from `earlier` to this.
    pub(crate) fn seconds_since(self, earlier: Moment) -> f64 {
        self.0 - earlier.0
    }

    /// Days of 86,400 s that UTC has counted since 2000-01-01 12:00 UTC: the Julian day UTC, less 2,451,545. The Earth's turning goes
    /// by it, to 0.9 s.
    pub(crate) fn utc_days(self) -> f64 {
        let tai = self.0 - TT_MINUS_TAI;
        let (leap, _) = leap_seconds((tai * 1000.0).round() as i64 + 43_200_000);
        (tai - leap as f64) / DAY
    }

    pub(crate) fn plus_seconds(self, seconds: f64) -> Moment {
        Moment(self.0 + seconds)
    }

    pub(crate) fn plus_days(self, days: f64) -> Moment {
        self.plus_seconds(days * DAY)
    }

    /// What a clock that shows UTC would show, to the millisecond.
    ///
    /// Before the table of leap seconds begins (1997-07-01) its first entry is used.
    pub(crate) fn utc(self) -> Utc {
        // Milliseconds on TAI's own calendar, since 2000-01-01 00:00 TAI.
        let tai = ((self.0 - TT_MINUS_TAI) * 1000.0).round() as i64 + 43_200_000;
        let epoch = days_from_civil(2000, 1, 1);
        let (leap, inserted) = leap_seconds(tai);
        let utc = tai - leap * 1000;
        let (days, of_day) = (utc.div_euclid(86_400_000), utc.rem_euclid(86_400_000));
        let (year, month, day) = civil_from_days(days + epoch);
        Utc {
            year,
            month,
            day,
            hour: (of_day / 3_600_000) as u32,
            minute: (of_day / 60_000 % 60) as u32,
            second: (of_day / 1000 % 60) as u32 + inserted,
            millisecond: (of_day % 1000) as u32,
        }
    }
}

impl fmt::Display for Moment {
    /// ISO 8601 in UTC; milliseconds only where there are any.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.utc().fmt(f)
    }
}

/// A date and a time of day in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Utc {
    pub(crate) year: i32,
    pub(crate) month: u32,
    pub(crate) day: u32,
    pub(crate) hour: u32,
    pub(crate) minute: u32,
    /// 60 in a leap second.
    pub(crate) second: u32,
    pub(crate) millisecond: u32,
}

impl Utc {
    /// `1999-08-18`.
    pub(crate) fn date(&self) -> String {
        format!("{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }

    /// `03:28:26`; what is left of the second is cut off.
    pub(crate) fn time(&self) -> String {
        format!("{:02}:{:02}:{:02}", self.hour, self.minute, self.second)
    }
}

impl fmt::Display for Utc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}T{}", self.date(), self.time())?;
        if self.millisecond != 0 {
            write!(f, ".{:03}", self.millisecond)?;
        }
        f.write_str("Z")
    }
}

/// Why a text is not a moment.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub(crate) enum TimeError {
    /// It is not written in the one form that is read.
    Syntax(String),
    /// No calendar has this date, or no clock this time.
    NoSuchTime(String),
    /// The table of leap seconds begins later than this date.
    BeforeLeapSeconds(String),
}

impl fmt::Display for TimeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TimeError::Syntax(text) => {
                write!(
                    f,
                    "{text:?} is not a time in UTC such as 1999-08-18T03:28:26Z, 1999-08-18T03:28Z or 1999-08-18"
                )
            }
            TimeError::NoSuchTime(text) => {
                write!(f, "{text:?} is not on the calendar or the clock")
            }
            TimeError::BeforeLeapSeconds(text) => write!(
                f,
                "{text:?} is before 1997-07-01, where the leap seconds known here begin"
            ),
        }
    }
}

impl std::error::Error for TimeError {}

impl FromStr for Moment {
    type Err = TimeError;

    /// Reads `1999-08-18T03:28:26.5Z`, `1999-08-18T03:28Z`, or `1999-08-18`, which is its midnight. UTC only.
    fn from_str(text: &str) -> Result<Moment, TimeError> {
        let utc = parse(text).ok_or_else(|| TimeError::Syntax(text.to_owned()))?;
        if !exists(&utc) {
            return Err(TimeError::NoSuchTime(text.to_owned()));
        }
        let leap = LEAP_SECONDS
            .iter()
            .rev()
            .find(|(year, month, day, _)| (*year, *month, *day) <= (utc.year, utc.month, utc.day))
            .map(|(.., leap)| *leap)
            .ok_or_else(|| TimeError::BeforeLeapSeconds(text.to_owned()))?;
        let days = days_from_civil(utc.year, utc.month, utc.day) - days_from_civil(2000, 1, 1);
        let clock = i64::from(utc.hour) * 3600 + i64::from(utc.minute) * 60 + i64::from(utc.second);
        let seconds = days * 86_400 - 43_200 + clock + leap;
        Ok(Moment(
            seconds as f64 + f64::from(utc.millisecond) / 1000.0 + TT_MINUS_TAI,
        ))
    }
}

fn parse(text: &str) -> Option<Utc> {
    let (date, clock) = match text.split_once('T') {
        Some((date, clock)) => (date, clock.strip_suffix('Z')?),
        None => (text, "00:00"),
    };
    let mut parts = date.splitn(3, '-');
    let (year, month, day) = (
        digits(parts.next()?, 4)?,
        digits(parts.next()?, 2)?,
        digits(parts.next()?, 2)?,
    );
    let mut parts = clock.splitn(3, ':');
    let (hour, minute) = (digits(parts.next()?, 2)?, digits(parts.next()?, 2)?);
    let (second, millisecond) = match parts.next().map(|s| s.split_once('.').unwrap_or((s, "0"))) {
        None => (0, 0),
        Some((second, fraction)) => {
            if fraction.is_empty() || !fraction.bytes().all(|b| b.is_ascii_digit()) {
                return None;
            }
            let thousandths: String = fraction.chars().chain("00".chars()).take(3).collect();
            (digits(second, 2)?, digits(&thousandths, 3)?)
        }
    };
    Some(Utc {
        year: i32::try_from(year).ok()?,
        month,
        day,
        hour,
        minute,
        second,
        millisecond,
    })
}

/// A number of exactly `count` ASCII digits: no sign, no space.
fn digits(text: &str, count: usize) -> Option<u32> {
    (text.len() == count && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok())?
}

fn exists(utc: &Utc) -> bool {
    let days = days_from_civil(utc.year, utc.month, utc.day);
    let date =
        (1..=12).contains(&utc.month) && civil_from_days(days) == (utc.year, utc.month, utc.day);
    let next = civil_from_days(days + 1);
    let leap = utc.second == 60
        && (utc.hour, utc.minute) == (23, 59)
        && LEAP_SECONDS
            .iter()
            .skip(1)
            .any(|(year, month, day, _)| next == (*year, *month, *day));
    date && utc.hour < 24 && utc.minute < 60 && (utc.second < 60 || leap)
}

/// TAI - UTC at milliseconds since 2000-01-01 00:00 TAI, and 1 in a leap second itself, which is 23:59:60 of the day before.
fn leap_seconds(tai: i64) -> (i64, u32) {
    let epoch = days_from_civil(2000, 1, 1);
    let mut leap = (LEAP_SECONDS[0].3, 0);
    for (before, (year, month, day, after)) in LEAP_SECONDS
        .iter()
        .map(|l| l.3)
        .zip(LEAP_SECONDS.iter().skip(1).copied())
    {
        let midnight = (days_from_civil(year, month, day) - epoch) * 86_400_000;
        if tai >= midnight + after * 1000 {
            leap = (after, 0);
        } else if tai >= midnight + before * 1000 {
            leap = (after, 1);
        }
    }
    leap
}

/// Days from 1970-01-01 to a date of the Gregorian calendar, with years that begin in March.
fn days_from_civil(year: i32, month: u32, day: u32) -> i64 {
    let year = i64::from(year) - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((i64::from(month) + 9) % 12) + 2) / 5 + i64::from(day) - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// The inverse of [`days_from_civil`].
fn civil_from_days(days: i64) -> (i32, u32, u32) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (
        (year + era * 400 + i64::from(month <= 2)) as i32,
        month as u32,
        day as u32,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Moment {
        text.parse().unwrap()
    }

    #[test]
    fn agrees_with_the_julian_days_of_the_data() {
        // From the table of test figures that came with the arcs, and from their first and last time.
        for (utc, tdb) in [
            ("1997-10-15T08:43:00Z", 2_450_736.863_925_74),
            ("1998-06-01", 2_450_965.500_731_30),
            ("2002-01-01T00:00Z", 2_452_275.500_742_87),
            ("2004-08-01T00:00:00Z", 2_453_218.500_742_87),
            ("2008-09-20", 2_454_729.500_754_44),
            ("2017-09-01", 2_457_997.500_800_74),
            ("2017-09-15T10:31:48Z", 2_458_011.939_550_74),
        ] {
            assert!((at(utc).julian_day() - tdb).abs() < 1e-8, "{utc}");
        }
    }

    #[test]
    fn writes_what_it_read() {
        for text in [
            "1997-07-01T00:00:00Z",
            "2000-02-29T23:59:59.999Z",
            "2004-07-01T02:39:00Z",
            "2016-12-31T23:59:60.500Z",
            "2099-12-31T12:00:00Z",
        ] {
            assert_eq!(at(text).to_string(), text);
        }
        assert_eq!(
            at("2005-01-14T09:06:00.25Z").to_string(),
            "2005-01-14T09:06:00.250Z"
        );
    }

    #[test]
    fn every_hour_of_the_mission_comes_back() {
        let mut moment = at("1997-10-15T08:43:00Z");
        while moment < at("2017-09-15T10:31:48Z") {
            let text = moment.to_string();
            assert!((at(&text).seconds_since(moment)).abs() < 1e-6, "{text}");
            moment = moment.plus_seconds(3600.0 * 7.0);
        }
    }

    #[test]
    fn leap_seconds_are_seconds() {
        for (before, leap, after) in [
            (
                "1998-12-31T23:59:59Z",
                "1998-12-31T23:59:60Z",
                "1999-01-01T00:00:00Z",
            ),
            (
                "2005-12-31T23:59:59Z",
                "2005-12-31T23:59:60Z",
                "2006-01-01T00:00:00Z",
            ),
            (
                "2008-12-31T23:59:59Z",
                "2008-12-31T23:59:60Z",
                "2009-01-01T00:00:00Z",
            ),
            (
                "2012-06-30T23:59:59Z",
                "2012-06-30T23:59:60Z",
                "2012-07-01T00:00:00Z",
            ),
            (
                "2015-06-30T23:59:59Z",
                "2015-06-30T23:59:60Z",
                "2015-07-01T00:00:00Z",
            ),
            (
                "2016-12-31T23:59:59Z",
                "2016-12-31T23:59:60Z",
                "2017-01-01T00:00:00Z",
            ),
        ] {
            assert!((at(leap).seconds_since(at(before)) - 1.0).abs() < 1e-6);
            assert!((at(after).seconds_since(at(leap)) - 1.0).abs() < 1e-6);
            assert_eq!(at(leap).to_string(), leap);
            assert_eq!(at(leap).plus_seconds(1.0).to_string(), after);
            assert_eq!(
                at(before).plus_seconds(0.5).to_string(),
                before.replace("59Z", "59.500Z")
            );
        }
    }

    #[test]
    fn utc_days_are_days_of_clocks() {
        for (utc, days) in [
            ("2000-01-01T12:00Z", 0.0),
            ("1998-12-31", -366.5),
            ("1999-01-01", -365.5),
            ("2017-01-01", 6209.5),
            ("2017-01-01T06:00Z", 6209.75),
        ] {
            assert!((at(utc).utc_days() - days).abs() < 1e-9, "{utc}");
        }
    }

    #[test]
    fn says_why_a_text_is_no_moment() {
        for text in [
            "",
            "now",
            "1999-8-18",
            "1999-08-18T03:28:26",
            "1999-08-18T03:28:26+01:00",
            "1999-08-18 03:28Z",
            "+999-08-18",
            "1999-08-18T03:28:26.Z",
            "1999-08-18T03:28:2６Z",
        ] {
            assert!(
                matches!(text.parse::<Moment>(), Err(TimeError::Syntax(_))),
                "{text}"
            );
        }
        for text in [
            "1999-02-29",
            "1999-13-01",
            "1999-00-10",
            "1999-04-00",
            "1999-04-01T24:00Z",
            "1999-12-31T23:59:60Z",
            "1999-04-01T10:60Z",
        ] {
            assert!(
                matches!(text.parse::<Moment>(), Err(TimeError::NoSuchTime(_))),
                "{text}"
            );
        }
        assert!(matches!(
            "1997-06-30".parse::<Moment>(),
            Err(TimeError::BeforeLeapSeconds(_))
        ));
        assert_eq!(
            "x".parse::<Moment>().unwrap_err().to_string(),
            "\"x\" is not a time in UTC such as 1999-08-18T03:28:26Z, 1999-08-18T03:28Z or 1999-08-18"
        );
    }
}
