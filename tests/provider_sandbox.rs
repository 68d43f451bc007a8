//! The Salesforce provider against the sandbox, over a socket: every call of the contract once.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use secrecy::SecretString;
use sexton::apply::{Answer, AnswerVerdict, IdSource, JobStage, Order, Presence};
use sexton::base::{Clock, PolicyName, RecordId};
use sexton::manifest::{Api, DeleteMode, SalesforceSignIn, SalesforceTarget, SecretReference};
use sexton::plan::{Query, Row};
use sexton::provider::salesforce::{CommandOutput, CommandRunner, SalesforceProvider};
use sexton::provider::transport::{HttpTransport, Timeouts};
use sexton::provider::{AnswerSink, ErrorClass, Provider, RowSink, SecretError, SecretSource};
use sexton::sandbox::{Sandbox, Settings, World, serve};
use tokio::net::TcpListener;
use url::Url;

const LEADS: u32 = 6_000;

struct Secrets;

impl SecretSource for Secrets {
    fn resolve(&self, reference: &SecretReference) -> Result<SecretString, SecretError> {
        match reference {
            SecretReference::Environment(name) => Ok(name.clone().into()),
            other => unreachable!("{other:?}"),
        }
    }
}

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

#[derive(Default)]
struct Rows(Vec<Row>);

impl RowSink for Rows {
    fn row(&mut self, row: Row) -> std::io::Result<()> {
        self.0.push(row);
        Ok(())
    }
}

#[derive(Default)]
struct Answers(Vec<Answer>);

impl AnswerSink for Answers {
    fn answer(&mut self, answer: Answer) -> std::io::Result<()> {
        self.0.push(answer);
        Ok(())
    }
}

struct Ids(Vec<RecordId>);

impl IdSource for Ids {
    fn count(&self) -> u64 {
        self.0.len() as u64
    }

    fn read(&self, first: u64, most: usize) -> std::io::Result<Vec<RecordId>> {
        Ok(self.0.iter().skip(first as usize).take(most).copied().collect())
    }
}

/// A sandbox with leads on a socket, and a provider that has not signed in yet.
async fn connected(leads: u32) -> (Sandbox, SalesforceProvider) {
    let start: Timestamp = "2026-11-21T10:00:00Z".parse().expect("a moment");
    let mut world = World::builder().start(start).build().expect("a world");
    world.generate("Lead", leads, 7).expect("leads");
    let sandbox = Sandbox::new(world, Settings::starting_at(start));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback");
    let address = format!("http://{}", listener.local_addr().expect("bound"));
    tokio::spawn(serve(listener, sandbox.clone(), std::future::pending()));
    let secret = |name: &str| SecretReference::Environment(name.to_owned());
    let target = SalesforceTarget {
        login_url: Some(Url::parse(&address).expect("an address")),
        api_version: "66.0".into(),
        organization_id: None,
        sign_in: SalesforceSignIn::ClientCredentials {
            client_id: secret("sandbox-client"),
            client_secret: secret("sandbox-secret"),
        },
    };
    let transport = Arc::new(HttpTransport::new(Timeouts::default()).expect("TLS"));
    let provider =
        SalesforceProvider::new(&target, transport, Arc::new(Secrets), Arc::new(StillClock), Arc::new(NoCommands));
    (sandbox, provider)
}

fn all_leads(fields: &[&str]) -> Query {
    Query {
        object: "Lead".into(),
        key: "Id".into(),
        fields: fields.iter().map(|field| (*field).to_owned()).collect(),
        condition: None,
    }
}

fn order(api: Api, delete: DeleteMode) -> Order {
    let policy = PolicyName::new("stale-leads").expect("a name");
    Order { policy, object: "Lead".into(), delete, api, atomic: false, serial: false, matching: None }
}

#[tokio::test]
async fn both_ways_of_reading_agree_to_the_letter() {
    let (sandbox, provider) = connected(LEADS).await;
    let identity = provider.identify().await.expect("signed in");
    assert_eq!((identity.user_name.as_str(), identity.is_production), ("admin@sandbox.example", Some(false)));

    let query = all_leads(&["Name", "SystemModstamp", "IsConverted", "Company", "Owner.Name"]);
    assert_eq!(provider.count(&query).await.expect("counted"), u64::from(LEADS));
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
    let mut rows = Rows::default();
    provider.select(&all_leads(&[]), 300, &mut rows).await.expect("complete");
    let ids: Vec<RecordId> = rows.0.iter().map(|row| row.id).collect();
    let batch = &ids[..200];
    let answers = provider.send(&order(Api::Collections, DeleteMode::Soft), batch).await.expect("answered");
    assert!(answers.iter().all(|answer| answer.verdict == AnswerVerdict::Deleted), "{answers:?}");
    let again = provider.send(&order(Api::Collections, DeleteMode::Soft), &ids[199..201]).await.expect("answered");
    assert!(matches!(again[0].verdict, AnswerVerdict::AlreadyGone(_)), "{again:?}");
    assert_eq!(again[1].verdict, AnswerVerdict::Deleted);
    let strange = RecordId::new("00Q999999999999EAA").expect("an id");
    let presence = provider.look("Lead", &[ids[0], ids[299], strange]).await.expect("looked");
    assert_eq!(presence, [Presence::InBin, Presence::Present, Presence::Absent]);
    assert_eq!(sandbox.world().count("Lead"), 99);
}

#[tokio::test]
async fn deletes_through_a_bulk_job() {
    let (sandbox, provider) = connected(LEADS).await;
    let mut rows = Rows::default();
    provider.select(&all_leads(&[]), u64::from(LEADS), &mut rows).await.expect("complete");
    let ids: Vec<RecordId> = rows.0.iter().map(|row| row.id).collect();
    provider.send(&order(Api::Collections, DeleteMode::Soft), &ids[..1]).await.expect("answered");

    let order = order(Api::Bulk2, DeleteMode::Soft);
    let ids = Arc::new(Ids(ids));
    let ticket = provider.create(&order, &*ids).await.expect("made");
    assert_eq!(provider.poll(&order, &ticket).await.expect("known").stage, JobStage::Open);
    provider.load(&order, &ticket, Arc::clone(&ids) as Arc<dyn IdSource>).await.expect("loaded");
    let twice = provider.load(&order, &ticket, Arc::clone(&ids) as Arc<dyn IdSource>).await.expect_err("one upload only");
    assert_eq!(twice.class, ErrorClass::Invalid, "{twice}");
    provider.start(&order, &ticket).await.expect("started");
    let progress = loop {
        sandbox.clock().advance(Duration::from_secs(1));
        let progress = provider.poll(&order, &ticket).await.expect("known");
        if progress.stage != JobStage::Running {
            break progress;
        }
    };
    assert_eq!((progress.stage, progress.processed, progress.failed), (JobStage::Complete, Some(u64::from(LEADS)), Some(1)));
    let mut answers = Answers::default();
    provider.collect(&order, &ticket, &*ids, &mut answers).await.expect("whole");
    let deleted = answers.0.iter().filter(|answer| answer.verdict == AnswerVerdict::Deleted).count();
    let gone = answers.0.iter().filter(|answer| matches!(answer.verdict, AnswerVerdict::AlreadyGone(_))).count();
    assert_eq!((deleted, gone, answers.0.len()), (LEADS as usize - 1, 1, LEADS as usize));
    assert_eq!(sandbox.world().count("Lead"), 0);
    provider.abort(&order, &ticket).await.expect("nothing to give up");
}

#[tokio::test]
async fn a_hard_delete_without_the_permission_is_refused_before_and_when_the_job_is_made() {
    let (_sandbox, provider) = connected(1).await;
    provider.check("Lead", DeleteMode::Soft).await.expect("allowed");
    let before = provider.check("Lead", DeleteMode::Hard).await.expect_err("denied");
    let ids = Ids(vec![RecordId::new("00Q000000000001EAA").expect("an id")]);
    let then = provider.create(&order(Api::Bulk2, DeleteMode::Hard), &ids).await.expect_err("denied");
    for error in [before, then] {
        assert_eq!((error.class, error.code.as_str()), (ErrorClass::Denied, "FEATURENOTENABLED"), "{error}");
        assert!(error.help.expect("a remedy").contains("Bulk API Hard Delete"));
    }
}

#[tokio::test]
async fn a_session_that_is_ended_goes_on() {
    let (sandbox, provider) = connected(3).await;
    assert_eq!(provider.count(&all_leads(&[])).await.expect("counted"), 3);
    sandbox.expire_sessions();
    assert_eq!(provider.count(&all_leads(&[])).await.expect("counted"), 3);
}
