//! How many calls a target may make of a system that counts them.

use crate::base::Diagnostic;
use crate::manifest::codes;
use crate::manifest::fields::{Field, Findings};

/// `maxCalls`, from 10 to what the system takes; all of that when it is not given.
pub(super) fn max_calls(field: Option<Field<'_>>, most: u32, findings: &mut Findings<'_>) -> Option<u32> {
    let Some(field) = field else { return Some(most) };
    let count = findings.count(field)?;
    let within = u32::try_from(count).ok().filter(|count| (10..=most).contains(count));
    if within.is_none() {
        findings.push(
            Diagnostic::error(
                codes::NUMBER_RANGE,
                format!("`maxCalls` must be from 10 to {most}"),
                field.node.span,
                format!("the system takes at most {most}"),
            )
            .with_help("leave it out to use all that the system accepts; write less when other programs share it"),
        );
    }
    within
}
