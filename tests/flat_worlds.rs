//! Random worlds of systems whose records stand alone: records, policies, holds, limits, changes between plan and apply, faults and
//! crashes. What must be true of every apply is told by a model that is kept beside the system.
//!
//! `PROPTEST_CASES=500 cargo test --test flat_worlds` looks longer, another `PROPTEST_RNG_SEED` elsewhere.
#![expect(clippy::disallowed_methods, reason = "a test asks how many cases it shall run")]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::subsequence;
use proptest::test_runner::{Config, FileFailurePersistence, RngSeed, TestRunner};
use sexton::base::PolicyName;
use sexton::base::{CommandError, Exit};
use sexton::command::AppliedPlan;
use sexton::sandbox::{Effect, World};
use sexton::store::OutcomeRow;
use support::plan_fault::PlanFaults;
use support::route::{FULCRUM_BATCH, Route, ZUORA_SOAP};
use support::{ADDRESS, Bench, start};

/// How many cases run unless `PROPTEST_CASES` says otherwise.
const CASES: u32 = 12;
/// An apply is repeated so often at most. From the half on nothing goes wrong any more, so that it must come to its end.
const ATTEMPTS: usize = 12;

/// What stands in the column that policies ask for, and in the one that holds ask for.
const WORDS: [&str; 4] = ["new", "open", "done", "void"];
const MARKS: [&str; 3] = ["none", "audit", "court"];

/// What a record says, by the places in [`WORDS`] and [`MARKS`].
type Values = (usize, usize);

#[derive(Clone, Debug)]
struct PolicyPart {
    words: Vec<usize>,
    as_text: bool,
    unchanged: bool,
    /// Bits of the policies before this one.
    depends_on: u8,
    max_records: u64,
    max_percent: u64,
}

/// What somebody does between plan and apply, to the record of that number.
#[derive(Clone, Debug)]
enum Change {
    Create(Values),
    Rewrite(u16, Values),
    Delete(u16),
}

#[derive(Clone, Debug)]
struct Story {
    records: Vec<Values>,
    policies: Vec<PolicyPart>,
    /// The mark each hold keeps, and whether the hold is written after the plan.
    holds: Vec<(usize, bool)>,
    /// Records that cannot be deleted.
    refusals: Vec<u16>,
    changes: Vec<Change>,
    /// Records that others delete when the first deletion is on its way.
    meanwhile: Vec<u16>,
    /// What goes wrong with a request of this number that deletes, or that reads.
    faults: Vec<(Effect, u64, bool)>,
    /// Where this process ends, and whether the request under way is still carried out.
    crashes: Vec<(u64, bool)>,
    /// What the systems draw from.
    seed: u64,
    /// What goes wrong with the first and with the second plan.
    plan_faults: [PlanFaults; 2],
}

fn values() -> impl Strategy<Value = Values> {
    (0..WORDS.len(), prop_oneof![4 => Just(0), 1 => 1..MARKS.len()])
}

fn policy() -> impl Strategy<Value = PolicyPart> {
    let words = subsequence((0..WORDS.len()).collect::<Vec<_>>(), 1..3);
    let limits = (prop_oneof![6 => Just(10_000_u64), 1 => 0..150_u64], prop_oneof![5 => Just(100_u64), 1 => 5..100_u64]);
    (words, any::<bool>(), proptest::bool::weighted(0.3), any::<u8>(), limits).prop_map(
        |(words, as_text, unchanged, depends_on, (max_records, max_percent))| PolicyPart {
            words,
            as_text,
            unchanged,
            depends_on,
            max_records,
            max_percent,
        },
    )
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        values().prop_map(Change::Create),
        (any::<u16>(), values()).prop_map(|(number, values)| Change::Rewrite(number, values)),
        any::<u16>().prop_map(Change::Delete),
    ]
}

fn trouble() -> impl Strategy<Value = Effect> {
    prop_oneof![
        3 => Just(Effect::DropBefore),
        3 => Just(Effect::DropAfter),
        1 => Just(Effect::Unavailable { retry_after: None }),
        1 => Just(Effect::TooManyRequests { retry_after: Some(2) }),
        1 => Just(Effect::ConcurrentLimit),
        1 => Just(Effect::DailyLimit),
        1 => Just(Effect::ExpireSession),
        1 => Just(Effect::LockRows { chunk: 1 }),
        1 => Just(Effect::Truncate { bytes: 50 }),
        1 => Just(Effect::Cut { bytes: 50 }),
        1 => Just(Effect::ShortPage { rows: 1 }),
        1 => Just(Effect::WrongTotal { by: 1 }),
        1 => (0..90_u64).prop_map(|after| Effect::FailJob { after }),
        1 => (1..30_u64).prop_map(|rows| Effect::OmitRows { rows }),
        1 => Just(Effect::Respond { status: 500, content_type: None, body: "[]".into(), retry_after: None }),
    ]
}

fn histories(route: Route, with_faults: bool) -> impl Strategy<Value = Story> {
    let (faults, crashes) = if with_faults { (5, 3) } else { (0, 0) };
    let plan_faults = || match with_faults {
        true => PlanFaults::of(route.system).boxed(),
        false => Just(PlanFaults::default()).boxed(),
    };
    (
        vec(values(), 0..260),
        vec(policy(), 1..4),
        vec((0..MARKS.len(), any::<bool>()), 0..3),
        (vec(any::<u16>(), 0..5), vec(change(), 0..40), vec(any::<u16>(), 0..4)),
        vec((trouble(), 1..8_u64, any::<bool>()), 0..=faults),
        (vec((1..40_u64, any::<bool>()), 0..=crashes), any::<u64>(), [plan_faults(), plan_faults()]),
    )
        .prop_map(|(records, policies, holds, (refusals, changes, meanwhile), faults, (crashes, seed, plan_faults))| {
            Story { records, policies, holds, refusals, changes, meanwhile, faults, crashes, seed, plan_faults }
        })
}

fn name(policy: usize) -> PolicyName {
    PolicyName::new(format!("policy-{policy}")).expect("a name")
}

impl Story {
    fn dependencies(&self, policy: usize) -> impl Iterator<Item = usize> {
        let bits = self.policies[policy].depends_on;
        (0..policy).filter(move |other| bits & (1 << other) != 0)
    }

    fn documents(&self, route: Route, with_later_holds: bool) -> String {
        let (word, mark) = route.system.columns();
        let mut text = route.system.document(ADDRESS, None);
        let head = |kind: &str, name: &str| {
            format!("apiVersion: sexton/v1\nkind: {kind}\nmetadata: {{ name: {name} }}\nspec:\n")
                + &format!("  target: {}\n  object: {}\n", route.system.target(), route.system.object())
        };
        for (number, policy) in self.policies.iter().enumerate() {
            let parts = policy.words.iter().map(|place| WORDS[*place]);
            let filter = if policy.as_text {
                parts.map(|part| format!("{word} = '{part}'")).collect::<Vec<_>>().join(" or ")
            } else {
                let parts: Vec<String> = parts.map(|part| format!("{{ field: {word}, equals: {part} }}")).collect();
                format!("{{ any: [{}] }}", parts.join(", "))
            };
            let depends: Vec<String> = self.dependencies(number).map(|other| name(other).to_string()).collect();
            text += &head("DeletionPolicy", name(number).as_str());
            text += &format!(
                "  filter: {filter}\n  delete: hard\n  justification: the law\n  dependsOn: [{}]\n  recheck: {}\n  \
                 limits: {{ maxRecords: {}, maxPercent: {} }}\n---\n",
                depends.join(", "),
                if policy.unchanged { "unchanged" } else { "matches" },
                policy.max_records,
                policy.max_percent,
            );
        }
        for (number, (kept, _)) in self.holds_now(with_later_holds).enumerate() {
            text += &head("Hold", &format!("hold-{number}"));
            text += &format!("  filter: {mark} = '{}'\n  reason: Matter 7\n---\n", MARKS[*kept]);
        }
        text
    }

    fn holds_now(&self, with_later_holds: bool) -> impl Iterator<Item = &(usize, bool)> {
        self.holds.iter().filter(move |(_, later)| with_later_holds || !later)
    }
}

/// What there is, kept beside the system.
#[derive(Clone, Debug, Default)]
struct Model {
    /// What each record says, and whether it was written since the plan.
    records: BTreeMap<String, (Values, bool)>,
}

impl Model {
    fn pick(&self, number: u16) -> Option<String> {
        let place = usize::from(number).checked_rem(self.records.len())?;
        self.records.keys().nth(place).cloned()
    }

    fn selected(&self, story: &Story, policy: usize, with_later_holds: bool) -> BTreeSet<String> {
        let kept_back = |id: &&String| self.keeps_back(story, policy, id, with_later_holds, false).is_none();
        self.records.keys().filter(kept_back).cloned().collect()
    }

    /// Why a record may not be sent.
    fn keeps_back(
        &self,
        story: &Story,
        policy: usize,
        id: &str,
        with_later_holds: bool,
        fresh: bool,
    ) -> Option<&'static str> {
        let part = &story.policies[policy];
        // A hold is the cause also where the record does not match any more.
        match self.records.get(id) {
            Some(((_, mark), _)) if story.holds_now(with_later_holds).any(|(kept, _)| kept == mark) => Some("held"),
            Some(((word, _), written)) if part.words.contains(word) => {
                (fresh && part.unchanged && *written).then_some("changed")
            }
            _ => Some("no-longer-matches"),
        }
    }
}

/// One story, played through.
struct Play<'s> {
    story: &'s Story,
    route: Route,
    with_faults: bool,
    bench: Bench,
}

impl Play<'_> {
    /// The first plan, what happens meanwhile, its apply, and a second plan and apply of what is left.
    async fn run(&self) {
        let mut model = Model::default();
        for values in &self.story.records {
            self.create(&mut model, *values);
        }
        for number in &self.story.refusals {
            model.pick(*number).iter().for_each(|id| {
                self.route.system.refuse(&self.bench.sandbox, id);
            });
        }
        self.declare(false);
        self.plan(&model, false).await;
        self.pass_time();
        self.change(&mut model);
        self.declare(true);
        self.pass_time();
        self.arm();
        self.apply(&mut model).await;
        self.bench.sandbox.clear_faults();
        self.bench.transport.go_on();
        self.pass_time();
        model.records.values_mut().for_each(|(_, written)| *written = false);
        self.plan(&model, true).await;
        self.apply(&mut model).await;
    }

    fn declare(&self, with_later_holds: bool) {
        self.bench.write("sexton.yaml", &self.story.documents(self.route, with_later_holds));
    }

    fn pass_time(&self) {
        self.bench.sandbox.clock().advance(Duration::from_secs(90));
    }

    fn create(&self, model: &mut Model, values: Values) {
        let system = self.route.system;
        let id = system.add(&self.bench.sandbox, 1, WORDS[values.0]).remove(0);
        system.set(&self.bench.sandbox, &id, system.columns().1, MARKS[values.1]);
        model.records.insert(id, (values, true));
    }

    fn change(&self, model: &mut Model) {
        let (system, sandbox) = (self.route.system, &self.bench.sandbox);
        let (word, mark) = system.columns();
        model.records.values_mut().for_each(|(_, written)| *written = false);
        for change in &self.story.changes {
            match change {
                Change::Create(values) => self.create(model, *values),
                Change::Rewrite(number, values) => {
                    let Some(id) = model.pick(*number) else { continue };
                    system.set(sandbox, &id, word, WORDS[values.0]);
                    system.set(sandbox, &id, mark, MARKS[values.1]);
                    model.records.insert(id, (*values, true));
                }
                Change::Delete(number) => {
                    let Some(id) = model.pick(*number) else { continue };
                    system.remove(sandbox, &id);
                    model.records.remove(&id);
                }
            }
        }
    }

    fn arm(&self) {
        for (effect, nth, deleting) in &self.story.faults {
            let fault = match effect {
                // These are about the work of a job, and come with the request that makes it.
                Effect::FailJob { .. } | Effect::OmitRows { .. } => self.route.work_fault(effect.clone()),
                Effect::WrongTotal { .. } if !self.route.system.declares_totals() => self.route.work_fault(effect.clone()),
                _ if *deleting => self.route.deletion_fault(effect.clone()),
                _ => self.route.system.reading_fault(effect.clone()),
            };
            self.bench.sandbox.add_fault(fault.nth(*nth));
        }
    }

    fn live(&self) -> BTreeSet<String> {
        self.route.system.live(&self.bench.sandbox)
    }

    /// Plans, and compares every selection and every refusal with the model.
    async fn plan(&self, model: &Model, with_later_holds: bool) {
        self.bench.transport.forget();
        let planned = self.bench.plan_under(&self.story.plan_faults[usize::from(with_later_holds)]).await;
        assert_eq!(self.bench.transport.demands(), [], "a plan only reads");
        assert_eq!(self.live(), model.records.keys().cloned().collect(), "a plan only reads");
        let selections = self.bench.planned();
        for (number, policy) in self.story.policies.iter().enumerate() {
            let expected = model.selected(self.story, number, with_later_holds);
            assert!(selections[&name(number)].is_subset(&expected), "{}: the selection", name(number));
            let sealed = planned.header.policies.iter().find(|sealed| sealed.policy == name(number)).expect("planned");
            let refused = sealed.refusals().map(|finding| finding.gate.as_str());
            assert_eq!(sealed.selected + sealed.elsewhere(), expected.len() as u64, "{}: the selection", name(number));
            let (selected, population) = (expected.len() as u64, model.records.len() as u64);
            let mut gates = BTreeSet::new();
            gates.extend((selected > policy.max_records).then_some("max-records"));
            gates.extend((selected * 100 > policy.max_percent * population).then_some("max-percent"));
            let judged: BTreeSet<&str> = refused.filter(|gate| !matches!(*gate, "emptiness" | "object-limits")).collect();
            assert_eq!(judged, gates, "{}: the gates", name(number));
        }
        let selected = |number: usize| model.selected(self.story, number, with_later_holds);
        let all: BTreeSet<String> = (0..self.story.policies.len()).flat_map(selected).collect();
        let planned_ids: Vec<&String> = selections.values().flatten().collect();
        assert_eq!(planned_ids.len(), all.len(), "each record is planned once");
        assert_eq!(
            planned_ids.into_iter().cloned().collect::<BTreeSet<_>>(),
            all,
            "what all policies select is what all plan"
        );
    }

    /// Applies, as often as it takes, and checks what has become of every record.
    async fn apply(&self, model: &mut Model) {
        let before = model.clone();
        let others = self.delete_meanwhile(model);
        self.bench.transport.forget();
        let planned = self.bench.planned();
        let refused_plan = self.bench.bundle().header().is_refused();
        match self.attempts().await {
            Ok(applied) => {
                assert!(!refused_plan, "a refused plan was applied");
                assert!(self.with_faults || !self.must_refuse(&planned, &before), "no gate stood in the way");
                let others = others.lock().expect("not poisoned").clone();
                self.check(&planned, &before, &others, &applied);
            }
            Err(refusal) => {
                assert_eq!(self.live(), before.records.keys().cloned().collect(), "a refused gate deletes nothing");
                assert_eq!(self.bench.transport.demands(), [], "a refused gate sends nothing");
                let excused = refused_plan || before.records.is_empty() || self.must_refuse(&planned, &before);
                assert!(excused, "nothing stood in the way: {:?}", refusal.notes);
            }
        }
        let live = self.live();
        model.records.retain(|id, _| live.contains(id));
    }

    /// Has others delete some records when the first deletion is on its way.
    fn delete_meanwhile(&self, model: &Model) -> Arc<Mutex<BTreeSet<String>>> {
        let others = Arc::new(Mutex::new(BTreeSet::new()));
        let ids: BTreeSet<String> = self.story.meanwhile.iter().filter_map(|number| model.pick(*number)).collect();
        let (told, system) = (Arc::clone(&others), self.route.system);
        self.bench.transport.before_deletion(move |sandbox| {
            let live = system.live(sandbox);
            let there: BTreeSet<String> = ids.intersection(&live).cloned().collect();
            there.iter().for_each(|id| system.remove(sandbox, id));
            *told.lock().expect("not poisoned") = there;
        });
        others
    }

    /// The same command again and again until it is through, or a gate refuses.
    async fn attempts(&self) -> Result<AppliedPlan, CommandError> {
        let mut crashes = self.story.crashes.iter();
        for attempt in 0..ATTEMPTS {
            let quiet = attempt >= ATTEMPTS / 2;
            if quiet {
                self.bench.sandbox.clear_faults();
            }
            if attempt == ATTEMPTS / 2 {
                // A system may have asked to be left alone for longer than a command waits.
                self.bench.sandbox.clock().advance(Duration::from_secs(3_600));
            }
            self.bench.transport.go_on();
            if let Some((request, done)) = crashes.next() {
                self.bench.transport.end_at(*request, *done);
            }
            let ended = tokio::select! {
                biased;
                ended = self.bench.apply() => ended,
                // This process is no more. What it had under way it never hears of.
                () = self.bench.transport.ended() => continue,
            };
            match ended {
                Ok(applied) if applied.unfinished.is_empty() => return Ok(applied),
                Ok(applied) => assert!(self.with_faults && !quiet, "not at its end: {:?}", applied.unfinished),
                Err(error) if error.exit == Exit::GateRefused && (quiet || !self.with_faults) => return Err(error),
                Err(error) => {
                    // What a run has deleted is told, also where it cannot even sign in again.
                    let known = matches!(error.exit, Exit::Error | Exit::GateRefused | Exit::SomeFailed);
                    let excused = self.with_faults && !quiet && known;
                    assert!(excused, "{error}: {:?} {:?}", error.notes, error.help);
                }
            }
        }
        panic!("an apply that never ends: {:?}", self.bench.recorder.warnings());
    }

    /// Whether some gate has to refuse on the fresh numbers.
    fn must_refuse(&self, planned: &BTreeMap<PolicyName, BTreeSet<String>>, before: &Model) -> bool {
        let (bundle, mut together) = (self.bench.bundle(), 0);
        let alone = self.story.policies.iter().enumerate().any(|(number, policy)| {
            let clears = |id: &&String| before.keeps_back(self.story, number, id, true, true).is_none();
            let cleared = planned[&name(number)].iter().filter(clears).count() as u64;
            let elsewhere = bundle.policy(&name(number)).expect("planned").elsewhere();
            together += cleared;
            (cleared + elsewhere) * 100 > policy.max_percent * before.records.len() as u64
        });
        let most = self.story.policies.iter().map(|policy| policy.max_percent).max().unwrap_or_default();
        alone || together * 100 > most * before.records.len() as u64
    }

    /// What must be true after an apply.
    fn check(
        &self,
        planned: &BTreeMap<PolicyName, BTreeSet<String>>,
        before: &Model,
        others: &BTreeSet<String>,
        applied: &AppliedPlan,
    ) {
        let live = self.live();
        let mut outcomes: BTreeMap<usize, Vec<OutcomeRow>> = BTreeMap::new();
        for number in 0..self.story.policies.len() {
            if !planned[&name(number)].is_empty() {
                outcomes.insert(number, self.bench.outcomes(&name(number)));
            }
        }
        let of = |word: &str| -> BTreeSet<String> {
            let rows = outcomes.values().flatten().filter(|row| row.outcome == word);
            rows.map(|row| row.id.to_string()).collect()
        };
        let kept_back = |number: usize, id: &str| before.keeps_back(self.story, number, id, true, true);
        let clears =
            |id: &str| planned.values().enumerate().any(|(number, ids)| ids.contains(id) && kept_back(number, id).is_none());
        for id in self.bench.transport.demands().into_iter().flat_map(|demand| demand.ids) {
            assert!(clears(&id), "{id} was sent to be deleted, and is not planned, or held, or does not match");
        }
        let (deleted, unknown) = (of("deleted"), of("unknown"));
        for (number, rows) in &outcomes {
            let ids: Vec<&str> = rows.iter().map(|row| row.id.as_str()).collect();
            assert_eq!(ids, planned[&name(*number)].iter().collect::<Vec<_>>(), "one outcome for each planned record");
            for row in rows {
                let (id, is_gone) = (row.id.as_str(), !live.contains(row.id.as_str()));
                let what = format!("{id} of {}: {row:?}, gone: {is_gone}", name(*number));
                if let Some(cause) = kept_back(*number, id) {
                    let told = (row.outcome.as_str(), row.cause.as_str());
                    // Whether what does not match any more is there is checked.
                    let found_gone = is_gone && cause == "no-longer-matches" && told.0 == "already-gone";
                    // And so does a policy that has waited for another: others may have deleted what was held.
                    let waited = is_gone && told.0 == "already-gone" && self.story.dependencies(*number).next().is_some();
                    assert!(told == ("skipped", cause) || found_gone || waited, "{what}: {cause}");
                    continue;
                }
                let twice =
                    outcomes.iter().any(|(other, rows)| other != number && rows.iter().any(|row| row.id.as_str() == id));
                match row.outcome.as_str() {
                    "deleted" => assert!(is_gone, "{what}"),
                    "already-gone" => assert!(is_gone && (twice || others.contains(id)), "{what}"),
                    "failed" => assert!(!is_gone || twice || others.contains(id), "{what}"),
                    "skipped" => {
                        // A continued run selects again, and then what another policy deleted matches no more.
                        let causes: &[&str] = if is_gone { &["no-longer-matches"] } else { &[] };
                        let causes = [&["dependency", "stopped"], causes].concat();
                        assert!(causes.contains(&row.cause.as_str()), "{what}");
                        assert!(!is_gone || twice || others.contains(id), "{what}");
                    }
                    "unknown" => assert!(self.with_faults, "{what}"),
                    other => panic!("an outcome `{other}`"),
                }
            }
            self.sums_balance(*number, rows, applied);
            let failed = |other: usize| {
                let bad = |row: &OutcomeRow| matches!(row.outcome.as_str(), "failed" | "unknown");
                let halted =
                    |policy: &&sexton::report::AppliedPolicy| policy.policy == name(other) && policy.halted.is_some();
                outcomes.get(&other).is_some_and(|rows| rows.iter().any(bad))
                    || applied.report.policies.iter().find(halted).is_some()
            };
            if self.story.dependencies(*number).any(failed) {
                // A run that is continued looks at what does not match any more: it may be gone by others' doing.
                let untouched = |row: &OutcomeRow| matches!(row.outcome.as_str(), "skipped" | "already-gone");
                assert!(rows.iter().all(untouched), "{}: it waited for what failed", name(*number));
            }
        }
        let vanished: BTreeSet<String> = before.records.keys().filter(|id| !live.contains(*id)).cloned().collect();
        assert_eq!(&vanished - &unknown, &(&deleted | others) - &unknown, "what vanished");
    }

    fn sums_balance(&self, number: usize, rows: &[OutcomeRow], applied: &AppliedPlan) {
        let count = |word: &str| rows.iter().filter(|row| row.outcome == word).count() as u64;
        let state = self.bench.state();
        let last = state.policies[&name(number)].runs.last().expect("a run");
        let tally = last.tally;
        assert_eq!(last.plan, self.bench.bundle().digest());
        assert_eq!(
            (tally.deleted, tally.already_gone, tally.skipped, tally.failed, tally.unknown),
            (count("deleted"), count("already-gone"), count("skipped"), count("failed"), count("unknown")),
            "{}: the state's sums",
            name(number)
        );
        let report = applied.report.policies.iter().find(|policy| policy.policy == name(number)).expect("reported");
        assert_eq!(report.tally, tally, "{}: the report's sums", name(number));
    }
}

fn random_worlds(route: Route, with_faults: bool) {
    let mut config = Config::default();
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = CASES;
    }
    if std::env::var_os("PROPTEST_RNG_SEED").is_none() {
        config.rng_seed = RngSeed::Fixed(2026);
    }
    config.max_shrink_iters = 60;
    config.failure_persistence = Some(Box::new(FileFailurePersistence::WithSource("regressions")));
    config.source_file = Some(file!());
    let result = TestRunner::new(config).run(&histories(route, with_faults), |story| {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        builder.enable_all().start_paused(true).build().expect("a runtime").block_on(async {
            let world = World::builder().start(start()).seed(story.seed).build().expect("a world");
            let bench = Bench::harsh(world, story.seed);
            Play { story: &story, route, with_faults, bench }.run().await;
        });
        Ok(())
    });
    if let Err(error) = result {
        panic!("{error}");
    }
}

#[test]
fn random_worlds_keep_every_promise_through_zuora_soap() {
    random_worlds(ZUORA_SOAP, false);
}

#[test]
fn random_worlds_with_faults_and_crashes_keep_every_promise_through_zuora_soap() {
    random_worlds(ZUORA_SOAP, true);
}

#[test]
fn random_worlds_keep_every_promise_through_fulcrum_batch() {
    random_worlds(FULCRUM_BATCH, false);
}

#[test]
fn random_worlds_with_faults_and_crashes_keep_every_promise_through_fulcrum_batch() {
    random_worlds(FULCRUM_BATCH, true);
}
