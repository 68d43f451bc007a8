//! Salesforce as a provider.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::SignedDuration;

use super::collections::Collections;
use super::command_line_login::CommandRunner;
use super::composite::Composite;
use super::objects::Objects;
use super::session::Session;
use super::sign_in::{RotatedToken, SignIn};
use super::soql::{Selection, check_names};
use super::{
    bulk_ingest, bulk_query, bulk_results, bulk1_job, bulk1_results, describe, limits, permission, presence, query,
};
use crate::apply::{BatchSpecification, IdSource, JobProgress, Presence, Ticket};
use crate::base::{Clock, Failure, RecordId};
use crate::manifest::SalesforceTarget;
use crate::plan::{Count, Identity, ObjectFacts, Query};
use crate::provider::common::{other_system, refuse_unfit};
use crate::provider::secrets::SecretSource;
use crate::provider::transport::Transport;
use crate::provider::{AnswerSink, Completeness, DeleteHalf, DeleteJobs, Provider, ProviderError, ReadHalf, RowSink};
use crate::system::salesforce::CAPABILITIES;
use crate::system::{Api, Capabilities, DeleteMode};

/// The largest expected selection that is read through REST: two pages. A query job takes seconds before its first row.
const REST_ROWS: u64 = 4_000;

/// One Salesforce org. It signs in when it is first asked something, and stays signed in.
pub struct SalesforceProvider {
    session: Session,
    objects: Objects,
}

impl SalesforceProvider {
    /// The org of a target. Nothing is sent, and no secret is read, before the first question.
    pub fn new(
        target: &SalesforceTarget,
        transport: Arc<dyn Transport>,
        secrets: Arc<dyn SecretSource>,
        clock: Arc<dyn Clock>,
        commands: Arc<dyn CommandRunner>,
    ) -> Self {
        Self {
            session: Session::new(SignIn {
                target: target.clone(),
                transport,
                secrets,
                clock,
                commands,
                rotated: RotatedToken::default(),
            }),
            objects: Objects::default(),
        }
    }
}

#[async_trait]
impl ReadHalf for SalesforceProvider {
    fn capabilities(&self) -> Capabilities {
        CAPABILITIES
    }

    async fn identify(&self) -> Result<Identity, ProviderError> {
        self.session.identity().await
    }

    fn sign_in_warning(&self) -> Option<String> {
        self.session.sign_in().warning()
    }

    fn clock_difference(&self) -> Option<SignedDuration> {
        self.session.clock_difference()
    }

    async fn describe(&self, object: &str) -> Result<ObjectFacts, ProviderError> {
        let facts = describe::describe(&self.session, object).await?;
        self.objects.remember(&facts);
        Ok(facts)
    }

    async fn count(&self, query: &Query) -> Result<Count, ProviderError> {
        query::count(&self.session, &self.objects, query).await
    }

    async fn approximate_count(&self, object: &str) -> Result<Option<u64>, ProviderError> {
        limits::approximate_count(&self.session, object).await
    }

    async fn calls_left(&self) -> Result<Option<u64>, ProviderError> {
        limits::calls_left(&self.session).await
    }

    async fn select(&self, query: &Query, expected: u64, rows: &mut dyn RowSink) -> Result<Completeness, ProviderError> {
        check_names("select records", &query.object, [])?;
        let selection = Selection::of(query, self.objects.reach(&self.session, query).await?)?;
        if expected <= REST_ROWS && selection.fits_an_address() {
            return query::select(&self.session, &selection, rows).await;
        }
        match bulk_query::select(&self.session, &selection, rows).await {
            // Said when the job is made, so that no row has come yet: not every object can be read in bulk.
            Err(error) if error.code == "INVALIDENTITY" && selection.fits_an_address() => {
                query::select(&self.session, &selection, rows).await
            }
            answer => answer,
        }
    }

    async fn check_permission(&self, object: &str, delete: DeleteMode) -> Result<(), ProviderError> {
        permission::check(&self.session, object, delete).await
    }

    async fn check_presence(&self, object: &str, ids: &[RecordId]) -> Result<Vec<Presence>, ProviderError> {
        presence::check_presence(&self.session, &self.objects, object, ids).await
    }
}

impl Provider for SalesforceProvider {
    fn delete_half<'a>(&'a self, specification: &'a BatchSpecification) -> Result<DeleteHalf<'a>, ProviderError> {
        refuse_unfit(&CAPABILITIES, specification)?;
        let session = &self.session;
        Ok(match specification.api {
            Api::Collections => DeleteHalf::Requests(Box::new(Collections { session, specification })),
            Api::Composite => DeleteHalf::Requests(Box::new(Composite { session, specification })),
            Api::Bulk2 => DeleteHalf::Jobs(Box::new(BulkIngest { session, specification })),
            Api::Bulk1 => DeleteHalf::Jobs(Box::new(Bulk1 { session, specification })),
            Api::ZuoraSoap | Api::FulcrumBatch => return Err(other_system(&CAPABILITIES, specification)),
        })
    }
}

/// Deletes through Bulk API 2.0.
struct BulkIngest<'a> {
    session: &'a Session,
    specification: &'a BatchSpecification,
}

#[async_trait]
impl DeleteJobs for BulkIngest<'_> {
    async fn create(&self, ids: &dyn IdSource) -> Result<Ticket, ProviderError> {
        bulk_ingest::create(self.session, self.specification, ids.count()).await
    }

    async fn load(&self, ticket: &Ticket, ids: Arc<dyn IdSource>) -> Result<(), ProviderError> {
        bulk_ingest::load(self.session, self.specification, ticket, ids).await
    }

    async fn start(&self, ticket: &Ticket) -> Result<(), ProviderError> {
        bulk_ingest::start(self.session, self.specification, ticket).await
    }

    async fn poll(&self, ticket: &Ticket) -> Result<JobProgress, ProviderError> {
        bulk_ingest::poll(self.session, self.specification, ticket).await
    }

    async fn collect(
        &self,
        ticket: &Ticket,
        ids: &dyn IdSource,
        answers: &mut dyn AnswerSink,
    ) -> Result<Option<Failure>, ProviderError> {
        bulk_results::collect(self.session, self.specification, ticket, ids.count(), answers).await
    }

    async fn abort(&self, ticket: &Ticket) -> Result<(), ProviderError> {
        bulk_ingest::abort(self.session, ticket).await
    }
}

/// Deletes through Bulk API 1.0.
struct Bulk1<'a> {
    session: &'a Session,
    specification: &'a BatchSpecification,
}

#[async_trait]
impl DeleteJobs for Bulk1<'_> {
    async fn create(&self, ids: &dyn IdSource) -> Result<Ticket, ProviderError> {
        bulk1_job::create(self.session, self.specification, ids.count()).await
    }

    async fn load(&self, ticket: &Ticket, ids: Arc<dyn IdSource>) -> Result<(), ProviderError> {
        bulk1_job::load(self.session, self.specification, ticket, ids).await
    }

    async fn start(&self, ticket: &Ticket) -> Result<(), ProviderError> {
        bulk1_job::close(self.session, ticket).await
    }

    async fn poll(&self, ticket: &Ticket) -> Result<JobProgress, ProviderError> {
        bulk1_job::poll(self.session, ticket).await
    }

    async fn collect(
        &self,
        ticket: &Ticket,
        ids: &dyn IdSource,
        answers: &mut dyn AnswerSink,
    ) -> Result<Option<Failure>, ProviderError> {
        bulk1_results::collect(self.session, self.specification, ticket, ids, answers).await
    }

    async fn abort(&self, ticket: &Ticket) -> Result<(), ProviderError> {
        bulk1_job::abort(self.session, ticket).await
    }
}
