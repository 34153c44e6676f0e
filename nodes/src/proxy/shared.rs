//! What a proxy and its connections know of each other.

use std::{
    collections::{BTreeMap, VecDeque},
    io::{self, Write as _},
    net::SocketAddr,
    sync::{Mutex, MutexGuard, PoisonError, atomic::AtomicU64},
};

use tokio::sync::watch;

use super::{
    Fault, Way,
    faults::{Counters, Faults, count},
    frames::{Protocol, Unreadable},
};

/// How connections are ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// RST, to both sides.
    Reset,
    /// FIN, to both sides.
    Close,
}

/// What all that runs looks at.
#[derive(Clone, Copy, Debug)]
pub(super) struct State {
    /// How often it was changed.
    pub(super) version: u64,
    /// How often connections were cut: those that have begun before are to end.
    pub(super) cuts: u64,
    pub(super) end: End,
    pub(super) refuses: bool,
    pub(super) black_to_client: bool,
    pub(super) black_to_server: bool,
    /// The proxy is dropped.
    pub(super) is_over: bool,
}

impl State {
    fn is_black(&self, way: Way) -> bool {
        match way {
            Way::ToClient => self.black_to_client,
            Way::ToServer => self.black_to_server,
        }
    }
}

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) protocol: Protocol,
    pub(super) upstream: SocketAddr,
    pub(super) counters: Counters,
    pub(super) state: watch::Sender<State>,
    seed: u64,
    faults: Mutex<Faults>,
    next: Mutex<VecDeque<Fault>>,
    /// The connections that are there, each with how often connections had been cut when it began.
    connections: Mutex<BTreeMap<u64, u64>>,
    /// The version of the state that the proxy's thread acts by.
    pub(super) seen: AtomicU64,
}

impl Shared {
    pub(super) fn new(protocol: Protocol, upstream: SocketAddr, seed: u64) -> Self {
        let state = State {
            version: 0,
            cuts: 0,
            end: End::Reset,
            refuses: false,
            black_to_client: false,
            black_to_server: false,
            is_over: false,
        };
        Self {
            protocol,
            upstream,
            counters: Counters::default(),
            state: watch::Sender::new(state),
            seed,
            faults: Mutex::default(),
            next: Mutex::default(),
            connections: Mutex::default(),
            seen: AtomicU64::new(0),
        }
    }

    /// Chance for one direction of a connection: the same for the same seed.
    pub(super) fn random(&self, number: u64, way: Way) -> fastrand::Rng {
        let mut seeds = fastrand::Rng::with_seed(self.seed);
        for _ in 0..number {
            seeds.u64(..);
        }
        let mut seeds = seeds.fork();
        match way {
            Way::ToClient => seeds.fork(),
            Way::ToServer => {
                seeds.u64(..);
                seeds.fork()
            }
        }
    }

    pub(super) fn faults(&self) -> Faults {
        lock(&self.faults).clone()
    }

    pub(super) fn set_faults(&self, faults: Faults) {
        *lock(&self.faults) = faults;
    }

    pub(super) fn queue(&self, fault: Fault) {
        lock(&self.next).push_back(fault);
    }

    /// Takes the first of the faults to come that is of this kind.
    pub(super) fn next_fault(&self, is_of_kind: impl Fn(Fault) -> bool) -> Option<Fault> {
        let mut next = lock(&self.next);
        let at = next.iter().position(|fault| is_of_kind(*fault))?;
        next.remove(at)
    }

    /// How many of them have not happened.
    pub(super) fn queued(&self) -> usize {
        lock(&self.next).len()
    }

    pub(super) fn connections(&self) -> MutexGuard<'_, BTreeMap<u64, u64>> {
        lock(&self.connections)
    }

    /// Changes the state; gives it as it is then.
    pub(super) fn change(&self, change: impl FnOnce(&mut State)) -> State {
        let mut changed = None;
        self.state.send_modify(|state| {
            state.version += 1;
            change(state);
            changed = Some(*state);
        });
        changed.unwrap_or_else(|| *self.state.borrow())
    }

    /// Waits while nothing goes this way.
    pub(super) async fn open(&self, way: Way) {
        if self.state.borrow().is_black(way) {
            count(&self.counters.black_holed);
            let mut state = self.state.subscribe();
            // Its other end is here.
            let _ = state.wait_for(|state| !state.is_black(way)).await;
        }
    }

    /// Says what was not understood: a connection that is reset would else look like a fault that was asked for.
    pub(super) fn unreadable(&self, way: Way, why: &Unreadable) -> io::Error {
        count(&self.counters.unreadable);
        let _ = writeln!(io::stderr(), "proxy: {way:?}: {}", why.0);
        io::ErrorKind::InvalidData.into()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
