//! One REST call: how it is built, sent once, and how a refusal is understood.

use std::sync::Arc;

use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;
use url::Url;

use super::error_table::{deletion_class, help, request_class};
use super::hostile;
use crate::provider::common::{self, Effect};
use crate::provider::transport::{Element, Response, Transport, read_body, retry_after};
use crate::provider::{ErrorClass, ProviderError};

/// The longest error body that is read.
const LONGEST_ERROR: usize = 1024 * 1024;

/// Where the paths of an API begin, and how a call shows its credential there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum BasePath {
    /// REST and Bulk API 2.0: `/services/data/vXX.X/`, `Authorization`.
    #[default]
    Rest,
    /// Bulk API 1.0: `/services/async/XX.X/`, `X-SFDC-Session`. The guide speaks of a session id; an opaque OAuth token is as good (client), and
    /// one in JWT format may be refused (guess).
    Bulk1,
}

/// One call, without host, version and credential.
pub(super) type Call = common::Call<BasePath>;

impl Call {
    /// As one of Bulk API 1.0.
    pub(super) fn bulk1(self) -> Self {
        Self { base: BasePath::Bulk1, ..self }
    }

    /// Wanting CSV.
    pub(super) fn csv(self) -> Self {
        Self { accept: "text/csv", ..self }
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
        let (name, credential) = match call.base {
            BasePath::Rest => (AUTHORIZATION, HeaderValue::try_from(format!("Bearer {token}"))),
            BasePath::Bulk1 => {
                // What comes back has the type of what was sent (documented), also where nothing is.
                headers.insert(CONTENT_TYPE, HeaderValue::from_static(call.accept));
                (HeaderName::from_static("x-sfdc-session"), HeaderValue::try_from(token))
            }
        };
        let mut credential = credential.map_err(|_| {
            call.error(ErrorClass::Local, "unusable-token", "the access token has characters that a header cannot carry")
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
            match call.base {
                BasePath::Rest => format!("/services/data/v{}/{}", self.version, call.path),
                BasePath::Bulk1 => format!("/services/async/{}/{}", self.version, call.path),
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
    headers: HeaderMap,
    call: &Call,
    secrets: &[&SecretString],
) -> Result<Response, ProviderError> {
    let response = call.exchange(transport, url, headers, "loginUrl").await?;
    if response.status.is_success() { Ok(response) } else { Err(refusal(call, response, secrets).await) }
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
            "the problem is on the system's side: run the same command again, and show its vendor this message if it persists",
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
        Err(error) => Spoken { code: None, message: error.to_string(), is_api: false },
    };
    let code = match &spoken.code {
        Some(code) => hostile::code_without(code, secrets),
        None if status.is_redirection() => "redirected".to_owned(),
        None => "no-code".to_owned(),
    };
    // The vendor draws a caret below the query, on lines of their own.
    let message = hostile::refusal_words(&spoken.message, status, secrets);
    let class = match call.effect {
        Effect::Harmless => request_class(status, &code, &message, wait),
        // Something between here and there does not know whether the request came through.
        Effect::Deletes if !spoken.is_api => ErrorClass::Ambiguous,
        Effect::Deletes => deletion_class(status, &code, &message, wait),
    };
    let help = help(&code, &message).or_else(|| status_help(status));
    ProviderError { status: Some(status.as_u16()), help: help.map(str::to_owned), ..call.error(class, &code, message) }
}

/// The system's own code and words, as far as its error body has them.
struct Spoken {
    code: Option<String>,
    message: String,
    /// Whether it has the form of the API's own errors, and is not from a token endpoint, or from something between here and there.
    is_api: bool,
}

impl Spoken {
    fn read(bytes: &[u8]) -> Self {
        let Ok(value) = serde_json::from_slice::<Value>(bytes) else {
            let root = Element::read(bytes).ok();
            return root.and_then(|root| Self::read_xml(&root)).unwrap_or_else(|| Self {
                code: None,
                message: hostile::page_words(bytes),
                is_api: false,
            });
        };
        let object = value.get(0).unwrap_or(&value);
        let text =
            |names: [&str; 3]| names.iter().find_map(|name| object.get(name)).and_then(Value::as_str).map(str::to_owned);
        Self {
            code: text(["errorCode", "error", "exceptionCode"]),
            message: text(["message", "error_description", "exceptionMessage"]).unwrap_or_default(),
            is_api: ["errorCode", "exceptionCode"].iter().any(|name| object.get(name).is_some_and(Value::is_string)),
        }
    }

    /// The error of Bulk API 1.0, or a SOAP fault: its code has a prefix, and its words begin with the code (recorded).
    fn read_xml(root: &Element) -> Option<Self> {
        if root.name() == "error" {
            let message = root.text_of("exceptionMessage").unwrap_or_default().to_owned();
            let code = root.text_of("exceptionCode").map(str::to_owned);
            return Some(Self { is_api: code.is_some(), code, message });
        }
        let fault = root.child("Body")?.child("Fault")?;
        let code = fault.text_of("faultcode")?.rsplit(':').next()?;
        let words = fault.text_of("faultstring").unwrap_or_default();
        let message = words.strip_prefix(code).and_then(|rest| rest.strip_prefix(": ")).unwrap_or(words);
        Some(Self { code: Some(code.to_owned()), message: message.to_owned(), is_api: true })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use http::Method;

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
    async fn an_answer_from_something_in_between_leaves_a_deletion_unclear_whatever_its_status() {
        for status in [400, 401, 403, 404, 405, 410, 413, 414, 422, 429, 431] {
            for body in
                ["", "<html><title>Forbidden</title>", "{}", r#"{"error":"not found"}"#, r#"[{"message":"no"}]"#, "[1]"]
            {
                let error = call(deleting(), move || answer(status, &[], body)).await;
                assert_eq!(error.class, ErrorClass::Ambiguous, "{status} {body}");
            }
            let own = r#"[{"message":"no","errorCode":"SOMETHING_NEW"}]"#;
            assert_ne!(call(deleting(), move || json(status, own)).await.class, ErrorClass::Ambiguous, "{status}");
            let own = r#"{"exceptionCode":"InvalidJob","exceptionMessage":"no"}"#;
            assert_ne!(call(deleting(), move || json(status, own)).await.class, ErrorClass::Ambiguous, "{status}");
        }
    }

    #[tokio::test]
    async fn honours_retry_after() {
        let error = call(reading(), || answer(429, &[("retry-after", "7")], "")).await;
        assert_eq!(error.class, ErrorClass::Throttled { wait: Some(Duration::from_secs(7)) });
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
