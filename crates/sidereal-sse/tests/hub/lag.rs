//! What happens to those who read too slowly.

use std::sync::{Arc, Mutex};

use sidereal_sse::{
    Client, EndReason, Event, Hub, Lag, Observer, StreamOptions, Topic, TopicOptions,
};

use crate::page::{CODECS, Page, connect};

fn topic(lag: Lag) -> Topic {
    Hub::new().topic_with("t", TopicOptions::new().keep(4).lag(lag))
}

fn publish(topic: &Topic, numbers: std::ops::Range<u32>) {
    numbers.for_each(|n| topic.publish(Event::from_display(n)).unwrap());
}

#[derive(Clone, Default)]
struct Missed(Arc<Mutex<Vec<u64>>>);

impl Observer for Missed {
    fn lagged(&self, _: &Client, missed: u64) {
        self.0.lock().unwrap().push(missed);
    }
}

fn observed(topic: &Topic, codec: Option<sidereal_sse::Codec>) -> (Page, Missed) {
    let missed = Missed::default();
    let options = StreamOptions::new().observer(missed.clone());
    let page = Page::begun(connect(codec, None).with_options(options).subscribe(topic));
    (page, missed)
}

#[tokio::test(start_paused = true)]
async fn close_ends_the_stream_so_that_the_page_comes_back() {
    for codec in CODECS {
        let topic = topic(Lag::Close);
        let (mut page, missed) = observed(&topic, codec);
        publish(&topic, 0..4);
        assert_eq!(page.read(), ["0", "1", "2", "3"], "as many as are kept");
        publish(&topic, 0..7);
        assert_eq!(page.read(), [""; 0]);
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
        page.read();
        assert_eq!(page.ended(), Some(Err(EndReason::Lagged)));
        assert_eq!(*missed.0.lock().unwrap(), [3]);
        assert_eq!(topic.subscribers(), 0);
    }
}

#[test]
fn resume_goes_on_with_what_is_kept_and_says_how_many_are_gone() {
    for codec in CODECS {
        let topic = topic(Lag::Resume);
        let (mut page, missed) = observed(&topic, codec);
        publish(&topic, 0..7);
        assert_eq!(page.read(), ["3", "4", "5", "6"]);
        publish(&topic, 7..9);
        assert_eq!(page.read(), ["7", "8"]);
        assert_eq!(*missed.0.lock().unwrap(), [3]);
    }
}

#[test]
fn newest_only_leaves_out_what_is_between() {
    for codec in CODECS {
        let topic = topic(Lag::NewestOnly);
        let (mut page, missed) = observed(&topic, codec);
        publish(&topic, 0..3);
        assert_eq!(page.read(), ["2"]);
        publish(&topic, 3..4);
        assert_eq!(page.read(), ["3"]);
        publish(&topic, 4..44);
        assert_eq!(page.read(), ["43"]);
        assert!(missed.0.lock().unwrap().is_empty());
    }
}

#[tokio::test]
async fn a_subscription_says_that_it_lagged() {
    let closes = topic(Lag::Close);
    let mut subscription = closes.subscribe();
    publish(&closes, 0..9);
    let lagged = subscription.next_frame().await.unwrap().unwrap_err();
    assert_eq!(lagged.missed(), 5);
    assert!(subscription.next_frame().await.is_none());

    let resumes = topic(Lag::Resume);
    let mut subscription = resumes.subscribe();
    publish(&resumes, 0..9);
    assert!(subscription.next_frame().await.unwrap().is_ok());
    assert_eq!(subscription.missed(), 5);
}
