//! Counting what would go with the selected records.

use super::connection::Connection;
use super::hold::is_shadow;
use crate::base::CommandError;
use crate::filter::Language;
use crate::plan::{CascadeCount, ObjectFacts, Query};
use crate::provider::ErrorClass;

/// Counts, for every child object that goes with the records of `query`, how many records that is.
pub async fn count_cascades(
    connection: &mut Connection,
    facts: &ObjectFacts,
    query: &Query,
) -> Result<Vec<CascadeCount>, CommandError> {
    let mut counts = Vec::new();
    for child in facts.children.iter().filter(|child| child.cascades && !is_shadow(&child.child)) {
        let Some(described) = connection.describe_if_visible(&child.child).await? else { continue };
        if !described.queryable {
            continue;
        }
        let language = Language::of(connection.provider.capabilities().system);
        let belonging = language.belonging(&child.field, &query.key, &query.object, query.condition.as_deref());
        let records = match belonging {
            Some(condition) => {
                let query = Query {
                    object: child.child.clone(),
                    key: query.key.clone(),
                    fields: Vec::new(),
                    condition: Some(condition),
                };
                match connection.provider.count(&query).await {
                    Ok(records) => Some(records),
                    // Some objects cannot be asked in this way; that is said in the plan.
                    Err(error) if matches!(error.class, ErrorClass::Invalid | ErrorClass::Unsupported) => None,
                    Err(error) => return Err(error.into()),
                }
            }
            None => None,
        };
        counts.push(CascadeCount { child: child.child.clone(), field: child.field.clone(), records });
    }
    Ok(counts)
}
