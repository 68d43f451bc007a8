//! Ctrl-C.

use tokio::sync::watch;

/// A flag that turns true at the first interrupt. The second one ends the process at once: the journal knows what is open.
pub fn flag() -> watch::Receiver<bool> {
    let (sender, receiver) = watch::channel(false);
    tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            let _ = sender.send(true);
        }
        if tokio::signal::ctrl_c().await.is_ok() {
            super::machine::leave(crate::command::Exit::Interrupted.code());
        }
    });
    receiver
}
