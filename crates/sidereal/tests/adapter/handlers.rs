//! Handlers that several frameworks have in common.

/// The handlers as asynchronous functions, with the attribute that makes them handlers: all but
/// those whose arguments differ by framework.
macro_rules! handlers {
    ($(#[$handler:meta])?) => {
        $(#[$handler])?
        async fn strict(form: sidereal::Signals<adapter::Form>) -> sidereal::PatchElements {
            adapter::strict(form)
        }

        $(#[$handler])?
        async fn lenient(form: sidereal::LenientSignals<adapter::Form>) -> String {
            adapter::lenient(form.0)
        }

        $(#[$handler])?
        async fn tab_id(tab: sidereal::TabId) -> String {
            tab.to_string()
        }

        $(#[$handler])?
        async fn event() -> sidereal::PatchSignals {
            adapter::event()
        }

        $(#[$handler])?
        async fn script() -> sidereal::ExecuteScript {
            adapter::script()
        }

        $(#[$handler])?
        async fn html() -> sidereal::HtmlReply {
            adapter::html()
        }

        $(#[$handler])?
        async fn json() -> sidereal::SignalsReply {
            adapter::json()
        }

        $(#[$handler])?
        async fn failing() -> Result<sidereal::PatchSignals, sidereal::SignalsError> {
            adapter::error()
        }

        $(#[$handler])?
        async fn slow(connect: sidereal::Connect) -> sidereal::Sse {
            adapter::slow(connect)
        }

        $(#[$handler])?
        async fn silent(connect: sidereal::Connect) -> sidereal::Sse {
            adapter::silent(connect)
        }

        $(#[$handler])?
        async fn broken(connect: sidereal::Connect) -> sidereal::Sse {
            adapter::broken(connect)
        }

        $(#[$handler])?
        async fn old(connect: sidereal::Connect) -> sidereal::Sse {
            adapter::old(connect)
        }

        $(#[$handler])?
        async fn connected(connect: sidereal::Connect) -> sidereal::Sse {
            adapter::connected(connect)
        }

        $(#[$handler])?
        async fn settings(config: sidereal::Config) -> sidereal::Sse {
            adapter::connected_by(&config)
        }
    };
}
pub(crate) use handlers;
