//! What goes wrong while a plan is made, and what must be true all the same.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use proptest::option;
use proptest::prelude::*;
use sexton::base::Exit;
use sexton::command::Planned;
use sexton::sandbox::{Effect, Fault, RequestMatch};

use super::Bench;
use super::route::System;

/// What goes wrong with the requests of one plan.
#[derive(Clone, Debug, Default)]
pub struct PlanFaults {
    /// With one request, and it passes: the plan is made in the same command.
    passing: Option<Fault>,
    /// With every request of a kind, until somebody mends it: there is no plan, or it is right.
    lasting: Option<Fault>,
}

impl PlanFaults {
    /// Some plans of this system meet both, some one of them, some none.
    pub fn of(system: System) -> impl Strategy<Value = Self> {
        (option::of(passing(system)), option::weighted(0.3, lasting(system)))
            .prop_map(|(passing, lasting)| Self { passing, lasting })
    }
}

/// One reset, one 503, or a wait of at most 15 minutes that the system asks for.
fn passing(system: System) -> impl Strategy<Value = Fault> {
    // Where no session is opened, none can end: a token that is refused is not to be had again.
    let ended = if system.has_sessions() { Effect::ExpireSession } else { Effect::DropBefore };
    let effect = prop_oneof![
        2 => Just(Effect::DropBefore),
        2 => Just(Effect::DropAfter),
        1 => Just(Effect::Cut { bytes: 50 }),
        1 => Just(Effect::Unavailable { retry_after: None }),
        1 => Just(Effect::Unavailable { retry_after: Some(120) }),
        1 => (1..=900_u64).prop_map(|seconds| Effect::TooManyRequests { retry_after: Some(seconds) }),
        1 => Just(ended),
    ];
    (effect, 1..40_u64)
        .prop_map(|(then, nth)| Fault { on: RequestMatch { nth: Some(nth), ..RequestMatch::default() }, then })
}

fn lasting(system: System) -> impl Strategy<Value = Fault> {
    let effect = prop_oneof![
        Just(Effect::DropBefore),
        Just(Effect::DropAfter),
        Just(Effect::Unavailable { retry_after: None }),
        Just(Effect::TooManyRequests { retry_after: Some(3_600) }),
        Just(Effect::DailyLimit),
        Just(Effect::ExpireSession),
        Just(Effect::Truncate { bytes: 60 }),
        Just(Effect::Cut { bytes: 60 }),
        Just(Effect::ShortPage { rows: 1 }),
        Just(Effect::WrongTotal { by: 1 }),
        Just(Effect::Respond { status: 500, content_type: None, body: "[]".into(), retry_after: None }),
        Just(Effect::Respond { status: 404, content_type: Some("text/html".into()), body: "<p>".into(), retry_after: None }),
    ];
    let places: Vec<RequestMatch> = match system {
        System::Salesforce => {
            ["*", "*/token", "*/query", "*/queryAll", "*/query/*", "*/jobs/query*", "*/describe", "*/limits*"]
                .map(|path| RequestMatch { path: Some(path.into()), ..RequestMatch::default() })
                .into()
        }
        System::Zuora => ["login", "getUserInfo", "query", "queryMore"]
            .map(|operation| RequestMatch { operation: Some(operation.into()), ..RequestMatch::default() })
            .into(),
        System::Fulcrum => ["*", "*/query", "*/forms*", "*/users.json"]
            .map(|path| RequestMatch { path: Some(path.into()), ..RequestMatch::default() })
            .into(),
    };
    (proptest::sample::select(places), effect).prop_map(|(on, then)| Fault { on, then })
}

impl Bench {
    /// What a later command would trust: the plan, the state and all that runs have left.
    fn trusted(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut files = self.files(".");
        files.retain(|path, _| {
            let path = path.strip_prefix(self.path()).unwrap_or(path);
            path.starts_with("./plan") || path.starts_with("./.sexton/state.json") || path.starts_with("./.sexton/runs")
        });
        files
    }

    /// Plans while that goes wrong, until there is a plan.
    pub async fn plan_under(&self, faults: &PlanFaults) -> Planned {
        let mut early = None;
        if let Some(fault) = &faults.lasting {
            let before = self.trusted();
            self.sandbox.add_fault(fault.clone());
            match self.plan().await {
                Ok(_) => early = Some(self.planned()),
                Err(error) => {
                    assert_eq!(error.exit, Exit::Error, "{error}: {:?}", error.notes);
                    assert!(!error.to_string().is_empty());
                    assert!(self.trusted() == before, "a plan that failed has left something: {error}");
                }
            }
            self.sandbox.clear_faults();
            // A system may have asked to be left alone for longer than a command waits.
            self.sandbox.clock().advance(Duration::from_secs(3_600));
        }
        if let Some(fault) = &faults.passing {
            self.sandbox.add_fault(fault.clone());
        }
        let planned = self.plan().await.unwrap_or_else(|error| {
            panic!("{:?} passes, and the plan was not made: {error}: {:?}", faults.passing, error.notes)
        });
        self.sandbox.clear_faults();
        if let Some(early) = early {
            assert_eq!(early, self.planned(), "a plan that was made while {:?} is another one", faults.lasting);
        }
        planned
    }
}
