//! What SOAP interfaces share, whatever system they belong to.

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use http::header;

use super::xml::Element;

/// The largest SOAP request, in bytes.
pub(super) const LARGEST: usize = 4 << 20;

/// The operation a SOAP request asks for: the name of the first element in its body. Nothing for other requests.
///
/// All operations of a service go to one path, so that the path cannot tell them apart.
pub(super) async fn operation(request: &mut Request) -> Option<String> {
    let media_type = request.headers().get(header::CONTENT_TYPE)?.to_str().ok()?.split(';').next()?.trim();
    if !matches!(media_type, "text/xml" | "application/soap+xml") {
        return None;
    }
    let bytes = to_bytes(std::mem::take(request.body_mut()), LARGEST).await.unwrap_or_default();
    let envelope = Element::read(&bytes).ok();
    *request.body_mut() = Body::from(bytes);
    Some(envelope?.child("Body")?.children.first()?.name.clone())
}
