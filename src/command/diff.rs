//! `sexton diff`.

use std::collections::BTreeSet;
use std::path::PathBuf;

use clap::Args;

use super::{Shell, Verb};
use crate::base::{CommandError, Exit, PolicyName, RecordId};
use crate::plan::{self, DifferenceCounts, Symbol};
use crate::report::{ChangeView, DifferenceView};
use crate::select::broken_selection;
use crate::store::Bundle;

/// Compare two plans record by record, offline
#[derive(Clone, Debug, Args)]
pub struct Diff {
    /// The earlier plan's directory
    before: PathBuf,
    /// The later plan's directory
    after: PathBuf,
    /// Exit with 2 when they differ
    #[arg(long)]
    detailed_exitcode: bool,
    /// Print the counts only
    #[arg(long)]
    summary: bool,
}

impl Verb for Diff {
    async fn run(&self, shell: &dyn Shell) -> Result<Exit, CommandError> {
        let before = Bundle::open(&shell.place(&self.before))?;
        let after = Bundle::open(&shell.place(&self.after))?;
        let names: BTreeSet<PolicyName> = [&before, &after]
            .into_iter()
            .flat_map(|bundle| bundle.header().policies.iter().map(|policy| policy.policy.clone()))
            .collect();
        let mut policies = Vec::new();
        for name in names {
            let counts = self.compare(&name, &before, &after, shell)?;
            policies.push((name, counts));
        }
        shell.show(&DifferenceView {
            policies: &policies,
            manifests_before: &before.header().manifests.documents,
            manifests_after: &after.header().manifests.documents,
        })?;
        let differ = policies.iter().any(|(_, counts)| counts.moved());
        Ok(if self.detailed_exitcode && differ { Exit::ChangesPresent } else { Exit::Done })
    }
}

impl Diff {
    /// Compares one policy, and shows every record that is in one plan only, in the order of ids. Nothing is held in memory.
    fn compare(
        &self,
        policy: &PolicyName,
        before: &Bundle,
        after: &Bundle,
        shell: &dyn Shell,
    ) -> Result<DifferenceCounts, CommandError> {
        let mut counts = DifferenceCounts::default();
        let (before, after) = (ids(before, policy)?, ids(after, policy)?);
        for difference in plan::compare(before, after, std::iter::empty(), std::iter::empty(), std::iter::empty()) {
            let difference = difference.map_err(|error| broken_selection(policy, &error))?;
            counts.add(difference);
            if !self.summary && difference.symbol != Symbol::Reviewed {
                shell.show(&ChangeView { policy, difference })?;
            }
        }
        Ok(counts)
    }
}

/// The ids of a policy in a bundle; none where the bundle does not have the policy.
fn ids(
    bundle: &Bundle,
    policy: &PolicyName,
) -> Result<impl Iterator<Item = std::io::Result<RecordId>> + use<>, CommandError> {
    let rows = bundle.rows(policy).transpose()?;
    Ok(rows.into_iter().flatten().map(|row| row.map(|row| row.id).map_err(std::io::Error::other)))
}
