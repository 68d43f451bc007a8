//! How many records the batches of a round have.

use super::{MachineSettings, PolicyMachine, Round};
use crate::system::ApiShape;

/// Batches get smaller from round to round, against locks, but not below this.
const SMALLEST_BATCH: u64 = 25;
/// Batches that were too heavy are halved while that makes no more jobs than this.
const MOST_HALVED_JOBS: u64 = 1_000;

impl PolicyMachine {
    /// The most records of a batch of this round.
    pub(super) fn size(&self, round: &Round) -> u64 {
        let MachineSettings { same_size, batch_size, .. } = self.settings;
        let again = if same_size { batch_size } else { (batch_size >> round.attempt).max(batch_size.min(SMALLEST_BATCH)) };
        again.min(round.halved.unwrap_or(u64::MAX)).max(1)
    }

    /// Half of what a transaction has in this round.
    pub(super) fn half_of(&self, round: &Round) -> u64 {
        self.size(round).min(round.count).min(self.settings.transaction).div_ceil(2)
    }

    /// Whether records that failed together go again in halves: a job takes many calls, so that they would be too many jobs.
    pub(super) fn may_be_halved(&self, round: &Round) -> bool {
        let batches = round.again.div_ceil(self.half_of(round).max(1));
        round.isolates && (self.settings.shape == ApiShape::Requests || batches <= MOST_HALVED_JOBS)
    }
}
