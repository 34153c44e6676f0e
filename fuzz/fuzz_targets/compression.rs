//! Compressed streams: any events, in any order, with any settings, decode to what was sent.

#![no_main]

#[allow(dead_code)]
#[path = "../../crates/sidereal-sse/tests/support/decoders.rs"]
mod decoders;
#[allow(dead_code)]
#[path = "../../crates/sidereal-sse/tests/compression/viewer.rs"]
mod viewer;

use libfuzzer_sys::{
    arbitrary::{self, Arbitrary},
    fuzz_target,
};
use sidereal_sse::{Codec, Compression, Event, Frame, IntoFrame};
use viewer::Viewer;

#[derive(Arbitrary, Debug)]
struct Input {
    codec: u8,
    settings: Settings,
    /// Some of them are built on: an event is a piece of what is here.
    text: Vec<u8>,
    steps: Vec<Step>,
}

#[derive(Arbitrary, Debug)]
struct Settings {
    level: u8,
    window: u8,
    tail: u32,
    smallest: u32,
    largest: u32,
}

#[derive(Arbitrary, Debug)]
enum Step {
    Private { from: u16, length: u16, again: u8 },
    Shared { from: u16, length: u16, again: u8, skipped: bool },
    Sensitive { from: u16, length: u16 },
    Heartbeat,
    Comment(u8),
}

fuzz_target!(|input: Input| {
    let codec = match input.codec % 3 {
        0 => Codec::Zstd,
        1 => Codec::Gzip,
        _ => Codec::Brotli,
    };
    let settings = input.settings;
    let compression = Compression::new()
        .zstd_level(i32::from(settings.level % 10))
        .gzip_level(settings.level)
        .brotli_quality(settings.level % 7)
        .zstd_window(settings.window % 24)
        .brotli_window(settings.window % 20)
        .tail(settings.tail as usize)
        .smallest_base(settings.smallest as usize)
        .largest_base(settings.largest as usize);
    let mut viewers = [(); 2].map(|()| Viewer::new(codec, compression));
    let text = String::from_utf8_lossy(&input.text).into_owned();
    let piece = |from: u16, length: u16, again: u8| -> String {
        let characters = text.chars().skip(from.into()).take(length.into());
        characters.collect::<String>().repeat(1 + usize::from(again % 40))
    };
    for step in input.steps.iter().take(40) {
        let [first, second] = &mut viewers;
        match *step {
            Step::Private { from, length, again } => {
                first.send(&Event::new(piece(from, length, again)).into_frame());
            }
            Step::Shared { from, length, again, skipped } => {
                let frame = Event::new(piece(from, length, again)).into_frame().shared();
                first.send(&frame);
                if !skipped {
                    second.send(&frame);
                }
            }
            Step::Sensitive { from, length } => {
                second.send(&Event::new(piece(from, length, 0)).into_frame().sensitive());
            }
            Step::Heartbeat => {
                first.heartbeat();
                second.heartbeat();
            }
            Step::Comment(dots) => {
                second.send(&Frame::comment(&".".repeat(dots.into())));
            }
        }
    }
    for viewer in viewers {
        viewer.close();
    }
});
