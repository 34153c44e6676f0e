//! Counting the events that have come to their end.

use std::io;

use bench::decode::{Dechunker, Decoder};
use memchr::memmem;
use sidereal::Codec;

use crate::contestant::Contestant;

/// Counts as bytes come, in pieces of any size.
#[derive(Debug)]
pub(crate) enum Counter {
    /// An event stream as it is, in chunks or not.
    Text(Ends),
    /// A compressed one, in which each event is a chunk.
    Chunks(Dechunker),
    /// A compressed one, in which a chunk is all that was there when it was made.
    Coded(Dechunker, Decoder, Ends),
}

impl Counter {
    pub(crate) fn new(contestant: Contestant) -> io::Result<Self> {
        Ok(match contestant.codec {
            None => Self::Text(Ends::default()),
            // To decode is work, and there are many of them.
            Some(_) if contestant.who.is_ours() => Self::Chunks(Dechunker::new()),
            Some(codec) => Self::coded(codec)?,
        })
    }

    fn coded(codec: Codec) -> io::Result<Self> {
        let decoder = Decoder::new(Some(codec))?;
        Ok(Self::Coded(Dechunker::new(), decoder, Ends::default()))
    }

    /// How many events end in these bytes.
    pub(crate) fn count(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Text(ends) => Ok(ends.count(bytes)),
            Self::Chunks(dechunker) => Ok(dechunker.take(bytes, |_| {})),
            Self::Coded(dechunker, decoder, ends) => {
                let mut coded = Vec::new();
                dechunker.take(bytes, |piece| coded.extend_from_slice(piece));
                Ok(ends.count(&decoder.text(&coded)?))
            }
        }
    }
}

/// What an event with elements ends with, and a comment does not.
const END: &[u8] = b">\n\n";

/// Finds the ends of events in text, whatever chunks it is in.
#[derive(Debug, Default)]
pub(crate) struct Ends {
    /// The last two bytes so far.
    last: [u8; 2],
}

impl Ends {
    fn count(&mut self, bytes: &[u8]) -> usize {
        let beginning = &bytes[..bytes.len().min(2)];
        let seam = [&self.last[..], beginning].concat();
        self.last = match bytes {
            [.., one, other] => [*one, *other],
            [only] => [self.last[1], *only],
            [] => self.last,
        };
        memmem::find_iter(&seam, END).count() + memmem::find_iter(bytes, END).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// However the bytes come.
    fn counted(stream: &[u8], counter: impl Fn() -> Counter) -> Vec<usize> {
        let in_pieces = (1..=stream.len()).map(|size| {
            let mut counter = counter();
            let counts = stream.chunks(size).map(|piece| counter.count(piece));
            counts.sum::<io::Result<usize>>().unwrap_or_default()
        });
        let mut counts: Vec<usize> = in_pieces.collect();
        counts.dedup();
        counts
    }

    #[test]
    fn events_end_at_a_blank_line_and_comments_do_not_count() {
        let stream = b"3\r\n:\n\n\r\n10\r\ndata: <p>one\n>\n\n\r\n4\r\na>\n\n\r\n";
        assert_eq!(counted(stream, || Counter::Text(Ends::default())), [2]);
    }

    #[test]
    fn two_events_in_one_compressed_chunk_are_two() -> io::Result<()> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), Default::default());
        io::Write::write_all(&mut encoder, b":\n\ndata: <p>\n\ndata: <p>\n\n")?;
        let coded = encoder.finish()?;
        let stream = [format!("{:x}\r\n", coded.len()).as_bytes(), &coded, b"\r\n"].concat();
        Counter::coded(Codec::Gzip)?;
        let counter = || Counter::coded(Codec::Gzip).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(counted(&stream, counter), [2]);
        Ok(())
    }
}
