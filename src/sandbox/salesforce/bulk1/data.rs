//! What a batch brings: the rows of a CSV file, a JSON array or an XML list, all of them identifiers alone.

use serde_json::{Map, Value as Json};

use super::answer::NAMESPACE;
use crate::sandbox::xml::Element;

/// The most records of one batch (documented).
const MOST_RECORDS: usize = 10_000;

/// How the batches of a job are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContentType {
    /// Comma-separated, with a header line.
    Csv,
    /// An array of objects.
    Json,
    /// A list of `sObject` elements. What a job has that does not say (documented).
    Xml,
}

impl ContentType {
    const ALL: [Self; 3] = [Self::Csv, Self::Json, Self::Xml];

    /// The kind of that name; the case matters.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|content| content.name() == name)
    }

    /// The name that job properties use.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Csv => "CSV",
            Self::Json => "JSON",
            Self::Xml => "XML",
        }
    }

    /// The media type of batches and of their results. Clients compare the whole header with it.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv",
            Self::Json => "application/json",
            Self::Xml => "application/xml",
        }
    }

    /// The identifiers that a delete batch names, in its order and as they were sent; or the message of the state with which
    /// it fails. `operation` is the job's, as sent.
    pub fn read(self, operation: &str, data: &[u8]) -> Result<Vec<String>, String> {
        let ids = match self {
            Self::Csv => read_csv(operation, data)?,
            Self::Json => read_json(operation, data)?,
            Self::Xml => read_xml(operation, data)?,
        };
        match ids.len() {
            // The code is recorded, the text is a guess.
            0 => Err("ClientInputError : The batch has no records".to_owned()),
            1..=MOST_RECORDS => Ok(ids),
            // That there is a limit is documented, the words are a guess.
            more => Err(format!("InvalidBatch : The batch has {more} records, the limit is {MOST_RECORDS}")),
        }
    }
}

fn read_csv(operation: &str, data: &[u8]) -> Result<Vec<String>, String> {
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(data);
    let unreadable = |_| unreadable("CSV");
    let header = reader.headers().map_err(unreadable)?.clone();
    if !header.is_empty() {
        only_ids(operation, header.iter().map(|name| name.trim_start_matches('\u{feff}')))?;
    }
    reader
        .records()
        .map(|record| match record.map_err(unreadable)?.iter().collect::<Vec<_>>()[..] {
            [id] => Ok(id.to_owned()),
            _ => Err(not_only_ids(operation)),
        })
        .collect()
}

fn read_json(operation: &str, data: &[u8]) -> Result<Vec<String>, String> {
    let records: Vec<Map<String, Json>> = serde_json::from_slice(data).map_err(|_| unreadable("JSON"))?;
    let read = |record: Map<String, Json>| {
        only_ids(operation, record.keys().map(String::as_str))?;
        let id = record.values().next().and_then(Json::as_str).unwrap_or_default();
        Ok(id.to_owned())
    };
    records.into_iter().map(read).collect()
}

fn read_xml(operation: &str, data: &[u8]) -> Result<Vec<String>, String> {
    let list = Element::read(data).map_err(|_| unreadable("XML"))?;
    if list.name != "sObjects" || list.namespace != NAMESPACE {
        return Err(unreadable("XML"));
    }
    let read = |record: Element| {
        only_ids(operation, record.children.iter().map(|field| field.name.as_str()))?;
        Ok(record.children.into_iter().next().map(|field| field.text).unwrap_or_default())
    };
    list.children.into_iter().map(read).collect()
}

/// That a record has one field, and that it is the identifier. Any case is taken ([guess]); clients send `Id` and `id`.
fn only_ids<'a>(operation: &str, names: impl Iterator<Item = &'a str>) -> Result<(), String> {
    match names.collect::<Vec<_>>()[..] {
        [name] if name.eq_ignore_ascii_case("id") => Ok(()),
        // Recorded for an insert.
        [name] => Err(format!("InvalidBatch : Field name not found : {name}")),
        _ => Err(not_only_ids(operation)),
    }
}

/// Recorded.
fn not_only_ids(operation: &str) -> String {
    format!("InvalidBatch : The '{operation}' batch must contain only ids")
}

/// That such a batch is taken and fails later, and its words, are guesses.
fn unreadable(kind: &str) -> String {
    format!("InvalidBatch : Failed to parse the batch as {kind}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "001D000000ISUr3IAH";

    fn xml(records: &str) -> String {
        format!("<sObjects xmlns='{NAMESPACE}'>{records}</sObjects>")
    }

    #[test]
    fn reads_identifiers_as_they_were_sent_in_their_order() {
        let csv = format!("Id\r\n{ID}\r\n\"abc\"\r\n{ID}");
        let json = format!(r#"[{{"Id":"{ID}"}},{{"id":"abc"}},{{"Id":"{ID}"}}]"#);
        let xml =
            xml(&format!("<sObject><Id>{ID}</Id></sObject><sObject><id>abc</id></sObject><sObject><Id>{ID}</Id></sObject>"));
        for (content, data) in [(ContentType::Csv, csv), (ContentType::Json, json), (ContentType::Xml, xml)] {
            assert_eq!(content.read("delete", data.as_bytes()), Ok(vec![ID.into(), "abc".into(), ID.into()]), "{content:?}");
        }
    }

    #[test]
    fn refuses_what_is_more_than_identifiers() {
        let refused = [
            (ContentType::Csv, format!("Id,Name\n{ID},Acme\n")),
            (ContentType::Csv, format!("Id\n{ID},Acme\n")),
            (ContentType::Json, format!(r#"[{{"Id":"{ID}","Name":"Acme"}}]"#)),
            (ContentType::Xml, xml(&format!("<sObject><Id>{ID}</Id><Name>Acme</Name></sObject>"))),
        ];
        for (content, data) in refused {
            let message = "InvalidBatch : The 'hardDelete' batch must contain only ids";
            assert_eq!(content.read("hardDelete", data.as_bytes()), Err(message.to_owned()), "{content:?}");
        }
        let message = "InvalidBatch : Field name not found : Name";
        assert_eq!(ContentType::Csv.read("delete", b"Name\nAcme"), Err(message.to_owned()));
    }

    #[test]
    fn refuses_no_records_too_many_and_nonsense() {
        let codes = [
            ContentType::Csv.read("delete", b""),
            ContentType::Csv.read("delete", b"Id\n"),
            ContentType::Json.read("delete", b"[]"),
            ContentType::Csv.read("delete", "Id\n".repeat(10_002).as_bytes()),
            ContentType::Json.read("delete", b"Id\n"),
            ContentType::Xml.read("delete", b"<sObjects><sObject/></sObjects>"),
            ContentType::Xml.read("delete", b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>"),
        ];
        let codes = codes.map(|read| read.expect_err("refused").split(" :").next().unwrap_or_default().to_owned());
        let [none, also_none, again_none, rest @ ..] = codes;
        assert_eq!([none, also_none, again_none], ["ClientInputError"; 3]);
        assert_eq!(rest, ["InvalidBatch"; 4]);
        let most = format!("Id\n{}", format!("{ID}\n").repeat(MOST_RECORDS));
        assert_eq!(ContentType::Csv.read("delete", most.as_bytes()).map(|ids| ids.len()), Ok(MOST_RECORDS));
    }
}
