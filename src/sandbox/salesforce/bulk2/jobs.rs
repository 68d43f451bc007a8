//! The jobs of an organization.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::ingest_job::{Chunk, IngestJob, RowResult};
use super::job_info::JobHead;
use super::query_job::{QueryJob, Snapshot};
use crate::sandbox::salesforce::query::Statement;
use crate::sandbox::{DeleteMode, Deletion, ItemError, RecordKey, Sandbox, Value, World};

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
    made: u64,
    batches: u64,
    batches_since: Option<Timestamp>,
}

/// A query job and what it runs.
#[derive(Debug)]
pub(super) struct CheckedQuery {
    pub(super) job: QueryJob,
    pub(super) statement: Statement,
}

impl BulkState {
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

    fn forget_old(&mut self, now: Timestamp) {
        let kept = |head: &JobHead, ended: Option<Timestamp>| ended.unwrap_or(head.created).duration_until(now) < RETENTION;
        self.ingest.retain(|_, job| kept(&job.head, job.ended()));
        self.query.retain(|_, query| kept(&query.job.head, query.job.ended()));
    }
}

impl Sandbox {
    /// Does what bulk jobs have to do by now. Every request does it first; a test that looks at the world itself calls it.
    pub fn run_jobs(&self) {
        let mut bulk = self.bulk();
        let now = self.now();
        bulk.forget_old(now);
        if bulk.ingest.values().any(IngestJob::is_running) {
            let mut world = self.world();
            for job in bulk.ingest.values_mut() {
                let pace = self.settings().bulk_rows_per_second;
                job.advance(now, pace, |head, chunk| delete_chunk(&mut world, head, chunk));
            }
        }
        for CheckedQuery { job, statement } in bulk.query.values_mut() {
            job.advance(now, self.settings().bulk_query_rows_per_second, |head| run(&self.world(), head, statement));
        }
    }
}

/// The rows a query finds now.
fn run(world: &World, head: &JobHead, statement: &Statement) -> Snapshot {
    let mut snapshot = Snapshot::default();
    for key in statement.run(world, head.created_by, head.operation == "queryAll") {
        let cells: Vec<String> = statement.values(world, key).iter().map(Value::to_text).collect();
        snapshot.push(head.dialect, cells.iter().map(String::as_str));
    }
    snapshot
}

/// Deletes one chunk: a transaction in which each row stands for itself.
fn delete_chunk(world: &mut World, head: &JobHead, chunk: &Chunk<'_>) -> Vec<RowResult> {
    let keys: Vec<Result<RecordKey, String>> = chunk.ids.iter().map(|id| key_of(world, &head.object, id)).collect();
    let good: Vec<RecordKey> = keys.iter().filter_map(|key| key.as_ref().ok().copied()).collect();
    if chunk.locked {
        let text = error_cell(&ItemError::locked(&good));
        return chunk.ids.iter().map(|_| Err(text.clone())).collect();
    }
    let mode = if head.operation == "hardDelete" { DeleteMode::Hard } else { DeleteMode::Soft };
    let names: Vec<String> = good.iter().map(ToString::to_string).collect();
    let mut results = world.delete(&names, Deletion { mode, all_or_none: false, user: head.created_by }).into_iter();
    keys.into_iter()
        .map(|key| {
            key?;
            results.next().unwrap_or(Ok(())).map_err(|error| error_cell(&error))
        })
        .collect()
}

/// The record a row names, or the text of its error cell. Both texts are guesses, after those of other interfaces.
fn key_of(world: &World, object: &str, id: &str) -> Result<RecordKey, String> {
    let key = RecordKey::parse(id).map_err(|_| format!("MALFORMED_ID:bad id {id}:Id --"))?;
    if world.object_of(key) == Some(object) {
        return Ok(key);
    }
    Err(format!("MALFORMED_ID:{object} ID: id value of incorrect type: {id}:Id --"))
}

/// `CODE:message:fields --`, as recorded; `--` stands alone when no field is to blame.
fn error_cell(error: &ItemError) -> String {
    let fields = if error.fields.is_empty() { String::new() } else { format!("{} ", error.fields.join(",")) };
    format!("{}:{}:{fields}--", error.status_code, error.message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_error_cells_as_recorded() {
        let plain = ItemError::new("ENTITY_IS_DELETED", "entity is deleted");
        assert_eq!(error_cell(&plain), "ENTITY_IS_DELETED:entity is deleted:--");
        let about_a_field = ItemError { fields: vec!["Name".into()], ..ItemError::new("REQUIRED_FIELD_MISSING", "missing") };
        assert_eq!(error_cell(&about_a_field), "REQUIRED_FIELD_MISSING:missing:Name --");
    }

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
