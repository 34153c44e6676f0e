//! Hubs on several nodes: processes, on any number of machines, that share a broker.
//!
//! [`Hub::with_broker`](crate::Hub::with_broker) takes one.

#[cfg(feature = "nats")]
mod nats;
#[cfg(feature = "redis")]
mod redis;

#[cfg(feature = "nats")]
pub use self::nats::{Nats, async_nats};
#[cfg(feature = "redis")]
pub use self::redis::Redis;
pub use crate::hub::nodes::{
    Append, Broker, BrokerError, BrokerFuture, BrokerOptions, Channel, Deliver, History, Link,
    Message, NODES_TARGET, Place, Stored, WhenAway,
};
