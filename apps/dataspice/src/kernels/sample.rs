//! A kernel made for tests, in which everything goes straight on for a day from J2000.

use std::path::Path;
use std::sync::Arc;

use super::Kernels;
use super::spk::File;

/// How long it lasts.
pub(crate) const SECONDS: f64 = 86_400.0;

const WORDS_IN_A_RECORD: usize = 128;

/// The data of a segment, and of what type it is.
pub(super) struct Data {
    pub(super) kind: i32,
    pub(super) words: Vec<f64>,
}

/// The Sun and Saturn by the type of the planets' kernels, Cassini by the type of its own, from a moment on.
pub(crate) fn bytes(start: f64) -> Vec<u8> {
    file(
        start,
        &[
            (
                10,
                0,
                polynomials(start, [1000.0, 0.0, 0.0], [1.0, 0.0, 0.0]),
            ),
            (6, 0, polynomials(start, [1e9, 0.0, 0.0], [0.0, 1.0, 0.0])),
            (
                -82,
                6,
                differences(start, [5e5, 1e5, 0.0], [0.0, 8.0, -1.0]),
            ),
        ],
    )
}

pub(crate) fn kernels() -> Kernels {
    kernels_from(0.0)
}

pub(crate) fn kernels_from(start: f64) -> Kernels {
    let file = File::from_bytes(Path::new("folder/sample.bsp"), &bytes(start)).unwrap();
    Kernels(vec![Arc::new(file)])
}

/// A binary SPK: the file's record, one of summaries, one of names, and the data.
pub(super) fn file(start: f64, segments: &[(i32, i32, Data)]) -> Vec<u8> {
    let mut head = Vec::new();
    head.extend(*b"DAF/SPK ");
    head.extend([2_i32, 6].iter().flat_map(|n| n.to_le_bytes()));
    head.extend([b' '; 60]);
    let first = 3 * WORDS_IN_A_RECORD + 1;
    let words: usize = segments.iter().map(|(_, _, data)| data.words.len()).sum();
    head.extend(
        [2, 2, (first + words) as i32]
            .iter()
            .flat_map(|n| n.to_le_bytes()),
    );
    head.extend(*b"LTL-IEEE");
    head.resize(1024, 0);
    let mut bytes = head;
    bytes.extend(
        [0.0, 0.0, segments.len() as f64]
            .iter()
            .flat_map(|n: &f64| n.to_le_bytes()),
    );
    let mut word = first;
    for (body, centre, data) in segments {
        let end = word + data.words.len() - 1;
        bytes.extend(
            [start, start + SECONDS]
                .iter()
                .flat_map(|n| n.to_le_bytes()),
        );
        let numbers = [*body, *centre, 1, data.kind, word as i32, end as i32];
        bytes.extend(numbers.iter().flat_map(|n| n.to_le_bytes()));
        word = end + 1;
    }
    bytes.resize(2048, 0);
    bytes.resize(3072, b' ');
    for (_, _, data) in segments {
        bytes.extend(data.words.iter().flat_map(|n| n.to_le_bytes()));
    }
    bytes.resize(bytes.len().next_multiple_of(1024), 0);
    bytes
}

/// Type 2: one polynomial of Chebyshev for each axis.
pub(super) fn polynomials(start: f64, place: [f64; 3], velocity: [f64; 3]) -> Data {
    let radius = SECONDS / 2.0;
    let mut words = vec![start + radius, radius];
    for (x, v) in place.into_iter().zip(velocity) {
        words.extend([x + v * radius, v * radius]);
    }
    words.extend([start, SECONDS, 8.0, 1.0]);
    Data { kind: 2, words }
}

/// Type 1: modified differences, all zero, so that nothing but place and velocity counts.
pub(super) fn differences(start: f64, place: [f64; 3], velocity: [f64; 3]) -> Data {
    const RECORDS: usize = 100;
    let mut words = Vec::new();
    for _ in 0..RECORDS {
        words.push(start);
        words.extend([1.0; 15]);
        words.extend(place.into_iter().zip(velocity).flat_map(|(x, v)| [x, v]));
        words.extend([0.0; 45]);
        words.extend([2.0, 1.0, 1.0, 1.0]);
    }
    let step = SECONDS / (RECORDS - 1) as f64;
    words.extend((1..=RECORDS).map(|i| start + step * i as f64));
    words.extend([start + step * RECORDS as f64, RECORDS as f64]);
    Data { kind: 1, words }
}
