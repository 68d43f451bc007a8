//! How many calls the deletions of a plan take in a target, with what is read again while they go on.

use std::time::Duration;

use crate::base::CallBudget;

/// The calls that are needed in a target.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CallsNeeded {
    /// All of them.
    pub all: u64,
    /// Those among them that read holds and matches again.
    pub rereading: u64,
    /// Those among them that count what goes along.
    pub counting: u64,
    /// What one more reading of the holds takes. Where nobody knows how long a run lasts, such readings are not among the calls.
    pub each_reading: u64,
}

/// What one policy adds to the calls of its target.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PolicyCalls {
    /// Its deletions.
    pub deletions: u64,
    /// Counting what goes along with its records, descriptions among them.
    pub counting: u64,
    /// One reading of what it matches.
    pub matches: u64,
    /// Whether it waits for other policies, so that its matches and the holds are read once more when it begins.
    pub waits: bool,
    /// Whether its holds keep records by what these look up to, so that every reading of the holds reads its matches too.
    pub looks_up: bool,
}

/// The calls of a target, policy after policy.
#[derive(Clone, Copy, Debug)]
pub struct TargetCalls {
    budget: Option<CallBudget>,
    hold_refresh: Duration,
    /// One reading of the holds.
    holds: u64,
    deletions: u64,
    counting: u64,
    waiting: u64,
    each_reading: u64,
}

impl TargetCalls {
    /// Those of a target in which no policy deletes yet. `holds` is what one reading of its holds takes.
    pub fn new(budget: Option<CallBudget>, hold_refresh: Duration, holds: u64) -> Self {
        Self { budget, hold_refresh, holds, deletions: 0, counting: 0, waiting: 0, each_reading: holds }
    }

    /// Adds those of one more policy.
    pub fn add(&mut self, policy: PolicyCalls) {
        if policy.deletions == 0 {
            return;
        }
        self.deletions += policy.deletions;
        self.counting += policy.counting;
        if policy.waits {
            self.waiting += self.holds + policy.matches;
        }
        if policy.looks_up {
            self.each_reading += policy.matches;
        }
    }

    /// What all of them need. A budget says how long they take at least, and so how often the holds are read meanwhile.
    pub fn needed(&self) -> CallsNeeded {
        let readings = self.budget.map_or(0, |budget| self.readings(budget));
        let rereading = self.waiting.saturating_add(readings.saturating_mul(self.each_reading));
        CallsNeeded {
            all: self.deletions.saturating_add(self.counting).saturating_add(rereading),
            rereading,
            counting: self.counting,
            each_reading: if self.deletions == 0 { 0 } else { self.each_reading },
        }
    }

    /// How often the holds are read while the deletions go on. The readings make the run longer, by which there are more of them.
    fn readings(&self, budget: CallBudget) -> u64 {
        let alone = budget.least_time(self.deletions.saturating_add(self.waiting));
        let calls = u32::try_from(self.each_reading).unwrap_or(u32::MAX);
        let takes = budget.shortest().interval().saturating_mul(calls);
        // As the run itself does it: no more than half of the time goes into readings.
        let every = self.hold_refresh.max(takes.saturating_mul(2));
        let between = every.saturating_sub(takes).as_millis().max(1);
        u64::try_from(alone.as_millis() / between).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REFRESH: Duration = Duration::from_secs(300);

    fn needed(budget: Option<CallBudget>, holds: u64, policies: &[PolicyCalls]) -> (u64, u64, u64) {
        let mut calls = TargetCalls::new(budget, REFRESH, holds);
        policies.iter().for_each(|policy| calls.add(*policy));
        let CallsNeeded { all, rereading, each_reading, .. } = calls.needed();
        (all, rereading, each_reading)
    }

    #[test]
    fn a_policy_that_waits_reads_its_matches_and_the_holds_once_more() {
        let first = PolicyCalls { deletions: 10, matches: 3, ..PolicyCalls::default() };
        let waiting = PolicyCalls { waits: true, ..first };
        assert_eq!(needed(None, 4, &[first]), (10, 0, 4));
        assert_eq!(needed(None, 4, &[first, waiting, waiting]), (44, 14, 4));
        assert_eq!(needed(None, 0, &[first, waiting]), (23, 3, 0));
        // One without records sends nothing and reads nothing.
        let idle = PolicyCalls { deletions: 0, looks_up: true, ..waiting };
        assert_eq!((needed(None, 4, &[first, idle]), needed(None, 4, &[idle])), ((10, 0, 4), (0, 0, 0)));
        let looking_up = PolicyCalls { looks_up: true, ..first };
        assert_eq!(needed(None, 4, &[looking_up, first]), (20, 0, 7));
    }

    #[test]
    fn a_budget_says_how_often_the_holds_are_read_meanwhile() {
        // 1,000 calls in ten minutes: 666 milliseconds a call after the first hundred.
        let budget = Some(CallBudget::new(1_000, Duration::from_secs(600)));
        let deletions = |deletions| [PolicyCalls { deletions, matches: 5, ..PolicyCalls::default() }];
        assert_eq!(needed(budget, 4, &deletions(100)), (100, 0, 4));
        // 2,000 calls take 21 minutes, in which five minutes pass four times.
        assert_eq!(needed(budget, 4, &deletions(2_000)), (2_016, 16, 4));
        // A reading that takes longer than the refresh itself leaves half of the time to the deletions.
        assert_eq!(needed(budget, 900, &deletions(900)), (900, 0, 900));
        assert_eq!(needed(budget, 900, &deletions(2_000)), (3_800, 1_800, 900));
        let looking_up = [PolicyCalls { looks_up: true, ..deletions(2_000)[0] }];
        assert_eq!(needed(budget, 4, &looking_up), (2_036, 36, 9));
    }
}
