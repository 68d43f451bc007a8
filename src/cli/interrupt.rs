//! Ctrl-C.

use tokio_util::sync::CancellationToken;

use super::machine;
use crate::base::Exit;

/// A token that is cancelled at the first interrupt. The second one ends the process at once: the journal knows what is
/// open.
pub fn token() -> CancellationToken {
    let token = CancellationToken::new();
    let cancelled = token.clone();
    tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            cancelled.cancel();
        }
        if tokio::signal::ctrl_c().await.is_ok() {
            machine::leave(Exit::Interrupted.code());
        }
    });
    token
}
