//! reqwest, as a program that says what it reads and when: `e2e-reqwest URL [CERTIFICATE]`.
//!
//! It prints what `lib/programs.mjs` describes, one JSON object a line.

use std::{
    env,
    error::Error,
    fs,
    time::{SystemTime, UNIX_EPOCH},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use reqwest::{Certificate, Client};
use serde_json::json;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args().skip(1);
    let url = arguments.next().ok_or("which URL?")?;
    // It fails only where another provider is there already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut builder = Client::builder();
    if let Some(certificate) = arguments.next() {
        let certificate = Certificate::from_pem(&fs::read(certificate)?)?;
        builder = builder.tls_certs_only([certificate]);
    }
    let end = match read(builder.build()?, &url).await {
        Ok(()) => "clean".to_owned(),
        Err(error) => chain(&error),
    };
    println!("{}", json!({ "end": end }));
    Ok(())
}

async fn read(client: Client, url: &str) -> reqwest::Result<()> {
    let mut response = client.get(url).send().await?;
    println!(
        "{}",
        json!({ "head": {
            "status": response.status().as_u16(),
            "version": format!("{:?}", response.version()),
        } })
    );
    while let Some(bytes) = response.chunk().await? {
        let at = milliseconds();
        println!("{}", json!({ "at": at, "bytes": STANDARD.encode(bytes) }));
    }
    Ok(())
}

/// Milliseconds since 1970, with their fraction.
fn milliseconds() -> f64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.unwrap_or_default().as_secs_f64() * 1e3
}

/// The error and what caused it.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
