//! The error about an object that a system does not know.

use crate::base::{CommandError, Diagnostic, Exit, Span, nearest};
use crate::manifest::{Workspace, codes};
use crate::provider::ProviderError;
use crate::system::{SystemKind, zuora_objects};

/// The error about an object that `what`, such as "hold `acme`", names, with its place in the manifests, the system's own answer,
/// and the nearest name that is known.
pub fn no_such_object(
    error: &ProviderError,
    what: &str,
    object: &str,
    place: Span,
    system: SystemKind,
    workspace: &Workspace,
) -> CommandError {
    let title = format!("{what}: {} has no object `{object}`, or this login may not see it", system.title());
    let mut diagnostic = Diagnostic::error(codes::NO_SUCH_OBJECT, title, place, "not an object that can be read");
    diagnostic.notes.push(format!("{} answered: {error}", system.title()));
    let known = zuora_objects().iter().map(|known| known.name).filter(|_| system == SystemKind::Zuora);
    let of_policies = workspace.policies.values().map(|policy| policy.settings.object.as_str());
    let of_holds = workspace.holds.values().map(|hold| hold.object.as_str());
    let others = known.chain(of_policies).chain(of_holds).filter(|known| !known.eq_ignore_ascii_case(object));
    diagnostic.help = Some(match nearest(object, others) {
        Some(name) => format!("did you mean `{name}`?"),
        None => {
            let correct = || "correct the name, or grant this login the right to read the object".to_owned();
            error.help.clone().unwrap_or_else(correct)
        }
    });
    let mut error = CommandError::new(Exit::Error, "the manifests do not fit the system");
    error.diagnostics = Some(Box::new((vec![diagnostic], workspace.sources.clone())));
    error
}
