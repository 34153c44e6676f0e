//! NATS.

use nodes::Server;
use sidereal_sse::broker::{Broker, Nats};

use crate::contract::Engine;

struct NatsServer(Server);

impl Engine for NatsServer {
    async fn start() -> Option<Self> {
        Some(Self(Server::nats().start().await?))
    }

    fn server(&self) -> &Server {
        &self.0
    }

    fn broker(&self, namespace: &str) -> impl Broker {
        Nats::new(self.0.url()).namespace(namespace)
    }
}

contract!(NatsServer);
