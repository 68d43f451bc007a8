//! The one end of every planned record.

use std::io;
use std::iter::Peekable;
use std::path::Path;

use super::perform::WaveFiles;
use super::run::{DriveError, DriveLane, Run};
use crate::apply::{Event, Evidence, LaneStatus, Mark, Outcome, OutcomeKind, SkipCause};
use crate::base::RecordId;
use crate::plan::Row;
use crate::store::{
    IdNote, IdsIterator, MarksFile, OutcomesWriter, RawMark, RowSorter, SortOrder, SortedRows, read_skipped,
};

/// How many marks are read at a time.
const WINDOW: usize = 1 << 12;

/// Writes the outcomes file of a policy from what the recheck kept back and what all waves left, and gives the event that
/// says so.
///
/// Every planned record must be in exactly one of both; anything else is an error, and nothing is written.
pub(super) fn write_outcomes(
    run: &Run<'_>,
    input: &DriveLane,
    waves: &[WaveFiles],
    skipped: u64,
    status: &LaneStatus,
) -> Result<Event, DriveError> {
    let policy = &input.order.policy;
    let path = run.directory.outcomes(policy);
    let file_error = |source| DriveError::File { doing: "write", path: path.clone(), source };
    let unbalanced = |why: String| DriveError::Unbalanced { policy: policy.clone(), why };
    let skip = status.halted.as_ref().map(|(_, skip)| *skip);

    let skipped_path = run.directory.skipped(policy);
    let kept = read_skipped(&skipped_path).map_err(DriveError::file("read", &skipped_path))?;
    let mut kept = kept.peekable();
    let cleared = Cleared::new(waves, skip).map_err(file_error)?;
    let sorted;
    let mut sent: Peekable<Box<dyn Iterator<Item = io::Result<Outcome>> + '_>> = if waves.iter().all(|wave| wave.ascending) {
        (Box::new(cleared) as Box<dyn Iterator<Item = _>>).peekable()
    } else {
        sorted = Sorted::new(cleared, run.directory.path()).map_err(file_error)?;
        (Box::new(sorted.outcomes()) as Box<dyn Iterator<Item = _>>).peekable()
    };

    let mut writer = OutcomesWriter::create(&path).map_err(file_error)?;
    let mut planned = 0;
    for id in (input.planned_ids)().map_err(file_error)? {
        let id = id.map_err(file_error)?;
        planned += 1;
        let is_kept = matches!(kept.peek(), Some(Ok((kept, _))) if *kept == id);
        let is_sent = matches!(sent.peek(), Some(Ok(outcome)) if outcome.id == id);
        let outcome = match (is_kept, is_sent) {
            (true, true) => return Err(unbalanced(format!("{id} was both kept back and cleared"))),
            (true, false) => kept.next().transpose().map_err(file_error)?.map(|(id, cause)| Outcome {
                id,
                kind: OutcomeKind::Skipped(cause),
                evidence: Evidence::Recheck,
            }),
            (false, _) => sent.next().transpose().map_err(file_error)?,
        };
        match outcome {
            Some(outcome) if outcome.id == id => writer.push(&outcome).map_err(file_error)?,
            Some(outcome) => return Err(unbalanced(format!("{} has an outcome where {id} is planned", outcome.id))),
            None => return Err(unbalanced(format!("{id} is planned and has no outcome"))),
        }
    }
    if let Some(outcome) = sent.next().transpose().map_err(file_error)? {
        return Err(unbalanced(format!("{} has an outcome and is not planned", outcome.id)));
    }
    if let Some((id, _)) = kept.next().transpose().map_err(file_error)? {
        return Err(unbalanced(format!("{id} was kept back and is not planned")));
    }
    let cleared = waves.first().map_or(0, |wave| wave.ids.count());
    if planned != input.planned || cleared + skipped != planned {
        let words = format!("{planned} of {} planned ids, {cleared} cleared, {skipped} kept back", input.planned);
        return Err(unbalanced(words));
    }
    let (tally, outcomes) = writer.finish().map_err(file_error)?;
    if tally.total() != planned {
        return Err(unbalanced(format!("{} outcomes for {planned} planned records", tally.total())));
    }
    Ok(Event::Finished { tally, outcomes })
}

/// One wave, record by record.
struct WaveReader<'a> {
    ids: Peekable<IdsIterator>,
    withheld: Option<Peekable<IdsIterator>>,
    marks: &'a MarksFile,
    count: u64,
    place: u64,
    window: std::vec::IntoIter<RawMark>,
}

impl<'a> WaveReader<'a> {
    fn new(wave: &'a WaveFiles) -> io::Result<Self> {
        let (ids, count) = (wave.ids.iter()?.peekable(), wave.ids.count());
        let withheld = wave.withheld.as_ref().map(|withheld| withheld.iter()).transpose()?.map(Iterator::peekable);
        Ok(Self { ids, withheld, marks: &wave.marks, count, place: 0, window: Vec::new().into_iter() })
    }

    /// Whether the record is the next one of the wave, or of those withheld from it.
    fn comes_to(&mut self, id: RecordId) -> bool {
        let withheld = self.withheld.as_mut().and_then(Peekable::peek);
        self.ids.peek().into_iter().chain(withheld).any(|next| is_about(next, id))
    }

    /// Takes the record from those withheld from the wave, when it is the next one of them; gives the note there.
    fn take_withheld(&mut self, id: RecordId) -> io::Result<Option<IdNote>> {
        let next = self.withheld.as_mut().and_then(|withheld| withheld.next_if(|next| is_about(next, id)));
        Ok(next.transpose()?.map(|(_, note)| note))
    }

    fn next(&mut self) -> io::Result<Option<(RecordId, Option<Mark>)>> {
        if self.place == self.count {
            return Ok(None);
        }
        let raw = match self.window.next() {
            Some(raw) => raw,
            None => {
                let left = usize::try_from(self.count - self.place).unwrap_or(WINDOW).min(WINDOW);
                self.window = self.marks.read(self.place, left)?.into_iter();
                self.window.next().unwrap_or(RawMark::NONE)
            }
        };
        self.place += 1;
        let (id, _) = self.ids.next().transpose()?.ok_or_else(|| io::Error::other("a wave's ids end too early"))?;
        Ok(Some((id, self.marks.decode(&raw)?)))
    }
}

/// Whether this is the record; what cannot be read counts as it, so that the error comes out.
fn is_about(next: &io::Result<(RecordId, IdNote)>, id: RecordId) -> bool {
    next.as_ref().map_or(true, |(next, _)| *next == id)
}

/// The outcomes of all cleared records, in the order of wave 0.
///
/// A later wave holds, in the same order, what the one before left to be sent again, and where that was cut short also what it
/// did not send; less what was withheld, which is in a file of its own. So all waves are read side by side. Which records went
/// on is what the files say and not the marks: lost marks may have been made anew when the next wave was there already.
struct Cleared<'a> {
    waves: Vec<WaveReader<'a>>,
    /// What becomes of records that were never sent; `None` when there can be none.
    skip: Option<SkipCause>,
}

impl<'a> Cleared<'a> {
    fn new(waves: &'a [WaveFiles], skip: Option<SkipCause>) -> io::Result<Self> {
        Ok(Self { waves: waves.iter().map(WaveReader::new).collect::<io::Result<_>>()?, skip })
    }

    fn outcome(&mut self) -> io::Result<Option<Outcome>> {
        // The record, and its last mark.
        let mut left: Option<(RecordId, Option<Mark>)> = None;
        let (mut unanswered, mut sent) = (false, true);
        let mut later = self.waves.iter_mut().peekable();
        while let Some(wave) = later.next() {
            if let Some((id, mark)) = &left
                && let Some(note) = wave.take_withheld(*id)?
            {
                let (kind, evidence) = match (note, mark) {
                    // A request for it had no answer: it is gone by that, as far as anybody can tell.
                    (IdNote::Gone, _) if unanswered => (OutcomeKind::Deleted, Evidence::Look),
                    (IdNote::Gone, _) => (OutcomeKind::AlreadyGone, Evidence::Look),
                    (IdNote::Withheld(cause), Some(Mark::Again { evidence, .. })) => {
                        (OutcomeKind::Skipped(cause), *evidence)
                    }
                    (IdNote::Withheld(cause), _) => (OutcomeKind::Skipped(cause), Evidence::Recheck),
                    _ => return Err(io::Error::other(format!("{id} was withheld for no cause"))),
                };
                return Ok(Some(Outcome { id: *id, kind, evidence }));
            }
            let Some((id, mark)) = wave.next()? else { break };
            unanswered |= matches!(mark, Some(Mark::Again { unclear: true, .. }));
            sent = mark.is_some();
            // Where it was not sent, what an earlier wave left stands.
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
    /// Wave 0 is at its end, so that no other may have anything left.
    fn end(&mut self) -> io::Result<Option<Outcome>> {
        for wave in &mut self.waves {
            let withheld = wave.withheld.as_mut().and_then(Iterator::next);
            if let Some(id) = wave.ids.next().or(withheld).transpose()? {
                return Err(io::Error::other(format!("{} stands in a later wave where it was not left", id.0)));
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
    fn new(cleared: Cleared<'_>, scratch: &Path) -> io::Result<Self> {
        let mut sorter = RowSorter::new(scratch, SortOrder::Id, RowSorter::WINDOW);
        for outcome in cleared {
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
