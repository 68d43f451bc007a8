//! How many calls a tenant may make.

use std::collections::VecDeque;

use jiff::{SignedDuration, Timestamp};

/// The most calls in any stretch of so many seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallLimit {
    /// How many calls.
    pub calls: usize,
    /// In how many seconds.
    pub seconds: u32,
}

impl CallLimit {
    /// The limit that was documented for years.
    pub fn in_ten_minutes(calls: usize) -> Self {
        Self { calls, seconds: 600 }
    }
}

/// The calls of a while: windows that slide, so that no stretch whatever has more than are allowed.
#[derive(Debug, Default)]
pub(super) struct Calls {
    answered: VecDeque<Timestamp>,
    refused: u64,
}

impl Calls {
    /// Counts one call, or says in how many seconds there is room for it again, and by which limit.
    pub(super) fn spend(&mut self, limits: &[CallLimit], now: Timestamp) -> Result<(), (CallLimit, u64)> {
        let length = |limit: &CallLimit| SignedDuration::from_secs(limit.seconds.into());
        let longest = limits.iter().map(length).max().unwrap_or_default();
        while self.answered.front().is_some_and(|first| first.duration_until(now) >= longest) {
            self.answered.pop_front();
        }
        let full = limits.iter().filter_map(|limit| {
            // The oldest of as many as are allowed: while it is in the window, there is no room.
            let oldest = self.answered.len().checked_sub(limit.calls).and_then(|place| self.answered.get(place));
            let since = match limit.calls {
                0 => SignedDuration::ZERO,
                _ => oldest?.duration_until(now),
            };
            let left = length(limit) - since;
            left.is_positive().then(|| (*limit, left.unsigned_abs().as_secs().max(1)))
        });
        match full.max_by_key(|(_, seconds)| *seconds) {
            Some(full) => {
                self.refused += 1;
                Err(full)
            }
            None => {
                self.answered.push_back(now);
                Ok(())
            }
        }
    }

    /// How many calls were refused so far.
    pub(super) fn refused(&self) -> u64 {
        self.refused
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_stretch_has_more_than_are_allowed_and_the_longest_wait_is_told() {
        let start: Timestamp = "2026-11-21T10:00:00Z".parse().expect("valid");
        let mut calls = Calls::default();
        let ten_minutes = CallLimit::in_ten_minutes(2);
        let mut spend =
            |second| calls.spend(&[ten_minutes], start + SignedDuration::from_secs(second)).map_err(|(_, seconds)| seconds);
        assert_eq!([spend(0), spend(590), spend(599), spend(600), spend(601)], [Ok(()), Ok(()), Err(1), Ok(()), Err(589)]);
        assert_eq!(calls.refused(), 2);
        let (minute, hour) = (CallLimit { calls: 1, seconds: 60 }, CallLimit { calls: 2, seconds: 3_600 });
        let mut calls = Calls::default();
        let mut spend = |second| calls.spend(&[minute, hour], start + SignedDuration::from_secs(second));
        assert_eq!([spend(0), spend(10), spend(60)], [Ok(()), Err((minute, 50)), Ok(())]);
        assert_eq!([spend(70), spend(3_600)], [Err((hour, 3_530)), Ok(())]);
    }
}
