//! Fulcrum as a provider.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use super::call::error;
use super::session::Session;
use super::{batch, describe, presence, query};
use crate::apply::{Answer, BatchSpecification, IdSource, JobProgress, Presence, Ticket};
use crate::base::{CallBudget, RecordId};
use crate::manifest::FulcrumTarget;
use crate::plan::{Identity, ObjectFacts, Query};
use crate::provider::secrets::SecretSource;
use crate::provider::transport::Transport;
use crate::provider::{AnswerSink, Completeness, ErrorClass, Provider, ProviderError, RowSink};
use crate::system::{Api, DeleteMode, SystemKind};
use crate::system::{Capabilities, RouteCapability};

/// The column of a record's id (documented).
pub(super) const KEY: &str = "_record_id";

/// The calls a target may make. The system counts them by the hour and by the user, queries among them (documented),
/// where they arrive, and they do not all take equally long on their way: hence a little longer.
pub(in crate::provider) fn call_budget(target: &FulcrumTarget) -> CallBudget {
    CallBudget { calls: target.max_calls, window: Duration::from_secs(60 * 60 + 5) }
}

/// What Fulcrum can do.
const CAPABILITIES: Capabilities = Capabilities {
    system: SystemKind::Fulcrum,
    key: KEY,
    // The server's own time; `_updated_at` is a device's (documented).
    change_stamp: Some("_server_updated_at"),
    // A target has its own.
    budget: None,
    routes: &[RouteCapability {
        api: Api::FulcrumBatch,
        // There is no way to take a deletion back (documented by its absence).
        soft: false,
        hard: true,
        batch_size: batch::MOST_IDS,
        atomic_size: 0,
        serial: true,
        // Nothing is documented; a second one runs while the first is looked at.
        parallel: 2,
        // Create, compare, start, and ten looks of two calls each.
        calls_per_batch: 23,
        preferred_up_to: None,
    }],
    page_size: query::PAGE as u64,
    presence_size: presence::MOST_IDS,
};

/// One Fulcrum organization.
pub struct FulcrumProvider {
    session: Session,
    budget: CallBudget,
}

impl FulcrumProvider {
    /// The organization of a target. Nothing is sent, and no secret is read, before the first question.
    pub fn new(target: &FulcrumTarget, transport: Arc<dyn Transport>, secrets: Arc<dyn SecretSource>) -> Self {
        Self { session: Session::new(target.clone(), transport, secrets), budget: call_budget(target) }
    }
}

fn unsupported(doing: &str, message: &str) -> ProviderError {
    error(ErrorClass::Unsupported, doing, "unsupported", message)
}

/// Refuses an order that the Batch API cannot carry out: the route should never have been chosen.
fn refuse_other(order: &BatchSpecification) -> Result<(), ProviderError> {
    let doing = format!("delete records of form {}", order.object);
    match (order.api, order.delete, order.atomic) {
        (Api::FulcrumBatch, DeleteMode::Hard, false) => Ok(()),
        (Api::FulcrumBatch, DeleteMode::Soft, _) => Err(unsupported(&doing, "Fulcrum has no recycle bin")),
        (Api::FulcrumBatch, DeleteMode::Hard, true) => Err(unsupported(&doing, "a batch is never atomic")),
        (other, ..) => Err(unsupported(&doing, &format!("{} is none of Fulcrum's", other.title()))),
    }
}

#[async_trait]
impl Provider for FulcrumProvider {
    fn capabilities(&self) -> Capabilities {
        Capabilities { budget: Some(self.budget), ..CAPABILITIES }
    }

    async fn identify(&self) -> Result<Identity, ProviderError> {
        self.session.caller().await.map(|caller| caller.identity.clone())
    }

    async fn describe(&self, object: &str) -> Result<ObjectFacts, ProviderError> {
        describe::describe(&self.session, object).await
    }

    async fn count(&self, query: &Query) -> Result<u64, ProviderError> {
        query::count(&self.session, query).await
    }

    async fn select(&self, query: &Query, _: u64, rows: &mut dyn RowSink) -> Result<Completeness, ProviderError> {
        query::select(&self.session, query, rows).await
    }

    async fn calls_left(&self) -> Result<Option<u64>, ProviderError> {
        Ok(None)
    }

    async fn check(&self, object: &str, delete: DeleteMode) -> Result<(), ProviderError> {
        let doing = format!("delete records of form {object}");
        if delete == DeleteMode::Soft {
            return Err(unsupported(&doing, "Fulcrum has no recycle bin"));
        }
        match self.session.caller().await?.may_delete {
            Some(false) => Err(ProviderError {
                help: Some("give the token's user a role that may delete records (`can_delete_records`)".into()),
                ..error(ErrorClass::Denied, &doing, "forbidden", "this user's role may not delete records")
            }),
            Some(true) | None => Ok(()),
        }
    }

    async fn check_presence(&self, object: &str, ids: &[RecordId]) -> Result<Vec<Presence>, ProviderError> {
        presence::check_presence(&self.session, object, ids).await
    }

    async fn send(&self, order: &BatchSpecification, _: &[RecordId]) -> Result<Vec<Answer>, ProviderError> {
        refuse_other(order)?;
        Err(unsupported("delete records in one request", "the Batch API works by batches that are made and started"))
    }

    async fn create(&self, order: &BatchSpecification, ids: &dyn IdSource) -> Result<Ticket, ProviderError> {
        refuse_other(order)?;
        batch::create(&self.session, order, ids).await
    }

    async fn load(&self, order: &BatchSpecification, ticket: &Ticket, ids: Arc<dyn IdSource>) -> Result<(), ProviderError> {
        refuse_other(order)?;
        batch::compare(&self.session, ticket, ids.count()).await
    }

    async fn start(&self, order: &BatchSpecification, ticket: &Ticket) -> Result<(), ProviderError> {
        refuse_other(order)?;
        batch::start(&self.session, ticket).await
    }

    async fn poll(&self, order: &BatchSpecification, ticket: &Ticket) -> Result<JobProgress, ProviderError> {
        refuse_other(order)?;
        batch::poll(&self.session, ticket).await
    }

    /// There are no per-record results (documented): no record is mentioned, so that each is looked at, and what the look shows is its
    /// outcome.
    async fn collect(
        &self,
        order: &BatchSpecification,
        _: &Ticket,
        _: &dyn IdSource,
        _: &mut dyn AnswerSink,
    ) -> Result<(), ProviderError> {
        refuse_other(order)
    }

    async fn abort(&self, order: &BatchSpecification, ticket: &Ticket) -> Result<(), ProviderError> {
        refuse_other(order)?;
        batch::abort(&self.session, ticket).await
    }
}
