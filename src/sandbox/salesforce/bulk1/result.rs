//! The results of a batch, row by row in the order of the request.

use std::io;

use serde::Serialize;

use super::answer::{NAMESPACE, as_json};
use super::batch::Batch;
use super::data::ContentType;
use crate::sandbox::salesforce::bulk_rows::error_cell;
use crate::sandbox::xml_writer::{XmlWriter, document, inside, text};
use crate::sandbox::{ItemError, RecordKey};

/// One row. A failed one has no identifier: its place is all that tells which it is (documented).
#[derive(Serialize)]
struct Row<'a> {
    success: bool,
    created: bool,
    id: Option<String>,
    errors: Vec<RowError<'a>>,
}

/// Why a row failed (recorded by clients; the last member is always null here).
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RowError<'a> {
    message: &'a str,
    fields: &'a [String],
    status_code: &'a str,
    extended_error_details: Option<()>,
}

/// The identifier as results show it: in its long form, whatever was sent.
fn shown(id: &str) -> String {
    RecordKey::parse(id).map_or_else(|_| id.to_owned(), |key| key.to_string())
}

/// The results of what was tried, in the form of the batch itself (documented).
pub fn write(batch: &Batch, content: ContentType) -> Vec<u8> {
    match content {
        ContentType::Csv => write_csv(batch),
        ContentType::Json => {
            let rows: Vec<Row<'_>> = batch.results().map(|(id, error)| row(id, error)).collect();
            as_json(&rows)
        }
        ContentType::Xml => document("results", &[("xmlns", NAMESPACE)], |writer| {
            batch.results().try_for_each(|(id, error)| inside(writer, "result", |writer| write_xml(writer, id, error)))
        }),
    }
}

fn row<'a>(id: &str, error: Option<&'a ItemError>) -> Row<'a> {
    let errors = error.map(|error| RowError {
        message: &error.message,
        fields: &error.fields,
        status_code: &error.status_code,
        extended_error_details: None,
    });
    Row {
        success: error.is_none(),
        created: false,
        id: error.is_none().then(|| shown(id)),
        errors: errors.into_iter().collect(),
    }
}

fn write_xml(writer: &mut XmlWriter, id: &str, error: Option<&ItemError>) -> io::Result<()> {
    match error {
        Some(error) => inside(writer, "errors", |writer| {
            error.fields.iter().try_for_each(|field| text(writer, "fields", field))?;
            text(writer, "message", &error.message)?;
            text(writer, "statusCode", &error.status_code)
        })?,
        None => text(writer, "id", &shown(id))?,
    }
    text(writer, "success", if error.is_none() { "true" } else { "false" })?;
    text(writer, "created", "false")
}

fn write_csv(batch: &Batch) -> Vec<u8> {
    let mut writer = csv::WriterBuilder::new().quote_style(csv::QuoteStyle::Always).from_writer(Vec::new());
    let mut write = |cells: [&str; 4]| writer.write_record(cells);
    let mut written = write(["Id", "Success", "Created", "Error"]);
    for (id, error) in batch.results() {
        written = written.and_then(|()| match error {
            Some(error) => write(["", "false", "false", &error_cell(error)]),
            None => write([&shown(id), "true", "false", ""]),
        });
    }
    // Writing into memory cannot fail.
    written.ok().and_then(|()| writer.into_inner().ok()).unwrap_or_default()
}
