//! One REST call: how it is built, sent once, and how a refusal is understood.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use secrecy::{ExposeSecret as _, SecretString};
use serde::de::DeserializeOwned;
use url::Url;

use super::error_table::{deletion_class, help, request_class};
use super::hostile;
use crate::provider::transport::{
    BodyError, Element, Request, RequestBody, Response, Transport, TransportError, XmlError, read_body,
};
use crate::provider::{ErrorClass, ProviderError};

/// The longest error body that is read.
const LONGEST_ERROR: usize = 1024 * 1024;
/// The longest answer that is read as a whole; the largest recorded describe has about 2 MiB.
const LONGEST_ANSWER: usize = 64 * 1024 * 1024;
/// The longest pause a system may ask for.
const LONGEST_WAIT: Duration = Duration::from_secs(3600);

/// What it would mean if a call were made twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    /// Nothing: it reads, or it makes something that deletes nothing.
    Harmless,
    /// It may delete records, or let them be deleted. An unclear answer is [`ErrorClass::Ambiguous`].
    Deletes,
}

/// Where an API begins, and how a call shows its credential there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Door {
    /// REST and Bulk API 2.0: `/services/data/vXX.X/`, `Authorization`.
    Rest,
    /// Bulk API 1.0: `/services/async/XX.X/`, `X-SFDC-Session`. The guide speaks of a session id; an opaque OAuth token is as good (client), and
    /// one in JWT format may be refused (guess).
    Bulk1,
}

/// One call, without host, version and credential.
#[derive(Clone)]
pub(super) struct Call {
    /// What is being done, to read after "could not".
    pub(super) doing: String,
    /// Where it goes.
    pub(super) door: Door,
    /// The method.
    pub(super) method: Method,
    /// Below the door's beginning, or from the root where it begins with a slash.
    pub(super) path: String,
    /// The query, encoded.
    pub(super) query: Option<String>,
    /// The media type wanted.
    pub(super) accept: &'static str,
    /// The body and its media type.
    pub(super) body: Option<(&'static str, RequestBody)>,
    /// What it would mean if it were made twice.
    pub(super) effect: Effect,
}

impl Call {
    /// A harmless call without a body that wants JSON.
    pub(super) fn new(doing: impl Into<String>, method: Method, path: impl Into<String>) -> Self {
        Self {
            doing: doing.into(),
            door: Door::Rest,
            method,
            path: path.into(),
            query: None,
            accept: "application/json",
            body: None,
            effect: Effect::Harmless,
        }
    }

    /// A harmless `GET`.
    pub(super) fn get(doing: impl Into<String>, path: impl Into<String>) -> Self {
        Self::new(doing, Method::GET, path)
    }

    /// As one of Bulk API 1.0.
    pub(super) fn bulk1(self) -> Self {
        Self { door: Door::Bulk1, ..self }
    }

    /// With parameters in the query.
    pub(super) fn parameters(self, pairs: &[(&str, &str)]) -> Self {
        let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
        Self { query: Some(query), ..self }
    }

    /// With a JSON body.
    pub(super) fn json(self, body: &serde_json::Value) -> Self {
        Self { body: Some(("application/json", RequestBody::Bytes(Bytes::from(body.to_string())))), ..self }
    }

    /// Wanting CSV.
    pub(super) fn csv(self) -> Self {
        Self { accept: "text/csv", ..self }
    }

    /// As one that may delete records, or let them be deleted.
    pub(super) fn deleting(self) -> Self {
        Self { effect: Effect::Deletes, ..self }
    }

    /// An error about this call that no answer stands behind.
    pub(super) fn error(&self, class: ErrorClass, code: &str, message: impl Into<String>) -> ProviderError {
        error(class, &self.doing, code, message)
    }

    /// The error for an answer that was a success and cannot be understood: after a deletion nobody knows what happened.
    pub(super) fn unreadable(&self, message: impl Into<String>) -> ProviderError {
        let class = if self.effect == Effect::Deletes { ErrorClass::Ambiguous } else { ErrorClass::Malformed };
        self.error(class, "unreadable-answer", message)
    }

    /// The error for a successful answer whose body broke off.
    pub(super) fn broken(&self, message: impl Into<String>) -> ProviderError {
        let class = if self.effect == Effect::Deletes { ErrorClass::Ambiguous } else { ErrorClass::Incomplete };
        self.error(class, "broken-answer", message)
    }

    /// Reads a successful answer's body.
    pub(super) async fn read(&self, response: Response) -> Result<Bytes, ProviderError> {
        read_body(response.body, LONGEST_ANSWER).await.map_err(|error| match error {
            BodyError::Broken(cause) => self.broken(format!("the answer broke off: {cause}")),
            BodyError::TooLong { .. } => self.unreadable(error.to_string()),
        })
    }

    /// Reads a successful answer's body as JSON.
    pub(super) async fn read_json<T: DeserializeOwned>(&self, response: Response) -> Result<T, ProviderError> {
        self.json_of(&self.read(response).await?)
    }

    /// Understands a successful answer's body as XML.
    pub(super) fn xml_of(&self, bytes: &[u8]) -> Result<Element, ProviderError> {
        Element::read(bytes).map_err(|error| match error {
            XmlError::Truncated => self.broken("the answer ends in the middle"),
            error => self.unreadable(format!("the answer is not what was asked for: {error}")),
        })
    }

    /// Understands a successful answer's body as JSON.
    pub(super) fn json_of<T: DeserializeOwned>(&self, bytes: &[u8]) -> Result<T, ProviderError> {
        serde_json::from_slice(bytes).map_err(|error| {
            if error.is_eof() {
                self.broken("the answer ends in the middle")
            } else {
                // Not serde's own words, which repeat what they stumble over: that may be a record's field or a token.
                self.unreadable(format!(
                    "the answer is not what was asked for (line {}, column {})",
                    error.line(),
                    error.column()
                ))
            }
        })
    }
}

/// An error without an HTTP status.
pub(super) fn error(class: ErrorClass, doing: &str, code: &str, message: impl Into<String>) -> ProviderError {
    ProviderError {
        class,
        doing: doing.to_owned(),
        status: None,
        code: code.to_owned(),
        message: message.into(),
        help: None,
    }
}

/// Where calls go and on whose behalf. Each request is one attempt.
#[derive(Clone)]
pub(super) struct Endpoint {
    /// The way to the network.
    pub(super) transport: Arc<dyn Transport>,
    /// The org's own host.
    pub(super) instance: Url,
    /// The REST API version, such as `66.0`.
    pub(super) version: String,
    /// The access token.
    pub(super) token: SecretString,
}

impl Endpoint {
    /// Makes one call, once. An answer other than 2xx is an error.
    pub(super) async fn call(&self, call: &Call) -> Result<Response, ProviderError> {
        let mut headers = HeaderMap::new();
        let token = self.token.expose_secret();
        let (name, credential) = match call.door {
            Door::Rest => (AUTHORIZATION, HeaderValue::try_from(format!("Bearer {token}"))),
            Door::Bulk1 => {
                // What comes back has the type of what was sent (documented), also where nothing is.
                headers.insert(CONTENT_TYPE, HeaderValue::from_static(call.accept));
                (HeaderName::from_static("x-sfdc-session"), HeaderValue::try_from(token))
            }
        };
        let mut credential = credential.map_err(|_| {
            call.error(ErrorClass::Local, "unusable-token", "the access token has characters that no header may have")
        })?;
        credential.set_sensitive(true);
        headers.insert(name, credential);
        headers.insert(ACCEPT, HeaderValue::from_static(call.accept));
        send(&*self.transport, self.address(call)?, headers, call, &[&self.token]).await
    }

    fn address(&self, call: &Call) -> Result<Url, ProviderError> {
        let path = if call.path.starts_with('/') {
            call.path.clone()
        } else {
            match call.door {
                Door::Rest => format!("/services/data/v{}/{}", self.version, call.path),
                Door::Bulk1 => format!("/services/async/{}/{}", self.version, call.path),
            }
        };
        // Joining keeps the host only as long as the path has no second slash at its beginning.
        let mut url = self.instance.clone();
        match path.split_once('?') {
            Some((path, query)) => {
                url.set_path(path);
                url.set_query(Some(query));
            }
            None => {
                url.set_path(&path);
                url.set_query(call.query.as_deref());
            }
        }
        if url.as_str().len() > LONGEST_ADDRESS {
            return Err(ProviderError {
                help: Some("shorten the filter, or split the policy".into()),
                ..call.error(
                    ErrorClass::Invalid,
                    "address-too-long",
                    format!("the request's address has {} bytes and the system takes {LONGEST_ADDRESS}", url.as_str().len()),
                )
            });
        }
        Ok(url)
    }
}

/// The longest address the system takes is 16,384 bytes with the headers (documented); ours need about 1,000, most of it the token.
pub(super) const LONGEST_ADDRESS: usize = 14_000;

/// Sends one request once. An answer other than 2xx is an error; `secrets` are kept out of its words.
pub(super) async fn send(
    transport: &dyn Transport,
    url: Url,
    mut headers: HeaderMap,
    call: &Call,
    secrets: &[&SecretString],
) -> Result<Response, ProviderError> {
    let body = match &call.body {
        Some((media_type, body)) => {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
            body.clone()
        }
        None => RequestBody::Empty,
    };
    let request = Request { method: call.method.clone(), url, headers, body };
    let response = transport.send(request).await.map_err(|error| transport_error(call, &error))?;
    if response.status.is_success() {
        return Ok(response);
    }
    Err(refusal(call, response, secrets).await)
}

fn transport_error(call: &Call, error: &TransportError) -> ProviderError {
    let (class, code) = match (error, call.effect) {
        (TransportError::NotSent { .. }, _) => (ErrorClass::Transient, "no-connection"),
        (TransportError::NoAnswer { .. }, Effect::Deletes) => (ErrorClass::Ambiguous, "no-answer"),
        (TransportError::NoAnswer { .. }, Effect::Harmless) => (ErrorClass::Transient, "no-answer"),
        (TransportError::Refused(_), _) => (ErrorClass::Local, "refused"),
    };
    let help = match error {
        TransportError::NotSent { .. } => Some("check `loginUrl`, the network and any proxy; nothing was sent".to_owned()),
        TransportError::NoAnswer { .. } | TransportError::Refused(_) => None,
    };
    ProviderError { help, ..call.error(class, code, error.to_string()) }
}

/// What to do next about a status whose code says nothing.
fn status_help(status: StatusCode) -> Option<&'static str> {
    match status {
        _ if status.is_redirection() => Some("set `loginUrl` to the org's own My Domain host"),
        StatusCode::TOO_MANY_REQUESTS => Some("the system asks for fewer requests: run the same command again later"),
        StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT => {
            Some("the system is not available now: run the same command again later")
        }
        _ if status.is_server_error() => Some(
            "the trouble is on the system's side: run the same command again, and show its vendor these words if it stays",
        ),
        _ => None,
    }
}

/// Understands an answer that is no success. Its body may be an array of errors, an object, XML, HTML or nothing.
async fn refusal(call: &Call, response: Response, secrets: &[&SecretString]) -> ProviderError {
    let status = response.status;
    let wait = retry_after(&response.headers);
    let spoken = match read_body(response.body, LONGEST_ERROR).await {
        Ok(bytes) => Spoken::read(&bytes),
        Err(error) => Spoken { code: None, message: error.to_string() },
    };
    let code = match &spoken.code {
        Some(code) => hostile::code(code),
        None if status.is_redirection() => "redirected".to_owned(),
        None => "no-code".to_owned(),
    };
    // The vendor draws a caret below the query, on lines of their own. Here it is one line.
    let one_line: Vec<&str> = spoken.message.split_whitespace().collect();
    let message = hostile::words_without(&one_line.join(" "), secrets);
    let message = match (message.is_empty(), status.is_redirection()) {
        (_, true) => "the system points to another address, which is not followed".to_owned(),
        (true, _) => status.canonical_reason().unwrap_or("no reason given").to_owned(),
        (false, _) => message,
    };
    let class = match call.effect {
        Effect::Harmless => request_class(status, &code, &message, wait),
        Effect::Deletes => deletion_class(status, &code, &message, wait),
    };
    let help = help(&code, &message).or_else(|| status_help(status));
    ProviderError {
        class,
        doing: call.doing.clone(),
        status: Some(status.as_u16()),
        code,
        message,
        help: help.map(str::to_owned),
    }
}

/// The pause the system asks for, in whole seconds. The form with a date is not read: it would need a clock that agrees.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds).min(LONGEST_WAIT))
}

/// The system's own code and words, as far as its error body has them.
struct Spoken {
    code: Option<String>,
    message: String,
}

impl Spoken {
    fn read(bytes: &[u8]) -> Self {
        let Ok(value) = serde_json::from_slice::<serde_json::Value>(bytes) else {
            let root = Element::read(bytes).ok();
            return root.and_then(|root| Self::read_xml(&root)).unwrap_or_else(|| Self::read_text(bytes));
        };
        let object = value.get(0).unwrap_or(&value);
        let text = |names: [&str; 3]| {
            names.iter().find_map(|name| object.get(name)).and_then(serde_json::Value::as_str).map(str::to_owned)
        };
        Self {
            code: text(["errorCode", "error", "exceptionCode"]),
            message: text(["message", "error_description", "exceptionMessage"]).unwrap_or_default(),
        }
    }

    /// The error of Bulk API 1.0, or a SOAP fault: its code has a prefix, and its words begin with the code (recorded).
    fn read_xml(root: &Element) -> Option<Self> {
        if root.name() == "error" {
            let message = root.text_of("exceptionMessage").unwrap_or_default().to_owned();
            return Some(Self { code: root.text_of("exceptionCode").map(str::to_owned), message });
        }
        let fault = root.child("Body")?.child("Fault")?;
        let code = fault.text_of("faultcode")?.rsplit(':').next()?;
        let words = fault.text_of("faultstring").unwrap_or_default();
        let message = words.strip_prefix(code).and_then(|rest| rest.strip_prefix(": ")).unwrap_or(words);
        Some(Self { code: Some(code.to_owned()), message: message.to_owned() })
    }

    /// The title of an HTML page, or the text itself.
    fn read_text(bytes: &[u8]) -> Self {
        let text = String::from_utf8_lossy(bytes);
        let lower = text.to_ascii_lowercase();
        let title = lower.find("<title>").map(|start| start + "<title>".len()).and_then(|start| {
            let end = start + lower.get(start..)?.find("</title>")?;
            text.get(start..end)
        });
        let message = match title {
            Some(title) => title.trim().to_owned(),
            None if lower.trim_start().starts_with('<') => "a page without a title".to_owned(),
            None => text.into_owned(),
        };
        Self { code: None, message }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::TOKEN;
    use super::*;
    use crate::provider::transport::scripted::{Reply, Scripted, answer, json};

    async fn call(call: Call, reply: impl Fn() -> Reply + Send + 'static) -> ProviderError {
        let endpoint = Endpoint {
            transport: Arc::new(Scripted::new(move |_| reply())),
            instance: Url::parse("https://crm.my.salesforce.com").expect("valid"),
            version: "66.0".into(),
            token: TOKEN.into(),
        };
        endpoint.call(&call).await.err().expect("a refusal")
    }

    fn reading() -> Call {
        Call::get("read", "query")
    }

    fn deleting() -> Call {
        Call::new("delete", Method::DELETE, "composite/sobjects").deleting()
    }

    #[tokio::test]
    async fn reads_every_form_of_error_body() {
        for (body, code, message) in [
            (
                r#"[{"message":"unexpected token: 'FORM'","errorCode":"MALFORMED_QUERY"}]"#,
                "MALFORMED_QUERY",
                "unexpected token: 'FORM'",
            ),
            (
                r#"{"error":"invalid_grant","error_description":"authentication failure"}"#,
                "invalid_grant",
                "authentication failure",
            ),
            (r#"{"exceptionCode":"InvalidJob","exceptionMessage":"no"}"#, "InvalidJob", "no"),
            (
                r#"<?xml version="1.0" encoding="UTF-8"?><error xmlns="http://www.force.com/2009/06/asyncapi/dataload">
                <exceptionCode>InvalidJob</exceptionCode><exceptionMessage>no &amp; no</exceptionMessage></error>"#,
                "InvalidJob",
                "no & no",
            ),
            (
                r#"<s:Envelope xmlns:s="x"><s:Body><s:Fault><faultcode>sf:INVALID_LOGIN</faultcode>
                <faultstring>INVALID_LOGIN: Invalid username</faultstring></s:Fault></s:Body></s:Envelope>"#,
                "INVALID_LOGIN",
                "Invalid username",
            ),
            ("<!DOCTYPE html><html><head><TITLE> Down for\nmaintenance </TITLE>", "no-code", "Down for maintenance"),
            ("<html><body>x", "no-code", "a page without a title"),
            ("Bad_OAuth_Token", "no-code", "Bad_OAuth_Token"),
            ("", "no-code", "Bad Request"),
            ("[]", "no-code", "Bad Request"),
            (r#"[{"message":7,"errorCode":"<b>"}]"#, "unreadable-code", "Bad Request"),
        ] {
            let error = call(reading(), move || json(400, body)).await;
            assert_eq!((error.code.as_str(), error.message.as_str()), (code, message));
        }
    }

    #[tokio::test]
    async fn keeps_the_token_out_of_what_a_server_echoes() {
        let body = format!(r#"[{{"message":"you sent {TOKEN} and Bearer {TOKEN}!","errorCode":"X"}}]"#);
        let error = call(reading(), move || json(400, body.clone())).await;
        assert_eq!(error.message, "you sent [redacted] and Bearer [redacted]!");
    }

    #[tokio::test]
    async fn an_unclear_answer_is_ambiguous_only_for_a_deletion() {
        for reply in
            [|| Reply::NoAnswer, || answer(503, &[], "<html>"), || json(500, r#"[{"errorCode":"UNKNOWN_EXCEPTION"}]"#)]
        {
            assert_eq!(call(reading(), reply).await.class, ErrorClass::Transient);
            assert_eq!(call(deleting(), reply).await.class, ErrorClass::Ambiguous);
        }
        assert_eq!(call(deleting(), || Reply::NotSent).await.class, ErrorClass::Transient);
    }

    #[tokio::test]
    async fn honours_retry_after_within_reason() {
        let wait = |seconds: &'static str| call(reading(), move || answer(429, &[("retry-after", seconds)], ""));
        assert_eq!(wait("7").await.class, ErrorClass::Throttled { wait: Some(Duration::from_secs(7)) });
        assert_eq!(wait("99999999").await.class, ErrorClass::Throttled { wait: Some(LONGEST_WAIT) });
        assert_eq!(wait("Wed, 21 Oct 2026 07:28:00 GMT").await.class, ErrorClass::Throttled { wait: None });
    }

    #[tokio::test]
    async fn a_redirect_is_an_error_that_names_the_remedy() {
        let error = call(reading(), || answer(302, &[("location", "https://evil.example/")], "")).await;
        assert_eq!((error.class, error.code.as_str()), (ErrorClass::Invalid, "redirected"));
        assert!(error.help.expect("a remedy").contains("My Domain"));
    }

    #[tokio::test]
    async fn refuses_an_address_that_the_system_would_refuse() {
        let error = call(reading().parameters(&[("q", &"x".repeat(LONGEST_ADDRESS))]), || json(200, "{}")).await;
        assert_eq!(error.code, "address-too-long");
    }

    #[tokio::test]
    async fn a_path_from_the_server_cannot_leave_the_host() {
        for path in ["//evil.example/x", "/\\evil.example/x", "/services/data/../../x?y=1"] {
            let transport = Arc::new(Scripted::new(|_| json(200, "{}")));
            let endpoint = Endpoint {
                transport: Arc::clone(&transport) as Arc<dyn Transport>,
                instance: Url::parse("https://crm.my.salesforce.com").expect("valid"),
                version: "66.0".into(),
                token: TOKEN.into(),
            };
            endpoint.call(&Call::get("read", path)).await.expect("answered");
            assert_eq!(transport.seen()[0].origin, "https://crm.my.salesforce.com");
        }
    }
}
