//! Clients that come back.

use sidereal_sse::{Event, EventId, Hub, IntoFrame, StartAt, Topic, TopicOptions};

use crate::page::{CODECS, Page, connect};

const REPLAY: TopicOptions = TopicOptions::new().keep(4).replay(true);

/// The ids of what a page has read.
fn ids(text: &str) -> Vec<String> {
    let lines = text.lines().filter_map(|line| line.strip_prefix("id: "));
    lines.map(str::to_owned).collect()
}

fn publish(topic: &Topic, text: &str) {
    topic.publish(Event::new(text)).unwrap();
}

/// All that a page with this last id is sent at once, and whether it was resumed.
fn back(what: impl sidereal_sse::Watch, id: &str) -> (Vec<String>, bool) {
    let (give, take) = std::sync::mpsc::channel();
    let sse = connect(None, Some(id))
        .watch(what)
        .on_connect(async move |tx| {
            give.send(tx.is_resumed()).unwrap();
            Ok(())
        });
    (Page::new(sse).read(), take.recv().unwrap())
}

#[test]
fn what_was_missed_on_all_topics_comes_in_order() {
    for codec in CODECS {
        let hub = Hub::new();
        let (a, b) = (hub.topic_with("a", REPLAY), hub.topic_with("b", REPLAY));
        let mut page = Page::begun(connect(codec, None).watch((&a, &b)));
        page.text();
        publish(&a, "a1");
        publish(&b, "b1");
        while page.chunk().is_some() {}
        let ids = ids(&page.text());
        assert_eq!(ids.len(), 2);
        drop(page);
        publish(&b, "b2");
        publish(&a, "a2");
        publish(&b, "b3");
        let both = (&a, &b);
        assert_eq!(
            back(both, &ids[1]),
            (vec!["b2".into(), "a2".into(), "b3".into()], true)
        );
        assert_eq!(back(both, &ids[0]).0, ["b1", "b2", "a2", "b3"]);
        assert_eq!(back(&a, &ids[1]).0, ["a2"]);
    }
}

#[test]
fn a_gap_or_a_foreign_id_is_a_start_from_the_beginning() {
    let hub = Hub::new();
    let topic = hub.topic_with("chat", REPLAY.start_at(StartAt::Oldest));
    let mut page = Page::begun(connect(None, None).subscribe(&topic));
    page.text();
    publish(&topic, "1");
    while page.chunk().is_some() {}
    let id = ids(&page.text()).remove(0);
    for n in 2..=5 {
        publish(&topic, &n.to_string());
    }
    assert_eq!(
        back(&topic, &id),
        (vec!["2".into(), "3".into(), "4".into(), "5".into()], true)
    );
    publish(&topic, "6");
    assert_eq!(
        back(&topic, &id),
        (vec!["3".into(), "4".into(), "5".into(), "6".into()], false)
    );
    for foreign in [
        "17",
        "",
        "00000000-000000000001",
        "ffffffff-ffffffffffff",
        &format!("{id}0"),
    ] {
        assert!(!back(&topic, foreign).1, "{foreign}");
    }
    // One topic with a gap, and one without: neither is resumed, as the page is to begin anew.
    let other = hub.topic_with("other", REPLAY);
    publish(&other, "x");
    assert!(!back((&topic, &other), &id).1);
}

#[test]
fn topics_without_replay_take_no_part_in_it() {
    let hub = Hub::new();
    let (replays, not) = (hub.topic_with("a", REPLAY), hub.topic("b"));
    let mut page = Page::begun(connect(None, None).watch((&replays, &not)));
    page.text();
    publish(&not, "x");
    publish(&replays, "1");
    while page.chunk().is_some() {}
    let text = page.text();
    let id = ids(&text).remove(0);
    assert_eq!(text, format!("data: x\n\ndata: 1\nid: {id}\n\n"));
    (0..9).for_each(|_| publish(&not, "y"));
    publish(&replays, "2");
    assert_eq!(back((&replays, &not), &id), (vec!["2".into()], true));
    assert!(!back(&not, &id).1, "nothing to resume");
}

#[test]
fn the_topics_id_takes_the_place_of_the_events_own() {
    let topic = Hub::new().topic_with("a", REPLAY);
    let mut page = Page::begun(connect(None, None).subscribe(&topic));
    page.text();
    let own = Event::new("x").id(EventId::from(7)).into_frame();
    topic.publish(&own).unwrap();
    while page.chunk().is_some() {}
    let text = page.text();
    assert_eq!(ids(&text).len(), 1);
    assert!(!text.contains("id: 7\n"), "{text}");
}

/// Else it might come back with that id to where it is still good, and lack what it was told to throw away here.
#[test]
fn who_is_not_resumed_first_forgets_its_id() {
    const OTHERS: &str = "00000007-000000000001";
    let hub = Hub::new();
    let (replays, not) = (hub.topic_with("a", REPLAY), hub.topic("b"));
    let mut page = Page::begun(connect(None, None).subscribe(&replays));
    publish(&replays, "1");
    while page.chunk().is_some() {}
    let own = ids(&page.text()).remove(0);
    let begins = |what: &Topic, id: &str, beginning: &str| {
        for codec in CODECS {
            let sse = connect(codec, Some(id)).subscribe(what);
            let sse = sse.on_connect(async |tx| Ok(tx.send(Event::new("state")).await?));
            let mut page = Page::new(sse);
            while page.chunk().is_some() {}
            assert_eq!(page.text(), format!("{beginning}data: state\n\n"));
        }
    };
    begins(&replays, OTHERS, "id:\n\n");
    begins(&replays, &own, "");
    // Nothing is replayed, or the id is the application's.
    begins(&not, OTHERS, "");
    begins(&replays, "7", "");
}

/// A topic that went away because nobody had a use for it took its events along. Asked for again,
/// it keeps none of them, so a page that comes back from before has missed some.
#[tokio::test(start_paused = true)]
async fn a_topic_that_went_away_meanwhile_resumes_nobody() {
    let hub = Hub::new();
    let chat = || hub.topic_with("chat", REPLAY.start_at(StartAt::Oldest));
    let mut page = Page::begun(connect(None, None).subscribe(&chat()));
    page.text();
    publish(&chat(), "1");
    while page.chunk().is_some() {}
    let id = ids(&page.text()).remove(0);
    drop(page);
    publish(&chat(), "2");
    tokio::time::sleep(std::time::Duration::from_secs(3600)).await;
    assert_eq!(hub.topics(), 0);
    publish(&chat(), "3");
    assert_eq!(back(chat(), &id), (vec!["3".into()], false));
}
