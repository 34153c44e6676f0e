//! Random streams, byte for byte: sizes, settings, joins, skips, events of one viewer in between,
//! heartbeats, secrets, early and clean ends.

use std::{
    collections::HashMap,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::atomic::{AtomicU64, Ordering},
    thread,
};

use sidereal_sse::{Codec, Compression, Event, Frame, IntoFrame, Packing};

use crate::{
    content::{Random, text},
    viewer::Viewer,
};

fn streams() -> u64 {
    std::env::var("SIDEREAL_STREAMS").map_or(3000, |count| count.parse().unwrap())
}

#[cfg(feature = "zstd")]
#[test]
fn zstd() {
    let made = run(Codec::Zstd);
    assert!(
        made[&Packing::Rolled] > made[&Packing::Standalone],
        "{made:?}"
    );
}

#[cfg(feature = "gzip")]
#[test]
fn gzip() {
    let made = run(Codec::Gzip);
    assert!(
        made[&Packing::Rolled] > made[&Packing::Standalone],
        "{made:?}"
    );
}

#[cfg(feature = "brotli")]
#[test]
fn brotli() {
    let made = run(Codec::Brotli);
    assert!(
        made[&Packing::Streamed] > 3 * made[&Packing::Standalone],
        "{made:?}"
    );
}

/// Runs them on all cores, and counts how events were packed.
fn run(codec: Codec) -> HashMap<Packing, u64> {
    let next = AtomicU64::new(0);
    let count = streams();
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let mut made = HashMap::from([(Packing::Standalone, 0)]);
    thread::scope(|scope| {
        let workers: Vec<_> = (0..cores)
            .map(|_| {
                scope.spawn(|| {
                    let mut made = HashMap::new();
                    loop {
                        let seed = next.fetch_add(VIEWERS as u64, Ordering::Relaxed);
                        if seed >= count {
                            return made;
                        }
                        let group = catch_unwind(AssertUnwindSafe(|| group(codec, seed)));
                        let packings = group.unwrap_or_else(|_| panic!("{codec}, seed {seed}"));
                        for packing in packings {
                            *made.entry(packing).or_insert(0) += 1;
                        }
                    }
                })
            })
            .collect();
        for worker in workers {
            for (packing, count) in worker.join().expect("a worker") {
                *made.entry(packing).or_insert(0) += count;
            }
        }
    });
    println!("{codec}: {count} streams, {made:?}");
    made
}

const VIEWERS: usize = 4;

/// Four viewers who follow two sources of shared events, each as it pleases.
fn group(codec: Codec, seed: u64) -> Vec<Packing> {
    let mut random = Random::new(seed);
    let mut compression = Compression::new();
    let mut viewers = Vec::new();
    for _ in 0..VIEWERS {
        // Most have the settings of the one before.
        if viewers.is_empty() || random.one_in(3) {
            compression = settings(&mut random);
        }
        viewers.push((Viewer::new(codec, compression), String::new()));
    }
    let mut packings = Vec::new();
    let mut sources = [String::new(), String::new()];
    // About a megabyte for each viewer.
    let mut budget = 1_000_000_usize;
    let steps = 2 + random.below(20);
    for _ in 0..steps {
        let size = random.size();
        budget = match budget.checked_sub(size) {
            Some(rest) => rest,
            None => break,
        };
        let source = random.below(2);
        sources[source] = text(&mut random, size, &sources[source]);
        let mut event = Event::new(&*sources[source]).into_frame().shared();
        if random.one_in(40) {
            event = event.sensitive();
        }
        for (viewer, own) in &mut viewers {
            if random.one_in(8) {
                viewer.heartbeat();
            }
            // Slow ones skip; those who have just come begin anywhere.
            if !random.one_in(6) {
                viewer.send(&event);
            }
            if random.one_in(2) {
                let size = size / 4 + 1;
                *own = text(&mut random, size, own);
                viewer.send(&private(&mut random, own));
            }
        }
        // Some go in the middle, with or without an end, and others come.
        if random.one_in(12) {
            let place = random.below(VIEWERS);
            let (gone, _) = std::mem::replace(
                &mut viewers[place],
                (Viewer::new(codec, compression), String::new()),
            );
            packings.extend(gone.packings());
            if random.one_in(2) {
                gone.close();
            }
        }
    }
    for (viewer, _) in viewers {
        packings.extend(viewer.packings());
        viewer.close();
    }
    packings
}

fn private(random: &mut Random, text: &str) -> Frame {
    match random.below(40) {
        0 => Event::new(text).into_frame().sensitive(),
        1 => Frame::comment(text),
        2 => Frame::comment(&".".repeat(62)),
        _ => Event::new(text).into_frame(),
    }
}

fn settings(random: &mut Random) -> Compression {
    Compression::new()
        .zstd_level(random.of(&[1, 2, 3, 3, 3, 4, 5, 6, 7, 9, 12]))
        .gzip_level(random.of(&[1, 2, 3, 4, 5, 6, 6, 6, 7, 9]))
        .brotli_quality(random.of(&[2, 3, 4, 5, 5, 5, 6]))
        .zstd_window(random.of(&[15, 16, 17, 18, 20, 20, 20, 21, 23]))
        .brotli_window(random.of(&[10, 16, 18, 18, 22]))
        .tail(random.of(&[1, 1000, 10_000, 48 << 10, 48 << 10, 100_000, 1 << 20]))
        .smallest_base(random.of(&[0, 8 << 10, 1 << 20]))
        .largest_base(random.of(&[0, 100_000, 256 << 10, 1 << 20]))
}
