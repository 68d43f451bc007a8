//! Repeating reads.

use std::time::Duration;

use crate::provider::{ErrorClass, ProviderError};

/// How often a failed read is repeated.
const REPEATS: u32 = 4;
/// The pause before the first repetition; each later one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
/// A longer pause than this is left to the user.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// Decides whether one read may be repeated once more. Never used for a request that deletes.
#[derive(Default)]
pub(in crate::provider) struct Patience {
    repeats: u32,
}

impl Patience {
    /// Waits before the next repetition, or gives the error back when there is none.
    pub(in crate::provider) async fn wait_after(&mut self, error: ProviderError) -> Result<(), ProviderError> {
        let pause = match error.class {
            ErrorClass::Throttled { wait: Some(wait) } => wait,
            ErrorClass::Transient | ErrorClass::Throttled { wait: None } => FIRST_PAUSE * 2u32.pow(self.repeats),
            // An answer that broke off is as good as none, for a read. One with an error status is the system's last word.
            ErrorClass::Incomplete if error.status.is_none() => FIRST_PAUSE * 2u32.pow(self.repeats),
            _ => return Err(error),
        };
        if self.repeats >= REPEATS || pause > LONGEST_PAUSE {
            return Err(error);
        }
        self.repeats += 1;
        tracing::debug!(%error, repeat = self.repeats, "reading again");
        tokio::time::sleep(pause).await;
        Ok(())
    }
}
