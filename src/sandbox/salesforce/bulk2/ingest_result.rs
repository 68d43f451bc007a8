//! The result files of an ingest job.

use super::faults::EmptyId;
use super::ingest_job::IngestJob;
use super::upload::Upload;
use crate::system::canonical_salesforce_id;

/// Which rows a result file lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResultKind {
    /// Deleted rows.
    Successful,
    /// Rows that were tried and refused.
    Failed,
    /// Rows that were not tried.
    Unprocessed,
}

impl IngestJob {
    /// The next part of a result file: its text, and the place from which to go on unless it was the last.
    ///
    /// A file begins at place 0 with its header, which comes even without rows. A part is about `size` bytes.
    pub fn result_part(&self, kind: ResultKind, place: usize, size: usize) -> (Vec<u8>, Option<usize>) {
        let mut out = Vec::with_capacity(size + 1024);
        let Some(upload) = self.upload() else { return (out, None) };
        let dialect = self.head.dialect;
        if place == 0 {
            match kind {
                ResultKind::Successful => dialect.write_result_header(&mut out, &["sf__Id", "sf__Created"], upload.header()),
                ResultKind::Failed => dialect.write_result_header(&mut out, &["sf__Id", "sf__Error"], upload.header()),
                ResultKind::Unprocessed => dialect.write_result_header(&mut out, &[], upload.header()),
            }
        }
        let total = upload.len();
        let batches = self.faults.batches.map(|(rows, seed)| BatchOrder::of(total, rows, seed));
        for place in place..total {
            if out.len() >= size {
                return (out, Some(place));
            }
            let row = match &batches {
                _ if self.faults.shuffled => shuffled(place, total),
                Some(batches) => batches.row(place),
                None => place,
            };
            if row >= self.faults.omitted {
                self.write_row(&mut out, kind, upload, row);
            }
        }
        (out, None)
    }

    /// Whether a result file has this row.
    pub fn shows(&self, kind: ResultKind, row: usize) -> bool {
        let is_its_end = match self.outcome(row) {
            None => kind == ResultKind::Unprocessed,
            Some(Ok(())) => kind == ResultKind::Successful,
            Some(Err(_)) => kind == ResultKind::Failed,
        };
        is_its_end && row >= self.faults.omitted
    }

    fn write_row(&self, out: &mut Vec<u8>, kind: ResultKind, upload: &Upload, row: usize) {
        let own = match (kind, self.outcome(row)) {
            (ResultKind::Unprocessed, None) => None,
            // `sf__Created` tells inserts from updates, and is `false` for a delete. Source: recorded.
            (ResultKind::Successful, Some(Ok(()))) => Some((result_id(upload.id(row)), "false")),
            (ResultKind::Failed, Some(Err(error))) => {
                let unnamed = error.starts_with("MALFORMED_ID:")
                    || match self.faults.empty_id {
                        EmptyId::LockErrors => error.starts_with("UNABLE_TO_LOCK_ROW:"),
                        EmptyId::Always => true,
                    };
                Some((if unnamed { String::new() } else { result_id(upload.id(row)) }, error))
            }
            _ => return,
        };
        let own = own.as_ref().map(|(id, second)| [id.as_str(), second]);
        self.head.dialect.write_quoted(out, own.into_iter().flatten().chain(upload.cells(row)));
    }
}

/// Results name records by the 18 character form, whatever was sent.
fn result_id(sent: &str) -> String {
    canonical_salesforce_id(sent).map_or_else(|_| sent.to_owned(), |id| id.as_str().to_owned())
}

/// The order of rows whose batches ended in another order than they were cut.
struct BatchOrder {
    /// For each batch in its new order: the first of the places that its rows take, and the first of its rows.
    starts: Vec<(usize, usize)>,
}

impl BatchOrder {
    fn of(total: usize, rows: usize, seed: u64) -> Self {
        let mut batches: Vec<usize> = (0..total.div_ceil(rows)).collect();
        fastrand::Rng::with_seed(seed).shuffle(&mut batches);
        let mut place = 0;
        let starts = batches.into_iter().map(|batch| {
            let (first, start) = (batch * rows, place);
            place += rows.min(total - first);
            (start, first)
        });
        Self { starts: starts.collect() }
    }

    /// The row that comes at a place.
    fn row(&self, place: usize) -> usize {
        let batch = self.starts.partition_point(|(start, _)| *start <= place);
        let (start, first) = self.starts[batch.saturating_sub(1)];
        first + (place - start)
    }
}

/// A fixed order that is not the upload's: every row once, no table needed.
fn shuffled(place: usize, total: usize) -> usize {
    // A prime above any number of rows shares no factor with it, so that no two places meet.
    const PRIME: u64 = 4_294_967_291;
    let total = total as u64;
    let row = (place as u64 * (PRIME % total) + total / 2) % total;
    usize::try_from(row).expect("less than the total")
}
