//! How much the organization may still ask for.

use serde::Deserialize;

use super::call::Call;
use super::session::Session;
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
}
