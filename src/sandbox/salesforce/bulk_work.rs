//! What bulk jobs have done by now.

use super::bulk_rows::{delete_rows, deletion_of, error_cell};
use super::bulk2::IngestJob;
use crate::sandbox::Sandbox;

impl Sandbox {
    /// Does what bulk jobs have to do by now. Every request does it first; a test that looks at the world itself calls it.
    pub fn run_jobs(&self) {
        let mut bulk = self.bulk();
        let now = self.now();
        bulk.forget_old(now);
        if bulk.ingest.values().any(IngestJob::is_running) {
            let mut world = self.world();
            for job in bulk.ingest.values_mut() {
                let pace = self.settings().bulk_rows_per_second;
                job.advance(now, pace, |head, chunk| {
                    let deletion = deletion_of(head.operation, head.created_by);
                    let results = delete_rows(&mut world, &head.object, deletion, &chunk.ids, chunk.locked);
                    results.into_iter().map(|result| result.map_err(|error| error_cell(&error))).collect()
                });
            }
        }
        if bulk.classic.is_at_work() {
            bulk.classic.advance(now, self.settings(), &mut self.world());
        }
        for query in bulk.query.values_mut() {
            query.advance(now, self.settings().bulk_query_rows_per_second, || self.world());
        }
    }
}
