//! Views that are known in a hub by a name, and what happens when a name is invalidated.

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    sync::{Arc, Mutex, MutexGuard, Weak},
};

use bytes::Bytes;

use super::{
    Hub, HubInner, TopicName, lock,
    nodes::{Carrier, Channel, Place, Receiver},
};

/// What can be rendered anew: a view, whatever its state.
pub(super) trait Invalidate: Send + Sync {
    fn invalidate(&self);
}

/// The views of a hub that have names.
#[derive(Default)]
pub(super) struct Named(Mutex<Listed>);

#[derive(Default)]
struct Listed {
    /// How many there ever were.
    count: u64,
    views: BTreeMap<(TopicName, u64), Weak<dyn Invalidate>>,
    /// What other nodes say of them, in a hub that has some.
    heard: HashMap<TopicName, Weak<Heard>>,
}

/// Hears that a name was invalidated on another node.
struct Heard {
    hub: Weak<HubInner>,
    name: TopicName,
    /// The channel is followed as long as this is here.
    _carrier: Arc<Carrier>,
}

impl Named {
    fn listed(&self) -> MutexGuard<'_, Listed> {
        lock(&self.0)
    }
}

/// A view's place among those that have names, as long as this exists.
pub(super) struct Name {
    hub: Hub,
    name: TopicName,
    number: u64,
    heard: Option<Arc<Heard>>,
}

impl Name {
    pub(super) fn new(hub: &Hub, name: TopicName, view: Weak<dyn Invalidate>) -> Self {
        let mut listed = hub.inner.named.listed();
        listed.count += 1;
        let number = listed.count;
        listed.views.insert((name.clone(), number), view);
        let heard = hub.inner.hears(&mut listed, &name);
        drop(listed);
        Self {
            hub: hub.clone(),
            name,
            number,
            heard,
        }
    }

    /// Where it is known, and by what.
    pub(super) fn parts(&self) -> (Hub, TopicName) {
        (self.hub.clone(), self.name.clone())
    }
}

impl Drop for Name {
    fn drop(&mut self) {
        let key = (self.name.clone(), self.number);
        let heard = self.heard.take();
        let mut listed = self.hub.inner.named.listed();
        let gone = listed.views.remove(&key);
        if heard.is_some_and(|heard| Arc::strong_count(&heard) == 1) {
            listed.heard.remove(&self.name);
        }
        drop(listed);
        // It may be the last to know the view's memory.
        drop(gone);
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.name.fmt(f)
    }
}

/// Invalidation by name has one way in, and all of it goes through here.
impl HubInner {
    /// All views of this name, on all nodes. Where the broker is away, the others learn of it when it
    /// is back.
    pub(super) fn invalidate(&self, name: &TopicName) {
        self.invalidate_here(name);
        if let Some(nodes) = self.nodes.get() {
            // If it is not taken, the others are told so later.
            let _ = nodes.tell(&channel(name), &[]);
        }
    }

    /// Hears of the name from other nodes.
    fn hears(self: &Arc<Self>, listed: &mut Listed, name: &TopicName) -> Option<Arc<Heard>> {
        let nodes = self.nodes.get()?;
        if let Some(heard) = listed.heard.get(name).and_then(Weak::upgrade) {
            return Some(heard);
        }
        let carrier = nodes.carrier(channel(name), 0);
        let heard = Arc::new(Heard {
            hub: Arc::downgrade(self),
            name: name.clone(),
            _carrier: carrier.clone(),
        });
        let receiver: Weak<Heard> = Arc::downgrade(&heard);
        carrier.set_receiver(receiver);
        carrier.follow();
        listed.heard.insert(name.clone(), Arc::downgrade(&heard));
        Some(heard)
    }

    /// All views of this name in this process: something said that what they show has changed.
    pub(super) fn invalidate_here(&self, name: &TopicName) {
        let first = (name.clone(), 0);
        let last = (name.clone(), u64::MAX);
        let listed = self.named.listed();
        let views = listed.views.range(first..=last);
        let views = views.filter_map(|(_, view)| view.upgrade()).collect();
        drop(listed);
        invalidate_all(views);
    }

    /// All views of this process that have a name: nobody knows what was missed.
    pub(super) fn invalidate_all_here(&self) {
        let listed = self.named.listed();
        let views = listed.views.values();
        let views = views.filter_map(Weak::upgrade).collect();
        drop(listed);
        invalidate_all(views);
    }
}

fn channel(name: &TopicName) -> Channel {
    Channel::plain(format!("view/{name}"))
}

/// Whatever is heard, or was perhaps missed, the views show the newest after it.
impl Receiver for Heard {
    fn take(&self, _: u64, _: &Bytes, _: Option<Place>) {
        self.missed();
    }

    fn begin(&self, _: Place, _: bool) {}

    fn missed(&self) {
        let Some(hub) = self.hub.upgrade() else {
            return;
        };
        if let Some(nodes) = hub.nodes.get() {
            let (hub, name) = (self.hub.clone(), self.name.clone());
            nodes.spawn(move || {
                let (hub, name) = (hub.clone(), name.clone());
                async move {
                    if let Some(hub) = hub.upgrade() {
                        hub.invalidate_here(&name);
                    }
                }
            });
        }
    }

    /// What was said while the broker was away, and by whom, does not matter: it is loaded anew.
    fn may_have_missed(&self) {
        self.missed();
    }

    fn settled(&self) {}

    fn is_wanted(&self) -> bool {
        true
    }
}

/// Without the lock: whose last reference goes here leaves the list.
fn invalidate_all(views: Vec<Arc<dyn Invalidate>>) {
    for view in views {
        view.invalidate();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    };

    use super::{Invalidate, Name};
    use crate::{Event, Hub, TopicName, View};

    fn view(hub: &Hub, key: &str) -> View<u32> {
        View::new(0, |n: &u32| Event::from_display(n)).named(hub, key)
    }

    fn count(hub: &Hub) -> usize {
        hub.inner.named.listed().views.len()
    }

    #[test]
    fn views_that_are_gone_leave_nothing_behind() {
        let hub = Hub::new();
        for _ in 0..3 {
            let views: Vec<_> = (0..100)
                .map(|n| view(&hub, ["a", "b"][n % 2]))
                .flat_map(|view| [view.clone(), view])
                .collect();
            assert_eq!(count(&hub), 100);
            hub.invalidate("a");
            hub.invalidate("c");
            hub.invalidate_all();
            assert_eq!(
                count(&hub),
                100,
                "of names that nobody has, nothing is kept"
            );
            drop(views);
            assert_eq!(count(&hub), 0);
        }
    }

    #[test]
    fn a_view_has_one_name() {
        let hub = Hub::new();
        let other = Hub::new();
        let view = view(&hub, "a").named(&hub, "b").named(&other, "c");
        assert_eq!((count(&hub), count(&other)), (0, 1));
        drop(view);
        assert_eq!(count(&other), 0);
    }

    /// The last reference to a view may go just then, and with it the view's name.
    #[test]
    fn views_are_invalidated_without_the_lock() {
        struct Probe(Hub, AtomicU32);
        impl Invalidate for Probe {
            fn invalidate(&self) {
                assert!(self.0.inner.named.0.try_lock().is_ok());
                self.1.fetch_add(1, Ordering::SeqCst);
            }
        }
        let hub = Hub::new();
        let probe = Arc::new(Probe(hub.clone(), AtomicU32::new(0)));
        let weak = Arc::downgrade(&probe);
        let _name = Name::new(&hub, TopicName::new("a"), weak);
        hub.invalidate("a");
        hub.invalidate_all();
        assert_eq!(probe.1.load(Ordering::SeqCst), 2);
    }

    /// A hub that only its views hold goes with them.
    #[test]
    fn a_hub_and_its_views_hold_each_other_not_for_ever() {
        let hub = Hub::new();
        let inner = Arc::downgrade(&hub.inner);
        let view = view(&hub, "a");
        drop(hub);
        assert!(inner.strong_count() > 0);
        view.invalidate();
        drop(view);
        assert_eq!(inner.strong_count(), 0);
    }
}
