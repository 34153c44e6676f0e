//! What must not be printed.

use std::time::Duration;

use nodes::{Kind, Port, Program, Viewer};

use crate::cluster::{Cluster, post, settings};

const PASSWORD: &str = "c0rrect-h0rse";
const WRONG: &str = "wr0ng-st4ple";

/// With all that there is to be logged, whether the password is right or not, and when the broker goes away.
pub(crate) async fn no_output_has_the_password(kind: Kind) {
    let Some(server) = settings(kind).user("sidereal", PASSWORD).start().await else {
        return;
    };
    let cluster = Cluster { server };
    std::fs::write(cluster.server.folder().join("number"), "0").unwrap();
    let url = cluster.server.url();
    // That of the URL is percent-encoded.
    let encoded = url.split(':').nth(2).unwrap().split('@').next().unwrap();
    let wrong = url.replace(encoded, WRONG);
    assert_ne!(url, wrong);
    let start = async |url: &str, port: &Port| {
        let mut command = cluster.command(url, port);
        Program::start(command.env("RUST_LOG", "trace")).await
    };
    let ports = [Port::free().unwrap(), Port::free().unwrap()];
    let right = start(&url, &ports[0]).await;
    let wrong = start(&wrong, &ports[1]).await;
    right.wait_for_output("connected to the broker").await;
    wrong.wait_for_output("the broker is away").await;
    let viewer = Viewer::at(right.url("/logs/a")).open();
    assert_eq!(post(&right.url("/logs/a"), "a:1").await.unwrap().0, 204);
    viewer.wait_for("a:1").await;
    let (status, why) = post(&wrong.url("/logs/a"), "a:2").await.unwrap();
    assert_eq!(status, 503);
    cluster.server.kill();
    right.wait_for_output("the broker is away").await;
    cluster.server.restart().await;
    right.wait_for_output("the broker is there again").await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    for output in [right.output(), wrong.output(), why] {
        for secret in [PASSWORD, WRONG, encoded] {
            assert!(!output.contains(secret), "{output}");
        }
    }
    assert!(right.output().contains("DEBUG") || right.output().contains("TRACE"));
}
