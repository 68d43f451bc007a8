//! What is known of objects, and how a query reaches all records of one.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::describe::describe;
use super::reach::{ObjectShape, Reach};
use super::session::Session;
use crate::filter::soql::{Comparison, Condition, Literal, Test, parse_condition};
use crate::filter::{ComparisonOperator, Path, Place};
use crate::plan::{ObjectFacts, Query};
use crate::provider::common::error;
use crate::provider::{ErrorClass, ProviderError};

/// What was described of objects so far.
#[derive(Default)]
pub(super) struct Objects(Mutex<BTreeMap<String, Arc<ObjectShape>>>);

impl Objects {
    /// Keeps what was described.
    pub(super) fn remember(&self, facts: &ObjectFacts) -> Arc<ObjectShape> {
        let shape = Arc::new(ObjectShape::of(facts));
        self.known().insert(facts.name.to_ascii_lowercase(), Arc::clone(&shape));
        shape
    }

    fn known(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Arc<ObjectShape>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is known of an object, which is asked once.
    pub(super) async fn shape(&self, session: &Session, object: &str) -> Result<Arc<ObjectShape>, ProviderError> {
        let known = self.known().get(&object.to_ascii_lowercase()).cloned();
        match known {
            Some(shape) => Ok(shape),
            None => Ok(self.remember(&describe(session, object).await?)),
        }
    }

    /// How a query reaches every record that is not deleted.
    ///
    /// Where its object, or that of a subquery, has archived rows, `queryAll` is asked, and every part of it leaves out what is
    /// deleted. That `queryAll` looks at all rows in subqueries too is a guess; where it does not, they are asked as `query` would.
    pub(super) async fn reach(&self, session: &Session, query: &Query) -> Result<Reach, ProviderError> {
        let shape = self.shape(session, &query.object).await?;
        let text = query.condition.as_deref();
        let may_have_subqueries = text.is_some_and(|text| text.to_ascii_uppercase().contains("SELECT"));
        if !shape.has_is_archived && !may_have_subqueries {
            return Ok(Reach { shape, resource: "query", condition: query.condition.clone() });
        }
        let unreadable = |_| {
            let doing = format!("select {} records", query.object);
            error(ErrorClass::Invalid, &doing, "unreadable-condition", "the condition is no SOQL")
        };
        let mut condition = text.map(parse_condition).transpose().map_err(unreadable)?;
        let mut shapes = BTreeMap::new();
        for object in condition.as_ref().map(subquery_objects).unwrap_or_default() {
            let shape = self.shape(session, &object).await?;
            shapes.insert(object.to_ascii_lowercase(), shape);
        }
        if !shape.has_is_archived && !shapes.values().any(|shape| shape.has_is_archived) {
            return Ok(Reach { shape, resource: "query", condition: query.condition.clone() });
        }
        if let Some(condition) = &mut condition {
            leave_out_deleted(condition, &shapes);
        }
        if shape.has_is_deleted {
            condition = Some(and_not_deleted(condition));
        }
        Ok(Reach { shape, resource: "queryAll", condition: condition.map(|condition| condition.to_string()) })
    }
}

/// The objects of all subqueries, also of those within others.
fn subquery_objects(condition: &Condition) -> Vec<String> {
    let mut objects = Vec::new();
    for subquery in condition.subqueries() {
        objects.push(subquery.object.as_str().to_owned());
        objects.extend(subquery.condition.as_ref().map(subquery_objects).unwrap_or_default());
    }
    objects
}

/// Makes every subquery leave out deleted rows, which `query` would have done by itself.
fn leave_out_deleted(condition: &mut Condition, shapes: &BTreeMap<String, Arc<ObjectShape>>) {
    match condition {
        Condition::And(parts) | Condition::Or(parts) => parts.iter_mut().for_each(|part| leave_out_deleted(part, shapes)),
        Condition::Not(part) => leave_out_deleted(part, shapes),
        Condition::Comparison(comparison) => {
            let (Test::InSubquery(subquery) | Test::NotInSubquery(subquery)) = &mut comparison.test else { return };
            if let Some(inner) = &mut subquery.condition {
                leave_out_deleted(inner, shapes);
            }
            if shapes.get(&subquery.object.as_str().to_ascii_lowercase()).is_some_and(|shape| shape.has_is_deleted) {
                subquery.condition = Some(and_not_deleted(subquery.condition.take()));
            }
        }
    }
}

/// `… AND IsDeleted = false`
fn and_not_deleted(condition: Option<Condition>) -> Condition {
    let path = Path::new("IsDeleted", Place::default());
    let test = Test::Compare(ComparisonOperator::Equal, Literal::Boolean(false));
    let not_deleted =
        path.map(|path| Condition::Comparison(Comparison { path, function: None, test, place: Place::default() }));
    let parts = match condition {
        Some(Condition::And(parts)) => parts,
        other => other.into_iter().collect(),
    };
    let mut parts: Vec<Condition> = parts.into_iter().chain(not_deleted).collect();
    if parts.len() == 1 { parts.remove(0) } else { Condition::And(parts) }
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use crate::plan::Query;
    use crate::provider::ErrorClass;
    use crate::provider::transport::scripted::{Reply, Seen, answer, json};

    /// What is sent for a condition of tasks, which may be archived, or of accounts, which may not: the resource and the statement.
    async fn sent(object: &str, condition: Option<&str>) -> String {
        let (provider, transport) = org(|_| json(200, page(0, true, None, vec![]).to_string()));
        let query = Query { object: object.into(), condition: condition.map(str::to_owned), ..query(&[]) };
        provider.select(&query, 0, &mut Rows::default()).await.expect("selected");
        provider.count(&query).await.expect("counted");
        let seen = asked(&transport);
        let (select, count) = (&seen[0], &seen[1]);
        let statement = select.parameter("q").expect("a query");
        assert_eq!(count.parameter("q").expect("a query"), statement.replacen("SELECT Id", "SELECT COUNT()", 1));
        assert_eq!(count.path, select.path);
        format!("{} {}", select.path.rsplit('/').next().expect("a resource"), statement.split_once("FROM ").expect("one").1)
    }

    #[tokio::test]
    async fn archived_rows_are_asked_for_and_deleted_ones_are_not() {
        assert_eq!(sent("Lead", Some("A = 1 OR B = 2")).await, "query Lead WHERE A = 1 OR B = 2");
        assert_eq!(sent("Task", None).await, "queryAll Task WHERE IsDeleted = false");
        assert_eq!(sent("task", Some("A = 1 AND B = 2")).await, "queryAll task WHERE A = 1 AND B = 2 AND IsDeleted = false");
        assert_eq!(sent("Task", Some("A = 1 OR B = 2")).await, "queryAll Task WHERE (A = 1 OR B = 2) AND IsDeleted = false");
        assert_eq!(sent("Task", Some("NOT A = 1")).await, "queryAll Task WHERE (NOT A = 1) AND IsDeleted = false");
    }

    #[tokio::test]
    async fn so_are_those_that_a_subquery_looks_at() {
        assert_eq!(
            sent("Lead", Some("OwnerId IN (SELECT MemberId FROM Member)")).await,
            "query Lead WHERE OwnerId IN (SELECT MemberId FROM Member)"
        );
        assert_eq!(
            sent("Lead", Some("Id NOT IN (SELECT ParentId FROM ContentDocument) AND A = 1")).await,
            "queryAll Lead WHERE Id NOT IN (SELECT ParentId FROM ContentDocument WHERE IsDeleted = false) AND A = 1 AND IsDeleted = false"
        );
        // An object whose rows do not say that they are deleted is not asked.
        assert_eq!(
            sent("Task", Some("OwnerId IN (SELECT MemberId FROM Member WHERE A = 1)")).await,
            "queryAll Task WHERE OwnerId IN (SELECT MemberId FROM Member WHERE A = 1) AND IsDeleted = false"
        );
    }

    #[tokio::test]
    async fn a_query_job_asks_for_them_too() {
        let (provider, transport) = org(|seen: &Seen| -> Reply {
            match seen.line().as_str() {
                line if line.ends_with("/results") => {
                    answer(200, &[("sforce-numberofrecords", "0"), ("sforce-locator", "null")], "\"Id\"\n")
                }
                line if line.starts_with("DELETE") => answer(204, &[], ""),
                _ => json(200, format!(r#"{{"id":"{JOB}","state":"JobComplete","numberRecordsProcessed":0}}"#)),
            }
        });
        let query = Query { object: "Task".into(), ..query(&[]) };
        provider.select(&query, 100_000, &mut Rows::default()).await.expect("selected");
        let body: serde_json::Value = serde_json::from_str(&asked(&transport)[0].body).expect("JSON");
        assert_eq!(
            (&body["operation"], &body["query"]),
            (&"queryAll".into(), &"SELECT Id FROM Task WHERE IsConverted = false AND IsDeleted = false".into())
        );
    }

    #[tokio::test]
    async fn a_row_of_another_object_is_refused() {
        let account = record("001000000000001");
        let rows = [
            serde_json::json!({"attributes": {"type": "Account"}, "Id": leads(1)[0]}),
            serde_json::json!({"attributes": {"type": "Lead"}, "Id": account}),
            serde_json::json!({"Id": leads(1)[0]}),
        ];
        for row in rows {
            let (provider, _) = org(move |_| json(200, page(1, true, None, vec![row.clone()]).to_string()));
            let error = provider.select(&query(&[]), 1, &mut Rows::default()).await.expect_err("another object");
            assert_eq!((error.class, error.code.as_str()), (ErrorClass::Malformed, "another-object"));
        }
        let (provider, _) = org(move |seen: &Seen| match seen.line().as_str() {
            line if line.ends_with("/results") => answer(
                200,
                &[("sforce-numberofrecords", "1"), ("sforce-locator", "null")],
                format!("\"Id\"\n\"{account}\"\n"),
            ),
            line if line.starts_with("DELETE") => answer(204, &[], ""),
            _ => json(200, format!(r#"{{"id":"{JOB}","state":"JobComplete","numberRecordsProcessed":1}}"#)),
        });
        let error = provider.select(&query(&[]), 100_000, &mut Rows::default()).await.expect_err("another object");
        assert_eq!(error.code, "another-object");
    }
}
