//! What is known of Zuora without asking a tenant.

use std::time::Duration;

use super::{Api, ApiShape, Capabilities, RouteCapability, SystemKind};

/// The most ids of one `delete()` (documented).
pub const DELETE_MOST_IDS: usize = 50;
/// The most records of a page (documented).
pub const LARGEST_PAGE: u32 = 2_000;
/// The most ids of one check of presence: a condition has 200 comparisons at most (documented), and the 9,200 characters they make
/// fit.
pub const PRESENCE_MOST_IDS: usize = 200;
/// How long the calls of a target are counted: ten minutes (documented in 2015), and a little longer, since calls are counted where
/// they arrive and do not all take equally long on their way.
pub const BUDGET_WINDOW: Duration = Duration::from_secs(605);

/// SOAP `delete()`.
pub(super) const SOAP: RouteCapability = RouteCapability {
    api: Api::ZuoraSoap,
    shape: ApiShape::Requests,
    // There is no recycle bin.
    soft: false,
    hard: true,
    batch_size: DELETE_MOST_IDS as u64,
    atomic_size: 0,
    serial: true,
    takes_queries: false,
    // A tenant takes 40 requests at once from everybody (documented); the calls of ten minutes are used up by fewer.
    parallel: 4,
    calls_per_batch: 1,
    preferred_up_to: None,
};

/// What Zuora can do.
pub const CAPABILITIES: Capabilities = Capabilities {
    system: SystemKind::Zuora,
    key: "Id",
    change_stamp: Some("UpdatedDate"),
    // A target has its own.
    budget: None,
    routes: &[SOAP],
    page_size: LARGEST_PAGE as u64,
    presence_size: PRESENCE_MOST_IDS,
};

/// The code by which it says that other work held a record's lock (documented).
pub(super) const LOCK_CODES: &[&str] = &["LOCK_COMPETITION"];

/// Whether a host is that of a tenant with real data, by the vendor's list of data centres (documented); those for REST are the same
/// behind `rest.`, and one is recorded with `-api`. `services` and a number is a copy of production, of which the list does not say what
/// it is for.
pub(super) fn is_production_host(host: &str) -> Option<bool> {
    let name = host.strip_suffix(".zuora.com")?;
    let name = name.strip_prefix("rest.").unwrap_or(name);
    let is_performance_test = |label: &str| label.strip_prefix("pt").is_some_and(|number| number.parse::<u32>().is_ok());
    match name {
        "na" | "www" | "rest" | "eu" | "ap" => Some(true),
        "apisandbox" | "apisandbox-api" | "sandbox.na" | "sandbox.eu" | "test" | "test.eu" | "test.ap" => Some(false),
        label if is_performance_test(label) => Some(false),
        _ => None,
    }
}
