//! ZOQL queries, page by page, proven complete.

use std::collections::BTreeSet;

use super::call::Call;
use super::operation::Operation;
use super::session::Session;
use crate::base::RecordId;
use crate::plan::{Query, Row};
use crate::provider::common::{error, incomplete, not_kept};
use crate::provider::transport::Element;
use crate::provider::{Completeness, ErrorClass, ProviderError, RowSink};
use crate::system::zuora::LARGEST_PAGE;
use crate::system::zuora_record_key;

/// The longest statement, in characters (documented).
const LONGEST_STATEMENT: usize = 10_000;

/// Whether an id has the form of Zuora's.
pub(super) fn is_id(id: &RecordId) -> bool {
    zuora_record_key(id.as_str()).as_ref() == Some(id)
}

/// Refuses names that are no names, so that nothing but a condition can carry an expression into a statement.
pub(super) fn check_names<'a>(doing: &str, names: impl IntoIterator<Item = &'a str>) -> Result<(), ProviderError> {
    let is_name = |text: &str| {
        text.len() <= 255
            && text.starts_with(|first: char| first.is_ascii_alphabetic())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    match names.into_iter().find(|name| !is_name(name)) {
        Some(name) => {
            let shown: String = name.chars().take(80).collect();
            let message = format!("`{shown}` is not the name of an object or a field");
            Err(error(ErrorClass::Invalid, doing, "invalid-name", message))
        }
        None => Ok(()),
    }
}

/// The statement for some columns of a query's records.
fn statement(doing: &str, query: &Query, columns: &[&str]) -> Result<String, ProviderError> {
    check_names(doing, columns.iter().copied().chain([query.object.as_str()]))?;
    let condition = query.condition.as_ref().map(|condition| format!(" where {condition}")).unwrap_or_default();
    let statement = format!("select {} from {}{condition}", columns.join(", "), query.object);
    let characters = statement.chars().count();
    if characters > LONGEST_STATEMENT {
        let message = format!("the query has {characters} characters, and the system takes {LONGEST_STATEMENT}");
        return Err(ProviderError {
            help: Some("shorten the filter, or split the policy".into()),
            ..error(ErrorClass::Invalid, doing, "query-too-long", message)
        });
    }
    Ok(statement)
}

/// One page of a query's answer.
struct Page<'a> {
    size: u64,
    done: bool,
    locator: Option<&'a str>,
    /// The records, without the nil one that stands for none (recorded).
    records: Vec<&'a Element>,
}

impl<'a> Page<'a> {
    /// Reads a page; `None` when it does not say how large the whole is, or whether it is the last.
    fn read(answer: &'a Element) -> Option<Self> {
        let result = answer.child("result")?;
        Some(Self {
            size: result.text_of("size")?.trim().parse().ok()?,
            done: boolean(result.text_of("done")?)?,
            locator: result.text_of("queryLocator").map(str::trim).filter(|locator| !locator.is_empty()),
            records: result.all("records").filter(|record| !record.is_nil()).collect(),
        })
    }
}

/// A yes or no of XML Schema.
pub(super) fn boolean(text: &str) -> Option<bool> {
    match text.trim() {
        "true" | "1" => Some(true),
        "false" | "0" => Some(false),
        _ => None,
    }
}

/// A field of a record; empty when it is nil or left out, which is how null comes (recorded).
fn field<'a>(record: &'a Element, name: &str) -> &'a str {
    let field = record.children().iter().find(|child| child.name().eq_ignore_ascii_case(name) && !child.is_nil());
    field.map(Element::text).unwrap_or_default()
}

/// Streams the records of a statement into `take`, page by page. It ends well only when the server said that it was done, told the same
/// size on every page, and sent exactly that many records of the object.
pub(super) async fn page_through(
    session: &Session,
    doing: &str,
    object: &str,
    statement: &str,
    mut take: impl FnMut(&Element) -> Result<(), ProviderError> + Send,
) -> Result<Completeness, ProviderError> {
    let call = |operation| Call { doing: doing.to_owned(), operation };
    let mut answer = session.read(&call(Operation::Query { statement: statement.to_owned(), most: LARGEST_PAGE })).await?;
    let mut visited = BTreeSet::new();
    let mut declared = None;
    let mut rows = 0;
    loop {
        let page = Page::read(&answer).ok_or_else(|| incomplete(doing, "a page has no `size` or no `done`"))?;
        if *declared.get_or_insert(page.size) != page.size {
            return Err(incomplete(doing, "the size changed between two pages"));
        }
        for record in &page.records {
            // In the system's own spelling, whatever the query's (recorded).
            let kind = record.attribute("type").map(|kind| kind.rsplit_once(':').map_or(kind, |(_, kind)| kind));
            if kind.is_some_and(|kind| !kind.eq_ignore_ascii_case(object)) {
                return Err(error(ErrorClass::Malformed, doing, "malformed-answer", "a record is of another object"));
            }
            rows += 1;
            take(record)?;
        }
        let wrong_count = || incomplete(doing, format!("{rows} rows arrived, but the system declared {}", page.size));
        if rows > page.size {
            return Err(wrong_count());
        }
        let locator = match (page.done, page.locator) {
            // A last page that names a next one is whole all the same when the numbers agree: whether it may is not documented.
            (true, _) if rows == page.size => return Ok(Completeness { rows, declared: page.size }),
            (true, _) => return Err(wrong_count()),
            (false, None) => return Err(incomplete(doing, "a page that is not the last names no next one")),
            (false, Some(_)) if page.records.is_empty() => {
                return Err(incomplete(doing, "a page that is not the last is empty"));
            }
            (false, Some(locator)) => locator.to_owned(),
        };
        if !visited.insert(locator.clone()) {
            return Err(incomplete(doing, "two pages name the same next one"));
        }
        answer = session.read(&call(Operation::QueryMore { locator })).await?;
    }
}

/// The key of a record.
pub(super) fn key(doing: &str, record: &Element, name: &str) -> Result<RecordId, ProviderError> {
    let not_an_id = || {
        let message = "the value in the place of the record's id is not an id (32 letters and digits, or digits alone)";
        error(ErrorClass::Malformed, doing, "malformed-id", message)
    };
    zuora_record_key(field(record, name).trim()).ok_or_else(not_an_id)
}

/// Streams a query's rows.
pub(super) async fn select(session: &Session, query: &Query, sink: &mut dyn RowSink) -> Result<Completeness, ProviderError> {
    let doing = &format!("select {} records", query.object);
    let mut columns = vec![query.key.as_str()];
    for name in &query.fields {
        if !columns.iter().any(|column| column.eq_ignore_ascii_case(name)) {
            columns.push(name);
        }
    }
    let statement = statement(doing, query, &columns)?;
    page_through(session, doing, &query.object, &statement, |record| {
        let id = key(doing, record, &query.key)?;
        let values = query.fields.iter().map(|name| field(record, name).to_owned()).collect();
        sink.row(Row { id, values }).map_err(|cause| not_kept(doing, &cause))
    })
    .await
}

/// How many records match a query: every page tells it, so that a page of one will do. There is no `count` (documented).
pub(super) async fn count(session: &Session, query: &Query) -> Result<u64, ProviderError> {
    let doing = format!("count {} records", query.object);
    let statement = statement(&doing, query, &[query.key.as_str()])?;
    let answer = session.read(&Call { doing: doing.clone(), operation: Operation::Query { statement, most: 1 } }).await?;
    let page = Page::read(&answer).ok_or_else(|| incomplete(&doing, "the answer has no `size` or no `done`"))?;
    Ok(page.size)
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;
    use crate::plan::Count;
    use crate::provider::transport::scripted::{Reply, answer};

    const NEXT: &str = "2c92c0f9542cee3a01542f9d55e03598-2";

    /// Selects from pages that come one after the other.
    async fn select_from(fields: &[&str], pages: Vec<Reply>) -> (Vec<Row>, Result<Completeness, ProviderError>) {
        let mut pages = pages.into_iter();
        let (provider, _) = tenant(move |_| pages.next().expect("another page"));
        let mut rows = Rows::default();
        let proof = provider.select(&query(fields), 100, &mut rows).await;
        (rows.0, proof)
    }

    async fn refused(pages: Vec<Reply>) -> String {
        let error = select_from(&[], pages).await.1.expect_err("not proven");
        assert_eq!(error.class, ErrorClass::Incomplete, "{error}");
        error.message
    }

    fn usage(number: u64) -> String {
        record("Usage", &[("Id", ids(number + 1)[number as usize].as_str())])
    }

    #[tokio::test]
    async fn follows_pages_to_the_proven_end() {
        let (provider, transport) = tenant(|seen| match operation_of(seen).as_str() {
            "query" => page(3, false, Some(NEXT), &[usage(0), usage(1)]),
            _ => page(3, true, None, &[usage(2)]),
        });
        let mut rows = Rows::default();
        let proof = provider.select(&query(&[]), 100, &mut rows).await.expect("complete");
        assert_eq!(proof, Completeness { rows: 3, declared: 3 });
        assert_eq!(rows.0.iter().map(|row| row.id).collect::<Vec<_>>(), ids(3));
        let seen = asked_of(&transport);
        assert!(
            seen[0].contains("<zns:queryString>select Id from Usage where Quantity &lt; 1</zns:queryString>"),
            "{}",
            seen[0]
        );
        assert!(seen[1].contains(&format!("<zns:queryMore><zns:queryLocator>{NEXT}</zns:queryLocator>")), "{}", seen[1]);
    }

    #[tokio::test]
    async fn the_nil_record_of_an_empty_answer_is_none() {
        let nil = "<ns1:records xsi:nil=\"1\" />".to_owned();
        let (rows, proof) = select_from(&[], vec![page(0, true, None, std::slice::from_ref(&nil))]).await;
        assert_eq!((rows.len(), proof), (0, Ok(Completeness { rows: 0, declared: 0 })));
        assert_eq!(refused(vec![page(1, true, None, &[nil])]).await, "0 rows arrived, but the system declared 1");
    }

    #[tokio::test]
    async fn gives_the_fields_in_their_order_and_missing_ones_empty() {
        let id = ids(1)[0];
        let shown = [("Id", id.as_str()), ("UOM", "Each &amp; every"), ("UpdatedDate", "2011-12-28T17:23:27.000-08:00")];
        let (rows, proof) = select_from(
            &["uom", "SourceName", "UpdatedDate", "Id", "UOM"],
            vec![page(1, true, None, &[record("Usage", &shown)])],
        )
        .await;
        proof.expect("complete");
        let values = ["Each & every", "", "2011-12-28T17:23:27.000-08:00", id.as_str(), "Each & every"].map(str::to_owned);
        assert_eq!(rows, [Row { id, values: values.into() }]);
    }

    #[tokio::test]
    async fn refuses_whatever_is_not_proven() {
        assert_eq!(refused(vec![page(3, true, None, &[usage(0)])]).await, "1 rows arrived, but the system declared 3");
        assert_eq!(
            refused(vec![page(1, true, None, &[usage(0), usage(1)])]).await,
            "2 rows arrived, but the system declared 1"
        );
        let pages = vec![page(3, false, Some(NEXT), &[usage(0)]), page(2, true, None, &[usage(1)])];
        assert_eq!(refused(pages).await, "the size changed between two pages");
        let pages = vec![page(9, false, Some(NEXT), &[usage(0)]), page(9, false, Some(NEXT), &[usage(1)])];
        assert_eq!(refused(pages).await, "two pages name the same next one");
        assert_eq!(refused(vec![page(2, false, None, &[usage(0)])]).await, "a page that is not the last names no next one");
        assert_eq!(refused(vec![page(2, false, Some(NEXT), &[])]).await, "a page that is not the last is empty");
        for result in
            ["", "<ns1:result><ns1:done>true</ns1:done></ns1:result>", "<ns1:result><ns1:size>0</ns1:size></ns1:result>"]
        {
            assert_eq!(
                refused(vec![envelope(&format!("<ns1:queryResponse>{result}</ns1:queryResponse>"))]).await,
                "a page has no `size` or no `done`"
            );
        }
    }

    #[tokio::test]
    async fn refuses_rows_that_are_none() {
        for row in [
            record("Usage", &[("UOM", "x")]),
            record("Usage", &[("Id", "")]),
            record("Usage", &[("Id", "' or Id != '")]),
            record("Usage", &[("Id", "2c92c0f9542cee3a01542f9d55e0359")]),
            record("Account", &[("Id", ids(1)[0].as_str())]),
        ] {
            let error = select_from(&[], vec![page(1, true, None, &[row])]).await.1.expect_err("no row");
            assert_eq!(error.class, ErrorClass::Malformed, "{error}");
        }
    }

    #[tokio::test]
    async fn counts_by_the_size_of_a_page_of_one() {
        let (provider, transport) = tenant(|_| page(14_552, false, Some(NEXT), &[usage(0)]));
        assert_eq!(provider.count(&query(&["UOM"])).await, Ok(Count::Exact(14_552)));
        assert!(asked_of(&transport)[0].contains("<zns:batchSize>1</zns:batchSize>"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_read_is_repeated_a_few_times_and_a_refusal_is_not() {
        let mut failures = 0;
        let (provider, transport) = tenant(move |_| {
            failures += 1;
            match failures {
                1 => Reply::NoAnswer,
                2 => answer(503, &[], "<html>"),
                3 => answer(200, &[], "<e:Envelope xmlns:e='x'><e:Body>"),
                4 => fault("LOCK_COMPETITION", "Operation failed due to a lock competition, please retry later."),
                _ => page(7, true, None, &[]),
            }
        });
        assert_eq!(provider.count(&query(&[])).await, Ok(Count::Exact(7)));
        assert_eq!(asked_of(&transport).len(), 5);
        let (provider, transport) = tenant(|_| fault("MALFORMED_QUERY", "You have an error in your ZOQL syntax"));
        assert_eq!(provider.count(&query(&[])).await.expect_err("wrong").class, ErrorClass::Invalid);
        assert_eq!(asked_of(&transport).len(), 1);
        let (provider, _) = tenant(|_| fault_of("InvalidQueryLocatorFault", "INVALID_VALUE", "locator expired"));
        assert!(provider.count(&query(&[])).await.is_err());
    }

    #[tokio::test]
    async fn a_name_that_carries_an_expression_and_a_long_statement_are_refused_here() {
        let (provider, _) = tenant(|_| panic!("nothing may be asked"));
        for field in ["", "Id from Account", "UOM,Id", "A.B", "count(Id)", "ä"] {
            let error = provider.select(&query(&[field]), 1, &mut Rows::default()).await.expect_err(field);
            assert_eq!(error.code, "invalid-name");
        }
        let long = Query { condition: Some("A = 1 or ".repeat(2_000)), ..query(&[]) };
        assert_eq!(provider.count(&long).await.expect_err("too long").code, "query-too-long");
    }

    #[test]
    fn a_key_has_one_of_two_forms() {
        for text in ["2c92c0f9542cee3a01542f9d55e03598", "1", "123456789012345678901234567890123456"] {
            assert!(zuora_record_key(text).is_some(), "{text}");
        }
        for text in [
            "",
            "x",
            "2c92c0f9542cee3a01542f9d55e0359",
            "2c92c0f9542cee3a01542f9d55e03598a",
            "2c92c0f9-42cee3a01542f9d55e03598",
        ] {
            assert!(zuora_record_key(text).is_none(), "{text}");
        }
    }
}
