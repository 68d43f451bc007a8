//! What time it is where an answer comes from.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use http::HeaderMap;
use jiff::fmt::rfc2822;
use jiff::{SignedDuration, Timestamp};

use super::{Request, Response, Transport, TransportError};
use crate::base::Clock;

/// Sends requests and compares the time of each answer with this machine's.
///
/// It belongs next to the wire: what waits between it and the network makes the comparison less exact.
pub struct Dated {
    inner: Arc<dyn Transport>,
    clock: Arc<dyn Clock>,
    last: Mutex<Option<SignedDuration>>,
}

impl Dated {
    /// Looks at the answers to what goes through `inner`.
    pub fn new(inner: Arc<dyn Transport>, clock: Arc<dyn Clock>) -> Self {
        Self { inner, clock, last: Mutex::new(None) }
    }
}

#[async_trait]
impl Transport for Dated {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        let sent = self.clock.now();
        let response = self.inner.send(request).await?;
        if let Some(difference) = difference(&response.headers, sent, self.clock.now()) {
            *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(difference);
        }
        Ok(response)
    }

    fn clock_difference(&self) -> Option<SignedDuration> {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The moment that a header names (RFC 9110).
pub(super) fn moment(headers: &HeaderMap, name: &str) -> Option<Timestamp> {
    rfc2822::parse(headers.get(name)?.to_str().ok()?.trim()).ok().map(|moment| moment.timestamp())
}

/// By how much this machine's clock certainly is ahead of the one that wrote the answer's `Date`; negative when it is behind. The answer
/// was written between sending and receiving, and `Date` has no fraction of its second: what these explain is no difference.
fn difference(headers: &HeaderMap, sent: Timestamp, received: Timestamp) -> Option<SignedDuration> {
    let date = moment(headers, "date")?;
    let ahead = sent.duration_since(date).saturating_sub(SignedDuration::from_secs(1));
    let behind = received.duration_since(date);
    Some(if ahead.is_positive() { ahead } else { behind.min(SignedDuration::ZERO) })
}

#[cfg(test)]
mod tests {
    use http::{HeaderValue, Method};
    use url::Url;

    use super::super::RequestBody;
    use super::super::scripted::{Scripted, answer};
    use super::*;

    const DATE: &str = "Wed, 21 Oct 2026 07:28:00 GMT";

    #[test]
    fn the_way_and_the_fraction_of_a_second_explain_what_they_can() {
        let at = |text: &str| -> Timestamp { text.parse().expect("a moment") };
        let seconds = |sent: &str, received: &str| {
            let headers = HeaderMap::from_iter([(http::header::DATE, HeaderValue::from_static(DATE))]);
            difference(&headers, at(sent), at(received)).map(|difference| difference.as_secs_f64())
        };
        for (sent, received, expected) in [
            ("2026-10-21T07:28:00Z", "2026-10-21T07:28:00Z", 0.0),
            ("2026-10-21T07:28:00.9Z", "2026-10-21T07:28:01.1Z", 0.0),
            ("2026-10-21T07:27:00Z", "2026-10-21T07:29:00Z", 0.0),
            ("2026-10-21T07:28:01.5Z", "2026-10-21T07:29:00Z", 0.5),
            ("2026-10-21T07:26:00Z", "2026-10-21T07:27:58Z", -2.0),
            ("2030-11-29T07:28:01Z", "2030-11-29T07:28:02Z", 1500.0 * 86_400.0),
            ("2022-09-12T07:28:00Z", "2022-09-12T07:28:00Z", -1500.0 * 86_400.0),
        ] {
            assert_eq!(seconds(sent, received), Some(expected), "{sent} {received}");
        }
    }

    #[test]
    fn an_answer_without_a_date_says_nothing() {
        for text in [None, Some("soon"), Some("2026-10-21T07:28:00Z")] {
            let header = text.map(|text| (http::header::DATE, HeaderValue::from_static(text)));
            assert_eq!(difference(&header.into_iter().collect(), Timestamp::UNIX_EPOCH, Timestamp::UNIX_EPOCH), None);
        }
    }

    #[tokio::test]
    async fn the_last_answer_with_a_date_counts() {
        struct Still;
        impl Clock for Still {
            fn now(&self) -> Timestamp {
                "2026-10-21T07:38:01Z".parse().expect("a moment")
            }
        }
        let later = [("date", "Wed, 21 Oct 2026 07:33:00 GMT")];
        let mut dates = [Vec::new(), vec![("date", DATE)], Vec::new(), later.to_vec()].into_iter();
        let system = Scripted::new(move |_| answer(200, &dates.next().expect("four requests"), ""));
        let dated = Dated::new(Arc::new(system), Arc::new(Still));
        for expected in [None, Some(600), Some(600), Some(300)] {
            let url = Url::parse("https://crm.example/").expect("valid");
            let request = Request { method: Method::GET, url, headers: HeaderMap::new(), body: RequestBody::Empty };
            dated.send(request).await.expect("answered");
            assert_eq!(dated.clock_difference().map(|difference| difference.as_secs()), expected);
        }
    }
}
