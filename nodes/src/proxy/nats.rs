//! The protocol of NATS clients, as far as the beginnings and ends of its messages: a line, and after some of them as
//! many bytes as that says.

use super::frames::{Found, Unreadable, Way, What, line, unreadable};

/// The largest payload that is believed: the server's own limit is 64 MiB.
const LARGEST: usize = 128 << 20;

pub(crate) fn first(bytes: &[u8], way: Way) -> Result<Found, Unreadable> {
    let Some((line, length)) = line(bytes)? else {
        return Ok(Found::MoreThan(bytes.len()));
    };
    let text = String::from_utf8_lossy(line);
    let mut words = text.split_ascii_whitespace();
    let operation = words.next().unwrap_or_default().to_ascii_uppercase();
    let arguments: Vec<&str> = words.collect();
    // How many arguments there may be: subject, subscription, subject for the answer, length of the headers, length.
    let counts = match (way, operation.as_str()) {
        (Way::ToClient, "MSG") => 3..=4,
        (Way::ToClient, "HMSG") => 4..=5,
        (Way::ToServer, "PUB") => 2..=3,
        (Way::ToServer, "HPUB") => 3..=4,
        (_, "PING" | "PONG")
        | (Way::ToClient, "INFO" | "+OK" | "-ERR")
        | (Way::ToServer, "CONNECT" | "SUB" | "UNSUB") => {
            return Ok(Found::Whole(length, What::Other));
        }
        _ => return Err(unreadable("not of NATS", line)),
    };
    let payload = arguments.last().and_then(|length| length.parse().ok());
    let payload: usize = payload
        .filter(|payload| *payload <= LARGEST && counts.contains(&arguments.len()))
        .ok_or_else(|| unreadable("odd arguments", line))?;
    let whole = length + payload + 2;
    if bytes.len() < whole {
        return Ok(Found::MoreThan(whole - 1));
    }
    if !bytes[..whole].ends_with(b"\r\n") {
        return Err(unreadable("a payload of another length", line));
    }
    let subject = arguments[0].to_owned();
    let what = match way {
        Way::ToClient => What::Message(subject),
        Way::ToServer => What::Publish(subject),
    };
    Ok(Found::Whole(whole, what))
}

#[cfg(test)]
mod tests {
    use super::super::frames::{
        Frame, Protocol, Splitter, Way, What,
        tests::{error, frames},
    };

    fn whats(way: Way, bytes: &[u8]) -> Vec<What> {
        let frames = frames(Protocol::Nats, way, bytes);
        frames.into_iter().map(|frame| frame.what).collect()
    }

    fn message(subject: &str) -> What {
        What::Message(subject.into())
    }

    fn publish(subject: &str) -> What {
        What::Publish(subject.into())
    }

    #[test]
    fn what_a_server_says() {
        let said = b"INFO {\"a\":\"MSG b 1 2\"}\r\nPING\r\nMSG a.b 1 5\r\nhello\r\nMSG a 12 _INBOX.1 0\r\n\r\n+OK\r\n\
            HMSG a.c 1 21 26\r\nNATS/1.0\r\nName: 1\r\n\r\nhello\r\nHMSG a.c 1 r 12 12\r\nNATS/1.0\r\n\r\n\r\n\
            -ERR 'Slow Consumer'\r\nPONG\r\n";
        let expected = [
            What::Other,
            What::Other,
            message("a.b"),
            message("a"),
            What::Other,
            message("a.c"),
            message("a.c"),
            What::Other,
            What::Other,
        ];
        assert_eq!(whats(Way::ToClient, said), expected);
    }

    #[test]
    fn what_a_client_says() {
        let said = b"CONNECT {\"verbose\":false}\r\nSUB a.* q 1\r\npub a 3\r\nb\r\n\r\nPUB\ta  reply\t2 \r\n\r\n\r\n\
            HPUB a r 12 14\r\nNATS/1.0\r\n\r\nhi\r\nUNSUB 1 3\r\nPONG\r\nPING\n";
        let expected = [
            What::Other,
            What::Other,
            publish("a"),
            publish("a"),
            publish("a"),
            What::Other,
            What::Other,
            What::Other,
        ];
        assert_eq!(whats(Way::ToServer, said), expected);
    }

    #[test]
    fn a_payload_may_look_like_the_protocol() {
        let said = b"MSG a 1 13\r\nMSG b 1 1\r\nx\r\r\nMSG c 1 1\r\n\n\r\n";
        assert_eq!(whats(Way::ToClient, said), [message("a"), message("c")]);
    }

    #[test]
    fn a_long_payload_in_small_pieces() {
        let mut said = format!("MSG big 1 {}\r\n", 8 << 20).into_bytes();
        said.extend((0..8 << 20).map(|at: u32| at.to_le_bytes()[at as usize % 4]));
        said.extend_from_slice(b"\r\nPING\r\n");
        let mut splitter = Splitter::new(Protocol::Nats, Way::ToClient);
        let mut frames = Vec::new();
        for piece in said.chunks(1001) {
            frames.extend(
                splitter
                    .push(piece)
                    .unwrap_or_else(|error| panic!("{error:?}")),
            );
        }
        let [big, ping] = &frames[..] else {
            panic!("{} frames", frames.len())
        };
        assert!(big.what == message("big") && big.bytes[..] == said[..said.len() - 6]);
        let expected = Frame {
            what: What::Other,
            bytes: b"PING\r\n".to_vec(),
        };
        assert_eq!(*ping, expected);
    }

    #[test]
    fn what_is_not_of_the_protocol_is_said() {
        for (way, said) in [
            (Way::ToClient, &b"PUB a 1\r\nx\r\n"[..]),
            (Way::ToServer, b"MSG a 1 1\r\nx\r\n"),
            (Way::ToClient, b"MSG a 1\r\n"),
            (Way::ToClient, b"MSG a 1 -1\r\n"),
            (Way::ToClient, b"MSG a 1 999999999999\r\n"),
            (Way::ToClient, b"MSG a 1 2\r\nabcd"),
            (Way::ToServer, b"\x16\x03\x01\r\n"),
            (Way::ToClient, b"\r\n"),
        ] {
            assert!(!error(Protocol::Nats, way, said).is_empty());
        }
    }
}
