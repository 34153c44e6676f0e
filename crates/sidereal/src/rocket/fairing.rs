//! The configuration as a fairing.

use rocket::{
    Build, Catcher, Orbit, Rocket,
    fairing::{self, Fairing, Info, Kind},
};

use super::rejected;
use crate::{Config, Shutdown};

/// What ends the streams of the server.
pub(super) struct ServerShutdown(pub(super) Shutdown);

/// Attached, the configuration becomes managed state, rejections are answered with their own text or
/// events, and long-lived streams end when rocket shuts down.
#[rocket::async_trait]
impl Fairing for Config {
    fn info(&self) -> Info {
        Info {
            name: "Sidereal",
            kind: Kind::Ignite | Kind::Shutdown | Kind::Singleton,
        }
    }

    async fn on_ignite(&self, rocket: Rocket<Build>) -> fairing::Result {
        let of_application: Vec<Catcher> = rocket.catchers().cloned().collect();
        let rocket = match rocket.state::<Self>() {
            // Managed by the application beside.
            Some(_) => rocket,
            None => rocket.manage(self.clone()),
        };
        Ok(rocket
            .manage(ServerShutdown(Shutdown::new()))
            .register("/", rejected::catchers(&of_application)))
    }

    async fn on_shutdown(&self, rocket: &Rocket<Orbit>) {
        if let Some(ServerShutdown(shutdown)) = rocket.state() {
            shutdown.trigger();
        }
    }
}
