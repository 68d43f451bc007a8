//! Answers that come compressed.

use std::io::{self, Write};

use axum::body::{Body, Bytes};
use axum::response::Response;
use flate2::Compression;
use flate2::write::GzEncoder;
use futures::StreamExt;
use http::{HeaderMap, HeaderValue, header};

/// Whether a client takes compressed answers.
pub(in crate::sandbox) fn takes_gzip(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    accepted
        .flat_map(|value| value.split(','))
        .any(|coding| coding.split(';').next().is_some_and(|name| name.trim() == "gzip"))
}

/// The response with its body compressed as it comes. One that breaks off breaks off here, too.
pub(in crate::sandbox) fn compressed(response: Response) -> Response {
    let (mut parts, body) = response.into_parts();
    parts.headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    parts.headers.remove(header::CONTENT_LENGTH);
    let encoder = GzEncoder::new(Vec::new(), Compression::fast());
    let pieces = futures::stream::unfold(Some((body.into_data_stream(), encoder)), |state| async {
        let (mut body, mut encoder) = state?;
        match body.next().await {
            Some(Ok(piece)) => Some((squeezed(&mut encoder, &piece), Some((body, encoder)))),
            Some(Err(error)) => Some((Err(io::Error::other(error)), None)),
            None => Some((encoder.finish().map(Bytes::from), None)),
        }
    });
    // A piece that is still in the encoder is none to be sent.
    let pieces = pieces.filter(|piece| std::future::ready(!piece.as_ref().is_ok_and(Bytes::is_empty)));
    Response::from_parts(parts, Body::from_stream(pieces))
}

fn squeezed(encoder: &mut GzEncoder<Vec<u8>>, piece: &[u8]) -> io::Result<Bytes> {
    encoder.write_all(piece)?;
    encoder.flush()?;
    Ok(Bytes::from(std::mem::take(encoder.get_mut())))
}
