//! How the state changes: what a consumed plan and a finished run leave in it.

use std::collections::BTreeMap;
use std::io;

use jiff::Timestamp;

use super::{ConsumedPlan, OpenRecord, PolicyHistory, RunSummary, STATE_VERSION, State};
use crate::apply::{Seal, Tally};
use crate::base::{Actor, Digest, PolicyName, RecordId};
use crate::plan::{MergeError, Population};

/// Whether a plan was used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlanStatus {
    /// Never.
    Unused,
    /// An apply of it began and did not finish: the same apply continues it.
    Started {
        /// When its first apply began to delete.
        since: Timestamp,
    },
    /// It is used up.
    Finished {
        /// When its last outcome was known.
        at: Timestamp,
    },
}

/// The plan was used before and cannot be used again.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the plan {} was applied before and finished at {finished}: make a new plan", .plan.short())]
pub struct PlanUsed {
    /// The plan.
    pub plan: Digest,
    /// When its last outcome was known.
    pub finished: Timestamp,
}

/// How one policy of a finished plan ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyEnd {
    /// The policy's labels, as the plan had them.
    pub labels: BTreeMap<String, String>,
    /// How its records ended.
    pub tally: Tally,
    /// The object of its outcomes.
    pub outcomes: Seal,
    /// How many records the object had when the apply counted them, before it deleted any; `None` where it counted none, since the plan
    /// had no record to delete.
    pub population: Option<Population>,
    /// What is open now, from [`fold_open`].
    pub open: OpenRecords,
}

/// Records that should be gone and are not known to be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OpenRecords {
    /// The first of them by key, at most [`PolicyHistory::KEPT_OPEN`].
    pub listed: Vec<OpenRecord>,
    /// How many there are, listed or not.
    pub total: u64,
}

impl State {
    /// The state of a project without a past. `lineage` is a new UUID, `tool` the version of sexton.
    pub fn new(lineage: impl Into<String>, tool: impl Into<String>) -> Self {
        Self {
            version: STATE_VERSION,
            lineage: lineage.into(),
            serial: 0,
            tool: tool.into(),
            consumed: Vec::new(),
            policies: BTreeMap::new(),
        }
    }

    /// Whether the plan was used.
    pub fn status_of(&self, plan: Digest) -> PlanStatus {
        match self.consumed.iter().find(|consumed| consumed.plan == plan) {
            None => PlanStatus::Unused,
            Some(ConsumedPlan { finished: Some(at), .. }) => PlanStatus::Finished { at: *at },
            Some(ConsumedPlan { started, .. }) => PlanStatus::Started { since: *started },
        }
    }

    /// The plans whose run has begun and is not finished, in the order of first use.
    pub fn unfinished(&self) -> impl Iterator<Item = &ConsumedPlan> {
        self.consumed.iter().filter(|consumed| consumed.finished.is_none())
    }

    /// Marks the run of a plan as given up; [`State::finish`] ends it.
    pub fn abandon(&mut self, plan: Digest) {
        for consumed in self.consumed.iter_mut().filter(|consumed| consumed.plan == plan) {
            consumed.abandoned = true;
        }
    }

    /// Uses the plan up. For one that was started and not finished nothing changes, so that the same apply can go on.
    ///
    /// # Errors
    ///
    /// When it was finished.
    pub fn consume(&mut self, plan: Digest, at: Timestamp, by: &Actor) -> Result<(), PlanUsed> {
        match self.status_of(plan) {
            PlanStatus::Unused => self.consumed.push(ConsumedPlan {
                plan,
                started: at,
                started_by: by.clone(),
                finished: None,
                finished_by: None,
                abandoned: false,
            }),
            PlanStatus::Started { .. } => {}
            PlanStatus::Finished { at } => return Err(PlanUsed { plan, finished: at }),
        }
        Ok(())
    }

    /// Writes down how a plan ended, for every policy of it at once.
    ///
    /// # Errors
    ///
    /// When it was finished before: counting it twice would make the history wrong.
    pub fn finish(
        &mut self,
        plan: Digest,
        at: Timestamp,
        by: &Actor,
        ends: impl IntoIterator<Item = (PolicyName, PolicyEnd)>,
    ) -> Result<(), PlanUsed> {
        self.consume(plan, at, by)?;
        for consumed in self.consumed.iter_mut().filter(|consumed| consumed.plan == plan) {
            consumed.finished = Some(at);
            consumed.finished_by = Some(by.clone());
        }
        for (policy, end) in ends {
            let history = self.policies.entry(policy).or_default();
            let PolicyEnd { labels, tally, outcomes, population, open } = end;
            if let Some(population) = population {
                // What may be gone is not certainly left, and of what was not counted nobody knows.
                history.population = population.less(tally.deleted + tally.unknown).exact();
            }
            history.runs.push(RunSummary { plan, finished: at, labels, tally, outcomes });
            let surplus = history.runs.len().saturating_sub(PolicyHistory::KEPT_RUNS);
            history.runs.drain(..surplus);
            history.open = open.listed;
            history.open_total = open.total;
        }
        Ok(())
    }
}

/// What is open after a run: each record that came to an end in the run by that end, every other as it was before.
///
/// `outcomes` are all outcomes of the run, sorted by key, with the code of those that failed or are unknown and `None`
/// for the others. Open records beyond [`PolicyHistory::KEPT_OPEN`] are counted and not listed. Those that were only
/// counted before this run cannot be told from the run's own, and are not counted again.
///
/// # Errors
///
/// When the outcomes cannot be read, are not in order, or have a record twice.
pub fn fold_open(
    before: &[OpenRecord],
    outcomes: impl Iterator<Item = io::Result<(RecordId, Option<String>)>>,
) -> Result<OpenRecords, MergeError> {
    let mut open = OpenRecords::default();
    let mut keep = |record: OpenRecord| {
        open.total += 1;
        if open.listed.len() < PolicyHistory::KEPT_OPEN {
            open.listed.push(record);
        }
    };
    let stream = "finished";
    let mut before = before.iter().peekable();
    let mut last: Option<RecordId> = None;
    for outcome in outcomes {
        let (id, code) = outcome.map_err(|source| MergeError::Read { stream, source })?;
        match last.replace(id) {
            Some(last) if last == id => return Err(MergeError::Duplicate { stream, id }),
            Some(last) if last > id => return Err(MergeError::Disorder { stream, before: last, after: id }),
            _ => {}
        }
        while let Some(earlier) = before.next_if(|record| record.id < id) {
            keep(earlier.clone());
        }
        before.next_if(|record| record.id == id);
        if let Some(code) = code {
            keep(OpenRecord { id, code });
        }
    }
    before.for_each(|record| keep(record.clone()));
    Ok(open)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn moment(second: i64) -> Timestamp {
        Timestamp::from_second(1_795_000_000 + second).expect("valid")
    }

    fn ada() -> Actor {
        Actor { user: "ada".into(), host: "desk".into(), pipeline: None }
    }

    fn grace() -> Actor {
        Actor { user: "grace".into(), ..ada() }
    }

    fn leads() -> PolicyName {
        PolicyName::new("stale-leads").expect("valid")
    }

    fn end(deleted: u64) -> PolicyEnd {
        let tally = Tally { deleted, ..Tally::default() };
        PolicyEnd {
            labels: BTreeMap::new(),
            tally,
            outcomes: Seal { attempt: 0, parts: 0, digest: Digest::of(b"outcomes") },
            population: Some(Population::Exact(100)),
            open: OpenRecords::default(),
        }
    }

    fn id(number: usize) -> RecordId {
        RecordId::new(&format!("{number:06}")).expect("valid")
    }

    #[test]
    fn a_plan_can_be_continued_until_it_is_finished_and_never_after() {
        let (plan, other) = (Digest::of(b"plan"), Digest::of(b"other"));
        let mut state = State::new("lineage", "0.1.0");
        assert_eq!(state.status_of(plan), PlanStatus::Unused);
        state.consume(plan, moment(1), &ada()).expect("unused");
        state.consume(plan, moment(2), &ada()).expect("continued");
        assert_eq!(state.status_of(plan), PlanStatus::Started { since: moment(1) });
        assert_eq!(state.consumed.len(), 1);
        state.finish(plan, moment(3), &grace(), [(leads(), end(7))]).expect("not finished");
        assert_eq!(state.status_of(plan), PlanStatus::Finished { at: moment(3) });
        assert_eq!((&state.consumed[0].started_by, &state.consumed[0].finished_by), (&ada(), &Some(grace())));
        let before = state.clone();
        let refused = state.consume(plan, moment(4), &ada()).expect_err("used");
        assert_eq!(refused, PlanUsed { plan, finished: moment(3) });
        assert!(state.finish(plan, moment(5), &ada(), [(leads(), end(7))]).is_err());
        assert_eq!(state, before);
        assert_eq!(state.status_of(other), PlanStatus::Unused);
        assert_eq!(state.policies[&leads()].population, Some(93));
    }

    #[test]
    fn keeps_the_newest_runs() {
        let mut state = State::new("lineage", "0.1.0");
        for number in 0..30_u64 {
            let plan = Digest::of(&number.to_le_bytes());
            state.finish(plan, moment(number as i64), &ada(), [(leads(), end(number))]).expect("unused");
        }
        let kept: Vec<u64> = state.policies[&leads()].runs.iter().map(|run| run.tally.deleted).collect();
        assert_eq!(kept, (10..30).collect::<Vec<_>>());
        assert_eq!(state.consumed.len(), 30);
    }

    #[test]
    fn lists_open_records_up_to_the_limit_and_counts_the_rest() {
        let most = PolicyHistory::KEPT_OPEN;
        for count in [most - 1, most, most + 1] {
            let open = fold_open(&[], (0..count).map(|number| Ok((id(number), Some("LOCKED".into()))))).expect("sorted");
            assert_eq!((open.listed.len(), open.total), (count.min(most), count as u64));
        }
    }

    #[test]
    fn refuses_outcomes_out_of_order() {
        let outcome = |number| Ok((id(number), None));
        assert!(matches!(fold_open(&[], [outcome(2), outcome(1)].into_iter()), Err(MergeError::Disorder { .. })));
        assert!(matches!(fold_open(&[], [outcome(2), outcome(2)].into_iter()), Err(MergeError::Duplicate { .. })));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]

        #[test]
        fn the_last_outcome_of_each_record_decides(
            before in prop::collection::btree_map(0..40_usize, "[A-C]", 0..20),
            run in prop::collection::btree_map(0..40_usize, prop::option::of("[D-F]"), 0..20),
        ) {
            let listed: Vec<OpenRecord> =
                before.iter().map(|(number, code)| OpenRecord { id: id(*number), code: code.clone() }).collect();
            let outcomes = run.iter().map(|(number, code)| Ok((id(*number), code.clone())));
            let open = fold_open(&listed, outcomes).expect("sorted");
            let mut expected = before.clone();
            for (number, code) in run {
                match code {
                    Some(code) => expected.insert(number, code),
                    None => expected.remove(&number),
                };
            }
            prop_assert_eq!(open.total, expected.len() as u64);
            let found: Vec<(RecordId, String)> = open.listed.into_iter().map(|record| (record.id, record.code)).collect();
            let expected: Vec<(RecordId, String)> = expected.into_iter().map(|(number, code)| (id(number), code)).collect();
            prop_assert_eq!(found, expected);
        }
    }
}
