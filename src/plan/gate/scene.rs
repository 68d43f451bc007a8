//! A policy that every gate lets pass, for the tests of gates, to be changed by struct update.

use jiff::SignedDuration;
use jiff::civil::{Date, date};

use super::super::attribution::Widening;
use super::super::calls::CallsNeeded;
use super::super::cascade::CascadeCount;
use super::super::count::Population;
use super::super::facts::{Identity, ObjectFacts};
use super::super::overlap::MixedDeletion;
use super::super::test_policy::test_settings;
use super::super::totals::{ObjectTotal, PlanTotal, Together};
use super::finding::{Finding, FindingKind};
use super::input::{GateInput, Occasion, OpenCascade, Permission};
use crate::manifest::{Accept, Environment, Limits, PolicySettings};
use crate::system::{Api, ApiShape, Capabilities, RouteCapability, SystemKind};

const COLLECTIONS: RouteCapability = RouteCapability {
    api: Api::Collections,
    shape: ApiShape::Requests,
    takes_queries: false,
    soft: true,
    hard: false,
    batch_size: 200,
    atomic_size: 200,
    serial: true,
    parallel: 5,
    calls_per_batch: 1,
    preferred_up_to: Some(2_000),
};

/// What a [`GateInput`] borrows.
pub(super) struct Scene {
    pub occasion: Occasion,
    pub today: Date,
    pub settings: PolicySettings,
    pub limits: Limits,
    pub identity: Identity,
    pub clock_difference: Option<SignedDuration>,
    pub environment: Option<Environment>,
    pub capabilities: Capabilities,
    pub facts: ObjectFacts,
    pub hard_delete: Option<Permission>,
    pub population: Population,
    pub selected: u64,
    pub elsewhere: u64,
    pub mixed: Option<MixedDeletion>,
    pub already_deleted: u64,
    pub together: Option<Together>,
    pub kept_back: u64,
    pub left_behind: Option<u64>,
    pub open_cascades: Vec<OpenCascade>,
    pub accept: Accept,
    pub cascades: Vec<CascadeCount>,
    pub planned_cascades: Option<Vec<CascadeCount>>,
    pub widening: Option<Widening>,
    pub calls: CallsNeeded,
    pub earlier_calls: u64,
    pub calls_left: Option<u64>,
}

/// Five of a thousand leads in a sandbox.
pub(super) fn scene() -> Scene {
    Scene {
        occasion: Occasion::Plan,
        today: date(2026, 11, 21),
        settings: test_settings(),
        limits: Limits::default(),
        identity: Identity {
            organization_id: "00D000000000001EAA".into(),
            organization_name: None,
            user_name: "sexton@example.com".into(),
            user_id: "005000000000001AAA".into(),
            instance_url: "https://example.my.salesforce.com".into(),
            is_production: Some(false),
        },
        clock_difference: Some(SignedDuration::ZERO),
        environment: None,
        capabilities: Capabilities {
            system: SystemKind::Salesforce,
            key: "Id",
            change_stamp: None,
            budget: None,
            routes: &[COLLECTIONS],
            page_size: 2_000,
            presence_size: 2_000,
        },
        facts: ObjectFacts {
            name: "Lead".into(),
            deletable: true,
            undeletable: true,
            queryable: true,
            key_prefix: Some("00Q".into()),
            fields: Vec::new(),
            knows_all_fields: true,
            children: Vec::new(),
        },
        hard_delete: None,
        population: Population::Exact(1_000),
        selected: 5,
        elsewhere: 0,
        mixed: None,
        already_deleted: 0,
        together: None,
        kept_back: 0,
        left_behind: None,
        open_cascades: Vec::new(),
        accept: Accept::default(),
        cascades: Vec::new(),
        planned_cascades: None,
        widening: None,
        calls: CallsNeeded { all: 1, ..CallsNeeded::default() },
        earlier_calls: 0,
        calls_left: Some(1_000),
    }
}

/// Five leads by one policy, and nothing else.
pub(super) fn together() -> Together {
    let object = ObjectTotal {
        policies: 1,
        selected: 5,
        already_deleted: 0,
        population: Population::Exact(1_000),
        limits: Limits::default(),
    };
    Together { object, plan: PlanTotal { selected: 5, ..PlanTotal::default() } }
}

/// Contacts that go with an account.
pub(super) fn contacts(records: Option<u64>) -> CascadeCount {
    let reason = records.is_none().then(|| "QUERY_TIMEOUT: too long".to_owned());
    CascadeCount { child: "Contact".into(), field: "AccountId".into(), records, reason }
}

impl Scene {
    pub fn input(&self) -> GateInput<'_> {
        GateInput {
            occasion: self.occasion,
            today: self.today,
            settings: &self.settings,
            limits: self.limits,
            identity: &self.identity,
            clock_difference: self.clock_difference,
            environment: self.environment,
            capabilities: &self.capabilities,
            facts: &self.facts,
            hard_delete: self.hard_delete.as_ref(),
            population: self.population,
            selected: self.selected,
            elsewhere: self.elsewhere,
            mixed: self.mixed.as_ref(),
            already_deleted: self.already_deleted,
            together: self.together.as_ref(),
            kept_back: self.kept_back,
            left_behind: self.left_behind,
            open_cascades: &self.open_cascades,
            accept: &self.accept,
            cascades: &self.cascades,
            planned_cascades: self.planned_cascades.as_deref(),
            restrictions: &[],
            widening: self.widening.as_ref(),
            max_widened_at: "at sexton.yaml:9:24",
            calls: self.calls,
            earlier_calls: self.earlier_calls,
            calls_left: self.calls_left,
        }
    }

    /// What a gate finds, as `kind: message`.
    pub fn said(&self, ask: fn(&GateInput<'_>) -> Option<Finding>) -> String {
        let Some(finding) = ask(&self.input()) else { return "not asked".to_owned() };
        let kind = match finding.kind {
            FindingKind::Pass => "pass",
            FindingKind::Warn => "warn",
            FindingKind::Refuse => "refuse",
        };
        format!("{kind}: {}", finding.message)
    }

    /// Whether a gate lets it pass.
    pub fn kind(&self, ask: fn(&GateInput<'_>) -> Option<Finding>) -> Option<FindingKind> {
        ask(&self.input()).map(|finding| finding.kind)
    }
}
