//! What the streams send.

use std::{fmt, sync::Arc};

use bench::page::{changed_rows, rows};

/// How many different ticks there are: more than a minute of them.
const TICKS: u64 = 320;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Load {
    /// A page of 20 KB, of which every tenth row has a value of this tick.
    Page20,
    /// The same with 80 KB.
    Page80,
    /// Patches of 700 B: five rows each.
    Patches,
}

impl Load {
    pub(crate) const ALL: [Self; 3] = [Self::Page20, Self::Page80, Self::Patches];

    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|load| load.name() == name)
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Page20 => "page20",
            Self::Page80 => "page80",
            Self::Patches => "patches",
        }
    }

    /// The elements of each tick, rendered once: what is measured comes after it.
    pub(crate) fn ticks(self) -> Vec<Arc<str>> {
        (0..TICKS).map(|tick| self.elements(tick).into()).collect()
    }

    pub(crate) fn elements(self, tick: u64) -> String {
        match self {
            Self::Page20 => rows(0..170, tick),
            Self::Page80 => rows(0..680, tick),
            Self::Patches => {
                let first = tick * 5 % 170;
                changed_rows(first..first + 5, tick)
            }
        }
    }
}

impl fmt::Display for Load {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
