//! What a connection follows: the topics, where it stands in each, and what comes next in all of
//! them.

use std::{num::NonZeroU32, sync::Arc};

use super::{
    Hub, HubInner, order,
    presence::{Entry, Here},
    ring::Ring,
    stamp,
    topic::{Lag, TopicInner},
};
use crate::{
    Client, EventId, Frame, Sender,
    hub::registry::Admission,
    listeners::{Listener, Slot},
    wake::Wake,
};

/// Where a follower starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Start {
    Next,
    Newest,
    Oldest,
    /// The newest, once what is shown is of this version.
    Version(u32),
}

/// What a source shows that has versions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shown {
    pub(crate) version: u32,
    pub(crate) is: Is,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Is {
    /// The newest event.
    #[default]
    Picture,
    /// Nothing.
    Empty,
    Failed,
}

impl Shown {
    /// Whether it is of this version or a later one. They come round, after four billion.
    fn is_of(self, version: u32) -> bool {
        self.version.wrapping_sub(version) < u32::MAX / 2
    }
}

/// What can be followed: a topic, and who is to be told that somebody follows it.
pub(crate) trait Source: Send + Sync + 'static {
    fn topic(&self) -> &TopicInner;

    /// Whether the newest event shows the present.
    fn is_present(&self) -> bool {
        false
    }

    /// What it shows.
    fn shown(&self) -> Option<Shown> {
        None
    }

    /// Somebody follows from now on. With `fresh`, an event that does not show the present will
    /// not do.
    fn begin(self: Arc<Self>, fresh: bool) -> Start;
}

/// What a connection is going to follow.
#[derive(Default)]
pub(crate) struct Plan {
    pub(crate) sources: Vec<Arc<dyn Source>>,
    pub(crate) bodies: Vec<crate::live::Start>,
    pub(crate) hubs: Vec<Arc<HubInner>>,
    /// Where the connection is present.
    pub(super) entries: Vec<Entry>,
    /// One event of each, and no more.
    pub(crate) once: bool,
    pub(crate) resume: Option<EventId>,
    /// Places in the hubs, once there are some.
    pub(crate) admissions: Vec<Admission>,
}

impl Plan {
    pub(crate) fn add(&mut self, source: Arc<dyn Source>) {
        if let Some(hub) = source.topic().hub.upgrade() {
            self.join(hub);
        }
        // Whoever follows a topic twice gets its events once.
        let is_new = |other: &Arc<dyn Source>| !std::ptr::eq(other.topic(), source.topic());
        if self.sources.iter().all(is_new) {
            self.sources.push(source);
        }
    }

    pub(crate) fn join(&mut self, hub: Arc<HubInner>) {
        if !self.hubs.iter().any(|other| Arc::ptr_eq(other, &hub)) {
            self.hubs.push(hub);
        }
    }

    /// Takes a place in each hub; `false` where one is full, or a topic could not be had.
    pub(crate) fn is_admitted(&mut self) -> bool {
        let hubs = std::mem::take(&mut self.hubs);
        self.admissions.reserve_exact(hubs.len());
        for hub in hubs {
            match HubInner::admit(hub) {
                Some(admission) => self.admissions.push(admission),
                None => return false,
            }
        }
        self.sources
            .iter()
            .all(|source| !source.topic().is_refused())
    }

    /// The newest events, where all are at hand and show the present.
    pub(crate) fn at_hand(&self) -> Option<Vec<Frame>> {
        if self.sources.is_empty() || !self.bodies.is_empty() {
            return None;
        }
        let newest = self.sources.iter().map(|source| {
            // In this order: what is present then is so, or something newer.
            let is_present = source.is_present();
            let ring = source.topic().ring();
            let entry = ring.entry(ring.pushed().checked_sub(1)?)?;
            is_present.then(|| (entry.number, entry.frame.clone()))
        });
        let mut newest = newest.collect::<Option<Vec<_>>>()?;
        newest.sort_by_key(|(number, _)| *number);
        Some(newest.into_iter().map(|(_, frame)| frame).collect())
    }

    /// Begins to follow.
    pub(crate) fn begin(self, wake: &Arc<Wake>, client: Option<&Client>) -> Feed {
        // `collect` would keep the larger allocation of the sources.
        let mut tracks = Vec::with_capacity(self.sources.len());
        for source in self.sources {
            tracks.push(Track::new(source, wake, client));
        }
        let entries = self.entries.into_iter().filter(|_| !self.once);
        let present = client.map(|client| entries.map(|entry| entry.enter(client.id())).collect());
        let mut feed = Feed {
            tracks,
            _present: present.unwrap_or_default(),
            admissions: self.admissions.into(),
            waiting: None,
            last: 0,
            is_resumed: false,
            has_old_id: false,
            once: self.once,
        };
        let resume = self.resume;
        match feed.is_settled() {
            true => feed.start(resume.as_ref()),
            false => feed.waiting = Some(Box::new(Waiting { resume })),
        }
        feed
    }
}

/// Goes on after the event with this id on all topics that replay, if each still keeps all that came
/// after it.
fn resume_all(tracks: &mut [Track], epoch: u32, id: u64) -> bool {
    let mut replayed: Vec<_> = tracks
        .iter_mut()
        .filter(|track| track.source.topic().options.replay)
        .collect();
    let positions = replayed
        .iter()
        .map(|track| track.source.topic().ring().after(epoch, id));
    let Some(positions) = positions.collect::<Option<Vec<_>>>() else {
        return false;
    };
    for (track, position) in replayed.iter_mut().zip(&positions) {
        track.next = *position;
        if track.source.topic().has_log() {
            track.after = id;
        }
    }
    !positions.is_empty()
}

/// What a connection follows.
pub(crate) struct Feed {
    tracks: Vec<Track>,
    admissions: Box<[Admission]>,
    _present: Box<[Here]>,
    /// It has not begun: some topics do not know yet what other nodes send.
    waiting: Option<Box<Waiting>>,
    /// The last id of a log that it has had of several.
    last: u64,
    is_resumed: bool,
    /// The client has an id that is good for nothing here, and may be good for something elsewhere.
    has_old_id: bool,
    once: bool,
}

struct Waiting {
    resume: Option<EventId>,
}

/// One topic, and where the connection stands in it.
struct Track {
    source: Arc<dyn Source>,
    slot: Slot,
    /// The position of the event that it reads next.
    next: u64,
    /// Events of a log up to this id it has had elsewhere.
    after: u64,
    /// Which version of what is shown it waits for, if it does.
    needs: Option<NonZeroU32>,
}

/// The event that a track would take.
#[derive(Clone, Copy)]
struct Peeked {
    number: u64,
    id: u64,
    has_log: bool,
}

/// How a track stands that may have waited for a version.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Settled {
    Ready,
    Waits,
    Empty,
    Failed,
}

/// What comes next of all that is followed.
#[derive(Debug)]
pub(crate) enum Next {
    /// An event, and how many went before it that this follower has missed.
    Event {
        frame: Frame,
        missed: u64,
    },
    Nothing,
    /// It has all that it was to get.
    Done,
    /// A topic said that there will be nothing.
    Failed,
    /// So many events are gone, and nothing came after them yet.
    Missed(u64),
    /// So many events of a topic are gone whose policy is to end the stream.
    Lagged(u64),
}

impl Feed {
    /// Whether all topics know what other nodes send.
    fn is_settled(&self) -> bool {
        let mut topics = self.tracks.iter().map(|track| track.source.topic());
        topics.all(|topic| topic.is_settled())
    }

    fn start(&mut self, resume: Option<&EventId>) {
        for track in &mut self.tracks {
            track.start(self.once);
        }
        let Some((epoch, id)) = resume.and_then(order::read) else {
            return;
        };
        self.is_resumed = resume_all(&mut self.tracks, epoch, id);
        let mut topics = self.tracks.iter().map(|track| track.source.topic());
        self.has_old_id = !self.is_resumed && topics.any(|topic| topic.options.replay);
    }

    /// Whether it has not begun, since other nodes' events do not come in yet. It begins as soon as they
    /// do.
    pub(crate) fn is_waiting(&mut self) -> bool {
        if self.waiting.is_some()
            && self.is_settled()
            && let Some(waiting) = self.waiting.take()
        {
            self.start(waiting.resume.as_ref());
        }
        self.waiting.is_some()
    }

    /// Whether it goes on where the client left off.
    pub(crate) fn is_resumed(&self) -> bool {
        self.is_resumed
    }

    /// Whether the client is to forget the id that it came with, before it is sent anything: it begins
    /// anew, and were it to come back with that id, it might be resumed where it was before. Once.
    pub(crate) fn forgets_id(&mut self) -> bool {
        std::mem::take(&mut self.has_old_id)
    }

    /// The connection can be found in its hubs from now on.
    pub(crate) fn register(&mut self, sender: &Sender) {
        for admission in &mut self.admissions {
            admission.register(sender);
        }
    }

    /// Whether there may be something new.
    pub(crate) fn has_news(&self) -> bool {
        if self.waiting.is_some() {
            return self.is_settled();
        }
        let is_held = self.is_held();
        let mut tracks = self.tracks.iter();
        tracks.any(|track| !(is_held && track.source.topic().has_log()) && track.has_news())
    }

    /// Whether the events of logs wait, since some may come that are before them. Of one topic they
    /// come in order anyway.
    fn is_held(&self) -> bool {
        self.tracks.len() > 1
            && self
                .tracks
                .iter()
                .any(|track| track.source.topic().is_reading())
    }

    /// The next event in the order of all events, up to the one with this number.
    ///
    /// Those of a broker's log come in the order of the log.
    pub(crate) fn next(&mut self, until: u64) -> Next {
        if self.is_waiting() {
            return Next::Nothing;
        }
        // Most follow one topic, which has an order of its own.
        if let [track] = &mut self.tracks[..]
            && !self.once
            && track.needs.is_none()
        {
            return track.next(until);
        }
        if self.settle() {
            return Next::Failed;
        }
        loop {
            // First the limit, then the rings: what is numbered up to it is in them.
            let limit = order::published();
            let is_held = self.is_held();
            let mut first: Option<(Peeked, usize)> = None;
            let mut logged: Option<(Peeked, usize)> = None;
            let mut is_late = false;
            for index in 0..self.tracks.len() {
                let peeked = match self.tracks[index].peek() {
                    Ok(Some(peeked)) => peeked,
                    Ok(None) => continue,
                    Err(missed) => return missed,
                };
                if peeked.has_log {
                    if !is_held && logged.is_none_or(|(before, _)| peeked.id < before.id) {
                        logged = Some((peeked, index));
                    }
                } else if peeked.number > limit {
                    is_late = true;
                } else if first.is_none_or(|(before, _)| peeked.number < before.number) {
                    first = Some((peeked, index));
                }
            }
            // The first of the logs is late, though others of them are not.
            let logged = logged.filter(|(peeked, _)| {
                is_late |= peeked.number > limit;
                peeked.number <= limit
            });
            let first = match (first, logged) {
                (Some(first), Some(logged)) if logged.0.number < first.0.number => Some(logged),
                (Some(first), _) => Some(first),
                (None, logged) => logged,
            };
            match first {
                Some((peeked, index)) if peeked.number <= until => {
                    let mut next = self.tracks[index].next(peeked.number);
                    if self.once && matches!(next, Next::Event { .. }) {
                        self.tracks.remove(index);
                    }
                    if peeked.has_log {
                        self.keeps_order(&mut next, peeked.id);
                    }
                    // Nothing where it is gone since: then it looks again.
                    if !matches!(next, Next::Nothing) {
                        return next;
                    }
                }
                _ if is_late && limit < until => {}
                None if self.once && self.tracks.is_empty() => return Next::Done,
                Some(_) | None => return Next::Nothing,
            }
        }
    }

    /// Ids do not fall, even where a message of the log was lost on its way, and comes after later
    /// ones: who comes back with its id would be sent those again.
    fn keeps_order(&mut self, next: &mut Next, id: u64) {
        let last = self.last;
        self.last = last.max(id);
        if let Next::Event { frame, .. } = next
            && id < last
            && let Some(renumbered) = stamp::renumbered(frame, last)
        {
            *frame = renumbered;
        }
    }

    /// Looks after those that wait for a version; says whether one failed that is wanted for it.
    fn settle(&mut self) -> bool {
        let once = self.once;
        let mut has_failed = false;
        self.tracks.retain_mut(|track| match track.settle() {
            Settled::Ready | Settled::Waits => true,
            Settled::Empty => !once,
            Settled::Failed => {
                has_failed |= once;
                true
            }
        });
        has_failed
    }
}

impl Track {
    fn new(source: Arc<dyn Source>, wake: &Arc<Wake>, client: Option<&Client>) -> Self {
        let topic = source.topic();
        // First it is among those who are woken, then it looks where it stands.
        let slot = topic.listeners.add(Listener {
            wake: Arc::clone(wake),
            client: client.cloned(),
        });
        let next = topic.ring().pushed();
        topic.is_followed();
        Self {
            source,
            slot,
            next,
            after: 0,
            needs: None,
        }
    }

    fn start(&mut self, once: bool) {
        let start = self.source.clone().begin(once);
        let ring = self.source.topic().ring();
        match start {
            Start::Next => {}
            Start::Version(version) => {
                // They begin at one, and come round after four billion.
                self.needs = NonZeroU32::new(version).or(Some(NonZeroU32::MIN));
            }
            Start::Newest => self.next = ring.oldest().max(ring.pushed().saturating_sub(1)),
            Start::Oldest => self.next = ring.oldest(),
        }
    }

    fn has_news(&self) -> bool {
        match self.needs {
            Some(needs) => self.is_shown(needs).is_some(),
            None => self.source.topic().pushed() > self.next,
        }
    }

    /// What is shown, if it is of the version that this waits for.
    fn is_shown(&self, needs: NonZeroU32) -> Option<Is> {
        let shown = self.source.shown()?;
        shown.is_of(needs.get()).then_some(shown.is)
    }

    /// Goes on with the newest event when that is of the version which this waits for: whether it
    /// was pushed for that version, or is the same as before.
    fn settle(&mut self) -> Settled {
        let Some(needs) = self.needs else {
            return Settled::Ready;
        };
        let Some(is) = self.is_shown(needs) else {
            return Settled::Waits;
        };
        self.needs = None;
        let ring = self.source.topic().ring();
        self.next = ring.pushed();
        match is {
            Is::Failed => Settled::Failed,
            Is::Picture if ring.newest().is_some() => {
                self.next -= 1;
                Settled::Ready
            }
            Is::Empty | Is::Picture => Settled::Empty,
        }
    }

    /// The next event, up to the one with this number.
    fn next(&mut self, until: u64) -> Next {
        let topic = self.source.topic();
        if topic.pushed() <= self.next {
            return Next::Nothing;
        }
        let ring = topic.ring();
        let mut position = match self.position(&ring) {
            Ok(position) => position,
            Err(missed) => return Next::Lagged(missed),
        };
        let missed = self.missed(position);
        while ring.entry(position).is_some_and(|it| it.id <= self.after) {
            position += 1;
        }
        match ring.entry(position) {
            Some(entry) if entry.number <= until => {
                let frame = entry.frame.clone();
                drop(ring);
                self.next = position + 1;
                Next::Event { frame, missed }
            }
            Some(_) => Next::Nothing,
            None => {
                drop(ring);
                self.next = position;
                match missed {
                    0 => Next::Nothing,
                    missed => Next::Missed(missed),
                }
            }
        }
    }

    /// The position of the event that it would take, where there is one that is new; `Err` where
    /// it has fallen off.
    fn position(&self, ring: &Ring) -> Result<u64, u64> {
        match self.source.topic().options.lag {
            Lag::NewestOnly => Ok(ring.pushed().saturating_sub(1).max(ring.oldest())),
            Lag::Resume => Ok(self.next.max(ring.oldest())),
            Lag::Close => match ring.oldest().checked_sub(self.next) {
                None | Some(0) => Ok(self.next),
                Some(missed) => Err(missed),
            },
        }
    }

    /// How many it has missed if it goes on at this position.
    fn missed(&self, position: u64) -> u64 {
        match self.source.topic().options.lag {
            Lag::NewestOnly => 0,
            Lag::Resume | Lag::Close => position.saturating_sub(self.next),
        }
    }

    /// The event that it would take; `Err` with what there is to say where it would take none.
    fn peek(&mut self) -> Result<Option<Peeked>, Next> {
        let topic = self.source.topic();
        if self.needs.is_some() || topic.pushed() <= self.next {
            return Ok(None);
        }
        let has_log = topic.has_log();
        let ring = topic.ring();
        let mut position = self.position(&ring).map_err(Next::Lagged)?;
        let missed = self.missed(position);
        while ring.entry(position).is_some_and(|it| it.id <= self.after) {
            position += 1;
        }
        if let Some(entry) = ring.entry(position) {
            return Ok(Some(Peeked {
                number: entry.number,
                id: entry.id,
                has_log,
            }));
        }
        drop(ring);
        self.next = position;
        match missed {
            0 => Ok(None),
            missed => Err(Next::Missed(missed)),
        }
    }
}

impl Drop for Track {
    fn drop(&mut self) {
        self.source.topic().listeners.remove(self.slot);
    }
}

/// What a connection is going to follow, in the making: the argument of [`Watch::follow`].
pub struct Following(pub(crate) Plan);

impl std::fmt::Debug for Following {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Following")
            .field("sources", &self.0.sources.len())
            .finish_non_exhaustive()
    }
}

/// What a connection can follow: topics, views, tickers, and tuples, arrays and `Vec`s of them.
///
/// Several together keep the order in which their events were published. A type of one's own that
/// holds some of them can be followed too:
///
/// ```
/// use sidereal_sse::{Connect, Following, Hub, Topic, Watch};
///
/// struct Game { moves: Topic, chat: Topic }
///
/// impl Watch for Game {
///     fn follow(&self, following: &mut Following) {
///         (&self.moves, &self.chat).follow(following);
///     }
/// }
///
/// let hub = Hub::new();
/// let game = Game { moves: hub.topic("moves"), chat: hub.topic("chat") };
/// let sse = Connect::new().watch(&game);
/// # let _ = sse;
/// ```
pub trait Watch {
    /// Adds all that is to be followed.
    fn follow(&self, following: &mut Following);
}

impl<W: Watch + ?Sized> Watch for &W {
    fn follow(&self, following: &mut Following) {
        W::follow(self, following);
    }
}

impl<W: Watch + ?Sized> Watch for Arc<W> {
    fn follow(&self, following: &mut Following) {
        W::follow(self, following);
    }
}

impl Watch for super::Topic {
    fn follow(&self, following: &mut Following) {
        following.0.add(self.inner.clone());
    }
}

/// Nothing to follow; the connection counts as one of the hub's, and can be reached through it.
impl Watch for Hub {
    fn follow(&self, following: &mut Following) {
        following.0.join(self.inner.clone());
    }
}

macro_rules! collection {
    ([$($generics:tt)*] $collection:ty) => {
        impl<$($generics)*> Watch for $collection {
            fn follow(&self, following: &mut Following) {
                self.iter().for_each(|item| item.follow(following));
            }
        }
    };
}

collection!([W: Watch] [W]);
collection!([W: Watch] Vec<W>);
collection!([W: Watch] Option<W>);
collection!([W: Watch, const N: usize] [W; N]);

macro_rules! tuple {
    ($($name:ident)*) => {
        impl<$($name: Watch),*> Watch for ($($name,)*) {
            #[allow(non_snake_case)]
            fn follow(&self, following: &mut Following) {
                let ($($name,)*) = self;
                $($name.follow(following);)*
            }
        }
    };
}

tuple!(A B);
tuple!(A B C);
tuple!(A B C D);
tuple!(A B C D E);
tuple!(A B C D E F);
