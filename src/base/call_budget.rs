//! How many calls a system accepts in a period.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

/// The most calls in any window of a given length.
///
/// Some of them may go at once after a rest; the rest is spread evenly. So no window, wherever it starts, holds more than `calls`: what
/// was saved up before it and what is earned in it are together not more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallWindow {
    /// The most calls in a window. 0 is taken as 1.
    pub calls: u32,
    /// How long a window is.
    pub length: Duration,
    /// How many calls may go at once after a rest.
    burst: u32,
}

impl CallWindow {
    /// How many calls may go at once after a rest.
    pub fn burst(&self) -> u32 {
        self.burst
    }

    /// How long one call takes to be earned.
    pub fn interval(&self) -> Duration {
        let earned = self.calls.saturating_sub(self.burst).max(1);
        // Rounded up, so that the sum of many is never too short.
        self.length / earned + Duration::from_nanos(1)
    }

    /// The least time from the first of `calls` calls to the last, after a rest.
    fn least_time(&self, calls: u64) -> Duration {
        let earned = u32::try_from(calls.saturating_sub(self.burst.into())).unwrap_or(u32::MAX);
        self.interval().saturating_mul(earned)
    }
}

/// The most calls in windows of one or several lengths, all of which hold at the same time.
///
/// A tenth of the calls of the shortest window may go at once. Longer ones let a quarter of theirs go, since the shortest
/// spreads them already. What goes at once is not earned: a run that outlasts a window has the others only.
///
/// ```
/// use std::time::Duration;
///
/// use sexton::base::CallBudget;
///
/// let budget = CallBudget::new(1_000, Duration::from_secs(600));
/// assert_eq!(budget.least_time(100).as_secs(), 0);
/// assert_eq!(budget.least_time(2_000).as_secs(), 1_266);
/// // As many in a day: from the 251st on the longer window decides.
/// let both = budget.and(1_000, Duration::from_secs(86_400));
/// assert_eq!(both.least_time(250), budget.least_time(250));
/// assert_eq!(both.least_time(260).as_secs(), 1_152);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallBudget {
    shortest: CallWindow,
    longer: [Option<CallWindow>; CallBudget::MOST_LONGER],
}

impl CallBudget {
    /// How many windows there may be beside the shortest.
    pub const MOST_LONGER: usize = 2;

    /// A budget of one window.
    pub const fn new(calls: u32, length: Duration) -> Self {
        let tenth = calls / 10;
        let shortest = CallWindow { calls, length, burst: if tenth == 0 { 1 } else { tenth } };
        Self { shortest, longer: [None; Self::MOST_LONGER] }
    }

    /// The same with one more window, longer than the ones before; with more than [`CallBudget::MOST_LONGER`] of these the last counts.
    #[must_use]
    pub fn and(mut self, calls: u32, length: Duration) -> Self {
        let place = self.longer.iter().position(Option::is_none).unwrap_or(Self::MOST_LONGER - 1);
        self.longer[place] = Some(CallWindow { calls, length, burst: (calls / 4).max(1) });
        self
    }

    /// The windows, the shortest first.
    pub fn windows(&self) -> impl Iterator<Item = CallWindow> {
        std::iter::once(self.shortest).chain(self.longer.into_iter().flatten())
    }

    /// The window whose calls are earned soonest: the one to wait in where a system refuses a call and does not say for how long.
    pub fn shortest(&self) -> CallWindow {
        self.shortest
    }

    /// The least time from the first of `calls` calls to the last, after a rest.
    pub fn least_time(&self, calls: u64) -> Duration {
        self.windows().map(|window| window.least_time(calls)).max().unwrap_or_default()
    }
}

/// When each window of a budget will be whole again, by its length in seconds: all that a process passes on to the next.
pub type WholeAgain = BTreeMap<u64, Timestamp>;

/// Keeps what a budget has left from one process to the next, and shares it among those that run side by side.
#[async_trait]
pub trait CallMemory: Send + Sync {
    /// Keeps what `change` makes of what is kept, which is empty where there is nothing; what it makes `None` of is left as it is.
    /// Another process may change it meanwhile: then `change` is asked again, and only its last answer counts.
    ///
    /// # Errors
    ///
    /// When what is kept cannot be read, and `change` was not asked, or cannot be kept.
    async fn update(&self, change: &mut (dyn FnMut(WholeAgain) -> Option<WholeAgain> + Send)) -> std::io::Result<()>;
}
