//! The processor time that this program has used.

use std::time::Duration;

/// Of all threads, in user and kernel mode, since it was started; none where the system does not tell.
#[cfg(unix)]
pub(crate) fn time() -> Option<Duration> {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    time.try_into().ok()
}

#[cfg(not(unix))]
pub(crate) fn time() -> Option<Duration> {
    None
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn grows_with_work() {
        let before = time().unwrap();
        while time().unwrap() == before {}
    }
}
