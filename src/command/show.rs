//! `sexton show`: look at a bundle.

use std::collections::BTreeMap;
use std::path::Path;

use crate::base::CommandError;
use crate::base::PolicyName;
use crate::plan::Row;
use crate::report::{PolicySample, SampleRow};
use crate::store::Bundle;

/// How many records of each policy a sample shows.
const SAMPLED: usize = 8;

/// Opens a bundle and checks every digest in it. A stale or expired plan can be shown like any other.
pub fn show(directory: &Path) -> Result<(Bundle, BTreeMap<PolicyName, PolicySample>), CommandError> {
    let bundle = Bundle::open(directory)?;
    let mut samples = BTreeMap::new();
    for policy in &bundle.header().policies {
        let mut sample = PolicySample::default();
        if let Some(rows) = bundle.rows(&policy.policy) {
            let rows = rows?;
            sample.columns = policy.records.columns.clone();
            for row in rows.take(SAMPLED) {
                let row = row.map_err(|error| unreadable(&error))?;
                sample.rows.push(SampleRow { symbol: '-', id: row.id, values: row.values });
            }
        }
        sample.more = policy.selected - sample.rows.len() as u64;
        samples.insert(policy.policy.clone(), sample);
    }
    Ok((bundle, samples))
}

/// Tells `each` about every record of a bundle, in the order of the plan.
pub fn show_records(bundle: &Bundle, each: &mut dyn FnMut(&PolicyName, &Row)) -> Result<(), CommandError> {
    for policy in &bundle.header().policies {
        if let Some(rows) = bundle.rows(&policy.policy) {
            for row in rows? {
                each(&policy.policy, &row.map_err(|error| unreadable(&error))?);
            }
        }
    }
    Ok(())
}

fn unreadable(error: &std::io::Error) -> CommandError {
    CommandError::plain("the plan's records could not be read to their end").caused_by(error)
}
