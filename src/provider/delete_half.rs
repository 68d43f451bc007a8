//! How batches are deleted: by requests or by jobs.

use std::sync::Arc;

use async_trait::async_trait;

use super::ProviderError;
use crate::apply::{Answer, IdSource, JobProgress, Ticket};
use crate::base::{Failure, RecordId};

/// How the batches of one specification are deleted. Which of the two it is follows from the API, as [`crate::system::ApiShape`] says.
pub enum DeleteHalf<'a> {
    /// One request for a batch.
    Requests(Box<dyn DeleteRequests + 'a>),
    /// One job for a batch.
    Jobs(Box<dyn DeleteJobs + 'a>),
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

/// Deletes batches in one request each.
#[async_trait]
pub trait DeleteRequests: Send + Sync {
    /// Sends one request that deletes a batch, once, and gives an answer for every record of it, in any order.
    ///
    /// # Errors
    ///
    /// For the whole batch. [`super::ErrorClass::Ambiguous`] is the only class after which records may be gone.
    async fn send(&self, ids: &[RecordId]) -> Result<Vec<Answer>, ProviderError>;
}

/// Deletes batches by jobs. Every call is one attempt.
///
/// **Promises of every implementation**
/// - A job begins to delete with the call that its [`crate::system::JobStart`] names, and with none before it.
/// - Where that call fails, [`super::ErrorClass::Ambiguous`] is the only class after which it may have begun.
#[async_trait]
pub trait DeleteJobs: Send + Sync {
    /// Creates a job for a batch. Unless a job of this API begins with its creation, it may be called again after a failure: a job that
    /// was created and never answered for deletes nothing.
    async fn create(&self, ids: &dyn IdSource) -> Result<Ticket, ProviderError>;

    /// Uploads the job's records, or compares them with what was sent when it was created.
    async fn load(&self, ticket: &Ticket, ids: Arc<dyn IdSource>) -> Result<(), ProviderError>;

    /// Starts the job, or says that no more records will come.
    async fn start(&self, ticket: &Ticket) -> Result<(), ProviderError>;

    /// How far the job is. A job the system does not know is [`crate::apply::JobStage::Gone`], and no error.
    async fn poll(&self, ticket: &Ticket) -> Result<JobProgress, ProviderError>;

    /// Streams the answers of an ended job. Records the system does not mention are left out, for the caller to check.
    ///
    /// It only reads, and can be repeated from the beginning after any failure. It gives no more answers than the batch has records and
    /// compares them with the system's own counters; that each is about a record of the batch, and none about the same twice, is for the
    /// caller to check, who has the ids in order.
    ///
    /// Gives what the system says about a job that failed as a whole, if it did and says so: what its answers do not mention has failed
    /// with that, and may be sent again where the class says so.
    async fn collect(
        &self,
        ticket: &Ticket,
        ids: &dyn IdSource,
        answers: &mut dyn AnswerSink,
    ) -> Result<Option<Failure>, ProviderError>;

    /// Asks the system to give up a job. What it deleted stays deleted. A job that has ended already or is unknown is no error: `poll` tells.
    ///
    /// # Errors
    ///
    /// Also when the job has begun and its [`crate::system::JobAbort`] says that it runs to its end then.
    async fn abort(&self, ticket: &Ticket) -> Result<(), ProviderError>;
}
