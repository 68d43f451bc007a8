//! The query resources: `/query`, `/queryAll` and the pages behind them.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use http::{HeaderMap, StatusCode};
use serde::Deserialize;

use super::columns::metadata;
use super::cursor::Cursor;
use super::problem::QueryProblem;
use super::route::{Hop, Route};
use super::scan::RowScope;
use super::statement::{Column, Shape, Statement};
use crate::sandbox::fault::WorkFaults;
use crate::sandbox::salesforce::error::{ApiError, json, json_response};
use crate::sandbox::salesforce::gate::ApiVersion;
use crate::sandbox::salesforce::json_record::{write_attributes, write_name, write_text, write_value};
use crate::sandbox::session::Session;
use crate::sandbox::{CountLimit, CountRefusal, RecordKey, Sandbox, Value, World};

/// The most rows of a page, and how many there are unless asked otherwise (documented).
const LARGEST_PAGE: usize = 2_000;
/// The fewest rows a client may ask for (documented).
const SMALLEST_PAGE: usize = 200;

#[derive(Deserialize)]
pub(in crate::sandbox) struct Text {
    q: Option<String>,
    /// `true` asks for the columns instead of the rows.
    columns: Option<String>,
}

/// `GET …/query?q=…`.
pub(in crate::sandbox) async fn query(
    State(sandbox): State<Sandbox>,
    Extension(session): Extension<Session>,
    Extension(version): Extension<ApiVersion>,
    Extension(faults): Extension<WorkFaults>,
    headers: HeaderMap,
    Query(text): Query<Text>,
) -> Result<Response, ApiError> {
    let request = Request { sandbox, session, version, faults, page_size: page_size(&headers) };
    request.answer(&text, RowScope::Usual)
}

/// `GET …/queryAll?q=…`: with archived rows and the recycle bin.
pub(in crate::sandbox) async fn query_all(
    State(sandbox): State<Sandbox>,
    Extension(session): Extension<Session>,
    Extension(version): Extension<ApiVersion>,
    Extension(faults): Extension<WorkFaults>,
    headers: HeaderMap,
    Query(text): Query<Text>,
) -> Result<Response, ApiError> {
    let request = Request { sandbox, session, version, faults, page_size: page_size(&headers) };
    request.answer(&text, RowScope::All)
}

/// `GET …/query/{locator}`.
pub(in crate::sandbox) async fn next_page(
    State(sandbox): State<Sandbox>,
    Extension(session): Extension<Session>,
    Extension(version): Extension<ApiVersion>,
    Extension(faults): Extension<WorkFaults>,
    Path(path): Path<LocatorPath>,
) -> Result<Response, ApiError> {
    let request = Request { sandbox, session, version, faults, page_size: LARGEST_PAGE };
    request.next(&path.locator)
}

#[derive(Deserialize)]
pub(in crate::sandbox) struct LocatorPath {
    locator: String,
}

/// The page size a client asks for: `Sforce-Query-Options: batchSize=N`.
fn page_size(headers: &HeaderMap) -> usize {
    let options = headers.get("sforce-query-options").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let sizes = options.split([',', ';']).filter_map(|option| option.trim().split_once('='));
    let size = sizes
        .filter(|(name, _)| name.trim().eq_ignore_ascii_case("batchSize"))
        .find_map(|(_, size)| size.trim().parse().ok());
    size.unwrap_or(LARGEST_PAGE).clamp(SMALLEST_PAGE, LARGEST_PAGE)
}

struct Request {
    sandbox: Sandbox,
    session: Session,
    version: ApiVersion,
    faults: WorkFaults,
    page_size: usize,
}

impl Request {
    fn answer(&self, asked: &Text, rows: RowScope) -> Result<Response, ApiError> {
        // The text for a missing query is from memory.
        let text = asked
            .q
            .as_deref()
            .ok_or_else(|| QueryProblem::plain("MALFORMED_QUERY", "A query string has to be specified"))?;
        let world = self.sandbox.world();
        let statement = Statement::check(&world, text, rows)?;
        statement.check_access(&world, self.session.user, text)?;
        if asked.columns.as_deref().is_some_and(|asked| asked.eq_ignore_ascii_case("true")) {
            return Ok(json(StatusCode::OK, &metadata(&world, &statement)));
        }
        match &statement.shape {
            Shape::Count => {
                let (count, _) = statement.counts(&world, self.session.user);
                self.check_length(count)?;
                let total = self.declared(count as usize);
                let body = format!("{{\"totalSize\":{total},\"done\":true,\"records\":[]}}");
                Ok(json_response(StatusCode::OK, Ok(body.into_bytes())))
            }
            Shape::Aggregate(columns) => {
                let (count, counts) = statement.counts(&world, self.session.user);
                self.check_length(count)?;
                Ok(json_response(StatusCode::OK, Ok(aggregate(columns, &counts))))
            }
            Shape::Records(_) => {
                let keys: Arc<[RecordKey]> = statement.run(&world, self.session.user).into();
                let cursor = Cursor {
                    statement: Arc::new(statement),
                    total: self.declared(keys.len()),
                    keys,
                    page_size: self.page_size,
                    user: self.session.user,
                };
                let locator =
                    (cursor.keys.len() > cursor.page_size).then(|| self.sandbox.cursors().open(cursor.clone(), world.now()));
                Ok(self.page(&world, &cursor, locator, 0))
            }
        }
    }

    /// Refuses a count of more rows than there is time for. A query has 120 seconds (documented); the first text is recorded, the
    /// second one is seen by clients.
    fn check_length(&self, rows: u64) -> Result<(), QueryProblem> {
        match self.sandbox.settings().count_limit {
            Some(CountLimit { rows: most, refusal }) if rows > most => Err(match refusal {
                CountRefusal::QueryTimeout => {
                    QueryProblem::plain("QUERY_TIMEOUT", "Your query request was running for too long.")
                }
                CountRefusal::OperationTooLarge => QueryProblem::plain(
                    "OPERATION_TOO_LARGE",
                    "exceeded 100000 distinct who/what's on the query, please narrow the query",
                ),
            }),
            _ => Ok(()),
        }
    }

    fn next(&self, locator: &str) -> Result<Response, ApiError> {
        let bad = || ApiError::new(StatusCode::BAD_REQUEST, "INVALID_QUERY_LOCATOR", "invalid query locator");
        let (key, offset) = locator.split_once('-').ok_or_else(bad)?;
        let key = RecordKey::parse(key).map_err(|_| bad())?;
        let offset: usize = offset.parse().map_err(|_| bad())?;
        let world = self.sandbox.world();
        let cursor = self.sandbox.cursors().find(key, self.session.user, world.now()).ok_or_else(bad)?;
        if offset > cursor.keys.len() {
            return Err(bad());
        }
        Ok(self.page(&world, &cursor, Some(key), offset))
    }

    fn declared(&self, total: usize) -> i64 {
        (i64::try_from(total).unwrap_or(i64::MAX)).saturating_add(self.faults.wrong_total()).max(0)
    }

    /// One page: total, whether it is the last, where the next one is, the records.
    fn page(&self, world: &World, cursor: &Cursor, locator: Option<RecordKey>, offset: usize) -> Response {
        let end = (offset + cursor.page_size).min(cursor.keys.len());
        let done = end == cursor.keys.len();
        let version = self.version.dotted();
        let mut output = format!("{{\"totalSize\":{},\"done\":{done},", cursor.total).into_bytes();
        if let Some(locator) = locator.filter(|_| !done) {
            output.extend(b"\"nextRecordsUrl\":");
            write_text(&mut output, &format!("/services/data/v{version}/query/{locator}-{end}"));
            output.push(b',');
        }
        output.extend(b"\"records\":[");
        let shown = end - offset;
        let shown = shown - self.faults.short_by().min(shown);
        let columns = Node::tree(cursor.statement.columns());
        for (number, key) in cursor.keys[offset..offset + shown].iter().enumerate() {
            if number > 0 {
                output.push(b',');
            }
            match world.locate(*key) {
                Some((table, row)) => Node::write(&columns, &mut output, world, table, row, &version),
                None => output.extend(b"null"),
            }
        }
        output.extend(b"]}");
        json_response(StatusCode::OK, Ok(output))
    }
}

/// The one row of `SELECT COUNT(Id) FROM …`.
fn aggregate(columns: &[Column], counts: &[u64]) -> Vec<u8> {
    let mut output = b"{\"totalSize\":1,\"done\":true,\"records\":[{\"attributes\":{\"type\":\"AggregateResult\"}".to_vec();
    for (column, count) in columns.iter().zip(counts) {
        write_name(&mut output, &column.name);
        output.extend(count.to_string().into_bytes());
    }
    output.extend(b"}]}");
    output
}

/// The columns of a query as the nesting of its answer: fields, and parents with their own.
enum Node<'a> {
    Field(&'a Route),
    Parent(&'a Hop, Vec<Node<'a>>),
}

impl<'a> Node<'a> {
    fn tree(columns: &'a [Column]) -> Vec<Self> {
        let mut roots = Vec::new();
        for column in columns {
            Self::place(&mut roots, &column.route.hops, &column.route);
        }
        roots
    }

    fn place(nodes: &mut Vec<Self>, hops: &'a [Hop], route: &'a Route) {
        let Some((first, rest)) = hops.split_first() else {
            nodes.push(Self::Field(route));
            return;
        };
        let known = nodes.iter_mut().find_map(|node| match node {
            Self::Parent(hop, children) if hop.place == first.place => Some(children),
            _ => None,
        });
        match known {
            Some(children) => Self::place(children, rest, route),
            None => {
                let mut children = Vec::new();
                Self::place(&mut children, rest, route);
                nodes.push(Self::Parent(first, children));
            }
        }
    }

    fn write(nodes: &[Self], output: &mut Vec<u8>, world: &World, table: usize, row: usize, version: &str) {
        let rows = &world.tables()[table];
        output.push(b'{');
        write_attributes(output, &rows.definition().name, rows.key_at(row), version);
        for node in nodes {
            match node {
                Self::Field(route) => {
                    write_name(output, &route.name);
                    write_value(output, &route.end_value(world, table, row), route.kind(world));
                }
                Self::Parent(hop, children) => {
                    write_name(output, &hop.name);
                    let parent = match world.value_at(table, row, hop.place) {
                        Value::Reference(key) => world.locate(key),
                        _ => None,
                    };
                    match parent {
                        Some((table, row)) => Self::write(children, output, world, table, row, version),
                        None => output.extend(b"null"),
                    }
                }
            }
        }
        output.push(b'}');
    }
}
