//! The bulk jobs of an organization, of both interfaces.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::bulk1::ClassicJobs;
use super::bulk2::{CheckedQuery, IngestJob, JobHead};
use crate::sandbox::RecordKey;
use crate::sandbox::draw::first_number;

/// How long a job and its results are kept once it has ended, or since it was made. Source: documented.
const RETENTION: SignedDuration = SignedDuration::from_hours(7 * 24);
/// The period of the batch budget. Source: documented.
const DAY: SignedDuration = SignedDuration::from_hours(24);
/// How many rows the service puts into one batch. Source: documented.
const BATCH_ROWS: usize = 10_000;
/// The first three characters of a job's identifier. Source: recorded.
const JOB_PREFIX: [u8; 3] = *b"750";

/// The jobs of an organization, and the batches they have used.
///
/// Whoever needs the world too locks this first.
#[derive(Debug, Default)]
pub(in crate::sandbox) struct BulkState {
    pub(super) ingest: BTreeMap<RecordKey, IngestJob>,
    pub(super) query: BTreeMap<RecordKey, CheckedQuery>,
    /// The jobs of Bulk API 1.0.
    pub(super) classic: ClassicJobs,
    /// The number of the job that was made last.
    made: u64,
    batches: u64,
    batches_since: Option<Timestamp>,
}

impl BulkState {
    /// No job was made yet.
    pub(in crate::sandbox) fn seeded(seed: u64) -> Self {
        let made = first_number(seed, "bulk job");
        Self { made, classic: ClassicJobs::seeded(seed), ..Self::default() }
    }

    /// The key of the next job.
    pub(super) fn next_key(&mut self) -> RecordKey {
        self.made += 1;
        RecordKey::numbered(JOB_PREFIX, self.made)
    }

    /// The batches used in the present 24 hours.
    pub(in crate::sandbox) fn batches_spent(&self, now: Timestamp) -> u64 {
        if self.batches_since.is_some_and(|since| since.duration_until(now) < DAY) { self.batches } else { 0 }
    }

    /// Takes the batches that so many rows need from the day's budget, and says how many rows that pays for.
    pub(super) fn spend_batches(&mut self, rows: usize, budget: u64, now: Timestamp) -> usize {
        let spent = self.batches_spent(now);
        if spent == 0 {
            self.batches_since = Some(now);
        }
        let wanted = rows.div_ceil(BATCH_ROWS) as u64;
        let paid = wanted.min(budget.saturating_sub(spent));
        self.batches = spent + paid;
        if paid == wanted { rows } else { usize::try_from(paid).unwrap_or(usize::MAX).saturating_mul(BATCH_ROWS) }
    }

    /// Drops the jobs that ended, or else were made, too long ago.
    pub(super) fn forget_old(&mut self, now: Timestamp) {
        let kept = |head: &JobHead, ended: Option<Timestamp>| ended.unwrap_or(head.created).duration_until(now) < RETENTION;
        self.ingest.retain(|_, job| kept(&job.head, job.ended()));
        self.query.retain(|_, query| kept(&query.job.head, query.job.ended()));
        self.classic.forget(|created| created.duration_until(now) >= RETENTION);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_batch_budget_lasts_a_day() {
        let mut bulk = BulkState::default();
        let now = Timestamp::UNIX_EPOCH;
        assert_eq!(bulk.spend_batches(10_001, 3, now), 10_001);
        assert_eq!(bulk.spend_batches(10_001, 3, now), 10_000);
        assert_eq!(bulk.spend_batches(1, 3, now), 0);
        assert_eq!(bulk.batches_spent(now), 3);
        assert_eq!(bulk.spend_batches(1, 3, now + DAY), 1);
    }
}
