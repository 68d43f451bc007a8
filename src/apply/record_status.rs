//! What is known about one record of one round after its batch.

use serde::{Deserialize, Serialize};

use super::{AnswerVerdict, Evidence, Outcome, OutcomeKind, Presence, SentState, SkipCause, Unanswered};
use crate::base::{Failure, FailureClass, RecordId};
use crate::system::DeleteMode;

/// What is known about one record of one round after its batch.
///
/// It is not an [`Outcome`]: a record of status [`RecordStatus::Again`] has another status in the next round, and only the last one
/// decides.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RecordStatus {
    /// It was deleted by us.
    Deleted(Evidence),
    /// The system said that it was not there, and a presence check found it gone.
    AlreadyGone(Failure),
    /// The system did not delete it, and sending it again cannot help.
    Failed(Failure, Evidence),
    /// It was taken back because another record of the same atomic request failed for good.
    RolledBack(Failure),
    /// It is to be sent again.
    Again {
        /// What the system said, or our own words where it said nothing; the failure should this be the last round.
        failure: Failure,
        /// Where that is known from; [`Evidence::None`] where a request for it may still be at work, so that it may be gone a moment
        /// later.
        evidence: Evidence,
        /// Whether a request for it was not answered, so that this run may have deleted it all the same.
        unclear: bool,
    },
    /// Its presence could not be checked.
    Unknown,
    /// The system's answers do not mention it, or contradict each other about it: its presence must be checked.
    Missing,
    /// The system's answers do not mention it, and its job failed with this as a whole: its presence must be checked.
    Unmentioned(Failure),
    /// The system says that it is not there, as it does of living records too: its presence must be checked.
    SaidGone(Failure),
}

impl RecordStatus {
    /// The status for the system's answer about a record that was sent by itself, or with others (`count` in all) in a request that
    /// is not atomic.
    pub fn of_verdict(verdict: AnswerVerdict, count: u64) -> Self {
        match verdict {
            AnswerVerdict::Failed(failure) if failure.class == FailureClass::TooHeavy && count > 1 => Self::again(failure),
            AnswerVerdict::Deleted => Self::Deleted(Evidence::Answer),
            AnswerVerdict::SaidGone(failure) => Self::SaidGone(failure),
            AnswerVerdict::Failed(failure) if failure.class.may_be_retried() => Self::again(failure),
            AnswerVerdict::Failed(failure) => Self::Failed(failure, Evidence::Answer),
            AnswerVerdict::RolledBack(failure) => Self::again(failure),
            AnswerVerdict::NotProcessed => {
                Self::again(ours("not-processed", "the system ended the job before it reached this record"))
            }
        }
    }

    /// The status for the result of a presence check.
    ///
    /// A record that is gone counts as deleted by this run, which sent it, with the presence check as evidence: a deletion by
    /// somebody else at the same time cannot be told apart.
    ///
    /// One that was to be hard-deleted and is found in the recycle bin is not: either the request did not come to it, or the system
    /// has not purged it yet (documented for a while after a hard delete), and only an answer would tell.
    pub fn of_presence(presence: Presence, sent: SentState, delete: DeleteMode) -> Self {
        if presence.is_gone(delete) {
            return Self::Deleted(Evidence::PresenceCheck);
        }
        let found = if presence == Presence::InBin { IN_BIN } else { "a presence check found the record still there" };
        let (code, said, evidence) = match sent {
            SentState::Ended => ("not-mentioned", "no result mentions the record", Evidence::PresenceCheck),
            SentState::Over => ("no-answer", "the request was not answered", Evidence::PresenceCheck),
            SentState::AtWork => ("no-answer", "the request was not answered", Evidence::None),
        };
        let code = if presence == Presence::InBin { SkipCause::InRecycleBin.word() } else { code };
        let failure = ours(code, &format!("{said}, and {found}"));
        Self::Again { failure, evidence, unclear: sent != SentState::Ended }
    }

    /// The status of a record that the system said to be gone, after a presence check. One that is there has failed, with the
    /// system's own words, and so has one in the recycle bin that was to be hard-deleted.
    pub fn of_said_gone(mut failure: Failure, presence: Presence, delete: DeleteMode) -> Self {
        if presence.is_gone(delete) {
            return Self::AlreadyGone(failure);
        }
        if presence == Presence::InBin {
            let words = if failure.message.is_empty() { "" } else { "; " };
            failure.message = format!("{}{words}{IN_BIN}", failure.message);
        }
        Self::Failed(failure, Evidence::PresenceCheck)
    }

    /// The status of a record that the answers to a failed job do not mention, after a presence check.
    pub fn of_unmentioned(failure: Failure, presence: Presence, delete: DeleteMode) -> Self {
        match Self::of_presence(presence, SentState::Ended, delete) {
            Self::Again { .. } if !failure.class.may_be_retried() => Self::Failed(failure, Evidence::PresenceCheck),
            Self::Again { evidence, unclear, .. } => Self::Again { failure, evidence, unclear },
            status => status,
        }
    }

    /// What a record that was sent, and is now found in the recycle bin instead of hard-deleted, has failed with.
    pub fn left_in_bin() -> Failure {
        ours(SkipCause::InRecycleBin.word(), IN_BIN)
    }

    /// To be sent again, as the system's answer makes clear.
    pub fn again(failure: Failure) -> Self {
        Self::Again { failure, evidence: Evidence::Answer, unclear: false }
    }

    /// Adds what this status leaves open.
    pub fn add_to(&self, unanswered: &mut Unanswered) {
        if let Self::Again { evidence, unclear: true, .. } = self {
            // A later look that no request can follow settles the earlier ones as well.
            *unanswered = Unanswered { ever: true, at_work: *evidence == Evidence::None };
        }
    }

    /// The outcome of a record whose last status this is, when its requests left so much open. One that is already gone after an
    /// unanswered request was deleted by this run. One that was still there while such a request may have been at work ends unknown,
    /// and not as failed: it may be gone by now.
    pub fn into_outcome(self, id: RecordId, unanswered: Unanswered) -> Outcome {
        let (kind, evidence) = match self {
            Self::Deleted(evidence) => (OutcomeKind::Deleted, evidence),
            Self::AlreadyGone(_) if unanswered.ever => (OutcomeKind::Deleted, Evidence::PresenceCheck),
            Self::AlreadyGone(_) => (OutcomeKind::AlreadyGone, Evidence::PresenceCheck),
            Self::Again { .. } if unanswered.at_work => (OutcomeKind::Unknown, Evidence::None),
            Self::Failed(failure, evidence) | Self::Again { failure, evidence, .. } => {
                (OutcomeKind::Failed(failure), evidence)
            }
            Self::RolledBack(_) => (OutcomeKind::Skipped(SkipCause::RolledBack), Evidence::Answer),
            Self::Unknown | Self::Missing | Self::Unmentioned(_) | Self::SaidGone(_) => {
                (OutcomeKind::Unknown, Evidence::None)
            }
        };
        Outcome { id, kind, evidence }
    }
}

/// The statuses for the answers to one atomic request: it had an effect on all records or on none.
///
/// When a record failed for good, the ones rolled back with it are done: they were to go together or not at all. When
/// nothing stood in the way but locks, or records that are gone already, the rest may be sent again. Whether those said to be gone
/// are is not known yet: see [`settled_atomic`].
///
/// A record reported as gone may have been deleted by a cascade from an earlier record of the same request, which was rolled
/// back. If nothing is sent again, it therefore counts as rolled back too.
///
/// With `isolate` the ones rolled back are sent again in smaller requests, until the records that fail are alone. A record that
/// failed with words of its own is one of them, unless the request was too heavy as a whole.
pub fn statuses_of_atomic(verdicts: impl IntoIterator<Item = AnswerVerdict>, isolate: bool) -> AtomicStatuses {
    let verdicts: Vec<AnswerVerdict> = verdicts.into_iter().collect();
    let hopeless =
        verdicts.iter().any(|verdict| matches!(verdict, AnswerVerdict::Failed(failure) if !failure.class.may_be_retried()));
    let nameless = verdicts.iter().all(|verdict| matches!(verdict, AnswerVerdict::RolledBack(_)));
    let isolates = isolate && verdicts.len() > 1 && (hopeless || nameless);
    let statuses = verdicts
        .into_iter()
        .map(|verdict| match verdict {
            AnswerVerdict::RolledBack(failure) | AnswerVerdict::SaidGone(failure) if isolates => {
                RecordStatus::again(failure)
            }
            AnswerVerdict::RolledBack(failure) | AnswerVerdict::SaidGone(failure) if hopeless => {
                RecordStatus::RolledBack(failure)
            }
            AnswerVerdict::Failed(failure) if isolates && failure.class == FailureClass::TooHeavy => {
                RecordStatus::again(failure)
            }
            AnswerVerdict::Failed(failure) if hopeless && !isolates => RecordStatus::Failed(failure, Evidence::Answer),
            verdict => RecordStatus::of_verdict(verdict, 1),
        })
        .collect();
    AtomicStatuses { statuses, isolates }
}

/// The statuses of one atomic request after a check of the presence of the records that were said to be gone.
///
/// One that is there is what the request failed for, unless a lock or the like was: then it was gone for the length of a transaction
/// that was taken back, and is sent again with the others.
pub fn settled_atomic(statuses: Vec<RecordStatus>, isolate: bool) -> AtomicStatuses {
    let is_there = |status: &RecordStatus| matches!(status, RecordStatus::Failed(_, Evidence::PresenceCheck));
    if !statuses.iter().any(is_there) {
        return AtomicStatuses { statuses, isolates: false };
    }
    let met_a_lock = statuses
        .iter()
        .any(|status| matches!(status, RecordStatus::Again { failure, .. } if failure.class.may_be_retried()));
    let isolates = isolate && statuses.len() > 1 && !met_a_lock;
    let statuses = statuses
        .into_iter()
        .map(|status| match status {
            RecordStatus::Failed(failure, Evidence::PresenceCheck) if met_a_lock => RecordStatus::again(failure),
            RecordStatus::Again { failure, .. } if !met_a_lock && !isolates => RecordStatus::RolledBack(failure),
            status => status,
        })
        .collect();
    AtomicStatuses { statuses, isolates }
}

/// The statuses for one atomic request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AtomicStatuses {
    /// One for each record, in order.
    pub statuses: Vec<RecordStatus>,
    /// Whether those to be sent again are to go in smaller requests.
    pub isolates: bool,
}

/// What is said of a record that was to be hard-deleted.
const IN_BIN: &str = "a presence check found it in the recycle bin, not hard-deleted";

/// A failure in our own words, where the system has none.
fn ours(code: &str, message: &str) -> Failure {
    Failure { class: FailureClass::Transient, code: code.into(), message: message.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(class: FailureClass) -> Failure {
        Failure { class, code: format!("{class:?}"), message: String::new() }
    }

    fn is_again(status: &RecordStatus) -> bool {
        matches!(status, RecordStatus::Again { .. })
    }

    #[test]
    fn an_atomic_request_that_met_a_lock_is_sent_again_as_a_whole() {
        let locked = AnswerVerdict::Failed(failure(FailureClass::Locked));
        let rolled = AnswerVerdict::RolledBack(failure(FailureClass::Transient));
        assert!(statuses_of_atomic([locked, rolled.clone(), rolled], false).statuses.iter().all(is_again));
    }

    #[test]
    fn an_atomic_request_goes_on_without_a_record_that_is_gone() {
        let gone = AnswerVerdict::SaidGone(failure(FailureClass::Invalid));
        let rolled = AnswerVerdict::RolledBack(failure(FailureClass::Transient));
        let statuses = statuses_of_atomic([gone, rolled], false).statuses;
        assert!(matches!(statuses[0], RecordStatus::SaidGone(_)));
        assert!(is_again(&statuses[1]));
    }

    #[test]
    fn an_atomic_request_with_a_lasting_failure_ends_for_all() {
        let refused = AnswerVerdict::Failed(failure(FailureClass::Refused));
        let locked = AnswerVerdict::Failed(failure(FailureClass::Locked));
        let rolled = AnswerVerdict::RolledBack(failure(FailureClass::Transient));
        let statuses = statuses_of_atomic([rolled, refused, locked], false).statuses;
        assert!(matches!(statuses[0], RecordStatus::RolledBack(_)));
        assert!(matches!(statuses[1], RecordStatus::Failed(..)));
        assert!(matches!(statuses[2], RecordStatus::Failed(..)));
    }

    #[test]
    fn a_failing_record_is_isolated_from_those_that_went_back_with_it() {
        let rolled = AnswerVerdict::RolledBack(failure(FailureClass::Transient));
        let gone = AnswerVerdict::SaidGone(failure(FailureClass::Invalid));
        let refused = AnswerVerdict::Failed(failure(FailureClass::Refused));
        let named = statuses_of_atomic([rolled.clone(), refused.clone(), gone], true);
        assert!(named.isolates && is_again(&named.statuses[0]) && is_again(&named.statuses[2]));
        assert!(matches!(named.statuses[1], RecordStatus::Failed(..)));
        let nameless = statuses_of_atomic([rolled.clone(), rolled.clone()], true);
        assert!(nameless.isolates && nameless.statuses.iter().all(is_again));
        let locked = AnswerVerdict::Failed(failure(FailureClass::Locked));
        assert!(!statuses_of_atomic([rolled, locked], true).isolates, "a lock goes by itself");
        let heavy = AnswerVerdict::Failed(failure(FailureClass::TooHeavy));
        let halved = statuses_of_atomic([heavy.clone(), heavy.clone()], true);
        assert!(halved.isolates && halved.statuses.iter().all(is_again), "neither is known to be what is too heavy");
        let whole = statuses_of_atomic([heavy.clone(), heavy], false);
        assert!(!whole.isolates && whole.statuses.iter().all(|status| matches!(status, RecordStatus::Failed(..))));
        let alone = statuses_of_atomic([refused], true);
        assert!(!alone.isolates && matches!(alone.statuses[0], RecordStatus::Failed(..)));
    }

    #[test]
    fn nobody_is_called_gone_by_an_atomic_request_that_was_taken_back_for_good() {
        let rolled = AnswerVerdict::RolledBack(failure(FailureClass::Transient));
        let went_along = AnswerVerdict::SaidGone(failure(FailureClass::Invalid));
        let refused = AnswerVerdict::Failed(failure(FailureClass::Refused));
        let statuses = statuses_of_atomic([rolled, went_along, refused], false).statuses;
        assert!(matches!(statuses[1], RecordStatus::RolledBack(_)));
    }

    #[test]
    fn a_record_that_was_said_to_be_gone_and_is_there_is_what_its_atomic_request_failed_for() {
        let said = || AnswerVerdict::SaidGone(failure(FailureClass::Invalid));
        let rolled = || AnswerVerdict::RolledBack(failure(FailureClass::Invalid));
        let locked = || AnswerVerdict::Failed(failure(FailureClass::Locked));
        let looked = |verdicts: Vec<AnswerVerdict>, presence, isolate| {
            let settle = |status| match status {
                RecordStatus::SaidGone(failure) => RecordStatus::of_said_gone(failure, presence, DeleteMode::Soft),
                status => status,
            };
            let statuses = statuses_of_atomic(verdicts, isolate).statuses.into_iter().map(settle).collect();
            let AtomicStatuses { statuses, isolates } = settled_atomic(statuses, isolate);
            let word = |status: RecordStatus| match status {
                RecordStatus::AlreadyGone(_) => "gone",
                RecordStatus::Failed(..) => "failed",
                RecordStatus::RolledBack(_) => "rolled back",
                RecordStatus::Again { .. } => "again",
                _ => "?",
            };
            (statuses.into_iter().map(word).collect::<Vec<_>>(), isolates)
        };
        use Presence::{Absent, Present};
        assert_eq!(looked(vec![said(), rolled()], Absent, true), (vec!["gone", "again"], false));
        assert_eq!(looked(vec![said(), rolled()], Present, false), (vec!["failed", "rolled back"], false));
        assert_eq!(looked(vec![said(), rolled()], Present, true), (vec!["failed", "again"], true));
        assert_eq!(looked(vec![said()], Present, true), (vec!["failed"], false), "it is alone");
        assert_eq!(
            looked(vec![said(), locked(), rolled()], Present, true),
            (vec!["again"; 3], false),
            "the lock goes by itself"
        );
    }

    #[test]
    fn what_is_gone_after_an_unanswered_request_was_our_doing() {
        let id = RecordId::new("a").expect("valid");
        let gone = RecordStatus::AlreadyGone(failure(FailureClass::Invalid));
        let unanswered = Unanswered { ever: true, at_work: true };
        assert_eq!(gone.clone().into_outcome(id, unanswered).kind, OutcomeKind::Deleted);
        assert_eq!(gone.into_outcome(id, Unanswered::default()).kind, OutcomeKind::AlreadyGone);
    }

    #[test]
    fn what_is_there_while_a_request_may_be_at_work_is_unknown_until_a_later_look() {
        let id = RecordId::new("a").expect("valid");
        let seen = |sent| RecordStatus::of_presence(Presence::Present, sent, DeleteMode::Soft);
        let locked = RecordStatus::again(failure(FailureClass::Locked));
        let ended = |statuses: &[RecordStatus]| {
            let mut unanswered = Unanswered::default();
            statuses.iter().for_each(|status| status.add_to(&mut unanswered));
            statuses.last().cloned().expect("a status").into_outcome(id, unanswered).kind.word()
        };
        assert_eq!(ended(&[seen(SentState::AtWork)]), "unknown");
        assert_eq!(ended(&[seen(SentState::AtWork), locked.clone()]), "unknown", "that request may be what holds the lock");
        assert_eq!(ended(&[seen(SentState::AtWork), seen(SentState::Ended)]), "unknown");
        assert_eq!(ended(&[seen(SentState::AtWork), seen(SentState::Over)]), "failed");
        assert_eq!(ended(&[seen(SentState::Over), locked]), "failed");
        assert_eq!(ended(&[seen(SentState::Ended)]), "failed");
        let refused = RecordStatus::Failed(failure(FailureClass::Refused), Evidence::Answer);
        assert_eq!(ended(&[seen(SentState::AtWork), refused]), "failed", "the other request is refused as well");
    }

    #[test]
    fn a_record_in_the_recycle_bin_is_soft_deleted_and_not_hard_deleted() {
        let outcome = |status: RecordStatus| {
            let outcome = status.into_outcome(RecordId::new("a").expect("valid"), Unanswered::default());
            let failure =
                if let OutcomeKind::Failed(failure) = &outcome.kind { failure.message.clone() } else { String::new() };
            format!("{} {failure}", outcome.kind.word())
        };
        let (bin, said) =
            (Presence::InBin, || Failure { message: "entity is deleted".into(), ..failure(FailureClass::Invalid) });
        use DeleteMode::{Hard, Soft};
        assert_eq!(outcome(RecordStatus::of_said_gone(said(), bin, Soft)), "already-gone ");
        assert_eq!(outcome(RecordStatus::of_presence(bin, SentState::Ended, Soft)), "deleted ");
        assert_eq!(
            outcome(RecordStatus::of_said_gone(said(), bin, Hard)),
            "failed entity is deleted; a presence check found it in the recycle bin, not hard-deleted"
        );
        assert_eq!(
            outcome(RecordStatus::of_presence(bin, SentState::Over, Hard)),
            "failed the request was not answered, and a presence check found it in the recycle bin, not hard-deleted"
        );
        assert_eq!(outcome(RecordStatus::of_presence(Presence::Absent, SentState::Over, Hard)), "deleted ");
    }
}
