//! The protocol of Redis clients, RESP3, as far as the beginnings and ends of its values, and what the first words of
//! them are. A subscriber that has not said `HELLO 3` gets its messages as arrays, which are not told from answers here.

use super::frames::{Found, Unreadable, Way, What, line, unreadable};

/// The largest string that is believed: Redis' own limit is 512 MiB.
const LARGEST: usize = 512 << 20;

/// The values within the first value that are of interest: name of a command, its keys; kind of a push, its channel.
const WORDS: usize = 4;

pub(crate) fn first(bytes: &[u8], way: Way) -> Result<Found, Unreadable> {
    match (way, bytes.first()) {
        (_, None) => Ok(Found::MoreThan(0)),
        (Way::ToServer, Some(b'*')) | (Way::ToClient, _) => value(bytes, way),
        (Way::ToServer, Some(_)) => inline(bytes),
    }
}

/// A command as people type them. One without words is not answered.
fn inline(bytes: &[u8]) -> Result<Found, Unreadable> {
    let Some((line, length)) = line(bytes)? else {
        return Ok(Found::MoreThan(bytes.len()));
    };
    let text = String::from_utf8_lossy(line);
    let words: Vec<&str> = text.split_ascii_whitespace().collect();
    if !line.iter().all(|byte| (b' '..=b'~').contains(byte)) {
        return Err(unreadable("not of Redis", line));
    }
    Ok(Found::Whole(length, command(&words)))
}

fn value(bytes: &[u8], way: Way) -> Result<Found, Unreadable> {
    let kind = bytes[0];
    let mut words: Vec<&[u8]> = Vec::new();
    // So many values are to come, and they begin there.
    let (mut values, mut at) = (1_usize, 0);
    while values > 0 {
        let Some((line, length)) = line(&bytes[at..])? else {
            return Ok(Found::MoreThan(bytes.len()));
        };
        values -= 1;
        at += length;
        let (first, rest) = line
            .split_first()
            .ok_or_else(|| unreadable("an empty line", bytes))?;
        match first {
            b'+' | b'-' | b':' | b'_' | b'#' | b',' | b'(' => words.push(rest),
            b'$' | b'=' | b'!' => {
                let Some(length) = number(rest, LARGEST)? else {
                    continue;
                };
                let end = at + length + 2;
                if bytes.len() < end {
                    return Ok(Found::MoreThan(end - 1));
                }
                if !bytes[..end].ends_with(b"\r\n") {
                    return Err(unreadable("a string of another length", line));
                }
                words.push(&bytes[at..at + length]);
                at = end;
            }
            b'*' | b'~' | b'>' => values += number(rest, LARGEST)?.unwrap_or(0),
            b'%' => values += 2 * number(rest, LARGEST)?.unwrap_or(0),
            // Attributes stand before the value that they belong to.
            b'|' => values += 1 + 2 * number(rest, LARGEST)?.unwrap_or(0),
            _ => return Err(unreadable("not of Redis", line)),
        }
        words.truncate(WORDS);
    }
    let words: Vec<String> = words
        .into_iter()
        .map(|word| String::from_utf8_lossy(word).into_owned())
        .collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let what = match (way, kind, &words[..]) {
        (Way::ToServer, _, _) => command(&words),
        (_, b'>', ["message" | "smessage", channel, ..] | ["pmessage", _, channel, ..]) => {
            What::Message((*channel).to_owned())
        }
        (_, b'>', _) => What::Other,
        _ => What::Reply,
    };
    Ok(Found::Whole(at, what))
}

/// A length; there is none for what is null.
fn number(digits: &[u8], largest: usize) -> Result<Option<usize>, Unreadable> {
    if digits == b"-1" {
        return Ok(None);
    }
    let text = str::from_utf8(digits).ok();
    text.and_then(|text| text.parse().ok())
        .filter(|number| *number <= largest)
        .map(Some)
        .ok_or_else(|| unreadable("an odd length", digits))
}

fn command(words: &[&str]) -> What {
    let name = words.first().unwrap_or(&"").to_ascii_uppercase();
    let word = |at: usize| What::Publish((*words.get(at).unwrap_or(&"")).to_owned());
    match name.as_str() {
        "PUBLISH" | "SPUBLISH" | "XADD" => word(1),
        // The script, how many keys there are, the first of them.
        "EVAL" | "EVALSHA" | "FCALL" => word(3),
        "MULTI" => What::Multi,
        "EXEC" | "DISCARD" => What::Exec,
        // With RESP3 they are answered by pushes.
        "" | "SUBSCRIBE" | "UNSUBSCRIBE" | "PSUBSCRIBE" | "PUNSUBSCRIBE" | "SSUBSCRIBE"
        | "SUNSUBSCRIBE" => What::Other,
        _ => What::Command,
    }
}

#[cfg(test)]
mod tests {
    use super::super::frames::{
        Protocol, Splitter, Way, What,
        tests::{error, frames},
    };

    fn whats(way: Way, bytes: &[u8]) -> Vec<What> {
        let frames = frames(Protocol::Resp, way, bytes);
        frames.into_iter().map(|frame| frame.what).collect()
    }

    fn message(channel: &str) -> What {
        What::Message(channel.into())
    }

    #[test]
    fn messages_among_replies_of_every_type() {
        let said = b"%2\r\n$6\r\nserver\r\n$5\r\nredis\r\n+proto\r\n:3\r\n\
            >3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n\
            >3\r\n$7\r\nmessage\r\n$1\r\na\r\n$12\r\n>3\r\n$7\r\nmess\r\n\
            >4\r\n$8\r\npmessage\r\n$2\r\na*\r\n$2\r\nab\r\n$0\r\n\r\n\
            >3\r\n+smessage\r\n$1\r\nc\r\n$2\r\n\r\n\r\n\
            *3\r\n$7\r\nmessage\r\n$1\r\na\r\n$1\r\nb\r\n\
            $-1\r\n_\r\n#t\r\n,1.5\r\n(123456789012345678901\r\n=6\r\ntxt:ab\r\n!5\r\nERR a\r\n~1\r\n:1\r\n*-1\r\n*0\r\n-ERR b\r\n\
            |1\r\n+ttl\r\n:1\r\n*2\r\n*1\r\n:2\r\n%1\r\n+a\r\n|1\r\n+x\r\n+y\r\n+b\r\n";
        let mut expected = vec![
            What::Reply,
            What::Other,
            message("a"),
            message("ab"),
            message("c"),
        ];
        expected.extend(vec![What::Reply; 13]);
        assert_eq!(whats(Way::ToClient, said), expected);
    }

    #[test]
    fn commands() {
        let said = b"*2\r\n$5\r\nHELLO\r\n$1\r\n3\r\n*3\r\n$7\r\npublish\r\n$1\r\na\r\n$4\r\n\r\n*1\r\n\
            *5\r\n$4\r\nXADD\r\n$1\r\ns\r\n$1\r\n*\r\n$1\r\nk\r\n$1\r\nv\r\n\
            *4\r\n$7\r\nEVALSHA\r\n$2\r\nab\r\n$1\r\n1\r\n$3\r\nkey\r\n*3\r\n$4\r\nEVAL\r\n$1\r\n1\r\n$1\r\n0\r\n\
            *2\r\n$9\r\nSUBSCRIBE\r\n$1\r\na\r\n*1\r\n$5\r\nMULTI\r\n*1\r\n$4\r\nEXEC\r\nPING\r\n\r\n";
        let publish = |subject: &str| What::Publish(subject.into());
        let expected = [
            What::Command,
            publish("a"),
            publish("s"),
            publish("key"),
            publish(""),
            What::Other,
            What::Multi,
            What::Exec,
            What::Command,
            What::Other,
        ];
        assert_eq!(whats(Way::ToServer, said), expected);
    }

    #[test]
    fn a_long_message_in_small_pieces() {
        let payload: Vec<u8> = (0..8 << 20).map(|at: u32| at.to_le_bytes()[0]).collect();
        let head = format!(">3\r\n$7\r\nmessage\r\n$3\r\nbig\r\n${}\r\n", payload.len());
        let said = [head.as_bytes(), &payload, b"\r\n:1\r\n"].concat();
        let mut splitter = Splitter::new(Protocol::Resp, Way::ToClient);
        let mut frames = Vec::new();
        for piece in said.chunks(1001) {
            frames.extend(
                splitter
                    .push(piece)
                    .unwrap_or_else(|error| panic!("{error:?}")),
            );
        }
        let [big, reply] = &frames[..] else {
            panic!("{} frames", frames.len())
        };
        assert!(big.what == message("big") && big.bytes[..] == said[..said.len() - 4]);
        assert_eq!(reply.what, What::Reply);
    }

    #[test]
    fn what_is_not_of_the_protocol_is_said() {
        for (way, said) in [
            (Way::ToClient, &b"HTTP/1.1 200 OK\r\n"[..]),
            (Way::ToClient, b"$x\r\n"),
            (Way::ToClient, b"$-2\r\n"),
            (Way::ToClient, b"$99999999999\r\n"),
            (Way::ToClient, b"$2\r\nabcd"),
            (Way::ToClient, b"\r\n"),
            (Way::ToServer, b"\x16\x03\x01\r\n"),
        ] {
            assert!(!error(Protocol::Resp, way, said).is_empty());
        }
    }
}
