//! Why a plan, or one policy of a run, may not be carried out.

use std::collections::{BTreeMap, BTreeSet};

use super::fresh::{gather, share_at_its_end};
use crate::base::{CommandError, PolicyName};
use crate::command::run::Stopped;
use crate::execute::{OpenedRun, Recheck};
use crate::plan::{Share, Totals};
use crate::select::{Connections, ProjectContext};
use crate::state::State;

/// Asks the gates again, on the fresh numbers: why policies may not be carried out, or not any further. A policy that was not
/// rechecked only counts with what this run has deleted of it; so does one that is `stopped`, and one that depends on such a one.
pub(super) async fn refusals_on_fresh_numbers(
    context: &ProjectContext<'_>,
    opened: &OpenedRun,
    connections: &Connections,
    (rechecks, stopped): (&BTreeMap<PolicyName, Recheck>, &BTreeMap<PolicyName, String>),
    state: &State,
    begun: bool,
    max_records: Option<u64>,
) -> Result<BTreeMap<PolicyName, Vec<String>>, CommandError> {
    let (header, project, now) = (opened.bundle.header(), context.project, context.now);
    let (fresh, mut refusals) = gather((project, now), opened, connections, rechecks, state, begun).await?;
    let mut judge = |together: Option<&Totals>, stopped: Option<&Stopped<'_>>| {
        for policy in &fresh {
            if stopped.is_some_and(|stopped| stopped.of(&policy.planned.policy).is_some()) {
                continue;
            }
            let name = &policy.planned.policy;
            let found = policy.refusals(now, together.and_then(|totals| totals.of(policy.planned)).as_ref());
            if !found.is_empty() {
                refusals.insert(name.clone(), found);
            }
        }
        refusals.keys().cloned().collect::<BTreeSet<_>>()
    };
    let refused = judge(None, None).into_iter().map(|policy| (policy, String::new()));
    // Nothing is sent of what depends on them either.
    let stopped = Stopped::new(header, refused.chain(stopped.clone()).collect(), &BTreeMap::new());
    let mut shares: Vec<Share<'_>> = Vec::new();
    for planned in &header.policies {
        let fresh = fresh.iter().find(|policy| policy.planned.policy == planned.policy);
        shares.push(match fresh {
            Some(policy) => policy.share(stopped.of(&planned.policy).is_some()),
            None => share_at_its_end(planned, opened),
        });
    }
    let sealed = shares.iter().map(|share| Share { limits: share.planned.settings.limits, ..*share });
    let sealed = Totals::of_shares(&header.shared_limits, sealed);
    let totals = Totals::of_shares(&project.workspace.project.shared_limits, shares.iter().copied());
    judge(Some(&totals.stricter(&sealed, max_records)), Some(&stopped));
    Ok(refusals)
}
