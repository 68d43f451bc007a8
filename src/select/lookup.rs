//! Records that are held since they look up to held ones.

use std::sync::Arc;

use super::held::{Held, HeldSet};
use super::selection::broken_selection;
use super::sort_space::SortSpace;
use crate::base::{CommandError, Diagnostic, Exit, PolicyName, RecordId, SourceMap};
use crate::manifest::{ChildLookup, Hold, codes};
use crate::plan::{HeldBecause, ObjectFacts, PlannedQuery, Row, intersect};
use crate::store::SortedRows;
use crate::system::{SystemKind, canonical_salesforce_id};

/// Refuses a lookup that a hold names and that certainly leads nowhere.
pub(super) fn check_lookup(
    hold: &Hold,
    lookup: &ChildLookup,
    held: &ObjectFacts,
    child: &ObjectFacts,
    sources: &SourceMap,
) -> Result<(), CommandError> {
    // A path leads over another object; the system judges it when the query is sent.
    if lookup.field.contains('.') {
        return Ok(());
    }
    let title = match child.field(&lookup.field) {
        None if child.has_no_field(&lookup.field) => {
            format!("{} has no field `{}`, or this login may not see it", child.name, lookup.field)
        }
        Some(field)
            if !field.reference_to.is_empty()
                && !field.reference_to.iter().any(|object| object.eq_ignore_ascii_case(&held.name)) =>
        {
            format!(
                "`{}` of {} looks up to {}, and not to {}, the object of hold `{}`",
                lookup.field,
                child.name,
                field.reference_to.join(", "),
                held.name,
                hold.name
            )
        }
        _ => return Ok(()),
    };
    let mut diagnostic = Diagnostic::error(codes::NO_SUCH_LOOKUP, title, lookup.span, "does not lead to a held record");
    let known: Vec<String> = held.lookups_of(child).into_iter().map(|field| format!("{}.{field}", child.name)).collect();
    diagnostic.help = Some(match known.is_empty() {
        true => format!("{} has no field that looks up to {}", child.name, held.name),
        false => format!("the fields that do are {}", known.join(", ")),
    });
    let mut error = CommandError::new(Exit::Error, "the manifests do not fit the system");
    error.diagnostics = Some(Box::new((vec![diagnostic], sources.clone())));
    Err(error)
}

/// A query that also reads the fields by which records look up to held ones, and the place of each of the object's lookups in a
/// row.
pub(super) fn with_lookups(query: &PlannedQuery, held: &Held) -> (PlannedQuery, Vec<usize>) {
    let mut query = query.clone();
    let mut place = |field: &str| {
        let known = query.fields.iter().position(|known| known.eq_ignore_ascii_case(field));
        known.unwrap_or_else(|| {
            query.fields.push(field.to_owned());
            query.fields.len() - 1
        })
    };
    let places = held.lookups.iter().map(|lookup| place(&lookup.field)).collect();
    (query, places)
}

/// An error of a query from [`with_lookups`], with the holds for which it read further fields: it may be about one of those.
pub(super) fn about_lookups(error: CommandError, held: &Held) -> CommandError {
    held.lookups.iter().fold(error, |error, lookup| {
        error.with_note(format!("the field `{}` was read for `children` of hold `{}`", lookup.field, lookup.hold))
    })
}

/// The records of a selection that look up to held ones; `places` as from [`with_lookups`].
///
/// # Errors
///
/// Also when a field holds what is no key of a record: then it is not known whether the record is held.
pub(super) fn held_by_lookups(
    policy: &PolicyName,
    object: &str,
    system: SystemKind,
    selected: &SortedRows,
    held: &Held,
    places: &[usize],
    space: &SortSpace,
) -> Result<Vec<HeldSet>, CommandError> {
    let broken = |error: std::io::Error| broken_selection(policy, &error);
    let mut sets = Vec::new();
    for (lookup, place) in held.lookups.iter().zip(places) {
        let because = HeldBecause::Lookup(format!("{object}.{}", lookup.field));
        // By the record that is looked up to, since held ids come in that order.
        let mut by_parent = space.sorter();
        for row in selected.rows() {
            let row = row.map_err(broken)?;
            let value = row.values.get(*place).map_or("", String::as_str);
            if value.is_empty() {
                continue;
            }
            let parent = key(value, system).ok_or_else(|| {
                CommandError::plain(format!(
                    "hold `{}` keeps what looks up by `{}` of {object} to a held record, but the field of record {} holds no key",
                    lookup.hold, lookup.field, row.id
                ))
                .with_help("name a field that holds the keys of records in `children` of the hold")
            })?;
            by_parent.push(&Row { id: parent, values: vec![row.id.to_string()] }).map_err(broken)?;
        }
        let by_parent = space.finish(by_parent).map_err(broken)?;
        let mut children = space.sorter();
        let mut rows = by_parent.repeated_rows().peekable();
        for parent in intersect(by_parent.distinct_ids(), lookup.named.distinct_ids()) {
            let parent = parent.map_err(|error| broken_selection(policy, &error))?;
            while let Some(row) = rows.next_if(|row| row.as_ref().map_or(true, |row| row.id <= parent)) {
                let row = row.map_err(broken)?;
                if row.id == parent {
                    let child = row.values.first().and_then(|child| RecordId::new(child).ok());
                    let child =
                        child.ok_or_else(|| broken(std::io::Error::other("a key was not read back as it was written")))?;
                    children.push(&Row { id: child, values: Vec::new() }).map_err(broken)?;
                }
            }
        }
        let rows = Arc::new(space.finish(children).map_err(broken)?);
        sets.push(HeldSet { hold: lookup.hold.clone(), because, rows });
    }
    Ok(sets)
}

/// The key in the form in which the system gives those of selected records.
fn key(value: &str, system: SystemKind) -> Option<RecordId> {
    match system {
        SystemKind::Salesforce => canonical_salesforce_id(value).ok(),
        SystemKind::Zuora | SystemKind::Fulcrum => RecordId::new(value).ok(),
    }
}
