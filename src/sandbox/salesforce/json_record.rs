//! Records as JSON objects, written without a tree in between, so that the fields keep their order.

use crate::sandbox::world::Table;
use crate::sandbox::{FieldKind, RecordKey, Value};

use super::error::moment;

/// Text as a JSON string, quotes included.
pub(super) fn write_text(output: &mut Vec<u8>, text: &str) {
    // Writing text into memory cannot fail.
    let _ = serde_json::to_writer(output, text);
}

/// One value, in the form its field's type asks for.
pub(super) fn write_value(output: &mut Vec<u8>, value: &Value, kind: Option<&FieldKind>) {
    match value {
        Value::Null => output.extend(b"null"),
        Value::Boolean(value) => output.extend(value.to_string().into_bytes()),
        Value::Number(value) if matches!(kind, Some(FieldKind::Integer)) => {
            output.extend((*value as i64).to_string().into_bytes());
        }
        Value::Number(value) => {
            let _ = serde_json::to_writer(output, value);
        }
        Value::Date(value) => write_text(output, &value.to_string()),
        Value::DateTime(value) => write_text(output, &moment(*value)),
        Value::Text(value) => write_text(output, value),
        Value::Reference(value) => write_text(output, &value.to_string()),
    }
}

/// The `"attributes":{…}` that begins every record.
pub(super) fn write_attributes(output: &mut Vec<u8>, object: &str, key: RecordKey, version: &str) {
    output.extend(b"\"attributes\":{\"type\":");
    write_text(output, object);
    output.extend(b",\"url\":");
    write_text(output, &format!("/services/data/v{version}/sobjects/{object}/{key}"));
    output.extend(b"}");
}

/// The name and the colon of one more member.
pub(super) fn write_name(output: &mut Vec<u8>, name: &str) {
    output.push(b',');
    write_text(output, name);
    output.push(b':');
}

/// The fields of an object by name, or the first name that is none.
pub(super) fn known_fields<'a>(
    table: &Table,
    names: impl Iterator<Item = &'a str>,
) -> Result<Vec<crate::sandbox::world::Place>, &'a str> {
    names.map(|name| table.place(name.trim()).ok_or(name)).collect()
}
