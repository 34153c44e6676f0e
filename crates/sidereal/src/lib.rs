#![cfg_attr(feature = "axum", doc = include_str!("../README.md"))]
#![cfg_attr(
    not(feature = "axum"),
    doc = "Datastar for Rust servers. The documentation is built with all features."
)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod action;
#[cfg(feature = "actix")]
mod actix;
mod attributes;
#[cfg(feature = "axum")]
mod axum;
#[cfg(feature = "blocking")]
pub mod blocking;
mod config;
mod connect;
mod defaults;
mod events;
mod execute_script;
#[cfg(any(feature = "actix", feature = "blocking", feature = "rocket"))]
mod foreign_head;
pub mod guide;
mod header_selector;
mod hub;
mod js;
mod json_scan;
mod markup;
#[cfg(any(
    feature = "actix",
    feature = "poem",
    feature = "rocket",
    feature = "salvo"
))]
mod optional;
mod patch_elements;
mod patch_signals;
#[cfg(feature = "poem")]
mod poem;
mod read_signals;
mod receive;
mod rejection;
mod reply;
mod request;
#[cfg(feature = "rocket")]
mod rocket;
#[cfg(feature = "salvo")]
mod salvo;
mod script_sugar;
mod selector;
mod sender;
#[cfg(feature = "serve")]
pub mod serve;
mod signal_paths;
mod signals;
mod signals_json;
mod signals_literal;
mod sse;
mod surrogates;
mod tab;
mod target;
#[cfg(feature = "testing")]
pub mod testing;
#[cfg(feature = "warp")]
pub mod warp;

pub use http;
pub use sidereal_sse::broker;
pub use sidereal_sse::{
    Aborted, BodyError, Client, ClientId, Codec, Compression, END_TARGET, End, EndReason, Ended,
    Entry, EntryTooLong, EventId, EveryFor, Following, Frame, HUB_TARGET, IntoFrame, Lag, Lagged,
    Line, LineError, Loaded, Member, Observer, Packing, ParseClientIdError, Presence, PublishError,
    SendError, Shutdown, SseBody, StartAt, StreamOptions, Subscription, Ticker, TopicKey,
    TopicName, TopicOptions, Transport, Variant, Watch, Wrote,
};

#[cfg(any(
    feature = "actix",
    feature = "poem",
    feature = "rocket",
    feature = "salvo"
))]
pub use crate::optional::Optional;
#[cfg(feature = "serve")]
pub use crate::serve::serve;
pub use crate::{
    action::{Action, ActionRetry, RequestCancellation},
    attributes::{AttributeName, AttributeNameError},
    config::Config,
    connect::Connect,
    defaults::{Event, EventDefaults},
    events::Events,
    execute_script::ExecuteScript,
    hub::{Hub, Picture, Topic, View},
    markup::{DATASTAR_CDN, DATASTAR_CLIENT_VERSION, ScriptTag, script_tag},
    patch_elements::PatchElements,
    patch_signals::PatchSignals,
    read_signals::{DEFAULT_SIGNALS_LIMIT, ReadSignalsError, read_signals, signals_in_query},
    receive::receive_signals,
    rejection::SignalsRejection,
    reply::{HtmlReply, SignalsReply},
    request::{IsDatastar, LastEventId, is_datastar_request},
    script_sugar::{CustomEvent, ScriptError},
    selector::{Selector, SelectorError},
    sender::Sender,
    signal_paths::SignalPaths,
    signals::{LenientSignals, Signals},
    signals_json::SignalsError,
    signals_literal::SignalsLiteral,
    sse::Sse,
    tab::{TabId, TabIdError},
    target::{Mode, Namespace, UnknownOption},
};
