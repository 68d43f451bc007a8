//! Reading every record a query means, sorted, and proven complete.

use std::time::Duration;

use super::Context;
use super::connection::Connection;
use super::read_error::ReadError;
use super::sort_space::SortSpace;
use crate::apply::back_off;
use crate::base::{CommandError, PolicyName};
use crate::plan::{Query, Row};
use crate::provider::{ErrorClass, RowSink};
use crate::store::{RowSorter, SortedRows};

/// How often progress is told.
const TOLD_EVERY: u64 = 10_000;

/// How often a selection is read if it changes while it is read.
const READINGS: u32 = 8;

/// The pauses between those.
const PAUSE: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));

/// What to do about a selection that moves while it is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IfMoving {
    /// It is not complete, and an error.
    Refuse,
    /// It is read again, a bounded number of times: jobs of a run that was begun before may be at work on the very records.
    ReadAgain,
}

/// What is read.
#[derive(Clone, Copy)]
pub(super) struct Reading<'a> {
    pub query: &'a Query,
    /// For which policy; `None` for several.
    pub policy: Option<&'a PolicyName>,
    /// In words for people.
    pub doing: &'a str,
    pub if_moving: IfMoving,
}

/// Puts rows into a sorter and tells how many there are.
struct SortingSink<'a> {
    sorter: RowSorter,
    context: &'a Context,
    reading: Reading<'a>,
    expected: Option<u64>,
}

impl RowSink for SortingSink<'_> {
    fn row(&mut self, row: Row) -> std::io::Result<()> {
        self.sorter.push(&row)?;
        let received = self.sorter.count();
        if received.is_multiple_of(TOLD_EVERY) {
            let Reading { policy, doing, .. } = self.reading;
            self.context.observer.progress(policy, doing, received, self.expected);
        }
        Ok(())
    }
}

/// Reads every row of a query, by id. The provider has proven that they are all there; any doubt is an error.
pub(super) async fn read_sorted(
    context: &Context,
    connection: &Connection,
    reading: Reading<'_>,
    space: &SortSpace,
) -> Result<SortedRows, ReadError> {
    let Reading { query, policy, doing, if_moving } = reading;
    let mut readings = 1;
    let (sink, proof) = loop {
        let expected = connection.count(query).await?;
        let mut sink = SortingSink { sorter: space.sorter(), context, reading, expected: expected.exact() };
        match connection.select(query, &expected, &mut sink).await {
            Ok(proof) => break (sink, proof),
            Err(error)
                if error.class == ErrorClass::Incomplete && if_moving == IfMoving::ReadAgain && readings < READINGS =>
            {
                context.timer.sleep(back_off(PAUSE.0, PAUSE.1, readings, context.seed)).await;
                readings += 1;
            }
            Err(error) => return Err(error.into()),
        }
    };
    let received = sink.sorter.count();
    // The provider promises this; a plan rests on it, so it is not taken on trust.
    if proof.rows != proof.declared || received != proof.declared {
        let incomplete = CommandError::plain(format!(
            "the read of {} was not complete: {received} rows arrived, but the system declared {}",
            query.object, proof.declared
        ))
        .with_help("nothing was planned or deleted; run the same command again");
        return Err(ReadError::Other(incomplete));
    }
    context.observer.progress(policy, doing, received, Some(received));
    space.finish(sink.sorter).map_err(|error| unsorted_rows(&error, space))
}

/// The error of rows that could not be sorted.
pub(super) fn unsorted_rows(error: &std::io::Error, space: &SortSpace) -> ReadError {
    let directory = space.directory().path().display();
    let unsorted = CommandError::plain("the rows could not be sorted").caused_by(error);
    ReadError::Other(unsorted.with_help(format!("check that there is free space on the disk below {directory}")))
}
