//! Zuora as a provider.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use super::call::error;
use super::operation::LARGEST_PAGE;
use super::session::{Session, SignIn};
use super::{delete, describe, presence, query};
use crate::apply::{Answer, BatchSpecification, IdSource, JobProgress, Presence, Ticket};
use crate::base::{CallBudget, RecordId};
use crate::manifest::ZuoraTarget;
use crate::plan::{Identity, ObjectFacts, Query};
use crate::provider::secrets::SecretSource;
use crate::provider::transport::Transport;
use crate::provider::{AnswerSink, Completeness, ErrorClass, Provider, ProviderError, RowSink};
use crate::system::{Api, DeleteMode, SystemKind};
use crate::system::{Capabilities, RouteCapability};

/// What Zuora can do.
const CAPABILITIES: Capabilities = Capabilities {
    system: SystemKind::Zuora,
    key: "Id",
    change_stamp: Some("UpdatedDate"),
    budget: None,
    routes: &[RouteCapability {
        api: Api::ZuoraSoap,
        soft: false,
        hard: true,
        batch_size: delete::MOST_IDS as u64,
        atomic_size: 0,
        serial: true,
        // A tenant takes 40 requests at once from everybody (documented); the calls of ten minutes are used up by fewer.
        parallel: 4,
        calls_per_batch: 1,
        preferred_up_to: None,
    }],
    page_size: LARGEST_PAGE as u64,
    presence_size: presence::MOST_IDS,
};

/// The calls a target may make: those of any ten minutes (documented in 2015), and a little longer, since calls are counted where
/// they arrive and do not all take equally long on their way.
pub fn call_budget(target: &ZuoraTarget) -> CallBudget {
    CallBudget { calls: target.max_calls, window: Duration::from_secs(605) }
}

/// One Zuora tenant. It signs in when it is first asked something, and stays signed in.
pub struct ZuoraProvider {
    budget: CallBudget,
    session: Session,
}

impl ZuoraProvider {
    /// The tenant of a target. Nothing is sent, and no secret is read, before the first question. `transport` keeps to the
    /// target's [`call_budget`].
    pub fn new(target: &ZuoraTarget, transport: Arc<dyn Transport>, secrets: Arc<dyn SecretSource>) -> Self {
        let sign_in = SignIn { target: target.clone(), transport, secrets };
        Self { budget: call_budget(target), session: Session::new(sign_in) }
    }
}

/// The refusal of everything that only an API with jobs has.
fn no_jobs<T>(order: &BatchSpecification) -> Result<T, ProviderError> {
    let doing = format!("delete {} records", order.object);
    Err(error(ErrorClass::Unsupported, &doing, "unsupported", "Zuora's `delete()` has no jobs"))
}

#[async_trait]
impl Provider for ZuoraProvider {
    fn capabilities(&self) -> Capabilities {
        Capabilities { budget: Some(self.budget), ..CAPABILITIES }
    }

    async fn identify(&self) -> Result<Identity, ProviderError> {
        self.session.identity().await
    }

    async fn describe(&self, object: &str) -> Result<ObjectFacts, ProviderError> {
        describe::describe(object)
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
        let doing = format!("delete {object} records");
        if delete == DeleteMode::Soft {
            let message = "Zuora has no recycle bin: what is deleted there cannot be restored";
            return Err(error(ErrorClass::Unsupported, &doing, "no-recycle-bin", message));
        }
        // A tenant has no way to ask whether this user may: the first call tells.
        match describe::describe(object)?.deletable {
            true => Ok(()),
            false => {
                let message = format!("SOAP `delete()` takes no records of {object}");
                Err(error(ErrorClass::Denied, &doing, "not-deletable", message))
            }
        }
    }

    async fn check_presence(&self, object: &str, ids: &[RecordId]) -> Result<Vec<Presence>, ProviderError> {
        presence::check_presence(&self.session, object, ids).await
    }

    async fn send(&self, order: &BatchSpecification, ids: &[RecordId]) -> Result<Vec<Answer>, ProviderError> {
        if order.api != Api::ZuoraSoap || order.delete != DeleteMode::Hard || order.atomic {
            let doing = format!("delete {} records", order.object);
            let message = "Zuora's `delete()` deletes for good, and each record for itself";
            return Err(error(ErrorClass::Unsupported, &doing, "unsupported", message));
        }
        delete::delete(&self.session, order, ids).await
    }

    async fn create(&self, order: &BatchSpecification, _: &dyn IdSource) -> Result<Ticket, ProviderError> {
        no_jobs(order)
    }

    async fn load(&self, order: &BatchSpecification, _: &Ticket, _: Arc<dyn IdSource>) -> Result<(), ProviderError> {
        no_jobs(order)
    }

    async fn start(&self, order: &BatchSpecification, _: &Ticket) -> Result<(), ProviderError> {
        no_jobs(order)
    }

    async fn poll(&self, order: &BatchSpecification, _: &Ticket) -> Result<JobProgress, ProviderError> {
        no_jobs(order)
    }

    async fn collect(
        &self,
        order: &BatchSpecification,
        _: &Ticket,
        _: &dyn IdSource,
        _: &mut dyn AnswerSink,
    ) -> Result<(), ProviderError> {
        no_jobs(order)
    }

    async fn abort(&self, order: &BatchSpecification, _: &Ticket) -> Result<(), ProviderError> {
        no_jobs(order)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    #[tokio::test]
    async fn refuses_what_the_system_cannot_do_and_asks_nothing() {
        let (provider, transport) = tenant(|_| panic!("nothing may be asked"));
        assert_eq!(provider.check("Usage", DeleteMode::Soft).await.expect_err("no bin").class, ErrorClass::Unsupported);
        assert_eq!(provider.check("Payment", DeleteMode::Hard).await.expect_err("never").code, "not-deletable");
        assert_eq!(provider.check("Usage", DeleteMode::Hard).await, Ok(()));
        for order in [
            BatchSpecification { delete: DeleteMode::Soft, ..order("Usage") },
            BatchSpecification { atomic: true, ..order("Usage") },
            BatchSpecification { api: Api::Bulk1, ..order("Usage") },
        ] {
            assert_eq!(provider.send(&order, &ids(1)).await.expect_err("refused").class, ErrorClass::Unsupported);
        }
        let ticket = Ticket("x".into());
        assert_eq!(provider.poll(&order("Usage"), &ticket).await.expect_err("no jobs").class, ErrorClass::Unsupported);
        assert!(transport.seen().is_empty());
    }
}
