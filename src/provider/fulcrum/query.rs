//! The Query API: what is asked in SQL, and how an answer is proven complete.

use http::Method;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::call::Call;
use super::session::Session;
use crate::base::RecordId;
use crate::filter::sql::parse_condition;
use crate::plan::{Query, Row};
use crate::provider::common::{error, incomplete, not_kept};
use crate::provider::{Completeness, ErrorClass, ProviderError, RowSink};
use crate::system::fulcrum::{KEY, LARGEST_PAGE};

/// The answer to a query, as JSON (recorded).
#[derive(Deserialize)]
pub(super) struct Answer {
    /// The columns, also without rows.
    #[serde(default)]
    pub(super) fields: Vec<Column>,
    rows: Option<Vec<Map<String, Value>>>,
}

/// One column of an answer.
#[derive(Deserialize)]
pub(super) struct Column {
    pub(super) name: String,
    /// `string`, `double`, `timestamp`, `string[]` and others (recorded).
    #[serde(rename = "type")]
    pub(super) kind: String,
}

/// Sends a query. It only reads, although it is a `POST`, which all clients use since a long query does not fit into a URL.
pub(super) async fn ask(session: &Session, doing: &str, statement: &str) -> Result<Answer, ProviderError> {
    let call = Call::new(doing, Method::POST, "query").json(&json!({ "q": statement, "format": "json" }));
    session.read_json(&call).await
}

/// A form's or column's name in SQL. A form is named by its id, which no renaming changes.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// `(condition)`, once it is certain that it is one condition and nothing besides.
pub(super) fn enclosed(doing: &str, condition: &str) -> Result<String, ProviderError> {
    match parse_condition(condition) {
        Ok(condition) => Ok(format!("({condition})")),
        Err(errors) => {
            let message = errors.first().map_or_else(String::new, |error| error.message.clone());
            Err(error(ErrorClass::Invalid, doing, "not-a-condition", message))
        }
    }
}

/// `'a', 'b'`. Ids need no escaping, by their type.
pub(super) fn listed(ids: &[RecordId]) -> String {
    ids.iter().map(|id| format!("'{id}'")).collect::<Vec<_>>().join(", ")
}

fn whereabouts(conditions: &[String]) -> String {
    if conditions.is_empty() { String::new() } else { format!(" WHERE {}", conditions.join(" AND ")) }
}

/// How many records match conditions.
pub(super) async fn count_where(
    session: &Session,
    doing: &str,
    form: &str,
    conditions: &[String],
) -> Result<u64, ProviderError> {
    let statement = format!("SELECT count(*) AS count FROM {}{}", quoted(form), whereabouts(conditions));
    let rows = ask(session, doing, &statement).await?.rows.unwrap_or_default();
    // A count may be too large for a number of JSON, and may then come as text.
    let count = match rows.as_slice() {
        [row] => row.get("count").and_then(|count| count.as_u64().or_else(|| count.as_str()?.parse().ok())),
        _ => None,
    };
    count.ok_or_else(|| incomplete(doing, "the answer is not a count"))
}

/// How many records match a query.
pub(super) async fn count(session: &Session, query: &Query) -> Result<u64, ProviderError> {
    let doing = format!("count records of form {}", query.object);
    let condition = query.condition.iter().map(|condition| enclosed(&doing, condition)).collect::<Result<Vec<_>, _>>()?;
    count_where(session, &doing, &query.object, &condition).await
}

/// Streams a query's rows, page by page in the order of their ids.
///
/// The system declares no total with the rows, so it is asked for one before. A page begins behind the last id of the one before,
/// which neither skips nor repeats a record when others come or go meanwhile.
pub(super) async fn select(session: &Session, query: &Query, sink: &mut dyn RowSink) -> Result<Completeness, ProviderError> {
    let doing = format!("select records of form {}", query.object);
    if query.key != KEY {
        let message = format!("records of a form are known by `{KEY}` only");
        return Err(error(ErrorClass::Unsupported, &doing, "unsupported", message));
    }
    let declared = count(session, query).await?;
    let columns: Vec<String> = std::iter::once(&query.key).chain(&query.fields).map(|name| quoted(name)).collect();
    let (columns, form, key) = (columns.join(", "), quoted(&query.object), quoted(KEY));
    let condition = query.condition.iter().map(|condition| enclosed(&doing, condition)).collect::<Result<Vec<_>, _>>()?;
    let mut last: Option<RecordId> = None;
    let mut rows = 0;
    loop {
        let behind = last.iter().map(|id| format!("{key} > '{id}'"));
        let conditions: Vec<String> = condition.iter().cloned().chain(behind).collect();
        let statement =
            format!("SELECT {columns} FROM {form}{} ORDER BY {key} LIMIT {LARGEST_PAGE}", whereabouts(&conditions));
        let answer = ask(session, &doing, &statement).await?;
        let page = answer.rows.ok_or_else(|| incomplete(&doing, "a page has no `rows`"))?;
        let is_last = page.len() < LARGEST_PAGE;
        for record in page {
            rows += 1;
            if rows > declared {
                return Err(incomplete(&doing, format!("more rows arrived than the {declared} that the system declared")));
            }
            let row = row(&doing, query, &record)?;
            last = Some(row.id);
            sink.row(row).map_err(|cause| not_kept(&doing, &cause))?;
        }
        if is_last {
            break;
        }
    }
    if rows == declared {
        Ok(Completeness { rows, declared })
    } else {
        Err(incomplete(&doing, format!("{rows} rows arrived, but the system declared {declared}")))
    }
}

/// The id in a row.
pub(super) fn id_of(doing: &str, row: &Map<String, Value>) -> Result<RecordId, ProviderError> {
    let id = row.get(KEY).and_then(Value::as_str).and_then(|id| RecordId::new(id).ok());
    // It is not repeated: when columns are out of step, it is the value of some field.
    id.ok_or_else(|| {
        error(ErrorClass::Malformed, doing, "malformed-id", "the value in the place of the record's id is not an id")
    })
}

impl Answer {
    /// The ids in the rows.
    pub(super) fn ids(self, doing: &str) -> Result<Vec<RecordId>, ProviderError> {
        let rows = self.rows.ok_or_else(|| incomplete(doing, "the answer has no `rows`"))?;
        rows.iter().map(|row| id_of(doing, row)).collect()
    }
}

fn row(doing: &str, query: &Query, record: &Map<String, Value>) -> Result<Row, ProviderError> {
    let value = |name: &String| match record.get(name) {
        None => Err(error(ErrorClass::Malformed, doing, "missing-field", format!("a row has no `{name}`"))),
        Some(Value::Null) => Ok(String::new()),
        Some(Value::String(text)) => Ok(text.clone()),
        Some(other) => Ok(other.to_string()),
    };
    Ok(Row { id: id_of(doing, record)?, values: query.fields.iter().map(value).collect::<Result<_, _>>()? })
}

#[cfg(test)]
mod tests {
    use serde_json::json as value;

    use super::super::testing::*;
    use super::*;
    use crate::provider::transport::scripted::{Reply, json};

    /// A form of so many records that answers counts with `declared`, and pages as asked.
    async fn select(declared: u64, records: Vec<Value>) -> (Rows, Vec<String>, Result<Completeness, ProviderError>) {
        let (provider, transport) = organization(move |seen| {
            let statement = statement_of(seen);
            if statement.contains("count(*)") {
                return rows(vec![value!({ "count": declared.to_string() })]);
            }
            let last = statement.rsplit_once("> '").map_or("", |(_, rest)| rest.split('\'').next().unwrap_or_default());
            let page = records.iter().filter(|row| row[KEY].as_str().is_none_or(|id| id > last)).take(LARGEST_PAGE).cloned();
            rows(page.collect())
        });
        let mut sink = Rows::default();
        let proof = provider.select(&query(&["note"]), 0, &mut sink).await;
        (sink, statements(&transport), proof)
    }

    fn record(number: usize) -> Value {
        value!({ KEY: id(number), "note": null })
    }

    async fn refused(declared: u64, records: Vec<Value>) -> ProviderError {
        select(declared, records).await.2.expect_err("not proven")
    }

    #[tokio::test]
    async fn reads_page_behind_page_to_the_proven_end() {
        let (sink, asked, proof) = select(20_001, (0..20_001).map(record).collect()).await;
        assert_eq!(proof, Ok(Completeness { rows: 20_001, declared: 20_001 }));
        assert_eq!(sink.0.iter().map(|row| row.id).collect::<Vec<_>>(), ids(20_001));
        insta::assert_snapshot!(asked.join("\n"), @r#"
        SELECT count(*) AS count FROM "81413088-71b9-11ee-b962-0242ac120002" WHERE (_status = 'closed')
        SELECT "_record_id", "note" FROM "81413088-71b9-11ee-b962-0242ac120002" WHERE (_status = 'closed') ORDER BY "_record_id" LIMIT 20000
        SELECT "_record_id", "note" FROM "81413088-71b9-11ee-b962-0242ac120002" WHERE (_status = 'closed') AND "_record_id" > '00004e1f-71b9-11ee-b962-0242ac120002' ORDER BY "_record_id" LIMIT 20000
        "#);
    }

    #[tokio::test]
    async fn a_whole_page_is_not_taken_for_the_end() {
        let (_, asked, proof) = select(20_000, (0..20_000).map(record).collect()).await;
        assert_eq!((asked.len(), proof.is_ok()), (3, true));
    }

    #[tokio::test]
    async fn an_empty_selection_is_complete() {
        assert_eq!(select(0, vec![]).await.2, Ok(Completeness { rows: 0, declared: 0 }));
    }

    #[tokio::test]
    async fn refuses_a_short_page_and_one_too_long() {
        let short = refused(3, vec![record(0)]).await;
        assert_eq!(
            (short.class, short.message.as_str()),
            (ErrorClass::Incomplete, "1 rows arrived, but the system declared 3")
        );
        assert_eq!(refused(1, vec![record(0), record(1)]).await.class, ErrorClass::Incomplete);
    }

    #[tokio::test]
    async fn refuses_rows_that_are_none() {
        for row in
            [value!({"note": 1}), value!({KEY: null, "note": 1}), value!({KEY: "' OR ''='", "note": 1}), value!({KEY: "a"})]
        {
            assert_eq!(refused(1, vec![row]).await.class, ErrorClass::Malformed);
        }
    }

    #[tokio::test]
    async fn prints_values_as_text() {
        let row = value!({KEY: "aB_1", "note": ["oak", "ash"]});
        let (sink, ..) = select(1, vec![row]).await;
        assert_eq!(sink.0[0].values, [r#"["oak","ash"]"#]);
    }

    #[tokio::test(start_paused = true)]
    async fn refuses_a_page_that_keeps_breaking_off() {
        let (provider, _) = organization(|_| {
            Reply::Answer(200, vec![], vec![Ok(r#"{"rows":["#.into()), Err(std::io::Error::other("reset"))])
        });
        let error = provider.select(&query(&[]), 1, &mut Rows::default()).await.expect_err("broken");
        assert_eq!(error.class, ErrorClass::Incomplete);
    }

    #[tokio::test]
    async fn a_condition_that_is_more_than_one_is_not_sent() {
        let (provider, _) = organization(|_| panic!("nothing may be asked"));
        for condition in ["TRUE) OR (TRUE", "note = 'a'; DROP TABLE x", "note = 'a' --", "note IN (SELECT 1)"] {
            let query = Query { condition: Some(condition.into()), ..query(&[]) };
            assert_eq!(provider.count(&query).await.expect_err("refused").class, ErrorClass::Invalid);
        }
    }

    #[tokio::test]
    async fn the_database_keeps_its_words() {
        let (provider, _) = organization(|_| json(400, r#"{"error":"canceling statement due to statement timeout"}"#));
        let error = provider.count(&query(&[])).await.expect_err("refused");
        assert_eq!(error.class, ErrorClass::Invalid);
        assert!(error.help.expect("a remedy").contains("10 seconds"));
    }

    #[tokio::test]
    async fn what_is_no_count_is_refused() {
        for answer in [vec![], vec![value!({"count": -1})], vec![value!({"count": 1}), value!({"count": 1})]] {
            let (provider, _) = organization(move |_| rows(answer.clone()));
            assert_eq!(provider.count(&query(&[])).await.expect_err("no count").class, ErrorClass::Incomplete);
        }
    }
}
