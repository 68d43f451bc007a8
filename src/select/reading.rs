//! Reading every record a query means, sorted, and proven complete.

use std::path::Path;
use std::time::Duration;

use super::Context;
use crate::apply::back_off;
use crate::base::CommandError;
use crate::base::PolicyName;
use crate::plan::{Query, Row};
use crate::provider::{ErrorClass, Provider, RowSink};
use crate::store::{RowSorter, SortOrder, SortedRows};

/// How often progress is told.
const TOLD_EVERY: u64 = 10_000;

/// So many times a selection is read that moves while it is read.
const READINGS: u32 = 8;

/// The pauses between those.
const PAUSE: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));

/// Puts rows into a sorter and tells how many there are.
struct SortingSink<'a> {
    sorter: RowSorter,
    host: &'a Context,
    policy: Option<&'a PolicyName>,
    doing: &'a str,
    expected: u64,
}

impl RowSink for SortingSink<'_> {
    fn row(&mut self, row: Row) -> std::io::Result<()> {
        self.sorter.push(&row)?;
        if self.sorter.count().is_multiple_of(TOLD_EVERY) {
            self.host.observer.progress(self.policy, self.doing, self.sorter.count(), Some(self.expected));
        }
        Ok(())
    }
}

/// What is read, for whom.
pub struct Reading<'a> {
    /// The system.
    pub provider: &'a dyn Provider,
    /// Who looks on.
    pub host: &'a Context,
    /// For which policy.
    pub policy: Option<&'a PolicyName>,
    /// In words for people.
    pub doing: &'a str,
    /// Where rows go that do not fit into memory.
    pub spill: &'a Path,
}

impl Reading<'_> {
    /// Reads every row of a query. The provider has proven that they are all there; any doubt is an error.
    pub async fn all(&self, query: &Query, order: SortOrder) -> Result<SortedRows, CommandError> {
        self.read(query, order, 1).await
    }

    /// The same for a run that is continued: jobs it has begun may be at work on the very records. A selection that moves
    /// while it is read is read again, a bounded number of times.
    pub async fn all_while_jobs_end(&self, query: &Query, order: SortOrder) -> Result<SortedRows, CommandError> {
        self.read(query, order, READINGS).await
    }

    async fn read(&self, query: &Query, order: SortOrder, most: u32) -> Result<SortedRows, CommandError> {
        let mut readings = 1;
        let (sink, proof) = loop {
            let expected = self.provider.count(query).await?;
            let sorter = RowSorter::new(self.spill, order, RowSorter::WINDOW);
            let mut sink = SortingSink { sorter, host: self.host, policy: self.policy, doing: self.doing, expected };
            match self.provider.select(query, expected, &mut sink).await {
                Ok(proof) => break (sink, proof),
                Err(error) if error.class == ErrorClass::Incomplete && readings < most => {
                    tokio::time::sleep(back_off(PAUSE.0, PAUSE.1, readings, self.host.seed)).await;
                    readings += 1;
                }
                Err(error) => return Err(error.into()),
            }
        };
        let received = sink.sorter.count();
        // The provider promises this; a plan rests on it, so it is not taken on trust.
        if proof.rows != proof.declared || received != proof.declared {
            return Err(CommandError::plain(format!(
                "the read of {} was not complete: {received} rows came and the system declared {}",
                query.object, proof.declared
            ))
            .with_help("nothing was planned or deleted; run the same command again"));
        }
        self.host.observer.progress(self.policy, self.doing, received, Some(received));
        sink.sorter.finish().map_err(|error| {
            CommandError::plain("the rows could not be sorted")
                .caused_by(&error)
                .with_help(format!("see that there is room on the disk below {}", self.spill.display()))
        })
    }
}
