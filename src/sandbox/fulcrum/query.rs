//! The Query API.

use std::collections::BTreeMap;

use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use http::{HeaderMap, header};
use serde::{Deserialize, Serialize, Serializer};

use super::caller::Caller;
use super::error::ApiError;
use super::page::{PageParameters, read_json};
use super::sql::{self, ResultSet};
use super::{ColumnKind, Value};
use crate::sandbox::Sandbox;
use crate::sandbox::fault::WorkFaults;

/// What a query comes with. What only other formats have is passed over; see below for what is refused.
#[derive(Default, Deserialize)]
struct Question {
    q: Option<String>,
    format: Option<String>,
    /// Whether CSV begins with the names.
    headers: Option<bool>,
    /// Whether the rows of JSON are arrays.
    arrays: Option<bool>,
    /// Whether JSON says more of its columns, which it cannot here.
    metadata: Option<bool>,
    /// Only for the form of PostgreSQL, which is not written here.
    #[serde(rename = "table_name")]
    _table_name: Option<String>,
    /// What else a body says.
    #[serde(flatten)]
    others: BTreeMap<String, serde_json::Value>,
}

/// `GET /query?q=…`.
pub(super) async fn get(
    State(sandbox): State<Sandbox>,
    _: Caller,
    Extension(faults): Extension<WorkFaults>,
    Query(parameters): Query<BTreeMap<String, String>>,
    Query(page): Query<PageParameters>,
) -> Result<Response, ApiError> {
    let flag = |name: &str| parameters.get(name).map(|text| text == "true");
    let question = Question {
        q: parameters.get("q").cloned(),
        format: parameters.get("format").cloned(),
        headers: flag("headers"),
        arrays: flag("arrays"),
        ..Question::default()
    };
    answer(&sandbox, &question, &page, &faults)
}

/// `POST /query`. Pages are a matter of the address alone: the documented body has none.
pub(super) async fn post(
    State(sandbox): State<Sandbox>,
    _: Caller,
    Extension(faults): Extension<WorkFaults>,
    Query(page): Query<PageParameters>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, ApiError> {
    let question: Question = read_json("query", &headers, &body)?;
    answer(&sandbox, &question, &page, &faults)
}

fn answer(sandbox: &Sandbox, question: &Question, page: &PageParameters, faults: &WorkFaults) -> Result<Response, ApiError> {
    if question.metadata == Some(true) {
        return Err(ApiError::gap("the metadata of a query"));
    }
    if let Some(name) = question.others.keys().next() {
        let name: String = name.chars().take(80).collect();
        return Err(ApiError::gap(&format!("the property {name} in the body of a query")));
    }
    let text = question.q.as_deref().ok_or_else(ApiError::bad_request)?;
    let organization = sandbox.fulcrum();
    let mut result = sql::run(text, &organization).map_err(|error| ApiError::sql(error.to_string()))?;
    let range = page.range(result.rows.len());
    result.rows.truncate(range.end);
    result.rows.drain(..range.start);
    result.rows.truncate(result.rows.len().saturating_sub(faults.short_by()));
    match question.format.as_deref() {
        None | Some("csv") => Ok(csv(&result, question.headers.unwrap_or(true))),
        Some("json") => Ok(json(&result, question.arrays.unwrap_or(false), sandbox)),
        Some("geojson") => Err(ApiError::gap("queries in GeoJSON")),
        Some("postgres" | "jsonseq") => Err(ApiError::gap("queries in the forms postgres and jsonseq")),
        Some(_) => Err(ApiError::bad_request()),
    }
}

#[derive(Serialize)]
struct Answer<'a> {
    fields: Vec<AnswerField<'a>>,
    rows: Vec<AnswerRow<'a>>,
    time: f64,
    date: i64,
}

#[derive(Serialize)]
struct AnswerField<'a> {
    name: &'a str,
    #[serde(rename = "type")]
    kind: &'static str,
}

/// A row: an array, or an object if there are names.
struct AnswerRow<'a> {
    names: Option<&'a [(String, ColumnKind)]>,
    values: &'a [Value],
}

impl Serialize for AnswerRow<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let values = self.values.iter().map(Value::to_json);
        let Some(names) = self.names else { return serializer.collect_seq(values) };
        // Of columns with the same name an object has the last one only.
        let is_last =
            |(place, (name, _)): &(usize, &(String, ColumnKind))| !names[place + 1..].iter().any(|(next, _)| next == name);
        let named = names.iter().enumerate().zip(values).filter(|(column, _)| is_last(column));
        serializer.collect_map(named.map(|((_, (name, _)), value)| (name, value)))
    }
}

/// The form is recorded.
fn json(result: &ResultSet, arrays: bool, sandbox: &Sandbox) -> Response {
    let names = (!arrays).then_some(result.columns.as_slice());
    let answer = Answer {
        fields: result.columns.iter().map(|(name, kind)| AnswerField { name, kind: kind.wire_name() }).collect(),
        rows: result.rows.iter().map(|values| AnswerRow { names, values }).collect(),
        time: 0.01,
        date: sandbox.now().as_millisecond(),
    };
    Json(answer).into_response()
}

/// The type is what clients are tested with.
fn csv(result: &ResultSet, headers: bool) -> Response {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let header = headers.then(|| result.columns.iter().map(|(name, _)| name.clone()).collect());
    let rows = result.rows.iter().map(|row| row.iter().map(Value::to_text).collect());
    for row in header.into_iter().chain(rows) {
        let row: Vec<String> = row;
        writer.write_record(row).expect("memory takes any row");
    }
    let bytes = writer.into_inner().expect("memory can be flushed");
    ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], bytes).into_response()
}
