//! The Fulcrum provider against the sandbox, over a socket: every call of the contract once, and what must not be believed.

#[path = "support/provider.rs"]
mod support;

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use sexton::apply::{BatchSpecification, IdSource, JobStage, Presence, Ticket};
use sexton::base::{PolicyName, RecordId};
use sexton::filter::Language;
use sexton::manifest::{FulcrumTarget, SecretReference};
use sexton::plan::Query;
use sexton::provider::fulcrum::FulcrumProvider;
use sexton::provider::transport::{HttpTransport, Timeouts};
use sexton::provider::{ErrorClass, ReadHalf};
use sexton::sandbox::fulcrum::{BatchStatus, ForeignIds};
use sexton::sandbox::{Effect, Fault, RequestMatch, Sandbox, Settings, World, serve};
use sexton::system::{Api, DeleteMode};
use support::{Answers, Halves, Ids, Rows, Secrets};
use tokio::net::TcpListener;
use url::Url;

const FORM: &str = "Park Inventory";

/// A sandbox with so many records in the form, and a provider that holds this token and has not asked anything yet.
async fn connected(records: u32, token: &str) -> (Sandbox, FulcrumProvider) {
    let start: Timestamp = "2026-11-21T10:00:00Z".parse().expect("a moment");
    let sandbox = Sandbox::new(World::builder().start(start).build().expect("a world"), Settings::starting_at(start));
    sandbox.fulcrum().generate(FORM, records, 7).expect("records");
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback");
    let address = format!("http://{}", listener.local_addr().expect("bound"));
    tokio::spawn(serve(listener, sandbox.clone(), std::future::pending()));
    let target = FulcrumTarget {
        url: Url::parse(&address).expect("an address"),
        organization_id: Some(sandbox.fulcrum().id.clone()),
        api_token: SecretReference::Environment(token.to_owned()),
        max_calls: 5_000,
    };
    let transport = Arc::new(HttpTransport::new(Timeouts::default()).expect("TLS"));
    (sandbox, FulcrumProvider::new(&target, transport, Arc::new(Secrets)))
}

/// The selection of a condition in PostgreSQL.
async fn query(provider: &FulcrumProvider, condition: Option<&str>) -> Query {
    let facts = provider.describe(FORM).await.expect("described");
    let condition = condition.map(|text| Language::Sql.parse(text).expect("a condition").text);
    Query { object: facts.name, key: "_record_id".into(), fields: vec!["_status".into(), "materials".into()], condition }
}

async fn selected(provider: &FulcrumProvider, query: &Query) -> Vec<RecordId> {
    let mut rows = Rows::default();
    provider.select(query, 0, &mut rows).await.expect("complete");
    rows.0.iter().map(|row| row.id).collect()
}

fn order(query: &Query) -> BatchSpecification {
    let policy = PolicyName::new("parks").expect("a name");
    let object = query.object.clone();
    BatchSpecification {
        policy,
        object,
        delete: DeleteMode::Hard,
        api: Api::FulcrumBatch,
        atomic: false,
        serial: false,
        matching: None,
    }
}

async fn ended(sandbox: &Sandbox, provider: &FulcrumProvider, order: &BatchSpecification, ticket: &Ticket) -> JobStage {
    loop {
        sandbox.clock().advance(Duration::from_secs(1));
        let progress = provider.jobs(order).poll(ticket).await.expect("known");
        if !matches!(progress.stage, JobStage::Running | JobStage::Open) {
            break progress.stage;
        }
    }
}

#[tokio::test]
async fn selects_what_conditions_mean_and_changes_nothing() {
    let (sandbox, provider) = connected(300, "sandbox-token").await;
    let identity = provider.identify().await.expect("known");
    assert_eq!(identity.organization_name.as_deref(), Some("Example Parks"));
    provider.check_permission(FORM, DeleteMode::Hard).await.expect("a Manager may");

    let everything = query(&provider, None).await;
    assert_eq!(selected(&provider, &everything).await.len(), 300);
    let mut sums = Vec::new();
    for (condition, opposite) in [
        ("_status = 'Removed'", "_status IS DISTINCT FROM 'Removed'"),
        ("park ILIKE '%a%'", "(park ILIKE '%a%') IS NOT TRUE"),
        (
            "height > 2.5 AND inspections BETWEEN 1 AND 3",
            "NOT (height > 2.5 AND inspections BETWEEN 1 AND 3) OR height IS NULL OR inspections IS NULL",
        ),
        ("_server_updated_at < '2026-01-01T00:00:00Z'", "_server_updated_at >= '2026-01-01'::timestamptz"),
        (
            "'wood' = ANY(materials) OR materials && ARRAY['steel']",
            "(materials @> ARRAY['wood'] OR materials @> ARRAY['steel']) IS NOT TRUE",
        ),
        (
            "last_inspection IN ('2025-01-01', '2025-01-02') OR last_inspection IS NULL",
            "last_inspection NOT IN ('2025-01-01', '2025-01-02')",
        ),
        ("park = E'back\\\\slash ''quoted'''", "lower(coalesce(park, '')) <> 'x' OR park IS NOT NULL"),
    ] {
        let (one, other) = (query(&provider, Some(condition)).await, query(&provider, Some(opposite)).await);
        let count = async |query| provider.count(query).await.expect(condition).exact().expect(condition);
        let counts = (count(&one).await, count(&other).await);
        assert_eq!(selected(&provider, &one).await.len() as u64, counts.0, "{condition}");
        sums.push(counts.0 + counts.1);
    }
    assert_eq!(sums, [300; 7]);
    assert!(sandbox.requests().iter().all(|request| request.method == "GET" || request.path.ends_with("/query")));
}

#[tokio::test]
async fn a_form_that_was_given_another_name_is_still_the_same() {
    let (sandbox, provider) = connected(10, "sandbox-token").await;
    let query = query(&provider, None).await;
    sandbox.fulcrum().rename(FORM, "Old parks").expect("renamed");
    sandbox.fulcrum().rename("Site Visits", FORM).expect("renamed");
    assert_eq!(selected(&provider, &query).await.len(), 10);
}

#[tokio::test]
async fn deletes_what_was_sent_and_nothing_else() {
    let (sandbox, provider) = connected(300, "sandbox-token").await;
    let query = query(&provider, None).await;
    let all = selected(&provider, &query).await;
    let (order, ids) = (order(&query), Arc::new(Ids(all[..200].to_vec())));
    let ticket = provider.jobs(&order).create(&*ids).await.expect("made");
    provider.jobs(&order).load(&ticket, Arc::clone(&ids) as Arc<dyn IdSource>).await.expect("compared");
    sandbox.clock().advance(Duration::from_secs(3600));
    assert_eq!(provider.jobs(&order).poll(&ticket).await.expect("known").stage, JobStage::Open);
    assert_eq!(sandbox.fulcrum().count(FORM), 300, "nothing goes before the start");

    provider.jobs(&order).start(&ticket).await.expect("started");
    let stop = provider.jobs(&order).abort(&ticket).await.expect_err("it cannot be stopped");
    assert_eq!((stop.class, stop.code.as_str()), (ErrorClass::Unsupported, "cannot-be-stopped"));
    let twice = provider.jobs(&order).start(&ticket).await.expect_err("started twice");
    assert_eq!(twice.class, ErrorClass::Invalid, "{twice}");
    assert_eq!(ended(&sandbox, &provider, &order, &ticket).await, JobStage::Complete);
    let mut answers = Answers::default();
    provider.jobs(&order).collect(&ticket, &*ids, &mut answers).await.expect("nothing to collect");
    assert!(answers.0.is_empty(), "no record is answered for");
    let presence = provider.check_presence(&query.object, &[all[0], all[199], all[200], all[299]]).await.expect("looked");
    assert_eq!(presence, [Presence::Absent, Presence::Absent, Presence::Present, Presence::Present]);
    assert_eq!(selected(&provider, &query).await, all[200..]);
    provider.jobs(&order).abort(&ticket).await.expect("nothing to stop");
}

#[tokio::test]
async fn a_batch_that_is_a_query_deletes_what_was_sent() {
    let (sandbox, provider) = connected(50, "sandbox-token").await;
    let query = query(&provider, Some("_status <> 'Removed'")).await;
    let all = selected(&provider, &query).await;
    let order = BatchSpecification { matching: query.condition.clone(), ..order(&query) };
    let ticket = provider.jobs(&order).create(&Ids(all.clone())).await.expect("made");
    provider.jobs(&order).start(&ticket).await.expect("started");
    assert_eq!(ended(&sandbox, &provider, &order, &ticket).await, JobStage::Complete);
    assert!(all.iter().all(|id| !sandbox.fulcrum().exists(id.as_str())));
    assert_eq!(sandbox.fulcrum().count(FORM), 50 - all.len() as u64);
}

#[tokio::test]
async fn a_batch_that_fails_half_way_says_so_and_the_look_tells_the_rest() {
    let (sandbox, provider) = connected(100, "sandbox-token").await;
    sandbox.add_fault(Fault {
        on: RequestMatch { method: Some("POST".into()), path: Some("*/batch.json".into()), ..RequestMatch::default() },
        then: Effect::FailJob { after: 30 },
    });
    let query = query(&provider, None).await;
    let all = selected(&provider, &query).await;
    let (order, ids) = (order(&query), Ids(all.clone()));
    let ticket = provider.jobs(&order).create(&ids).await.expect("made");
    provider.jobs(&order).start(&ticket).await.expect("started");
    assert_eq!(ended(&sandbox, &provider, &order, &ticket).await, JobStage::Broken);
    let message = provider.jobs(&order).poll(&ticket).await.expect("known").message;
    assert_eq!(message.as_deref(), Some("it ended as `failed` with 30 of 100 records"));
    let presence = provider.check_presence(&query.object, &all).await.expect("looked");
    assert_eq!(presence.iter().filter(|presence| **presence == Presence::Absent).count(), 30);
}

#[tokio::test]
async fn a_batch_about_another_number_of_records_is_left_unstarted() {
    let (sandbox, provider) = connected(10, "sandbox-token").await;
    let query = query(&provider, None).await;
    let all = selected(&provider, &query).await;
    sandbox.add_fault(Fault {
        on: RequestMatch { path: Some("*/batch.json".into()), times: Some(1), ..RequestMatch::default() },
        then: Effect::WrongTotal { by: 1 },
    });
    let more = provider.jobs(&order(&query)).create(&Ids(all.clone())).await.expect_err("one too many");
    assert_eq!(more.message.split(" is about ").nth(1), Some("11 records, but 10 were sent; it was never started"));
    sandbox.fulcrum().settings.foreign_ids = ForeignIds::Refused;
    sandbox.fulcrum().remove(FORM, all[0].as_str());
    let refused = provider.jobs(&order(&query)).create(&Ids(all)).await.expect_err("one is gone");
    assert_eq!(refused.class, ErrorClass::Invalid);
    sandbox.clock().advance(Duration::from_secs(3600));
    assert!(sandbox.fulcrum().batches().iter().all(|batch| batch.status == BatchStatus::Pending));
    assert_eq!(sandbox.fulcrum().count(FORM), 9);
}

/// Somebody deletes one record of a batch, or the system has not counted yet: neither is a reason to leave all others.
#[tokio::test]
async fn a_batch_that_misses_a_record_or_counts_late_deletes_the_others() {
    for (foreign_ids, batch_counting) in
        [(ForeignIds::Dropped, Duration::ZERO), (ForeignIds::Counted, Duration::from_secs(3_600))]
    {
        let (sandbox, provider) = connected(10, "sandbox-token").await;
        let query = query(&provider, None).await;
        let all = selected(&provider, &query).await;
        sandbox.fulcrum().settings.foreign_ids = foreign_ids;
        sandbox.fulcrum().settings.batch_counting = batch_counting;
        sandbox.fulcrum().remove(FORM, all[0].as_str());
        let order = order(&query);
        let jobs = provider.jobs(&order);
        let ticket = jobs.create(&Ids(all.clone())).await.expect("made");
        jobs.load(&ticket, std::sync::Arc::new(Ids(all))).await.expect("as it was sent");
        jobs.start(&ticket).await.expect("started");
        sandbox.clock().advance(Duration::from_secs(60));
        assert_eq!(jobs.poll(&ticket).await.expect("polled").stage, sexton::apply::JobStage::Complete);
        assert_eq!(sandbox.fulcrum().count(FORM), 0);
    }
}

#[tokio::test]
async fn a_page_cut_short_is_no_selection_and_no_deletion() {
    let (sandbox, provider) = connected(10, "sandbox-token").await;
    let query = query(&provider, None).await;
    let all = selected(&provider, &query).await;
    let short = Fault {
        on: RequestMatch { path: Some("*/query".into()), every: Some(2), ..RequestMatch::default() },
        then: Effect::ShortPage { rows: 3 },
    };
    sandbox.add_fault(short);
    let error = provider.select(&query, 10, &mut Rows::default()).await.expect_err("short");
    assert_eq!(
        (error.class, error.message.as_str()),
        (ErrorClass::Incomplete, "7 rows arrived, but the system declared 10")
    );
    let error = provider.check_presence(&query.object, &all).await.expect_err("short");
    assert_eq!(error.class, ErrorClass::Incomplete);
}

#[tokio::test]
async fn a_token_that_may_not_delete_or_is_for_elsewhere_is_told_apart() {
    let (_sandbox, reader) = connected(1, "sandbox-read-only-token").await;
    let error = reader.check_permission(FORM, DeleteMode::Hard).await.expect_err("a reader");
    assert_eq!((error.class, error.code.as_str()), (ErrorClass::Denied, "forbidden"));
    let (_sandbox, stranger) = connected(1, "no-such-token").await;
    let error = stranger.identify().await.expect_err("a stranger");
    assert_eq!((error.class, error.status), (ErrorClass::Unauthenticated, Some(401)));
}
