//! The application's settings, as a hoop, and rejections, whose answer they have to do with.

use salvo_core::{
    Depot, FlowCtrl, Handler, Request, Response, Writer, async_trait, http::StatusCode,
};

use super::respond::render_whole;
use crate::{Config, SignalsRejection};

/// A rejection was answered with events.
#[derive(Clone, Copy, Debug)]
struct AnsweredWithEvents;

/// Gives the settings to the handlers that come after it.
#[async_trait]
impl Handler for Config {
    async fn handle(
        &self,
        request: &mut Request,
        depot: &mut Depot,
        response: &mut Response,
        ctrl: &mut FlowCtrl,
    ) {
        depot.insert_typed(self.clone());
        ctrl.call_next(request, depot, response).await;
        // What salvo calls a rejection is an error to it, whatever the status was.
        if depot.remove_typed::<AnsweredWithEvents>().is_ok() {
            response.status_code(StatusCode::OK);
        }
    }
}

#[async_trait]
impl Writer for SignalsRejection {
    async fn write(self, _: &mut Request, depot: &mut Depot, response: &mut Response) {
        if self.status() == StatusCode::OK {
            depot.insert_typed(AnsweredWithEvents);
        }
        render_whole(self.into(), response);
    }
}
