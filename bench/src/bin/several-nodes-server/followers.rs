//! Those who follow topics in the node itself: one for each.

use std::{cell::RefCell, rc::Rc, time::Duration};

use bench::stamped;
use sidereal::{Frame, Subscription, Topic};
use tokio::{
    task::spawn_local,
    time::{Instant, sleep},
};

/// How long nothing may come of what is to come.
const PATIENCE: Duration = Duration::from_secs(20);

/// How long is looked whether more comes than should.
const QUIET: Duration = Duration::from_millis(100);

#[derive(Default)]
pub(crate) struct Followers {
    seen: Rc<RefCell<Seen>>,
}

#[derive(Default)]
struct Seen {
    count: u64,
    /// How long those took that nobody has asked for.
    times: Vec<Duration>,
    failure: Option<String>,
}

impl Followers {
    /// Follows these, and waits until events of other nodes come in.
    pub(crate) async fn follow(&self, topics: Vec<Topic>) {
        let with_subscription = |topic: Topic| (topic.subscribe(), topic);
        // All at once, and then what there is to wait for.
        let mut following: Vec<_> = topics.into_iter().map(with_subscription).collect();
        for (subscription, _) in &mut following {
            subscription.ready().await;
        }
        for (subscription, topic) in following {
            spawn_local(read(subscription, topic, self.seen.clone()));
        }
    }

    /// Waits until so many events have come, and no more: how long those took that are new.
    pub(crate) async fn have(&self, count: u64) -> Result<Vec<Duration>, String> {
        let mut last = (0, Instant::now());
        loop {
            if let Some(failure) = self.seen.borrow_mut().failure.take() {
                return Err(failure);
            }
            let come = self.seen.borrow().count;
            match come {
                _ if come > count => return Err(format!("{come} events have come, not {count}")),
                _ if come > last.0 => last = (come, Instant::now()),
                _ if come == count && last.1.elapsed() > QUIET => break,
                _ if last.1.elapsed() > PATIENCE => {
                    return Err(format!("only {come} of {count} events have come"));
                }
                _ => {}
            }
            sleep(Duration::from_millis(5)).await;
        }
        Ok(std::mem::take(&mut self.seen.borrow_mut().times))
    }
}

async fn read(mut subscription: Subscription, topic: Topic, seen: Rc<RefCell<Seen>>) {
    for number in 0.. {
        let taken = match subscription.next_frame().await {
            Some(Ok(frame)) => took(&frame, &topic, number),
            Some(Err(error)) => Err(error.to_string()),
            None => Err("the topic has ended".to_owned()),
        };
        let mut seen = seen.borrow_mut();
        match taken {
            Ok(time) => {
                seen.count += 1;
                seen.times.push(time);
            }
            Err(error) => {
                seen.failure.get_or_insert(error);
                return;
            }
        }
    }
}

fn took(frame: &Frame, topic: &Topic, number: u64) -> Result<Duration, String> {
    let event = std::str::from_utf8(frame.as_bytes()).map_err(|error| error.to_string())?;
    let elements = stamped::patched(event.trim_end())?.ok_or("a comment")?;
    stamped::took(elements, topic.name().as_str(), number)
}
