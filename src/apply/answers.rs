//! What became of every record of a batch.

use serde::{Deserialize, Serialize};

use super::{RecordStatus, Seal};

/// A number of consecutive records, in the order in which they were sent, with the same status. In JSON:
/// `[200,{"deleted":"answer"}]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusRun(pub u64, pub RecordStatus);

/// What became of every record of a batch, where the journal has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Answers {
    /// In the journal itself, if there are few.
    Here(Vec<StatusRun>),
    /// In an object of their own, one [`StatusRun`] a line.
    Stored(Seal),
}
