//! `kind: Target`.

use super::Header;
use super::fulcrum_target::fulcrum;
use super::policy::accept;
use super::salesforce_target::salesforce;
use super::zuora_target::zuora;
use crate::base::{Diagnostic, TargetName};
use crate::manifest::fields::{Field, Findings};
use crate::manifest::node::Value;
use crate::manifest::{System, Target, codes};
use crate::system::SystemKind;

/// The system of a target by its key, even if what is below that is wrong; `None` unless there is exactly one such key.
pub(in crate::manifest) fn system_kind(header: &Header<'_>) -> Option<SystemKind> {
    let Value::Mapping(entries) = &header.spec?.node.value else { return None };
    let names =
        |kind: &SystemKind| entries.iter().any(|(key, _)| matches!(&key.value, Value::Text(text) if text == kind.name()));
    let mut found = SystemKind::ALL.into_iter().filter(names);
    found.next().filter(|_| found.next().is_none())
}

/// Reads a target.
pub(in crate::manifest) fn target(header: &Header<'_>, findings: &mut Findings<'_>) -> Option<Target> {
    let mut fields = findings.fields(header.spec?, "a target")?;
    let environment = fields.optional("environment").and_then(|field| findings.choice(field));
    let accept = fields.optional("accept").map(|field| accept(field, findings)).unwrap_or_default();
    let named: Vec<(SystemKind, Field<'_>)> =
        SystemKind::ALL.into_iter().filter_map(|kind| Some((kind, fields.optional(kind.name())?))).collect();
    let place = fields.place;
    fields.end(findings);
    let system = match named[..] {
        [(SystemKind::Salesforce, field)] => salesforce(field, findings).map(System::Salesforce),
        [(SystemKind::Zuora, field)] => zuora(field, findings).map(System::Zuora),
        [(SystemKind::Fulcrum, field)] => fulcrum(field, findings).map(System::Fulcrum),
        [] => {
            findings.push(
                Diagnostic::error(codes::NO_SYSTEM, "the target names no system", place, "no system in here")
                    .with_help("add `salesforce:`, `zuora:` or `fulcrum:` with its address and `auth`"),
            );
            None
        }
        [(_, first), (_, second), ..] => {
            findings.push(
                Diagnostic::error(
                    codes::SEVERAL_SYSTEMS,
                    "a target is one system, and this one names more",
                    second.place,
                    "and this",
                )
                .with_label(first.place, "this")
                .with_help("write one document of kind `Target` for each system"),
            );
            None
        }
    };
    let name = TargetName::new(header.name.clone()?).ok()?;
    Some(Target { name, labels: header.labels.clone(), environment, accept, system: system?, span: header.span })
}
