//! The contestants, each a process with one thread.

use std::{
    convert::Infallible,
    fmt, io,
    process::ExitCode,
    str::FromStr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use axum::{Router, response::IntoResponse, routing::get};
use sidereal::{Codec, Compression, Connect, PatchElements, Sse};
use tokio::{net::TcpListener, time::sleep};
use tower_http::compression::{CompressionLayer, predicate::SizeAbove};

use crate::{SETTINGS, load::Load};

/// One event each.
pub(crate) const PERIOD: Duration = Duration::from_millis(200);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Contestant {
    pub(crate) who: Who,
    pub(crate) codec: Option<Codec>,
    pub(crate) load: Load,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Who {
    Sidereal(Setting),
    /// The crate `datastar` with axum's `Sse`, under tower-http's layer.
    Official,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Setting {
    Default,
    /// Fewer bytes, with the memory of the default.
    FewBytes,
    LittleCpu,
}

impl Setting {
    fn compression(self) -> Compression {
        let default = Compression::new();
        match self {
            Self::Default => default,
            Self::FewBytes => default.zstd_level(7).gzip_level(9).smallest_base(1 << 20),
            Self::LittleCpu => default.zstd_level(1).gzip_level(1).tail(8 << 10),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Default => "sidereal",
            Self::FewBytes => "sidereal-few-bytes",
            Self::LittleCpu => "sidereal-little-cpu",
        }
    }
}

impl Who {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Sidereal(setting) => setting.name(),
            Self::Official => "official",
        }
    }

    fn all() -> impl Iterator<Item = Self> {
        std::iter::once(Self::Official).chain(SETTINGS.iter().copied().map(Self::Sidereal))
    }
}

impl Contestant {
    /// Without compression first: what the rest is measured over.
    pub(crate) fn all(load: Load) -> Vec<Self> {
        let plain = [Who::Official, Who::Sidereal(Setting::Default)].map(|who| Self {
            who,
            codec: None,
            load,
        });
        let coded = [Codec::Zstd, Codec::Gzip]
            .into_iter()
            .flat_map(|codec| Who::all().map(move |who| (who, codec)))
            .map(|(who, codec)| Self {
                who,
                codec: Some(codec),
                load,
            });
        plain.into_iter().chain(coded).collect()
    }
}

impl fmt::Display for Contestant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let codec = self.codec.map_or("identity", Codec::as_str);
        write!(f, "{}/{codec}/{}", self.who.name(), self.load)
    }
}

impl FromStr for Contestant {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let of = |load| Self::all(load).into_iter();
        let mut all = Load::ALL.into_iter().flat_map(of);
        all.find(|contestant| contestant.to_string() == text)
            .ok_or_else(|| format!("no contestant {text}"))
    }
}

/// Serves until the process is killed. Prints the address, and at each line of its input the
/// number of events so far.
pub(crate) fn run(contestant: &str) -> ExitCode {
    let result = contestant.parse().map_err(io::Error::other).and_then(serve);
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("streams serve: {error}");
            ExitCode::FAILURE
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn serve(contestant: Contestant) -> io::Result<()> {
    let ticks: Arc<[Arc<str>]> = contestant.load.ticks().into();
    let events = Arc::new(AtomicU64::new(0));
    let router = match contestant.who {
        Who::Sidereal(setting) => sidereal_router(setting, ticks, events.clone()),
        Who::Official => official_router(ticks, events.clone()),
    };
    std::thread::spawn(move || {
        for _ in io::stdin().lines() {
            println!("{}", events.load(Ordering::Relaxed));
        }
    });
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("{}", listener.local_addr()?);
    axum::serve(listener, router).await
}

fn sidereal_router(setting: Setting, ticks: Arc<[Arc<str>]>, events: Arc<AtomicU64>) -> Router {
    let handler = async move |connect: Connect| -> Sse {
        let mut tick = 0;
        connect
            .every(PERIOD, move |tx| {
                let elements = ticks[tick % ticks.len()].clone();
                tick += 1;
                let events = events.clone();
                async move {
                    tx.patch_elements(PatchElements::new(&*elements)).await?;
                    events.fetch_add(1, Ordering::Relaxed);
                    Ok(())
                }
            })
            .compression(setting.compression())
    };
    Router::new().route("/", get(handler))
}

fn official_router(ticks: Arc<[Arc<str>]>, events: Arc<AtomicU64>) -> Router {
    let handler = async move || {
        let stream = futures_util::stream::unfold(0, move |tick: usize| {
            let elements = ticks[tick % ticks.len()].clone();
            let events = events.clone();
            async move {
                if tick > 0 {
                    sleep(PERIOD).await;
                }
                let event = datastar::patch_elements::PatchElements::new(&*elements);
                events.fetch_add(1, Ordering::Relaxed);
                Some((
                    Ok::<_, Infallible>(event.write_as_axum_sse_event()),
                    tick + 1,
                ))
            }
        });
        axum::response::Sse::new(stream).into_response()
    };
    // Its default predicate leaves event streams out.
    let layer = CompressionLayer::new().compress_when(SizeAbove::new(0));
    Router::new().route("/", get(handler)).layer(layer)
}
