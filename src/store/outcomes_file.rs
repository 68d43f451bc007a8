//! Outcomes files: the one outcome of every planned record, as evidence.

use std::io::{self, BufWriter};

use super::cell::guard_cell;
use super::{FileStream, OpenMode, Place};
use crate::apply::{Outcome, OutcomeKind, Tally};
use crate::base::RecordId;

/// Writes a policy's outcomes as CSV with the columns `Id,Outcome,Cause,Code,Message,Evidence,Plan`, one row for each planned
/// record.
///
/// **Invariant**: rows come in ascending order of their ids, so that no record has two.
#[must_use = "an outcomes file that is not finished is not there"]
pub struct OutcomesWriter {
    rows: csv::Writer<BufWriter<FileStream>>,
    tally: Tally,
    last: Option<RecordId>,
}

impl OutcomesWriter {
    /// Begins the scratch file at `place`, in place of any other.
    ///
    /// # Errors
    ///
    /// When it cannot be made.
    pub fn create(place: &Place) -> io::Result<Self> {
        let file = FileStream::new(place.open(OpenMode::Truncate)?);
        let mut rows = csv::Writer::from_writer(BufWriter::with_capacity(1 << 16, file));
        rows.write_record(["Id", "Outcome", "Cause", "Code", "Message", "Evidence", "Plan"])?;
        Ok(Self { rows, tally: Tally::default(), last: None })
    }

    /// Writes the next outcome.
    ///
    /// # Errors
    ///
    /// When it cannot be written, or does not come after the one before.
    pub fn push(&mut self, outcome: &Outcome) -> io::Result<()> {
        self.push_gone_by(outcome, None)
    }

    /// The same, with the name of another plan of the project that deleted the record.
    ///
    /// # Errors
    ///
    /// As [`OutcomesWriter::push`].
    pub fn push_gone_by(&mut self, outcome: &Outcome, plan: Option<&str>) -> io::Result<()> {
        if self.last.is_some_and(|last| last >= outcome.id) {
            let words = format!("the outcome of {} is out of order", outcome.id);
            return Err(io::Error::new(io::ErrorKind::InvalidInput, words));
        }
        self.last = Some(outcome.id);
        self.tally.add(&outcome.kind);
        let (cause, code, message) = match &outcome.kind {
            OutcomeKind::Skipped(cause) => (cause.word(), "", ""),
            OutcomeKind::Failed(failure) => ("", failure.code.as_str(), failure.message.as_str()),
            OutcomeKind::Deleted | OutcomeKind::AlreadyGone | OutcomeKind::Unknown => ("", "", ""),
        };
        let (code, message) = (guard_cell(code), guard_cell(message));
        let (word, evidence) = (outcome.kind.word(), outcome.evidence.word());
        let plan = plan.unwrap_or_default();
        Ok(self.rows.write_record([outcome.id.as_str(), word, cause, &code, &message, evidence, plan])?)
    }

    /// Ends the file; returns how the records ended.
    ///
    /// # Errors
    ///
    /// When the disk does not take it.
    pub fn finish(self) -> io::Result<Tally> {
        let file = self.rows.into_inner().map_err(csv::IntoInnerError::into_error)?;
        file.into_inner().map_err(io::IntoInnerError::into_error)?;
        Ok(self.tally)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::disallowed_methods, reason = "a look at the machine's files from outside")]

    use super::*;
    use crate::apply::{Evidence, SkipCause};
    use crate::base::{Failure, FailureClass};

    #[test]
    fn one_line_a_record_and_no_formula_in_any_cell() {
        let folder = tempfile::tempdir().expect("folder");
        let path = Place::of_machine(folder.path()).join("policy.csv");
        let mut writer = OutcomesWriter::create(&path).expect("created");
        let failed = |code: &str, message: &str| {
            OutcomeKind::Failed(Failure { class: FailureClass::Refused, code: code.into(), message: message.into() })
        };
        let kinds = [
            (OutcomeKind::Deleted, Evidence::Answer),
            (OutcomeKind::AlreadyGone, Evidence::Answer),
            (OutcomeKind::Skipped(SkipCause::Held), Evidence::Recheck),
            (failed("=cmd()", "two\nlines, \"quoted\""), Evidence::Answer),
            (OutcomeKind::Unknown, Evidence::None),
        ];
        for (id, (kind, evidence)) in ["a", "b", "c", "d", "e"].into_iter().zip(kinds) {
            let id = RecordId::new(id).expect("valid");
            let plan = (kind == OutcomeKind::AlreadyGone).then_some("3f2a9c01d2e4");
            writer.push_gone_by(&Outcome { id, kind, evidence }, plan).expect("written");
        }
        let again = Outcome { id: RecordId::new("e").expect("valid"), kind: OutcomeKind::Unknown, evidence: Evidence::None };
        assert!(writer.push(&again).is_err(), "a record has two outcomes");
        let tally = writer.finish().expect("finished");
        let text = std::fs::read_to_string(path.path()).expect("read");
        assert_eq!(tally, Tally { deleted: 1, already_gone: 1, skipped: 1, failed: 1, unknown: 1 });
        insta::assert_snapshot!(text, @r#"
        Id,Outcome,Cause,Code,Message,Evidence,Plan
        a,deleted,,,,answer,
        b,already-gone,,,,answer,3f2a9c01d2e4
        c,skipped,held,,,recheck,
        d,failed,,'=cmd(),"two\u{a}lines, ""quoted""",answer,
        e,unknown,,,,none,
        "#);
    }
}
