//! Fulcrum as a provider.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::SignedDuration;

use super::session::{ApiToken, Session};
use super::{batch, describe, presence, query};
use crate::apply::{BatchSpecification, IdSource, JobProgress, Presence, Ticket};
use crate::base::{CallBudget, Failure, RecordId};
use crate::manifest::FulcrumTarget;
use crate::plan::{Count, Identity, ObjectFacts, Query};
use crate::provider::common::{error, refuse_unfit};
use crate::provider::secrets::SecretSource;
use crate::provider::transport::Transport;
use crate::provider::{
    AnswerSink, Completeness, DeleteHalf, DeleteJobs, ErrorClass, Provider, ProviderError, ReadHalf, RowSink,
};
use crate::system::fulcrum::{BUDGET_WINDOW, CAPABILITIES};
use crate::system::{Capabilities, DeleteMode};

/// The calls a target may make.
pub(in crate::provider) fn call_budget(target: &FulcrumTarget) -> CallBudget {
    CallBudget::new(target.max_calls, BUDGET_WINDOW)
}

/// One Fulcrum organization.
pub struct FulcrumProvider {
    session: Session,
    budget: CallBudget,
}

impl FulcrumProvider {
    /// The organization of a target. Nothing is sent, and no secret is read, before the first question.
    pub fn new(target: &FulcrumTarget, transport: Arc<dyn Transport>, secrets: Arc<dyn SecretSource>) -> Self {
        Self { session: Session::new(ApiToken { target: target.clone(), transport, secrets }), budget: call_budget(target) }
    }
}

#[async_trait]
impl ReadHalf for FulcrumProvider {
    fn capabilities(&self) -> Capabilities {
        Capabilities { budget: Some(self.budget), ..CAPABILITIES }
    }

    async fn identify(&self) -> Result<Identity, ProviderError> {
        self.session.identity().await
    }

    fn clock_difference(&self) -> Option<SignedDuration> {
        self.session.clock_difference()
    }

    async fn describe(&self, object: &str) -> Result<ObjectFacts, ProviderError> {
        describe::describe(&self.session, object).await
    }

    async fn count(&self, query: &Query) -> Result<Count, ProviderError> {
        query::count(&self.session, query).await.map(Count::Exact)
    }

    async fn select(&self, query: &Query, _: u64, rows: &mut dyn RowSink) -> Result<Completeness, ProviderError> {
        query::select(&self.session, query, rows).await
    }

    async fn calls_left(&self) -> Result<Option<u64>, ProviderError> {
        Ok(None)
    }

    async fn check_permission(&self, object: &str, delete: DeleteMode) -> Result<(), ProviderError> {
        let doing = format!("delete records of form {object}");
        if delete == DeleteMode::Soft {
            return Err(error(ErrorClass::Unsupported, &doing, "unsupported", "Fulcrum has no recycle bin"));
        }
        match self.session.may_delete().await? {
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
}

impl Provider for FulcrumProvider {
    fn delete_half<'a>(&'a self, specification: &'a BatchSpecification) -> Result<DeleteHalf<'a>, ProviderError> {
        refuse_unfit(&CAPABILITIES, specification)?;
        Ok(DeleteHalf::Jobs(Box::new(Batches { session: &self.session, specification })))
    }
}

/// Deletes through the Batch API.
struct Batches<'a> {
    session: &'a Session,
    specification: &'a BatchSpecification,
}

#[async_trait]
impl DeleteJobs for Batches<'_> {
    async fn create(&self, ids: &dyn IdSource) -> Result<Ticket, ProviderError> {
        batch::create(self.session, self.specification, ids).await
    }

    async fn load(&self, ticket: &Ticket, ids: Arc<dyn IdSource>) -> Result<(), ProviderError> {
        batch::compare(self.session, ticket, ids.count()).await
    }

    async fn start(&self, ticket: &Ticket) -> Result<(), ProviderError> {
        batch::start(self.session, ticket).await
    }

    async fn poll(&self, ticket: &Ticket) -> Result<JobProgress, ProviderError> {
        batch::poll(self.session, ticket).await
    }

    /// Gives no answers, since the API has no results per record (documented): the presence of every record is then checked.
    async fn collect(&self, _: &Ticket, _: &dyn IdSource, _: &mut dyn AnswerSink) -> Result<Option<Failure>, ProviderError> {
        Ok(None)
    }

    async fn abort(&self, ticket: &Ticket) -> Result<(), ProviderError> {
        batch::abort(self.session, ticket).await
    }
}
