//! The signals that ask the process to stop: Ctrl-C, and on Unix SIGTERM and SIGHUP.

use std::future::{pending, poll_fn};
use std::task::Poll;

use tokio_util::sync::CancellationToken;

use super::machine;
use crate::base::Exit;

/// A token that is cancelled at the first signal. The second one ends the process at once: the journal knows what is open.
pub fn token() -> CancellationToken {
    let token = CancellationToken::new();
    let cancelled = token.clone();
    let mut signals = Signals::listen();
    tokio::spawn(async move {
        signals.next().await;
        cancelled.cancel();
        signals.next().await;
        machine::leave(Exit::Interrupted.code());
    });
    token
}

/// The signals, listened to from the moment this is made.
#[cfg(unix)]
struct Signals(Vec<tokio::signal::unix::Signal>);

#[cfg(unix)]
impl Signals {
    fn listen() -> Self {
        use tokio::signal::unix::{SignalKind, signal};
        let mut kinds = vec![SignalKind::interrupt(), SignalKind::terminate()];
        // `nohup` asks for the opposite, and means it.
        if !machine::ignores_hangup() {
            kinds.push(SignalKind::hangup());
        }
        // One that cannot be listened to keeps its usual effect, which is to end the process.
        Self(kinds.into_iter().filter_map(|kind| signal(kind).ok()).collect())
    }

    async fn next(&mut self) {
        if self.0.is_empty() {
            return pending().await;
        }
        poll_fn(|context| match self.0.iter_mut().any(|signal| signal.poll_recv(context).is_ready()) {
            true => Poll::Ready(()),
            false => Poll::Pending,
        })
        .await;
    }
}

/// Ctrl-C.
#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn listen() -> Self {
        Self
    }

    async fn next(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            pending::<()>().await;
        }
    }
}
