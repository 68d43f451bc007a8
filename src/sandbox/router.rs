//! Which system a path belongs to.

use axum::Router;
use axum::extract::Request;
use axum::middleware::{from_fn, from_fn_with_state};
use http::header::DATE;
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderValue, StatusCode, Uri};
use jiff::fmt::rfc2822::DateTimePrinter;
use tower::ServiceExt;

use super::compression::{compressed, takes_gzip};
use super::{DroppedConnection, Sandbox, fulcrum, gap, gate, salesforce, zuora};

impl Sandbox {
    /// All systems, as one service that can be called without a network.
    ///
    /// A response with the extension [`super::DroppedConnection`] stands for a connection that closed without an answer.
    pub fn router(&self) -> Router {
        let systems = Router::new()
            .merge(zuora::routes())
            .merge(fulcrum::routes())
            .fallback_service(salesforce::router(self).with_state(self.clone()))
            .layer(from_fn(gap::check))
            .layer(from_fn_with_state(self.clone(), gate::pass))
            .with_state(self.clone());
        // Clients send paths that begin with two slashes or end in one; the router must not see either.
        let sandbox = self.clone();
        Router::new().fallback(move |mut request: Request| {
            let (systems, sandbox) = (systems.clone(), sandbox.clone());
            async move {
                if let Some(mended) = mended(request.uri()) {
                    *request.uri_mut() = mended;
                }
                let compresses = sandbox.settings().gzip && takes_gzip(request.headers());
                let Ok(mut answer) = systems.oneshot(request).await;
                sandbox.date(answer.headers_mut());
                let is_whole = answer.extensions().get::<DroppedConnection>().is_none();
                let has_body = answer.status() != StatusCode::NO_CONTENT;
                if compresses && is_whole && has_body { compressed(answer) } else { answer }
            }
        })
    }
}

impl Sandbox {
    /// Says what time it is here, as servers do: by the sandbox's clock, whatever the machine's shows.
    fn date(&self, headers: &mut HeaderMap) {
        let date = DateTimePrinter::new().timestamp_to_rfc9110_string(&self.now());
        if let Some(date) = date.ok().and_then(|date| HeaderValue::try_from(date).ok()) {
            headers.insert(DATE, date);
        }
    }
}

/// The same address without doubled slashes at its beginning or a slash at the end of its path; nothing if it has neither.
fn mended(uri: &Uri) -> Option<Uri> {
    let path = uri.path();
    let trimmed = format!("/{}", path.trim_matches('/'));
    if trimmed == path {
        return None;
    }
    let whole = match uri.query() {
        Some(query) => format!("{trimmed}?{query}"),
        None => trimmed,
    };
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(PathAndQuery::try_from(whole).ok()?);
    Uri::from_parts(parts).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mends_slashes_and_nothing_else() {
        let mend = |text: &str| mended(&text.parse().expect("valid")).map(|uri| uri.to_string());
        assert_eq!(mend("//services/data/?q=//a/"), Some("/services/data?q=//a/".to_owned()));
        assert_eq!(mend("http://h:1/a/"), Some("http://h:1/a".to_owned()));
        assert_eq!(mend("/a/b?c=d/"), None);
        assert_eq!(mend("/"), None);
    }
}
