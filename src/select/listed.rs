//! Reading the records that a list names, and proving that none of them is missing without a reason.

use std::io;

use futures::{StreamExt as _, TryStreamExt as _, stream};

use super::connection::Connection;
use super::read_error::ReadError;
use super::reading::unsorted_rows;
use super::sort_space::SortSpace;
use crate::apply::Presence;
use crate::base::{CommandError, Observer, PolicyName, RecordId, with_thousands};
use crate::plan::{Count, MissingIds, PlannedQuery, Query, Row};
use crate::provider::RowSink;
use crate::store::SortedRows;

/// How many parts of a list are asked about at once at most; a system may take fewer.
const ASKED_AT_ONCE: usize = 8;

/// How often a part is read again whose records come and go while it is read.
const READINGS: u32 = 3;

/// The records of a list that are there, and the ids of which there is none.
pub(super) struct ListedRecords {
    pub rows: SortedRows,
    pub missing: MissingIds,
}

/// What is asked for, and on whose behalf.
#[derive(Clone, Copy)]
pub(super) struct Listing<'a> {
    pub query: &'a PlannedQuery,
    /// How many ids there are.
    pub ids: u64,
    /// For which policy; `None` for a hold.
    pub policy: Option<&'a PolicyName>,
    /// In words for people.
    pub doing: &'a str,
    pub observer: &'a dyn Observer,
}

/// One part of a list that was read.
struct Part {
    ids: u64,
    rows: Vec<Row>,
    missing: MissingIds,
}

/// Reads the records of sorted `ids`, each there once, as many at a time as one condition takes.
///
/// A selection by a condition is proven complete by the total that the system declares. A list proves itself: each of its ids ends as a
/// record that was read, as one that a check of presence shows as deleted, or as one of which that check shows nothing. A record that is
/// there and was not read is read again, and then an error.
///
/// # Errors
///
/// When the system does not answer, or a record is there and does not come.
pub(super) async fn read_listed<I: Iterator<Item = io::Result<RecordId>>>(
    connection: &Connection,
    listing: Listing<'_>,
    ids: I,
    space: &SortSpace,
) -> Result<ListedRecords, ReadError> {
    let at_once = connection.language().ids_at_once();
    let parts = Parts { ids, at_once }.map(|part| async move {
        let part = part.map_err(|error| {
            ReadError::Other(CommandError::plain("the ids of a list could not be read back").caused_by(&error))
        })?;
        read_part(connection, listing.query, &part).await
    });
    let mut parts = stream::iter(parts).buffered(ASKED_AT_ONCE);
    let (mut sorter, mut missing, mut done) = (space.sorter(), MissingIds::default(), 0);
    while let Some(part) = parts.try_next().await? {
        for row in &part.rows {
            sorter.push(row).map_err(|error| unsorted_rows(&error, space))?;
        }
        missing.add(part.missing);
        done += part.ids;
        listing.observer.progress(listing.policy, listing.doing, done, Some(listing.ids));
    }
    let accounted = sorter.count() + missing.already_gone + missing.not_found;
    if done != listing.ids || accounted != done {
        let (ids, accounted) = (with_thousands(listing.ids), with_thousands(accounted));
        return Err(ReadError::Other(CommandError::plain(format!(
            "internal error: of the {ids} ids in a list {accounted} were accounted for"
        ))));
    }
    let rows = space.finish(sorter).map_err(|error| unsorted_rows(&error, space))?;
    Ok(ListedRecords { rows, missing })
}

/// Ids, as many at a time as one condition takes.
struct Parts<I> {
    ids: I,
    at_once: usize,
}

impl<I: Iterator<Item = io::Result<RecordId>>> Iterator for Parts<I> {
    type Item = io::Result<Vec<RecordId>>;

    fn next(&mut self) -> Option<Self::Item> {
        let part: io::Result<Vec<RecordId>> = self.ids.by_ref().take(self.at_once).collect();
        match part {
            Ok(part) if part.is_empty() => None,
            part => Some(part),
        }
    }
}

/// Takes the rows of one part, of which there are few.
struct PartSink(Vec<Row>);

impl RowSink for PartSink {
    fn row(&mut self, row: Row) -> io::Result<()> {
        self.0.push(row);
        Ok(())
    }
}

async fn read_part(connection: &Connection, query: &PlannedQuery, ids: &[RecordId]) -> Result<Part, ReadError> {
    let PlannedQuery { object, key, fields, .. } = query;
    let condition = connection.language().one_of(key, ids).ok_or_else(|| {
        ReadError::Other(CommandError::plain(format!("the field `{key}` of {object} cannot be in a condition")))
    })?;
    let asked = Query { object: object.clone(), key: key.clone(), fields: fields.clone(), condition: Some(condition) };
    let mut readings = 1;
    loop {
        let mut sink = PartSink(Vec::with_capacity(ids.len()));
        let proof = connection.select(&asked, &Count::Exact(ids.len() as u64), &mut sink).await?;
        let mut rows = sink.0;
        rows.sort_unstable_by_key(|row| row.id);
        let incomplete = |what: String| {
            let help = "nothing was planned or deleted; run the same command again";
            Err(ReadError::Other(CommandError::plain(what).with_help(help)))
        };
        if proof.rows != proof.declared || rows.len() as u64 != proof.declared {
            return incomplete(format!(
                "the read of {object} was not complete: {} rows arrived, but the system declared {}",
                rows.len(),
                proof.declared
            ));
        }
        // Both are in order. A record that was not asked for must not be deleted, and none may count twice.
        let mut wanted = ids.iter().copied().peekable();
        let mut absent = Vec::new();
        for row in &rows {
            while let Some(id) = wanted.next_if(|id| *id < row.id) {
                absent.push(id);
            }
            if wanted.next_if_eq(&row.id).is_none() {
                return incomplete(format!(
                    "the system gave the {object} record {}, which was not asked for or came before",
                    row.id
                ));
            }
        }
        absent.extend(wanted);
        let mut missing = MissingIds::default();
        let mut come_back = None;
        for some in absent.chunks(connection.capabilities().presence_size.max(1)) {
            for (id, presence) in some.iter().zip(connection.check_presence(object, some).await?) {
                match presence {
                    Presence::InBin => missing.already_gone += 1,
                    Presence::Absent => missing.add_not_found(*id),
                    Presence::Present => come_back = Some(*id),
                }
            }
        }
        match come_back {
            None => return Ok(Part { ids: ids.len() as u64, rows, missing }),
            Some(_) if readings < READINGS => readings += 1,
            Some(id) => {
                return incomplete(format!("the {object} record {id} is there, and did not come when it was asked for"));
            }
        }
    }
}
