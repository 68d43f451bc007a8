//! Two plans in flight that name the same records: what the first one deletes is already gone for the second, by the first one's name.

#![expect(clippy::disallowed_methods, reason = "it moves the evidence of a run away")]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use futures::TryStreamExt as _;
use http::{HeaderMap, StatusCode};
use sexton::base::PolicyName;
use sexton::command::{self, AppliedPlan, ApplyRequest, PlanRequest, PlanToApply};
use sexton::provider::transport::{Request, Response, Transport, TransportError};
use sexton::report::{AppliedView, Palette, View as _};
use sexton::sandbox::World;
use sexton::store::{OutcomeRow, Place, read_outcomes};
use support::route::{BULK1, BULK2, COLLECTIONS, FULCRUM_BATCH, Route, ZUORA_SOAP};
use support::wire::locked;
use support::{ADDRESS, Bench, start};
use tokio_util::sync::CancellationToken;

/// A bench with twenty old records and ten ancient ones, and policies that both want: `old-ones` and `any` the old ones, `any` the
/// ancient ones as well.
fn bench(route: Route) -> Bench {
    let bench = Bench::new(World::builder().start(start()).build().expect("a world"));
    route.system.add(&bench.sandbox, 20, "old");
    route.system.add(&bench.sandbox, 10, "ancient");
    route.system.add(&bench.sandbox, 10, "young");
    let column = route.system.columns().0;
    let any = format!("filter: {column} = 'old' OR {column} = 'ancient'");
    let text = [route.system.document(ADDRESS, None), route.policy(&[]), route.policy_named("any", &[&any])].concat();
    bench.write("sexton.yaml", &text);
    bench
}

/// Plans one policy into a directory of its own; gives the plan's name.
async fn plan(bench: &Bench, policy: &str) -> String {
    let request = PlanRequest {
        project: bench.path().to_owned(),
        out: Some(place(bench, policy)),
        base: None,
        policies: vec![PolicyName::new(policy).expect("a name")],
    };
    let planned = command::plan(&bench.host(), &request).await.expect("planned");
    planned.digest.short()
}

fn place(bench: &Bench, policy: &str) -> PathBuf {
    bench.path().join("plans").join(policy)
}

fn request(bench: &Bench, policy: &str) -> ApplyRequest {
    let plan = PlanToApply::Bundle(place(bench, policy));
    ApplyRequest { plan, ..bench.request(&["crm", "billing", "field"]) }
}

async fn apply(bench: &Bench, policy: &str) -> AppliedPlan {
    let applied = command::apply(&bench.host(), &request(bench, policy), &CancellationToken::new()).await;
    applied.expect("applied")
}

fn outcomes(bench: &Bench, plan: &str, policy: &str) -> Vec<OutcomeRow> {
    let place = Place::of_machine(bench.path().join(format!(".sexton/runs/{plan}/outcomes/{policy}.csv")));
    read_outcomes(&place).expect("outcomes").map(|row| row.expect("readable")).collect()
}

/// How many records came to which end, by which plan.
fn ends(rows: &[OutcomeRow]) -> BTreeMap<(&str, &str), usize> {
    let mut ends = BTreeMap::new();
    for row in rows {
        *ends.entry((row.outcome.as_str(), row.plan.as_str())).or_default() += 1;
    }
    ends
}

#[tokio::test(start_paused = true)]
async fn what_another_plan_deleted_is_already_gone_by_its_name() {
    for route in [COLLECTIONS, BULK2, BULK1, ZUORA_SOAP, FULCRUM_BATCH] {
        let bench = bench(route);
        let (first, second) = (plan(&bench, "old-ones").await, plan(&bench, "any").await);
        // Two go by another hand, and one is renewed.
        let live: Vec<String> = route.system.live(&bench.sandbox).into_iter().collect();
        let planned: BTreeSet<String> = ids(&bench, "old-ones");
        let ancient: Vec<&String> =
            live.iter().filter(|id| !planned.contains(*id) && ids(&bench, "any").contains(*id)).collect();
        route.system.remove(&bench.sandbox, ancient[0]);
        route.system.remove(&bench.sandbox, ancient[1]);
        route.system.renew(&bench.sandbox, ancient[2]);
        // The first plan keeps one back, which goes by another hand later.
        let kept_back = planned.first().expect("planned");
        route.system.renew(&bench.sandbox, kept_back);
        apply(&bench, "old-ones").await;
        route.system.remove(&bench.sandbox, kept_back);
        let applied = apply(&bench, "any").await;
        let rows = outcomes(&bench, &second, "any");
        let expected =
            [(("already-gone", ""), 3), (("already-gone", first.as_str()), 19), (("deleted", ""), 7), (("skipped", ""), 1)];
        assert_eq!(ends(&rows), expected.into(), "{}", route.api);
        let view = AppliedView { plan: applied.plan, applied: &applied.report, unfinished: &[] };
        let told = view.text(Palette::new(false));
        assert!(told.contains(&format!("19 already gone: the plan {first} deleted them")), "{told}");
        assert!(told.contains("         3 already gone\n"), "{told}");
    }
}

fn ids(bench: &Bench, policy: &str) -> BTreeSet<String> {
    let bundle = sexton::store::Bundle::open(&Place::of_machine(place(bench, policy))).expect("a bundle");
    let rows = bundle.rows(&PolicyName::new(policy).expect("a name")).expect("planned").expect("readable");
    rows.map(|row| row.expect("readable").id.to_string()).collect()
}

/// A system whose index of records is late: a query is answered as it was the first time.
struct LateIndex {
    way: Arc<dyn Transport>,
    answers: Mutex<BTreeMap<String, (StatusCode, HeaderMap, Bytes)>>,
}

#[async_trait]
impl Transport for LateIndex {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        let asked = request.url.to_string();
        let known = locked(&self.answers).get(&asked).cloned();
        let (status, headers, bytes) = match known {
            Some(known) => known,
            None => {
                let answer = self.way.send(request).await?;
                let bytes: Vec<Bytes> = answer.body.try_collect().await.expect("whole");
                let answer = (answer.status, answer.headers, Bytes::from(bytes.concat()));
                // Not what is asked about single records, whose presence is no matter of an index.
                if asked.contains("FROM+Lead") && !asked.contains("IsDeleted") {
                    locked(&self.answers).insert(asked, answer.clone());
                }
                answer
            }
        };
        let body = Box::pin(futures::stream::iter([Ok(bytes)]));
        Ok(Response { status, headers, body })
    }
}

#[tokio::test(start_paused = true)]
async fn a_record_of_which_only_the_deletion_says_that_it_is_gone_has_the_other_plans_name_too() {
    for route in [COLLECTIONS, BULK2, BULK1] {
        let bench = bench(route);
        let way = Arc::clone(&bench.transport) as Arc<dyn Transport>;
        let late = Arc::new(LateIndex { way, answers: Mutex::default() });
        let first = plan(&bench, "old-ones").await;
        let planning = PlanRequest {
            project: bench.path().to_owned(),
            out: Some(place(&bench, "any")),
            base: None,
            policies: vec![PolicyName::new("any").expect("a name")],
        };
        let host = bench.host_through(Arc::clone(&late) as Arc<dyn Transport>);
        let second = command::plan(&host, &planning).await.expect("planned").digest.short();
        apply(&bench, "old-ones").await;
        bench.transport.forget();
        command::apply(&host, &request(&bench, "any"), &CancellationToken::new()).await.expect("applied");
        let sent: usize = bench.transport.demands().iter().map(|demand| demand.ids.len()).sum();
        let rows = outcomes(&bench, &second, "any");
        assert_eq!((sent, rows.len()), (30, 30), "{}: all of them matched, as far as the index knew", route.api);
        assert_eq!(ends(&rows), [(("already-gone", first.as_str()), 20), (("deleted", ""), 10)].into(), "{}", route.api);
    }
}

#[tokio::test(start_paused = true)]
async fn a_plan_whose_evidence_was_moved_away_names_nothing_and_that_is_told() {
    let bench = bench(COLLECTIONS);
    let (first, second) = (plan(&bench, "old-ones").await, plan(&bench, "any").await);
    apply(&bench, "old-ones").await;
    // Somebody moved the evidence of the first one away.
    let moved = bench.path().join(format!(".sexton/runs/{first}"));
    std::fs::rename(moved, bench.path().join("archive")).expect("moved");
    apply(&bench, "any").await;
    assert_eq!(ends(&outcomes(&bench, &second, "any")), [(("already-gone", ""), 20), (("deleted", ""), 10)].into());
    let told = bench.recorder.warnings().concat();
    assert!(told.contains(&format!("any: the outcomes of the plan {first} cannot be read back")), "{told}");
}
