//! What systemd is told, and the sockets that it hands over: sd_notify(3), sd_listen_fds(3). Where it did not start the process, nothing is.

use std::io;

use listenfd::ListenFd;
use sd_notify::NotifyState;
use spanmill_pipeline::{News, Sockets};
use tokio::time::{MissedTickBehavior, interval};

/// The sockets that the process was started with.
pub(crate) fn sockets() -> io::Result<Sockets> {
    let mut given = ListenFd::from_env();
    let (mut tcp, mut unix) = (Vec::new(), Vec::new());
    for index in 0..given.len() {
        match given.take_tcp_listener(index) {
            Ok(listener) => tcp.extend(listener),
            Err(_) => unix.extend(given.take_unix_listener(index)?),
        }
    }
    Sockets::handed_over(tcp, unix)
}

/// Passes news on.
pub(crate) fn tell(news: &News) {
    let status = status(news);
    let mut states = vec![NotifyState::Status(&status)];
    match news {
        News::Running | News::Replaying(_) | News::Refused(_) => states.push(NotifyState::Ready),
        News::Stopping => states.push(NotifyState::Stopping),
        News::Reloading => {
            states.push(NotifyState::Reloading);
            states.extend(NotifyState::monotonic_usec_now().ok());
        }
    }
    notify(&states);
}

/// Says as often as systemd wants to hear it that tasks are still run; for ever, or not at all.
pub(crate) async fn stay_alive() {
    let Some(within) = sd_notify::watchdog_enabled().filter(|within| !within.is_zero()) else { return };
    let mut tick = interval(within / 2);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tick.tick().await;
        notify(&[NotifyState::Watchdog]);
    }
}

/// One line for people.
fn status(news: &News) -> String {
    let text = match news {
        News::Running => "running".to_owned(),
        News::Replaying(what) => format!("running, and going through what an earlier run left: {}", what.join(", ")),
        News::Reloading => "reading the configuration again".to_owned(),
        News::Refused(why) => format!("running as before; the new configuration is not used: {why}"),
        News::Stopping => "stopping".to_owned(),
    };
    text.lines().collect::<Vec<_>>().join(" | ")
}

fn notify(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::debug!(%error, "systemd cannot be told");
    }
}
