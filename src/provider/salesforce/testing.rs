//! An org for tests: it signs in and says who it is; the rest is scripted.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use secrecy::SecretString;
use url::Url;

use super::{CommandOutput, CommandRunner, SalesforceProvider};
use crate::apply::{Answer, AnswerVerdict, BatchSpecification, IdSource};
use crate::base::{Clock, PolicyName, RecordId};
use crate::manifest::{SalesforceSignIn, SalesforceTarget, SecretReference};
use crate::plan::{Query, Row};
use crate::provider::transport::Transport;
use crate::provider::transport::scripted::{Reply, Scripted, Seen, json};
use crate::provider::{AnswerSink, RowSink, SecretError, SecretSource};
use crate::system::canonical_salesforce_id;
use crate::system::{Api, DeleteMode};

/// The access token of the scripted org.
pub(super) const TOKEN: &str = "00D000000000001!AQ.canaryTokenCanary";
/// The scripted org.
pub(super) const ORGANIZATION: &str = "00D000000000001EAA";
/// A job.
pub(super) const JOB: &str = "750ak000009BkrxAAC";

/// Secrets that are made of their own names.
pub(super) struct NamedSecrets;

impl SecretSource for NamedSecrets {
    fn resolve(&self, reference: &SecretReference) -> Result<SecretString, SecretError> {
        match reference {
            SecretReference::Environment(name) => Ok(format!("canary-{name}").into()),
            SecretReference::File(path) => {
                let path = path.clone();
                Err(SecretError::File { path, source: std::io::ErrorKind::NotFound.into() })
            }
            SecretReference::Command(_) => Ok(TOKEN.into()),
        }
    }
}

/// A clock that stands still.
pub(super) struct StillClock;

impl Clock for StillClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_second(1_800_000_000).expect("in range")
    }
}

/// A machine without programs.
pub(super) struct NoCommands;

#[async_trait]
impl CommandRunner for NoCommands {
    async fn run(&self, _: &str, _: &[&str]) -> std::io::Result<CommandOutput> {
        Err(std::io::ErrorKind::NotFound.into())
    }
}

/// A reference whose secret is `canary-` and its name.
pub(super) fn secret(name: &str) -> SecretReference {
    SecretReference::Environment(name.into())
}

/// A target that signs in with client credentials and is pinned.
pub(super) fn target() -> SalesforceTarget {
    SalesforceTarget {
        login_url: Some(Url::parse("https://crm.my.salesforce.com").expect("valid")),
        api_version: "66.0".into(),
        organization_id: Some(record(ORGANIZATION)),
        sign_in: SalesforceSignIn::ClientCredentials { client_id: secret("ID"), client_secret: secret("SECRET") },
    }
}

/// What every org answers, as far as `seen` asks for it. `serial` tells the tokens of several sign-ins apart.
pub(super) fn handshake(seen: &Seen, serial: u32) -> Option<Reply> {
    let soql = seen.parameter("q").unwrap_or_default();
    let body = match seen.line().as_str() {
        "POST /services/oauth2/token" => serde_json::json!({
            "access_token": if serial == 0 { TOKEN.to_owned() } else { format!("{TOKEN}{serial}") },
            "instance_url": "https://crm.my.salesforce.com",
            "id": format!("https://login.salesforce.com/id/{ORGANIZATION}/005xx000001SwiUAAS"),
            "token_type": "Bearer", "issued_at": "1278448832702", "signature": "x",
        }),
        "GET /services/data/" => serde_json::json!([{"label": "x", "url": "/services/data/v66.0", "version": "66.0"}]),
        "GET /services/data/v66.0/query" if soql.ends_with("FROM Organization") => page(
            1,
            true,
            None,
            vec![serde_json::json!({"attributes": {"type": "Organization"}, "Id": ORGANIZATION, "Name": "Acme",
                "IsSandbox": false, "OrganizationType": "Enterprise Edition", "InstanceName": "NA1"})],
        ),
        "GET /services/oauth2/userinfo" => {
            serde_json::json!({"user_id": "005xx000001SwiUAAS", "organization_id": ORGANIZATION,
            "preferred_username": "me@example.com"})
        }
        _ => return None,
    };
    Some(json(200, body.to_string()))
}

/// A page of a query's answer.
pub(super) fn page(total: u64, done: bool, next: Option<&str>, records: Vec<serde_json::Value>) -> serde_json::Value {
    let mut page = serde_json::json!({"totalSize": total, "done": done, "records": records});
    if let Some(next) = next {
        page["nextRecordsUrl"] = next.into();
    }
    page
}

/// A provider of an org whose answers beyond the handshake come from `script`.
pub(super) fn org(mut script: impl FnMut(&Seen) -> Reply + Send + 'static) -> (SalesforceProvider, Arc<Scripted>) {
    connect(&target(), move |seen| handshake(seen, 0).unwrap_or_else(|| script(seen)))
}

/// A provider whose every answer comes from `script`.
pub(super) fn connect(
    target: &SalesforceTarget,
    script: impl FnMut(&Seen) -> Reply + Send + 'static,
) -> (SalesforceProvider, Arc<Scripted>) {
    let transport = Arc::new(Scripted::new(script));
    let provider = SalesforceProvider::new(
        target,
        Arc::clone(&transport) as Arc<dyn Transport>,
        Arc::new(NamedSecrets),
        Arc::new(StillClock),
        Arc::new(NoCommands),
    );
    (provider, transport)
}

/// What was asked beyond the handshake.
pub(super) fn asked(transport: &Scripted) -> Vec<Seen> {
    transport.seen().into_iter().filter(|seen| handshake(seen, 0).is_none()).collect()
}

/// An id.
pub(super) fn record(text: &str) -> RecordId {
    canonical_salesforce_id(text).expect("an id")
}

/// The first `count` leads.
pub(super) fn leads(count: u64) -> Vec<RecordId> {
    (0..count).map(|number| record(&format!("00Q{number:012}"))).collect()
}

/// A query for leads.
pub(super) fn query(fields: &[&str]) -> Query {
    Query {
        object: "Lead".into(),
        key: "Id".into(),
        fields: fields.iter().map(|field| (*field).to_owned()).collect(),
        condition: Some("IsConverted = false".into()),
    }
}

/// An order for leads.
pub(super) fn order(api: Api, delete: DeleteMode, atomic: bool) -> BatchSpecification {
    BatchSpecification {
        policy: PolicyName::new("stale-leads").expect("a name"),
        object: "Lead".into(),
        delete,
        api,
        atomic,
        serial: false,
        matching: None,
    }
}

/// Rows in memory.
#[derive(Default)]
pub(super) struct Rows(pub(super) Vec<Row>);

impl RowSink for Rows {
    fn row(&mut self, row: Row) -> std::io::Result<()> {
        self.0.push(row);
        Ok(())
    }
}

/// A sink that is full.
pub(super) struct Full;

impl RowSink for Full {
    fn row(&mut self, _: Row) -> std::io::Result<()> {
        Err(std::io::Error::other("the disk is full"))
    }
}

impl AnswerSink for Full {
    fn answer(&mut self, _: Answer) -> std::io::Result<()> {
        Err(std::io::Error::other("the disk is full"))
    }
}

/// Answers in memory.
#[derive(Default)]
pub(super) struct Answers(pub(super) Vec<Answer>);

impl Answers {
    /// Each answer on a line: the id's number, and what happened to it.
    pub(super) fn lines(&self) -> Vec<String> {
        lines(&self.0)
    }
}

/// Each answer on a line.
pub(super) fn lines(answers: &[Answer]) -> Vec<String> {
    let line = |answer: &Answer| {
        let verdict = match &answer.verdict {
            AnswerVerdict::Deleted => "deleted".to_owned(),
            AnswerVerdict::AlreadyGone(failure) => format!("already gone {}", failure.code),
            AnswerVerdict::Failed(failure) => format!("failed {:?} {} {}", failure.class, failure.code, failure.message),
            AnswerVerdict::RolledBack(failure) => format!("rolled back {}", failure.code),
            AnswerVerdict::NotProcessed => "not processed".to_owned(),
        };
        format!("{} {verdict}", answer.id.as_str()[3..15].trim_start_matches('0'))
    };
    answers.iter().map(line).collect()
}

impl AnswerSink for Answers {
    fn answer(&mut self, answer: Answer) -> std::io::Result<()> {
        self.0.push(answer);
        Ok(())
    }
}

/// Ids in memory.
pub(super) struct Ids(pub(super) Vec<RecordId>);

impl IdSource for Ids {
    fn count(&self) -> u64 {
        self.0.len() as u64
    }

    fn read(&self, first: u64, most: usize) -> std::io::Result<Vec<RecordId>> {
        Ok(self.0.iter().skip(first as usize).take(most).copied().collect())
    }
}
