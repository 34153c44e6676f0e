//! Places from SPICE kernels: what `--kernel` loads, and `cargo xtask kernels` brings.
//!
//! A kernel covers some bodies for some time. What none covers is computed as without kernels.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::body::Body;
use crate::kepler::State;
use crate::rotation::{OBLIQUITY, Rotation};
use crate::time::Moment;
use crate::vector::Vector;

use spk::File;

#[cfg(feature = "kernels")]
mod spk;
#[cfg(not(feature = "kernels"))]
#[path = "kernels/none.rs"]
mod spk;

#[cfg(all(test, feature = "kernels"))]
pub(crate) mod sample;

/// Where `cargo xtask kernels` puts its kernel, below the target folder.
const BROUGHT: &str = "kernels/de421.bsp";

/// NAIF's numbers of the Sun, and of the centre of mass of all.
const SUN: i32 = 10;
const BARYCENTRE: i32 = 0;

/// Some kernels; none without the feature `kernels`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Kernels(Vec<Arc<File>>);

/// What a kernel says of a body.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Found {
    /// About the Sun.
    pub(crate) state: State,
    /// For [`Kernels::name`].
    pub(crate) kernel: usize,
}

impl Kernels {
    /// Those that are given, or else the one that `cargo xtask kernels` has brought, if it is there: in `target` below the current
    /// folder, or in the target folder that this program is in.
    ///
    /// # Errors
    ///
    /// As [`Kernels::load`].
    pub(crate) fn open(files: &[PathBuf]) -> Result<Kernels, KernelError> {
        if !files.is_empty() {
            return Kernels::load(files);
        }
        match brought() {
            Some(file) if cfg!(feature = "kernels") => Kernels::load(&[file]),
            _ => Ok(Kernels::default()),
        }
    }

    /// Reads files into memory.
    ///
    /// # Errors
    ///
    /// [`KernelError`] for the first file that is not a kernel of use here.
    pub(crate) fn load(files: &[PathBuf]) -> Result<Kernels, KernelError> {
        let files = files.iter().map(|file| File::load(file).map(Arc::new));
        Ok(Kernels(files.collect::<Result<_, _>>()?))
    }

    /// The file's name of a kernel by which something was [found](Kernels::find).
    pub(crate) fn name(&self, kernel: usize) -> &str {
        self.0.get(kernel).map_or("", |file| file.name())
    }

    /// All files' names.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|file| file.name())
    }

    /// Where a body is at a moment, and how it moves, if a kernel covers it then. Of several the last one counts, as in SPICE.
    pub(crate) fn find(&self, body: Body, at: Moment) -> Option<Found> {
        if self.0.is_empty() {
            return None;
        }
        let seconds = at.seconds_since_j2000();
        numbers(body)
            .iter()
            .find_map(|number| self.about_sun(*number, seconds))
    }

    /// The place alone.
    pub(crate) fn position(&self, body: Body, at: Moment) -> Option<Vector> {
        self.find(body, at).map(|found| found.state.position)
    }

    /// From the equator of J2000, as it is in the files, to the ecliptic.
    fn about_sun(&self, number: i32, seconds: f64) -> Option<Found> {
        let (kernel, origin, state) = self.chain(number, seconds)?;
        let state = match origin {
            SUN => state,
            _ => {
                let (_, _, sun) = self.chain(SUN, seconds)?;
                State {
                    position: state.position - sun.position,
                    velocity: state.velocity - sun.velocity,
                }
            }
        };
        let ecliptic = Rotation::x(-OBLIQUITY);
        let state = State {
            position: ecliptic * state.position,
            velocity: ecliptic * state.velocity,
        };
        let sound = state.position.length() + state.velocity.length();
        sound.is_finite().then_some(Found { state, kernel })
    }

    /// Adds up what the files have, each body about another, until it is about the Sun or the centre of mass of all.
    fn chain(&self, number: i32, seconds: f64) -> Option<(usize, i32, State)> {
        /// From Huygens over Titan and Saturn there are five; a file that leads round in a circle is left.
        const MOST: usize = 8;
        let (kernel, mut centre, mut sum) = self.link(number, seconds)?;
        for _ in 0..MOST {
            if centre == SUN || centre == BARYCENTRE {
                return Some((kernel, centre, sum));
            }
            let (_, next, state) = self.link(centre, seconds)?;
            sum.position = sum.position + state.position;
            sum.velocity = sum.velocity + state.velocity;
            centre = next;
        }
        None
    }

    /// One body about the one that its file has it about: the kernel, that body's number, and the state.
    fn link(&self, number: i32, seconds: f64) -> Option<(usize, i32, State)> {
        self.0.iter().enumerate().rev().find_map(|(kernel, file)| {
            let (centre, state) = file.state(number, seconds)?;
            Some((kernel, centre, state))
        })
    }
}

/// The file that `cargo xtask kernels` brings, if it is there.
fn brought() -> Option<PathBuf> {
    let program = std::env::current_exe().ok();
    // target/debug/dataspice, target/release/dataspice
    let target = program.as_deref().and_then(Path::parent);
    let target = target.and_then(Path::parent);
    [Some(Path::new("target")), target]
        .into_iter()
        .flatten()
        .map(|target| target.join(BROUGHT))
        .find(|file| file.is_file())
}

/// NAIF's numbers of a body. The outer planets have their own in kernels of their moons only; else there is the centre of mass of
/// planet and moons, in which Saturn's centre is to within 300 km.
fn numbers(body: Body) -> &'static [i32] {
    match body {
        Body::Sun => &[],
        Body::Mercury => &[199, 1],
        Body::Venus => &[299, 2],
        Body::Earth => &[399],
        Body::Moon => &[301],
        Body::Mars => &[499, 4],
        Body::Jupiter => &[599, 5],
        Body::Saturn => &[699, 6],
        Body::Uranus => &[799, 7],
        Body::Neptune => &[899, 8],
        Body::Mimas => &[601],
        Body::Enceladus => &[602],
        Body::Tethys => &[603],
        Body::Dione => &[604],
        Body::Rhea => &[605],
        Body::Titan => &[606],
        Body::Cassini => &[-82],
        Body::Huygens => &[-150],
    }
}

/// Why a file is of no use as a kernel.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(dead_code, reason = "with the feature or without, some cannot happen")]
#[non_exhaustive]
pub(crate) enum KernelError {
    /// This program was built without them.
    NotBuiltIn,
    Unreadable(PathBuf, String),
    /// Its first bytes are not those of a binary SPK.
    NotAnSpk(PathBuf),
    /// It begins as an SPK, but goes on otherwise.
    Broken(PathBuf, String),
    /// It has nothing of what is shown here.
    NothingShown(PathBuf),
}

impl fmt::Display for KernelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            KernelError::NotBuiltIn => f.write_str(
                "--kernel: this program was built without SPICE kernels; \
                 `cargo run --release -p dataspice --features kernels -- --kernel FILE` builds one with them",
            ),
            KernelError::Unreadable(file, problem) => {
                write!(f, "kernel {}: {problem}", file.display())
            }
            KernelError::NotAnSpk(file) => write!(
                f,
                "kernel {}: not a binary SPK (.bsp), which begins with \"DAF/SPK\"",
                file.display()
            ),
            KernelError::Broken(file, problem) => {
                write!(
                    f,
                    "kernel {}: broken, or cut short: {problem}",
                    file.display()
                )
            }
            KernelError::NothingShown(file) => write!(
                f,
                "kernel {}: it covers none of the bodies that are shown, or in a form that cannot be read",
                file.display()
            ),
        }
    }
}

impl std::error::Error for KernelError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_files_there_is_nothing() {
        let kernels = Kernels::load(&[]).unwrap();
        assert_eq!(kernels.names().count(), 0);
        let at = "2008-09-20".parse().unwrap();
        assert!(
            Body::ALL
                .iter()
                .all(|body| kernels.find(*body, at).is_none())
        );
    }

    #[cfg(not(feature = "kernels"))]
    #[test]
    fn a_program_without_kernels_says_how_to_get_one_that_has_them() {
        let error = Kernels::open(&["de421.bsp".into()]).unwrap_err();
        assert!(error.to_string().contains("--features kernels"), "{error}");
    }

    #[cfg(feature = "kernels")]
    mod with_files {
        use super::super::*;
        use crate::cassini::Mission;
        use crate::kernels::sample;
        use crate::planets;

        #[test]
        fn says_what_is_wrong_with_a_file() {
            let of = |file: &str| Kernels::load(&[file.into()]).unwrap_err().to_string();
            let missing = of("no such.bsp");
            assert!(missing.starts_with("kernel no such.bsp: "), "{missing}");
            let other = of("Cargo.toml");
            assert!(other.contains("not a binary SPK"), "{other}");
        }

        #[test]
        fn adds_up_from_body_to_body_until_the_sun() {
            let kernels = sample::kernels();
            let at = Moment::from_julian_day(crate::time::J2000).plus_seconds(100.0);
            let equatorial = Rotation::x(OBLIQUITY);
            let found = |body| {
                let Found { state, .. } = kernels.find(body, at).unwrap();
                (equatorial * state.position, equatorial * state.velocity)
            };
            let near = |(place, moves): (Vector, Vector), x: [f64; 3], v: [f64; 3]| {
                let miss = place.distance(x.into()) + moves.distance(v.into());
                assert!(miss < 1e-5, "{place:?} {moves:?}");
            };
            // The Sun is at 1000 + t, 0, 0; Saturn's centre of mass at 1e9, t, 0; Cassini from there at 5e5, 1e5 + 8 t, -t.
            near(
                found(Body::Saturn),
                [1e9 - 1100.0, 100.0, 0.0],
                [-1.0, 1.0, 0.0],
            );
            near(
                found(Body::Cassini),
                [1.0005e9 - 1100.0, 100_900.0, -100.0],
                [-1.0, 9.0, -1.0],
            );
            for (body, seconds) in [
                (Body::Titan, 0.0),
                (Body::Sun, 0.0),
                (Body::Cassini, -1.0),
                (Body::Cassini, sample::SECONDS + 1.0),
                (Body::Saturn, f64::NAN),
            ] {
                let at = Moment::from_julian_day(crate::time::J2000).plus_seconds(seconds);
                assert_eq!(kernels.find(body, at), None, "{body:?} after {seconds} s");
            }
        }

        /// Distances to the planets of the kernel DE421, over the mission.
        #[test]
        #[ignore = "needs the kernel: `cargo xtask kernels`"]
        fn planets_are_where_de421_has_them() {
            const DATES: u32 = 200;
            let file = std::env::var_os("DATASPICE_KERNEL")
                .map_or("../../target/kernels/de421.bsp".into(), PathBuf::from);
            let kernels = Kernels::load(&[file]).unwrap();
            let mission = Mission::load().unwrap();
            let length = mission.end().seconds_since(mission.start());
            let mut said = Vec::new();
            for body in Body::PLANETS.into_iter().chain([Body::Moon]) {
                let (mut most, mut fastest) = (0.0_f64, 0.0_f64);
                for i in 0..=DATES {
                    let part = f64::from(i) / f64::from(DATES);
                    let at = mission.start().plus_seconds(length * part);
                    let Found { state, .. } = kernels.find(body, at).unwrap();
                    let computed = planets::position(body, at).unwrap();
                    most = most.max(state.position.distance(computed));
                    let computed = planets::velocity(body, at).unwrap();
                    fastest = fastest.max(state.velocity.distance(computed));
                }
                said.push(format!("{} {most:.0} km", body.name()));
                let bound = match body {
                    Body::Moon => 200.0,
                    Body::Uranus | Body::Neptune => f64::from(planets::ERROR_KM),
                    Body::Jupiter | Body::Saturn => 3_000.0,
                    _ => 200.0,
                };
                assert!(most < bound, "{body:?} is off by {most} km");
                assert!(fastest < 0.02, "{body:?} is off by {fastest} km/s");
            }
            println!("measured: {}", said.join(", "));
        }

        /// A real file, cut off where it may be.
        #[test]
        #[ignore = "needs the kernel: `cargo xtask kernels`"]
        fn de421_cut_short_is_told() {
            let file = std::env::var_os("DATASPICE_KERNEL")
                .map_or("../../target/kernels/de421.bsp".into(), PathBuf::from);
            let bytes = std::fs::read(file).unwrap();
            let path = Path::new("cut.bsp");
            for length in [0, 7, 1000, 1024, 2048, 4096, 100_000, bytes.len() / 2] {
                let error = File::from_bytes(path, &bytes[..length]).unwrap_err();
                assert!(error.to_string().starts_with("kernel cut.bsp: "), "{error}");
            }
        }
    }
}
