//! Repeating reads.

use std::time::Duration;

use crate::apply::LONGEST_TOLD_WAIT;
use crate::provider::{ErrorClass, ProviderError};

/// How often a failed read is repeated.
const REPEATS: u32 = 4;
/// The pause before the first repetition; each later one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
/// Pauses of at least this are told.
const TOLD_FROM: Duration = Duration::from_secs(10);

/// Reads, and repeats it a few times where that may help. Never used for a request that deletes.
pub(in crate::provider) async fn retried<T, F: Future<Output = Result<T, ProviderError>>>(
    mut read: impl FnMut() -> F,
) -> Result<T, ProviderError> {
    let mut repeats = 0;
    loop {
        match read().await {
            Err(error) => pause_or_fail(error, &mut repeats).await?,
            answer => return answer,
        }
    }
}

/// Waits until a read that failed may be made again, or gives its error back where that cannot help or was done often enough.
///
/// A pause that the system asks for is kept and told, up to [`LONGEST_TOLD_WAIT`]; a longer one is an error that says when to come
/// again.
pub(in crate::provider) async fn pause_or_fail(error: ProviderError, repeats: &mut u32) -> Result<(), ProviderError> {
    if let ErrorClass::Throttled { wait: Some(wait) } = error.class
        && wait > LONGEST_TOLD_WAIT
    {
        let minutes = wait.as_secs().div_ceil(60);
        let help = format!("the system asks to be left alone for {minutes} minutes: run the same command again after that");
        return Err(ProviderError { help: Some(help), ..error });
    }
    let Some(pause) = pause_after(&error, *repeats) else { return Err(error) };
    *repeats += 1;
    if pause >= TOLD_FROM {
        // Somebody may be looking on, and would take it for stuck.
        tracing::warn!("waiting {} s, as the system asks: {error}", pause.as_secs());
    } else {
        tracing::debug!(%error, repeats, "reading again");
    }
    tokio::time::sleep(pause).await;
    Ok(())
}

/// How long to wait before the next repetition; `None` when there is none.
fn pause_after(error: &ProviderError, repeats: u32) -> Option<Duration> {
    let doubled = FIRST_PAUSE * 2u32.pow(repeats);
    let pause = match error.class {
        ErrorClass::Throttled { wait } => wait.unwrap_or(doubled),
        ErrorClass::Transient => doubled,
        // An answer that broke off is as good as none, for a read. One with an error status is the system's last word.
        ErrorClass::Incomplete if error.status.is_none() => doubled,
        _ => return None,
    };
    (repeats < REPEATS).then_some(pause)
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::super::failure::error;
    use super::*;

    /// How many times a read that always fails so is made.
    async fn attempts(class: ErrorClass) -> u32 {
        let made = Cell::new(0);
        let read = || {
            made.set(made.get() + 1);
            std::future::ready(Err::<(), _>(error(class, "read", "code", "words")))
        };
        assert!(retried(read).await.is_err());
        made.get()
    }

    #[tokio::test(start_paused = true)]
    async fn only_what_may_help_is_repeated_and_not_for_ever() {
        assert_eq!(attempts(ErrorClass::Transient).await, 5);
        assert_eq!(attempts(ErrorClass::Incomplete).await, 5);
        assert_eq!(attempts(ErrorClass::Throttled { wait: Some(Duration::from_secs(900)) }).await, 5);
        assert_eq!(attempts(ErrorClass::Throttled { wait: Some(Duration::from_secs(901)) }).await, 1);
        assert_eq!(attempts(ErrorClass::Invalid).await, 1);
        assert_eq!(attempts(ErrorClass::Ambiguous).await, 1);
    }
}
