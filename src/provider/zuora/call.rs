//! One SOAP call: sent once, and how a refusal is understood.

use std::sync::Arc;

use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use secrecy::SecretString;
use url::Url;

use super::envelope::Reply;
use super::error_table::{help, request_class};
use super::operation::Operation;
use crate::provider::hostile;
use crate::provider::transport::{
    BodyError, Element, Request, RequestBody, Transport, TransportError, XmlError, read_body, retry_after,
};
use crate::provider::{ErrorClass, ProviderError};

/// The longest answer that is read. A page of 2,000 records with all the fields of the largest object has less.
const LONGEST_ANSWER: usize = 32 * 1024 * 1024;

/// Where calls go and on whose behalf. Each request is one attempt.
#[derive(Clone)]
pub(super) struct Endpoint {
    /// The way to the network.
    pub(super) transport: Arc<dyn Transport>,
    /// The address of the service.
    pub(super) url: Url,
    /// The session; `None` before the sign-in.
    pub(super) session: Option<SecretString>,
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

/// The error for an answer that was a success and cannot be understood: after a deletion nobody knows what happened.
pub(super) fn unreadable(operation: &Operation<'_>, doing: &str, message: impl Into<String>) -> ProviderError {
    let class = if operation.deletes() { ErrorClass::Ambiguous } else { ErrorClass::Malformed };
    error(class, doing, "unreadable-answer", message)
}

impl Endpoint {
    /// Makes one call, once, and gives the operation's own answer. `doing` is to read after "could not".
    pub(super) async fn call(&self, doing: &str, operation: &Operation<'_>) -> Result<Element, ProviderError> {
        let body = operation
            .write(self.session.as_ref())
            .map_err(|cause| error(ErrorClass::Invalid, doing, "unwritable-request", cause.to_string()))?;
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/xml; charset=utf-8"));
        headers.insert(ACCEPT, HeaderValue::from_static("text/xml"));
        headers.insert(HeaderName::from_static("soapaction"), HeaderValue::from_static("\"\""));
        let request = Request { method: Method::POST, url: self.url.clone(), headers, body: RequestBody::Bytes(body) };
        let response = self.transport.send(request).await.map_err(|cause| transport_error(operation, doing, &cause))?;
        let status = response.status;
        let wait = retry_after(&response.headers);
        let body = read_body(response.body, LONGEST_ANSWER).await.map_err(|cause| match cause {
            BodyError::Broken(cause) => broken(operation, doing, format!("the answer broke off: {cause}")),
            BodyError::TooLong { .. } => unreadable(operation, doing, cause.to_string()),
        })?;
        let (code, message) = match Reply::read(operation.name(), &body) {
            Ok(Reply::Answer(answer)) if status == StatusCode::OK => return Ok(answer),
            Ok(Reply::Refusal { code, message }) => (hostile::code(&code), message),
            Err(XmlError::Truncated) if status.is_success() => {
                return Err(broken(operation, doing, "the answer ends in the middle"));
            }
            Err(cause) if status.is_success() => {
                return Err(unreadable(operation, doing, format!("the answer cannot be read: {cause}")));
            }
            Ok(Reply::Strange { message }) if status.is_success() => {
                let message = hostile::words(&one_line(&message));
                return Err(unreadable(operation, doing, format!("the answer is no SOAP: {message}")));
            }
            Ok(Reply::Strange { message }) => ("no-code".to_owned(), message),
            Ok(Reply::Answer(_)) | Err(_) => ("no-code".to_owned(), String::new()),
        };
        Err(self.refusal(doing, operation, status, wait, code, &message))
    }

    fn refusal(
        &self,
        doing: &str,
        operation: &Operation<'_>,
        status: StatusCode,
        wait: Option<std::time::Duration>,
        code: String,
        message: &str,
    ) -> ProviderError {
        let password = if let Operation::Login { password, .. } = operation { Some(*password) } else { None };
        let secrets: Vec<&SecretString> = self.session.iter().chain(password).collect();
        let message = hostile::words_without(&one_line(message), &secrets);
        let message = match status.canonical_reason() {
            Some(reason) if message.is_empty() => reason.to_owned(),
            _ => message,
        };
        let mut class = request_class(operation.deletes(), status, &code, &message, wait);
        // A wrong password has the code of any wrong value (recorded).
        if password.is_some() && class == ErrorClass::Invalid {
            class = ErrorClass::Unauthenticated;
        }
        let help = help(status, &code, &message).map(str::to_owned);
        ProviderError { class, doing: doing.to_owned(), status: Some(status.as_u16()), code, message, help }
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The error for a successful answer that broke off.
fn broken(operation: &Operation<'_>, doing: &str, message: impl Into<String>) -> ProviderError {
    let class = if operation.deletes() { ErrorClass::Ambiguous } else { ErrorClass::Incomplete };
    error(class, doing, "broken-answer", message)
}

fn transport_error(operation: &Operation<'_>, doing: &str, cause: &TransportError) -> ProviderError {
    let (class, code) = match cause {
        TransportError::NotSent { .. } => (ErrorClass::Transient, "no-connection"),
        TransportError::NoAnswer { .. } if operation.deletes() => (ErrorClass::Ambiguous, "no-answer"),
        TransportError::NoAnswer { .. } => (ErrorClass::Transient, "no-answer"),
        TransportError::Refused(_) => (ErrorClass::Local, "refused"),
    };
    let help = matches!(cause, TransportError::NotSent { .. })
        .then(|| "check `url` of the target, the network and any proxy; nothing was sent".to_owned());
    ProviderError { help, ..error(class, doing, code, cause.to_string()) }
}
