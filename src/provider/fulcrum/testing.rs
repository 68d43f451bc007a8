//! An organization for tests: it says whose the token is; the rest is scripted.

use std::sync::{Arc, Mutex};

use secrecy::SecretString;
use serde_json::{Value, json as value};
use url::Url;

use super::FulcrumProvider;
use crate::apply::{Answer, BatchSpecification, IdSource, Ticket};
use crate::base::{PolicyName, RecordId};
use crate::manifest::{FulcrumTarget, SecretReference};
use crate::plan::{Query, Row};
use crate::provider::transport::Transport;
use crate::provider::transport::scripted::{Reply, Scripted, Seen, json};
use crate::provider::{AnswerSink, RowSink, SecretError, SecretSource};
use crate::system::{Api, DeleteMode};

/// The token of the scripted organization.
pub(super) const TOKEN: &str = "canary-token-canary";
/// The scripted organization.
pub(super) const ORGANIZATION: &str = "b7a1f0f2-71b9-11ee-b962-0242ac120002";
/// A form.
pub(super) const FORM: &str = "81413088-71b9-11ee-b962-0242ac120002";
/// A batch.
pub(super) const BATCH: &str = "68ef104a-71b9-11ee-b962-0242ac120002";

struct OneSecret;

impl SecretSource for OneSecret {
    fn resolve(&self, _: &SecretReference) -> Result<SecretString, SecretError> {
        Ok(TOKEN.into())
    }
}

/// A target that is pinned.
pub(super) fn target() -> FulcrumTarget {
    FulcrumTarget {
        url: Url::parse("https://api.fulcrumapp.com").expect("valid"),
        organization_id: Some(ORGANIZATION.into()),
        api_token: SecretReference::Environment("TOKEN".into()),
        max_calls: 5_000,
    }
}

fn handshake(seen: &Seen) -> Option<Reply> {
    let user = value!({"id": "6fcf631a-71b9-11ee-b962-0242ac120002", "first_name": "Ann", "email": "ann@example.com",
        "current_organization": {"id": ORGANIZATION, "name": "Acme"},
        "contexts": [{"id": "0d6f2f37", "name": "Ann", "type": "organization"},
            {"id": ORGANIZATION, "name": "Acme", "role": {"name": "Manager", "can_delete_records": true}}]});
    (seen.line() == "GET /api/v2/users.json").then(|| json(200, value!({ "user": user }).to_string()))
}

/// A provider of an organization whose answers beyond the handshake come from `script`.
pub(super) fn organization(mut script: impl FnMut(&Seen) -> Reply + Send + 'static) -> (FulcrumProvider, Arc<Scripted>) {
    connect(target(), move |seen| handshake(seen).unwrap_or_else(|| script(seen)))
}

/// A provider whose every answer comes from `script`.
pub(super) fn connect(
    target: FulcrumTarget,
    script: impl FnMut(&Seen) -> Reply + Send + 'static,
) -> (FulcrumProvider, Arc<Scripted>) {
    let transport = Arc::new(Scripted::new(script));
    let provider = FulcrumProvider::new(&target, Arc::clone(&transport) as Arc<dyn Transport>, Arc::new(OneSecret));
    (provider, transport)
}

/// What was asked beyond the handshake.
pub(super) fn asked(transport: &Scripted) -> Vec<Seen> {
    transport.seen().into_iter().filter(|seen| handshake(seen).is_none()).collect()
}

/// The SQL of a query.
pub(super) fn statement_of(seen: &Seen) -> String {
    assert_eq!(seen.line(), "POST /api/v2/query");
    let body: Value = serde_json::from_str(&seen.body).expect("JSON");
    body["q"].as_str().expect("a statement").to_owned()
}

/// The SQL of every query that was asked.
pub(super) fn statements(transport: &Scripted) -> Vec<String> {
    asked(transport).iter().map(statement_of).collect()
}

/// The answer to a query.
pub(super) fn rows(rows: Vec<Value>) -> Reply {
    json(200, value!({"fields": [], "rows": rows, "time": 0.01, "date": 1_700_000_000_000_u64}).to_string())
}

/// A record.
pub(super) fn id(number: usize) -> RecordId {
    RecordId::new(&format!("{number:08x}-71b9-11ee-b962-0242ac120002")).expect("an id")
}

/// The first `count` records, in order.
pub(super) fn ids(count: usize) -> Vec<RecordId> {
    (0..count).map(id).collect()
}

/// A query for records.
pub(super) fn query(fields: &[&str]) -> Query {
    Query {
        object: FORM.into(),
        key: super::connect::KEY.into(),
        fields: fields.iter().map(|field| (*field).to_owned()).collect(),
        condition: Some("_status = 'closed'".into()),
    }
}

/// An order for records.
pub(super) fn order() -> BatchSpecification {
    BatchSpecification {
        policy: PolicyName::new("closed-parks").expect("a name"),
        object: FORM.into(),
        delete: DeleteMode::Hard,
        api: Api::FulcrumBatch,
        atomic: false,
        serial: false,
        matching: None,
    }
}

/// The ticket of the batch.
pub(super) fn ticket() -> Ticket {
    Ticket(BATCH.into())
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

/// Answers in memory.
pub(super) struct Answers(pub(super) Arc<Mutex<Vec<Answer>>>);

impl AnswerSink for Answers {
    fn answer(&mut self, answer: Answer) -> std::io::Result<()> {
        self.0.lock().expect("not poisoned").push(answer);
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
