//! What a node is told to do, in a line of its input, and answers with a line.

use std::{fmt, io, str::FromStr, time::Duration};

use crate::child::ChildServer;

/// With history or without: on several nodes these go different ways.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Without.
    Plain,
    /// With: it is replayed to who comes back.
    History,
}

impl Kind {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Plain, Self::History];
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Plain => "plain",
            Self::History => "history",
        })
    }
}

impl FromStr for Kind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut all = Self::ALL.into_iter();
        all.find(|kind| kind.to_string() == text)
            .ok_or_else(|| format!("no kind of topics: {text}"))
    }
}

/// Some topics of one kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topics {
    /// Which kind.
    pub kind: Kind,
    /// One word that is in all their names.
    pub word: String,
    /// How many.
    pub count: u64,
}

impl Topics {
    /// Their names.
    pub fn names(&self) -> impl Iterator<Item = String> {
        (0..self.count).map(|number| format!("{}-{number}", self.word))
    }
}

/// Events, each on the next of the topics.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    /// The topics, which take turns.
    pub topics: Topics,
    /// How many were published on them before.
    pub from: u64,
    /// How many.
    pub count: u64,
    /// How many a second.
    pub rate: f64,
}

/// What there is to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Order {
    /// Wait until the broker is there.
    Connect,
    /// Follow these, each by itself, and wait until what others publish comes in: how many nanoseconds
    /// that took.
    Follow(Topics),
    /// Wait until so many events have come on what is followed, and no more: how many nanoseconds each
    /// took that came since this was asked last.
    Followed(u64),
    /// Begin to publish.
    Publish(Batch),
    /// Wait until all of it is published.
    Published,
}

impl Order {
    /// Has a node do it: what it answers.
    ///
    /// # Errors
    ///
    /// When it is gone, or could not do it.
    pub fn give(&self, node: &mut ChildServer) -> io::Result<Vec<Duration>> {
        let answer = node.ask(&self.to_string())?;
        let number = |word: &str| word.parse().map(Duration::from_nanos).ok();
        let numbers = |rest: &str| rest.split_whitespace().map(number).collect();
        answer
            .strip_prefix("ok")
            .and_then(numbers)
            .ok_or_else(|| io::Error::other(format!("{self}: {answer}")))
    }
}

impl fmt::Display for Topics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.kind, self.word, self.count)
    }
}

impl fmt::Display for Order {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connect => f.write_str("connect"),
            Self::Follow(topics) => write!(f, "follow {topics}"),
            Self::Followed(count) => write!(f, "followed {count}"),
            Self::Publish(batch) => write!(
                f,
                "publish {} {} {} {}",
                batch.topics, batch.from, batch.count, batch.rate
            ),
            Self::Published => f.write_str("published"),
        }
    }
}

impl FromStr for Order {
    type Err = String;

    fn from_str(line: &str) -> Result<Self, String> {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words[..] {
            ["connect"] => Ok(Self::Connect),
            ["follow", kind, word, count] => topics(kind, word, count).map(Self::Follow),
            ["followed", count] => number(count).map(Self::Followed),
            ["publish", kind, word, topic_count, from, count, rate] => Ok(Self::Publish(Batch {
                topics: topics(kind, word, topic_count)?,
                from: number(from)?,
                count: number(count)?,
                rate: number(rate)?,
            })),
            ["published"] => Ok(Self::Published),
            _ => Err(format!("no order: {line}")),
        }
    }
}

fn topics(kind: &str, word: &str, count: &str) -> Result<Topics, String> {
    Ok(Topics {
        kind: kind.parse()?,
        word: word.to_owned(),
        count: number(count)?,
    })
}

fn number<T: FromStr>(text: &str) -> Result<T, String> {
    text.parse().map_err(|_| format!("no number: {text}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_is_read_as_it_is_written() {
        let topics = Topics {
            kind: Kind::History,
            word: "news".to_owned(),
            count: 2,
        };
        assert_eq!(topics.names().collect::<Vec<_>>(), ["news-0", "news-1"]);
        let batch = Batch {
            topics: topics.clone(),
            from: 3,
            count: 40,
            rate: 12.5,
        };
        for order in [
            Order::Connect,
            Order::Follow(topics),
            Order::Followed(7),
            Order::Publish(batch),
            Order::Published,
        ] {
            assert_eq!(order.to_string().parse(), Ok(order));
        }
        assert!("follow news".parse::<Order>().is_err());
    }
}
