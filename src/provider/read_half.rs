//! What may be asked of a system without changing anything in it.

use async_trait::async_trait;
use jiff::SignedDuration;

use super::ProviderError;
use crate::apply::Presence;
use crate::base::RecordId;
use crate::plan::{Count, Identity, ObjectFacts, Query, Row};
use crate::system::{Capabilities, DeleteMode};

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

/// What may be asked of a system.
///
/// **Promises of every implementation**
/// - No method sends a request that changes a record.
/// - Before anything but the sign-in itself is asked, the organization is compared with the one the target is pinned to; another one is
///   [`super::ErrorClass::WrongSystem`].
/// - A failed request is repeated a few times where that may help, so that an error is worth reporting.
/// - No error, log line or answer contains a credential.
#[async_trait]
pub trait ReadHalf: Send + Sync {
    /// What the system can do, with the call budget of this target.
    fn capabilities(&self) -> Capabilities;

    /// Signs in, if that has not happened, and asks who and where.
    async fn identify(&self) -> Result<Identity, ProviderError>;

    /// What is to be known of the sign-in that has happened, such as that it works only once; our own words.
    fn sign_in_warning(&self) -> Option<String> {
        None
    }

    /// By how much this machine's clock is ahead of the system's, by the last answer that said what time it is there; negative when it is
    /// behind. `None` where no answer said it.
    fn clock_difference(&self) -> Option<SignedDuration>;

    /// What the system says about an object.
    async fn describe(&self, object: &str) -> Result<ObjectFacts, ProviderError>;

    /// How many records match now. Where the system says that it cannot count them, the count is unknown and not asked for again; any
    /// other failure is an error.
    async fn count(&self, query: &Query) -> Result<Count, ProviderError>;

    /// About how many records an object has, by a number that the system keeps; `None` where it keeps none or does not tell it. For an
    /// object that cannot be counted.
    async fn approximate_count(&self, _object: &str) -> Result<Option<u64>, ProviderError> {
        Ok(None)
    }

    /// Streams every matching record into `rows`, in no particular order. `expected` is a recent count, [`u64::MAX`] where nobody knows;
    /// it decides how the system is asked and nothing else.
    ///
    /// It ends well only when the rows received equal the total the system declared.
    ///
    /// That no key comes twice is for the caller to check, who sorts them: it would need all of them at once. Where the query's key is not
    /// the record's own, rows without one are counted and passed over: a child without a parent holds nothing.
    ///
    /// # Errors
    ///
    /// [`super::ErrorClass::Incomplete`] when the totals differ, whatever rows the sink has had.
    async fn select(&self, query: &Query, expected: u64, rows: &mut dyn RowSink) -> Result<Completeness, ProviderError>;

    /// How many calls the system still takes from this organization today; `None` where it does not say.
    async fn calls_left(&self) -> Result<Option<u64>, ProviderError>;

    /// Whether this login may delete records of `object` in that way, as far as the system says so beforehand.
    ///
    /// # Errors
    ///
    /// [`super::ErrorClass::Denied`] when it may not; its help says what to grant.
    async fn check_permission(&self, object: &str, delete: DeleteMode) -> Result<(), ProviderError>;

    /// Whether records are there, whatever any filter says: one answer for each id, in the order of `ids`.
    async fn check_presence(&self, object: &str, ids: &[RecordId]) -> Result<Vec<Presence>, ProviderError>;
}
