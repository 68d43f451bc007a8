//! Counting what would go with the selected records, and what keeps them.

use futures::{StreamExt as _, TryStreamExt as _, stream};

use super::connection::Connection;
use crate::base::CommandError;
use crate::plan::{CascadeCount, ChildRelationship, ObjectFacts, Query};
use crate::provider::{ErrorClass, ProviderError};

/// How many children are counted at once at most; a system may take fewer.
const COUNTED_AT_ONCE: usize = 16;

/// Counts, for every child object that goes with the records of `query`, how many records that is. A child that this login cannot
/// see or query is left out.
///
/// # Errors
///
/// When the system does not answer.
pub async fn count_cascades(
    connection: &Connection,
    facts: &ObjectFacts,
    query: &Query,
) -> Result<Vec<CascadeCount>, CommandError> {
    count_all(connection, facts.cascading_children(), query).await
}

/// Counts, for every child object that keeps the records of `query` from being deleted, how many records that is. A child that this
/// login cannot see or query is left out.
///
/// # Errors
///
/// When the system does not answer.
pub async fn count_restricting(
    connection: &Connection,
    facts: &ObjectFacts,
    query: &Query,
) -> Result<Vec<CascadeCount>, CommandError> {
    count_all(connection, facts.restricting_children(), query).await
}

async fn count_all(
    connection: &Connection,
    children: impl Iterator<Item = &ChildRelationship>,
    query: &Query,
) -> Result<Vec<CascadeCount>, CommandError> {
    let counts = stream::iter(children.map(|child| count_children(connection, child, query)));
    let counts: Vec<Option<CascadeCount>> = counts.buffered(COUNTED_AT_ONCE).try_collect().await?;
    Ok(counts.into_iter().flatten().collect())
}

async fn count_children(
    connection: &Connection,
    relationship: &ChildRelationship,
    query: &Query,
) -> Result<Option<CascadeCount>, ProviderError> {
    let ChildRelationship { child, field, .. } = relationship;
    let described = connection.describe_if_visible(child).await?;
    if !described.is_some_and(|facts| facts.queryable) {
        return Ok(None);
    }
    let belonging = connection.language().belonging(field, &query.key, &query.object, query.condition.as_deref());
    let records = match belonging {
        Some(condition) => {
            let key = query.key.clone();
            let query = Query { object: child.clone(), key, fields: Vec::new(), condition: Some(condition) };
            match connection.count(&query).await {
                Ok(count) => count.exact(),
                // Some objects cannot be asked in this way; that is said in the plan.
                Err(error) if matches!(error.class, ErrorClass::Invalid | ErrorClass::Unsupported) => None,
                Err(error) => return Err(error),
            }
        }
        None => None,
    };
    Ok(Some(CascadeCount { child: child.clone(), field: field.clone(), records }))
}
