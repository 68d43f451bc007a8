//! How many calls a system accepts in a period.

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

/// The most calls in any window of a given length.
///
/// A tenth of them may go at once; the rest is spread evenly. So no window, wherever it starts, holds more than `calls`: what
/// was saved up before it and what is earned in it are together not more.
///
/// ```
/// use std::time::Duration;
///
/// use sexton::base::CallBudget;
///
/// let budget = CallBudget { calls: 1_000, window: Duration::from_secs(600) };
/// assert_eq!((budget.burst(), budget.interval().as_millis()), (100, 666));
/// assert_eq!(budget.least_time(2_000).as_secs(), 1_266);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallBudget {
    /// The most calls in a window. 0 is taken as 1.
    pub calls: u32,
    /// How long a window is.
    pub window: Duration,
}

impl CallBudget {
    /// How many calls may go at once after a rest.
    pub fn burst(&self) -> u32 {
        (self.calls / 10).max(1)
    }

    /// How long one call takes to be earned.
    pub fn interval(&self) -> Duration {
        let earned = self.calls.saturating_sub(self.burst()).max(1);
        // Rounded up, so that the sum of many is never too short.
        self.window / earned + Duration::from_nanos(1)
    }

    /// The least time from the first of `calls` calls to the last, after a rest.
    pub fn least_time(&self, calls: u64) -> Duration {
        let earned = u32::try_from(calls.saturating_sub(self.burst().into())).unwrap_or(u32::MAX);
        self.interval().saturating_mul(earned)
    }
}

/// Keeps the one moment of a [`Gcra`](super::Gcra) from one process to the next, and shares it among those that run side by side.
#[async_trait]
pub trait CallMemory: Send + Sync {
    /// Keeps what `change` makes of the moment that is kept, `None` where there is none; what it makes `None` of is left as it is.
    /// Another process may change it meanwhile: then `change` is asked again, and only its last answer counts.
    ///
    /// # Errors
    ///
    /// When the moment cannot be read, and `change` was not asked, or cannot be kept.
    async fn update(&self, change: &mut (dyn FnMut(Option<Timestamp>) -> Option<Timestamp> + Send)) -> std::io::Result<()>;
}
