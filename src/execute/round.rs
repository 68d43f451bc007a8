//! One round of a policy: in the journal, and as scratch files.

use std::sync::Arc;

use super::execute_error::ExecuteError;
use crate::apply::{Excluded, Seal};
use crate::base::PolicyName;
use crate::store::{IdsFile, MessagesFile, Place, RunScratch, RunStore, StatusFile};

/// A round as the journal has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenedRound {
    /// Its records.
    pub count: u64,
    /// The object of their ids.
    pub ids: Seal,
    /// What is not sent any more from this round on.
    pub excluded: Option<Excluded>,
}

/// The scratch files of one round.
#[derive(Clone)]
pub(super) struct RoundFiles {
    pub number: u32,
    pub ids: Arc<IdsFile>,
    /// The records excluded from this round on.
    pub excluded: Option<Arc<IdsFile>>,
    pub statuses: Arc<StatusFile>,
    /// Whether the ids are in ascending order.
    pub ascending: bool,
}

impl RoundFiles {
    /// Brings a round out of the store. No record of it has a status yet.
    ///
    /// # Errors
    ///
    /// When the store has lost it, or a scratch file cannot be used.
    pub async fn fetch(
        run: &RunStore,
        scratch: &RunScratch,
        policy: &PolicyName,
        number: u32,
        round: &OpenedRound,
        messages: &Arc<MessagesFile>,
    ) -> Result<Self, ExecuteError> {
        run.fetch(run.round(policy, number), round.ids, &scratch.round(policy, number)).await?;
        if let Some(excluded) = &round.excluded {
            run.fetch(run.excluded(policy, number), excluded.records, &scratch.excluded(policy, number)).await?;
        }
        Self::open(scratch, policy, number, round, messages)
    }

    /// Opens the scratch files of a round that was just written or fetched.
    ///
    /// # Errors
    ///
    /// When they cannot be used, or do not have as many records as the journal says.
    pub fn open(
        scratch: &RunScratch,
        policy: &PolicyName,
        number: u32,
        round: &OpenedRound,
        messages: &Arc<MessagesFile>,
    ) -> Result<Self, ExecuteError> {
        let place = scratch.round(policy, number);
        let ids = open_ids(&place, round.count)?;
        let ascending = ids.is_ascending().map_err(ExecuteError::file("read", place.path()))?;
        let excluded = match &round.excluded {
            Some(excluded) => Some(Arc::new(open_ids(&scratch.excluded(policy, number), excluded.count)?)),
            None => None,
        };
        let place = scratch.statuses(policy, number);
        let statuses = StatusFile::create(&place, Arc::clone(messages), round.count);
        let statuses = statuses.map_err(ExecuteError::file("make", place.path()))?;
        Ok(Self { number, ids: Arc::new(ids), excluded, statuses: Arc::new(statuses), ascending })
    }
}

fn open_ids(place: &Place, count: u64) -> Result<IdsFile, ExecuteError> {
    let ids = IdsFile::open(place).map_err(ExecuteError::file("open", place.path()))?;
    if ids.count() == count {
        return Ok(ids);
    }
    let why = format!("it has {} records, and the journal says {count}", ids.count());
    Err(ExecuteError::file("use", place.path())(std::io::Error::new(std::io::ErrorKind::InvalidData, why)))
}
