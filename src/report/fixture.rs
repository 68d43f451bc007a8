//! A plan for the tests of the views.

use std::collections::{BTreeMap, BTreeSet};

use crate::base::{Actor, Digest, HoldName, PolicyName, RecordId, TargetName};
use crate::manifest::{Environment, SharedLimits};
use crate::plan::{
    Attribution, BaseKind, Comparison, CountCause, FindingKind, GateFinding, HeldBecause, HeldCount, HeldWay, HoldReach,
    Identity, Matching, PLAN_FORMAT, PlanBase, PlanHeader, PlannedHold, PlannedPolicy, PlannedQuery, Population,
    RecordsSeal, Route, SealedManifests, SealedTarget, Symbol, test_settings,
};
use crate::system::{Api, SystemKind};

use super::{PolicySample, SampleRow};

pub(super) fn policy(name: &str, selected: u64) -> PlannedPolicy {
    PlannedPolicy {
        policy: PolicyName::new(name).expect("valid"),
        labels: BTreeMap::from([("owner".into(), "revops".into()), ("regulation".into(), "gdpr|17".into())]),
        settings: test_settings(),
        query: PlannedQuery {
            object: "Lead".into(),
            key: "Id".into(),
            fields: vec!["Company".into()],
            matching: Matching::Condition("IsConverted = false AND LastActivityDate < 2023-11-21".into()),
        },
        population: Population::Exact(40_000),
        matched: selected + 96,
        missing_ids: None,
        selected,
        planned_elsewhere: Vec::new(),
        holds: vec![HeldCount {
            hold: HoldName::new("acme-litigation").expect("valid"),
            records: 96,
            ways: vec![HeldWay { because: HeldBecause::Named, records: 96 }],
        }],
        cascades: Vec::new(),
        unseen_cascades: Vec::new(),
        restricted_by: Vec::new(),
        route: Some(Route {
            api: Api::Collections,
            batch_size: 200,
            batches: selected.div_ceil(200),
            parallel: 5,
            atomic: false,
            calls: selected.div_ceil(200),
            reason: "up to 2,000 records go through sObject Collections".into(),
        }),
        gates: vec![GateFinding {
            gate: "max-records".into(),
            kind: FindingKind::Pass,
            message: "1,204 of at most 5,000 records".into(),
        }],
        comparison: Some(Comparison {
            with: Digest::of(b"before"),
            newly_selected: 4,
            unreviewed: 0,
            retried: 1,
            reviewed: selected - 5,
            no_longer_selected: 7,
            held: 96,
            cause: CountCause::PolicyAndData,
            attribution: Some(Attribution {
                added_by_policy: 3,
                added_by_data: 1,
                dropped_by_policy: 0,
                dropped_by_data: 7,
                holds_changed: false,
            }),
            not_attributed: None,
        }),
        sample: Vec::new(),
        records: RecordsSeal {
            path: format!("records/{name}.csv"),
            digest: Digest::of(b"records"),
            rows: selected,
            columns: vec!["Company".into()],
        },
    }
}

pub(super) fn header(policies: Vec<PlannedPolicy>) -> PlanHeader {
    PlanHeader {
        format: PLAN_FORMAT,
        tool: "0.1.0".into(),
        made_by: Actor { user: "ada".into(), host: "desk".into(), pipeline: None },
        created: "2026-11-21T10:00:00Z".parse().expect("valid"),
        expires: "2026-11-28T10:00:00Z".parse().expect("valid"),
        lineage: "5d2c1f0e-0000-4000-8000-000000000000".into(),
        serial: 3,
        manifests: SealedManifests { project: BTreeMap::new(), documents: Vec::new(), changes: String::new() },
        base: Some(PlanBase {
            kind: BaseKind::Revision,
            plan: Digest::of(b"before"),
            revision: Some("main\u{1b}[2J".into()),
            commit: Some("0123456789abcdef0123456789abcdef01234567".into()),
        }),
        only: BTreeSet::new(),
        shared_limits: SharedLimits::default(),
        targets: BTreeMap::from([(
            TargetName::new("crm").expect("valid"),
            SealedTarget {
                system: SystemKind::Salesforce,
                environment: Some(Environment::Production),
                identity: Identity {
                    organization_id: "00D000000000001EAA".into(),
                    organization_name: Some("Northwind \u{1b}[31m".into()),
                    user_name: "admin@northwind.example".into(),
                    user_id: "005000000000001AAA".into(),
                    instance_url: "https://northwind.my.salesforce.com".into(),
                    is_production: Some(true),
                },
                calls: 7,
                least_seconds: None,
            },
        )]),
        holds: Vec::new(),
        policies,
    }
}

/// A hold on leads that keeps so many records in these policies.
pub(super) fn hold(name: &str, matched: Option<u64>, policies: &[(&str, u64)]) -> PlannedHold {
    let reach =
        |(name, records): &(&str, u64)| HoldReach { policy: PolicyName::new(*name).expect("valid"), records: *records };
    PlannedHold {
        hold: HoldName::new(name).expect("valid"),
        target: TargetName::new("crm").expect("valid"),
        object: "Lead".into(),
        reason: "Matter 2026-014: everything about Northwind stays until counsel says otherwise".into(),
        matching: Some(Matching::Condition("Company = 'Northwind'".into())),
        missing_ids: None,
        matched,
        policies: policies.iter().map(reach).collect(),
        not_followed: Vec::new(),
    }
}

pub(super) fn samples() -> BTreeMap<PolicyName, PolicySample> {
    let id = |text: &str| RecordId::new(text).expect("valid");
    BTreeMap::from([(
        PolicyName::new("stale-leads").expect("valid"),
        PolicySample {
            columns: vec!["Company".into()],
            rows: vec![
                SampleRow {
                    symbol: Symbol::NewlySelected,
                    id: id("00Q000000000001EAA"),
                    values: vec!["<b>Acme</b> | @all".into()],
                },
                SampleRow { symbol: Symbol::Retried, id: id("00Q000000000002EAA"), values: vec!["x\u{1b}[2J".into()] },
            ],
            more: 1_202,
        },
    )])
}
