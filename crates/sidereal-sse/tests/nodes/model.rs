//! Whatever happens, nobody misses an event without knowing it, and nobody is sent one twice.

use super::*;

const NODES: usize = 3;
const PLAIN: TopicOptions = TopicOptions::new().keep(10_000);
const LOGGED: TopicOptions = TopicOptions::new().keep(10_000).replay(true);

/// Numbers by chance, and the same for the same seed.
struct Chance(u64);

impl Chance {
    fn below(&mut self, most: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % most
    }
}

/// What one who follows has had.
struct Viewer {
    node: usize,
    topics: Vec<Topic>,
    subscription: Subscription,
    /// Of each topic and publishing node, the number of the last event.
    had: Vec<[Option<u64>; NODES]>,
    /// Its events are in a log: it misses nothing at all, and ids rise.
    is_logged: bool,
    last_id: String,
    lagged: u32,
}

impl Viewer {
    async fn new(node: usize, topics: Vec<Topic>, is_logged: bool, sent: &[[u64; NODES]]) -> Self {
        let mut viewer = Self {
            node,
            had: vec![[None; NODES]; sent.len()],
            subscription: Subscription::to(&topics),
            topics,
            is_logged,
            last_id: String::new(),
            lagged: 0,
        };
        viewer.follow(sent).await;
        viewer
    }

    async fn follow(&mut self, sent: &[[u64; NODES]]) {
        self.subscription = Subscription::to(&self.topics);
        self.subscription.ready().await;
        for (had, sent) in self.had.iter_mut().zip(sent) {
            *had = sent.map(Some);
        }
    }

    /// Takes what has come; `false` where it learned that it has missed something.
    fn read(&mut self, sent: &[[u64; NODES]]) -> bool {
        while let Some(read) = self.subscription.try_next_frame() {
            let Ok(frame) = read else {
                self.lagged += 1;
                return false;
            };
            let text = String::from_utf8(frame.as_bytes().to_vec()).unwrap();
            let mut lines = text.lines();
            let data = lines.find_map(|line| line.strip_prefix("data: ")).unwrap();
            let numbers: Vec<u64> = data.split(' ').map(|it| it.parse().unwrap()).collect();
            let [topic, node, number] = numbers[..] else {
                panic!("{data}");
            };
            let (topic, node) = (topic as usize, node as usize);
            assert!(number <= sent[topic][node]);
            let had = self.had[topic][node].replace(number).unwrap();
            // What was on its way when it began to follow may have come already, or not yet.
            assert_eq!(
                number,
                had + 1,
                "on node {} after {had}, of node {node}, topic {topic}",
                self.node
            );
            if self.is_logged {
                let id = lines.find_map(|line| line.strip_prefix("id: ")).unwrap();
                // The same where one was lost on its way, and comes after a later one.
                assert!(
                    *self.last_id <= *id,
                    "{} and then {id} ({data}) node {} topics {}",
                    self.last_id,
                    self.node,
                    self.topics.len()
                );
                self.last_id = id.to_owned();
            }
        }
        true
    }
}

async fn run(seed: u64) -> (u32, u64) {
    let mut chance = Chance(seed * 2 + 1);
    let exchange = Exchange::default();
    let options = BrokerOptions::new().when_away(WhenAway::Hold);
    let hubs: [Hub; NODES] =
        std::array::from_fn(|_| Hub::new().with_broker(exchange.clone(), options));
    for hub in &hubs {
        until(|| hub.is_connected()).await;
    }
    // Two topics with a log, two without.
    let topics = hubs.each_ref().map(|hub| {
        let mut topics = Vec::new();
        for index in 0..4 {
            let options = [LOGGED, LOGGED, PLAIN, PLAIN][index];
            topics.push(hub.topic_with(format!("topic {index}").as_str(), options));
        }
        topics
    });
    let mut sent = vec![[0; NODES]; 4];
    let mut viewers = Vec::new();
    for (node, topics) in topics.iter().enumerate() {
        viewers.push(Viewer::new(node, topics[..2].to_vec(), true, &sent).await);
        viewers.push(Viewer::new(node, vec![topics[1].clone()], true, &sent).await);
        viewers.push(Viewer::new(node, topics[2..].to_vec(), false, &sent).await);
    }
    let mut is_down = false;
    for step in 0..400 {
        let is_over = step >= 390;
        if is_over && is_down {
            exchange.come_up();
            is_down = false;
        }
        match chance.below(100) {
            0 if !is_over => exchange.cut(),
            1 if !is_over => exchange.break_after(1 + chance.below(3) as u32),
            2..6 if !is_over => exchange.repeat(chance.below(4) as u32),
            6..8 if !is_over => exchange.lose_stored(chance.below(3) as u32),
            8 if !is_over && !is_down => {
                exchange.go_down();
                is_down = true;
            }
            9..16 if is_down => {
                exchange.come_up();
                is_down = false;
            }
            16..30 => {
                tokio::time::sleep(Duration::from_millis(chance.below(40))).await;
            }
            _ => {
                let (topic, node) = (chance.below(4) as usize, chance.below(3) as usize);
                let number = sent[topic][node] + 1;
                say(&topics[node][topic], &format!("{topic} {node} {number}"));
                sent[topic][node] = number;
            }
        }
        for viewer in &mut viewers {
            if !viewer.read(&sent) {
                assert!(!viewer.is_logged, "the log has everything");
                exchange.come_up();
                is_down = false;
                settle(&hubs, &topics, &mut sent).await;
                viewer.follow(&sent).await;
            }
        }
    }
    exchange.lose_stored(0);
    exchange.come_up();
    settle(&hubs, &topics, &mut sent).await;
    // Now everyone has everything, or knows that it has not.
    for viewer in &mut viewers {
        let began = Instant::now();
        loop {
            if !viewer.read(&sent) {
                assert!(!viewer.is_logged);
                break;
            }
            let first = if viewer.is_logged { 0 } else { 2 };
            let range = match viewer.topics.len() {
                1 => 1..2,
                _ => first..first + 2,
            };
            let has_all = |topic: usize| {
                (0..NODES).all(|node| viewer.had[topic][node] == Some(sent[topic][node]))
            };
            if range.clone().all(has_all) {
                break;
            }
            assert!(
                began.elapsed() < Duration::from_secs(10),
                "seed {seed}: node {} has {:?} of {sent:?}",
                viewer.node,
                viewer.had
            );
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
    let lagged = viewers.iter().map(|viewer| viewer.lagged).sum();
    (lagged, sent.iter().flatten().sum())
}

/// Waits until what was published is with the broker: each topic says so by one event more.
async fn settle(hubs: &[Hub], topics: &[Vec<Topic>; NODES], sent: &mut [[u64; NODES]]) {
    for (node, hub) in hubs.iter().enumerate() {
        until(|| hub.is_connected()).await;
        for (topic, sent) in sent.iter_mut().enumerate() {
            sent[node] += 1;
            let text = format!("{topic} {node} {}", sent[node]);
            let confirmed = topics[node][topic].publish_confirmed(Event::new(text));
            confirmed.await.unwrap();
        }
    }
}

#[tokio::test]
async fn nobody_misses_an_event_without_knowing_it_or_has_one_twice() {
    let seeds = std::env::var("SIDEREAL_MODEL_SEEDS").ok();
    let seeds = seeds.and_then(|seeds| seeds.parse().ok()).unwrap_or(12);
    let mut running = tokio::task::JoinSet::new();
    for seed in 0..seeds {
        running.spawn(run(seed));
    }
    let (mut lagged, mut sent) = (0, 0);
    while let Some(ended) = running.join_next().await {
        let (lagged_here, sent_here) = ended.unwrap();
        lagged += lagged_here;
        sent += sent_here;
    }
    assert!(lagged > seeds as u32, "faults did happen: {lagged}");
    assert!(sent > seeds * 200, "and events: {sent}");
}
