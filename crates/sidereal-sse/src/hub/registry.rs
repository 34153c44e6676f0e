//! Who is connected.

use std::{
    collections::HashMap,
    num::NonZeroU64,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::HubInner;
use crate::{Client, ClientId, Sender};

/// The connections of a hub, and how many places are taken.
#[derive(Default)]
pub(super) struct Registry(Mutex<Connections>);

#[derive(Default)]
struct Connections {
    /// With those that have not begun yet.
    taken: usize,
    /// By the number in this process.
    senders: HashMap<u64, Sender>,
}

impl Registry {
    fn connections(&self) -> MutexGuard<'_, Connections> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn count(&self) -> usize {
        self.connections().senders.len()
    }

    pub(super) fn clients(&self) -> Vec<Client> {
        let connections = self.connections();
        let senders = connections.senders.values();
        senders.map(|sender| sender.client().clone()).collect()
    }

    pub(super) fn senders(&self) -> Vec<Sender> {
        self.connections().senders.values().cloned().collect()
    }

    pub(super) fn sender(&self, client: ClientId) -> Option<Sender> {
        let number = client.number_here()?;
        self.connections().senders.get(&number).cloned()
    }
}

/// A connection's place in a hub, as long as this exists.
pub(crate) struct Admission {
    hub: Arc<HubInner>,
    client: Option<NonZeroU64>,
}

impl HubInner {
    /// Takes a place, unless all are taken.
    pub(crate) fn admit(hub: Arc<Self>) -> Option<Admission> {
        let mut connections = hub.registry.connections();
        if connections.taken >= hub.max_connections() {
            return None;
        }
        connections.taken += 1;
        drop(connections);
        Some(Admission { hub, client: None })
    }
}

impl Admission {
    /// From now on the connection can be found.
    pub(crate) fn register(&mut self, sender: &Sender) {
        let client = sender.client().number();
        let mut connections = self.hub.registry.connections();
        let before = connections.senders.insert(client, sender.clone());
        drop(connections);
        drop(before);
        self.client = NonZeroU64::new(client);
    }
}

impl Drop for Admission {
    fn drop(&mut self) {
        let mut connections = self.hub.registry.connections();
        connections.taken -= 1;
        let gone = self
            .client
            .and_then(|client| connections.senders.remove(&client.get()));
        // Many who came and went leave no memory behind.
        if connections.taken == 0 {
            connections.senders = HashMap::new();
        }
        drop(connections);
        // The application's data may go with it.
        drop(gone);
    }
}
