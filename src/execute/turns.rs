//! Long loops over files let the other policies of a run go on.

/// Counts the rows of a loop that waits for nothing. The policies of a run are futures of one task: while one of them reads and writes
/// a million rows, the others could not ask how far their jobs are.
#[derive(Debug, Default)]
pub(super) struct Turns(u64);

impl Turns {
    /// So many rows are read or written in one go.
    pub(super) const ROWS: u64 = 1_024;

    /// Takes one more row, and lets the others go on when it was the last of a turn.
    pub(super) async fn row(&mut self) {
        self.0 += 1;
        if self.0.is_multiple_of(Self::ROWS) {
            tokio::task::yield_now().await;
        }
    }
}
