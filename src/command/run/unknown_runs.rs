//! Runs that the store has and the state does not know: the state was restored from an older copy.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;

use crate::apply::Event;
use crate::base::{Actor, CommandError, Digest, Exit};
use crate::select::{Context, Project};
use crate::state::{PlanStatus, State};
use crate::store::{Backend, Key, RunStore, StoreError, kept_header, read_journal};

/// A run that has sent something.
struct BegunRun {
    plan: Digest,
    at: Timestamp,
    by: Actor,
}

/// The state with every run of this project in the store that has sent something: those that it does not know are unfinished in it,
/// until an apply has told it how they ended. Otherwise another plan could be made and applied beside them, and what they have deleted
/// would never have an outcome.
///
/// # Errors
///
/// When the store cannot be read.
pub(in crate::command) async fn with_unknown_runs(
    context: &Context,
    project: &Project,
    state: State,
) -> Result<State, CommandError> {
    let (state, unknown) = whole_state(context, project, state).await?;
    for plan in unknown {
        context.observer.warn(&format!(
            "the state has no record of the run of the plan {}, which the store has: it is probably an older copy, and the run \
             counts as unfinished until an apply has told the state how it ended",
            plan.short()
        ));
    }
    Ok(state)
}

/// The same without a word, and the plans of the runs that the state does not know.
pub(super) async fn whole_state(
    context: &Context,
    project: &Project,
    state: State,
) -> Result<(State, Vec<Digest>), CommandError> {
    let store = project.store(context);
    let mut begun = Vec::new();
    for name in unknown(store.as_ref(), &state).await? {
        let Some(run) = begun_run(store.as_ref(), &name).await? else { continue };
        let header = kept_header(&RunStore::new(Arc::clone(&store) as Arc<dyn Backend>, run.plan)).await?;
        // One of another project is not for this one to end; where it is not known whose it is, it counts as this one's.
        if header.is_none_or(|header| header.lineage == state.lineage) {
            begun.push(run);
        }
    }
    if begun.is_empty() {
        return Ok((state, Vec::new()));
    }
    // A run is in the state before its first request: one that has begun while this was read is in it by now.
    let mut state = project.state(context).load().await?.unwrap_or(state);
    begun.retain(|run| state.status_of(run.plan) == PlanStatus::Unused);
    for BegunRun { plan, at, by } in &begun {
        state.consume(*plan, *at, by).map_err(|error| CommandError::new(Exit::PlanUnusable, error.to_string()))?;
    }
    Ok((state, begun.into_iter().map(|run| run.plan).collect()))
}

/// The names of the runs that the store has anything of, and the state does not know.
async fn unknown(store: &dyn Backend, state: &State) -> Result<BTreeSet<String>, StoreError> {
    let known: BTreeSet<String> = state.consumed.iter().map(|consumed| consumed.plan.short()).collect();
    let keys = store.list(&Key::literal("runs")).await?;
    let names = keys.iter().filter_map(|key| key.as_str().split('/').nth(1).map(str::to_owned));
    Ok(names.filter(|name| !known.contains(name)).collect())
}

/// The run of that name, where its journal says that something was about to be sent.
async fn begun_run(store: &dyn Backend, name: &str) -> Result<Option<BegunRun>, CommandError> {
    let prefix = Key::new(format!("runs/{name}/journal"));
    let prefix = prefix.map_err(|error| CommandError::plain(error.to_string()))?;
    let (mut run, mut sends) = (None, false);
    read_journal(store, &prefix, |entry| match entry.event {
        Event::RunOpened { plan, by, .. } if run.is_none() => run = Some(BegunRun { plan, at: entry.at, by }),
        Event::Intended { .. } => sends = true,
        _ => {}
    })
    .await
    .map_err(|error| {
        CommandError::from(error)
            .with_note(format!("it is of the run {name}, of which the state has no record"))
            .with_help("restore the newer state, if there is one, or the whole store from a copy")
    })?;
    Ok(run.filter(|_| sends))
}
