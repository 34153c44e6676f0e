//! Guides: what goes beyond a single item.
//!
//! | guide | about |
//! |---|---|
//! | [`axum`](mod@axum) | what handlers take and return: extractors and responses for axum |
//! | [`actix_web`](mod@actix_web), [`rocket`](mod@rocket), [`poem`](mod@poem), [`salvo`](mod@salvo) | the same on these, and what is their own; for warp see `sidereal::warp` |
//! | [`which_server`] | what each server does with a stream, and how many viewers it bears |
//! | [`recipes`] | rama, ntex, trillium: servers without an adapter |
//! | [`streams`] | one-shot and long-lived streams, hooks, ends, backpressure, shutdown |
//! | [`push_to_everyone`] | views, topics and tickers: what is made once for many |
//! | [`more_than_one_machine`] | hubs on several nodes, by NATS or Redis: what is promised, and what is not |
//! | [`signals`] | what a page sends and what it gets, limits, files, rejections, tabs |
//! | [`compression`] | what is compressed how, what it costs, when to turn it off |
//! | [`testing`] | tests of handlers, without a browser and without waiting |
//! | [`from_datastar_cl`] | for those who come from datastar-cl (Common Lisp) |
//! | [`from_datastar_rust`] | for those who come from the crate `datastar` |
//!
//! Their examples are tests; the recipes are compiled and tried as programs. They use all features of this crate, so a build of the documentation with fewer features
//! leaves the guides empty.

macro_rules! guides {
    ($($(#[$doc:meta])* $guide:ident: $file:literal;)*) => {$(
        $(#[$doc])*
        #[cfg_attr(
            all(
                feature = "actix",
                feature = "axum-listener",
                feature = "blocking",
                feature = "nats",
                feature = "poem",
                feature = "redis",
                feature = "rocket",
                feature = "salvo",
                feature = "testing",
                feature = "warp",
            ),
            doc = include_str!(concat!("../docs/", $file))
        )]
        pub mod $guide {}
    )*};
}

guides! {
    /// With axum.
    ///
    axum: "axum.md";
    /// With actix-web.
    ///
    actix_web: "actix-web.md";
    /// With rocket.
    ///
    rocket: "rocket.md";
    /// With poem.
    ///
    poem: "poem.md";
    /// With salvo.
    ///
    salvo: "salvo.md";
    /// Which server, and how many viewers.
    ///
    which_server: "which-server.md";
    /// Recipes: rama, ntex, trillium.
    ///
    recipes: "recipes.md";
    /// Streams: how they begin, live and end.
    ///
    streams: "streams.md";
    /// Push to everyone: what is made once for many.
    ///
    push_to_everyone: "push-to-everyone.md";
    /// More than one machine.
    ///
    more_than_one_machine: "more-than-one-machine.md";
    /// Signals: what a page sends, and what it gets.
    ///
    signals: "signals.md";
    /// Compression: on by default, and what it costs.
    ///
    compression: "compression.md";
    /// Testing handlers.
    ///
    testing: "testing.md";
    /// Coming from datastar-cl.
    ///
    from_datastar_cl: "from-datastar-cl.md";
    /// Coming from the crate `datastar`.
    ///
    from_datastar_rust: "from-datastar-rust.md";
}
