//! That events are rolled, and shared, where they should be.

use sidereal_sse::{Codec, Compression, Event, Frame, IntoFrame, Packing};

use crate::{content::page, viewer::Viewer};

const ROLLED: [Codec; 2] = [Codec::Zstd, Codec::Gzip];

fn rolled() -> impl Iterator<Item = Codec> {
    ROLLED.into_iter().filter(|codec| codec.is_available())
}

#[test]
fn an_event_is_compressed_against_those_before_it() {
    for codec in rolled() {
        let mut viewer = Viewer::new(codec, Compression::new());
        let first = viewer.send(&page(170, 1)).len();
        let second = viewer.send(&page(170, 2)).len();
        viewer.heartbeat();
        let third = viewer.send(&page(170, 3)).len();
        assert!(
            second * 2 < first && third * 2 < first,
            "{codec}: {first} {second} {third}"
        );
        assert_eq!(
            viewer.packings(),
            [Packing::Standalone, Packing::Rolled, Packing::Rolled],
            "{codec}"
        );
        let sent: Vec<_> = viewer.wrote().iter().map(|wrote| wrote.sent()).collect();
        assert_eq!(
            sent,
            [first, second, third],
            "{codec}: the observer counts what goes out"
        );
        viewer.close();
    }
}

#[test]
fn viewers_in_step_are_sent_the_same_bytes() {
    for codec in rolled() {
        let mut viewers = [(); 3].map(|()| Viewer::new(codec, Compression::new()));
        for tick in 0..3 {
            let frame = page(50, tick).shared();
            let chunks = viewers.each_mut().map(|viewer| viewer.send(&frame));
            assert!(
                chunks
                    .iter()
                    .all(|chunk| chunk.as_ptr() == chunks[0].as_ptr()),
                "{codec}"
            );
        }
        // One that joins is sent the event alone, and is in step with the next.
        let mut late = Viewer::new(codec, Compression::new());
        let [first, ..] = &mut viewers;
        let frame = page(50, 3).shared();
        assert_ne!(first.send(&frame).as_ptr(), late.send(&frame).as_ptr());
        let frame = page(50, 4).shared();
        assert_eq!(first.send(&frame).as_ptr(), late.send(&frame).as_ptr());
        assert_eq!(late.packings(), [Packing::Standalone, Packing::Rolled]);
        // As is one that was sent something of its own.
        late.send(&Event::new("yours").into_frame());
        let frame = page(50, 5).shared();
        assert_ne!(first.send(&frame).as_ptr(), late.send(&frame).as_ptr());
        assert_eq!(late.packings()[3], Packing::Standalone);
        let frame = page(50, 6).shared();
        assert_eq!(first.send(&frame).as_ptr(), late.send(&frame).as_ptr());
    }
}

/// However many viewers have fallen behind by different events, those in step share one chunk, and
/// each of the others is compressed for once.
#[test]
fn stragglers_do_not_crowd_out_those_in_step() {
    for codec in rolled() {
        let mut late = [(); 20].map(|()| Viewer::new(codec, Compression::new()));
        let mut in_step = [(); 3].map(|()| Viewer::new(codec, Compression::new()));
        for (tick, viewer) in (0..).zip(&mut late) {
            let frame = page(20, tick).shared();
            viewer.send(&frame);
            for viewer in &mut in_step {
                viewer.send(&frame);
            }
        }
        let frame = page(20, 20).shared();
        let mut chunks = Vec::new();
        for viewer in &mut late[..19] {
            chunks.push(viewer.send(&frame));
        }
        let shared = in_step.each_mut().map(|viewer| viewer.send(&frame));
        assert!(
            shared
                .iter()
                .all(|chunk| chunk.as_ptr() == shared[0].as_ptr())
        );
        chunks.extend(shared);
        chunks.sort_by_key(|chunk| chunk.as_ptr());
        chunks.dedup_by_key(|chunk| chunk.as_ptr());
        assert_eq!(chunks.len(), 9, "eight bases, and none");
        for viewer in in_step.into_iter().chain(late) {
            viewer.close();
        }
    }
}

#[test]
fn viewers_share_whatever_their_own_settings_are_for() {
    for codec in rolled() {
        let mut one = Viewer::new(codec, Compression::new());
        let mut other = Viewer::new(
            codec,
            Compression::new()
                .tail(100_000)
                .smallest_base(0)
                .whole_from(7)
                .forget_after(None),
        );
        for tick in 0..3 {
            let frame = page(20, tick).shared();
            assert_eq!(one.send(&frame).as_ptr(), other.send(&frame).as_ptr());
        }
    }
}

#[test]
fn viewers_with_other_settings_share_nothing() {
    for codec in rolled() {
        let mut one = Viewer::new(codec, Compression::new());
        let levels = Compression::new().shared_zstd_level(5).shared_gzip_level(5);
        let mut other = Viewer::new(codec, levels);
        for tick in 0..2 {
            let frame = page(50, tick).shared();
            assert_ne!(one.send(&frame).as_ptr(), other.send(&frame).as_ptr());
        }
    }
}

/// A secret is compressed alone, and nothing against it: its chunk, and the next one, are the same
/// length whatever stands around them.
#[test]
fn a_sensitive_event_is_neither_rolled_nor_a_base() {
    for codec in rolled() {
        for frame in [page(50, 1), page(50, 1).shared()] {
            // The same levels for what is shared, so that the same text has the same length.
            let levels = Compression::new().shared_zstd_level(3).shared_gzip_level(6);
            let mut viewer = Viewer::new(codec, levels);
            viewer.send(&page(50, 0));
            let secret = viewer.send(&frame.clone().sensitive()).len();
            let after = viewer.send(&page(50, 1)).len();
            let again = viewer.send(&page(50, 1)).len();
            assert_eq!(
                viewer.packings(),
                [
                    Packing::Standalone,
                    Packing::Standalone,
                    Packing::Standalone,
                    Packing::Rolled
                ]
            );
            assert_eq!(secret, after);
            assert!(again < after / 2);
            viewer.close();
        }
    }
}

#[cfg(feature = "brotli")]
#[test]
fn a_sensitive_event_begins_and_ends_brotli_anew() {
    let mut viewer = Viewer::new(Codec::Brotli, Compression::new());
    viewer.send(&page(50, 0));
    let secret = viewer.send(&page(50, 0).sensitive()).len();
    let after = viewer.send(&page(50, 0)).len();
    let again = viewer.send(&page(50, 0)).len();
    assert!(
        secret == after && again < after / 2,
        "{secret} {after} {again}"
    );
    assert_eq!(
        viewer.packings(),
        [
            Packing::Standalone,
            Packing::Standalone,
            Packing::Standalone,
            Packing::Streamed
        ]
    );
    viewer.close();
}

#[test]
fn without_a_tail_every_event_is_alone() {
    for codec in rolled() {
        let mut viewer = Viewer::new(codec, Compression::new().tail(0));
        for tick in 0..3 {
            viewer.send(&page(50, tick));
        }
        assert_eq!(viewer.packings(), [Packing::Standalone; 3]);
    }
}

#[test]
fn an_event_larger_than_all_limits_is_no_base() {
    for codec in rolled() {
        let settings = Compression::new().tail(1000).largest_base(2000);
        let mut viewer = Viewer::new(codec, settings);
        for tick in 0..3 {
            viewer.send(&page(50, tick));
        }
        viewer.send(&Event::new("small").into_frame());
        viewer.send(&Event::new("small").into_frame());
        assert_eq!(
            viewer.packings(),
            [
                Packing::Standalone,
                Packing::Standalone,
                Packing::Standalone,
                Packing::Standalone,
                Packing::Rolled
            ]
        );
    }
}

/// An event that is longer than the window: nothing may refer to what the client has let go.
#[test]
fn events_beyond_the_window_are_decoded() {
    for codec in rolled() {
        let settings = Compression::new()
            .zstd_window(15)
            .tail(1 << 20)
            .largest_base(1 << 20);
        let mut viewer = Viewer::new(codec, settings);
        for tick in 0..4 {
            viewer.send(&page(3000, tick));
            viewer.send(&page(100, tick));
        }
        viewer.close();
    }
}

#[test]
fn an_empty_stream_ends_well() {
    for codec in [Codec::Zstd, Codec::Gzip, Codec::Brotli] {
        if codec.is_available() {
            Viewer::new(codec, Compression::new()).close();
        }
    }
}

#[test]
fn comments_are_no_heartbeats() {
    for codec in rolled() {
        let mut viewer = Viewer::new(codec, Compression::new());
        viewer.send(&Frame::comment("hello"));
        viewer.send(&Frame::comment(""));
        viewer.close();
    }
}
