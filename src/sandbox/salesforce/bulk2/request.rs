//! What a client asks for when it makes or changes a job.

use http::StatusCode;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::dialect::{ColumnDelimiter, Dialect, LineEnding};
use super::job_info::JobState;
use crate::sandbox::salesforce::error::ApiError;
use crate::sandbox::{RecordKey, Sandbox};

/// A path that names a job. The version before it is the gate's business.
#[derive(Debug, Deserialize)]
pub struct JobPath {
    id: String,
}

impl JobPath {
    /// The job's key.
    ///
    /// # Errors
    ///
    /// 404 when the text cannot be one.
    pub fn key(&self) -> Result<RecordKey, ApiError> {
        job_key(&self.id)
    }
}

/// A path that names one of a job's result files.
#[derive(Debug, Deserialize)]
pub struct ResultPath {
    /// The job.
    pub id: String,
    /// The file.
    pub file: String,
}

/// The key a path names, in its 15 or 18 character form.
///
/// # Errors
///
/// 404 when the text cannot be one.
pub fn job_key(id: &str) -> Result<RecordKey, ApiError> {
    RecordKey::parse(id).map_err(|_| no_such_job())
}

/// 404 for a job that is not, or no longer, there. Source: documented.
pub fn no_such_job() -> ApiError {
    ApiError::bulk(StatusCode::NOT_FOUND, "NOT_FOUND", "The requested resource does not exist")
}

/// 400 for deleting a job too early. Documented for query jobs, assumed for the others.
pub fn not_ended() -> ApiError {
    bad_request("API_ERROR", "Error encountered when deleting the job because the job is not terminated")
}

/// 400 for changing somebody else's job. That only its creator may is documented; the code is that of Bulk API 1.0.
pub fn not_yours() -> ApiError {
    bad_request("INVALIDUSER", "The user who created the job must be the one who changes it")
}

/// Whether a user may abort other people's jobs. Source: documented.
pub fn may_abort_any(sandbox: &Sandbox, user: RecordKey) -> bool {
    sandbox.world().user(user).is_some_and(|user| user.permissions.manage_data_integrations)
}

/// A well-formed request for an ingest job.
#[derive(Debug, PartialEq, Eq)]
pub struct CreateIngest {
    /// The object as spelt in the request.
    pub object: String,
    /// `delete` or `hardDelete`.
    pub operation: &'static str,
    /// How the data will be written.
    pub dialect: Dialect,
}

/// A well-formed request for a query job.
#[derive(Debug, PartialEq, Eq)]
pub struct CreateQuery {
    /// `query` or `queryAll`.
    pub operation: &'static str,
    /// The statement.
    pub query: String,
    /// How the results shall be written.
    pub dialect: Dialect,
}

/// What a change of state asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transition {
    /// `UploadComplete`
    Close,
    /// `Aborted`
    Abort,
}

/// A refusal with the code of the Bulk API.
pub fn bad_request(code: &str, message: impl Into<String>) -> ApiError {
    ApiError::bulk(StatusCode::BAD_REQUEST, code, message)
}

impl CreateIngest {
    const PROPERTIES: [&str; 7] =
        ["object", "operation", "contentType", "columnDelimiter", "lineEnding", "externalIdFieldName", "assignmentRuleId"];

    /// Reads the request's body.
    ///
    /// # Errors
    ///
    /// When it is no JSON object, a property is unknown or missing, or a value is none of the vendor's words. The codes are
    /// guesses; that such requests are refused is documented.
    pub fn read(body: &[u8]) -> Result<Self, ApiError> {
        let properties = Properties::read(body, &Self::PROPERTIES)?;
        let object = properties.text("object")?.ok_or_else(|| missing("object"))?.to_owned();
        // Recorded.
        let no_operation = || bad_request("API_ERROR", "Invalid value: '' supplied for property: 'operation'");
        let operation = match properties.text("operation")?.ok_or_else(no_operation)? {
            "delete" => "delete",
            "hardDelete" => "hardDelete",
            // The vendor has these too; here records are only deleted.
            other @ ("insert" | "update" | "upsert") => {
                return Err(bad_request("INVALIDJOB", format!("The sandbox does not carry out the operation {other}.")));
            }
            other => return Err(bad_value("operation", other)),
        };
        Ok(Self { object, operation, dialect: properties.dialect()? })
    }
}

impl CreateQuery {
    const PROPERTIES: [&str; 5] = ["operation", "query", "contentType", "columnDelimiter", "lineEnding"];

    /// Reads the request's body.
    ///
    /// # Errors
    ///
    /// As for [`CreateIngest::read`].
    pub fn read(body: &[u8]) -> Result<Self, ApiError> {
        let properties = Properties::read(body, &Self::PROPERTIES)?;
        let query = properties.text("query")?.ok_or_else(|| missing("query"))?.to_owned();
        let operation = match properties.text("operation")?.ok_or_else(|| missing("operation"))? {
            "query" => "query",
            "queryAll" => "queryAll",
            other => return Err(bad_value("operation", other)),
        };
        Ok(Self { operation, query, dialect: properties.dialect()? })
    }
}

impl Transition {
    /// Reads the request's body.
    ///
    /// # Errors
    ///
    /// When it asks for anything but closing or aborting.
    pub fn read(body: &[u8]) -> Result<Self, ApiError> {
        let properties = Properties::read(body, &["state"])?;
        match properties.text("state")?.ok_or_else(|| missing("state"))? {
            "UploadComplete" => Ok(Self::Close),
            "Aborted" => Ok(Self::Abort),
            other => Err(bad_value("state", other)),
        }
    }

    /// The refusal of a change that the job's state does not allow.
    ///
    /// `Aborting already Completed Job not allowed` is documented; its siblings are guesses after it.
    pub fn refusal(self, state: JobState) -> ApiError {
        let doing = match self {
            Self::Close => "Closing",
            Self::Abort => "Aborting",
        };
        let state = match state {
            JobState::Open => "Open",
            JobState::UploadComplete => "Closed",
            JobState::InProgress => "Started",
            JobState::JobComplete => "Completed",
            JobState::Failed => "Failed",
            JobState::Aborted => "Aborted",
        };
        bad_request("INVALIDJOBSTATE", format!("{doing} already {state} Job not allowed"))
    }
}

struct Properties(Map<String, Value>);

impl Properties {
    fn read(body: &[u8], known: &[&str]) -> Result<Self, ApiError> {
        let properties: Map<String, Value> = serde_json::from_slice(body).map_err(|error| ApiError::json(&error))?;
        match properties.keys().find(|name| !known.contains(&name.as_str())) {
            // `concurrencyMode` is one of these: the mode cannot be chosen in 2.0 (documented). Whether the service refuses
            // it or looks past it is unknown.
            Some(name) => {
                let message = format!("Unrecognized field \"{name}\" at [line:1, column:1]");
                Err(bad_request("JSON_PARSER_ERROR", message))
            }
            None => Ok(Self(properties)),
        }
    }

    fn text(&self, name: &str) -> Result<Option<&str>, ApiError> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(other) => Err(bad_value(name, &other.to_string())),
        }
    }

    fn dialect(&self) -> Result<Dialect, ApiError> {
        match self.text("contentType")? {
            None | Some("CSV") => {}
            Some(other) => return Err(bad_value("contentType", other)),
        }
        let mut dialect = Dialect::default();
        if let Some(name) = self.text("columnDelimiter")? {
            dialect.delimiter = ColumnDelimiter::from_name(name).ok_or_else(|| bad_value("columnDelimiter", name))?;
        }
        if let Some(name) = self.text("lineEnding")? {
            dialect.ending = LineEnding::from_name(name).ok_or_else(|| bad_value("lineEnding", name))?;
        }
        Ok(dialect)
    }
}

fn missing(property: &str) -> ApiError {
    bad_request("INVALIDJOB", format!("The property {property} is required."))
}

fn bad_value(property: &str, value: &str) -> ApiError {
    let value: String = value.chars().take(80).collect();
    bad_request("INVALIDJOB", format!("Unsupported value for {property}: {value}"))
}
