//! An org for tests: it signs in and says who it is; the rest is scripted.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use url::Url;

use super::{CommandOutput, CommandRunner, SalesforceProvider};
use crate::apply::{Answer, AnswerVerdict, BatchSpecification};
use crate::base::{Clock, PolicyName, RecordId};
use crate::manifest::{SalesforceSignIn, SalesforceTarget};
use crate::plan::Query;
pub(super) use crate::provider::ReadHalf;
pub(super) use crate::provider::common::testing::{Answers, Full, Halves, Ids, NamedSecrets, Rows, secret};
use crate::provider::transport::Transport;
use crate::provider::transport::scripted::{Reply, Scripted, Seen, json};
use crate::system::canonical_salesforce_id;
use crate::system::{Api, DeleteMode};

/// The access token of the scripted org.
pub(super) const TOKEN: &str = "00D000000000001!AQ.canaryTokenCanary";
/// The scripted org.
pub(super) const ORGANIZATION: &str = "00D000000000001EAA";
/// A job.
pub(super) const JOB: &str = "750ak000009BkrxAAC";

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
        "GET /services/data/v66.0/sobjects/Lead/describe" => described("Lead", "00Q", &["IsDeleted"]),
        line if line.ends_with("/sobjects/task/describe") || line.ends_with("/sobjects/Task/describe") => {
            described("Task", "00T", &["IsDeleted", "IsArchived"])
        }
        "GET /services/data/v66.0/sobjects/ContentDocument/describe" => {
            described("ContentDocument", "069", &["IsDeleted", "IsArchived"])
        }
        "GET /services/data/v66.0/sobjects/Member/describe" => described("Member", "0Me", &[]),
        _ => return None,
    };
    Some(json(200, body.to_string()))
}

fn described(name: &str, prefix: &str, booleans: &[&str]) -> serde_json::Value {
    let field = |name: &&str| {
        serde_json::json!({"name": name, "type": "boolean", "filterable": true, "nillable": false, "relationshipName": null,
            "referenceTo": []})
    };
    serde_json::json!({"name": name, "deletable": true, "undeletable": true, "queryable": true, "keyPrefix": prefix,
        "fields": booleans.iter().map(field).collect::<Vec<_>>(), "childRelationships": []})
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
        Arc::new(NamedSecrets(TOKEN)),
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
pub(super) fn specification(api: Api, delete: DeleteMode, atomic: bool) -> BatchSpecification {
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

/// Each answer on a line.
pub(super) fn lines(answers: &[Answer]) -> Vec<String> {
    let line = |answer: &Answer| {
        let verdict = match &answer.verdict {
            AnswerVerdict::Deleted => "deleted".to_owned(),
            AnswerVerdict::SaidGone(failure) => format!("said to be gone {}", failure.code),
            AnswerVerdict::Failed(failure) => format!("failed {:?} {} {}", failure.class, failure.code, failure.message),
            AnswerVerdict::RolledBack(failure) => format!("rolled back {}", failure.code),
            AnswerVerdict::NotProcessed => "not processed".to_owned(),
        };
        format!("{} {verdict}", answer.id.as_str()[3..15].trim_start_matches('0'))
    };
    answers.iter().map(line).collect()
}
