//! When each policy of a run is carried out: as soon as those it depends on have ended.

use std::collections::BTreeMap;

use futures::FutureExt as _;
use futures::future::join_all;
use tokio::sync::{Semaphore, oneshot};

use super::execute_error::ExecuteError;
use super::policy::{End, PolicyExecutor};
use super::policy_run::{PolicyResult, PolicyRun};
use super::replay::Replay;
use super::run::Run;
use crate::base::PolicyName;

/// How many policies are carried out at once. Each has a few files open.
const POLICIES_AT_ONCE: usize = 16;

/// Carries out policies, given in the order of apply, each as soon as those it depends on have succeeded. The same call begins
/// a run and continues one, whatever happened in between.
///
/// A policy whose dependency has ended without success is skipped for good; one whose dependency is only unfinished waits
/// with it for the next run.
///
/// # Errors
///
/// When the journal or the store fails, or something does not balance. The other policies are stopped then, as if by the user.
pub async fn execute(run: &Run<'_>, policies: Vec<PolicyRun>, replay: &Replay) -> Result<Vec<PolicyResult>, ExecuteError> {
    let permits = Semaphore::new(POLICIES_AT_ONCE);
    let permits = &permits;
    let mut ends: BTreeMap<PolicyName, End> = BTreeMap::new();
    let names: Vec<PolicyName> = policies.iter().map(|input| input.specification.policy.clone()).collect();
    let mut executions = Vec::new();
    for input in &policies {
        let policy = input.specification.policy.clone();
        let Some(replayed) = replay.policies.get(&policy).cloned() else {
            return Err(ExecuteError::Misuse { policy, why: "was not replayed" });
        };
        let mut before = Vec::new();
        for name in &input.depends_on {
            match ends.get(name) {
                Some(end) => before.push((name.clone(), end.clone())),
                None if names.contains(name) => {
                    return Err(ExecuteError::Misuse { policy, why: "comes before a policy it depends on" });
                }
                None => {}
            }
        }
        let (tell, end) = oneshot::channel();
        ends.insert(policy.clone(), end.map(Result::ok).boxed().shared());
        executions.push(async move {
            let result = PolicyExecutor::new(run, input, replayed).execute(before, permits).await;
            match &result {
                // Nobody may be waiting for it.
                Ok(kind) => _ = tell.send(kind.clone()),
                // The fault is on this side, not in the system, so the other policies could not continue either.
                Err(_) => run.stop.cancel(),
            }
            result.map(|kind| PolicyResult { policy, kind })
        });
    }
    join_all(executions).await.into_iter().collect()
}
