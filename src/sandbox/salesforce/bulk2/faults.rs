//! How one job goes wrong, fixed when it is made.

use crate::sandbox::{Effect, Settings};

/// How one job deviates from the plain case. Nothing does by default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JobFaults {
    /// It fails after this many rows, and leaves the others unprocessed.
    pub fail_after: Option<usize>,
    /// It fails before its first row, with these words.
    pub refusal: Option<String>,
    /// So many rows are in its results and not in its counters.
    pub uncounted: usize,
    /// Chunks none of whose rows can be locked, counted from 1.
    pub locked_chunks: Vec<u64>,
    /// The first so many rows are in no result file.
    pub omitted: usize,
    /// Results come in another order. The service promises none.
    pub shuffled: bool,
    /// Results come batch by batch, so many rows each, in the order that this number draws.
    pub batches: Option<(usize, u64)>,
    /// Which failed rows have an empty `sf__Id`.
    pub empty_id: EmptyId,
    /// What is added to the number of rows that a query job claims.
    pub wrong_total: isize,
    /// How many of its last rows a query job leaves out although it counts them.
    pub short_by: usize,
}

/// Which rows of `failedResults` come without `sf__Id`; malformed ones always do, since they name no record.
///
/// Documented as filled from version 53 on; recorded as empty for rows that could not be locked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EmptyId {
    /// Those that could not be locked.
    #[default]
    LockErrors,
    /// All.
    Always,
}

impl JobFaults {
    /// How a job goes wrong where such effects are on the creating request.
    pub fn of(settings: &Settings, effects: &[Effect]) -> Self {
        let mut faults = Self {
            uncounted: rows(settings.lagging_rows),
            batches: settings.result_batches.map(|rows| (rows.max(1), settings.seed)),
            ..Self::default()
        };
        for effect in effects {
            match effect {
                Effect::LockRows { chunk } => faults.locked_chunks.push(*chunk),
                Effect::FailJob { after } => faults.fail_after = Some(rows(*after)),
                Effect::RefuseJob { message } => faults.refusal = Some(message.clone()),
                Effect::LagCounters { rows: uncounted } => faults.uncounted = rows(*uncounted),
                Effect::OmitRows { rows: omitted } => faults.omitted = rows(*omitted),
                Effect::ShuffleResults => faults.shuffled = true,
                Effect::EmptyIds => faults.empty_id = EmptyId::Always,
                Effect::WrongTotal { by } => faults.wrong_total = isize::try_from(*by).unwrap_or_default(),
                Effect::ShortPage { rows } => faults.short_by = *rows,
                _ => {}
            }
        }
        faults
    }
}

fn rows(count: u64) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}
