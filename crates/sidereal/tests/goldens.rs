//! Every option and every default of every event, byte for byte.
//!
//! Each golden is the whole event as it goes over the wire, but for the blank line at its end,
//! which [`assert_wire`] asks of every one. A line's trailing space is written as `␠`.

#![allow(clippy::unwrap_used)]

use std::time::Duration;

use serde_json::json;
use sidereal::{
    AttributeName, CustomEvent, Event, EventDefaults, EventId, ExecuteScript, IntoFrame, Mode,
    Namespace, PatchElements, PatchSignals, Selector, SignalPaths, selector,
};

#[track_caller]
fn assert_wire(event: impl IntoFrame, golden: &[&str]) {
    let frame = event.into_frame();
    let wire = std::str::from_utf8(frame.as_bytes()).unwrap();
    let lines: Vec<String> = golden.iter().map(|line| line.replace('␠', " ")).collect();
    assert_eq!(wire, lines.join("\n") + "\n\n");
}

fn li() -> PatchElements {
    PatchElements::new("<li>1</li>")
}

// PatchElements: content

#[test]
fn elements_with_all_defaults() {
    assert_wire(
        li(),
        &[
            "event: datastar-patch-elements",
            "data: elements <li>1</li>",
        ],
    );
}

#[test]
fn elements_of_several_lines_ended_in_every_way() {
    assert_wire(
        PatchElements::new("<ul>\n  <li>1\r\n\r  <li>2\r</ul>\n"),
        &[
            "event: datastar-patch-elements",
            "data: elements <ul>",
            "data: elements   <li>1",
            "data: elements␠",
            "data: elements   <li>2",
            "data: elements </ul>",
            "data: elements␠",
        ],
    );
}

#[test]
fn an_empty_string_is_content() {
    assert_wire(
        PatchElements::new(""),
        &["event: datastar-patch-elements", "data: elements␠"],
    );
}

#[test]
fn no_content_and_no_options_write_nothing() {
    assert!(PatchElements::without_elements().into_frame().is_empty());
    let defaults = EventDefaults::new()
        .retry(Duration::ZERO)
        .use_view_transition(true);
    let nothing = PatchElements::without_elements().with_defaults(&defaults);
    assert!(nothing.into_frame().is_empty());
}

#[test]
fn options_without_content() {
    assert_wire(
        PatchElements::without_elements().inner(selector!("#a")),
        &[
            "event: datastar-patch-elements",
            "data: selector #a",
            "data: mode inner",
        ],
    );
    assert_wire(
        PatchElements::without_elements().selector(selector!("#a")),
        &["event: datastar-patch-elements", "data: selector #a"],
    );
    assert_wire(
        PatchElements::without_elements().id(EventId::from(7)),
        &["event: datastar-patch-elements", "id: 7"],
    );
}

#[test]
fn elements_from_everything() {
    let from_maud = PatchElements::new(maud::html! { li { "1" } });
    let from_display = PatchElements::from_display(format_args!("<li>{}</li>", 1));
    let from_writer = PatchElements::from_writer(|html| write!(html, "<li>{}</li>", 1)).unwrap();
    for patch in [from_maud, from_display, from_writer, "<li>1</li>".into()] {
        assert_eq!(patch, li());
    }
}

// PatchElements: options

#[test]
fn every_mode() {
    let at = || selector!("#a");
    for (patch, target) in [
        (li().selector(at()), &["data: selector #a"][..]),
        (li().replace(), &["data: mode replace"]),
        (
            li().replace().selector(at()),
            &["data: selector #a", "data: mode replace"],
        ),
        (li().inner(at()), &["data: selector #a", "data: mode inner"]),
        (
            li().prepend(at()),
            &["data: selector #a", "data: mode prepend"],
        ),
        (
            li().append(at()),
            &["data: selector #a", "data: mode append"],
        ),
        (
            li().before(at()),
            &["data: selector #a", "data: mode before"],
        ),
        (li().after(at()), &["data: selector #a", "data: mode after"]),
        (li().target(at(), Mode::Outer), &["data: selector #a"]),
        (
            li().target(at(), Mode::Replace),
            &["data: selector #a", "data: mode replace"],
        ),
        (
            li().target(at(), Mode::Remove),
            &["data: selector #a", "data: mode remove"],
        ),
    ] {
        let golden = [
            &["event: datastar-patch-elements"],
            target,
            &["data: elements <li>1</li>"],
        ];
        assert_wire(patch, &golden.concat());
    }
}

#[test]
fn removal_has_no_elements() {
    assert_wire(
        PatchElements::remove(Selector::id("7")),
        &[
            "event: datastar-patch-elements",
            r"data: selector #\37␠",
            "data: mode remove",
        ],
    );
}

#[test]
fn every_namespace() {
    let html = li().namespace(Namespace::Html);
    assert_wire(
        html,
        &[
            "event: datastar-patch-elements",
            "data: elements <li>1</li>",
        ],
    );
    for (namespace, golden) in [
        (Namespace::Svg, "data: namespace svg"),
        (Namespace::MathMl, "data: namespace mathml"),
    ] {
        assert_wire(
            PatchElements::new("<g/>").namespace(namespace),
            &[
                "event: datastar-patch-elements",
                golden,
                "data: elements <g/>",
            ],
        );
    }
}

#[test]
fn view_transitions() {
    let transition = "data: useViewTransition true";
    let of = |options: &[&'static str]| {
        [
            &["event: datastar-patch-elements"],
            options,
            &["data: elements <li>1</li>"],
        ]
        .concat()
    };
    assert_wire(li().use_view_transition(true), &of(&[transition]));
    assert_wire(li().use_view_transition(false), &of(&[]));
    assert_wire(
        li().view_transition_selector(selector!("#a")),
        &of(&[transition, "data: viewTransitionSelector #a"]),
    );
    // The client reads the selector only with the transition.
    assert_wire(
        li().view_transition_selector(selector!("#a"))
            .use_view_transition(false),
        &of(&[]),
    );
}

#[test]
fn ids_and_retries() {
    let of = |head: &[&'static str]| {
        [
            &["event: datastar-patch-elements"],
            head,
            &["data: elements <li>1</li>"],
        ]
        .concat()
    };
    assert_wire(li().id(EventId::new("a b:1").unwrap()), &of(&["id: a b:1"]));
    assert_wire(li().id(EventId::new("").unwrap()), &of(&["id:␠"]));
    assert_wire(li().retry(Duration::ZERO), &of(&["retry: 0"]));
    assert_wire(
        li().retry(Duration::from_micros(2_500_900)),
        &of(&["retry: 2500"]),
    );
    assert_wire(li().retry(Duration::from_millis(1000)), &of(&[]));
    assert_wire(li().retry(Duration::MAX), &of(&["retry: 2147483647"]));
}

#[test]
fn all_options_of_elements_in_their_order() {
    assert_wire(
        PatchElements::new("<g/>\n<g/>")
            .namespace(Namespace::Svg)
            .view_transition_selector(selector!("main"))
            .before(selector!("#a > [b='é']"))
            .retry(Duration::from_secs(5))
            .id(EventId::from(42)),
        &[
            "event: datastar-patch-elements",
            "id: 42",
            "retry: 5000",
            "data: selector #a > [b='é']",
            "data: mode before",
            "data: useViewTransition true",
            "data: viewTransitionSelector main",
            "data: namespace svg",
            "data: elements <g/>",
            "data: elements <g/>",
        ],
    );
}

// PatchSignals

#[test]
fn signals_with_all_defaults() {
    for patch in [
        PatchSignals::new(&json!({"a": [1, {"b": null}], "c": "é\n"})),
        PatchSignals::from_json(r#"{"a":[1,{"b":null}],"c":"é\n"}"#),
        SignalPaths::new()
            .set("c", "é\n")
            .set("a", &json!([1, {"b": null}]))
            .build(),
    ] {
        assert_wire(
            patch.unwrap(),
            &[
                "event: datastar-patch-signals",
                r#"data: signals {"a":[1,{"b":null}],"c":"é\n"}"#,
            ],
        );
    }
    assert_wire(
        PatchSignals::new(&json!({})).unwrap(),
        &["event: datastar-patch-signals", "data: signals {}"],
    );
}

#[test]
fn raw_json_keeps_its_lines() {
    assert_wire(
        PatchSignals::from_json("{\r\n  \"a\": 1,\r  \"b\": 2\n}").unwrap(),
        &[
            "event: datastar-patch-signals",
            "data: signals {",
            "data: signals   \"a\": 1,",
            "data: signals   \"b\": 2",
            "data: signals }",
        ],
    );
}

#[test]
fn signals_are_removed_by_null() {
    assert_wire(
        PatchSignals::remove(["user.name", "draft"]).unwrap(),
        &[
            "event: datastar-patch-signals",
            r#"data: signals {"draft":null,"user":{"name":null}}"#,
        ],
    );
}

#[test]
fn all_options_of_signals_in_their_order() {
    let patch = || PatchSignals::new(&json!({"a": 1})).unwrap();
    assert_wire(
        patch()
            .only_if_missing(true)
            .retry(Duration::from_millis(250))
            .id(EventId::from(1)),
        &[
            "event: datastar-patch-signals",
            "id: 1",
            "retry: 250",
            "data: onlyIfMissing true",
            r#"data: signals {"a":1}"#,
        ],
    );
    assert_wire(
        patch().only_if_missing(false).retry(Duration::from_secs(1)),
        &["event: datastar-patch-signals", r#"data: signals {"a":1}"#],
    );
}

// ExecuteScript

#[track_caller]
fn assert_script(script: ExecuteScript, element: &[&str]) {
    let head = [
        "event: datastar-patch-elements",
        "data: selector body",
        "data: mode append",
    ];
    let lines: Vec<_> = element
        .iter()
        .map(|line| format!("data: elements {line}"))
        .collect();
    let golden = head.into_iter().chain(lines.iter().map(String::as_str));
    assert_wire(script, &golden.collect::<Vec<_>>());
}

#[test]
fn a_script_with_all_defaults() {
    assert_script(
        ExecuteScript::new("a < b && c()"),
        &["<script data-effect=\"el.remove()\">a < b && c()</script>"],
    );
    assert_script(
        ExecuteScript::new("a()\r\nb()\r"),
        &[
            "<script data-effect=\"el.remove()\">a()",
            "b()",
            "</script>",
        ],
    );
    assert_script(
        ExecuteScript::new(""),
        &["<script data-effect=\"el.remove()\"></script>"],
    );
}

#[test]
fn a_script_without_auto_remove() {
    assert_script(
        ExecuteScript::new("a").auto_remove(false),
        &["<script>a</script>"],
    );
    assert_script(
        ExecuteScript::new("a").auto_remove(false).auto_remove(true),
        &["<script data-effect=\"el.remove()\">a</script>"],
    );
}

#[test]
fn attributes_of_a_script_in_their_order() {
    const ASYNC: AttributeName = AttributeName::from_static("async");
    const TITLE: AttributeName = AttributeName::from_static("title");
    assert_script(
        ExecuteScript::new("a")
            .attribute(TITLE, "\"<&>'\r\n")
            .boolean_attribute(ASYNC)
            .module()
            .nonce("r4nd0m=="),
        &[
            "<script title=\"&quot;&lt;&amp;&gt;'&#13;&#10;\" async type=\"module\" \
           nonce=\"r4nd0m==\" data-effect=\"el.remove()\">a</script>",
        ],
    );
}

#[test]
fn a_script_with_id_and_retry() {
    assert_wire(
        ExecuteScript::new("a")
            .id(EventId::from(9))
            .retry(Duration::from_secs(2)),
        &[
            "event: datastar-patch-elements",
            "id: 9",
            "retry: 2000",
            "data: selector body",
            "data: mode append",
            "data: elements <script data-effect=\"el.remove()\">a</script>",
        ],
    );
}

#[test]
fn what_could_end_a_script_is_neutralised() {
    assert_script(
        ExecuteScript::new("f('</script><!--</SCRIPT </body>')"),
        &[
            r#"<script data-effect="el.remove()">f('\x3C/script>\x3C!--\x3C/SCRIPT \x3C/body>')</script>"#,
        ],
    );
}

#[test]
fn ready_made_scripts() {
    let data = json!({"a": "</script>"});
    let removing = |code: &str| format!("<script data-effect=\"el.remove()\">{code}</script>");
    for (script, code) in [
        (
            ExecuteScript::redirect("/a?b='c'&d").unwrap(),
            r"setTimeout(() => window.location.href = '/a?b=\x27c\x27\x26d')",
        ),
        (
            ExecuteScript::replace_url("/a"),
            "window.history.replaceState(window.history.state, '', '/a')",
        ),
        (
            ExecuteScript::console_log("it's"),
            r"console.log('it\x27s')",
        ),
        (
            ExecuteScript::console_error("a\nb"),
            r"console.error('a\x0Ab')",
        ),
        (
            ExecuteScript::console_log_value(&data).unwrap(),
            r"console.log({'a':'\x3C/script\x3E'})",
        ),
        (
            ExecuteScript::dispatch_event("saved", &data).unwrap(),
            r"document.dispatchEvent(new CustomEvent('saved', {bubbles: true, cancelable: true, composed: true, detail: {'a':'\x3C/script\x3E'}}))",
        ),
        (
            CustomEvent::new("saved", &())
                .unwrap()
                .target(selector!("[a='b']"))
                .bubbles(false)
                .cancelable(false)
                .composed(false)
                .dispatch(),
            r"for (const target of document.querySelectorAll('[a=\x27b\x27]')) target.dispatchEvent(new CustomEvent('saved', {bubbles: false, cancelable: false, composed: false, detail: null}))",
        ),
    ] {
        assert_script(script, &[&removing(code)]);
    }
    assert_script(
        ExecuteScript::prefetch(["/a", "/b?c=\"<&\""]),
        &[
            r#"<script type="speculationrules">{"prefetch":[{"source":"list","urls":["/a","/b?c=\u0022\u003c\u0026\u0022"]}]}</script>"#,
        ],
    );
}

// Defaults of the app

#[test]
fn defaults_fill_what_is_left_open() {
    let defaults = EventDefaults::new()
        .retry(Duration::from_secs(3))
        .use_view_transition(true)
        .auto_remove(false)
        .only_if_missing(true)
        .script_nonce("n");
    assert_wire(
        li().with_defaults(&defaults),
        &[
            "event: datastar-patch-elements",
            "retry: 3000",
            "data: useViewTransition true",
            "data: elements <li>1</li>",
        ],
    );
    assert_wire(
        PatchSignals::new(&json!({}))
            .unwrap()
            .with_defaults(&defaults),
        &[
            "event: datastar-patch-signals",
            "retry: 3000",
            "data: onlyIfMissing true",
            "data: signals {}",
        ],
    );
    assert_wire(
        ExecuteScript::new("a").with_defaults(&defaults),
        &[
            "event: datastar-patch-elements",
            "retry: 3000",
            "data: selector body",
            "data: mode append",
            "data: elements <script nonce=\"n\">a</script>",
        ],
    );
}

#[test]
fn an_events_own_options_go_before_the_defaults() {
    let defaults = EventDefaults::new()
        .retry(Duration::from_secs(3))
        .use_view_transition(true)
        .auto_remove(false)
        .only_if_missing(true)
        .script_nonce("n");
    let second = Duration::from_secs(1);

    let elements = li().retry(second).use_view_transition(false);
    assert_eq!(elements.clone().with_defaults(&defaults), elements);

    let signals = PatchSignals::new(&json!({}))
        .unwrap()
        .retry(second)
        .only_if_missing(false);
    assert_eq!(signals.clone().with_defaults(&defaults), signals);

    let script = ExecuteScript::new("a")
        .retry(second)
        .auto_remove(true)
        .nonce("own");
    assert_eq!(script.clone().with_defaults(&defaults), script);

    let without = EventDefaults::new();
    assert_eq!(li().with_defaults(&without), li());
}
