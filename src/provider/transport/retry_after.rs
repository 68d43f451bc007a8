//! How long a system asks to be left alone.

use std::time::Duration;

use http::HeaderMap;

use super::date::moment;

/// The longest pause a system may ask for; one that asks for more is asked again after it.
pub(super) const LONGEST_WAIT: Duration = Duration::from_secs(3600);

/// The pause the system asks for, at most an hour: `Retry-After` in seconds or as a date (RFC 9110), or `RateLimit-Reset`, which
/// Zuora's gateway sends instead (documented).
///
/// A date is compared with the answer's own `Date`, since the clock of this machine need not agree; without one it says nothing.
pub fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = |name: &str| headers.get(name)?.to_str().ok().map(str::trim);
    let seconds = |name: &str| text(name)?.parse().ok().map(Duration::from_secs);
    let until_date = || Duration::try_from(moment(headers, "retry-after")?.duration_since(moment(headers, "date")?)).ok();
    let wait = seconds("retry-after").or_else(until_date).or_else(|| seconds("ratelimit-reset"))?;
    Some(wait.min(LONGEST_WAIT))
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};

    use super::*;

    fn wait(headers: &[(&'static str, &'static str)]) -> Option<u64> {
        let header =
            |(name, value): &(&'static str, &'static str)| (HeaderName::from_static(name), HeaderValue::from_static(value));
        retry_after(&headers.iter().map(header).collect()).map(|wait| wait.as_secs())
    }

    #[test]
    fn seconds_and_dates_are_understood_within_an_hour() {
        let at = ("date", "Wed, 21 Oct 2026 07:28:00 GMT");
        assert_eq!(wait(&[]), None);
        assert_eq!(wait(&[("retry-after", "7")]), Some(7));
        assert_eq!(wait(&[("retry-after", "99999999")]), Some(3600));
        assert_eq!(wait(&[("retry-after", "Wed, 21 Oct 2026 07:30:00 GMT"), at]), Some(120));
        assert_eq!(wait(&[("retry-after", "Thu, 22 Oct 2026 07:30:00 GMT"), at]), Some(3600));
        assert_eq!(wait(&[("ratelimit-reset", "9")]), Some(9));
        assert_eq!(wait(&[("retry-after", "7"), ("ratelimit-reset", "9")]), Some(7));
    }

    #[test]
    fn what_cannot_be_understood_is_no_pause() {
        assert_eq!(wait(&[("retry-after", "soon")]), None);
        assert_eq!(wait(&[("retry-after", "-7")]), None);
        assert_eq!(wait(&[("retry-after", "Wed, 21 Oct 2026 07:30:00 GMT")]), None, "without a `Date`");
        let past = [("retry-after", "Wed, 21 Oct 2026 07:20:00 GMT"), ("date", "Wed, 21 Oct 2026 07:28:00 GMT")];
        assert_eq!(wait(&past), None);
    }
}
