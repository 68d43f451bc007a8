//! Batches that ask: a statement in, a file of rows out.

use std::io;

use super::answer::NAMESPACE;
use super::data::ContentType;
use super::request::CreateJob;
use crate::sandbox::salesforce::json_record::{write_attributes, write_name, write_text, write_value};
use crate::sandbox::salesforce::query::{RowScope, Statement};
use crate::sandbox::xml_writer::{XmlWriter, document, text};
use crate::sandbox::{RecordKey, Value, World};

/// The first three characters of a result's identifier. Source: documented.
const RESULT_PREFIX: [u8; 3] = *b"752";

/// What a batch found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// How many rows.
    pub rows: usize,
    /// The rows, as the job's batches are written.
    pub file: bytes::Bytes,
}

/// The identifier of the one result of a batch.
pub fn result_of(batch: RecordKey) -> RecordKey {
    batch.with_prefix(RESULT_PREFIX)
}

/// Runs the statement of a batch, or says with which message of its state it fails: its beginning is seen by clients.
pub fn run(world: &World, wanted: &CreateJob, user: RecordKey, version: u32, statement: &[u8]) -> Result<Found, String> {
    let failed = |code: &str, message: &str| format!("InvalidBatch : Failed to process query: {code}: {message}");
    let asked = std::str::from_utf8(statement).map_err(|_| failed("MALFORMED_QUERY", "the statement is not UTF-8"))?;
    let scope = if wanted.operation == "queryAll" { RowScope::All } else { RowScope::Usual };
    let checked = Statement::check(world, asked, scope).and_then(|statement| {
        statement.check_access(world, user, asked)?;
        Ok(statement)
    });
    let statement = checked.map_err(|problem| failed(problem.code, &problem.message))?;
    if statement.object(world) != wanted.object {
        // The words are a guess.
        return Err(failed("INVALID_TYPE", &format!("the job is about {}", wanted.object)));
    }
    // That these are not supported is documented; code and texts are guesses.
    if statement.is_aggregate() {
        return Err(failed("FUNCTIONALITY_NOT_ENABLED", "Aggregate Relationships not supported in Bulk Query"));
    }
    if statement.has_offset() {
        return Err(failed("FUNCTIONALITY_NOT_ENABLED", "OFFSET is not supported in Bulk Query"));
    }
    let keys = statement.run(world, user);
    let names: Vec<&str> = statement.columns().iter().map(|column| column.name.as_str()).collect();
    if wanted.content != ContentType::Csv && names.iter().any(|name| name.contains('.')) {
        return Err(format!(
            "InvalidBatch : the sandbox writes the fields of parents in CSV only, not in {}",
            wanted.content.name()
        ));
    }
    let rows = keys.iter().map(|key| (*key, statement.values(world, *key)));
    let file = match wanted.content {
        ContentType::Csv => csv(&names, rows.map(|(_, values)| values)),
        ContentType::Json => json(&wanted.object, version, &names, rows),
        ContentType::Xml => xml(&wanted.object, &names, rows.map(|(_, values)| values)),
    };
    Ok(Found { rows: keys.len(), file: file.into() })
}

/// All quoted, with a header line; without any row one sentence stands in its place (seen by clients).
fn csv(names: &[&str], rows: impl ExactSizeIterator<Item = Vec<Value>>) -> Vec<u8> {
    if rows.len() == 0 {
        return b"Records not found for this query".to_vec();
    }
    let mut writer = csv::WriterBuilder::new().quote_style(csv::QuoteStyle::Always).from_writer(Vec::new());
    let mut written = writer.write_record(names);
    for values in rows {
        written = written.and_then(|()| writer.write_record(values.iter().map(Value::to_text)));
    }
    // Writing into memory cannot fail.
    written.ok().and_then(|()| writer.into_inner().ok()).unwrap_or_default()
}

/// Moments and days are milliseconds since 1970, unlike anywhere else: of moments seen by clients, of days a guess.
fn json(object: &str, version: u32, names: &[&str], rows: impl Iterator<Item = (RecordKey, Vec<Value>)>) -> Vec<u8> {
    let mut output = b"[".to_vec();
    for (number, (key, values)) in rows.enumerate() {
        output.extend(if number > 0 { &b",{"[..] } else { b"{" });
        write_attributes(&mut output, object, key, &format!("{version}.0"));
        for (name, value) in names.iter().zip(values) {
            write_name(&mut output, name);
            let milliseconds = match value {
                Value::DateTime(at) => Some(at.as_millisecond()),
                Value::Date(day) => {
                    day.to_zoned(jiff::tz::TimeZone::UTC).ok().map(|midnight| midnight.timestamp().as_millisecond())
                }
                _ => None,
            };
            match (milliseconds, &value) {
                (Some(milliseconds), _) => output.extend(milliseconds.to_string().into_bytes()),
                // An identifier is text here as well.
                (None, Value::Reference(key)) => write_text(&mut output, &key.to_string()),
                (None, value) => write_value(&mut output, value, None),
            }
        }
        output.push(b'}');
    }
    output.push(b']');
    output
}

/// The layout is recorded: the type and the identifier stand before the fields, whether they were asked for or not.
fn xml(object: &str, names: &[&str], rows: impl Iterator<Item = Vec<Value>>) -> Vec<u8> {
    let attributes = [("xmlns", NAMESPACE), ("xmlns:xsi", "http://www.w3.org/2001/XMLSchema-instance")];
    document("queryResult", &attributes, |writer| {
        for values in rows {
            let id = names.iter().position(|name| *name == "Id").map_or(&Value::Null, |place| &values[place]);
            writer.create_element("records").with_attribute(("xsi:type", "sObject")).write_inner_content(|writer| {
                text(writer, "type", object)?;
                field(writer, "Id", id)?;
                names.iter().zip(&values).try_for_each(|(name, value)| field(writer, name, value))
            })?;
        }
        Ok(())
    })
}

fn field(writer: &mut XmlWriter, name: &str, value: &Value) -> io::Result<()> {
    if value.is_null() {
        return writer.create_element(name).with_attribute(("xsi:nil", "true")).write_empty().map(|_| ());
    }
    text(writer, name, &value.to_text())
}
