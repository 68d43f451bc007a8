//! What a client asks for when it makes or changes a job.

use serde_json::{Map, Value as Json};

use super::answer::{Format, NAMESPACE};
use super::data::ContentType;
use super::refusal;
use crate::sandbox::salesforce::error::ApiError;
use crate::sandbox::xml::Element;

/// A well-formed request for a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreateJob {
    /// `delete`, `hardDelete`, `query` or `queryAll`.
    pub operation: &'static str,
    /// The object, as spelt in the request.
    pub object: String,
    /// Whether its batches wait for each other.
    pub serial: bool,
    /// How its batches will be written.
    pub content: ContentType,
}

/// What a change of state asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transition {
    /// `Closed`
    Close,
    /// `Aborted`
    Abort,
}

/// The properties a client may send, in the order in which XML must have them (documented).
const PROPERTIES: [&str; 6] = ["operation", "object", "state", "externalIdFieldName", "concurrencyMode", "contentType"];

/// Whatever is wrong with a job's properties (recorded for an operation in the wrong case).
fn unparsable() -> ApiError {
    refusal("InvalidJob", "Unable to parse Job")
}

impl CreateJob {
    /// Reads the request's body.
    pub fn read(format: Format, body: &[u8]) -> Result<Self, ApiError> {
        let properties = Properties::read(format, body)?;
        if properties.get("state").is_some() {
            return Err(unparsable());
        }
        let operation = match properties.get("operation").ok_or_else(unparsable)? {
            "delete" => "delete",
            "hardDelete" => "hardDelete",
            "query" => "query",
            "queryAll" => "queryAll",
            other @ ("insert" | "update" | "upsert") => {
                return Err(refusal("InvalidJob", format!("The sandbox does not carry out the operation {other}.")));
            }
            _ => return Err(unparsable()),
        };
        let serial = match properties.get("concurrencyMode") {
            // Numbers are what some clients send.
            None | Some("Parallel" | "0") => false,
            Some("Serial" | "1") => true,
            Some(_) => return Err(unparsable()),
        };
        let content = properties.get("contentType").map_or(Some(ContentType::Xml), ContentType::from_name);
        let object = properties.get("object").ok_or_else(unparsable)?.to_owned();
        Ok(Self { operation, object, serial, content: content.ok_or_else(unparsable)? })
    }
}

impl CreateJob {
    /// Whether its batches read instead of deleting.
    pub fn reads(&self) -> bool {
        matches!(self.operation, "query" | "queryAll")
    }
}

impl Transition {
    /// Reads the request's body, in which nothing but the state may stand (documented).
    pub fn read(format: Format, body: &[u8]) -> Result<Self, ApiError> {
        match &Properties::read(format, body)?.0[..] {
            [(name, state)] if name == "state" => match state.as_str() {
                "Closed" => Ok(Self::Close),
                "Aborted" => Ok(Self::Abort),
                _ => Err(refusal("InvalidJobState", format!("The state {state} cannot be asked for"))),
            },
            _ => Err(unparsable()),
        }
    }
}

/// The properties of a job, as text.
struct Properties(Vec<(String, String)>);

impl Properties {
    fn read(format: Format, body: &[u8]) -> Result<Self, ApiError> {
        match format {
            Format::Json => Self::read_json(body),
            Format::Xml => Self::read_xml(body),
        }
    }

    fn read_json(body: &[u8]) -> Result<Self, ApiError> {
        let properties: Map<String, Json> = serde_json::from_slice(body).map_err(|_| unparsable())?;
        let mut read = Vec::new();
        for (name, value) in properties {
            let text = match value {
                Json::Null => continue,
                Json::String(text) => text,
                Json::Number(number) => number.to_string(),
                _ => return Err(unparsable()),
            };
            place_of(&name)?;
            read.push((name, text));
        }
        Ok(Self(read))
    }

    fn read_xml(body: &[u8]) -> Result<Self, ApiError> {
        let job = Element::read(body).map_err(|error| refusal("InvalidXml", error.to_string()))?;
        if job.name != "jobInfo" || job.namespace != NAMESPACE {
            return Err(unparsable());
        }
        let places = job.children.iter().map(|child| place_of(&child.name)).collect::<Result<Vec<_>, _>>()?;
        if !places.is_sorted() {
            return Err(unparsable());
        }
        Ok(Self(job.children.into_iter().map(|child| (child.name, child.text)).collect()))
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, text)| text.as_str())
    }
}

fn place_of(name: &str) -> Result<usize, ApiError> {
    PROPERTIES.iter().position(|known| *known == name).ok_or_else(unparsable)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn xml(inside: &str) -> String {
        format!("<?xml version='1.0'?><jobInfo xmlns=\"{NAMESPACE}\">{inside}</jobInfo>")
    }

    fn code<T: std::fmt::Debug>(read: Result<T, ApiError>) -> String {
        read.expect_err("refused").code().to_owned()
    }

    #[test]
    fn reads_a_job_in_both_formats_and_both_forms_of_the_mode() {
        let job = CreateJob { operation: "delete", object: "Lead".into(), serial: true, content: ContentType::Csv };
        let text = "<operation>delete</operation><object>Lead</object><concurrencyMode>Serial</concurrencyMode><contentType>CSV</contentType>";
        assert_eq!(CreateJob::read(Format::Xml, xml(text).as_bytes()), Ok(job.clone()));
        let text =
            r#"{"contentType":"CSV","concurrencyMode":1,"object":"Lead","operation":"delete","externalIdFieldName":null}"#;
        assert_eq!(CreateJob::read(Format::Json, text.as_bytes()), Ok(job.clone()));
        let text = r#"{"operation":"hardDelete","object":"Lead","concurrencyMode":"Parallel"}"#;
        let parallel = CreateJob { operation: "hardDelete", serial: false, content: ContentType::Xml, ..job };
        assert_eq!(CreateJob::read(Format::Json, text.as_bytes()), Ok(parallel));
    }

    #[test]
    fn refuses_what_the_service_refuses() {
        for text in [
            r#"{"operation":"harddelete","object":"Lead"}"#,
            r#"{"operation":"insert","object":"Lead"}"#,
            r#"{"operation":"delete"}"#,
            r#"{"operation":"delete","object":"Lead","concurrencyMode":"serial"}"#,
            r#"{"operation":"delete","object":"Lead","contentType":"csv"}"#,
            r#"{"operation":"delete","object":"Lead","state":"Open"}"#,
            r#"{"operation":"delete","object":"Lead","columnDelimiter":"COMMA"}"#,
            "{",
        ] {
            assert_eq!(code(CreateJob::read(Format::Json, text.as_bytes())), "InvalidJob", "{text}");
        }
        let wrong_order = xml("<object>Lead</object><operation>delete</operation>");
        assert_eq!(code(CreateJob::read(Format::Xml, wrong_order.as_bytes())), "InvalidJob");
        let no_namespace = b"<jobInfo><operation>delete</operation><object>Lead</object></jobInfo>";
        assert_eq!(code(CreateJob::read(Format::Xml, no_namespace)), "InvalidJob");
        assert_eq!(code(CreateJob::read(Format::Xml, b"<jobInfo>")), "InvalidXml");
    }

    #[test]
    fn changes_nothing_but_the_state() {
        assert_eq!(Transition::read(Format::Json, br#"{"state":"Closed"}"#), Ok(Transition::Close));
        assert_eq!(Transition::read(Format::Xml, xml("<state>Aborted</state>").as_bytes()), Ok(Transition::Abort));
        assert_eq!(code(Transition::read(Format::Json, br#"{"state":"Closed","object":"Lead"}"#)), "InvalidJob");
        assert_eq!(code(Transition::read(Format::Json, br#"{"state":"UploadComplete"}"#)), "InvalidJobState");
    }
}
