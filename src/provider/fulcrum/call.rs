//! One call: how it is built, sent once, and how a refusal is understood.

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use secrecy::{ExposeSecret as _, SecretString};
use serde::de::DeserializeOwned;
use serde_json::Value;
use url::Url;

use super::error_table::{code, deletion_class, help, request_class};
use crate::provider::transport::{
    BodyError, Request, RequestBody, Response, Transport, TransportError, read_body, retry_after,
};
use crate::provider::{ErrorClass, ProviderError, hostile};

/// The header of the token (documented). As a parameter of the address it would end up in logs.
const TOKEN_HEADER: HeaderName = HeaderName::from_static("x-apitoken");
/// The longest error body that is read.
const LONGEST_ERROR: usize = 64 * 1024;
/// The longest JSON answer that is read: a page of 20,000 rows with 3 KB each.
const LONGEST_JSON: usize = 64 * 1024 * 1024;

/// What it would mean if a call were made twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    /// Nothing: it reads, or it makes something that deletes nothing.
    Harmless,
    /// It lets records be deleted. An unclear answer is [`ErrorClass::Ambiguous`].
    Deletes,
}

/// One call, without host and credential.
#[derive(Clone, Debug)]
pub(super) struct Call {
    /// What is being done, to read after "could not".
    pub(super) doing: String,
    method: Method,
    /// Below `/api/v2/`.
    path: String,
    query: Option<String>,
    body: Option<Value>,
    effect: Effect,
}

impl Call {
    /// A harmless `GET`.
    pub(super) fn get(doing: impl Into<String>, path: impl Into<String>) -> Self {
        let (doing, path) = (doing.into(), path.into());
        Self { doing, method: Method::GET, path, query: None, body: None, effect: Effect::Harmless }
    }

    /// A harmless `POST` of JSON.
    pub(super) fn post(doing: impl Into<String>, path: impl Into<String>, body: Value) -> Self {
        Self { method: Method::POST, body: Some(body), ..Self::get(doing, path) }
    }

    /// A `POST` without a body that lets records be deleted.
    pub(super) fn deleting(doing: impl Into<String>, path: impl Into<String>) -> Self {
        Self { method: Method::POST, effect: Effect::Deletes, ..Self::get(doing, path) }
    }

    /// With parameters in the query.
    pub(super) fn parameters(self, pairs: &[(&str, &str)]) -> Self {
        let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
        Self { query: Some(query), ..self }
    }

    /// An error about this call that no answer stands behind.
    pub(super) fn error(&self, class: ErrorClass, code: &str, message: impl Into<String>) -> ProviderError {
        error(class, &self.doing, code, message)
    }

    /// The error for an answer that was a success and cannot be understood: after a start nobody knows what happened.
    pub(super) fn unreadable(&self, message: impl Into<String>) -> ProviderError {
        let class = if self.effect == Effect::Deletes { ErrorClass::Ambiguous } else { ErrorClass::Malformed };
        self.error(class, "unreadable-answer", message)
    }

    /// The error for a successful answer whose body broke off.
    fn broken(&self, message: impl Into<String>) -> ProviderError {
        let class = if self.effect == Effect::Deletes { ErrorClass::Ambiguous } else { ErrorClass::Incomplete };
        self.error(class, "broken-answer", message)
    }

    /// Makes the call, once. An answer other than 2xx is an error.
    pub(super) async fn send(
        &self,
        transport: &dyn Transport,
        host: &Url,
        token: &SecretString,
    ) -> Result<Response, ProviderError> {
        let unusable =
            |_| self.error(ErrorClass::Local, "unusable-token", "the API token has characters that no header may have");
        let mut credential = HeaderValue::try_from(token.expose_secret()).map_err(unusable)?;
        credential.set_sensitive(true);
        let mut headers = HeaderMap::new();
        headers.insert(TOKEN_HEADER, credential);
        // Without it the answer is 406 (documented).
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        let body = match &self.body {
            Some(body) => {
                headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
                RequestBody::Bytes(Bytes::from(body.to_string()))
            }
            None => RequestBody::Empty,
        };
        let mut url = host.clone();
        url.set_path(&format!("/api/v2/{}", self.path));
        url.set_query(self.query.as_deref());
        let request = Request { method: self.method.clone(), url, headers, body };
        let response = transport.send(request).await.map_err(|error| self.not_answered(&error))?;
        if response.status.is_success() { Ok(response) } else { Err(self.refusal(response, token).await) }
    }

    /// Reads a successful answer's body as JSON.
    pub(super) async fn read_json<T: DeserializeOwned>(&self, response: Response) -> Result<T, ProviderError> {
        let bytes = read_body(response.body, LONGEST_JSON).await.map_err(|error| match error {
            BodyError::Broken(cause) => self.broken(format!("the answer broke off: {cause}")),
            BodyError::TooLong { .. } => self.unreadable(error.to_string()),
        })?;
        serde_json::from_slice(&bytes).map_err(|error| {
            if error.is_eof() {
                self.broken("the answer ends in the middle")
            } else {
                // Not serde's own words, which repeat what they stumble over: that may be a record's field.
                let (line, column) = (error.line(), error.column());
                self.unreadable(format!("the answer is not what was asked for (line {line}, column {column})"))
            }
        })
    }

    fn not_answered(&self, error: &TransportError) -> ProviderError {
        let (class, code, help) = match (error, self.effect) {
            (TransportError::NotSent { .. }, _) => {
                (ErrorClass::Transient, "no-connection", Some("check `url`, the network and any proxy; nothing was sent"))
            }
            (TransportError::NoAnswer { .. }, Effect::Deletes) => (ErrorClass::Ambiguous, "no-answer", None),
            (TransportError::NoAnswer { .. }, Effect::Harmless) => (ErrorClass::Transient, "no-answer", None),
            (TransportError::Refused(_), _) => (ErrorClass::Local, "refused", None),
        };
        ProviderError { help: help.map(str::to_owned), ..self.error(class, code, error.to_string()) }
    }

    /// Understands an answer that is no success. Its body may be an object with `error`, one with `errors` below the resource's name,
    /// an empty object (all documented), HTML or nothing.
    async fn refusal(&self, response: Response, token: &SecretString) -> ProviderError {
        let status = response.status;
        let wait = retry_after(&response.headers);
        let spoken = match read_body(response.body, LONGEST_ERROR).await {
            Ok(bytes) => spoken(&bytes),
            Err(error) => error.to_string(),
        };
        let one_line: Vec<&str> = spoken.split_whitespace().collect();
        let message = hostile::words_without(&one_line.join(" "), &[token]);
        let message = match (message.is_empty(), status.is_redirection()) {
            (_, true) => "the system points to another address, which is not followed".to_owned(),
            (true, false) => status.canonical_reason().unwrap_or("no reason given").to_owned(),
            (false, false) => message,
        };
        let class = match self.effect {
            Effect::Harmless => request_class(status, wait),
            Effect::Deletes => deletion_class(status, wait),
        };
        let help = help(status, &message).map(str::to_owned);
        ProviderError { status: Some(status.as_u16()), help, ..self.error(class, code(status), message) }
    }
}

/// An error without an HTTP status.
pub(super) fn error(class: ErrorClass, doing: &str, code: &str, message: impl Into<String>) -> ProviderError {
    let (doing, code, message) = (doing.to_owned(), code.to_owned(), message.into());
    ProviderError { class, doing, status: None, code, message, help: None }
}

/// An error for a read that ended before it was complete.
pub(super) fn incomplete(doing: &str, message: impl Into<String>) -> ProviderError {
    ProviderError {
        help: Some("nothing was changed; run the same command again".into()),
        ..error(ErrorClass::Incomplete, doing, "incomplete", message)
    }
}

/// Whether an answer is a plain 404 of the system itself, and not a page of some proxy between here and there.
pub(super) fn is_missing(error: &ProviderError) -> bool {
    error.class == ErrorClass::NotFound && error.status == Some(StatusCode::NOT_FOUND.as_u16())
}

/// The system's words in an error's body.
fn spoken(bytes: &[u8]) -> String {
    let Ok(value) = serde_json::from_slice::<Value>(bytes) else { return page_title(bytes) };
    let Value::Object(body) = value else { return String::new() };
    if let Some(Value::String(words)) = body.get("error") {
        return words.clone();
    }
    // `{"record":{"errors":{"form_id":["cannot be blank"]}}}`, where `errors` may be a text.
    let errors = body.iter().find_map(|(resource, value)| value.get("errors").map(|errors| (resource, errors)));
    match errors {
        Some((_, Value::String(words))) => words.clone(),
        Some((_, Value::Object(fields))) => {
            let field = |(name, words): (&String, &Value)| match words {
                Value::Array(list) => {
                    format!("{name} {}", list.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", "))
                }
                other => format!("{name} {}", other.as_str().unwrap_or_default()),
            };
            fields.iter().map(field).collect::<Vec<_>>().join("; ")
        }
        _ => String::new(),
    }
}

/// The title of an HTML page, or the text itself.
fn page_title(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let lower = text.to_ascii_lowercase();
    let title = lower.find("<title>").map(|start| start + "<title>".len()).and_then(|start| {
        let end = start + lower.get(start..)?.find("</title>")?;
        text.get(start..end)
    });
    match title {
        Some(title) => title.to_owned(),
        None if lower.trim_start().starts_with('<') => "a page without a title".to_owned(),
        None => text.into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::testing::TOKEN;
    use super::*;
    use crate::provider::transport::scripted::{Reply, Scripted, answer, json};

    async fn refused(call: Call, reply: impl Fn() -> Reply + Send + 'static) -> ProviderError {
        let transport = Scripted::new(move |seen| {
            assert_eq!(seen.headers["x-apitoken"], TOKEN);
            assert!(seen.headers["x-apitoken"].is_sensitive() && !seen.query.contains(TOKEN));
            reply()
        });
        let host = Url::parse("https://api.fulcrumapp.com").expect("valid");
        call.send(&transport, &host, &TOKEN.into()).await.err().expect("a refusal")
    }

    fn reading() -> Call {
        Call::get("read", "forms.json")
    }

    fn deleting() -> Call {
        Call::deleting("start", "batch/x/start.json")
    }

    #[tokio::test]
    async fn reads_every_form_of_error_body() {
        for (body, message) in [
            (r#"{"error":"Bad Request","status":400}"#, "Bad Request"),
            (r#"{"error":"relation \"x\" does not exist"}"#, r#"relation "x" does not exist"#),
            (
                r#"{"batch":{"errors":{"ids":["cannot be blank","is too long"],"x":["y"]}}}"#,
                "ids cannot be blank, is too long; x y",
            ),
            (r#"{"batch":{"errors":"Invalid JSON structure."}}"#, "Invalid JSON structure."),
            ("<html><head><TITLE>Down for\nmaintenance</TITLE>", "Down for maintenance"),
            ("<html>", "a page without a title"),
            ("{}", "Bad Request"),
            ("[]", "Bad Request"),
            ("", "Bad Request"),
        ] {
            let error = refused(reading(), move || json(400, body)).await;
            assert_eq!(
                (error.class, error.code.as_str(), error.message.as_str()),
                (ErrorClass::Invalid, "bad-request", message)
            );
        }
    }

    #[tokio::test]
    async fn keeps_the_token_out_of_what_a_server_echoes() {
        let body = format!(r#"{{"error":"you sent {TOKEN}!"}}"#);
        let error = refused(reading(), move || json(401, body.clone())).await;
        assert_eq!((error.class, error.message.as_str()), (ErrorClass::Unauthenticated, "you sent [redacted]!"));
    }

    #[tokio::test]
    async fn an_unclear_answer_is_ambiguous_only_for_a_start() {
        for reply in [|| Reply::NoAnswer, || answer(503, &[], "<html>"), || answer(302, &[], "")] {
            assert_ne!(refused(reading(), reply).await.class, ErrorClass::Ambiguous);
            assert_eq!(refused(deleting(), reply).await.class, ErrorClass::Ambiguous);
        }
        assert_eq!(refused(deleting(), || Reply::NotSent).await.class, ErrorClass::Transient);
        assert_eq!(refused(deleting(), || json(422, "{}")).await.class, ErrorClass::Invalid);
    }

    #[tokio::test]
    async fn honours_retry_after() {
        let error = refused(reading(), || answer(429, &[("retry-after", "7")], "")).await;
        assert_eq!(error.class, ErrorClass::Throttled { wait: Some(Duration::from_secs(7)) });
    }
}
