//! Events for one connection that is on another node.

use std::sync::{Arc, Weak};

use bytes::{Buf as _, Bytes};

use super::{
    HubInner,
    nodes::{Carrier, Channel, NODES_TARGET, Nodes, NotSent, Place, Receiver, wire},
};
use crate::{ClientId, EndReason, Frame, SendError, client::process};

/// The channel on which the connections of a process are sent events.
fn channel(process: u64) -> Channel {
    Channel::plain(format!("client/{process:016x}"))
}

/// Takes in what other nodes send to connections of this one.
pub(super) fn inbox(hub: &Arc<HubInner>, nodes: &Arc<Nodes>) -> Arc<Carrier> {
    let carrier = nodes.carrier(channel(process()), 0);
    let receiver: Weak<HubInner> = Arc::downgrade(hub);
    carrier.set_receiver(receiver);
    carrier.follow();
    carrier
}

impl HubInner {
    /// Sends an event to a connection that is not on this node.
    pub(super) fn send_elsewhere(&self, client: ClientId, frame: Frame) -> Result<(), SendError> {
        let (process, number) = client.parts();
        let nodes = self.nodes.get();
        let nodes = nodes.filter(|_| client.number_here().is_none());
        let Some(nodes) = nodes.filter(|nodes| nodes.has_process(process)) else {
            return Err(SendError::ended(EndReason::Disconnected));
        };
        let limit = nodes.longest_event().saturating_sub(8);
        if frame.len() > limit {
            return Err(SendError::too_large(frame.len(), limit));
        }
        if frame.is_empty() {
            return Ok(());
        }
        let [is_sensitive, event] = wire::event(&frame);
        let body = [&number.to_be_bytes(), is_sensitive, event];
        let sent = nodes.tell(&channel(process), &body);
        sent.map_err(|refused| match refused {
            NotSent::Away => SendError::away(),
            NotSent::Full => SendError::full(),
        })
    }
}

/// What other nodes send to connections of this one.
impl Receiver for HubInner {
    fn take(&self, _: u64, body: &Bytes, _: Option<Place>) {
        let mut body = body.clone();
        if body.remaining() < 8 {
            tracing::warn!(target: NODES_TARGET, "an event for one connection cannot be read");
            return;
        }
        let client = ClientId::from_parts(process(), body.get_u64());
        let Some(sender) = self.registry.sender(client) else {
            tracing::debug!(target: NODES_TARGET, %client, "an event for a connection that is gone");
            return;
        };
        match wire::read_event(&body) {
            Ok(frame) => {
                if let Err(error) = sender.try_send(frame) {
                    tracing::debug!(target: NODES_TARGET, %client, %error, "an event for one connection was not sent");
                }
            }
            Err(error) => {
                tracing::warn!(target: NODES_TARGET, %client, %error, "an event for one connection cannot be read");
            }
        }
    }

    fn begin(&self, _: Place, _: bool) {}

    /// It was sent at most once.
    fn missed(&self) {}

    fn settled(&self) {}

    fn is_wanted(&self) -> bool {
        true
    }
}
