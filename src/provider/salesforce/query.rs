//! REST queries, page by page, proven complete.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::call::Call;
use super::error_table::cannot_be_counted;
use super::hostile::NOT_AN_ID;
use super::objects::Objects;
use super::query_page::{QueryPage, field_text};
use super::session::Session;
use super::soql::{self, Selection, check_names};
use crate::plan::{Count, Query, Row};
use crate::provider::common::{error, incomplete, not_kept, retried};
use crate::provider::{Completeness, ErrorClass, ProviderError, RowSink};
use crate::system::canonical_salesforce_id;

/// Streams the rows of a statement into `take`, page by page.
///
/// `resource` is `query`, or `queryAll` for deleted records too. It ends well only when the server said that it was done, told the same total
/// on every page, and sent exactly that many rows.
pub(super) async fn page_through(
    session: &Session,
    resource: &str,
    doing: &str,
    statement: &str,
    mut take: impl FnMut(&Map<String, Value>) -> Result<(), ProviderError> + Send,
) -> Result<Completeness, ProviderError> {
    let mut call = Call::get(doing, resource).parameters(&[("q", statement)]);
    let mut visited = BTreeSet::new();
    let mut declared = None;
    let mut rows = 0;
    loop {
        let page: QueryPage = session.read_json(&call).await?;
        let (Some(total), Some(done), Some(records)) = (page.total_size, page.done, page.records) else {
            return Err(incomplete(doing, "a page has no `totalSize`, no `done` or no `records`"));
        };
        if *declared.get_or_insert(total) != total {
            return Err(incomplete(doing, "the total changed between two pages"));
        }
        let is_empty = records.is_empty();
        for record in records {
            rows += 1;
            take(&record)?;
        }
        if rows > total {
            return Err(incomplete(doing, format!("{rows} rows arrived, but the system declared {total}")));
        }
        match (done, page.next_records_url) {
            (true, None) if rows == total => return Ok(Completeness { rows, declared: total }),
            (true, None) => return Err(incomplete(doing, format!("{rows} rows arrived, but the system declared {total}"))),
            (true, Some(_)) => return Err(incomplete(doing, "the last page names a next one")),
            (false, None) => return Err(incomplete(doing, "a page that is not the last names no next one")),
            (false, Some(_)) if is_empty => return Err(incomplete(doing, "a page that is not the last is empty")),
            (false, Some(next)) => {
                // The address is the server's word. It is documented to begin so, and anything else could lead a token elsewhere.
                if !next.starts_with("/services/data/") || next.len() > 2_000 {
                    return Err(incomplete(doing, "a page names a next one that is not of this system"));
                }
                if !visited.insert(next.clone()) {
                    return Err(incomplete(doing, "two pages name the same next one"));
                }
                call = Call::get(doing, next);
            }
        }
    }
}

/// Streams a query's rows through REST.
pub(super) async fn select(
    session: &Session,
    selection: &Selection,
    sink: &mut dyn RowSink,
) -> Result<Completeness, ProviderError> {
    let doing = &selection.doing;
    page_through(session, selection.resource, doing, &selection.statement, |record| {
        let attributes = record.get("attributes").and_then(|attributes| attributes.get("type"));
        if !attributes.and_then(Value::as_str).is_some_and(|name| name.eq_ignore_ascii_case(&selection.shape.name)) {
            return Err(another_object(selection));
        }
        let value = |place: usize| {
            let column = &selection.columns[place];
            let missing = || error(ErrorClass::Malformed, doing, "missing-field", format!("a row has no `{column}`"));
            field_text(record, column).ok_or_else(missing)
        };
        let Some(row) =
            row(selection, &value(selection.key)?, || selection.values.iter().map(|place| value(*place)).collect())?
        else {
            return Ok(());
        };
        sink.row(row).map_err(|cause| not_kept(doing, &cause))
    })
    .await
}

/// A row of its key and its values; `None` when it has no key and need not have one.
pub(super) fn row(
    selection: &Selection,
    key: &str,
    values: impl FnOnce() -> Result<Vec<String>, ProviderError>,
) -> Result<Option<Row>, ProviderError> {
    if key.is_empty() && selection.key_is_a_lookup {
        return Ok(None);
    }
    let id = canonical_salesforce_id(key)
        .map_err(|_| error(ErrorClass::Malformed, &selection.doing, "malformed-id", NOT_AN_ID))?;
    let prefix = selection.shape.key_prefix.as_deref().filter(|_| !selection.key_is_a_lookup);
    if prefix.is_some_and(|prefix| !id.as_str().starts_with(prefix)) {
        return Err(another_object(selection));
    }
    let values = if selection.values.is_empty() { Vec::new() } else { values()? };
    Ok(Some(Row { id, values }))
}

/// The error about a row that is not of the object asked for: what follows from it would be about another record.
fn another_object(selection: &Selection) -> ProviderError {
    let message = format!("a row is not of the object {}", selection.shape.name);
    error(ErrorClass::Malformed, &selection.doing, "another-object", message)
}

/// How many records match a query.
pub(super) async fn count(session: &Session, objects: &Objects, query: &Query) -> Result<Count, ProviderError> {
    check_names("count records", &query.object, [])?;
    let reach = objects.reach(session, query).await?;
    let statement = soql::count(query, &reach)?;
    if !soql::fits_an_address(&statement) {
        // A count can be asked in no other place; a query job can list them.
        return Ok(Count::Unknown("the condition is too long for a count".to_owned()));
    }
    let call = Call::get(format!("count {} records", query.object), reach.resource).parameters(&[("q", &statement)]);
    // What took two minutes in vain would do so again: only other failures are repeated.
    let answer = retried(|| async {
        match session.call_json::<QueryPage>(&call).await {
            Err(refusal) if cannot_be_counted(&refusal) => Ok(Err(refusal)),
            answer => answer.map(Ok),
        }
    });
    let page = match answer.await? {
        Ok(page) => page,
        Err(refusal) => return Ok(Count::Unknown(refusal.said())),
    };
    match (page.total_size, page.done, page.records) {
        (Some(total), Some(true), Some(records)) if records.is_empty() => Ok(Count::Exact(total)),
        _ => Err(incomplete(&call.doing, "the answer is not a count")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json as value;

    use super::super::testing::*;
    use crate::plan::{Count, Query, Row};
    use crate::provider::transport::scripted::{Reply, json};
    use crate::provider::{Completeness, ErrorClass, ProviderError};

    const NEXT: &str = "/services/data/v66.0/query/01gRO0000016PIAYA2-2";

    fn lead(number: u64) -> serde_json::Value {
        value!({"attributes": {"type": "Lead", "url": "x"}, "Id": leads(number + 1)[number as usize]})
    }

    /// Selects from pages that come one after the other.
    async fn select(query: &Query, pages: Vec<serde_json::Value>) -> (Rows, Result<Completeness, ProviderError>) {
        let mut pages = pages.into_iter();
        let (provider, _) = org(move |seen| {
            assert!(seen.path.starts_with("/services/data/v66.0/query"), "{}", seen.path);
            json(200, pages.next().expect("another page").to_string())
        });
        let mut rows = Rows::default();
        let answer = provider.select(query, 100, &mut rows).await;
        (rows, answer)
    }

    async fn refused(pages: Vec<serde_json::Value>) -> String {
        let error = select(&query(&[]), pages).await.1.expect_err("not proven");
        assert_eq!(error.class, ErrorClass::Incomplete, "{error}");
        error.message
    }

    #[tokio::test]
    async fn follows_pages_to_the_proven_end() {
        let (provider, transport) = org(|seen| match seen.parameter("q") {
            Some(_) => json(200, page(3, false, Some(NEXT), vec![lead(0), lead(1)]).to_string()),
            None => json(200, page(3, true, None, vec![lead(2)]).to_string()),
        });
        let mut rows = Rows::default();
        let proof = provider.select(&query(&[]), 100, &mut rows).await.expect("complete");
        assert_eq!(proof, Completeness { rows: 3, declared: 3 });
        assert_eq!(rows.0.iter().map(|row| row.id).collect::<Vec<_>>(), leads(3));
        let seen = asked(&transport);
        assert_eq!(seen[0].parameter("q"), Some("SELECT Id FROM Lead WHERE IsConverted = false"));
        assert_eq!((seen[1].path.as_str(), seen[1].query.as_str()), (NEXT, ""));
    }

    #[tokio::test]
    async fn an_empty_selection_is_complete() {
        let (rows, proof) = select(&query(&[]), vec![page(0, true, None, vec![])]).await;
        assert_eq!((rows.0.len(), proof), (0, Ok(Completeness { rows: 0, declared: 0 })));
    }

    #[tokio::test]
    async fn flattens_fields_by_path_and_prints_them_as_bulk_does() {
        let row = value!({"attributes": {"type": "Lead"}, "Id": leads(1)[0], "Owner": {"attributes": {}, "Name": "Ann", "Manager": null}, "IsConverted": false,
            "Amount": 1000.5, "CreatedDate": "2026-01-02T03:04:05.000+0000", "Company": null});
        let fields = ["owner.Name", "Owner.Manager.Name", "IsConverted", "Amount", "CreatedDate", "Company", "Id"];
        let (rows, proof) = select(&query(&fields), vec![page(1, true, None, vec![row])]).await;
        proof.expect("complete");
        let values = ["Ann", "", "false", "1000.5", "2026-01-02T03:04:05.000Z", "", leads(1)[0].as_str()].map(str::to_owned);
        assert_eq!(rows.0, [Row { id: leads(1)[0], values: values.into() }]);
    }

    #[tokio::test]
    async fn refuses_a_short_page() {
        assert_eq!(refused(vec![page(3, true, None, vec![lead(0)])]).await, "1 rows arrived, but the system declared 3");
    }

    #[tokio::test]
    async fn refuses_more_rows_than_declared() {
        assert_eq!(
            refused(vec![page(1, true, None, vec![lead(0), lead(1)])]).await,
            "2 rows arrived, but the system declared 1"
        );
    }

    #[tokio::test]
    async fn refuses_a_total_that_changes() {
        let pages = vec![page(3, false, Some(NEXT), vec![lead(0)]), page(2, true, None, vec![lead(1)])];
        assert_eq!(refused(pages).await, "the total changed between two pages");
    }

    #[tokio::test]
    async fn refuses_an_unproven_end() {
        assert_eq!(
            refused(vec![value!({"totalSize": 1, "records": [lead(0)]})]).await,
            "a page has no `totalSize`, no `done` or no `records`"
        );
        assert_eq!(
            refused(vec![value!({"done": true, "records": [lead(0)]})]).await,
            "a page has no `totalSize`, no `done` or no `records`"
        );
        assert_eq!(
            refused(vec![page(2, false, None, vec![lead(0)])]).await,
            "a page that is not the last names no next one"
        );
        assert_eq!(refused(vec![page(1, true, Some(NEXT), vec![lead(0)])]).await, "the last page names a next one");
        assert_eq!(refused(vec![page(1, false, Some(NEXT), vec![])]).await, "a page that is not the last is empty");
    }

    #[tokio::test]
    async fn refuses_a_locator_that_repeats_or_leads_elsewhere() {
        let pages = vec![page(9, false, Some(NEXT), vec![lead(0)]), page(9, false, Some(NEXT), vec![lead(1)])];
        assert_eq!(refused(pages).await, "two pages name the same next one");
        for next in [
            "https://evil.example/services/data/v66.0/query/x",
            "//evil.example/services/data/",
            "query/x",
            "/services/oauth2/revoke",
        ] {
            assert_eq!(
                refused(vec![page(9, false, Some(next), vec![lead(0)])]).await,
                "a page names a next one that is not of this system"
            );
        }
    }

    #[tokio::test(start_paused = true)]
    async fn refuses_a_page_that_keeps_breaking_off() {
        let (provider, transport) =
            org(|_| Reply::Answer(200, vec![], vec![Ok("{\"totalSize\":1,".into()), Err(std::io::Error::other("reset"))]));
        let error = provider.select(&query(&[]), 1, &mut Rows::default()).await.expect_err("broken");
        assert_eq!((error.class, asked(&transport).len()), (ErrorClass::Incomplete, 5));
    }

    #[tokio::test]
    async fn refuses_rows_that_are_none() {
        for row in [
            value!({"attributes": {"type": "Lead"}, "Name": "x"}),
            value!({"attributes": {"type": "Lead"}, "Id": null}),
            value!({"attributes": {"type": "Lead"}, "Id": "' OR Id != '"}),
            value!({"attributes": {"type": "Lead"}, "Id": "00Q000000000001AAB"}),
        ] {
            let error = select(&query(&[]), vec![page(1, true, None, vec![row])]).await.1.expect_err("no row");
            assert_eq!(error.class, ErrorClass::Malformed, "{error}");
        }
    }

    #[tokio::test]
    async fn passes_over_children_without_a_parent_and_counts_them() {
        let tasks = Query { object: "Task".into(), key: "WhoId".into(), ..query(&[]) };
        let task = |who| value!({"attributes": {"type": "Task"}, "WhoId": who});
        let rows = vec![task(Some(leads(1)[0])), task(None)];
        let (rows, proof) = select(&tasks, vec![page(2, true, None, rows)]).await;
        assert_eq!((rows.0.len(), proof), (1, Ok(Completeness { rows: 2, declared: 2 })));
    }

    #[tokio::test]
    async fn stops_when_rows_cannot_be_kept() {
        let (provider, _) = org(|_| json(200, page(1, true, None, vec![lead(0)]).to_string()));
        let error = provider.select(&query(&[]), 1, &mut Full).await.expect_err("full");
        assert_eq!(error.class, ErrorClass::Local);
    }

    #[tokio::test]
    async fn counts_and_refuses_what_is_no_count() {
        let (provider, transport) = org(|_| json(200, page(42, true, None, vec![]).to_string()));
        assert_eq!(provider.count(&query(&["Name"])).await, Ok(Count::Exact(42)));
        assert_eq!(asked(&transport)[0].parameter("q"), Some("SELECT COUNT() FROM Lead WHERE IsConverted = false"));
        for body in [
            page(42, false, None, vec![]),
            page(1, true, None, vec![value!({"expr0": 42})]),
            value!({"done": true, "records": []}),
        ] {
            let (provider, _) = org(move |_| json(200, body.to_string()));
            assert_eq!(provider.count(&query(&[])).await.expect_err("no count").class, ErrorClass::Incomplete);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_count_that_cannot_be_had_is_unknown_and_asked_for_once() {
        for (status, code, words) in [
            (400, "QUERY_TIMEOUT", "Your query request was running for too long."),
            (400, "OPERATION_TOO_LARGE", "exceeded 100000 distinct who/what's"),
            (500, "REQUEST_RUNNING_TOO_LONG", "Your request was running for too long, and has been stopped."),
            (400, "MALFORMED_QUERY", "Implementation restriction: ContentDocumentLink requires a filter by a single Id"),
        ] {
            let (provider, transport) =
                org(move |_| json(status, value!([{"errorCode": code, "message": words}]).to_string()));
            assert_eq!(provider.count(&query(&[])).await, Ok(Count::Unknown(format!("{code}: {words}"))));
            assert_eq!(asked(&transport).len(), 1, "{code}");
        }
        for (status, code) in [(400, "MALFORMED_QUERY"), (400, "INVALID_TYPE"), (403, "INSUFFICIENT_ACCESS")] {
            let (provider, _) = org(move |_| json(status, value!([{"errorCode": code, "message": "no"}]).to_string()));
            assert_eq!(provider.count(&query(&[])).await.expect_err("an error").code, code);
        }
    }
}
