//! What the proxy does, message by message, with a broker that is a socket of the test.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::{
    io::{self, ErrorKind, Read, Write},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    thread,
    time::{Duration, Instant},
};

use nodes::{Fault, Faults, Port, Proxy, Way};

const LIMIT: Duration = Duration::from_secs(10);
/// How long it is tried whether something does _not_ come.
const SHORT: Duration = Duration::from_millis(100);

/// A proxy, and both ends of a connection through it.
struct Setup {
    listener: TcpListener,
    proxy: Proxy,
    client: TcpStream,
    broker: TcpStream,
}

impl Setup {
    fn new(proxy: impl FnOnce(SocketAddr) -> Proxy) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let proxy = proxy(listener.local_addr().unwrap());
        let client = connect(proxy.address());
        let broker = accept(&listener);
        Self {
            listener,
            proxy,
            client,
            broker,
        }
    }

    fn nats(seed: u64) -> Self {
        Self::new(|broker| Proxy::nats(broker, seed))
    }

    fn redis(seed: u64) -> Self {
        Self::new(|broker| Proxy::redis(broker, seed))
    }

    /// Has the broker send these, and what comes of them with `END` after it.
    fn delivered(&mut self, messages: impl IntoIterator<Item = u32>) -> Vec<u32> {
        let all: Vec<u8> = messages.into_iter().flat_map(message).collect();
        // In pieces that end anywhere.
        for piece in all.chunks(7) {
            self.broker.write_all(piece).unwrap();
        }
        self.broker.write_all(b"PING\r\n").unwrap();
        let mut text = String::new();
        while !text.ends_with("PING\r\n") {
            let mut piece = [0; 4096];
            let length = self.client.read(&mut piece).unwrap();
            assert!(length > 0, "the end after {text}");
            text.push_str(str::from_utf8(&piece[..length]).unwrap());
        }
        numbers(&text)
    }

    fn expect(&mut self, bytes: impl AsRef<[u8]>) {
        expect(&mut self.client, bytes.as_ref());
    }
}

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect_timeout(&address, LIMIT).unwrap();
    stream.set_read_timeout(Some(LIMIT)).unwrap();
    stream.set_nodelay(true).unwrap();
    stream
}

fn accept(listener: &TcpListener) -> TcpStream {
    listener.set_nonblocking(true).unwrap();
    let start = Instant::now();
    loop {
        match listener.accept() {
            Ok((stream, _)) => {
                stream.set_nonblocking(false).unwrap();
                stream.set_read_timeout(Some(LIMIT)).unwrap();
                stream.set_nodelay(true).unwrap();
                return stream;
            }
            Err(error) => assert!(start.elapsed() < LIMIT, "{error}"),
        }
        thread::sleep(Duration::from_millis(1));
    }
}

fn message(number: u32) -> Vec<u8> {
    let text = number.to_string();
    format!("MSG news 1 {}\r\n{text}\r\n", text.len()).into_bytes()
}

fn numbers(text: &str) -> Vec<u32> {
    text.lines().filter_map(|line| line.parse().ok()).collect()
}

/// Reads exactly this.
fn expect(stream: &mut TcpStream, bytes: &[u8]) {
    let mut read = vec![0; bytes.len()];
    stream.read_exact(&mut read).unwrap();
    assert_eq!(
        read.escape_ascii().to_string(),
        bytes.escape_ascii().to_string()
    );
}

/// That nothing comes.
fn is_silent(stream: &mut TcpStream) {
    stream.set_read_timeout(Some(SHORT)).unwrap();
    let read = stream.read(&mut [0; 10]);
    let kind = read.map_err(|error| error.kind());
    assert!(
        matches!(kind, Err(ErrorKind::WouldBlock | ErrorKind::TimedOut)),
        "{kind:?}"
    );
    stream.set_read_timeout(Some(LIMIT)).unwrap();
}

/// How it ends: the number of bytes before a proper end, or the error.
fn ends(stream: &mut TcpStream) -> Result<usize, ErrorKind> {
    let mut bytes = Vec::new();
    stream
        .read_to_end(&mut bytes)
        .map_err(|error: io::Error| error.kind())
}

#[test]
fn without_faults_all_is_as_it_was() {
    let mut setup = Setup::nats(1);
    assert_eq!(setup.delivered(0..100), Vec::from_iter(0..100));
    let said = b"CONNECT {}\r\nPUB a 2\r\nhi\r\nPING\r\n";
    setup.client.write_all(said).unwrap();
    expect(&mut setup.broker, said);
    let counts = setup.proxy.counts();
    assert_eq!(
        (counts.connections, counts.messages, counts.publishes),
        (1, 100, 1)
    );
    assert_eq!(counts.dropped + counts.duplicated + counts.held, 0);
    // A half of the connection may end before the other does.
    setup.client.shutdown(Shutdown::Write).unwrap();
    assert_eq!(ends(&mut setup.broker), Ok(0));
    setup
        .broker
        .write_all(b"PONG\r\nMSG half 1 5\r\nab")
        .unwrap();
    setup.broker.shutdown(Shutdown::Write).unwrap();
    setup.expect("PONG\r\nMSG half 1 5\r\nab");
    assert_eq!(ends(&mut setup.client), Ok(0));
}

#[test]
fn the_next_message_has_the_fault_that_is_asked_for() {
    let mut setup = Setup::nats(1);
    setup.proxy.next(Fault::Drop);
    assert_eq!(setup.proxy.waiting(), 1);
    assert_eq!(setup.delivered(0..3), [1, 2]);
    assert_eq!(setup.proxy.waiting(), 0);
    setup.proxy.next(Fault::Duplicate);
    setup.proxy.next(Fault::Hold(2));
    assert_eq!(setup.delivered(0..5), [0, 0, 2, 3, 1, 4]);
    setup.proxy.next(Fault::Delay(SHORT));
    let start = Instant::now();
    assert_eq!(setup.delivered(0..2), [0, 1]);
    assert!(start.elapsed() >= SHORT);
    let counts = setup.proxy.counts();
    assert_eq!(
        (counts.dropped, counts.duplicated, counts.delayed),
        (1, 1, 1)
    );
    assert_eq!((counts.held, counts.reordered), (1, 1));
}

#[test]
fn the_last_message_is_not_held_for_ever() {
    let mut setup = Setup::nats(1);
    setup.proxy.faults(Faults {
        hold_at_most: SHORT,
        ..Faults::default()
    });
    setup.proxy.next(Fault::Hold(1));
    let start = Instant::now();
    setup.broker.write_all(&message(7)).unwrap();
    setup.expect(message(7));
    assert!(start.elapsed() >= SHORT);
    let counts = setup.proxy.counts();
    assert_eq!((counts.held, counts.reordered), (1, 0));
    // And not beyond the end of its connection.
    setup.proxy.faults(Faults {
        hold_at_most: LIMIT,
        ..Faults::default()
    });
    setup.proxy.next(Fault::Hold(1));
    setup.broker.write_all(&message(8)).unwrap();
    setup.broker.shutdown(Shutdown::Write).unwrap();
    setup.expect(message(8));
    assert!(start.elapsed() < LIMIT);
}

#[test]
fn by_chance_and_the_same_for_the_same_seed() {
    let run = |seed| {
        let mut setup = Setup::nats(seed);
        setup.proxy.faults(Faults {
            duplicate: 0.1,
            drop: 0.1,
            hold: 0.1,
            delay: 0.01,
            delay_for: Duration::ZERO..=Duration::from_millis(1),
            // Or else time would decide.
            hold_at_most: LIMIT,
            ..Faults::default()
        });
        let mut got = setup.delivered(0..1000);
        let counts = setup.proxy.counts();
        setup.proxy.heal();
        // Lets go what is held.
        got.extend(setup.delivered(1000..1010));
        (got, counts)
    };
    let (got, counts) = run(1);
    for often in [counts.duplicated, counts.dropped, counts.held] {
        assert!((40..200).contains(&often), "{counts:?}");
    }
    assert!((1..40).contains(&counts.delayed), "{counts:?}");
    assert!(counts.reordered > 40, "{counts:?}");
    assert_eq!(counts.messages, 1000);
    assert_eq!(
        got.len() as u64,
        1010 + counts.duplicated - counts.dropped,
        "{counts:?}"
    );
    assert!(!got.is_sorted());
    assert_eq!(run(1).0, got);
    assert_ne!(run(2).0, got);
}

#[test]
fn only_the_messages_that_are_meant() {
    let mut setup = Setup::nats(1);
    setup.proxy.faults(Faults {
        drop: 1.0,
        publish_twice: 1.0,
        only: Some("news".into()),
        ..Faults::default()
    });
    setup.proxy.next(Fault::Duplicate);
    let other = "MSG _INBOX.1 1 1\r\nx\r\n";
    setup.broker.write_all(other.as_bytes()).unwrap();
    setup.expect(other);
    assert_eq!(setup.delivered(0..3), [0, 0]);
    setup
        .client
        .write_all(b"PUB a 1\r\nx\r\nPUB news 1\r\ny\r\nPING\r\n")
        .unwrap();
    let twice = b"PUB a 1\r\nx\r\nPUB news 1\r\ny\r\nPUB news 1\r\ny\r\nPING\r\n";
    expect(&mut setup.broker, twice);
    assert_eq!(setup.proxy.counts().published_twice, 1);
}

#[test]
fn redis_gets_a_command_twice_and_its_client_one_answer() {
    let mut setup = Setup::redis(1);
    let publish = "*3\r\n$7\r\nPUBLISH\r\n$1\r\na\r\n$1\r\nx\r\n";
    let get = "*2\r\n$3\r\nGET\r\n$1\r\na\r\n";
    let multi = format!("*1\r\n$5\r\nMULTI\r\n{publish}*1\r\n$4\r\nEXEC\r\n");
    setup.proxy.faults(Faults {
        publish_twice: 1.0,
        ..Faults::default()
    });
    let said = format!("{get}{publish}{get}{multi}{publish}");
    setup.client.write_all(said.as_bytes()).unwrap();
    let twice = format!("{get}{publish}{publish}{get}{multi}{publish}{publish}");
    expect(&mut setup.broker, twice.as_bytes());
    let push = ">3\r\n+message\r\n+a\r\n+x\r\n";
    let answers = [
        "$1\r\n1\r\n",
        push,
        ":1\r\n",
        push,
        ":2\r\n",
        "_\r\n",
        "+OK\r\n",
        "+QUEUED\r\n",
        "*1\r\n:1\r\n",
        ":3\r\n",
        ":4\r\n",
        "+LAST\r\n",
    ];
    setup.broker.write_all(answers.concat().as_bytes()).unwrap();
    let kept = [":2\r\n", ":4\r\n"];
    let passed = answers.into_iter().filter(|answer| !kept.contains(answer));
    setup.expect(passed.collect::<String>());
    assert_eq!(setup.proxy.counts().published_twice, 2);
}

#[test]
fn an_answer_of_redis_is_lost_with_its_connection() {
    let mut setup = Setup::redis(1);
    setup.proxy.next(Fault::LoseReply);
    let publish = "*3\r\n$7\r\nPUBLISH\r\n$1\r\na\r\n$1\r\nx\r\n";
    setup
        .client
        .write_all(format!("PING\r\n{publish}").as_bytes())
        .unwrap();
    expect(&mut setup.broker, format!("PING\r\n{publish}").as_bytes());
    setup.broker.write_all(b"+PONG\r\n").unwrap();
    setup.expect("+PONG\r\n");
    setup.broker.write_all(b":1\r\n").unwrap();
    assert_eq!(ends(&mut setup.client), Err(ErrorKind::ConnectionReset));
    assert_eq!(setup.proxy.counts().replies_lost, 1);
}

#[test]
fn all_connections_are_cut_and_new_ones_are_not() {
    let mut setup = Setup::nats(1);
    // Some that the proxy has hardly noticed.
    let mut more: Vec<TcpStream> = (0..5).map(|_| connect(setup.proxy.address())).collect();
    assert_eq!(setup.proxy.cut(), 6);
    assert_eq!(setup.proxy.open(), 0);
    for client in more.iter_mut().chain([&mut setup.client]) {
        assert_eq!(ends(client), Err(ErrorKind::ConnectionReset));
    }
    assert_eq!(ends(&mut setup.broker), Err(ErrorKind::ConnectionReset));

    // The broker has those that the proxy had taken.
    let mut client = connect(setup.proxy.address());
    client.write_all(b"PING\r\n").unwrap();
    let mut broker = loop {
        let mut broker = accept(&setup.listener);
        let mut first = [0; 6];
        if broker.read_exact(&mut first).is_ok() {
            break broker;
        }
    };
    assert_eq!(setup.proxy.open(), 1);
    assert_eq!(setup.proxy.close(), 1);
    assert_eq!(ends(&mut client), Ok(0));
    assert_eq!(ends(&mut broker), Ok(0));
    assert_eq!(setup.proxy.counts().cut, 7);
}

#[test]
fn new_connections_are_refused_and_those_that_are_there_stay() {
    let mut setup = Setup::nats(1);
    for _ in 0..3 {
        setup.proxy.refuse(true);
        let refused = TcpStream::connect(setup.proxy.address()).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
        assert_eq!(setup.delivered(0..2), [0, 1]);
        setup.proxy.refuse(false);
        let mut client = connect(setup.proxy.address());
        client.write_all(b"PING\r\n").unwrap();
        expect(&mut accept(&setup.listener), b"PING\r\n");
    }
}

#[test]
fn a_black_hole_forwards_nothing_until_it_is_none() {
    let mut setup = Setup::nats(1);
    setup.proxy.black_hole(true);
    let mut new = connect(setup.proxy.address());
    new.write_all(b"SUB a 1\r\n").unwrap();
    setup.client.write_all(b"PING\r\n").unwrap();
    setup.broker.write_all(&message(1)).unwrap();
    is_silent(&mut setup.client);
    is_silent(&mut setup.broker);
    assert!(setup.listener.accept().is_err());
    let start = Instant::now();
    while setup.proxy.counts().black_holed < 3 {
        assert!(start.elapsed() < LIMIT, "{:?}", setup.proxy.counts());
        thread::sleep(Duration::from_millis(1));
    }
    setup.proxy.black_hole(false);
    setup.expect(message(1));
    expect(&mut setup.broker, b"PING\r\n");
    expect(&mut accept(&setup.listener), b"SUB a 1\r\n");

    setup.proxy.black_hole_one_way(Way::ToClient, true);
    setup.client.write_all(b"PING\r\n").unwrap();
    expect(&mut setup.broker, b"PING\r\n");
    setup.broker.write_all(b"PONG\r\n").unwrap();
    is_silent(&mut setup.client);
    // It can be cut as it is.
    assert_eq!(setup.proxy.cut(), 2);
    assert_eq!(ends(&mut setup.client), Err(ErrorKind::ConnectionReset));
}

#[test]
fn without_a_broker_connections_end_at_once() {
    let port = Port::free().unwrap();
    let proxy = Proxy::bytes(port.address());
    let mut client = connect(proxy.address());
    assert_eq!(ends(&mut client), Err(ErrorKind::ConnectionReset));
    assert_eq!(proxy.counts().unreachable, 1);
}

#[test]
fn what_is_not_understood_is_not_passed_on() {
    let mut setup = Setup::redis(1);
    setup.broker.write_all(b"MSG a 1 1\r\nx\r\n").unwrap();
    assert_eq!(ends(&mut setup.client), Err(ErrorKind::ConnectionReset));
    assert_eq!(setup.proxy.counts().unreadable, 1);
}

#[test]
fn dropping_it_ends_its_connections() {
    let mut setup = Setup::new(Proxy::bytes);
    setup.broker.write_all(b"\x16\x03").unwrap();
    setup.expect(b"\x16\x03");
    let address = setup.proxy.address();
    drop(setup.proxy);
    assert_eq!(ends(&mut setup.client), Err(ErrorKind::ConnectionReset));
    assert!(TcpStream::connect(address).is_err());
}
