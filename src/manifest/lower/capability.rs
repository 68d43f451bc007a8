//! What a policy asks of its system's APIs, as far as that can be judged before anything is selected.

use crate::base::{Diagnostic, Span, with_thousands};
use crate::manifest::fields::{Field, Findings};
use crate::manifest::{AllOrNone, Concurrency, SendAs, codes};
use crate::system::{Api, DeleteMode, SystemKind};

/// A setting, and its field if the manifest gives one.
type Setting<'n, T> = Option<(T, Option<Field<'n>>)>;

/// What a policy asks for. A setting that could not be read is `None`.
pub(super) struct Requested<'n> {
    /// Where the policy's name stands.
    pub place: Span,
    /// Into the recycle bin or past it.
    pub delete: Setting<'n, DeleteMode>,
    /// All or none.
    pub all_or_none: Setting<'n, AllOrNone>,
    /// A pinned API.
    pub via: Setting<'n, Api>,
    /// The most records in a batch.
    pub batch_size: Setting<'n, u64>,
    /// One batch at a time.
    pub concurrency: Setting<'n, Concurrency>,
    /// Ids or a query.
    pub send_as: Setting<'n, SendAs>,
}

/// Refuses what no API of the system can do, naming the settings that contradict each other. The rules read what APIs can do
/// and name none.
pub(super) fn capabilities(system: SystemKind, requested: &Requested<'_>, findings: &mut Findings<'_>) {
    let span = |field: Option<Field<'_>>| field.map_or(requested.place, |field| field.node.span);
    let names = |can: &dyn Fn(Api) -> bool| -> String {
        let names: Vec<String> =
            Api::ALL.into_iter().filter(|api| api.system() == system && can(*api)).map(|api| format!("`{api}`")).collect();
        names.join(", ")
    };
    if let Some((via, field)) = requested.via
        && via.system() != system
    {
        findings.push(
            Diagnostic::error(
                codes::CAPABILITY_SYSTEM,
                format!("a {} target has no `via: {via}`", system.title()),
                span(field),
                format!("this is an API of {}", via.system().title()),
            )
            .with_help(format!("write one of {}, or leave `via` out", names(&|_| true))),
        );
        return;
    }
    if let Some((SendAs::Query, field)) = requested.send_as
        && !Api::ALL.into_iter().any(|api| api.system() == system && api.takes_queries())
    {
        findings.push(
            Diagnostic::error(
                codes::CAPABILITY_SYSTEM,
                format!("a {} target has no `sendAs: query`", system.title()),
                span(field),
                "its APIs delete by ids only",
            )
            .with_help("leave `sendAs` out"),
        );
    }
    if let Some((DeleteMode::Soft, field)) = requested.delete
        && !system.has_recycle_bin()
    {
        let label = if field.is_some() { "would be a false promise" } else { "deletes are `soft` unless it says otherwise" };
        findings.push(
            Diagnostic::error(
                codes::CAPABILITY_SOFT,
                format!("{} has no recycle bin: what is deleted there cannot be restored", system.title()),
                span(field),
                label,
            )
            .with_help("write `delete: hard` and a `justification`"),
        );
        return;
    }
    let pinned = |api: Api| requested.via.is_none_or(|(via, _)| via == api);
    let mode = |api: Api| requested.delete.is_none_or(|(delete, _)| api.deletes(delete));
    let left: Vec<Api> = Api::ALL.into_iter().filter(|api| api.system() == system && pinned(*api) && mode(*api)).collect();
    if let (true, Some((via, via_field)), Some((delete, delete_field))) = (left.is_empty(), requested.via, requested.delete)
    {
        findings.push(
            Diagnostic::error(
                codes::CAPABILITY_HARD,
                format!("{} cannot delete past the recycle bin", via.title()),
                span(via_field),
                "has no hard delete",
            )
            .with_label(span(delete_field), "asked for here")
            .with_help(format!("leave `via` out, or write one of {}", names(&|api| api.deletes(delete)))),
        );
        return;
    }
    let culprit = |able: &dyn Fn(Api) -> bool| match (requested.via, requested.delete) {
        (Some((via, field)), _) if !able(via) => Some((span(field), format!("`via: {via}` cannot do it"))),
        (_, Some((DeleteMode::Hard, field))) if system.has_recycle_bin() => {
            Some((span(field), "no API with a hard delete can do it".to_owned()))
        }
        _ => None,
    };
    if let Some((AllOrNone::Policy | AllOrNone::PerRequest, field)) = requested.all_or_none
        && !left.iter().any(|api| api.is_atomic())
    {
        let able = names(&|api| api.is_atomic());
        let (label, help) = if able.is_empty() {
            (
                "no atomic requests".to_owned(),
                format!("leave `allOrNone` out: {} deletes each record separately", system.title()),
            )
        } else {
            (format!("needs one of {able}"), format!("leave `allOrNone` out, or let a soft delete go through one of {able}"))
        };
        let titles: Vec<&str> = left.iter().map(|api| api.title()).collect();
        let title = format!("{} cannot delete all or none", titles.join(" or "));
        let mut diagnostic = Diagnostic::error(codes::CAPABILITY_ALL_OR_NONE, title, span(field), label).with_help(help);
        if let Some((place, label)) = culprit(&Api::is_atomic) {
            diagnostic = diagnostic.with_label(place, label);
        }
        findings.push(diagnostic);
    }
    if let Some((size, field)) = requested.batch_size {
        batch_size(size, span(field), requested, &left, findings);
    }
    if let Some((Concurrency::Serial, field)) = requested.concurrency
        && !left.iter().any(|api| api.runs_serially())
    {
        let able = names(&|api| api.runs_serially() && mode(api));
        let titles: Vec<&str> = left.iter().map(|api| api.title()).collect();
        let title = format!("{} cannot run one batch at a time", titles.join(" or "));
        let mut diagnostic = Diagnostic::error(codes::CAPABILITY_SERIAL, title, span(field), format!("needs one of {able}"))
            .with_help("leave `via` out, or leave `concurrency` out");
        if let Some((place, label)) = culprit(&Api::runs_serially) {
            diagnostic = diagnostic.with_label(place, label);
        }
        findings.push(diagnostic);
    }
}

/// Refuses a size that no batch can have. `left` are the APIs that the other settings leave.
fn batch_size(size: u64, place: Span, requested: &Requested<'_>, left: &[Api], findings: &mut Findings<'_>) {
    let all_or_none = requested.all_or_none.map(|(all_or_none, _)| all_or_none);
    if let (Some(AllOrNone::Policy), Some((_, field))) = (all_or_none, requested.all_or_none) {
        findings.push(
            Diagnostic::error(
                codes::CAPABILITY_BATCH_SIZE,
                "`allOrNone: true` sends all records in one request",
                place,
                "would make several of it",
            )
            .with_label(field.map_or(requested.place, |field| field.node.span), "asked for here")
            .with_help("leave `batchSize` out, or write `allOrNone: perRequest` for atomic groups of that size"),
        );
        return;
    }
    let most_of = |api: &Api| match all_or_none {
        Some(AllOrNone::PerRequest) => api.capability().atomic_size,
        _ => api.capability().batch_size,
    };
    let Some(largest) = left.iter().max_by_key(|api| most_of(api)) else { return };
    let most = most_of(largest);
    // An API that makes no such batches at all has been reported.
    if most > 0 && !(1..=most).contains(&size) {
        let most = with_thousands(most);
        findings.push(
            Diagnostic::error(
                codes::CAPABILITY_BATCH_SIZE,
                format!("`batchSize` must be 1 to {most}"),
                place,
                format!("{} takes up to {most} at a time", largest.title()),
            )
            .with_help("write a number in that range, or leave `batchSize` out for as many as the API takes"),
        );
    }
}
