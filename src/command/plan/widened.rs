//! What a policy adds to the base, and where the limit on that stands, for the gate that bounds it.

use super::base::Base;
use super::earlier::Earlier;
use crate::base::{LineColumn, Span};
use crate::manifest::{Policy, Workspace};
use crate::plan::{DifferenceCounts, Symbol, Widening};

/// What a policy adds to the base.
pub(super) struct Widened {
    /// How many records.
    pub(super) by: Widening,
    /// Where the limit is to be raised, as the rest of a sentence.
    pub(super) limit_at: String,
}

impl Widened {
    /// By what was counted, the records among them that other policies of the plan delete.
    pub(super) fn find(
        base: &Base,
        earlier: &Earlier,
        counts: &DifferenceCounts,
        policy: &Policy,
        workspace: &Workspace,
    ) -> Self {
        let new = counts.of(Symbol::NewlySelected).saturating_add(counts.of(Symbol::Retried));
        let by = match &base.sealed {
            None => Widening::NoBase,
            Some(base) if !base.kind.reviews() => Widening::NotReviewed,
            Some(_) => match counts.attribution(&earlier.condition, false) {
                Ok(attribution) => Widening::By(attribution.added_by_policy),
                // What the policy adds is among what is new, whatever made it so.
                Err(_) if policy.settings.max_widened.is_some_and(|most| new <= most) => Widening::AtMost(new),
                Err(reason) => Widening::Unknown(reason.to_owned()),
            },
        };
        Self { by, limit_at: limit_at(policy, workspace) }
    }
}

/// To raise the limit of all policies for the sake of one would accept more than was reviewed.
fn limit_at(policy: &Policy, workspace: &Workspace) -> String {
    let place = |span: Span| {
        let source = workspace.sources.get(span.source)?;
        let LineColumn { line, column } = source.line_column(span.start);
        Some(format!("{}:{line}:{column}", source.name))
    };
    let of_project = workspace.project.max_widened.and_then(|(_, span)| place(span));
    match (policy.max_widened_span.and_then(place), of_project) {
        (Some(own), _) => format!("at {own}"),
        (None, Some(all)) => format!("into the policy's own `limits` (the limit of all policies is at {all})"),
        (None, None) => "into the policy's `limits`".to_owned(),
    }
}
