//! `sexton diff`: compare two bundles record by record.

use std::collections::BTreeSet;
use std::path::PathBuf;

use crate::base::{CommandError, Exit};
use crate::base::{PolicyName, RecordId};
use crate::plan::{self, Difference, DifferenceCounts, SealedFile, Symbol};
use crate::select::broken_selection;
use crate::store::Bundle;

/// What is to be compared.
#[derive(Clone, Debug)]
pub struct DiffRequest {
    /// The earlier bundle.
    pub before: PathBuf,
    /// The later bundle.
    pub after: PathBuf,
}

/// How two bundles differ.
#[derive(Clone, Debug)]
pub struct Differences {
    /// One entry a policy that is in either, by name.
    pub policies: Vec<(PolicyName, DifferenceCounts)>,
    /// The manifests of the earlier plan.
    pub manifests_before: Vec<SealedFile>,
    /// The manifests of the later plan.
    pub manifests_after: Vec<SealedFile>,
}

impl Differences {
    /// Whether any record is in one plan and not in the other.
    pub fn any(&self) -> bool {
        self.policies.iter().any(|(_, counts)| counts.moved())
    }

    /// The exit code, for a caller who asked for the distinction.
    pub fn exit(&self, detailed: bool) -> Exit {
        if detailed && self.any() { Exit::ChangesPresent } else { Exit::Done }
    }
}

/// Compares, telling `each` about every record that is in one plan only, in order of policies and ids. Nothing is held in memory.
pub fn diff(request: &DiffRequest, each: &mut dyn FnMut(&PolicyName, Difference)) -> Result<Differences, CommandError> {
    let before = Bundle::open(&request.before)?;
    let after = Bundle::open(&request.after)?;
    let names: BTreeSet<PolicyName> = [&before, &after]
        .into_iter()
        .flat_map(|bundle| bundle.header().policies.iter().map(|policy| policy.policy.clone()))
        .collect();
    let mut policies = Vec::new();
    for name in names {
        let mut counts = DifferenceCounts::default();
        let differences = plan::compare(ids(&before, &name)?, ids(&after, &name)?, std::iter::empty(), std::iter::empty());
        for difference in differences {
            let difference = difference.map_err(|error| broken_selection(&name, &error))?;
            counts.add(difference);
            if difference.symbol != Symbol::Reviewed {
                each(&name, difference);
            }
        }
        policies.push((name, counts));
    }
    Ok(Differences {
        policies,
        manifests_before: before.header().manifests.files.clone(),
        manifests_after: after.header().manifests.files.clone(),
    })
}

/// The ids of a policy in a bundle; none where the bundle does not have the policy.
fn ids(
    bundle: &Bundle,
    policy: &PolicyName,
) -> Result<impl Iterator<Item = std::io::Result<RecordId>> + use<>, CommandError> {
    let rows = bundle.rows(policy).transpose()?;
    Ok(rows.into_iter().flatten().map(|row| row.map(|row| row.id).map_err(std::io::Error::other)))
}
