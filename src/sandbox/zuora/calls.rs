//! How many calls a tenant may make.

use std::collections::VecDeque;

use jiff::{SignedDuration, Timestamp};

/// The stretch of time that calls are counted over.
const WINDOW: SignedDuration = SignedDuration::from_mins(10);

/// The calls of the last ten minutes: a window that slides, so that no ten minutes whatever have more than are allowed.
#[derive(Debug, Default)]
pub(super) struct Calls {
    answered: VecDeque<Timestamp>,
    refused: u64,
}

impl Calls {
    /// Counts one call, or says in how many seconds there is room for it again.
    pub(super) fn spend(&mut self, allowed: usize, now: Timestamp) -> Result<(), u64> {
        while self.answered.front().is_some_and(|first| first.duration_until(now) >= WINDOW) {
            self.answered.pop_front();
        }
        if self.answered.len() < allowed {
            self.answered.push_back(now);
            return Ok(());
        }
        self.refused += 1;
        let oldest = self.answered.front().map_or(SignedDuration::ZERO, |first| first.duration_until(now));
        Err((WINDOW - oldest).unsigned_abs().as_secs().max(1))
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
    fn no_ten_minutes_have_more_than_are_allowed() {
        let start: Timestamp = "2026-11-21T10:00:00Z".parse().expect("valid");
        let mut calls = Calls::default();
        let mut spend = |second| calls.spend(2, start + SignedDuration::from_secs(second));
        assert_eq!([spend(0), spend(590), spend(599), spend(600), spend(601)], [Ok(()), Ok(()), Err(1), Ok(()), Err(589)]);
        assert_eq!(calls.refused(), 2);
    }
}
