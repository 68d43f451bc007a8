//! One SOAP call: sent once, and how a refusal is understood.

use std::sync::Arc;

use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use secrecy::SecretString;
use url::Url;

use super::envelope::Reply;
use super::error_table::{NO_CODE, help, request_class};
use super::operation::Operation;
use crate::provider::common::{Effect, error, hostile};
use crate::provider::transport::{Element, Request, RequestBody, Transport, XmlError, retry_after};
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

/// One operation to carry out.
pub(super) struct Call {
    /// What is being done, to read after "could not".
    pub(super) doing: String,
    /// The operation.
    pub(super) operation: Operation,
}

impl Endpoint {
    /// Makes one call, once, and gives the operation's own answer.
    pub(super) async fn call(&self, call: &Call) -> Result<Element, ProviderError> {
        let Call { doing, operation } = call;
        let effect = operation.effect();
        let body = operation
            .write(self.session.as_ref())
            .map_err(|cause| error(ErrorClass::Invalid, doing, "unwritable-request", cause.to_string()))?;
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/xml; charset=utf-8"));
        headers.insert(ACCEPT, HeaderValue::from_static("text/xml"));
        headers.insert(HeaderName::from_static("soapaction"), HeaderValue::from_static("\"\""));
        let request = Request { method: Method::POST, url: self.url.clone(), headers, body: RequestBody::Bytes(body) };
        let response = self.transport.send(request).await.map_err(|cause| effect.not_answered(doing, &cause, "url"))?;
        let status = response.status;
        let wait = retry_after(&response.headers);
        let body = effect.read(doing, response.body, LONGEST_ANSWER).await?;
        let (code, message) = match Reply::read(operation.name(), &body) {
            Ok(Reply::Answer(answer)) if status == StatusCode::OK => return Ok(answer),
            Ok(Reply::Refusal { code, message }) => (hostile::code_without(&code, &self.secrets(operation)), message),
            Err(XmlError::Truncated) if status.is_success() => {
                return Err(effect.broken(doing, "the answer is cut off"));
            }
            Err(cause) if status.is_success() => {
                return Err(effect.unreadable(doing, format!("the answer cannot be read: {cause}")));
            }
            Ok(Reply::Strange { message }) if status.is_success() => {
                let message = hostile::words_without(&hostile::one_line(&message), &self.secrets(operation));
                return Err(effect.unreadable(doing, format!("the answer is not SOAP: {message}")));
            }
            Ok(Reply::Strange { message }) => (NO_CODE.to_owned(), message),
            Ok(Reply::Answer(_)) | Err(_) => (NO_CODE.to_owned(), String::new()),
        };
        Err(self.refusal(doing, operation, status, wait, code, &message))
    }

    /// What the request of an operation carries that nobody may see again.
    fn secrets<'a>(&'a self, operation: &'a Operation) -> Vec<&'a SecretString> {
        let password = if let Operation::Login { password, .. } = operation { Some(password) } else { None };
        self.session.iter().chain(password).collect()
    }

    fn refusal(
        &self,
        doing: &str,
        operation: &Operation,
        status: StatusCode,
        wait: Option<std::time::Duration>,
        code: String,
        message: &str,
    ) -> ProviderError {
        let message = hostile::refusal_words(message, status, &self.secrets(operation));
        let mut class = request_class(operation.effect() == Effect::Deletes, status, &code, &message, wait);
        // A wrong password has the code of any wrong value (recorded).
        if matches!(operation, Operation::Login { .. }) && class == ErrorClass::Invalid {
            class = ErrorClass::Unauthenticated;
        }
        let help = help(status, &code, &message).map(str::to_owned);
        ProviderError { class, doing: doing.to_owned(), status: Some(status.as_u16()), code, message, help }
    }
}
