//! Zuora as a provider.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::SignedDuration;

use super::delete::Deletions;
use super::session::{Session, SignIn};
use super::{describe, presence, query};
use crate::apply::{BatchSpecification, Presence};
use crate::base::{CallBudget, RecordId};
use crate::manifest::{ZuoraCalls, ZuoraTarget};
use crate::plan::{Count, Identity, ObjectFacts, Query};
use crate::provider::common::{error, refuse_unfit};
use crate::provider::secrets::SecretSource;
use crate::provider::transport::Transport;
use crate::provider::{Completeness, DeleteHalf, ErrorClass, Provider, ProviderError, ReadHalf, RowSink};
use crate::system::zuora::{CALLS_IN_TEN_MINUTES, CAPABILITIES, DAY, HOUR, MINUTE, TEN_MINUTES};
use crate::system::{Capabilities, DeleteMode};

/// The calls a target may make.
pub fn call_budget(target: &ZuoraTarget) -> CallBudget {
    match target.max_calls {
        ZuoraCalls::InTenMinutes(calls) => CallBudget::new(calls, TEN_MINUTES),
        ZuoraCalls::InWindows { minute, hour, day } => {
            let windows = [(minute, MINUTE), (hour, HOUR), (day, DAY)].into_iter();
            let mut windows = windows.filter_map(|(calls, length)| Some((calls?, length)));
            let (calls, length) = windows.next().unwrap_or((CALLS_IN_TEN_MINUTES, TEN_MINUTES));
            windows.fold(CallBudget::new(calls, length), |budget, (calls, length)| budget.and(calls, length))
        }
    }
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

#[async_trait]
impl ReadHalf for ZuoraProvider {
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
        describe::describe(object)
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
        let doing = format!("delete {object} records");
        if delete == DeleteMode::Soft {
            let message = "Zuora has no recycle bin: what is deleted there cannot be restored";
            return Err(error(ErrorClass::Unsupported, &doing, "no-recycle-bin", message));
        }
        // A tenant has no way to ask whether this user may: the first call tells.
        match describe::describe(object)?.deletable {
            true => Ok(()),
            false => {
                let message = format!("SOAP `delete()` does not accept records of {object}");
                Err(error(ErrorClass::Denied, &doing, "not-deletable", message))
            }
        }
    }

    async fn check_presence(&self, object: &str, ids: &[RecordId]) -> Result<Vec<Presence>, ProviderError> {
        presence::check_presence(&self.session, object, ids).await
    }
}

impl Provider for ZuoraProvider {
    fn delete_half<'a>(&'a self, specification: &'a BatchSpecification) -> Result<DeleteHalf<'a>, ProviderError> {
        refuse_unfit(&CAPABILITIES, specification)?;
        Ok(DeleteHalf::Requests(Box::new(Deletions { session: &self.session, object: &specification.object })))
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;
    use crate::system::Api;

    #[tokio::test]
    async fn refuses_what_the_system_cannot_do_and_asks_nothing() {
        let (provider, transport) = tenant(|_| panic!("nothing may be asked"));
        assert_eq!(
            provider.check_permission("Usage", DeleteMode::Soft).await.expect_err("no bin").class,
            ErrorClass::Unsupported
        );
        assert_eq!(provider.check_permission("Payment", DeleteMode::Hard).await.expect_err("never").code, "not-deletable");
        assert_eq!(provider.check_permission("Usage", DeleteMode::Hard).await, Ok(()));
        for specification in [
            BatchSpecification { delete: DeleteMode::Soft, ..specification("Usage") },
            BatchSpecification { atomic: true, ..specification("Usage") },
            BatchSpecification { api: Api::Bulk1, ..specification("Usage") },
        ] {
            assert_eq!(provider.delete_half(&specification).err().expect("refused").class, ErrorClass::Unsupported);
        }
        assert!(transport.seen().is_empty());
    }
}
