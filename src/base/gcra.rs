//! When the next call of a budget may go.

use std::time::Duration;

use jiff::Timestamp;

use super::CallWindow;

/// The generic cell rate algorithm for one window of a budget: how much of it is left. Its whole state is one moment (the algorithm's
/// theoretical arrival time), which a process passes on to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gcra {
    window: CallWindow,
    whole_at: Timestamp,
}

impl Gcra {
    /// A window that will be whole again at that moment; one in the past is whole now.
    pub fn new(window: CallWindow, whole_at: Timestamp) -> Self {
        Self { window, whole_at }
    }

    /// The window.
    pub fn window(&self) -> CallWindow {
        self.window
    }

    /// When it will be whole again if no call is made.
    pub fn whole_at(&self) -> Timestamp {
        self.whole_at
    }

    /// The time in which all calls of a burst but one are earned.
    fn reserve(&self) -> Duration {
        self.window.interval().saturating_mul(self.window.burst() - 1)
    }

    /// The earliest moment at which a call may be made.
    pub fn next(&self) -> Timestamp {
        self.whole_at.saturating_sub(self.reserve()).unwrap_or(Timestamp::MIN)
    }

    /// Takes note of a call that is made now, which is not before [`Gcra::next`].
    pub fn take(&mut self, now: Timestamp) {
        self.whole_at = self.whole_at.max(now).saturating_add(self.window.interval()).unwrap_or(Timestamp::MAX);
    }

    /// Lets no call be made before that moment, and from then on only what is earned.
    pub fn hold_until(&mut self, moment: Timestamp) {
        self.whole_at = self.whole_at.max(moment.saturating_add(self.reserve()).unwrap_or(Timestamp::MAX));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::base::CallBudget;

    const START: i64 = 1_800_000_000;

    fn at(milliseconds: i64) -> Timestamp {
        Timestamp::from_millisecond(START * 1_000 + milliseconds).expect("in range")
    }

    /// The moments of calls that are asked for after these pauses and made as soon as they may be.
    fn calls(budget: CallBudget, pauses: &[u16], holds: &[u16]) -> Vec<Timestamp> {
        let mut rate = Gcra::new(budget.shortest(), at(0));
        let mut now = at(0);
        let mut made = Vec::new();
        for (number, pause) in pauses.iter().enumerate() {
            now = now.saturating_add(Duration::from_millis((*pause).into())).expect("in range").max(rate.next());
            rate.take(now);
            made.push(now);
            if holds.contains(&(number as u16)) {
                rate.hold_until(now.saturating_add(Duration::from_secs(1)).expect("in range"));
            }
        }
        made
    }

    #[test]
    fn a_tenth_goes_at_once_and_the_rest_evenly() {
        let budget = CallBudget::new(1_000, Duration::from_secs(600));
        let made = calls(budget, &[0; 2_000], &[]);
        assert!(made[..100].iter().all(|moment| *moment == at(0)) && made[100] > at(0));
        assert_eq!(made[1_999].duration_since(made[0]).unsigned_abs(), budget.least_time(2_000));
    }

    #[test]
    fn a_hold_lets_nothing_through_and_the_burst_is_gone_after_it() {
        let budget = CallBudget::new(100, Duration::from_secs(90));
        let mut rate = Gcra::new(budget.shortest(), at(0));
        rate.take(at(0));
        rate.hold_until(at(120_000));
        assert_eq!(rate.next(), at(120_000));
        rate.take(at(120_000));
        assert!(rate.next() > at(121_000));
        rate.hold_until(at(0));
        assert!(rate.next() > at(121_000), "a hold never brings a call forward");
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
            let budget = CallBudget::new(calls_in_window, Duration::from_millis(window));
            let made = calls(budget, &pauses, &holds);
            for pair in made.windows(calls_in_window as usize + 1) {
                let apart = pair[pair.len() - 1].duration_since(pair[0]).unsigned_abs();
                prop_assert!(apart > budget.shortest().length, "{} calls within {:?}", pair.len(), apart);
            }
        }
    }
}
