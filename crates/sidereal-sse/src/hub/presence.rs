//! Who is there, on all nodes.

use std::{
    collections::{BTreeMap, HashMap},
    error::Error,
    fmt,
    sync::{Arc, Mutex, MutexGuard, Weak},
    time::Duration,
};

use bytes::{Buf as _, BufMut as _, Bytes};

use super::{
    Hub, HubInner, TopicName,
    feed::{Following, Watch},
    lock,
    named::Invalidate,
    nodes::{Carrier, Channel, NODES_TARGET, Place, Receiver},
};
use crate::ClientId;

/// The longest text of an entry, in bytes.
const LONGEST: usize = 4096;

/// How many bytes of entries are sent in one message, when all are told.
const PART: usize = 64 << 10;

/// How long those who ask wait, so that many are answered at once.
const GATHER: Duration = Duration::from_millis(100);

/// Who is there: connections that say so, each with a text, on all nodes of a hub.
///
/// A connection is there from its first poll until its body is dropped. When a node dies, who was
/// there by it is gone after [`node_timeout`](crate::broker::BrokerOptions::node_timeout), 5 s by
/// default, and a second at most; so it is for all others where the broker is away for that long.
///
/// Cheap to clone; all clones, and all of the same key in a hub, are the same.
///
/// ```
/// use sidereal_sse::{Connect, Event, Hub, Presence, View};
///
/// let hub = Hub::new();
/// let lobby = hub.presence("lobby");
/// let list = View::new(lobby.clone(), |lobby: &Presence| {
///     let names: Vec<_> = lobby.members().iter().map(|it| it.text().to_owned()).collect();
///     Event::new(names.join(", "))
/// })
/// .depends_on(&lobby);
///
/// // A handler: who is connected is in the list, and sees it.
/// let sse = Connect::new().watch((&list, lobby.entry("Ada")?));
/// # let _ = sse;
/// # Ok::<(), sidereal_sse::EntryTooLong>(())
/// ```
#[derive(Clone)]
pub struct Presence {
    inner: Arc<Inner>,
    _hub: Hub,
}

/// One who is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    client: ClientId,
    text: Arc<str>,
}

impl Member {
    /// The connection.
    pub fn client(&self) -> ClientId {
        self.client
    }

    /// What it entered with.
    pub fn text(&self) -> &str {
        &self.text
    }
}

type Members = BTreeMap<ClientId, Arc<str>>;

struct Inner {
    name: TopicName,
    hub: Weak<HubInner>,
    /// Its way to other nodes, in a hub that has some.
    carrier: Option<Arc<Carrier>>,
    itself: Weak<Self>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    own: Members,
    others: HashMap<u64, Theirs>,
    dependents: Vec<Weak<dyn Invalidate>>,
    /// What is to be said soon.
    asks: bool,
    tells: bool,
}

/// Those who are there by another node.
#[derive(Default)]
struct Theirs {
    members: Members,
    /// All of them, as far as they have come.
    coming: Option<Members>,
}

/// The presences of a hub.
#[derive(Default)]
pub(super) struct Presences(Mutex<HashMap<TopicName, Weak<Inner>>>);

impl HubInner {
    fn presence(self: &Arc<Self>, name: TopicName) -> Arc<Inner> {
        let mut presences = lock(&self.presences.0);
        if let Some(inner) = presences.get(&name).and_then(Weak::upgrade) {
            return inner;
        }
        let channel = Channel::plain(format!("presence/{name}"));
        let carrier = self.nodes.get().map(|nodes| nodes.carrier(channel, 0));
        let inner = Arc::new_cyclic(|itself| Inner {
            name: name.clone(),
            hub: Arc::downgrade(self),
            carrier,
            itself: itself.clone(),
            state: Mutex::default(),
        });
        if let Some(carrier) = &inner.carrier {
            let receiver: Weak<Inner> = Arc::downgrade(&inner);
            carrier.set_receiver(receiver);
            carrier.follow();
        }
        presences.insert(name, Arc::downgrade(&inner));
        inner
    }
}

impl Presence {
    pub(super) fn new(hub: &Hub, name: TopicName) -> Self {
        Self {
            inner: hub.inner.presence(name),
            _hub: hub.clone(),
        }
    }

    /// Its name.
    pub fn name(&self) -> &TopicName {
        &self.inner.name
    }

    /// What a connection follows to be there, with this text: a name, or whatever else of the
    /// application's, to be read by it again. One connection is there once: of two entries the last
    /// counts.
    ///
    /// A reply that does not stay ([`Connect::once`](crate::Connect::once)) is not there.
    ///
    /// # Errors
    ///
    /// When the text is longer than 4 KiB.
    pub fn entry(&self, text: impl Into<Arc<str>>) -> Result<Entry, EntryTooLong> {
        let text = text.into();
        match text.len() > LONGEST {
            true => Err(EntryTooLong { length: text.len() }),
            false => Ok(Entry {
                presence: self.clone(),
                text,
            }),
        }
    }

    /// Who is there, as far as this node knows: in the order of their connections, those of one node
    /// together.
    pub fn members(&self) -> Vec<Member> {
        let state = self.inner.state();
        let others = state.others.values().map(|theirs| &theirs.members);
        let all = std::iter::once(&state.own).chain(others).flatten();
        let mut members: Vec<_> = all
            .map(|(client, text)| Member {
                client: *client,
                text: text.clone(),
            })
            .collect();
        drop(state);
        members.sort_by_key(|member| member.client);
        members
    }

    /// How many are there.
    pub fn count(&self) -> usize {
        let state = self.inner.state();
        let others = state.others.values().map(|theirs| theirs.members.len());
        state.own.len() + others.sum::<usize>()
    }

    /// Has it rendered anew when somebody comes or goes.
    pub(super) fn changes(&self, view: Weak<dyn Invalidate>) {
        let mut state = self.inner.state();
        state.dependents.retain(|view| view.strong_count() > 0);
        state.dependents.push(view);
    }
}

/// A connection's being there, to be followed: [`Presence::entry`].
#[derive(Clone)]
pub struct Entry {
    presence: Presence,
    text: Arc<str>,
}

impl Watch for Entry {
    fn follow(&self, following: &mut Following) {
        following.0.join(self.presence._hub.inner.clone());
        following.0.entries.push(self.clone());
    }
}

/// A connection is there as long as this is.
pub(super) struct Here {
    presence: Presence,
    client: ClientId,
}

impl Entry {
    pub(super) fn enter(self, client: ClientId) -> Here {
        let Self { presence, text } = self;
        let mut message = vec![JOINED];
        put(&mut message, client, &text);
        presence.inner.change(message, |own| {
            own.insert(client, text);
        });
        Here { presence, client }
    }
}

impl Drop for Here {
    fn drop(&mut self) {
        let mut message = vec![LEFT];
        put(&mut message, self.client, "");
        self.presence.inner.change(message, |own| {
            own.remove(&self.client);
        });
    }
}

impl Inner {
    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// Changes who is there by this node.
    fn change(&self, message: Vec<u8>, change: impl FnOnce(&mut Members)) {
        let change = || change(&mut self.state().own);
        match &self.carrier {
            // If it cannot be sent, the others ask for all.
            Some(carrier) => {
                let _ = carrier.send(&[&message], None, change);
            }
            None => change(),
        }
        self.changed();
    }

    /// Those who show it render it anew: they may be code of the application's.
    fn changed(&self) {
        let dependents = self.state().dependents.clone();
        for view in dependents.iter().filter_map(Weak::upgrade) {
            view.invalidate();
        }
    }

    /// From the broker's thread: where the application lives.
    fn changed_elsewhere(&self) {
        let itself = self.itself.clone();
        self.spawn(move || {
            let itself = itself.clone();
            async move {
                if let Some(presence) = itself.upgrade() {
                    presence.changed();
                }
            }
        });
    }

    fn spawn<M, F>(&self, make: M)
    where
        M: Fn() -> F + Send + Sync + Unpin + 'static,
        F: Future<Output = ()> + Send + 'static,
    {
        if let Some(carrier) = &self.carrier {
            carrier.nodes().spawn(make);
        }
    }

    /// Asks all other nodes who is there by them, or tells them who is by this one: soon, and once for
    /// all who have cause to.
    fn says_soon(&self, asks: bool, tells: bool) {
        let mut state = self.state();
        let is_planned = state.asks || state.tells;
        state.asks |= asks;
        state.tells |= tells;
        drop(state);
        if is_planned {
            return;
        }
        let itself = self.itself.clone();
        self.spawn(move || {
            let itself = itself.clone();
            async move {
                tokio::time::sleep(GATHER).await;
                if let Some(presence) = itself.upgrade() {
                    presence.says();
                }
            }
        });
    }

    fn says(&self) {
        let Some(carrier) = &self.carrier else {
            return;
        };
        let mut state = self.state();
        let asks = std::mem::take(&mut state.asks);
        let tells = std::mem::take(&mut state.tells);
        drop(state);
        carrier.send_all(|| {
            let mut messages = Vec::new();
            if asks {
                messages.push(Bytes::from_static(&[ASKS]));
            }
            if tells {
                self.tell_all(&mut messages);
            }
            messages
        });
    }

    fn tell_all(&self, messages: &mut Vec<Bytes>) {
        let carrier = self.carrier.as_ref();
        let longest = carrier.map_or(PART, |carrier| carrier.longest_event().min(PART));
        messages.push(Bytes::from_static(&[ALL]));
        let mut part = vec![SOME];
        for (client, text) in &self.state().own {
            put(&mut part, *client, text);
            if part.len() + 2 * LONGEST > longest {
                messages.push(std::mem::replace(&mut part, vec![SOME]).into());
            }
        }
        messages.push(part.into());
        messages.push(Bytes::from_static(&[DONE]));
    }

    /// Says whether there was something in it that this node understands.
    fn hear(&self, node: u64, mut message: Bytes) -> Option<bool> {
        let what = take_byte(&mut message)?;
        if what == ASKS {
            self.says_soon(false, true);
            return Some(false);
        }
        let mut state = self.state();
        let theirs = state.others.entry(node).or_default();
        match what {
            JOINED => {
                let (client, text) = take(&mut message)?;
                if let Some(coming) = &mut theirs.coming {
                    coming.insert(client, text.clone());
                }
                theirs.members.insert(client, text);
            }
            LEFT => {
                let (client, _) = take(&mut message)?;
                if let Some(coming) = &mut theirs.coming {
                    coming.remove(&client);
                }
                theirs.members.remove(&client);
            }
            ALL => {
                theirs.coming = Some(Members::new());
                return Some(false);
            }
            SOME => {
                let coming = theirs.coming.as_mut()?;
                while !message.is_empty() {
                    let (client, text) = take(&mut message)?;
                    coming.insert(client, text);
                }
                return Some(false);
            }
            DONE => {
                let all = theirs.coming.take()?;
                if theirs.members == all {
                    return Some(false);
                }
                theirs.members = all;
            }
            _ => return None,
        }
        Some(true)
    }
}

impl Receiver for Inner {
    fn take(&self, node: u64, body: &Bytes, _: Option<Place>) {
        // Of a node that is not there, or not yet, nobody would learn that it has gone. When it comes
        // it is asked.
        let carrier = self.carrier.as_ref();
        if !carrier.is_some_and(|carrier| carrier.nodes().has_node(node)) {
            return;
        }
        match self.hear(node, body.clone()) {
            Some(true) => self.changed_elsewhere(),
            Some(false) => {}
            None => {
                tracing::warn!(target: NODES_TARGET, name = %self.name, "what a node says of who is there cannot be read");
            }
        }
    }

    fn begin(&self, _: Place, _: bool) {}

    fn missed(&self) {
        self.says_soon(true, true);
    }

    fn settled(&self) {
        self.says_soon(true, true);
    }

    fn is_wanted(&self) -> bool {
        true
    }

    fn node_came(&self, _: u64) {
        self.says_soon(true, false);
    }

    fn node_went(&self, node: u64) {
        let gone = self.state().others.remove(&node);
        if gone.is_some_and(|theirs| !theirs.members.is_empty()) {
            self.changed_elsewhere();
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        let Some(hub) = self.hub.upgrade() else {
            return;
        };
        let mut presences = lock(&hub.presences.0);
        let known = presences.get(&self.name);
        if known.is_some_and(|known| known.strong_count() == 0) {
            presences.remove(&self.name);
        }
        drop(presences);
    }
}

// What a node says: first what, then clients, each a process, a number, the length of a text, and
// the text.
const ASKS: u8 = 0;
const JOINED: u8 = 1;
const LEFT: u8 = 2;
const ALL: u8 = 3;
const SOME: u8 = 4;
const DONE: u8 = 5;

fn put(message: &mut Vec<u8>, client: ClientId, text: &str) {
    let (process, number) = client.parts();
    message.put_u64(process);
    message.put_u64(number);
    message.put_u32(text.len() as u32);
    message.put_slice(text.as_bytes());
}

fn take_byte(message: &mut Bytes) -> Option<u8> {
    message.has_remaining().then(|| message.get_u8())
}

fn take(message: &mut Bytes) -> Option<(ClientId, Arc<str>)> {
    if message.remaining() < 20 {
        return None;
    }
    let client = ClientId::from_parts(message.get_u64(), message.get_u64());
    let length = message.get_u32() as usize;
    if message.remaining() < length {
        return None;
    }
    let text = message.split_to(length);
    Some((client, std::str::from_utf8(&text).ok()?.into()))
}

impl fmt::Debug for Presence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Presence")
            .field("name", self.name())
            .field("count", &self.count())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry")
            .field("presence", &self.presence)
            .finish_non_exhaustive()
    }
}

/// The text of an entry is longer than 4 KiB.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntryTooLong {
    length: usize,
}

impl fmt::Display for EntryTooLong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the text of an entry is {} bytes long; it may be {LONGEST}",
            self.length
        )
    }
}

impl Error for EntryTooLong {}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn nothing_that_a_node_says_panics(messages: Vec<Vec<u8>>) {
            let hub = Hub::new();
            let presence = hub.presence("lobby");
            for mut message in messages {
                // Most of what there is begins with something that is known.
                if let Some(what) = message.first_mut() {
                    *what %= 7;
                }
                let _ = presence.inner.hear(1, message.into());
            }
            proptest::prop_assert_eq!(presence.count(), presence.members().len());
        }
    }
}
