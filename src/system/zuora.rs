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
/// The calls that a tenant took in ten minutes (documented in 2015, and no longer): what a target that says nothing keeps to.
pub const CALLS_IN_TEN_MINUTES: u32 = 1_000;
/// The most calls that any kind of tenant takes in a minute (documented: production; a developer sandbox takes 12,500, an API sandbox 2,500).
pub const CALLS_A_MINUTE: u32 = 50_000;
/// The same in an hour (documented: production; the others 25,000 and 5,000).
pub const CALLS_AN_HOUR: u32 = 2_250_000;
/// The same in a day (documented: production; the others 50,000 and 10,000).
pub const CALLS_A_DAY: u32 = 27_000_000;
/// By how much longer the windows are that Sexton counts calls in: they are counted where they arrive, and do not all take equally long on
/// their way.
const LATENESS: Duration = Duration::from_secs(5);
/// Ten minutes.
pub const TEN_MINUTES: Duration = Duration::from_secs(600).saturating_add(LATENESS);
/// A minute.
pub const MINUTE: Duration = Duration::from_secs(60).saturating_add(LATENESS);
/// An hour.
pub const HOUR: Duration = Duration::from_secs(3_600).saturating_add(LATENESS);
/// A day.
pub const DAY: Duration = Duration::from_secs(86_400).saturating_add(LATENESS);

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
