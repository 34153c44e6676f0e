//! Where the servers are, and what they want to be told.

use std::fmt;

use async_nats::{ConnectOptions, ServerAddr};

use super::names::decode;

/// The address of a server, and the credentials that it was given with.
///
/// They are taken out of it, as addresses are logged.
#[derive(Clone)]
pub(super) struct Server {
    pub(super) address: ServerAddr,
    user: String,
    password: Option<String>,
}

impl Server {
    /// With what it was given with, if it was.
    pub(super) fn options(&self, options: &ConnectOptions) -> ConnectOptions {
        let options = options.clone();
        let user = self.user.clone();
        match &self.password {
            Some(password) => options.user_and_password(user, password.clone()),
            None if user.is_empty() => options,
            None => options.token(user),
        }
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.address.host(), self.address.port())
    }
}

/// One address or more, with commas between them. Those that are none are counted only: they may hold
/// a password.
pub(super) fn parse(addresses: &str) -> (Vec<Server>, usize) {
    let all = addresses.split(',').map(str::trim);
    let all: Vec<_> = all.filter(|address| !address.is_empty()).collect();
    let servers: Vec<_> = all.iter().filter_map(|address| server(address)).collect();
    let wrong = all.len() - servers.len();
    (servers, wrong)
}

fn server(address: &str) -> Option<Server> {
    let mut url = address.parse::<ServerAddr>().ok()?.into_inner();
    let user = decode(url.username())?;
    let password = match url.password() {
        Some(password) => Some(decode(password)?),
        None => None,
    };
    if url.host_str().is_none_or(str::is_empty) {
        return None;
    }
    url.set_username("").ok()?;
    url.set_password(None).ok()?;
    Some(Server {
        address: ServerAddr::from_url(url).ok()?,
        user,
        password,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        let (servers, wrong) = parse("localhost, nats://u:p%40ss@a:4333,tls://token@b,[::1]:1,");
        assert_eq!(wrong, 0);
        assert_eq!(
            format!("{servers:?}"),
            "[localhost:4222, a:4333, b:4222, ::1:1]"
        );
        assert_eq!(servers[1].user, "u");
        assert_eq!(servers[1].password.as_deref(), Some("p@ss"));
        assert_eq!(servers[1].address.as_url_str(), "nats://a:4333");
        assert_eq!(servers[2].user, "token");
        assert!(servers[2].address.tls_required());
        for wrong in ["http://a", "nats://", "nats://a:b:c", "a b"] {
            let (servers, count) = parse(wrong);
            assert_eq!((servers.len(), count), (0, 1), "{wrong}");
        }
    }
}
