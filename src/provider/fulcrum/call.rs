//! One call: how it is built, sent once, and how a refusal is understood.

use http::header::ACCEPT;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Map, Value};
use url::Url;

use super::error_table::{code, deletion_class, help, request_class};
pub(super) use crate::provider::common::Call;
use crate::provider::common::{Effect, hostile};
use crate::provider::transport::{Response, Transport, read_body, retry_after};
use crate::provider::{ErrorClass, ProviderError};

/// The header of the token (documented). As a parameter of the address it would end up in logs.
const TOKEN_HEADER: HeaderName = HeaderName::from_static("x-apitoken");
/// The longest error body that is read.
const LONGEST_ERROR: usize = 64 * 1024;

/// Makes a call, once. An answer other than 2xx is an error.
pub(super) async fn send(
    call: &Call,
    transport: &dyn Transport,
    host: &Url,
    token: &SecretString,
) -> Result<Response, ProviderError> {
    let unusable =
        |_| call.error(ErrorClass::Local, "unusable-token", "the API token has characters that a header cannot carry");
    let mut credential = HeaderValue::try_from(token.expose_secret()).map_err(unusable)?;
    credential.set_sensitive(true);
    let mut headers = HeaderMap::new();
    headers.insert(TOKEN_HEADER, credential);
    // Without it the answer is 406 (documented).
    headers.insert(ACCEPT, HeaderValue::from_static(call.accept));
    let mut url = host.clone();
    url.set_path(&format!("/api/v2/{}", call.path));
    url.set_query(call.query.as_deref());
    let response = call.exchange(transport, url, headers, "url").await?;
    if response.status.is_success() { Ok(response) } else { Err(refusal(call, response, token).await) }
}

/// Understands an answer that is no success. Its body may be an object with `error`, one with `errors` below the resource's name,
/// an empty object (all documented), HTML or nothing.
async fn refusal(call: &Call, response: Response, token: &SecretString) -> ProviderError {
    let status = response.status;
    let wait = retry_after(&response.headers);
    let spoken = match read_body(response.body, LONGEST_ERROR).await {
        Ok(bytes) => spoken(&bytes),
        Err(error) => Spoken { words: error.to_string(), is_own: false },
    };
    let message = hostile::refusal_words(&spoken.words, status, &[token]);
    let class = match call.effect {
        // Something between here and there does not know what there is.
        Effect::Harmless if !spoken.is_own && status == StatusCode::NOT_FOUND => ErrorClass::Transient,
        Effect::Harmless => request_class(status, wait),
        // Nor whether the request came through.
        Effect::Deletes if !spoken.is_own => ErrorClass::Ambiguous,
        Effect::Deletes => deletion_class(status, wait),
    };
    let help = help(status, &message).map(str::to_owned);
    ProviderError { status: Some(status.as_u16()), help, ..call.error(class, code(status), message) }
}

/// Whether an answer is a plain 404 of the system itself, and not a page of some proxy between here and there.
pub(super) fn is_missing(error: &ProviderError) -> bool {
    error.class == ErrorClass::NotFound && error.status == Some(StatusCode::NOT_FOUND.as_u16())
}

/// What an error's body says.
struct Spoken {
    words: String,
    /// Whether it has a form of the system's own.
    is_own: bool,
}

fn spoken(bytes: &[u8]) -> Spoken {
    match serde_json::from_slice::<Value>(bytes) {
        Ok(Value::Object(body)) => {
            let words = own_words(&body);
            Spoken { is_own: body.is_empty() || words.is_some(), words: words.unwrap_or_default() }
        }
        Ok(_) => Spoken { words: String::new(), is_own: false },
        Err(_) => Spoken { words: hostile::page_words(bytes), is_own: false },
    }
}

/// The system's words in an error's body, as far as it has them.
fn own_words(body: &Map<String, Value>) -> Option<String> {
    if let Some(Value::String(words)) = body.get("error") {
        return Some(words.clone());
    }
    // `{"record":{"errors":{"form_id":["cannot be blank"]}}}`, where `errors` may be a text.
    let errors = body.iter().find_map(|(resource, value)| value.get("errors").map(|errors| (resource, errors)));
    match errors {
        Some((_, Value::String(words))) => Some(words.clone()),
        Some((_, Value::Object(fields))) => {
            let field = |(name, words): (&String, &Value)| match words {
                Value::Array(list) => {
                    format!("{name} {}", list.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", "))
                }
                other => format!("{name} {}", other.as_str().unwrap_or_default()),
            };
            Some(fields.iter().map(field).collect::<Vec<_>>().join("; "))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use http::Method;

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
        send(&call, &transport, &host, &TOKEN.into()).await.err().expect("a refusal")
    }

    fn reading() -> Call {
        Call::get("read", "forms.json")
    }

    fn deleting() -> Call {
        Call::new("start", Method::POST, "batch/x/start.json").deleting()
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
        for status in [400, 403, 404, 413, 422, 429] {
            for body in ["", "<html>", "[]", r#"{"message":"no"}"#] {
                let error = refused(deleting(), move || answer(status, &[], body)).await;
                assert_eq!(error.class, ErrorClass::Ambiguous, "{status} {body}: it is not known who says so");
            }
        }
        let error = refused(reading(), || answer(404, &[], "<html>")).await;
        assert!(error.class == ErrorClass::Transient && !is_missing(&error), "only the system knows what is missing");
        assert!(is_missing(&refused(reading(), || json(404, "{}")).await));
    }

    #[tokio::test]
    async fn honours_retry_after() {
        let error = refused(reading(), || answer(429, &[("retry-after", "7")], "")).await;
        assert_eq!(error.class, ErrorClass::Throttled { wait: Some(Duration::from_secs(7)) });
    }
}
