//! `kind: DeletionPolicy` and `kind: Hold`.

use std::collections::BTreeMap;

use strum::IntoEnumIterator as _;

use super::Header;
use super::capability::{Requested, capabilities};
use super::filter::filter;
use crate::base::{Diagnostic, HoldName, Percent, PolicyName, Span, TargetName, shortened};
use crate::filter::{Filter, Language, TextFilter};
use crate::manifest::fields::{Field, Fields, Findings};
use crate::manifest::node::Value;
use crate::manifest::{
    Accept, AllOrNone, ChildLookup, Concurrency, HeldChildren, Hold, Limits, Policy, PolicySettings, Project, Recheck,
    SendAs, codes,
};
use crate::system::{Api, DeleteMode, SystemKind, zuora_object};
use crate::system::{field_path, object_name};

/// What a policy or a hold refers to and where; known also when the rest of the document is wrong, so that all mistakes
/// are told at once.
#[derive(Default)]
pub(in crate::manifest) struct References {
    pub target: Option<(TargetName, Span)>,
    pub depends_on: Vec<(PolicyName, Span)>,
}

/// The systems of the targets, known also of targets that are wrong otherwise.
pub(in crate::manifest) struct Systems(BTreeMap<String, SystemKind>);

impl Systems {
    /// From the names of targets.
    pub fn new(known: impl IntoIterator<Item = (String, SystemKind)>) -> Self {
        Self(known.into_iter().collect())
    }

    /// The system of a target. A missing target is reported elsewhere; then the project's system is taken if it has only one, so
    /// that the other mistakes are reported too.
    fn of(&self, target: Option<&TargetName>) -> Option<SystemKind> {
        let only = || {
            let first = self.0.values().next().copied()?;
            self.0.values().all(|kind| *kind == first).then_some(first)
        };
        target.and_then(|name| self.0.get(name.as_str()).copied()).or_else(only)
    }
}

/// The limits that a manifest gives; the others come from elsewhere.
#[derive(Clone, Copy, Default)]
pub(super) struct LimitsGiven {
    pub(super) max_records: Option<u64>,
    pub(super) max_percent: Option<Percent>,
    pub(super) max_widened: Option<(u64, Span)>,
}

impl LimitsGiven {
    pub(super) fn or(self, defaults: Limits) -> Limits {
        Limits {
            max_records: self.max_records.unwrap_or(defaults.max_records),
            max_percent: self.max_percent.unwrap_or(defaults.max_percent),
        }
    }

    fn is_complete(self) -> bool {
        self.max_records.is_some() && self.max_percent.is_some()
    }
}

pub(super) fn limits(field: Field<'_>, findings: &mut Findings<'_>) -> Option<LimitsGiven> {
    let of_object = field.key == "objectLimits";
    let what = if of_object { "`objectLimits`" } else { "`limits`" };
    let mut fields = findings.fields(field, what)?;
    let max_records = fields.optional("maxRecords").map(|field| findings.count(field));
    let max_percent = fields.optional("maxPercent").map(|field| findings.percent(field));
    // Only of a single policy it is known what its condition was before.
    let max_widened = if of_object { None } else { fields.optional("maxWidened") };
    let max_widened = max_widened.and_then(|field| Some((findings.count(field)?, field.place)));
    fields.end(findings);
    // A limit that could not be read has been reported, and must not be reported as missing too.
    let (max_records, max_percent) =
        (max_records.map(Option::unwrap_or_default), max_percent.map(|read| read.unwrap_or(Percent::ALL)));
    Some(LimitsGiven { max_records, max_percent, max_widened })
}

/// Reads the doubts that a document accepts.
pub(super) fn accept(field: Field<'_>, findings: &mut Findings<'_>) -> Accept {
    let Some(mut fields) = findings.fields(field, "`accept`") else { return Accept::default() };
    let objects = fields.required("unknownCascades", findings);
    fields.end(findings);
    let read = |findings: &mut Findings<'_>, item| {
        findings.converted(item, codes::FIELD_NAME, "write the API name of an object", |text| object_name(text, None))
    };
    let objects = objects.map(|field| findings.distinct(field, read)).unwrap_or_default();
    Accept { unknown_cascades: objects.into_iter().map(|(object, _)| object).collect() }
}

/// Reads a policy, with the project's limits where it has none of its own.
pub(in crate::manifest) fn policy(
    header: &Header<'_>,
    project: &Project,
    systems: &Systems,
    findings: &mut Findings<'_>,
) -> (Option<Policy>, References) {
    let Some(mut fields) = header.spec.and_then(|spec| findings.fields(spec, "a deletion policy")) else {
        return Default::default();
    };
    let target = target(&mut fields, findings);
    let system = systems.of(target.as_ref().map(|(name, _)| name));
    let object = object(&mut fields, system, findings);
    let object_span = fields.optional("object").map_or(header.span, |field| field.node.span);
    if system == Some(SystemKind::Zuora) {
        refuse_kept_object(&mut fields, object.as_deref(), findings);
    }
    let filter = filter(&mut fields, system, object.as_deref(), findings);
    let delete_field = fields.optional("delete");
    let delete = match delete_field {
        Some(field) => findings.choice(field),
        None => Some(DeleteMode::Soft),
    };
    let justification = justification(&mut fields, delete, delete_field, findings);
    let all_or_none_field = fields.optional("allOrNone");
    let all_or_none = match all_or_none_field {
        Some(field) => all_or_none(field, findings),
        None => Some(AllOrNone::No),
    };
    let limits_field = fields.optional("limits");
    let given = limits_field.and_then(|field| limits(field, findings)).unwrap_or_default();
    if matches!(filter, Some(Filter::Everything)) && !given.is_complete() {
        let place = fields.optional("filter").map_or(fields.place, |field| field.node.span);
        findings.push(
            Diagnostic::error(
                codes::EVERYTHING_WITHOUT_LIMITS,
                "a policy for every record needs limits of its own",
                place,
                "every record of the object",
            )
            .with_help("add `limits: { maxRecords: N, maxPercent: 100 }` with the number of records you expect"),
        );
    }
    let via_field = fields.optional("via");
    let via = via_field.and_then(|field| findings.choice::<Api>(field));
    let batch_size_field = fields.optional("batchSize");
    let batch_size = batch_size_field.and_then(|field| findings.count(field));
    let concurrency_field = fields.optional("concurrency");
    let concurrency = match concurrency_field {
        Some(field) => findings.choice(field),
        None => Some(Concurrency::Parallel),
    };
    let group_by = fields.optional("groupBy").and_then(|field| field_name(field, findings));
    let depends_on = match fields.optional("dependsOn") {
        Some(field) => {
            findings.distinct(field, |findings, item| findings.converted(item, codes::BAD_NAME, NAME_HELP, PolicyName::new))
        }
        None => Vec::new(),
    };
    let recheck = match fields.optional("recheck") {
        Some(field) => findings.choice(field),
        None => Some(Recheck::Matches),
    };
    let send_as_field = fields.optional("sendAs");
    let send_as = match send_as_field {
        Some(field) => findings.choice(field),
        None => Some(SendAs::Ids),
    };
    let review_fields = fields.optional("review").and_then(|field| review(field, findings)).unwrap_or_default();
    let accept = fields.optional("accept").map(|field| accept(field, findings)).unwrap_or_default();
    let review_by = fields
        .optional("reviewBy")
        .and_then(|field| findings.converted(field, codes::DATE, "write year, month and day, such as `2027-01-31`", day));
    fields.end(findings);

    let requested = Requested {
        place: header.span,
        delete: delete.map(|delete| (delete, delete_field)),
        all_or_none: all_or_none.map(|all_or_none| (all_or_none, all_or_none_field)),
        via: via.map(|via| (via, via_field)),
        batch_size: batch_size.map(|size| (size, batch_size_field)),
        concurrency: concurrency.map(|concurrency| (concurrency, concurrency_field)),
        send_as: send_as.map(|send_as| (send_as, send_as_field)),
    };
    if let Some(system) = system {
        capabilities(system, &requested, findings);
    }

    let references = References { target, depends_on };
    let policy = || {
        Some(Policy {
            name: PolicyName::new(header.name.clone()?).ok()?,
            labels: header.labels.clone(),
            filter: filter?,
            settings: PolicySettings {
                target: references.target.clone()?.0,
                object: object?,
                delete: delete?,
                justification,
                all_or_none: all_or_none?,
                limits: given.or(project.limits),
                max_widened: given.max_widened.or(project.max_widened).map(|(most, _)| most),
                via,
                batch_size,
                concurrency: concurrency?,
                group_by,
                depends_on: references.depends_on.iter().map(|(name, _)| name.clone()).collect(),
                recheck: recheck?,
                send_as: send_as?,
                review_fields,
                review_by,
                accept,
            },
            object_span,
            max_widened_span: given.max_widened.map(|(_, span)| span),
            span: header.span,
        })
    };
    (policy(), references)
}

/// Reads a hold.
pub(in crate::manifest) fn hold(
    header: &Header<'_>,
    systems: &Systems,
    findings: &mut Findings<'_>,
) -> (Option<Hold>, References) {
    let Some(mut fields) = header.spec.and_then(|spec| findings.fields(spec, "a hold")) else {
        return Default::default();
    };
    let references = References { target: target(&mut fields, findings), depends_on: Vec::new() };
    let system = systems.of(references.target.as_ref().map(|(name, _)| name));
    let object = object(&mut fields, system, findings);
    let object_span = fields.optional("object").map_or(header.span, |field| field.node.span);
    let filter = filter(&mut fields, system, object.as_deref(), findings);
    if let (Some(Filter::Text(text)), Some(system)) = (&filter, system) {
        warn_of_empty_fields(text, Language::of(system), findings);
    }
    let children = fields.optional("children").map(|field| children(field, system, findings)).unwrap_or_default();
    let reason = fields.required("reason", findings).and_then(|field| findings.text(field));
    fields.end(findings);
    let hold = || {
        Some(Hold {
            name: HoldName::new(header.name.clone()?).ok()?,
            labels: header.labels.clone(),
            target: references.target.clone()?.0,
            object: object?,
            filter: filter?,
            object_span,
            children,
            reason: reason?.to_owned(),
            span: header.span,
        })
    };
    (hold(), references)
}

/// Warns of comparisons that pass over records whose field is empty, or may: what a hold does not say is deleted.
fn warn_of_empty_fields(text: &TextFilter, language: Language, findings: &mut Findings<'_>) {
    for field in language.passes_over_empty(&text.text) {
        let (does, form) = match language {
            Language::Soql | Language::Zoql => ("may pass over", format!("{field} = null")),
            Language::Sql => ("passes over", format!("{field} IS NULL")),
        };
        findings.push(
            Diagnostic::error(
                codes::PASSES_OVER_EMPTY,
                format!("the hold {does} records whose `{field}` is empty"),
                text.span,
                "compares with what the field is not",
            )
            .with_help(format!("add ` or {form}` to keep them too, or write a tree, whose `notEquals` keeps them"))
            .as_warning(),
        );
    }
}

/// Reads which children a hold keeps. What cannot be read has been reported.
fn children(field: Field<'_>, system: Option<SystemKind>, findings: &mut Findings<'_>) -> HeldChildren {
    if let Value::Text(text) = &field.node.value {
        if text == ALL_CHILDREN {
            if system == Some(SystemKind::Fulcrum) {
                findings.push(
                    Diagnostic::error(
                        codes::CAPABILITY_CHILDREN,
                        "Fulcrum does not describe which fields look up to a record",
                        field.node.span,
                        "would keep no children",
                    )
                    .with_help("name the fields, such as `children: [Inspections.site_id]`"),
                );
            }
            return HeldChildren::All;
        }
        findings.unknown_value(field, text, [ALL_CHILDREN].into_iter());
        return HeldChildren::None;
    }
    let lookups = findings.distinct(field, |findings, item| {
        findings.converted(item, codes::FIELD_NAME, CHILDREN_HELP, |text| child_lookup(text, system))
    });
    let lookup = |((object, field), span)| ChildLookup { object, field, span };
    HeldChildren::By(lookups.into_iter().map(lookup).collect())
}

/// The word by which a hold keeps every child that the system describes.
const ALL_CHILDREN: &str = "all";

const CHILDREN_HELP: &str = "write the child's object and its field, such as `Case.AccountId`";

/// The object and the field of a lookup. The name of a form in Fulcrum may have dots, and its fields have none.
fn child_lookup(text: &str, system: Option<SystemKind>) -> Result<(String, String), String> {
    let parts = match system {
        Some(SystemKind::Fulcrum) => text.rsplit_once('.'),
        _ => text.split_once('.'),
    };
    let (object, field) = parts.ok_or_else(|| format!("`{}` names no field of an object", shortened(text)))?;
    Ok((object_name(object, system)?, field_path(field)?))
}

const NAME_HELP: &str = "write the name of the document, as in its `metadata`";

fn target(fields: &mut Fields<'_>, findings: &mut Findings<'_>) -> Option<(TargetName, Span)> {
    let field = fields.required("target", findings)?;
    let name = findings.converted(field, codes::BAD_NAME, NAME_HELP, TargetName::new)?;
    Some((name, field.node.span))
}

fn object(fields: &mut Fields<'_>, system: Option<SystemKind>, findings: &mut Findings<'_>) -> Option<String> {
    let field = fields.required("object", findings)?;
    let help = match system {
        Some(SystemKind::Salesforce) | None => "write the API name, such as `Lead` or `Legacy_Order__c`",
        Some(SystemKind::Zuora) => "write the name as in the WSDL, such as `Usage`",
        Some(SystemKind::Fulcrum) => "write the name of a form, or its id",
    };
    findings.converted(field, codes::FIELD_NAME, help, |text| object_name(text, system))
}

/// Refuses an object of Zuora whose records no API deletes.
fn refuse_kept_object(fields: &mut Fields<'_>, object: Option<&str>, findings: &mut Findings<'_>) {
    let kept = object.and_then(zuora_object).filter(|object| !object.deletable);
    if let (Some(kept), Some(field)) = (kept, fields.optional("object")) {
        findings.push(
            Diagnostic::error(
                codes::CAPABILITY_OBJECT,
                format!("Zuora does not delete records of {}", kept.name),
                field.node.span,
                "SOAP `delete()` does not take them",
            )
            .with_help("name the object whose records they are deleted with, or remove the policy"),
        );
    }
}

fn justification(
    fields: &mut Fields<'_>,
    delete: Option<DeleteMode>,
    delete_field: Option<Field<'_>>,
    findings: &mut Findings<'_>,
) -> Option<String> {
    let field = fields.optional("justification");
    let hard = delete == Some(DeleteMode::Hard);
    let blank = field.is_some_and(|field| match &field.node.value {
        Value::Text(text) => text.trim().is_empty(),
        other => matches!(other, Value::Null),
    });
    if hard && (field.is_none() || blank) {
        let place = delete_field.map_or(fields.place, |field| field.node.span);
        findings.push(
            Diagnostic::error(codes::NO_JUSTIFICATION, "a hard delete needs a justification", place, "cannot be undone")
                .with_help("add `justification:` with the reason, such as a law or a ticket"),
        );
        return None;
    }
    field.and_then(|field| findings.text(field)).map(|text| text.trim().to_owned())
}

fn all_or_none(field: Field<'_>, findings: &mut Findings<'_>) -> Option<AllOrNone> {
    match &field.node.value {
        Value::Text(text) if text == AllOrNone::PerRequest.written() => Some(AllOrNone::PerRequest),
        Value::Text(text) if crate::manifest::fields::boolean_word(text).is_none() => {
            findings.unknown_value(field, text, AllOrNone::iter().map(AllOrNone::written));
            None
        }
        _ => findings.boolean(field).map(|all| if all { AllOrNone::Policy } else { AllOrNone::No }),
    }
}

fn field_name(field: Field<'_>, findings: &mut Findings<'_>) -> Option<String> {
    findings.converted(field, codes::FIELD_NAME, "write the API name, such as `Status` or `Account.Name`", field_path)
}

fn review(field: Field<'_>, findings: &mut Findings<'_>) -> Option<Vec<String>> {
    let mut fields = findings.fields(field, "`review`")?;
    let list = fields.required("fields", findings);
    fields.end(findings);
    let names = findings.distinct(list?, |findings, item| field_name(item, findings));
    Some(names.into_iter().map(|(name, _)| name).collect())
}

/// A day in the one form that cannot be read in two ways.
fn day(text: &str) -> Result<jiff::civil::Date, String> {
    let dashes = text.len() == 10 && text.as_bytes()[4] == b'-' && text.as_bytes()[7] == b'-';
    text.parse().ok().filter(|_| dashes).ok_or_else(|| "`reviewBy` must be a day of the calendar".to_owned())
}
