//! Answers about jobs and batches: the same fields as XML or as JSON.

use std::collections::BTreeMap;
use std::io;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode, header};
use jiff::Timestamp;
use serde_json::{Value as Json, json as tree};

use crate::sandbox::salesforce::error::moment;
use crate::sandbox::xml_writer::{XmlWriter, document, inside, text};

/// The namespace of everything in XML (documented).
pub const NAMESPACE: &str = "http://www.force.com/2009/06/asyncapi/dataload";

/// How an answer about a job or a batch is written. It follows the request's own media type (documented).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// `application/xml`.
    Xml,
    /// `application/json`.
    Json,
}

impl Format {
    /// The format a request is written in; none when it has no body of these two kinds.
    pub fn asked(headers: &HeaderMap) -> Option<Self> {
        match media_type(headers) {
            "application/json" => Some(Self::Json),
            "application/xml" | "text/xml" => Some(Self::Xml),
            _ => None,
        }
    }

    /// The media type. Clients compare the whole header, so that it has no parameters.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Xml => "application/xml",
            Self::Json => "application/json",
        }
    }
}

/// The media type of a body, without its parameters.
pub fn media_type(headers: &HeaderMap) -> &str {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    value.split(';').next().unwrap_or_default().trim()
}

/// One value of an answer, whose two forms differ in more than the quotes.
#[derive(Clone, Debug)]
pub enum Field {
    /// Text.
    Text(String),
    /// A number.
    Count(u64),
    /// A moment: `…Z` in XML, `…+0000` in JSON (documented).
    Moment(Timestamp),
    /// A version: text in XML, a number in JSON (documented).
    Version(u32),
}

/// What is told about a job, a batch or an error: named values in the order of the schema.
pub type Fields = Vec<(&'static str, Field)>;

impl Field {
    fn xml(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Count(count) => count.to_string(),
            Self::Moment(moment) => moment.strftime("%Y-%m-%dT%H:%M:%S.000Z").to_string(),
            Self::Version(version) => format!("{version}.0"),
        }
    }

    fn json(&self) -> Json {
        match self {
            Self::Text(text) => tree!(text),
            Self::Count(count) => tree!(count),
            Self::Moment(at) => tree!(moment(*at)),
            Self::Version(version) => tree!(f64::from(*version)),
        }
    }
}

/// One object.
pub fn object(status: StatusCode, format: Format, root: &str, fields: &Fields) -> Response {
    let body = match format {
        Format::Xml => document(root, &[("xmlns", NAMESPACE)], |writer| write_fields(writer, fields)),
        Format::Json => as_json(&json_object(fields)),
    };
    respond(status, format.media_type(), body)
}

/// The batches of a job.
pub fn batch_list(format: Format, batches: &[Fields]) -> Response {
    let body = match format {
        Format::Xml => document("batchInfoList", &[("xmlns", NAMESPACE)], |writer| {
            batches.iter().try_for_each(|fields| inside(writer, "batchInfo", |writer| write_fields(writer, fields)))
        }),
        Format::Json => as_json(&tree!({ "batchInfo": batches.iter().map(json_object).collect::<Vec<_>>() })),
    };
    respond(StatusCode::OK, format.media_type(), body)
}

/// The identifiers of the results of a batch.
pub fn result_list(format: Format, results: &[String]) -> Response {
    let body = match format {
        Format::Xml => document("result-list", &[("xmlns", NAMESPACE)], |writer| {
            results.iter().try_for_each(|result| text(writer, "result", result))
        }),
        Format::Json => as_json(&results),
    };
    respond(StatusCode::OK, format.media_type(), body)
}

/// A body of exactly this media type.
pub fn respond(status: StatusCode, media_type: &'static str, body: impl Into<Body>) -> Response {
    (status, [(header::CONTENT_TYPE, media_type)], body.into()).into_response()
}

fn write_fields(writer: &mut XmlWriter, fields: &Fields) -> io::Result<()> {
    fields.iter().try_for_each(|(name, field)| text(writer, name, &field.xml()))
}

/// In JSON the names are in alphabetical order (documented and recorded).
fn json_object(fields: &Fields) -> BTreeMap<&'static str, Json> {
    fields.iter().map(|(name, field)| (*name, field.json())).collect()
}

/// Text and numbers can always be written.
pub fn as_json(value: &impl serde::Serialize) -> Vec<u8> {
    serde_json::to_vec(value).unwrap_or_default()
}
