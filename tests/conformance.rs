//! The same promises, asked of every API through which records are deleted. What an API cannot do it must refuse in the right way.
//!
//! A promise is a function here, and becomes a test for each API by its name in [`promises`].

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use sexton::base::PolicyName;
use sexton::base::{CommandError, Exit};
use sexton::command::AppliedPlan;
use sexton::sandbox::{Effect, World};
use support::route::{BULK1, BULK2, COLLECTIONS, COMPOSITE, FULCRUM_BATCH, Route, ZUORA_SOAP};
use support::{ADDRESS, Bench, SECRETS, start};

/// The records that are to go: more than one request of most APIs takes.
const RECORDS: usize = 230;
/// The records beside them.
const OTHERS: usize = 30;
/// An apply that meets nothing new comes to its end within so many attempts.
const ATTEMPTS: usize = 6;

/// Makes a test of each promise for each API.
macro_rules! promises {
    ($($promise:ident),+ $(,)?) => {$(
        mod $promise {
            use super::*;

            #[test]
            fn kept_through_collections() {
                in_paused_time(super::$promise(COLLECTIONS));
            }

            #[test]
            fn kept_through_composite() {
                in_paused_time(super::$promise(COMPOSITE));
            }

            #[test]
            fn kept_through_bulk2() {
                in_paused_time(super::$promise(BULK2));
            }

            #[test]
            fn kept_through_bulk1() {
                in_paused_time(super::$promise(BULK1));
            }

            #[test]
            fn kept_through_zuora_soap() {
                in_paused_time(super::$promise(ZUORA_SOAP));
            }

            #[test]
            fn kept_through_fulcrum_batch() {
                in_paused_time(super::$promise(FULCRUM_BATCH));
            }
        }
    )+};
}

promises!(
    a_plan_only_reads,
    an_incomplete_read_is_no_plan,
    nothing_outside_the_plan_goes,
    what_changed_since_the_plan_is_skipped_with_its_cause,
    a_hold_written_after_the_plan_wins,
    limits_stop_and_never_shorten,
    the_wrong_organization_is_refused_before_anything_else,
    every_planned_record_has_one_outcome,
    a_crash_at_any_request_is_survived,
    an_unanswered_deletion_is_settled_by_looking,
    what_the_system_cannot_do_now_is_done_later,
    an_expired_session_is_renewed,
    no_secret_is_told_or_kept,
    what_cannot_be_done_is_refused_for_its_reason,
);

fn in_paused_time(test: impl Future<Output = ()>) {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_all().start_paused(true).build().expect("a runtime").block_on(test);
}

/// A project with one policy for everything old.
struct Case {
    route: Route,
    bench: Bench,
    /// The ids of everything old.
    old: Vec<String>,
}

/// How many records came to each end, by its name and its cause.
type Ends = BTreeMap<(String, String), usize>;

fn ends<const COUNT: usize>(expected: [(&str, &str, usize); COUNT]) -> Ends {
    expected.into_iter().map(|(outcome, cause, count)| ((outcome.to_owned(), cause.to_owned()), count)).collect()
}

impl Case {
    fn new(route: Route) -> Self {
        let bench = Bench::new(World::builder().start(start()).build().expect("a world"));
        let old = route.system.add(&bench.sandbox, RECORDS, "old");
        route.system.add(&bench.sandbox, OTHERS, "young");
        let case = Self { route, bench, old };
        case.declare(&[], "");
        case
    }

    async fn planned(route: Route) -> Self {
        let case = Self::new(route);
        case.plan().await;
        case
    }

    async fn plan(&self) {
        let planned = self.bench.plan().await.unwrap_or_else(|error| panic!("{error}: {:?}", error.notes));
        assert!(!planned.header.is_refused(), "{:?}", planned.header.policies);
        // Whatever happens from here on happens later.
        self.bench.sandbox.clock().advance(Duration::from_secs(60));
    }

    /// Writes the project, with further lines for the policy and further documents.
    fn declare(&self, lines: &[&str], documents: &str) {
        let target = self.route.system.document(ADDRESS, None);
        self.bench.write("sexton.yaml", &format!("{target}{}{documents}", self.route.policy(lines)));
    }

    fn live(&self) -> BTreeSet<String> {
        self.route.system.live(&self.bench.sandbox)
    }

    fn all_old(&self) -> BTreeSet<String> {
        self.old.iter().cloned().collect()
    }

    /// What of everything old is still there.
    fn old_left(&self) -> BTreeSet<String> {
        &self.live() & &self.all_old()
    }

    fn add_old(&self, count: usize) -> BTreeSet<String> {
        self.route.system.add(&self.bench.sandbox, count, "old").into_iter().collect()
    }

    /// The same command again and again until the run is at its end. From the second half on nothing goes wrong any more.
    async fn settle(&self) -> AppliedPlan {
        for attempt in 0..ATTEMPTS {
            if attempt == ATTEMPTS / 2 {
                self.bench.sandbox.clear_faults();
            }
            match self.bench.apply().await {
                Ok(applied) if applied.unfinished.is_empty() => return applied,
                // A system may have asked to be left alone for longer than a run waits.
                Ok(_) => self.bench.sandbox.clock().advance(Duration::from_secs(3_600)),
                Err(error) => {
                    let may_go_on = matches!(error.exit, Exit::Error | Exit::SomeFailed);
                    assert!(may_go_on, "{error}: {:?}", error.notes);
                }
            }
        }
        panic!("not at its end: {:?}", self.bench.recorder.warnings());
    }

    /// Applies once, to the end.
    async fn apply(&self) -> AppliedPlan {
        let applied = self.bench.apply().await.unwrap_or_else(|error| panic!("{error}: {:?}", error.notes));
        assert_eq!(applied.unfinished, Vec::<String>::new());
        applied
    }

    /// Of a policy that goes as a whole nothing goes when a part is kept back.
    async fn a_part_is_refused(&self) {
        let before = self.live();
        let error = self.bench.apply().await.expect_err("a part");
        assert_eq!(error.exit, Exit::GateRefused, "{error}");
        assert!(error.notes.iter().any(|note| note.contains("all-or-none")), "{:?}", error.notes);
        self.nothing_was_asked_for();
        assert_eq!(self.live(), before);
    }

    /// Applies in a process that dies at a request; `false` when there is no such request.
    async fn dies_at(&self, request: u64, done: bool) -> bool {
        self.bench.transport.end_at(request, done);
        let died = tokio::select! {
            biased;
            ended = self.bench.apply() => { ended.expect("applied"); false }
            () = self.bench.transport.ended() => true,
        };
        self.bench.transport.go_on();
        died
    }

    fn nothing_was_asked_for(&self) {
        assert_eq!(self.bench.transport.demands(), []);
    }

    /// Checks that what went was planned, that each planned record has one outcome, that the outcomes are true, and that all sums
    /// balance. `before` is what was there before, without what others deleted. Gives the outcomes.
    fn balances(&self, applied: &AppliedPlan, before: &BTreeSet<String>) -> Ends {
        let name = PolicyName::new("old-ones").expect("a name");
        let planned = &self.bench.planned()[&name];
        let live = self.live();
        let gone = before - &live;
        assert!(gone.is_subset(planned), "gone and not planned: {:?}", &gone - planned);
        for demand in self.bench.transport.demands() {
            assert!(demand.ids.iter().all(|id| planned.contains(id)), "asked for and not planned: {demand:?}");
        }
        let rows = self.bench.outcomes(&name);
        let ids: BTreeSet<String> = rows.iter().map(|row| row.id.to_string()).collect();
        assert_eq!((rows.len(), &ids), (planned.len(), planned), "one outcome for each planned record");
        let mut ends = Ends::new();
        for row in &rows {
            let is_gone = matches!(row.outcome.as_str(), "deleted" | "already-gone");
            let by_others = !before.contains(row.id.as_str());
            assert!(by_others || is_gone != live.contains(row.id.as_str()), "not true: {row:?}");
            *ends.entry((row.outcome.clone(), row.cause.clone())).or_default() += 1;
        }
        let count =
            |word: &str| ends.iter().filter(|((end, _), _)| end == word).map(|(_, count)| *count as u64).sum::<u64>();
        let tally = applied.report.tally();
        assert_eq!(
            (tally.deleted, tally.already_gone, tally.skipped, tally.failed, tally.unknown),
            (count("deleted"), count("already-gone"), count("skipped"), count("failed"), count("unknown")),
            "the report's sums"
        );
        assert_eq!(tally.total(), planned.len() as u64);
        let state = self.bench.state();
        assert_eq!(state.policies[&name].runs.last().expect("a run").tally, tally, "the state's sums");
        ends
    }
}

async fn a_plan_only_reads(route: Route) {
    let case = Case::new(route);
    let before = case.live();
    case.plan().await;
    for request in case.bench.sandbox.requests() {
        assert!(route.system.reads(&request), "{request:?}");
    }
    case.nothing_was_asked_for();
    assert_eq!(case.live(), before);
    assert_eq!(case.bench.planned().into_values().collect::<Vec<_>>(), [case.all_old()]);
}

async fn an_incomplete_read_is_no_plan(route: Route) {
    let case = Case::planned(route).await;
    let files = case.bench.files("plan");
    let mut effects = vec![
        Effect::ShortPage { rows: 1 },
        Effect::Truncate { bytes: 60 },
        Effect::Cut { bytes: 60 },
        Effect::DropBefore,
        Effect::Unavailable { retry_after: None },
    ];
    if route.system.declares_totals() {
        effects.extend([1, -1].map(|by| Effect::WrongTotal { by }));
    }
    for effect in effects {
        case.bench.sandbox.add_fault(route.system.reading_fault(effect.clone()));
        let failed = case.bench.plan().await.expect_err(&format!("{effect:?}"));
        assert_eq!(failed.exit, Exit::Error, "{effect:?}: {failed}");
        assert!(case.bench.files("plan") == files, "{effect:?}: the plan before was touched");
        case.bench.sandbox.clear_faults();
    }
    case.plan().await;
}

async fn nothing_outside_the_plan_goes(route: Route) {
    let case = Case::planned(route).await;
    let new = case.add_old(20);
    let before = case.live();
    let applied = case.apply().await;
    assert_eq!(case.balances(&applied, &before), ends([("deleted", "", RECORDS)]));
    assert!(new.is_subset(&case.live()));
    assert_eq!(applied.report.policies[0].waiting, 20, "they wait for the next plan, and that is told");
}

async fn what_changed_since_the_plan_is_skipped_with_its_cause(route: Route) {
    let case = Case::new(route);
    case.declare(&["recheck: unchanged"], "");
    case.plan().await;
    let sandbox = &case.bench.sandbox;
    case.old[3..6].iter().for_each(|id| route.system.renew(sandbox, id));
    case.old[10..14].iter().for_each(|id| route.system.touch(sandbox, id));
    let before = case.live();
    case.old[200..202].iter().for_each(|id| route.system.remove(sandbox, id));
    let others = &before - &case.live();
    if route.is_whole() {
        return case.a_part_is_refused().await;
    }
    let applied = case.apply().await;
    let found = case.balances(&applied, &(&before - &others));
    let expected = [
        ("already-gone", "", 2),
        ("deleted", "", RECORDS - 9),
        ("skipped", "no-longer-matches", 3),
        ("skipped", "changed", 4),
    ];
    assert_eq!(found, ends(expected));
}

async fn a_hold_written_after_the_plan_wins(route: Route) {
    let case = Case::planned(route).await;
    let held: BTreeSet<String> = [7, 100, 229].map(|place: usize| case.old[place].clone()).into();
    held.iter().for_each(|id| route.system.hold(&case.bench.sandbox, id));
    case.declare(&[], &route.hold_document());
    let before = case.live();
    if route.is_whole() {
        return case.a_part_is_refused().await;
    }
    let applied = case.apply().await;
    assert_eq!(case.balances(&applied, &before), ends([("deleted", "", RECORDS - 3), ("skipped", "held", 3)]));
    assert_eq!(case.old_left(), held);
    for demand in case.bench.transport.demands() {
        assert!(demand.ids.iter().all(|id| !held.contains(id)), "a held record was asked for");
    }
}

async fn limits_stop_and_never_shorten(route: Route) {
    let refused_by = |gates: &[&str], error: &CommandError| {
        assert_eq!(error.exit, Exit::GateRefused, "{error}: {:?}, {gates:?}", error.notes);
    };
    let case = Case::new(route);
    case.declare(&["limits: { maxRecords: 229, maxPercent: 100 }"], "");
    let planned = case.bench.plan().await.expect("planned");
    let gates: Vec<&str> = planned.header.policies[0].refusals().map(|finding| finding.gate.as_str()).collect();
    assert_eq!(gates, ["max-records"]);
    assert_eq!(planned.header.policies[0].selected, RECORDS as u64, "the plan shows all of it");
    refused_by(&gates, &case.bench.apply().await.expect_err("over the limit"));

    // 230 of 260 are just allowed; then others delete some of the rest.
    case.declare(&["limits: { maxRecords: 230, maxPercent: 89 }"], "");
    case.plan().await;
    let young = &case.live() - &case.all_old();
    young.iter().take(20).for_each(|id| route.system.remove(&case.bench.sandbox, id));
    refused_by(&["max-percent"], &case.bench.apply().await.expect_err("230 of 240"));
    case.nothing_was_asked_for();
    assert_eq!(case.live().len(), RECORDS + OTHERS - 20);
    assert!(case.bench.state().consumed.is_empty(), "the plan is not used up");
}

async fn the_wrong_organization_is_refused_before_anything_else(route: Route) {
    let case = Case::new(route);
    let pinned = |organization: &str| {
        let target = route.system.document(ADDRESS, Some(organization));
        case.bench.write("sexton.yaml", &format!("{target}{}", route.policy(&[])));
    };
    pinned(route.system.another_organization());
    let error = case.bench.plan().await.expect_err("another organization");
    assert_eq!(error.exit, Exit::PlanUnusable, "{error}");
    assert!(error.to_string().contains("organization") || error.to_string().contains("tenant"), "{error}");
    let requests = case.bench.sandbox.requests();
    assert!(!requests.is_empty());
    for request in requests {
        assert!(route.system.identifies(&request), "{request:?}");
    }
    pinned(&route.system.organization(&case.bench.sandbox));
    case.plan().await;
}

async fn every_planned_record_has_one_outcome(route: Route) {
    let case = Case::planned(route).await;
    let (system, sandbox) = (route.system, &case.bench.sandbox);
    // Two cannot be deleted; where no record refuses, each batch leaves two over.
    if !(system.refuse(sandbox, &case.old[2]) && system.refuse(sandbox, &case.old[210])) {
        sandbox.add_fault(route.work_fault(Effect::OmitRows { rows: 2 }));
    }
    // Of a whole nothing would be sent.
    if !route.is_whole() {
        case.old[20..23].iter().for_each(|id| system.renew(sandbox, id));
        case.old[30..32].iter().for_each(|id| system.hold(sandbox, id));
        case.declare(&[], &route.hold_document());
    }
    let meanwhile = case.old[120].clone();
    let before = &case.live() - &BTreeSet::from([meanwhile.clone()]);
    case.bench.transport.before_deletion(move |sandbox| system.remove(sandbox, &meanwhile));
    let applied = case.settle().await;
    let found = case.balances(&applied, &before);
    let count = |outcome: &str, cause: &str| found.get(&(outcome.to_owned(), cause.to_owned())).copied().unwrap_or(0);
    let kept_back = if route.is_whole() { (0, 0) } else { (3, 2) };
    assert_eq!((count("skipped", "no-longer-matches"), count("skipped", "held")), kept_back, "{found:?}");
    assert_eq!(applied.exit, Exit::SomeFailed);
    if route.is_whole() {
        assert_eq!(count("deleted", ""), 0, "{found:?}");
        assert!(count("failed", "") > 0 && count("skipped", "rolled-back") > 200, "{found:?}");
        return;
    }
    assert_eq!(count("failed", ""), 2, "{found:?}");
    assert_eq!(count("deleted", "") + count("already-gone", ""), RECORDS - 7, "{found:?}");
}

async fn a_crash_at_any_request_is_survived(route: Route) {
    // Until the first record is sent, nothing depends on whether a request was carried out.
    let mut first_in_work = 1;
    for done in [true, false] {
        let mut crashes_in_work = 0;
        for request in first_in_work.. {
            let case = Case::planned(route).await;
            let new = case.add_old(5);
            // Of a whole nothing would be sent.
            if !route.is_whole() {
                case.old[40..43].iter().for_each(|id| route.system.renew(&case.bench.sandbox, id));
            }
            let before = case.live();
            if !case.dies_at(request, done).await {
                break;
            }
            if case.bench.transport.demands().is_empty() {
                first_in_work = request;
            } else {
                crashes_in_work += 1;
            }
            let gone_at_once = &before - &case.live();
            assert!(gone_at_once.is_subset(&case.all_old()), "gone and not planned");
            case.bench.transport.forget();
            let applied = case.settle().await;
            let found = case.balances(&applied, &before);
            let expected = if route.is_whole() {
                ends([("deleted", "", RECORDS)])
            } else {
                ends([("deleted", "", RECORDS - 3), ("skipped", "no-longer-matches", 3)])
            };
            assert_eq!(found, expected, "request {request}, done: {done}");
            assert!(new.is_subset(&case.live()));
            let sent_twice = case.bench.transport.demands().into_iter().flat_map(|demand| demand.ids);
            let blindly: Vec<String> = sent_twice.filter(|id| gone_at_once.contains(id)).collect();
            assert_eq!(blindly, Vec::<String>::new(), "request {request}: it would have been seen that they are gone");
        }
        assert!(crashes_in_work >= 1, "no crash came while records were sent");
    }
}

async fn an_unanswered_deletion_is_settled_by_looking(route: Route) {
    for effect in [Effect::DropAfter, Effect::DropBefore] {
        let case = Case::planned(route).await;
        let before = case.live();
        case.bench.sandbox.add_fault(route.deletion_fault(effect.clone()).nth(1));
        let applied = case.settle().await;
        assert_eq!(case.balances(&applied, &before), ends([("deleted", "", RECORDS)]), "{effect:?}");
        let asked: Vec<String> = case.bench.transport.demands().into_iter().flat_map(|demand| demand.ids).collect();
        assert!(effect != Effect::DropAfter || asked.len() == RECORDS, "{effect:?}: asked for again");
    }
}

async fn what_the_system_cannot_do_now_is_done_later(route: Route) {
    for effect in [
        Effect::Unavailable { retry_after: None },
        Effect::Unavailable { retry_after: Some(30) },
        Effect::TooManyRequests { retry_after: Some(30) },
        Effect::ConcurrentLimit,
        Effect::DailyLimit,
        Effect::LockRows { chunk: 1 },
        Effect::Respond { status: 500, content_type: None, body: "{}".into(), retry_after: None },
        Effect::Respond { status: 502, content_type: Some("text/html".into()), body: "<html>".into(), retry_after: None },
    ] {
        let case = Case::planned(route).await;
        let before = case.live();
        case.bench.sandbox.add_fault(route.deletion_fault(effect.clone()).times(2));
        let applied = case.settle().await;
        assert_eq!(case.balances(&applied, &before), ends([("deleted", "", RECORDS)]), "{effect:?}");
    }
}

async fn an_expired_session_is_renewed(route: Route) {
    if !route.system.has_sessions() {
        return;
    }
    let sandbox_ends_them = |case: &Case| {
        case.bench.sandbox.add_fault(route.system.reading_fault(Effect::ExpireSession).nth(2));
        case.bench.sandbox.add_fault(route.deletion_fault(Effect::ExpireSession).nth(1));
    };
    let case = Case::new(route);
    sandbox_ends_them(&case);
    case.plan().await;
    case.bench.sandbox.clear_faults();
    sandbox_ends_them(&case);
    let before = case.live();
    let applied = case.apply().await;
    assert_eq!(case.balances(&applied, &before), ends([("deleted", "", RECORDS)]));
}

async fn no_secret_is_told_or_kept(route: Route) {
    let case = Case::new(route);
    let mut told = Vec::new();
    let mut tell = |error: &CommandError| told.push(format!("{error}\n{error:?}\n{:?}\n{:?}", error.notes, error.help));
    let echo = |status, text: &str| {
        let body = format!("{{\"error\":\"bad {text}\",\"error_description\":\"{text}\"}}");
        Effect::Respond { status, content_type: Some("application/json".into()), body, retry_after: None }
    };
    // What was sent comes back in the words of an error.
    for status in [400, 401, 500] {
        for secret in route.system.secrets() {
            case.bench.sandbox.add_fault(route.system.sign_in_fault(echo(status, secret)));
            tell(&case.bench.plan().await.expect_err("not signed in"));
            case.bench.sandbox.clear_faults();
        }
    }
    case.plan().await;
    for credential in case.bench.transport.credentials() {
        case.bench.sandbox.add_fault(route.deletion_fault(echo(403, &credential)).nth(1));
    }
    let applied = case.bench.apply().await;
    if applied.as_ref().is_ok_and(|applied| applied.unfinished.is_empty()) {
        case.bench.sandbox.clear_faults();
    } else {
        applied.err().iter().for_each(tell);
        case.settle().await;
    }
    told.extend(case.bench.recorder.warnings());
    let mut secrets = case.bench.transport.credentials();
    assert!(!secrets.is_empty(), "nobody proved who was asking");
    secrets.extend(SECRETS.map(|(_, secret)| secret.to_owned()));
    let files = case.bench.files("").into_iter().map(|(path, bytes)| (path, String::from_utf8_lossy(&bytes).into_owned()));
    let texts: Vec<(String, String)> = files.map(|(path, text)| (path.display().to_string(), text)).collect();
    assert!(texts.iter().any(|(path, _)| path.contains("/journal/")));
    for secret in secrets {
        for (path, text) in &texts {
            assert!(!text.contains(&secret), "{secret} is in {path}");
        }
        for text in &told {
            assert!(!text.contains(&secret), "{secret} was told: {text}");
        }
    }
}

async fn what_cannot_be_done_is_refused_for_its_reason(route: Route) {
    let refused = async |line: &str| {
        let case = Case::new(route);
        case.declare(&[line], "");
        let codes: Vec<&str> = match case.bench.plan().await {
            Ok(_) => Vec::new(),
            Err(error) => {
                let diagnostics = error.diagnostics.unwrap_or_else(|| panic!("{line}: {}", error.title));
                diagnostics.0.iter().map(|diagnostic| diagnostic.code.0).collect()
            }
        };
        let asked = case.bench.sandbox.requests().len();
        assert!(codes.is_empty() || asked == 0, "{line}: it can be seen without asking the system");
        codes
    };
    let expected = |can: bool, code: &'static str| if can { vec![] } else { vec![code] };
    assert_eq!(refused("delete: soft").await, expected(route.soft, "C0005"));
    if route.soft {
        // Composite is for all or none, which no hard delete is.
        assert_eq!(refused("delete: hard").await, expected(route.hard, "C0002"));
    }
    assert_eq!(refused("allOrNone: true").await, expected(route.atomic > 0, "C0001"));
    assert_eq!(refused("concurrency: serial").await, expected(route.serial, "C0003"));
    if route.atomic == 0 {
        assert_eq!(refused("allOrNone: perRequest").await, ["C0001"]);
        return;
    }
    let case = Case::new(route);
    case.add_old((route.atomic as usize + 1).saturating_sub(RECORDS));
    case.declare(&["allOrNone: true", "limits: { maxRecords: 5000, maxPercent: 100 }"], "");
    let planned = case.bench.plan().await.expect("planned");
    let refusals: Vec<&str> = planned.header.policies[0].refusals().map(|finding| finding.gate.as_str()).collect();
    assert_eq!(refusals, ["all-or-none"]);
    let error = case.bench.apply().await.expect_err("too many for one request");
    assert_eq!(error.exit, Exit::GateRefused, "{error}");
    case.nothing_was_asked_for();
}
