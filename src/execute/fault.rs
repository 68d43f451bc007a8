//! What an error of a provider means for the machine.

use crate::apply::{Fault, FaultKind};
use crate::base::{Failure, FailureClass};
use crate::provider::{ErrorClass, ProviderError};

/// What an error means for a step.
///
/// A provider promises that only [`ErrorClass::Ambiguous`] leaves a deletion in doubt. An answer that is cut short or cannot be
/// understood is doubted here all the same: that costs only a presence check, and trust could make the outcome false.
pub(super) fn fault_of(error: &ProviderError) -> Fault {
    let (kind, class) = match error.class {
        ErrorClass::Transient => (FaultKind::Later { wait: None }, FailureClass::Transient),
        ErrorClass::Throttled { wait } => (FaultKind::Later { wait }, FailureClass::Transient),
        ErrorClass::Quota => (FaultKind::Stuck, FailureClass::Quota),
        ErrorClass::Unauthenticated | ErrorClass::WrongSystem => (FaultKind::Stuck, FailureClass::Denied),
        ErrorClass::Local => (FaultKind::Stuck, FailureClass::Invalid),
        ErrorClass::Denied => (FaultKind::Refused, FailureClass::Denied),
        ErrorClass::Invalid | ErrorClass::Unsupported => (FaultKind::Refused, FailureClass::Invalid),
        ErrorClass::TooHeavy => (FaultKind::Refused, FailureClass::TooHeavy),
        ErrorClass::NotFound => (FaultKind::Missing, FailureClass::Invalid),
        ErrorClass::Ambiguous | ErrorClass::Incomplete | ErrorClass::Malformed => {
            (FaultKind::Unclear, FailureClass::Unrecognized)
        }
    };
    Fault { kind, failure: Failure { class, code: error.code.clone(), message: error.message.clone() } }
}
