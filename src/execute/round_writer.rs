//! Which records a round has, and in what order they are sent.

use std::io;

use super::excluded::{ExcludedPlaces, check_presence_of};
use super::execute_error::ExecuteError;
use super::policy_run::PolicyRun;
use super::recheck::Recheck;
use super::round::RoundFiles;
use super::round_note::note_of;
use super::run::Run;
use super::turns::Turns;
use crate::base::{PolicyName, RecordId};
use crate::plan::Row;
use crate::store::{EncodedStatus, IdNote, IdsWriter, SortOrder, SortedRows};

/// What became of opening a round.
pub(super) enum RoundEnd<T> {
    /// It is open.
    Opened(T),
    /// The system cannot be asked what has to be known first; a later run goes on.
    NotNow(String),
}

/// Writes the first round: all planned records in the order in which they are sent, less what the recheck excludes. Gives how
/// many records are in it, and how many are excluded.
pub(super) async fn write_first_round(
    run: &Run<'_>,
    input: &PolicyRun,
    recheck: Option<&Recheck>,
) -> Result<RoundEnd<(u64, u64)>, ExecuteError> {
    let scratch_error = |error| ExecuteError::file("use files in", run.scratch.place().path())(error);
    let checked;
    let mut excluded = recheck.map(|recheck| &recheck.excluded);
    if let Some(rows) = excluded {
        // What does not match any more may be gone: by another plan or somebody else, or by an earlier process of this run, of which
        // an older copy of its journal would not know.
        let provider = input.provider()?.as_ref();
        let of = (input.specification.object.as_str(), input.specification.delete);
        let rows = check_presence_of(rows, 0, SortOrder::Id, provider, of, run.scratch.place()).await;
        checked = match rows.map_err(scratch_error)? {
            Ok(rows) => rows,
            Err(error) => return Ok(RoundEnd::NotNow(error.to_string())),
        };
        excluded = Some(&checked);
    }
    let grouped = recheck.and_then(|recheck| recheck.grouped.as_ref());
    write_first(run, input, excluded, grouped).await.map(RoundEnd::Opened)
}

async fn write_first(
    run: &Run<'_>,
    input: &PolicyRun,
    excluded: Option<&SortedRows>,
    grouped: Option<&SortedRows>,
) -> Result<(u64, u64), ExecuteError> {
    let policy = &input.specification.policy;
    let (ids_place, excluded_place) = (run.scratch.round(policy, 0), run.scratch.excluded(policy, 0));
    let mut ids = IdsWriter::create(&ids_place).map_err(ExecuteError::file("make", ids_place.path()))?;
    let mut left_out = IdsWriter::create(&excluded_place).map_err(ExecuteError::file("make", excluded_place.path()))?;
    let written = |error| ExecuteError::file("write", ids_place.path())(error);
    let planned_error = |source| ExecuteError::Planned { policy: policy.clone(), source };
    let mut causes = excluded.into_iter().flat_map(SortedRows::rows).peekable();
    // An atomic group is what was reviewed as one: a batch's worth of planned records, minus the excluded ones.
    let group_size = input.specification.atomic.then_some(input.route.batch_size.max(1));
    let (mut last_group, mut turns) = (None, Turns::default());
    for (id, place) in (input.planned_ids)().map_err(planned_error)?.zip(0_u64..) {
        let id = id.map_err(planned_error)?;
        turns.row().await;
        let cause = causes.next_if(|row| row.as_ref().map_or(true, |row| row.id == id)).transpose().map_err(written)?;
        if let Some(row) = cause {
            left_out.push(&id, note_of(&row, 0).map_err(written)?).map_err(written)?;
        } else if grouped.is_none() {
            let group = group_size.map(|size| place / size);
            let begins = group != last_group;
            last_group = group;
            ids.push(&id, if begins { IdNote::Group } else { IdNote::None }).map_err(written)?;
        }
    }
    if let Some(row) = causes.next().transpose().map_err(written)? {
        let why = format!("the excluded record {} is not among the planned ones", row.id);
        return Err(ExecuteError::Unbalanced { policy: policy.clone(), why });
    }
    if let Some(grouped) = grouped {
        write_grouped(&mut ids, grouped).await.map_err(written)?;
    }
    let (count, excluded) = (ids.finish().map_err(written)?, left_out.finish().map_err(written)?);
    if count + excluded != input.planned {
        let why = format!("{count} are to be sent and {excluded} are excluded, of {} planned", input.planned);
        return Err(ExecuteError::Unbalanced { policy: policy.clone(), why });
    }
    Ok((count, excluded))
}

/// Records with equal values together, and by id within them.
async fn write_grouped(ids: &mut IdsWriter, grouped: &SortedRows) -> io::Result<()> {
    let (mut last, mut turns): (Option<String>, _) = (None, Turns::default());
    for row in grouped.rows() {
        turns.row().await;
        let Row { id, values } = row?;
        let group = values.into_iter().next().unwrap_or_default();
        // Records without a value have nothing in common, so that nothing keeps them together.
        let begins = group.is_empty() || last.as_ref() != Some(&group);
        ids.push(&id, if begins { IdNote::Group } else { IdNote::None })?;
        last = Some(group);
    }
    Ok(())
}

/// Writes what a round left to be sent again, or did not send, into the file of the next one, in the same order. What must not
/// be sent any more goes into a file of its own. Gives how many records are in it, and how many are excluded.
pub(super) async fn write_next_round(
    run: &Run<'_>,
    policy: &PolicyName,
    number: u32,
    last: &RoundFiles,
    unsent: Vec<(u64, u64)>,
    places: &ExcludedPlaces,
) -> Result<(u64, u64), ExecuteError> {
    let place = run.scratch.round(policy, number);
    let write = async {
        for (first, count) in unsent {
            // Statuses left by an abandoned batch do not count.
            last.statuses.clear(first, count)?;
        }
        let mut writer = IdsWriter::create(&place)?;
        let mut excluded = IdsWriter::create(&run.scratch.excluded(policy, number))?;
        let (mut ids, mut places) = (last.ids.iter(), places.iter());
        let mut next = places.next().transpose()?;
        let mut begins_group = false;
        let mut each = |place, status: EncodedStatus| {
            let too_short = || io::Error::other("the round before it is too short");
            let (id, note): (RecordId, IdNote) = ids.next().transpose()?.ok_or_else(too_short)?;
            begins_group |= note == IdNote::Group;
            let kept = next.and_then(|(next, note)| (next == place).then_some(note));
            if kept.is_some() {
                next = places.next().transpose()?;
            }
            if status.is_again() || status == EncodedStatus::NONE {
                match kept {
                    Some(note) => excluded.push(&id, note)?,
                    None => {
                        let begins = std::mem::take(&mut begins_group);
                        writer.push(&id, if begins { IdNote::Group } else { IdNote::None })?;
                    }
                }
            }
            Ok(true)
        };
        let count = last.ids.count();
        let mut first = 0;
        while first < count {
            last.statuses.scan(first, Turns::ROWS.min(count - first), &mut each)?;
            first += Turns::ROWS;
            tokio::task::yield_now().await;
        }
        Ok((writer.finish()?, excluded.finish()?))
    };
    write.await.map_err(ExecuteError::file("write", place.path()))
}
