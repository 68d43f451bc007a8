//! Proofs before an apply sends anything: the plan says what the manifests say, and a run's files hold planned records only.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::base::TargetName;
use crate::base::{CommandError, Exit};
use crate::plan;
use crate::select::{Connection, Project, broken_selection, query_for};
use crate::store::{Bundle, IdsFile, RowSorter, RunDirectory, SortOrder};

/// What to do when a file of a run is lost that nothing can replace.
pub const RESTORE: &str = "restore it from a copy of the run's directory and run the same command again; or take the plan's \
                                  directory away and make a new plan, which looks at what is there now";

/// Works every policy out again from the manifests, with the plan's own clock reading, and refuses a plan that says anything else.
///
/// A bundle's digests show that it was not altered by accident; whoever can write the bundle can also write new digests. What
/// would be done is therefore never taken from the bundle's word alone. The records are: they are what people reviewed, and the
/// recheck keeps back those that the query does not give.
pub async fn refuse_other_words(
    project: &Project,
    bundle: &Bundle,
    connections: &mut BTreeMap<TargetName, Connection>,
) -> Result<(), CommandError> {
    let header = bundle.header();
    let settings = &project.workspace.project;
    let created = header.created.to_zoned(settings.time_zone.clone());
    let expires = settings.plan_expires_after.after(&created).map(|expires| expires.timestamp());
    if expires.ok() != Some(header.expires) {
        return Err(other_words("it expires at another moment than the project's `planExpiresAfter` gives"));
    }
    if header.policies.len() != project.workspace.policies.len() {
        return Err(other_words("it does not have the policies of the manifests"));
    }
    for planned in &header.policies {
        let Some(policy) = project.workspace.policies.get(&planned.policy) else {
            return Err(other_words(&format!("the manifests have no policy `{}`", planned.policy)));
        };
        if policy.settings != planned.settings {
            let differing: Vec<String> =
                policy.settings.differing(&planned.settings).iter().map(|key| format!("`{key}`")).collect();
            let (planned, differing) = (&planned.policy, differing.join(" and "));
            return Err(other_words(&format!("policy `{planned}`: the manifests give another {differing}")));
        }
        let Some(connection) = connections.get_mut(&policy.settings.target) else {
            return Err(other_words(&format!("policy `{}` has no target", planned.policy)));
        };
        let facts = connection.describe(&policy.settings.object).await?;
        let capabilities = connection.provider.capabilities();
        let (layout, query) = query_for(policy, &facts, &capabilities, &created, &project.workspace.sources)?;
        let route = plan::choose(&policy.settings, planned.selected, &capabilities).ok();
        let route = route.filter(|_| planned.selected > 0);
        let what = [
            ("query", query == planned.query),
            ("route", route == planned.route),
            ("columns", layout.columns() == planned.records.columns),
            ("number of records", planned.records.rows == planned.selected),
        ];
        if let Some((what, _)) = what.into_iter().find(|(_, same)| !same) {
            return Err(other_words(&format!("policy `{}`: its {what} is not what the manifests give", planned.policy)));
        }
    }
    Ok(())
}

fn other_words(cause: &str) -> CommandError {
    CommandError::new(Exit::PlanUnusable, "the plan does not match the manifests it was made from; nothing was deleted")
        .with_note(cause.to_owned())
        .with_note("the bundle was written by something else than `sexton plan`, or the object changed in the system")
        .with_help("make a new plan with `sexton plan` and review it")
}

/// Refuses to go on with a run whose files name a record that was not planned.
///
/// The journal vouches for these files by digest; this holds even if both were written by something else.
pub fn refuse_unplanned_rounds(bundle: &Arc<Bundle>, directory: &RunDirectory) -> Result<(), CommandError> {
    for planned in &bundle.header().policies {
        let name = &planned.policy;
        let broken = |error: &dyn std::error::Error| broken_selection(name, error);
        // A file that is missing is noticed when the run goes on.
        for number in 0.. {
            let path = directory.round(name, number);
            if !path.exists() {
                break;
            }
            let scratch = directory.scratch(&format!("verify.{name}")).map_err(|error| broken(&error))?;
            let mut sorter = RowSorter::new(scratch.path(), SortOrder::Id, RowSorter::WINDOW);
            let unreadable = |error: &std::io::Error| {
                CommandError::new(Exit::SomeFailed, format!("{} cannot be used; nothing more was sent", path.display()))
                    .caused_by(error)
                    .with_help(RESTORE)
            };
            let file = IdsFile::open(&path).map_err(|error| unreadable(&error))?;
            for id in file.iter().map_err(|error| unreadable(&error))? {
                let (id, _) = id.map_err(|error| unreadable(&error))?;
                sorter.push(&plan::Row { id, values: Vec::new() }).map_err(|error| broken(&error))?;
            }
            let round = sorter.finish().map_err(|error| broken(&error))?;
            let rows = bundle.rows(name).transpose()?.into_iter().flatten();
            let ids = rows.map(|row| row.map(|row| row.id).map_err(std::io::Error::other));
            if let Some(id) = plan::subtract(round.distinct_ids(), ids).next() {
                let id = id.map_err(|error| broken(&error))?;
                return Err(CommandError::new(
                    Exit::SomeFailed,
                    format!("{} names the record {id}, which is not in the plan; nothing more was sent", path.display()),
                )
                .with_note("the run's files were written by something else than `sexton apply`")
                .with_help(RESTORE));
            }
        }
    }
    Ok(())
}
