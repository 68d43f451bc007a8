//! Salesforce as a provider.

use std::sync::Arc;

use async_trait::async_trait;

use super::call::error;
use super::command_line_login::CommandRunner;
use super::session::Session;
use super::sign_in::SignIn;
use super::soql::Selection;
use super::{
    bulk_ingest, bulk_query, bulk_results, bulk1_job, bulk1_results, collections, composite, describe, limits, permission,
    presence, query,
};
use crate::apply::{Answer, BatchSpecification, IdSource, JobProgress, Presence, Ticket};
use crate::base::{Clock, RecordId};
use crate::manifest::SalesforceTarget;
use crate::plan::{Identity, ObjectFacts, Query};
use crate::provider::secrets::SecretSource;
use crate::provider::transport::Transport;
use crate::provider::{AnswerSink, Completeness, ErrorClass, Provider, ProviderError, RowSink};
use crate::system::{Api, DeleteMode, SystemKind};
use crate::system::{Capabilities, RouteCapability};

/// The largest expected selection that is read through REST: two pages. A query job takes seconds before its first row.
const REST_ROWS: u64 = 4_000;

/// What Salesforce can do.
const CAPABILITIES: Capabilities = Capabilities {
    system: SystemKind::Salesforce,
    key: "Id",
    change_stamp: Some("SystemModstamp"),
    // A day's calls are counted by `/limits`, and nothing else is documented.
    budget: None,
    routes: &[
        RouteCapability {
            api: Api::Collections,
            soft: true,
            hard: false,
            batch_size: collections::MOST_IDS as u64,
            atomic_size: collections::MOST_IDS as u64,
            serial: true,
            // Only requests of 20 seconds and more count towards the limit of 25 (documented; 5 in developer orgs).
            parallel: 5,
            calls_per_batch: 1,
            // The vendor's own advice (documented).
            preferred_up_to: Some(2_000),
        },
        RouteCapability {
            api: Api::Bulk2,
            soft: true,
            hard: true,
            batch_size: bulk_ingest::MOST_IDS,
            atomic_size: 0,
            // The mode is the server's own and always parallel (documented).
            serial: false,
            parallel: 5,
            // Create, upload, start, and three lists of results with a look before them.
            calls_per_batch: 7,
            preferred_up_to: None,
        },
        RouteCapability {
            api: Api::Bulk1,
            soft: true,
            hard: true,
            batch_size: bulk1_job::MOST_IDS,
            atomic_size: 0,
            serial: true,
            parallel: 5,
            // Create, add the batch, close, and the results with a look before them.
            calls_per_batch: 5,
            preferred_up_to: None,
        },
        RouteCapability {
            api: Api::Composite,
            soft: true,
            hard: false,
            // As five requests in one it would save calls and nothing else.
            batch_size: 0,
            atomic_size: composite::MOST_IDS as u64,
            serial: true,
            parallel: 5,
            calls_per_batch: 1,
            preferred_up_to: None,
        },
    ],
    // Of the REST query; a bulk query gives more.
    page_size: 2_000,
    presence_size: presence::MOST_IDS,
};

/// One Salesforce org. It signs in when it is first asked something, and stays signed in.
pub struct SalesforceProvider {
    session: Session,
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
        Self { session: Session::new(SignIn { target: target.clone(), transport, secrets, clock, commands }) }
    }
}

/// Refuses an order that its API cannot carry out: the route should never have been chosen.
fn check(order: &BatchSpecification) -> Result<(), ProviderError> {
    let Some(route) = CAPABILITIES.routes.iter().find(|route| route.api == order.api) else { return Err(other_way(order)) };
    let title = order.api.title();
    let refused = |message| Err(error(ErrorClass::Unsupported, &doing(order), "unsupported", message));
    match order.delete {
        DeleteMode::Soft if !route.soft => refused(format!("{title} only deletes past the recycle bin")),
        DeleteMode::Hard if !route.hard => refused(format!("{title} only deletes into the recycle bin")),
        _ if order.atomic && route.atomic_size == 0 => refused(format!("{title} is never atomic")),
        _ if !order.atomic && route.batch_size == 0 => refused(format!("{title} is always atomic")),
        _ => Ok(()),
    }
}

/// The error for a step that the order's API does not have.
fn other_way(order: &BatchSpecification) -> ProviderError {
    let message = format!("{} works in another way than this request", order.api.title());
    error(ErrorClass::Unsupported, &doing(order), "unsupported", message)
}

fn doing(order: &BatchSpecification) -> String {
    format!("delete {} records", order.object)
}

#[async_trait]
impl Provider for SalesforceProvider {
    fn capabilities(&self) -> Capabilities {
        CAPABILITIES
    }

    async fn identify(&self) -> Result<Identity, ProviderError> {
        self.session.identity().await
    }

    async fn describe(&self, object: &str) -> Result<ObjectFacts, ProviderError> {
        describe::describe(&self.session, object).await
    }

    async fn count(&self, query: &Query) -> Result<u64, ProviderError> {
        query::count(&self.session, query).await
    }

    async fn calls_left(&self) -> Result<Option<u64>, ProviderError> {
        limits::calls_left(&self.session).await
    }

    async fn select(&self, query: &Query, expected: u64, rows: &mut dyn RowSink) -> Result<Completeness, ProviderError> {
        let selection = Selection::of(query)?;
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

    async fn check(&self, object: &str, delete: DeleteMode) -> Result<(), ProviderError> {
        permission::check(&self.session, object, delete).await
    }

    async fn check_presence(&self, object: &str, ids: &[RecordId]) -> Result<Vec<Presence>, ProviderError> {
        presence::check_presence(&self.session, object, ids).await
    }

    async fn send(&self, order: &BatchSpecification, ids: &[RecordId]) -> Result<Vec<Answer>, ProviderError> {
        check(order)?;
        match order.api {
            Api::Collections => collections::delete(&self.session, order, ids).await,
            Api::Composite => composite::delete(&self.session, order, ids).await,
            _ => Err(other_way(order)),
        }
    }

    async fn create(&self, order: &BatchSpecification, ids: &dyn IdSource) -> Result<Ticket, ProviderError> {
        check(order)?;
        match order.api {
            Api::Bulk2 => bulk_ingest::create(&self.session, order, ids.count()).await,
            Api::Bulk1 => bulk1_job::create(&self.session, order, ids.count()).await,
            _ => Err(other_way(order)),
        }
    }

    async fn load(&self, order: &BatchSpecification, ticket: &Ticket, ids: Arc<dyn IdSource>) -> Result<(), ProviderError> {
        check(order)?;
        match order.api {
            Api::Bulk2 => bulk_ingest::load(&self.session, order, ticket, ids).await,
            Api::Bulk1 => bulk1_job::load(&self.session, order, ticket, ids).await,
            _ => Err(other_way(order)),
        }
    }

    async fn start(&self, order: &BatchSpecification, ticket: &Ticket) -> Result<(), ProviderError> {
        match order.api {
            Api::Bulk2 => bulk_ingest::start(&self.session, order, ticket).await,
            Api::Bulk1 => bulk1_job::close(&self.session, ticket).await,
            _ => Err(other_way(order)),
        }
    }

    async fn poll(&self, order: &BatchSpecification, ticket: &Ticket) -> Result<JobProgress, ProviderError> {
        match order.api {
            Api::Bulk2 => bulk_ingest::poll(&self.session, order, ticket).await,
            Api::Bulk1 => bulk1_job::poll(&self.session, ticket).await,
            _ => Err(other_way(order)),
        }
    }

    async fn collect(
        &self,
        order: &BatchSpecification,
        ticket: &Ticket,
        ids: &dyn IdSource,
        answers: &mut dyn AnswerSink,
    ) -> Result<(), ProviderError> {
        match order.api {
            Api::Bulk2 => bulk_results::collect(&self.session, order, ticket, ids.count(), answers).await,
            Api::Bulk1 => bulk1_results::collect(&self.session, order, ticket, ids, answers).await,
            _ => Err(other_way(order)),
        }
    }

    async fn abort(&self, order: &BatchSpecification, ticket: &Ticket) -> Result<(), ProviderError> {
        match order.api {
            Api::Bulk2 => bulk_ingest::abort(&self.session, ticket).await,
            Api::Bulk1 => bulk1_job::abort(&self.session, ticket).await,
            _ => Err(other_way(order)),
        }
    }
}
