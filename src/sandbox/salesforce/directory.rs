//! What the interface says about itself: versions, resources, limits, record counts.

use axum::Extension;
use axum::extract::{Query, State};
use axum::response::Response;
use http::{HeaderMap, StatusCode, Uri};
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json as tree};

use super::error::{ApiError, json};
use super::gate::{ApiVersion, VERSIONS};
use crate::sandbox::Sandbox;
use crate::sandbox::gate::origin;
use crate::sandbox::session::Session;

#[derive(Serialize)]
struct Version {
    label: String,
    url: String,
    version: String,
}

/// `GET /services/data/`: no login, not counted (documented).
pub(super) async fn versions() -> Response {
    let all: Vec<Version> = VERSIONS
        .map(|number| Version {
            label: release_name(number),
            url: format!("/services/data/v{number}.0"),
            version: format!("{number}.0"),
        })
        .collect();
    json(StatusCode::OK, &all)
}

/// Three releases a year; 65.0 was Winter '26 (documented).
fn release_name(number: u32) -> String {
    let since = i64::from(number) - 65;
    let season = ["Winter", "Spring", "Summer"][since.rem_euclid(3) as usize];
    format!("{season} '{}", 26 + since.div_euclid(3))
}

/// `GET /services/data/{version}`: the resources there are, and who asks. SFDMU and jsforce sign in by `identity`.
pub(super) async fn resources(
    State(sandbox): State<Sandbox>,
    Extension(version): Extension<ApiVersion>,
    Extension(session): Extension<Session>,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    let base = format!("/services/data/v{}", version.dotted());
    let names = ["composite", "jobs", "limits", "query", "queryAll", "sobjects"];
    let mut all: serde_json::Map<String, Json> =
        names.iter().map(|name| ((*name).to_owned(), Json::String(format!("{base}/{name}")))).collect();
    let organization = sandbox.world().organization().key;
    let identity = format!("{}/id/{organization}/{}", origin(&headers, &uri), session.user);
    all.insert("identity".to_owned(), Json::String(identity));
    json(StatusCode::OK, &all)
}

/// `GET …/limits`.
pub(super) async fn limits(
    State(sandbox): State<Sandbox>,
    Extension(session): Extension<Session>,
) -> Result<Response, ApiError> {
    let batches = sandbox.bulk().batches_spent(sandbox.now());
    let world = sandbox.world();
    if !world.user(session.user).is_some_and(|user| user.permissions.view_setup) {
        // That the permission is needed is documented; code and text are a guess.
        let message = "insufficient access: View Setup and Configuration";
        return Err(ApiError::new(StatusCode::FORBIDDEN, "INSUFFICIENT_ACCESS", message));
    }
    let settings = sandbox.settings();
    let limit = |most: u64, used: u64| tree!({ "Max": most, "Remaining": most.saturating_sub(used) });
    let body = tree!({
        "ConcurrentAsyncGetReportInstances": limit(200, 0),
        "DailyApiRequests": limit(settings.daily_requests, sandbox.calls_spent()),
        "DailyAsyncApexExecutions": limit(250_000, 0),
        "DailyBulkApiBatches": limit(settings.daily_batches, batches),
        "DailyBulkV2QueryFileStorageMB": limit(976_562, 0),
        "DailyBulkV2QueryJobs": limit(10_000, 0),
        "DataStorageMB": limit(10_240, 0),
        "FileStorageMB": limit(10_240, 0),
        "HourlyTimeBasedWorkflow": limit(1_000, 0),
    });
    Ok(json(StatusCode::OK, &body))
}

#[derive(Deserialize)]
pub(super) struct CountQuery {
    #[serde(rename = "sObjects")]
    objects: Option<String>,
}

/// `GET …/limits/recordCount?sObjects=…`: names nobody knows are dropped (documented).
///
/// The numbers are some time old (documented). Objects that the login cannot see are dropped as well (guess).
pub(super) async fn record_count(
    State(sandbox): State<Sandbox>,
    Extension(session): Extension<Session>,
    Query(query): Query<CountQuery>,
) -> Response {
    let percent = u128::from(sandbox.settings().record_count_percent);
    let world = sandbox.world();
    let names: Vec<&str> = match &query.objects {
        Some(names) => names
            .split(',')
            .filter_map(|name| world.table(name.trim()))
            .map(|table| table.definition().name.as_str())
            .collect(),
        None => world.objects(),
    };
    let seen = names.iter().filter(|name| world.may_read(name, session.user));
    let told = |name: &str| u64::try_from(u128::from(world.count(name)) * percent / 100).unwrap_or(u64::MAX);
    let counts: Vec<Json> = seen.map(|name| tree!({ "count": told(name), "name": name })).collect();
    json(StatusCode::OK, &tree!({ "sObjects": counts }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_releases_by_season_and_year() {
        let names = [31, 64, 65, 66, 67, 68].map(release_name);
        assert_eq!(names, ["Summer '14", "Summer '25", "Winter '26", "Spring '26", "Summer '26", "Winter '27"]);
    }
}
