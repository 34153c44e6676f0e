//! What an idle stream lets go of.

use std::time::Duration;

use sidereal_sse::{Codec, Compression, Packing};
use tokio::time::advance;

use crate::{content::page, viewer::Viewer};

fn codecs() -> impl Iterator<Item = Codec> {
    [Codec::Zstd, Codec::Gzip, Codec::Brotli]
        .into_iter()
        .filter(|codec| codec.is_available())
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_idles_goes_on_with_an_event_alone() {
    for codec in codecs() {
        let mut viewer = Viewer::new(
            codec,
            Compression::new().forget_after(Duration::from_secs(40)),
        );
        viewer.send(&page(50, 0));
        viewer.send(&page(50, 1));
        // Heartbeats are no events.
        for _ in 0..2 {
            advance(Duration::from_secs(16)).await;
            assert_eq!(viewer.poll().as_deref(), Some(&b""[..]));
        }
        viewer.send(&page(50, 2));
        for _ in 0..3 {
            advance(Duration::from_secs(16)).await;
            while viewer.poll().is_some() {}
        }
        viewer.send(&page(50, 3));
        viewer.send(&page(50, 4));
        let rolled = match codec {
            Codec::Brotli => Packing::Streamed,
            _ => Packing::Rolled,
        };
        assert_eq!(
            viewer.packings(),
            [
                Packing::Standalone,
                rolled,
                rolled,
                Packing::Standalone,
                rolled
            ],
            "{codec}"
        );
        viewer.close();
    }
}

#[tokio::test(start_paused = true)]
async fn never_is_never() {
    for codec in codecs() {
        let mut viewer = Viewer::new(codec, Compression::new().forget_after(None));
        viewer.send(&page(50, 0));
        advance(Duration::from_secs(100_000)).await;
        while viewer.poll().is_some() {}
        viewer.send(&page(50, 1));
        assert_ne!(viewer.packings()[1], Packing::Standalone);
        viewer.close();
    }
}
