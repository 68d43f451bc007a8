//! All jobs of an organization, and whose turn it is.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::batch::Batch;
use super::job::Job;
use super::locks::RowLocks;
use super::query;
use crate::sandbox::draw::first_number;
use crate::sandbox::salesforce::bulk_rows::{delete_rows, deletion_of};
use crate::sandbox::{RecordKey, Settings, World};

/// The first three characters of a batch's identifier. Source: recorded.
const BATCH_PREFIX: [u8; 3] = *b"751";

/// The jobs of Bulk API 1.0.
///
/// Batches begin as they are added: those of parallel jobs side by side, those of all serial jobs one after the other
/// (documented). They move only when somebody looks: [`Self::advance`] does what is due by the given moment, and no more.
#[derive(Debug, Default)]
pub(in crate::sandbox::salesforce) struct ClassicJobs {
    /// By identifier.
    pub jobs: BTreeMap<RecordKey, Job>,
    /// Batches that have not ended, in the order they were added: the job, and the place in it.
    at_work: Vec<(RecordKey, usize)>,
    /// When the last batch of a serial job ended.
    serial_free: Timestamp,
    locks: RowLocks,
    /// The number of the batch that was added last.
    batches: u64,
}

/// The next transaction that is due.
struct Due {
    place: usize,
    from: Timestamp,
    until: Timestamp,
}

impl ClassicJobs {
    /// No job was made yet.
    pub(in crate::sandbox::salesforce) fn seeded(seed: u64) -> Self {
        Self { batches: first_number(seed, "bulk batch"), ..Self::default() }
    }

    /// The key of the next batch.
    pub fn next_batch_key(&mut self) -> RecordKey {
        self.batches += 1;
        RecordKey::numbered(BATCH_PREFIX, self.batches)
    }

    /// Adds a batch to a job.
    pub fn add(&mut self, job: RecordKey, batch: Batch) {
        if let Some(found) = self.jobs.get_mut(&job) {
            found.batches.push(batch);
            self.at_work.push((job, found.batches.len() - 1));
        }
    }

    /// Whether there are batches that have not ended.
    pub(in crate::sandbox::salesforce) fn is_at_work(&self) -> bool {
        !self.at_work.is_empty()
    }

    /// Forgets jobs that were made at such moments, and what they still had to do.
    pub(in crate::sandbox::salesforce) fn forget(&mut self, is_old: impl Fn(Timestamp) -> bool) {
        self.jobs.retain(|_, job| !is_old(job.created));
        self.at_work.retain(|(job, _)| self.jobs.contains_key(job));
    }

    /// Does all transactions that have ended by that moment, in the order of their ends.
    pub(in crate::sandbox::salesforce) fn advance(&mut self, now: Timestamp, settings: &Settings, world: &mut World) {
        self.at_work.retain(|(job, place)| self.jobs.get(job).is_some_and(|job| job.batches[*place].end().is_none()));
        while let Some(due) = self.next_due(settings.bulk_rows_per_second).filter(|due| due.until <= now) {
            let (job, place) = self.at_work[due.place];
            let Some(job) = self.jobs.get_mut(&job) else { return };
            let batch = &mut job.batches[place];
            let (id, wanted) = (batch.id, &job.wanted);
            if wanted.reads() {
                let found = query::run(world, wanted, job.created_by, job.version, &batch.data);
                batch.answer(due.until, found);
            } else {
                let deletion = deletion_of(wanted.operation, job.created_by);
                let locks = &mut self.locks;
                batch.next_chunk((due.from, due.until), |chunk| {
                    let free = !settings.bulk_lock_contention || locks.take(world, id, chunk);
                    delete_rows(world, &wanted.object, deletion, &chunk.ids, chunk.locked || !free)
                });
            }
            if batch.end().is_some() {
                self.at_work.remove(due.place);
                if wanted.serial {
                    self.serial_free = due.until;
                }
            }
        }
    }

    /// The transaction that ends first; of several that end together, the one of the batch that was added first.
    fn next_due(&mut self, rows_per_second: u64) -> Option<Due> {
        let mut first: Option<Due> = None;
        let mut serial_seen = false;
        for (place, (job, number)) in self.at_work.iter().enumerate() {
            let Some(job) = self.jobs.get_mut(job) else { continue };
            if job.wanted.serial && std::mem::replace(&mut serial_seen, true) {
                continue;
            }
            let batch = &mut job.batches[*number];
            let earliest = if job.wanted.serial { batch.created.max(self.serial_free) } else { batch.created };
            let begun = *batch.begun.get_or_insert(earliest);
            let (from, until) = batch.next_due(begun, rows_per_second);
            if first.as_ref().is_none_or(|first| until < first.until) {
                first = Some(Due { place, from, until });
            }
        }
        first
    }
}
