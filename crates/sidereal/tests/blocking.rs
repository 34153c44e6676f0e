//! Streams on plain threads over a plain `TcpListener`. Sockets know no paused time: what is waited for
//! here is what happens, and periods are short.

#![cfg(feature = "blocking")]
#![allow(clippy::unwrap_used)]

use std::{
    io::{self, BufRead, BufReader, ErrorKind, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use http::{Version, request::Parts};
use serde::Deserialize;
use sidereal::{
    BodyError, Config, EndReason, Hub, PatchElements, SendError, Shutdown, Signals, View,
    blocking::{self, Connect},
};

const SOON: Duration = Duration::from_secs(5);
const TICK: Duration = Duration::from_millis(20);

/// What comes of the server's threads: how each response ended.
type Results = mpsc::Receiver<io::Result<()>>;

/// A server with a thread for each connection, which goes on after a response that is whole.
fn serve<H>(handler: H) -> (SocketAddr, Results)
where
    H: Fn(Parts, &mut BufReader<TcpStream>, TcpStream) -> io::Result<()> + Clone + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (tell, results) = mpsc::channel();
    thread::spawn(move || {
        for socket in listener.incoming() {
            let (handler, tell) = (handler.clone(), tell.clone());
            let socket = socket.unwrap();
            thread::spawn(move || {
                let mut reader = BufReader::new(socket.try_clone().unwrap());
                while let Some(head) = read_head(&mut reader) {
                    let result = handler(head, &mut reader, socket.try_clone().unwrap());
                    let goes_on = result.is_ok();
                    let _ = tell.send(result);
                    if !goes_on {
                        break;
                    }
                }
                let _ = socket.shutdown(std::net::Shutdown::Both);
            });
        }
    });
    (address, results)
}

fn read_head(reader: &mut impl BufRead) -> Option<Parts> {
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let mut words = line.split_whitespace();
    let (method, target, version) = (words.next()?, words.next()?, words.next()?);
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else {
            break;
        };
        headers.push((name.to_owned(), value.to_owned()));
    }
    let mut head = blocking::head(method, target, headers).unwrap();
    if version == "HTTP/1.0" {
        head.version = Version::HTTP_10;
    }
    Some(head)
}

/// A server whose handler needs nothing but the request.
fn serve_stream(
    handler: impl Fn(Connect, TcpStream) -> io::Result<()> + Clone + Send + 'static,
) -> (SocketAddr, Results) {
    serve(move |head, _, socket| handler(Connect::from_parts(&head), socket))
}

fn ask(address: SocketAddr, request: &str) -> TcpStream {
    let mut socket = TcpStream::connect(address).unwrap();
    socket.set_read_timeout(Some(SOON)).unwrap();
    socket.write_all(request.as_bytes()).unwrap();
    socket
}

const GET: &str = "GET / HTTP/1.1\r\nHost: here\r\n\r\n";

fn read_until(reader: &mut impl Read, end: &str) -> String {
    let mut text = Vec::new();
    while !text.ends_with(end.as_bytes()) {
        let mut byte = [0];
        match reader.read(&mut byte) {
            Ok(1) => text.push(byte[0]),
            other => panic!("{other:?} after {:?}", String::from_utf8_lossy(&text)),
        }
    }
    String::from_utf8(text).unwrap()
}

fn read_all(mut socket: TcpStream) -> String {
    let mut text = String::new();
    socket.read_to_string(&mut text).unwrap();
    text
}

fn patch(text: &str) -> PatchElements {
    PatchElements::new(format!("<p>{text}</p>"))
}

#[test]
fn each_event_is_flushed_and_the_connection_goes_on() {
    let (address, results) = serve_stream(|connect, socket| {
        connect
            .respond(|tx| {
                tx.patch_elements(patch("one"))?;
                tx.sleep(Duration::from_millis(300))?;
                tx.patch_signals(&serde_json::json!({ "two": 2 }))?;
                Ok(())
            })
            .write_to(socket)
    });
    let mut socket = ask(address, GET);
    for _ in 0..2 {
        let head = read_until(&mut socket, "\r\n\r\n");
        assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
        assert!(
            head.contains("content-type: text/event-stream\r\n"),
            "{head}"
        );
        assert!(head.contains("transfer-encoding: chunked\r\n"), "{head}");
        assert!(head.contains("date: "), "{head}");
        read_until(&mut socket, "<p>one</p>\n\n\r\n");
        let one = Instant::now();
        read_until(&mut socket, "data: signals {\"two\":2}\n\n\r\n");
        assert!(
            one.elapsed() > Duration::from_millis(200),
            "they came together"
        );
        read_until(&mut socket, "0\r\n\r\n");
        results.recv_timeout(SOON).unwrap().unwrap();
        socket.write_all(GET.as_bytes()).unwrap();
    }
}

#[test]
fn hooks_and_what_is_followed_are_in_their_order() {
    let hub = Hub::new();
    let topic = hub.topic("news");
    let published = topic.clone();
    let (tell, ended) = mpsc::channel();
    let (address, _results) = serve_stream(move |connect, socket| {
        let (tell, published) = (tell.clone(), published.clone());
        let mut borrowed = Vec::new();
        let result = connect
            .respond(|tx| {
                // Comes in while this waits, from another thread.
                let other = published.clone();
                thread::spawn(move || other.publish(patch("published")).unwrap());
                tx.sleep(Duration::from_millis(200))?;
                borrowed.push("body");
                tx.send(patch("body"))?;
                Ok(())
            })
            .watch(&topic)
            .on_connect(|tx| Ok(tx.send(patch("first"))?))
            .on_connect(|tx| Ok(tx.send(patch("second"))?))
            .on_disconnect(move |_, ended| tell.send(ended.reason()).unwrap())
            .write_to(socket);
        assert_eq!(borrowed, ["body"]);
        result
    });
    let text = read_until(&mut ask(address, GET), "0\r\n\r\n");
    let places = ["first", "second", "published", "body"].map(|text_of| {
        text.find(text_of)
            .unwrap_or_else(|| panic!("no {text_of} in {text}"))
    });
    assert!(places.is_sorted(), "{text}");
    assert_eq!(ended.recv_timeout(SOON), Ok(EndReason::Finished));
}

#[test]
fn a_client_that_leaves_is_noticed_by_the_second_heartbeat_and_the_body_learns_it() {
    let (tell, ended) = mpsc::channel();
    let (address, results) = serve_stream(move |connect, socket| {
        let tell = tell.clone();
        connect
            .run(|tx| {
                tx.patch_elements(patch("one"))?;
                let error: SendError = tx.sleep(SOON * 10).unwrap_err();
                assert_eq!(error.reason(), Some(EndReason::Disconnected));
                assert!(tx.is_closed());
                Err(error.into())
            })
            .keep_alive(Duration::from_millis(100))
            .on_disconnect(move |_, ended| tell.send(ended.reason()).unwrap())
            .write_to(socket)
    });
    let mut socket = ask(address, GET);
    read_until(&mut socket, "<p>one</p>\n\n\r\n");
    let left = Instant::now();
    drop(socket);
    assert_eq!(ended.recv_timeout(SOON), Ok(EndReason::Disconnected));
    assert!(
        left.elapsed() < Duration::from_millis(400),
        "{:?}",
        left.elapsed()
    );
    assert!(results.recv_timeout(SOON).unwrap().is_err());
}

#[test]
fn a_reader_that_stalls_ends_by_the_sockets_write_timeout() {
    let (tell, ended) = mpsc::channel();
    let (address, results) = serve_stream(move |connect, socket| {
        socket.set_write_timeout(Some(Duration::from_millis(200)))?;
        let tell = tell.clone();
        let page = "x".repeat(100_000);
        connect
            .every(Duration::ZERO, |tx| Ok(tx.send(patch(&page))?))
            .compression(None)
            .on_disconnect(move |_, ended| tell.send(ended.reason()).unwrap())
            .write_to(socket)
    });
    let _stalled = ask(address, GET);
    assert_eq!(ended.recv_timeout(SOON), Ok(EndReason::WriteDeadline));
    assert!(results.recv_timeout(SOON).unwrap().is_err());
}

#[test]
fn a_shutdown_breaks_long_streams_and_lets_one_shots_finish() {
    let shutdown = Shutdown::new();
    let config = Config::new().shutdown(shutdown.clone());
    let (address, results) = serve(move |mut head, _, socket| {
        head.extensions.insert(config.clone());
        let connect = Connect::from_parts(&head);
        match head.uri.path() {
            "/long" => connect
                .every(TICK, |tx| Ok(tx.send(patch("tick"))?))
                .write_to(socket),
            _ => connect
                .respond(|tx| {
                    tx.send(patch("begun"))?;
                    tx.sleep(Duration::from_millis(300))?;
                    tx.send(patch("done"))?;
                    Ok(())
                })
                .write_to(socket),
        }
    });
    let mut long = ask(address, &GET.replace("GET /", "GET /long"));
    read_until(&mut long, "<p>tick</p>");
    let mut short = ask(address, GET);
    read_until(&mut short, "<p>begun</p>");
    shutdown.trigger();
    let rest = read_all(long);
    assert!(!rest.ends_with("0\r\n\r\n"), "{rest}");
    let error = results.recv_timeout(SOON).unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionAborted);
    let rest = read_until(&mut short, "0\r\n\r\n");
    assert!(rest.contains("<p>done</p>"), "{rest}");
}

#[test]
fn http_1_0_lasts_as_long_as_the_connection_and_head_has_no_body() {
    let (tell, begun) = mpsc::channel();
    let (address, _results) = serve(move |head, _, socket| {
        let (tell, is_old) = (tell.clone(), head.version == Version::HTTP_10);
        let result = Connect::from_parts(&head)
            .respond(move |tx| {
                tell.send(()).unwrap();
                Ok(tx.send(patch("one"))?)
            })
            .write_to(socket);
        match is_old {
            true => Err(ErrorKind::ConnectionAborted.into()),
            false => result,
        }
    });
    let text = read_all(ask(address, "GET / HTTP/1.0\r\n\r\n"));
    assert!(!text.contains("chunked"), "{text}");
    assert!(text.contains("connection: close\r\n"), "{text}");
    assert!(text.ends_with("<p>one</p>\n\n"), "{text}");
    begun.recv_timeout(SOON).unwrap();

    let mut socket = ask(address, "HEAD / HTTP/1.1\r\n\r\n");
    read_until(&mut socket, "\r\n\r\n");
    socket.write_all(GET.as_bytes()).unwrap();
    let text = read_until(&mut socket, "0\r\n\r\n");
    assert!(text.starts_with("HTTP/1.1 200"), "{text}");
    begun.recv_timeout(SOON).unwrap();
    assert!(begun.try_recv().is_err(), "a HEAD request begins nothing");
}

#[test]
fn a_reply_has_a_length_and_a_body_that_panics_or_fails_ends_its_stream_alone() {
    let (tell, ended) = mpsc::channel();
    let (address, results) = serve(move |head, _, socket| {
        let connect = Connect::from_parts(&head);
        let tell = tell.clone();
        let sse = match head.uri.path() {
            "/reply" => connect.reply((patch("one"), patch("two"))),
            "/panics" => connect.respond(|tx| {
                tx.send(patch("before"))?;
                panic!("on purpose")
            }),
            _ => connect.respond(|tx| {
                tx.send(patch("before"))?;
                Err(BodyError::new("on purpose"))
            }),
        };
        sse.on_disconnect(move |_, ended| tell.send(ended.reason()).unwrap())
            .write_to(socket)
    });
    let mut socket = ask(address, &GET.replace("GET /", "GET /reply"));
    let head = read_until(&mut socket, "\r\n\r\n");
    assert!(head.contains("content-length: "), "{head}");
    read_until(&mut socket, "<p>two</p>\n\n");
    assert_eq!(ended.recv_timeout(SOON), Ok(EndReason::Finished));
    for (path, reason) in [
        ("/panics", EndReason::Panicked),
        ("/fails", EndReason::Failed),
    ] {
        let request = GET.replace("GET /", &format!("GET {path}"));
        socket.write_all(request.as_bytes()).unwrap();
        let text = read_until(&mut socket, "0\r\n\r\n");
        assert!(text.contains("<p>before</p>"), "{text}");
        assert_eq!(ended.recv_timeout(SOON), Ok(reason));
        results.recv_timeout(SOON).unwrap().unwrap();
    }
}

#[test]
fn views_are_followed_from_threads_and_asked_for() {
    let view = View::new(0, |count: &i32| patch(&count.to_string()));
    let shown = view.clone();
    let (address, _results) = serve(move |head, _, socket| {
        let connect = Connect::from_parts(&head);
        match head.uri.path() {
            "/once" => connect.once(&shown).write_to(socket),
            _ => connect.watch(&shown).write_to(socket),
        }
    });
    let mut watching: Vec<_> = (0..20).map(|_| ask(address, GET)).collect();
    for socket in &mut watching {
        read_until(socket, "<p>0</p>\n\n\r\n");
    }
    view.update(|count| *count = 7);
    for socket in &mut watching {
        read_until(socket, "<p>7</p>\n\n\r\n");
    }
    let mut once = ask(address, &GET.replace("GET /", "GET /once"));
    read_until(&mut once, "<p>7</p>\n\n");
    drop(watching);
}

#[derive(Debug, Deserialize)]
struct Form {
    name: String,
}

#[test]
fn signals_come_from_query_and_body_under_the_limit() {
    let config = Config::new().signals_limit(100);
    let (address, _results) = serve(move |mut head, reader, socket| {
        head.extensions.insert(config.clone());
        let length = head.headers.get("content-length");
        let length = length.map_or(0, |length| length.to_str().unwrap().parse().unwrap());
        let form = Signals::<Form>::read_from(&head, reader.take(length));
        match form {
            Ok(Signals(form)) => Connect::from_parts(&head)
                .reply(patch(&form.name))
                .write_to(socket),
            Err(rejection) => blocking::write_whole(&head, rejection.into_http(), socket),
        }
    });
    let post = |content_type: &str, body: &str| {
        let length = body.len();
        let mut socket = ask(
            address,
            &format!(
                "POST / HTTP/1.1\r\nContent-Type: {content_type}\r\nContent-Length: {length}\r\n\r\n{body}"
            ),
        );
        let head = read_until(&mut socket, "\r\n\r\n");
        let length = head.split("content-length: ").nth(1).unwrap();
        let length: usize = length.split("\r\n").next().unwrap().parse().unwrap();
        let mut body = vec![0; length];
        socket.read_exact(&mut body).unwrap();
        (head[9..12].to_owned(), String::from_utf8(body).unwrap())
    };
    let (status, body) = post("application/json", r#"{"name":"Ada"}"#);
    assert!(
        status == "200" && body.contains("<p>Ada</p>"),
        "{status} {body}"
    );
    let long = format!(r#"{{"name":"{}"}}"#, "x".repeat(100_000));
    assert_eq!(post("application/json", &long).0, "413");
    assert_eq!(post("text/plain", r#"{"name":"Ada"}"#).0, "415");
    assert_eq!(post("application/json", "{").0, "400");
    let query = GET.replace("GET /", "GET /?datastar=%7B%22name%22%3A%22Rhea%22%7D");
    let mut socket = ask(address, &query);
    read_until(&mut socket, "<p>Rhea</p>\n\n");
}

#[test]
fn an_asynchronous_handler_runs_on_a_thread_as_it_is() {
    async fn handler(connect: sidereal::Connect) -> sidereal::Sse {
        connect.every(TICK, async |tx| {
            tx.patch_elements(patch("tick")).await?;
            Ok(())
        })
    }
    let (address, _results) = serve(|head, _, socket| {
        let sse = blocking::block_on(handler(sidereal::Connect::from_parts(&head)));
        blocking::write(&head, sse.into_http(), socket)
    });
    let mut socket = ask(address, GET);
    for _ in 0..3 {
        read_until(&mut socket, "<p>tick</p>\n\n\r\n");
    }
}

#[test]
fn a_future_that_is_waited_for_is_dropped_when_the_stream_ends() {
    let (tell, ended) = mpsc::channel();
    let (address, results) = serve_stream(move |connect, socket| {
        let tell = tell.clone();
        connect
            .run(move |tx| {
                tx.patch_elements(patch("one"))?;
                let error = tx.wait_for(std::future::pending::<()>()).unwrap_err();
                tell.send(error.reason()).unwrap();
                Err(error.into())
            })
            .keep_alive(Duration::from_millis(100))
            .write_to(socket)
    });
    let mut socket = ask(address, GET);
    read_until(&mut socket, "<p>one</p>\n\n\r\n");
    drop(socket);
    assert_eq!(ended.recv_timeout(SOON), Ok(Some(EndReason::Disconnected)));
    assert!(results.recv_timeout(SOON).unwrap().is_err());
}

/// A topic that always has the next event, as one that is published faster than it is read.
#[test]
fn a_body_has_its_turn_beside_a_topic_that_is_never_silent() {
    struct Publishes<W>(W, sidereal::Topic);

    impl<W: Write> Write for Publishes<W> {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.1.publish(patch("again")).unwrap();
            self.0.write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            self.0.flush()
        }
    }

    let topic = Hub::new().topic("busy");
    let mut written = Vec::new();
    let (head, ()) = http::Request::new(()).into_parts();
    Connect::from_parts(&head)
        .respond(|tx| {
            tx.sleep(TICK)?;
            tx.send(patch("mine"))?;
            Ok(tx.wait_for(async {})?)
        })
        .watch(&topic)
        .on_connect(|tx| Ok(tx.send(patch("first"))?))
        .write_to(Publishes(&mut written, topic.clone()))
        .unwrap();
    let text = String::from_utf8(written).unwrap();
    assert!(text.contains("<p>again</p>") && text.contains("<p>mine</p>"));
}

#[test]
fn limits_have_no_largest_value_and_heads_no_largest_size() {
    let mut head = blocking::head("POST", "/", [("Content-Type", "application/json")]).unwrap();
    head.extensions
        .insert(Config::new().signals_limit(usize::MAX));
    let body = br#"{"name":"Ada"}"#;
    let Signals(form) = Signals::<Form>::read_from(&head, &body[..]).unwrap();
    assert_eq!(form.name, "Ada");
    head.extensions
        .insert(Config::new().signals_limit(body.len()));
    assert!(Signals::<Form>::read_from(&head, &body[..]).is_ok());
    head.extensions
        .insert(Config::new().signals_limit(body.len() - 1));
    let error = Signals::<Form>::read_from(&head, &body[..]).unwrap_err();
    assert_eq!(error.status(), 413);

    let many = (0..40_000).map(|n| (format!("x{n}"), "y"));
    assert!(blocking::head("GET", "/", many).is_ok());
}

/// Both would block a runtime; neither panics.
#[tokio::test]
async fn within_a_runtime_it_works_as_well() {
    let mut written = Vec::new();
    let (head, ()) = http::Request::new(()).into_parts();
    Connect::from_parts(&head)
        .respond(|tx| {
            tx.sleep(TICK)?;
            // More than a task may do without a pause.
            for _ in 0..300 {
                tx.send(patch("one"))?;
            }
            Ok(())
        })
        .write_to(&mut written)
        .unwrap();
    assert!(String::from_utf8(written).unwrap().ends_with("0\r\n\r\n"));
}
