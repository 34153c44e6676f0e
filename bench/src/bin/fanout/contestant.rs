//! Who is measured.

use std::{fmt, io, process::Command};

use bench::{
    child::beside_this,
    content::Content,
    process::{SERVER_CORE, pinned},
};
use sidereal::Codec;

use crate::{load::Load, nchan};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Who {
    /// A loop that writes.
    Floor,
    /// The crate `datastar` with axum and tokio's broadcast.
    Official,
    /// The same, with bytes that are encoded once.
    OfficialOnce,
    /// nginx with nchan.
    Nchan,
    /// Sidereal on `axum::serve`.
    Axum,
    /// An axum router with Sidereal on `sidereal::serve`.
    Hyper,
    /// Sidereal on a thread for each connection.
    Blocking,
}

impl Who {
    fn name(self) -> &'static str {
        match self {
            Self::Floor => "(a) floor",
            Self::Official => "(b) official crate",
            Self::OfficialOnce => "(b2) encoded once",
            Self::Nchan => "(c) nginx, nchan",
            Self::Axum => "(d) Sidereal, axum::serve",
            Self::Hyper => "(e) Sidereal, sidereal::serve",
            Self::Blocking => "(f) Sidereal, threads",
        }
    }

    pub(crate) fn is_ours(self) -> bool {
        matches!(self, Self::Axum | Self::Hyper | Self::Blocking)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Contestant {
    pub(crate) who: Who,
    pub(crate) codec: Option<Codec>,
}

impl Contestant {
    /// Those that are measured under this load; without compression first.
    pub(crate) fn of(load: &Load) -> Vec<Self> {
        use Who::{Axum, Blocking, Floor, Hyper, Nchan, Official, OfficialOnce};
        let plain =
            [Floor, Official, OfficialOnce, Nchan, Axum, Hyper, Blocking].map(|who| who.with(None));
        let coded = [Codec::Gzip, Codec::Zstd]
            .into_iter()
            .flat_map(|codec| [Official, Axum, Hyper, Blocking].map(|who| who.with(Some(codec))));
        let is_crowd = *load == Load::CROWD;
        let is_for = |who| !(is_crowd && who == Blocking);
        plain
            .into_iter()
            .chain(coded)
            .filter(|contestant| contestant.who != Nchan || nchan::is_installed())
            .filter(|contestant| is_for(contestant.who))
            // A crowd shows nothing of tower-http's layer that others do not, nor of the second codec.
            .filter(|contestant| {
                let is_more = contestant.who == Official || contestant.codec == Some(Codec::Gzip);
                !(is_crowd && contestant.codec.is_some() && is_more)
            })
            .collect()
    }

    /// Its server, but for nginx, which is none of our programs.
    pub(crate) fn command(self, load: &Load) -> io::Result<Command> {
        let words: &[&str] = match self.who {
            Who::Floor => &["serve", "floor"],
            Who::Official if self.codec.is_some() => &["serve", "official-compressed"],
            Who::Official => &["serve", "official"],
            Who::OfficialOnce => &["serve", "official-once"],
            Who::Axum => &["--wait", "--stack", "axum"],
            Who::Hyper => &["--wait", "--stack", "hyper"],
            Who::Blocking => &["--wait", "--stack", "blocking"],
            Who::Nchan => return Err(io::Error::other("nginx has a configuration")),
        };
        let program = match self.who.is_ours() {
            true => beside_this("fanout-server")?,
            false => std::env::current_exe()?,
        };
        let mut command = pinned(SERVER_CORE, program)?;
        command.args(words).args(["--rate", &load.rate.to_string()]);
        match load.content {
            Content::Page => command.arg("--page"),
            Content::Text(bytes) => command.args(["--size", &bytes.to_string()]),
        };
        Ok(command)
    }
}

impl Who {
    pub(crate) fn with(self, codec: Option<Codec>) -> Contestant {
        Contestant { who: self, codec }
    }
}

impl fmt::Display for Contestant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.who.name())?;
        match self.codec {
            Some(codec) => write!(f, ", {codec}"),
            None => Ok(()),
        }
    }
}
