//! One connection's side of compression: what it has written last, and the chunks that follow.

use std::sync::Arc;

use bytes::Bytes;

#[cfg(feature = "brotli")]
use super::brotli::{self, Brotli};
use super::{
    Codec, Compression, Packed, Packing,
    codec::Recipe,
    encoders,
    memory::Memory,
    shared::{Key, Shared},
    sum::Sum,
};
use crate::{Frame, StreamOptions};

/// Turns a connection's events into the chunks of its response.
pub(crate) struct Coder(Inner);

enum Inner {
    Rolling(Rolling),
    #[cfg(feature = "brotli")]
    Brotli(Box<Brotli>),
}

impl Coder {
    /// `None` where the codec is not compiled in.
    pub(crate) fn new(codec: Codec, options: Arc<StreamOptions>) -> Option<Self> {
        #[cfg(feature = "brotli")]
        if codec == Codec::Brotli {
            return Brotli::new(options).map(|brotli| Self(Inner::Brotli(Box::new(brotli))));
        }
        Rolling::new(codec, options).map(Inner::Rolling).map(Self)
    }

    /// The event as the next chunk of the response.
    pub(crate) fn write(&mut self, frame: &Frame) -> Packed {
        match &mut self.0 {
            Inner::Rolling(rolling) => rolling.write(frame),
            #[cfg(feature = "brotli")]
            Inner::Brotli(brotli) => brotli.write(frame.as_bytes(), frame.is_sensitive()),
        }
    }

    /// Bytes that decode to nothing, so that they leave everything as it was.
    pub(crate) fn heartbeat(&mut self) -> Bytes {
        match &mut self.0 {
            Inner::Rolling(rolling) => rolling.after_head(rolling.recipe.heartbeat()),
            #[cfg(feature = "brotli")]
            Inner::Brotli(brotli) => brotli.heartbeat(),
        }
    }

    /// The end of a whole response.
    pub(crate) fn end(&mut self) -> Bytes {
        match &mut self.0 {
            Inner::Rolling(rolling) => rolling.after_head(rolling.recipe.end(&rolling.sum)),
            #[cfg(feature = "brotli")]
            Inner::Brotli(brotli) => brotli.end(),
        }
    }

    /// Lets go of what is kept for the next event, which is then compressed alone.
    pub(crate) fn forget(&mut self) {
        match &mut self.0 {
            Inner::Rolling(rolling) => rolling.memory.forget(),
            #[cfg(feature = "brotli")]
            Inner::Brotli(brotli) => brotli.forget(),
        }
    }
}

/// A connection with a codec that is rolled. It owns no encoder.
struct Rolling {
    codec: Codec,
    recipe: &'static &'static dyn Recipe,
    options: Arc<StreamOptions>,
    memory: Memory,
    sum: Sum,
    begun: bool,
}

impl Rolling {
    fn new(codec: Codec, options: Arc<StreamOptions>) -> Option<Self> {
        Some(Self {
            codec,
            recipe: codec.recipe()?,
            options,
            memory: Memory::default(),
            sum: Sum::default(),
            begun: false,
        })
    }

    fn write(&mut self, frame: &Frame) -> Packed {
        let settings = &self.options.compression;
        let packed = match frame.sharing() {
            Some(shared) => self.shared(frame, shared),
            None if frame.is_sensitive() => self.pack(settings, [], frame),
            None => self.pack(settings, self.memory.base(frame.len(), settings), frame),
        };
        self.add_to_sum(frame);
        if frame.is_sensitive() {
            // It stands between what comes next and all before it.
            self.memory.forget();
        } else {
            let reach = self.recipe.reach(&self.options.compression);
            self.memory
                .remember(frame, &self.options.compression, reach);
        }
        Packed {
            bytes: self.after_head(packed.bytes),
            packing: packed.packing,
        }
    }

    /// An event that goes to many: against the one before it, where that is shared too, so that
    /// all connections that are in step need one chunk; else alone.
    fn shared(&self, frame: &Frame, shared: &Shared) -> Packed {
        let settings = self.options.compression.for_shared();
        let base = self.memory.last_shared().filter(|_| !frame.is_sensitive());
        let key = Key {
            codec: self.codec,
            variant: self.recipe.variant(&settings),
            base: base.map(|(id, _)| id),
        };
        shared.chunk(key, |key| {
            let base = base.filter(|_| key.base.is_some());
            self.pack(&settings, base.map(|(_, frame)| frame), frame)
        })
    }

    fn pack<'f>(
        &self,
        settings: &Compression,
        base: impl IntoIterator<Item = &'f Frame>,
        frame: &Frame,
    ) -> Packed {
        encoders::with(|encoders| {
            let mut text = std::mem::take(&mut encoders.base);
            let mut chunk = std::mem::take(&mut encoders.chunk);
            for frame in base {
                text.extend_from_slice(frame.as_bytes());
                text.extend_from_slice(self.recipe.separator());
            }
            let event = frame.as_bytes();
            let is_rolled = self
                .recipe
                .chunk(encoders, settings, &text, event, &mut chunk)
                .unwrap_or_else(|| {
                    chunk.clear();
                    self.recipe.store(settings, event, &mut chunk);
                    false
                });
            let packed = Packed {
                bytes: Bytes::copy_from_slice(&chunk),
                packing: match is_rolled {
                    true => Packing::Rolled,
                    false => Packing::Standalone,
                },
            };
            encoders.base = text;
            encoders.chunk = chunk;
            packed
        })
    }

    fn after_head(&mut self, bytes: Bytes) -> Bytes {
        if std::mem::replace(&mut self.begun, true) {
            return bytes;
        }
        Bytes::from([&self.recipe.head(&self.options.compression)[..], &bytes].concat())
    }

    /// Only gzip ends with a sum.
    fn add_to_sum(&mut self, frame: &Frame) {
        #[cfg(feature = "gzip")]
        if self.codec == Codec::Gzip {
            match frame.sharing() {
                Some(shared) => self.sum.combine(shared.sum(frame.as_bytes())),
                None => self.sum.add(frame.as_bytes()),
            }
        }
        #[cfg(not(feature = "gzip"))]
        let _ = frame;
    }
}

/// A whole response. Sensitive events are compressed alone in it, and shared ones once for all
/// responses; `None` where the codec fails, or is not compiled in.
pub(crate) fn whole(codec: Codec, options: &Arc<StreamOptions>, frames: &[Frame]) -> Option<Bytes> {
    if frames
        .iter()
        .any(|frame| frame.is_sensitive() || frame.sharing().is_some())
    {
        let mut coder = Coder::new(codec, Arc::clone(options))?;
        let mut coded = Vec::new();
        for frame in frames {
            coded.extend_from_slice(&coder.write(frame).bytes);
        }
        coded.extend_from_slice(&coder.end());
        return Some(coded.into());
    }
    encoders::with(|encoders| {
        let mut text = std::mem::take(&mut encoders.base);
        let mut coded = std::mem::take(&mut encoders.chunk);
        for frame in frames {
            text.extend_from_slice(frame.as_bytes());
        }
        let bytes = match codec.recipe() {
            Some(recipe) => recipe
                .whole(encoders, &options.compression, &text, &mut coded)
                .map(|()| Bytes::copy_from_slice(&coded)),
            #[cfg(feature = "brotli")]
            None => brotli::whole(&options.compression, &text),
            #[cfg(not(feature = "brotli"))]
            None => None,
        };
        encoders.base = text;
        encoders.chunk = coded;
        bytes
    })
}
