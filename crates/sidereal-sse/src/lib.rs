#![doc = include_str!("../README.md")]

mod background;
#[cfg(feature = "blocking")]
pub mod blocking;
mod body;
pub mod broker;
mod client;
mod compress;
mod connect;
mod encode;
mod end;
mod error;
mod event;
mod frame;
mod hub;
mod lifecycle;
mod line;
mod listeners;
mod live;
mod observer;
mod options;
mod queue;
mod sender;
mod shutdown;
mod sse;
mod timer;
mod transport;
mod wake;
mod worker;

pub use crate::{
    body::SseBody,
    client::{Client, ClientId, ParseClientIdError},
    compress::{Codec, Compression, Packing},
    connect::Connect,
    encode::{Content, ContentWriter, DataKey, HeadWriter},
    end::{End, EndReason, Ended},
    error::{Aborted, BodyError, SendError},
    event::Event,
    frame::{Frame, IntoFrame},
    hub::{
        Entry, EntryTooLong, EveryFor, Following, HUB_TARGET, Hub, Lag, Lagged, Loaded, Member,
        Picture, Presence, PublishError, StartAt, Subscription, Ticker, Topic, TopicKey, TopicName,
        TopicOptions, Variant, View, Watch,
    },
    lifecycle::END_TARGET,
    line::{EventId, Line, LineError},
    observer::{Observer, Wrote},
    options::StreamOptions,
    sender::Sender,
    shutdown::Shutdown,
    sse::Sse,
    transport::Transport,
    worker::mark_worker_thread,
};
