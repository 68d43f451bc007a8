//! The Fulcrum provider against the sandbox, over a socket: every call of the contract once.

#[path = "support/provider.rs"]
mod support;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use sexton::apply::{BatchSpecification, JobStage, Presence, Ticket};
use sexton::base::{PolicyName, RecordId};
use sexton::manifest::{FulcrumTarget, SecretReference};
use sexton::plan::Query;
use sexton::provider::fulcrum::FulcrumProvider;
use sexton::provider::transport::{HttpTransport, Timeouts};
use sexton::provider::{ErrorClass, ReadHalf};
use sexton::sandbox::fulcrum::Organization;
use sexton::sandbox::{Effect, Fault, Sandbox, Settings, World, serve};
use sexton::system::FieldType;
use sexton::system::{Api, DeleteMode};
use support::{Answers, Halves, Ids, Rows, Secrets};
use tokio::net::TcpListener;
use url::Url;

const FORM: &str = "Testing App";
/// More than one page of a query.
const RECORDS: u32 = 20_500;

/// A sandbox on a socket with records in the form, and a provider with this token.
async fn connected(records: u32, token: &str) -> (Sandbox, FulcrumProvider) {
    let start: Timestamp = "2026-11-21T10:00:00Z".parse().expect("a moment");
    let world = World::builder().start(start).build().expect("a world");
    let sandbox = Sandbox::new(world, Settings::starting_at(start));
    sandbox.fulcrum().generate(FORM, records, 7).expect("a form");
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback");
    let address = format!("http://{}", listener.local_addr().expect("bound"));
    tokio::spawn(serve(listener, sandbox.clone(), std::future::pending()));
    let target = FulcrumTarget {
        url: Url::parse(&address).expect("an address"),
        organization_id: None,
        api_token: SecretReference::Environment(token.to_owned()),
        max_calls: 5_000,
    };
    let transport = Arc::new(HttpTransport::new(Timeouts::default()).expect("TLS"));
    (sandbox, FulcrumProvider::new(&target, transport, Arc::new(Secrets)))
}

/// What the sandbox holds in the form, in order.
fn truth(sandbox: &Sandbox) -> Vec<RecordId> {
    let organization = sandbox.fulcrum();
    let ids = organization.form(FORM).expect("a form").records().keys();
    ids.map(|id| RecordId::new(id).expect("an id")).collect()
}

fn order(form: &str, matching: Option<&str>) -> BatchSpecification {
    BatchSpecification {
        policy: PolicyName::new("old-tests").expect("a name"),
        object: form.to_owned(),
        delete: DeleteMode::Hard,
        api: Api::FulcrumBatch,
        atomic: false,
        serial: true,
        matching: matching.map(str::to_owned),
    }
}

/// Takes a batch from its making to its end, and tells how it ended.
async fn run(
    sandbox: &Sandbox,
    provider: &FulcrumProvider,
    order: &BatchSpecification,
    ids: &[RecordId],
) -> (Ticket, JobStage) {
    let source = Arc::new(Ids(ids.to_vec()));
    let ticket = provider.jobs(order).create(source.as_ref()).await.expect("made");
    assert_eq!(sandbox.fulcrum().batches().last().expect("a batch").id, ticket.0);
    provider.jobs(order).load(&ticket, source.clone()).await.expect("compared");
    assert_eq!(provider.jobs(order).poll(&ticket).await.expect("polled").stage, JobStage::Open);
    provider.jobs(order).start(&ticket).await.expect("started");
    sandbox.clock().advance(Duration::from_secs(60));
    let stage = provider.jobs(order).poll(&ticket).await.expect("polled").stage;
    let mut answers = Answers::default();
    provider.jobs(order).collect(&ticket, source.as_ref(), &mut answers).await.expect("nothing to collect");
    assert!(answers.0.is_empty(), "no record is answered for");
    (ticket, stage)
}

#[tokio::test]
async fn reads_exactly_what_is_there() {
    let (sandbox, provider) = connected(RECORDS, Organization::TOKEN).await;
    let identity = provider.identify().await.expect("identified");
    assert_eq!(identity.organization_id, sandbox.fulcrum().id);
    provider.check_permission(FORM, DeleteMode::Hard).await.expect("a Manager may delete");

    let facts = provider.describe(FORM).await.expect("a form");
    assert_eq!(Some(&facts.name), sandbox.fulcrum().form(FORM).map(|form| &form.id));
    let kind = |name: &str| facts.fields.iter().find(|field| field.name == name).map(|field| field.kind);
    assert_eq!(kind("_server_updated_at"), Some(FieldType::DateTime));
    assert_eq!((kind("amount"), kind("title")), (Some(FieldType::Number), Some(FieldType::Text)));

    let query = |condition: Option<&str>| Query {
        object: facts.name.clone(),
        key: "_record_id".into(),
        fields: vec!["_server_updated_at".into(), "title".into()],
        condition: condition.map(str::to_owned),
    };
    let mut rows = Rows::default();
    let complete = provider.select(&query(None), 0, &mut rows).await.expect("complete");
    assert_eq!((complete.rows, complete.declared), (u64::from(RECORDS), u64::from(RECORDS)));
    let mut ids: Vec<RecordId> = rows.0.iter().map(|row| row.id).collect();
    ids.sort_unstable();
    let mut expected = truth(&sandbox);
    expected.sort_unstable();
    assert_eq!(ids, expected);

    let condition = "_status = 'delete_this' AND amount IS DISTINCT FROM 5 AND title ILIKE 'o%'";
    let mut rows = Rows::default();
    let counted = provider.count(&query(Some(condition))).await.expect("counted").exact().expect("a number");
    provider.select(&query(Some(condition)), counted, &mut rows).await.expect("complete");
    assert!(counted > 0 && rows.0.len() as u64 == counted && counted < u64::from(RECORDS) / 2, "{counted}");
}

#[tokio::test]
async fn a_page_cut_short_is_no_selection() {
    let (sandbox, provider) = connected(50, Organization::TOKEN).await;
    provider.identify().await.expect("identified");
    sandbox.add_fault(Fault::on("POST", "*/query", Effect::ShortPage { rows: 1 }).nth(2));
    let query = Query { object: FORM.into(), key: "_record_id".into(), fields: Vec::new(), condition: None };
    let error = provider.select(&query, 50, &mut Rows::default()).await.expect_err("one is missing");
    assert_eq!(error.class, ErrorClass::Incomplete, "{error}");
}

#[tokio::test]
async fn a_batch_deletes_the_records_that_were_sent_and_no_other() {
    let (sandbox, provider) = connected(300, Organization::TOKEN).await;
    let form = provider.describe(FORM).await.expect("a form").name;
    let all = truth(&sandbox);
    let (doomed, kept) = all.split_at(200);

    let (ticket, stage) = run(&sandbox, &provider, &order(&form, None), &doomed[..100]).await;
    assert_eq!(stage, JobStage::Complete);
    provider.jobs(&order(&form, None)).abort(&ticket).await.expect("it has ended");
    let (_, stage) = run(&sandbox, &provider, &order(&form, Some("_version > 0")), &doomed[100..]).await;
    assert_eq!(stage, JobStage::Complete);
    assert_eq!(truth(&sandbox), kept);

    let looked: Vec<RecordId> = doomed[190..].iter().chain(&kept[..10]).copied().collect();
    let presence = provider.check_presence(&form, &looked).await.expect("looked");
    assert_eq!(presence, [[Presence::Absent; 10], [Presence::Present; 10]].concat());
}

#[tokio::test]
async fn a_batch_about_more_records_than_were_sent_is_never_started() {
    let (sandbox, provider) = connected(20, Organization::TOKEN).await;
    let form = provider.describe(FORM).await.expect("a form").name;
    sandbox.add_fault(Fault::on("POST", "*/batch.json", Effect::WrongTotal { by: 1 }));
    let error = provider.jobs(&order(&form, None)).create(&Ids(truth(&sandbox))).await.expect_err("refused");
    assert_eq!((error.class, error.code.as_str()), (ErrorClass::Invalid, "total-mismatch"), "{error}");
    sandbox.clock().advance(Duration::from_secs(60));
    let organization = sandbox.fulcrum();
    assert_eq!((organization.count(FORM), organization.batches().len()), (20, 1));
}

#[tokio::test]
async fn a_reader_is_told_so_before_anything_is_deleted() {
    let (sandbox, provider) = connected(5, Organization::READ_ONLY_TOKEN).await;
    let error = provider.check_permission(FORM, DeleteMode::Hard).await.expect_err("a Standard User may not");
    assert_eq!(error.class, ErrorClass::Denied, "{error}");
    let form = provider.describe(FORM).await.expect("a form");
    assert!(!form.deletable);
    let paths: BTreeSet<String> = sandbox.requests().into_iter().map(|request| request.path).collect();
    assert!(paths.iter().all(|path| !path.contains("batch")), "{paths:?}");
}
