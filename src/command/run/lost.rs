//! A run whose journal is lost: nobody knows which of its records were sent.

use std::io;

use super::still_open;
use crate::apply::{Evidence, Outcome, OutcomeKind};
use crate::base::{CommandError, PolicyName};
use crate::state::{PolicyEnd, State};
use crate::store::{Bundle, OutcomesWriter, RunScratch, RunStore, read_outcomes};

/// Writes the outcomes of such a run: every record of its plan may have been sent, and ends unknown.
pub(in crate::command) async fn unknown_ends(
    store: &RunStore,
    scratch: &RunScratch,
    bundle: &Bundle,
    state: &State,
) -> Result<Vec<(PolicyName, PolicyEnd)>, CommandError> {
    let unwritten = |error: io::Error| CommandError::plain("the outcomes cannot be written").caused_by(&error);
    let mut ends = Vec::new();
    for planned in bundle.header().policies.iter().filter(|planned| planned.selected > 0) {
        let path = scratch.outcomes(&planned.policy);
        let mut writer = OutcomesWriter::create(&path).map_err(unwritten)?;
        for row in bundle.rows(&planned.policy).transpose()?.into_iter().flatten() {
            let id = row.map_err(io::Error::other).map_err(unwritten)?.id;
            let unknown = Outcome { id, kind: OutcomeKind::Unknown, evidence: Evidence::None };
            writer.push(&unknown).map_err(unwritten)?;
        }
        let tally = writer.finish().map_err(unwritten)?;
        let outcomes = store.publish(store.outcomes(&planned.policy), &path).await?;
        let open = still_open(state, &planned.policy, read_outcomes(&path).map_err(unwritten)?)?;
        let (labels, population) = (planned.labels.clone(), Some(planned.population));
        ends.push((planned.policy.clone(), PolicyEnd { labels, tally, outcomes, population, open }));
    }
    Ok(ends)
}
