//! Writes the one outcome of every planned record.

use std::io;
use std::iter::Peekable;

use super::execute_error::ExecuteError;
use super::policy_run::PolicyRun;
use super::round::RoundFiles;
use super::run::Run;
use super::turns::Turns;
use crate::apply::{Event, Evidence, MachineStatus, Outcome, OutcomeKind, RecordStatus, SkipCause, Tally, Unanswered};
use crate::base::RecordId;
use crate::plan::Row;
use crate::store::{
    EncodedStatus, IdNote, IdsIterator, OutcomesWriter, Place, RowSorter, SortOrder, SortedRows, StatusFile,
};

/// How many statuses are read at a time.
const WINDOW: usize = 1 << 12;

/// Writes the outcomes of a policy from what all rounds left, and gives the event that says so.
///
/// Every planned record must be in the first round or be excluded from it, and none in both; anything else is an error, and
/// nothing is journalled.
pub(super) async fn write_outcomes(
    run: &Run<'_>,
    input: &PolicyRun,
    rounds: &[RoundFiles],
    status: &MachineStatus,
) -> Result<Event, ExecuteError> {
    let policy = &input.specification.policy;
    let place = run.scratch.outcomes(policy);
    let mut tally = write_scratch(run, input, rounds, status, &place, None).await?;
    if tally.already_gone > 0
        && let Some(earlier) = run.earlier
    {
        let deleted = earlier.deleted(input).await?;
        tally = write_scratch(run, input, rounds, status, &place, Some(&deleted)).await?;
    }
    let outcomes = run.store.publish(run.store.outcomes(policy), &place).await?;
    Ok(Event::Finished { tally, outcomes })
}

async fn write_scratch(
    run: &Run<'_>,
    input: &PolicyRun,
    rounds: &[RoundFiles],
    status: &MachineStatus,
    place: &Place,
    deleted_before: Option<&SortedRows>,
) -> Result<Tally, ExecuteError> {
    let policy = &input.specification.policy;
    let file_error = |source| ExecuteError::file("write", place.path())(source);
    let planned_error = |source| ExecuteError::Planned { policy: policy.clone(), source };
    let unbalanced = |why: String| ExecuteError::Unbalanced { policy: policy.clone(), why };
    let skip = status.halted.as_ref().map(|(_, skip)| *skip);

    let excluded = rounds.first().and_then(|round| round.excluded.as_ref()).map(|excluded| excluded.iter());
    let mut excluded = excluded.into_iter().flatten().peekable();
    let cleared = Cleared::new(rounds, skip).map_err(file_error)?;
    let sorted;
    let mut sent: Peekable<Box<dyn Iterator<Item = io::Result<Outcome>> + Send + '_>> =
        if rounds.iter().all(|round| round.ascending) {
            (Box::new(cleared) as Box<dyn Iterator<Item = _> + Send>).peekable()
        } else {
            sorted = Sorted::new(cleared, run.scratch.place()).await.map_err(file_error)?;
            (Box::new(sorted.outcomes()) as Box<dyn Iterator<Item = _> + Send>).peekable()
        };

    let mut deleted_before = deleted_before.into_iter().flat_map(SortedRows::rows).peekable();
    let mut writer = OutcomesWriter::create(place).map_err(file_error)?;
    let (mut planned, mut turns) = (0, Turns::default());
    for id in (input.planned_ids)().map_err(planned_error)? {
        let id = id.map_err(planned_error)?;
        planned += 1;
        turns.row().await;
        let is_excluded = matches!(excluded.peek(), Some(Ok((excluded, _))) if *excluded == id);
        let is_sent = matches!(sent.peek(), Some(Ok(outcome)) if outcome.id == id);
        let outcome = match (is_excluded, is_sent) {
            (true, true) => return Err(unbalanced(format!("{id} was both excluded and cleared"))),
            (true, false) => excluded.next().transpose().map_err(file_error)?.map(|(id, note)| excluded_outcome(id, note)),
            (false, _) => sent.next().transpose().map_err(file_error)?,
        };
        match outcome {
            Some(outcome) if outcome.id == id => {
                let plan = last_plan(&mut deleted_before, id).map_err(file_error)?;
                let plan = plan.filter(|_| outcome.kind == OutcomeKind::AlreadyGone);
                writer.push_gone_by(&outcome, plan.as_deref()).map_err(file_error)?;
            }
            Some(outcome) => return Err(unbalanced(format!("{} has an outcome where {id} is planned", outcome.id))),
            None => return Err(unbalanced(format!("{id} is planned and has no outcome"))),
        }
    }
    if let Some(outcome) = sent.next().transpose().map_err(file_error)? {
        return Err(unbalanced(format!("{} has an outcome and is not planned", outcome.id)));
    }
    if let Some((id, _)) = excluded.next().transpose().map_err(file_error)? {
        return Err(unbalanced(format!("{id} was excluded and is not planned")));
    }
    let tally = writer.finish().map_err(file_error)?;
    if planned != input.planned || tally.total() != planned {
        let why = format!("{} outcomes for {planned} of {} planned records", tally.total(), input.planned);
        return Err(unbalanced(why));
    }
    Ok(tally)
}

/// The name of the plan that deleted a record last, by rows that come in the order of ids and end with that name.
fn last_plan(rows: &mut Peekable<impl Iterator<Item = io::Result<Row>>>, id: RecordId) -> io::Result<Option<String>> {
    let mut values = Vec::new();
    while let Some(row) = rows.next_if(|row| row.as_ref().map_or(true, |row| row.id <= id)).transpose()? {
        if row.id == id {
            values = row.values.max(values);
        }
    }
    Ok(values.pop())
}

/// The outcome of a record that was excluded before it was ever sent.
fn excluded_outcome(id: RecordId, note: IdNote) -> Outcome {
    let (kind, evidence) = match note {
        IdNote::Gone => (OutcomeKind::AlreadyGone, Evidence::PresenceCheck),
        IdNote::Excluded(SkipCause::InRecycleBin) => {
            (OutcomeKind::Skipped(SkipCause::InRecycleBin), Evidence::PresenceCheck)
        }
        IdNote::Excluded(cause) => (OutcomeKind::Skipped(cause), Evidence::Recheck),
        // The cause is not known.
        IdNote::None | IdNote::Group => (OutcomeKind::Unknown, Evidence::None),
    };
    Outcome { id, kind, evidence }
}

/// One round, record by record.
struct RoundReader<'a> {
    ids: Peekable<IdsIterator>,
    excluded: Option<Peekable<IdsIterator>>,
    statuses: &'a StatusFile,
    count: u64,
    place: u64,
    window: std::vec::IntoIter<EncodedStatus>,
}

impl<'a> RoundReader<'a> {
    fn new(round: &'a RoundFiles) -> io::Result<Self> {
        let (ids, count) = (round.ids.iter().peekable(), round.ids.count());
        // What is excluded from the first round was never in one.
        let excluded = round.excluded.as_ref().filter(|_| round.number > 0);
        let excluded = excluded.map(|excluded| excluded.iter().peekable());
        Ok(Self { ids, excluded, statuses: &round.statuses, count, place: 0, window: Vec::new().into_iter() })
    }

    /// Whether the record is the next one of the round, or of those excluded from it.
    fn comes_to(&mut self, id: RecordId) -> bool {
        let excluded = self.excluded.as_mut().and_then(Peekable::peek);
        self.ids.peek().into_iter().chain(excluded).any(|next| is_about(next, id))
    }

    /// Takes the record from those excluded from the round, when it is the next one of them; gives the note there.
    fn take_excluded(&mut self, id: RecordId) -> io::Result<Option<IdNote>> {
        let next = self.excluded.as_mut().and_then(|excluded| excluded.next_if(|next| is_about(next, id)));
        Ok(next.transpose()?.map(|(_, note)| note))
    }

    fn next(&mut self) -> io::Result<Option<(RecordId, Option<RecordStatus>)>> {
        if self.place == self.count {
            return Ok(None);
        }
        let raw = match self.window.next() {
            Some(raw) => raw,
            None => {
                let left = usize::try_from(self.count - self.place).unwrap_or(WINDOW).min(WINDOW);
                self.window = self.statuses.read(self.place, left)?.into_iter();
                self.window.next().unwrap_or(EncodedStatus::NONE)
            }
        };
        self.place += 1;
        let (id, _) = self.ids.next().transpose()?.ok_or_else(|| io::Error::other("a round's ids end too early"))?;
        Ok(Some((id, self.statuses.decode(&raw)?)))
    }
}

/// Whether this is the record; what cannot be read counts as it, so that the error comes out.
fn is_about(next: &io::Result<(RecordId, IdNote)>, id: RecordId) -> bool {
    next.as_ref().map_or(true, |(next, _)| *next == id)
}

/// The outcomes of all cleared records, in the order of round 0.
///
/// A later round holds, in the same order, the records that its predecessor left to be sent again and, if that was cut short,
/// those it did not send, except the excluded ones, which are in a file of their own. So all rounds are read in parallel. The
/// files, not the statuses, decide which records are in the next round: lost statuses may have been restored after it was opened.
struct Cleared<'a> {
    rounds: Vec<RoundReader<'a>>,
    /// What becomes of records that were never sent; `None` when there can be none.
    skip: Option<SkipCause>,
}

impl<'a> Cleared<'a> {
    fn new(rounds: &'a [RoundFiles], skip: Option<SkipCause>) -> io::Result<Self> {
        Ok(Self { rounds: rounds.iter().map(RoundReader::new).collect::<io::Result<_>>()?, skip })
    }

    fn outcome(&mut self) -> io::Result<Option<Outcome>> {
        // The record and its last status.
        let mut left: Option<(RecordId, Option<RecordStatus>)> = None;
        let (mut unanswered, mut sent) = (Unanswered::default(), true);
        let mut later = self.rounds.iter_mut().peekable();
        while let Some(round) = later.next() {
            if let Some((id, mark)) = &left
                && let Some(note) = round.take_excluded(*id)?
            {
                let (kind, evidence) = match (note, mark) {
                    // A request for it was not answered, so that request is taken to have deleted it.
                    (IdNote::Gone, _) if unanswered.ever => (OutcomeKind::Deleted, Evidence::PresenceCheck),
                    (IdNote::Gone, _) => (OutcomeKind::AlreadyGone, Evidence::PresenceCheck),
                    (IdNote::Excluded(_), _) if unanswered.at_work => (OutcomeKind::Unknown, Evidence::None),
                    (IdNote::Excluded(SkipCause::InRecycleBin), Some(RecordStatus::Again { .. })) => {
                        (OutcomeKind::Failed(RecordStatus::left_in_bin()), Evidence::PresenceCheck)
                    }
                    (IdNote::Excluded(cause), Some(RecordStatus::Again { evidence, .. })) => {
                        (OutcomeKind::Skipped(cause), *evidence)
                    }
                    (IdNote::Excluded(cause), _) => (OutcomeKind::Skipped(cause), Evidence::Recheck),
                    _ => return Err(io::Error::other(format!("{id} was excluded for no cause"))),
                };
                return Ok(Some(Outcome { id: *id, kind, evidence }));
            }
            let Some((id, mark)) = round.next()? else { break };
            mark.iter().for_each(|mark| mark.add_to(&mut unanswered));
            sent = mark.is_some();
            // Where it was not sent, what an earlier round left stands.
            left = Some((id, mark.or_else(|| left.and_then(|(_, mark)| mark))));
            if !later.peek_mut().is_some_and(|next| next.comes_to(id)) {
                break;
            }
        }
        let Some((id, mark)) = left else { return self.end() };
        if !sent && self.skip.is_none() {
            return Err(io::Error::other(format!("{id} was never sent")));
        }
        let never_sent =
            || self.skip.map(|cause| Outcome { id, kind: OutcomeKind::Skipped(cause), evidence: Evidence::None });
        Ok(mark.map_or_else(never_sent, |mark| Some(mark.into_outcome(id, unanswered))))
    }
}

impl Cleared<'_> {
    /// Round 0 is at its end, so that no other may have anything left.
    fn end(&mut self) -> io::Result<Option<Outcome>> {
        for round in &mut self.rounds {
            let excluded = round.excluded.as_mut().and_then(Iterator::next);
            if let Some(id) = round.ids.next().or(excluded).transpose()? {
                return Err(io::Error::other(format!("{} stands in a later round where it was not left", id.0)));
            }
        }
        Ok(None)
    }
}

impl Iterator for Cleared<'_> {
    type Item = io::Result<Outcome>;

    fn next(&mut self) -> Option<Self::Item> {
        self.outcome().transpose()
    }
}

/// The outcomes of a policy whose records were not sent in the order of their ids, brought into that order.
struct Sorted(SortedRows);

impl Sorted {
    async fn new(cleared: Cleared<'_>, scratch: &Place) -> io::Result<Self> {
        let mut sorter = RowSorter::new(scratch, SortOrder::Id, RowSorter::WINDOW);
        let mut turns = Turns::default();
        for outcome in cleared {
            turns.row().await;
            let outcome = outcome?;
            let values = serde_json::to_string(&(&outcome.kind, outcome.evidence))?;
            sorter.push(&Row { id: outcome.id, values: vec![values] })?;
        }
        Ok(Self(sorter.finish()?))
    }

    fn outcomes(&self) -> impl Iterator<Item = io::Result<Outcome>> + '_ {
        self.0.rows().map(|row| {
            let row = row?;
            let (kind, evidence) = serde_json::from_str(row.values.first().map_or("", String::as_str))?;
            Ok(Outcome { id: row.id, kind, evidence })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_several_plans_that_deleted_a_record_the_last_one_is_named() {
        let id = |text: &str| RecordId::new(text).expect("valid");
        let row = |text: &str, number: &str, plan: &str| Ok(Row { id: id(text), values: vec![number.into(), plan.into()] });
        let rows = [row("b", "000001", "aa"), row("b", "000000", "ff"), row("d", "000000", "cc")];
        let mut rows = rows.into_iter().peekable();
        let found = ["a", "b", "c", "d", "e"].map(|text| last_plan(&mut rows, id(text)).expect("read"));
        assert_eq!(found.map(|plan| plan.unwrap_or_default()), ["", "aa", "", "cc", ""]);
    }
}
