//! The Salesforce provider against the sandbox, over a socket: every call of the contract once.

#[path = "support/provider.rs"]
mod support;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use sexton::apply::{AnswerVerdict, BatchSpecification, IdSource, JobStage, Presence, Ticket};
use sexton::base::{Clock, PolicyName, RecordId};
use sexton::manifest::{SalesforceSignIn, SalesforceTarget, SecretReference};
use sexton::plan::{Count, Query};
use sexton::provider::salesforce::{CommandOutput, CommandRunner, SalesforceProvider};
use sexton::provider::transport::{HttpTransport, Timeouts};
use sexton::provider::{ErrorClass, ReadHalf};
use sexton::sandbox::{Permissions, Sandbox, Settings, World, WorldBuilder, serve};
use sexton::system::{Api, DeleteMode};
use support::{Answers, Halves, Ids, Rows, Secrets};
use tokio::net::TcpListener;
use url::Url;

const LEADS: u32 = 6_000;

struct StillClock;

impl Clock for StillClock {
    fn now(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH
    }
}

struct NoCommands;

#[async_trait]
impl CommandRunner for NoCommands {
    async fn run(&self, _: &str, _: &[&str]) -> std::io::Result<CommandOutput> {
        Err(std::io::ErrorKind::NotFound.into())
    }
}

fn secret(name: &str) -> SecretReference {
    SecretReference::Environment(name.to_owned())
}

/// A sandbox with leads on a socket, and a provider that has not signed in yet.
async fn connected(leads: u32) -> (Sandbox, SalesforceProvider) {
    let sign_in =
        SalesforceSignIn::ClientCredentials { client_id: secret("sandbox-client"), client_secret: secret("sandbox-secret") };
    connected_by(sign_in, leads, |_| ()).await
}

/// The same, for another way to sign in and other settings.
async fn connected_by(
    sign_in: SalesforceSignIn,
    leads: u32,
    change: impl FnOnce(&mut Settings),
) -> (Sandbox, SalesforceProvider) {
    let start: Timestamp = "2026-11-21T10:00:00Z".parse().expect("a moment");
    let mut world = World::builder().start(start).build().expect("a world");
    world.generate("Lead", leads, 7).expect("leads");
    let mut settings = Settings::starting_at(start);
    change(&mut settings);
    let sandbox = Sandbox::new(world, settings);
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback");
    let address = format!("http://{}", listener.local_addr().expect("bound"));
    tokio::spawn(serve(listener, sandbox.clone(), std::future::pending()));
    let login_url = Some(Url::parse(&address).expect("an address"));
    let target = SalesforceTarget { login_url, api_version: "66.0".into(), organization_id: None, sign_in };
    let transport = Arc::new(HttpTransport::new(Timeouts::default()).expect("TLS"));
    let provider =
        SalesforceProvider::new(&target, transport, Arc::new(Secrets), Arc::new(StillClock), Arc::new(NoCommands));
    (sandbox, provider)
}

fn soap_login(password: &str) -> SalesforceSignIn {
    SalesforceSignIn::SoapLogin {
        username: "admin@sandbox.example".into(),
        password: secret(password),
        security_token: Some(secret("sandboxToken")),
    }
}

/// The ids of all leads.
async fn ids_of_leads(provider: &SalesforceProvider, count: u32) -> Vec<RecordId> {
    let mut rows = Rows::default();
    provider.select(&all_leads(&[]), u64::from(count), &mut rows).await.expect("complete");
    rows.0.iter().map(|row| row.id).collect()
}

fn all_leads(fields: &[&str]) -> Query {
    Query {
        object: "Lead".into(),
        key: "Id".into(),
        fields: fields.iter().map(|field| (*field).to_owned()).collect(),
        condition: None,
    }
}

fn order(api: Api, delete: DeleteMode) -> BatchSpecification {
    let policy = PolicyName::new("stale-leads").expect("a name");
    BatchSpecification { policy, object: "Lead".into(), delete, api, atomic: false, serial: false, matching: None }
}

#[tokio::test]
async fn both_ways_of_reading_agree_to_the_letter() {
    let (sandbox, provider) = connected(LEADS).await;
    let identity = provider.identify().await.expect("signed in");
    assert_eq!((identity.user_name.as_str(), identity.is_production), ("admin@sandbox.example", Some(false)));

    let query = all_leads(&["Name", "SystemModstamp", "IsConverted", "Company", "Owner.Name"]);
    assert_eq!(provider.count(&query).await.expect("counted"), Count::Exact(u64::from(LEADS)));
    let (mut by_rest, mut in_bulk) = (Rows::default(), Rows::default());
    let rest = provider.select(&query, 0, &mut by_rest).await.expect("complete");
    let bulk = provider.select(&query, u64::from(LEADS), &mut in_bulk).await.expect("complete");
    assert_eq!((rest, rest.declared), (bulk, u64::from(LEADS)));
    for rows in [&mut by_rest, &mut in_bulk] {
        rows.0.sort_by_key(|row| row.id);
    }
    for (rest, bulk) in by_rest.0.iter().zip(&in_bulk.0) {
        assert_eq!(rest, bulk);
    }
    let methods = sandbox.request_counts();
    assert!(!methods.contains_key("PATCH") && !methods.contains_key("PUT"), "{methods:?}");
}

#[tokio::test]
async fn deletes_through_collections_and_shows_where_the_records_are() {
    let (sandbox, provider) = connected(300).await;
    let ids = ids_of_leads(&provider, 300).await;
    let batch = &ids[..200];
    let answers = provider.requests(&order(Api::Collections, DeleteMode::Soft)).send(batch).await.expect("answered");
    assert!(answers.iter().all(|answer| answer.verdict == AnswerVerdict::Deleted), "{answers:?}");
    let again = provider.requests(&order(Api::Collections, DeleteMode::Soft)).send(&ids[199..201]).await.expect("answered");
    assert!(matches!(again[0].verdict, AnswerVerdict::SaidGone(_)), "{again:?}");
    assert_eq!(again[1].verdict, AnswerVerdict::Deleted);
    let strange = RecordId::new("00Q999999999999EAA").expect("an id");
    let presence = provider.check_presence("Lead", &[ids[0], ids[299], strange]).await.expect("looked");
    assert_eq!(presence, [Presence::InBin, Presence::Present, Presence::Absent]);
    assert_eq!(sandbox.world().count("Lead"), 99);
}

#[tokio::test]
async fn deletes_through_a_bulk_job() {
    let (sandbox, provider) = connected(LEADS).await;
    let ids = ids_of_leads(&provider, LEADS).await;
    provider.requests(&order(Api::Collections, DeleteMode::Soft)).send(&ids[..1]).await.expect("answered");

    let order = order(Api::Bulk2, DeleteMode::Soft);
    let ids = Arc::new(Ids(ids));
    let ticket = provider.jobs(&order).create(&*ids).await.expect("made");
    assert_eq!(provider.jobs(&order).poll(&ticket).await.expect("known").stage, JobStage::Open);
    provider.jobs(&order).load(&ticket, Arc::clone(&ids) as Arc<dyn IdSource>).await.expect("loaded");
    let twice =
        provider.jobs(&order).load(&ticket, Arc::clone(&ids) as Arc<dyn IdSource>).await.expect_err("one upload only");
    assert_eq!(twice.class, ErrorClass::Invalid, "{twice}");
    provider.jobs(&order).start(&ticket).await.expect("started");
    let progress = loop {
        sandbox.clock().advance(Duration::from_secs(1));
        let progress = provider.jobs(&order).poll(&ticket).await.expect("known");
        if progress.stage != JobStage::Running {
            break progress;
        }
    };
    assert_eq!((progress.stage, progress.processed, progress.failed), (JobStage::Complete, Some(u64::from(LEADS)), Some(1)));
    let mut answers = Answers::default();
    provider.jobs(&order).collect(&ticket, &*ids, &mut answers).await.expect("whole");
    let deleted = answers.0.iter().filter(|answer| answer.verdict == AnswerVerdict::Deleted).count();
    let gone = answers.0.iter().filter(|answer| matches!(answer.verdict, AnswerVerdict::SaidGone(_))).count();
    assert_eq!((deleted, gone, answers.0.len()), (LEADS as usize - 1, 1, LEADS as usize));
    assert_eq!(sandbox.world().count("Lead"), 0);
    provider.jobs(&order).abort(&ticket).await.expect("nothing to give up");
}

#[tokio::test]
async fn a_hard_delete_without_the_permission_is_refused_before_and_when_the_job_is_made() {
    let (_sandbox, provider) = connected(1).await;
    provider.check_permission("Lead", DeleteMode::Soft).await.expect("allowed");
    let before = provider.check_permission("Lead", DeleteMode::Hard).await.expect_err("denied");
    let ids = Ids(vec![RecordId::new("00Q000000000001EAA").expect("an id")]);
    let then = provider.jobs(&order(Api::Bulk2, DeleteMode::Hard)).create(&ids).await.expect_err("denied");
    for error in [before, then] {
        assert_eq!((error.class, error.code.as_str()), (ErrorClass::Denied, "FEATURENOTENABLED"), "{error}");
        assert!(error.help.expect("a remedy").contains("Bulk API Hard Delete"));
    }
}

#[tokio::test]
async fn a_session_that_is_ended_goes_on() {
    let (sandbox, provider) = connected(3).await;
    assert_eq!(provider.count(&all_leads(&[])).await.expect("counted"), Count::Exact(3));
    sandbox.expire_sessions();
    assert_eq!(provider.count(&all_leads(&[])).await.expect("counted"), Count::Exact(3));
}

#[tokio::test]
async fn deletes_through_bulk_api_1_in_either_form() {
    for delete in [DeleteMode::Soft, DeleteMode::Hard] {
        let (sandbox, provider) = connected(3_000).await;
        let permissions = Permissions { hard_delete: true, ..Permissions::default() };
        sandbox.world().set_permissions(WorldBuilder::user_key(1), permissions);
        let ids = ids_of_leads(&provider, 3_000).await;
        provider.requests(&order(Api::Collections, DeleteMode::Soft)).send(&ids[1..2]).await.expect("answered");
        let absent = RecordId::new("00Q999999999999EAA").expect("an id");
        let ids = Arc::new(Ids([&ids[..], &[absent]].concat()));

        let order = BatchSpecification { serial: delete == DeleteMode::Soft, ..order(Api::Bulk1, delete) };
        let ticket = provider.jobs(&order).create(&*ids).await.expect("made");
        assert_eq!(provider.jobs(&order).poll(&ticket).await.expect("known").stage, JobStage::Open);
        // Bulk API 1.0 says it with a status and a code of its own.
        sandbox.expire_sessions();
        let load = || async { provider.jobs(&order).load(&ticket, Arc::clone(&ids) as Arc<dyn IdSource>).await };
        let ended = load().await.expect_err("its session had ended");
        assert_eq!((ended.class, ended.code.as_str()), (ErrorClass::Transient, "session-ended"));
        load().await.expect("loaded");
        assert_ne!(provider.jobs(&order).poll(&ticket).await.expect("known").stage, JobStage::Open, "it has begun already");
        provider.jobs(&order).start(&ticket).await.expect("closed");
        let progress = loop {
            sandbox.clock().advance(Duration::from_secs(1));
            let progress = provider.jobs(&order).poll(&ticket).await.expect("known");
            if progress.stage != JobStage::Running {
                break progress;
            }
        };
        assert_eq!((progress.stage, progress.processed), (JobStage::Complete, Some(3_001)));
        let mut answers = Answers::default();
        provider.jobs(&order).collect(&ticket, &*ids, &mut answers).await.expect("whole");
        assert!(answers.0.iter().map(|answer| answer.id).eq(ids.0.iter().copied()), "in order, one for each");
        let deleted = answers.0.iter().filter(|answer| answer.verdict == AnswerVerdict::Deleted).count();
        assert_eq!(sandbox.world().count("Lead"), 0);
        // A hard delete takes what is in the recycle bin along.
        assert_eq!(deleted, if delete == DeleteMode::Soft { 2_999 } else { 3_000 });
        assert!(matches!(answers.0[3_000].verdict, AnswerVerdict::SaidGone(_)), "{:?}", answers.0[3_000]);
        provider.jobs(&order).abort(&ticket).await.expect_err("it has begun, and its results tell");
    }
}

#[tokio::test]
async fn a_job_of_bulk_api_1_without_a_batch_is_given_up_for_good() {
    let (sandbox, provider) = connected(1).await;
    let ids = Arc::new(Ids(ids_of_leads(&provider, 1).await));
    let order = order(Api::Bulk1, DeleteMode::Soft);
    let ticket = provider.jobs(&order).create(&*ids).await.expect("made");
    provider.jobs(&order).abort(&ticket).await.expect("given up");
    assert_eq!(provider.jobs(&order).poll(&ticket).await.expect("known").stage, JobStage::Broken);
    let late = provider.jobs(&order).load(&ticket, Arc::clone(&ids) as Arc<dyn IdSource>).await.expect_err("too late");
    assert_eq!(late.class, ErrorClass::Invalid, "{late}");
    let mut answers = Answers::default();
    provider.jobs(&order).collect(&ticket, &*ids, &mut answers).await.expect("answers");
    let verdicts: Vec<&AnswerVerdict> = answers.0.iter().map(|answer| &answer.verdict).collect();
    assert_eq!((verdicts, sandbox.world().count("Lead")), (vec![&AnswerVerdict::NotProcessed], 1));
    let strange = Ticket("750ak000009BkrxAAC".into());
    assert_eq!(provider.jobs(&order).poll(&strange).await.expect("no error").stage, JobStage::Gone);
}

#[tokio::test]
async fn a_thousand_records_go_as_a_whole_or_not_at_all() {
    for hides_rollback in [false, true] {
        let sign_in = soap_login("sandbox-password");
        let change = |settings: &mut Settings| settings.composite_hides_rollback = hides_rollback;
        let (sandbox, provider) = connected_by(sign_in, 1_001, change).await;
        let ids = ids_of_leads(&provider, 1_001).await;
        provider.requests(&order(Api::Collections, DeleteMode::Soft)).send(&ids[..1]).await.expect("answered");
        let whole = BatchSpecification { atomic: true, ..order(Api::Composite, DeleteMode::Soft) };

        let answers = provider.requests(&whole).send(&ids[..1_000]).await.expect("answered");
        assert!(matches!(answers[0].verdict, AnswerVerdict::SaidGone(_)), "{:?}", answers[0]);
        let undone = answers.iter().filter(|answer| matches!(answer.verdict, AnswerVerdict::RolledBack(_))).count();
        assert_eq!((undone, sandbox.world().count("Lead")), (999, 1_000), "nothing was deleted, whatever was said");

        let answers = provider.requests(&whole).send(&ids[1..]).await.expect("answered");
        assert!(answers.iter().all(|answer| answer.verdict == AnswerVerdict::Deleted));
        assert_eq!(sandbox.world().count("Lead"), 0);
    }
}

#[tokio::test]
async fn signs_in_by_soap_where_it_still_exists() {
    let (sandbox, provider) = connected_by(soap_login("sandbox-password"), 3, |_| ()).await;
    assert_eq!(provider.identify().await.expect("signed in").user_name, "admin@sandbox.example");
    sandbox.expire_sessions();
    assert_eq!(provider.count(&all_leads(&[])).await.expect("signed in again"), Count::Exact(3));
    for (password, works, code) in [
        ("wrong", true, "INVALID_LOGIN"),
        ("sandbox-passwordX", true, "LOGIN_MUST_USE_SECURITY_TOKEN"),
        ("sandbox-password", false, "INVALID_OPERATION"),
    ] {
        let (_, provider) = connected_by(soap_login(password), 0, |settings| settings.soap_login = works).await;
        let error = provider.identify().await.expect_err("refused");
        assert_eq!((error.class, error.code.as_str()), (ErrorClass::Unauthenticated, code), "{error}");
        assert!(error.help.is_some(), "{error}");
    }
}
