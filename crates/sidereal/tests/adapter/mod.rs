//! What every adapter has to do, asked over a real socket: each one's tests serve the same
//! application, with these paths.
//!
//! | path | what |
//! |---|---|
//! | `/strict`, `/optional`, `/result`, `/lenient` | the ways to take signals, for any method |
//! | `/framework` | `/strict`, where the framework's own limit for bodies is [`FRAMEWORK_LIMIT`] |
//! | `/form`, `/form-first` | a form beside optional signals, in both orders, see [`Framework::FORMS`] |
//! | `/twice` | signals, taken by two extractors, see [`Framework::BODY`] |
//! | `/head`, `/tab` | what the head of a request says |
//! | `/event`, `/script`, `/html`, `/json`, `/error` | what a handler returns |
//! | `/slow`, `/silent`, `/broken`, `/old` | the streams of the same names |
//!
//! And with the [`settings`]:
//!
//! | path | what |
//! |---|---|
//! | `/configured/strict`, `/configured/silent` | as above |
//! | `/configured/connected`, `/configured/settings` | events, by a `Connect` and by a `Config` |

#![allow(
    dead_code,
    unused_imports,
    unused_macros,
    reason = "not every framework needs all of it"
)]

mod application;
pub(crate) mod body_limits;
mod client;
mod handlers;
pub(crate) mod http2;
pub(crate) mod requests;
pub(crate) mod responses;
pub(crate) mod streams;
pub(crate) mod workers;

use std::{
    net::SocketAddr,
    thread::{self, JoinHandle},
};

pub(crate) use self::{application::*, client::*, handlers::handlers};

/// The framework's own limit for bodies, in bytes.
pub(crate) const FRAMEWORK_LIMIT: usize = 1000;

/// A framework that serves the application, and how it differs from others.
pub(crate) trait Framework {
    /// Methods that it does not know, and refuses.
    const UNKNOWN_METHODS: &[&str] = &[];
    /// Where a handler takes a form beside optional signals; nowhere, if only one of its arguments can
    /// be made of the body.
    const FORMS: &[&str] = &[];
    /// How often the body of a request can be taken.
    const BODY: Body = Body::ForOne;
    /// Who enforces its own limit for bodies.
    const LIMIT_ENFORCED_BY: Enforced = Enforced::ByAdapter;
    /// Its answers of HTTP/1.1 say `Connection: keep-alive`, which goes without saying.
    const SAYS_KEEP_ALIVE: bool = true;
    /// A response of HTTP/1.1 can end broken.
    const BREAKS_OFF: bool = true;
    /// A stream of HTTP/2 can end broken.
    const RESETS: bool = true;
    /// What it takes to notice that a client has left.
    const NOTICES: Notices = Notices {
        closed: 0,
        aborted: 0,
        reset: 0,
    };

    /// Serves the application until the process ends.
    fn start() -> Server;
}

/// How often the body of a request can be taken.
pub(crate) enum Body {
    /// No handler has two arguments that are made of it.
    ForOne,
    /// Once, and then it is gone.
    Once,
    /// As often as it is asked for.
    Often,
}

/// Who enforces the framework's own limit.
pub(crate) enum Enforced {
    /// The adapter, in the same way as that of `Config`.
    ByAdapter,
    /// The framework, by the length that is announced, with an answer of its own.
    ByFramework,
    /// Nobody: there is none.
    Nowhere,
}

/// How many heartbeats a server writes until it notices that a client has left: none where it sees
/// that at once.
pub(crate) struct Notices {
    /// The connection was closed.
    pub(crate) closed: u32,
    /// It was reset, which is an error for whoever reads or writes.
    pub(crate) aborted: u32,
    /// Its stream of HTTP/2 was reset, and the connection goes on.
    pub(crate) reset: u32,
}

/// Where the application is served.
pub(crate) struct Server {
    address: SocketAddr,
    /// Another server where a framework has one configuration for all routes.
    configured: SocketAddr,
}

impl Server {
    pub(crate) fn at(address: SocketAddr) -> Self {
        Self::at_both(address, address)
    }

    pub(crate) fn at_both(address: SocketAddr, configured: SocketAddr) -> Self {
        Self {
            address,
            configured,
        }
    }

    pub(crate) fn of(&self, target: &str) -> SocketAddr {
        match target.starts_with("/configured/") {
            true => self.configured,
            false => self.address,
        }
    }

    pub(crate) fn ask(
        &self,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: Option<&[u8]>,
    ) -> Answer {
        ask(self.of(target), method, target, headers, body)
    }

    /// As the client of Datastar asks.
    pub(crate) fn get(&self, target: &str) -> Answer {
        self.ask("GET", target, &[DATASTAR], None)
    }

    /// The same.
    pub(crate) fn post(&self, target: &str, body: &[u8]) -> Answer {
        self.ask("POST", target, &[DATASTAR, JSON], Some(body))
    }
}

/// Serves on a runtime of its own, until the process ends.
pub(crate) fn on_tokio<F: Future>(
    serve: impl FnOnce(tokio::net::TcpListener) -> F + Send + 'static,
) -> SocketAddr {
    let (address, _) = on_tokio_until_done(serve);
    address
}

/// The same with the thread, which ends when the server has ended.
pub(crate) fn on_tokio_until_done<F: Future>(
    serve: impl FnOnce(tokio::net::TcpListener) -> F + Send + 'static,
) -> (SocketAddr, JoinHandle<()>) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap();
    let thread = thread::spawn(move || {
        let mut runtime = tokio::runtime::Builder::new_multi_thread();
        let runtime = runtime.worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            serve(listener).await;
        });
    });
    (address, thread)
}

/// The tests, for a [`Framework`].
macro_rules! tests {
    ($framework:ty) => {
        adapter::tests!($framework:
            requests::signals_come_from_wherever_the_method_puts_them
            requests::the_three_ways_to_take_signals
            requests::a_body_of_another_site_is_refused
            requests::a_form_carries_no_signals
            requests::a_form_beside_signals_has_its_body
            requests::a_body_that_was_taken_is_not_taken_for_none
            requests::a_rejection_can_be_events_for_datastar_requests_only
            requests::what_the_head_of_a_request_says
            body_limits::bodies_over_a_limit_are_refused
            responses::events_and_replies_are_responses
            responses::the_configuration_reaches_streams_and_events
            responses::a_head_request_begins_nothing
            responses::a_reply_has_its_length
            responses::a_connection_that_the_client_closes_is_not_kept
            streams::events_are_not_held_back
            streams::heartbeats_go_out_on_their_own
            streams::a_client_that_leaves_is_noticed
            streams::many_streams_leave_room_for_requests
            streams::a_broken_end_is_broken
            http2::streams_on_http2
        );
    };
    ($framework:ty: $($module:ident::$test:ident)*) => {$(
        #[test]
        fn $test() {
            adapter::$module::$test::<$framework>();
        }
    )*};
}
pub(crate) use tests;
