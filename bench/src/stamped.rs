//! Events that say which they are and when they were published: who gets them can tell whether they are
//! the right ones, in their order, and how long they took.

use std::time::Duration;

use crate::publisher::now;

/// How long their elements are, in bytes.
const SIZE: usize = 200;

const OPEN: &str = r#"<p id="news" data-at=""#;
const CLOSE: &str = "</p>";

/// The elements of the event with this number on a topic, published now.
pub fn stamped(topic: &str, number: u64) -> String {
    elements(topic, number, now())
}

/// The elements of the event with this number on a topic, published at this time, as [`now`] has it.
fn elements(topic: &str, number: u64, at: u64) -> String {
    const WORDS: &str = "Cassini has left for Saturn, by way of Venus, the Earth and Jupiter. ";
    let mut elements = format!("{OPEN}{at}\">{topic} {number}: ");
    let room = SIZE.saturating_sub(elements.len() + CLOSE.len());
    elements.extend(WORDS.chars().cycle().take(room));
    elements + CLOSE
}

/// How long the event with this number on a topic took until now, if these are its elements.
///
/// # Errors
///
/// When they are not, or it took less than no time.
pub fn took(text: &str, topic: &str, number: u64) -> Result<Duration, String> {
    let at = text
        .strip_prefix(OPEN)
        .and_then(|rest| rest.split_once('"')?.0.parse().ok())
        .filter(|at| elements(topic, number, *at) == text)
        .ok_or_else(|| format!("no event {number} of {topic}, but: {text}"))?;
    now()
        .checked_sub(at)
        .map(Duration::from_nanos)
        .ok_or_else(|| "the clock was set back".to_owned())
}

/// The elements in one event of an event stream, without the blank line that ends it; `None` for comments.
///
/// # Errors
///
/// When it is another event than one that patches elements of one line.
pub fn patched(event: &str) -> Result<Option<&str>, String> {
    let (mut patched, mut is_patch) = (None, false);
    for line in event.lines().filter(|line| !line.starts_with(':')) {
        match line.split_once(": ") {
            Some(("event", "datastar-patch-elements")) => is_patch = true,
            Some(("data", data)) if patched.is_none() => patched = data.strip_prefix("elements "),
            Some(("id", _)) => {}
            _ => return Err(format!("an event that was not sent: {event}")),
        }
    }
    match is_patch == patched.is_some() {
        true => Ok(patched),
        false => Err(format!("an event that was not sent: {event}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_right_event_took_any_time() {
        let event = stamped("news", 7);
        assert_eq!(event.len(), SIZE);
        assert!(took(&event, "news", 7).is_ok());
        assert!(took(&event, "news", 8).is_err());
        assert!(took(&event, "olds", 7).is_err());
        assert!(took(&event[..SIZE - 1], "news", 7).is_err());
        assert!(took(&elements("news", 7, now() + 1_000_000_000), "news", 7).is_err());
    }

    #[test]
    fn elements_are_taken_from_patches_only() {
        let event = "event: datastar-patch-elements\nid: 7\ndata: elements <p>: a</p>";
        assert_eq!(patched(event), Ok(Some("<p>: a</p>")));
        assert_eq!(patched(":"), Ok(None));
        assert!(patched("data: elements <p></p>").is_err());
        assert!(patched("event: datastar-patch-elements\ndata: mode inner").is_err());
        assert!(patched("event: datastar-patch-signals\ndata: signals {}").is_err());
    }
}
