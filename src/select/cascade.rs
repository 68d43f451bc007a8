//! Counting what would go with the selected records, and what keeps them.

use std::io;

use futures::{StreamExt as _, TryStreamExt as _, stream};

use super::connection::Connection;
use crate::base::{CommandError, RecordId, counted};
use crate::plan::{CascadeCount, ChildRelationship, Count, ObjectFacts, PlannedQuery, Query};
use crate::provider::{ErrorClass, ProviderError};

/// How many children are counted at once at most; a system may take fewer.
const COUNTED_AT_ONCE: usize = 16;

/// How many questions one child is worth that can only be counted by the keys of its parents. More are not asked.
const MOST_QUESTIONS: u64 = 100;

/// What goes with the selected records.
pub struct CountedCascades {
    /// How many of each child; one of which it is not known is there as such.
    pub counts: Vec<CascadeCount>,
    /// How many questions that took.
    pub calls: u64,
}

/// Counts, for every child object that goes with the records of `query`, how many records that is: by the query's own condition, and
/// where the system cannot do that or there is a list instead, by the keys of the `selected` records, of which `ids` gives the same each
/// time.
///
/// # Errors
///
/// When the system does not answer, or the keys cannot be read.
pub async fn count_cascades<I: Iterator<Item = io::Result<RecordId>>>(
    connection: &Connection,
    facts: &ObjectFacts,
    query: &PlannedQuery,
    selected: u64,
    ids: impl Fn() -> Result<I, CommandError>,
) -> Result<CountedCascades, CommandError> {
    let (ids, children) = (&ids, facts.cascading_children());
    // A system that describes its objects is asked about the child first.
    let described = u64::from(facts.knows_all_fields);
    let counts = stream::iter(children.map(|relationship| async move {
        let (count, calls) = match by_condition(connection, relationship, query).await {
            Ok(Count::Exact(records)) => (Count::Exact(records), 1),
            // Nothing is known of an object that the login cannot see, however it is asked.
            Err(error) if error.class == ErrorClass::NotFound => (Count::Unknown("this login cannot see it".to_owned()), 1),
            Ok(Count::Unknown(_)) => by_keys(connection, relationship, query, selected, ids).await?,
            Err(error) if error.class.is_about_the_request() => {
                by_keys(connection, relationship, query, selected, ids).await?
            }
            Err(error) => return Err(error.into()),
        };
        Ok::<_, CommandError>((cascade_count(relationship, count), calls + described))
    }));
    let counts: Vec<(CascadeCount, u64)> = counts.buffered(COUNTED_AT_ONCE).try_collect().await?;
    let calls = counts.iter().map(|(_, calls)| calls).sum();
    Ok(CountedCascades { counts: counts.into_iter().map(|(count, _)| count).collect(), calls })
}

/// Counts, for every child object that keeps the records of `query` from being deleted, how many records that is. A child that this
/// login cannot see is left out: what it keeps is told as failed.
///
/// # Errors
///
/// When the system does not answer.
pub async fn count_restricting<I: Iterator<Item = io::Result<RecordId>>>(
    connection: &Connection,
    facts: &ObjectFacts,
    query: &PlannedQuery,
    selected: u64,
    ids: impl Fn() -> Result<I, CommandError>,
) -> Result<Vec<CascadeCount>, CommandError> {
    let ids = &ids;
    let counts = stream::iter(facts.restricting_children().map(|relationship| async move {
        match by_condition(connection, relationship, query).await {
            Ok(Count::Unknown(_)) if query.listed().is_some() => {
                let (count, _) = by_keys(connection, relationship, query, selected, ids).await?;
                Ok(Some(cascade_count(relationship, count)))
            }
            Ok(count) => Ok(Some(cascade_count(relationship, count))),
            Err(error) if error.class == ErrorClass::NotFound => Ok(None),
            Err(error) if error.class.is_about_the_request() => {
                Ok(Some(cascade_count(relationship, Count::Unknown(error.said()))))
            }
            Err(error) => Err(CommandError::from(error)),
        }
    }));
    let counts: Vec<Option<CascadeCount>> = counts.buffered(COUNTED_AT_ONCE).try_collect().await?;
    Ok(counts.into_iter().flatten().collect())
}

fn cascade_count(relationship: &ChildRelationship, count: Count) -> CascadeCount {
    let ChildRelationship { child, field, .. } = relationship;
    let (records, reason) = match count {
        Count::Exact(records) => (Some(records), None),
        Count::Unknown(reason) => (None, Some(reason)),
    };
    CascadeCount { child: child.clone(), field: field.clone(), records, reason }
}

/// How many records of a child belong to the records that `query` means, by its own condition.
async fn by_condition(
    connection: &Connection,
    relationship: &ChildRelationship,
    query: &PlannedQuery,
) -> Result<Count, ProviderError> {
    let ChildRelationship { child, field, .. } = relationship;
    let belonging = query
        .single()
        .and_then(|single| connection.language().belonging(field, &query.key, &query.object, single.condition.as_deref()));
    match belonging {
        Some(condition) => connection.count(&of_child(child, query, condition)).await,
        None => Ok(Count::Unknown("the filter cannot be asked about what belongs to its records".to_owned())),
    }
}

/// The same by the keys of the selected records, as many at a time as one condition takes; with the number of questions.
async fn by_keys<I: Iterator<Item = io::Result<RecordId>>>(
    connection: &Connection,
    relationship: &ChildRelationship,
    query: &PlannedQuery,
    selected: u64,
    ids: impl Fn() -> Result<I, CommandError>,
) -> Result<(Count, u64), CommandError> {
    let ChildRelationship { child, field, .. } = relationship;
    let at_once = connection.language().ids_at_once();
    let questions = selected.div_ceil(at_once as u64);
    if questions > MOST_QUESTIONS {
        let reason = format!(
            "it can be asked for by the keys of {at_once} records at a time only, which would be {}",
            counted(questions, "question")
        );
        return Ok((Count::Unknown(reason), 1));
    }
    // The one by the condition is among them.
    let (mut records, mut calls) = (0_u64, 1);
    let mut ids = ids()?;
    loop {
        let chunk: Vec<RecordId> = ids
            .by_ref()
            .take(at_once)
            .collect::<Result<_, _>>()
            .map_err(|error| CommandError::plain("selected ids could not be read back").caused_by(&error))?;
        if chunk.is_empty() {
            return Ok((Count::Exact(records), calls));
        }
        let Some(condition) = connection.language().one_of(field, &chunk) else {
            return Ok((Count::Unknown(format!("its field `{field}` cannot be in a condition")), calls));
        };
        calls += 1;
        match connection.count(&of_child(child, query, condition)).await {
            Ok(Count::Exact(some)) => records = records.saturating_add(some),
            Ok(unknown @ Count::Unknown(_)) => return Ok((unknown, calls)),
            Err(error) if error.class.is_about_the_request() => return Ok((Count::Unknown(error.said()), calls)),
            Err(error) => return Err(error.into()),
        }
    }
}

fn of_child(child: &str, query: &PlannedQuery, condition: String) -> Query {
    Query { object: child.to_owned(), key: query.key.clone(), fields: Vec::new(), condition: Some(condition) }
}
