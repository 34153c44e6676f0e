//! The head of what is negotiated.

use http::{
    Method, StatusCode,
    header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, VARY},
};
use http_body::Body as _;
use sidereal_sse::{Codec, Compression, Connect, Event, StreamOptions};

use crate::{
    content::page,
    viewer::{codec_of, connect, poll},
};

#[test]
fn the_default_is_zstd_then_gzip() {
    let stream = |accept| codec_of(&connect(accept).respond(async |_| Ok(())).into_http());
    let best = [Codec::Zstd, Codec::Gzip]
        .into_iter()
        .find(|codec| codec.is_available());
    assert_eq!(stream("gzip, deflate, br, zstd"), best);
    assert_eq!(stream("br"), None);
    assert_eq!(stream(""), None);
}

#[test]
fn what_is_negotiated_varies() {
    for accept in ["zstd", "gzip", "br", "", "deflate", "*;q=0, identity"] {
        let response = connect(accept).respond(async |_| Ok(())).into_http();
        let varies = response.headers().get(VARY);
        let negotiates = Codec::Zstd.is_available() || Codec::Gzip.is_available();
        assert_eq!(
            varies.is_some_and(|value| value == "accept-encoding"),
            negotiates,
            "{accept}"
        );
    }
    let response = connect("gzip")
        .respond(async |_| Ok(()))
        .compression(None)
        .into_http();
    assert_eq!(codec_of(&response), None);
    assert!(response.headers().get(VARY).is_none());
}

#[test]
fn compression_can_be_turned_off_for_all() {
    let options = StreamOptions::new().compression(Compression::none());
    let response = connect("gzip, zstd")
        .with_options(options)
        .reply([page(50, 1)])
        .into_http();
    assert_eq!(codec_of(&response), None);
    assert!(response.headers().get(VARY).is_none());
}

#[cfg(any(feature = "gzip", feature = "zstd"))]
#[test]
fn who_refuses_everything_gets_a_406_with_a_text() {
    let response = connect("identity;q=0, *;q=0")
        .reply([Event::new("never sent")])
        .on_disconnect(|_, _| panic!("nothing began"))
        .into_http();
    assert_eq!(response.status(), StatusCode::NOT_ACCEPTABLE);
    assert_eq!(
        response.headers()[CONTENT_TYPE],
        "text/plain; charset=utf-8"
    );
    assert_eq!(response.headers()[VARY], "accept-encoding");
    let mut body = response.into_body();
    let length = body.size_hint().exact().unwrap();
    let text = poll(&mut body).unwrap();
    assert_eq!(text.len() as u64, length);
    assert!(
        std::str::from_utf8(&text)
            .unwrap()
            .contains("Accept-Encoding")
    );
    assert!(body.is_end_stream() && poll(&mut body).is_none());
}

/// RFC 9110, 9.3.2: the same fields as for GET, and no content.
#[test]
fn head_has_the_fields_of_get() {
    for events in [vec![page(50, 1)], vec![page(1, 1)], vec![]] {
        let heads = [Method::GET, Method::HEAD].map(|method| {
            let request = http::Request::builder()
                .method(method)
                .header(ACCEPT_ENCODING, "gzip, zstd")
                .body(())
                .unwrap();
            Connect::from_request(&request)
                .reply(events.clone())
                .into_http()
        });
        let [get, head] = &heads;
        assert_eq!(get.headers(), head.headers());
        assert!(head.body().is_end_stream());
    }
    let request = http::Request::builder()
        .method(Method::HEAD)
        .header(ACCEPT_ENCODING, "gzip")
        .body(())
        .unwrap();
    let response = Connect::from_request(&request)
        .run(async |_| Ok(()))
        .into_http();
    assert_eq!(
        response.headers().get(CONTENT_ENCODING).is_some(),
        Codec::Gzip.is_available()
    );
}
