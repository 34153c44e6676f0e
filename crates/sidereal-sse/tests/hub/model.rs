//! Random publishing, following, reading, skipping, private events, leaving and coming back,
//! against a model of what each subscriber is promised; and the chunks that are made for it, which
//! are the fewest.

use std::collections::HashMap;

use bytes::Bytes;
use sidereal_sse::{Client, Codec, EndReason, Event, Hub, Lag, StartAt, Topic, TopicOptions};

use crate::{
    content::{self, Random},
    page::{CODECS, Page, connect},
};

/// What the model knows of a topic.
struct Model {
    topic: Topic,
    keep: usize,
    lag: Lag,
    start: StartAt,
    replays: bool,
    /// Everything ever published on it: its number in the order of all events, and its text.
    log: Vec<(u64, String)>,
}

impl Model {
    fn dropped(&self) -> usize {
        self.log.len().saturating_sub(self.keep)
    }

    fn start(&self) -> usize {
        match self.start {
            StartAt::Newest => self.log.len().saturating_sub(1),
            StartAt::Oldest => self.dropped(),
            _ => self.log.len(),
        }
    }

    /// Where a reader goes on that has read up to this number; `None` where some are gone.
    fn after(&self, number: u64) -> Option<usize> {
        let position = self.log.partition_point(|(other, _)| *other <= number);
        (position >= self.dropped()).then_some(position)
    }
}

/// What the model knows of a subscriber.
struct Viewer {
    page: Page,
    client: Client,
    codec: Option<Codec>,
    /// Topics, and the position of the next event in each.
    follows: Vec<(usize, usize)>,
    /// Private events that are on their way: with what was published last by then.
    private: Vec<(u64, String)>,
    /// The shared event that was written last, if nothing was after it.
    base: Option<u64>,
    /// The last event with an id: its number here, and the id.
    seen: Option<(u64, String)>,
}

/// What comes next.
enum Next {
    Shared { follow: usize, position: usize },
    Private,
    Lagged,
    Nothing,
}

impl Viewer {
    fn next(&self, topics: &[Model]) -> Next {
        let mut first: Option<(u64, usize, usize)> = None;
        for (follow, &(topic, position)) in self.follows.iter().enumerate() {
            let topic = &topics[topic];
            if position == topic.log.len() {
                continue;
            }
            let position = match topic.lag {
                Lag::NewestOnly => topic.log.len() - 1,
                Lag::Resume => position.max(topic.dropped()),
                _ if position < topic.dropped() => return Next::Lagged,
                _ => position,
            };
            let number = topic.log[position].0;
            if first.is_none_or(|(before, ..)| number < before) {
                first = Some((number, follow, position));
            }
        }
        match (first, self.private.first()) {
            (Some((number, ..)), Some((before, _))) if number > *before => Next::Private,
            (Some((_, follow, position)), _) => Next::Shared { follow, position },
            (None, Some(_)) => Next::Private,
            (None, None) => Next::Nothing,
        }
    }
}

/// All chunks of shared events: by event, codec, and the event that they refer to.
type Chunks = HashMap<(u64, Option<Codec>, Option<u64>), Bytes>;

struct World {
    random: Random,
    hub: Hub,
    topics: Vec<Model>,
    viewers: Vec<Viewer>,
    chunks: Chunks,
    published: u64,
    counts: Counts,
}

#[derive(Debug, Default)]
struct Counts {
    shared: usize,
    private: usize,
    skipped: usize,
    lagged: usize,
    resumed: usize,
    not_resumed: usize,
}

impl World {
    fn new(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let hub = Hub::new();
        let topics = (0..1 + random.below(4)).map(|name| {
            let keep = 1 + random.below(6);
            let lag = random.of(&[Lag::Close, Lag::Resume, Lag::NewestOnly]);
            let start = random.of(&[StartAt::Next, StartAt::Newest, StartAt::Oldest]);
            let replays = random.one_in(2);
            let options = TopicOptions::new()
                .keep(keep)
                .lag(lag)
                .start_at(start)
                .replay(replays);
            Model {
                topic: hub.topic_with(name.to_string(), options),
                keep,
                lag,
                start,
                replays,
                log: Vec::new(),
            }
        });
        Self {
            topics: topics.collect(),
            random,
            hub: hub.clone(),
            viewers: Vec::new(),
            chunks: HashMap::new(),
            published: 0,
            counts: Counts::default(),
        }
    }

    fn text(&mut self, label: &str) -> String {
        let length = self.random.of(&[0, 10, 300, 300, 4000, 30_000]);
        let length = self.random.below(length + 1);
        format!(
            "{label} {}",
            content::text(&mut self.random, length, "<p>some words of a page</p>")
        )
        .replace(['\r', '\n'], " ")
    }

    fn publish(&mut self) {
        let topic = self.random.below(self.topics.len());
        let text = self.text("shared");
        self.published += 1;
        let model = &mut self.topics[topic];
        model.topic.publish(Event::new(&text)).unwrap();
        model.log.push((self.published, text));
    }

    fn come(&mut self, seen: Option<(u64, String)>, follows: Option<Vec<usize>>) {
        let codec = self.random.of(&CODECS);
        let follows = follows.unwrap_or_else(|| {
            let mut topics: Vec<usize> = (0..self.topics.len()).collect();
            topics.retain(|_| !self.random.one_in(3));
            topics
        });
        let id = seen.as_ref().map(|(_, id)| id.as_str());
        let watched: Vec<&Topic> = follows
            .iter()
            .map(|topic| &self.topics[*topic].topic)
            .collect();
        let (give, taken) = std::sync::mpsc::channel();
        let mut page = Page::new(connect(codec, id).watch((&self.hub, &watched)).on_connect(
            async move |tx| {
                give.send((tx.client().clone(), tx.is_resumed())).unwrap();
                Ok(())
            },
        ));
        // The heartbeat, where nothing else is there; else the first event.
        let replays = || follows.iter().filter(|topic| self.topics[**topic].replays);
        let number = seen.as_ref().map(|(number, _)| *number);
        let is_resumed = number.is_some_and(|number| {
            replays().count() > 0
                && replays().all(|topic| self.topics[*topic].after(number).is_some())
        });
        let positions = follows.iter().map(|&topic| {
            let model = &self.topics[topic];
            let resumed = number.filter(|_| is_resumed && model.replays);
            let position = resumed.and_then(|number| model.after(number));
            (topic, position.unwrap_or_else(|| model.start()))
        });
        let follows = positions.collect();
        // It begins with its first poll, whose chunk the first read takes in.
        let mut first = page.chunk();
        let (client, was_resumed) = taken.recv().unwrap();
        assert_eq!(was_resumed, is_resumed);
        match (number.is_some(), is_resumed) {
            (true, true) => self.counts.resumed += 1,
            (true, false) => self.counts.not_resumed += 1,
            _ => {}
        }
        let mut viewer = Viewer {
            page,
            client,
            codec,
            follows,
            private: Vec::new(),
            base: None,
            seen: seen.filter(|_| is_resumed),
        };
        if number.is_some() && !is_resumed && replays().count() > 0 {
            assert_eq!(viewer.page.text(), "id:\n\n");
            first = viewer.page.chunk();
            assert_eq!(
                first.is_some(),
                !matches!(viewer.next(&self.topics), Next::Nothing)
            );
        } else {
            assert!(first.is_some());
        }
        match viewer.next(&self.topics) {
            Next::Nothing => assert!(viewer.page.text().trim_matches([':', '\n']).is_empty()),
            // With the head, so its chunk is not the shared one.
            next => self.check(&mut viewer, next, None),
        }
        self.viewers.push(viewer);
    }

    /// One event is read.
    fn read_one(&mut self, viewer: usize) -> bool {
        let mut viewer = self.viewers.swap_remove(viewer);
        let next = viewer.next(&self.topics);
        let chunk = viewer.page.chunk();
        match next {
            Next::Nothing => {
                assert!(chunk.is_none());
                self.viewers.push(viewer);
                return false;
            }
            Next::Lagged => {
                self.counts.lagged += 1;
                let mut chunk = chunk;
                for (_, text) in std::mem::take(&mut viewer.private) {
                    assert!(chunk.is_some());
                    assert_eq!(viewer.page.events(), [text]);
                    chunk = viewer.page.chunk();
                }
                assert!(chunk.is_none());
                assert_eq!(viewer.page.ended(), Some(Err(EndReason::Lagged)));
                if self.random.one_in(2) {
                    let follows = viewer.follows.iter().map(|(topic, _)| *topic).collect();
                    self.come(viewer.seen, Some(follows));
                }
                return false;
            }
            next => {
                let chunk = chunk.expect("an event");
                self.check(&mut viewer, next, Some(chunk));
            }
        }
        self.viewers.push(viewer);
        true
    }

    /// What was read is what the model has; and its chunk the one for all with this history.
    fn check(&mut self, viewer: &mut Viewer, next: Next, chunk: Option<Bytes>) {
        let text = viewer.page.text();
        let event = text.lines().find_map(|line| line.strip_prefix("data: "));
        match next {
            Next::Shared { follow, position } => {
                let (topic, before) = viewer.follows[follow];
                let model = &self.topics[topic];
                let (number, expected) = &model.log[position];
                assert_eq!(event, Some(expected.as_str()));
                let id = text.lines().find_map(|line| line.strip_prefix("id: "));
                assert_eq!(id.is_some(), model.replays);
                if let Some(id) = id {
                    viewer.seen = Some((*number, id.to_owned()));
                }
                viewer.follows[follow].1 = position + 1;
                self.counts.shared += 1;
                self.counts.skipped += usize::from(position > before);
                if let (Some(chunk), Some(_)) = (chunk, viewer.codec) {
                    let key = (*number, viewer.codec, viewer.base);
                    let known = self.chunks.entry(key).or_insert_with(|| chunk.clone());
                    assert_eq!(known.as_ptr(), chunk.as_ptr(), "made twice");
                }
                viewer.base = Some(*number);
            }
            Next::Private => {
                let (_, expected) = viewer.private.remove(0);
                assert_eq!(event, Some(expected.as_str()));
                self.counts.private += 1;
                viewer.base = None;
            }
            Next::Lagged | Next::Nothing => unreachable!(),
        }
    }

    fn step(&mut self) {
        let viewers = self.viewers.len();
        let viewer = self.random.below(viewers);
        match self.random.below(20) {
            0..=7 => self.publish(),
            _ if viewers == 0 => self.come(None, None),
            8 if viewers < 7 => self.come(None, None),
            9..=15 => {
                for _ in 0..self.random.below(6) {
                    if viewer >= self.viewers.len() || !self.read_one(viewer) {
                        break;
                    }
                }
            }
            16 | 17 => {
                let text = self.text("private");
                let viewer = &mut self.viewers[viewer];
                if viewer.private.len() < 20 {
                    self.hub
                        .send(viewer.client.id(), Event::new(&text))
                        .unwrap();
                    viewer.private.push((self.published, text));
                }
            }
            18 => {
                // It leaves, and some come back.
                let viewer = self.viewers.swap_remove(viewer);
                let follows = viewer.follows.iter().map(|(topic, _)| *topic).collect();
                if self.random.one_in(2) {
                    drop(viewer.page);
                    for _ in 0..self.random.below(5) {
                        self.publish();
                    }
                    self.come(viewer.seen, Some(follows));
                }
            }
            _ => {
                // It is ended, and gets what came before.
                let id = self.viewers[viewer].client.id();
                assert_eq!(self.hub.disconnect(|client| client.id() == id), 1);
                let mut viewer = self.viewers.swap_remove(viewer);
                loop {
                    let next = viewer.next(&self.topics);
                    let next = match next {
                        // What is left of the topics is gone, but what was sent is not.
                        Next::Lagged if viewer.private.is_empty() => Next::Nothing,
                        Next::Lagged => {
                            viewer.follows.clear();
                            Next::Private
                        }
                        next => next,
                    };
                    let chunk = viewer.page.chunk();
                    if let Next::Nothing = next {
                        viewer.page.read();
                        break;
                    }
                    self.check(&mut viewer, next, chunk);
                }
                assert_eq!(viewer.page.ended(), Some(Ok(())));
            }
        }
    }

    fn end(mut self) -> Counts {
        while !self.viewers.is_empty() {
            while !self.viewers.is_empty() && self.read_one(0) {}
            if !self.viewers.is_empty() {
                self.viewers.swap_remove(0);
            }
        }
        assert_eq!(self.hub.connections(), 0);
        let pointers: std::collections::HashSet<_> =
            self.chunks.values().map(|chunk| chunk.as_ptr()).collect();
        assert_eq!(
            pointers.len(),
            self.chunks.len(),
            "one chunk for two histories"
        );
        self.counts
    }
}

#[test]
fn every_subscriber_reads_what_its_topics_promise() {
    let runs = std::env::var("SIDEREAL_RUNS").ok();
    let runs = runs.map_or(300, |runs| runs.parse().unwrap());
    let mut all = Counts::default();
    for seed in 0..runs {
        let mut world = World::new(seed);
        for _ in 0..200 {
            world.step();
        }
        let counts = world.end();
        all.shared += counts.shared;
        all.private += counts.private;
        all.skipped += counts.skipped;
        all.lagged += counts.lagged;
        all.resumed += counts.resumed;
        all.not_resumed += counts.not_resumed;
    }
    println!("{all:?}");
    let least = [
        all.shared / 20,
        all.private / 5,
        all.skipped,
        all.lagged,
        all.resumed,
        all.not_resumed,
    ];
    assert!(
        least.iter().all(|count| *count > runs as usize / 10),
        "{all:?}"
    );
}
