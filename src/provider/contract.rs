//! What every system must be able to do.

use async_trait::async_trait;

use super::ProviderError;
use crate::apply::{Answer, BatchSpecification, IdSource, JobProgress, Presence, Ticket};
use crate::base::RecordId;
use crate::plan::{Identity, ObjectFacts, Query, Row};
use crate::system::Capabilities;
use crate::system::DeleteMode;

/// What a finished read proved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Completeness {
    /// Rows received.
    pub rows: u64,
    /// The total that the system itself declared for this very query.
    pub declared: u64,
}

/// Takes rows as they arrive. An error stops the read.
pub trait RowSink: Send {
    /// Takes one row.
    ///
    /// # Errors
    ///
    /// When the row cannot be kept.
    fn row(&mut self, row: Row) -> std::io::Result<()>;
}

/// Takes answers as they arrive. An error stops the download, which can be repeated.
pub trait AnswerSink: Send {
    /// Takes one answer.
    ///
    /// # Errors
    ///
    /// When the answer cannot be kept.
    fn answer(&mut self, answer: Answer) -> std::io::Result<()>;
}

/// One system, signed in to.
///
/// **Promises of every implementation**
/// - `identify`, `describe`, `count`, `select`, `calls_left`, `check` and `look` send no request that changes anything.
/// - `select` ends well only when the rows received equal the total the system declared; otherwise it is an error, of class
///   [`super::ErrorClass::Incomplete`] unless the system refused outright, whatever rows the sink has had.
/// - `send` answers for every record of the batch, in any order, or fails as a whole; [`super::ErrorClass::Ambiguous`] is the only failure after
///   which records may be gone.
/// - Before anything but the sign-in itself is asked, the organization is compared with the one the target is pinned to; another one is
///   [`super::ErrorClass::WrongSystem`].
/// - `create` alone never makes a system delete anything; `start` does, and for an API whose upload begins the work, `load`.
/// - No error, log line or answer contains a credential.
#[async_trait]
pub trait Provider: Send + Sync {
    /// What this system can do.
    fn capabilities(&self) -> Capabilities;

    /// Signs in, if that has not happened, and asks who and where.
    async fn identify(&self) -> Result<Identity, ProviderError>;

    /// What the system says about an object.
    async fn describe(&self, object: &str) -> Result<ObjectFacts, ProviderError>;

    /// How many records match now.
    async fn count(&self, query: &Query) -> Result<u64, ProviderError>;

    /// Streams every matching record into `rows`, in no particular order. `expected` is a recent count, which decides how the
    /// system is asked and nothing else.
    ///
    /// That no key comes twice is for the caller to check, who sorts them: it would need all of them at once. Where the query's key is not
    /// the record's own, rows without one are counted and passed over: a child without a parent holds nothing.
    async fn select(&self, query: &Query, expected: u64, rows: &mut dyn RowSink) -> Result<Completeness, ProviderError>;

    /// How many calls the system still takes from this organization today; `None` where it does not say.
    async fn calls_left(&self) -> Result<Option<u64>, ProviderError>;

    /// Whether this login may delete records of `object` in that way; the error says what to grant.
    async fn check(&self, object: &str, delete: DeleteMode) -> Result<(), ProviderError>;

    /// Looks at records one by one, whatever any filter says. One answer for each id, in order.
    async fn check_presence(&self, object: &str, ids: &[RecordId]) -> Result<Vec<Presence>, ProviderError>;

    /// Sends one request that deletes a batch, for an API without jobs.
    async fn send(&self, order: &BatchSpecification, ids: &[RecordId]) -> Result<Vec<Answer>, ProviderError>;

    /// Makes a job for a batch, for an API with jobs. Deletes nothing, so that it may be called again after a failure: a job that was made and
    /// never answered stays unstarted.
    async fn create(&self, order: &BatchSpecification, ids: &dyn IdSource) -> Result<Ticket, ProviderError>;

    /// Uploads the job's records.
    async fn load(
        &self,
        order: &BatchSpecification,
        ticket: &Ticket,
        ids: std::sync::Arc<dyn IdSource>,
    ) -> Result<(), ProviderError>;

    /// Starts the job.
    async fn start(&self, order: &BatchSpecification, ticket: &Ticket) -> Result<(), ProviderError>;

    /// How far the job is. A job the system does not know is [`crate::apply::JobStage::Gone`], and no error.
    async fn poll(&self, order: &BatchSpecification, ticket: &Ticket) -> Result<JobProgress, ProviderError>;

    /// Streams every per-record answer of an ended job. Records the system does not mention are left out, for the caller to look at.
    ///
    /// It reads only and can be repeated from the beginning after any failure. It gives no more answers than the batch has records and
    /// compares them with the system's own counters; that each is about a record of the batch, and none about the same twice, is for the
    /// caller to check, who has the ids in order.
    async fn collect(
        &self,
        order: &BatchSpecification,
        ticket: &Ticket,
        ids: &dyn IdSource,
        answers: &mut dyn AnswerSink,
    ) -> Result<(), ProviderError>;

    /// Asks the system to give up a job. What it deleted stays deleted. A job that has ended already or is unknown is no error: `poll` tells.
    async fn abort(&self, order: &BatchSpecification, ticket: &Ticket) -> Result<(), ProviderError>;
}
