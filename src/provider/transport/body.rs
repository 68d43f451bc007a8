//! Reading a whole body without trusting its sender.

use bytes::{Bytes, BytesMut};
use futures::StreamExt as _;

use super::ByteStream;

/// Why a body could not be read as a whole.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    /// It is longer than anything that can be meant, and was not read on.
    #[error("the answer is longer than {limit} bytes")]
    TooLong {
        /// The most bytes that were acceptable, after decompression.
        limit: usize,
    },
    /// It broke off.
    #[error("the answer was cut off")]
    Broken(#[source] std::io::Error),
}

/// Reads a body of at most `limit` bytes into memory, so that a hostile server cannot exhaust it.
///
/// # Errors
///
/// When the body is longer, or breaks off before its end.
pub async fn read_body(mut body: ByteStream, limit: usize) -> Result<Bytes, BodyError> {
    let mut whole = BytesMut::new();
    while let Some(piece) = body.next().await {
        let piece = piece.map_err(BodyError::Broken)?;
        if whole.len() + piece.len() > limit {
            return Err(BodyError::TooLong { limit });
        }
        whole.extend_from_slice(&piece);
    }
    Ok(whole.freeze())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(pieces: Vec<std::io::Result<Bytes>>) -> ByteStream {
        Box::pin(futures::stream::iter(pieces))
    }

    #[tokio::test]
    async fn joins_the_pieces() {
        let pieces = vec![Ok(Bytes::from_static(b"ab")), Ok(Bytes::from_static(b"c"))];
        assert_eq!(read_body(body(pieces), 3).await.expect("short enough"), "abc");
    }

    #[tokio::test]
    async fn stops_reading_an_endless_body() {
        let endless = Box::pin(futures::stream::repeat_with(|| Ok(Bytes::from_static(b"xxxx"))));
        assert!(matches!(read_body(endless, 9).await, Err(BodyError::TooLong { limit: 9 })));
    }

    #[tokio::test]
    async fn tells_a_broken_body_from_a_short_one() {
        let pieces = vec![Ok(Bytes::from_static(b"ab")), Err(std::io::Error::other("reset"))];
        assert!(matches!(read_body(body(pieces), 100).await, Err(BodyError::Broken(_))));
    }
}
