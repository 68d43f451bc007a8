//! How many calls a system takes in how long, and when the next one may go.

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

/// So many calls in any window of so long.
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

/// How much of a [`CallBudget`] is left: one moment says it all, and that is what a process hands on to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallBucket {
    budget: CallBudget,
    full_at: Timestamp,
}

impl CallBucket {
    /// A bucket that will be full at that moment; one in the past is full now.
    pub fn new(budget: CallBudget, full_at: Timestamp) -> Self {
        Self { budget, full_at }
    }

    /// When it will be full again if no call is made.
    pub fn full_at(&self) -> Timestamp {
        self.full_at
    }

    /// The time in which all calls of a burst but one are earned.
    fn reserve(&self) -> Duration {
        self.budget.interval().saturating_mul(self.budget.burst() - 1)
    }

    /// The earliest moment at which a call may be made.
    pub fn next(&self) -> Timestamp {
        self.full_at.saturating_sub(self.reserve()).unwrap_or(Timestamp::MIN)
    }

    /// Takes note of a call that is made now, which is not before [`CallBucket::next`].
    pub fn take(&mut self, now: Timestamp) {
        self.full_at = self.full_at.max(now).saturating_add(self.budget.interval()).unwrap_or(Timestamp::MAX);
    }

    /// Lets no call be made before that moment, and from then on only what is earned.
    pub fn hold_until(&mut self, moment: Timestamp) {
        self.full_at = self.full_at.max(moment.saturating_add(self.reserve()).unwrap_or(Timestamp::MAX));
    }
}

/// Keeps the one moment of a [`CallBucket`] from one process to the next, and shares it among those that run side by side.
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const START: i64 = 1_800_000_000;

    fn at(milliseconds: i64) -> Timestamp {
        Timestamp::from_millisecond(START * 1_000 + milliseconds).expect("in range")
    }

    /// The moments of calls that are asked for after these pauses and made as soon as they may be.
    fn calls(budget: CallBudget, pauses: &[u16], holds: &[u16]) -> Vec<Timestamp> {
        let mut bucket = CallBucket::new(budget, at(0));
        let mut now = at(0);
        let mut made = Vec::new();
        for (number, pause) in pauses.iter().enumerate() {
            now = now.saturating_add(Duration::from_millis((*pause).into())).expect("in range").max(bucket.next());
            bucket.take(now);
            made.push(now);
            if holds.contains(&(number as u16)) {
                bucket.hold_until(now.saturating_add(Duration::from_secs(1)).expect("in range"));
            }
        }
        made
    }

    #[test]
    fn a_tenth_goes_at_once_and_the_rest_evenly() {
        let budget = CallBudget { calls: 1_000, window: Duration::from_secs(600) };
        let made = calls(budget, &[0; 2_000], &[]);
        assert!(made[..100].iter().all(|moment| *moment == at(0)) && made[100] > at(0));
        assert_eq!(made[1_999].duration_since(made[0]).unsigned_abs(), budget.least_time(2_000));
    }

    #[test]
    fn a_hold_lets_nothing_through_and_the_burst_is_gone_after_it() {
        let budget = CallBudget { calls: 100, window: Duration::from_secs(90) };
        let mut bucket = CallBucket::new(budget, at(0));
        bucket.take(at(0));
        bucket.hold_until(at(120_000));
        assert_eq!(bucket.next(), at(120_000));
        bucket.take(at(120_000));
        assert!(bucket.next() > at(121_000));
        bucket.hold_until(at(0));
        assert!(bucket.next() > at(121_000), "a hold never brings a call forward");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]

        #[test]
        fn no_window_holds_more_calls_than_the_budget(
            calls_in_window in 1u32..40,
            window in 1u64..5_000,
            pauses in proptest::collection::vec(prop_oneof![3 => Just(0u16), 1 => 0u16..2_000], 0..200),
            holds in proptest::collection::vec(0u16..200, 0..3),
        ) {
            let budget = CallBudget { calls: calls_in_window, window: Duration::from_millis(window) };
            let made = calls(budget, &pauses, &holds);
            for pair in made.windows(calls_in_window as usize + 1) {
                let apart = pair[pair.len() - 1].duration_since(pair[0]).unsigned_abs();
                prop_assert!(apart > budget.window, "{} calls within {:?}", pair.len(), apart);
            }
        }
    }
}
