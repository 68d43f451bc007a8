//! Which API takes a selection, in what groups, and why.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::base::{counted, with_thousands};
use crate::manifest::{AllOrNone, Concurrency, PolicySettings, SendAs};
use crate::system::{Api, Capabilities, DeleteMode, RouteCapability};

/// How a policy's records are to be deleted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Route {
    /// The API.
    pub api: Api,
    /// The most records in one batch: what one request or one job carries.
    pub batch_size: u64,
    /// How many batches the selection makes.
    pub batches: u64,
    /// How many batches may be under way at once.
    pub parallel: u32,
    /// Whether a batch is atomic.
    pub atomic: bool,
    /// How many calls of the system's API this is expected to take, without polling.
    pub calls: u64,
    /// Why this API, for people only; apply never reads it.
    pub reason: String,
}

/// Why no API takes a selection, and what can be done: one sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoRoute {
    /// None can delete in the way the policy asks for.
    NoApi(String),
    /// None gives the atomicity that the policy asks for at this size.
    NotAtomic(String),
}

/// The most records of a batch that is a query: it lists them, and the system gives it ten seconds.
const QUERY_BATCH: u64 = 1_000;

/// Chooses the API for `selected` records of a policy with these settings: always the same one for the same arguments.
///
/// The rules read the table of capabilities and no API's name: a pin (`via`) leaves one candidate; a candidate must be
/// able to delete in the policy's mode, one batch at a time where that is asked, and atomically exactly where that is asked. Of
/// those that are left the first whose preferred size covers the selection is taken. Atomicity outweighs preferred
/// sizes, and a pin too; so does one batch at a time, since a preferred size is about speed.
///
/// With nothing selected the route has no batches.
///
/// # Errors
///
/// [`NoRoute`] when no API can.
pub fn choose(settings: &PolicySettings, selected: u64, capabilities: &Capabilities) -> Result<Route, NoRoute> {
    let records = counted(selected, "record");

    let parallel = settings.concurrency == Concurrency::Parallel;
    let atomic = settings.all_or_none != AllOrNone::No;
    let fits = |route: &&RouteCapability| {
        route.deletes(settings.delete)
            && route.api.takes(&settings.object)
            && (parallel || route.serial)
            && (atomic || route.batch_size > 0)
    };
    let pinned = |route: &&RouteCapability| settings.via.is_none_or(|api| api == route.api);
    let fitting: Vec<&RouteCapability> = capabilities.routes.iter().filter(fits).collect();
    let able: Vec<&RouteCapability> = fitting.iter().copied().filter(pinned).collect();
    if able.is_empty() {
        return Err(NoRoute::NoApi(no_api(settings, capabilities, &fitting)));
    }

    let chosen = match settings.all_or_none {
        AllOrNone::No => {
            let preferred =
                |route: &&&RouteCapability| route.preferred_up_to.is_none_or(|most| parallel && selected <= most);
            let first = if settings.via.is_some() { None } else { able.iter().find(preferred) };
            first.or(able.last()).copied()
        }
        AllOrNone::Policy => able.iter().find(|route| route.atomic_size >= selected.max(1)).copied(),
        AllOrNone::PerRequest => able.iter().find(|route| route.atomic_size > 0).copied(),
    };
    let Some(chosen) = chosen else {
        return Err(NoRoute::NotAtomic(not_atomic(settings, selected, &able)));
    };

    let batch_size = match settings.send_as {
        _ if atomic => chosen.atomic_size,
        SendAs::Ids => chosen.batch_size,
        SendAs::Query => chosen.batch_size.min(QUERY_BATCH),
    };
    let batch_size = match settings.batch_size {
        Some(most) if settings.all_or_none != AllOrNone::Policy => batch_size.min(most.max(1)),
        _ => batch_size,
    };
    let batches = selected.div_ceil(batch_size.max(1));
    let title = chosen.api.title();
    let passed_over =
        able.iter().take_while(|route| route.api != chosen.api).filter_map(|route| route.preferred_up_to).max();
    let why = match settings.all_or_none {
        AllOrNone::Policy => {
            format!("all or none: {title} takes up to {} in one atomic request", with_thousands(batch_size))
        }
        AllOrNone::PerRequest => {
            let groups = counted(batches, "atomic group");
            format!("{groups} of {}, each all or none, through {title}", with_thousands(batch_size))
        }
        AllOrNone::No => match (settings.via, chosen.preferred_up_to, passed_over) {
            (Some(api), ..) => format!("pinned to {title} by `via: {api}`"),
            (None, ..) if !parallel => format!("one batch at a time goes through {title}"),
            (None, Some(most), _) if selected <= most => format!("up to {} go through {title}", with_thousands(most)),
            (None, _, Some(most)) => format!("above {} go through {title}", with_thousands(most)),
            (None, ..) if settings.delete == DeleteMode::Hard => format!("hard deletes go through {title}"),
            (None, ..) => format!("all go through {title}"),
        },
    };
    Ok(Route {
        api: chosen.api,
        batch_size,
        batches,
        parallel: if parallel { chosen.parallel } else { 1 },
        atomic,
        calls: batches * chosen.calls_per_batch,
        reason: format!("{records}, {why}"),
    })
}

/// Why no API is left before sizes are considered, naming the setting to change. `fitting` are those that would fit without the
/// pin.
fn no_api(settings: &PolicySettings, capabilities: &Capabilities, fitting: &[&RouteCapability]) -> String {
    let system = capabilities.system;
    let pin = settings.via.map(|api| format!("`via: {api}` pins {}", api.title()));
    let within = |can: fn(&RouteCapability) -> bool| {
        capabilities.routes.iter().any(|route| settings.via.is_none_or(|api| api == route.api) && can(route))
    };
    if !within(|_| true) {
        let known: Vec<&str> = capabilities.routes.iter().map(|route| route.api.name()).collect();
        let pin = pin.unwrap_or_else(|| "no API is left".into());
        return format!("{pin}, which a {system} target does not have: use {}, or leave `via` out", known.join(" or "));
    }
    let object = &settings.object;
    let pinned = |route: &&RouteCapability| settings.via.is_none_or(|api| api == route.api);
    let mut deleting = capabilities.routes.iter().filter(pinned).filter(|route| route.deletes(settings.delete)).peekable();
    if deleting.peek().is_some() && deleting.all(|route| !route.api.takes(object)) {
        let refusing = pin.unwrap_or_else(|| format!("`delete: {}` needs a Bulk API", <&str>::from(settings.delete)));
        return format!(
            "{refusing}, and the Bulk APIs do not take `{object}`: only a soft delete without `via` can delete it"
        );
    }
    let what = match settings.delete {
        DeleteMode::Soft if !within(|route| route.soft) => "`delete: soft`",
        DeleteMode::Hard if !within(|route| route.hard) => "`delete: hard`",
        _ if !within(|route| route.batch_size > 0) => "`allOrNone: false`",
        _ => "`concurrency: serial`",
    };
    let others: Vec<String> = fitting.iter().map(|route| format!("`via: {}`", route.api)).collect();
    match pin {
        Some(pin) if !others.is_empty() => {
            format!("{pin}, which cannot do {what}: use {}, or leave `via` out", others.join(" or "))
        }
        _ => format!("no API of a {system} target can do {what} in this version: remove it from the policy"),
    }
}

/// Why the selection cannot go as a whole, and what can be done.
fn not_atomic(settings: &PolicySettings, selected: u64, able: &[&RouteCapability]) -> String {
    let records = counted(selected, "record");
    let best = able.iter().max_by_key(|route| route.atomic_size);
    let asked = match settings.all_or_none {
        AllOrNone::PerRequest => "`allOrNone: perRequest`",
        _ => "`allOrNone: true`",
    };
    let group = able.iter().find(|route| route.atomic_size > 0);
    match best.zip(group) {
        Some((best, group)) => format!(
            "{records} cannot be deleted as a whole: `allOrNone: true` takes at most {} ({}), which is {} fewer; narrow the filter, \
             or set `allOrNone: perRequest` for atomic groups of {}",
            with_thousands(best.atomic_size),
            best.api.title(),
            with_thousands(selected.saturating_sub(best.atomic_size)),
            with_thousands(group.atomic_size),
        ),
        _ => {
            let titles: Vec<&str> = able.iter().map(|route| route.api.title()).collect();
            format!(
                "{records} would go through {}, which cannot do {asked}: set `allOrNone: false`, or remove what asks for \
                 that API (`delete: hard`, `via`)",
                titles.join(" or ")
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::super::test_settings;
    use super::*;
    use crate::system::salesforce;

    const COLLECTIONS: RouteCapability = salesforce::CAPABILITIES.routes[0];
    const BULK: RouteCapability = RouteCapability { parallel: 3, calls_per_batch: 5, ..salesforce::CAPABILITIES.routes[1] };
    const SERIAL: RouteCapability =
        RouteCapability { api: Api::Bulk1, batch_size: 10_000, serial: true, calls_per_batch: 5, ..BULK };
    const WHOLE: RouteCapability = salesforce::CAPABILITIES.routes[3];
    const SALESFORCE: Capabilities =
        Capabilities { routes: &[COLLECTIONS, BULK, SERIAL, WHOLE], ..salesforce::CAPABILITIES };

    fn api(settings: &PolicySettings, selected: u64) -> Option<Api> {
        choose(settings, selected, &SALESFORCE).ok().map(|route| route.api)
    }

    #[test]
    fn changes_the_api_exactly_above_the_preferred_size() {
        let soft = test_settings();
        assert_eq!(api(&soft, 1), Some(Api::Collections));
        assert_eq!(api(&soft, 1_999), Some(Api::Collections));
        assert_eq!(api(&soft, 2_000), Some(Api::Collections));
        assert_eq!(api(&soft, 2_001), Some(Api::Bulk2));
        let hard = PolicySettings { delete: DeleteMode::Hard, ..soft };
        assert_eq!(api(&hard, 1), Some(Api::Bulk2));
    }

    #[test]
    fn what_the_bulk_apis_refuse_goes_without_them_at_any_size() {
        let logs = PolicySettings { object: "ApexLog".into(), ..test_settings() };
        assert_eq!(api(&logs, 50_000), Some(Api::Collections));
        let refused = |settings: &PolicySettings| match choose(settings, 1, &SALESFORCE) {
            Err(NoRoute::NoApi(why)) => why,
            other => panic!("{other:?}"),
        };
        assert_snapshot!(refused(&PolicySettings { delete: DeleteMode::Hard, ..logs.clone() }),
            @"`delete: hard` needs a Bulk API, and the Bulk APIs do not take `ApexLog`: only a soft delete without `via` can delete it");
        assert_snapshot!(refused(&PolicySettings { via: Some(Api::Bulk2), ..logs }),
            @"`via: bulk2` pins Bulk API 2.0, and the Bulk APIs do not take `ApexLog`: only a soft delete without `via` can delete it");
    }

    #[test]
    fn a_whole_policy_goes_in_one_request_up_to_the_largest_atomic_size() {
        let whole = PolicySettings { all_or_none: AllOrNone::Policy, ..test_settings() };
        for (selected, api) in [
            (0, Api::Collections),
            (1, Api::Collections),
            (200, Api::Collections),
            (201, Api::Composite),
            (1_000, Api::Composite),
        ] {
            let route = choose(&whole, selected, &SALESFORCE).expect("within the atomic size");
            assert!(route.atomic && route.batches == selected.min(1) && route.api == api, "{route:?}");
        }
        let refused = choose(&whole, 1_001, &SALESFORCE).expect_err("above the atomic size");
        assert!(matches!(refused, NoRoute::NotAtomic(_)), "{refused:?}");
    }

    #[test]
    fn cuts_the_selection_into_batches() {
        let each = PolicySettings { all_or_none: AllOrNone::PerRequest, ..test_settings() };
        for (selected, batches) in [(0, 0), (1, 1), (200, 1), (201, 2), (5_000, 25)] {
            let route = choose(&each, selected, &SALESFORCE).expect("atomic groups");
            assert_eq!((route.api, route.atomic, route.batches, route.calls), (Api::Collections, true, batches, batches));
        }
        let query = PolicySettings { send_as: SendAs::Query, via: Some(Api::Bulk1), ..test_settings() };
        assert_eq!(choose(&query, 2_500, &SALESFORCE).map(|route| (route.batch_size, route.batches)), Ok((1_000, 3)));
        let small = PolicySettings { batch_size: Some(30), ..test_settings() };
        let route = choose(&small, 2_000, &SALESFORCE).expect("a route");
        assert_eq!((route.batch_size, route.batches, route.calls), (30, 67, 67), "each batch has its calls");
        let groups = PolicySettings { all_or_none: AllOrNone::PerRequest, ..small };
        assert_eq!(choose(&groups, 100, &SALESFORCE).map(|route| (route.batch_size, route.batches)), Ok((30, 4)));
        let bulk = choose(&test_settings(), 1_000_001, &SALESFORCE).expect("a route");
        assert_eq!((bulk.batches, bulk.calls, bulk.parallel, bulk.atomic), (2, 10, 3, false));
    }

    #[test]
    fn one_batch_at_a_time_takes_an_api_that_sees_to_it() {
        let serial = PolicySettings { concurrency: Concurrency::Serial, ..test_settings() };
        for delete in [DeleteMode::Soft, DeleteMode::Hard] {
            for selected in [0, 10, 10_001] {
                let route = choose(&PolicySettings { delete, ..serial.clone() }, selected, &SALESFORCE).expect("a route");
                assert_eq!((route.api, route.parallel), (Api::Bulk1, 1));
            }
        }
        let pinned = PolicySettings { via: Some(Api::Collections), ..serial.clone() };
        assert_eq!(choose(&pinned, 10, &SALESFORCE).map(|route| (route.api, route.parallel)), Ok((Api::Collections, 1)));
        for all_or_none in [AllOrNone::Policy, AllOrNone::PerRequest] {
            let route = choose(&PolicySettings { all_or_none, ..serial.clone() }, 10, &SALESFORCE).expect("a route");
            assert_eq!((route.api, route.parallel), (Api::Collections, 1));
        }
    }

    #[test]
    fn nothing_but_serial_or_a_pin_takes_the_older_bulk_api_or_the_whole_one() {
        for delete in [DeleteMode::Soft, DeleteMode::Hard] {
            for selected in [0, 1, 201, 2_001, 1_000_000] {
                let api = api(&PolicySettings { delete, ..test_settings() }, selected);
                assert!(matches!(api, Some(Api::Collections | Api::Bulk2)), "{api:?}");
            }
        }
        let pinned = PolicySettings { via: Some(Api::Bulk1), ..test_settings() };
        let route = choose(&pinned, 10_001, &SALESFORCE).expect("a route");
        assert_eq!((route.api, route.batches, route.parallel), (Api::Bulk1, 2, 3));
    }

    #[test]
    fn says_why_and_says_what_to_change() {
        let soft = test_settings();
        let whole = PolicySettings { all_or_none: AllOrNone::Policy, ..soft.clone() };
        let each = PolicySettings { all_or_none: AllOrNone::PerRequest, ..soft.clone() };
        let hard = PolicySettings { delete: DeleteMode::Hard, ..soft.clone() };
        let serial = PolicySettings { concurrency: Concurrency::Serial, ..soft.clone() };
        let pinned = |settings: &PolicySettings, api| PolicySettings { via: Some(api), ..settings.clone() };
        let without_bulk = Capabilities { routes: &[COLLECTIONS], ..SALESFORCE };
        let only_bulk = Capabilities { routes: &[BULK], ..SALESFORCE };
        let answers = [
            choose(&serial, 1_204, &SALESFORCE),
            choose(&pinned(&serial, Api::Bulk2), 5, &SALESFORCE),
            choose(&whole, 1_000, &SALESFORCE),
            choose(&pinned(&soft, Api::Composite), 5, &SALESFORCE),
            choose(&pinned(&each, Api::Composite), 1_204, &SALESFORCE),
            choose(&pinned(&whole, Api::Collections), 1_204, &SALESFORCE),
            choose(&soft, 1_204, &SALESFORCE),
            choose(&soft, 2_001, &SALESFORCE),
            choose(&soft, 2_001, &without_bulk),
            choose(&pinned(&soft, Api::Collections), 4_001, &SALESFORCE),
            choose(&pinned(&soft, Api::Bulk2), 1, &SALESFORCE),
            choose(&hard, 5, &SALESFORCE),
            choose(&whole, 150, &SALESFORCE),
            choose(&each, 1_204, &SALESFORCE),
            choose(&whole, 1_204, &SALESFORCE),
            choose(&PolicySettings { delete: DeleteMode::Hard, ..whole.clone() }, 5, &SALESFORCE),
            choose(&pinned(&each, Api::Bulk2), 5, &SALESFORCE),
            choose(&pinned(&hard, Api::Collections), 5, &SALESFORCE),
            choose(&hard, 5, &without_bulk),
            choose(&pinned(&soft, Api::Bulk2), 5, &without_bulk),
            choose(&serial, 5, &only_bulk),
        ];
        let lines: Vec<String> = answers
            .into_iter()
            .map(|answer| match answer {
                Ok(route) => format!("ok   {}", route.reason),
                Err(NoRoute::NoApi(message)) => format!("no api: {message}"),
                Err(NoRoute::NotAtomic(message)) => format!("not atomic: {message}"),
            })
            .collect();
        assert_snapshot!(lines.join("\n"), @"
        ok   1,204 records, one batch at a time goes through Bulk API 1.0
        no api: `via: bulk2` pins Bulk API 2.0, which cannot do `concurrency: serial`: use `via: collections` or `via: bulk1`, or leave `via` out
        ok   1,000 records, all or none: Composite takes up to 1,000 in one atomic request
        no api: `via: composite` pins Composite, which cannot do `allOrNone: false`: use `via: collections` or `via: bulk2` or `via: bulk1`, or leave `via` out
        ok   1,204 records, 2 atomic groups of 1,000, each all or none, through Composite
        not atomic: 1,204 records cannot be deleted as a whole: `allOrNone: true` takes at most 200 (sObject Collections), which is 1,004 fewer; narrow the filter, or set `allOrNone: perRequest` for atomic groups of 200
        ok   1,204 records, up to 2,000 go through sObject Collections
        ok   2,001 records, above 2,000 go through Bulk API 2.0
        ok   2,001 records, all go through sObject Collections
        ok   4,001 records, pinned to sObject Collections by `via: collections`
        ok   1 record, pinned to Bulk API 2.0 by `via: bulk2`
        ok   5 records, hard deletes go through Bulk API 2.0
        ok   150 records, all or none: sObject Collections takes up to 200 in one atomic request
        ok   1,204 records, 7 atomic groups of 200, each all or none, through sObject Collections
        not atomic: 1,204 records cannot be deleted as a whole: `allOrNone: true` takes at most 1,000 (Composite), which is 204 fewer; narrow the filter, or set `allOrNone: perRequest` for atomic groups of 200
        not atomic: 5 records would go through Bulk API 2.0 or Bulk API 1.0, which cannot do `allOrNone: true`: set `allOrNone: false`, or remove what asks for that API (`delete: hard`, `via`)
        not atomic: 5 records would go through Bulk API 2.0, which cannot do `allOrNone: perRequest`: set `allOrNone: false`, or remove what asks for that API (`delete: hard`, `via`)
        no api: `via: collections` pins sObject Collections, which cannot do `delete: hard`: use `via: bulk2` or `via: bulk1`, or leave `via` out
        no api: no API of a salesforce target can do `delete: hard` in this version: remove it from the policy
        no api: `via: bulk2` pins Bulk API 2.0, which a salesforce target does not have: use collections, or leave `via` out
        no api: no API of a salesforce target can do `concurrency: serial` in this version: remove it from the policy
        ");
    }
}
