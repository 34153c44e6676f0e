//! One SPK file, read by the crate `anise`: which bodies it has, about which others, from when to when.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use anise::math::Vector3;
use anise::naif::SPK;
use anise::naif::daf::datatypes::modified_diff::{ModifiedDiffType1, ModifiedDiffType21};
use anise::naif::daf::datatypes::{
    HermiteSetType12, HermiteSetType13, LagrangeSetType8, LagrangeSetType9, Type2ChebyshevSet,
    Type3ChebyshevSet,
};
use anise::naif::daf::{DafDataType, NAIFDataSet, NAIFSummaryRecord};
use anise::naif::spk::summary::SPKSummaryRecord;

use super::{KernelError, numbers};
use crate::body::Body;
use crate::kepler::State;
use crate::vector::Vector;

/// How a binary SPK begins.
const BEGINS: &[u8] = b"DAF/SPK";
/// NAIF's number of the frame in which the files' axes are: equator and equinox of J2000.
const J2000: i32 = 1;

/// A file in memory.
pub(super) struct File {
    name: String,
    spk: SPK,
    /// By body, in the order of the file.
    segments: BTreeMap<i32, Vec<Segment>>,
}

/// How a segment's kind of data is made a state.
type Evaluate = fn(&File, &Segment, f64) -> Option<State>;

/// A body about another for some time.
#[derive(Clone, Copy)]
struct Segment {
    summary: SPKSummaryRecord,
    evaluate: Evaluate,
    /// Where the file has its summary.
    block: usize,
    index: usize,
}

impl File {
    /// Reads a file whole: for a moment twice its size is in memory.
    pub(super) fn load(path: &Path) -> Result<File, KernelError> {
        let bytes = std::fs::read(path)
            .map_err(|error| KernelError::Unreadable(path.to_owned(), error.to_string()))?;
        File::from_bytes(path, &bytes)
    }

    pub(super) fn from_bytes(path: &Path, bytes: &[u8]) -> Result<File, KernelError> {
        if !bytes.starts_with(BEGINS) {
            return Err(KernelError::NotAnSpk(path.to_owned()));
        }
        let broken = |problem: String| KernelError::Broken(path.to_owned(), problem);
        let spk = SPK::parse(bytes).map_err(|error| broken(error.to_string()))?;
        let mut segments = BTreeMap::<i32, Vec<Segment>>::new();
        let mut block = Some(spk.file_record.fwrd_idx());
        while let Some(number) = block {
            let summaries = spk.data_summaries(block);
            let summaries = summaries.map_err(|error| broken(error.to_string()))?;
            for (index, summary) in summaries.iter().enumerate() {
                if summary.is_empty() || summary.frame_id != J2000 {
                    continue;
                }
                // anise reads from the first of these 8-byte words up to the last.
                let words = bytes.len() / size_of::<f64>();
                let is_inside = |word: i32| usize::try_from(word).is_ok_and(|word| word <= words);
                if !(is_inside(summary.start_idx) && is_inside(summary.end_idx)) {
                    let body = summary.target_id;
                    return Err(broken(format!("the data of body {body} is not in it")));
                }
                let Some(evaluate) = summary.data_type().ok().and_then(evaluation) else {
                    continue;
                };
                segments
                    .entry(summary.target_id)
                    .or_default()
                    .push(Segment {
                        summary: *summary,
                        evaluate,
                        block: number,
                        index,
                    });
            }
            let record = spk.daf_summary(block);
            let record = record.map_err(|error| broken(error.to_string()))?;
            // That the chain does not lead back to itself has been seen by `parse`.
            let is_last = record.is_final_record() || record.is_corrupt();
            block = (!is_last).then(|| record.next_record());
        }
        let is_shown = |number: &i32| segments.contains_key(number);
        if !Body::ALL.into_iter().flat_map(numbers).any(is_shown) {
            return Err(KernelError::NothingShown(path.to_owned()));
        }
        let name = path.file_name().unwrap_or(path.as_os_str());
        Ok(File {
            name: name.to_string_lossy().into_owned(),
            spk,
            segments,
        })
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Where a body is, about which other: km and km/s, along the axes of the Earth's equator. The last segment counts, as in SPICE.
    pub(super) fn state(&self, body: i32, seconds: f64) -> Option<(i32, State)> {
        let segments = self.segments.get(&body)?;
        segments.iter().rev().find_map(|segment| {
            let SPKSummaryRecord {
                start_epoch_et_s: start,
                end_epoch_et_s: end,
                center_id,
                ..
            } = segment.summary;
            if !(start..=end).contains(&seconds) {
                return None;
            }
            Some((center_id, (segment.evaluate)(self, segment, seconds)?))
        })
    }

    fn evaluate<'a, S>(&'a self, segment: &Segment, seconds: f64) -> Option<State>
    where
        S: NAIFDataSet<'a, StateKind = (Vector3, Vector3)>,
    {
        let data = self.spk.nth_data::<S>(Some(segment.block), segment.index);
        let state = data.ok()?.evaluate(seconds, &segment.summary);
        let (position, velocity) = state.ok()?;
        let vector = |v: Vector3| Vector::new(v[0], v[1], v[2]);
        Some(State {
            position: vector(position),
            velocity: vector(velocity),
        })
    }
}

/// For the kinds of data that `anise` can read; Cassini's kernel is of type 1, those of the planets of type 2.
fn evaluation(kind: DafDataType) -> Option<Evaluate> {
    use DafDataType as Kind;
    Some(match kind {
        Kind::Type1ModifiedDifferenceArray => {
            |file, segment, at| file.evaluate::<ModifiedDiffType1<'_>>(segment, at)
        }
        Kind::Type2ChebyshevTriplet => {
            |file, segment, at| file.evaluate::<Type2ChebyshevSet<'_>>(segment, at)
        }
        Kind::Type3ChebyshevSextuplet => {
            |file, segment, at| file.evaluate::<Type3ChebyshevSet<'_>>(segment, at)
        }
        Kind::Type8LagrangeEqualStep => {
            |file, segment, at| file.evaluate::<LagrangeSetType8<'_>>(segment, at)
        }
        Kind::Type9LagrangeUnequalStep => {
            |file, segment, at| file.evaluate::<LagrangeSetType9<'_>>(segment, at)
        }
        Kind::Type12HermiteEqualStep => {
            |file, segment, at| file.evaluate::<HermiteSetType12<'_>>(segment, at)
        }
        Kind::Type13HermiteUnequalStep => {
            |file, segment, at| file.evaluate::<HermiteSetType13<'_>>(segment, at)
        }
        Kind::Type21ExtendedModifiedDifferenceArray => {
            |file, segment, at| file.evaluate::<ModifiedDiffType21<'_>>(segment, at)
        }
        _ => return None,
    })
}

/// Without the bytes.
impl fmt::Debug for File {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("File").field(&self.name).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::sample;

    /// Random numbers, the same each time.
    struct Random(u64);

    impl Random {
        fn below(&mut self, end: usize) -> usize {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            (self.0 % end as u64) as usize
        }
    }

    /// That it does not panic is all that is asked of a file like that.
    fn read(bytes: &[u8]) -> Result<(), KernelError> {
        let file = File::from_bytes(Path::new("hostile.bsp"), bytes)?;
        let bodies: Vec<i32> = file.segments.keys().copied().collect();
        for seconds in [0.0, 0.5, 40_000.0, sample::SECONDS, 1e300, -1e9, f64::NAN] {
            for body in &bodies {
                let _ = file.state(*body, seconds);
            }
        }
        Ok(())
    }

    #[test]
    fn says_what_it_has() {
        let file = File::from_bytes(Path::new("a/b.bsp"), &sample::bytes(0.0)).unwrap();
        assert_eq!(format!("{file:?}"), "File(\"b.bsp\")");
        assert_eq!(file.segments.keys().collect::<Vec<_>>(), [&-82, &6, &10]);
        assert_eq!(file.state(-82, 1.0).unwrap().0, 6);
        assert_eq!(file.state(-82, -1.0), None);
        assert_eq!(file.state(301, 1.0), None);
    }

    #[test]
    fn what_is_no_kernel_of_use_is_told() {
        let of = |bytes: &[u8]| File::from_bytes(Path::new("x.bsp"), bytes).unwrap_err();
        let x = || Path::new("x.bsp").to_owned();
        assert_eq!(of(b""), KernelError::NotAnSpk(x()));
        assert_eq!(of(b"NAIF/DAF"), KernelError::NotAnSpk(x()));
        assert!(matches!(of(b"DAF/SPK "), KernelError::Broken(..)));
        let mut other = sample::bytes(0.0);
        other[88..96].copy_from_slice(b"BIG-IEEE");
        assert!(matches!(of(&other), KernelError::Broken(..)));
        let pluto = sample::polynomials(0.0, [0.0; 3], [0.0; 3]);
        let pluto = sample::file(0.0, &[(999, 9, pluto)]);
        assert_eq!(of(&pluto), KernelError::NothingShown(x()));
    }

    #[test]
    fn a_file_that_is_cut_short_is_told() {
        let bytes = sample::bytes(0.0);
        let data = 3 * 1024 + 8 * 100;
        for length in (0..data).chain((data..bytes.len() - 1024).step_by(997)) {
            assert!(read(&bytes[..length]).is_err(), "{length} bytes");
        }
        assert_eq!(read(&bytes), Ok(()));
    }

    #[test]
    fn hostile_files_do_no_harm() {
        let mut random = Random(0x2545_f491_4f6c_dd1d);
        let sound = sample::bytes(0.0);
        // Where a number decides about others: in the two heads, and at the end of each segment's data.
        let words = (sound.len() - 3072) / 8;
        let last = 2 * 12 + 100 * 72 + 2;
        for round in 0..20_000 {
            let mut bytes = sound.clone();
            for _ in 0..=random.below(4) {
                let value = [0.0, -1.0, 2.5, 1e17, 1e300, f64::NAN, f64::INFINITY][random.below(7)];
                let (at, new) = match random.below(6) {
                    0 => (random.below(96), vec![random.below(256) as u8]),
                    1 => (1024 + random.below(144), vec![random.below(256) as u8]),
                    // Another type of data.
                    2 => (
                        1024 + 24 + 40 * random.below(3) + 28,
                        vec![random.below(22) as u8],
                    ),
                    3 => {
                        let word = [8, 9, 10, 11, 20, 21, 22, 23, last - 2, last - 1];
                        let word = word[random.below(word.len())];
                        (3072 + 8 * word, value.to_le_bytes().to_vec())
                    }
                    4 => {
                        let word = random.below(words);
                        (3072 + 8 * word, value.to_le_bytes().to_vec())
                    }
                    _ => (1024 + 8 * random.below(18), value.to_le_bytes().to_vec()),
                };
                bytes[at..at + new.len()].copy_from_slice(&new);
            }
            let cut = if round % 10 == 0 {
                random.below(bytes.len())
            } else {
                bytes.len()
            };
            let _ = read(&bytes[..cut]);
        }
        for _ in 0..2000 {
            let mut bytes: Vec<u8> = (0..8192).map(|_| random.below(256) as u8).collect();
            bytes[..96].copy_from_slice(&sound[..96]);
            let _ = read(&bytes);
        }
    }
}
