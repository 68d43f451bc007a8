//! One call of a REST API: how it is built and sent, and how its answer is read.

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, Method};
use serde::de::DeserializeOwned;
use serde_json::Value;
use url::Url;

use super::effect::Effect;
use super::failure::error;
use crate::provider::transport::{Element, Request, RequestBody, Response, Transport};
use crate::provider::{ErrorClass, ProviderError};

/// The longest answer that is read as a whole. The largest recorded describe has about 2 MiB; a page of 20,000 rows with 3 KB each
/// fits.
const LONGEST_ANSWER: usize = 64 * 1024 * 1024;

/// One call, without host and credential. `B` tells apart the APIs of one system whose paths begin at different places.
#[derive(Clone)]
pub(in crate::provider) struct Call<B = ()> {
    /// What is being done, to read after "could not".
    pub(in crate::provider) doing: String,
    /// Where its path begins.
    pub(in crate::provider) base: B,
    /// The method.
    pub(in crate::provider) method: Method,
    /// Below the base, or from the root where it begins with a slash.
    pub(in crate::provider) path: String,
    /// The query, encoded.
    pub(in crate::provider) query: Option<String>,
    /// The media type wanted.
    pub(in crate::provider) accept: &'static str,
    /// The body and its media type.
    pub(in crate::provider) body: Option<(&'static str, RequestBody)>,
    /// What it would mean if it were made twice.
    pub(in crate::provider) effect: Effect,
}

impl<B: Default> Call<B> {
    /// A harmless call without a body that wants JSON.
    pub(in crate::provider) fn new(doing: impl Into<String>, method: Method, path: impl Into<String>) -> Self {
        Self {
            doing: doing.into(),
            base: B::default(),
            method,
            path: path.into(),
            query: None,
            accept: "application/json",
            body: None,
            effect: Effect::Harmless,
        }
    }

    /// A harmless `GET`.
    pub(in crate::provider) fn get(doing: impl Into<String>, path: impl Into<String>) -> Self {
        Self::new(doing, Method::GET, path)
    }
}

impl<B> Call<B> {
    /// With parameters in the query.
    pub(in crate::provider) fn parameters(self, pairs: &[(&str, &str)]) -> Self {
        let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
        Self { query: Some(query), ..self }
    }

    /// With a JSON body.
    pub(in crate::provider) fn json(self, body: &Value) -> Self {
        Self { body: Some(("application/json", RequestBody::Bytes(Bytes::from(body.to_string())))), ..self }
    }

    /// As one that may delete records, or let them be deleted.
    pub(in crate::provider) fn deleting(self) -> Self {
        Self { effect: Effect::Deletes, ..self }
    }

    /// An error about this call without an HTTP status.
    pub(in crate::provider) fn error(&self, class: ErrorClass, code: &str, message: impl Into<String>) -> ProviderError {
        error(class, &self.doing, code, message)
    }

    /// The error for an answer that was a success and cannot be understood: after a deletion nobody knows what happened.
    pub(in crate::provider) fn unreadable(&self, message: impl Into<String>) -> ProviderError {
        self.effect.unreadable(&self.doing, message)
    }

    /// Sends the call, once, to that address and with those headers, and gives the answer whatever its status. `target_key` is the key
    /// of the target that holds the system's address.
    pub(in crate::provider) async fn exchange(
        &self,
        transport: &dyn Transport,
        url: Url,
        mut headers: HeaderMap,
        target_key: &str,
    ) -> Result<Response, ProviderError> {
        let body = match &self.body {
            Some((media_type, body)) => {
                headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
                body.clone()
            }
            None => RequestBody::Empty,
        };
        let request = Request { method: self.method.clone(), url, headers, body };
        let answer = transport.send(request).await;
        answer.map_err(|cause| self.effect.not_answered(&self.doing, &cause, target_key))
    }

    /// Reads a successful answer's body.
    pub(in crate::provider) async fn read(&self, response: Response) -> Result<Bytes, ProviderError> {
        self.effect.read(&self.doing, response.body, LONGEST_ANSWER).await
    }

    /// Reads a successful answer's body as JSON.
    pub(in crate::provider) async fn read_json<T: DeserializeOwned>(&self, response: Response) -> Result<T, ProviderError> {
        self.json_of(&self.read(response).await?)
    }

    /// Understands a successful answer's body as JSON.
    pub(in crate::provider) fn json_of<T: DeserializeOwned>(&self, bytes: &[u8]) -> Result<T, ProviderError> {
        self.effect.json(&self.doing, bytes)
    }

    /// Understands a successful answer's body as XML.
    pub(in crate::provider) fn xml_of(&self, bytes: &[u8]) -> Result<Element, ProviderError> {
        self.effect.xml(&self.doing, bytes)
    }
}
