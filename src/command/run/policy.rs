//! One policy of a run, as it is handed over to be carried out.

use std::sync::Arc;

use crate::apply::BatchSpecification;
use crate::execute::{PlannedIds, PolicyRun, is_grouped};
use crate::manifest::{AllOrNone, Concurrency, SendAs};
use crate::plan::PlannedPolicy;
use crate::provider::Provider;
use crate::store::Bundle;

/// One policy to carry out, before anything is known of its recheck; `None` for one without records. Without a `provider` nothing
/// is asked and nothing sent.
pub(in crate::command) fn policy_run(
    bundle: &Arc<Bundle>,
    planned: &PlannedPolicy,
    provider: Option<&Arc<dyn Provider>>,
) -> Option<PolicyRun> {
    let route = planned.run_route()?;
    let source = Arc::clone(bundle);
    let policy = planned.policy.clone();
    let planned_ids: PlannedIds = Arc::new(move || {
        let rows = source
            .rows(&policy)
            .ok_or_else(|| std::io::Error::other("the plan does not have the policy"))?
            .map_err(std::io::Error::other)?;
        Ok(Box::new(rows.map(|row| row.map(|row| row.id).map_err(std::io::Error::other))))
    });
    let settings = &planned.settings;
    Some(PolicyRun {
        specification: BatchSpecification {
            policy: planned.policy.clone(),
            object: planned.query.object.clone(),
            delete: settings.delete,
            api: route.api,
            atomic: settings.all_or_none != AllOrNone::No,
            serial: settings.concurrency == Concurrency::Serial,
            matching: planned.query.matching.condition().filter(|_| settings.send_as == SendAs::Query).map(str::to_owned),
        },
        route,
        depends_on: settings.depends_on.clone(),
        provider: provider.map(Arc::clone),
        planned: planned.selected,
        planned_ids,
        grouped: is_grouped(planned),
        isolate_failures: false,
        recheck: None,
        stopped: None,
    })
}
