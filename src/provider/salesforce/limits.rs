//! How much the organization may still ask for.

use serde::Deserialize;

use super::call::Call;
use super::session::Session;
use super::soql::check_names;
use crate::provider::{ErrorClass, ProviderError};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Limits {
    daily_api_requests: Option<Limit>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Limit {
    remaining: i64,
}

/// The calls left of the organization's 24 hours; `None` where this login may not know (it needs `View Setup and
/// Configuration`). The number is some minutes old (documented), and other programs use the same ones up.
pub(super) async fn calls_left(session: &Session) -> Result<Option<u64>, ProviderError> {
    let call = Call::get("ask how many calls are left".to_owned(), "limits");
    match session.read_json::<Limits>(&call).await {
        // An org over its soft limit shows a negative rest.
        Ok(limits) => Ok(limits.daily_api_requests.map(|limit| u64::try_from(limit.remaining).unwrap_or(0))),
        Err(error) if matches!(error.class, ErrorClass::Denied | ErrorClass::NotFound) => Ok(None),
        Err(error) => Err(error),
    }
}

#[derive(Deserialize)]
struct RecordCounts {
    #[serde(rename = "sObjects")]
    objects: Vec<RecordCount>,
}

#[derive(Deserialize)]
struct RecordCount {
    name: String,
    count: u64,
}

/// About how many records an object has. The number is some time old, and leaves out archived records and those in the recycle bin;
/// objects that the system keeps no number of are left out of the answer (documented).
pub(super) async fn approximate_count(session: &Session, object: &str) -> Result<Option<u64>, ProviderError> {
    let doing = format!("ask about how many {object} records there are");
    check_names(&doing, object, [])?;
    let call = Call::get(doing, "limits/recordCount").parameters(&[("sObjects", object)]);
    match session.read_json::<RecordCounts>(&call).await {
        Ok(RecordCounts { objects }) => {
            Ok(objects.into_iter().find(|told| told.name.eq_ignore_ascii_case(object)).map(|told| told.count))
        }
        Err(error) if error.class.is_about_the_request() => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use crate::provider::transport::scripted::json;

    #[tokio::test]
    async fn tells_the_rest_of_the_day_or_that_it_may_not_know() {
        for (status, body, left) in [
            (200, r#"{"DailyApiRequests":{"Max":15000,"Remaining":14998},"Other":{"Max":1,"Remaining":1}}"#, Some(14_998)),
            (200, r#"{"DailyApiRequests":{"Max":15000,"Remaining":-3}}"#, Some(0)),
            (200, "{}", None),
            (403, r#"[{"errorCode":"INSUFFICIENT_ACCESS","message":"insufficient access rights"}]"#, None),
        ] {
            let (provider, _) = org(move |_| json(status, body));
            assert_eq!(provider.calls_left().await, Ok(left), "{body}");
        }
    }

    #[tokio::test]
    async fn tells_an_approximate_count_or_that_there_is_none() {
        for (status, body, count) in [
            (200, r#"{"sObjects":[{"count":3,"name":"Account"},{"count":48000000,"name":"Lead"}]}"#, Some(48_000_000)),
            (200, r#"{"sObjects":[]}"#, None),
            (404, r#"[{"errorCode":"NOT_FOUND","message":"The requested resource does not exist"}]"#, None),
            (403, r#"[{"errorCode":"INSUFFICIENT_ACCESS","message":"insufficient access rights"}]"#, None),
        ] {
            let (provider, transport) = org(move |_| json(status, body));
            assert_eq!(provider.approximate_count("Lead").await, Ok(count), "{body}");
            let seen = asked(&transport);
            assert_eq!(seen[0].line(), "GET /services/data/v66.0/limits/recordCount");
            assert_eq!(seen[0].parameter("sObjects"), Some("Lead"));
        }
    }
}
