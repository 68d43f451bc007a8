//! Answers that the journal vouches for and the files do not have any more.

use std::collections::BTreeMap;
use std::io;

use super::run::{ExecuteError, Run};
use super::step_runner::RoundFiles;
use crate::apply::{Batch, Event};
use crate::base::PolicyName;
use crate::store::{StatusCount, read_journal};

/// The batches of a policy that were answered or looked at and whose statuses are not what was journalled, each as the event that
/// makes it unclear.
///
/// # Errors
///
/// When the journal or the statuses cannot be read.
pub(super) fn lost_answers(run: &Run<'_>, policy: &PolicyName, files: &[RoundFiles]) -> Result<Vec<Event>, ExecuteError> {
    let mut open: BTreeMap<u64, Batch> = BTreeMap::new();
    let mut incomplete: BTreeMap<u64, Batch> = BTreeMap::new();
    let mut lost: BTreeMap<u64, Event> = BTreeMap::new();
    let mut failed = None;
    let mut count = |batch: &Batch| {
        let statuses = &files.get(batch.round as usize)?.statuses;
        match statuses.count(batch.first, batch.count) {
            Err(error) if error.kind() != io::ErrorKind::InvalidData => {
                failed.get_or_insert(ExecuteError::file("read", &run.directory.statuses(policy, batch.round))(error));
                None
            }
            // Damage counts as no statuses at all.
            counted => Some(counted.unwrap_or(StatusCount { none: batch.count, ..StatusCount::default() })),
        }
    };
    read_journal(&run.directory.journal(), |entry| {
        if entry.policy.as_ref() != Some(policy) {
            return;
        }
        match entry.event {
            Event::Intended { batch, round, first, count } | Event::Lost { batch, round, first, count, .. } => {
                // What was taken back before was looked at anew.
                lost.remove(&batch);
                open.insert(batch, Batch { number: batch, round, first, count });
            }
            Event::Abandoned { batch, .. } => {
                open.remove(&batch);
            }
            Event::Unclear { batch, .. } => open.extend(incomplete.remove_entry(&batch)),
            Event::Answered { batch, missing: 1.., .. } => incomplete.extend(open.remove_entry(&batch)),
            Event::Answered { batch, again, missing: 0, tally, .. } | Event::PresenceChecked { batch, again, tally, .. } => {
                let Some(batch) = open.remove(&batch).or_else(|| incomplete.remove(&batch)) else { return };
                if count(&batch).is_some_and(|count| count != StatusCount { none: 0, again, missing: 0, tally }) {
                    let Batch { number, round, first, count } = batch;
                    lost.insert(number, Event::Lost { batch: number, round, first, count, again, tally });
                }
            }
            _ => {}
        }
    })?;
    for batch in incomplete.values() {
        // Some of what was missing may have been looked at already.
        if count(batch).is_some_and(|count| count.none > 0) {
            let cause = "its answers are lost from the run's files".to_owned();
            lost.insert(batch.number, Event::Unclear { batch: batch.number, cause });
        }
    }
    match failed {
        Some(error) => Err(error),
        None => Ok(lost.into_values().collect()),
    }
}
