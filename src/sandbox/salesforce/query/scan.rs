//! The rows that meet a condition.

use jiff::tz::TimeZone;

use super::evaluate::evaluate;
use super::key_test::Against;
use super::row::{Names, Row};
use crate::sandbox::salesforce::soql::Condition;
use crate::sandbox::world::Place;
use crate::sandbox::{RecordKey, World};

/// Which rows a query looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::sandbox) enum RowScope {
    /// `query`: what is neither deleted nor archived (documented).
    Usual,
    /// `queryAll`: archived rows and the recycle bin as well (documented).
    All,
}

/// Calls `take` with every row that meets a condition, in key order, until it says no.
pub(super) fn scan(
    world: &World,
    table: usize,
    condition: Option<&Condition>,
    names: &Names,
    scope: RowScope,
    mut take: impl FnMut(usize) -> bool,
) {
    let now = world.now().to_zoned(TimeZone::UTC);
    let rows = &world.tables()[table];
    let mut visit = |row: usize| {
        let visible = match scope {
            RowScope::Usual => rows.is_live(row) && !rows.is_archived(row),
            RowScope::All => !rows.is_gone(row),
        };
        let meets = |condition| evaluate(condition, &Row { world, table, row, names }, &now);
        !(visible && condition.is_none_or(meets)) || take(row)
    };
    match condition.and_then(|condition| named_keys(condition, names)) {
        Some(keys) => {
            let mut found: Vec<usize> =
                keys.into_iter().filter_map(|key| world.locate(key)).filter(|at| at.0 == table).map(|at| at.1).collect();
            found.sort_unstable();
            found.into_iter().all(visit);
        }
        None => {
            (0..rows.len()).all(&mut visit);
        }
    }
}

/// The keys a condition names outright (`Id = …`, `Id IN (…)`, alone or joined by `AND`): no other record can meet it.
fn named_keys(condition: &Condition, names: &Names) -> Option<Vec<RecordKey>> {
    match condition {
        Condition::And(parts) => parts.iter().find_map(|part| named_keys(part, names)),
        Condition::Group(part) => named_keys(part, names),
        Condition::Comparison(comparison) => {
            let (_, test) = names.tests.iter().find(|(name, _)| *name == comparison.path.text)?;
            match &test.against {
                Against::Among { keys, negated: false, .. } if test.route.own_place() == Some(Place::Id) => {
                    Some(keys.iter().copied().collect())
                }
                _ => None,
            }
        }
        Condition::Or(_) | Condition::Not(_) => None,
    }
}
