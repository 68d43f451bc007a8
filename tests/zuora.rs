//! The Zuora provider against the sandbox, in one process and with a clock that only the waiting moves.

#[path = "support/provider.rs"]
mod provider;
mod support;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::StreamExt as _;
use jiff::Timestamp;
use provider::{Halves, Rows};
use secrecy::SecretString;
use sexton::apply::{Answer, AnswerVerdict, BatchSpecification, Presence};
use sexton::base::{CallBudget, CallMemory, PolicyName, RecordId, WholeAgain};
use sexton::filter::Language;
use sexton::manifest::{SecretReference, ZuoraCalls, ZuoraSignIn, ZuoraTarget};
use sexton::plan::{Count, Query};
use sexton::provider::transport::Paced;
use sexton::provider::zuora::{ZuoraProvider, call_budget};
use sexton::provider::{Completeness, ErrorClass, ReadHalf, SecretError, SecretSource};
use sexton::sandbox::{Effect, Fault, Sandbox, Settings, Tenant, World};
use sexton::system::{Api, DeleteMode};
use support::wire::RouterTransport;
use support::{ADDRESS, SandboxTime};
use url::Url;

const USAGE: u32 = 100_000;

#[derive(Default)]
struct Memory(Mutex<WholeAgain>);

#[async_trait::async_trait]
impl CallMemory for Memory {
    async fn update(&self, change: &mut (dyn FnMut(WholeAgain) -> Option<WholeAgain> + Send)) -> std::io::Result<()> {
        let mut kept = self.0.lock().expect("not poisoned");
        if let Some(next) = change(kept.clone()) {
            *kept = next;
        }
        Ok(())
    }
}

struct Password;

impl SecretSource for Password {
    fn resolve(&self, _: &SecretReference) -> Result<SecretString, SecretError> {
        Ok(Tenant::PASSWORD.into())
    }
}

fn target() -> ZuoraTarget {
    ZuoraTarget {
        url: Url::parse(ADDRESS).expect("an address"),
        wsdl_version: "91.0".into(),
        tenant_id: Some(Tenant::ID.into()),
        sign_in: ZuoraSignIn::Login {
            username: Tenant::USERNAME.into(),
            password: SecretReference::Environment("PASSWORD".into()),
            entity_id: None,
            entity_name: None,
        },
        max_calls: ZuoraCalls::InTenMinutes(1_000),
    }
}

fn sandbox(usage: u32) -> Sandbox {
    let start: Timestamp = "2026-11-21T10:00:00Z".parse().expect("a moment");
    let sandbox = Sandbox::new(World::builder().start(start).build().expect("a world"), Settings::starting_at(start));
    sandbox.zuora().generate("Usage", usage, 7).expect("an object");
    sandbox
}

fn connected(sandbox: &Sandbox, memory: &Arc<Memory>) -> ZuoraProvider {
    let clock = Arc::new(SandboxTime(sandbox.clone()));
    let paced = Paced::new(Arc::new(RouterTransport::new(sandbox.clone())), call_budget(&target()), clock, memory.clone());
    ZuoraProvider::new(&target(), Arc::new(paced), Arc::new(Password))
}

fn usage(condition: Option<&str>) -> Query {
    let condition = condition.map(|text| Language::Zoql.parse(text).expect("a condition").text);
    Query { object: "Usage".into(), key: "Id".into(), fields: vec!["UOM".into(), "UpdatedDate".into()], condition }
}

fn order() -> BatchSpecification {
    let policy = PolicyName::new("stale-usage").expect("a name");
    BatchSpecification {
        policy,
        object: "Usage".into(),
        delete: DeleteMode::Hard,
        api: Api::ZuoraSoap,
        atomic: false,
        serial: false,
        matching: None,
    }
}

async fn select(provider: &ZuoraProvider, query: &Query) -> Vec<RecordId> {
    let mut rows = Rows::default();
    let proof = provider.select(query, 0, &mut rows).await.expect("complete");
    assert_eq!(proof, Completeness { rows: rows.0.len() as u64, declared: rows.0.len() as u64 });
    let distinct: BTreeSet<RecordId> = rows.0.iter().map(|row| row.id).collect();
    assert_eq!(distinct.len(), rows.0.len());
    distinct.into_iter().collect()
}

fn deleted(answers: &[Answer]) -> usize {
    answers.iter().filter(|answer| answer.verdict == AnswerVerdict::Deleted).count()
}

#[tokio::test(start_paused = true)]
async fn a_hundred_thousand_records_go_in_the_time_foretold_and_no_call_is_over_the_limit() {
    let sandbox = sandbox(USAGE);
    let memory = Arc::new(Memory::default());
    let budget: CallBudget = call_budget(&target());
    let ids = select(&connected(&sandbox, &memory), &usage(None)).await;
    assert_eq!(ids.len() as u32, USAGE);
    // Apply is a process of its own, long after the plan was reviewed.
    tokio::time::advance(Duration::from_secs(86_400)).await;
    let started = tokio::time::Instant::now();
    let batches: Vec<&[RecordId]> = ids.chunks(50).collect();
    let (first, second) = batches.split_at(batches.len() / 2);
    let order = order();
    // The run is interrupted half way, and continued by a process that knows nothing but what was kept.
    for half in [first, second] {
        let provider = connected(&sandbox, &memory);
        let requests = provider.requests(&order);
        let sends = futures::stream::iter(half).map(|batch| requests.send(batch)).buffer_unordered(4);
        let gone: Vec<usize> = sends.map(|answers| deleted(&answers.expect("answered"))).collect().await;
        assert_eq!(gone.iter().sum::<usize>(), half.iter().map(|batch| batch.len()).sum::<usize>());
    }
    let tenant = sandbox.zuora();
    assert_eq!((tenant.count("Usage"), tenant.calls_refused()), (0, 0));
    let (took, foretold) = (started.elapsed().as_secs_f64(), budget.least_time(batches.len() as u64).as_secs_f64());
    assert!((took / foretold - 1.0).abs() < 0.05, "{took} seconds, {foretold} foretold");
}

#[tokio::test(start_paused = true)]
async fn selects_looks_and_deletes_what_was_asked_for_and_nothing_else() {
    let sandbox = sandbox(4_500);
    let provider = connected(&sandbox, &Arc::default());
    let identity = provider.identify().await.expect("signed in");
    assert_eq!((identity.organization_id.as_str(), identity.user_name.as_str()), (Tenant::ID, Tenant::USERNAME));
    let small = usage(Some("Quantity < 100 and UOM = 'GB' or SourceName != null"));
    let ids = select(&provider, &small).await;
    assert!(!ids.is_empty() && ids.len() < 4_500);
    assert_eq!(provider.count(&small).await, Ok(Count::Exact(ids.len() as u64)));

    let (stubborn, gone, rest) = (ids[0], ids[1], &ids[2..50]);
    sandbox.zuora().refuse(stubborn.as_str(), "CANNOT_DELETE", "It is on an invoice", None);
    sandbox.zuora().remove(gone.as_str());
    let answers = provider.requests(&order()).send(&ids[..50]).await.expect("answered");
    assert!(matches!(&answers[0].verdict, AnswerVerdict::Failed(failure) if failure.code == "CANNOT_DELETE"));
    assert!(matches!(&answers[1].verdict, AnswerVerdict::SaidGone(_)), "{:?}", answers[1]);
    assert_eq!(deleted(&answers), rest.len());
    let presence = provider.check_presence("Usage", &ids[..51]).await.expect("looked");
    let expected = |place| if place == 0 || place == 50 { Presence::Present } else { Presence::Absent };
    assert_eq!(presence, (0..51).map(expected).collect::<Vec<_>>());
    assert_eq!(sandbox.zuora().count("Usage"), 4_500 - 49);
}

#[tokio::test(start_paused = true)]
async fn an_ended_session_is_renewed_and_trouble_is_told_apart() {
    let sandbox = sandbox(100);
    let provider = connected(&sandbox, &Arc::default());
    let ids = select(&provider, &usage(None)).await;
    tokio::time::advance(Duration::from_secs(3_600)).await;
    let ended = provider.requests(&order()).send(&ids[..10]).await.expect_err("its session had ended");
    assert_eq!((ended.class, sandbox.zuora().count("Usage")), (ErrorClass::Transient, 100));
    assert_eq!(deleted(&provider.requests(&order()).send(&ids[..10]).await.expect("renewed")), 10);

    let troubles = [
        (Effect::TooManyRequests { retry_after: Some(120) }, ErrorClass::Throttled { wait: Some(Duration::from_secs(120)) }),
        (Effect::ConcurrentLimit, ErrorClass::Throttled { wait: Some(Duration::from_secs(120)) }),
        (Effect::DropAfter, ErrorClass::Ambiguous),
        (Effect::Unavailable { retry_after: None }, ErrorClass::Ambiguous),
    ];
    for (place, (effect, class)) in troubles.into_iter().enumerate() {
        sandbox.clear_faults();
        sandbox.add_fault(Fault::on_operation("delete", effect));
        let batch = &ids[10 + place * 10..][..10];
        assert_eq!(provider.requests(&order()).send(batch).await.expect_err("refused").class, class, "{place}");
    }
    sandbox.clear_faults();
    // What was answered by nothing was carried out, and only that.
    assert_eq!(sandbox.zuora().count("Usage"), 80);
}
