//! What must be true of every life, whatever is typed in it and whatever happens.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use sexton::base::{Digest, Exit, PolicyName};
use sexton::execute::{Replay, machine_settings};
use sexton::plan::{CLOCK_TOLERANCE, PlanHeader};
use sexton::state::State;
use sexton::store::{Bundle, DirectoryStore, Files, OutcomeRow, Place, RunStore, read_outcomes};

use crate::life::Life;
use crate::project::{PLACES, PROJECT, Project};
use crate::stage::{Record, Tree};
use crate::step::{Line, Seen, ToApply, Typed};

/// Between the moment at which a plan reads the clock and the moment at which its command has ended, and between two clocks.
const PLANNING: SignedDuration = SignedDuration::from_hours(1);

/// A plan that was made, and what became of it.
struct Planned {
    header: PlanHeader,
    bundle: Tree,
    ids: BTreeMap<PolicyName, BTreeSet<String>>,
    /// The manifests it was made from.
    project: Project,
    /// When it was there, by the right clock.
    made: Timestamp,
    /// What was sent of it.
    sent: BTreeSet<String>,
    /// Whether nothing went wrong by itself in any command that sent something of it.
    is_quiet: bool,
    was_abandoned: bool,
    /// The outcomes, and when the state says that it was finished.
    outcomes: BTreeMap<PolicyName, Vec<OutcomeRow>>,
    finished: Option<Timestamp>,
}

/// What was true before a command.
pub struct Before {
    pub unfinished: Option<Digest>,
    /// The plan that the command names.
    named: Option<Digest>,
    /// The policies of the plan that is applied of which an intent was written.
    begun: BTreeSet<PolicyName>,
    project: Project,
    at: Timestamp,
    live: BTreeSet<String>,
    state: Option<State>,
}

/// What is known of all plans so far.
#[derive(Default)]
pub struct Promises {
    plans: BTreeMap<Digest, Planned>,
    /// The records that were told to be deleted, by which plan.
    told: BTreeMap<String, Digest>,
}

fn files(life: &Life) -> Arc<dyn Files> {
    Arc::new(life.stage.disk.clone())
}

fn place(life: &Life, below: &str) -> Place {
    Place::new(files(life), Path::new(PROJECT).join(below))
}

fn state(life: &Life) -> Option<State> {
    let bytes = life.stage.tree(&Path::new(PROJECT).join(".sexton")).remove(Path::new("state.json"))?;
    Some(serde_json::from_slice(&bytes).expect("a state"))
}

/// The policies of a plan of which an intent was written.
async fn begun(life: &Life, plan: Digest, header: &PlanHeader) -> BTreeSet<PolicyName> {
    let store = DirectoryStore::new(files(life), Path::new(PROJECT).join(".sexton"), "judge");
    let settings =
        header.policies.iter().filter_map(|planned| Some((planned.policy.clone(), machine_settings(planned, 0)?)));
    let replay = Replay::read(&RunStore::new(Arc::new(store), plan), settings).await.expect("a journal");
    replay.policies.into_iter().filter(|(_, policy)| policy.machine.has_begun()).map(|(name, _)| name).collect()
}

impl Before {
    pub async fn of(life: &Life, typed: &Typed) -> Self {
        let state = state(life);
        let unfinished = state.as_ref().and_then(|state| state.unfinished().next()).map(|consumed| consumed.plan);
        let named = match typed.line {
            Line::Apply { what: ToApply::Place(number), .. } => Bundle::digest_at(&place(life, PLACES[number])),
            _ => unfinished,
        };
        life.bench.transport.forget();
        let project = life.stage.known().project.clone();
        Self { unfinished, named, begun: BTreeSet::new(), project, at: life.stage.now(), live: life.stage.live(), state }
    }
}

impl Promises {
    /// What is true of the plan that a command is about to apply.
    pub async fn before(&self, life: &Life, typed: &Typed) -> Before {
        let mut before = Before::of(life, typed).await;
        if let Some(planned) = before.named.and_then(|plan| self.plans.get(&plan)) {
            before.begun = begun(life, before.named.expect("named"), &planned.header).await;
        }
        before
    }

    /// What the person can see.
    pub async fn seen(&self, life: &Life) -> Seen {
        let state = state(life);
        let unfinished = state.as_ref().and_then(|state| state.unfinished().next()).map(|consumed| consumed.plan);
        let lies = PLACES.map(|below| Bundle::digest_at(&place(life, below)).filter(|plan| self.plans.contains_key(plan)));
        let (project, now) = (life.stage.known().project.clone(), life.stage.now());
        let is_usable = |plan: &Digest| {
            let Planned { header, project: then, .. } = &self.plans[plan];
            let is_used = state.iter().flat_map(|state| &state.consumed).any(|consumed| consumed.plan == *plan);
            let is_stale = project.policies.iter().zip(&then.policies).any(|(now, then)| now.text() != then.text());
            let selects = header.policies.iter().any(|policy| policy.selected > 0 && !policy.is_refused());
            !is_used && !is_stale && selects && now < header.expires
        };
        let under_way = match unfinished.and_then(|plan| Some((plan, self.plans.get(&plan)?))) {
            Some((plan, planned)) => begun(life, plan, &planned.header).await,
            None => BTreeSet::new(),
        };
        let number = |name: &PolicyName| project.policies.iter().position(|policy| policy.name == name.as_str());
        Seen {
            is_unfinished: unfinished.is_some(),
            under_way: under_way.iter().filter_map(number).collect(),
            begun: unfinished.and_then(|plan| lies.iter().position(|other| *other == Some(plan))),
            usable: lies.map(|plan| plan.is_some_and(|plan| is_usable(&plan))),
        }
    }

    /// The bundle of a plan, as it was made.
    pub fn bundle(&self, plan: Digest) -> &Tree {
        &self.plans[&plan].bundle
    }

    /// A run that is not finished, of which the state may know nothing.
    pub async fn unfinished(&self, life: &Life) -> Option<Digest> {
        let state = state(life)?;
        if let Some(consumed) = state.unfinished().next() {
            return Some(consumed.plan);
        }
        for (plan, planned) in &self.plans {
            let finished = state.consumed.iter().any(|consumed| consumed.plan == *plan);
            if !finished && !begun(life, *plan, &planned.header).await.is_empty() {
                return Some(*plan);
            }
        }
        None
    }

    /// Whether the plan that lies in the first place was used.
    pub fn is_used(&self, life: &Life) -> bool {
        let plan = Bundle::digest_at(&place(life, PLACES[0]));
        let consumed = state(life).map(|state| state.consumed).unwrap_or_default();
        consumed.iter().any(|consumed| Some(consumed.plan) == plan && consumed.finished.is_some())
    }

    /// Looks at the plans that lie there.
    fn learn(&mut self, life: &Life, project: &Project) {
        for below in PLACES {
            let Ok(bundle) = Bundle::open_untouched(&place(life, below)) else { continue };
            let ids = |policy: &PolicyName| -> BTreeSet<String> {
                let rows = bundle.rows(policy).expect("planned").expect("readable");
                rows.map(|row| row.expect("readable").id.to_string()).collect()
            };
            let header = bundle.header().clone();
            self.plans.entry(bundle.digest()).or_insert_with(|| Planned {
                ids: header.policies.iter().map(|planned| (planned.policy.clone(), ids(&planned.policy))).collect(),
                header,
                bundle: life.stage.tree(&Path::new(PROJECT).join(below)),
                project: project.clone(),
                made: life.stage.now(),
                sent: BTreeSet::new(),
                is_quiet: true,
                was_abandoned: false,
                outcomes: BTreeMap::new(),
                finished: None,
            });
        }
    }

    /// Judges what a command did.
    pub async fn after(&mut self, life: &Life, typed: &Typed, before: &Before, end: Option<Exit>) {
        let took = life.stage.now().duration_since(before.at);
        assert!(took < SignedDuration::from_hours(12), "a command that takes {took:?}");
        self.learn(life, &before.project);
        self.remember(life, typed);
        let sent: BTreeSet<String> = life.bench.transport.demands().into_iter().flat_map(|demand| demand.ids).collect();
        life.stage.recording.add(format_args!("sent {}, of policies under way {:?}", sent.len(), before.begun));
        if let Line::Plan { place, only } = typed.line {
            assert!(sent.is_empty(), "a plan only reads");
            // One policy alone may depend on another one.
            let right = matches!(end, Some(Exit::Done | Exit::GateRefused)) || only.is_some();
            assert!(right || typed.trouble.is_some() || life.is_faulty.get(), "{end:?} of a plan");
            if matches!(end, Some(Exit::Done | Exit::GateRefused)) && before.live == life.stage.live() {
                self.check_plan(life, typed, before, end, place);
            }
        }
        let plan = match typed.line {
            Line::Apply { what: ToApply::Nothing, .. } if before.unfinished.is_none() => {
                Bundle::digest_at(&place(life, PLACES[0]))
            }
            _ => before.named,
        };
        let state = state(life);
        self.check_end(typed, before, state.as_ref(), end, sent.is_empty(), plan);
        if let Some(planned) = plan.and_then(|plan| self.plans.get_mut(&plan)) {
            planned.is_quiet &= typed.is_quiet() && !life.is_faulty.get();
            planned.was_abandoned |= matches!(typed.line, Line::Abandon { .. });
            planned.sent.extend(sent.iter().cloned());
            if !sent.is_empty() {
                planned.check_sent(life, typed, before, &sent);
            }
        } else {
            assert!(sent.is_empty(), "sent, and no plan was applied: {sent:?}");
        }
        for consumed in state.iter().flat_map(|state| &state.consumed) {
            let known = self.plans.get(&consumed.plan).expect("a plan that lay there").finished;
            if consumed.finished.is_some() && consumed.finished != known {
                self.check_run(life, state.as_ref().expect("a state"), consumed.plan, consumed.finished);
            }
        }
    }

    /// Keeps copies, for those who restore one.
    fn remember(&self, life: &Life, typed: &Typed) {
        let tree = life.stage.tree(Path::new(PROJECT));
        let known = &mut *life.stage.known();
        known.states.extend(tree.get(Path::new(".sexton/state.json")).cloned());
        if let Line::Plan { place, .. } = typed.line {
            let below = tree
                .into_iter()
                .filter_map(|(path, bytes)| Some((path.strip_prefix(PLACES[place]).ok()?.to_owned(), bytes)));
            known.plans[place].push(below.collect());
        }
    }

    /// Whether the exit code is a true one.
    fn check_end(
        &self,
        typed: &Typed,
        before: &Before,
        after: Option<&State>,
        end: Option<Exit>,
        sent_nothing: bool,
        plan: Option<Digest>,
    ) {
        let of = |state: Option<&State>| {
            let consumed = state.into_iter().flat_map(|state| &state.consumed);
            consumed.filter(|consumed| Some(consumed.plan) == plan).map(|consumed| consumed.finished).next()
        };
        let (was, is) = (of(before.state.as_ref()), of(after));
        let nothing = match end {
            Some(Exit::Error | Exit::PlanUnusable | Exit::LockHeld) => true,
            // A plan that a gate refuses stays unused.
            Some(Exit::GateRefused) => is.is_none(),
            _ => false,
        };
        assert!(!nothing || sent_nothing, "{end:?}, and something was sent");
        let is_apply = matches!(typed.line, Line::Apply { .. });
        if is_apply && matches!(end, Some(Exit::Done)) && plan.is_some() {
            assert!(is.flatten().is_some(), "done, and not finished");
        }
        if is_apply && was.flatten().is_some() {
            assert!(sent_nothing, "a plan is used once");
            // Where none is named and none could be made, an earlier one still lies there.
            let is_named = matches!(typed.line, Line::Apply { what: ToApply::Place(_), .. });
            let right = end == Some(Exit::PlanUnusable) || !typed.is_quiet() || !is_named;
            assert!(right, "{end:?} of a plan that was used");
        }
    }

    /// Compares a plan with the truth: nothing moved while it was made.
    fn check_plan(&self, life: &Life, typed: &Typed, before: &Before, end: Option<Exit>, number: usize) {
        let plan = Bundle::digest_at(&place(life, PLACES[number])).expect("a plan");
        let Planned { header, ids, .. } = &self.plans[&plan];
        let now = before.at + typed.clock;
        let mut truth: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
        let policies: Vec<_> = before
            .project
            .policies
            .iter()
            .filter(|policy| header.policies.iter().any(|planned| planned.policy.as_str() == policy.name))
            .collect();
        for policy in &policies {
            let matching = life.stage.matching(policy, now);
            let known = life.stage.known();
            let selected = matching.into_iter().filter(|id| known.records[id].held_since.is_none());
            truth.insert(&policy.name, selected.collect());
        }
        let mut once = BTreeSet::new();
        for id in ids.values().flatten() {
            assert!(once.insert(id), "{id} is planned twice");
        }
        let mut refused = false;
        for policy in &policies {
            let name = PolicyName::new(policy.name.as_str()).expect("a name");
            let planned = header.policies.iter().find(|planned| planned.policy == name).expect("planned");
            let expected = &truth[policy.name.as_str()];
            assert!(ids[&name].is_subset(expected), "{name}: {:?}", Vec::from_iter(ids[&name].difference(expected)));
            assert_eq!(planned.selected + planned.elsewhere(), expected.len() as u64, "{name}: what it selects");
            let left: Vec<_> = expected.iter().filter(|id| !once.contains(id)).collect();
            assert_eq!(left, Vec::<&String>::new(), "{name}: selected, and planned by nobody");
            let mixed = policies.iter().any(|other| {
                let same = other.route.system == policy.route.system && other.hard != policy.hard;
                same && !truth[other.name.as_str()].is_disjoint(expected)
            });
            let today = now.to_zoned(TimeZone::UTC).date();
            let gates = [
                ("max-records", expected.len() as u64 > policy.max_records),
                ("clock", typed.clock.abs() > CLOCK_TOLERANCE),
                ("review-by", policy.review_by.is_some_and(|day| today > day)),
                ("soft-and-hard", mixed),
            ];
            for (gate, refuses) in gates {
                let said = planned.refusals().any(|finding| finding.gate == gate);
                assert_eq!(said, refuses, "{name}: whether {gate} refuses {} records", expected.len());
            }
            refused |= planned.is_refused();
        }
        assert_eq!(end == Some(Exit::GateRefused), refused, "whether a gate refused");
    }

    /// What is true once a run is finished.
    fn check_run(&mut self, life: &Life, state: &State, plan: Digest, finished: Option<Timestamp>) {
        let live = life.stage.live();
        let known = life.stage.known();
        let planned = &self.plans[&plan];
        let mut outcomes = BTreeMap::new();
        // A policy without planned records has no outcomes.
        for (policy, ids) in planned.ids.iter().filter(|(_, ids)| !ids.is_empty()) {
            let path = format!(".sexton/runs/{}/outcomes/{policy}.csv", plan.short());
            let rows = read_outcomes(&place(life, &path)).expect("outcomes");
            let rows: Vec<OutcomeRow> = rows.map(|row| row.expect("readable")).collect();
            let told: Vec<&str> = rows.iter().map(|row| row.id.as_str()).collect();
            assert_eq!(told, Vec::from_iter(ids), "{policy}: each planned record has one outcome");
            let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
            for row in &rows {
                *counts.entry(row.outcome.as_str()).or_default() += 1;
                let record = &known.records[row.id.as_str()];
                self.check_row(plan, row, record, live.contains(row.id.as_str()), known.was_state_restored);
            }
            let runs = &state.policies[policy].runs;
            let tally = runs.iter().rev().find(|run| run.plan == plan).expect("a run").tally;
            let sums = [
                ("already-gone", tally.already_gone),
                ("deleted", tally.deleted),
                ("failed", tally.failed),
                ("skipped", tally.skipped),
                ("unknown", tally.unknown),
            ];
            let sums: BTreeMap<&str, u64> = sums.into_iter().filter(|(_, count)| *count > 0).collect();
            assert_eq!(sums, counts, "{policy}: the sums balance");
            outcomes.insert(policy.clone(), rows);
        }
        for row in outcomes.values().flatten().filter(|row| row.outcome == "deleted") {
            let before = self.told.insert(row.id.to_string(), plan);
            let once = before.is_none_or(|other| other == plan) || known.was_state_restored;
            assert!(once, "{row:?} was told by {before:?} already");
        }
        let planned = self.plans.get_mut(&plan).expect("a plan");
        let same = planned.outcomes == outcomes || planned.finished.is_none();
        assert!(same, "a finished run that came to another end: {:?} and {outcomes:?}", planned.outcomes);
        (planned.outcomes, planned.finished) = (outcomes, finished);
    }

    fn check_row(&self, plan: Digest, row: &OutcomeRow, record: &Record, there: bool, was_state_restored: bool) {
        let planned = &self.plans[&plan];
        let id = row.id.as_str();
        let sent = planned.sent.contains(id);
        let others = self.plans.iter().any(|(other, planned)| *other != plan && planned.sent.contains(id));
        let by_another = record.removed || others;
        let right = match row.outcome.as_str() {
            // A request that died on its way is looked for, and what others did meanwhile counts as its doing.
            "deleted" => (sent || by_another) && !there,
            // What this run deleted is never gone already.
            "already-gone" => !there && by_another,
            "failed" => there || by_another,
            "skipped" => {
                let cause = match row.cause.as_str() {
                    "held" => record.was_ever_held,
                    "no-longer-matches" => record.renewed || by_another,
                    "abandoned" => planned.was_abandoned,
                    "refused" | "dependency" | "stopped" | "rolled-back" => true,
                    _ => false,
                };
                cause && (there || by_another)
            }
            "unknown" => !planned.is_quiet || planned.was_abandoned,
            other => panic!("an outcome `{other}`"),
        };
        assert!(right, "{row:?}, there: {there}, sent: {sent}, sent by another plan: {others}, {record:?}");
        if was_state_restored {
            return;
        }
        // Which other plan deleted it.
        let by = self.told.get(id).filter(|by| **by != plan).map(|by| &self.plans[by]);
        let since = by.and_then(|by| by.finished).is_some_and(|finished| finished > planned.header.created);
        let name = self.told.get(id).filter(|_| since && row.outcome == "already-gone").map(Digest::short);
        assert_eq!(row.plan, name.unwrap_or_default(), "{row:?}: the plan that deleted it");
    }

    /// What is true at the end: each record that is gone is one that others deleted, or one of which an outcome tells it.
    pub fn check_all(&self, life: &Life) {
        let (live, known) = (life.stage.live(), life.stage.known());
        let unknown = |id: &String| {
            let mut rows = self.plans.values().flat_map(|planned| planned.outcomes.values().flatten());
            rows.any(|row| row.id.as_str() == id && row.outcome == "unknown")
        };
        let nameless: Vec<_> = known
            .records
            .iter()
            .filter(|(id, record)| !live.contains(*id) && !record.removed && !self.told.contains_key(*id))
            .filter(|(id, _)| !unknown(id))
            .collect();
        assert!(nameless.is_empty(), "gone, and no outcome tells of it: {nameless:?}");
    }
}

impl Planned {
    /// Whether all of this could be sent by a command.
    fn check_sent(&self, life: &Life, typed: &Typed, before: &Before, sent: &BTreeSet<String>) {
        let planned: BTreeSet<String> = self.ids.values().flatten().cloned().collect();
        assert_eq!(Vec::from_iter(sent.difference(&planned)), Vec::<&String>::new(), "sent, and not in the plan");
        assert!(!matches!(typed.line, Line::Abandon { .. }), "who gives a run up sends nothing: {sent:?}");
        let live = life.stage.live();
        let mut gone = 0;
        for policy in &self.header.policies {
            let (name, ids) = (&policy.policy, &self.ids[&policy.policy]);
            let all: BTreeSet<&String> = self.sent.intersection(ids).collect();
            let deleted = all.iter().filter(|id| !live.contains(**id)).count() as u64;
            gone += deleted;
            if ids.is_disjoint(sent) {
                continue;
            }
            let of = |project: &'_ Project| {
                project.policies.iter().find(|policy| policy.name == name.as_str()).expect("declared").clone()
            };
            let (then, now) = (of(&self.project), of(&before.project));
            if !before.begun.contains(name) {
                assert_eq!(then.text(), now.text(), "{name} was changed since the plan, and began");
                assert!(before.at < self.header.expires + PLANNING, "{name}: the plan has expired, and it began");
                let over = now.review_by.is_some_and(|day| (before.at - PLANNING).to_zoned(TimeZone::UTC).date() > day);
                assert!(!over, "{name}: it was to be reviewed, and it began");
            }
            assert!(!policy.is_refused(), "{name} was refused when the plan was made");
            let most = then.max_records.min(now.max_records);
            let counted = deleted + policy.elsewhere();
            assert!(counted <= most, "{name}: {deleted} deleted, {} elsewhere, and at most {most} may", policy.elsewhere());
            let known = life.stage.known();
            for id in all {
                let record = &known.records[id];
                assert!(
                    then.is_old_enough(record.born, self.made + CLOCK_TOLERANCE),
                    "{name}: {id} is too young: {record:?}"
                );
            }
        }
        if let Line::Apply { max_records: Some(most), .. } = typed.line {
            assert!(gone <= most, "{gone} deleted, and --max-records is {most}");
        }
    }
}
