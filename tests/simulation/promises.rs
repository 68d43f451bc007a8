//! What must be true of every life, whatever happens in it.

use std::collections::{BTreeMap, BTreeSet};

use sexton::base::Exit;
use sexton::store::OutcomeRow;

use crate::life::Life;
use crate::support::wire::locked;

pub struct Promises<'l> {
    life: &'l Life,
    /// What was there before the first apply.
    before: BTreeSet<String>,
    /// The records that were planned.
    planned: BTreeSet<String>,
    /// What the applies so far asked to be deleted.
    sent: BTreeSet<String>,
    /// What a hold had when an apply began, before it was ever sent.
    kept: BTreeSet<String>,
}

impl<'l> Promises<'l> {
    pub fn new(life: &'l Life, before: BTreeSet<String>) -> Self {
        let planned = life.bench.planned().into_values().flatten().collect();
        Self { life, before, planned, sent: BTreeSet::new(), kept: BTreeSet::new() }
    }

    fn live(&self) -> BTreeSet<String> {
        self.life.systems.iter().flat_map(|system| system.live(&self.life.bench.sandbox)).collect()
    }

    pub fn before_apply(&mut self) {
        let held = self.life.held();
        self.kept.extend(held.difference(&self.sent).cloned());
        self.life.bench.transport.forget();
    }

    pub fn after_apply(&mut self, end: Option<Exit>) {
        let sent: BTreeSet<String> = self.life.bench.transport.demands().into_iter().flat_map(|demand| demand.ids).collect();
        assert_eq!(Vec::from_iter(sent.difference(&self.planned)), Vec::<&String>::new(), "sent, and not in the plan");
        assert_eq!(Vec::from_iter(sent.intersection(&self.kept)), Vec::<&String>::new(), "sent, and held before");
        assert!(end != Some(Exit::Error) || sent.is_empty(), "exit code 1 says that nothing was deleted");
        self.sent.extend(sent);
    }

    /// What is true when a gate never let the run begin.
    pub fn check_untouched(&self) {
        assert!(self.sent.is_empty(), "refused, and sent all the same: {:?}", self.sent);
        let others = locked(&self.life.others);
        let touched = |id: &String| others.held.contains(id) || others.changed.contains(id) || others.removed.contains(id);
        assert!(self.planned.iter().any(touched), "refused, and nobody touched a planned record");
        let vanished: BTreeSet<String> = &self.before - &self.live();
        assert_eq!(
            Vec::from_iter(vanished.difference(&others.removed)),
            Vec::<&String>::new(),
            "gone, and nobody deleted it"
        );
        let state = self.life.bench.path().join(".sexton/state.json");
        assert!(!state.is_file() || self.life.bench.state().consumed.is_empty(), "a refused plan is not used up");
    }

    /// What is true once the run is finished.
    pub fn check(&self) {
        let (life, live) = (self.life, self.live());
        let removed = &locked(&life.others).removed;
        let allowed = &self.sent | removed;
        let vanished: BTreeSet<String> = &self.before - &live;
        assert_eq!(Vec::from_iter(vanished.difference(&allowed)), Vec::<&String>::new(), "gone, and nobody deleted it");
        let state = life.bench.state();
        let finished: Vec<bool> = state.consumed.iter().map(|plan| plan.finished.is_some()).collect();
        assert_eq!(finished, [true], "the plan is used up, and its run is finished");
        // A policy without planned records has no outcomes.
        for (policy, planned) in life.bench.planned().into_iter().filter(|(_, planned)| !planned.is_empty()) {
            let rows = life.bench.outcomes(&policy);
            let ids: Vec<&str> = rows.iter().map(|row| row.id.as_str()).collect();
            assert_eq!(ids, Vec::from_iter(&planned), "{policy}: each planned record has one outcome");
            let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
            for row in &rows {
                *counts.entry(row.outcome.as_str()).or_default() += 1;
                self.check_row(row, live.contains(row.id.as_str()), removed.contains(row.id.as_str()));
            }
            let tally = state.policies[&policy].runs.last().expect("a run").tally;
            let told = [
                ("already-gone", tally.already_gone),
                ("deleted", tally.deleted),
                ("failed", tally.failed),
                ("skipped", tally.skipped),
                ("unknown", tally.unknown),
            ];
            let told: BTreeMap<&str, u64> = told.into_iter().filter(|(_, count)| *count > 0).collect();
            assert_eq!(told, counts, "{policy}: the sums balance");
        }
    }

    fn check_row(&self, row: &OutcomeRow, there: bool, removed: bool) {
        let sent = self.sent.contains(row.id.as_str());
        let right = match row.outcome.as_str() {
            // A request that died on its way is looked for, and what others did meanwhile counts as its doing.
            "deleted" => (sent || removed) && !there,
            "already-gone" => !there,
            "failed" | "skipped" => there || removed,
            "unknown" => true,
            other => panic!("an outcome `{other}`"),
        };
        assert!(right, "{row:?}, there: {there}, removed by others: {removed}, sent: {sent}");
    }
}
