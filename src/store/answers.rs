//! What became of every record of a batch, on its way into the store and back.

use std::io;

use super::{LargeName, RunStore, StatusFile, StoreError};
use crate::apply::{Answers, Batch, Seal, StatusRun};
use crate::base::{PolicyName, inert_json};

/// Answers of up to this many bytes are put into the journal itself.
const MOST_BYTES: usize = 8 << 10;
/// How many bytes are collected before they are written.
const WINDOW: usize = 1 << 16;

/// Takes what is known of the records of a batch: into the journal where it is little, else into an object, which is durable
/// on return.
///
/// # Errors
///
/// When the statuses cannot be read, a record has none, or the object cannot be written.
pub async fn write_answers(
    run: &RunStore,
    policy: &PolicyName,
    batch: &Batch,
    statuses: &StatusFile,
) -> Result<Answers, StoreError> {
    let mut runs = statuses.runs(batch.first, batch.count);
    let mut held: Vec<StatusRun> = Vec::new();
    let mut bytes: Vec<u8> = Vec::new();
    while held.len() < run.inline_runs() && bytes.len() < MOST_BYTES {
        match runs.next().transpose().map_err(|source| scratch(statuses, source))? {
            Some(status) => {
                push_line(&mut bytes, &status, statuses)?;
                held.push(status);
            }
            None => return Ok(Answers::Here(held)),
        }
    }
    let mut writer = run.write(run.answers(policy, batch.number));
    for status in runs {
        push_line(&mut bytes, &status.map_err(|source| scratch(statuses, source))?, statuses)?;
        if bytes.len() >= WINDOW {
            writer.write(&bytes).await?;
            bytes.clear();
        }
    }
    writer.write(&bytes).await?;
    Ok(Answers::Stored(writer.finish().await?))
}

fn push_line(bytes: &mut Vec<u8>, status: &StatusRun, statuses: &StatusFile) -> Result<(), StoreError> {
    let text = serde_json::to_string(status).map_err(|error| scratch(statuses, error.into()))?;
    bytes.extend_from_slice(inert_json(text).as_bytes());
    bytes.push(b'\n');
    Ok(())
}

fn scratch(statuses: &StatusFile, source: io::Error) -> StoreError {
    StoreError::Access { doing: "use", place: statuses.path().display().to_string(), source }
}

/// Puts answers that stand in the journal back into the statuses of their round.
///
/// # Errors
///
/// [`StoreError::Damaged`] when they are not as many as the batch has records.
pub fn restore_answers(batch: &Batch, answers: &[StatusRun], statuses: &StatusFile) -> Result<(), StoreError> {
    let mut place = batch.first;
    for run in answers {
        place = restore(batch, place, run, statuses)?;
    }
    ends_at(batch, place)
}

/// Puts the answers of an object back into the statuses of their round.
///
/// # Errors
///
/// [`StoreError::Damaged`] when the object is not there, is not the one of the seal, or does not have as many answers as the batch
/// has records.
pub async fn restore_stored_answers(
    run: &RunStore,
    name: LargeName,
    seal: Seal,
    batch: &Batch,
    statuses: &StatusFile,
) -> Result<(), StoreError> {
    let mut reader = run.read(name, seal);
    let (mut place, mut rest) = (batch.first, Vec::new());
    while let Some(bytes) = reader.next().await? {
        rest.extend_from_slice(&bytes);
        let whole = rest.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        for line in rest[..whole].split_inclusive(|byte| *byte == b'\n') {
            let run: StatusRun = serde_json::from_slice(line).map_err(|error| damaged(batch, &error.to_string()))?;
            place = restore(batch, place, &run, statuses)?;
        }
        rest.drain(..whole);
    }
    ends_at(batch, place)
}

fn restore(batch: &Batch, place: u64, run: &StatusRun, statuses: &StatusFile) -> Result<u64, StoreError> {
    let end = place.checked_add(run.0).filter(|end| *end <= batch.first + batch.count);
    let end = end.ok_or_else(|| damaged(batch, "there are more of them than records"))?;
    let status = statuses.encode(&run.1).map_err(|source| scratch(statuses, source))?;
    statuses.fill(place, run.0, status).map_err(|source| scratch(statuses, source))?;
    Ok(end)
}

fn ends_at(batch: &Batch, place: u64) -> Result<(), StoreError> {
    if place == batch.first + batch.count { Ok(()) } else { Err(damaged(batch, "there are fewer of them than records")) }
}

fn damaged(batch: &Batch, why: &str) -> StoreError {
    StoreError::Damaged { place: format!("what the journal has of the answers to batch {}", batch.number), why: why.into() }
}
