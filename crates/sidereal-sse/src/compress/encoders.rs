//! The encoders, in one bounded pool for the whole process.
//!
//! An encoder is taken out for one event and put back: no connection has one. There are at most
//! twice as many as the machine has cores (at least four); where all are out, the thread waits, for as long as an
//! event takes to compress.

use std::{
    sync::{Condvar, Mutex, MutexGuard, OnceLock, PoisonError},
    thread::{self, available_parallelism},
};

/// What is kept of the buffers that an event needed.
const KEPT: usize = 1 << 20;

/// For how many levels encoders are kept.
#[cfg(feature = "gzip")]
const GZIP_LEVELS: usize = 2;

/// One encoder of each codec and level, made when first needed, and their buffers.
#[derive(Default)]
pub(crate) struct Encoders {
    #[cfg(feature = "zstd")]
    zstd: Option<zstd_safe::CCtx<'static>>,
    #[cfg(feature = "zstd")]
    frame: Vec<u8>,
    #[cfg(feature = "gzip")]
    gzip: Vec<(u8, flate2::Compress)>,
    /// What a client has decoded last, in one piece.
    pub(super) base: Vec<u8>,
    /// The chunk in the making.
    pub(super) chunk: Vec<u8>,
}

impl Encoders {
    /// A deflate encoder at its beginning.
    #[cfg(feature = "gzip")]
    pub(super) fn gzip(&mut self, level: u8) -> &mut flate2::Compress {
        let known = self.gzip.iter().position(|(other, _)| *other == level);
        let index = known.unwrap_or_else(|| {
            // One for private events and one for shared ones, where settings are the same for all.
            if self.gzip.len() >= GZIP_LEVELS {
                self.gzip.remove(0);
            }
            let level_of_zlib = flate2::Compression::new(u32::from(level));
            let encoder = flate2::Compress::new(level_of_zlib, false);
            self.gzip.push((level, encoder));
            self.gzip.len() - 1
        });
        let (_, encoder) = &mut self.gzip[index];
        encoder.reset();
        encoder
    }

    /// Runs a zstd encoder that writes one frame; `None` if it fails.
    #[cfg(feature = "zstd")]
    pub(super) fn zstd(
        &mut self,
        length: usize,
        encode: impl FnOnce(&mut zstd_safe::CCtx<'static>, &mut Vec<u8>) -> zstd_safe::SafeResult,
    ) -> Option<&[u8]> {
        let encoder = self.zstd.get_or_insert_with(zstd_safe::CCtx::create);
        self.frame.clear();
        self.frame.reserve(zstd_safe::compress_bound(length));
        if encode(encoder, &mut self.frame).is_err() {
            // It is somewhere in the middle.
            self.zstd = None;
            return None;
        }
        Some(&self.frame)
    }

    fn shrink(&mut self) {
        #[cfg(feature = "zstd")]
        {
            self.frame.clear();
            self.frame.shrink_to(KEPT);
        }
        for buffer in [&mut self.base, &mut self.chunk] {
            buffer.clear();
            buffer.shrink_to(KEPT);
        }
    }
}

/// Runs with encoders of the pool; waits for some where all are in use.
pub(super) fn with<R>(run: impl FnOnce(&mut Encoders) -> R) -> R {
    let mut lent = Lent::take(pool());
    run(&mut lent.encoders)
}

struct Pool {
    limit: usize,
    state: Mutex<State>,
    returned: Condvar,
}

#[derive(Default)]
struct State {
    idle: Vec<Encoders>,
    out: usize,
}

fn pool() -> &'static Pool {
    static POOL: OnceLock<Pool> = OnceLock::new();
    POOL.get_or_init(|| Pool {
        limit: available_parallelism()
            .map_or(4, |cores| cores.get() * 2)
            .max(4),
        state: Mutex::default(),
        returned: Condvar::new(),
    })
}

impl Pool {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Encoders on loan.
struct Lent {
    pool: &'static Pool,
    encoders: Encoders,
}

impl Lent {
    fn take(pool: &'static Pool) -> Self {
        let mut state = pool.state();
        while state.out >= pool.limit {
            state = pool
                .returned
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
        state.out += 1;
        let encoders = state.idle.pop();
        drop(state);
        Self {
            pool,
            encoders: encoders.unwrap_or_default(),
        }
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        let mut encoders = std::mem::take(&mut self.encoders);
        encoders.shrink();
        let mut state = self.pool.state();
        state.out -= 1;
        // After a panic nobody knows what state they are in.
        if !thread::panicking() {
            state.idle.push(encoders);
        }
        drop(state);
        self.pool.returned.notify_one();
    }
}
